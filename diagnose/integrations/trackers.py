"""Runs in an experiment tracker: told of while they train, and what they came to.

A run that trains is told of as it goes, what has ended as a whole. An ablation becomes a run for each arm and seed,
grouped under one that carries the verdict, the effects and the page.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError, nearest
from diagnose.integrations.tracker_runs import TRACKERS, TrackedRun, plain
from diagnose.report import summary
from diagnose.runs import store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from diagnose.integrations.tracker_runs import TrackerRun
    from diagnose.report.summary import RunSummary
    from diagnose.runs.watched import Progress

CURVES = {"reported": "{}/loss_reported", "probe": "{}/loss"}  # names of what is read while a run trains, by kind
FAILED = ("failed", "diverged", "stopped")


def check(tracker: str) -> None:
    """Refuse a tracker that is not known or not installed, before anything is trained.

    Raises:
        DiagnoseError: it is not.
    """
    if tracker not in TRACKERS:
        raise DiagnoseError(f"--report-to {tracker} is no tracker that is known{nearest(tracker, TRACKERS)}")
    if find_spec(tracker) is None:  # each is called as its library
        raise DiagnoseError(f"--report-to {tracker} needs its library: pip install {tracker}")


@dataclass
class _Open:
    """A run that is open in a tracker, and which losses the tracker has."""

    run: TrackerRun
    logged: set[tuple[int, str]] = field(default_factory=set)

    def log(self, curve: Mapping[int, Mapping[str, float]]) -> None:
        """Log what the tracker does not have; a run that goes on after its process died reads some again."""
        for step, losses in curve.items():
            fresh = {name: loss for name, loss in losses.items() if (step, name) not in self.logged}
            if fresh:
                self.run.log(step, fresh)
                self.logged.update((step, name) for name in fresh)


class Tracking:
    """Tells a tracker of runs while they train; whatever the tracker raises ends nothing and is said once.

    Args:
        tracker: "wandb", "tensorboard" or "mlflow", which `check` has let pass; of None nothing is sent anywhere.
        runs: the folder that the runs are in.
        warn: says a line.
        ablation: the axes, where the runs are arms of one.
    """

    def __init__(self, tracker: str | None, runs: Path, warn: Callable[[str], None], ablation: str = "") -> None:
        self.tracker, self.runs, self.warn = tracker, runs, warn
        self.title = f"ablate-{plain(ablation)}-{datetime.now().astimezone():%Y%m%d-%H%M%S}" if ablation else ""
        self.whole: TrackerRun | None = None
        self.open: dict[str, _Open] = {}
        self.ended: set[str] = set()

    def watch(self, state: Progress) -> None:
        """Log what a run has just read, what it had read before it was stopped, and that it ended."""
        if self.tracker is None:
            return
        level = state.label if self.title else ""  # a run of its own has a label too, of its tokenizer
        name, curve = _name(level, state.seed) or state.run, _curve(state.readings)
        with self._forgiven(self.tracker, None if self.title else self.runs / state.run):
            if curve and name not in self.ended:
                if name not in self.open:
                    settings = _settings(self.runs / state.run, level)
                    self.open[name] = _Open(self._begin(TrackedRun(name, settings)))
                self.open[name].log(curve)
            if state.doing == "finished" and name not in self.ended:  # where no reading came, it is sent whole now
                run = replace(summary.read_run(self.runs / state.run).run, level=level, seed=state.seed)
                self._end(_tracked(self.runs, run))
            if name in self.open and state.doing in FAILED:
                self.open.pop(name).run.abandon()

    def finish(self, folder: Path, page: Path | None, says: str) -> None:
        """Log what a run or an ablation came to; whatever was not told of while it trained is sent whole."""
        if self.tracker is None:
            return
        with self._forgiven(self.tracker, folder):
            tracked = _ended(folder, page, says)
            if tracked.kind != "ablation":
                self._end(tracked)
                return
            whole = replace(tracked, name=self.title or tracked.name)
            self.whole = self.whole or TRACKERS[self.tracker](whole)
            for part in whole.parts:
                if part.name not in self.ended:
                    self._end(part)
            self.whole.close(whole)
            self.whole = None

    def leave(self) -> None:
        """End what has not ended: the run failed or was stopped, or the tracker refused it."""
        left = [*(tracked.run for tracked in self.open.values()), *([self.whole] if self.whole else [])]
        self.open, self.whole = {}, None
        for tracked in left:
            with suppress(Exception):
                tracked.abandon()

    def _begin(self, run: TrackedRun) -> TrackerRun:
        """Open a run, below its ablation's, which is opened before the first."""
        begin = TRACKERS[self.tracker or ""]
        if self.title and self.whole is None:
            self.whole = begin(TrackedRun(self.title, kind="ablation"))
        return begin(run, self.whole)

    def _end(self, run: TrackedRun) -> None:
        """Log what the tracker does not have of a run that ended, and end it there."""
        if run.name not in self.open:
            self.open[run.name] = _Open(self._begin(run))
        self.open[run.name].log(run.curve)
        self.open[run.name].run.close(run)
        del self.open[run.name]
        self.ended.add(run.name)

    @contextmanager
    def _forgiven(self, tracker: str, folder: Path | None) -> Iterator[None]:
        """Pass over what is raised; `folder` is what is sent again, None for an ablation that has none yet."""
        kind = "ablation" if self.title else "run"
        try:
            yield
        except Exception as error:  # noqa: BLE001  (whatever a tracker's library raises)
            self.tracker = None
            why = " ".join(str(error).split()) or type(error).__name__
            what = folder or f"{self.runs}/NAME"
            again = f"`diagnose report {what} --report-to {tracker}` tries again, once the {kind} has ended"
            self.warn(f"{tracker} did not take it ({why}); {again}")


def _name(level: str, seed: int | None) -> str:
    """Return what a run of an ablation is called; "" for a run of its own."""
    return f"{level} seed {seed}" if level else ""


def _ended(folder: Path, page: Path | None, says: str) -> TrackedRun:
    """Return a finished run, or an ablation with its runs.

    Raises:
        DiagnoseError: a record is damaged.
    """
    if not (folder / "summary.json").exists():
        return replace(_tracked(folder.parent, summary.read_run(folder).run), says=says, page=page)
    ablation = summary.read_ablation(folder)
    scores = {f"effect/{item.level}": item.value for item in ablation.summary.effects}
    parts = tuple(_tracked(folder.parent, item) for item in ablation.runs if item.finished)
    return TrackedRun(
        folder.name, {"folder": folder.name}, scores=scores, says=says, page=page, kind="ablation", parts=parts
    )


def _tracked(runs: Path, run: RunSummary) -> TrackedRun:
    curve = _curve(
        [
            {"step": reading.step, "kind": reading.kind, "split": reading.split, "loss": reading.loss}
            for reading in run.readings
        ]
    )
    scores = {
        f"{reading.split}/bits_per_byte": reading.bits
        for reading in run.select("final", "val")
        if reading.bits is not None
    }
    settings = _settings(runs / run.name, run.level)
    seed = settings.get("run.seed", run.seed)  # an ablation counts its seeds from 0, whichever is the first
    return TrackedRun(_name(run.level, seed) or run.name, settings, curve, scores)


def _settings(folder: Path, level: str) -> dict[str, Any]:
    tables = store.recipe_of(folder).tables()
    keys = {f"{table}.{key}": value for table, keys in tables.items() if isinstance(keys, dict)
            for key, value in keys.items()}  # fmt: skip
    return {**keys, "folder": folder.name, **({"arm": level} if level else {})}


def _curve(readings: Iterable[Mapping[str, Any]]) -> dict[int, dict[str, float]]:
    """Return by step, in order, what a tracker is told of readings."""
    curve: dict[int, dict[str, float]] = {}
    for row in readings:
        if row["kind"] in CURVES:
            curve.setdefault(row["step"], {})[CURVES[row["kind"]].format(row["split"])] = row["loss"]
    return dict(sorted(curve.items()))
