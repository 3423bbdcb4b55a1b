"""The one way to open a finished run: for its ledger, its audit and whatever else reads it."""

import json

import pytest

from diagnose.errors import DiagnoseError
from diagnose.runs.opened import open_run


@pytest.fixture(scope="module")
def run(tmp_path_factory, tiny):
    from run_fixture import quickly

    from diagnose.runs.runner import train

    with quickly():
        return train("quick", tiny, runs=tmp_path_factory.mktemp("runs"))


def test_a_run_of_another_machine_s_device_is_read_here(run, monkeypatch):
    """A run that was trained on a card has a ledger and an audit on a machine without one, and says so."""
    import torch

    from diagnose import loss_gap
    from diagnose.audit.run_audit import audit_run
    from diagnose.config.recipe import Recipe
    from diagnose.data import tokenizer
    from diagnose.training import network, preparation

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    text = (run / "recipe.toml").read_text()
    kept, environment = text, json.loads((run / "environment.json").read_text())
    recipe = Recipe.load(run / "recipe.toml").with_values({"run.device": "cuda:0"})
    prepared = preparation.read_text(recipe.data, recipe.tokenizer)
    prints = (prepared.corpus.fingerprint, prepared.split.fingerprint, network.fingerprint(recipe.model.name))
    digest = recipe.digest(*prints, tokenizer.fingerprint(prepared.tokenizer))
    try:
        (run / "recipe.toml").write_text(text.replace('device = "cpu"', 'device = "cuda:0"'))
        (run / "environment.json").write_text(json.dumps(environment | {"digest": digest}))
        opened = open_run(run)
        assert (opened.moved, opened.recipe.run.device, opened.recorded.run.device) == ("cuda:0", "cpu", "cuda:0")
        found = loss_gap(run, budget="2000 tokens")
        assert any("trained on cuda:0, which this machine lacks" in note for note in found["notes"])
        assert audit_run(run).exit_code == 0
    finally:
        (run / "recipe.toml").write_text(kept)
        (run / "environment.json").write_text(json.dumps(environment))


def test_a_recorded_loop_and_an_ablation_are_no_runs(tmp_path):
    loop, ablation = tmp_path / "loop", tmp_path / "ablation"
    (loop / "record").mkdir(parents=True)
    (loop / "record" / "state.json").write_text("{}")
    ablation.mkdir()
    (ablation / "ablation.toml").write_text("")
    with pytest.raises(DiagnoseError, match="record of a loop of yours"):
        open_run(loop)
    with pytest.raises(DiagnoseError, match=r"is an ablation; .*summary\.json"):
        open_run(ablation)
