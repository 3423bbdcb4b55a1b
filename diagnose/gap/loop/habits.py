"""What objectives do beside computing a loss: write into their batch, and put the model into a mode."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.gap.conditions import Condition
from diagnose.gap.loop.elements import own_copy, versions
from diagnose.gap.loop.modes import forward_modes, kind
from diagnose.gap.loop.setting import first_batch
from diagnose.gap.term import SIDES

if TYPE_CHECKING:
    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.side import Side


def notice_habits(subject: Subject, train: Side, val: Side) -> tuple[Side, Side, list[str]]:
    """Note what the objectives do, each tried in both modes on a copy of a batch of its own.

    Returns:
        The sides, validation in training mode where its objective puts the model there, training in evaluation mode
        where it does so and no reported loss can tell; and what is said of objectives that call `eval()` or `train()`.
    """
    sides = [train, val]
    shared = subject.objectives[0] is subject.objectives[1]
    for number in (0,) if shared else (0, 1):
        _try_out(subject, number, first_batch(sides[number], SIDES[number])[1])
    if shared:
        subject.writes |= {0, 1} if subject.writes else set()
        subject.switching |= {number: mode for mode in subject.switching.values() for number in (0, 1)}
    for number, training in subject.switching.items():
        side = sides[number]
        told = side.mode is not None or training == (number == 0) or (number == 0 and side.reported is not None)
        sides[number] = side if told else replace(side, mode="train" if training else "eval")
    notes = [
        f"the {SIDES[number]} side's objective calls model.{'train' if training else 'eval'}() itself: it was read in "
        "both modes all the same"
        for number, training in subject.switching.items()
    ]
    return sides[0], sides[1], notes


def _try_out(subject: Subject, number: int, batch: Any) -> None:
    """Run an objective in either mode; one that cannot be run, or whose batch cannot be copied, is told elsewhere."""
    seen = []
    for on in (frozenset(kind(module) for module in subject.model.modules()), frozenset[str]()):
        try:
            given = own_copy(batch)
            before = versions(given)
            with forward_modes(subject.model) as modes:
                subject.run(given, Condition(on, number, None, "mean"), 0, "a batch")
        except (DiagnoseError, RuntimeError, TypeError):
            continue
        seen.append(modes)
        if versions(given) != before:
            subject.writes.add(number)
    if len(seen) == 2 and seen[0] == seen[1] and len(seen[0]) == 1:
        subject.switching[number] = seen[0].pop()
