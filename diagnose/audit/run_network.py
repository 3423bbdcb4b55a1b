"""The audit of a run's network: its sides as any others, and what only a run's record can be held against.

Shapes: B rows, T positions, V vocabulary.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose.audit import predictions, sides_audit
from diagnose.audit.audited_sides import Adapters
from diagnose.audit.findings import known
from diagnose.audit.rules import record_differs, what_is_seen
from diagnose.audit.side_passes import SidePasses
from diagnose.data import tokenizer
from diagnose.gap.loop.guard import guarded
from diagnose.gap.side import Side
from diagnose.runs import run_tables, session
from diagnose.training import batches, chunked_loss, device, evaluation, trainer

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor, nn

    from diagnose.audit.findings import Audit
    from diagnose.audit.run_opened import AuditedRun
    from diagnose.training.batches import Batch

SECONDS = 30.0  # that training on a few rows may take
HELD = 16  # validation batches that are read
READ = 24  # documents whose recorded losses are compared


def judge(audit: Audit, run: AuditedRun, network: nn.Module, table: pd.DataFrame | None) -> None:
    """Judge everything that needs the network; random states and its weights come back as they were."""
    train, val, given = sides(run)
    with guarded(network, [], []) as guard:
        passes, val_batches = SidePasses(network, guard, val, "validation"), list(val.batches)
        sides_audit.evaluation(audit, passes, val_batches, given)
        _segments(audit, run, passes, val_batches[0])
        sides_audit.training(audit, passes, train, val_batches, given, SECONDS)
        passes.forget()
        guard.restore()
    with device.random_kept(device.find(run.recipe.run.device)), evaluation.unchanged(network, training=False):
        _recorded(audit, run, network, table, passes.tolerance)
    _conditions(audit, run, network)


def sides(run: AuditedRun) -> tuple[Side, Side, Adapters]:
    """Return the training and the validation side of a run, and what its batches and its network are."""
    cast = torch.bfloat16 if run.recipe.run.precision == "bf16" else None

    def training_loss(model: nn.Module, batch: Batch) -> Tensor:
        weights_BT = trainer.weights([batch], run.recipe.loss)[0]
        ends = (batch.inputs_BT, batch.targets_BT, weights_BT, batch.segments_BT)
        loss, _ = chunked_loss.objective(model, *ends)
        return loss

    def validation_loss(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        nats_BT = chunked_loss.token_nats(model, batch.inputs_BT, batch.targets_BT, batch.segments_BT)
        return {"loss": nats_BT, "weights": batch.counted_BT.float()}

    steps = [part for step in range(2) for part in batches.step_batches(run.train, step, run.recipe.batches.accumulate)]
    layout = run.val
    size = min(layout.size, layout.rows)
    val_batches = [batches.rows(layout, k * size, size) for k in range(max(1, min(HELD, layout.rows // size)))]
    given = Adapters(
        logits=lambda model, batch: model(batch.inputs_BT, batch.segments_BT),
        tokens=lambda batch: (batch.inputs_BT, batch.targets_BT.masked_fill(~batch.counted_BT, predictions.NONE)),
        build=run.fresh,
    )
    return Side(steps, training_loss, autocast=cast), Side(val_batches, validation_loss, autocast=cast), given


def _segments(audit: Audit, run: AuditedRun, passes: SidePasses, batch: Batch) -> None:
    """Judge `segment-visible`, where documents are kept apart."""
    if batch.segments_BT is None:
        audit.skips("segment-visible", "documents of a row may see each other, or each has a row", matters=False)
        return
    several = (batch.segments_BT > 0).any(1).nonzero().flatten().tolist()
    if not several:
        audit.skips("segment-visible", "no row that was read holds two documents", matters=False)
        return
    row_BT, segments_BT = (part[several[0]][None] for part in (batch.inputs_BT, batch.segments_BT))
    later_T = segments_BT[0] > 0
    other_BT = torch.where(later_T, row_BT, (row_BT + 1) % run.text.vocabulary)
    before, after = (_scores(passes, some_BT, segments_BT)[0, later_T] for some_BT in (row_BT, other_BT))
    moved, coarse = float((after - before).abs().max()), predictions.COARSE if passes.half else predictions.TOLERANCE
    what_is_seen.judge_segments(audit, moved, coarse * float(before.abs().max()))


def _scores(passes: SidePasses, inputs_BT: Tensor, segments_BT: Tensor) -> Tensor:
    scores: Tensor = passes.call(lambda: passes.model(inputs_BT, segments_BT), "the network")
    return scores.float()


def _recorded(audit: Audit, run: AuditedRun, network: nn.Module, table: pd.DataFrame | None, tolerance: float) -> None:
    """Read some documents anew and compare them with the record."""
    if table is None:
        audit.skips("record-differs", "the record of the validation text is not in order", matters=False)
        return
    some = table.iloc[:: max(1, len(table) // READ)]
    documents = some.document.to_numpy(np.int64)
    exact = run.text.corpus.sizes(documents)
    recorded = some.nats.to_numpy(float)
    now = evaluation.canonical(
        network, run.text.stream, documents, exact, run.recipe.batches.context, run.recipe.run.precision
    ).nats_N
    final = run_tables.read_table(run.path, "readings")
    final = final[final.kind == "final"]
    summed = float(table.nats.sum())
    stated = float(final.iloc[-1].nats) if len(final) else math.nan
    record_differs.judge(audit, recorded, now, (stated, summed), tolerance)


def _conditions(audit: Audit, run: AuditedRun, network: nn.Module) -> None:
    """Judge how the run reports its validation loss, by reading the reported batches plainly as well."""
    condition = session.reported_condition(run.recipe, network)
    bytes_V = torch.from_numpy(tokenizer.token_bytes(run.text.tokenizer).astype("int64"))
    layout = run.val
    some = [batches.rows(layout, k * layout.size, min(layout.size, layout.rows)) for k in range(4)]

    def value(**other: Any) -> float:
        other_condition = evaluation.EvalCondition(**({"precision": condition.precision} | other))
        return evaluation.read(network, some, other_condition, bytes_V).loss

    plain = value()
    cases = (
        ("dropout-on", condition.training, {"training": True}),
        ("padding-counted", condition.padding == "denominator", {"padding": "denominator"}),
        ("padding-predicted", condition.padding == "target", {"padding": "target"}),
        ("ragged-mean", condition.mean != "token", {"mean": condition.mean}),
        ("loss-differs", bool(condition.label_smoothing or condition.penalty),
         {"label_smoothing": condition.label_smoothing, "penalty": condition.penalty}),
    )  # fmt: skip
    for rule, so, other in cases:
        if rule.startswith("padding") and layout.loader != "padded":
            audit.skips(rule, f"the loader {layout.loader} pads nothing", matters=False)
        elif not so or (measured := value(**other)) == plain:
            audit.keeps(rule, loss=plain)
        else:
            what = known()[rule].reported_so.format(mean=condition.mean)
            audit.breaks(rule, f"{what}: {measured:.4f} instead of {plain:.4f}", reported_so=measured, plain=plain)
