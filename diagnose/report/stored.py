"""What `load` returns: a run or an ablation that was left behind, with its page, its tables and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diagnose.records.ablations import AblationRecord
from diagnose.records.run_records import Status
from diagnose.report.compared_scores import ComparedScores
from diagnose.report.results import ShownResult
from diagnose.report.summary import read_ablation, read_run
from diagnose.runs import command_store, run_tables, store

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from diagnose.report.blocks import Report
    from diagnose.report.summary import RunSummary

EFFECTS = ("axis", "level", "against", "value", "low", "high", "p", "resolved", "seeds", "seeds_needed", "sentence")


class StoredRun(ShownResult[Status]):
    """A run of ours: `print(run)` shows what came out, a notebook its page.

    Attributes:
        folder: where it lies.
    """

    PAGE = "run.html"

    def __init__(self, folder: Path) -> None:
        self.folder, self._read = folder, read_run(folder)
        super().__init__(self._read.run.status)

    @property
    def report(self) -> Report:
        """What there is to say of it, to be rendered."""
        from diagnose.report.run_document import report_of

        return report_of(self._read)

    @property
    def record(self) -> dict[str, Any]:
        """How it ended, where it was carried out, and what its recipe derives."""
        return {"status": super().record, "environment": self._read.environment.model_dump(mode="json")}

    @property
    def steps(self) -> pd.DataFrame:
        """A row a step: step, epoch, learning_rate, loss (nats per token), tokens, seconds, gradient_norm."""
        return run_tables.read_table(self.folder, "steps")

    def to_frame(self) -> pd.DataFrame:
        """Return the losses that were read: run, step, text, kind, split, loss (nats per token), low, high, bits."""
        return _losses([self._read.run])

    def __repr__(self) -> str:
        return f"StoredRun({self.folder.name}: {self.verdict})"


class StoredAblation(ShownResult[AblationRecord]):
    """An ablation, or a comparison of runs: `print(ablation)` shows what came out, a notebook its page.

    Attributes:
        folder: where it lies; its runs lie beside it.
    """

    PAGE = "ablation.html"

    def __init__(self, folder: Path) -> None:
        self.folder, self._read = folder, read_ablation(folder)
        super().__init__(self._read.summary)

    @property
    def report(self) -> Report:
        """What there is to say of it, to be rendered."""
        from diagnose.report.page import own_report

        return own_report(self.folder)

    def to_frame(self) -> pd.DataFrame:
        """Return the effects against the control in bits per byte, a row each."""
        from diagnose.report.sentence_table import SentenceTable

        return SentenceTable(
            [{name: getattr(effect, name) for name in EFFECTS} for effect in self.found.effects], columns=EFFECTS
        )

    @property
    def runs(self) -> pd.DataFrame:
        """A row a run: arm, seed, run (its folder's name), bits_per_byte of the validation documents."""
        import pandas as pd

        rows = [
            (arm.level, seed, run, score)
            for arm in self.found.arms
            for seed, run, score in zip(arm.seeds or self.found.seeds, arm.runs, arm.per_seed, strict=False)
        ]
        return pd.DataFrame(rows, columns=["arm", "seed", "run", "bits_per_byte"])

    @property
    def scores(self) -> pd.DataFrame:
        """A row a document of a run: arm, seed, run, document, nats, tokens, bytes; effects are taken from these."""
        import pandas as pd

        beside = self.folder.resolve().parent
        return pd.concat(
            [
                run_tables.read_table(beside / row.run, "validation").assign(arm=row.arm, seed=row.seed, run=row.run)
                for row in self.runs.itertuples()
            ],
            ignore_index=True,
        )[["arm", "seed", "run", "document", "nats", "tokens", "bytes"]]

    @property
    def curves(self) -> pd.DataFrame:
        """The losses that were read while training: arm, seed, run, step, text, kind, split, loss, low, high, bits."""
        return _losses(self._read.runs, arms=True)

    def __repr__(self) -> str:
        return f"StoredAblation({self.folder.name}: {self.verdict})"


def stored(what: str | Path) -> StoredRun | StoredAblation | ComparedScores:
    """Open what was left behind; errors are those of `load`."""
    folder = store.find(what)
    if (folder / command_store.COMPARISON).exists():
        return ComparedScores(command_store.comparison(folder))
    ablation = (folder / "summary.json").exists() or (folder / "ablation.toml").exists()
    return StoredAblation(folder) if ablation else StoredRun(folder)


def _losses(runs: Any, *, arms: bool = False) -> pd.DataFrame:
    import pandas as pd

    rows = [_row(run, arms=arms) | _loss(reading) for run in runs for reading in run.readings]
    return pd.DataFrame(rows)


def _row(run: RunSummary, *, arms: bool) -> dict[str, Any]:
    return ({"arm": run.level, "seed": run.seed} if arms else {}) | {"run": run.name}


def _loss(reading: Any) -> dict[str, Any]:
    return {name: getattr(reading, name) for name in ("step", "text", "kind", "split", "loss", "low", "high", "bits")}
