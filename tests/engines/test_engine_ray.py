"""A Ray cluster of two nodes, of which one is killed: nothing is lost and nothing computed twice."""

import os
import signal
import sys

import pytest
from command_fixture import arguments, user_folder
from command_fixture import diagnose as run_diagnose
from engine_fixture import assert_all_same, by_arm, given_to, slow_network, started, steps_of, until
from ray_fixture import cluster_of
from slurm_fixture import free_port
from tracker_fixture import assert_holds

from diagnose.ablation import ablate
from diagnose.engines import ray_cluster
from diagnose.engines.selection import Place
from diagnose.errors import INTERRUPTED, MISTAKE, DiagnoseError
from diagnose.runs import store


def refusal(place, tiny, tmp_path):
    with pytest.raises(DiagnoseError) as caught:
        ablate.ablate("activation", seeds=2, overrides=tiny, runs=tmp_path / "runs", place=place)
    assert caught.value.exit_code == MISTAKE
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()
    return str(caught.value)


def test_where_ray_is_not_installed_the_extra_is_named(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_cluster, "find_spec", lambda _: None)
    said = refusal(Place("ray"), tiny, tmp_path)
    assert said == "--engine ray needs Ray, which is not installed: pip install 'diagnose-training[ray]'"


@pytest.mark.parametrize("address", ["127.0.0.1:{}", "ray://127.0.0.1:{}", "nowhere.invalid:{}"])
def test_a_cluster_that_is_not_there_is_told_in_one_line(address, tiny, tmp_path):
    pytest.importorskip("ray")
    said = refusal(Place("ray", address=address.format(free_port())), tiny, tmp_path)
    assert said.startswith(f"no Ray cluster answers at {address.split('{')[0]}")


@pytest.mark.parametrize("address", ["127.0.0.1", "here:there", ":1", "127.0.0.1:99999999"])
def test_an_address_that_is_none_is_told_in_one_line(address, tiny, tmp_path):
    pytest.importorskip("ray")
    said = refusal(Place("ray", address=address), tiny, tmp_path)
    assert "host:port" in said or "no Ray cluster answers" in said


@pytest.fixture
def nodes(monkeypatch):
    pytest.importorskip("ray")
    with cluster_of(monkeypatch) as found:
        yield found


@pytest.mark.slow  # a minute: `make cluster`
def test_a_node_that_is_killed_loses_nothing(tiny, nodes, tmp_path):
    if sys.platform == "win32":
        pytest.skip("needs POSIX signals")
    found, second = nodes
    network = slow_network(tmp_path)
    given = given_to(tiny, network)
    (tmp_path / "slow").touch()
    process = started(given, tmp_path, "--engine", "ray", "--address", found.address)
    runs = tmp_path / "runs"
    until(lambda: len(store.entries(runs)) == 2 and all(steps_of(path) > 3 for path in store.entries(runs)))
    found.remove_node(second, allow_graceful=False)
    (tmp_path / "slow").unlink()
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert "tried again" in err
    (tmp_path / "serial").mkdir()
    serial = started(given, tmp_path / "serial")
    _, err = serial.communicate()
    assert serial.returncode == 0, err
    assert_all_same(runs, tmp_path / "serial" / "runs")
    assert not list(runs.glob(".seen-*"))


@pytest.mark.slow
def test_ctrl_c_stops_every_node_and_resume_goes_on(tiny, nodes, tmp_path):
    found, _ = nodes
    network = slow_network(tmp_path)
    given = given_to(tiny, network)
    (tmp_path / "slow").touch()
    flags = ("--engine", "ray", "--address", found.address)
    process, runs = started(given, tmp_path, *flags), tmp_path / "runs"
    until(lambda: len(store.entries(runs)) == 2 and all(steps_of(path) > 3 for path in store.entries(runs)))
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == INTERRUPTED, err
    assert "--resume" in err
    assert "Traceback" not in err
    assert {store.state(path) for path in store.entries(runs)} <= {"interrupted", "finished"}
    reached = {path: steps_of(path) for path in store.entries(runs)}
    (tmp_path / "slow").unlink()
    again = started(given, tmp_path, *flags, "--resume")
    _, err = again.communicate()
    assert again.returncode == 0, err
    assert set(reached) <= set(store.entries(runs))  # they go on where they were, and are not begun again
    (tmp_path / "serial").mkdir()
    serial = started(given, tmp_path / "serial")
    _, err = serial.communicate()
    assert serial.returncode == 0, err
    assert_all_same(runs, tmp_path / "serial" / "runs")


@pytest.mark.slow
def test_a_cluster_is_reached_through_rays_client(tiny, monkeypatch, tmp_path):
    pytest.importorskip("ray")
    port = free_port()
    with cluster_of(monkeypatch, ray_client_server_port=port):
        given = given_to(tiny, slow_network(tmp_path))
        process = started(given, tmp_path, "--engine", "ray", "--address", f"ray://127.0.0.1:{port}")
        _, err = process.communicate()
    assert process.returncode == 0, err
    assert len(by_arm(tmp_path / "runs")) == 4


@pytest.mark.slow
def test_a_command_is_carried_out_on_a_cluster(monkeypatch, tmp_path):
    pytest.importorskip("ray")
    with cluster_of(monkeypatch) as (found, _):
        given = ("--engine", "ray", "--address", found.address)
        told = run_diagnose(user_folder(tmp_path), *arguments(*given, "--cpus-per-task", "1"))
        assert told.returncode == 0, told.stderr
        assert "finished (4 of 4)" in told.stderr
        refused = run_diagnose(tmp_path, *arguments(*given, "--gpus-per-task", "1", seeds=3))
    assert refused.returncode == MISTAKE
    assert "the runs take 1 GPU each and no node of the cluster has that" in refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize("tracker", ["tensorboard", "mlflow", "wandb"])
@pytest.mark.usefixtures("offline")
def test_a_tracker_has_the_runs_of_a_cluster(tracker, tiny, nodes, tmp_path):
    pytest.importorskip(tracker)
    found, _ = nodes
    given = given_to(tiny, slow_network(tmp_path))
    process = started(given, tmp_path, "--engine", "ray", "--address", found.address, "--report-to", tracker)
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert "did not take it" not in err
    assert f"{tracker} is told of each run when it has ended" in err.replace("\N{NO-BREAK SPACE}", " ")
    assert_holds(tracker, tmp_path, *(tmp_path / "runs").glob("*-ablate-*"))
