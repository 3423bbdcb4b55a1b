"""What `diagnose loss-gap` gives of a finished run or an ablation of ours: the record of the ledger, kept beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.gap.run.run import open_finished
from diagnose.gap.run.run_arms import is_ablation, loss_gap_of_arms
from diagnose.gap.run.run_record import compared, ledger
from diagnose.runs import store

if TYPE_CHECKING:
    from pathlib import Path


def loss_gap(
    run: str | Path,
    *,
    budget: float | str | None = None,
    verify: bool = False,
    against: str | Path | None = None,
    data: str | Path | None = None,
    model: str | None = None,
) -> dict[str, Any]:
    """Account for the gap between the two losses that a run reports.

    Args:
        run: its folder, `runs/latest`, or its name within `runs/`; or an ablation (a ledger a run, means an arm).
        budget: seconds, or "500000 tokens" to read; None for the larger of 20 s and 3 % of the run's training time.
        verify: train the last logging interval once more.
        against: another run; its terms and the differences to them are given too.
        data: where the run's text is now, if it was moved.
        model: "file.py:build", the code of the run's network where that is not installed: consent to run it.

    Returns:
        Plain data, as `diagnose loss-gap --json` prints it.

    Raises:
        DiagnoseError: no such run, one that has not finished, or one whose text or network has changed.
    """
    if is_ablation(store.find(run)):
        if against is not None:
            raise DiagnoseError(
                "--against compares two runs, and this is an ablation: its arms are compared as they are"
            )
        return loss_gap_of_arms(store.find(run), budget=budget, verify=verify, data=data, model=model)
    before = None if against is None else open_finished(against, data, model)
    result = ledger(open_finished(run, data, model), budget=budget, verify=verify, places=True)
    return result if before is None else compared(ledger(before, budget=budget, verify=verify), result)


def keep(folder: Path, found: dict[str, Any]) -> dict[str, Any]:
    """Store a ledger beside its run, from where its page can be rendered again; without room a note says so."""
    try:
        store.write_json(folder / "gap.json", found)
    except OSError as error:
        return found | {"notes": [*found.get("notes", []), f"the ledger was not kept in {folder}: {error.strerror}"]}
    return found
