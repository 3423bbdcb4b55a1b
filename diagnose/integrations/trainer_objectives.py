"""What Hugging Face's Trainer minimises and evaluates, as objectives of the ledger.

How the Trainer averages (each shown by a test on the installed version): the logged training loss is the mean over
steps since the last log, each the mean over all targets of the accumulated batch where the model takes
`num_items_in_batch`, else the mean of its parts' means; `eval_loss` is the mean of batch means, weighted by samples;
label smoothing is in both; a training loss that is not finite is replaced by the mean so far, an evaluation loss that
is not is left out. Where a causal model's config names no loss, the Trainer counts each row's first token among the
targets, though nothing predicts it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from diagnose.gap.loop.guard import guarded, seed
from diagnose.gap.loop.sample_parts import INTEGERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn
    from transformers import Trainer

IGNORED = -100
SAME = 1e-4  # relative: the Trainer's own loss against the mean of ours


def objectives(trainer: Trainer, loader: Any, say: Callable[[str], None], *, own_loop: bool = False) -> tuple[Any, Any]:
    """Return the objectives of training and of evaluation: the loss of each target where the Trainer averages these.

    Else each is the Trainer's own number. A `compute_loss` that leaves out `num_items_in_batch` though the Trainer
    passes it is logged as the sum over the parts of an accumulated batch, which `say` is told; evaluation has one part.
    With `own_loop` evaluation takes no `prediction_step`: its loss is taken as what `compute_loss` gives a batch.
    """
    evaluated = partial(_computed if own_loop else _evaluated, trainer)
    first = next(iter(loader))
    with guarded(trainer.model), torch.no_grad():
        trainer.model.eval()
        trainer_loss = float(_own_loss(trainer, trainer.model, [first]))
        per_element = _tried(trainer, first)
        evaluated_loss = float(evaluated(trainer.model, first))
    mean_of_parts = _ignores_count(trainer, first)
    if per_element is not None and not (mean_of_parts and trainer.args.gradient_accumulation_steps > 1):
        mean = _mean(*per_element)
        if _close(mean, trainer_loss) and _same_in_training(trainer, first):
            each = _of_targets(trainer)
            return each, each if _close(mean, evaluated_loss) else evaluated
    train = _of_parts(trainer, mean=False)
    if mean_of_parts:
        parts = trainer.args.gradient_accumulation_steps
        if parts > 1:
            say(
                "compute_loss leaves num_items_in_batch out, so the Trainer logs, and trains on, the sum of a step's "
                f"{parts} parts: divide the loss by it (or by {parts}, where each part's own mean is meant)"
            )
        return _named_sum(train, parts), _of_parts(trainer, mean=True)
    return train, train if _close(trainer_loss, evaluated_loss) else evaluated


def _named_sum(total: Any, parts: int) -> Any:
    """Return an objective that names what the sum over a step's parts holds more than their mean."""
    if parts <= 1:
        return total
    name = f"the sum over a step's {parts} parts in place of their mean"

    def objective(model: nn.Module, batch: Any) -> dict[str, Tensor]:
        loss = total(model, batch)
        count = len(batch) if isinstance(batch, list) else 1
        return {"loss": loss, name: loss * (1 - 1 / count)}

    return objective


def _tried(trainer: Trainer, part: Any) -> tuple[Tensor, Tensor] | None:
    """Return the loss and the weight of each target; None where the model does not take the labels as it gets them."""
    try:
        return _each(trainer, trainer.model, part)
    except Exception:  # noqa: BLE001 - a compute_loss of one's own may take other labels than the model does
        return None


def _same_in_training(trainer: Trainer, part: Any) -> bool:
    """Say whether the Trainer's own loss is the mean of our losses in training mode too, with the same masks."""
    with guarded(trainer.model), torch.no_grad():
        trainer.model.train()
        seed(0)
        trainer_loss = float(_own_loss(trainer, trainer.model, [part]))
        seed(0)
        per_element = _tried(trainer, part)
    return per_element is not None and _close(_mean(*per_element), trainer_loss)


def _mean(losses: Tensor, weights: Tensor) -> float:
    return float((losses * weights).sum() / weights.sum())


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= SAME * max(1.0, abs(other))


def _evaluated(trainer: Trainer, model: nn.Module, batch: Any) -> Tensor:
    """Return the loss that the Trainer's evaluation takes of a batch, or of each part of a step's."""
    parts = batch if isinstance(batch, list) else [batch]
    losses = [trainer.prediction_step(model, dict(part), True)[0] for part in parts]
    return torch.stack([loss.mean().float() for loss in losses]).mean()


def _computed(trainer: Trainer, model: nn.Module, batch: Any) -> Tensor:
    """Return what `compute_loss` gives a batch by itself, or the parts of a step's, no targets counted for it."""
    parts = batch if isinstance(batch, list) else [batch]
    losses = [trainer.compute_loss(model, trainer._prepare_inputs(dict(part))) for part in parts]  # noqa: SLF001
    return torch.stack([loss.mean().float() for loss in losses]).mean()


def _of_targets(trainer: Trainer) -> Any:
    return lambda model, batch: _all(trainer, model, batch)


def _of_parts(trainer: Trainer, *, mean: bool) -> Any:
    """Return the Trainer's own loss of a step's parts; with `mean`, their mean where the Trainer logs their sum."""

    def objective(model: nn.Module, batch: Any) -> Tensor:
        parts = batch if isinstance(batch, list) else [batch]
        return _own_loss(trainer, model, parts) / (len(parts) if mean else 1)

    return objective


def _ignores_count(trainer: Trainer, part: Any) -> bool:
    """Say whether the Trainer sums the parts' losses although `compute_loss` takes each part's own mean."""
    if not _scales(trainer):
        return False
    inputs = trainer._prepare_inputs(dict(part))  # noqa: SLF001 - there is no public way
    count = trainer._get_num_items_in_batch([inputs], trainer.args.device)  # noqa: SLF001
    if count is None:
        return False
    with guarded(trainer.model), torch.no_grad():
        trainer.model.eval()
        losses = [
            trainer.compute_loss(trainer.model, dict(inputs), num_items_in_batch=times * count).mean()
            for times in (1, 2)
        ]
    return bool(torch.isclose(losses[0], losses[1], rtol=SAME, atol=0.0))


def _scales(trainer: Trainer, *, counted: bool = True) -> bool:
    """Say whether the Trainer leaves it to the loss to divide by the targets of all parts, where these were counted."""
    said = getattr(trainer, "loss_is_scaled_for_ga", None)  # by a subclass with a compute_loss of its own
    if said is not None:
        return bool(said)
    return bool((trainer.model_accepts_loss_kwargs and counted) or trainer.compute_loss_func is not None)


def _own_loss(trainer: Trainer, model: nn.Module, parts: list[Any]) -> Tensor:
    """Return what the Trainer would log for a step of these parts."""
    inputs = [trainer._prepare_inputs(dict(part)) for part in parts]  # noqa: SLF001 - there is no public way
    count = trainer._get_num_items_in_batch(inputs, trainer.args.device)  # noqa: SLF001
    losses = [trainer.compute_loss(model, dict(inputs_of_part), num_items_in_batch=count) for inputs_of_part in inputs]
    total: Tensor = torch.stack([loss.mean().float() for loss in losses]).sum()
    return total if _scales(trainer, counted=count is not None) else total / len(parts)


def _all(trainer: Trainer, model: nn.Module, batch: Any) -> dict[str, Tensor]:
    """Return the loss and the weight of each target of a step's parts, rows of equal length.

    Where each part's own mean counts alike, its targets' weights say so; those of a step sum to how many count.
    """
    parts = batch if isinstance(batch, list) else [batch]
    pairs = [pair for pair in (_each(trainer, model, part) for part in parts) if pair is not None]
    if not _scales(trainer):
        mean = sum(weights.sum() for _, weights in pairs) / len(pairs)
        pairs = [(loss, weights * (mean / weights.sum())) for loss, weights in pairs]
    if pairs[0][0].dim() == 1:
        return {"loss": torch.cat([loss for loss, _ in pairs]), "weights": torch.cat([w for _, w in pairs])}
    most = max(loss.shape[1] for loss, _ in pairs)
    rows = [[F.pad(values, (0, most - values.shape[1])) for values in pair] for pair in pairs]
    return {"loss": torch.cat([loss for loss, _ in rows]), "weights": torch.cat([weights for _, weights in rows])}


def _each(trainer: Trainer, model: nn.Module, part: Any) -> tuple[Tensor, Tensor] | None:
    """Return the loss and the weight of each target (B, T) or (B); None where there is no cross-entropy to take."""
    inputs = trainer._prepare_inputs(dict(part))  # noqa: SLF001
    labels, outputs = inputs.get("labels"), model(**inputs)
    logits = outputs.get("logits") if isinstance(outputs, dict) else None
    if labels is None or not isinstance(logits, Tensor) or labels.dtype not in INTEGERS:
        return None
    if type(model).__name__ in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values():
        return _shifted(trainer, logits, labels)
    if logits.dim() != labels.dim() + 1 or labels.dim() not in (1, 2):
        return None
    return _cross_entropy(trainer, logits, labels)


def _shifted(trainer: Trainer, logits_BTV: Tensor, labels_BT: Tensor) -> tuple[Tensor, Tensor]:
    """Return the losses of next tokens; first ones cost nothing but count, where the Trainer counts them."""
    loss, counted = _cross_entropy(trainer, logits_BTV[:, :-1], labels_BT[:, 1:])
    if _scales(trainer) and not getattr(trainer, "_loss_shifts_labels", True):
        loss, counted = F.pad(loss, (1, 0)), torch.cat([(labels_BT[:, :1] != IGNORED).float(), counted], 1)
    return loss, counted


def _cross_entropy(trainer: Trainer, logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return each label's loss, 0 for those that are ignored, and what it counts."""
    flat = F.cross_entropy(
        logits.reshape(-1, logits.shape[-1]).float(), labels.clamp(min=0).reshape(-1), reduction="none",
        label_smoothing=trainer.args.label_smoothing_factor,
    )  # fmt: skip
    counted = labels != IGNORED
    return flat.view(labels.shape) * counted, counted.float()
