"""A run in progress: what it tells its watcher, reports, probes, samples and saves.

What a run *reports* follows its recipe's `[report]`, as the user's own loop would print it. What it *probes* is the
same for every run: a fixed sample of both splits, dropout off, each document alone, so that the two curves are matched.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose import random as seeding
from diagnose.data import tokenizer, verbatim
from diagnose.data.excerpt import excerpt
from diagnose.errors import FINDING, DiagnoseError
from diagnose.records.schema import FORMAT
from diagnose.runs import checkpoints, run_tables, store
from diagnose.runs.probes import final_documents, probe_documents, probe_steps
from diagnose.runs.watched import Progress, Watch
from diagnose.runs.writing import CheckpointWriter, SampleWriter
from diagnose.stats import ratio_interval
from diagnose.training import batches, dead_units, evaluation, noise_scale, sampling, trainer
from diagnose.training.device import OUT_OF_MEMORY
from diagnose.training.positions import Places
from diagnose.training.preparation import PROMPT_WORDS, Setup, prompt
from diagnose.training.registry import told
from diagnose.training.shares import Shares, optimizer_tensors
from diagnose.training.trainer import START, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from diagnose.config.recipe import Recipe

CHECKPOINT_SHARE = 0.01  # of a run's time may go into writing checkpoints
CHECKPOINT_SECONDS = 5.0  # and no two lie closer than this
COLUMNS = ("step", "kind", "split", "mode", "loss", "nats", "tokens", "bytes", "low", "high", "documents", "text_bytes")
UNIT_BATCHES = 8  # of the validation text, in which dead units are looked for
NOISE_POINTS = 4  # of a run, at which the gradient noise scale is measured
LAST_TURN = 10**6  # number of the sample that is written at the end


@dataclass
class History:
    """What a run has recorded so far; written whole at each checkpoint."""

    steps: list[Step] = field(default_factory=list)
    readings: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    noise: list[dict[str, Any]] = field(default_factory=list)

    def last(self) -> Step:
        """Return the latest step."""
        return self.steps[-1] if self.steps else START


@dataclass
class Session:
    """A run in progress."""

    setup: Setup
    path: Path
    label: str
    network: torch.nn.Module  # whole, as it is read; `gather` brings it up to date
    optimizer: torch.optim.Optimizer
    history: History
    watch: Watch
    shares: Shares | None = None  # where processes divide the network among them
    saved_at: float = field(default_factory=time.monotonic)
    save_seconds: float = 0.0
    writer: CheckpointWriter = field(default_factory=CheckpointWriter)
    sampler: SampleWriter = field(default_factory=SampleWriter)

    @property
    def trained(self) -> torch.nn.Module:
        """The network whose weights the optimizer changes."""
        return self.network if self.shares is None else self.shares.network

    def gather(self) -> None:
        """Have the latest weights in `network`, on its device."""
        if self.shares is not None:
            self.shares.gather(self.history.last().step)

    @property
    def recipe(self) -> Recipe:
        """The resolved recipe."""
        return self.setup.recipe

    @cached_property
    def probed(self) -> frozenset[int] | None:
        """The steps after which both splits are probed; None where only the clock knows the end."""
        return probe_steps(self.setup)

    @property
    def last_interval(self) -> int | None:
        """The step before the last logging interval; None where only the clock knows."""
        steps = self.setup.course.steps
        return None if steps is None else (steps - 1) // self.recipe.report.interval * self.recipe.report.interval


def tell(session: Session, doing: str = "training", readings: Sequence[Mapping[str, Any]] = ()) -> None:
    """Tell the watcher how far the run is, what it is doing, and what it has just read."""
    last, steps = session.history.last(), session.setup.course.steps
    recent = session.history.steps[-50:]
    before = session.history.steps[-51] if len(session.history.steps) > 50 else START
    rate = (last.tokens - before.tokens) / max(last.seconds - before.seconds, 1e-9)
    pace = (last.seconds - before.seconds) / max(len(recent), 1)
    left = (steps - last.step) * pace if steps else session.recipe.budget.amount() - last.seconds
    seed, run = session.recipe.run.seed, session.path.name
    session.watch(Progress(run, session.label, seed, last.step, steps, last.loss, rate, left, doing, readings))


def _row(session: Session, kind: str, split: str, mode: str, loss: float, **more: float) -> dict[str, Any]:
    last = session.history.last()
    empty = {"nats": math.nan, "tokens": 0, "bytes": 0, "low": math.nan, "high": math.nan, "documents": 0}
    where = {"step": last.step, "kind": kind, "split": split, "mode": mode, "loss": loss}
    return {**where, **empty, **more, "text_bytes": last.text_bytes}


def report(session: Session) -> None:
    """Log what the recipe's `[report]` asks for, unrounded, and let the network write."""
    tell(session, "validating")
    table, history = session.recipe.report, session.history
    per_epoch = batches.steps_per_epoch(session.setup.course.layout, session.recipe.batches.accumulate)
    past = [s.loss for s in history.steps]
    logged = trainer.reported_training_loss(past, table.train, table.interval, per_epoch)
    history.readings.append(_row(session, "reported", "train", "train", logged))
    number = (history.last().step - 1) // table.interval
    reading = evaluation.read(
        session.network, reported_batches(session.setup, number), reported_condition(session.recipe, session.network),
        session.setup.course.bytes_V, mask_key=seeding.key(session.recipe.run.seed, "validation masks", number),
    )  # fmt: skip
    sums = {"nats": float(reading.nats_R.sum()), "tokens": int(reading.targets_R.sum()),
            "bytes": int(reading.bytes_N.sum()), "documents": len(reading.document_N)}  # fmt: skip
    mode = "train" if table.val_dropout else "eval"
    history.readings.append(_row(session, "reported", "val", mode, reading.loss, **sums))
    tell(session, "validating", history.readings[-2:])
    if table.sample and not _is_near_end(session):
        session.sampler.write(session.network, partial(_sample, session, number, history.last().step))


def _is_near_end(session: Session) -> bool:
    """Say whether a run has ended or ends before its next print: its last sample is as good as one of now."""
    course, last = session.setup.course, session.history.last()
    if course.steps is None:
        return trainer.finished(course, last)
    return last.step + session.recipe.report.interval > course.steps


def reported_batches(setup: Setup, number: int) -> Iterable[batches.Batch]:
    """Return the validation batches that the run's print `number` (from 0) reads."""
    table, layout = setup.recipe.report, setup.validation
    if table.val == "full":
        return batches.whole(layout)
    size = min(layout.size, layout.rows)
    return [batches.rows(layout, (number * table.val_batches + k) * size, size) for k in range(table.val_batches)]


def reported_condition(recipe: Recipe, net: torch.nn.Module) -> evaluation.EvalCondition:
    """Return the condition under which the run reports its validation loss."""
    table, smoothing, decay = recipe.report, 0.0, 0.0
    if table.val_objective == "training":
        smoothing, decay = recipe.loss.label_smoothing, recipe.loss.weight_decay
    with torch.no_grad():
        penalty = float(trainer.penalty(net, decay)) if decay else 0.0
    return evaluation.EvalCondition(
        training=table.val_dropout, label_smoothing=smoothing, penalty=penalty, padding=table.val_padding,
        mean=table.val_mean, precision=recipe.run.precision if table.val_precision == "training" else "fp32",
    )  # fmt: skip


def is_probe(session: Session, step: int) -> bool:
    """Say whether both splits are probed after a step; at the prints where only the clock knows the end."""
    return step % session.recipe.report.interval == 0 if session.probed is None else step in session.probed


def probe(session: Session) -> None:
    """Read a fixed sample of either split under the same condition: dropout off, each document alone."""
    tell(session, "probing")
    for side in ("train", "val"):
        result = _canonical(session, probe_documents(session.setup, side))
        session.history.readings.append(_canonical_row(session, "probe", side, result))
    tell(session, "probing", session.history.readings[-2:])


def _canonical_row(session: Session, kind: str, side: str, result: evaluation.Canonical) -> dict[str, Any]:
    interval = ratio_interval(result.nats_N, result.tokens_N)
    return _row(
        session, kind, side, "eval", result.nats_per_token, nats=float(result.nats_N.sum()),
        tokens=int(result.tokens_N.sum()), bytes=int(result.bytes_N.sum()), documents=len(result.document_N),
        low=_number(interval.low), high=_number(interval.high),
    )  # fmt: skip


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def read_documents(
    setup: Setup, net: torch.nn.Module, documents: NDArray[np.int64], places: Places | None = None
) -> evaluation.Canonical:
    """Return the canonical reading of some documents; `places` takes in where in them the losses lie."""
    sizes = setup.text.corpus.sizes(documents)
    exact = tokenizer.counts_exactly(setup.text.tokenizer)
    return evaluation.canonical(
        net, setup.text.stream, documents, sizes, setup.recipe.batches.context, setup.recipe.run.precision,
        setup.course.bytes_V if exact else None, places,
    )  # fmt: skip


def _canonical(session: Session, documents: NDArray[np.int64], places: Places | None = None) -> evaluation.Canonical:
    """Read documents; a loss that is no number means that training has diverged, whatever its own losses were."""
    result = read_documents(session.setup, session.network, documents, places)
    if not np.isfinite(result.nats_N).all():
        step = session.history.last().step
        raise DiagnoseError(
            f"the loss on whole documents is no finite number after step {step}: training has diverged; "
            "lower optimizer.lr",
            exit_code=FINDING,
            diverged=True,
        )
    return result


def _sample(session: Session, turn: int, step: int, network: torch.nn.Module, alone: bool) -> None:
    """Have a network that has the weights after a step write; see `SampleWriter`."""
    opening = prompt(session.setup.text)
    try:
        text = sampling.generate(
            network, session.setup.text.tokenizer, opening, context=session.recipe.batches.context,
            seed=session.recipe.run.seed, turn=turn, precision=session.recipe.run.precision, alone=alone,
        )  # fmt: skip
    except (MemoryError, OUT_OF_MEMORY):
        raise
    except Exception as error:  # a user's network may raise anything
        raise DiagnoseError(f"the network fails as it writes a sample after step {step}: {told(error)}") from error
    session.history.samples.append({"step": step, "prompt": opening, "text": text})


def checkpoint_is_due(session: Session) -> bool:
    """Say whether enough time has passed since the last checkpoint for its cost to stay small."""
    wait = max(CHECKPOINT_SECONDS, session.save_seconds / CHECKPOINT_SHARE)
    if session.sampler.busy:  # records hold the sample; it has as long again to arrive by itself
        wait *= 2
    return not session.writer.busy and time.monotonic() - session.saved_at > wait


def checkpoint(session: Session) -> None:
    """Write records, then the checkpoint that they belong to."""
    session.sampler.settle()
    begun = time.monotonic()
    save_records(session)
    save(session, "checkpoint")
    session.saved_at = time.monotonic()
    session.save_seconds = session.saved_at - begun


def save_records(session: Session) -> None:
    """Write steps, readings and samples."""
    steps, readings = session.history.steps, session.history.readings
    of_steps = {field.name: [getattr(step, field.name) for step in steps] for field in fields(Step)} if steps else {}
    of_readings = {name: [row.get(name, math.nan) for row in readings] for name in COLUMNS}
    run_tables.write_table(session.path, "steps", of_steps)
    run_tables.write_table(session.path, "readings", of_readings)
    store.write_samples(session.path, session.history.samples)
    if session.history.noise:
        store.write_json(session.path / "noise.json", {"format": FORMAT, "noise": session.history.noise})


def save(session: Session, folder: str) -> None:
    """Write the state after the latest step into a folder of the run."""
    last, shares = session.history.last(), session.shares
    session.gather()
    moments = optimizer_tensors(session.optimizer) if shares is None else shares.moments()
    tensors = {"model": _model_tensors(session.network), "optimizer": moments}
    state = {name: None if value != value else value for name, value in asdict(last).items()}  # noqa: PLR0124
    session.writer.write(session.path / folder, tensors, state, owned=shares is not None)


def _model_tensors(net: torch.nn.Module) -> checkpoints.Tensors:
    """Return weights and buffers, a tied weight once."""
    learned = {name for name, _ in net.named_parameters()} | {name for name, _ in net.named_buffers()}
    return {name: value for name, value in net.state_dict().items() if name in learned}


def finish(session: Session) -> None:
    """Read the validation text, write the last sample, and leave everything on disk."""
    tell(session, "reading the validation text")
    session.gather()
    setup, places = session.setup, Places()
    result = _canonical(session, final_documents(setup.text, setup.recipe, setup.derived), places)
    history, last = session.history, session.history.last().step
    history.readings = [row for row in history.readings if row["kind"] != "probe" or row["step"] != last]
    train, val = (probe_documents(setup, side) for side in ("train", "val"))
    history.readings += [
        _canonical_row(session, "probe", "train", _canonical(session, train)),
        _canonical_row(session, "probe", "val", result.of(val)),  # what a probe reads is part of what was just read
        _canonical_row(session, "final", "val", result),
    ]
    tell(session, "reading the validation text", history.readings[-3:-1])
    session.sampler.settle()
    _sample(session, LAST_TURN, last, session.network, alone=False)
    history.samples[-1]["final"] = True
    by_document = {"document": result.document_N, "nats": result.nats_N, "tokens": result.tokens_N,
                   "bytes": result.bytes_N}  # fmt: skip
    run_tables.write_table(session.path, "validation", by_document)
    run_tables.write_table(session.path, "places", places.table())
    _read_units(session)
    _find_verbatim(session)
    save_records(session)


def _find_verbatim(session: Session) -> None:
    """Note at each sample what it shares with the training text word for word."""
    if not session.history.samples:
        return
    tell(session, "looking for verbatim text")
    text = excerpt(session.setup.text.corpus, session.setup.text.split)
    unseen = [" ".join(document.decode().split(" ")[PROMPT_WORDS:]) for document in text.scored]
    verbatim.mark(session.history.samples, unseen, text.train)


def _read_units(session: Session) -> None:
    """Note which units never answer to a sample of the validation text, where the network has some that may not."""
    rows = session.setup.validation
    some = (batches.step_batches(rows, number, 1)[0] for number in range(UNIT_BATCHES))
    units = dead_units.dead_units(session.network, some, session.recipe.run.precision)
    if units is not None:
        store.write_json(session.path / "units.json", {"format": FORMAT, **units})


def is_noise_step(recipe: Recipe, step: int, steps: int | None) -> bool:
    """Measure the gradient noise scale at the quarters of a run, where that is asked for."""
    if not recipe.report.noise_scale or steps is None:
        return False
    return step * NOISE_POINTS // steps > (step - 1) * NOISE_POINTS // steps


def measure_noise(session: Session) -> None:
    """Measure the gradient noise scale."""
    tell(session, "measuring gradients")
    scale = noise_scale.measure(session.network, session.setup.course, session.history.last().step)
    if scale is not None:
        session.history.noise.append(scale)


def read_noise(path: Path) -> list[dict[str, Any]]:
    """Read the gradient noise scales that a run measured; none is an empty list."""
    file = path / "noise.json"
    return list(store.read_json(file)["noise"]) if file.exists() else []


def load_state(
    net: torch.nn.Module, optimizer: torch.optim.Optimizer | None, tensors: dict[str, checkpoints.Tensors]
) -> None:
    """Put a checkpoint's tensors into a network and its optimizer; nothing is shared with `tensors` afterwards."""
    try:
        weights = tensors["model"]
        missing, unknown = net.load_state_dict(weights, strict=False)
    except (KeyError, RuntimeError) as error:
        raise DiagnoseError(f"the checkpoint does not fit the network: {str(error).splitlines()[0]}") from None
    aliases = {name for name, _ in net.named_parameters(remove_duplicate=False)} - dict(net.named_parameters()).keys()
    if set(missing) - aliases or unknown:
        raise DiagnoseError(f"the checkpoint does not fit the network: {sorted({*missing, *unknown})[:3]} differ")
    if optimizer is not None:
        state: dict[int, checkpoints.Tensors] = {}
        for name, value in tensors["optimizer"].items():
            index, _, key = name.partition(".")
            state.setdefault(int(index), {})[key] = value.clone()
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
