"""Samples written beside the training of a (pretended) card: the run is what it would be, and no error is lost."""

import os
import signal
import threading
import time

import plain_kernels
import pytest
import torch
from pretend_cuda import pretended
from run_fixture import OFTEN, QUICK, assert_same, processes, quickly, refusal, stopped

from diagnose.engines import memory
from diagnose.errors import FINDING
from diagnose.runs import probes, run_tables, runner, session, store
from diagnose.training import device, linear_cross_entropy, sampling, stack, switches, trainer
from diagnose.training.preparation import set_up

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module", autouse=True)
def _short():
    """Have samples be short: a pretended card is slow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sampling.generate.__kwdefaults__, "most_bytes", 30)
        yield


@pytest.fixture(scope="module")
def given(tiny):
    """Return overrides of a run on a card that writes four samples, with dropout."""
    more = {"model.layers": 1, "model.width": 16, "budget.steps": 8, "report.interval": 2, "batches.context": 16}
    card = {"run.device": "cuda", "run.precision": "bf16", "run.compile": "off"}
    return tiny | more | card | {"report.sample": True, "batches.mask": "document"}


@pytest.fixture
def written(monkeypatch):
    """Return by which threads samples were begun, and whether they were to touch nothing of the process."""
    found, generate = [], sampling.generate

    def noted(*args, **more):
        found.append((threading.current_thread() is threading.main_thread(), more["alone"]))
        return generate(*args, **more)

    monkeypatch.setattr(sampling, "generate", noted)
    return found


@pytest.fixture(scope="module")
def at_once(given, tmp_path_factory):
    """Return a run whose samples were written by the training itself."""
    with quickly(), pretended(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "samples_beside", lambda *_: False)
        return runner.train("quick", given, runs=tmp_path_factory.mktemp("at_once"))


def lines(path):
    return (path / "samples.jsonl").read_bytes()


def slowly(monkeypatch, seconds):
    """Have each token of a sample take a while, so that steps are taken meanwhile."""
    draw = sampling._draw
    monkeypatch.setattr(sampling, "_draw", lambda *given: (time.sleep(seconds), draw(*given))[1])


def test_the_run_is_what_it_is_with_samples_written_at_once(given, at_once, written, tmp_path, monkeypatch):
    slowly(monkeypatch, 0.02)
    with quickly(), pretended():
        path = runner.train("quick", given, runs=tmp_path)
    assert written == [(False, True)] * 3 + [(True, False)]
    assert_same(path, at_once)
    assert lines(path) == lines(at_once)
    assert [(s["step"], s.get("final", False)) for s in store.read_samples(path)] == [
        (2, False), (4, False), (6, False), (8, True),
    ]  # fmt: skip


def test_on_a_cpu_the_same_samples_are_written_at_once(given, written, tmp_path):
    """In fp32 without dropout, where the pretended card takes the CPU's steps bit for bit."""
    loops = device.fused_loops()
    plain = given | {"run.precision": "fp32", "model.dropout": 0.0}
    with quickly(), pytest.MonkeyPatch.context() as patch:
        if loops is not None:
            patch.setattr(device, "fused_loops", lambda: None)
            loops.use(wanted=False)
        with pretended():
            there = runner.train("quick", plain, runs=tmp_path)
        here = runner.train("quick", plain | {"run.device": "cpu"}, runs=tmp_path)
    assert written == [(False, True)] * 3 + [(True, False)] * 5
    assert lines(here) == lines(there)


def test_the_training_goes_on_while_a_sample_is_written(given, at_once, tmp_path, monkeypatch):
    opened, steps, generate = threading.Event(), [], sampling.generate

    def later(*args, **more):
        assert opened.wait(60)
        return generate(*args, **more)

    def watch(progress):
        steps.append((progress.doing, progress.step))
        if steps[-1] == ("training", 4):  # the step at which the next one is due
            opened.set()

    monkeypatch.setattr(sampling, "generate", later)
    with quickly(), pretended():
        assert_same(runner.train("quick", given, runs=tmp_path, watch=watch), at_once)


def test_the_next_one_and_the_end_wait_for_the_last(given, at_once, tmp_path, monkeypatch):
    """And so do records: each checkpoint comes with all samples up to its step."""
    slowly(monkeypatch, 0.02)
    kept, save = [], session.save_records

    def noted(found):
        kept.append((found.history.last().step, [s["step"] for s in found.history.samples]))
        save(found)

    monkeypatch.setattr(session, "save_records", noted)
    for name, value in OFTEN.items():
        monkeypatch.setattr(session, name, value)
    with quickly(), pretended():
        assert_same(runner.train("quick", given, runs=tmp_path), at_once)
    assert kept[0] == (2, [2])
    assert kept[-2:] == [(8, [2, 4, 6]), (8, [2, 4, 6, 8])]
    assert all(steps == [2, 4, 6][: step // 2] for step, steps in kept[:-1])


def test_a_sample_under_way_has_as_long_again_before_a_checkpoint_waits_for_it(monkeypatch):
    found = session.Session(None, None, "", None, None, None, None)
    since = [0.0]
    monkeypatch.setattr(session.time, "monotonic", lambda: found.saved_at + since[0])
    opened = threading.Event()
    for waited, free, beside in ((4.9, False, False), (5.1, True, False), (9.9, True, False), (10.1, True, True)):
        since[0] = waited
        assert session.checkpoint_is_due(found) is free
        found.sampler.begin(opened.wait)
        assert session.checkpoint_is_due(found) is beside
        opened.set()
        found.sampler.settle()
        opened.clear()


def test_a_run_that_is_stopped_goes_on_to_the_same_samples(given, at_once, tmp_path, monkeypatch):
    slowly(monkeypatch, 0.02)
    with quickly(), pretended():
        left = stopped(given, tmp_path)
        assert store.read_samples(left)[-1]["step"] == 6
        assert runner.train("quick", given, runs=tmp_path, resume=True) == left
    assert_same(left, at_once)
    assert lines(left) == lines(at_once)


def killed_while_writing(given, runs, number):
    """Train on a card, with a checkpoint after every look, and be killed in the middle of a sample."""
    vars(session).update(OFTEN)
    vars(probes).update(QUICK)
    sampling.generate.__kwdefaults__["most_bytes"] = 30
    draw, begun = sampling._draw, []

    def killing(*args):
        begun.append(threading.current_thread())
        if len(set(begun)) == number and begun.count(begun[-1]) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return draw(*args)

    sampling._draw = killing
    with pretended():
        runner.train("quick", given, runs=runs, resume=True)


def test_a_run_that_is_killed_while_it_writes_goes_on_to_the_same_samples(given, at_once, tmp_path):
    context = processes()
    for number in (2, 1, 2):
        process = context.Process(target=killed_while_writing, args=(given, tmp_path, number), daemon=True)
        process.start()
        process.join(120)
        assert process.exitcode == -signal.SIGKILL
    with quickly(), pretended():
        path = runner.train("quick", given, runs=tmp_path, resume=True)
    assert store.entries(tmp_path) == [path]
    assert_same(path, at_once)
    assert lines(path) == lines(at_once)


ERRORS = {
    "its own": (RuntimeError("no\nluck"), "the network fails as it writes a sample after step 2: RuntimeError: no"),
    "memory": (device.OUT_OF_MEMORY("Tried to allocate 2.00 GiB"), "memory ran out (tried to allocate 2.00 GiB)"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_of_the_thread_ends_the_run_in_a_line_and_it_goes_on(kind, given, at_once, tmp_path):
    error, said = ERRORS[kind]

    def failing(*_):
        raise error

    with quickly(), pretended():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sampling, "_draw", failing)
            found = refusal("quick", given, runs=tmp_path, exit_code=FINDING if kind == "memory" else 2)
        (path,) = store.entries(tmp_path)
        assert str(found).startswith(said)
        assert store.read_json(path / "status.json")["state"] == "failed"
        runner.train("quick", given, runs=tmp_path, resume=True)
    assert_same(path, at_once)


def test_such_an_error_is_raised_after_the_next_steps(given, tmp_path, monkeypatch):
    failed = []

    def failing(*_):
        failed.append(threading.current_thread())
        raise RuntimeError("no luck")

    def watch(progress):
        if progress.doing == "training" and progress.step == 5:
            failed[0].join(20)

    monkeypatch.setattr(sampling, "_draw", failing)
    monkeypatch.setattr(trainer, "FETCHED", 1)
    with quickly(), pretended():
        found = refusal("quick", given | {"report.interval": 4}, runs=tmp_path, watch=watch)
    assert "after step 4: RuntimeError: no luck" in str(found)
    (path,) = store.entries(tmp_path)
    assert len(run_tables.read_table(path, "steps")) == 5


def test_no_thread_is_left_behind_by_another_error(given, tmp_path, monkeypatch):
    writing, draw = [], sampling._draw

    def noted(*args):
        writing.append(threading.current_thread())
        time.sleep(0.2)
        return draw(*args)

    def watch(progress):
        if writing and progress.step == 4:
            raise ValueError("of somebody else's")

    monkeypatch.setattr(sampling, "_draw", noted)
    with quickly(), pretended(), pytest.raises(ValueError, match="of somebody else's"):
        runner.train("quick", given, runs=tmp_path, watch=watch)
    assert writing
    assert not any(thread.is_alive() for thread in writing)


def test_a_loss_that_is_no_number_leaves_what_was_being_written(given, tmp_path, monkeypatch):
    slowly(monkeypatch, 0.02)
    is_finite = trainer._is_finite
    monkeypatch.setattr(trainer, "_is_finite", lambda step: step.step < 4 and is_finite(step))
    with quickly(), pretended():
        refusal("quick", given, runs=tmp_path, exit_code=FINDING)
    (path,) = store.entries(tmp_path)
    assert [s["step"] for s in store.read_samples(path)] == [2]


def test_a_compiled_run_has_its_samples_written_by_a_network_that_is_not(given, written, tmp_path, monkeypatch):
    """Fused, with its kernels in plain torch; what is compiled notes by whom it was called."""
    callers = set()

    def compiled(f, **_):
        def call(*args, **more):
            callers.add(threading.current_thread() is threading.main_thread())
            return f(*args, **more)

        return call

    monkeypatch.setattr(linear_cross_entropy, "_kernels", lambda: plain_kernels)
    monkeypatch.setattr(torch, "compile", compiled)
    with quickly(), pretended():
        beside = runner.train("quick", given | {"run.compile": "fused"}, runs=tmp_path / "beside")
        assert written == [(False, True)] * 3 + [(True, False)]
        monkeypatch.setattr(device, "samples_beside", lambda *_: False)
        at_once = runner.train("quick", given | {"run.compile": "fused"}, runs=tmp_path / "at_once")
    assert callers == {True}
    assert_same(beside, at_once)


def test_the_second_network_counts_in_the_memory_that_a_run_is_predicted_to_take(given):
    with pretended():
        setups = [set_up(runner.Recipe.load("quick", given | {"report.sample": wanted})) for wanted in (True, False)]
        more, less = map(memory.needed, setups)
    assert more - less == 4 * setups[0].derived.parameters


def test_stacked_seeds_write_the_same_beside_one_another(given, written, tmp_path, monkeypatch):
    slowly(monkeypatch, 0.02)
    plain = given | {"model.dropout": 0.0, "run.precision": "fp32"}

    def samples(folder):
        setups = [set_up(runner.Recipe.load("quick", plain | {"run.seed": seed})) for seed in (0, 1)]
        works = {
            place: lambda member, setup=setup: runner.carry_out(setup, runs=folder, member=member)
            for place, setup in enumerate(setups)
        }
        stack.SeedStack((0, 1)).carry_out(works)
        return sorted(map(lines, store.entries(folder)))

    with quickly(), pretended(), switches.restored():  # as the engine of stacks has it
        beside = samples(tmp_path / "beside")
        assert sorted(written) == [(False, False)] * 2 + [(False, True)] * 6  # a stack's runs are threads, too
        monkeypatch.setattr(device, "samples_beside", lambda *_: False)
        assert samples(tmp_path / "at_once") == beside
    assert len(set(beside)) == 2
