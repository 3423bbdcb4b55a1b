"""One run trained by two processes, as torchrun starts them: the steps of one process that goes through both shares."""

import os
import signal

import pandas as pd
import pytest
import torch
from command_fixture import begun
from run_fixture import assert_same, free_port, refusal, tensors

from diagnose.baselines import run_baselines
from diagnose.config.recipe import Recipe
from diagnose.errors import DiagnoseError
from diagnose.gap.run import run, run_replay
from diagnose.runs import run_tables, runner, store
from diagnose.training import processes

LIMIT = 120  # seconds


@pytest.fixture(scope="module")
def given(tiny):
    """Return overrides of a run without dropout: masks of two shares are others than those of the whole."""
    return tiny | {"model.layers": 1, "model.width": 16, "model.dropout": 0.0, "batches.accumulate": 2}


def start(folder, given, *more, count=2):
    """Start the processes of a group as torchrun does."""
    folder.mkdir(exist_ok=True)
    sets = [f"--set={key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in given.items()]
    group = {"MASTER_ADDR": "127.0.0.1", "WORLD_SIZE": str(count), "MASTER_PORT": free_port()}
    return [
        begun(folder, "train", "--json", *sets, *more, **group, RANK=str(rank), LOCAL_RANK=str(rank))
        for rank in range(count)
    ]


def ended(group):
    """Wait for processes and return each one's exit code, output and lines on standard error."""
    told = [process.communicate(timeout=LIMIT) for process in group]
    return [
        (process.returncode, out, err.strip().splitlines()) for process, (out, err) in zip(group, told, strict=True)
    ]


def the_run(folder):
    (path,) = store.entries(folder / "runs")
    return path


@pytest.fixture(scope="module")
def trained(given, tmp_path_factory):
    """Return the run of two processes and where it lies."""
    folder = tmp_path_factory.mktemp("two") / "here"
    (code, out, _), (other, silent, lines) = ended(start(folder, given))
    assert (code, other, silent, lines) == (0, 0, "", [])
    assert '"status": "finished"' in out
    return the_run(folder)


def numbers(path):
    steps = run_tables.read_table(path, "steps").drop(columns="seconds")
    return steps, run_tables.read_table(path, "readings"), run_tables.read_table(path, "validation")


def assert_close(one, two):
    for a, b in zip(numbers(one), numbers(two), strict=True):
        pd.testing.assert_frame_equal(a, b, rtol=1e-4, atol=1e-6)
    a, b = ({k: v for k, v in tensors(path).items() if k.startswith("model.")} for path in (one, two))
    assert a
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.trains
def test_two_processes_train_what_one_does(trained, given, tmp_path):
    """With the same batches; losses, readings, weights and the whole validation text differ by rounding."""
    alone = ended(start(tmp_path / "one", given, count=1))
    assert alone[0][0] == 0
    assert_close(trained, the_run(tmp_path / "one"))
    assert store.recipe_of(trained).run.processes == 2
    assert store.recipe_of(the_run(tmp_path / "one")).run.processes == 1


@pytest.mark.trains
def test_one_process_goes_through_the_shares_of_two(trained, tmp_path):
    """So the last interval of a run of several processes is trained again by one, and its masks are known."""
    again = runner.train(trained / "recipe.toml", runs=tmp_path)
    assert_close(trained, again)
    verified = run_replay.verify(run.open_finished(trained))
    assert verified.largest < 1e-5


@pytest.mark.trains
def test_with_dropout_too_and_a_stopped_run_goes_on_to_the_same_bits(given, tmp_path):
    given = given | {"model.dropout": 0.2, "budget.steps": 300}
    (whole,), parted = [ended(start(tmp_path / "whole", given))[0]], tmp_path / "parted"
    assert whole[0] == 0
    group = start(parted, given)
    assert "step" in group[0].first_line()  # it has taken one
    for process in group:  # as a terminal's Ctrl-C does
        process.send_signal(signal.SIGINT)
    (first, _, lines), (other, _, silent) = ended(group)
    assert (first, other, silent) == (130, 0, [])
    assert "give the same command with --resume to go on" in lines[-1]
    assert store.state(the_run(parted)) == "interrupted"
    assert [code for code, _, _ in ended(start(parted, given, "--resume"))] == [0, 0]
    assert_same(the_run(tmp_path / "whole"), the_run(parted))
    lacking = the_run(parted) / run_baselines.FILE  # as a run that was killed at its very end
    lacking.unlink()
    assert [code for code, _, _ in ended(start(parted, given, "--resume"))] == [0, 0]
    assert lacking.exists()
    the_run(parted)  # no second one


@pytest.mark.trains
@pytest.mark.parametrize("dies", [0, 1])
def test_a_process_that_dies_ends_the_others_with_a_line(dies, given, tmp_path):
    group = start(tmp_path, given | {"budget.steps": 100_000})
    assert "step" in group[0].first_line()
    group[dies].kill()
    found = ended(group)
    code, out, lines = found[1 - dies]
    assert (code, out) == (1, "")
    assert lines[-1].startswith("diagnose: another process of this run has ended; the run goes on from its last")
    assert not any("Traceback" in line for line in lines)


@pytest.mark.trains
def test_batches_that_cannot_be_divided_are_refused_in_a_line(given, tmp_path):
    (code, _, lines), (other, _, more) = ended(start(tmp_path, given | {"batches.size": 7}))
    assert (code, lines) == (2, ["diagnose: batches.size = 7 cannot be divided among 2 processes: give a multiple of "
                                 "their number (--batch-size)"])  # fmt: skip
    assert other == 1
    assert len(more) == 1
    assert more[0].startswith("diagnose: another process ended before the run began (")


def test_settings_that_do_not_fit_several_processes_are_refused(tiny):
    with pytest.raises(DiagnoseError, match="a budget in seconds is one process's clock"):
        Recipe.load("quick", {"run.processes": 2, "budget.seconds": 5.0})
    with pytest.raises(DiagnoseError, match=r"run\.processes would have no effect: one process"):
        Recipe.load("quick", {"run.processes": 1})
    assert "batches.size = 8 cannot be divided among 3" in str(refusal("quick", tiny | {"run.processes": 3}))
    assert "processes" not in Recipe.load("quick").to_toml()


def test_a_group_takes_the_number_of_processes_that_torchrun_started(monkeypatch):
    monkeypatch.setattr(processes, "_group", [processes.Group(1, 4)])
    assert processes.settings({}) == processes.settings({"run.processes": 4}) == {"run.processes": 4}
    with pytest.raises(DiagnoseError, match=r"run\.processes = 2, and torchrun started 4, of which some"):
        processes.settings({"run.processes": 2})
    assert processes.own_shares(8) == processes.own_shares(8, as_many=True) == [1, 5]


@pytest.mark.parametrize(("names", "found"), [
    ({}, processes.ALONE),
    ({"RANK": "0", "WORLD_SIZE": "1", "MASTER_PORT": "1"}, processes.ALONE),
    ({"RANK": "2", "WORLD_SIZE": "4"}, processes.ALONE),
    ({"RANK": "2", "WORLD_SIZE": "4", "MASTER_PORT": "1"}, processes.Group(2, 4)),
])  # fmt: skip
def test_who_started_a_process_is_read_from_its_environment(names, found, monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    assert processes.started() == found


def test_each_process_sees_one_card_and_too_few_are_refused(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("LOCAL_RANK", "1")
    processes._keep_to_one(["3", "5"])
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "5"
    with pytest.raises(DiagnoseError, match=r"this machine shows 1 CUDA device.* to process 2 of it"):
        processes._keep_to_one(["3"])


@pytest.mark.parametrize(("seen", "wanted"), [(1, []), (8, [5])])
def test_a_driver_that_has_read_which_cards_to_show_is_told_otherwise(seen, wanted, monkeypatch):
    """Without NVML torch counts cards by CUDA, which reads CUDA_VISIBLE_DEVICES once: all would take the first card."""
    chosen = []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("LOCAL_RANK", "5")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: seen)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    processes._keep_to_one([str(k) for k in range(8)])
    assert chosen == wanted
