"""Which conditions differ between two sides, and which readings of the training batches divide their effect.

Factors are conditions that differ; atoms are what a reading changes at a time: the factors, with `mode` divided into
its kinds. With few atoms every combination is read and each factor gets its Shapley value, its kinds their Owen values.
With more, two opposite orders are read and averaged: the same where no more than two conditions interact, and it still
sums.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from diagnose.gap.term import DROPOUTS
from diagnose.gap.term_kinds import KINDS
from diagnose.stats.shapley import Coalition, owen, shapley

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from diagnose.gap.side import Side

MOST_PASSES = 8
FIELD = {kind.id: kind.field for kind in KINDS if kind.field}  # of `Condition`, that a factor changes
FACTORS = tuple(FIELD)
BY_BATCH = ("batch", "weighted")  # averages that depend on how elements are batched


@dataclass(frozen=True)
class Condition:
    """How a loss is taken. What an objective, a precision and a reduction are is the source's matter.

    Attributes:
        on: the kinds of training mode that are on.
        objective: what is computed: of two sides, 0 for the training side's and 1 for the validation side's.
        precision: as the source names it; of two sides, as `Side.autocast`.
        reduction: how losses of elements become one; of two sides, as in `Side`.
        plain: whether the batches are the side's `plain` ones; batching: whether training's are in validation's sizes.
        weights: which model is read: 0 the one handed over, 1 training's own, 2 validation's own.
    """

    on: frozenset[str]
    objective: Any
    precision: Any
    reduction: Any
    plain: bool = False
    batching: bool = False
    weights: int = 0

    @property
    def run(self) -> tuple[Hashable, ...]:
        """What a forward pass through a user's objective depends on: conditions that share it share their passes."""
        return self.on, self.objective, self.precision, self.weights


@dataclass(frozen=True)
class SideConditions:
    """Both conditions.

    Attributes:
        train, val: each side's; both of plain batches where the training side has them.
        kinds: what training mode switches on.
        factors: what differs, in the ledger's order.
        collation: whether the training side has plain batches, and the validation side.
        end: validation's condition, but averaged over all elements where its own average depends on the batches: what
            data are compared under. What the average does to validation's own batches is `reduction` too.
        mixed: whether a loss depends on the other samples of its batch.
        objective: what both losses are matched under; None for validation's own.
        bound: whether one side's objective reads another model than the one handed over, so that both change together.
        scalar: which objective alone gives one number a batch: a mean over elements is one over samples there.
    """

    train: Condition
    val: Condition
    kinds: tuple[str, ...]
    factors: tuple[str, ...]
    collation: tuple[bool, bool]
    end: Condition
    mixed: bool = False
    objective: Any = None
    bound: bool = False
    scalar: int | None = None

    @property
    def together(self) -> bool:
        """Whether the samples of a batch may move together under validation's condition."""
        return self.moves(self.val.on)

    def moves(self, on: Iterable[str]) -> bool:
        """Say whether samples of a batch may move together with that much of training mode on.

        Dropout draws for each sample by itself; a batch norm, or what is not known, may not.
        """
        return self.mixed or not DROPOUTS.issuperset(on)

    def condition(self, changed: Coalition) -> Condition:
        """Return training's condition with these atoms on validation's side."""
        some = changed & FIELD.keys()
        if self.bound:  # each objective reads its own model
            some = some - {"objective"} | ({"objective"} if "weights" in changed else set())
        new: dict[str, Any] = {FIELD[factor]: getattr(self.end, FIELD[factor]) for factor in some}
        kinds = (self.train.on - changed) | (self.end.on & changed)
        out = replace(self.train, **{"on": kinds} | new)
        over_samples = out.objective == self.scalar and out.reduction == "mean"
        return replace(out, reduction="weighted") if over_samples else out

    def matched(self, *, on: bool) -> Condition:
        """Return the condition that both losses are matched under, with training mode on or off."""
        objective = self.end.objective if self.objective is None else self.objective
        return replace(self.end, on=frozenset(self.kinds) if on else frozenset(), objective=objective)


def sides(
    train: Side,
    val: Side,
    kinds: Sequence[str],
    *,
    batching: bool = False,
    mixed: bool = False,
    scalar: tuple[bool, bool] = (False, False),
    bound: bool = False,
) -> SideConditions:
    """Return both sides' conditions and what differs between them.

    Args:
        train: the training side.
        val: the validation side.
        kinds: what training mode switches on.
        batching: whether training's batches are composed anew as validation's.
        mixed: whether a loss depends on the other samples of its batch.
        scalar: whether training's and validation's objective give one number a batch.
        bound: whether one side's objective reads another model than the one handed over.
    """
    modes = [frozenset(kinds) if (side.mode or default) == "train" else frozenset[str]()
             for side, default in ((train, "train"), (val, "eval"))]  # fmt: skip
    objective = 0 if val.objective == train.objective else 1
    collation = (train.plain is not None, val.plain is not None)
    weights = _weights(train, val)
    alone = None if scalar[0] == scalar[1] or not objective else scalar.index(True)
    of_train, of_val = (
        "batch" if k == alone and side.reduction == "mean" else side.reduction for k, side in enumerate((train, val))
    )
    first = Condition(modes[0], 0, train.autocast, of_train, weights=weights[0])
    second = Condition(
        modes[1], objective, val.autocast, of_val, plain=collation[0], batching=batching, weights=weights[1]
    )
    end = replace(second, reduction=_apart(of_val, mixed=mixed, scalar=scalar[1]))
    factors = tuple(factor for factor in differing(first, end) if not (bound and factor == "objective"))
    return SideConditions(first, second, tuple(kinds), factors, collation, end, mixed, bound=bound, scalar=alone)


def differing(train: Condition, end: Condition) -> tuple[str, ...]:
    """Return the factors in which two conditions differ, in the ledger's order."""
    return tuple(factor for factor, name in FIELD.items() if getattr(train, name) != getattr(end, name))


def _weights(train: Side, val: Side) -> tuple[int, int]:
    """Return which model each side is read with: 0 the one handed over, 1 training's own, 2 validation's own."""
    first = 0 if train.model is None else 1
    return first, 0 if val.model is None else first if val.model is train.model else 2


def _apart(reduction: str, *, mixed: bool, scalar: bool) -> str:
    """Return the average that does not depend on how elements are batched, if this one does."""
    if scalar:
        return reduction if reduction == "sum" or mixed else "weighted"
    return "mean" if reduction in BY_BATCH else reduction


@dataclass(frozen=True)
class ReadingPlan:
    """What is read of the training batches, and what each reading counts in each factor's value.

    Attributes:
        coefficients: by factor and by kind of `mode`, the coefficient of each coalition of atoms.
        conditions: every condition to read.
        whole: whether all combinations are read; else two opposite orders.
    """

    coefficients: Mapping[str, Mapping[Coalition, float]]
    conditions: tuple[Condition, ...]
    whole: bool


def plan(
    found: SideConditions, most: int = MOST_PASSES, run_of: Callable[[Condition], Hashable] = lambda c: c.run
) -> ReadingPlan:
    """Return the most telling plan that takes at most `most` passes over training batches.

    All combinations with `mode` divided by kind; else all without; else two opposite orders.

    Args:
        found: what differs.
        most: passes.
        run_of: what a forward pass depends on.
    """
    divided = "mode" in found.factors and len(found.kinds) > 1
    plans = [_lattice(found, divide=True)] if divided else []
    plans += [_lattice(found, divide=False), _orders(found)]
    return next((option for option in plans if passes(option.conditions, run_of) <= most), plans[-1])


def passes(conditions: Sequence[Condition], run_of: Callable[[Condition], Hashable] = lambda c: c.run) -> int:
    """Return how often a batch runs through the model for these conditions."""
    return len({(run_of(condition), condition.plain, condition.batching) for condition in conditions})


def _lattice(found: SideConditions, *, divide: bool) -> ReadingPlan:
    kinds = found.kinds if divide else ()
    coefficients: dict[str, dict[Coalition, float]] = {}
    for factor in found.factors:
        table = shapley(found.factors, factor)
        coefficients[factor] = {_atoms(changed, kinds): coefficient for changed, coefficient in table.items()}
    for kind in kinds:
        divided = owen(found.factors, "mode", kinds, kind)
        coefficients[kind] = {others | changed: coefficient for (others, changed), coefficient in divided.items()}
    read = {coalition for table in coefficients.values() for coalition in table} | _ends(found)
    return ReadingPlan(coefficients, _asked(found, read), whole=True)


def _atoms(changed: Coalition, kinds: Sequence[str]) -> Coalition:
    return (changed - {"mode"}) | set(kinds) if kinds and "mode" in changed else changed


def _orders(found: SideConditions) -> ReadingPlan:
    coefficients: dict[str, dict[Coalition, float]] = defaultdict(lambda: defaultdict(float))
    for order in (found.factors, found.factors[::-1]):
        for place, factor in enumerate(order):
            before = frozenset(order[:place])
            coefficients[factor][before | {factor}] += 0.5
            coefficients[factor][before] -= 0.5
    read = {coalition for table in coefficients.values() for coalition in table} | _ends(found)
    return ReadingPlan(
        {factor: dict(table) for factor, table in coefficients.items()}, _asked(found, read), whole=False
    )


def _ends(found: SideConditions) -> set[Coalition]:
    return {frozenset(), frozenset(found.factors)}


def _asked(found: SideConditions, coalitions: set[Coalition]) -> tuple[Condition, ...]:
    some = [found.condition(changed) for changed in sorted(coalitions, key=lambda c: (len(c), sorted(c)))]
    return tuple(dict.fromkeys([*some, found.matched(on=False), found.matched(on=True)]))
