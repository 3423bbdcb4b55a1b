"""Recipe in, run directory out: the trainer and the store together.

A run can be stopped at any moment, by Ctrl-C or by `kill -9`; from its last checkpoint it goes on to the very
weights that it would have had.
"""

from __future__ import annotations

import errno
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose import batches, losses, network, sampling, seeding, store, trainer
from diagnose.errors import FINDING, DiagnoseError
from diagnose.recipe import Recipe
from diagnose.setup import Setup, environment, prompt, set_up
from diagnose.stats import ratio_interval
from diagnose.trainer import START, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

INTERRUPTED = 130  # exit code after Ctrl-C
CHECKPOINT_SHARE = 0.01  # of a run's time may go into writing checkpoints
CHECKPOINT_SECONDS = 5.0  # and no two lie closer than this
PROBES = 16  # points of a run's learning curve, both splits measured alike
PROBE_BYTES = 12_288  # text of either split that a probe reads


@dataclass(frozen=True)
class Progress:
    """What a watcher is told: after each step, and when something else takes time."""

    run: str
    label: str
    seed: int
    step: int
    steps: int | None
    loss: float
    tokens_per_second: float
    seconds_left: float | None
    doing: str = "training"


Watch = Callable[[Progress], None]


@dataclass
class History:
    """What a run has recorded so far; written whole at each checkpoint."""

    steps: list[Step] = field(default_factory=list)
    readings: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)

    def last(self) -> Step:
        """Return the latest step."""
        return self.steps[-1] if self.steps else START


@dataclass
class Session:
    """A run in progress."""

    setup: Setup
    path: Path
    label: str
    network: torch.nn.Module
    optimizer: torch.optim.Optimizer
    history: History
    watch: Watch
    saved_at: float = field(default_factory=time.monotonic)
    save_seconds: float = 0.0

    @property
    def recipe(self) -> Recipe:
        """The resolved recipe."""
        return self.setup.recipe

    @property
    def last_interval(self) -> int | None:
        """The step before the last logging interval; None where only the clock knows."""
        steps = self.setup.course.steps
        return None if steps is None else (steps - 1) // self.recipe.report.interval * self.recipe.report.interval


def train(
    recipe: Recipe | str | Path = "quick",
    overrides: Mapping[str, Any] | None = None,
    *,
    runs: Path | str = "runs",
    label: str | None = None,
    resume: bool = False,
    watch: Watch | None = None,
) -> Path:
    """Train one network and leave a run directory.

    Args:
        recipe: a recipe, the name of one that ships, or a TOML file.
        overrides: values by `table.key`.
        runs: the folder to make the run's directory in.
        label: part of the directory's name; the tokenizer's kind where none is given.
        resume: go on with the newest unfinished run of the same recipe; start one if there is none.
        watch: called after each step.

    Returns:
        The run's directory.

    Raises:
        DiagnoseError: a mistake in the recipe or the text (nothing is written), a diverged or otherwise failed run
            (it keeps what was recorded), an interruption (it can be resumed).
    """
    given = dict(overrides or {})
    chosen = Recipe.load(recipe, given) if not isinstance(recipe, Recipe) else recipe.with_values(given)
    return carry_out(set_up(chosen, given), given, runs=Path(runs), label=label, resume=resume, watch=watch)


def carry_out(
    setup: Setup, given: Iterable[str] = (), *, runs: Path, label: str | None = None, resume: bool = False,
    watch: Watch | None = None,
) -> Path:  # fmt: skip
    """Train what was set up; see `train`."""
    name = label or ("tokenizer" if setup.recipe.tokenizer.path else setup.recipe.tokenizer.kind)
    net = setup.network()
    network.check(net, setup.text.vocabulary, setup.recipe.batches.context)
    path = newest_unfinished(runs, setup.digest) if resume else None
    path = path or store.create(runs, name, setup.recipe, environment(setup, given))
    with store.locked(path), torch.random.fork_rng(), _outcome(path):
        setup.text.tokenizer.save(str(path / "tokenizer.json"))
        optimizer = trainer.make_optimizer(net, setup.recipe.optimizer)
        session = Session(setup, path, name, net, optimizer, History(), watch or (lambda _: None))
        _restore(session)
        if setup.recipe.run.compile == "on":
            network.compile_in_place(net)
        _run(session)
    store.point_latest(path)
    return path


def newest_unfinished(runs: Path, digest: str) -> Path | None:
    """Return the newest run of this digest that is neither finished nor being written."""
    for path in reversed(store.entries(runs)):
        if store.state(path) not in ("finished", "running") and _digest(path) == digest:
            return path
    return None


def newest_finished(runs: Path, digest: str) -> Path | None:
    """Return the newest finished run of this digest."""
    for path in reversed(store.entries(runs)):
        if _digest(path) == digest and store.state(path) == "finished":
            return path
    return None


def _digest(path: Path) -> str | None:
    try:
        return str(store.read_json(path / "environment.json")["digest"])
    except (DiagnoseError, KeyError):
        return None


@contextmanager
def _outcome(path: Path) -> Iterator[None]:
    """Note how a run ends, whatever ends it."""
    store.write_status(path, "running")
    try:
        yield
    except KeyboardInterrupt:
        store.write_status(path, "interrupted", "stopped by the user")
        raise DiagnoseError(
            f"stopped; {path} keeps its last checkpoint: give the same command with --resume to go on",
            exit_code=INTERRUPTED,
        ) from None
    except DiagnoseError as error:
        _note_failure(path, str(error))
        told = f"{error} (recorded in {path})"
        raise DiagnoseError(told, exit_code=error.exit_code, diverged=error.diverged, run=path.name) from None
    except (OSError, MemoryError, torch.OutOfMemoryError) as error:
        why = _in_words(error)
        _note_failure(path, why)
        raise DiagnoseError(f"{why}; {path} is kept: go on with --resume", exit_code=FINDING) from None
    except BaseException as error:
        _note_failure(path, f"{type(error).__name__}: {error}")
        raise
    store.write_status(path, "finished")


def _note_failure(path: Path, why: str) -> None:
    try:
        store.write_status(path, "failed", why)
    except OSError:  # no room even for this line: half-written parts are gone by now, so try in place
        (path / "status.json").write_text('{"format": 1, "state": "failed", "why": "the disk is full"}\n', "utf-8")


def _in_words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full (ENOSPC): make room"
    if isinstance(error, OSError):
        return f"the run's folder cannot be written: {error.strerror or error}"
    return "memory ran out: lower batches.size and raise batches.accumulate"


def _restore(session: Session) -> None:
    """Go back to the last checkpoint, if there is one; records of later steps are dropped and made again."""
    found = store.read_checkpoint(session.path / "checkpoint")
    if found is None:
        return
    tensors, state = found
    load_state(session.network, session.optimizer, tensors)
    steps = store.read_table(session.path, "steps")
    readings = store.read_table(session.path, "readings")
    done = int(state["step"])
    session.history = History(
        [Step(**row) for row in steps[steps.step <= done].to_dict("records")],
        readings[(readings.step <= done) & (readings.kind != "final")].to_dict("records"),
        [s for s in store.read_samples(session.path) if s["step"] <= done and not s.get("final")],
    )


def load_state(net: torch.nn.Module, optimizer: torch.optim.Optimizer | None, tensors: dict[str, store.Tensors]) -> None:
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
        state: dict[int, store.Tensors] = {}
        for name, value in tensors["optimizer"].items():
            index, _, key = name.partition(".")
            state.setdefault(int(index), {})[key] = value.clone()
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _run(session: Session) -> None:
    """Train to the end of the budget, then read the whole validation text."""
    setup, recipe = session.setup, session.recipe
    if session.last_interval == session.history.last().step:
        _save(session, "interval")
    with _after_the_step() as stop_is_asked, _kept_on_divergence(session):
        for step in trainer.train_steps(session.network, session.optimizer, setup.course, session.history.last()):
            session.history.steps.append(step)
            _tell(session)
            over = trainer.finished(setup.course, step)
            if step.step % recipe.report.interval == 0 or over:
                _report(session)
            if _is_probe(step.step, setup.course.steps, recipe.report.interval) and not over:
                _probe(session)
            if step.step == session.last_interval or (setup.course.steps is None and _checkpoint_is_due(session)):
                _save(session, "interval")
            if over or stop_is_asked() or _checkpoint_is_due(session):
                _checkpoint(session)
            if stop_is_asked():
                raise KeyboardInterrupt
    _finish(session)


@contextmanager
def _kept_on_divergence(session: Session) -> Iterator[None]:
    try:
        yield
    except DiagnoseError:
        if session.history.steps:
            _save_records(session)
        raise


@contextmanager
def _after_the_step() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C wait for the end of a step, so that nothing is lost; a second one stops at once."""
    asked: list[int] = []

    def handle(number: int, _: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(session: Session, doing: str = "training") -> None:
    last, steps = session.history.last(), session.setup.course.steps
    recent = session.history.steps[-50:]
    before = session.history.steps[-51] if len(session.history.steps) > 50 else START
    rate = (last.tokens - before.tokens) / max(last.seconds - before.seconds, 1e-9)
    pace = (last.seconds - before.seconds) / max(len(recent), 1)
    left = (steps - last.step) * pace if steps else session.recipe.budget.amount() - last.seconds
    session.watch(
        Progress(session.path.name, session.label, session.recipe.run.seed, last.step, steps, last.loss, rate, left, doing)
    )


def _is_probe(step: int, steps: int | None, interval: int) -> bool:
    """Probe at evenly spaced steps; at the prints where only the clock knows the end."""
    if steps is None:
        return step % interval == 0
    return step * PROBES // steps > (step - 1) * PROBES // steps


def _row(session: Session, kind: str, split: str, mode: str, loss: float, **more: float) -> dict[str, Any]:
    last = session.history.last()
    empty = {"nats": math.nan, "tokens": 0, "bytes": 0, "low": math.nan, "high": math.nan, "documents": 0}
    where = {"step": last.step, "kind": kind, "split": split, "mode": mode, "loss": loss}
    return {**where, **empty, **more, "text_bytes": last.text_bytes}


def _report(session: Session) -> None:
    """Log what the recipe's `[report]` asks for, unrounded, and let the network write."""
    _tell(session, "validating")
    table, history = session.recipe.report, session.history
    per_epoch = batches.steps_per_epoch(session.setup.course.layout, session.recipe.batches.accumulate)
    past = [s.loss for s in history.steps]
    logged = trainer.reported_training_loss(past, table.train, table.interval, per_epoch)
    history.readings.append(_row(session, "reported", "train", "train", logged))
    number = (history.last().step - 1) // table.interval
    reading = losses.read(
        session.network, reported_batches(session.setup, number), reported_condition(session.recipe, session.network),
        session.setup.course.bytes_V, mask_key=seeding.key(session.recipe.run.seed, "validation masks", number),
    )  # fmt: skip
    sums = {"nats": float(reading.nats_R.sum()), "tokens": int(reading.targets_R.sum()),
            "bytes": int(reading.bytes_N.sum()), "documents": len(reading.document_N)}  # fmt: skip
    mode = "train" if table.val_dropout else "eval"
    history.readings.append(_row(session, "reported", "val", mode, reading.loss, **sums))
    if table.sample and not trainer.finished(session.setup.course, history.last()):
        history.samples.append(_sample(session, number))


def reported_batches(setup: Setup, number: int) -> Iterable[batches.Batch]:
    """Return the validation batches that the run's print `number` (from 0) reads."""
    table, layout = setup.recipe.report, setup.validation
    if table.val == "full":
        return batches.whole(layout)
    size = min(layout.size, layout.rows)
    return [batches.rows(layout, (number * table.val_batches + k) * size, size) for k in range(table.val_batches)]


def reported_condition(recipe: Recipe, net: torch.nn.Module) -> losses.Condition:
    """Return the condition under which the run reports its validation loss."""
    table, smoothing, decay = recipe.report, 0.0, 0.0
    if table.val_objective == "training":
        smoothing, decay = recipe.loss.label_smoothing, recipe.loss.weight_decay
    with torch.no_grad():
        penalty = float(trainer.penalty(net, decay)) if decay else 0.0
    return losses.Condition(
        training=table.val_dropout, label_smoothing=smoothing, penalty=penalty, padding=table.val_padding,
        mean=table.val_mean, precision=recipe.run.precision if table.val_precision == "training" else "fp32",
    )  # fmt: skip


def _probe(session: Session) -> None:
    """Read a fixed sample of either split under the same condition: dropout off, each document alone."""
    _tell(session, "probing")
    for side in ("train", "val"):
        documents = probe_documents(session.setup, side)
        session.history.readings.append(_canonical_row(session, "probe", side, documents))


def probe_documents(setup: Setup, side: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return some documents of the training text or of the text that validation is scored on, the same for all runs."""
    parts = setup.text.split
    pool = np.unique(parts.train if side == "train" else parts.scored)
    order = seeding.permute(torch.arange(len(pool)), len(pool), seeding.key(0, "probe", len(pool))).numpy()
    picked = pool[order[: PROBE_BYTES // 8]]
    sizes = setup.text.corpus.doc_bytes[picked].cumsum()
    return np.sort(picked[: max(1, int(np.searchsorted(sizes, PROBE_BYTES)))])


def _canonical_row(session: Session, kind: str, side: str, documents: np.ndarray[Any, Any]) -> dict[str, Any]:
    result = _canonical(session, documents)
    interval = ratio_interval(result.nats_N, result.tokens_N)
    return _row(
        session, kind, side, "eval", result.nats_per_token, nats=float(result.nats_N.sum()),
        tokens=int(result.tokens_N.sum()), bytes=int(result.bytes_N.sum()), documents=len(documents),
        low=_number(interval.low), high=_number(interval.high),
    )  # fmt: skip


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _canonical(session: Session, documents: np.ndarray[Any, Any]) -> losses.Canonical:
    sizes = session.setup.text.corpus.doc_bytes[documents]
    return losses.canonical(
        session.network, session.setup.text.stream, documents, sizes, session.recipe.batches.context,
        session.recipe.run.precision,
    )  # fmt: skip


def _sample(session: Session, turn: int) -> dict[str, Any]:
    opening = prompt(session.setup.text)
    text = sampling.generate(
        session.network, session.setup.text.tokenizer, opening, context=session.recipe.batches.context,
        seed=session.recipe.run.seed, turn=turn, precision=session.recipe.run.precision,
    )  # fmt: skip
    return {"step": session.history.last().step, "prompt": opening, "text": text}


def _checkpoint_is_due(session: Session) -> bool:
    wait = max(CHECKPOINT_SECONDS, session.save_seconds / CHECKPOINT_SHARE)
    return time.monotonic() - session.saved_at > wait


def _checkpoint(session: Session) -> None:
    """Write records, then the checkpoint that they belong to."""
    begun = time.monotonic()
    _save_records(session)
    _save(session, "checkpoint")
    session.saved_at = time.monotonic()
    session.save_seconds = session.saved_at - begun


def _save_records(session: Session) -> None:
    store.write_table(session.path, "steps", _frame(session.history.steps))
    store.write_table(session.path, "readings", _readings(session.history.readings))
    store.write_samples(session.path, session.history.samples)


def _save(session: Session, folder: str) -> None:
    last = session.history.last()
    tensors = {"model": _model_tensors(session.network), "optimizer": _optimizer_tensors(session.optimizer)}
    state = {name: None if value != value else value for name, value in asdict(last).items()}  # noqa: PLR0124
    store.write_checkpoint(session.path / folder, tensors, state)


def _model_tensors(net: torch.nn.Module) -> store.Tensors:
    """Return weights and buffers, a tied weight once."""
    kept = {name for name, _ in net.named_parameters()} | {name for name, _ in net.named_buffers()}
    return {name: value for name, value in net.state_dict().items() if name in kept}


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> store.Tensors:
    state = optimizer.state_dict()["state"]
    return {f"{index}.{key}": torch.as_tensor(v) for index, values in state.items() for key, v in values.items()}


def _finish(session: Session) -> None:
    """Read the whole validation text, write the last sample, and leave everything on disk."""
    _tell(session, "reading the validation text")
    scored = session.setup.text.split.scored
    result = _canonical(session, scored)
    history = session.history
    probe = _canonical_row(session, "probe", "train", probe_documents(session.setup, "train"))
    history.readings += [probe, _canonical_row(session, "probe", "val", probe_documents(session.setup, "val"))]
    interval = ratio_interval(result.nats_N, result.tokens_N)
    history.readings.append(
        _row(session, "final", "val", "eval", result.nats_per_token, nats=float(result.nats_N.sum()),
             tokens=int(result.tokens_N.sum()), bytes=int(result.bytes_N.sum()), documents=len(scored),
             low=_number(interval.low), high=_number(interval.high))
    )  # fmt: skip
    history.samples.append({**_sample(session, 10**6), "final": True})
    store.write_table(session.path, "validation", _validation(result))
    _save_records(session)


def _frame(rows: list[Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame([asdict(row) for row in rows])


def _readings(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    columns = ["step", "kind", "split", "mode", "loss", "nats", "tokens", "bytes", "low", "high", "documents", "text_bytes"]
    return pd.DataFrame(rows, columns=columns)


def _validation(result: losses.Canonical) -> pd.DataFrame:
    import pandas as pd

    columns = {"document": result.document_N, "nats": result.nats_N, "tokens": result.tokens_N, "bytes": result.bytes_N}
    return pd.DataFrame(columns)


def summary(path: Path) -> dict[str, Any]:
    """Return what `diagnose train --json` prints of a finished run."""
    steps, readings = store.read_table(path, "steps"), store.read_table(path, "readings")
    reported = readings[readings.kind == "reported"]
    final = readings[readings.kind == "final"]
    last = steps.iloc[-1]
    val: dict[str, Any] = {}
    if len(final):
        row = final.iloc[-1]
        val = {
            "nats_per_token": float(row.loss),
            "bits_per_byte": float(row.nats / math.log(2) / row.bytes),
            "tokens": int(row.tokens),
            "bytes": int(row.bytes),
        }
    logged = {side: float(reported[reported.split == side].iloc[-1].loss) for side in ("train", "val") if len(reported)}
    return {
        "format": 1, "run": str(path), "status": store.state(path), "steps": int(last.step),
        "train": {"nats_per_token": logged.get("train")}, "val": {**val, "reported": logged.get("val")},
        "seconds": float(last.seconds), "tokens_per_second": float(last.tokens / max(last.seconds, 1e-9)),
    }  # fmt: skip
