"""The terms of the data: training text -> unseen text -> the whole validation text -> the batch that was reported.

All under validation's conditions, so that `unseen` + `leak` is the gap of both losses measured alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from diagnose.data.seen_documents import SeenDocuments, seen
from diagnose.gap.sources import run_replay, run_texts
from diagnose.gap.sources.run_bigrams import difficulty
from diagnose.gap.sources.run_reading import Ask, Pass, in_units, only, read, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from diagnose.gap.sources.run import FinishedRun
    from diagnose.gap.sources.run_conditions import RunSides
    from diagnose.gap.sources.run_reading import StepGroup
    from diagnose.stats import Interval, Reading

FEWEST_UNSEEN = 20  # documents; the half-width with 20 is above a nat


@dataclass(frozen=True)
class ValidationReadings:
    """Readings of the validation text and of text that training has not seen.

    Attributes:
        whole: of the validation text, by condition; complete says whether all of it was read.
        complete: whether every row of the validation text was read.
        unseen: of unseen text, by condition; None where there is too little, with the reason in `why`.
        all_unseen: whether the validation text holds nothing that training has seen, so that `leak` is exactly zero.
        why: what the unseen text is, or why there is none.
        reserve: documents of the reserve among the unseen ones.
        seen: what the validation documents that were read share with the training text.
        replayed: the reported validation loss, read again on the reported batches.
        difficulty: how much harder the seen validation documents are than the unseen text for bigrams that have seen
            neither; None where there is nothing to compare.
    """

    whole: Mapping[Ask, Reading]
    complete: bool
    unseen: Mapping[Ask, Reading] | None
    all_unseen: bool
    why: str
    reserve: int
    seen: SeenDocuments
    replayed: float
    difficulty: Interval | None


def beside(found: RunSides) -> tuple[Ask, Ask]:
    """Return validation's condition with what training mode switches on being on, and off."""
    val = found.val
    ons = (frozenset(found.kinds), frozenset[str]())
    return Ask(Pass(ons[0], val.run.precision), val.smoothing, val.way), Ask(
        Pass(ons[1], val.run.precision), val.smoothing, val.way
    )


def wanted(found: RunSides) -> list[Ask]:
    """List the conditions that validation text and unseen text are read under."""
    spelled = [replace(found.val, marked=True)] if found.words else []
    return list(dict.fromkeys([found.val, found.alike(on=False), found.alike(on=True), *beside(found), *spelled]))


def passes(found: RunSides) -> int:
    """Return how often such text runs through the network."""
    return len({ask.run for ask in wanted(found)})


def measure(finished: FinishedRun, found: RunSides, positions: tuple[int, int], unit: int) -> ValidationReadings:
    """Read the validation text, the reported batches and unseen text.

    Args:
        finished: the run.
        found: its conditions.
        positions: how much of the validation text and of the reserve may be read.
        unit: adjacent documents that are one unit of the intervals.
    """
    asks = wanted(found)
    groups, complete = validation_groups(finished, positions[0])
    whole = read(finished.network, run_texts.marked(finished, groups) if found.words else groups, asks)
    replayed = (
        read(finished.network, run_replay.report_group(finished), [found.val])[found.val].mean + found.penalties[1]
    )
    parts = finished.setup.text.split
    first = whole[asks[0]]
    shown = first.documents[first.weights > 0]
    overlap = seen(finished.setup.text.corpus, parts.train, np.concatenate([shown, parts.reserve]))
    unseen, why, reserve = _unseen(finished, whole, overlap, asks, positions[1])
    clean = bool(np.isin(shown, overlap.unseen).all()) and parts.kind != "windows"
    if clean:
        unseen, why, reserve = whole, "no validation document occurs in the training text", 0
    return ValidationReadings(
        {ask: in_units(r, unit) for ask, r in whole.items()}, complete,
        None if unseen is None else {ask: in_units(r, unit) for ask, r in unseen.items()},
        clean, why, reserve, overlap.among(shown), replayed, _difficulty(finished, overlap, shown, unseen, clean=clean),
    )  # fmt: skip


def _difficulty(
    finished: FinishedRun,
    overlap: SeenDocuments,
    shown: NDArray[np.int64],
    unseen: Mapping[Ask, Reading] | None,
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
    finished: FinishedRun, whole: Mapping[Ask, Reading], overlap: SeenDocuments, asks: Sequence[Ask], positions: int
) -> tuple[Mapping[Ask, Reading] | None, str, int]:
    """Read unseen text: validation documents that training has not seen, and the reserve where it is of their kind."""
    parts = finished.setup.text.split
    unseen_val = np.intersect1d(overlap.unseen, parts.val) if parts.kind != "windows" else np.zeros(0, np.int64)
    reserve = np.intersect1d(overlap.unseen, parts.reserve)
    first = whole[asks[0]]
    read_val = np.intersect1d(unseen_val, first.documents[first.weights > 0])
    if parts.kind == "tail" and len(read_val) >= FEWEST_UNSEEN:
        reserve = reserve[:0]  # the tail of a text is of another kind than documents from all of it
    if len(read_val) + len(reserve) < FEWEST_UNSEEN:
        return None, f"only {len(read_val) + len(reserve)} documents are unseen, fewer than {FEWEST_UNSEEN}", 0
    own = {ask: only(r, unseen_val) for ask, r in whole.items()}
    more = _reserve(finished, reserve, asks, positions)
    joined = {ask: together(own[ask], more.get(ask)) for ask in asks}
    out = {ask: reading for ask, reading in joined.items() if reading is not None}
    if len(out) < len(asks):
        return None, "the unseen documents do not fill a row", 0
    used = len(reserve) if more else 0
    return out, _said(len(read_val), used), used


def _reserve(
    finished: FinishedRun, documents: NDArray[np.int64], asks: Sequence[Ask], positions: int
) -> Mapping[Ask, Reading]:
    if not len(documents):
        return {}
    layout = run_texts.documents_layout(finished, documents)
    if layout.rows < 1:
        return {}
    batches, _ = run_texts.text_batches(layout, positions)
    groups = run_texts.text_groups(finished, batches)
    return read(finished.network, run_texts.marked(finished, groups) if any(a.marked for a in asks) else groups, asks)


def _said(own: int, reserve: int) -> str:
    said = [f"{own} validation documents that do not occur in the training text"] if own else []
    said += [f"{reserve} documents of the reserve, kept out of both splits"] if reserve else []
    return " and ".join(said)
