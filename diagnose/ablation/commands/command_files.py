"""What a run of a command is known by beside its arguments: the files that they name, and the code beside them.

A finished run is used again only if these are what they were. What a command reads otherwise (data in a folder,
installed packages) is not seen.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose.engines.command_job import DIR
from diagnose.errors import DiagnoseError
from diagnose.formatting import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_HASHED = 64 << 20  # bytes; of a larger file size and time of change are taken
MOST_CODE = 2000  # files of a folder that are looked at; of more only those that lie in it directly
PASSED_OVER = {"__pycache__", "node_modules", "site-packages", "runs", "reports", "wandb", "mlruns", "lightning_logs"}


class CommandFiles:
    """Digests of files, each read once."""

    def __init__(self) -> None:
        self.known: dict[Path, str] = {}

    def of(self, args: Sequence[str]) -> dict[str, str]:
        """Return the files that arguments name, and the code beside them, each with its digest."""
        named = [path for arg in args for path in _named(arg)]
        code = [other for path in (*named, *_modules(args)) for other in _beside(path)]
        return self._digests([*named, *code])

    def of_paths(self, paths: Sequence[str]) -> dict[str, str]:
        """Return files, and the code in folders, each with its digest.

        Raises:
            DiagnoseError: there is no such file.
        """
        files: list[Path] = []
        for name in paths:
            path = Path(name)
            if not path.exists():
                raise DiagnoseError(f"--code {visible(name)} does not exist")
            files += _code_in(path) if path.is_dir() else [path]
        return self._digests(files)

    def _digests(self, paths: Sequence[Path]) -> dict[str, str]:
        return {path.as_posix(): self._digest(path) for path in dict.fromkeys(paths)}

    def _digest(self, path: Path) -> str:
        if path not in self.known:
            self.known[path] = _digest_of(path)
        return self.known[path]


def _digest_of(path: Path) -> str:
    try:
        about = path.stat()
        if about.st_size > MOST_HASHED:
            return f"{about.st_size}-{about.st_mtime_ns}"
        return blake2b(path.read_bytes(), digest_size=8).hexdigest()
    except OSError as error:
        raise DiagnoseError(f"{visible(str(path))} cannot be read: {error.strerror or error}") from None


def _named(arg: str) -> Iterator[Path]:
    """Yield the files that an argument names, by itself or behind a sign of equality."""
    for text in dict.fromkeys((arg, arg.partition("=")[2])):
        if text and DIR not in text and len(text) < 4096 and Path(text).is_file() and not _is_installed(text):
            yield Path(text)


def _is_installed(text: str) -> bool:
    """Say whether a file is an interpreter or the like, and none of the user's."""
    return (os.access(text, os.X_OK) and text.startswith(("/usr/", "/bin/", "/opt/"))) or "/bin/python" in text


def _modules(args: Sequence[str]) -> Iterator[Path]:
    """Yield the file of `-m package.module`, where it lies in the working folder."""
    for flag, name in pairwise(args):
        path = Path(*name.split(".")) if flag == "-m" else Path()
        for candidate in (path.with_suffix(".py"), path / "__main__.py") if path.name else ():
            if candidate.is_file():
                yield candidate


def _beside(path: Path) -> list[Path]:
    return _code_in(path.parent) if path.suffix == ".py" else []


def _code_in(folder: Path) -> list[Path]:
    """Return the Python files of a folder and below; of a huge one those that lie in it directly."""
    files: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if _is_code(Path(place) / name))
        files += [Path(place) / name for name in sorted(names) if name.endswith(".py")]
        if len(files) > MOST_CODE:
            return sorted(folder.glob("*.py"))
    return files


def _is_code(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in PASSED_OVER
    return not hidden and not (folder / "pyvenv.cfg").exists()
