"""Folders of runs of anybody's command.

    runs/20261128-143205-relu-s0-3f9a/
      command.json   what was started
      output.txt     what it printed, errors too
      files/         the folder that it was given as {dir}, empty at first
      scores/        what it reported by `report_scores`
      ended.json     its exit code; a command that was interrupted has none
      lock           held by whoever watches it, and by the command itself

A command that is started anew gets a folder of its own, so that what an earlier process of it may still write lies
elsewhere, and no old result is taken for a new one.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from diagnose import files
from diagnose.errors import DiagnoseError
from diagnose.records.command_records import CommandEnd, CommandRun
from diagnose.records.score_records import ScoreComparison
from diagnose.runs import store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from diagnose.records.run_records import State

COMMAND, ENDED, OUTPUT, FILES, SCORES = "command.json", "ended.json", "output.txt", "files", "scores"
TABLES = RUNS_TABLE, EXAMPLES_TABLE = "results.csv", "results.parquet"  # beside it, a row a run or an example of one
COMPARISON = "comparison.json"  # of an ablation of commands, in a folder beside them
LOOK_SECONDS = 1.0


def create(runs: Path, run: CommandRun) -> Path:
    """Make the folder of a command that is about to be started. Raises DiagnoseError where it cannot be written."""

    def fill(part: Path, _: str) -> None:
        store.write_record(part / COMMAND, run)
        (part / FILES).mkdir()
        (part / SCORES).mkdir()

    return store.create_command(runs, run.level, run.seed, run.digest, fill)


def of_digest(runs: Path, digest: str) -> list[Path]:
    """Return the folders of one command, the newest first; folders that cannot be read are passed over."""
    likely = [path for path in reversed(store.commands(runs)) if f"-{digest[:4]}" in path.name]
    return [path for path in likely if _digest(path) == digest]


def _digest(path: Path) -> str | None:
    with suppress(DiagnoseError):
        return started(path).digest
    return None


def started(path: Path) -> CommandRun:
    """Read what was started; see `store.read_record` for errors."""
    return store.read_record(CommandRun, path / COMMAND)


def ended(path: Path) -> CommandEnd | None:
    """Read how a command ended; None where it did not."""
    if not (path / ENDED).exists():
        return None
    return store.read_record(CommandEnd, path / ENDED)


def state(path: Path) -> State:
    """Return whether a command is running, or how it ended; see `store.read_record` for errors."""
    end = ended(path)
    if end is None:
        return "running" if store.is_being_written(path) else "interrupted"
    return "failed" if end.why else "finished"


def comparison(path: Path) -> ScoreComparison:
    """Read what an ablation of commands came to; see `store.read_record` for errors."""
    return store.read_record(ScoreComparison, path / COMPARISON)


def ended_well(path: Path) -> bool:
    """Say whether a command ended with 0."""
    with suppress(DiagnoseError):
        end = ended(path)
        return end is not None and end.code == 0 and not end.why
    return False


def is_same(path: Path, known_by: Mapping[str, str]) -> bool:
    """Say whether files that a run is known by are what they were when a folder's command was started."""
    with suppress(DiagnoseError):
        before = started(path).files
        return all(before.get(name) == digest for name, digest in known_by.items())
    return False


@contextmanager
def held(path: Path) -> Iterator[int]:
    """Hold the folder of a command while it runs, and give the lock's descriptor for the command to hold too.

    Raises:
        DiagnoseError: a process writes it, perhaps one that an earlier command left behind.
    """
    end = time.monotonic() + LOOK_SECONDS  # whoever only looks whether it is held lets it go at once
    while (number := files.hold_file(path / "lock")) is None and time.monotonic() < end:
        time.sleep(0.05)
    if number is None:
        raise DiagnoseError(f"{path} is still being written by another process; end that process first")
    try:
        yield number
    finally:
        os.close(number)
