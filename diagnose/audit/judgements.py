"""From what was measured to an outcome: judgements that the audit of a run and that of a user's model share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from diagnose.audit import text_checks as own
from diagnose.audit import training_checks
from diagnose.formatting import listed
from diagnose.gap.gap_causes import BY_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.audit.findings import Audit

START_OFF = 0.15  # of ln V, and a tenth of a nat


def judge_overlap(audit: Audit, measured: dict[str, Any], what: str, unjudged: Mapping[str, str] | None = None) -> None:
    """Judge shares of validation that are, nearly are, or lie inside training text.

    Args:
        audit: takes the outcome.
        measured: the shares.
        what: is shared.
        unjudged: why changed copies ("near") and spans ("inside") would not be recognised; none where they would.
    """
    limits = {
        "exact": ("split-overlap-exact", own.EXACT_SHARE, f"of the validation {what} are training {what} too"),
        "near": ("split-overlap-near", own.NEAR_SHARE, f"of the validation {what} are nearly training {what}"),
        "inside": ("split-overlap-window", own.WINDOW_SHARE, f"of the validation {what} lie inside training text"),
    }
    for key, (rule, limit, words) in limits.items():
        if measured[key] > limit:
            fix = BY_GROUP if what == "groups" else None
            audit.breaks(rule, f"{measured[key]:.1%} {words}", fix=fix, **measured)
        elif unjudged and key in unjudged:
            audit.skips(rule, unjudged[key], matters=key == "near" and what != "groups")
        else:
            audit.keeps(rule, share=measured[key], limit=limit)


def judge_vocabulary(audit: Audit, strings: list[str], train: str, val: str) -> None:
    """Judge `vocabulary-leak` by the tokens that occur in validation text alone."""
    leaks, words, absent = own.learned_from_all(strings, train, val)
    if leaks:
        examples = ", ".join(repr(word) for word in sorted(words)[:3])
        what = f"{len(words)} tokens occur in validation text alone ({examples}, ...)"
        audit.breaks("vocabulary-leak", what, tokens=len(words), absent_from_training=absent, of=len(strings))
    else:
        measured = {"tokens": len(strings), "absent_from_training": absent, "of_these_in_validation": len(words)}
        audit.keeps("vocabulary-leak", **measured)


def judge_start(audit: Audit, loss: float, classes: int) -> None:
    """Compare the loss before training with ln V."""
    uniform = math.log(classes)
    off = loss - uniform
    if abs(off) > START_OFF * uniform + 0.1:
        side = "above" if off > 0 else "below"
        what = f"before training the loss is {loss:.2f}, far {side} the {uniform:.2f} of a uniform guess (ln {classes})"
        audit.breaks("loss-at-start", what, loss=loss, uniform=uniform)
    else:
        audit.keeps("loss-at-start", loss=loss, uniform=uniform)


def judge_overfit(audit: Audit, fit: tuple[float, float, int, bool], on: str, late: str, least: float = 0.0) -> None:
    """Say whether a little data could be overfitted.

    Args:
        audit: takes the finding.
        fit: what `training.overfit` returned: first and lowest loss, steps, and whether time ran out.
        on: what was trained on, in words.
        late: what is said where time ran out; `{steps}` stands for the steps.
        least: a floor that the loss cannot fall below, whatever the network.
    """
    start, lowest, steps, spent = fit
    if training_checks.has_fallen(start, lowest, least):
        audit.keeps("cannot-overfit", start=start, lowest=lowest, steps=steps)
    elif spent:
        audit.skips("cannot-overfit", late.format(steps=steps), matters=False)
    else:
        what = f"trained on {on} alone, the loss falls from {start:.4f} to {lowest:.4f} only"
        audit.breaks("cannot-overfit", what, start=start, lowest=lowest, steps=steps)


def names(given: list[str]) -> str:
    """Return some names of weights in words."""
    return listed(given[:3]) if len(given) <= 3 else f"{listed(given[:2], ',')} and {len(given) - 2} other weights"
