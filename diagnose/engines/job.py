"""A job: one run of ours to be trained somewhere, as plain data that any process can take up."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from diagnose.config.recipe import Recipe
from diagnose.engines.work import Ended, told
from diagnose.errors import FINDING, DiagnoseError, in_words
from diagnose.runs import runner, store
from diagnose.runs.watched import Progress
from diagnose.training.preparation import Setup, set_up

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from diagnose.runs.watched import Watch
    from diagnose.training.stack import Member


@dataclass(frozen=True)
class Job:
    """One run of an ablation.

    Attributes:
        label: its arm.
        place: the number of its seed among the paired ones.
        recipe: resolved, as plain data.
        digest: of the run; a process that comes to another reads other text or has other code.
        steps: how many, None where only the clock knows.
        given, dropped: keys that were set, and those that the network does not take; for the run's record.
        runs: folder of the run's directory.
        resume: whether to go on with an unfinished run.
    """

    KIND: ClassVar[str] = "job"
    label: str
    place: int
    recipe: Mapping[str, Any]
    digest: str
    steps: int | None
    given: tuple[str, ...]
    dropped: tuple[str, ...]
    runs: str
    resume: bool

    @classmethod
    def of(cls, label: str, place: int, setup: Setup, given: Sequence[str], runs: Path, *, resume: bool) -> Job:
        """Return the job that trains what was set up."""
        recipe = setup.recipe.model_dump(mode="json", exclude_none=True)
        return cls(label, place, recipe, setup.digest, setup.course.steps, tuple(given), setup.dropped,
                   str(runs), resume)  # fmt: skip

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Job:
        """Return the job that `record` gave."""
        return cls(**{**record, "given": tuple(record["given"]), "dropped": tuple(record["dropped"])})

    def record(self) -> dict[str, Any]:
        """Return the job as JSON values."""
        return asdict(self)

    @property
    def seed(self) -> int:
        """The run's own seed."""
        return int(self.recipe["run"]["seed"])

    @property
    def threads(self) -> int:
        """Threads that the run takes."""
        return int(self.recipe["run"]["threads"])

    @property
    def on_gpu(self) -> bool:
        """Whether the run takes a GPU."""
        return str(self.recipe["run"]["device"]).startswith("cuda")

    def again(self) -> Job:
        """Return the job that goes on from this one's last checkpoint."""
        return replace(self, resume=True)

    def given_up(self, why: str) -> Ended:
        """Note that it ended without a word of its own, in the run's directory too; see `Work`."""
        path = runner.newest_unfinished(Path(self.runs), self.digest)
        why = f"{why}; --resume tries again from its checkpoint"
        if path is not None:
            store.write_status(path, "failed", why)
        return Ended(self, path.name if path else "", why=why, died=True, exit_code=FINDING)

    def progress(self, doing: str) -> Progress:
        """Return what a watcher is told of a run that is not being trained."""
        return Progress("", self.label, self.seed, 0, self.steps, float("nan"), 0.0, None, doing)


def carry_out(job: Job, watch: Watch, setup: Setup | None = None, member: Member | None = None) -> Ended:
    """Train a job in this process, or wait for whoever is training the same run and take theirs.

    Args:
        job: what to train.
        watch: called after each step.
        setup: what the job comes to, where that is known already.
        member: its place in a stack, where it is trained in one.
    """
    try:
        setup = setup or _set_up(job)
        with store.claimed(Path(job.runs), job.digest, lambda: watch(job.progress("waiting for another process"))):
            found = runner.newest_finished(Path(job.runs), job.digest)
            path = found or runner.carry_out(
                setup, job.given, runs=Path(job.runs), label=job.label, resume=job.resume, watch=watch, member=member
            )
    except DiagnoseError as error:
        return Ended(job, error.run or "", why=str(error), diverged=error.diverged, exit_code=error.exit_code)
    except OSError as error:
        return Ended(job, why=in_words(error), exit_code=FINDING)
    return Ended(job, path.name, finished=True, reused=found is not None)


def _set_up(job: Job) -> Setup:
    setup = replace(set_up(Recipe.model_validate(job.recipe)), dropped=job.dropped)
    if setup.digest != job.digest:
        raise DiagnoseError(
            f"{job.label} seed {job.seed} is another run where it should be trained: the text, the network's file or "
            "the version of diagnose there is not the same"
        )
    return setup


class Here:
    """The engine that trains one run after another in this process."""

    def __init__(self, setups: Mapping[str, Setup] | None = None) -> None:
        """Take what is set up already, by digest."""
        self.setups = setups or {}

    def carry_out(self, jobs: Sequence[Job], watch: Watch) -> Generator[Ended]:
        """Train them in order; see `Engine`."""
        for job in jobs:
            watch(job.progress("waiting"))
        for job in jobs:
            yield told(carry_out(job, watch, self.setups.get(job.digest)), watch)
