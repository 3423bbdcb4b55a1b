"""Is a user's network sound: ties, gradients, the loss before training, a batch that it can learn by heart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from diagnose.audit import training_checks
from diagnose.audit.rules import cannot_overfit, loss_at_start, tied_weights, weights_trained
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

ROWS = 4
BATCHES = 4


def ties(audit: Audit, model: nn.Module, tied: bool | None) -> None:
    """Judge `tied-weights`: an embedding and an output matrix that are said to be, or once were, one."""
    ends = _ends(model)
    if ends is None:
        audit.skips("tied-weights", "no embedding and output matrix of one shape were found", matters=tied is True)
        return
    first, last = ends
    said = getattr(getattr(model, "config", None), "tie_word_embeddings", None) is True
    alike, meant = None, said if tied is None else tied
    if first is not last and first.data_ptr() != last.data_ptr():
        both = torch.stack([first.detach().flatten(), last.detach().flatten()])
        alike = float(torch.corrcoef(both.float())[0, 1])
    tied_weights.judge(audit, alike, meant, tied=tied)


def _ends(model: nn.Module) -> tuple[Tensor, Tensor] | None:
    """Return an embedding and an output matrix of one shape: those that a model names, or by their shapes alone."""
    if hasattr(model, "get_input_embeddings") and hasattr(model, "get_output_embeddings"):
        known: Any = model
        try:
            first, last = known.get_input_embeddings(), known.get_output_embeddings()
        except NotImplementedError:  # as models of sound have it
            return None
        same = first is not None and last is not None and first.weight.shape == last.weight.shape
        return (first.weight, last.weight) if same else None
    embeddings = [m.weight for m in model.modules() if isinstance(m, nn.Embedding)]
    heads = [m.weight for m in model.modules() if isinstance(m, nn.Linear)]
    return next(((a, b) for b in reversed(heads) for a in embeddings if a.shape == b.shape), None)


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
    weights_trained.judge(audit, *weights, min(BATCHES, len(batches)))
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
        if not cannot_overfit.has_fallen(*fit[:2]):
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
    cannot_overfit.judge(audit, fit, min(ROWS, size), floor, _frozen(passes.model))


def _frozen(model: nn.Module) -> float:
    """Return the share of a model's weights that are not trained."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(size for size, trained in sizes if not trained) / max(1, sum(size for size, _ in sizes))


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
    loss_at_start.judge(audit, loss, classes)
