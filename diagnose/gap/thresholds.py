"""Limits that a user sets on terms, for scripts that should fail where a gap has grown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.errors import FINDING, DiagnoseError, nearest
from diagnose.formatting import signed
from diagnose.gap.term_kinds import GROUPS
from diagnose.records.arm_ledgers import ArmLedgers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diagnose.records.ledgers import LedgerRecord

KNOWN = ("gap", "matched", *GROUPS, *(term for terms in GROUPS.values() for term in terms))


def parse(pairs: Iterable[str]) -> dict[str, float]:
    """Turn `--fail-over term=nats` texts into limits by name: a term, a group, "gap" or "matched".

    Raises:
        DiagnoseError: an unknown name or no number above or at zero.
    """
    out = {}
    for pair in pairs:
        name, _, amount = (part.strip() for part in pair.partition("="))
        if name not in KNOWN:
            raise DiagnoseError(f"--fail-over {pair}: no term '{name}'{nearest(name, KNOWN)}")
        try:
            out[name] = float(amount)
        except ValueError:
            out[name] = -1.0
        if not 0 <= out[name] < float("inf"):
            raise DiagnoseError(f"--fail-over {pair}: give a size in nats, for instance {name}=0.05")
    return out


def crossed(record: LedgerRecord | ArmLedgers, limits: dict[str, float]) -> list[str]:
    """Return a sentence for each limit that a ledger's value exceeds in size, on either side."""
    if isinstance(record, ArmLedgers):
        return [f"{run.run}: {line}" for run in record.runs for line in crossed(run, limits)]
    values = {row.id: row.value for row in record.groups} | {row.id: row.value for row in record.terms}
    values |= {"gap": record.gap, "matched": record.matched.gap}
    return [
        f"{name} is {signed(value)}, over the limit of {limit:g}"
        for name, limit in limits.items()
        if (value := values.get(name)) is not None and abs(value) > limit
    ]


def refuse(record: LedgerRecord | ArmLedgers, limits: dict[str, float]) -> None:
    """Fail where a limit is crossed or the run's record contradicts itself.

    Raises:
        DiagnoseError: with the exit code of a finding.
    """
    reasons = crossed(record, limits)
    runs = record.runs if isinstance(record, ArmLedgers) else (record,)
    wrong = [finding for run in runs for finding in run.findings if finding.rule == "gap/unfaithful"]
    reasons += [f"{finding.what[0].lower()}{finding.what[1:]}: {finding.fix}" for finding in wrong]
    if reasons:
        raise DiagnoseError("; ".join(reasons), exit_code=FINDING)
