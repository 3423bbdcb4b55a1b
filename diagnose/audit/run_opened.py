"""A finished run with its text, opened for its audit.

Unlike the ledger, an audit opens runs that are not in order, for that is what it has to tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose import files
from diagnose.audit.findings import UNJUDGED
from diagnose.data import tokenizer
from diagnose.errors import DiagnoseError
from diagnose.runs.opened import open_run
from diagnose.training import batches, device, preparation

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer
    from torch import nn

    from diagnose.config.recipe import Recipe
    from diagnose.records.run_records import Environment
    from diagnose.runs.opened import OpenedRun


@dataclass(frozen=True, eq=False)
class AuditedRun:
    """A run and its text.

    Attributes:
        opened: the run.
        text: corpus, split, tokenizer and stream as the recipe makes them.
        tokenizer: the one that lies in the folder.
        train, val: rows as the run's loaders make them.
        network: with the final weights; None where it cannot be had (`opened.why`).
    """

    opened: OpenedRun
    text: preparation.PreparedText
    tokenizer: Tokenizer
    train: batches.BatchPlan
    val: batches.BatchPlan
    network: nn.Module | None

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.opened.path

    @property
    def recipe(self) -> Recipe:
        """Its recipe, as this machine can follow it."""
        return self.opened.recipe

    def fresh(self) -> nn.Module:
        """Return the network as it was before its first step."""
        return preparation.build(self.recipe, self.text.vocabulary, device.find(self.recipe.run.device))


def open_audited(run: str | Path, data: str | Path | None = None, model: str | None = None) -> AuditedRun:
    """Open a finished run for its audit; see `runs.opened.open_run` for what is given.

    Raises:
        DiagnoseError: no such run, an ablation, a run that has not finished, a damaged checkpoint, another text.
    """
    opened = open_run(run, data, model)
    recipe = opened.recipe
    text = preparation.read_text(recipe.data, recipe.tokenizer)
    _refuse_other_text(opened.path, text, opened.environment)
    run_tokenizer = tokenizer.load(files.inside(opened.path / "tokenizer.json"))
    pad, where = tokenizer.marks(text.tokenizer)[1], device.find(recipe.run.device)
    train, val = (batches.plan(recipe, text.stream, text.split, side, pad, where) for side in ("train", "val"))
    network = None
    if not opened.why:
        network = opened.load(preparation.build(recipe, text.vocabulary, where)).eval()
    return AuditedRun(opened, text, run_tokenizer, train, val, network)


def _refuse_other_text(path: Path, text: preparation.PreparedText, environment: Environment) -> None:
    here = {"the text": text.corpus.fingerprint, "how the text is divided": text.split.fingerprint}
    there = (environment.corpus.fingerprint, environment.split.fingerprint)
    for (what, now), then in zip(here.items(), there, strict=True):
        if now != then:
            raise DiagnoseError(
                f"{path}: {what} is another than the run's (fingerprint {now}, the run's was {then}): "
                "give the file as it was with --data FILE",
                exit_code=UNJUDGED,
            )
