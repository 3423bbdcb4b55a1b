"""Is the evaluation of a user's model sound: the same twice, whatever else is in the batch, however it is padded."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from diagnose.audit import row_outputs
from diagnose.audit.findings import differ
from diagnose.audit.predictions import NONE
from diagnose.audit.rules import batch_dependent, evaluation_repeats, input_ignored, padding_dependent, ragged_mean
from diagnose.audit.rules.batch_dependent import MOST_ROWS
from diagnose.audit.side_batches import TokenBatch, columns, first_tensors, some_rows, with_inputs
from diagnose.audit.side_passes import CannotRunError, SidePasses, by_sample, mean_of
from diagnose.gap.factor_fits import slack
from diagnose.gap.loop.elements import lacks_targets, samples_of, with_parts
from diagnose.gap.loop.rebatched import CANNOT_CUT
from diagnose.gap.loop.redrawn import draws_others, is_redrawn
from diagnose.gap.loop.walking import walk
from diagnose.gap.side import REDUCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.audit.findings import Audit
    from diagnose.gap.loop.elements import Elements
    from diagnose.gap.side import Side

PASS = 64  # batches of a pass that a loader's draws are compared over


def repeatable(audit: Audit, passes: SidePasses, batches: list[Any]) -> bool:
    """Judge `state-carried`, `evaluation-random` and `dropout-on`; return whether evaluation repeats itself."""
    first = mean_of(passes.losses(batches[0], seed=1))
    passes.losses(batches[-1], seed=1, forget=False)
    again = mean_of(passes.losses(batches[0], seed=1, forget=False))
    evaluation_repeats.judge_state(audit, first, again, passes.tolerance / 10)
    other = mean_of(passes.losses(batches[0], seed=2))
    random = differ(first, other, passes.tolerance / 10)
    declared = passes.side.mode == "train"
    drops = _live_dropouts(passes.model)
    if not random and not (declared and drops):
        evaluation_repeats.judge_still(audit, abs(first - other))
        return True
    return _which_noise(audit, passes, batches[0], (first, other))


def drawn_anew(audit: Audit, passes: SidePasses) -> bool:
    """Judge `evaluation-random` by the loader; return whether it draws validation's samples anew each pass."""
    batches = passes.side.batches
    if not is_redrawn(batches) and not draws_others(batches):
        return False
    (first, all_of_first), (second, all_of_second) = (_mean_of_pass(passes, number) for number in range(2))
    whole = all_of_first and all_of_second
    evaluation_repeats.judge_drawn(audit, first, second, passes.tolerance / 10, whole=whole)
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


def _which_noise(audit: Audit, passes: SidePasses, batch: Any, seeds: tuple[float, float]) -> bool:
    """Find out whether torch's dropout alone makes evaluation random; where it does, passes go on without it."""
    passes.quiet = True
    first, again = (mean_of(passes.losses(batch, seed=seed)) for seed in (1, 2))
    tolerance = passes.tolerance / 10
    passes.quiet = evaluation_repeats.judge_noise(audit, seeds, (first, again), passes.side.mode or "eval", tolerance)
    return passes.quiet


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
        batch_dependent.judge_rows(audit, row_losses, beside, passes.tolerance, _own_outputs(passes, batch))
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
    own_outputs = _own_outputs(passes, some, 2)
    batch_dependent.judge_rows(audit, row_losses, beside, passes.tolerance, own_outputs, width=2)


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


def _own_outputs(passes: SidePasses, batch: Any, width: int = 1) -> Callable[[], bool | None]:
    return lambda: row_outputs.stay(passes, batch, width)


def _scalars(
    audit: Audit, passes: SidePasses, batch: Any, whole: float, alone: list[float], tokens: TokenBatch | None,
    *, width: int = 1,
) -> None:  # fmt: skip
    """Compare a batch's mean with the means of its rows, of tokens or of rows."""
    by_tokens = {} if tokens is None else {"tokens": tokens.scored_BT, "targets": tokens.targets_BT}
    weights = {name: (targets_BT != NONE).sum(1).cpu().numpy() for name, targets_BT in by_tokens.items()}
    padded, own_outputs = tokens is None or tokens.padded, _own_outputs(passes, batch, width)
    batch_dependent.judge_means(audit, whole, alone, weights, passes.tolerance, own_outputs, padded=padded, width=width)


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
    padding_dependent.judge(audit, (a, b), last - first, length - (last - first), passes.tolerance)


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
    else:
        input_ignored.judge(audit, before, after)


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
    return [mean_of(passes.losses(with_parts(batch, [inputs, *batch[1:]]), probe=True)) for inputs in others]


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
    if scalar and counts is None and audit.text:  # its samples hold tokens that nobody has counted
        audit.skips("ragged-mean", "the objective gives one number a batch, which does not say of how many tokens")
        return
    if scalar and counts is None:
        counts = [losses.size for losses in batch_losses]
    sizes = np.array(counts if scalar else [losses.weights.sum() for losses in batch_losses], float)
    whole = float(np.average(means, weights=sizes))
    reported = _reported(batch_losses, means, reduction)
    is_reported = _is_reported(passes.side, whole, len(batches))
    if is_reported or _is_reported(passes.side, float(means.mean()), len(batches)):
        reported = whole if is_reported else float(means.mean())
    one_each = not scalar and all(len(losses.nats) == losses.size for losses in batch_losses)
    units = "tokens" if audit.text and not one_each else "samples"
    ragged_mean.judge(audit, reported, whole, _averaged(reduction, scalar=scalar), len(batch_losses), units)


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
