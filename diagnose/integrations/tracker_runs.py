"""One run in a tracker, through the tracker's own library; several may be open at once."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PROJECT = "diagnose"  # where the tracker's own settings name no other


@dataclass(frozen=True)
class TrackedRun:
    """A run as trackers take it.

    Attributes:
        settings: of its recipe, by `table.key`; of an ablation, its folder.
        curve: the losses that were read after each step, by name: "train/loss" and "val/loss" are matched (both in
            evaluation mode), "..._reported" as the run logged them; nats per token.
        scores: what it came to.
        says: the verdict of its page, "" where it has none of its own.
        page: which goes along with it.
        kind: "run", or "ablation" for what other runs are parts of.
        parts: of an ablation that has ended, its runs.
    """

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    curve: dict[int, dict[str, float]] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    says: str = ""
    page: Path | None = None
    kind: str = "run"
    parts: Sequence[TrackedRun] = ()


def plain(name: str, others: str = "") -> str:
    """Return a name in letters, digits, `_`, `-`, `.` and others that a tracker allows."""
    return re.sub(rf"[^\w.{others}-]+", "-", name).strip(".-") or "run"


class TrackerRun(Protocol):
    """A run that is open in a tracker."""

    def __init__(self, run: TrackedRun, parent: Any = None) -> None:
        """Open it, under the tracker's own run of another where that is given."""

    def log(self, step: int, losses: Mapping[str, float]) -> None:
        """Log what was read after a step."""

    def close(self, run: TrackedRun) -> None:
        """Log what it came to, and end it well."""

    def abandon(self) -> None:
        """End it as one that failed or was stopped."""


class _WandbRun:
    """W&B; WANDB_PROJECT, WANDB_MODE and the rest of its environment are its own."""

    def __init__(self, run: TrackedRun, parent: _WandbRun | None = None) -> None:
        self.given, self.parent, self._run = run, parent, None

    @property
    def run(self) -> Any:
        """The library's run, begun when first needed: it knows no run within a run, only groups."""
        import wandb

        if self._run is None:
            group = self.parent.given.name if self.parent else None
            several: Any = {"reinit": "create_new"} if self.parent else {}  # workers train several parts at once
            self._run = wandb.init(
                project=os.environ.get("WANDB_PROJECT", PROJECT), name=self.given.name, config=self.given.settings,
                group=self.given.name if self.given.kind == "ablation" else group, job_type=self.given.kind,
                notes=self.given.says or None, **several,
            )  # fmt: skip
        return self._run

    def log(self, step: int, losses: Mapping[str, float]) -> None:
        """Log what was read after a step."""
        self.run.log(dict(losses), step=step)

    def close(self, run: TrackedRun) -> None:
        """Log what it came to, and its page as an artifact."""
        import wandb

        self.given = run
        self.run.summary.update(run.scores)
        if run.says:
            self.run.notes = run.says
        if run.page is not None:
            artifact = wandb.Artifact(f"page-{plain(run.name)}", type="report", description=run.says)
            artifact.add_file(str(run.page))
            self.run.log_artifact(artifact)
        self.run.finish()

    def abandon(self) -> None:
        """End it as one that failed."""
        if self._run is not None:
            self._run.finish(exit_code=1)


class _MlflowRun:
    """MLflow; MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME say where to."""

    def __init__(self, run: TrackedRun, parent: _MlflowRun | None = None) -> None:
        import mlflow
        from mlflow.entities import Param
        from mlflow.tracking.context.registry import resolve_tags  # who and whence, as the library's own runs say it

        self.client = mlflow.MlflowClient()
        self.experiment: str = (
            parent.experiment if parent
            else mlflow.set_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)).experiment_id
        )  # fmt: skip
        above = {"mlflow.parentRunId": parent.id} if parent else {}
        begun = self.client.create_run(self.experiment, run_name=run.name, tags=resolve_tags(above))
        self.id: str = begun.info.run_id
        self.client.log_batch(self.id, params=[Param(key, str(value)) for key, value in run.settings.items()])

    def log(self, step: int, losses: Mapping[str, float]) -> None:
        """Log what was read after a step."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self.client.log_batch(self.id, metrics=[Metric(name, loss, now, step) for name, loss in losses.items()])

    def close(self, run: TrackedRun) -> None:
        """Log what it came to, and its page as an artifact."""
        self.log(0, {plain(name, " :/"): value for name, value in run.scores.items()})
        if run.says:
            self.client.set_tag(self.id, "mlflow.note.content", run.says)
        if run.page is not None:
            self.client.log_artifact(self.id, str(run.page))
        self.client.set_terminated(self.id)

    def abandon(self) -> None:
        """End it as one that failed."""
        self.client.set_terminated(self.id, "FAILED")


class _TensorboardRun:
    """Event files in TENSORBOARD_LOGGING_DIR, else `tensorboard/`; a page is said by its verdict and path."""

    def __init__(self, run: TrackedRun, parent: _TensorboardRun | None = None) -> None:
        from pathlib import Path

        from torch.utils.tensorboard import SummaryWriter

        root = parent.folder if parent else Path(os.environ.get("TENSORBOARD_LOGGING_DIR", "tensorboard"))
        self.folder: Path = root / plain(run.name)
        self.writer = SummaryWriter(str(self.folder))
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


TRACKERS: dict[str, type[TrackerRun]] = {"wandb": _WandbRun, "tensorboard": _TensorboardRun, "mlflow": _MlflowRun}
