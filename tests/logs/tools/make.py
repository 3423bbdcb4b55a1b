# ruff: noqa: E501, TC003  (calls of tools are long)
"""Runs real tools in tiny, and keeps what they write with the values that their own interfaces gave.

    python tests/logs/tools/make.py FAMILY [NAME...]     a family is a file beside this one (boosting, keras, ...)

What a tool writes goes to `written/`, what is true of it to `manifest.json`: the tool and its version, how it was called,
which files there are, and both losses by position. Truth comes from the tool's history or is recorded where a value is
handed to the tool; it is never read back from the file. A family needs its tool installed, and nothing else does.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import importlib.metadata
import io
import json
import os
import pty
import shutil
import struct
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WRITTEN = HERE / "written"
MANIFEST = HERE / "manifest.json"
MADE: dict[str, tuple[str, str, dict[str, Any], Callable[[Path], dict[str, Any]]]] = {}
TTY_SIZE = {"COLUMNS": "120", "LINES": "40"}


def log(name: str, package: str, command: str, **options: Any) -> Callable[..., Any]:
    """Register what writes a log; it is given the path and returns what is true of it."""

    def registered(write: Callable[[Path], dict[str, Any]]) -> Callable[[Path], dict[str, Any]]:
        MADE[name] = (package, command, options, write)
        return write

    return registered


def points(values: Any, **at: Any) -> dict[str, list[float]]:
    """Return a loss by position: `epoch=`, `step=`, or both."""
    values = [float(v) for v in values]
    out = {name: [float(a) for a in places] for name, places in at.items()}
    assert values, "a curve has points"
    assert all(len(places) == len(values) for places in out.values()), {k: len(v) for k, v in out.items()}
    return {**out, "value": values}


def epochs(values: Any, first: int = 0) -> dict[str, list[float]]:
    """Return a loss of one value an epoch."""
    values = list(values)
    return points(values, epoch=range(first, first + len(values)))


@contextlib.contextmanager
def printed(path: Path, *, terminal: bool = False) -> Iterator[None]:
    """Write what is printed to a file, by C code too; as to a terminal where asked (bars, colours)."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved, streams = (os.dup(1), os.dup(2)), (sys.stdout, sys.stderr)
    reader = None
    if terminal:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        reader = threading.Thread(target=_drain, args=(master, path))
        reader.start()
    else:
        slave = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND, 0o644)
    os.dup2(slave, 1)
    os.dup2(slave, 2)
    os.close(slave)
    sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False), "utf-8", line_buffering=True)  # noqa: SIM115
    sys.stderr = io.TextIOWrapper(open(2, "wb", closefd=False), "utf-8", line_buffering=True)  # noqa: SIM115
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = streams
        for at, old in enumerate(saved, start=1):
            os.dup2(old, at)
            os.close(old)
        if reader:
            reader.join()


def _drain(master: int, path: Path) -> None:
    with path.open("wb") as file:
        while True:
            try:
                data = os.read(master, 1 << 16)
            except OSError:
                break
            if not data:
                break
            file.write(data)
    os.close(master)


def kept(source: Path, path: Path, *names: str) -> None:
    """Move those files of a tool's folder that matter (all where none is named) to the log's place."""
    shutil.rmtree(path, ignore_errors=True)
    found = [file for name in names or ("*",) for file in sorted(source.rglob(name)) if file.is_file()]
    assert found, f"{source} holds none of {names}"
    for file in found:
        to = path / file.relative_to(source)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, to)


def scratch(path: Path) -> Path:
    """Return an empty folder for what a tool writes beside the log."""
    folder = Path("/tmp") / "logs-of-tools" / path.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def main() -> None:
    """Make the logs of a family."""
    os.environ.update(TTY_SIZE)
    sys.modules["make"] = sys.modules["__main__"]
    family, *wanted = sys.argv[1:]
    sys.path.insert(0, str(HERE))
    importlib.import_module(f"tools_{family}")
    WRITTEN.mkdir(exist_ok=True)
    failed = 0
    for name, (package, command, options, write) in list(MADE.items()):
        chosen = not wanted or any(name.startswith(one) for one in wanted)
        if not chosen or write.__module__ != f"tools_{family}":
            continue
        path = WRITTEN / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            truth = write(path)
        except Exception:  # noqa: BLE001  one tool that fails leaves the others
            import traceback

            traceback.print_exc()
            failed += 1
            continue
        version = options.get("version") or importlib.metadata.version(package)
        entry = {"tool": package, "version": version, "command": command, **options, **truth}
        manifest = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else {}
        manifest[name] = json.loads(json.dumps(entry))
        MANIFEST.write_text(dumped(dict(sorted(manifest.items()))), encoding="utf-8")
        print(name, flush=True)
    raise SystemExit(failed > 0)


def dumped(manifest: dict[str, Any]) -> str:
    """Return the manifest with a line for each value of an entry."""
    rows = []
    for name, entry in manifest.items():
        inner = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in entry.items())
        rows.append(f"{json.dumps(name)}: {{\n{inner}\n}}")
    return "{\n" + ",\n".join(rows) + "\n}\n"


if __name__ == "__main__":
    main()
