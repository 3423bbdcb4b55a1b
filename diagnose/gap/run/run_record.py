"""The record of a run's ledger: the engine's terms, and the parts, words and keys that only a run of ours can add.

None of these changes a term's value.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from diagnose.baselines import scoring
from diagnose.baselines.placement import standing
from diagnose.data.cache import cache_folder
from diagnose.formatting import counted, estimate
from diagnose.gap.conditions import FACTORS
from diagnose.gap.record import record, shared_samples, terms, unseen_loss
from diagnose.gap.reported import ReportedLosses
from diagnose.gap.run import run_difficulty, run_places
from diagnose.gap.run.run_conditions import marked
from diagnose.gap.run.run_measure import measure
from diagnose.gap.term import interval_record
from diagnose.records.ledgers import Against, GapChange, TermChange
from diagnose.runs import run_tables
from diagnose.stats import combination

if TYPE_CHECKING:
    from diagnose.gap.conditions import Condition
    from diagnose.gap.run.run import FinishedRun
    from diagnose.gap.run.run_measure import MeasuredRun
    from diagnose.gap.term import Term
    from diagnose.records.ledgers import LedgerRecord

UNIT = "nats per token"
PLACES_SHARE = 0.15  # of the budget that is left, for losses by place


def ledger(
    finished: FinishedRun, *, budget: float | str | None = None, verify: bool = False, places: bool = False
) -> LedgerRecord:
    """Return a run's ledger, with `places` where in the text losses lie; see `run_gap.loss_gap`."""
    begun = time.monotonic()
    run = measure(finished, budget=budget, verify=verify)
    given = ReportedLosses(finished.train, finished.val, (True, True))
    some = [detailed(run, term) for term in terms(run.found, given)]
    share = run.left.share(PLACES_SHARE / 2, 1)
    where = run_places.measure(finished, run.setting, (share, share), run.unit) if places else None
    run = replace(run, found=replace(run.found, seconds=time.monotonic() - begun))
    allowed = {"seconds": run.limit.seconds, "positions": run.limit.positions}
    return record(run.found, given, some, allowed, own(run) | {"where": where})


def detailed(run: MeasuredRun, term: Term) -> Term:
    """Return a term with the parts and words that its run adds."""
    if term.id in FACTORS and term.id in run.found.sides.factors:
        return replace(term, how=f"{term.how} ({_changed(run, term.id)})")
    if term.id == "recency":
        return replace(term, basis=_drawn(run), parts=run_difficulty.parts(run, term))
    if term.id == "unseen":
        return replace(term, parts=_by_words(run))
    if term.id == "residual":
        return replace(term, parts=())  # training's is 0, or said in words
    if term.id == "leak" and term.low is not None:
        difficulty = run.data.difficulty
        beside = None if difficulty is None else _harder(interval_record(difficulty))
        return replace(term, basis=f"{_shared(run)}; {term.basis}{_bound(run)}", beside=beside)
    return term


def _harder(found: dict[str, float | None]) -> dict[str, Any]:
    return {"text": "the same documents for bigrams that saw neither", **found}


def _changed(run: MeasuredRun, factor: str) -> str:
    """Say what a factor is on either side."""
    train, val = run.found.sides.train, run.found.sides.val
    changes = {
        "mode": ", ".join(run.found.sides.kinds),
        "objective": f"label smoothing {train.objective.smoothing:g} → {val.objective.smoothing:g}, "
        f"weight decay in the loss {train.objective.penalty:.3g} → {val.objective.penalty:.3g} nats",
        "precision": f"{train.precision} → {val.precision}",
        "reduction": f"padding {train.reduction.padding}, mean by {train.reduction.level} → "
        f"padding {val.reduction.padding}, mean by {val.reduction.level}",
        "collation": "; ".join(run.setting.collation),
    }
    return changes[factor]


def _drawn(run: MeasuredRun) -> str:
    steps = counted(len(run.chosen.steps), "step")
    if run.chosen.same:
        return f"no earlier steps: {steps} of the same text under redrawn masks"
    return f"{steps} drawn from the {run.chosen.of:,} before step {run.finished.earlier + 1:,}"


def _by_words(run: MeasuredRun) -> tuple[dict[str, Any], ...]:
    """Divide `unseen` into words with a token and words that are spelled out."""
    end, unseen = run.found.sides.end, run.data.unseen
    if not run.setting.words or unseen is None or not unseen[marked(end)].nats.any():
        return ()
    train = run.found.train.readings
    some = [train[end], train[marked(end)], unseen[end], unseen[marked(end)]]
    names = {"words with a token": combination(some, [-1.0, 1.0, 1.0, -1.0]),
             "words spelled out": combination([some[1], some[3]], [-1.0, 1.0])}  # fmt: skip
    return tuple({"id": name, **interval_record(value)} for name, value in names.items())


def _bound(run: MeasuredRun) -> str:
    difficulty = run.data.difficulty
    if difficulty is None:
        return ""
    figure = estimate(difficulty.value, difficulty.low, difficulty.high, difference=True)
    return f" (for bigrams that saw neither: {figure})"


def _shared(run: MeasuredRun) -> str:
    seen = run.data.seen
    exact, near, number = int(seen.exact.sum()), int(seen.near.sum()), len(seen.documents)
    return f"of {number:,} validation documents {exact:,} occur in the training text and {near:,} nearly so"


def own(run: MeasuredRun) -> dict[str, Any]:
    """Return the keys of the ledger's record that only a run of ours has, and those that it says otherwise."""
    finished = run.finished
    return {
        "kind": "run",
        "run": str(finished.path),
        "reported": {"train": finished.train, "val": finished.val, "unit": UNIT, "given": [True, True]},
        "bytes_per_token": bytes_per_token(run),
        "unseen": _unseen(run),
        "overlap": _overlap(run),
        "conditions": _conditions(run),
        "scale": _scale(run),
    }


def bytes_per_token(run: MeasuredRun) -> float | None:
    """Return the UTF-8 bytes of a target of the scored text, which turns nats per token into bits per byte."""
    setup = run.finished.setup
    scored = setup.text.split.scored
    starts = setup.text.stream.starts
    targets = int((starts[scored + 1] - starts[scored]).sum())
    return float(setup.scored_bytes().sum() / targets) if targets else None


def _unseen(run: MeasuredRun) -> dict[str, Any] | None:
    """Return the loss on unseen text, and how much of it is spent on words without a token."""
    out, end = unseen_loss(run.found), run.found.sides.end
    if out is None or run.data.unseen is None:
        return None
    spelled = run.data.unseen[marked(end)].mean / out["loss"] if run.setting.words else None
    return out | {"spelled_share": spelled}


def _overlap(run: MeasuredRun) -> dict[str, Any]:
    of_run = {"split": run.finished.recipe.data.split, "reserve_documents": run.data.reserve}
    return shared_samples(run.data.seen) | of_run


def _conditions(run: MeasuredRun) -> dict[str, Any]:
    sides, chosen, setup = run.found.sides, run.chosen, run.finished.setup
    report = run.finished.recipe.report
    return {
        "train": _side(sides.train) | {"loader": setup.course.layout.loader},
        "val": _side(sides.val) | {"loader": setup.validation.loader},
        "differ": list(sides.factors),
        "kinds": list(sides.kinds),
        "reports": {
            "train": report.train,
            "val": report.val,
            "interval": report.interval,
            "val_batches": report.val_batches,
        },
        "training_text": {"steps": [step + 1 for step in chosen.steps], "of": chosen.of, "masks": chosen.turns},
        "validation_text": "whole" if run.data.whole.complete else "a sample of its rows",
        "unseen_text": run.data.why,
        "precision": sides.val.precision,
    }


def _side(one: Condition) -> dict[str, Any]:
    return {
        "on": sorted(one.on or ()), "precision": one.precision, "label_smoothing": one.objective.smoothing,
        "weight_decay_in_loss": one.objective.penalty, "padding": one.reduction.padding,
        "mean_by": one.reduction.level,
    }  # fmt: skip


def _scale(run: MeasuredRun) -> dict[str, Any] | None:
    """Return where the run's loss on the whole scored text lies among yardsticks of that text."""
    text, path = run.finished.setup.text, run.finished.path
    rows = run_tables.read_columns(path, "readings", ("kind", "nats", "bytes"))
    final = [(nats, size) for kind, nats, size in zip(*rows.values(), strict=True) if kind == "final" and size]
    if not final:
        return None
    nats, size = final[-1]
    yardsticks = scoring.yardsticks(text.corpus, text.split, cache_folder(), scoring.QUICK)
    where = standing(nats / math.log(2) / size, yardsticks)
    return None if where is None else where.record()


def compared(before: LedgerRecord, after: LedgerRecord) -> LedgerRecord:
    """Return the second ledger with what differs from the first, term by term."""
    first = {term.id: term.value for term in before.terms}
    rows = tuple(
        TermChange(
            id=term.id, before=first.get(term.id), after=term.value,
            difference=(term.value or 0.0) - (first.get(term.id) or 0.0),
        )
        for term in after.terms
    )  # fmt: skip
    gap = GapChange(before=before.gap, after=after.gap, difference=after.gap - before.gap)
    return after.model_copy(update={"against": Against(run=before.run, gap=gap, terms=rows)})
