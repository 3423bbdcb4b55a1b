"""What `from diagnose import` gives beside classes: what trains, explains, audits, compares and loads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.audit.audited_sides import Adapters
from diagnose.audit.quick_check import with_quick_findings
from diagnose.audit.sides_audit import audit
from diagnose.errors import own_words
from diagnose.gap.ledger import explain
from diagnose.gap.recorder.recorder import GapRecorder
from diagnose.gap.side import Side
from diagnose.report.audit_result import Audited
from diagnose.report.gap_result import Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from torch import nn

    from diagnose.config.recipe import Recipe
    from diagnose.gap.recorder.recording import Recording
    from diagnose.gap.side import Objective
    from diagnose.report.compared_scores import ComparedScores
    from diagnose.report.stored import StoredAblation, StoredRun
    from diagnose.runs.watched import Watch


@own_words
def train(
    recipe: Recipe | str | Path = "quick",
    overrides: Mapping[str, Any] | None = None,
    *,
    runs: Path | str = "runs",
    label: str | None = None,
    resume: bool = False,
    watch: Watch | None = None,
) -> Path:
    """Train one network, and leave a run directory that also holds what baselines need for the same text.

    Args:
        recipe: a recipe, the name of one that ships, or a TOML file.
        overrides: values by `table.key`.
        runs: the folder to make the run's directory in.
        label: part of the directory's name; the tokenizer's kind where none is given.
        resume: go on with the newest unfinished run of the same recipe; start one if there is none. A finished run
            that lacks its baselines, as one that was killed at its very end does, is given them.
        watch: called after each step.

    Returns:
        The run's directory.

    Raises:
        DiagnoseError: a mistake in the recipe or the text (nothing is written), a diverged or otherwise failed run
            (it keeps what was recorded), an interruption (it can be resumed).
    """
    from diagnose.baselines import run_baselines
    from diagnose.runs import followers, runner

    setup = runner.planned(recipe, overrides)
    path = run_baselines.lacking(Path(runs), setup.digest) if resume else None
    if path is not None:
        followers.train_nothing()
    path = path or runner.carry_out(setup, overrides or (), runs=Path(runs), label=label, resume=resume, watch=watch)
    run_baselines.keep(path, setup.text)
    return path


@own_words
def load(what: str | Path) -> StoredRun | StoredAblation | ComparedScores:
    """Open a run or an ablation that was left behind, in a notebook or a script.

        from diagnose import load

        ablation = load("runs/latest")
        ablation                    # a notebook shows its page; print(ablation) what the terminal shows
        ablation.to_frame()         # its effects, a pandas table; .runs, .scores and .curves are tables too

    Args:
        what: its folder, its name within `runs/`, or "runs/latest".

    Returns:
        What was left, read from its files alone: it may be opened while its text or network is elsewhere. Of an
        ablation of a command (`diagnose ablate --run`) what `compare_scores` gives.

    Raises:
        DiagnoseError: there is none, or a file is missing, corrupted or of a newer format; the line names it.
    """
    from diagnose.report.stored import stored

    return stored(what)


@own_words
def explain_gap(
    model: nn.Module,
    train: Side | Objective,
    val: Side | Objective,
    *,
    recorder: GapRecorder | Recording | None = None,
    budget: float | str = 20.0,
) -> Gap:
    """Account for the gap between a training and a validation loss, for any model and loop.

        from diagnose import Side, explain_gap

        gap = explain_gap(model,
            train=Side(train_loader, objective=train_loss, reported=0.486),
            val=Side(val_loader, objective=val_loss, reported=0.358))
        print(gap)
        gap.to_html("gap.html")

    Walks from one loss to the other and changes one condition at a time: training mode, objective, precision,
    averaging, collation, then the data. What the changes do to the loss are the terms; they sum to the gap exactly.
    What cannot be known from what is given (when each loss was taken, which batches it is of) stays in `residual`.
    Where the validation side is given, the cheap rules of `audit_metric` are asked of it too, and their findings joined
    (`targets-broadcast`, `dropout-on`, `state-carried`, `batch-dependent`, `ragged-mean`; `labels-unrelated` where data
    alone make a difference).

    Args:
        model: comes back exactly as it was: weights, buffers, flags, gradients, hooks, random states. A copy of its
            weights and gradients is held in main memory meanwhile. Its objectives run without gradients.
        train: the side of the training loss; see `Side`. With a recorder its objective is enough: its batches are then
            those of earlier steps that were kept.
        val: the side of the validation loss; with a recorder its objective, for the batches that were reported.
        recorder: of the loop that trained the model: gives `lag` and `recency`, and what was reported.
        budget: how much to read, in seconds, or as "100 batches" of each side. What fits is read whole.

    Returns:
        The ledger: `gap`, `terms`, `matched`, `verdict`, `findings`, `to_html`.

    Raises:
        DiagnoseError: a side yields nothing, an objective fails, returns no finite loss or changes the model; one line
            says which. The model is as it was then, too.

    >>> import torch
    >>> from diagnose import Side, explain_gap
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.Dropout(0.5), torch.nn.Linear(32, 1))
    >>> x = torch.randn(256, 8)
    >>> batches = [(part, part.sum(1, keepdim=True)) for part in x.split(32)]
    >>> def loss(model, batch):
    ...     return (model(batch[0]) - batch[1]).square()
    >>> gap = explain_gap(model, Side(batches[:4], loss), Side(batches[4:], loss))
    >>> bool(abs(gap.terms.value.fillna(0).sum() - gap.gap) < 1e-9)
    True
    """
    recording = recorder.record() if isinstance(recorder, GapRecorder) else recorder
    record = explain(model, train, val, recording, budget=budget)
    if not isinstance(val, Side):
        return Gap(record)
    return Gap(with_quick_findings(record, model, train if isinstance(train, Side) else None, val))


@own_words
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
    from diagnose.gap.run import run_gap

    ledger = run_gap.loss_gap(run, budget=budget, verify=verify, against=against, data=data, model=model)
    return ledger.model_dump(mode="json")


@own_words
def audit_metric(
    model: nn.Module,
    train: Side | None,
    val: Side,
    *,
    logits: Callable[[nn.Module, Any], Any] | None = None,
    tokens: Callable[[Any], Any] | None = None,
    tokenizer: Any = None,
    texts: Sequence[str] | None = None,
    train_texts: Sequence[str] | None = None,
    end: int | None = None,
    pad: int | None = None,
    build: Callable[[], nn.Module] | None = None,
    tied: bool | None = None,
    budget: float = 20.0,
) -> Audited:
    """Ask whether a validation loss is what it claims to be, and whether the set-up behind it is sound.

        from diagnose import Side, audit_metric

        audited = audit_metric(model, Side(train_loader, objective), Side(val_loader, objective))
        print(audited)

    With sides alone it judges whether evaluation is deterministic, dropout off, a sample's loss independent of its
    batch, gradients complete, a batch learnable, whether the sides share samples, and whether their batches are made
    alike. Where batches are those of next-token prediction (`input_ids` and `labels`, or two integer tensors of one
    shape) and the model returns logits, it judges causality, shift, padding and probabilities too. What cannot be
    judged is in `skipped`, with the reason.

    Args:
        model: comes back exactly as it was; see `explain_gap`.
        train: the side of the training loss; None where there is none.
        val: the side of the validation loss, the metric that is audited.
        logits: `logits(model, batch)` returns the scores of all next tokens, (rows, positions, vocabulary).
        tokens: `tokens(batch)` returns (inputs, targets), integers (rows, positions), negative where nothing is scored.
        tokenizer: with `encode(text)` and `decode(ids)`, and `get_vocab()` where the vocabulary is to be judged.
        texts: the validation documents, all of them: what should be scored, once and whole.
        train_texts: the training documents.
        end: the token that ends a document.
        pad: the token that fills rows up, where targets do not mark it by a negative number.
        build: returns a new network, for the loss before training.
        tied: whether embedding and output matrix are meant to be one; by default what the model's config says.
        budget: how much time training on a batch and looking for shared samples may take, in seconds; on a batch by the
            operations of a step, so that a busy machine takes as many.

    Returns:
        The audit: `verdict`, `findings`, `checked`, `skipped`, `record`, `to_html()`, `to_markdown()`.

    Raises:
        DiagnoseError: a side or an adapter fails or returns something of the wrong shape; one line says which.

    >>> import torch
    >>> from diagnose import Side, audit_metric
    >>> _ = torch.manual_seed(0)
    >>> x = torch.randn(96, 8)
    >>> batches = list(zip(x.split(16), (x[:, 0] > 0).long().split(16), strict=True))
    >>> model = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Linear(32, 2))
    >>> def loss(model, batch):
    ...     return torch.nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")
    >>> audit_metric(model, Side(batches[:4], loss), Side(batches[4:], loss)).findings
    []
    """
    given = Adapters(logits, tokens, tokenizer, texts, train_texts, end, pad, build, tied)
    return Audited(audit(model, train, val, given, budget))


@own_words
def compare_scores(
    table: pd.DataFrame,
    *,
    arm: str | Sequence[str],
    score: str | Sequence[str],
    seed: str | None = None,
    example: str | None = None,
    cluster: str | None = None,
    higher_is_better: bool | Mapping[str, bool] | None = None,
    levels: Sequence[str] | None = None,
    pairs: bool = False,
    margin: float | Mapping[str, float] | None = None,
) -> ComparedScores:
    """Compare the arms of a table of scores that anybody's runs left: which differs, by how much, and how sure that is.

        from diagnose import compare_scores

        compared = compare_scores(table, arm="model", seed="seed", example="id", score="accuracy")
        print(compared)
        compared.to_html("compare.html")

    The design is found from the table: whether arms share seeds (effects are then paired by them), whether all runs
    were scored on the same examples (seeds and examples are then crossed) or each seed on its own, what is missing.
    Where each arm was run once, intervals are over examples alone, and nothing is called resolved.

    Args:
        table: a row a run, or a row an example of a run; further columns do no harm.
        arm: the column of what is compared; several make a factorial, with main effects and interactions.
        score: the column of the scores, numbers of any kind (losses, 0 and 1, counts); several are corrected together.
        seed: the column that tells the runs of an arm apart; without it, and without `example`, each row is a run.
        example: the column of what was scored.
        cluster: the column of groups of examples that belong together, as questions on one passage.
        higher_is_better: of all scores, or by name; None goes by the names ("accuracy", "loss"), and of a name that
            says nothing only "higher" and "lower" are said.
        levels: arms to keep, the first is the control; all in the table's order where None.
        pairs: compare every two arms too.
        margin: in the score's unit, of several scores by name: say where an effect is shown to be no larger.

    Returns:
        The comparison: `verdict`, `record`, `to_frame`, `to_html`, `to_markdown`.

    Raises:
        DiagnoseError: no comparison can be made of the table; one line says why.

    >>> import pandas as pd
    >>> from diagnose import compare_scores
    >>> loss = {"relu": (2.11, 2.14, 2.12), "gelu": (2.05, 2.09, 2.06)}
    >>> rows = [(arm, seed, value) for arm, values in loss.items() for seed, value in enumerate(values)]
    >>> table = pd.DataFrame(rows, columns=["activation", "seed", "val_loss"])
    >>> compare_scores(table, arm="activation", seed="seed", score="val_loss").verdict.partition(": ")[2]
    'in val_loss, gelu is 0.057 ± 0.014 better than relu.'
    """
    from diagnose.ablation.results.score_comparison import compare_table
    from diagnose.ablation.results.score_table import ScoreColumns
    from diagnose.report.compared_scores import ComparedScores

    arms, scores = ((name,) if isinstance(name, str) else tuple(name) for name in (arm, score))
    comparison = compare_table(
        table, ScoreColumns(arms, scores, seed, example, cluster), higher=higher_is_better, levels=levels, pairs=pairs,
        margin=margin, source=("a DataFrame",),
    )  # fmt: skip
    return ComparedScores(comparison)
