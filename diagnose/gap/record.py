"""The record of a ledger: what `diagnose loss-gap --json` prints, and what pages and the terminal are made of."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from diagnose.formatting import cut, visible
from diagnose.gap import gap_rules, verdict
from diagnose.gap.intervals import combined
from diagnose.gap.reported import explained
from diagnose.gap.side import REDUCTIONS
from diagnose.gap.term import interval_record
from diagnose.gap.term_kinds import FILES, KIND, KINDS, groups_of
from diagnose.gap.terms.timing_terms import together
from diagnose.records.ledgers import LedgerRecord
from diagnose.records.schema import FORMAT

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from diagnose.data.overlap import SeenDocuments
    from diagnose.gap.conditions import Condition
    from diagnose.gap.loop.reading_budget import ReadingBudget
    from diagnose.gap.measurements import BatchReadings, Measurements
    from diagnose.gap.recorder.recording import Recording
    from diagnose.gap.reported import ReportedLosses
    from diagnose.gap.side import Side
    from diagnose.gap.term import Term

UNIT = "loss"
UNTOLD = "losses of which it is not known whose each is (their number is no multiple of a batch's rows)"
LONGEST = 60  # characters of a function's name


def terms(found: Measurements, given: ReportedLosses) -> list[Term]:
    """Return all terms in the ledger's order; they sum to the reported gap."""
    by_id = {term.id: term for file in FILES for term in file.terms(found, given)}
    further = {kind.id: value for kind in KINDS if kind.beside and (value := by_id[kind.id].value)}
    return [_less(by_id[name], further) if name == "residual" else by_id[name] for name in KIND]


def _less(residual: Term, further: Mapping[str, float]) -> Term:
    """Return what is left of the residual when further terms have taken theirs, each as a part of it."""
    parts = [{"id": name, "value": -value, "low": None, "high": None} for name, value in further.items()]
    value, low, high = (
        None if end is None else math.fsum((end, *(-taken for taken in further.values())))
        for end in (residual.value, residual.low, residual.high)
    )
    return replace(residual, value=value, low=low, high=high, parts=(*residual.parts, *parts))


def record(
    found: Measurements, given: ReportedLosses, some: list[Term], budget: dict[str, Any], own: dict[str, Any]
) -> LedgerRecord:
    """Return a ledger as it is written, shown and printed.

    Args:
        found: what was read.
        given: the two losses that it lies between.
        some: its terms.
        budget: what the source was allowed to read.
        own: what only the source knows: `kind`, `conditions`, and keys that the other source lacks.
    """
    end, by_id = found.sides.end, {term.id: term for term in some}
    data = combined([found.train.readings[end], found.val.readings[end]], [-1.0, 1.0], mixed=found.sides.together)
    spans = {"data": data} | ({"timing": together(by_id["lag"], by_id["recency"])} if found.replayed else {})
    out = {
        "format": FORMAT,
        "run": "",
        "page": None,
        "reported": {"train": given.train, "val": given.val, "unit": UNIT, "given": list(given.given)},
        "gap": given.val - given.train,
        "terms": [term.record(KIND[term.id].group) for term in some],
        "groups": groups_of({term.id: term.value or 0.0 for term in some}, spans),
        "matched": matched(found, on=False),
        "matched_on": matched(found, on=True),
        "readings": readings(found),
        "bytes_per_token": None,
        "unseen": unseen_loss(found),
        "overlap": None if found.overlap is None else shared_samples(found.overlap) | {"whole": found.overlap_whole},
        "verified": _verified(found),
        "budget": {**budget, "took": found.seconds, "sharpens": sharpens(found, some)},
        "passes": {"mean": found.passes, "training": found.train.passes, "validation": found.val.passes},
        "where": None,
        "notes": list(found.notes),
        **own,
    }
    made = LedgerRecord.model_validate(out)
    return made.model_copy(update={"verdict": verdict.sentence(made), "findings": tuple(gap_rules.findings(made))})


def of_loop(
    found: Measurements,
    sides: tuple[Side, Side],
    given: ReportedLosses,
    some: list[Term],
    kept: Recording | None,
    budget: ReadingBudget,
) -> LedgerRecord:
    """Return the ledger of two sides."""
    allowed = {"seconds": budget.seconds if math.isfinite(budget.seconds) else None, "batches": budget.batches}
    return record(found, given, some, allowed, {
        "kind": "sides",
        "arithmetic": {
            name: [asdict(fit) for fit in fits] for name, fits in explained(found, given, kept, sides[0]).items()
        },
        "others": {"train": _others(found.train, found.sides.train), "val": _others(found.val_own, found.sides.val)},
        "conditions": _conditions(found, sides, kept),
        "notes": [*([] if kept is None else kept.said), *notes(found)],
    })  # fmt: skip


def matched(found: Measurements, *, on: bool) -> dict[str, float | None]:
    """Return both losses under the same condition, and their difference with its interval."""
    condition = found.sides.matched(on=on)
    train, val = found.train.readings[condition], found.val.readings[condition]
    span = combined([train, val], [-1.0, 1.0], mixed=found.sides.moves(condition.on))
    return {"train": train.mean, "val": val.mean, "gap": span.value, "low": span.low, "high": span.high}


def readings(found: Measurements) -> list[dict[str, Any]]:
    """Return the loss of each text with training mode off and on, all else alike."""
    out = []
    for on in (False, True) if found.sides.kinds else (False,):
        condition = found.sides.matched(on=on)
        texts = {"training": found.train.readings[condition], "validation": found.val.readings[condition]}
        if found.unseen is not None and not found.all_unseen:
            texts["unseen"] = found.unseen[condition]
        out += [
            {
                "text": text,
                "on": on,
                "documents": len(reading.documents),
                **interval_record(combined([reading], [1.0], mixed=found.sides.moves(condition.on))),
            }
            for text, reading in texts.items()
        ]
    return out


def unseen_loss(found: Measurements) -> dict[str, Any] | None:
    """Return the loss on unseen data under validation's condition; None where there is none."""
    if found.unseen is None:
        return None
    reading = found.unseen[found.sides.end]
    return {"loss": reading.mean, "documents": len(reading.documents), "what": found.why}


def shared_samples(seen: SeenDocuments) -> dict[str, Any]:
    """Return how many of validation's samples occur in training."""
    return {
        "val_documents": len(seen.documents), "exact": int(seen.exact.sum()), "near": int(seen.near.sum()),
        "window_share": float(seen.share.mean()) if len(seen.share) else 0.0,
    }  # fmt: skip


def _verified(found: Measurements) -> dict[str, Any] | None:
    """Return what reading the first recorded step again, or training the last ones again, showed."""
    if found.replayed is None or found.replayed.of_run is not None:
        return None if found.replayed is None else found.replayed.of_run
    if found.replayed.first is None:
        return None
    first = found.replayed.first
    return {"steps": 1, "differing": int(first != 0), "largest": abs(first), "beside": list(found.replayed.beside)}


def _others(text: BatchReadings, one: Condition) -> dict[str, float]:
    return text.others.get(one, {})


def _conditions(found: Measurements, sides: tuple[Side, Side], kept: Recording | None) -> dict[str, Any]:
    both = (found.sides.train, found.sides.val)
    return {
        **{
            name: _side(both[k], sides[k], found, plain=found.sides.collation[k])
            for k, name in enumerate(("train", "val"))
        },
        "differ": [p for p in found.sides.factors if p != "reduction" or both[0].reduction != both[1].reduction],
        "kinds": list(found.sides.kinds),
        "reports": {
            "train": kept.reports if kept else "given",
            "val": "given",
            "interval": len(kept.losses) if kept else 1,
            "val_batches": found.val_own.batches if found.shown[1] is None else found.shown[1].batches,
        },
        "training_text": _amount(found.train),
        "validation_text": _amount(found.val),
        "unseen_text": found.why,
        "by_value": found.by_value,
        "by_group": found.by_group,
        "unit": found.train.unit,
        "redrawn": [("train", "val")[k] for k in sorted(found.redrawn)],
        "drawn_alike": found.drawn_alike,
        "random": [("train", "val")[k] for k in sorted(found.random)],
        "as_taken": [("train", "val")[k] for k in sorted(found.as_taken)],
        "may_be_on": [("train", "val")[k] for k in sorted(found.may_be)],
        "in_training_alone": found.in_training_alone,
        "unlike": list(found.unlike),
        "losses": list(found.losses),
        "cut": found.cut,
        "masked": {"train": found.train.silent, "val": found.val_own.silent}
        if found.sides.val.objective in found.masked
        else {},
        "orders": "all" if found.plan.whole else "two opposite ones",
    }


BY_OBJECTIVE = {
    "mean": "as the objective averages, then over batches",
    "weighted": "as the objective averages, then over batches, weighted by their samples",
}


def _side(one: Condition, side: Side, found: Measurements, *, plain: bool) -> dict[str, Any]:
    also = " (plain ones where changed)" if plain else ""
    scalar = found.train.scalar or one.objective == found.sides.scalar
    return {
        "on": sorted(one.on), "precision": _precision(one.precision), "objective": called(side.objective),
        "mean_by": BY_OBJECTIVE.get(one.reduction, BY_OBJECTIVE["mean"]) if scalar else REDUCTIONS[one.reduction],
        "loader": f"batches of {type(side.batches).__name__}{also}", "plain": plain,
    }  # fmt: skip


def called(objective: Any) -> str:
    """Return what a function is called."""
    name = str(getattr(objective, "__qualname__", type(objective).__name__)).rpartition("<locals>.")[2]
    return cut(visible("a lambda" if name == "<lambda>" else name), LONGEST)


def _precision(autocast: torch.dtype | bool | None) -> str:
    if autocast is None:
        return "as the objective computes"
    if isinstance(autocast, bool):
        return "autocast" if autocast else "autocast off"
    return f"autocast {str(autocast).removeprefix('torch.')}"


def _amount(text: BatchReadings) -> str:
    part = "all of them" if text.complete else "a part of them"
    return f"{text.batches:,} batches ({part}), {text.samples:,} samples"


def sharpens(found: Measurements, some: list[Term]) -> list[str]:
    """Return the terms whose intervals more batches would narrow: those for which not all were read."""
    out = set() if found.replayed is None or found.replayed.half is None else {"lag"}
    out |= set() if found.train.complete else {"recency", "unseen", *found.sides.factors, "residual"}
    out |= set() if found.val.complete else {"unseen", "leak", "draw", "residual"}
    return [term.id for term in some if term.id in out and term.low is not None]


def notes(found: Measurements) -> list[str]:
    """Return what a reader should know of how much was read, and of what the units are."""
    texts = {"training": found.train, "validation": found.val}
    out = [
        f"only {text.batches:,} batches of the {name} side were read: the first of a loader that shuffles"
        for name, text in texts.items()
        if not text.complete
    ]
    whole = [name for name, text in texts.items() if text.unit == "batch"]
    scalar = all(texts[name].scalar for name in whole)
    if len(whole) == len(texts):
        gives = "give no loss a sample" if scalar else f"give {UNTOLD}"
        out.append(f"the objectives {gives}, so intervals are over batches")
    elif whole:
        gives = "no loss a sample" if scalar else UNTOLD
        out.append(f"the {whole[0]} side's objective gives {gives}, so its intervals are over batches")
    if found.overlap is not None and not found.overlap_whole:
        out.append(found.why)
    if found.overlap is None:
        out.append(f"leak is not told apart: {found.why}")
    return [*out, *found.notes]
