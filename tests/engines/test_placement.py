"""Which CUDA device each of several jobs gets, and how many fit; nothing here needs one."""

from types import SimpleNamespace

import pytest
import torch

from diagnose.config.recipe import Recipe
from diagnose.engines import cards, local_pool, memory, ray_cluster
from diagnose.errors import DiagnoseError
from diagnose.training import chunked_loss

GB = 10**9
VOCABULARY = 16_384
LOGITS = VOCABULARY * 192 * 128


@pytest.mark.parametrize(
    ("device", "visible", "count", "wanted"),
    [
        ("cpu", None, 2, []),
        ("cuda", None, 2, ["0", "1"]),
        ("cuda", "", 0, []),
        ("cuda", "-1", 0, []),
        ("cuda", "1", 1, ["1"]),
        ("cuda", "3, 1", 2, ["3", "1"]),
        ("cuda", "2,-1,3", 1, ["2"]),
        ("cuda", "0,9", 1, ["0"]),  # there is no tenth
        ("cuda", "NoDevFiles", 0, []),
        ("cuda", "GPU-8932f937,GPU-6fb2", 2, ["GPU-8932f937", "GPU-6fb2"]),
        ("cuda", "MIG-a1,MIG-b2", 1, ["MIG-a1", "MIG-b2"]),  # a process sees one slice, several processes several
        ("cuda:1", None, 4, []),  # all of them there
        ("cuda:1", "2,3", 2, []),
        ("mps", None, 0, []),
    ],
)
def test_cards_that_jobs_are_dealt_out_to(device, visible, count, wanted, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert cards.cards(device) == wanted


def test_each_process_sees_one_card_in_turn(monkeypatch):
    seen = []
    monkeypatch.setattr(
        local_pool.subprocess, "Popen", lambda *_, env, **__: seen.append(env.get("CUDA_VISIBLE_DEVICES"))
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,MIG-a1")
    for place in range(4):
        local_pool._process(["3", "MIG-a1"], place)
    local_pool._process([], 0)
    assert seen == ["3", "MIG-a1", "3", "MIG-a1", "3,MIG-a1"]


@pytest.mark.parametrize(
    ("rooms", "wanted"),
    [([10], 3), ([2], 0), ([10, 10], 6), ([10, 2], 1), ([2, 10], 0), ([10, 4, 7], 4), ([7, 10, 3], 5)],
)
def test_how_many_jobs_fit_where_they_are_dealt_out_in_turn(rooms, wanted):
    assert memory.at_once(3, rooms) == wanted

    def fits(jobs):
        return all(3 * len(range(k, jobs, len(rooms))) <= room for k, room in enumerate(rooms))

    assert fits(wanted)
    assert not fits(wanted + 1)


@pytest.mark.parametrize(
    ("device", "gpus", "jobs", "fit"),
    [
        ("cuda", ["0"], 8, 7),
        ("cuda", ["0"], 7, None),
        ("cuda", ["0", "1"], 14, None),  # seven on each
        ("cuda", ["0", "1"], 15, 14),  # the first would take the fifteenth
        ("cuda:1", [], 16, 15),  # the card that is named is asked, and it is twice as large
        ("cuda", ["MIG-a", "MIG-b", "MIG-c"], 22, 21),  # slices that this process does not see are as the last it sees
        ("cuda", ["0"], 1, None),
    ],
)
def test_memory_is_asked_of_the_cards_in_use(device, gpus, jobs, fit, monkeypatch):
    each = 10 * GB
    free = [7.5 * each, 15.5 * each] if len(gpus) < 3 else [7.5 * each]
    monkeypatch.setattr(memory, "needed", lambda _: each - memory.CONTEXT)
    monkeypatch.setattr(memory, "available", lambda: 10**15)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(free))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda k: (int(free[k]), 20 * each))
    setups = [SimpleNamespace(recipe=SimpleNamespace(run=SimpleNamespace(device=device)))]
    if fit is None:
        memory.refuse_too_many(jobs, setups, gpus)
        return
    with pytest.raises(DiagnoseError, match=f"--jobs {jobs}: .*--jobs {fit} would fit"):
        memory.refuse_too_many(jobs, setups, gpus)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, 3 * chunked_loss.CHUNK_BYTES),
        ({"run.compile": "on"}, 2 * 2 * LOGITS),  # written whole, and their gradient
        ({"run.compile": "on", "run.precision": "fp32"}, 2 * 4 * LOGITS),
        ({"run.compile": "on", "batches.size": 6 * 192}, 3 * chunked_loss.CHUNK_BYTES),  # too many: in chunks
        ({"batches.size": 1}, 3 * 4 * LOGITS // 192),
        ({"run.compile": "fused"}, 0),
        ({"run.compile": "fused", "run.precision": "fp32"}, 2 * 4 * LOGITS),
    ],
)
def test_logits_that_a_card_must_hold(more, wanted):
    given = {"run.device": "cuda", "run.precision": "bf16", "run.compile": "off"} | more
    assert memory._logits(Recipe.load("first-user", given), VOCABULARY) == wanted


@pytest.mark.parametrize(("given", "takes"), [(None, None), (1.0, 1), (0.5, 0.5), (0.0, 0)])
def test_a_part_of_a_gpu_is_asked_of_ray(given, takes):
    from diagnose.cli.where_options import Placement

    asked = Placement(gpus=given).place.takes
    asked.check()
    assert repr(asked.gpus) == repr(takes)
    cluster = object.__new__(ray_cluster.Cluster)
    cluster.takes = asked
    assert cluster._gpus(SimpleNamespace(on_gpu=True)) == (1 if takes is None else takes)
