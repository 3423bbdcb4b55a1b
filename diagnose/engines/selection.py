"""Which engine carries an ablation out, from what was asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.engines.resources import ANYTHING, Resources
from diagnose.engines.work import never
from diagnose.errors import DiagnoseError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from diagnose.engines.work import Engine, Work
    from diagnose.training.preparation import Setup

ASKED_SECONDS = 20.0
ENGINES = ("local", "ray", "slurm")


@dataclass(frozen=True)
class Place:
    """Where runs are to be trained.

    Attributes:
        engine: "local", "ray" or "slurm".
        jobs: how many at once; None for one on this machine, and for as many as fit on a cluster.
        address: of the Ray cluster.
        takes: what each run takes on a cluster.
    """

    engine: str = "local"
    jobs: int | None = None
    address: str | None = None
    takes: Resources = ANYTHING

    def check(self) -> None:
        """Refuse what makes no sense, before anything is set up.

        Raises:
            DiagnoseError: an unknown engine, no jobs, options of another engine, or a cluster that is not there.
        """
        if self.engine not in ENGINES:
            raise DiagnoseError(f"--engine {self.engine} is not known{nearest(self.engine, ENGINES)}")
        if self.jobs is not None and self.jobs < 1:
            raise DiagnoseError(f"--jobs {self.jobs}: give at least one")
        if self.address is not None and self.engine != "ray":
            raise DiagnoseError("--address is that of a Ray cluster: give --engine ray with it")
        self.takes.check(self.engine)
        if self.engine == "ray":
            from diagnose.engines import ray_cluster

            ray_cluster.check(self.address)
        if self.engine == "slurm":
            from diagnose.engines import slurm_cluster

            slurm_cluster.check(self.takes)

    def shown(self, jobs: Sequence[Work]) -> dict[str, object]:
        """Return what a plan says of this place: of Slurm, what sbatch would be asked for.

        Raises:
            DiagnoseError: a run needs more than is asked for.
        """
        if self.engine != "slurm":
            return {}
        from diagnose.engines.slurm_cluster import SbatchPlan

        return {"sbatch": SbatchPlan.of(self.takes, jobs, self.jobs).record()}

    def at_once(self, count: int) -> int:
        """Return how many of so many runs are carried out at once; on Slurm as if all had room."""
        return self.jobs or (max(1, count) if self.engine == "slurm" else 1)

    @property
    def threads(self) -> int | None:
        """Threads of a run that does not say: this machine's, shared out; None leaves them to the run."""
        from diagnose.training.device import THREADS

        if self.takes.cpus is not None:
            return self.takes.cpus
        if self.engine == "slurm":
            return 1  # as sbatch has it
        if self.engine == "ray":
            from diagnose.engines import ray_cluster

            return min(THREADS, ray_cluster.smallest(self.address))
        return None if self.jobs in (None, 1) else max(1, THREADS // (self.jobs or 1))

    def devices(self) -> AbstractContextManager[None]:
        """Return the context to set runs up in: those of a cluster are for its GPUs, where this machine has none.

        `run.device=auto` then means a GPU if GPUs are asked for.
        """
        import torch

        from diagnose.training import device

        if self.engine == "local" or torch.cuda.is_available():
            return nullcontext()
        return device.of_other_machines("cuda" if self.takes.gpus else "cpu")

    def open(self, setups: dict[str, Setup], arms: Iterable[Setup]) -> Engine:
        """Return the engine.

        Args:
            setups: every run's, by digest.
            arms: one set-up of each arm.

        Raises:
            DiagnoseError: more jobs than memory holds, or a cluster that is not there.
        """
        from diagnose.engines.job import Here

        if self.engine != "local":
            return self._cluster()
        if self.jobs in (None, 1):
            return Here(setups)
        from diagnose.engines import memory
        from diagnose.engines.local_pool import Pool

        assert self.jobs is not None
        gpus = cards(next(iter(setups.values())).recipe.run.device)
        memory.refuse_too_many(min(self.jobs, len(setups)), arms, gpus)
        return Pool(self.jobs, gpus)

    def open_for_commands(self, hopeless: Callable[[], bool]) -> Engine:
        """Return the engine for commands.

        Args:
            hopeless: says whether no further one is to be begun.

        Raises:
            DiagnoseError: a cluster that is not there.
        """
        if self.engine != "local":
            return self._cluster(hopeless)
        from diagnose.engines.local_pool import Pool

        jobs = self.jobs or 1
        return Pool(jobs, gpus_of_machine() if jobs > 1 else (), hopeless)

    def _cluster(self, hopeless: Callable[[], bool] = never) -> Engine:
        if self.engine == "slurm":
            from diagnose.engines.slurm_cluster import Slurm

            return Slurm(self.takes, self.jobs, hopeless)
        from diagnose.engines.ray_cluster import Cluster

        return Cluster(self.address, self.jobs, self.takes, hopeless)


ONE_BY_ONE = Place()


def cards(device: str) -> list[str]:
    """Return the names by which processes can be given one CUDA device each.

    Args:
        device: of the runs: "cuda" shares them out among all that this process sees, in the order of
            CUDA_VISIBLE_DEVICES; with a number, as "cuda:1", or on another kind of device nothing is shared out.
    """
    import torch

    if device != "cuda":
        return []
    listed, count = os.environ.get("CUDA_VISIBLE_DEVICES"), torch.cuda.device_count()
    names = [str(k) for k in range(count)] if listed is None else _listed(listed)
    return names if names and names[0].startswith("MIG-") else names[:count]  # a process sees one slice of several


def gpus_of_machine() -> list[str]:
    """Return the names by which commands can be given one GPU each, whatever they are written with."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is not None:
        return _listed(listed)
    asked = shutil.which("nvidia-smi")
    if asked is None:
        return []
    query = [asked, "--query-gpu=index", "--format=csv,noheader"]
    with suppress(OSError, subprocess.SubprocessError):
        told = subprocess.run(query, capture_output=True, text=True, timeout=ASKED_SECONDS, check=True).stdout  # noqa: S603
        return [line.strip() for line in told.splitlines() if line.strip().isdigit()]
    return []


def _listed(names: str) -> list[str]:
    """Read CUDA_VISIBLE_DEVICES as CUDA does: what follows a name of no device is not seen; "" and "-1" hide all."""
    found = []
    for name in (part.strip() for part in names.split(",")):
        if not (name.isdigit() or name.startswith(("GPU-", "MIG-"))):
            break
        found.append(name)
    return found
