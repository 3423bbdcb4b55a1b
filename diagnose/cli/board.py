"""The table of an ablation's runs while they are trained: a row an arm, a column a seed, on standard error.

Where that is no terminal a line is written when a run starts, ends or is tried again, and one now and then of how far
the runs in progress are.
"""

from __future__ import annotations

import math
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from diagnose.cli.progress import QUIET_SECONDS, in_words, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.runs.watched import Progress, Watch

DONE = ("finished", "reused", "diverged", "failed", "stopped")
SILENT = ("waiting", "training", "running", "ended")  # no news where they go on
SHOWN_SECONDS = 0.25  # between two pictures of the table
MOST_ROWS = 24  # arms shown at once; of more, those with a run in progress
Key = tuple[str, int]


class Board:
    """What is known of each run, by arm and seed."""

    def __init__(self, axis: str) -> None:
        self.axis = axis
        self.runs: dict[Key, Progress] = {}
        self.apart: Progress | None = None  # what is trained beside the runs: a learning rate that is tried
        self.begun = time.monotonic()
        self.tried: dict[Key, int] = {}
        self.took: list[int] = []  # seconds that each command took

    def note(self, state: Progress) -> bool:
        """Take in a state and say whether it is news: a run that starts, ends, waits or is tried again."""
        if state.doing == "tuning":
            self.apart = state
            return state.step == state.steps
        self.apart = None
        key = (state.label, state.seed)
        before = self.runs.get(key)
        self.runs[key] = state
        if state.doing == "tried again":
            self.tried[key] = self.tried.get(key, 0) + 1
        if before is None or before.doing == state.doing:
            return state.doing not in SILENT and (before is None or not state.doing.startswith("waiting"))
        if before.doing == "running" and state.doing != "tried again":
            self.took.append(before.step)
        began = before.doing == "tried again" or before.doing.startswith("waiting")
        news = state.doing in (*DONE, "tried again") or state.doing.startswith("waiting for") or began
        return news and state.doing != "ended"

    def counts(self) -> tuple[int, int]:
        """Return how many runs have ended, and of how many."""
        return sum(state.doing in DONE for state in self.runs.values()), len(self.runs)

    def seconds_left(self) -> float | None:
        """Estimate from the runs in progress, of a command from those that have ended; None before there is one."""
        running = [state.step for state in self.runs.values() if state.doing == "running"]
        if running:
            return self._command_seconds_left(running)
        active = [s for s in self.runs.values() if s.steps and s.step and s.seconds_left is not None]
        if not active:
            return None
        ended, count = self.counts()
        whole = [(s.seconds_left or 0.0) * (s.steps or 1) / max(1, (s.steps or 1) - s.step) for s in active]
        waiting = count - ended - len(active)
        left = sum(s.seconds_left or 0.0 for s in active) + waiting * sum(whole) / len(whole)
        return left / len(active)

    def _command_seconds_left(self, running: list[int]) -> float | None:
        if not self.took:
            return None
        each = sum(self.took) / len(self.took)
        ended, count = self.counts()
        left = sum(max(0.0, each - seconds) for seconds in running) + (count - ended - len(running)) * each
        return left / len(running)

    def table(self) -> Group:
        """Return the table."""
        arms = list(dict.fromkeys(label for label, _ in self.runs))
        busy = {label for (label, _), s in self.runs.items() if s.doing not in (*DONE, "waiting")}
        listed_arms = arms if len(arms) <= MOST_ROWS else [arm for arm in arms if arm in busy][:MOST_ROWS]
        seeds = sorted({seed for _, seed in self.runs})
        table = Table(escape(self.axis), *(f"seed {seed}" for seed in seeds), box=None, pad_edge=False)
        for arm in listed_arms:
            keys = [(arm, seed) for seed in seeds]
            table.add_row(Text(arm), *(self._cell(key) if key in self.runs else "" for key in keys))
        return Group(table, Text(self._foot(), style="dim"))

    def _cell(self, key: Key) -> Text:
        state = self.runs[key]
        again = f" (try {self.tried[key] + 1})" if key in self.tried else ""
        if state.doing == "training" and state.steps:
            share = f"{state.step / state.steps:4.0%}"
            return Text(share + ("" if math.isnan(state.loss) else f" {state.loss:.3f}") + again)
        if state.doing == "running":
            return Text(f"running {span(state.step)}{again}")
        styles = {"finished": "green", "reused": "green", "failed": "red", "diverged": "red", "waiting": "dim"}
        return Text(state.doing + again, style=styles.get(state.doing, ""))

    def _foot(self) -> str:
        if self.apart is not None:
            return f"trying learning rates: {self.apart.label}  {in_words(self.apart)}"
        ended, count = self.counts()
        speed = sum(s.tokens_per_second for s in self.runs.values() if s.doing == "training")
        left = self.seconds_left()
        about = "" if left is None else f", about {span(left)} left"
        rate = f", {speed:,.0f} tokens/s" if speed or not any(s.steps == 0 for s in self.runs.values()) else ""
        return f"{ended} of {count} runs{rate}{about}"


@contextmanager
def watching(axis: str, *, quiet: bool = False) -> Iterator[Watch]:
    """Yield a watcher of an ablation's runs; with `quiet`, one that shows nothing."""
    if quiet:
        yield lambda _: None
        return
    console = Console(stderr=True)
    board = Board(axis)
    if not console.is_terminal:
        yield _lines(board)
        return
    with Live(console=console, transient=True, auto_refresh=False) as live:
        last_shown = [0.0]

        def watch(state: Progress) -> None:
            if board.note(state) or time.monotonic() - last_shown[0] > SHOWN_SECONDS:
                last_shown[0] = time.monotonic()
                live.update(board.table(), refresh=True)

        yield watch


def _lines(board: Board) -> Watch:
    last_shown: dict[Key, float] = {}

    def watch(state: Progress) -> None:
        news, key, now = board.note(state), (state.label, state.seed), time.monotonic()
        goes_on = state.doing in ("training", "running")
        quiet = goes_on and now - last_shown.get(key, now if key not in last_shown else 0) < QUIET_SECONDS
        last_shown.setdefault(key, now)
        if state.doing == "waiting" or (quiet and not news):
            return
        if news or goes_on:
            last_shown[key] = now
            print(_line(board, state), file=sys.stderr, flush=True)

    return watch


def _line(board: Board, state: Progress) -> str:
    ended, count = board.counts()
    name = state.label if state.doing == "tuning" else f"{state.label} seed {state.seed}"
    if state.doing in DONE:
        return f"{name}  {state.doing} ({ended} of {count})"
    if state.doing == "running" and state.step:
        return f"{name}  running {span(state.step)}"
    if state.steps is not None and state.step == 0 and state.doing != "training":
        return f"{name}  {state.doing}"
    return f"{name}  {in_words(state)}"
