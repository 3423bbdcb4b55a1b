"""An existing Ray cluster: each run is a task, which is tried again where its node dies.

The nodes must see the folder of the runs at the same path, for a run goes on from its checkpoint wherever it is tried
again; that is checked before the first run starts. How far a run is stands in a small file beside the runs.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import uuid
from collections import Counter, deque
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.engines import dispatch, progress_notes
from diagnose.engines.progress_notes import TOLD_SECONDS, ProgressNote
from diagnose.engines.resources import ANYTHING, Resources
from diagnose.engines.work import ATTEMPTS, STOPPED, Ended, died_often, never, told
from diagnose.errors import INTERRUPTED, DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from diagnose.engines.work import Work
    from diagnose.runs.watched import Watch

ANSWER_SECONDS = 5.0  # that a cluster's address may take to answer
LOOK_SECONDS = 60.0  # that a node may take to look for the folder of the runs
STOP_SECONDS = 60.0  # that tasks may take to finish their steps and write their checkpoints


def check(address: str | None) -> None:
    """See that Ray is installed and that somebody answers at the address.

    Raises:
        DiagnoseError: otherwise.
    """
    if find_spec("ray") is None:
        raise DiagnoseError("--engine ray needs Ray, which is not installed: pip install 'diagnose-training[ray]'")
    if address in (None, "auto"):
        return
    host, _, port = str(address).removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise DiagnoseError(f"--address {address}: give host:port, ray://host:port or auto")
    try:
        socket.create_connection((host, int(port)), ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise DiagnoseError(f"no Ray cluster answers at {address} ({why}): start one with `ray start --head`") from None


def _ray(address: str | None) -> Any:
    """Return the module, connected."""
    import ray

    if ray.is_initialized():
        return ray
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address or "auto", logging_level=logging.ERROR, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())[:120]
        raise DiagnoseError(
            f"no Ray cluster can be joined at {address or 'auto'} ({said}): start one with `ray start --head`"
        ) from None
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)  # which Ray makes exit at once
    return ray


def _nodes(ray: Any) -> list[dict[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]


def smallest(address: str | None) -> int:
    """Return the processors of the cluster's smallest node, which every run must fit on.

    Raises:
        DiagnoseError: no cluster, or none of its nodes has a processor to give.
    """
    nodes = _nodes(_ray(address))
    if not nodes:
        raise DiagnoseError("no node of the Ray cluster has a processor to give")
    return int(min(node["Resources"]["CPU"] for node in nodes))


class Cluster:
    """The engine of a Ray cluster; see `Engine`.

    Attributes:
        jobs: how many runs at once; None for as many as the cluster takes.
        takes: what each takes.
        hopeless: whether no further job is to be begun; see `local_pool.Pool`.
    """

    def __init__(
        self, address: str | None, jobs: int | None, takes: Resources = ANYTHING,
        hopeless: Callable[[], bool] = never,
    ) -> None:  # fmt: skip
        self.ray, self.jobs, self.takes, self.hopeless = _ray(address), jobs, takes, hopeless

    def carry_out(self, jobs: Sequence[Any], watch: Watch) -> Generator[Ended]:
        """Train them, each where the cluster finds room."""
        runs = Path(jobs[0].runs).absolute()
        jobs = [replace(job, runs=str(runs)) for job in jobs]
        self._refuse(jobs)
        for job in jobs:
            watch(job.progress("waiting"))
        with _visible(runs) as token:
            _look(self.ray, token)
            running: dict[Any, Work] = {}
            try:
                yield from self._carried_out(deque(jobs), running, watch)
            except KeyboardInterrupt:
                raise DiagnoseError(STOPPED, exit_code=INTERRUPTED) from None
            finally:
                self._stop(list(running))

    def _cpus(self, job: Work) -> int:
        return self.takes.cpus or job.threads

    def _gpus(self, job: Work) -> float:
        return int(job.on_gpu) if self.takes.gpus is None else self.takes.gpus

    def _refuse(self, jobs: Sequence[Work]) -> None:
        """Refuse jobs that no node could ever take."""
        nodes = [node["Resources"] for node in _nodes(self.ray)]
        most = max(node["CPU"] for node in nodes)
        wanted = max(map(self._cpus, jobs))
        if wanted > most:
            raise DiagnoseError(f"a run takes {wanted} threads and no node of the cluster has more than {most:.0f}")
        gpus = max(map(self._gpus, jobs))
        if gpus > max(node.get("GPU", 0) for node in nodes):
            raise DiagnoseError(
                f"the runs take {gpus:g} GPU{'s' * (gpus > 1)} each and no node of the cluster has that: give --set "
                "run.device=cpu or another --gpus-per-task"
            )

    def _carried_out(self, waiting: deque[Work], running: dict[Any, Work], watch: Watch) -> Generator[Ended]:
        attempts: Counter[str] = Counter()
        while waiting or running:
            if self.hopeless():
                waiting.clear()
                if not running:
                    return
            while waiting and len(running) < (self.jobs or len(waiting) + len(running)):
                job = waiting.popleft()
                running[self._submit(job)] = job
            ready, rest = self.ray.wait(list(running), num_returns=1, timeout=TOLD_SECONDS)
            for ref in rest:
                progress_notes.tell(running[ref], watch)
            for ref in ready:
                job = running.pop(ref)
                ended = self._result(ref, job)
                attempts[job.digest] += 1
                if isinstance(ended, Ended):
                    yield told(ended, watch)
                elif attempts[job.digest] < ATTEMPTS:
                    watch(job.progress("tried again"))
                    waiting.appendleft(job.again())
                else:
                    yield told(job.given_up(died_often(f"because {ended}")), watch)

    def _submit(self, job: Work) -> Any:
        progress_notes.clear(job)
        place = {"path": sys.path, "cwd": str(Path.cwd()), "cache": os.environ.get("DIAGNOSE_CACHE")}
        takes = {"num_cpus": self._cpus(job), "num_gpus": self._gpus(job), "memory": self.takes.bytes}
        remote = self.ray.remote(max_retries=0, **{key: value for key, value in takes.items() if value is not None})
        return remote(run).remote(job.KIND, job.record(), place)

    def _result(self, ref: Any, job: Work) -> Ended | str:
        """Return how a task ended, or how it died."""
        from ray.exceptions import RayError, RayTaskError, TaskCancelledError

        try:
            return Ended(job, **self.ray.get(ref))
        except TaskCancelledError:
            raise KeyboardInterrupt from None
        except RayTaskError as error:
            raise RuntimeError(f"a task of the cluster failed:\n{error}") from None
        except RayError as error:
            return f"{type(error).__name__}: {' '.join(str(error).split())[:80]}"

    def _stop(self, running: list[Any]) -> None:
        """Have tasks finish their steps and write their checkpoints."""
        for ref in running:
            with suppress(Exception):  # whatever Ray says of a task that is gone
                self.ray.cancel(ref, force=False)
        with suppress(KeyboardInterrupt):
            self.ray.wait(running, num_returns=len(running), timeout=STOP_SECONDS) if running else None


def run(kind: str, record: dict[str, Any], place: dict[str, Any]) -> dict[str, Any]:
    """Carry a job out in a process of the cluster; its progress stands in a file beside the runs."""
    sys.path.extend(folder for folder in place["path"] if folder not in sys.path)
    with suppress(OSError):
        os.chdir(place["cwd"])
    if place["cache"]:
        os.environ["DIAGNOSE_CACHE"] = place["cache"]
    job = dispatch.work_of(kind, record)
    return dispatch.carry_out(job, ProgressNote(job)).record()


@contextmanager
def _visible(runs: Path) -> Iterator[Path]:
    """Make a file for the nodes to look for."""
    token = runs / f".seen-{uuid.uuid4().hex}"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        token.touch()
    except OSError as error:
        raise DiagnoseError(f"{runs} cannot be written: {error.strerror}; choose another folder") from None
    try:
        yield token
    finally:
        token.unlink(missing_ok=True)


def _sees(token: str) -> bool:
    """Look for a file, where this package can be imported."""
    return Path(token).exists()


def _look(ray: Any, token: Path) -> None:
    """Refuse a cluster whose nodes do not see the runs' folder, or have no diagnose."""
    from ray.exceptions import GetTimeoutError, RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    asked = {
        node["NodeManagerHostname"]: ray.remote(num_cpus=0, max_retries=1)(_sees)
        .options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False))
        .remote(str(token))
        for node in _nodes(ray)
    }
    for host, ref in asked.items():
        try:
            seen = ray.get(ref, timeout=LOOK_SECONDS)
        except (RayError, GetTimeoutError, ImportError) as error:
            said = " ".join(str(error).split())[-120:]
            raise DiagnoseError(f"the node {host} cannot train: is this version of diagnose there? ({said})") from None
        if not seen:
            raise DiagnoseError(
                f"the node {host} does not see {token.parent}: runs belong on a file system that all nodes share"
            )
