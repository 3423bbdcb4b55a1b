"""A Slurm cluster, as a place to train."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.engines import slurm_cluster
from diagnose.engines.selection import EngineKind, Place
from diagnose.engines.work import never

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from diagnose.engines.work import Engine, Work


class _Slurm(EngineKind):
    options = frozenset({
        "--partition", "--time", "--requeues", "--sbatch", "--gpus-per-task", "--cpus-per-task", "--mem",
    })  # fmt: skip
    whole_gpus = "Slurm"

    def check(self, place: Place) -> None:
        """See that submitit is installed and that Slurm takes such jobs."""
        slurm_cluster.check(place.takes)

    def planned(self, place: Place, jobs: Sequence[Work]) -> dict[str, object]:
        """Say what sbatch would be asked for.

        Raises:
            DiagnoseError: a run needs more than is asked for.
        """
        return {"sbatch": slurm_cluster.SbatchPlan.of(place.takes, jobs, place.jobs).record()}

    def at_once(self, place: Place, count: int) -> int:
        """Plan as if all had room."""
        return place.jobs or max(1, count)

    def threads(self, place: Place) -> int:
        """Take one, as sbatch does."""
        del place
        return 1

    def open_for_commands(self, place: Place, hopeless: Callable[[], bool] = never) -> Engine:
        """Submit jobs as they come."""
        return slurm_cluster.Slurm(place.takes, place.jobs, hopeless)


KIND = _Slurm()
