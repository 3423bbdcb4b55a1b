"""The ledger as plain data: what `diagnose loss-gap --json` prints, and what pages and the terminal are made of."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from diagnose.baselines import scoring
from diagnose.baselines.placement import standing
from diagnose.data.cache import cache_folder
from diagnose.gap import verdict
from diagnose.gap.sources.run_terms import GROUPS
from diagnose.runs import store
from diagnose.stats import combination

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.gap.sources.run_ledger import MatchedReadings, RunLedger
    from diagnose.gap.sources.run_reading import Ask
    from diagnose.gap.sources.run_terms import Term
    from diagnose.stats import Interval

FORMAT = 1
UNIT = "nats per token"


def record(ledger: RunLedger) -> dict[str, Any]:
    """Return a ledger's JSON object; keys are those of the design's table, and more."""
    finished = ledger.finished
    out = {
        "format": FORMAT,
        "run": str(finished.path),
        "page": None,
        "reported": {"train": finished.train, "val": finished.val, "unit": UNIT},
        "gap": ledger.gap,
        "terms": [_term(ledger, term) for term in ledger.terms],
        "groups": groups_of(
            {term.id: term.value or 0.0 for term in ledger.terms},
            {"timing": ledger.timing, "data": ledger.matched_data},
        ),
        "matched": _matched(ledger.matched),
        "matched_on": _matched(ledger.matched_on),
        "readings": readings(ledger),
        "bytes_per_token": bytes_per_token(ledger),
        "unseen": _unseen(ledger),
        "overlap": _overlap(ledger),
        "verified": asdict(ledger.verified) if ledger.verified else None,
        "conditions": _conditions(ledger),
        "budget": {
            "seconds": ledger.limit.seconds,
            "positions": ledger.limit.positions,
            "took": ledger.seconds,
            "sharpens": sharpens(ledger),
        },
        "where": ledger.where,
        "scale": _scale(ledger),
        "notes": list(ledger.notes),
    }
    return {**out, "verdict": verdict.sentence(out), "findings": verdict.findings(out)}


def groups_of(values: Mapping[str, float], spans: Mapping[str, Interval]) -> list[dict[str, Any]]:
    """Return the groups' sums, and each as a share of the sum of their absolute values.

    Args:
        values: of the terms, by id.
        spans: the groups whose sum has an interval.
    """
    sums = {group: math.fsum(values.get(term, 0.0) for term in terms) for group, terms in GROUPS.items()}
    total = math.fsum(abs(value) for value in sums.values()) or 1.0
    return [
        {"id": group, "value": value, "share": abs(value) / total, "low": span and span.low, "high": span and span.high}
        for group, value in sums.items()
        for span in [spans.get(group)]
    ]


def _term(ledger: RunLedger, term: Term) -> dict[str, Any]:
    out = {"id": term.id, "group": term.group, **{k: v for k, v in asdict(term).items() if k != "id"}}
    out["parts"] = list(term.parts)
    if term.id == "mode" and ledger.beside is not None:
        out["beside"] = {"text": "unseen", **_interval(ledger.beside)}
    if term.id == "leak" and ledger.data.difficulty is not None:
        out["beside"] = {"text": "the same documents for bigrams that saw neither", **_interval(ledger.data.difficulty)}
    return out


def _interval(found: Interval) -> dict[str, float | None]:
    return {"value": found.value, "low": found.low, "high": found.high}


def _matched(found: MatchedReadings) -> dict[str, float | None]:
    span = _interval(found.interval)
    return {
        "train": found.train,
        "val": found.val,
        "gap": found.interval.value,
        "low": span["low"],
        "high": span["high"],
    }


def readings(ledger: RunLedger) -> list[dict[str, Any]]:
    """Return the loss of each text with training mode off and on, all else alike."""
    sides, data = ledger.conditions.sides, ledger.data
    out = []
    for on in (False, True) if sides.kinds else (False,):
        ask = sides.alike(on=on)
        texts = {"training": ledger.conditions.alike(on=on), "validation": data.whole[ask]}
        if data.unseen is not None and not data.all_unseen:
            texts["unseen"] = data.unseen[ask]
        for text, reading in texts.items():
            found = combination([reading], [1.0])
            out.append({"text": text, "on": on, "documents": len(reading.documents), **_interval(found)})
    return out


def _scale(ledger: RunLedger) -> dict[str, Any] | None:
    """Return where the run's loss on the whole scored text lies among yardsticks of that text."""
    text, path = ledger.finished.setup.text, ledger.finished.path
    rows = store.read_columns(path, "readings", ("kind", "nats", "bytes"))
    final = [(nats, size) for kind, nats, size in zip(*rows.values(), strict=True) if kind == "final" and size]
    if not final:
        return None
    nats, size = final[-1]
    found = scoring.yardsticks(text.corpus, text.split, cache_folder(), scoring.QUICK)
    where = standing(nats / math.log(2) / size, found)
    return None if where is None else where.record()


def sharpens(ledger: RunLedger) -> list[str]:
    """Return the terms whose intervals more text would narrow: those for which not all of it was read."""
    chosen = ledger.conditions.chosen
    out = {"lag"} if ledger.lag.half is not None else set()
    if len(chosen.steps) < chosen.of:
        out |= {"recency", "unseen", *ledger.conditions.sides.players}
    if not ledger.data.complete:
        out |= {"unseen", "leak", "draw"}
    return [term.id for term in ledger.terms if term.id in out and term.low is not None]


def bytes_per_token(ledger: RunLedger) -> float | None:
    """Return the UTF-8 bytes of a target of the scored text, which turns nats per token into bits per byte."""
    setup = ledger.finished.setup
    scored = setup.text.split.scored
    starts = setup.text.stream.starts
    targets = int((starts[scored + 1] - starts[scored]).sum())
    return float(setup.scored_bytes().sum() / targets) if targets else None


def _overlap(ledger: RunLedger) -> dict[str, Any]:
    seen = ledger.data.seen
    return {
        "val_documents": len(seen.documents), "exact": int(seen.exact.sum()), "near": int(seen.near.sum()),
        "window_share": float(seen.share.mean()) if len(seen.share) else 0.0,
        "split": ledger.finished.recipe.data.split, "reserve_documents": ledger.data.reserve,
    }  # fmt: skip


def _unseen(ledger: RunLedger) -> dict[str, Any] | None:
    """Return the loss on unseen text under validation's condition."""
    if ledger.data.unseen is None:
        return None
    sides = ledger.conditions.sides
    reading = ledger.data.unseen[sides.val]
    loss = reading.mean + sides.penalties[1]
    spelled = ledger.data.unseen[replace(sides.val, marked=True)].mean / loss if sides.words else None
    return {"loss": loss, "documents": len(reading.documents), "what": ledger.data.why, "spelled_share": spelled}


def _conditions(ledger: RunLedger) -> dict[str, Any]:
    sides, chosen = ledger.conditions.sides, ledger.conditions.chosen
    report = ledger.finished.recipe.report
    return {
        "train": _side(sides.train, sides.penalties[0]) | {"loader": ledger.finished.setup.course.layout.loader},
        "val": _side(sides.val, sides.penalties[1]) | {"loader": ledger.finished.setup.validation.loader},
        "differ": list(sides.players),
        "kinds": list(sides.kinds),
        "reports": {
            "train": report.train,
            "val": report.val,
            "interval": report.interval,
            "val_batches": report.val_batches,
        },
        "training_text": {"steps": [step + 1 for step in chosen.steps], "of": chosen.of, "masks": chosen.turns},
        "validation_text": "whole" if ledger.data.complete else "a sample of its rows",
        "unseen_text": ledger.data.why,
        "precision": sides.val.run.precision,
    }


def _side(ask: Ask, penalty: float) -> dict[str, Any]:
    return {
        "on": sorted(ask.run.on or ()), "precision": ask.run.precision, "label_smoothing": ask.smoothing,
        "weight_decay_in_loss": penalty, "padding": ask.way.padding, "mean_by": ask.way.level,
    }  # fmt: skip


def compared(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the second ledger with what differs from the first, term by term."""
    first = {term["id"]: term["value"] for term in before["terms"]}
    rows = [
        {"id": term["id"], "before": first.get(term["id"]), "after": term["value"],
         "difference": (term["value"] or 0.0) - (first.get(term["id"]) or 0.0)}
        for term in after["terms"]
    ]  # fmt: skip
    gap = {"before": before["gap"], "after": after["gap"], "difference": after["gap"] - before["gap"]}
    return {**after, "against": {"run": before["run"], "gap": gap, "terms": rows}}
