"""The terms of the data: training text -> unseen text -> the whole validation text -> the batch that was reported.

All under validation's conditions, so that `unseen` + `leak` is the gap of both losses under the same conditions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diagnose.data.overlap import SeenDocuments, seen
from diagnose.gap.measurements import BatchReadings
from diagnose.gap.run import run_replay, run_texts
from diagnose.gap.run.run_bigrams import difficulty
from diagnose.gap.run.run_reading import in_units, read, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from diagnose.gap.conditions import Condition
    from diagnose.gap.run.run import FinishedRun
    from diagnose.gap.run.run_conditions import RunSetting
    from diagnose.gap.run.run_reading import StepGroup
    from diagnose.stats import Interval, Reading

FEWEST_UNSEEN = 20  # documents; the half-width with 20 is above a nat


@dataclass(frozen=True)
class ValidationReadings:
    """Readings of the validation text and of text that training has not seen.

    Attributes:
        whole: of the validation text.
        shown: of the reported batches, with their own masks.
        unseen: of unseen text, by condition; None where there is too little, with the reason in `why`.
        why: what the unseen text is, or why there is none.
        reserve: documents of the reserve among the unseen ones.
        seen: what the validation documents that were read share with the training text.
        difficulty: how much harder the seen validation documents are than the unseen text for bigrams that have seen
            neither; None where there is nothing to compare.
    """

    whole: BatchReadings
    shown: BatchReadings
    unseen: dict[Condition, Reading] | None
    why: str
    reserve: int
    seen: SeenDocuments
    difficulty: Interval | None


def measure(finished: FinishedRun, setting: RunSetting, positions: tuple[int, int], unit: int) -> ValidationReadings:
    """Read the validation text, the reported batches and unseen text.

    Args:
        finished: the run.
        setting: its conditions.
        positions: how much of the validation text and of the reserve may be read.
        unit: adjacent documents that are one unit of the intervals.
    """
    asked, val_condition = setting.of_validation, setting.sides.val
    groups, complete = validation_groups(finished, positions[0])
    whole = read(finished.network, run_texts.marked(finished, groups) if setting.words else groups, asked)
    reported = list(run_replay.report_group(finished))
    reported_readings = read(finished.network, reported, [val_condition])
    parts = finished.setup.text.split
    first = whole[asked[0]]
    documents = first.documents[first.weights > 0]
    overlap = seen(finished.setup.text.corpus, parts.train, np.concatenate([documents, parts.reserve]))
    unseen, why, reserve = _unseen(finished, whole, overlap, asked, positions[1])
    clean = bool(np.isin(documents, overlap.unseen).all()) and parts.kind != "windows"
    if clean:
        unseen, why, reserve = whole, "no validation document occurs in the training text", 0
    return ValidationReadings(
        batch_readings(whole, groups, unit, passes=setting.passes[1], complete=complete),
        batch_readings(reported_readings, reported, unit, repeated=True),
        None if unseen is None else {condition: in_units(r, unit) for condition, r in unseen.items()},
        why, reserve, overlap.among(documents), _difficulty(finished, overlap, documents, unseen, clean=clean),
    )  # fmt: skip


def batch_readings(
    readings: Mapping[Condition, Reading], groups: Sequence[StepGroup], unit: int, *, passes: int = 1,
    complete: bool = True, repeated: bool = False,
) -> BatchReadings:  # fmt: skip
    """Return what was read of some text, in units of adjacent documents."""
    rows = sum(len(part.inputs_BT) for group in groups for part in group.parts)
    some = {condition: in_units(reading, unit) for condition, reading in readings.items()}
    return BatchReadings(some, len(groups), complete, passes, rows, "document", repeated=repeated)


def _difficulty(
    finished: FinishedRun,
    overlap: SeenDocuments,
    shown: NDArray[np.int64],
    unseen: Mapping[Condition, Reading] | None,
    *,
    clean: bool,
) -> Interval | None:
    if unseen is None or clean:
        return None
    known = np.setdiff1d(shown, overlap.unseen)
    others = next(iter(unseen.values())).documents
    return difficulty(finished, known, others) if len(known) > 1 else None


def validation_groups(finished: FinishedRun, positions: int) -> tuple[Sequence[StepGroup], bool]:
    """Return the whole validation text, or rows of it; where the run reports the whole, its own reading of it."""
    if finished.recipe.report.val == "full":
        return list(run_replay.report_group(finished)), True
    table, layout = finished.recipe.report, finished.setup.validation
    epoch = finished.number * table.val_batches * min(layout.size, layout.rows) // layout.rows  # of the reported rows
    batches, complete = run_texts.text_batches(layout, positions, epoch)
    return run_texts.text_groups(finished, batches), complete


def _unseen(
    finished: FinishedRun,
    whole: Mapping[Condition, Reading],
    overlap: SeenDocuments,
    asked: Sequence[Condition],
    positions: int,
) -> tuple[dict[Condition, Reading] | None, str, int]:
    """Read unseen text: validation documents that training has not seen, and the reserve where it is of their kind."""
    parts = finished.setup.text.split
    unseen_val = np.intersect1d(overlap.unseen, parts.val) if parts.kind != "windows" else np.zeros(0, np.int64)
    reserve = np.intersect1d(overlap.unseen, parts.reserve)
    first = whole[asked[0]]
    read_val = np.intersect1d(unseen_val, first.documents[first.weights > 0])
    if parts.kind == "tail" and len(read_val) >= FEWEST_UNSEEN:
        reserve = reserve[:0]  # the tail of a text is of another kind than documents from all of it
    if len(read_val) + len(reserve) < FEWEST_UNSEEN:
        return None, f"only {len(read_val) + len(reserve)} documents are unseen, fewer than {FEWEST_UNSEEN}", 0
    of_val = {condition: r.only(unseen_val) for condition, r in whole.items()}
    more = _reserve(finished, reserve, asked, positions)
    joined = {condition: together(of_val[condition], more.get(condition)) for condition in asked}
    out = {condition: reading for condition, reading in joined.items() if reading is not None}
    if len(out) < len(asked):
        return None, "the unseen documents do not fill a row", 0
    used = len(reserve) if more else 0
    return out, _said(len(read_val), used), used


def _reserve(
    finished: FinishedRun, documents: NDArray[np.int64], asked: Sequence[Condition], positions: int
) -> Mapping[Condition, Reading]:
    if not len(documents):
        return {}
    layout = run_texts.documents_layout(finished, documents)
    if layout.rows < 1:
        return {}
    batches, _ = run_texts.text_batches(layout, positions)
    groups = run_texts.text_groups(finished, batches)
    spelled = any(condition.objective.marked for condition in asked)
    return read(finished.network, run_texts.marked(finished, groups) if spelled else groups, asked)


def _said(own: int, reserve: int) -> str:
    sources = [f"{own} validation documents that do not occur in the training text"] if own else []
    sources += [f"{reserve} documents of the reserve, kept out of both splits"] if reserve else []
    return " and ".join(sources)
