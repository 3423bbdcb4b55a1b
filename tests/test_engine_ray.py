"""A Ray cluster of two nodes, of which one is killed: nothing is lost and nothing computed twice."""

import socket
import sys
import warnings
from contextlib import suppress

import pytest
from engine_fixture import assert_all_same, given_to, slow_network, started, steps_of, until

from diagnose import store
from diagnose.ablation import ablate
from diagnose.engines import cluster
from diagnose.engines.choice import Place
from diagnose.errors import MISTAKE, DiagnoseError


def refusal(place, tiny, tmp_path):
    with pytest.raises(DiagnoseError) as caught:
        ablate.ablate("activation", seeds=2, overrides=tiny, runs=tmp_path / "runs", place=place)
    assert caught.value.exit_code == MISTAKE
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()
    return str(caught.value)


def test_where_ray_is_not_installed_the_extra_is_named(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "find_spec", lambda _: None)
    said = refusal(Place("ray"), tiny, tmp_path)
    assert said == "--engine ray needs Ray, which is not installed: pip install 'diagnose-training[ray]'"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


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
    """Start a cluster of two nodes with a processor each."""
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_health_check_period_ms", "500")
    monkeypatch.setenv("RAY_health_check_failure_threshold", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ray.cluster_utils import Cluster

        small = {"num_cpus": 1, "object_store_memory": 80_000_000}
        found = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
        second = found.add_node(**small)
        yield found, second
        with suppress(Exception):
            found.shutdown()


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
