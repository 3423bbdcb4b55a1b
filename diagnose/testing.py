"""Assertions for a test suite: that a validation split is sound, and that a metric is what it claims to be.

    from diagnose import Side
    from diagnose.testing import assert_metric_sound, assert_no_leak

    def test_the_split():
        assert_no_leak(train_loader, val_loader)

    def test_the_metric():
        assert_metric_sound(model, Side(train_loader, objective), Side(val_loader, objective))

Samples that cannot be recognised fail `assert_no_leak` too, with the reason; `assert_metric_sound` takes the rules that
must have been judged: a test that cannot fail tests nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diagnose.api import audit_metric
from diagnose.audit.audited_sides import held
from diagnose.audit.findings import Audit, known
from diagnose.audit.rules import split_overlap
from diagnose.audit.side_data import overlap
from diagnose.errors import DiagnoseError, nearest
from diagnose.gap.side import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import nn

    from diagnose.records.schema import FindingRecord
    from diagnose.report.audit_result import Audited


def assert_no_leak(
    train: Iterable[Any],
    val: Iterable[Any],
    *,
    groups: Callable[[Any], Any] | None = None,
    allow: Iterable[str] = (),
    budget: float = 60.0,
) -> None:
    """Raise unless the validation samples are others than the training samples.

    Samples are recognised as `explain_gap` recognises them: by all tensors of a batch that tell samples apart, texts
    and series by the spans that they share, or by `groups`.

    Args:
        train: a loader or any re-iterable of batches.
        val: the same of validation.
        groups: `groups(batch)` returns whose each sample is (document, patient); no group may be on both sides.
        allow: ids of rules that may be broken: "split-overlap-exact", "split-overlap-near", "split-overlap-window".
        budget: seconds for reading the training side.

    Raises:
        AssertionError: a finding, or samples that cannot be recognised; what was found and how to mend it.
        DiagnoseError: something is no re-iterable of batches, or `allow` names no rule.
    """
    allowed, out = _known(allow, (rule.id for rule in split_overlap.RULES)), Audit()
    training, validation = (Side(batches, _unread, groups=groups) for batches in (train, val))
    overlap(out, training, validation, held(validation, "validation")[0], budget)
    _fail([finding for finding in out.findings if finding.rule not in allowed])
    open_rules = [rule for rule in out.open if rule not in allowed]
    if open_rules:
        raise AssertionError(f"whether samples are on both sides cannot be judged: {out.skipped[open_rules[0]][0]}")


def _unread(model: nn.Module, batch: Any) -> Any:
    """Stand for an objective where none is run."""
    raise NotImplementedError


def assert_metric_sound(
    model: nn.Module,
    train: Side | None,
    val: Side,
    *,
    allow: Iterable[str] = (),
    require: Iterable[str] = (),
    **given: Any,
) -> Audited:
    """Raise unless an audit of the metric has no finding, notes aside.

    Args:
        model: comes back exactly as it was.
        train: the side of the training loss; None where there is none.
        val: the side of the validation loss, the metric that is audited.
        allow: ids of rules that may be broken.
        require: ids of rules that must have been judged, for instance "future-visible", "batch-dependent".
        given: what else `audit_metric` takes, for instance `logits=`, `tokens=`, `tokenizer=`, `texts=`, `budget=`.

    Returns:
        The audit, for assertions of your own.

    Raises:
        AssertionError: findings, each with what to do; or a required rule that could not be judged, with the reason.
        DiagnoseError: a side fails, or there is no rule of that name.
    """
    allowed, required = _known(allow, known()), _known(require, known())
    audited = audit_metric(model, train, val, **given)
    _fail([finding for finding in audited.found.findings if finding.severity != "note" and finding.rule not in allowed])
    unjudged = [f"{rule} was not judged: {why}" for rule, why in audited.skipped.items() if rule in required]
    if unjudged:
        raise AssertionError("\n".join(unjudged))
    return audited


def _known(named: Iterable[str], known: Iterable[str]) -> set[str]:
    rules, wanted = set(known), set(named)
    for rule in sorted(wanted - rules):
        raise DiagnoseError(f"there is no rule '{rule}'{nearest(rule, rules)}")
    return wanted


def _fail(findings: list[FindingRecord]) -> None:
    if findings:
        raise AssertionError("\n".join(f"{finding.rule}: {finding.what}; {finding.fix}" for finding in findings))
