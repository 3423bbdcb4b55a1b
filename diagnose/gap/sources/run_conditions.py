"""The terms of the conditions: dropout, objective, precision, reduction and collation, on the training text.

They commute, so every combination is read on the same text and each condition gets its Shapley value, from training's
side to validation's. Objectives and reductions come from the same losses per target and cost no forward pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from diagnose.gap.mode_kinds import live_kinds
from diagnose.gap.sources import run_texts
from diagnose.gap.sources.run_reading import Ask, Pass, in_units, read, scaled
from diagnose.gap.sources.run_replay import penalties, step_group, training_ask, validation_ask
from diagnose.stats import Interval, combination
from diagnose.stats.shapley import marginals, owen, shapley, subsets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diagnose.gap.sources.run import FinishedRun
    from diagnose.gap.sources.run_texts import Chosen
    from diagnose.stats import Reading
    from diagnose.stats.shapley import Coalition

PLAYERS = ("mode", "objective", "precision", "reduction", "collation")
MOST_PASSES = 40  # forward passes of the training text; beyond it `mode` is not divided by kind


@dataclass(frozen=True)
class RunSides:
    """The two conditions of a run and what differs between them.

    Attributes:
        train, val: the conditions.
        kinds: what training mode switches on, by kind.
        penalties: weight decay in the loss on either side, in nats.
        players: those of `PLAYERS` that differ.
        collation: in what words the cutting of documents differs.
        words: whether tokens are words, of which some are spelled out.
    """

    train: Ask
    val: Ask
    kinds: tuple[str, ...]
    penalties: tuple[float, float]
    players: tuple[str, ...]
    collation: tuple[str, ...]
    words: bool

    def ask(self, changed: Coalition, kept_on: frozenset[str] | None = None) -> Ask:
        """Return the condition in which these players are on validation's side (collation is the text's matter).

        Args:
            changed: players.
            kept_on: kinds that are on, whatever `changed` says of the mode.
        """
        on = self.val.run.on if "mode" in changed else self.train.run.on
        precision = self.val.run.precision if "precision" in changed else self.train.run.precision
        smoothing = self.val.smoothing if "objective" in changed else self.train.smoothing
        way = self.val.way if "reduction" in changed else self.train.way
        return Ask(Pass(on if kept_on is None else kept_on, precision), smoothing, way)

    def constant(self, changed: Coalition) -> float:
        """Return the weight decay in the loss of such a condition."""
        return self.penalties["objective" in changed]

    def alike(self, *, on: bool) -> Ask:
        """Return validation's condition with the plain objective, with dropout on or off."""
        return Ask(Pass(frozenset(self.kinds) if on else frozenset(), self.val.run.precision), 0.0, self.val.way)


def sides(finished: FinishedRun) -> RunSides:
    """Find the two conditions of a run and what differs between them."""
    first = step_group(finished, 0).parts[0].to(next(finished.network.parameters()).device)
    kinds = live_kinds(finished.network, first)
    train, val = (ask(finished, frozenset(kinds)) for ask in (training_ask, validation_ask))
    amounts = penalties(finished)
    collation = run_texts.collation_changes(finished)
    padded = "padded" in (finished.setup.course.layout.loader, finished.setup.validation.loader)
    if not padded:  # rows of equal counts: every mean of them is the same
        train = Ask(train.run, train.smoothing, val.way)
    differs = {
        "mode": train.run.on != val.run.on,
        "objective": (train.smoothing, amounts[0]) != (val.smoothing, amounts[1]),
        "precision": train.run.precision != val.run.precision,
        "reduction": train.way != val.way,
        "collation": bool(collation),
    }
    words = finished.recipe.tokenizer.kind == "word" and not finished.recipe.tokenizer.path
    return RunSides(train, val, kinds, amounts, tuple(p for p in PLAYERS if differs[p]), tuple(collation), words)


@dataclass(frozen=True)
class RunConditions:
    """Readings of the training text under all combinations.

    Attributes:
        sides: what differs.
        chosen: the steps that were read.
        corners: the reading of each condition, cut as training cuts (False) and as validation does (True).
        divided: whether `mode` was divided by kind.
    """

    sides: RunSides
    chosen: Chosen
    corners: Mapping[tuple[bool, Ask], Reading]
    divided: bool

    def reading(self, changed: Coalition) -> Reading:
        """Return the reading in which these players are on validation's side."""
        return self.corners["collation" in changed, self.sides.ask(changed)]

    def value(self, changed: Coalition) -> float:
        """Return its mean, weight decay in the loss included."""
        return self.reading(changed).mean + self.sides.constant(changed)

    @property
    def start(self) -> Reading:
        """The training text as training reads it."""
        return self.reading(frozenset())

    @property
    def end(self) -> Reading:
        """The training text as validation reads its own."""
        return self.reading(frozenset(self.sides.players))

    @property
    def end_spelled(self) -> Reading | None:
        """The part of `end` that lies on words that are spelled out; None where tokens are no words."""
        if not self.sides.words:
            return None
        changed = frozenset(self.sides.players)
        return self.corners["collation" in changed, replace(self.sides.ask(changed), marked=True)]

    def alike(self, *, on: bool) -> Reading:
        """The training text under validation's conditions and the plain objective, dropout on or off."""
        return self.corners["collation" in self.sides.players, self.sides.alike(on=on)]

    def term(self, player: str) -> tuple[Interval, float, float]:
        """Return a player's Shapley value with its interval, and its smallest and largest effect over the orders."""
        found = self._combined(
            (self.reading(changed), self.sides.constant(changed), factor)
            for changed, factor in shapley(self.sides.players, player).items()
        )
        over = marginals(self.sides.players, player, self.value)
        return found, min(over), max(over)

    def parts(self) -> dict[str, Interval]:
        """Return the Owen value of each kind in `mode`."""
        kinds = self.sides.kinds
        if not self.divided or "mode" not in self.sides.players:
            return {}
        return {
            kind: self._combined(
                (self._some_on(others, frozenset(kinds) - off), 0.0, factor)
                for (others, off), factor in owen(self.sides.players, "mode", kinds, kind).items()
            )
            for kind in kinds
        }

    def alone(self) -> dict[str, float]:
        """Return the loss with each kind alone on, all else on training's side; as `parts`."""
        constant = self.sides.constant(frozenset())
        return {kind: self._some_on(frozenset(), frozenset({kind})).mean + constant for kind in self.parts()}

    def _some_on(self, changed: Coalition, kept_on: frozenset[str]) -> Reading:
        return self.corners["collation" in changed, self.sides.ask(changed, kept_on)]

    @staticmethod
    def _combined(terms: Iterable[tuple[Reading, float, float]]) -> Interval:
        rows = list(terms)
        found = combination([r for r, _, _ in rows], [f for _, _, f in rows])
        shift = sum(c * f for _, c, f in rows)
        if found.low is None or found.high is None:
            return Interval(found.value + shift, None, None, None, None)
        return Interval(found.value + shift, found.low + shift, found.high + shift, found.se, found.df)


def asks(found: RunSides, *, divided: bool) -> list[Ask]:
    """List every condition that the training text is read under."""
    spelled = [replace(found.ask(frozenset(found.players)), marked=True)] if found.words else []
    out = [found.ask(changed) for changed in subsets(found.players)]
    if divided:
        others = [p for p in found.players if p != "mode"]
        out += [found.ask(c, on) for c in subsets(others) for on in subsets(found.kinds)]
    return list(dict.fromkeys([*out, found.alike(on=True), found.alike(on=False), *spelled]))


def passes(found: RunSides, *, divided: bool) -> int:
    """Return how often the training text runs through the network."""
    return len({ask.run for ask in asks(found, divided=divided)}) * (1 + ("collation" in found.players))


def divides(found: RunSides) -> bool:
    """Say whether `mode` is divided by kind: where there are several, and not too many combinations."""
    several = "mode" in found.players and len(found.kinds) > 1
    return several and passes(found, divided=True) <= MOST_PASSES


def measure(finished: FinishedRun, found: RunSides, chosen: Chosen, positions: int, unit: int) -> RunConditions:
    """Read the training text under all combinations.

    Args:
        finished: the run.
        found: what differs.
        chosen: the steps to read.
        positions: most of the documents' text that may be read when it is cut as validation's is.
        unit: adjacent documents that are one unit of the intervals.
    """
    divided = divides(found)
    wanted = asks(found, divided=divided)
    groups = list(chosen.groups(finished))
    groups = run_texts.marked(finished, groups) if found.words else groups
    corners = {(False, ask): r for ask, r in read(finished.network, groups, wanted).items()}
    if "collation" in found.players:
        groups, factors = run_texts.recut(finished, chosen, positions)
        groups = run_texts.marked(finished, groups) if found.words else groups
        again = read(finished.network, groups, wanted)
        corners |= {(True, ask): scaled(r, factors) for ask, r in again.items()}
    return RunConditions(found, chosen, {key: in_units(r, unit) for key, r in corners.items()}, divided)
