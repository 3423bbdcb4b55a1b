"""Several processes on this machine, each training one run at a time.

A process that dies, as one does that the system kills for its memory, is replaced, and its run goes on from the last
checkpoint.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from diagnose.engines.leftovers import end_all
from diagnose.engines.work import ATTEMPTS, STOPPED, Ended, Work, died_often, ended_in_words, never, told
from diagnose.errors import INTERRUPTED, DiagnoseError
from diagnose.runs.watched import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from diagnose.runs.watched import Watch

STOP_SECONDS = 60.0  # that a worker may take to finish its step and write its checkpoint
Inbox = queue.Queue["tuple[Worker, str, Any]"]


@dataclass(eq=False)
class Worker:
    """A process and what it is doing; `command`: the group and folder of the command that it carries out."""

    process: subprocess.Popen[str]
    inbox: Inbox
    job: Work | None = None
    command: tuple[int, str] | None = None
    reader: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.order({"path": sys.path})

    def _read(self) -> None:
        """Pass on what the process says, and at last that it is gone."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with suppress(ValueError):  # half a line of a process that was killed
                kind, what = json.loads(line)
                self.inbox.put((self, kind, what))
        self.inbox.put((self, "gone", self.process.wait()))

    def order(self, what: Any) -> None:
        """Send a line; a process that is gone says so itself."""
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.write(json.dumps(what) + "\n")
            self.process.stdin.flush()

    def kill(self) -> None:
        """End the process and what it started, at once."""
        self.process.kill()
        if self.command is not None:
            end_all(*self.command)

    def close(self) -> None:
        """Wait for a process that is ending and let go of its pipes."""
        self.process.wait()
        self.reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                pipe.close() if pipe else None

    def begin(self, job: Work) -> None:
        """Have it carry a job out."""
        self.job = job
        self.order({"kind": job.KIND, **job.record()})


class Pool:
    """The engine of several processes; see `Engine`.

    Attributes:
        size: how many runs are trained at once.
        gpus: names of the GPUs of this machine, of which each process sees one.
        hopeless: whether no further job is to be begun; those that are carried out are waited for.
        crew: its processes, where they were started before.
    """

    def __init__(
        self, size: int, gpus: Sequence[str] = (), hopeless: Callable[[], bool] = never, crew: Crew | None = None
    ) -> None:  # fmt: skip
        self.size, self.hopeless, self.crew = size, hopeless, crew or Crew(gpus)

    def carry_out(self, jobs: Sequence[Work], watch: Watch) -> Generator[Ended]:
        """Train them, each on whichever process is free."""
        for job in jobs:
            watch(job.progress("waiting"))
        crew = self.crew
        try:
            yield from _carried_out(crew, deque(jobs), min(self.size, len(jobs)), watch, self.hopeless)
            crew.dismiss()
        except KeyboardInterrupt:
            raise DiagnoseError(STOPPED, exit_code=INTERRUPTED) from None
        finally:
            crew.stop()


class Crew:
    """The processes of a pool."""

    def __init__(self, gpus: Sequence[str]) -> None:
        self.gpus, self.inbox = gpus, Inbox()
        self.members: dict[int, Worker] = {}

    def at(self, place: int) -> Worker:
        """Return the worker of a place; a new one where there is none."""
        if place not in self.members:
            self.members[place] = Worker(_process(self.gpus, place), self.inbox)
        return self.members[place]

    def hire(self, size: int) -> None:
        """Start so many workers before there is anything to do, and have them import what training takes."""
        for place in range(size):
            self.at(place).order({"imports": "diagnose.engines.job"})

    def lose(self, worker: Worker) -> None:
        """Forget a worker that is gone; what it started goes with it."""
        worker.kill()
        worker.close()
        self.members = {place: one for place, one in self.members.items() if one is not worker}

    def free(self, size: int) -> list[int]:
        """Return the places that have nothing to do."""
        return [k for k in range(size) if k not in self.members or self.members[k].job is None]

    def dismiss(self) -> None:
        """Let workers that have nothing to do end."""
        for worker in self.members.values():
            worker.order(None)
        for worker in self.members.values():
            worker.close()
        self.members = {}

    def stop(self) -> None:
        """Have every worker finish its step and write its checkpoint; a second Ctrl-C stops them at once."""
        for worker in self.members.values():
            with suppress(OSError):
                worker.process.send_signal(signal.SIGKILL if worker.job is None else signal.SIGTERM)
        try:
            for worker in self.members.values():
                worker.order(None)
                worker.process.wait(STOP_SECONDS)
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            for worker in self.members.values():
                worker.kill()
        for worker in self.members.values():
            worker.close()
        self.members = {}


def _process(gpus: Sequence[str], place: int) -> subprocess.Popen[str]:
    """Start a worker; where there are GPUs it sees the one of its place, which is the first to it."""
    seen = {"CUDA_VISIBLE_DEVICES": gpus[place % len(gpus)]} if gpus else {}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "diagnose.engines.worker"],  # -P: the current folder is nowhere to import from
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env={**os.environ, **seen},
        start_new_session=True,
    )  # fmt: skip


def _dropped(waiting: deque[Work], hopeless: Callable[[], bool]) -> int:
    """Drop jobs that are not to be begun, and return how many."""
    if not (waiting and hopeless()):
        return 0
    count = len(waiting)
    waiting.clear()
    return count


def _carried_out(
    crew: Crew, waiting: deque[Work], size: int, watch: Watch, hopeless: Callable[[], bool]
) -> Generator[Ended]:
    attempts: Counter[str] = Counter()
    left = len(waiting)
    while left := left - _dropped(waiting, hopeless):
        for place in crew.free(size)[: len(waiting)]:
            crew.at(place).begin(waiting.popleft())
        worker, kind, what = crew.inbox.get()
        job = worker.job
        if kind == "progress":
            watch(Progress(**what))
        elif kind == "command":
            worker.command = what and (int(what[0]), str(what[1]))
        elif kind == "broke":
            raise RuntimeError(f"a worker failed:\n{what}")
        elif kind == "ended" and job is not None:
            worker.job, left = None, left - 1
            yield told(Ended(job, **what), watch)
        elif kind == "gone":
            crew.lose(worker)
            if job is None:
                continue
            attempts[job.digest] += 1
            if attempts[job.digest] < ATTEMPTS:
                watch(job.progress("tried again"))
                waiting.appendleft(job.again())
            else:
                left -= 1
                yield told(job.given_up(died_often(ended_in_words(what))), watch)
