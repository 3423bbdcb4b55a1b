"""The terms of the ledger: differences of consecutive readings, so that they telescope whatever was read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from diagnose.formatting import counted, estimate
from diagnose.gap.sources import run_conditions, run_data, run_difficulty
from diagnose.gap.sources.run_reading import in_units
from diagnose.stats import Interval, combination

if TYPE_CHECKING:
    from diagnose.gap.sources.run import FinishedRun
    from diagnose.gap.sources.run_conditions import RunConditions, RunSides
    from diagnose.gap.sources.run_data import ValidationReadings
    from diagnose.gap.sources.run_replay import Lag, VerifiedInterval
    from diagnose.stats import Reading

GROUPS = {
    "timing": ("lag", "recency"),
    "conditions": (*run_conditions.PLAYERS, "batching", "weights"),  # the last two of two sides alone
    "data": ("unseen", "leak"),
    "chance": ("draw",),
    "unexplained": ("residual",),
}
GROUP_OF = {term: group for group, terms in GROUPS.items() for term in terms}


@dataclass(frozen=True)
class Term:
    """One term of the ledger.

    Attributes:
        id: as the design names it.
        value: nats per token; None where it cannot be had.
        low, high: 95 % interval; None where the value is exact or has none (see `basis`).
        order_low, order_high: smallest and largest effect over the orders of changing the conditions.
        parts: what divides the value, each with its own interval; not summed again.
        basis: what the value stands on, or why there is none.
        how: how it was measured.
    """

    id: str
    value: float | None
    low: float | None = None
    high: float | None = None
    order_low: float | None = None
    order_high: float | None = None
    parts: tuple[dict[str, Any], ...] = ()
    basis: str = ""
    how: str = ""

    @property
    def group(self) -> str:
        """The group that the term belongs to."""
        return GROUP_OF[self.id]


def terms(
    finished: FinishedRun,
    delayed: Lag,
    measured: RunConditions,
    read: ValidationReadings,
    verified: VerifiedInterval | None,
    positions: int,
    unit: int,
) -> tuple[Interval, tuple[Term, ...]]:
    """Return `lag` + `recency` with its interval, and all terms in the ledger's order."""
    retrained = verified.train if verified else finished.train
    final = finished.train + delayed.value
    own = in_units(delayed.reading, unit)
    recency = _shifted([own, measured.start], [-1.0, 1.0], measured.value(frozenset()) - final)
    lag_value = final - retrained
    half = delayed.half
    lag = Term(
        "lag", lag_value, _minus(lag_value, half), _plus(lag_value, half), basis=_lag_basis(delayed),
        how="the final weights on the very batches and dropout masks of the logged losses, minus what was logged",
    )  # fmt: skip
    timing = _sum_of(recency, lag_value, half)
    divided = run_difficulty.parts(finished, measured, own, recency, positions, unit)
    terms = [
        lag,
        _recency(finished, measured, recency, divided),
        *(_condition(measured, p) for p in run_conditions.PLAYERS),
    ]
    terms += [*data_terms(measured, read), _draw(finished, measured.sides, read), _residual(finished, read, verified)]
    return timing, tuple(terms)


def _minus(value: float, half: float | None) -> float | None:
    return None if half is None else value - half


def _plus(value: float, half: float | None) -> float | None:
    return None if half is None else value + half


def _shifted(readings: list[Reading], factors: list[float], value: float) -> Interval:
    """Return the combination's interval around a value that may hold constants besides."""
    found = combination(readings, factors)
    if found.low is None or found.high is None:
        return Interval(value, None, None, None, None)
    return Interval(value, value - found.value + found.low, value - found.value + found.high, found.se, found.df)


def _sum_of(recency: Interval, lag: float, half: float | None) -> Interval:
    """Return lag + recency; where the lag was sampled its chance and recency's add up as squares."""
    value = recency.value + lag
    if recency.low is None or recency.high is None:
        return Interval(value, None, None, None, None)
    wide = ((recency.high - recency.value) ** 2 + (half or 0.0) ** 2) ** 0.5
    return Interval(value, value - wide, value + wide, recency.se, recency.df)


def _lag_basis(delayed: Lag) -> str:
    if delayed.half is None:
        return f"exact: {counted(delayed.steps, 'step')} read again"
    return f"a sample: {delayed.steps} of {delayed.averaged} steps read again"


def _recency(
    finished: FinishedRun, measured: RunConditions, found: Interval, divided: tuple[dict[str, Any], ...]
) -> Term:
    chosen = measured.chosen
    if chosen.same:
        basis = f"no earlier steps: {counted(len(chosen.steps), 'step')} of the same text under redrawn masks"
    else:
        basis = (
            f"{counted(len(chosen.steps), 'step')} drawn from the {chosen.of:,} before step {finished.earlier + 1:,}"
        )
    how = "batches of earlier steps, drawn by the same loader, minus the batches of the logged losses; final weights"
    return Term("recency", found.value, found.low, found.high, parts=divided, basis=basis, how=how)


CONDITION_WORDS = {
    "mode": "what training mode switches on: on → off",
    "objective": "what training minimises → what validation reports",
    "precision": "autocast of training → of validation",
    "reduction": "training's average over targets → validation's",
    "collation": "training documents cut as training cuts them → as validation cuts its own",
}


def _condition(measured: RunConditions, player: str) -> Term:
    sides = measured.sides
    if player not in sides.players:
        return Term(player, 0.0, basis=f"exact: {_same(sides, player)}", how=CONDITION_WORDS[player])
    found, low, high = measured.term(player)
    parts: tuple[dict[str, Any], ...] = ()
    if player == "mode":
        alone = measured.alone()
        parts = tuple(
            {"id": k, "value": v.value, "low": v.low, "high": v.high, "alone": alone[k]}
            for k, v in measured.parts().items()
        )
        if not parts and len(sides.kinds) == 1:
            parts = ({"id": sides.kinds[0], "value": found.value, "low": found.low, "high": found.high},)
    number = len(measured.start.documents)
    basis = (
        f"the training text, paired by document ({counted(number, 'document')}); Shapley value of {len(sides.players)}"
    )
    how = CONDITION_WORDS[player] + _more(sides, player)
    return Term(player, found.value, found.low, found.high, low, high, parts, basis, how)


def _same(sides: RunSides, player: str) -> str:
    if player == "mode" and not sides.kinds:
        return "the network does the same in both modes"
    return "the same on both sides"


def _more(sides: RunSides, player: str) -> str:
    said = {
        "mode": f" ({', '.join(sides.kinds)})",
        "objective": f" (label smoothing {sides.train.smoothing:g} → {sides.val.smoothing:g}, "
        f"weight decay in the loss {sides.penalties[0]:.3g} → {sides.penalties[1]:.3g} nats)",
        "precision": f" ({sides.train.run.precision} → {sides.val.run.precision})",
        "reduction": f" (padding {sides.train.way.padding}, mean by {sides.train.way.level} → "
        f"padding {sides.val.way.padding}, mean by {sides.val.way.level})",
        "collation": f" ({'; '.join(sides.collation)})",
    }
    return said[player]


def data_terms(measured: RunConditions, read: ValidationReadings) -> list[Term]:
    """Return `unseen` and `leak`."""
    val = measured.sides.val
    end, whole = measured.end, read.whole[val]
    how = "unseen text minus training text, both under validation's conditions"
    how_leak = "the whole validation text minus its unseen text, both under validation's conditions"
    if read.unseen is None:
        found = combination([end, whole], [-1.0, 1.0])
        reason = f"{read.why}: this is unseen and leak together, validation text minus training text"
        return [
            Term("unseen", found.value, found.low, found.high, basis=reason, how=how),
            Term("leak", None, basis=f"{read.why}: given together with unseen", how=how_leak),
        ]
    unseen = combination([end, read.unseen[val]], [-1.0, 1.0])
    parts = _by_words(measured, read)
    first = Term("unseen", unseen.value, unseen.low, unseen.high, parts=parts, basis=read.why, how=how)
    if read.all_unseen:
        return [first, Term("leak", 0.0, basis=f"exact: {read.why}", how=how_leak)]
    leak = combination([read.unseen[val], whole], [-1.0, 1.0])
    basis = f"{_overlap(read)}; a difference between documents, so it holds their difficulty too{_bound(read)}"
    return [first, Term("leak", leak.value, leak.low, leak.high, basis=basis, how=how_leak)]


def _by_words(measured: RunConditions, read: ValidationReadings) -> tuple[dict[str, Any], ...]:
    """Divide `unseen` into words with a token and words that are spelled out."""
    val, end = measured.sides.val, measured.end
    spelled = measured.end_spelled
    if spelled is None or read.unseen is None:
        return ()
    unseen, unseen_spelled = read.unseen[val], read.unseen[replace(val, marked=True)]
    if not unseen_spelled.nats.any():
        return ()
    known = combination([end, spelled, unseen, unseen_spelled], [-1.0, 1.0, 1.0, -1.0])
    rest = combination([spelled, unseen_spelled], [-1.0, 1.0])
    names = {"words with a token": known, "words spelled out": rest}
    return tuple({"id": name, "value": v.value, "low": v.low, "high": v.high} for name, v in names.items())


def mode_on_unseen(measured: RunConditions, read: ValidationReadings) -> Interval | None:
    """Return what switching off what training mode switches on does on unseen text; None where there is none."""
    if read.unseen is None or not measured.sides.kinds:
        return None
    on, off = run_data.beside(measured.sides)
    return combination([read.unseen[on], read.unseen[off]], [-1.0, 1.0])


def _bound(read: ValidationReadings) -> str:
    found = read.difficulty
    if found is None:
        return ""
    return f" (for bigrams that saw neither: {estimate(found.value, found.low, found.high, difference=True)})"


def _overlap(read: ValidationReadings) -> str:
    seen = read.seen
    exact, near, number = int(seen.exact.sum()), int(seen.near.sum()), len(seen.documents)
    return f"of {number:,} validation documents {exact:,} occur in the training text and {near:,} nearly so"


def _draw(finished: FinishedRun, sides: RunSides, read: ValidationReadings) -> Term:
    whole = read.whole[sides.val]
    value = read.replayed - whole.mean - sides.penalties[1]
    table = finished.recipe.report
    if table.val == "full":
        return Term(
            "draw", value, basis="exact: the whole validation text is reported", how="the reported reading itself"
        )
    how = "the reported batch minus the whole validation text, both under validation's conditions"
    drawn = bool(sides.val.run.on)
    if read.complete and not drawn:
        batches = counted(table.val_batches, "batch", "batches")
        return Term("draw", value, basis=f"exact: {batches} against all validation text", how=how)
    found = _shifted([whole], [-1.0], value)
    basis = "rows of the validation text drawn at random" if not read.complete else "dropout masks drawn anew"
    return Term("draw", value, found.low, found.high, basis=basis, how=how)


def _residual(finished: FinishedRun, read: ValidationReadings, verified: VerifiedInterval | None) -> Term:
    validation = finished.val - read.replayed
    how = "what was logged minus what reading (validation) or training (the last interval) it again gives"
    if verified is None:
        return Term("residual", validation, basis="validation recomputed; training not checked", how=how)
    exact = "bit for bit" if not verified.differing and verified.weights else f"within {verified.largest:.1e}"
    said = f"validation recomputed; the last {counted(verified.steps, 'step')} trained again: {exact}"
    if not verified.whole:
        said += "; earlier steps that the reported loss averages were not"
    return Term("residual", validation + (verified.train - finished.train), basis=said, how=how)
