"""The one way to open a finished run for reading: its folder, its recipe as this machine can follow it, its weights.

Nothing in the folder is run, and nothing is written there. A network whose code is not installed (a file, or a module
by its path) is only loaded where the user names it: a recipe may come from anyone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.runs import checkpoints, session, store
from diagnose.training import device, registry

if TYPE_CHECKING:
    import torch

    from diagnose.config.recipe import Recipe
    from diagnose.records.run_records import Environment


@dataclass(frozen=True, eq=False)
class OpenedRun:
    """A run that was trained to its end.

    Attributes:
        path: its folder.
        recorded: its recipe, as recorded.
        recipe: the same with its text where it is now, a device that this machine has, and the network's code that may
            be run (see `why`).
        environment: what the run recorded of where it came from.
        tensors, progress: the checkpoint's tensors by kind and its state; None where it keeps none.
        why: why its network cannot be had: code that was not named, or no checkpoint; "" where it can.
        moved: the device that the run was trained on, where this machine lacks it.
    """

    path: Path
    recorded: Recipe
    recipe: Recipe
    environment: Environment
    tensors: dict[str, dict[str, torch.Tensor]] | None
    progress: dict[str, Any] | None
    why: str
    moved: str | None

    def load(self, network: torch.nn.Module) -> torch.nn.Module:
        """Return the network with the final weights.

        Raises:
            DiagnoseError: the run keeps none, or they are of another network.
        """
        if self.tensors is None:
            raise DiagnoseError(f"{self.path}: {self.why}")
        session.load_state(network, None, self.tensors)
        return network


def open_run(run: str | Path, data: str | Path | None = None, model: str | None = None) -> OpenedRun:
    """Open a finished run.

    Args:
        run: its folder, `runs/latest`, or its name within `runs/`.
        data: where its text is now, if it was moved.
        model: "file.py:build", the code of its network, where that is not installed: consent to run it.

    Raises:
        DiagnoseError: no such run, an ablation, a recorded loop, a run that has not finished, a damaged checkpoint.
    """
    path = store.find(run)
    _refuse_unfinished(path)
    recorded = store.recipe_of(path)
    moved = None if device.is_here(recorded.run.device) else recorded.run.device
    recipe, why = _consented(_moved(recorded, data, moved), model)
    checkpoint = checkpoints.read_checkpoint(path / "checkpoint")
    if checkpoint is None:
        why = why or "the run keeps no checkpoint (pruned?)"
    tensors, progress = checkpoint or (None, None)
    return OpenedRun(path, recorded, recipe, store.environment(path), tensors, progress, why, moved)


def _refuse_unfinished(path: Path) -> None:
    if not (path / "status.json").exists():
        if (path / "ablation.toml").exists():
            raise DiagnoseError(f"{path} is an ablation; give one of its runs, they are named in {path}/summary.json")
        raise DiagnoseError(f"{path} is the record of a loop of yours; audit its model with diagnose.audit_metric")
    state = store.state(path)
    if state == "finished":
        return
    why = store.status(path).why
    remedy = "wait for it" if state == "running" else "go on with `diagnose train --resume` and the same options"
    raise DiagnoseError(f"{path} is {state}{f' ({why})' if why else ''}; a finished run is needed: {remedy}")


def _moved(recipe: Recipe, data: str | Path | None, gone: str | None) -> Recipe:
    """Return the recipe with its text where it is now and a device that is here, of the same kind or a CPU."""
    near = "cuda" if gone is not None and gone.startswith("cuda") and device.is_here("cuda") else "cpu"
    values: dict[str, Any] = {} if gone is None else {"run.device": near, "run.compile": "off"}
    if data is not None:
        if recipe.data.corpus != "file":
            raise DiagnoseError(f"the run's text is the bundled corpus {recipe.data.corpus}, no file that could move")
        values["data.path"] = str(Path(data).absolute())
    return recipe.with_values(values) if values else recipe


def _consented(recipe: Recipe, model: str | None) -> tuple[Recipe, str]:
    """Return the recipe with the network's code that may be run, or why there is none."""
    try:
        return recipe.with_values({"model.name": registry.consented(recipe.model.name, model)}), ""
    except DiagnoseError as error:
        if model is not None:
            raise
        return recipe, str(error)
