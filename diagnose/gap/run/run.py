"""A finished run, opened for its ledger: recipe, text, network with its final weights, and what it reported.

Whatever has changed since the run was trained is refused: readings of other text or another network would be filed
under this run's name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diagnose.data import tokenizer
from diagnose.errors import DiagnoseError
from diagnose.formatting import counted
from diagnose.runs import run_tables, session, store
from diagnose.runs.opened import open_run
from diagnose.training import batches, network, registry, trainer
from diagnose.training.preparation import Setup, set_up, version

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import torch
    from numpy.typing import NDArray

    from diagnose.config.recipe import Recipe
    from diagnose.records.run_records import Environment

TOKENIZER = "the tokenizer"
CHECKED, REPRODUCED = 50, 1e-3  # documents of an older run, and how far a loss may lie from the recorded one
FORGOTTEN = 1e-6  # share of a decaying average that may lie in steps that are not looked at


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A finished run.

    Attributes:
        path: its folder.
        setup: what its recipe comes to, found again and seen to be the same.
        network: with the final weights, on its device.
        logged: the loss of every step as recorded.
        train, val: the reported losses that the ledger explains, in nats per token as reported.
        number: the print (from 0) that reported them.
        seconds: that training took.
        environment: what the run recorded of where it came from.
        notes: what a reader of its ledger has to know of it.
    """

    path: Path
    setup: Setup
    network: torch.nn.Module
    logged: NDArray[np.float64]
    train: float
    val: float
    number: int
    seconds: float
    environment: Environment
    notes: tuple[str, ...] = ()

    @property
    def recipe(self) -> Recipe:
        """The resolved recipe."""
        return self.setup.recipe

    @property
    def positions(self) -> int:
        """Token positions of a training step, padding included."""
        table = self.recipe.batches
        return table.size * table.accumulate * table.context

    @property
    def interval_start(self) -> int:
        """Steps taken before the last logging interval."""
        every = self.recipe.report.interval
        return (len(self.logged) - 1) // every * every

    @property
    def earlier(self) -> int:
        """Steps before those that the reported training loss averages, or before the last interval."""
        steps, _ = self.averaged()
        if self.recipe.report.train == "epoch":
            return int(steps[0])
        return self.interval_start

    def averaged(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the steps (from 0) that the reported training loss averages, and their weights, which sum to 1."""
        last, kind = len(self.logged), self.recipe.report.train
        if kind == "ema":
            window = min(last, math.ceil(math.log(FORGOTTEN) / math.log(trainer.EMA)))
            weights = trainer.EMA ** np.arange(window - 1, -1, -1.0)
            return np.arange(last - window, last), weights / weights.sum()
        per_epoch = batches.steps_per_epoch(self.setup.course.layout, self.recipe.batches.accumulate)
        numbers = [float(step) for step in range(last)]
        mean = trainer.reported_training_loss(numbers, kind, self.recipe.report.interval, per_epoch)
        first = round(2 * mean) - (last - 1)  # the mean of `first` .. `last - 1` is half their sum
        return np.arange(first, last), np.full(last - first, 1 / (last - first))


def open_finished(run: str | Path, data: str | Path | None = None, model: str | None = None) -> FinishedRun:
    """Open a finished run for its ledger; see `runs.opened.open_run` for what is given.

    Raises:
        DiagnoseError: no such run; a network that is code and was not named; an ablation; a run that has not
            finished or kept no checkpoint or no reports; text, tokenizer or network that are no
            longer those of the run.
    """
    opened = open_run(run, data, model)
    path, recipe = opened.path, opened.recorded
    if opened.tensors is None or opened.progress is None:
        raise DiagnoseError(
            f"{path} keeps no checkpoint (pruned?), and the ledger reads the final weights: "
            f"train it again with `diagnose train --recipe {path}/recipe.toml`"
        )
    if opened.why:
        raise DiagnoseError(opened.why)
    setup = set_up(opened.recipe)
    older = _refuse_changed(path, recipe, setup, opened.environment)
    net = opened.load(setup.network())
    notes = [_check_losses(path, setup, net, opened.environment.version)] if older else []
    if opened.moved is not None:
        notes.append(f"trained on {opened.moved}, which this machine lacks: masks and rounding are others than logged")
    steps, readings = run_tables.read_table(path, "steps"), run_tables.read_table(path, "readings")
    if int(opened.progress["step"]) != len(steps) or not len(steps):
        taken = opened.progress["step"]
        raise DiagnoseError(f"{path}: the checkpoint is of step {taken} and {len(steps)} steps are recorded")
    number = (len(steps) - 1) // recipe.report.interval
    train, val = (_reported(path, readings, side, len(steps)) for side in ("train", "val"))
    return FinishedRun(
        path, setup, net, steps.loss.to_numpy(float), train, val, number, float(steps.seconds.iloc[-1]),
        opened.environment, tuple(notes),
    )  # fmt: skip


def _refuse_changed(path: Path, recipe: Recipe, setup: Setup, environment: Environment) -> bool:
    """Compare fingerprints; a recipe, text, tokenizer and network that digest alike are the run's.

    Returns:
        Whether they do not, where that may be because another version of diagnose trained a network of its own.
    """
    here, there = setup.text.corpus.fingerprint, environment.corpus.fingerprint
    if here != there:
        where = setup.recipe.data.path or recipe.data.corpus
        raise DiagnoseError(
            f"{where} is not the text of {path} any more (fingerprint {here}, the run's was {there}): "
            "give the file as it was with --data FILE"
        )
    if setup.text.split.fingerprint != environment.split.fingerprint:
        raise DiagnoseError(
            f"{path}: this version of diagnose divides the text otherwise than the run did; train it again"
        )
    prints = (here, setup.text.split.fingerprint, network.fingerprint(setup.recipe.model.name, recipe.model.name))
    if recipe.digest(*prints, tokenizer.fingerprint(setup.text.tokenizer)) != environment.digest:
        what = _what_changed(path, setup, recipe)
        if what != TOKENIZER and registry.is_ours(recipe.model.name) and environment.version != version():
            return True
        raise DiagnoseError(f"{path}: {what} changed since the run was trained; restore it or train the run again")
    return False


def _check_losses(path: Path, setup: Setup, net: torch.nn.Module, trained_by: str) -> str:
    """Refuse a network that does not give the losses that an older version recorded; return what was checked.

    Raises:
        DiagnoseError: it does not.
    """
    recorded = run_tables.read_table(path, "validation").head(CHECKED)
    documents = recorded.document.to_numpy(np.int64)
    nats_N = session.read_documents(setup, net, documents).nats_N
    apart = float(np.abs(nats_N / recorded.nats.to_numpy(float) - 1).max())
    if not apart <= REPRODUCED:
        raise DiagnoseError(
            f"{path} was trained by diagnose {trained_by}, and with today's code its network gives other losses "
            f"(by {apart:.1%} of a document's); install that version, or train the run again"
        )
    return (
        f"trained by diagnose {trained_by}, whose code was another; today's gives the recorded losses of "
        f"{counted(len(documents), 'validation document')}"
    )


def _what_changed(path: Path, setup: Setup, recipe: Recipe) -> str:
    tokenizer_file = path / "tokenizer.json"
    now = setup.text.tokenizer.to_str(pretty=True)
    if tokenizer_file.exists() and store.read_text(tokenizer_file).strip() != now.strip():
        return TOKENIZER
    return f"the code of the network '{recipe.model.name}' or the run's recipe.toml"


def _reported(path: Path, readings: pd.DataFrame, side: str, step: int) -> float:
    rows = readings[(readings.kind == "reported") & (readings.split == side) & (readings.step == step)]
    if not len(rows):
        raise DiagnoseError(f"{path} reports no {side} loss at its last step {step}: there is no gap to account for")
    return float(rows.iloc[-1].loss)
