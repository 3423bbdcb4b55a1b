"""The ledger of a recorded loop from the shell: its network and its objectives come from a file of the user's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from diagnose.errors import DiagnoseError
from diagnose.gap.ledger import explain
from diagnose.gap.recorder.recording import read_record
from diagnose.gap.side import Side
from diagnose.training import registry

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from diagnose.records.ledgers import LedgerRecord

NAMES = "train_loss(model, batch) and val_loss(model, batch), or objective(model, batch) for both"
GIVE = "give the file that builds it, as --model FILE.py:build"


def loss_gap(folder: Path, model: str | None, *, budget: float | str | None = None) -> LedgerRecord:
    """Account for the gap of the loop whose record lies in a folder.

    Args:
        folder: a `GapRecorder`'s.
        model: "file.py:build": `build()` returns the network, which is given the recorded weights. The same file has
            the objectives: `train_loss` and `val_loss`, or `objective`. It may have `train_batches()` and
            `val_batches()`, which return all of the data, and `fetch(id)`, where ids were recorded.
        budget: as for `explain_gap`.

    Raises:
        DiagnoseError: there is no such file, it lacks what is needed, or its network is another one.
    """
    if model is None:
        raise DiagnoseError(f"{folder} is the record of a loop of yours, which does not hold its network: {GIVE}")
    build = registry.find(model)
    module = sys.modules[build.__module__]
    recording, weights = read_record(folder, getattr(module, "fetch", None))
    network = _built(model, build, weights)
    sides = (_side(module, model, "train"), _side(module, model, "val"))
    ledger = explain(network, *sides, recording, budget=20.0 if budget is None else budget)
    return ledger.model_copy(update={"run": str(folder), "model": model})


def _built(name: str, build: Any, weights: dict[str, torch.Tensor]) -> nn.Module:
    """Return the network with the recorded weights.

    Raises:
        DiagnoseError: it cannot be built, or has other weights.
    """
    try:
        network = build()
    except Exception as error:
        raise DiagnoseError(f"model '{name}' cannot be built: {registry.told(error)}") from error
    if not isinstance(network, nn.Module):
        raise DiagnoseError(f"model '{name}' builds a {type(network).__name__}, not a torch.nn.Module")
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise DiagnoseError(f"model '{name}' is not the network that was recorded: {reason[:200]}") from None
    return network


def _side(module: ModuleType, name: str, side: str) -> Any:
    """Return a side's objective, or the side with all its data where the file has them."""
    objective = getattr(module, f"{side}_loss", None) or getattr(module, "objective", None)
    if objective is None:
        raise DiagnoseError(f"the file of --model '{name}' lacks the losses: write {NAMES}")
    batches = getattr(module, f"{side}_batches", None)
    return objective if batches is None else Side(batches(), objective, reduction="batch")


def refuse(*, verify: bool, against: object, data: object) -> None:
    """Refuse options of `loss-gap` that need a run of ours.

    Raises:
        DiagnoseError: one was given.
    """
    given = [name for name, value in (("--verify", verify), ("--against", against), ("--data", data)) if value]
    if given:
        raise DiagnoseError(f"{' and '.join(given)} need a run of diagnose; this is the record of a loop of yours")
