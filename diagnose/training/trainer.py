"""The one training loop. It yields a record per step, prints nothing and writes nothing.

Step k is a pure function of the recipe and k: its batches, its dropout masks and its learning rate are found from k
alone. So a run resumes bit for bit from any checkpoint, and any step can be replayed.

Shapes: B rows, T positions.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import torch

from diagnose import random as seeding
from diagnose.errors import FINDING, DiagnoseError
from diagnose.training import chunked_loss, processes, sharding, switches
from diagnose.training.batches import moved, step_batches, steps_per_epoch
from diagnose.training.device import autocast
from diagnose.training.eager_optimizer import EagerAdamW
from diagnose.training.network import compiled_loss
from diagnose.training.step_clock import StepClock
from diagnose.training.taking import GradientRequest, Taken, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

    from diagnose.config.recipe import LossConfig, Recipe
    from diagnose.config.recipe import OptimizerConfig as OptimizerTable
    from diagnose.training.batches import Batch, BatchPlan
    from diagnose.training.taking import Mates, Taking

FETCHED = 50  # steps of a CUDA device between two looks at what they gave
PATIENCE = 1.0  # seconds of such a block: then Ctrl-C is heard
EMA = 0.98  # weight of the past in a decaying average of the training loss; a time constant of 50 steps


@dataclass(frozen=True)
class Step:
    """What is known of a step after it.

    Attributes:
        step: counted from 1.
        epoch: how often the training rows were seen, with its fraction.
        learning_rate: as used.
        loss: what the step minimised, in nats per token as the recipe averages.
        tokens, text_bytes: targets trained on since the start, and their UTF-8 bytes.
        seconds: of training since the start; readings and records are not counted.
        gradient_norm: before clipping.
    """

    step: int
    epoch: float
    learning_rate: float
    loss: float
    tokens: int
    text_bytes: int
    seconds: float
    gradient_norm: float


@dataclass(frozen=True)
class TrainingPlan:
    """What a run has to go through: its batches and its length.

    Attributes:
        recipe: resolved.
        layout: of the training text.
        steps: how many; None where the budget is in seconds.
        peak: the learning rate after its rule and before its schedule.
        bytes_V: UTF-8 bytes of each token, on the run's device.
    """

    recipe: Recipe
    layout: BatchPlan
    steps: int | None
    peak: float
    bytes_V: Tensor


START = Step(0, 0.0, 0.0, math.nan, 0, 0, 0.0, math.nan)


def make_optimizer(network: nn.Module, table: OptimizerTable) -> torch.optim.AdamW:
    """Return AdamW over what needs gradients; matrices decay, vectors do not (as GPT-2 is trained)."""
    trained = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": table.weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]
    fused = trained[0].device.type in ("cpu", "cuda")
    return EagerAdamW([g for g in groups if g["params"]], lr=table.lr, betas=table.betas, fused=fused)


def peak_learning_rate(table: OptimizerTable, tokens_per_step: float) -> float:
    """Scale the learning rate with the tokens of a step, as rule and factor say, from the stated reference."""
    ratio = tokens_per_step / table.lr_reference_tokens
    return table.lr * table.lr_factor * {"fixed": 1.0, "linear": ratio, "sqrt": math.sqrt(ratio)}[table.lr_rule]


def learning_rate(table: OptimizerTable, peak: float, done: float, step_share: float) -> float:
    """Return the learning rate of a step.

    Args:
        table: warm-up, schedule and floor.
        peak: the rate after warm-up.
        done: share of the budget spent before the step, in [0, 1].
        step_share: share of the budget that one step takes; the warm-up begins above zero by as much.
    """
    if done < table.warmup:
        return peak * (done + step_share) / (table.warmup + step_share)
    if table.schedule == "constant":
        return peak
    along = min(1.0, (done - table.warmup) / (1 - table.warmup))
    return peak * (table.lr_floor + (1 - table.lr_floor) * 0.5 * (1 + math.cos(math.pi * along)))


def weights(batches: list[Batch], table: LossConfig) -> list[Tensor]:
    """Return what each target weighs in a step's mean loss, per accumulated part (B, T); they sum to at most 1.

    `mean`: over the tokens of the whole step, of the rows' means, or of the parts' means (each part averaged alone,
    as accumulation is often written). `padding`: see `Condition`.
    """
    counts = [b.counted_BT if table.padding == "ignore" else torch.ones_like(b.counted_BT) for b in batches]
    shown = [b.counted_BT if table.padding != "target" else torch.ones_like(b.counted_BT) for b in batches]
    if table.mean == "token":
        total = sum(c.sum() for c in counts)
        return [s / total for s in shown]
    if table.mean == "batch":
        return [s / (len(batches) * c.sum()) for s, c in zip(shown, counts, strict=True)]
    total_rows = sum(len(c) for c in counts)
    return [s / (total_rows * c.sum(1, keepdim=True)) for s, c in zip(shown, counts, strict=True)]


def penalty(network: nn.Module, decay: float) -> Tensor:
    """Return the weight decay that stands in the loss itself: half the squared norm of all weights, times it."""
    squares = [p.square().sum() for p in network.parameters() if p.requires_grad]
    return 0.5 * decay * torch.stack(squares).sum()


def train_steps(
    network: nn.Module, optimizer: torch.optim.Optimizer, course: TrainingPlan, last: Step
) -> Iterator[Step]:
    """Train until the budget is spent and yield each step; see `train_blocks`."""
    for block in train_blocks(network, optimizer, course, last):
        yield from block


def train_blocks(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    course: TrainingPlan,
    last: Step,
    due: Callable[[int], bool] = lambda _: False,
    mates: Mates | None = None,
) -> Iterator[list[Step]]:
    """Train until the budget is spent, from the step after `last` on, and yield steps once it is known what they gave.

    On a CPU that is each step by itself. A CUDA device works through a queue, which stands still while the host looks
    at a number of it: there the losses of some steps (`FETCHED`, or those of `PATIENCE` seconds) are fetched at once,
    and with them how long each took, by events in its queue.

    Args:
        network: on its device; is in training mode whenever a step runs. Its weights are those after the last step that
            was yielded.
        optimizer: with the state that belongs to `last`.
        course: batches and length.
        last: the step that was taken last, `START` for none.
        due: says of a step (counted from 1) that somebody wants to see the weights after it.
        mates: runs whose steps are taken with this one's; None for none.

    Raises:
        DiagnoseError: the loss is no longer a finite number; the weights are those before that step's update.
    """
    most = _fetched_together(network, course)
    halt = _Halt(optimizer) if most > 1 else None
    while not finished(course, last):
        clock, taken = StepClock(network), list[Taken]()
        for number in range(last.step, last.step + most):
            step = _take(network, optimizer, course, (number, last.seconds), halt)
            taken.append((mates or BY_ITSELF).take(step, clock))
            if number + 1 == course.steps or due(number + 1):
                break
            late = time.perf_counter() - clock.begun > PATIENCE
            if halt is not None and late and processes.group() is processes.ALONE:
                break
        steps = _records(course, last, taken, clock)
        failed = next((k for k, step in enumerate(steps) if not _is_finite(step)), len(steps))
        if failed:
            last = steps[failed - 1]
            yield steps[:failed]
        if failed < len(steps):
            _refuse_divergence(steps[failed])


def _fetched_together(network: nn.Module, course: TrainingPlan) -> int:
    """Return how many steps may pass before what they gave is fetched; a budget in seconds asks the clock at each.

    Steps of a divided network are long, and its optimizer is not told on the device to halt.
    """
    on_cuda = next(network.parameters()).device.type == "cuda"
    return FETCHED if on_cuda and course.steps is not None and not sharding.is_divided(network) else 1


def step_parts(course: TrainingPlan, step: int) -> list[Batch]:
    """Return the batches of a step (counted from 0), each of which has dropout masks of its own."""
    recipe = course.recipe
    return step_batches(course.layout, step, recipe.batches.accumulate, recipe.run.processes)


class _Halt:
    """Lets an optimizer update nothing from the first step on whose loss or gradient is no finite number.

    That is decided on the device, by the flag with which fused optimizers skip a step of a gradient scaler.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        device = optimizer.param_groups[0]["params"][0].device
        self.found = torch.zeros((), device=device)
        optimizer.grad_scale, optimizer.found_inf = None, self.found  # type: ignore[attr-defined]

    def see(self, loss: Tensor, norm: Tensor) -> None:
        """Look at a step before its update."""
        self.found.logical_or_((loss - loss) + (norm - norm))  # 0 for finite numbers, else NaN, which counts as true


class _ByItself:
    """No other runs."""

    def take(self, step: Taking, clock: StepClock) -> Taken:
        clock.start()
        with switches.explained():
            loss = accumulate(*next(step))
        taken = finish(step, loss)
        clock.mark()
        return taken


BY_ITSELF = _ByItself()


def _take(
    network: nn.Module, optimizer: torch.optim.Optimizer, course: TrainingPlan, done: tuple[int, float],
    halt: _Halt | None,
) -> Taking:  # fmt: skip
    """Take a step after so many steps and seconds; a `halt` of None looks at its loss before the update."""
    number, recipe = done[0], course.recipe
    rate = _rate(course, *done)
    for group in optimizer.param_groups:
        group["lr"] = rate
    batches = step_parts(course, number)
    network.train()
    loss = yield GradientRequest(network, batches, recipe, number)
    parameters = [p for p in network.parameters() if p.grad is not None]
    with sharding.explained(sharding.is_divided(network)):
        norm = sharding.whole(torch.nn.utils.clip_grad_norm_(parameters, recipe.optimizer.clip or math.inf))
    if halt is not None:
        halt.see(loss, norm)
    if halt is not None or (math.isfinite(float(loss)) and math.isfinite(float(norm))):
        optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return Taken(rate, loss, norm, *_counted(batches, course.bytes_V))


def _records(course: TrainingPlan, last: Step, taken: list[Taken], clock: StepClock) -> list[Step]:
    """Fetch what steps gave; on an accelerator this waits for them."""
    per_epoch = steps_per_epoch(course.layout, course.recipe.batches.accumulate)
    given = [_fetched([getattr(one, name) for one in taken]) for name in Taken._fields[1:]]
    rates, took = [one.rate for one in taken], clock.seconds()
    steps, before = [], last
    for rate, each, loss, norm, tokens, text_bytes in zip(rates, took, *given, strict=True):
        before = Step(
            step=before.step + 1, epoch=(before.step + 1) / per_epoch, learning_rate=rate, loss=loss,
            tokens=before.tokens + int(tokens), text_bytes=before.text_bytes + int(text_bytes),
            seconds=before.seconds + each, gradient_norm=norm,
        )  # fmt: skip
        steps.append(before)
    return steps


def _fetched(values: list[Tensor]) -> list[float]:
    found: list[float] = [values[0].item()] if len(values) == 1 else torch.stack(values).tolist()
    return found


def backward(network: nn.Module, batches: list[Batch], recipe: Recipe, step: int) -> float:
    """Add up a step's gradients and return its loss, once it is known; see `accumulate`."""
    return float(accumulate(network, batches, recipe, step))


def accumulate(network: nn.Module, batches: list[Batch], recipe: Recipe, step: int) -> Tensor:
    """Add up a step's gradients and return its loss (scalar, on the network's device).

    The dropout masks are those of this step (counted from 0) and part. Of several processes each takes its own parts,
    and all come to the same gradients and loss.
    """
    device = next(network.parameters()).device
    total, divided, decay = torch.zeros((), device=device), sharding.is_divided(network), recipe.loss.weight_decay
    weights_BT = weights(batches, recipe.loss)
    for part in processes.own_shares(len(batches), as_many=divided):
        torch.manual_seed(seeding.key(recipe.run.seed, "dropout", step, part or 0))
        here, counted = batches[part or 0].to(device), weights_BT[part or 0]
        counted = counted if part is not None else torch.zeros_like(counted)
        with autocast(device, recipe.run.precision), sharding.explained(divided):
            loss = _loss(network, here, moved(counted, device), recipe.loss.label_smoothing)
        if part == 0 and decay and not divided:
            loss = loss + penalty(network, decay)
        with sharding.explained(divided):
            loss.backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    if divided and decay:
        total += sharding.decay(network, decay)
    added = [] if divided else [p.grad for p in network.parameters() if p.grad is not None]
    processes.add_up([total, *added])
    return total


def _loss(network: nn.Module, batch: Batch, weights_BT: Tensor, label_smoothing: float) -> Tensor:
    given = (batch.inputs_BT, batch.targets_BT, weights_BT, batch.segments_BT, label_smoothing)
    compiled = compiled_loss(network)
    return chunked_loss.objective(network, *given)[0] if compiled is None else compiled(*given)


def finished(course: TrainingPlan, last: Step) -> bool:
    """Say whether the budget is spent."""
    if course.steps is not None:
        return last.step >= course.steps
    return last.seconds >= course.recipe.budget.amount()


def _rate(course: TrainingPlan, step: int, seconds: float) -> float:
    """Return the learning rate of the step after so many steps and seconds."""
    if course.steps is not None:
        done, share = step / course.steps, 1 / course.steps
    else:
        done, share = seconds / course.recipe.budget.amount(), 1e-3
    return learning_rate(course.recipe.optimizer, course.peak, done, share)


def _is_finite(step: Step) -> bool:
    return math.isfinite(step.loss) and math.isfinite(step.gradient_norm)


def _refuse_divergence(step: Step) -> NoReturn:
    loss, norm = step.loss, step.gradient_norm
    what = f"the loss is {loss}" if not math.isfinite(loss) else f"the gradient's norm is {norm}"
    raise DiagnoseError(
        f"{what} at step {step.step} (learning rate {step.learning_rate:g}): training has diverged; "
        "lower optimizer.lr, or set optimizer.clip",
        exit_code=FINDING,
        diverged=True,
    )


def _counted(batches: list[Batch], bytes_V: Tensor) -> tuple[Tensor, Tensor]:
    """Return the targets of some batches and their UTF-8 bytes."""
    tokens = torch.stack([b.counted_BT.sum() for b in batches]).sum()
    sizes = [(bytes_V.to(b.targets_BT.device)[b.targets_BT] * b.counted_BT).sum() for b in batches]
    return tokens, torch.stack(sizes).sum()


def reported_training_loss(losses: list[float], kind: str, interval: int, per_epoch: float) -> float:
    """Return the training loss that a run prints after its latest step, in nats per token.

    Args:
        losses: of every step so far.
        kind: "last" step; mean over the "interval" since the last print; "ema", a decaying average from the first
            step on, corrected for its start; "epoch", the running mean since the epoch began (as Keras prints).
        interval: steps between prints.
        per_epoch: steps of an epoch.
    """
    if kind == "last":
        return losses[-1]
    if kind == "ema":
        total = weight = 0.0
        for loss in losses:
            total, weight = EMA * total + (1 - EMA) * loss, EMA * weight + 1 - EMA
        return total / weight
    if kind == "interval":
        begin = (len(losses) - 1) // interval * interval
    else:  # a step belongs to the epoch of its first row; steps of an epoch are a ratio, which floats round
        epoch = math.floor((len(losses) - 1) / per_epoch + 1e-9)
        begin = min(math.ceil(epoch * per_epoch - 1e-6), len(losses) - 1)
    return sum(losses[begin:]) / len(losses[begin:])
