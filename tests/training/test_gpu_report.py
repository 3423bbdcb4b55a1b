"""`make gpu` on a machine without a CUDA device: it runs, says what it skips, and a stage that fails ends no other."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from command_fixture import Forked

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import gpu  # noqa: E402  (beside its stages)
from gpu_stages import STAGES  # noqa: E402

SHORT = [name for name in STAGES if name not in ("resume", "race", "together")]  # `make commands` runs all


def stage(command, *, env, cwd, **_):
    _, script, name = command
    return Forked(cwd, name, script=script, **env)


@pytest.mark.skipif(torch.cuda.is_available(), reason="would measure this machine's card")
@pytest.mark.parametrize("names", [SHORT, pytest.param([*STAGES], marks=pytest.mark.slow)], ids=["short", "all"])
def test_it_runs_to_its_end_without_a_card(names, tmp_path, monkeypatch, capsys):
    """Its stages are forked from one process that has imported torch; the next test starts processes as it does."""
    forked = SimpleNamespace(**vars(subprocess) | {"Popen": stage})
    monkeypatch.setattr(gpu, "subprocess", forked)
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--out", str(tmp_path), "--stages", ",".join(names)])
    assert gpu.main() == 0
    told = capsys.readouterr().out
    assert "tests: skipped" in told
    assert "no CUDA: skipped" in told
    report = json.loads((tmp_path / "gpu-report.json").read_text())
    states = {name: "skipped" if name in ("tests", "fused") else "done" for name in names}
    assert {s["stage"]: s["state"] for s in report["stages"]} == states
    figures = {s["stage"]: s.get("figures", {}) for s in report["stages"]}
    assert figures["parity"]["largest_relative_difference_fp32"] == 0.0
    assert figures["parity"]["repeats_bit_for_bit"]
    assert figures["whole"]["projected_s_of_the_whole_run"] > figures["whole"]["steps_s"] > 0
    assert "no CUDA device: tiny sizes on the CPU" in (tmp_path / "gpu-report.md").read_text()
    if names != SHORT:
        assert list(figures["resume"].values()) == ["after kill -9: bit for bit; --verify: bit for bit"]
        assert figures["jobs"]["2 seeds, largest difference of a gradient"] < 1e-6
        assert figures["together"]["largest difference of a weight"] < 1e-4


def test_stages_take_less_than_nine_minutes():
    assert sum(stage.limit for stage in STAGES.values()) <= 540


def test_a_stage_that_fails_or_takes_too_long_ends_no_other(tmp_path, monkeypatch, capsys):
    slow = tmp_path / "benchmarks" / "gpu_stages.py"
    slow.parent.mkdir()
    slow.write_text(
        "import os, sys, time\n"
        'print(\'{"state": "begun", "figures": {"b": 2}}\', flush=True)\n'
        "if sys.argv[1] == 'step': time.sleep(60)\n"
        "if sys.argv[1] == 'parity': raise ValueError('no such luck')\n"
        "if sys.argv[1] == 'gpt2': print('{half a li', end=''), sys.exit(0)\n"
        "if sys.argv[1] == 'race': os.kill(os.getpid(), 9)\n"
        'print(\'{"state": "done", "figures": {"a": 1.5}}\')\n'
    )
    monkeypatch.setattr(gpu, "ROOT", tmp_path)
    monkeypatch.setattr(gpu, "STAGES", {k: STAGES[k]._replace(limit=2 if k == "step" else 60) for k in STAGES})
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--out", str(tmp_path), "--stages", "parity,step,gpt2,race,jobs"])
    assert gpu.main() == 1
    stages = json.loads((tmp_path / "gpu-report.json").read_text())["stages"]
    assert [s["state"] for s in stages] == ["failed", "timed out", "failed", "failed", "done"]
    assert [s["why"] for s in stages[:4]] == [
        "ValueError: no such luck", "not done after 2 s", "it said nothing", "it said nothing",
    ]  # fmt: skip
    assert all(s["figures"] == {"b": 2} for s in stages[:4])  # what they had found until then
    assert "| a | 1.5 |" in (tmp_path / "gpu-report.md").read_text()
    assert "step: timed out" in capsys.readouterr().out
