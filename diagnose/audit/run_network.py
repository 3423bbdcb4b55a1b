"""The audit of a run's network: what it sees, what its losses are, whether they are those that were recorded.

Shapes: B rows, T positions, V vocabulary.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose.audit import predictions, training_checks
from diagnose.audit.judgements import judge_overfit, judge_start, names
from diagnose.data import tokenizer
from diagnose.runs import session, store
from diagnose.training import batches, chunked_loss, evaluation, trainer
from diagnose.training.device import autocast

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor, nn

    from diagnose.audit.findings import Audit
    from diagnose.audit.run_opened import Opened

ALIKE, ALIKE_BF16 = 2e-4, 2e-2  # of a loss: what other kernels for other shapes may differ by
READ = 24  # documents whose recorded losses are compared
SUMMED = (8, 4)  # rows a pass and positions, where probabilities are summed
PER_PASS = 512  # rows
NEEDS = (
    "future-visible", "segment-visible", "probabilities", "softmax-twice", "padding-counted", "padding-predicted",
    "padding-dependent", "batch-dependent", "state-carried", "evaluation-random", "dropout-on", "ragged-mean",
    "record-differs", "loss-differs", "no-gradient", "frozen-weights", "loss-at-start", "cannot-overfit",
    "input-ignored", "tied-weights",
)  # fmt: skip


class Reader:
    """The run's network in evaluation mode, read as its metric reads it."""

    def __init__(self, run: Opened, network: nn.Module) -> None:
        self.run, self.network = run, network
        self.precision = run.recipe.run.precision
        self.tolerance = ALIKE_BF16 if self.precision == "bf16" else ALIKE
        self.device = next(network.parameters()).device

    def nats(self, inputs_BT: Tensor, targets_BT: Tensor, segments_BT: Tensor | None = None, seed: int = 0) -> Tensor:
        """Return each target's loss (B, T)."""
        torch.manual_seed(seed)
        with autocast(self.device, self.precision):
            return chunked_loss.token_nats(self.network, inputs_BT, targets_BT, segments_BT).double()

    def logits(self, inputs_BT: Tensor, segments_BT: Tensor | None = None) -> Tensor:
        """Return the scores of all next tokens (B, T, V)."""
        torch.manual_seed(0)
        with torch.no_grad(), autocast(self.device, self.precision):
            found: Tensor = self.network(inputs_BT, segments_BT)
        return found.float()

    def batch(self, number: int = 0) -> batches.Batch:
        """Return validation rows as the run's loader cuts them."""
        layout = self.run.val
        size = min(layout.size, layout.rows)
        return batches.rows(layout, number * size, size)


def judge(audit: Audit, run: Opened, network: nn.Module, table: pd.DataFrame | None) -> None:
    """Judge everything that needs the network; random states and its weights come back as they were."""
    with torch.random.fork_rng(), evaluation.unchanged(network, training=False):
        reader = Reader(run, network)
        _repeatable(audit, reader)
        _alone(audit, reader)
        _sees(audit, reader)
        _probabilities(audit, reader)
        _input(audit, reader)
        _recorded(audit, reader, table)
    _conditions(audit, run, network)
    _tied(audit, run, network)
    _trained(audit, run, network)


def _repeatable(audit: Audit, reader: Reader) -> None:
    one, two = reader.batch(0), reader.batch(1)
    first = reader.nats(one.inputs_BT, one.targets_BT, one.segments_BT, 1)
    reader.nats(two.inputs_BT, two.targets_BT, two.segments_BT, 1)
    again = reader.nats(one.inputs_BT, one.targets_BT, one.segments_BT, 1)
    other = reader.nats(one.inputs_BT, one.targets_BT, one.segments_BT, 2)
    carried, random = float((first - again).abs().max()), float((first - other).abs().max())
    limit = reader.tolerance * float(first.abs().max())
    if carried > limit:
        audit.breaks("state-carried", f"a batch's losses move by {carried:.4f} after another batch", largest=carried)
    else:
        audit.keeps("state-carried", largest_difference=carried)
    if random <= limit or carried > limit:
        audit.keeps("evaluation-random", largest_difference=random)
        return
    with training_checks.no_dropout():
        pair = [reader.nats(one.inputs_BT, one.targets_BT, one.segments_BT, seed) for seed in (1, 2)]
    if float((pair[0] - pair[1]).abs().max()) <= limit:
        audit.breaks("dropout-on", f"dropout is on in evaluation mode: losses move by {random:.4f}", largest=random)
        audit.keeps("evaluation-random", without_dropout=0.0)
    else:
        audit.breaks("evaluation-random", f"the same batch twice: losses move by {random:.4f}", largest=random)


def _alone(audit: Audit, reader: Reader) -> None:
    """Judge `batch-dependent` and `padding-dependent`: rows alone, and without their padding."""
    batch = reader.batch()
    whole_BT = reader.nats(batch.inputs_BT, batch.targets_BT, batch.segments_BT)
    worst = padded = 0.0
    trimmed = 0
    for k in range(min(6, len(whole_BT))):
        row = slice(k, k + 1)
        segments = None if batch.segments_BT is None else batch.segments_BT[row]
        own_T = reader.nats(batch.inputs_BT[row], batch.targets_BT[row], segments)[0]
        counted_T = batch.counted_BT[k]
        worst = max(worst, float((own_T - whole_BT[k])[counted_T].abs().max()))
        length = int(counted_T.sum())
        if 0 < length < len(counted_T):
            cut = (batch.inputs_BT[row, :length], batch.targets_BT[row, :length])
            short_T = reader.nats(*cut, None if segments is None else segments[:, :length])[0]
            padded, trimmed = max(padded, float((short_T - own_T[:length]).abs().max())), trimmed + 1
    limit = reader.tolerance * float(whole_BT.abs().max())
    _within(audit, "batch-dependent", worst, limit, "a row's losses move by {:.4f} with the rows beside it")
    if trimmed:
        _within(audit, "padding-dependent", padded, limit, "a document's losses move by {:.4f} with its padding")
    else:
        audit.skips("padding-dependent", "no row of the batches that were read is padded", matters=False)


def _within(audit: Audit, rule: str, value: float, limit: float, what: str) -> None:
    if value > limit:
        audit.breaks(rule, what.format(value), largest=value)
    else:
        audit.keeps(rule, largest_difference=value)


def _sees(audit: Audit, reader: Reader) -> None:
    """Judge `future-visible` and, where documents are kept apart, `segment-visible`."""
    batch, vocabulary = reader.batch(), reader.run.text.vocabulary
    coarse = predictions.COARSE if reader.precision == "bf16" else predictions.TOLERANCE
    leak, most = predictions.first_leak(reader.logits, batch.inputs_BT[:2], vocabulary, coarse)
    if leak is None:
        audit.keeps("future-visible", largest_change=most)
    else:
        what = f"the prediction at position {leak[0]} changes with tokens from position {leak[1]} on (counted from 0)"
        audit.breaks("future-visible", what, position=leak[0], cut=leak[1], largest_change=most)
    if batch.segments_BT is None:
        audit.skips("segment-visible", "documents of a row may see each other, or each has a row", matters=False)
        return
    several = (batch.segments_BT > 0).any(1).nonzero().flatten().tolist()
    if not several:
        audit.skips("segment-visible", "no row that was read holds two documents", matters=False)
        return
    row_BT, segments_BT = (part[several[0]][None] for part in (batch.inputs_BT, batch.segments_BT))
    later_T = segments_BT[0] > 0
    before = reader.logits(row_BT, segments_BT)[0, later_T]
    changed = torch.where(later_T, row_BT, (row_BT + 1) % vocabulary)
    moved = float((reader.logits(changed, segments_BT)[0, later_T] - before).abs().max())
    limit, what = coarse * float(before.abs().max()), "a document's predictions move by {:.4f} with the one before it"
    _within(audit, "segment-visible", moved, limit, what)


def _probabilities(audit: Audit, reader: Reader) -> None:
    """Sum the probabilities of every token, as the metric takes them, at some places."""
    vocabulary = reader.run.text.vocabulary
    inputs_BT = reader.batch().inputs_BT[:1, : SUMMED[1]]
    total = torch.zeros(inputs_BT.shape[1], dtype=torch.float64)
    for first in range(0, vocabulary, PER_PASS):
        ids = torch.arange(first, min(first + PER_PASS, vocabulary), device=inputs_BT.device)
        targets_BT = ids[:, None].expand(-1, inputs_BT.shape[1]).contiguous()
        nats_BT = reader.nats(inputs_BT.expand(len(ids), -1).contiguous(), targets_BT)
        total += torch.exp(-nats_BT).sum(0).cpu()
    low, high = float(total.min()), float(total.max())
    if max(abs(low - 1), abs(high - 1)) > 0.01:
        audit.breaks("probabilities", f"the probabilities of all tokens sum to {low:.3f} to {high:.3f}, not to 1",
                     lowest=low, highest=high)  # fmt: skip
    else:
        audit.keeps("probabilities", lowest=low, highest=high)
    if predictions.is_distribution(reader.logits(inputs_BT)):
        audit.breaks("softmax-twice", "the network returns probabilities, and the loss takes a softmax of them")
    else:
        audit.keeps("softmax-twice")


def _input(audit: Audit, reader: Reader) -> None:
    batch = reader.batch()
    before = reader.logits(batch.inputs_BT[:2])
    after = reader.logits(batch.inputs_BT[:2].flip(1))
    if float((before - after).abs().max()) == 0:
        audit.breaks("input-ignored", "the predictions are the same whatever the input is")
    else:
        audit.keeps("input-ignored", change=float((before - after).abs().mean()))


def _recorded(audit: Audit, reader: Reader, table: pd.DataFrame | None) -> None:
    """Read some documents anew and compare them with the record."""
    if table is None:
        audit.skips("record-differs", "the record of the validation text is not in order", matters=False)
        return
    run = reader.run
    some = table.iloc[:: max(1, len(table) // READ)]
    documents = some.document.to_numpy(np.int64)
    exact = run.text.corpus.doc_bytes[documents]
    found = evaluation.canonical(reader.network, run.text.stream, documents, exact, run.recipe.batches.context,
                             reader.precision)  # fmt: skip
    recorded, now = some.nats.to_numpy(float), found.nats_N
    off = float(np.max(np.abs(recorded - now) / np.maximum(np.abs(now), 1.0)))
    final = store.read_table(run.path, "readings")
    final = final[final.kind == "final"]
    summed = float(table.nats.sum())
    stated = float(final.iloc[-1].nats) if len(final) else math.nan
    if off > 5 * reader.tolerance:
        what = f"documents were recorded with {recorded.sum():.2f} nats and cost {now.sum():.2f} with the final weights"
        audit.breaks("record-differs", what, recorded=float(recorded.sum()), now=float(now.sum()), largest_share=off)
    elif not abs(stated - summed) <= 1e-6 * max(1.0, abs(summed)):
        what = f"the final reading states {stated:.2f} nats, and its documents sum to {summed:.2f}"
        audit.breaks("record-differs", what, recorded=stated, now=summed)
    else:
        audit.keeps("record-differs", documents=len(some), largest_share=off)


def _conditions(audit: Audit, run: Opened, network: nn.Module) -> None:
    """Judge how the run reports its validation loss, by reading the reported batches plainly as well."""
    condition = session.reported_condition(run.recipe, network)
    bytes_V = torch.from_numpy(tokenizer.token_bytes(run.text.tokenizer).astype("int64"))
    layout = run.val
    some = [batches.rows(layout, k * layout.size, min(layout.size, layout.rows)) for k in range(4)]

    def value(**other: Any) -> float:
        own = evaluation.EvalCondition(**({"precision": condition.precision} | other))
        return evaluation.read(network, some, own, bytes_V).loss

    plain = value()
    cases = (
        ("dropout-on", condition.training, {"training": True}, "dropout is on where the validation loss is reported"),
        ("padding-counted", condition.padding == "denominator", {"padding": "denominator"},
         "padding is counted in the reported mean with a loss of 0"),
        ("padding-predicted", condition.padding == "target", {"padding": "target"},
         "padding is predicted and counted in the reported validation loss"),
        ("ragged-mean", condition.mean != "token", {"mean": condition.mean},
         f"the reported validation loss is a mean over {condition.mean} means"),
        ("loss-differs", bool(condition.label_smoothing or condition.penalty),
         {"label_smoothing": condition.label_smoothing, "penalty": condition.penalty},
         "the reported validation loss holds label smoothing or weight decay"),
    )  # fmt: skip
    for rule, so, other, what in cases:
        if rule.startswith("padding") and layout.loader != "padded":
            audit.skips(rule, f"the loader {layout.loader} pads nothing", matters=False)
        elif not so or (measured := value(**other)) == plain:
            audit.keeps(rule, loss=plain)
        else:
            audit.breaks(rule, f"{what}: {measured:.4f} instead of {plain:.4f}", reported_so=measured, plain=plain)


def _tied(audit: Audit, run: Opened, network: nn.Module) -> None:
    """Judge `tied-weights` by the network and by what its checkpoint holds under each of a shared weight's names."""
    groups: dict[int, list[str]] = {}
    for name, p in network.named_parameters(remove_duplicate=False):
        groups.setdefault(id(p), []).append(name)
    shared = [some for some in groups.values() if len(some) > 1]
    if not shared:
        wanted = run.recipe.model.settings().get("tied") is True
        if wanted:
            audit.breaks("tied-weights", "the recipe asks for tied weights and the network shares none")
        else:
            audit.skips("tied-weights", "the network shares no weights", matters=False)
        return
    held = run.weights or {}
    for some in shared:
        kept = [held[name] for name in some if name in held]
        if any(not torch.equal(kept[0], other) for other in kept[1:]):
            off = max(float((kept[0].float() - other.float()).abs().max()) for other in kept[1:])
            what = f"the checkpoint holds {' and '.join(some)} with different values, and they are one weight"
            audit.breaks("tied-weights", what, largest_difference=off)
            return
    audit.keeps("tied-weights", shared=sum(len(some) for some in shared))


def _trained(audit: Audit, run: Opened, network: nn.Module) -> None:
    """Judge gradients, the loss at the start, and whether a batch can be learned, on copies of the network."""
    recipe = run.recipe
    parts = batches.step_batches(run.train, 0, recipe.batches.accumulate)
    own = copy.deepcopy(network)

    def loss(net: nn.Module, batch: batches.Batch) -> Tensor:
        weights_BT = trainer.weights([batch], recipe.loss)[0]
        with autocast(batch.inputs_BT.device, recipe.run.precision):
            found, _ = chunked_loss.objective(net, batch.inputs_BT, batch.targets_BT, weights_BT, batch.segments_BT)
        return found

    with torch.random.fork_rng():
        found = training_checks.unreached(own, lambda k: loss(own, parts[k % len(parts)]), min(2, len(parts)))
        _reached(audit, found, parts)
        fresh = run.fresh().eval()
        with torch.no_grad():
            first = batches.step_batches(run.train, 0, 1)[0]
            condition = loss(fresh, first) * first.counted_BT.numel() / max(1, int(first.counted_BT.sum())) if (
                recipe.loss.padding == "denominator") else loss(fresh, first)  # fmt: skip
        judge_start(audit, float(condition), run.text.vocabulary)
        rows = batches.rows(run.train, 0, 4)
        fit = training_checks.overfit(own, lambda: loss(own, rows), 20.0)
    judge_overfit(audit, fit, "4 rows", "{steps} steps took 20 seconds")


def _reached(audit: Audit, found: tuple[list[str], list[str]] | None, parts: list[Any]) -> None:
    if found is None:
        audit.breaks("no-gradient", "the loss has no gradient at all")
        return
    without, frozen = found
    if without:
        audit.breaks("no-gradient", f"no gradient reaches {names(without)}", weights=len(without), names=without[:8])
    else:
        audit.keeps("no-gradient", batches=len(parts))
    if frozen:
        audit.breaks("frozen-weights", f"{names(frozen)} are frozen (requires_grad=False)", weights=len(frozen))
    else:
        audit.keeps("frozen-weights", frozen=0)
