"""Finished runs in an experiment tracker, each through the tracker's own library and by its own settings.

An ablation becomes a run for each arm and seed, grouped under one that carries the verdict, the effects and the page.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError, nearest
from diagnose.report import summary
from diagnose.runs import store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from diagnose.report.summary import RunSummary

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
    """

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    curve: dict[int, dict[str, float]] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    says: str = ""
    page: Path | None = None


def check(tracker: str) -> None:
    """Refuse a tracker that is not known or not installed, before anything is trained.

    Raises:
        DiagnoseError: it is not.
    """
    if tracker not in _SENDERS:
        raise DiagnoseError(f"--report-to {tracker} is no tracker that is known{nearest(tracker, _SENDERS)}")
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
    if (folder / "summary.json").exists():
        found = summary.read_ablation(folder)
        scores = {f"effect/{one.level}": one.value for one in found.summary.effects}
        whole = TrackedRun(folder.name, scores=scores, says=says, page=page)
        _SENDERS[tracker](whole, [_tracked(folder.parent, one) for one in found.runs if one.finished])
    else:
        one = _tracked(folder.parent, summary.read_run(folder).run)
        _SENDERS[tracker](TrackedRun(one.name, one.settings, one.curve, one.scores, says, page), [])


def _tracked(runs: Path, run: RunSummary) -> TrackedRun:
    tables = store.recipe_of(runs / run.name).tables()
    settings = {f"{table}.{key}": value for table, keys in tables.items() if isinstance(keys, dict)
                for key, value in keys.items()}  # fmt: skip
    curve: dict[int, dict[str, float]] = {}
    for one in run.readings:
        if one.kind in CURVES:
            curve.setdefault(one.step, {})[CURVES[one.kind].format(one.split)] = one.loss
    scores = {f"{one.split}/bits_per_byte": one.bits for one in run.select("final", "val") if one.bits is not None}
    name = f"{run.level} seed {run.seed}" if run.level else run.name
    return TrackedRun(name, {**settings, "arm": run.level, "folder": run.name}, dict(sorted(curve.items())), scores)


def _plain(name: str, others: str = "") -> str:
    """Return a name in letters, digits, `_`, `-`, `.` and others that a tracker allows."""
    return re.sub(rf"[^\w.{others}-]+", "-", name).strip(".-") or "run"


def _to_wandb(whole: TrackedRun, parts: Sequence[TrackedRun]) -> None:
    """Log to W&B; WANDB_PROJECT, WANDB_MODE and the rest of its environment are its own."""
    import wandb

    for one in [*parts, whole]:
        with wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT), group=whole.name if parts else None, name=one.name,
            config=one.settings, job_type="ablation" if parts and one is whole else "run",
            notes=one.says or None,
        ) as run:  # fmt: skip
            for step, losses in one.curve.items():
                run.log(losses, step=step)
            run.summary.update(one.scores)
            if one.page is not None:
                artifact = wandb.Artifact(f"page-{whole.name}", type="report", description=one.says)
                artifact.add_file(str(one.page))
                run.log_artifact(artifact)


def _to_mlflow(whole: TrackedRun, parts: Sequence[TrackedRun]) -> None:
    """Log to MLflow; MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME say where to."""
    import mlflow

    mlflow.set_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT))
    with mlflow.start_run(run_name=whole.name, description=whole.says):
        _mlflow_run(whole)
        for one in parts:
            with mlflow.start_run(run_name=one.name, nested=True):
                _mlflow_run(one)


def _mlflow_run(one: TrackedRun) -> None:
    import mlflow

    mlflow.log_params(one.settings)
    for step, losses in one.curve.items():
        mlflow.log_metrics(losses, step=step)
    mlflow.log_metrics({_plain(name, " :/"): value for name, value in one.scores.items()})
    if one.page is not None:
        mlflow.log_artifact(str(one.page))


def _to_tensorboard(whole: TrackedRun, parts: Sequence[TrackedRun]) -> None:
    """Write event files to TENSORBOARD_LOGGING_DIR, else to `tensorboard/`; a page is said by its verdict and path."""
    from pathlib import Path

    from torch.utils.tensorboard import SummaryWriter

    root = Path(os.environ.get("TENSORBOARD_LOGGING_DIR", "tensorboard")) / whole.name
    for one in [*parts, whole]:
        with SummaryWriter(str(root / _plain(one.name) if one is not whole else root)) as writer:
            for step, losses in one.curve.items():
                for name, loss in losses.items():
                    writer.add_scalar(name, loss, step)
            for name, value in one.scores.items():
                writer.add_scalar(name, value, max(one.curve, default=0))
            if one.says:
                writer.add_text("verdict", f"{one.says}\n\nThe page: `{one.page}`")
            writer.add_text("settings", "\n".join(f"    {key} = {value}" for key, value in one.settings.items()))


_SENDERS: dict[str, Callable[[TrackedRun, Sequence[TrackedRun]], None]] = {
    "wandb": _to_wandb, "tensorboard": _to_tensorboard, "mlflow": _to_mlflow,
}  # fmt: skip
