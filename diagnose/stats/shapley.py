"""Shapley and Owen values as factors on the readings that they average: pure combinatorics.

A condition that differs between training and validation is a player; a coalition is the set of players that have
changed to validation's side. The Shapley value of a player is its marginal effect averaged over all orders (Shapley
1953); where one player is a union of kinds, each kind's Owen value divides that of the union (Owen 1977).
"""

from __future__ import annotations

from itertools import chain, combinations
from math import factorial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Coalition = frozenset[str]


def subsets(players: Iterable[str]) -> Iterator[Coalition]:
    """Yield all sets of players, the smallest first."""
    some = list(players)
    return map(frozenset, chain.from_iterable(combinations(some, size) for size in range(len(some) + 1)))


def _chance(before: int, players: int) -> float:
    """Return how likely exactly these `before` players precede one of `players` in a random order."""
    return factorial(before) * factorial(players - before - 1) / factorial(players)


def shapley(players: Sequence[str], player: str) -> dict[Coalition, float]:
    """Return the factor of each coalition's value in a player's Shapley value; those of all players telescope."""
    out: dict[Coalition, float] = {}
    for before in subsets(p for p in players if p != player):
        chance = _chance(len(before), len(players))
        out[before | {player}] = out.get(before | {player}, 0.0) + chance
        out[before] = out.get(before, 0.0) - chance
    return out


def owen(
    players: Sequence[str], union: str, kinds: Sequence[str], kind: str
) -> dict[tuple[Coalition, Coalition], float]:
    """Return the factor of each (coalition of other players, changed kinds of the union) in a kind's Owen value."""
    out: dict[tuple[Coalition, Coalition], float] = {}
    for others in subsets(p for p in players if p != union):
        for before in subsets(k for k in kinds if k != kind):
            chance = _chance(len(others), len(players)) * _chance(len(before), len(kinds))
            for changed, sign in ((before | {kind}, 1.0), (before, -1.0)):
                out[others, changed] = out.get((others, changed), 0.0) + sign * chance
    return out


def marginals(players: Sequence[str], player: str, value: Callable[[Coalition], float]) -> list[float]:
    """Return what a player's change does after each set of others has changed; every order's is among them."""
    others = [p for p in players if p != player]
    return [value(before | {player}) - value(before) for before in subsets(others)]
