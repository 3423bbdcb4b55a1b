"""Processes that a command has started, wherever they are: its group, and those that bear its mark.

A launcher such as torchrun gives its workers sessions of their own, so that the command's group does not hold them. All
of them inherit its environment, in which a variable names the run's folder: that is the mark.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from diagnose.runs.score_file import VARIABLE


def marked(folder: str) -> list[int]:
    """Return the processes whose environment names a run's folder; none where the system does not tell (Linux does)."""
    mark = f"{VARIABLE}={folder}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (place / "environ").read_bytes().split(b"\0") and _is_alive(place):
                found.append(int(place.name))
    return sorted(set(found) - {os.getpid()})


def _is_alive(place: Path) -> bool:
    """Say whether a process is more than a note of its end."""
    return (place / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] not in "ZX"


def end_all(group: int, folder: str) -> None:
    """End a command and all that it has started, at once."""
    with suppress(OSError):
        os.killpg(group, signal.SIGKILL)
    for process in marked(folder):
        with suppress(OSError):
            os.kill(process, signal.SIGKILL)
