"""A finished run, opened for its audit: nothing in its folder is run, and nothing is written there.

Unlike the ledger, an audit opens runs that are not in order, for that is what it has to tell. A network whose code is
not installed (a file, or a module by its path) is only loaded where the user names it: a recipe may come from anyone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.audit.findings import UNJUDGED
from diagnose.data import tokenizer
from diagnose.errors import DiagnoseError
from diagnose.runs import session, store
from diagnose.training import batches, device, preparation, registry

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from torch import nn

    from diagnose.config.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Opened:
    """A run.

    Attributes:
        path: its folder; recipe: as recorded, its device one that is here.
        text: corpus, split, tokenizer and stream as the recipe makes them.
        tokenizer: the one that lies in the folder.
        train, val: rows as the run's loaders make them.
        network: with the final weights; None where it cannot be had, and `why`.
        weights: the checkpoint's, by name; None where there is none.
    """

    path: Path
    recipe: Recipe
    text: preparation.PreparedText
    tokenizer: Tokenizer
    train: batches.BatchPlan
    val: batches.BatchPlan
    network: nn.Module | None
    why: str
    weights: dict[str, torch.Tensor] | None
    environment: dict[str, Any]

    def fresh(self) -> nn.Module:
        """Return the network as it was before its first step."""
        return preparation.build(self.recipe, self.text.vocabulary, device.find(self.recipe.run.device))


def open_run(run: str | Path, data: str | Path | None = None, model: str | None = None) -> Opened:
    """Open a finished run for its audit.

    Args:
        run: its folder, `runs/latest`, or its name within `runs/`.
        data: where its text is now, if it was moved.
        model: "file.py:build", the code of its network, where that is not installed: consent to run it.

    Raises:
        DiagnoseError: no such run, an ablation, a run that has not finished, a damaged checkpoint, another text.
    """
    path = store.find(run)
    _refuse_unfinished(path)
    recipe = _here(store.recipe_of(path), data)
    environment = store.read_json(path / "environment.json")
    text = preparation.read_text(recipe.data, recipe.tokenizer)
    _refuse_other_text(path, text, environment)
    own = tokenizer.load(path / "tokenizer.json")
    pad, where = tokenizer.marks(text.tokenizer)[1], device.find(recipe.run.device)
    train, val = (batches.plan(recipe, text.stream, text.split, side, pad, where) for side in ("train", "val"))
    found = store.read_checkpoint(path / "checkpoint")
    weights = None if found is None else found[0].get("model")
    recipe, why = _consented(recipe, model)
    network = None
    if not why and found is None:
        why = "the run keeps no checkpoint (pruned?)"
    if not why:
        network = preparation.build(recipe, text.vocabulary, where)
        session.load_state(network, None, found[0])  # type: ignore[index]
        network.eval()
    return Opened(path, recipe, text, own, train, val, network, why, weights, environment)


def _refuse_unfinished(path: Path) -> None:
    if (path / "ablation.toml").exists() and not (path / "status.json").exists():
        raise DiagnoseError(f"{path} is an ablation; give one of its runs, they are named in {path}/summary.json")
    if not (path / "status.json").exists():
        raise DiagnoseError(f"{path} is the record of a loop of yours; audit its model with diagnose.audit_metric")
    state = store.state(path)
    if state != "finished":
        raise DiagnoseError(f"{path} is {state}; an audit needs a finished run: train it with --resume, or wait for it")


def _here(recipe: Recipe, data: str | Path | None) -> Recipe:
    """Return the recipe with its text where it is now and a device that this machine has."""
    values: dict[str, Any] = {}
    if data is not None:
        if recipe.data.corpus != "file":
            raise DiagnoseError(f"the run's text is the bundled corpus {recipe.data.corpus}, no file that could move")
        values["data.path"] = str(Path(data).absolute())
    try:
        device.find(recipe.run.device)
    except DiagnoseError:
        values["run.device"] = "cpu"
    return recipe.with_values(values) if values else recipe


def _refuse_other_text(path: Path, text: preparation.PreparedText, environment: dict[str, Any]) -> None:
    here = {"corpus": text.corpus.fingerprint, "split": text.split.fingerprint}
    for part, fingerprint in here.items():
        there = environment.get(part)
        if not isinstance(there, dict) or "fingerprint" not in there:
            raise DiagnoseError(f"{path / 'environment.json'} names no {part}; the folder is damaged")
        if there["fingerprint"] != fingerprint:
            what = "the text" if part == "corpus" else "how the text is divided"
            raise DiagnoseError(
                f"{path}: {what} is another than the run's (fingerprint {fingerprint}, the run's was "
                f"{there['fingerprint']}): give the file as it was with --data FILE",
                exit_code=UNJUDGED,
            )


def _consented(recipe: Recipe, model: str | None) -> tuple[Recipe, str]:
    """Return the recipe with the network's code that may be run, or why there is none."""
    try:
        return recipe.with_values({"model.name": registry.consented(recipe.model.name, model)}), ""
    except DiagnoseError as error:
        if model is not None:
            raise
        return recipe, str(error)
