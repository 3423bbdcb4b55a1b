"""Which conditions differ between two sides, and which readings of the training batches divide their effect.

Players are conditions that differ; atoms are what a reading changes at a time: the players, with `mode` divided into
its kinds. With few atoms every combination is read and each player gets its Shapley value, its kinds their Owen values.
With more, two opposite orders are read and averaged: the same where no more than two conditions interact, and it still
sums.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from diagnose.gap.readings import Condition
from diagnose.stats.shapley import Coalition, owen, shapley, subsets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diagnose.gap.side import Side

MOST_PASSES = 8
PLAYERS = ("mode", "objective", "precision", "reduction", "collation")


@dataclass(frozen=True)
class SideConditions:
    """Both conditions.

    Attributes:
        train, val: each side's; both of plain batches where the training side has them.
        kinds: what training mode switches on.
        players: what differs, in the ledger's order.
        collation: whether the training side has plain batches, and the validation side.
    """

    train: Condition
    val: Condition
    kinds: tuple[str, ...]
    players: tuple[str, ...]
    collation: tuple[bool, bool]

    def condition(self, changed: Coalition) -> Condition:
        """Return training's condition with these atoms on validation's side."""
        val, train = self.val, self.train
        mode = "mode" in changed
        return Condition(
            val.on if mode else (train.on - changed) | (val.on & changed),
            (val if "objective" in changed else train).objective,
            (val if "precision" in changed else train).autocast,
            (val if "reduction" in changed else train).reduction,
            "collation" in changed,
        )

    def alike(self, *, on: bool) -> Condition:
        """Return validation's condition with training mode on or off."""
        return replace(self.val, on=frozenset(self.kinds) if on else frozenset())


def sides(train: Side, val: Side, kinds: Sequence[str]) -> SideConditions:
    """Return both sides' conditions and what differs between them."""
    modes = [frozenset(kinds) if (side.mode or default) == "train" else frozenset[str]()
             for side, default in ((train, "train"), (val, "eval"))]  # fmt: skip
    own = 0 if val.objective == train.objective else 1
    collation = (train.plain is not None, val.plain is not None)
    first = Condition(modes[0], 0, train.autocast, train.reduction)
    second = Condition(modes[1], own, val.autocast, val.reduction, plain=collation[0])
    differs = {
        "mode": modes[0] != modes[1],
        "objective": own == 1,
        "precision": train.autocast != val.autocast,
        "reduction": train.reduction != val.reduction,
        "collation": collation[0],
    }
    return SideConditions(first, second, tuple(kinds), tuple(p for p in PLAYERS if differs[p]), collation)


@dataclass(frozen=True)
class ReadingPlan:
    """What is read of the training batches, and what each reading counts in each player's value.

    Attributes:
        factors: by player and by kind of `mode`, the factor of each coalition of atoms.
        conditions: every condition to read.
        whole: whether all combinations are read; else two opposite orders.
    """

    factors: Mapping[str, Mapping[Coalition, float]]
    conditions: tuple[Condition, ...]
    whole: bool


def plan(found: SideConditions, most: int = MOST_PASSES) -> ReadingPlan:
    """Return the most telling plan that takes at most `most` passes over training batches.

    All combinations with `mode` divided by kind; else all without; else two opposite orders.
    """
    divided = "mode" in found.players and len(found.kinds) > 1
    plans = [_lattice(found, divide=True)] if divided else []
    plans += [_lattice(found, divide=False), _orders(found)]
    return next((one for one in plans if passes(one.conditions) <= most), plans[-1])


def passes(conditions: Sequence[Condition]) -> int:
    """Return how often a batch runs through the model for these conditions."""
    return len({(condition.run, condition.plain) for condition in conditions})


def _lattice(found: SideConditions, *, divide: bool) -> ReadingPlan:
    kinds = found.kinds if divide else ()
    factors: dict[str, dict[Coalition, float]] = {}
    for player in found.players:
        table = shapley(found.players, player)
        factors[player] = {_atoms(changed, kinds): factor for changed, factor in table.items()}
    for kind in kinds:
        divided = owen(found.players, "mode", kinds, kind)
        factors[kind] = {others | changed: factor for (others, changed), factor in divided.items()}
    read = {coalition for table in factors.values() for coalition in table} | _ends(found)
    return ReadingPlan(factors, _asked(found, read), whole=True)


def _atoms(changed: Coalition, kinds: Sequence[str]) -> Coalition:
    return (changed - {"mode"}) | set(kinds) if kinds and "mode" in changed else changed


def _orders(found: SideConditions) -> ReadingPlan:
    factors: dict[str, dict[Coalition, float]] = defaultdict(lambda: defaultdict(float))
    for order in (found.players, found.players[::-1]):
        for place, player in enumerate(order):
            before = frozenset(order[:place])
            factors[player][before | {player}] += 0.5
            factors[player][before] -= 0.5
    read = {coalition for table in factors.values() for coalition in table} | _ends(found)
    return ReadingPlan({player: dict(table) for player, table in factors.items()}, _asked(found, read), whole=False)


def _ends(found: SideConditions) -> set[Coalition]:
    return {frozenset(), frozenset(found.players)}


def _asked(found: SideConditions, coalitions: set[Coalition]) -> tuple[Condition, ...]:
    some = [found.condition(changed) for changed in sorted(coalitions, key=lambda c: (len(c), sorted(c)))]
    return tuple(dict.fromkeys([*some, found.alike(on=False), found.alike(on=True)]))


def orders(found: SideConditions, player: str) -> list[tuple[Coalition, Coalition]]:
    """Return the coalitions before and after a player's change, over all orders."""
    others = subsets(p for p in found.players if p != player)
    return [(before, before | {player}) for before in others]
