"""Recipe in, run directory out: the trainer and the store together.

A run can be stopped at any moment, by Ctrl-C or by `kill -9`; from its last checkpoint it goes on to the very
weights that it would have had.
"""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import threading
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose import files
from diagnose.config.recipe import Recipe, refuse_unused
from diagnose.errors import FINDING, INTERRUPTED, DiagnoseError, in_words
from diagnose.formatting import listed
from diagnose.runs import checkpoints, followers, run_tables, store
from diagnose.runs.inventory import losses
from diagnose.runs.session import (
    History,
    Session,
    checkpoint,
    checkpoint_is_due,
    finish,
    is_noise_step,
    is_probe,
    load_state,
    measure_noise,
    probe,
    read_noise,
    report,
    save,
    save_records,
    tell,
)
from diagnose.runs.writing import SampleWriter
from diagnose.training import device, processes, switches, trainer
from diagnose.training.preparation import Setup, environment, set_up
from diagnose.training.second_network import second_network
from diagnose.training.shares import HOST
from diagnose.training.trainer import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from diagnose.config.recipe import RunConfig
    from diagnose.runs.watched import Watch
    from diagnose.training.stack import Member


def train(
    recipe: Recipe | str | Path = "quick",
    overrides: Mapping[str, Any] | None = None,
    *,
    runs: Path | str = "runs",
    label: str | None = None,
    resume: bool = False,
    watch: Watch | None = None,
) -> Path:
    """Train one network and leave a run directory; see `diagnose.api.train`, which also notes baselines beside it."""
    setup = planned(recipe, overrides)
    return carry_out(setup, overrides or (), runs=Path(runs), label=label, resume=resume, watch=watch)


def planned(recipe: Recipe | str | Path, overrides: Mapping[str, Any] | None = None) -> Setup:
    """Return what a recipe with its overrides comes to.

    Raises:
        DiagnoseError: a mistake in the recipe or the text.
    """
    given = dict(overrides or {})
    with processes.first_before_others():
        chosen = recipe.with_values(given) if isinstance(recipe, Recipe) else Recipe.load(recipe, given)
        refuse_unused([chosen], given)
        return set_up(chosen, given)


def carry_out(
    setup: Setup, given: Iterable[str] = (), *, runs: Path, label: str | None = None, resume: bool = False,
    watch: Watch | None = None, member: Member | None = None,
) -> Path:  # fmt: skip
    """Train what was set up, in its place of a stack where that is given; see `train`."""
    name = label or ("tokenizer" if setup.recipe.tokenizer.path else setup.recipe.tokenizer.kind)
    where = setup.prepare()
    net = setup.network()
    setup.check(net)
    stack = member.seeds if member else ()
    path = newest_unfinished(runs, setup.digest) if resume else None
    if resume and path is None:
        _refuse_elsewhere(runs, setup, set(given))
    if path is not None:
        _refuse_other_stack(path, stack)
    path = path or store.create(runs, name, setup.recipe, environment(setup, given, stack))
    with switches.restored(), store.locked(path), device.random_kept(where), _outcome(path):
        store.write_text(path / "tokenizer.json", setup.text.tokenizer.to_str(pretty=True))
        optimizer = trainer.make_optimizer(net, setup.recipe.optimizer)
        session = Session(setup, path, name, net, optimizer, History(), watch or (lambda _: None))
        session.sampler = SampleWriter(second_network(setup))
        followers.share_state(session, _restore(session))
        setup.compile(net)
        with session.writer.settled(), session.sampler.settled():
            _run(session, member)
    store.point_latest(path)
    return path


def follow(recipe: Recipe | str | Path = "quick", overrides: Mapping[str, Any] | None = None) -> None:
    """Take the steps of a run that another process of the group records; see `processes`.

    Raises:
        DiagnoseError: a mistake in the recipe; training diverged; the other process has ended.
    """
    setup = planned(recipe, overrides)
    where = setup.prepare()
    net = setup.network(HOST if setup.divides else where)
    optimizer = trainer.make_optimizer(net, setup.recipe.optimizer)
    session = Session(setup, Path(), "", net, optimizer, History(), lambda _: None)
    with switches.restored(), device.random_kept(where), after_the_step():
        if not followers.take_state(session) or followers.stops(session):
            return
        setup.compile(net)
        due, last = partial(_is_due, session), session.history.last()
        for _ in trainer.train_blocks(session.trained, session.optimizer, setup.course, last, due):
            if followers.stops(session):
                return


def _refuse_elsewhere(runs: Path, setup: Setup, given: set[str]) -> None:
    """Refuse to begin anew what another machine's device, or another number of processes, has begun.

    Raises:
        DiagnoseError: an unfinished run of the same recipe is of a device that this machine lacks, unless a device was
            given; or of another number of processes.
    """
    here = setup.recipe.run
    for path, there in _begun(runs, setup):
        if "run.device" not in given and not device.is_here(there.device):
            raise DiagnoseError(
                f"{path} was begun on {there.device}, which this machine lacks, and a run goes on only where it began; "
                f"to train it anew here, say so: --set run.device={here.device}"
            )
        if there.processes != here.processes:
            shard = f" --set run.shard={there.shard}" if there.processes > 1 else ""
            raise DiagnoseError(
                f"{path} was begun with run.processes = {there.processes}, not {here.processes}: to go on with it, "
                f"--set run.processes={there.processes}{shard} (other numbers of processes give the same up to "
                "rounding); without --resume it is trained anew"
            )


def _refuse_other_stack(path: Path, stack: tuple[int, ...]) -> None:
    """Refuse to go on otherwise than a run was begun: that would round its sums otherwise.

    Raises:
        DiagnoseError: it was begun in another stack, or in one where it is to go on by itself, or the other way round.
    """
    begun = store.environment(path).stack
    if begun != stack:
        was = f"in a stack of seeds {listed(list(map(str, begun)))}" if begun else "by itself"
        goes_on = "with `diagnose ablate --stack --resume`" if begun else "without --stack"
        raise DiagnoseError(f"{path} was begun {was}: go on {goes_on}, or leave --resume out to train it anew")


def _begun(runs: Path, setup: Setup) -> Iterator[tuple[Path, RunConfig]]:
    """Yield unfinished runs of a recipe and its seed, the newest first, and how each was computed."""
    settings = {name: rows for name, rows in setup.recipe.tables().items() if name != "run"}
    for path in reversed(store.entries(runs)):
        if store.known_state(path) in ("failed", "interrupted"):
            with suppress(DiagnoseError):
                begun = store.recipe_of(path)
                same = {name: rows for name, rows in begun.tables().items() if name != "run"} == settings
                if same and begun.run.seed == setup.recipe.run.seed:
                    yield path, begun.run


def newest_unfinished(runs: Path, digest: str) -> Path | None:
    """Return the newest run of this digest that is neither finished nor being written."""
    for path in reversed(store.entries(runs)):
        if _digest(path) == digest and store.known_state(path) in ("failed", "interrupted"):
            return path
    return None


def newest_finished(runs: Path, digest: str) -> Path | None:
    """Return the newest finished run of this digest."""
    for path in reversed(store.entries(runs)):
        if _digest(path) == digest and store.known_state(path) == "finished":
            return path
    return None


def _digest(path: Path) -> str | None:
    file = os.path.join(path, "environment.json")  # noqa: PTH118 - a folder may hold thousands, and be asked often
    try:
        written = os.stat(file)  # noqa: PTH116
    except OSError:
        return None
    return _digest_in(file, (written.st_ino, written.st_size, written.st_mtime_ns))


@cache
def _digest_in(file: str, _: tuple[int, ...]) -> str | None:
    """Return the digest in a file, read once in each state of it."""
    try:
        return store.environment(Path(file).parent).digest
    except DiagnoseError:
        return None


@contextmanager
def _outcome(path: Path) -> Iterator[None]:
    """Note how a run ends, whatever ends it."""
    try:
        store.write_status(path, "running")
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
    except (OSError, MemoryError, device.OUT_OF_MEMORY) as error:
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
    except OSError:  # no room even for this line
        with suppress(OSError):
            files.overwrite(path / "status.json", json.dumps({"format": 1, "state": "failed", "why": why}).encode())


def _in_words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full (ENOSPC): make room"
    if isinstance(error, OSError):
        return in_words(error)
    wanted = re.search(r"Tried to allocate [\d.]+ \w+", str(error))  # as torch says it of a CUDA device
    more = f" (t{wanted[0][1:]})" if wanted else ""
    return f"memory ran out{more}: lower batches.size and raise batches.accumulate"


def _restore(session: Session) -> checkpoints.Tensors:
    """Go back to the last checkpoint, if there is one; records of later steps are dropped and made again.

    Returns:
        The optimizer's state, where processes are to divide it among them; the optimizer has it otherwise.
    """
    for folder in ("checkpoint", "interval"):
        checkpoints.settle_checkpoint(session.path / folder)
    saved = checkpoints.read_checkpoint(session.path / "checkpoint")
    if saved is None:
        return {}
    tensors, state = saved
    divides = session.setup.divides
    load_state(session.network, None if divides else session.optimizer, tensors)
    steps = run_tables.read_table(session.path, "steps")
    readings = run_tables.read_table(session.path, "readings")
    done = int(state["step"])
    session.history = History(
        [Step(**row) for row in steps[steps.step <= done].to_dict("records")],
        readings[(readings.step <= done) & (readings.kind != "final")].to_dict("records"),
        [s for s in store.read_samples(session.path) if s["step"] <= done and not s.get("final")],
        [scale for scale in read_noise(session.path) if scale["step"] <= done],
    )
    return tensors["optimizer"] if divides else {}


def _run(session: Session, member: Member | None) -> None:
    """Train to the end of the budget, then read the validation text."""
    setup = session.setup
    if session.history.readings:
        tell(session, "going on", tuple(session.history.readings))
    if session.last_interval == session.history.last().step:
        save(session, "interval")
    followers.go_on(session)
    with after_the_step() as stop_is_asked, _kept_on_divergence(session):
        wanted, last = partial(_is_due, session), session.history.last()
        for steps in trainer.train_blocks(session.trained, session.optimizer, setup.course, last, wanted, member):
            session.history.steps += steps
            step = steps[-1]
            tell(session)
            session.writer.look()
            session.sampler.look()
            over = trainer.finished(setup.course, step)
            _look(session, step.step, over=over)
            stops = stop_is_asked() or (member is not None and member.stops())
            due = checkpoint_is_due(session)
            if due and setup.course.steps is None:
                save(session, "interval")
            if over or stops or due:
                checkpoint(session)
            followers.go_on(session, stops=stops)
            if stops:
                session.writer.settle()
                raise KeyboardInterrupt
    finish(session)


def _look(session: Session, step: int, *, over: bool) -> None:
    """Do what a step's weights are wanted for, besides a checkpoint."""
    recipe, steps = session.recipe, session.setup.course.steps
    if over or _is_due(session, step):
        session.gather()
    if step % recipe.report.interval == 0 or over:
        report(session)
    if is_noise_step(recipe, step, steps):
        measure_noise(session)
    if is_probe(session, step) and not over:
        probe(session)
    if step == session.last_interval:
        save(session, "interval")


def _is_due(session: Session, step: int) -> bool:
    """Say whether the weights after a step are wanted for more than the next step."""
    recipe, steps = session.recipe, session.setup.course.steps
    interval = recipe.report.interval
    at_interval = step % interval == 0 or step == session.last_interval
    return at_interval or is_noise_step(recipe, step, steps) or is_probe(session, step)


@contextmanager
def _kept_on_divergence(session: Session) -> Iterator[None]:
    """Write what was recorded before a loss that is no number."""
    try:
        yield
    except DiagnoseError:
        session.sampler.wait()
        if session.history.steps:
            save_records(session)
        raise


@contextmanager
def after_the_step() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C wait for the end of a step, so that nothing is lost; a second one stops at once.

    Of several processes none stops at once: the terminal and torchrun both pass on what they are told.
    """
    asked: list[int] = []

    def handle(number: int, _: object) -> None:
        if asked and processes.group() is processes.ALONE:
            raise KeyboardInterrupt
        asked.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    ends = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    heard = [number for number in ends if signal.getsignal(number) is not signal.SIG_IGN]  # `nohup` ignores one
    before = {number: signal.signal(number, handle) for number in heard}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def summary(path: Path) -> dict[str, Any]:
    """Return what `diagnose train --json` prints of a finished run.

    Raises:
        DiagnoseError: its records are missing or damaged.
    """
    with store.as_written(path):
        columns = run_tables.read_columns(path, "steps", ("step", "seconds", "tokens"))
        step, seconds, tokens = (column[-1] for column in columns.values())
        train, val = losses(path)
        return {
            "format": 1, "run": str(path), "status": store.state(path), "steps": int(step),
            "train": {"nats_per_token": train}, "val": val.model_dump(),
            "seconds": float(seconds), "tokens_per_second": float(tokens / max(seconds, 1e-9)),
        }  # fmt: skip
