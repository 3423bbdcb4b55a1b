"""Slurm's own commands: which partitions there are, how jobs stand, ending them.

States come from `squeue`, which every cluster answers, and of jobs that it has forgotten from `sacct`, which needs
accounting; submitit asks `sacct` alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import cut, duration, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ANSWER_SECONDS = 60.0
ENDED = frozenset({
    "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE", "PREEMPTED",
    "REVOKED",
})  # fmt: skip
QUEUE = ("--noheader", "--array", "--states=all", "--format=%F|%K|%T|%r")
FORGOTTEN = "forgotten"  # neither squeue nor sacct knows the job
USUAL = ("None", "Priority", "Resources", "BeginTime", "JobArrayTaskLimit", "Cleaning", "Prolog")
OF_A_JOB = ("SLURM_", "SLURMD_", "SRUN_", "SUBMITIT_", "PMI_", "PMIX_")
OF_A_SITE = ("SLURM_CONF", "SLURM_CLUSTERS", "SLURM_TIME_FORMAT", "SLURM_JWT", "SUBMITIT_PREEMPT_SIGNAL")
OF_A_RANK = ("MASTER_ADDR", "MASTER_PORT", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
LASTING = 365 * 86400.0  # where neither the user nor the partition says


class SlurmError(Exception):
    """A command of Slurm's failed; says what it said, in a line."""


@dataclass(frozen=True)
class JobState:
    """How a job stands, and why it waits."""

    name: str
    reason: str = ""

    @property
    def is_ended(self) -> bool:
        """Whether it will not run any more."""
        return self.name in ENDED or self.name == FORGOTTEN

    @property
    def waits_for(self) -> str:
        """Why it waits, where that is more than its turn."""
        return "" if self.reason in USUAL else self.reason


@dataclass(frozen=True)
class Partition:
    """A partition: its limits in seconds, None where it has none."""

    name: str
    default: bool
    usual: float | None
    most: float | None


def call(*args: str) -> str:
    """Return what a command of Slurm's says.

    Raises:
        SlurmError: it fails; its message in a line.
    """
    try:
        ended = subprocess.run(  # noqa: S603  (Slurm's own, by name)
            args, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False, errors="replace",
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise SlurmError(getattr(error, "strerror", None) or f"{args[0]} did not answer") from None
    if ended.returncode:
        raise SlurmError(in_a_line(ended.stderr or ended.stdout) or f"{args[0]} ended with {ended.returncode}")
    return ended.stdout


def in_a_line(said: str) -> str:
    """Return a message of Slurm's without the names of the programs that say it."""
    parts = [line.split("error: ")[-1].strip() for line in said.splitlines() if "error" in line] or said.split("\n")
    return cut(visible("; ".join(dict.fromkeys(part.strip().rstrip(".") for part in parts if part.strip()))), 240)


def partitions() -> list[Partition]:
    """Return the cluster's partitions.

    Raises:
        DiagnoseError: this machine has no Slurm, or it does not answer.
    """
    if shutil.which("sbatch") is None or shutil.which("sinfo") is None:
        raise DiagnoseError(
            "--engine slurm: there is no Slurm on this machine (sbatch is not found); give the command on a login node "
            "of the cluster, or train here with --jobs"
        )
    try:
        told = call("sinfo", "--noheader", "--all", "--format=%P|%L|%l")
    except SlurmError as error:
        raise DiagnoseError(f"--engine slurm: Slurm does not answer ({error})") from None
    rows = [line.split("|") for line in dict.fromkeys(told.splitlines()) if line.count("|") == 2]
    return [Partition(name.rstrip("*"), name.endswith("*"), _span(usual), _span(most)) for name, usual, most in rows]


def _span(text: str) -> float | None:
    """Return a time as sinfo prints it, in seconds; None for "infinite" and "n/a"."""
    days, sign, clock = text.strip().rpartition("-")
    parts = clock.split(":")
    if not all(part.isdigit() for part in parts) or (sign and not days.isdigit()):
        return None
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + int(part)
    return (int(days) * 86400 if sign else 0) + float(seconds)


def time_limit(partition: str | None, asked: float | None) -> float:
    """Return the time limit of a job in seconds: what is asked for, else the partition's.

    Raises:
        DiagnoseError: no such partition, or it allows less.
    """
    known = {one.name: one for one in partitions()}
    names = partition.split(",") if partition else [one.name for one in known.values() if one.default]
    for name in names:
        if name not in known:
            raise DiagnoseError(f"--partition {visible(name)} is none of this cluster{nearest(name, known)}")
    most = max((known[name].most or LASTING for name in names), default=LASTING)
    if asked is None:
        return min((known[name].usual or most for name in names), default=most)
    if asked > most:
        raise DiagnoseError(
            f"--time: {' or '.join(names)} allows jobs of {duration(most)} at most, and {duration(asked)} are asked for"
        )
    return asked


def states(ids: Sequence[str]) -> dict[str, JobState]:
    """Return how jobs stand.

    Args:
        ids: as "17" or, of an array, "17_3".

    Raises:
        SlurmError: Slurm does not answer at present.
    """
    found = _queue(ids)
    gone = [one for one in ids if one not in found]
    found |= _accounts(gone) if gone else {}
    return {one: found.get(one, JobState(FORGOTTEN)) for one in ids}


def _bases(ids: Iterable[str]) -> str:
    return ",".join(dict.fromkeys(one.partition("_")[0] for one in ids))


def _queue(ids: Sequence[str]) -> dict[str, JobState]:
    try:
        told = call("squeue", *QUEUE, f"--jobs={_bases(ids)}")
    except SlurmError as error:
        if "Invalid job id" in str(error):  # all of them are forgotten
            return {}
        raise
    rows = [line.strip().split("|") for line in told.splitlines() if line.count("|") == 3]
    return {(f"{job}_{place}" if place.isdigit() else job): JobState(state, why) for job, place, state, why in rows}


def _accounts(ids: Sequence[str]) -> dict[str, JobState]:
    """Return how jobs ended, where the cluster keeps accounts."""
    shown = ("--noheader", "--parsable2", "--allocations", "--format=JobID,State")
    try:
        told = call("sacct", *shown, f"--jobs={_bases(ids)}")
    except SlurmError:
        return {}
    rows = [line.split("|") for line in told.splitlines() if line.count("|") == 1]
    return {job: JobState(state.split()[0]) for job, state in rows if state.split()}


def cancel_waiting(ids: Iterable[str]) -> None:
    """End jobs that have not begun."""
    ids = list(ids)
    try:
        call("scancel", "--state=PENDING", *ids) if ids else None
    except SlurmError:  # they have ended meanwhile
        return


def most_of_an_array() -> int:
    """Return how many jobs an array may have on this cluster."""
    try:
        rows = [line.partition("=") for line in call("scontrol", "show", "config").splitlines()]
    except SlurmError:
        return 1000
    sizes = [int(size) for key, _, size in rows if key.strip() == "MaxArraySize" and size.strip().isdigit()]
    return max([1, *sizes])


@contextmanager
def out_of_a_job() -> Iterator[None]:
    """Hide what a job that this process runs in has in its environment: sbatch would take it for what is asked for.

    What a site or a user sets for all jobs (SLURM_CONF, SBATCH_ACCOUNT) stays.
    """
    names = [name for name in os.environ if name.startswith(OF_A_JOB) and name not in OF_A_SITE]
    names += [name for name in OF_A_RANK if name in os.environ and "SLURM_JOB_ID" in os.environ]
    hidden = {name: os.environ.pop(name) for name in names}
    try:
        yield
    finally:
        os.environ.update(hidden)
