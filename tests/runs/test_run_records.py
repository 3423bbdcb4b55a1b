import json

import numpy as np
import pytest
import torch
from run_fixture import assert_same, final_state, tensors

from diagnose.config.recipe import Recipe
from diagnose.data.tokenizer import load as load_tokenizer
from diagnose.runs import checkpoints, probes, run_tables, runner, session, store
from diagnose.runs.probes import probe_documents, probe_steps
from diagnose.training import batches, evaluation, trainer
from diagnose.training.preparation import set_up
from diagnose.training.trainer import START, Step

pytestmark = pytest.mark.usefixtures("quick_probes")


def test_a_run_leaves_all_its_files(whole):
    assert {p.name for p in whole.iterdir()} == {
        "recipe.toml", "environment.json", "tokenizer.json", "steps.parquet", "readings.parquet", "validation.parquet",
        "places.parquet", "yardsticks.json",
        "samples.jsonl", "checkpoint", "interval", "status.json", "lock",
    }  # fmt: skip
    assert store.read_json(whole / "status.json")["state"] == "finished"
    for folder in ("checkpoint", "interval"):
        files = {"model.safetensors", "optimizer.safetensors", "state.json"}
        assert {p.name for p in (whole / folder).iterdir()} == files
    assert not list(whole.rglob("*.part"))
    assert store.find(whole.parent / "latest") == whole
    environment = store.read_json(whole / "environment.json")
    assert environment["derived"]["steps"] == 12
    assert environment["split"]["val_documents"] == 15
    assert json.dumps(environment, allow_nan=False)


def test_steps_are_recorded_exactly(whole, given):
    steps, setup = run_tables.read_table(whole, "steps"), set_up(Recipe.load("quick", given))
    net = setup.network()
    again = list(trainer.train_steps(net, trainer.make_optimizer(net, setup.recipe.optimizer), setup.course, START))
    assert list(steps.columns) == list(Step.__dataclass_fields__)
    for name in set(steps.columns) - {"seconds"}:
        assert steps[name].tolist() == [getattr(step, name) for step in again]  # every bit of it
    assert steps.step.tolist() == list(range(1, 13))
    assert (steps.seconds.diff()[1:] > 0).all()
    assert steps.tokens.tolist() == [8 * 32 * k for k in range(1, 13)]
    a, b = tensors(whole), net.state_dict()
    assert all(torch.equal(a[f"model.{name}"], b[name]) for name in b if f"model.{name}" in a)


def test_readings_are_what_they_say(whole, given):
    readings, steps = run_tables.read_table(whole, "readings"), run_tables.read_table(whole, "steps")
    setup = set_up(Recipe.load("quick", given))
    reported = readings[readings.kind == "reported"]
    assert reported.step.tolist() == [5, 5, 10, 10, 12, 12]
    logged = reported[reported.split == "train"]
    per_epoch = setup.derived.steps_per_epoch
    for step, loss in zip(logged.step, logged.loss, strict=True):
        assert loss == trainer.reported_training_loss(steps.loss[:step].tolist(), "ema", 5, per_epoch)
    probes = readings[readings.kind == "probe"]
    assert probes.step.tolist() == [3, 3, 6, 6, 9, 9, 12, 12]  # evenly spread, both splits
    assert set(readings["mode"][readings.kind != "reported"]) == {"eval"}
    assert readings.text_bytes.tolist() == [steps.text_bytes[step - 1] for step in readings.step]


@pytest.mark.parametrize(("steps", "count"), [(16, 3), (800, 8), (100_000, 16)])
def test_a_run_is_probed_as_often_as_it_can_afford(steps, count, given, monkeypatch):
    monkeypatch.setattr(probes, "PROBES", counts := (16, 8, 4, 3))
    setup = set_up(Recipe.load("quick", given | {"budget.steps": steps}))
    asked = sorted(probe_steps(setup))
    assert (len(asked), asked[-1]) == (count, steps)
    assert max(np.diff([0, *asked])) - min(np.diff([0, *asked])) <= 1  # evenly spaced
    documents = np.concatenate([probe_documents(setup, side) for side in ("train", "val")])
    one = evaluation.positions(setup.text.stream, documents, 32).sum()
    training = steps * setup.derived.tokens_per_step * probes.BACKWARD
    affordable = [some for some in counts if some * one <= probes.SHARE * training]
    assert count == max(affordable, default=counts[-1])


def test_positions_are_those_of_the_forward_passes(given, monkeypatch):
    setup = set_up(Recipe.load("quick", given))
    seen = []
    rows = evaluation._rows
    monkeypatch.setattr(
        evaluation, "_rows", lambda tokens, spans: seen.append(spans[:, 2].sum()) or rows(tokens, spans)
    )
    documents = setup.text.split.scored
    evaluation.canonical(setup.network(), setup.text.stream, documents, setup.scored_bytes(), 32)
    assert evaluation.positions(setup.text.stream, documents, 32).sum() == sum(seen)


def test_the_final_reading_is_the_canonical_one_of_the_final_weights(whole, given):
    setup = set_up(Recipe.load("quick", given))
    net, _, last = final_state(whole, setup)
    assert last.step == 12
    documents = setup.text.split.scored
    expected = evaluation.canonical(net, setup.text.stream, documents, setup.scored_bytes(), 32)
    readings, table = run_tables.read_table(whole, "readings"), run_tables.read_table(whole, "validation")
    (final,) = readings[readings.kind == "final"].to_dict("records")
    assert table.nats.tolist() == expected.nats_N.tolist()
    assert table.document.tolist() == documents.tolist()
    texts = [setup.text.corpus.text(int(d)).encode() for d in documents]
    tokenizer = load_tokenizer(whole / "tokenizer.json")
    assert table.bytes.tolist() == [len(text) for text in texts]
    assert table.tokens.tolist() == [len(tokenizer.encode(t.decode(), add_special_tokens=False).ids) + 1 for t in texts]
    assert (final["nats"], final["tokens"]) == (expected.nats_N.sum(), expected.tokens_N.sum())
    assert final["bytes"] == sum(map(len, texts))
    assert final["low"] < final["loss"] == expected.nats_per_token < final["high"]
    summary = runner.summary(whole)
    assert summary["val"]["bits_per_byte"] == expected.bits_per_byte
    assert (summary["steps"], summary["status"], summary["format"]) == (12, "finished", 1)
    last_probe = readings[(readings.kind == "probe") & (readings.split == "val")].iloc[-1]
    some = evaluation.canonical(net, setup.text.stream, probe_documents(setup, "val"), np.zeros(1), 32)
    assert (last_probe.step, last_probe.nats) == (12, pytest.approx(some.nats_N.sum()))  # read in other batches


def test_the_reported_validation_loss_is_that_of_its_batch(whole, given):
    setup = set_up(Recipe.load("quick", given))
    net, _, _ = final_state(whole, setup)
    readings = run_tables.read_table(whole, "readings")
    row = readings[(readings.kind == "reported") & (readings.split == "val")].iloc[-1]
    size = min(4, setup.validation.rows)
    batch = batches.rows(setup.validation, 2 * size, size)  # of print 2, counted from 0
    with torch.no_grad():
        logp_BTV = net.eval()(batch.inputs_BT, None).log_softmax(-1)
    nats = -logp_BTV.gather(2, batch.targets_BT[..., None]).mean().item()
    assert row.loss == pytest.approx(nats, rel=1e-5)
    assert row.tokens == size * 32


def test_prints_read_one_validation_batch_after_another(given):
    setup = set_up(Recipe.load("quick", given | {"report.val_batches": 2, "data.val_fraction": 0.3}))
    assert setup.validation.rows >= 16
    for number in range(3):
        batches_read = list(session.reported_batches(setup, number))
        assert [len(batch.inputs_BT) for batch in batches_read] == [4, 4]
        expected = batches.rows(setup.validation, 8 * number, 8)
        assert torch.equal(torch.cat([batch.inputs_BT for batch in batches_read]), expected.inputs_BT)
    whole_text = set_up(Recipe.load("quick", given | {"report.val": "full"}))
    for number in (0, 5):
        counted = [int(batch.counted_BT.sum()) for batch in session.reported_batches(whole_text, number)]
        assert sum(counted) == whole_text.validation.targets


def test_a_print_reads_validation_as_the_recipe_says(given):
    report = {"val_dropout": True, "val_objective": "training", "val_precision": "fp32", "val_mean": "batch",
              "val_loader": "padded", "val_padding": "denominator"}  # fmt: skip
    more = {"loss.label_smoothing": 0.1, "loss.weight_decay": 0.01, "run.precision": "bf16"}
    setup = set_up(Recipe.load("quick", given | more | {f"report.{k}": v for k, v in report.items()}))
    net = setup.network()
    found = session.reported_condition(setup.recipe, net)
    penalty = 0.005 * sum(float((p.detach().double() ** 2).sum()) for p in net.parameters())
    assert found.penalty == pytest.approx(penalty, rel=1e-5)
    told = (found.training, found.precision, found.label_smoothing, found.padding, found.mean)
    assert told == (True, "fp32", 0.1, "denominator", "batch")
    assert setup.validation.loader == "padded"
    plain = session.reported_condition(set_up(Recipe.load("quick", given | {"run.precision": "bf16"})).recipe, net)
    assert plain == evaluation.EvalCondition(precision="bf16")


def test_samples_are_written_at_prints_and_at_the_end_but_not_shortly_before_it(whole):
    samples = store.read_samples(whole)
    assert [(s["step"], s.get("final", False)) for s in samples] == [(5, False), (12, True)]
    prompt = store.read_json(whole / "environment.json")["sample_prompt"]
    assert all(s["prompt"] == prompt and s["text"].startswith(prompt) for s in samples)


def test_interval_is_the_state_at_the_start_of_the_last_interval(whole, given):
    setup = set_up(Recipe.load("quick", given))
    net, optimizer, step = final_state(whole, setup, "interval")
    assert step.step == 10
    rest = list(trainer.train_steps(net, optimizer, setup.course, step))
    steps = run_tables.read_table(whole, "steps")
    assert [s.loss for s in rest] == steps.loss[10:].tolist()
    a, b = tensors(whole), net.state_dict()
    assert all(torch.equal(a[f"model.{name}"], b[name]) for name in b if f"model.{name}" in a)


@pytest.mark.parametrize(("interval", "start"), [(4, 8), (12, 0), (100, 0), (1, 11)])
def test_the_last_interval_begins_where_a_print_was_or_at_the_start(interval, start, tiny, runs, monkeypatch):
    monkeypatch.setattr(probes, "PROBES", (0,))
    path = runner.train("quick", tiny | {"report.interval": interval, "model.layers": 1}, runs=runs)
    state = store.read_json(path / "interval" / "state.json")
    assert state["step"] == start
    if start == 0:
        assert checkpoints.read_checkpoint(path / "interval")[0]["optimizer"] == {}


def test_the_same_recipe_or_the_runs_own_file_repeats_it(whole, given, runs):
    torch.manual_seed(11)
    before = torch.get_rng_state()
    again = runner.train("quick", given, runs=runs)
    assert torch.equal(before, torch.get_rng_state())
    from_file = runner.train(whole / "recipe.toml", runs=runs)
    assert_same(again, whole)
    assert_same(from_file, whole)
    digests = {store.read_json(path / "environment.json")["digest"] for path in (again, from_file, whole)}
    assert len(digests) == 1
    assert len(store.entries(runs)) == 2  # nothing is overwritten
    other = set_up(Recipe.load("quick", given | {"run.seed": 1}))
    assert other.digest not in digests
