"""Notes and submitit's files of jobs that ended long ago, which nobody asks for any more."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from diagnose import files
from diagnose.engines.progress_notes import NOTES
from diagnose.engines.slurm_task import FOLDER
from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86400.0
KEPT_SECONDS = {True: DAY, False: 30 * DAY}  # by whether the run finished; the output of one that failed may be read
ENDED, JOB = ".ended.json", re.compile(r"\d+(_\d+)?")


def clear(runs: Path) -> None:
    """Remove what jobs left whose own note says that they ended, a day ago (a month ago where the run failed).

    A process that still watches such a job has read that note long before. What cannot be removed stays.
    """
    folder = runs / FOLDER
    if folder.is_symlink():
        return
    with suppress(OSError):
        for note in folder.glob(f"*{ENDED}"):
            job = _long_ended(note)
            if job:
                _remove(runs, note.name.removesuffix(ENDED), job)


def _long_ended(note: Path) -> str:
    """Return the job that noted its end there, "" where that is not long ago, or no note of ours."""
    with suppress(OSError, ValueError, DiagnoseError, LookupError, TypeError, AttributeError):
        told = files.parsed(files.text(note))
        old = time.time() - note.stat().st_mtime > KEPT_SECONDS[bool(told.get("finished"))]
        return told["job"] if old and JOB.fullmatch(told["job"]) else ""
    return ""


def _remove(runs: Path, digest: str, job: str) -> None:
    folder = runs / FOLDER
    own = [folder / f"{job}_{end}" for end in ("submitted.pkl", "0_result.pkl", "0_log.out", "0_log.err")]
    base = job.partition("_")[0]
    if not any(path.name != f"{job}_submitted.pkl" for path in folder.glob(f"{base}_*submitted.pkl")):
        own.append(folder / f"{base}_submission.sh")  # of the whole array
    for path in [*own, runs / NOTES / f"{digest}.json", folder / f"{digest}.json", folder / f"{digest}{ENDED}"]:
        with suppress(OSError):
            path.unlink()
