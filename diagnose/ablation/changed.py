"""What else changed: everything derived that differs between arms though the axis does not name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.ablation.equal_size import MATCHES
from diagnose.records.ablations import ChangedRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.ablation.design import Design
    from diagnose.records.run_records import Derived, OverlapRecord

ROWS = {  # key of `derived`: (words, unit)
    "vocabulary": ("vocabulary", "tokens"),
    "parameters": ("parameters", ""),
    "steps": ("steps", ""),
    "steps_per_epoch": ("steps per epoch", ""),
    "tokens_per_step": ("tokens per step", "tokens"),
    "text_per_step": ("text per step", "bytes"),
    "text": ("text trained on", "bytes"),
    "training_text": ("size of the training text", "bytes"),
    "learning_rate": ("peak learning rate", ""),
    "flops_per_step": ("operations per step", ""),
    "flops": ("operations in all", ""),
    "truncated_share": ("training text cut off", "share"),
}
TOLERANCE = 0.005  # relative: text held equal differs by less than a step


def changed(plan: Design) -> list[ChangedRecord]:
    """Return a row for each derived quantity that is not equal in all arms: what, unit, per arm."""
    derived = {arm.level: arm.first.derived for arm in plan.arms}
    contexts = {arm.level: arm.first.recipe.batches.context for arm in plan.arms}
    return [*differing(derived), *_rows(plan), *_solved_widths(plan), *context_in_text(derived, contexts)]


def differing(derived: Mapping[str, Derived]) -> list[ChangedRecord]:
    """Return a row for each quantity that is not equal in all arms, given what each arm's recipe derives."""
    rows = []
    for key, (what, unit) in ROWS.items():
        per_arm = {level: getattr(derived_values, key) for level, derived_values in derived.items()}
        values = [v for v in per_arm.values() if v is not None]
        if values and max(values) - min(values) > TOLERANCE * max(map(abs, values)):
            rows.append(ChangedRecord(what=what, unit=unit, per_arm=per_arm))
    return rows


def _rows(plan: Design) -> list[ChangedRecord]:
    """Return the rows of a step, which contexts of other lengths get more or fewer of."""
    tables = {arm.level: arm.first.recipe.batches for arm in plan.arms}
    per_arm = {level: table.size * table.accumulate for level, table in tables.items()}
    return [ChangedRecord(what="rows per step", unit="", per_arm=per_arm)] if len(set(per_arm.values())) > 1 else []


def _solved_widths(plan: Design) -> list[ChangedRecord]:
    """Return the networks' widths where some were solved for."""
    if all(arm.width is None for arm in plan.arms):
        return []
    per_arm = {arm.level: arm.first.recipe.model.settings().get("width") for arm in plan.arms}
    return [ChangedRecord(what=f"width (solved for equal {MATCHES[plan.match]})", unit="", per_arm=per_arm)]


def context_in_text(derived: Mapping[str, Derived], contexts: Mapping[str, int]) -> list[ChangedRecord]:
    """Return how much text the context spans, which a tokenizer changes in silence.

    Args:
        derived: what each arm's recipe derives.
        contexts: each arm's, in tokens.
    """
    per_arm = {
        level: contexts[level] * amounts.text_per_step / amounts.tokens_per_step for level, amounts in derived.items()
    }
    if max(per_arm.values()) - min(per_arm.values()) <= TOLERANCE * max(per_arm.values()):
        return []
    return [ChangedRecord(what="text that the context spans", unit="bytes", per_arm=per_arm)]


def leaks(overlaps: Mapping[str, OverlapRecord]) -> list[ChangedRecord]:
    """Return how many of the documents that arms are scored on occur in their training text, where that differs.

    Args:
        overlaps: as a run of each arm records it.
    """
    per_arm = {level: overlap.exact + overlap.near for level, overlap in overlaps.items()}
    if len(set(per_arm.values())) == 1:
        return []
    return [
        ChangedRecord(what="scored documents that the training text holds, nearly or whole", unit="", per_arm=per_arm)
    ]
