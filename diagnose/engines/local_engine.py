"""This machine: one run after the other in this process, or several processes at a time."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from diagnose.engines.selection import EngineKind, Place
from diagnose.engines.work import never

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from diagnose.engines.work import Engine, Work
    from diagnose.training.preparation import Setup


class _Local(EngineKind):
    def planned(self, place: Place, jobs: Sequence[Work]) -> dict[str, object]:
        """Say that an arm's seeds are stacked, where they are."""
        del jobs
        return {"stack": True} if place.stack else {}

    def threads(self, place: Place) -> int | None:
        """Share this machine's out."""
        from diagnose.training.device import THREADS

        return None if place.jobs in (None, 1) else max(1, THREADS // (place.jobs or 1))

    def devices(self, place: Place) -> AbstractContextManager[None]:
        """Leave them as they are."""
        del place
        return nullcontext()

    @contextmanager
    def begun(self, place: Place) -> Iterator[Place]:
        """Have workers import what training takes; where there are GPUs, which one each sees hangs on the runs."""
        from diagnose.engines.cards import gpus_of_machine
        from diagnose.engines.local_pool import Crew

        if place.jobs in (None, 1) or gpus_of_machine():
            yield place
            return
        crew = Crew(())
        try:
            crew.hire(min(place.jobs or 1, os.cpu_count() or 1))
            yield replace(place, crew=crew)
        finally:
            crew.stop()

    def open(self, place: Place, setups: dict[str, Setup], arms: Iterable[Setup]) -> Engine:
        """Refuse more runs at once than memory holds."""
        from diagnose.engines import memory
        from diagnose.engines.cards import cards
        from diagnose.engines.job import Here
        from diagnose.engines.local_pool import Pool
        from diagnose.engines.stacked_arms import StackedArms

        if place.stack:
            return StackedArms(setups, place.tell)
        if place.jobs in (None, 1):
            return Here(setups)
        assert place.jobs is not None
        gpus = cards(next(iter(setups.values())).recipe.run.device)
        memory.refuse_too_many(min(place.jobs, len(setups)), arms, gpus)
        return Pool(place.jobs, gpus, crew=place.crew)

    def open_for_commands(self, place: Place, hopeless: Callable[[], bool] = never) -> Engine:
        """Deal this machine's GPUs out where several run at once."""
        from diagnose.engines.cards import gpus_of_machine
        from diagnose.engines.local_pool import Pool

        jobs = place.jobs or 1
        return Pool(jobs, gpus_of_machine() if jobs > 1 else (), hopeless)


KIND = _Local()
