"""What `diagnose loss-gap` gives of a finished run or an ablation of ours: the record of the ledger, kept beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.gap.run.run import open_finished
from diagnose.gap.run.run_arms import is_ablation, loss_gap_of_arms
from diagnose.gap.run.run_record import compared, ledger
from diagnose.records.arm_ledgers import ArmLedgers
from diagnose.records.ledgers import LedgerRecord
from diagnose.runs import store

if TYPE_CHECKING:
    from pathlib import Path


Ledgers = LedgerRecord | ArmLedgers


def loss_gap(
    run: str | Path,
    *,
    budget: float | str | None = None,
    verify: bool = False,
    against: str | Path | None = None,
    data: str | Path | None = None,
    model: str | None = None,
) -> Ledgers:
    """Return the ledger of a run, or those of an ablation; see `diagnose.api.loss_gap`."""
    if is_ablation(store.find(run)):
        if against is not None:
            raise DiagnoseError(
                "--against compares two runs, and this is an ablation: its arms are compared as they are"
            )
        return loss_gap_of_arms(store.find(run), budget=budget, verify=verify, data=data, model=model)
    before = None if against is None else open_finished(against, data, model)
    result = ledger(open_finished(run, data, model), budget=budget, verify=verify, places=True)
    return result if before is None else compared(ledger(before, budget=budget, verify=verify), result)


def keep(folder: Path, found: Ledgers) -> Ledgers:
    """Store a ledger beside its run, from where its page can be rendered again; without room a note says so."""
    try:
        store.write_record(folder / "gap.json", found)
    except OSError as error:
        note = f"the ledger was not kept in {folder}: {error.strerror}"
        return found.model_copy(update={"notes": (*found.notes, note)})
    return found
