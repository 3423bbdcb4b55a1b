"""An existing Ray cluster, as a place to train."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.engines import ray_cluster
from diagnose.engines.selection import EngineKind, Place
from diagnose.engines.work import never
from diagnose.training.device import THREADS

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.engines.work import Engine


class _Ray(EngineKind):
    options = frozenset({"--address", "--gpus-per-task", "--cpus-per-task", "--mem"})

    def check(self, place: Place) -> None:
        """See that Ray is installed and answers."""
        ray_cluster.check(place.address)

    def threads(self, place: Place) -> int:
        """Take what fits on every node."""
        return min(THREADS, ray_cluster.smallest(place.address))

    def open_for_commands(self, place: Place, hopeless: Callable[[], bool] = never) -> Engine:
        """Join the cluster."""
        return ray_cluster.Cluster(place.address, place.jobs, place.takes, hopeless)


KIND = _Ray()
