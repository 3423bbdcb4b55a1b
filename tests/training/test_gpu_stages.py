"""What `make gpu` does where there is a card, on a pretended one: every call of it is made, at tiny sizes.

What this cannot show: that torch's compiler, its profiler and its count of waits say what they should of a card.
"""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import plain_kernels
import pytest
import torch
from pretend_cuda import pretended

from diagnose.training import device, linear_cross_entropy, switches, trainer

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import gpu_common
import gpu_speed
import gpu_stages


class Profile:
    """What a profiler of a card gives: kernels in no order, their times in microseconds."""

    def __init__(self, activities):
        assert [str(activity).rpartition(".")[2] for activity in activities] == ["CUDA"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def key_averages(self):
        rows = (("small", 400.0, 40), ("large", 8000.0, 8))
        return [SimpleNamespace(key=key, device_time_total=time, count=count) for key, time, count in rows]


@pytest.fixture(autouse=True)
def unset_workspace(monkeypatch):
    """Torch up to 2.9 looks at it once a process, so a stage has to set it before its first product."""
    monkeypatch.delenv(switches.WORKSPACE, raising=False)


@pytest.fixture
def stage(monkeypatch, capsys):
    """Return a function that runs a stage on a pretended card and gives what it printed last, and what it returned."""
    monkeypatch.setenv(gpu_common.TINY, "1")
    monkeypatch.setattr(trainer, "FETCHED", 2)
    for wanted in (gpu_speed.waits, gpu_speed.kernels):
        monkeypatch.setattr(wanted, "__defaults__", (4,))
    monkeypatch.setattr(gpu_speed, "find_spec", lambda _: None)  # the Hugging Face Trainer looks for a card itself
    monkeypatch.setattr(torch, "compile", lambda f, **_: f)
    monkeypatch.setattr(torch.profiler, "profile", Profile)
    loops = device.fused_loops()
    used = loops is not None and loops.in_use()

    def run(name):
        with pretended():
            found = gpu_stages.STAGES[name].run()
        lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        return json.loads(lines[-1])["figures"] if lines else {}, found["figures"] | {"state": found["state"]}

    yield run
    gpu_common.FOUND.clear()
    switches.leave_card()
    if loops is not None:
        loops.use(wanted=used)


def test_the_environment_names_the_card_and_whether_its_compiler_works(stage):
    _, found = stage("environment")
    assert found["device"] == "Pretended (9.0, 80 GB)"
    assert found["cards"] == 1
    assert found["compiler"] == "works"


def test_a_compiler_that_fails_is_told_and_later_stages_do_without(stage, monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("Cannot find a working triton installation.\nMore of it")

    monkeypatch.setattr(torch, "compile", fails)
    _, found = stage("environment")
    assert found["compiler"] == "RuntimeError: Cannot find a working triton installation."
    monkeypatch.setenv(gpu_common.COMPILES, "0")
    _, found = stage("step")
    assert found["compiled"] == "off"


def test_parity_compares_with_the_cpu(stage):
    noted, found = stage("parity")
    assert found["largest_relative_difference_fp32"] < 1e-6
    assert found["repeats_bit_for_bit"]
    assert noted["last_loss_bf16"] == pytest.approx(noted["last_loss_fp32"], rel=0.01)


def test_a_step_is_timed_and_its_waits_and_kernels_are_counted(stage):
    _, found = stage("step")
    assert found["state"] == "done"
    assert found["compiled"] == "on"
    assert found["ms_a_step"] > 0
    assert found["peak_memory_gb"] == pytest.approx(3.2, rel=0.01)
    assert found["waits_in_4_steps"] == 0  # no card told of any
    assert found["kernels_a_step"] == 12
    assert [value for key, value in found.items() if key.startswith("kernel ")] == [
        "2.000 ms a step, 2 times", "0.100 ms a step, 10 times",
    ]  # fmt: skip


def test_a_profiler_that_may_not_be_used_costs_no_stage(stage, monkeypatch):
    class Refused(Profile):
        def __enter__(self):
            raise RuntimeError("CUPTI_ERROR_INSUFFICIENT_PRIVILEGES")

    monkeypatch.setattr(torch.profiler, "profile", Refused)
    _, found = stage("step")
    assert (found["state"], found["kernels"]) == ("done", "not counted: CUPTI_ERROR_INSUFFICIENT_PRIVILEGES")


def test_each_in_the_race_runs_with_the_switches_of_its_own(stage, monkeypatch):
    seen = {}
    timed = gpu_speed.timed

    def watched(course, wait, count):
        if count > 1:  # the rate of products takes one at a time
            seen.setdefault(course, set()).add((torch.are_deterministic_algorithms_enabled(), count))
        return timed(course, wait, count)

    monkeypatch.setattr(gpu_speed, "timed", watched)
    _, found = stage("race")
    names = [key.removesuffix(", ms_a_step") for key in found if key.endswith("ms_a_step")]
    assert names == ["ours, eager", "nanoGPT, eager", "ours, compiled", "nanoGPT, compiled",
                     "ours, compiled, run.deterministic=false"]  # fmt: skip
    assert [{deterministic for deterministic, _ in how} for how in seen.values()] == [
        {True}, {False}, {True}, {False}, {False},
    ]  # fmt: skip
    assert found["nanoGPT, compiled, gb_at_its_peak"] == pytest.approx(2.1, rel=0.05)
    assert found["nanoGPT, compiled, waits_in_4_steps"] == 0


def test_gpt2_is_timed(stage):
    noted, found = stage("gpt2")
    assert found["parameters"] == noted["parameters"] > 20_000
    assert found["ms_a_step"] > 0


def test_a_whole_run_is_the_sum_of_its_parts(stage):
    _, found = stage("whole")
    parts = ("steps_s", "reports_s", "samples_s", "probes_s", "set_up_s", "last_reading_s")
    assert found["projected_s_of_the_whole_run"] == pytest.approx(sum(found[part] for part in parts))
    assert (found["steps"], found["reports"], found["probes"]) == (400, 4, 3)
    assert found["samples_written_beside"] > 0
    assert found["ms_a_step, samples beside"] > 0


@pytest.mark.parametrize(
    ("driver", "visible", "built", "state"),
    [
        (True, None, None, "is built without CUDA"),
        (True, None, "13.0", "is built for CUDA 13.0, and the driver may be older"),
        (True, "", None, None),
        (False, None, None, None),
    ],
)
def test_a_card_that_torch_does_not_see_is_no_success(driver, visible, built, state, tmp_path, monkeypatch):
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    monkeypatch.setattr(device, "DRIVER", tmp_path if driver else tmp_path / "none")
    monkeypatch.setattr(torch.version, "cuda", built)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = gpu_stages.environment()
    assert (found["state"] == "failed") is (state is not None)
    if state is not None:
        assert state in found["why"]


@pytest.mark.parametrize(
    ("code", "killed", "wanted"),
    [
        ("print('\"runs/one\"')", False, Path("runs/one")),
        ("import os; os.kill(os.getpid(), 9)", True, None),
        ("import sys; sys.exit('no room')", False, "no room"),
        ("import sys; sys.exit('no room')", True, "no room"),  # it ended before it could be killed
        ("pass", True, "a run ended otherwise than it should"),
    ],
)
def test_a_run_that_ends_otherwise_than_it_should_fails_its_stage(code, killed, wanted):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", code], **pipes)
    if isinstance(wanted, str):
        with pytest.raises(RuntimeError, match=wanted):
            gpu_common.ended(process, killed=killed)
    else:
        assert gpu_common.ended(process, killed=killed) == wanted


def test_fused_products_are_compared_with_the_libraries(stage, monkeypatch):
    monkeypatch.setattr(linear_cross_entropy, "_kernels", lambda: plain_kernels)
    _, found = stage("fused")
    assert found["state"] == "done"
    for under in ("", ", document masks"):
        assert found[f"largest_relative_difference{under}"] < 0.02  # bf16
        assert found[f"repeats_bit_for_bit{under}"]
        for name in ("on", "fused"):
            assert found[f"run.compile={name}{under}, ms_a_step"] > 0
            assert found[f"run.compile={name}{under}, kernel large"]
