"""What does validation share with training: whole samples, nearly whole ones, or what lies inside another?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diagnose.audit.findings import TEXT, Audit, Rule
from diagnose.gap.gap_causes import BY_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping


EXACT_SHARE, NEAR_SHARE, WINDOW_SHARE = 0.05, 0.1, 0.1  # of validation: the Bible repeats itself by 0.041 in all

RULES = (
    Rule(
        "split-overlap-exact", TEXT, 40, "error",
        "hardly any validation document is a training document",
        "remove duplicates before the split (or keep all copies on one side)",
        "What was trained on is remembered: the loss on validation data that are also training data says how well they "
        "were memorised, not how well the network does on new data.",
        "hardly any validation sample is a training sample",
    ),
    Rule(
        "split-overlap-near", TEXT, 50, "warning",
        "few validation documents are nearly training documents",
        "remove near-duplicates before the split: documents that share most of their passages",
        "What differs from a training document or sample in a few places is mostly remembered.",
        "few validation samples are nearly training samples",
        "remove near-duplicates before the split",
    ),
    Rule(
        "split-overlap-window", TEXT, 60, "error",
        "hardly any validation text lies inside training text",
        "divide the documents first and cut them into windows afterwards",
        "Where overlapping windows are cut first and divided at random afterwards, nearly every token of each "
        "validation window is also in a training window that begins a token earlier or later. Validation then "
        "measures memory.",
        "hardly any validation sample lies inside a training sample",
        "divide what samples are cut from first and cut it afterwards",
    ),
)  # fmt: skip


def judge(audit: Audit, measured: dict[str, Any], what: str, unjudged: Mapping[str, str] | None = None) -> None:
    """Judge shares of validation that are, nearly are, or lie inside training text.

    Args:
        audit: takes the outcome.
        measured: the shares.
        what: is shared.
        unjudged: why samples ("exact"), changed copies ("near") and spans ("inside") would not be recognised; none
            where they would.
    """
    limits = {
        "exact": ("split-overlap-exact", EXACT_SHARE, f"of the validation {what} are training {what} too"),
        "near": ("split-overlap-near", NEAR_SHARE, f"of the validation {what} are nearly training {what}"),
        "inside": ("split-overlap-window", WINDOW_SHARE, f"of the validation {what} lie inside training text"),
    }
    for key, (rule, limit, words) in limits.items():
        if measured[key] > limit:
            fix = BY_GROUP if what == "groups" else None
            audit.breaks(rule, f"{measured[key]:.1%} {words}", fix=fix, **measured)
        elif unjudged and key in unjudged:
            audit.skips(rule, unjudged[key], matters=key == "exact" or (key == "near" and what != "groups"))
        else:
            audit.keeps(rule, share=measured[key], limit=limit)


def judge_columns(audit: Audit, told: str) -> None:
    """Note that rows of a table share columns with training's, as those of one person do; it may be meant."""
    if told:
        audit.breaks("split-overlap-near", told, severity="note", fix=BY_GROUP)


def judge_windows(audit: Audit, documents_in_both: float) -> None:
    """Judge a split of windows that were cut before they were divided."""
    what = "windows were cut first and divided afterwards: training holds the text of the reported validation loss"
    audit.breaks("split-overlap-window", what, documents_in_both=documents_in_both)
    for rule in ("split-overlap-exact", "split-overlap-near"):
        audit.skips(rule, "both sides hold windows of the same documents", matters=False)
