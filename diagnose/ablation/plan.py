"""The plan of an ablation, before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diagnose.ablation.ablate import estimate_seconds
from diagnose.ablation.changed import changed

if TYPE_CHECKING:
    from rich.console import RenderableType

    from diagnose.ablation.design import Design


def describe(design: Design) -> dict[str, Any]:
    """Return arms x seeds and what each derives, with a time estimated from a few measured steps of each arm."""
    arms = []
    for arm in design.arms:
        seconds = estimate_seconds(arm.first)
        arms.append({"level": arm.level, **arm.first.derived, "seconds_per_run": seconds})
    return {
        "axis": design.axis.name,
        "control": design.axis.control,
        "seeds": len(design.seeds),
        "hold": None if design.hold is None else {"what": design.hold[0], "amount": design.hold[1]},
        "arms": arms,
        "changed": changed(design),
        "seconds": sum(arm["seconds_per_run"] for arm in arms) * len(design.seeds),
    }


def plan_rows(plan: dict[str, Any]) -> RenderableType:
    """Return the plan for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    arms = plan["arms"]
    table = Table("", *(arm["level"] for arm in arms), box=None, pad_edge=False)
    rows = {
        "vocabulary": "vocabulary",
        "parameters": "parameters",
        "steps": "steps",
        "tokens a step": "tokens_per_step",
        "bytes of text a step": "text_per_step",
        "seconds a run, estimated": "seconds_per_run",
    }
    for words, key in rows.items():
        table.add_row(words, *("" if arm[key] is None else f"{arm[key]:,.0f}" for arm in arms))
    shares = (arm["share_of_training_text"] for arm in arms)
    table.add_row("share of the training text", *("" if share is None else f"{share:.1%}" for share in shares))
    runs = len(arms) * plan["seeds"]
    held = "nothing is held equal" if plan["hold"] is None else f"{plan['hold']['what']} is held equal"
    minutes = plan["seconds"] / 60
    size = f"{len(arms)} arms x {plan['seeds']} seeds = {runs} runs"
    head = f"{plan['axis']}: {size}, {held}; about {minutes:.1f} minutes of training"
    return Group(Text(head), Text(""), table)
