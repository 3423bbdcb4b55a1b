"""Is the evaluation of a user's model sound: the same twice, whatever else is in the batch, however it is padded."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from diagnose.audit import row_outputs
from diagnose.audit.predictions import NONE
from diagnose.audit.side_batches import TokenBatch, columns, first_tensors, some_rows, with_inputs
from diagnose.audit.side_passes import CannotRunError, SidePasses, by_sample, differ, mean_of
from diagnose.gap.loop.elements import lacks_targets, samples_of
from diagnose.gap.loop.rebatched import CANNOT_CUT
from diagnose.gap.loop.redrawn import draws_others, is_redrawn
from diagnose.gap.loop.walking import walk
from diagnose.gap.reported import slack
from diagnose.gap.side import REDUCTIONS

if TYPE_CHECKING:
    from diagnose.audit.findings import Audit
    from diagnose.gap.loop.elements import Elements
    from diagnose.gap.side import Side

MOST_ROWS = 6  # of a batch that are read alone
OF_BATCH = ("nothing, where that is meant (negatives of the batch, a correlation): then compare losses of batches of "
            "one size alone, with drop_last=True")  # fmt: skip
PASS = 64  # batches of a pass that a loader's draws are compared over
DRAW_ONCE = "validate without augmentation or sampling, or draw the samples once and keep them"
RAGGED = 1e-3  # of the loss: what averaging may change


def repeatable(audit: Audit, passes: SidePasses, batches: list[Any]) -> bool:
    """Judge `state-carried`, `evaluation-random` and `dropout-on`; return whether evaluation repeats itself."""
    first = mean_of(passes.losses(batches[0], seed=1))
    passes.losses(batches[-1], seed=1, forget=False)
    again = mean_of(passes.losses(batches[0], seed=1, forget=False))
    if differ(first, again, passes.tolerance / 10):
        what = f"the same batch costs {first:.4f} when it is read first and {again:.4f} after another batch"
        audit.breaks("state-carried", what, first=first, again=again)
    else:
        audit.keeps("state-carried", difference=abs(first - again))
    other = mean_of(passes.losses(batches[0], seed=2))
    random = differ(first, other, passes.tolerance / 10)
    declared = passes.side.mode == "train"
    drops = _live_dropouts(passes.model)
    if not random and not (declared and drops):
        for rule in ("evaluation-random", "dropout-on"):
            audit.keeps(rule, difference=abs(first - other))
        return True
    return _which_noise(audit, passes, batches[0], first, other)


def drawn_anew(audit: Audit, passes: SidePasses) -> bool:
    """Judge `evaluation-random` by the loader: whether it draws validation's samples anew each pass, which is returned.

    Samples that are drawn anew and cost the same (a field that nothing reads) leave evaluation as it was.
    """
    batches = passes.side.batches
    if not is_redrawn(batches) and not draws_others(batches):
        return False
    what = "the loader draws validation's samples anew each pass"
    pass_means = [_mean_of_pass(passes, number) for number in range(2)]
    first, second = (mean for mean, _ in pass_means)
    if all(whole for _, whole in pass_means):
        if not differ(first, second, passes.tolerance / 10):
            return True
        what += f": one pass costs {first:.4f} and another {second:.4f}"
    audit.breaks("evaluation-random", what, fix=DRAW_ONCE, first=first, again=second)
    return True


def _mean_of_pass(passes: SidePasses, number: int) -> tuple[float, bool]:
    """Return the loss of a pass through the loader, over so many batches, and whether that is all of it."""
    some = [batch for _, batch in islice(walk(passes.side.batches, number)[0], PASS + 1)]
    batch_losses = [passes.losses(batch) for batch in some[:PASS] if not lacks_targets(batch)]
    means = np.array([mean_of(losses) for losses in batch_losses])
    return _reported(batch_losses, means, passes.side.reduction), len(some) <= PASS


def _live_dropouts(model: nn.Module) -> list[str]:
    kinds = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
    return [n for n, m in model.named_modules() if isinstance(m, kinds) and m.training and m.p > 0]


def _which_noise(audit: Audit, passes: SidePasses, batch: Any, first: float, other: float) -> bool:
    """Find out whether torch's dropout alone makes evaluation random."""
    passes.quiet = True
    without, again = (mean_of(passes.losses(batch, seed=seed)) for seed in (1, 2))
    noise = f"the same batch costs {first:.4f} and {other:.4f} with other random numbers"
    if differ(without, again, passes.tolerance / 10):
        passes.quiet = False
        audit.breaks("evaluation-random", f"validation is random: {noise}", first=first, again=other)
        audit.skips("dropout-on", "evaluation is random in other ways")
        return False
    mode = "validation is read in training mode" if passes.side.mode == "train" else "model.eval() does not reach it"
    what = f"dropout is on in evaluation ({mode}): {noise}, and {without:.4f} without dropout"
    audit.breaks("dropout-on", what, first=first, again=other, without=without)
    audit.keeps("evaluation-random", without_dropout=abs(without - again))
    return True


def rows_alone(audit: Audit, passes: SidePasses, batch: Any, tokens: TokenBatch | None) -> None:
    """Judge `batch-dependent`: a row's loss alone and with the others."""
    size = samples_of(batch)
    if size < 2:
        audit.skips("batch-dependent", "batches have one sample")
        return
    try:
        whole = passes.losses(batch)
        count = size if whole.scalar else min(size, MOST_ROWS)
        alone = [passes.losses(some_rows(batch, [k]), probe=True) for k in range(count)]
    except CannotRunError as error:
        _in_pairs(audit, passes, batch, str(error))
        return
    if whole.scalar:
        _scalars(audit, passes, batch, mean_of(whole), [mean_of(losses) for losses in alone], tokens)
    elif whole.known and all(losses.known for losses in alone):
        beside = by_sample(whole)[: len(alone)]
        row_losses = np.array([by_sample(losses).sum() for losses in alone])
        if _by_place(passes, batch, row_losses, beside):
            why = "a sample's loss depends on its place in the batch, not on the other samples: noise is drawn by place"
            audit.skips("batch-dependent", why, matters=False)
            return
        _judge_rows(audit, passes, batch, row_losses, beside)
    else:
        audit.skips("batch-dependent", "the objective does not say which loss is of which sample")


def _in_pairs(audit: Audit, passes: SidePasses, batch: Any, why: str) -> None:
    """Judge `batch-dependent` by two rows at a time: a batch norm without running statistics cannot read one alone."""
    even = samples_of(batch) // 2 * 2
    try:
        some = some_rows(batch, list(range(even)))
        whole = passes.losses(some, probe=True)
        most = even if whole.scalar else min(even, 2 * MOST_ROWS)
        pairs = [passes.losses(some_rows(some, [k, k + 1]), probe=True) for k in range(0, most, 2)]
    except (CannotRunError, *CANNOT_CUT):
        audit.skips("batch-dependent", f"neither one row nor two can be read: {why}")
        return
    if even < 2 * 2 or not (whole.scalar or (whole.known and all(losses.known for losses in pairs))):
        audit.skips("batch-dependent", f"a batch of one row cannot be read: {why}")
        return
    if whole.scalar:
        _scalars(audit, passes, some, mean_of(whole), [mean_of(losses) for losses in pairs], None, width=2)
        return
    beside, row_losses = by_sample(whole)[:most], np.concatenate([by_sample(losses) for losses in pairs])
    _judge_rows(audit, passes, some, row_losses, beside, width=2)


def _by_place(passes: SidePasses, batch: Any, own: Any, beside: Any) -> bool:
    """Say whether losses stay as they are when other samples lie beside: noise, not the batch, differs.

    Where all losses differ by one factor it is the batch's size that they depend on.
    """
    factors = own / np.where(beside == 0, np.nan, beside)
    if np.isnan(factors).any() or not differ(float(factors.max()), float(factors.min()), passes.tolerance):
        return False
    size, count = samples_of(batch), len(own)
    for k in range(count):
        order = [k if j == k else (k + 1) % size for j in range(size)]
        losses = passes.losses(some_rows(batch, order), probe=True)
        if not losses.known or differ(float(by_sample(losses)[k]), float(beside[k]), passes.tolerance):
            return False
    return True


def _judge_rows(audit: Audit, passes: SidePasses, batch: Any, own: Any, beside: Any, *, width: int = 1) -> None:
    off = np.abs(own - beside) / np.maximum(np.maximum(np.abs(own), np.abs(beside)), 0.1)
    worst = int(off.argmax())
    if off[worst] > passes.tolerance:
        how = "alone" if width == 1 else "beside one other"
        what = f"sample {worst + 1} costs {own[worst]:.4f} {how} and {beside[worst]:.4f} beside the others of its batch"
        _breaks(audit, passes, batch, what, width=width, alone=own[worst], beside=beside[worst])
    else:
        audit.keeps("batch-dependent", rows=len(own), largest_difference=float(off.max()))


def _breaks(audit: Audit, passes: SidePasses, batch: Any, what: str, *, width: int = 1, **measured: Any) -> None:
    """Note that losses depend on the batch: an error where the model mixes rows, a note where the loss alone does."""
    if not row_outputs.stay(passes, batch, width):
        audit.breaks("batch-dependent", what, **measured)
        return
    what = f"the loss is of the batch as a whole (the model's outputs are each row's own): {what}"
    audit.breaks("batch-dependent", what, severity="note", fix=OF_BATCH, **measured)


def _scalars(
    audit: Audit, passes: SidePasses, batch: Any, whole: float, alone: list[float], tokens: TokenBatch | None,
    *, width: int = 1,
) -> None:  # fmt: skip
    """Compare a batch's mean with the means of its rows, of tokens or of rows: one of them has to be it.

    Where its rows may weigh otherwise, as by their classes, the model's outputs tell.
    """
    means = {"rows": float(np.mean(alone))}
    if tokens is not None:
        for name, targets in (("tokens", tokens.scored_BT), ("targets", tokens.targets_BT)):
            counts = (targets != NONE).sum(1).cpu().numpy()
            means[name] = float(np.average(alone, weights=counts))
    means["sum of rows"] = float(np.sum(alone))
    best = min(means, key=lambda name: abs(means[name] - whole))
    between = min(alone) * (1 - passes.tolerance) <= whole <= max(alone) * (1 + passes.tolerance)
    if not differ(means[best], whole, passes.tolerance):
        audit.keeps("batch-dependent", rows=len(alone) * width, largest_difference=abs(means[best] - whole))
    elif (tokens is None or tokens.padded) and between and row_outputs.stay(passes, batch, width) is not False:
        audit.skips("batch-dependent", "the objective returns one number, and what its mean is over is not known")
    else:
        what = _beyond(whole, alone, width)
        _breaks(audit, passes, batch, what, width=width, batch_loss=whole, rows=alone[:MOST_ROWS])


def _beyond(whole: float, alone: list[float], width: int) -> str:
    how = "each alone" if width == 1 else "two at a time"
    return f"a batch costs {whole:.4f} and its rows, {how}, {float(np.mean(alone)):.4f} on average"


def padding_matters(audit: Audit, passes: SidePasses, batch: Any, tokens: TokenBatch) -> None:
    """Judge `padding-dependent`: a padded row as it is, and without its padding."""
    counts = (tokens.clean_BT != NONE).sum(1)
    row = int(counts.argmin())
    places = (tokens.clean_BT[row] != NONE).nonzero().flatten()
    length = tokens.inputs_BT.shape[1]
    first, last = (int(places[0]), int(places[-1]) + 1) if len(places) else (0, length)
    if tokens.offset == 0 and first and bool(tokens.real_BT[row, first - 1]):
        first = int(tokens.real_BT[row].nonzero()[0])  # a prompt that is read and not scored is no padding
    if not len(places) or (first, last) == (0, length):
        audit.skips("padding-dependent", "no row of the batches that were read is padded", matters=False)
        return
    alone = some_rows(batch, [row])
    try:
        padded = passes.losses(alone, probe=True)
        trimmed = passes.losses(columns(alone, first, last, length), probe=True)
    except CannotRunError as error:
        audit.skips("padding-dependent", f"a row without its padding cannot be read: {error}")
        return
    a, b = (mean_of(losses) if losses.scalar else _sum(losses) for losses in (padded, trimmed))
    if differ(a, b, passes.tolerance):
        size = last - first
        what = f"a row of {size} tokens costs {b:.4f} alone and {a:.4f} with {length - size} of padding"
        audit.breaks("padding-dependent", what, padded=a, alone=b)
    else:
        audit.keeps("padding-dependent", padded=a, alone=b)


def _sum(found: Elements) -> float:
    return float((found.nats * (found.weights > 0)).sum())


def reads_its_input(audit: Audit, passes: SidePasses, batch: Any, tokens: TokenBatch | None) -> None:
    """Judge `input-ignored`: the loss with other inputs and the same targets."""
    before = mean_of(passes.losses(batch))
    try:
        after = _with_other_inputs(passes, batch, tokens)
    except CannotRunError as error:
        audit.skips("input-ignored", f"other inputs cannot be read: {error}")
        return
    if after is None:
        audit.skips("input-ignored", "what the network reads cannot be told from what it has to predict")
    elif all(value == before or not differ(value, before, 1e-7) for value in after):
        audit.breaks("input-ignored", f"the loss is {before:.4f} whatever the input is", loss=before)
    else:
        audit.keeps("input-ignored", loss=before, with_other_inputs=after[0])


def _with_other_inputs(passes: SidePasses, batch: Any, tokens: TokenBatch | None) -> list[float] | None:
    if tokens is not None:
        new_BT = tokens.inputs_BT.flip(0).flip(1)
        if torch.equal(new_BT, tokens.inputs_BT):
            return None
        other = with_inputs(batch, tokens.inputs_BT, new_BT)
        return None if other is None else [mean_of(passes.losses(other, probe=True))]
    tensors = first_tensors(batch)
    if len(tensors) < 2 or len(tensors[0]) < 2 or not isinstance(batch, (tuple, list)):
        return None
    if not isinstance(batch[0], torch.Tensor):
        return None
    # a loss against the inputs themselves has the same mean in another order, so one row is repeated too
    others = (batch[0].flip(0), batch[0][:1].expand_as(batch[0]).clone())
    return [mean_of(passes.losses(type(batch)([inputs, *batch[1:]]), probe=True)) for inputs in others]


def averaging(audit: Audit, passes: SidePasses, batches: list[Any], counts: list[int] | None) -> None:
    """Judge `ragged-mean`: the loss as the side averages it, and as a mean over tokens.

    Args:
        audit: takes the outcome.
        passes: the model.
        batches: of validation.
        counts: what each batch has to count, for objectives that return one number.
    """
    batch_losses = [passes.losses(batch) for batch in batches]
    reduction = passes.side.reduction
    if reduction == "sum":
        audit.skips("ragged-mean", "the side reports sums", matters=False)
        return
    means = np.array([mean_of(losses) for losses in batch_losses])
    scalar = batch_losses[0].scalar
    if scalar and counts is None:
        counts = [losses.size for losses in batch_losses]
    sizes = np.array(counts if scalar else [losses.weights.sum() for losses in batch_losses], float)
    whole = float(np.average(means, weights=sizes))
    reported = _reported(batch_losses, means, reduction)
    units = "tokens" if audit.text else "samples"
    is_reported = _is_reported(passes.side, whole, len(batches))
    if _is_reported(passes.side, float(means.mean()), len(batches)) and not is_reported:
        reported = float(means.mean())
    measured: dict[str, Any] = {
        "reported": whole if is_reported else reported,
        f"over_{units}": whole,
        "batches": len(batch_losses),
    }
    if not is_reported and differ(reported, whole, RAGGED):
        what = f"a mean {_averaged(reduction, scalar=scalar)} is {reported:.4f}, one over all {units} {whole:.4f}"
        audit.breaks("ragged-mean", what, **measured)
    else:
        audit.keeps("ragged-mean", **measured)


def _is_reported(side: Side, mean: float, read: int) -> bool:
    """Say whether the loop reports this mean of all of its batches, however the side says that they are averaged."""
    if side.reported is None or side.reported_on is not None or walk(side.batches)[1] != read:
        return False
    return abs(side.reported - mean) <= slack(side.reported)


def _averaged(reduction: str, *, scalar: bool) -> str:
    """Say how a side averages; a scalar a batch is told apart, for how the loop averages those it may not have said."""
    if scalar and reduction != "weighted":
        return "of batches alike (a scalar a batch is read so unless reduction='weighted')"
    return REDUCTIONS[reduction]


def _reported(batch_losses: list[Elements], means: Any, reduction: str) -> float:
    """Return the mean as the side takes it."""
    scalar = batch_losses[0].scalar
    if reduction == "weighted":
        return float(np.average(means, weights=[losses.size for losses in batch_losses]))
    if scalar or reduction == "batch":
        return float(means.mean())
    if reduction == "sample":
        sums = [np.bincount(losses.samples, losses.nats * losses.weights) for losses in batch_losses]
        weights = [np.bincount(losses.samples, losses.weights) for losses in batch_losses]
        return float(np.mean(np.concatenate(sums) / np.maximum(np.concatenate(weights), 1e-12)))
    return float(np.average(means, weights=[losses.weights.sum() for losses in batch_losses]))
