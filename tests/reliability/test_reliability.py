"""A sample of what `make faults`, `make kills` and `make fuzz` do in full."""

import errno

import fault_points
import forked
import input_fuzz
import kill_anywhere
import pytest
import record_fuzz
import results_fuzz
import scenarios

built = pytest.mark.skipif(forked.compiler() is None, reason="needs a C compiler and LD_PRELOAD")
SAMPLE = 6  # points of a scenario


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Return a server of forked commands, and the state in which each begins."""
    made = scenarios.Workshop(tmp_path_factory.mktemp("reliability"), ("train", "yardstick"))
    yield made
    made.close()


@built
@pytest.mark.parametrize("name", ["train", "yardstick"])
def test_every_write_may_fail(shop, name):
    every, reference, code = fault_points.points(shop, name)
    assert len({point[0] for point in every}) > 60
    for place in range(SAMPLE):
        point = every[(2 * place + 1) * len(every) // (2 * SAMPLE)]
        assert fault_points.wrong(shop, name, point, reference, code) == []


@built
def test_the_shim_fails_what_it_is_told_to(shop):
    place = shop.fresh("yardstick", "place")
    done = shop.disturbed(place, "yardstick", fault=forked.Fault(1, errno.ENOSPC), traced=True)
    assert done.code == 2
    assert "No space left on device" in done.err
    assert done.trace[0].startswith("1 mkdir ")


@built
def test_killed_anywhere_it_ends_as_it_would_have(shop, monkeypatch):
    import random

    kills = kill_anywhere.Kills(shop, "train", random.Random(0))
    for _ in range(SAMPLE):
        told, found = kills.wrong()
        assert found == [], told


def test_mutated_records_end_in_a_result_or_a_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIAGNOSE_CACHE", str(tmp_path / "cache"))
    ended, _ = record_fuzz.fuzz(tmp_path, 120, 5)
    assert ended["failed"] == 0
    assert min(ended["read"], ended["refused"]) > 20


@pytest.mark.parametrize(("kind", "count"), [("recipes", 800), ("corpora", 150), ("caches", 60)])
def test_mutated_inputs_end_in_a_result_or_a_line(tmp_path, monkeypatch, kind, count):
    monkeypatch.setenv("DIAGNOSE_CACHE", str(tmp_path / "cache"))
    ended, _ = input_fuzz.fuzz(kind, tmp_path, count, 5)
    assert ended["failed"] == 0
    assert ended["read"] > 10


def test_mutated_results_of_other_tools_end_in_a_comparison_or_a_line(tmp_path):
    ended, _ = results_fuzz.fuzz(tmp_path, 250, 5)
    assert ended["failed"] == 0
    assert ended["read"] > 20
