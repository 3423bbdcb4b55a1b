"""A process that carries jobs out: it reads them as lines of JSON on standard input and answers in lines of JSON.

    python -m diagnose.engines.worker

It is started in a session of its own, so that Ctrl-C in a terminal reaches the parent alone, which then asks each
worker to stop after its step. Where the parent is gone, a worker stops after its step too.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, TextIO

from diagnose.engines import dispatch, own_process

if TYPE_CHECKING:
    from diagnose.runs.watched import Progress

TOLD_SECONDS = 0.2  # between lines about a run's progress


class Voice:
    """Answers the parent; whatever else writes to standard output goes to standard error."""

    def __init__(self) -> None:
        self.out: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self.told = ("", 0.0)

    def say(self, kind: str, what: Any) -> None:
        """Write a line; where the parent is gone nobody minds, and `_listen` stops this process."""
        with suppress(OSError):
            self.out.write(json.dumps([kind, what]) + "\n")
            self.out.flush()

    def close(self) -> None:
        """Close the line to the parent, which may be gone."""
        with suppress(OSError):
            self.out.close()

    def watch(self, state: Progress) -> None:
        """Tell a run's progress now and then, and whatever it has read at once."""
        now = time.monotonic()
        recent = state.doing == self.told[0] and now - self.told[1] < TOLD_SECONDS
        if recent and state.step != state.steps and not state.readings:
            return
        self.told = (state.doing, now)
        self.say("progress", state.message())


def main() -> None:
    """Train what comes, until told that there is no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    voice, orders = Voice(), queue.Queue[dict[str, Any] | None]()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    try:
        hello = orders.get()
        if hello is not None:
            sys.path[:] = hello["path"]
        while (order := orders.get()) is not None:
            if "imports" in order:
                import_module(order["imports"])
            else:
                _train(order, voice)
    except KeyboardInterrupt:
        return
    finally:
        voice.close()


def _listen(orders: queue.Queue[dict[str, Any] | None]) -> None:
    """Pass orders on; an end of input that was not announced means that the parent is gone."""
    for line in sys.stdin:
        order = json.loads(line)
        orders.put(order)
        if order is None:
            return
    orders.put(None)
    os.kill(os.getpid(), signal.SIGTERM)


def _train(order: dict[str, Any], voice: Voice) -> None:
    """Train a job and say how it ended; an error that is nobody's mistake goes to the parent whole."""
    try:
        work = dispatch.work_of(order.pop("kind"), order)
        ended = dispatch.carry_out(work, voice.watch, lambda started: voice.say("command", started))
    except KeyboardInterrupt:
        voice.say("stopped", "")
        raise
    except Exception:  # noqa: BLE001 - raised again by the parent
        voice.say("broke", traceback.format_exc())
    else:
        voice.say("ended", ended.record())


if __name__ == "__main__":
    own_process.begin()
    main()
    own_process.end(0)
