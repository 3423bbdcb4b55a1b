"""The ledgers of an ablation's runs, averaged over seeds: how an axis changes what the gap is made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.errors import DiagnoseError
from diagnose.formatting import listed, plain, signed
from diagnose.gap.run.run import open_finished
from diagnose.gap.run.run_record import UNIT, ledger
from diagnose.records.arm_ledgers import ArmGroup, ArmLedger, ArmLedgers, ArmTerm, SeedMean
from diagnose.runs import store
from diagnose.stats.crossed import t_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from diagnose.records.ablations import ArmRecord
    from diagnose.records.ledgers import LedgerRecord


def is_ablation(path: Path) -> bool:
    """Say whether a folder holds an ablation and no run."""
    return (path / "ablation.toml").exists() and not (path / "status.json").exists()


def loss_gap_of_arms(
    path: Path,
    *,
    budget: float | str | None = None,
    verify: bool = False,
    data: str | Path | None = None,
    model: str | None = None,
) -> ArmLedgers:
    """Account for the gap of every run of an ablation.

    Args:
        path: the ablation's folder.
        budget: of each run's ledger.
        verify: train each run's last interval once more.
        data: where the text is now, if it was moved.
        model: the code of the runs' network, where that is not installed: consent to run it.

    Returns:
        A ledger a run, and per arm the means over its seeds, with 95 % intervals over seeds where there are two or
        more.

    Raises:
        DiagnoseError: an arm has no finished run that the ledger could read.
    """
    runs, arms = [], []
    for arm in store.ablation(path).arms:
        ledgers = [
            ledger(open_finished(path.parent / name, data, model), budget=budget, verify=verify) for name in arm.runs
        ]
        if not ledgers:
            raise DiagnoseError(f"{path}: the arm {arm.level} has no finished run")
        runs += ledgers
        arms.append(_averaged(arm, ledgers))
    return ArmLedgers(ablation=str(path), unit=UNIT, arms=tuple(arms), runs=tuple(runs), verdict=_verdict(arms))


def _averaged(arm: ArmRecord, runs: Sequence[LedgerRecord]) -> ArmLedger:
    """Return the means of gap, terms, groups and the matched gap over the runs of an arm."""
    terms = tuple(
        ArmTerm(id=term.id, group=term.group, **_mean([run.terms[k].value for run in runs]))
        for k, term in enumerate(runs[0].terms)
    )
    groups = {group.id: _mean([run.groups[k].value for run in runs]) for k, group in enumerate(runs[0].groups)}
    total = math.fsum(abs(mean["value"] or 0.0) for mean in groups.values()) or 1.0
    return ArmLedger(
        level=arm.level, levels=arm.levels, runs=tuple(run.run for run in runs), terms=terms,
        groups=tuple(ArmGroup(id=n, share=abs(mean["value"] or 0.0) / total, **mean) for n, mean in groups.items()),
        gap=SeedMean(**_mean([run.gap for run in runs])),
        matched=SeedMean(**_mean([run.matched.gap for run in runs])),
    )  # fmt: skip


def _mean(values: Sequence[float | None]) -> dict[str, Any]:
    """Return the mean over seeds with its interval; a term that some runs lack (given with another) counts as 0."""
    if all(value is None for value in values):
        return {"value": None, "per_seed": values}
    some = np.array([value or 0.0 for value in values])
    mean = float(some.mean())
    if len(some) < 2:
        return {"value": mean, "per_seed": values}
    half = float(t_quantile(0.95, np.float64(len(some) - 1))) * float(some.std(ddof=1)) / math.sqrt(len(some))
    return {"value": mean, "low": mean - half, "high": mean + half, "per_seed": values}


def _verdict(arms: Sequence[ArmLedger]) -> str:
    """Name the gap of each arm, the group that differs most between them, and the matched gaps."""
    gaps = listed([f"{signed(arm.gap.value)} ({arm.level})" for arm in arms])
    spreads = {
        group.id: max(values) - min(values)
        for k, group in enumerate(arms[0].groups)
        for values in [[arm.groups[k].value or 0.0 for arm in arms]]
    }
    most = max(spreads, key=lambda name: spreads[name])
    alike = listed([signed(arm.matched.value) for arm in arms])
    return (
        f"The reported gap is {gaps} nats per token; what differs most between arms is {most}, by "
        f"{plain(spreads[most])}. Under the same conditions it is {alike}."
    )
