"""The only writer of `runs/`. Files appear whole or not at all, and what a run recorded is never overwritten.

A file is written beside its place and renamed into it, and so is a run's folder with its first files, an ablation's
with all of them, and a checkpoint. Weights and optimizer state are safetensors, the rest is JSON, nothing is ever
pickled. A run that is being written holds a lock on its folder, which the system drops when the process dies.
"""

from __future__ import annotations

import csv
import json
import os
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from diagnose import files, formatting
from diagnose.errors import DiagnoseError, nearest
from diagnose.records.ablations import AblationRecord
from diagnose.records.run_records import Environment, State, Status
from diagnose.records.schema import FORMAT, Record, Schema, parse
from diagnose.runs import known_recipes, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filelock import BaseFileLock

    from diagnose.config.recipe import Recipe


RECORD = "record/state.json"  # in the folder that a recorded loop leaves
LATEST = "latest"
LOCKS = ".locks"  # a file per digest that was ever trained; empty
DAMAGED = (
    LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError, NotImplementedError,
    RecursionError, csv.Error,
)  # fmt: skip


def create(runs: Path, label: str, recipe: Recipe, environment: Environment) -> Path:
    """Make the folder of a new run, named by time, label, seed and recipe.

    Raises:
        DiagnoseError: the folder cannot be written; nothing is left of it then.
    """

    def fill(part: Path, _: str) -> None:
        write_text(part / "recipe.toml", recipe.to_toml())
        write_record(part / "environment.json", environment)
        write_status(part, "running")

    return _fresh(runs, f"{_slug(label) or 'run'}-s{recipe.run.seed}-{environment.digest[:4]}", fill)


def create_ablation(runs: Path, label: str, digest: str, fill: Callable[[Path, str], None]) -> Path:
    """Make the folder of a new ablation beside its runs.

    Args:
        runs: the folder of its runs.
        label: part of its name: the axes.
        digest: the other part, of its runs' names.
        fill: writes its files into the folder that it is given, knowing the name that the folder will have.

    Raises:
        DiagnoseError: it cannot be written; nothing is left of it then.
    """
    return _fresh(runs, f"ablate-{_slug(label)}-{digest[:4]}", fill)


def create_comparison(runs: Path, digest: str, fill: Callable[[Path, str], None]) -> Path:
    """Make the folder of a new comparison beside the runs that it compares; see `create_ablation`."""
    return _fresh(runs, f"compare-{digest[:4]}", fill)


def create_command(runs: Path, label: str, seed: int, digest: str, fill: Callable[[Path, str], None]) -> Path:
    """Make the folder of a run of somebody's command; see `create_ablation`."""
    return _fresh(runs, f"{_slug(label) or 'run'}-s{seed}-{digest[:4]}", fill)


def _slug(label: str) -> str:
    return "".join(c if c.isalnum() or c in ".-" else "-" for c in label)[:40].strip("-")


def _fresh(runs: Path, name: str, fill: Callable[[Path, str], None]) -> Path:
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    for turn in count():
        path = runs / (f"{stamp}-{name}" + (f"-{turn}" if turn else ""))
        try:
            runs.mkdir(parents=True, exist_ok=True)
            if path.exists():
                continue
            with files.begun_folder(runs) as part:
                fill(part, path.name)
                part.rename(path)
        except OSError as error:
            if path.exists():  # another process was sooner
                continue
            why = error.strerror or error
            raise DiagnoseError(f"{runs} cannot be written: {why}; make room or choose another folder") from None
        return path
    raise AssertionError


def check_writable(folder: Path) -> None:
    """Refuse a folder that cannot be written, before hours of training and not after; makes nothing.

    Raises:
        DiagnoseError: the folder, or what it would be made in, is no folder or not ours to write.
    """
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise DiagnoseError(f"{folder} cannot be written ({place} is no folder that can be); choose another with --out")


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    files.write_whole(path, lambda file: file.write(text.encode("utf-8")))


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object whole or not at all."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_record(path: Path, record: Schema) -> None:
    """Write a record whole or not at all."""
    write_json(path, record.model_dump(mode="json"))


def read_record(kind: type[Record], path: Path) -> Record:
    """Read a record of this or an older format.

    Raises:
        DiagnoseError: missing, damaged, or written by a newer `diagnose`; the line names the file and the bad key.
    """
    return parse(kind, read_json(path), path)


def read_text(path: Path) -> str:
    """Read a file of text. Raises DiagnoseError where missing or damaged."""
    with one_line(path):
        return files.text(path)


@contextmanager
def as_written(path: Path, what: str = "its records are not as a run writes them") -> Iterator[None]:
    """Say in one line that the records of a folder contradict each other, or hold what nobody writes.

    Args:
        path: of the folder.
        what: is said of it.

    Raises:
        DiagnoseError: what is done with them ends in an error of the kinds that odd records end in.
    """
    try:
        yield
    except DAMAGED as error:
        reason = formatting.visible(" ".join(str(error).split())[:60])
        told = f"{type(error).__name__}{': ' * bool(reason)}{reason}"
        raise DiagnoseError(f"{formatting.visible(str(path))}: {what} ({told})") from error


@contextmanager
def one_line(file: Path, *others: type[Exception]) -> Iterator[None]:
    """Say in one line why a file cannot be read."""
    errors: tuple[type[Exception], ...] = (OSError, ValueError, *others)
    try:
        yield
    except FileNotFoundError:
        raise DiagnoseError(f"{file} is missing: {file.parent} is no complete run or ablation") from None
    except errors as error:
        reason = " ".join(str(error).split())[:80]
        raise DiagnoseError(f"{file} cannot be read ({reason}); the folder is damaged") from None


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of this or an older format; NaN and infinities, which others may write, become None.

    Raises:
        DiagnoseError: missing, damaged, or written by a newer `diagnose`.
    """
    with one_line(path):
        value = files.parsed(files.text(path))
    if not isinstance(value, dict) or not isinstance(value.get("format"), int):
        raise DiagnoseError(f"{path} states no format; the folder is damaged")
    if value["format"] > FORMAT:
        raise DiagnoseError(f"{path} has format {value['format']}, this diagnose reads up to {FORMAT}: upgrade it")
    return value


def write_status(path: Path, state: State, why: str = "") -> None:
    """Note the state of a run, and why it did not end well."""
    write_record(path / "status.json", Status(state=state, why=why))


def write_samples(path: Path, samples: list[dict[str, Any]]) -> None:
    """Write what the network wrote, a JSON object a line."""
    write_text(path / "samples.jsonl", "".join(json.dumps(s, ensure_ascii=False) + "\n" for s in samples))


def read_samples(path: Path) -> list[dict[str, Any]]:
    """Read what the network wrote; none is an empty list. Raises DiagnoseError where damaged."""
    file = path / "samples.jsonl"
    if not file.exists():
        return []
    with one_line(file, TypeError):
        return [dict(files.parsed(line)) for line in files.text(file).split("\n") if line]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a run's folder while it is written.

    Raises:
        DiagnoseError: another process writes it, or it cannot be written.
    """
    lock = FileLock(path / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise DiagnoseError(f"{path} is being written by another process; wait for it") from None
    except OSError as error:
        raise DiagnoseError(f"{path} cannot be written: {error.strerror}") from None
    with _released(lock):
        yield


@contextmanager
def _released(lock: BaseFileLock) -> Iterator[None]:
    """Release a lock at the end; what the system says of that hides no error of what was done under it."""
    try:
        yield
    finally:
        with suppress(OSError):
            lock.release()


@contextmanager
def claimed(runs: Path, digest: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the right to train what a digest stands for, so that no two processes train the same run at once.

    The system drops the claim of a process that dies. `waiting` is called twice a second while another holds it.

    Raises:
        DiagnoseError: the folder cannot be written.
    """
    lock = FileLock(runs / LOCKS / f"{digest}.lock")
    try:
        (runs / LOCKS).mkdir(parents=True, exist_ok=True)
        while not lock.is_locked:
            try:
                lock.acquire(timeout=0.5)
            except Timeout:
                waiting()
    except OSError as error:
        raise DiagnoseError(f"{runs} cannot be written: {error.strerror}; choose another folder") from None
    with _released(lock):
        yield


def is_being_written(path: Path) -> bool:
    """Say whether a living process holds the run."""
    lock = FileLock(path / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def point_latest(path: Path) -> None:
    """Let `runs/latest` lead to this run: a symbolic link, or a line of text where links are not to be had."""
    with files.begun_folder(path.parent) as part:
        try:
            (part / LATEST).symlink_to(path.name)
        except OSError:
            (part / LATEST).write_text(path.name + "\n", encoding="utf-8")
        (part / LATEST).replace(path.parent / LATEST)


def find(name: str | Path) -> Path:
    """Return the folder of a run, an ablation or a recorded loop: its path, `runs/latest`, or its name in `runs/`.

    Raises:
        DiagnoseError: there is none; names the nearest.
    """
    path = Path(name)
    if not path.exists() and len(path.parts) == 1:
        path = Path("runs") / path
    if path.is_file() and path.name == LATEST:
        path = path.parent / path.read_text(encoding="utf-8", errors="replace").strip()
    if any((path / name).exists() for name in ("status.json", "ablation.toml", RECORD, "comparison.json")):
        return path.parent / path.readlink() if path.is_symlink() else path
    known, others = [p.name for p in (*entries(path.parent), *ablations(path.parent))], commands(path.parent)
    known += [LATEST] if known and os.path.lexists(path.parent / LATEST) else []
    hint = nearest(path.name, known) if known else f"; {path.parent} holds no runs"
    if path in others or (others and not known):
        hint = not_found.of_commands(path, others, _folders(path.parent, "comparison.json"))
    raise DiagnoseError(f"no run or ablation at {name}{hint if len(hint) < 400 else ''}")


def entries(runs: Path) -> list[Path]:
    """List the runs of a folder, oldest first."""
    if not runs.is_dir():
        return []
    return _folders(runs, "status.json")


def ablations(runs: Path) -> list[Path]:
    """List the ablations of a folder, oldest first."""
    if not runs.is_dir():
        return []
    return _folders(runs, "ablation.toml")


def commands(runs: Path) -> list[Path]:
    """List the runs of commands that are no trainer of ours, oldest first."""
    if not runs.is_dir():
        return []
    return _folders(runs, "command.json")


def _folders(runs: Path, file: str) -> list[Path]:
    """Return the folders that hold a file; hidden ones are half-written."""
    with os.scandir(runs) as listing:
        names = sorted(f.name for f in listing if not f.name.startswith(".") and f.is_dir(follow_symlinks=False))
    return [runs / name for name in names if os.path.lexists(os.path.join(runs, name, file))]  # noqa: PTH118


def environment(path: Path) -> Environment:
    """Read where a run was carried out and what its recipe came to; see `read_record` for errors."""
    return read_record(Environment, path / "environment.json")


def status(path: Path) -> Status:
    """Read how a run ended, as it noted; see `read_record` for errors."""
    return read_record(Status, path / "status.json")


def ablation(path: Path) -> AblationRecord:
    """Read what an ablation or a comparison came to; see `read_record` for errors."""
    return read_record(AblationRecord, path / "summary.json")


def state(path: Path) -> State:
    """Return a run's state; one that is said to be running but that nobody writes was interrupted.

    Raises:
        DiagnoseError: its status cannot be read.
    """
    value = status(path).state
    return "interrupted" if value == "running" and not is_being_written(path) else value


def known_state(path: Path) -> str | None:
    """Return a run's state; None of one that is damaged, which never hides the others."""
    try:
        return state(path)
    except DiagnoseError:
        return None


def recipe_of(path: Path) -> Recipe:
    """Read a run's recipe, fully resolved. Raises DiagnoseError where it is missing or damaged."""
    return known_recipes.read(files.inside(path / "recipe.toml"))


def disk_use(path: Path) -> int:
    """Return the bytes that a folder's files take."""
    with os.scandir(path) as listing:
        return sum(disk_use(Path(f.path)) if f.is_dir(follow_symlinks=False) else _size(f) for f in listing)


def _size(item: os.DirEntry[str]) -> int:
    with suppress(OSError):  # just removed
        return item.stat().st_size if item.is_file(follow_symlinks=False) else 0
    return 0
