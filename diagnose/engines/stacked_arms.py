"""The engine that trains the seeds of each arm as one stacked network, in threads of this process, arm after arm."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose.engines import job as single
from diagnose.engines import memory
from diagnose.engines.work import STOPPED, told
from diagnose.errors import INTERRUPTED, DiagnoseError
from diagnose.runs import runner, store
from diagnose.training import device, stack, switches

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from diagnose.engines.job import Job
    from diagnose.engines.work import Ended
    from diagnose.runs.watched import Watch
    from diagnose.training.preparation import Setup
    from diagnose.training.stack import Member

    Together = tuple[tuple[int, ...], list[Job]]  # seeds of a stack, and the jobs of some of its places


class StackedArms:
    """The engine of stacks; see `Engine`. What cannot be stacked is trained one by one."""

    def __init__(self, setups: Mapping[str, Setup], tell: Callable[[str], None]) -> None:
        """Take what is set up, by digest, and what is given a line for each arm that cannot be stacked."""
        self.setups, self.tell = setups, tell

    def carry_out(self, jobs: Sequence[Job], watch: Watch) -> Generator[Ended]:
        """Train them arm by arm.

        Raises:
            DiagnoseError: nothing of them can be stacked.
        """
        for job in jobs:
            watch(job.progress("waiting"))
        for seeds, some in self._divided(jobs):
            if len(seeds) > 1:
                yield from self._train_together(seeds, some, watch)
            else:
                yield from single.Here(self.setups).carry_out(some, watch)

    def _divided(self, jobs: Sequence[Job]) -> list[Together]:
        """Return what is trained together, in the order of the arms: as it was begun, or all seeds that are new."""
        whole, reasons = [], []
        for label in dict.fromkeys(job.label for job in jobs):
            parts = _as_begun([job for job in jobs if job.label == label])
            why = next(filter(None, (self._why_not(some) for seeds, some in parts if len(seeds) > 1)), "")
            if why:
                reasons.append(f"{label}: {why}")
                parts = [((), [job]) for _, some in parts for job in some]
            whole += parts
        if reasons and not any(len(seeds) > 1 for seeds, _ in whole):
            raise DiagnoseError(
                f"--stack: nothing can be stacked; {reasons[0]}. Without --stack seeds are trained one by one"
            )
        for reason in reasons:
            self.tell(f"seeds trained one by one, not stacked, of {reason}")
        return whole

    def _why_not(self, jobs: Sequence[Job]) -> str:
        setups = [self.setups[job.digest] for job in jobs]
        with switches.restored():
            return memory.too_large(setups[0], len(setups)) or stack.why_not(setups)

    def _train_together(self, seeds: tuple[int, ...], jobs: Sequence[Job], watch: Watch) -> Generator[Ended]:
        """Train jobs in their places of a stack and yield how each ended, once all have."""
        ended: dict[str, Ended] = {}

        def work(job: Job, member: Member) -> None:
            ended[job.digest] = single.carry_out(job, watch, self.setups[job.digest], member)

        where = device.find(self.setups[jobs[0].digest].recipe.run.device)
        with runner.after_the_step() as stops, switches.restored(), device.random_kept(where):
            stack.SeedStack(seeds, stops).carry_out({seeds.index(job.seed): partial(work, job) for job in jobs})
            stopped = stops()
        yield from (told(ended[job.digest], watch) for job in jobs)
        if stopped:  # while they read for the last time
            raise DiagnoseError(STOPPED, exit_code=INTERRUPTED)


def _as_begun(jobs: Sequence[Job]) -> list[Together]:
    """Divide an arm's jobs into stacks: those that go on as they were begun, and one of all others."""
    stacks: dict[tuple[int, ...] | None, list[Job]] = {}
    for job in jobs:
        path = runner.newest_unfinished(Path(job.runs), job.digest) if job.resume else None
        stacks.setdefault(None if path is None else store.environment(path).stack, []).append(job)
    new = tuple(job.seed for job in stacks.get(None, []))
    return [(new if seeds is None else seeds, some) for seeds, some in stacks.items()]
