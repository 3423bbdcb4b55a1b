"""Is a user's network sound: ties, gradients, the loss before training, a batch that it can learn by heart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from diagnose.audit import training_checks
from diagnose.audit.judgements import judge_overfit, judge_start, names
from diagnose.audit.side_batches import some_rows
from diagnose.audit.side_passes import SidePasses, mean_of
from diagnose.errors import DiagnoseError
from diagnose.gap.loop import guard
from diagnose.gap.loop.elements import elements, own_copy, size_of
from diagnose.training.registry import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from diagnose.audit.findings import Audit

COPIES = 0.9  # correlation of two matrices that were one once: what is learned apart may come to 0.6
ROWS = 4
BATCHES = 4


def ties(audit: Audit, model: nn.Module, tied: bool | None) -> None:
    """Judge `tied-weights`: an embedding and an output matrix that are said to be, or once were, one."""
    ends = _ends(model)
    if ends is None:
        audit.skips("tied-weights", "no embedding and output matrix of one shape were found", matters=tied is True)
        return
    first, last = ends
    if first is last or first.data_ptr() == last.data_ptr():
        audit.keeps("tied-weights", shared=True)
        return
    told_so = tied if tied is not None else _says_tied(model)
    alike = float(torch.corrcoef(torch.stack([first.detach().flatten(), last.detach().flatten()]).float())[0, 1])
    if told_so or (tied is None and math.isfinite(alike) and alike > COPIES):
        what = f"embedding and output matrix should be one and are two tensors (correlation {alike:.2f})"
        audit.breaks("tied-weights", what, shared=False, correlation=alike)
    else:
        audit.skips("tied-weights", f"the matrices are not meant to be shared (correlation {alike:.2f})", matters=False)


def _ends(model: nn.Module) -> tuple[Tensor, Tensor] | None:
    if hasattr(model, "get_input_embeddings") and hasattr(model, "get_output_embeddings"):
        known: Any = model
        first, last = known.get_input_embeddings(), known.get_output_embeddings()
        if first is not None and last is not None and first.weight.shape == last.weight.shape:
            return first.weight, last.weight
    embeddings = [m.weight for m in model.modules() if isinstance(m, nn.Embedding)]
    heads = [m.weight for m in model.modules() if isinstance(m, nn.Linear)]
    return next(((a, b) for b in reversed(heads) for a in embeddings if a.shape == b.shape), None)


def _says_tied(model: nn.Module) -> bool:
    return getattr(getattr(model, "config", None), "tie_word_embeddings", None) is True


def gradients(audit: Audit, passes: SidePasses, batches: list[Any]) -> bool:
    """Judge `no-gradient` and `frozen-weights`; return whether the loss has a gradient at all."""
    passes.forget()
    passes.set_mode("train")
    try:
        weights = training_checks.unreached(passes.model, lambda k: passes.mean(batches[k]), min(BATCHES, len(batches)))
    finally:
        passes.kept.restore()
    if weights is None:
        frozen = [name for name, p in passes.model.named_parameters() if p.requires_grad]
        why = "the objective returns a loss without a gradient"
        if frozen:
            audit.skips("no-gradient", why)
        return False
    without, frozen = weights
    if without:
        what = f"no gradient reaches {names(without)}"
        audit.breaks("no-gradient", what, weights=len(without), names=without[:8])
    else:
        audit.keeps("no-gradient", batches=min(BATCHES, len(batches)))
    if frozen:
        audit.breaks("frozen-weights", f"{names(frozen)} are frozen (requires_grad=False)", weights=len(frozen),
                     names=frozen[:8])  # fmt: skip
    else:
        audit.keeps("frozen-weights", frozen=0)
    return True


def overfits(audit: Audit, passes: SidePasses, batch: Any, seconds: float) -> None:
    """Judge `cannot-overfit`: a few rows, without dropout, until the loss has fallen clearly."""
    passes.forget()
    recurrent = any(isinstance(m, nn.RNNBase) for m in passes.model.modules()) and passes.device.type == "cuda"
    passes.set_mode("train" if recurrent else "eval")
    quiet, passes.quiet = passes.quiet, True
    size = size_of(batch) or 1
    some = some_rows(batch, list(range(min(ROWS, size)))) if size > ROWS else batch
    try:
        steps = training_checks.affordable(lambda: passes.mean(some), passes.device.type, seconds)
        passes.forget()
        fit, floor = training_checks.overfit(passes.model, lambda: passes.mean(some), steps), 0.0
        if not training_checks.has_fallen(*fit[:2]):
            passes.kept.restore()
            passes.forget()
            floor = training_checks.least(passes.model, lambda: passes.mean(some))
    except DiagnoseError as error:
        audit.skips("cannot-overfit", str(error))
        return
    finally:
        passes.quiet = quiet
        passes.kept.restore()
        passes.forget()
    late = "{steps} steps, all that the budget allows, do not tell"
    judge_overfit(audit, fit, f"{min(ROWS, size)} samples", late, floor)


def starts(audit: Audit, passes: SidePasses, batch: Any, build: Callable[[], nn.Module], classes: int | None) -> None:
    """Judge `loss-at-start` by a fresh network."""
    if classes is None:
        audit.skips("loss-at-start", "the size of the vocabulary is not known: no logits can be had")
        return
    try:
        guard.seed(0)
        fresh = build()
        fresh.to(passes.device).eval()
        with torch.no_grad():
            loss = mean_of(elements(passes.side.objective(fresh, own_copy(batch)), batch, "the objective"))
    except DiagnoseError:
        raise
    except Exception as error:
        raise DiagnoseError(f"build fails: {told(error)}") from error
    judge_start(audit, loss, classes)
