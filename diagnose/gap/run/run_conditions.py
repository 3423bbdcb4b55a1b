"""The two conditions of a run of ours, what differs between them, and the readings that divide it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from diagnose.gap import conditions
from diagnose.gap.conditions import Condition, SideConditions
from diagnose.gap.loop.mode_kinds import live_kinds
from diagnose.gap.run import run_texts
from diagnose.gap.run.run_reading import RunObjective, forward_pass
from diagnose.gap.run.run_replay import step_group, training_condition, validation_condition

if TYPE_CHECKING:
    from diagnose.gap.conditions import ReadingPlan
    from diagnose.gap.run.run import FinishedRun

MOST_PASSES = 40  # forward passes of the training text; beyond it `mode` is not divided by kind


@dataclass(frozen=True)
class RunSetting:
    """What a run's readings are of.

    Attributes:
        sides: both conditions.
        plan: which readings of the training text divide their effect.
        collation: in what words the cutting of documents differs.
        words: whether tokens are words, of which some are spelled out.
    """

    sides: SideConditions
    plan: ReadingPlan
    collation: tuple[str, ...]
    words: bool

    def spelled(self) -> list[Condition]:
        """Return the condition that takes the losses of spelled words alone; none where tokens are no words."""
        return [marked(self.sides.end)] if self.words else []

    @property
    def of_training(self) -> list[Condition]:
        """The conditions that the training text is read under."""
        return list(dict.fromkeys([*self.plan.conditions, *self.spelled()]))

    @property
    def of_validation(self) -> list[Condition]:
        """The conditions that validation text and unseen text are read under."""
        sides, end = self.sides, self.sides.end
        on = replace(end, on=frozenset(sides.kinds))
        wanted = [
            end,
            sides.matched(on=False),
            sides.matched(on=True),
            on,
            replace(end, on=frozenset()),
            *self.spelled(),
        ]
        return list(dict.fromkeys(wanted))

    @property
    def passes(self) -> tuple[int, int]:
        """How often the training text and the validation text run through the network."""
        cuts = 2 if self.collation else 1
        train, val = (set(map(forward_pass, some)) for some in (self.of_training, self.of_validation))
        return len(train) * cuts, len(val)


def marked(condition: Condition) -> Condition:
    """Return the condition that sums the losses of marked targets alone."""
    return replace(condition, objective=replace(condition.objective, penalty=0.0, marked=True))


def setting(finished: FinishedRun) -> RunSetting:
    """Find the two conditions of a run and what differs between them."""
    first = step_group(finished, 0).parts[0].to(next(finished.network.parameters()).device)
    kinds = live_kinds(finished.network, first)
    train, val = (of(finished, frozenset(kinds)) for of in (training_condition, validation_condition))
    cut = run_texts.collation_changes(finished)
    if "padded" not in (finished.setup.course.layout.loader, finished.setup.validation.loader):
        train = replace(train, reduction=val.reduction)  # rows of equal counts: every mean of them is the same
    val = replace(val, plain=bool(cut))
    factors = conditions.differing(train, val)
    sides = SideConditions(train, val, kinds, factors, (bool(cut), False), val, objective=RunObjective())
    plan = conditions.plan(sides, MOST_PASSES, forward_pass)
    words = finished.recipe.tokenizer.kind == "word" and not finished.recipe.tokenizer.path
    return RunSetting(sides, plan, tuple(cut), words)
