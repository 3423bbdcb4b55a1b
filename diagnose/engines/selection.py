"""Where an ablation is carried out: which engines there are, and the place that was asked for.

An engine is one file of this package whose name ends in `_engine` and that holds a `KIND`; nothing else names it.
"""

from __future__ import annotations

import pkgutil
import warnings
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import diagnose.engines as package
from diagnose.engines.resources import ANYTHING, Resources
from diagnose.engines.work import never
from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from diagnose.engines.work import Engine, Work
    from diagnose.training.preparation import Setup

SUFFIX = "_engine"


class EngineKind:
    """One kind of engine; what is written here holds for one that says no other.

    Attributes:
        options: of the command line that this engine understands, beside --jobs.
        whole_gpus: the engine's name in words, where a run takes whole GPUs only.
    """

    options: frozenset[str] = frozenset()
    whole_gpus = ""

    def check(self, place: Place) -> None:
        """Refuse a place that is not there.

        Raises:
            DiagnoseError: in one line, with what to do.
        """

    def planned(self, place: Place, jobs: Sequence[Work]) -> dict[str, object]:
        """Return what a plan says of this engine."""
        del place, jobs
        return {}

    def at_once(self, place: Place, count: int) -> int:
        """Return how many of so many runs are carried out at once."""
        del count
        return place.jobs or 1

    def threads(self, place: Place) -> int | None:
        """Return the threads of a run that does not say; None leaves them to the run."""
        raise NotImplementedError

    def devices(self, place: Place) -> AbstractContextManager[None]:
        """Return the context to set runs up in; on a cluster they are for its GPUs, where this machine has none."""
        import torch

        from diagnose.training import device

        if torch.cuda.is_available():
            return nullcontext()
        return device.of_other_machines("cuda" if place.takes.gpus else "cpu")

    def begun(self, place: Place) -> AbstractContextManager[Place]:
        """Return the context in which what takes time to start is started; see `Place.begun`."""
        return nullcontext(place)

    def open(self, place: Place, setups: dict[str, Setup], arms: Iterable[Setup]) -> Engine:
        """Return the engine for runs of ours; see `Place.open`."""
        del setups, arms
        return self.open_for_commands(place)

    def open_for_commands(self, place: Place, hopeless: Callable[[], bool] = never) -> Engine:
        """Return the engine for commands; see `Place.open_for_commands`."""
        raise NotImplementedError


@cache
def engines() -> tuple[str, ...]:
    """Return the engines' names, this machine's first."""
    found = [module.name for module in pkgutil.iter_modules(package.__path__) if module.name.endswith(SUFFIX)]
    return tuple(sorted((name.removesuffix(SUFFIX) for name in found), key=lambda name: (name != "local", name)))


def kind_of(name: str) -> EngineKind:
    """Return the engine of a name.

    Raises:
        DiagnoseError: there is none.
    """
    if name not in engines():
        raise DiagnoseError(f"--engine {name} is not known{nearest(name, engines())}")
    kind: EngineKind = import_module(f"{package.__name__}.{name}{SUFFIX}").KIND
    return kind


def those_with(option: str) -> list[str]:
    """Return the names of the engines that understand an option."""
    return [name for name in engines() if option in kind_of(name).options]


@dataclass(frozen=True)
class Place:
    """Where runs are to be trained.

    Attributes:
        engine: its name, as "local".
        jobs: how many at once; None for one on this machine, and for as many as fit on a cluster.
        address: of the Ray cluster.
        takes: what each run takes on a cluster.
        crew: processes that were started before there is a plan.
        stack: whether the seeds of an arm are trained as one stacked network.
        tell: is given a line where an arm cannot be.
    """

    engine: str = "local"
    jobs: int | None = None
    address: str | None = None
    takes: Resources = ANYTHING
    crew: Any = None
    stack: bool = False
    tell: Callable[[str], None] = warnings.warn

    @property
    def kind(self) -> EngineKind:
        """The engine's kind.

        Raises:
            DiagnoseError: no engine has this name.
        """
        return kind_of(self.engine)

    def check(self, seeds: int | None = None) -> None:
        """Refuse what makes no sense, before anything is set up.

        Args:
            seeds: of each arm of ours.

        Raises:
            DiagnoseError: an unknown engine, no jobs, options of another engine, or a cluster that is not there; a
                stack of one seed, or with several processes.
        """
        kind = self.kind
        if self.stack and (self.engine != "local" or self.jobs not in (None, 1)):
            raise DiagnoseError("--stack trains in one process of this machine: leave --jobs and --engine out")
        if self.stack and seeds is not None and seeds < 2:
            raise DiagnoseError(f"--stack makes one network of an arm's seeds: --seeds {seeds} leaves nothing to stack")
        if self.jobs is not None and self.jobs < 1:
            raise DiagnoseError(f"--jobs {self.jobs}: give at least one")
        if self.address is not None and "--address" not in kind.options:
            raise DiagnoseError("--address is that of a Ray cluster: give --engine ray with it")
        other = next((name for name in self.takes.given if name not in kind.options), None)
        if other is not None:
            raise DiagnoseError(f"{other} is of a cluster: give --engine {listed(those_with(other), 'or')} with it")
        self.takes.check(kind.whole_gpus)
        kind.check(self)

    def begun(self) -> AbstractContextManager[Place]:
        """Return the context of the same place whose processes start while runs are planned, and end with it."""
        return self.kind.begun(self)

    def shown(self, jobs: Sequence[Work]) -> dict[str, object]:
        """Return what a plan says of this place: of Slurm, what sbatch would be asked for.

        Raises:
            DiagnoseError: a run needs more than is asked for.
        """
        return self.kind.planned(self, jobs)

    def at_once(self, count: int) -> int:
        """Return how many of so many runs are carried out at once; on Slurm as if all had room."""
        return self.kind.at_once(self, count)

    @property
    def threads(self) -> int | None:
        """Threads of a run that does not say: this machine's, shared out; None leaves them to the run."""
        return self.kind.threads(self) if self.takes.cpus is None else self.takes.cpus

    def devices(self) -> AbstractContextManager[None]:
        """Return the context to set runs up in: those of a cluster are for its GPUs, where this machine has none.

        `run.device=auto` then means a GPU if GPUs are asked for.
        """
        return self.kind.devices(self)

    def open(self, setups: dict[str, Setup], arms: Iterable[Setup]) -> Engine:
        """Return the engine.

        Args:
            setups: every run's, by digest.
            arms: one set-up of each arm.

        Raises:
            DiagnoseError: more jobs than memory holds, or a cluster that is not there.
        """
        return self.kind.open(self, setups, arms)

    def open_for_commands(self, hopeless: Callable[[], bool]) -> Engine:
        """Return the engine for commands.

        Args:
            hopeless: says whether no further one is to be begun.

        Raises:
            DiagnoseError: a cluster that is not there.
        """
        return self.kind.open_for_commands(self, hopeless)


ONE_BY_ONE = Place()
