"""Runs in several processes: the same results as one after another, whatever happens to the processes."""

import os
import signal

import pytest
from engine_fixture import assert_all_same, by_arm, given_to, slow_network, started, steps_of, until, workers

from diagnose.ablation import ablate
from diagnose.engines import local_pool, memory
from diagnose.engines.selection import Place
from diagnose.errors import INTERRUPTED, MISTAKE, DiagnoseError
from diagnose.runs import store


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return slow_network(tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def serial(tiny, network, tmp_path_factory):
    """Return the runs of an ablation whose runs were trained one after another."""
    folder = tmp_path_factory.mktemp("serial")
    process = started(given_to(tiny, network), folder)
    _, err = process.communicate()
    assert process.returncode == 0, err
    return folder / "runs"


@pytest.fixture
def slow(network):
    """Make steps slow enough to be disturbed in time."""
    (network.parent / "slow").touch()
    yield
    (network.parent / "slow").unlink(missing_ok=True)


def test_runs_in_parallel_are_bit_identical_to_serial_ones(tiny, network, serial, tmp_path):
    process = started(given_to(tiny, network), tmp_path, "--jobs", "2")
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert_all_same(tmp_path / "runs", serial)
    assert "finished (4 of 4)" in err
    assert all(f"{arm} seed {seed}  finished" in err for arm in ("relu", "gelu") for seed in (0, 1))
    assert out.strip().endswith(".html")


def test_a_worker_that_is_killed_is_replaced_and_its_run_goes_on_from_its_checkpoint(
    tiny, network, serial, slow, tmp_path
):
    process = started(given_to(tiny, network), tmp_path, "--jobs", "2")
    until(lambda: any(steps_of(path) > 5 for path in store.entries(tmp_path / "runs")))
    first, *_ = [pid for pid, parent in workers(tmp_path).items() if parent == process.pid]
    os.kill(first, signal.SIGKILL)
    (network.parent / "slow").unlink()
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert "tried again" in err
    assert_all_same(tmp_path / "runs", serial)


@pytest.mark.usefixtures("forked_workers")
def test_a_worker_that_dies_again_and_again_is_reported_and_the_others_go_on(tiny, network, tmp_path):
    given = given_to(tiny, network)
    deadly = network.parent / "deadly-gelu"
    deadly.touch()
    try:
        found = ablate.ablate(
            "model.activation=relu,gelu_tanh,gelu", seeds=1, overrides=given, runs=tmp_path, place=Place(jobs=2)
        )
    finally:
        deadly.unlink()
    (failure,) = store.read_json(found / "summary.json")["failed"]
    assert (failure["level"], failure["seed"]) == ("gelu", 0)
    assert failure["why"].startswith("its process died 3 times, the last time killed by SIGKILL")
    assert "\n" not in failure["why"]
    assert store.state(tmp_path / failure["run"]) == "failed"
    again = ablate.ablate(
        "model.activation=relu,gelu_tanh,gelu", seeds=1, overrides=given, runs=tmp_path, resume=True,
        place=Place(jobs=2),
    )  # fmt: skip
    summary = store.read_json(again / "summary.json")
    assert summary["failed"] == []
    assert len(summary["reused"]) == 2
    assert summary["arms"][2]["runs"] == [failure["run"]]


def test_ctrl_c_leaves_runs_that_resume(tiny, network, serial, slow, tmp_path):
    runs = tmp_path / "runs"
    process = started(given_to(tiny, network), tmp_path, "--jobs", "2")
    until(lambda: len(store.entries(runs)) == 2 and all(steps_of(path) > 3 for path in store.entries(runs)))
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == INTERRUPTED
    assert err.strip().split("\n")[-1].startswith("diagnose: stopped; finished runs stay finished")
    assert "Traceback" not in err
    assert {store.state(path) for path in store.entries(runs)} == {"interrupted"}
    assert all(steps_of(path) > 3 for path in store.entries(runs))
    (network.parent / "slow").unlink()
    again = started(given_to(tiny, network), tmp_path, "--jobs", "2", "--resume")
    _, err = again.communicate()
    assert again.returncode == 0, err
    assert_all_same(runs, serial)


def test_workers_stop_where_their_parent_is_killed(tiny, network, serial, slow, tmp_path):
    runs = tmp_path / "runs"
    process = started(given_to(tiny, network), tmp_path, "--jobs", "2")
    until(lambda: len(store.entries(runs)) == 2 and all(steps_of(path) > 3 for path in store.entries(runs)))
    own = [pid for pid, parent in workers(tmp_path).items() if parent == process.pid]
    process.kill()
    process.communicate()
    until(lambda: not workers(tmp_path).keys() & set(own))
    assert {store.state(path) for path in store.entries(runs)} == {"interrupted"}


@pytest.mark.slow
def test_two_ablations_that_write_the_same_folder_share_their_runs(tiny, network, serial, tmp_path):
    runs = tmp_path / "runs"
    both = [started(given_to(tiny, network), tmp_path), started(given_to(tiny, network), tmp_path, "--jobs", "2")]
    ends = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    assert_all_same(runs, serial)
    one, two = (store.read_json(path / "summary.json") for path in store.ablations(runs))
    assert [arm["runs"] for arm in one["arms"]] == [arm["runs"] for arm in two["arms"]]
    assert [arm["bits_per_byte"] for arm in one["arms"]] == [arm["bits_per_byte"] for arm in two["arms"]]
    assert len(one["reused"]) + len(two["reused"]) == len(by_arm(runs))


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place(jobs=0), "--jobs 0: give at least one"),
        (Place(jobs=-3), "--jobs -3: give at least one"),
        (Place("rai"), "--engine rai is not known; did you mean 'ray'?"),
        (Place(address="127.0.0.1:6379"), "--address is that of a Ray cluster: give --engine ray with it"),
    ],
)
def test_places_that_make_no_sense_are_refused_in_one_line(place, said, tiny, tmp_path):
    with pytest.raises(DiagnoseError) as caught:
        ablate.ablate("activation", seeds=2, overrides=tiny, runs=tmp_path / "runs", place=place)
    assert str(caught.value) == said
    assert caught.value.exit_code == MISTAKE
    assert not (tmp_path / "runs").exists()


def test_more_jobs_than_memory_holds_are_refused(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1_000_000_000)
    with pytest.raises(
        DiagnoseError, match=r"--jobs 4: so many runs at once take about 1\.\d GB and 1\.0 GB"
    ) as caught:
        ablate.ablate("activation", seeds=2, overrides=tiny, runs=tmp_path / "runs", place=Place(jobs=9))
    assert str(caught.value).endswith("--jobs 2 would fit")
    assert not (tmp_path / "runs").exists()


def test_threads_are_shared_out(tiny, monkeypatch):
    from diagnose.training import device

    monkeypatch.setattr(device, "THREADS", 8)
    assert [Place(jobs=n).threads for n in (None, 1, 2, 3, 16)] == [None, None, 4, 2, 1]


def test_workers_that_start_while_runs_are_planned_are_those_that_train(tiny, tmp_path, monkeypatch):
    started_workers, start = [], local_pool._process
    monkeypatch.setattr(
        local_pool, "_process", lambda *args: started_workers.append(start(*args)) or started_workers[-1]
    )
    with Place(jobs=2).begun() as place:
        assert len(started_workers) == 2
        ablate.ablate("activation", seeds=1, overrides=tiny, runs=tmp_path / "runs", place=place)
    assert len(started_workers) == 2
    assert all(process.poll() == 0 for process in started_workers)


def test_a_mistake_leaves_no_worker_behind(monkeypatch):
    started_workers, start = [], local_pool._process
    monkeypatch.setattr(
        local_pool, "_process", lambda *args: started_workers.append(start(*args)) or started_workers[-1]
    )
    with pytest.raises(DiagnoseError, match="unknown axis"), Place(jobs=2).begun() as place:
        ablate.ablate("activatio", place=place)
    assert len(started_workers) == 2
    assert all(process.poll() is not None for process in started_workers)
