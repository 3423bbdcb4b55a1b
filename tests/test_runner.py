import ctypes
import errno
import hashlib
import json
import math
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from diagnose import batches, losses, runner, session, store, trainer
from diagnose.errors import FINDING, MISTAKE, DiagnoseError
from diagnose.recipe import Recipe
from diagnose.session import load_state, probe_documents
from diagnose.setup import set_up
from diagnose.tokenizer import load as load_tokenizer
from diagnose.trainer import START, Step

QUICK = {"PROBE_BYTES": 600, "PROBES": 4}  # little text, and seldom
PRELOADED = ["pytest", "test_runner", "pyarrow.parquet", "scipy.stats", "torch._dynamo", "torch.utils.flop_counter"]
OFTEN = {"CHECKPOINT_SECONDS": -1.0, "CHECKPOINT_SHARE": math.inf}  # a checkpoint after every step
VALUES = ["loss", "nats", "tokens", "bytes", "low", "high", "documents", "text_bytes"]


@pytest.fixture(autouse=True, scope="module")
def _quick_probes():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in QUICK.items():
            patch.setattr(session, name, value)
        yield


@pytest.fixture(scope="module")
def given(tiny):
    """Return a recipe that has much to lose: dropout, accumulation, a decaying average, a sample at each print."""
    return tiny | {"batches.accumulate": 2, "batches.size": 4, "report.train": "ema", "report.sample": True}


@pytest.fixture(scope="module")
def whole(given, tmp_path_factory):
    """Return a run that nothing disturbed."""
    return runner.train("quick", given, runs=tmp_path_factory.mktemp("whole"))


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


def refusal(*args, exit_code=MISTAKE, **more):
    with pytest.raises(DiagnoseError) as caught:
        runner.train(*args, **more)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == exit_code
    return caught.value


def tensors(path, folder="checkpoint"):
    found = store.read_checkpoint(path / folder)
    assert found is not None
    return {f"{name}.{key}": value for name, part in found[0].items() for key, value in part.items()}


def assert_same(one, two):
    """Two runs left the same but for the time they took."""
    for folder in ("checkpoint", "interval"):
        a, b = tensors(one, folder), tensors(two, folder)
        assert a.keys() == b.keys()
        assert [name for name in a if not torch.equal(a[name], b[name])] == []
    for name in ("steps", "readings", "validation"):
        a, b = (store.read_table(path, name).drop(columns="seconds", errors="ignore") for path in (one, two))
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    assert store.read_samples(one) == store.read_samples(two)
    assert (one / "recipe.toml").read_bytes() == (two / "recipe.toml").read_bytes()
    assert (one / "tokenizer.json").read_bytes() == (two / "tokenizer.json").read_bytes()
    assert store.state(one) == store.state(two) == "finished"


def print_of(path):
    """Return a fingerprint of a run's final weights."""
    values = sorted(tensors(path).items())
    return hashlib.sha256(b"".join(name.encode() + value.numpy().tobytes() for name, value in values)).hexdigest()


def final_state(path, setup, folder="checkpoint"):
    """Return a run's network and optimizer as they were saved, and the step."""
    net = setup.network()
    optimizer = trainer.make_optimizer(net, setup.recipe.optimizer)
    found, state = store.read_checkpoint(path / folder)
    if found["optimizer"]:
        load_state(net, optimizer, found)
    else:
        load_state(net, None, found)
    step = Step(**{k: math.nan if v is None else v for k, v in state.items() if k != "format"})
    return net, optimizer, step


def test_a_run_leaves_all_its_files(whole):
    assert {p.name for p in whole.iterdir()} == {
        "recipe.toml", "environment.json", "tokenizer.json", "steps.parquet", "readings.parquet", "validation.parquet",
        "samples.jsonl", "checkpoint", "interval", "status.json", "lock",
    }  # fmt: skip
    assert store.read_json(whole / "status.json")["state"] == "finished"
    for folder in ("checkpoint", "interval"):
        files = {"model.safetensors", "optimizer.safetensors", "state.json"}
        assert {p.name for p in (whole / folder).iterdir()} == files
    assert not list(whole.rglob("*.part"))
    assert store.find(whole.parent / "latest") == whole
    environment = store.read_json(whole / "environment.json")
    assert environment["derived"]["steps"] == 12
    assert environment["split"]["val_documents"] == 15
    assert json.dumps(environment, allow_nan=False)


def test_steps_are_recorded_exactly(whole, given):
    steps, setup = store.read_table(whole, "steps"), set_up(Recipe.load("quick", given))
    net = setup.network()
    again = list(trainer.train_steps(net, trainer.make_optimizer(net, setup.recipe.optimizer), setup.course, START))
    assert list(steps.columns) == list(Step.__dataclass_fields__)
    for name in set(steps.columns) - {"seconds"}:
        assert steps[name].tolist() == [getattr(step, name) for step in again]  # every bit of it
    assert steps.step.tolist() == list(range(1, 13))
    assert (steps.seconds.diff()[1:] > 0).all()
    assert steps.tokens.tolist() == [8 * 32 * k for k in range(1, 13)]
    a, b = tensors(whole), net.state_dict()
    assert all(torch.equal(a[f"model.{name}"], b[name]) for name in b if f"model.{name}" in a)


def test_readings_are_what_they_say(whole, given):
    readings, steps = store.read_table(whole, "readings"), store.read_table(whole, "steps")
    setup = set_up(Recipe.load("quick", given))
    reported = readings[readings.kind == "reported"]
    assert reported.step.tolist() == [5, 5, 10, 10, 12, 12]
    logged = reported[reported.split == "train"]
    per_epoch = setup.derived["steps_per_epoch"]
    for step, loss in zip(logged.step, logged.loss, strict=True):
        assert loss == trainer.reported_training_loss(steps.loss[:step].tolist(), "ema", 5, per_epoch)
    probes = readings[readings.kind == "probe"]
    assert probes.step.tolist() == [3, 3, 6, 6, 9, 9, 12, 12]  # evenly spread, both splits
    assert set(readings["mode"][readings.kind != "reported"]) == {"eval"}
    assert readings.text_bytes.tolist() == [steps.text_bytes[step - 1] for step in readings.step]


def test_the_final_reading_is_the_canonical_one_of_the_final_weights(whole, given):
    setup = set_up(Recipe.load("quick", given))
    net, _, last = final_state(whole, setup)
    assert last.step == 12
    documents = setup.text.split.scored
    expected = losses.canonical(net, setup.text.stream, documents, setup.scored_bytes(), 32)
    readings, table = store.read_table(whole, "readings"), store.read_table(whole, "validation")
    (final,) = readings[readings.kind == "final"].to_dict("records")
    assert table.nats.tolist() == expected.nats_N.tolist()
    assert table.document.tolist() == documents.tolist()
    texts = [setup.text.corpus.text(int(d)).encode() for d in documents]
    tokenizer = load_tokenizer(whole / "tokenizer.json")
    assert table.bytes.tolist() == [len(text) for text in texts]
    assert table.tokens.tolist() == [len(tokenizer.encode(t.decode(), add_special_tokens=False).ids) + 1 for t in texts]
    assert (final["nats"], final["tokens"]) == (expected.nats_N.sum(), expected.tokens_N.sum())
    assert final["bytes"] == sum(map(len, texts))
    assert final["low"] < final["loss"] == expected.nats_per_token < final["high"]
    summary = runner.summary(whole)
    assert summary["val"]["bits_per_byte"] == expected.bits_per_byte
    assert (summary["steps"], summary["status"], summary["format"]) == (12, "finished", 1)
    last_probe = readings[(readings.kind == "probe") & (readings.split == "val")].iloc[-1]
    some = losses.canonical(net, setup.text.stream, probe_documents(setup, "val"), np.zeros(1), 32)
    assert (last_probe.step, last_probe.nats) == (12, some.nats_N.sum())


def test_the_reported_validation_loss_is_that_of_its_batch(whole, given):
    setup = set_up(Recipe.load("quick", given))
    net, _, _ = final_state(whole, setup)
    readings = store.read_table(whole, "readings")
    row = readings[(readings.kind == "reported") & (readings.split == "val")].iloc[-1]
    size = min(4, setup.validation.rows)
    batch = batches.rows(setup.validation, 2 * size, size)  # of print 2, counted from 0
    with torch.no_grad():
        logp_BTV = net.eval()(batch.inputs_BT, None).log_softmax(-1)
    nats = -logp_BTV.gather(2, batch.targets_BT[..., None]).mean().item()
    assert row.loss == pytest.approx(nats, rel=1e-5)
    assert row.tokens == size * 32


def test_prints_read_one_validation_batch_after_another(given):
    setup = set_up(Recipe.load("quick", given | {"report.val_batches": 2, "data.val_fraction": 0.3}))
    assert setup.validation.rows >= 16
    for number in range(3):
        batches_read = list(session.reported_batches(setup, number))
        assert [len(batch.inputs_BT) for batch in batches_read] == [4, 4]
        expected = batches.rows(setup.validation, 8 * number, 8)
        assert torch.equal(torch.cat([batch.inputs_BT for batch in batches_read]), expected.inputs_BT)
    whole_text = set_up(Recipe.load("quick", given | {"report.val": "full"}))
    for number in (0, 5):
        counted = [int(batch.counted_BT.sum()) for batch in session.reported_batches(whole_text, number)]
        assert sum(counted) == whole_text.validation.targets


def test_a_print_reads_validation_as_the_recipe_says(given):
    report = {"val_dropout": True, "val_objective": "training", "val_precision": "fp32", "val_mean": "batch",
              "val_loader": "padded", "val_padding": "denominator"}  # fmt: skip
    more = {"loss.label_smoothing": 0.1, "loss.weight_decay": 0.01, "run.precision": "bf16"}
    setup = set_up(Recipe.load("quick", given | more | {f"report.{k}": v for k, v in report.items()}))
    net = setup.network()
    found = session.reported_condition(setup.recipe, net)
    penalty = 0.005 * sum(float((p.detach().double() ** 2).sum()) for p in net.parameters())
    assert found.penalty == pytest.approx(penalty, rel=1e-5)
    told = (found.training, found.precision, found.label_smoothing, found.padding, found.mean)
    assert told == (True, "fp32", 0.1, "denominator", "batch")
    assert setup.validation.loader == "padded"
    plain = session.reported_condition(set_up(Recipe.load("quick", given | {"run.precision": "bf16"})).recipe, net)
    assert plain == losses.Condition(precision="bf16")


def test_samples_are_written_at_prints_and_at_the_end(whole):
    samples = store.read_samples(whole)
    assert [(s["step"], s.get("final", False)) for s in samples] == [(5, False), (10, False), (12, True)]
    prompt = store.read_json(whole / "environment.json")["sample_prompt"]
    assert all(s["prompt"] == prompt and s["text"].startswith(prompt) for s in samples)


def test_interval_is_the_state_at_the_start_of_the_last_interval(whole, given):
    setup = set_up(Recipe.load("quick", given))
    net, optimizer, step = final_state(whole, setup, "interval")
    assert step.step == 10
    rest = list(trainer.train_steps(net, optimizer, setup.course, step))
    steps = store.read_table(whole, "steps")
    assert [s.loss for s in rest] == steps.loss[10:].tolist()
    a, b = tensors(whole), net.state_dict()
    assert all(torch.equal(a[f"model.{name}"], b[name]) for name in b if f"model.{name}" in a)


@pytest.mark.parametrize(("interval", "start"), [(4, 8), (12, 0), (100, 0), (1, 11)])
def test_the_last_interval_begins_where_a_print_was_or_at_the_start(interval, start, tiny, runs, monkeypatch):
    monkeypatch.setattr(session, "PROBES", 0)
    path = runner.train("quick", tiny | {"report.interval": interval, "model.layers": 1}, runs=runs)
    state = store.read_json(path / "interval" / "state.json")
    assert state["step"] == start
    if start == 0:
        assert store.read_checkpoint(path / "interval")[0]["optimizer"] == {}


def test_the_same_recipe_or_the_runs_own_file_repeats_it(whole, given, runs):
    torch.manual_seed(11)
    before = torch.get_rng_state()
    again = runner.train("quick", given, runs=runs)
    assert torch.equal(before, torch.get_rng_state())
    from_file = runner.train(whole / "recipe.toml", runs=runs)
    assert_same(again, whole)
    assert_same(from_file, whole)
    digests = {store.read_json(path / "environment.json")["digest"] for path in (again, from_file, whole)}
    assert len(digests) == 1
    assert len(store.entries(runs)) == 2  # nothing is overwritten
    other = set_up(Recipe.load("quick", given | {"run.seed": 1}))
    assert other.digest not in digests


# What was killed ends as what was not. Each child is killed by a real SIGKILL at a moment of its own.


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def at_call(home, name, number, *, after=False, when=lambda *_: True, before_kill=lambda *_: None):
    """Let a function's nth call of a kind be the last thing that this process does."""
    function, calls = getattr(home, name), []

    def wrapped(*args, **more):
        calls.append(1) if when(*args) else None
        if len(calls) == number and not after:
            before_kill(*args)
            kill()
        out = function(*args, **more)
        if len(calls) == number:
            kill()
        return out

    setattr(home, name, wrapped)


def half_a_table(frame, path, **_):
    frame.to_csv(path)
    Path(path).write_bytes(Path(path).read_bytes()[:50])


def renamed(name):
    return lambda path, _: path.name == name


def watched(doing, step):
    return lambda progress: kill() if (progress.doing, progress.step) == (doing, step) else None


def at_watch(doing, step):
    return lambda: watched(doing, step)


def at(home, name, number, **more):
    def arrange():
        place = __import__(home, fromlist=["x"])
        *path, last = name.split(".")
        for part in path:
            place = getattr(place, part)
        at_call(place, last, number, **more)

    return arrange


# Each chain is one run, killed and resumed and killed again; calls are counted in each process anew.
CHAINS = {
    "steps and readings": {
        "before any checkpoint": at_watch("training", 1),
        "in the middle of a table": at("pandas", "DataFrame.to_parquet", 3, before_kill=half_a_table),
        "in an update": at("torch.optim", "AdamW.step", 2, after=True),
        "while probing": at_watch("probing", 6),
        "while reading for a print": at_watch("validating", 10),
        "before it is said to be finished": at(
            "diagnose.store", "write_status", 1, when=lambda _, state, *__: state == "finished"
        ),
    },
    "checkpoints": {
        "after a step": at_watch("training", 7),
        "between records and checkpoint": at("diagnose.store", "write_checkpoint", 2),
        "in the middle of the weights": at(
            "safetensors.torch", "save_file", 3, before_kill=lambda _, file: file.write_bytes(b"half")
        ),
        "while the interval is saved": at("pathlib", "Path.rename", 1, when=renamed("interval.part")),
        "in the last records": at("diagnose.store", "write_samples", 4),
    },
    "renames": {
        "between the two renames": at("pathlib", "Path.rename", 3, when=renamed("checkpoint.part")),
        "between them once more": at("pathlib", "Path.rename", 1, when=renamed("checkpoint.part")),
        "before the old one goes": at("pathlib", "Path.rename", 2, when=renamed("checkpoint.part"), after=True),
        "while the whole validation text is read": at_watch("reading the validation text", 12),
    },
}
MOMENTS = {name: arrange for chain in CHAINS.values() for name, arrange in chain.items()}


def train_in_a_child(given, runs, moment, resume, pause):
    """Train in a process of its own, with a checkpoint after every step, and be killed at a moment."""
    vars(session).update(QUICK | OFTEN)
    watch = (MOMENTS[moment]() if moment else None) or (lambda _: time.sleep(pause))
    runner.train("quick", given, runs=runs, resume=resume, watch=watch)


@pytest.fixture(scope="module")
def child():
    """Return a function that starts `train_in_a_child`; torch is imported once for all children."""
    if sys.platform == "win32":
        pytest.skip("needs POSIX signals")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)

    def start(given, runs, moment=None, *, resume=False, pause=0.0):
        process = context.Process(target=train_in_a_child, args=(given, runs, moment, resume, pause), daemon=True)
        process.start()
        return process

    return start


def killed(process):
    process.join(120)
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("chain", CHAINS)
def test_what_was_killed_ends_in_the_very_same_weights(chain, child, whole, given, runs):
    for moment in CHAINS[chain]:
        killed(child(given, runs, moment, resume=True))
        (path,) = store.entries(runs)
        assert store.state(path) == "interrupted"
    assert runner.train("quick", given, runs=runs, resume=True) == path
    assert_same(path, whole)


def test_what_was_killed_from_outside_at_no_moment_of_its_own_too(child, whole, given, runs):
    process = child(given, runs, pause=0.03)
    while process.is_alive() and not list(runs.glob("*/checkpoint")):
        time.sleep(0.005)
    time.sleep(0.1)
    process.kill()
    killed(process)
    (path,) = store.entries(runs)
    assert runner.train("quick", given, runs=runs, resume=True) == path
    assert_same(path, whole)


@pytest.mark.parametrize(
    "other",
    [
        {"batches.loader": "padded", "model.name": "lstm", "model.heads": None, "report.train": "epoch"},
        {"batches.loader": "windows", "batches.order": "random", "data.split": "windows", "run.precision": "bf16"},
    ],
    ids=["padded lstm", "split windows in bf16"],
)
def test_other_networks_and_loaders_resume_too(other, child, given, runs, tmp_path):
    given = given | {"budget.steps": 8, "model.layers": 1} | other
    killed(child(given, runs, "after a step"))
    path = runner.train("quick", given, runs=runs, resume=True)
    assert store.entries(runs) == [path]
    assert_same(path, runner.train("quick", given, runs=tmp_path / "other"))


# Interruptions.


def signalled(number, times=1):
    def watch(progress):
        if (progress.doing, progress.step) == ("training", 6):
            for _ in range(times):
                signal.raise_signal(number)

    return watch


@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGINT, 2)])
def test_ctrl_c_leaves_a_run_that_goes_on(number, times, whole, given, runs):
    before = signal.getsignal(number)
    error = refusal("quick", given, runs=runs, watch=signalled(number, times), exit_code=130)
    assert signal.getsignal(number) is before
    (path,) = store.entries(runs)
    assert str(path) in str(error)
    assert "--resume" in str(error)
    assert store.read_json(path / "status.json") == {"format": 1, "state": "interrupted", "why": "stopped by the user"}
    assert not (runs / "latest").exists()
    if times == 1:  # the step was taken to its end and kept
        assert store.read_json(path / "checkpoint" / "state.json")["step"] == 6
        assert len(store.read_table(path, "steps")) == 6
    steps = []
    assert runner.train("quick", given, runs=runs, resume=True, watch=lambda p: steps.append(p.step)) == path
    assert steps[0] == (7 if times == 1 else 1)
    assert_same(path, whole)


@pytest.mark.parametrize("doing", ["validating", "reading the validation text"])
def test_ctrl_c_while_reading_leaves_a_run_that_goes_on(doing, whole, given, runs):
    def watch(progress):
        if progress.doing == doing and progress.step >= 6:
            signal.raise_signal(signal.SIGINT)

    refusal("quick", given, runs=runs, watch=watch, exit_code=130)
    path = runner.train("quick", given, runs=runs, resume=True)
    assert len(store.entries(runs)) == 1
    assert_same(path, whole)


# Which run is resumed.


def stopped(given, runs):
    with pytest.raises(DiagnoseError):
        runner.train("quick", given, runs=runs, watch=signalled(signal.SIGINT))
    return store.entries(runs)[-1]


@pytest.fixture(scope="module")
def plain(tiny):
    return tiny | {"model.layers": 1, "budget.steps": 7}


def test_resume_goes_on_with_the_newest_unfinished_run_of_the_same_recipe(plain, runs):
    first = runner.train("quick", plain, runs=runs, resume=True)  # none is there: one is begun
    assert store.state(first) == "finished"
    old, new = stopped(plain, runs), stopped(plain, runs)
    other = stopped(plain | {"run.seed": 1}, runs)
    assert len({first, old, new, other}) == 4
    with store.locked(new):  # another process is at it
        store.write_status(new, "running")
        assert runner.train("quick", plain, runs=runs, resume=True) == old
    assert runner.train("quick", plain, runs=runs, resume=True) == new
    begun = runner.train("quick", plain, runs=runs, resume=True)  # none is left
    assert begun not in {first, old, new, other}
    assert store.state(other) == "interrupted"
    assert runner.newest_finished(runs, set_up(Recipe.load("quick", plain)).digest) == begun


def test_damage_to_one_run_is_told_when_that_run_is_wanted_and_never_else(plain, runs):
    path = stopped(plain, runs)
    other = shutil.copytree(path, runs / "20000101-000000-other")
    (other / "environment.json").write_text('{"format": 1, "digest": "another"}')
    (other / "status.json").write_text("{")
    (path / "checkpoint" / "model.safetensors").write_bytes(b"x" * 100)
    error = refusal("quick", plain, runs=runs, resume=True)
    assert "checkpoint" in str(error)
    assert "is damaged" in str(error)


def test_damage_to_a_run_of_another_recipe_stops_nobody(plain, runs):
    path = stopped(plain, runs)
    other = shutil.copytree(path, runs / "99990101-000000-other")
    (other / "environment.json").write_text('{"format": 1, "digest": "another"}')
    (other / "status.json").write_text("{")
    assert runner.train("quick", plain, runs=runs, resume=True) == path


def test_a_recipe_object_is_held_to_the_same_rules(plain, runs):
    recipe = Recipe.load("quick", plain)
    assert "loss.padding would have no effect" in str(refusal(recipe, {"loss.padding": "target"}, runs=runs))


# Disks.


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(("writer", "since"), [("write_table", 9), ("write_checkpoint", 1), ("write_samples", 12)])
def test_a_full_disk_fails_the_run_and_it_goes_on_with_room(writer, since, whole, given, runs, monkeypatch):
    steps = []
    with monkeypatch.context() as patch:
        for name, value in OFTEN.items():
            patch.setattr(session, name, value)
        write = getattr(store, writer)
        patch.setattr(store, writer, lambda *a: full() if steps and steps[-1] >= since else write(*a))
        error = refusal("quick", given, runs=runs, watch=lambda p: steps.append(p.step), exit_code=FINDING)
    (path,) = store.entries(runs)
    assert "the disk is full (ENOSPC): make room" in str(error)
    assert "--resume" in str(error)
    status = store.read_json(path / "status.json")
    assert (status["state"], status["why"]) == ("failed", "the disk is full (ENOSPC): make room")
    assert runner.train("quick", given, runs=runs, resume=True) == path
    assert_same(path, whole)


def test_a_disk_without_room_for_the_first_note_is_one_line(plain, runs, monkeypatch):
    write, calls = store.write_status, []

    def second_fails(*args):
        calls.append(args[1])
        full() if len(calls) == 2 else write(*args)

    monkeypatch.setattr(store, "write_status", second_fails)
    assert "the disk is full (ENOSPC): make room" in str(refusal("quick", plain, runs=runs, exit_code=FINDING))


def on_small_disks(given, disk, sizes, found):
    """Train on file systems that are too small, then on larger ones; tell what came of it."""
    vars(session).update(QUICK | OFTEN)
    try:
        if ctypes.CDLL(None).unshare(0x00020000):  # CLONE_NEWNS: what is mounted here is seen nowhere else
            raise PermissionError
        subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, check=True)
        for size in sizes:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "x", disk], capture_output=True, check=True)
            found.put((size, *on_a_small_disk(given, disk)))
    except (OSError, subprocess.SubprocessError):
        found.put(None)


def on_a_small_disk(given, disk):
    try:
        runner.train("quick", given, runs=disk / "runs")
    except DiagnoseError as error:
        said = str(error)
    why = [store.read_json(path / "status.json")["why"] for path in store.entries(disk / "runs")]
    subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
    path = runner.train("quick", given, runs=disk / "runs", resume=True)
    return said, why, len(store.entries(disk / "runs")), print_of(path)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts a file system of Linux's")
def test_a_disk_that_is_really_full(plain, tmp_path):
    whole = runner.train("quick", plain, runs=tmp_path / "whole")
    sizes = [4, 32, 400]  # for the lead: 16, where `tokenizer.save` raises a bare Exception
    context = multiprocessing.get_context("forkserver")
    found = context.Queue()
    process = context.Process(target=on_small_disks, args=(plain, tmp_path, sizes, found), daemon=True)
    process.start()
    for size in sizes:
        got = found.get(timeout=100)
        if got is None:
            pytest.skip("mounting is not permitted here")
        assert (got[0], got[3], got[4]) == (size, 1, print_of(whole))
        if size == 4:  # not even room to begin: nothing is left
            assert "cannot be written: No space left on device; make room" in got[1]
            assert got[2] == []
        else:
            assert "the disk is full (ENOSPC): make room" in got[1]
            assert [why.startswith("the disk is full") for why in got[2]] == [True]
    process.join(10)


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_an_output_folder_that_cannot_be_written_is_refused(place, plain, tmp_path):
    (tmp_path / "file").write_text("")
    error = refusal("quick", plain, runs=tmp_path / place)
    assert "cannot be written" in str(error)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


# Divergence, and networks that cannot be measured.


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_diverging_run_stops_and_keeps_its_records(schedule, plain, runs):
    given = plain | {
        "optimizer.lr": 1e30,
        "optimizer.clip": 0.0,
        "optimizer.warmup": 0.5,
        "optimizer.schedule": schedule,
    }
    error = refusal("quick", given, runs=runs, exit_code=FINDING)
    (path,) = store.entries(runs)
    assert error.diverged
    assert error.run == path.name
    assert "at step 2 " in str(error)
    assert str(path) in str(error)
    status = store.read_json(path / "status.json")
    assert status["state"] == "failed"
    assert "at step 2 " in status["why"]
    steps = store.read_table(path, "steps")
    assert steps.step.tolist() == [1]
    assert np.isfinite(steps.loss).all()
    assert not (runs / "latest").exists()
    again = refusal("quick", given, runs=runs, resume=True, exit_code=FINDING)
    assert again.run == path.name


NETWORKS = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, vocab, out=None):
        super().__init__()
        self.e, self.h = nn.Embedding(vocab, 8), nn.Linear(8, out or vocab)
    def forward(self, tokens, segments=None):
        return self.h(self.e(tokens))

class Peeks(Net):
    def forward(self, tokens, segments=None):
        x = self.e(tokens)
        return self.h(torch.cat([x[:, 1:], x[:, -1:]], 1))

class Mixes(Net):
    def forward(self, tokens, segments=None):
        return self.h(self.e(tokens).cumsum(1))

class Raises(Net):
    def forward(self, tokens, segments=None):
        raise IndexError("out of something")

class Broken(Net):
    def forward(self, tokens, segments=None):
        return super().forward(tokens) * float("nan")

def good(vocab_size, context): return Net(vocab_size)
def peeks(vocab_size, context): return Peeks(vocab_size)
def raises(vocab_size, context): return Raises(vocab_size)
def broken(vocab_size, context): return Broken(vocab_size)
def narrow(vocab_size, context): return Net(vocab_size, vocab_size - 1)
def fails(vocab_size, context): raise RuntimeError("cannot be\\nbuilt")
def none(vocab_size, context): return None
def dead(vocab_size, context):
    net = Net(vocab_size)
    for p in net.parameters(): p.requires_grad_(False)
    return net
def mixes(vocab_size, context): return Mixes(vocab_size)
number = 3
"""


@pytest.fixture(scope="module")
def strangers(plain, tmp_path_factory):
    path = tmp_path_factory.mktemp("strangers") / "net.py"
    path.write_text(NETWORKS)
    given = {key: value for key, value in plain.items() if not key.startswith("model.")}
    return lambda name: given | {"model.name": f"{path}:{name}"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("peeks", "lets the future through: its output at position 0 changes with tokens from position 1 on"),
        ("raises", "out of something"), ("broken", "NaN or infinite logits"), ("narrow", "logits of shape"),
        ("fails", "cannot be built"), ("none", "NoneType"), ("dead", "no parameters"), ("number", "not a function"),
        ("nowhere", "has no 'nowhere'"),
    ],
)  # fmt: skip
def test_a_network_that_cannot_be_measured_is_refused_before_anything_is_written(name, words, strangers, runs):
    error = refusal("quick", strangers(name), runs=runs)
    assert words in str(error)
    assert not runs.exists()


def test_a_network_that_ignores_document_masks_is_refused_where_they_are_asked_for(strangers, runs):
    assert runner.train("quick", strangers("mixes"), runs=runs)  # without masks all is well
    error = refusal("quick", strangers("mixes") | {"batches.mask": "document"}, runs=runs)
    assert "lets a segment see another" in str(error)
    assert len(store.entries(runs)) == 1


def test_a_strangers_network_is_trained_and_told_from_its_next_version(strangers, runs):
    path = runner.train("quick", strangers("good"), runs=runs)
    assert store.state(path) == "finished"
    setup = set_up(store.recipe_of(path))
    assert setup.digest == store.read_json(path / "environment.json")["digest"]
    file = Path(strangers("good")["model.name"].rpartition(":")[0])
    before = file.read_text()
    file.write_text(before.replace("nn.Embedding(vocab, 8), nn.Linear(8,", "nn.Embedding(vocab, 9), nn.Linear(9,"))
    try:
        assert set_up(store.recipe_of(path)).digest != setup.digest
    finally:
        file.write_text(before)


def test_a_budget_in_seconds_ends_by_the_clock_and_is_kept(plain, runs):
    given = {k: v for k, v in plain.items() if k != "budget.steps"} | {"budget.seconds": 0.2}
    path = runner.train("quick", given, runs=runs)
    steps = store.read_table(path, "steps")
    assert steps.seconds.iloc[-1] >= 0.2
    assert (steps.seconds.iloc[:-1] < 0.2).all()
    assert store.read_json(path / "checkpoint" / "state.json")["step"] == len(steps)
