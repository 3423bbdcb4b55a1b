"""What a finished run keeps of baselines: what its loss is to be held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.baselines import scoring
from diagnose.data.cache import cache_folder
from diagnose.records.schema import FORMAT
from diagnose.runs import runner, store

if TYPE_CHECKING:
    from pathlib import Path

    from diagnose.training.preparation import PreparedText

FILE = "yardsticks.json"


def lacking(runs: Path, digest: str) -> Path | None:
    """Return the newest finished run of this digest if nothing is noted beside it: it was stopped just before that."""
    path = runner.newest_finished(runs, digest)
    if path is None or (path / FILE).exists():
        return None
    store.point_latest(path)
    return path


def keep(run: Path, text: PreparedText) -> None:
    """Note beside a run what compressors and the like need for the text that it is scored on, unless it is noted."""
    if not (run / FILE).exists():
        store.write_json(run / FILE, {"format": FORMAT, **scoring.record(text.corpus, text.split, cache_folder())})
