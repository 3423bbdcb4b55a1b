"""Runs in an experiment tracker, through the tracker's own library and by its own settings.

A run that trains is told of as it goes (`LiveRun`), what has ended as a whole (`send`). An ablation becomes a run for
each arm and seed, grouped under one that carries the verdict, the effects and the page.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from diagnose.errors import DiagnoseError, nearest
from diagnose.report import summary
from diagnose.runs import store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from diagnose.report.summary import RunSummary
    from diagnose.runs.watched import Progress

PROJECT = "diagnose"  # where the tracker's own settings name no other
CURVES = {"reported": "{}/loss_reported", "probe": "{}/loss"}  # names of what is read while a run trains, by kind


@dataclass(frozen=True)
class TrackedRun:
    """A run as trackers take it.

    Attributes:
        settings: of its recipe, by `table.key`.
        curve: the losses that were read after each step, by name: "train/loss" and "val/loss" are matched (both in
            evaluation mode), "..._reported" as the run logged them; nats per token.
        scores: what it came to.
        says: the verdict of its page, "" where it has none of its own.
        page: which goes along with it.
        parts: of an ablation, its runs.
    """

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    curve: dict[int, dict[str, float]] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    says: str = ""
    page: Path | None = None
    parts: Sequence[TrackedRun] = ()


def check(tracker: str) -> None:
    """Refuse a tracker that is not known or not installed, before anything is trained.

    Raises:
        DiagnoseError: it is not.
    """
    if tracker not in _TRACKERS:
        raise DiagnoseError(f"--report-to {tracker} is no tracker that is known{nearest(tracker, _TRACKERS)}")
    if find_spec(tracker) is None:  # each is called as its library
        raise DiagnoseError(f"--report-to {tracker} needs its library: pip install {tracker}")


def send(tracker: str, folder: Path, page: Path | None, says: str) -> None:
    """Send a finished run or ablation to a tracker; what the tracker's library raises is passed on.

    Args:
        tracker: "wandb", "tensorboard" or "mlflow", which `check` has let pass.
        folder: of the run or the ablation.
        page: its page, if it has one.
        says: its verdict.

    Raises:
        DiagnoseError: a record is damaged.
    """
    whole = _ended(folder, page, says)
    with _begun(tracker, whole) as own:
        for part in whole.parts:
            with _begun(tracker, part, whole) as theirs:
                _log_all(theirs, part)
        _log_all(own, whole)


@contextmanager
def _begun(tracker: str, run: TrackedRun, parent: TrackedRun | None = None) -> Iterator[_TrackerRun]:
    """Open a run in a tracker; one that fails on the way does not stay open."""
    begun = _TRACKERS[tracker](run, parent)
    try:
        yield begun
    except BaseException:
        with suppress(Exception):
            begun.abandon()
        raise


def _log_all(begun: _TrackerRun, run: TrackedRun) -> None:
    for step, losses in run.curve.items():
        begun.log(step, losses)
    begun.close(run)


def _ended(folder: Path, page: Path | None, says: str) -> TrackedRun:
    """Return a finished run, or an ablation with its runs.

    Raises:
        DiagnoseError: a record is damaged.
    """
    if not (folder / "summary.json").exists():
        return replace(_tracked(folder.parent, summary.read_run(folder).run), says=says, page=page)
    found = summary.read_ablation(folder)
    scores = {f"effect/{one.level}": one.value for one in found.summary.effects}
    parts = tuple(_tracked(folder.parent, one) for one in found.runs if one.finished)
    return TrackedRun(folder.name, scores=scores, says=says, page=page, parts=parts)


class LiveRun:
    """A run that a tracker is told of while it trains; whatever the tracker raises ends nothing and is said once.

    Args:
        tracker: which; of None nothing is sent anywhere.
        runs: the folder that the run is in.
        warn: says a line.
    """

    def __init__(self, tracker: str | None, runs: Path, warn: Callable[[str], None]) -> None:
        self.tracker, self.runs, self.warn = tracker, runs, warn
        self.begun: _TrackerRun | None = None

    def watch(self, state: Progress) -> None:
        """Log what the run has just read, and what it had read before it was stopped."""
        curve = _curve(state.readings)
        if curve and self.tracker is not None:
            with self._forgiven(self.tracker, self.runs / state.run):
                if self.begun is None:
                    self.begun = _TRACKERS[self.tracker](TrackedRun(state.run, _settings(self.runs / state.run)))
                for step, losses in curve.items():
                    self.begun.log(step, losses)

    def finish(self, folder: Path, page: Path | None, says: str) -> None:
        """Log what the run came to; one that had nothing to log while it trained is sent whole."""
        if self.tracker is None:
            return
        with self._forgiven(self.tracker, folder):
            if self.begun is None:
                send(self.tracker, folder, page, says)
            else:
                self.begun.close(_ended(folder, page, says))
                self.begun = None

    def leave(self) -> None:
        """End what `finish` has not ended: the run failed or was stopped, or the tracker refused it."""
        if self.begun is not None:
            begun, self.begun = self.begun, None
            with suppress(Exception):
                begun.abandon()

    @contextmanager
    def _forgiven(self, tracker: str, folder: Path) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001  (whatever a tracker's library raises)
            self.tracker = None
            why = " ".join(str(error).split()) or type(error).__name__
            again = f"`diagnose report {folder} --report-to {tracker}` tries again, once the run has ended"
            self.warn(f"{tracker} did not take it ({why}); {again}")


def _tracked(runs: Path, run: RunSummary) -> TrackedRun:
    curve = _curve([{"step": one.step, "kind": one.kind, "split": one.split, "loss": one.loss} for one in run.readings])
    scores = {f"{one.split}/bits_per_byte": one.bits for one in run.select("final", "val") if one.bits is not None}
    name = f"{run.level} seed {run.seed}" if run.level else run.name
    return TrackedRun(name, {**_settings(runs / run.name), "arm": run.level}, curve, scores)


def _settings(folder: Path) -> dict[str, Any]:
    tables = store.recipe_of(folder).tables()
    keys = {f"{table}.{key}": value for table, keys in tables.items() if isinstance(keys, dict)
            for key, value in keys.items()}  # fmt: skip
    return {**keys, "folder": folder.name}


def _curve(readings: Iterable[Mapping[str, Any]]) -> dict[int, dict[str, float]]:
    """Return by step, in order, what a tracker is told of readings."""
    curve: dict[int, dict[str, float]] = {}
    for row in readings:
        if row["kind"] in CURVES:
            curve.setdefault(row["step"], {})[CURVES[row["kind"]].format(row["split"])] = row["loss"]
    return dict(sorted(curve.items()))


def _plain(name: str, others: str = "") -> str:
    """Return a name in letters, digits, `_`, `-`, `.` and others that a tracker allows."""
    return re.sub(rf"[^\w.{others}-]+", "-", name).strip(".-") or "run"


class _TrackerRun(Protocol):
    """A run that is open in a tracker."""

    def __init__(self, run: TrackedRun, parent: TrackedRun | None = None) -> None:
        """Open it, under another where that is given."""

    def log(self, step: int, losses: Mapping[str, float]) -> None:
        """Log what was read after a step."""

    def close(self, run: TrackedRun) -> None:
        """Log what it came to, and end it well."""

    def abandon(self) -> None:
        """End it as one that failed or was stopped."""


class _WandbRun:
    """W&B; WANDB_PROJECT, WANDB_MODE and the rest of its environment are its own."""

    def __init__(self, run: TrackedRun, parent: TrackedRun | None = None) -> None:
        self.given, self.parent, self._run = run, parent, None

    @property
    def run(self) -> Any:
        """The library's run, begun when first needed: it knows no run within a run, only groups."""
        import wandb

        if self._run is None:
            group = self.parent.name if self.parent else self.given.name if self.given.parts else None
            self._run = wandb.init(
                project=os.environ.get("WANDB_PROJECT", PROJECT), group=group, name=self.given.name,
                config=self.given.settings, job_type="ablation" if self.given.parts else "run",
                notes=self.given.says or None,
            )  # fmt: skip
        return self._run

    def log(self, step: int, losses: Mapping[str, float]) -> None:
        """Log what was read after a step."""
        self.run.log(dict(losses), step=step)

    def close(self, run: TrackedRun) -> None:
        """Log what it came to, and its page as an artifact."""
        import wandb

        self.run.summary.update(run.scores)
        if run.says:
            self.run.notes = run.says
        if run.page is not None:
            artifact = wandb.Artifact(f"page-{run.name}", type="report", description=run.says)
            artifact.add_file(str(run.page))
            self.run.log_artifact(artifact)
        self.run.finish()

    def abandon(self) -> None:
        """End it as one that failed."""
        if self._run is not None:
            self._run.finish(exit_code=1)


class _MlflowRun:
    """MLflow; MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME say where to."""

    def __init__(self, run: TrackedRun, parent: TrackedRun | None = None) -> None:
        import mlflow

        if parent is None:
            mlflow.set_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT))
        mlflow.start_run(run_name=run.name, description=run.says or None, nested=parent is not None)
        mlflow.log_params(run.settings)

    def log(self, step: int, losses: Mapping[str, float]) -> None:
        """Log what was read after a step."""
        import mlflow

        mlflow.log_metrics(dict(losses), step=step)

    def close(self, run: TrackedRun) -> None:
        """Log what it came to, and its page as an artifact."""
        import mlflow

        mlflow.log_metrics({_plain(name, " :/"): value for name, value in run.scores.items()})
        if run.says:
            mlflow.set_tag("mlflow.note.content", run.says)
        if run.page is not None:
            mlflow.log_artifact(str(run.page))
        mlflow.end_run()

    def abandon(self) -> None:
        """End it as one that failed."""
        import mlflow

        mlflow.end_run("FAILED")


class _TensorboardRun:
    """Event files in TENSORBOARD_LOGGING_DIR, else `tensorboard/`; a page is said by its verdict and path."""

    def __init__(self, run: TrackedRun, parent: TrackedRun | None = None) -> None:
        from pathlib import Path

        from torch.utils.tensorboard import SummaryWriter

        root = Path(os.environ.get("TENSORBOARD_LOGGING_DIR", "tensorboard"))
        self.writer = SummaryWriter(str(root / parent.name / _plain(run.name) if parent else root / run.name))
        self.last = 0

    def log(self, step: int, losses: Mapping[str, float]) -> None:
        """Write what was read after a step."""
        self.last = step
        for name, loss in losses.items():
            self.writer.add_scalar(name, loss, step)
        self.writer.flush()

    def close(self, run: TrackedRun) -> None:
        """Write what it came to."""
        for name, value in run.scores.items():
            self.writer.add_scalar(name, value, self.last)
        if run.says:
            self.writer.add_text("verdict", f"{run.says}\n\nThe page: `{run.page}`")
        self.writer.add_text("settings", "\n".join(f"    {key} = {value}" for key, value in run.settings.items()))
        self.writer.close()

    def abandon(self) -> None:
        """Close what is written."""
        self.writer.close()


_TRACKERS: dict[str, type[_TrackerRun]] = {"wandb": _WandbRun, "tensorboard": _TensorboardRun, "mlflow": _MlflowRun}
