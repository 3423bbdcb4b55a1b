"""What each run takes on a cluster, and how it is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.formatting import duration, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_SECONDS = 366 * 86400.0
UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
SIZES = {"": 1 << 20, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}  # a bare number is MiB, as Slurm has it
CLOCK = re.compile(r"(?:(?P<d>\d+)-)?(?P<h>\d+)(?::(?P<m>\d+))?(?::(?P<s>\d+))?")

SET = "diagnose sets this one itself"
OWN = {
    "array": SET, "output": SET, "error": SET, "open-mode": SET, "signal": SET, "wrap": SET, "nodes": SET,
    "ntasks": SET,
    "time": "give --time", "partition": "give --partition", "cpus-per-task": "give --cpus-per-task",
}  # fmt: skip


@dataclass(frozen=True)
class Resources:
    """What each run takes; None leaves it to the engine.

    Attributes:
        gpus, cpus: how many; on Ray a part of a GPU too, such as 0.5, where several runs share one.
        memory: as "16G".
        partition: of Slurm; of several, separated by commas, it takes any.
        time: limit of each job, as "2h" or "02:00:00".
        requeues: how often a run that reaches this limit goes on in a job of its own.
        sbatch: further options of sbatch, as "account=vision".
    """

    gpus: float | None = None
    cpus: int | None = None
    memory: str | None = None
    partition: str | None = None
    time: str | None = None
    requeues: int | None = None
    sbatch: tuple[str, ...] = ()

    @property
    def given(self) -> list[str]:
        """The options of the command line that were given."""
        values = {
            "--partition": self.partition, "--time": self.time, "--requeues": self.requeues,
            "--sbatch": self.sbatch or None, "--gpus-per-task": self.gpus, "--cpus-per-task": self.cpus,
            "--mem": self.memory,
        }  # fmt: skip
        return [name for name, value in values.items() if value is not None]

    def check(self, whole_gpus: str = "") -> None:
        """Refuse what makes no sense.

        Args:
            whole_gpus: the name of an engine that gives whole GPUs alone; "" for one that shares them.

        Raises:
            DiagnoseError: one line names the first option that does not fit.
        """
        for name, number, least in (
            ("--gpus-per-task", self.gpus, 0), ("--cpus-per-task", self.cpus, 1), ("--requeues", self.requeues, 0),
        ):  # fmt: skip
            if number is not None and not number >= least:  # NaN is none, too
                raise DiagnoseError(f"{name} {number}: give at least {least}")
        if self.gpus is not None and not float(self.gpus).is_integer() and (whole_gpus or self.gpus > 1):
            gives = f"{whole_gpus} gives whole GPUs" if whole_gpus else "a run gets a part of one GPU or whole ones"
            raise DiagnoseError(f"--gpus-per-task {self.gpus}: {gives}")
        _ = self.seconds, self.bytes, self.further

    @property
    def seconds(self) -> float | None:
        """The time limit in seconds.

        Raises:
            DiagnoseError: it is none.
        """
        return None if self.time is None else _limit(self.time)

    @property
    def bytes(self) -> int | None:
        """The memory in bytes.

        Raises:
            DiagnoseError: it is no amount.
        """
        if self.memory is None:
            return None
        found = re.fullmatch(r"(\d+)([KMGT]?)B?", self.memory.upper())
        if found is None or not int(found[1]):
            raise DiagnoseError(f"--mem {visible(self.memory)}: give an amount as 16G or 800M")
        return int(found[1]) * SIZES[found[2]]

    @property
    def further(self) -> dict[str, Any]:
        """The further options of sbatch, by name; True for one without a value.

        Raises:
            DiagnoseError: one is none.
        """
        return dict(map(_option, self.sbatch))


ANYTHING = Resources()


def _option(given: str) -> tuple[str, Any]:
    name, sign, value = given.removeprefix("--").partition("=")
    if not re.fullmatch(r"[a-z][a-z-]+", name) or (sign and not value) or not given.isprintable():
        raise DiagnoseError(f"--sbatch {visible(given)}: give an option of sbatch by its long name, as account=vision")
    if name in OWN:
        raise DiagnoseError(f"--sbatch {name}: {OWN[name]}")
    return name, value if sign else True


def seconds_of(given: str | None, option: str) -> float | None:
    """Return a time, "90", "90s", "30m", "2h" or "1d", in seconds.

    Args:
        given: what was typed.
        option: where.

    Raises:
        DiagnoseError: it is none.
    """
    if given is None:
        return None
    number = given.rstrip("smhdin ").strip()
    unit = given[len(number) :].strip() or "s"
    try:
        seconds = float(number) * UNITS[unit]
    except (ValueError, KeyError):
        raise DiagnoseError(f"{option} {visible(given)}: give seconds, or a time as 90s, 30m, 2h") from None
    if not 0 < seconds <= MOST_SECONDS:
        raise DiagnoseError(f"{option} {visible(given)}: more than 0 and at most {duration(MOST_SECONDS)}")
    return seconds


def _limit(given: str) -> float:
    """Return a job's time limit, "2h" or as Slurm writes it, "1-12:00:00"; a bare number might be of any unit."""
    if given.strip().isdigit():
        raise DiagnoseError(f"--time {given}: give its unit, as {given}m or {given}h")
    found = CLOCK.fullmatch(given.strip())
    if found is None:
        return seconds_of(given, "--time") or 0.0
    days, hours, minutes, seconds = (int(found[key] or 0) for key in "dhms")
    if found["d"] is None and found["s"] is None:  # 30:00 is half an hour
        hours, minutes, seconds = 0, hours, minutes
    return seconds_of(f"{days * 86400 + hours * 3600 + minutes * 60 + seconds}s", "--time") or 0.0


def submission_rows(plan: Mapping[str, Any]) -> list[str]:
    """Say what Slurm would be asked for, where it is to carry a plan's runs out."""
    if "sbatch" not in plan:
        return []
    options = " ".join(f"--{key}" if value is True else f"--{key}={value}" for key, value in plan["sbatch"].items())
    return [f"Each run is a job of an array, submitted with {visible(options)} (--time in minutes)."]
