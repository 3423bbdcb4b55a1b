"""A display of what is being trained, on standard error; a line now and then where that is no terminal."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.runs.watched import Progress as State
    from diagnose.runs.watched import Watch

QUIET_SECONDS = 20.0  # between lines where standard error is no terminal


@contextmanager
def watching(axis: str | None = None, *, quiet: bool = False) -> Iterator[Watch]:
    """Yield a watcher that shows arm, seed, step, loss, tokens a second and time left, or nothing."""
    console = Console(stderr=True)
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        yield from _bars(console, axis)
    else:
        yield _lines()


def _bars(console: Console, axis: str | None) -> Iterator[Watch]:
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=18), TextColumn("{task.fields[state]}"))
    with Progress(*columns, console=console, transient=True) as display:
        tasks: dict[str, TaskID] = {}
        last_shown = [0.0]

        def watch(state: State) -> None:
            if state.run not in tasks:
                tasks[state.run] = display.add_task(_name(state, axis), total=state.steps, state="")
            elif time.monotonic() - last_shown[0] < 0.1 and state.step != state.steps and state.doing == "training":
                return
            last_shown[0] = time.monotonic()
            display.update(tasks[state.run], completed=state.step, state=in_words(state))

        yield watch


def _lines() -> Watch:
    last_shown = [-QUIET_SECONDS]

    def watch(state: State) -> None:
        if time.monotonic() - last_shown[0] >= QUIET_SECONDS or (
            state.step == state.steps and state.doing == "training"
        ):
            last_shown[0] = time.monotonic()
            print(f"{_name(state, None)}  {in_words(state)}", file=sys.stderr, flush=True)

    return watch


def _name(state: State, axis: str | None) -> str:
    return f"{axis + ' ' if axis else ''}{state.label} seed {state.seed}"


def in_words(state: State) -> str:
    """Say how far a run is."""
    steps = f"{state.step:,}/{state.steps:,}" if state.steps else f"{state.step:,}"
    left = "" if state.seconds_left is None else f"  {span(max(0.0, state.seconds_left))} left"
    doing = left if state.doing == "training" else f"  {state.doing}"
    return f"step {steps}  loss {state.loss:.3f}  {state.tokens_per_second:,.0f} tokens/s{doing}"


def span(seconds: float) -> str:
    """Return a time as a reader says it."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
