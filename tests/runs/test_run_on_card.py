"""A run on a pretended CUDA device: trained, stopped, gone on with, accounted for, and read where there is none."""

import errno
import shutil
import threading
import time
from itertools import pairwise

import plain_kernels
import pytest
import torch
from pretend_cuda import pretended
from run_fixture import OFTEN, assert_same, quickly, refusal, stopped, tensors

from diagnose import loss_gap
from diagnose.audit.run_audit import audit_run
from diagnose.errors import FINDING
from diagnose.gap.run import run, run_replay
from diagnose.report.page import render_own
from diagnose.runs import checkpoints, inventory, run_tables, runner, session, store
from diagnose.runs.opened import open_run
from diagnose.training import linear_cross_entropy, step_clock, trainer


@pytest.fixture(scope="module")
def given(tiny):
    """Return overrides of a run on a card: document masks, two parts a step, bfloat16."""
    more = {"model.layers": 1, "model.width": 16, "budget.steps": 8, "report.interval": 4, "batches.context": 16}
    card = {"run.device": "cuda", "run.precision": "bf16", "run.compile": "off"}
    return tiny | more | card | {"batches.mask": "document", "batches.accumulate": 2}


@pytest.fixture(scope="module")
def trained(given, tmp_path_factory):
    """Return a run that was trained on a card, and one that was stopped there and went on."""
    whole, parted = (tmp_path_factory.mktemp(name) for name in ("whole", "parted"))
    with quickly(), pretended(), pytest.MonkeyPatch.context() as patch:
        one = runner.train("quick", given, runs=whole)
        patch.setattr(trainer, "FETCHED", 2)  # so that there is a moment to stop at
        left = stopped(given, parted)
        done = len(run_tables.read_table(left, "steps"))
        two = runner.train("quick", given, runs=parted, resume=True)
        assert not torch.are_deterministic_algorithms_enabled()  # the caller's own code comes after a run
    assert (left, done) == (two, 6)
    return one, two


def test_a_run_that_was_stopped_on_a_card_ends_as_if_it_had_not_been(trained):
    assert_same(*trained)


def test_the_record_says_which_device(trained):
    environment = store.environment(trained[0])
    assert environment.device == "Pretended (9.0, 80 GB)"
    assert store.recipe_of(trained[0]).run.device == "cuda"
    assert all(t.device.type == "cpu" for t in tensors(trained[0]).values())


def test_the_ledger_trains_the_last_interval_again_bit_for_bit(trained):
    with pretended():
        found = loss_gap(trained[0], budget="600 tokens", verify=True)
        again = run_replay.verify(run.open_finished(trained[0]))
    assert (again.differing, again.largest, again.weights) == (0, 0.0, True)
    assert found["notes"] == [] or not any("lacks" in note for note in found["notes"])


def test_the_device_is_read_on_a_machine_without_it(trained):
    path = trained[0]
    opened = open_run(path)
    assert (opened.moved, opened.recipe.run.device, opened.recipe.run.precision) == ("cuda", "cpu", "bf16")
    found = loss_gap(path, budget="600 tokens")
    assert any("trained on cuda, which this machine lacks" in note for note in found["notes"])
    assert sum(term["value"] or 0 for term in found["terms"]) == pytest.approx(found["gap"])
    assert audit_run(path).exit_code in (0, 1)
    assert len(inventory.samples(str(path), "In the", 2, most_bytes=20, temperature=1.0, seed=0)) == 2
    notes = loss_gap(path, budget="600 tokens", verify=True)["notes"]
    assert any(note.startswith("--verify: only on cuda, where the run was trained") for note in notes)


@pytest.mark.parametrize(
    "more",
    [
        {"model.name": "lstm", "run.precision": "bf16", "batches.mask": "document", "report.noise_scale": True},
        {"report.noise_scale": True, "report.val_dropout": True, "loss.weight_decay": 0.01, "batches.loader": "padded"},
    ],
)
def test_whatever_else_a_run_does_has_a_deterministic_kernel_and_stays_on_its_device(
    more, given, tmp_path, monkeypatch
):
    monkeypatch.setattr(torch.backends.cudnn, "is_acceptable", lambda _: False)
    others = {key: value for key, value in given.items() if key not in ("batches.mask", "run.precision", "model.heads")}
    with quickly(), pretended():
        path = runner.train("quick", others | more, runs=tmp_path)
        if "model.name" not in more:  # a pretended device cannot load weights into torch's recurrent layers
            assert loss_gap(path, budget="600 tokens", verify=True)["verified"]["weights"]
    assert (path / "noise.json").exists()


def test_a_page_of_such_a_run_needs_no_device(trained, tmp_path):
    page = render_own(trained[0], tmp_path)
    assert "Pretended (9.0, 80 GB)" in page.read_text(encoding="utf-8")


def test_another_card_of_the_kind_reads_what_one_with_a_number_trained(trained):
    recipe = trained[0] / "recipe.toml"
    kept = recipe.read_text(encoding="utf-8")
    try:
        recipe.write_text(kept.replace('device = "cuda"', 'device = "cuda:3"'), encoding="utf-8")
        with pretended():
            opened = open_run(trained[0])
        assert (opened.moved, opened.recipe.run.device) == ("cuda:3", "cuda")
    finally:
        recipe.write_text(kept, encoding="utf-8")


def test_what_a_card_has_begun_is_not_begun_anew_elsewhere_without_being_told(given, trained, tmp_path):
    left = shutil.copytree(trained[1], tmp_path / trained[1].name)
    store.write_status(left, "interrupted", "stopped by the user")
    elsewhere = {k: v for k, v in given.items() if k not in ("run.device", "run.precision")}
    error = refusal("quick", elsewhere, runs=tmp_path, resume=True)
    assert str(error).startswith(f"{left} was begun on cuda, which this machine lacks")
    with quickly():
        path = runner.train("quick", elsewhere | {"run.device": "cpu"}, runs=tmp_path, resume=True)
    assert path != left
    assert store.state(path) == "finished"


def test_a_disk_that_fills_beside_the_training_fails_the_run_and_it_goes_on_with_room(given, trained, tmp_path):
    begun, write = [], checkpoints.write_checkpoint

    def second_fails(*args):
        begun.append(threading.current_thread() is threading.main_thread())
        if len(begun) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(*args)

    with quickly(), pretended():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(trainer, "FETCHED", 2)
            patch.setattr(checkpoints, "write_checkpoint", second_fails)
            for name, value in OFTEN.items():
                patch.setattr(session, name, value)
            error = refusal("quick", given, runs=tmp_path, exit_code=FINDING)
        (path,) = store.entries(tmp_path)
        assert "the disk is full (ENOSPC): make room" in str(error)
        assert store.read_json(path / "status.json")["state"] == "failed"
        assert runner.train("quick", given, runs=tmp_path, resume=True) == path
    assert begun == [False, False]
    assert_same(path, trained[0])


def test_a_fused_run_resumes_and_repeats_bit_for_bit_and_is_read_elsewhere(given, tmp_path, monkeypatch):
    """With the kernels in plain torch, for none runs here; what is compiled stays as it is written."""
    monkeypatch.setattr(linear_cross_entropy, "_kernels", lambda: plain_kernels)
    monkeypatch.setattr(torch, "compile", lambda f, **_: f)
    fused = given | {"run.compile": "fused"}
    for kernel in (plain_kernels.losses, plain_kernels.gradient_of_weight):
        kernel.programs.clear()
    with quickly(), pretended():
        one = runner.train("quick", fused, runs=tmp_path / "whole")
        steps = len(run_tables.read_table(one, "steps"))
        assert len(plain_kernels.losses.programs) == len(plain_kernels.gradient_of_weight.programs) == 2 * steps
        monkeypatch.setattr(trainer, "FETCHED", 2)
        stopped(fused, tmp_path / "parted")
        two = runner.train("quick", fused, runs=tmp_path / "parted", resume=True)
        found = loss_gap(one, budget="600 tokens", verify=True)
    assert_same(one, two)
    assert (found["verified"]["differing"], found["verified"]["weights"]) == (0, True)
    elsewhere = loss_gap(one, budget="600 tokens")
    assert elsewhere["gap"] == pytest.approx(found["gap"])
    assert any("trained on cuda, which this machine lacks" in note for note in elsewhere["notes"])


def test_a_budget_in_seconds_leaves_checkpoints_on_its_way(given, tmp_path, monkeypatch):
    """Each comes with the interval's, which is still being written when it is asked for."""
    folders, write = [], checkpoints.write_checkpoint

    def noted(folder, *args):
        folders.append(folder.name)
        time.sleep(0.05)
        write(folder, *args)

    monkeypatch.setattr(step_clock.StepClock, "seconds", lambda clock: [0.1] * clock.steps)
    monkeypatch.setattr(checkpoints, "write_checkpoint", noted)
    for name, value in OFTEN.items():
        monkeypatch.setattr(session, name, value)
    timed = {key: value for key, value in given.items() if key != "budget.steps"} | {"budget.seconds": 1.95}
    with quickly(), pretended():
        runner.train("quick", timed, runs=tmp_path)
    assert "interval" in folders
    assert ("interval", "interval") not in pairwise(folders)
