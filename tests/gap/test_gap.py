"""The ledger: its arithmetic, its refusals and its words; planted causes are in tests/validation/planted."""

import io
import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.errors import DiagnoseError


@pytest.fixture(scope="module")
def run(tmp_path_factory, tiny):
    """A finished run with dropout, label smoothing and a reported mini-batch."""
    from diagnose.runs.runner import train

    keys = {**tiny, "loss.label_smoothing": 0.1, "report.train": "interval"}
    return train("quick", keys, runs=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def record(run):
    from diagnose import loss_gap

    return loss_gap(run, verify=True)


@pytest.fixture
def copy(run, tmp_path):
    """A copy of the run that a test may spoil."""
    return shutil.copytree(run, tmp_path / run.name)


def term(record, name):
    return next(t for t in record["terms"] if t["id"] == name)


class TestShapley:
    def test_two_players_by_hand(self):
        from diagnose.stats.shapley import shapley

        value = {frozenset(): 0.0, frozenset("a"): 1.0, frozenset("b"): 3.0, frozenset("ab"): 10.0}
        found = {p: sum(f * value[c] for c, f in shapley("ab", p).items()) for p in "ab"}
        assert found == {"a": 4.0, "b": 6.0}  # (1 + 7) / 2 and (3 + 9) / 2

    @given(st.lists(st.floats(-5, 5), min_size=16, max_size=16))
    def test_values_telescope(self, values):
        from diagnose.stats.shapley import shapley, subsets

        value = dict(zip(subsets("abcd"), values, strict=True))
        total = sum(f * value[c] for p in "abcd" for c, f in shapley("abcd", p).items())
        assert total == pytest.approx(value[frozenset("abcd")] - value[frozenset()], abs=1e-9)

    @given(st.lists(st.floats(-5, 5), min_size=16, max_size=16))
    def test_kinds_divide_their_union(self, values):
        from diagnose.stats.shapley import owen, shapley, subsets

        value = dict(zip(subsets("uvxy"), values, strict=True))  # kinds u, v; x, y the other players

        def worth(others, off):
            return value[others | off]

        kinds = sum(f * worth(*c) for k in "uv" for c, f in owen("mxy", "m", "uv", k).items())
        whole = shapley("mxy", "m")
        union = sum(f * worth(c - {"m"}, frozenset("uv") if "m" in c else frozenset()) for c, f in whole.items())
        assert kinds == pytest.approx(union, abs=1e-9)

    def test_a_single_player_is_its_marginal(self):
        from diagnose.stats.shapley import marginals, shapley

        assert shapley(["m"], "m") == {frozenset("m"): 1.0, frozenset(): -1.0}
        assert marginals(["m"], "m", lambda c: 2.0 if c else 0.5) == [1.5]


class TestModes:
    def network(self):
        from torch import nn

        class Functional(nn.Module):
            def forward(self, x):
                return nn.functional.dropout(x, 0.5, self.training)

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.embed, self.norm = nn.Embedding(7, 4), nn.BatchNorm1d(4)
                self.drop, self.own = nn.Dropout(0.3), Functional()
                self.silent = nn.Dropout(0.0)
                self.head = nn.Linear(4, 7)

            def forward(self, tokens, _=None):
                x = self.norm(self.embed(tokens).transpose(1, 2)).transpose(1, 2)
                return self.head(self.own(self.drop(x)))

        return Net()

    def batch(self):
        from diagnose.training.batches import Batch

        tokens = torch.arange(12).reshape(2, 6) % 7
        return Batch(tokens, tokens, torch.ones(2, 6, dtype=torch.bool), torch.zeros(2, 6, dtype=torch.long), None)

    def test_kinds_of_a_foreign_network_are_found(self):
        from diagnose.gap.loop.mode_kinds import live_kinds

        assert live_kinds(self.network(), self.batch()) == ("batch norm", "dropout", "other")

    def test_everything_is_put_back(self):
        from diagnose.gap.loop.mode_kinds import switched

        net = self.network().eval()
        before = {k: v.clone() for k, v in net.state_dict().items()}
        state = torch.get_rng_state()
        with switched(net, frozenset({"dropout", "batch norm", "other"})), torch.no_grad():
            net(self.batch().inputs_BT)
        assert not any(m.training for m in net.modules())
        assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
        assert torch.equal(state, torch.get_rng_state())

    def test_a_kind_is_switched_alone(self):
        from diagnose.gap.loop.mode_kinds import switched

        net = self.network()
        with switched(net, frozenset({"dropout"})):
            assert net.drop.training
            assert not net.norm.training
            assert not net.own.training


class TestReadings:
    def test_means_against_loops(self):
        """Every way of averaging, against plain sums over a padded batch."""
        from diagnose.gap.conditions import Condition
        from diagnose.gap.run.run_reading import RunObjective, StepGroup, Way, read
        from diagnose.training.batches import Batch

        torch.manual_seed(0)
        net = torch.nn.Sequential(torch.nn.Embedding(5, 5)).eval()
        net.forward = lambda tokens, _: net[0](tokens)
        counted = torch.tensor([[True, True, True], [True, False, False]])
        tokens = torch.tensor([[1, 2, 3], [4, 0, 0]])
        batch = Batch(tokens, tokens.roll(1, 1), counted, torch.tensor([[0] * 3, [1] * 3]), None)
        nats = torch.nn.functional.cross_entropy(
            net[0](batch.inputs_BT).flatten(0, 1), batch.targets_BT.flatten(), reduction="none"
        )
        nats = nats.view(2, 3).double().detach()
        want = {
            ("ignore", "all"): nats[counted].mean(),
            ("ignore", "row"): (nats[0].mean() + nats[1, 0]) / 2,
            ("target", "row"): nats.mean(),
            ("denominator", "part"): nats[counted].sum() / 6,
            ("target", "step"): nats.mean(),
        }
        asked = {key: Condition(frozenset(), RunObjective(), "fp32", Way(*key)) for key in want}
        found = read(net, [StepGroup((batch,), (0,))], list(asked.values()))
        for key, value in want.items():
            assert found[asked[key]].mean == pytest.approx(float(value), abs=1e-6), key

    def test_smoothing_and_plain_come_from_one_pass(self, run):
        from diagnose.gap.run import run_replay
        from diagnose.gap.run.run import open_finished
        from diagnose.gap.run.run_reading import RunObjective, read

        finished = open_finished(run)
        own = run_replay.training_condition(finished, frozenset({"attention", "embedding", "residual"}))
        plain = replace(own, objective=RunObjective())
        groups = [run_replay.step_group(finished, 3)]
        both = read(finished.network, groups, [own, plain])
        assert both[own].mean == pytest.approx(read(finished.network, groups, [own])[own].mean, abs=1e-6)
        assert both[plain].mean == pytest.approx(read(finished.network, groups, [plain])[plain].mean, abs=1e-6)
        assert both[own].mean > both[plain].mean


class TestLedger:
    def test_terms_sum_to_the_gap(self, record):
        assert math.fsum(t["value"] or 0 for t in record["terms"]) == pytest.approx(record["gap"], rel=1e-9)
        assert sum(g["value"] for g in record["groups"]) == pytest.approx(record["gap"], rel=1e-9)
        assert sum(g["share"] for g in record["groups"]) == pytest.approx(1)

    def test_it_is_plain_data(self, record):
        assert json.loads(json.dumps(record, allow_nan=False)) == record

    def test_the_last_interval_replays_bit_for_bit(self, record):
        assert record["verified"] | {"train": 0} == {
            "train": 0, "steps": 2, "differing": 0, "largest": 0.0, "weights": True, "whole": True, "beside": [],
        }  # fmt: skip
        assert term(record, "residual")["value"] == pytest.approx(0, abs=1e-7)

    def test_matched_losses_differ_by_the_data_terms(self, record):
        assert record["matched"]["gap"] == pytest.approx(
            sum(term(record, k)["value"] or 0 for k in ("unseen", "leak")), abs=1e-9
        )

    def test_each_kind_alone_is_read(self, run, record):
        from diagnose.gap.run.run import open_finished
        from diagnose.gap.run.run_measure import measure

        found = measure(open_finished(run), budget="20000 tokens").found
        readings, sides = found.train.readings, found.sides
        alone = {k: readings[replace(sides.train, on=frozenset({k}))].mean for k in sides.kinds}
        none, full = (readings[replace(sides.train, on=on)].mean for on in (frozenset(), sides.train.on))
        assert set(alone) == {part["id"] for part in term(record, "mode")["parts"] if part["alone"]}
        assert len({round(value, 9) for value in (*alone.values(), none, full)}) == 5
        assert sum(value - none for value in alone.values()) == pytest.approx(full - none, abs=0.1)

    def test_kinds_of_dropout_divide_mode(self, record):
        mode = term(record, "mode")
        assert {p["id"] for p in mode["parts"]} == {"attention", "embedding", "residual"}
        assert sum(p["value"] for p in mode["parts"]) == pytest.approx(mode["value"], abs=1e-9)

    def test_the_same_run_gives_the_same_ledger(self, run, record):
        from diagnose import loss_gap

        again = loss_gap(run, verify=True)
        assert [t["value"] for t in again["terms"]] == [t["value"] for t in record["terms"]]

    def test_matched_validation_agrees_with_plain_pytorch(self, run, record):
        from safetensors.torch import load_file

        from diagnose.config.recipe import Recipe
        from diagnose.training import batches
        from diagnose.training.preparation import set_up

        setup = set_up(Recipe.load(run / "recipe.toml"))
        net = setup.network().eval()
        net.load_state_dict(load_file(run / "checkpoint" / "model.safetensors"), strict=False)
        nats, number = 0.0, 0
        for first in range(setup.validation.rows):  # the cut that the reported rows (16 on) are of
            b = batches.rows(setup.validation, setup.validation.rows * (16 // setup.validation.rows) + first, 1)
            with torch.no_grad():
                logits = net(b.inputs_BT, None).flatten(0, 1)
            nats += float(torch.nn.functional.cross_entropy(logits, b.targets_BT.flatten(), reduction="sum"))
            number += b.targets_BT.numel()
        assert record["matched"]["val"] == pytest.approx(nats / number, abs=1e-5)

    def test_against_itself_nothing_changed(self, run):
        from diagnose import loss_gap

        against = loss_gap(run, against=run, budget="2000 tokens")["against"]
        assert all(row["difference"] == 0 for row in against["terms"])

    def test_a_small_budget_still_closes(self, run):
        from diagnose import loss_gap

        small = loss_gap(run, budget="500 tokens")
        assert math.fsum(t["value"] or 0 for t in small["terms"]) == pytest.approx(small["gap"], rel=1e-9)

    @pytest.mark.parametrize("budget", ["", "soon", 0, -3, "nan", "0 tokens"])
    def test_a_budget_is_a_positive_amount(self, run, budget):
        from diagnose import loss_gap

        with pytest.raises(DiagnoseError, match="a budget is seconds or tokens"):
            loss_gap(run, budget=budget)


REPORTS = st.fixed_dictionaries({
    "report.train": st.sampled_from(["last", "interval", "ema", "epoch"]),
    "report.val": st.sampled_from(["batch", "full"]),
    "report.val_dropout": st.booleans(),
    "report.val_objective": st.sampled_from(["plain", "training"]),
    "report.val_loader": st.sampled_from(["training", "padded", "packed"]),
    "report.val_mean": st.sampled_from(["token", "sequence", "batch"]),
    "loss.mean": st.sampled_from(["token", "sequence", "batch"]),
    "loss.label_smoothing": st.sampled_from([0.0, 0.1]),
    "loss.weight_decay": st.sampled_from([0.0, 0.01]),
    "batches.loader": st.sampled_from(["packed", "padded", "windows"]),
    "batches.accumulate": st.sampled_from([1, 2]),
    "batches.order": st.sampled_from(["shuffled", "random", "sequential"]),
    "data.split": st.sampled_from(["documents", "tail"]),
    "data.duplicates": st.sampled_from([0.0, 0.5]),
    "model.dropout": st.sampled_from([0.0, 0.2]),
    "run.precision": st.sampled_from(["fp32", "bf16"]),
    "report.val_precision": st.sampled_from(["training", "fp32"]),
})  # fmt: skip


@settings(max_examples=6, deadline=None, derandomize=True)
@given(keys=REPORTS)
def test_any_recipe_closes_and_replays(keys, tiny, tmp_path_factory):
    from diagnose import loss_gap
    from diagnose.runs.runner import train

    path = train("quick", {**tiny, **keys, "budget.steps": 7}, runs=tmp_path_factory.mktemp("runs"))
    record = loss_gap(path, budget="8000 tokens", verify=True)
    assert math.fsum(t["value"] or 0 for t in record["terms"]) == pytest.approx(record["gap"], rel=1e-9, abs=1e-12)
    assert term(record, "residual")["value"] == pytest.approx(0, abs=1e-6)
    assert record["verified"]["differing"] == 0
    assert len(record["verdict"].split()) <= 60


class TestBadInput:
    def open(self, path, **more):
        from diagnose.gap.run.run import open_finished

        return open_finished(path, **more)

    def test_no_such_run(self, tmp_path):
        with pytest.raises(DiagnoseError, match="no run or ablation"):
            self.open(tmp_path / "nowhere")

    def test_unfinished(self, copy):
        (copy / "status.json").write_text('{"format": 1, "state": "failed", "why": "the disk is full"}')
        with pytest.raises(DiagnoseError, match=r"failed \(the disk is full\).*--resume"):
            self.open(copy)

    def test_pruned(self, copy):
        shutil.rmtree(copy / "checkpoint")
        with pytest.raises(DiagnoseError, match="keeps no checkpoint"):
            self.open(copy)

    def test_verify_without_the_interval(self, copy):
        from diagnose import loss_gap

        shutil.rmtree(copy / "interval")
        got = loss_gap(copy, verify=True, budget="2000 tokens")
        assert "keeps no checkpoint of its last interval" in got["notes"][0]
        assert "not checked" in term(got, "residual")["basis"]

    def test_changed_text(self, copy, tmp_path, verses):
        changed = tmp_path / "verses.txt"
        changed.write_text(verses.read_text() + "One more line of text.\n")
        with pytest.raises(DiagnoseError, match=r"verses\.txt is not the text of .* --data FILE"):
            self.open(copy, data=changed)

    def test_moved_text(self, copy, tmp_path, verses):
        from diagnose.config.recipe import Recipe

        moved = tmp_path / "elsewhere.txt"
        moved.write_text(verses.read_text())
        recipe = (copy / "recipe.toml").read_text().replace(str(verses), str(tmp_path / "gone.txt"))
        assert "gone.txt" in recipe
        assert self.open(copy, data=moved).setup.recipe.data.path == str(moved)
        assert Recipe.load(copy / "recipe.toml").data.path == str(verses)

    def test_changed_recipe(self, copy):
        recipe = (copy / "recipe.toml").read_text().replace("size = 8\n", "size = 4\n")
        (copy / "recipe.toml").write_text(recipe)
        with pytest.raises(DiagnoseError, match=r"recipe\.toml changed"):
            self.open(copy)

    def test_missing_records(self, copy):
        (copy / "readings.parquet").unlink()
        with pytest.raises(DiagnoseError, match=r"readings\.parquet is missing"):
            self.open(copy)

    def test_a_contradicting_record_is_found(self, copy):
        import pandas as pd

        from diagnose import loss_gap
        from diagnose.gap import thresholds
        from diagnose.records.ledgers import LedgerRecord

        rows = pd.read_parquet(copy / "readings.parquet")
        rows.loc[(rows.kind == "reported") & (rows.split == "val"), "loss"] += 0.3
        rows.to_parquet(copy / "readings.parquet")
        got = loss_gap(copy, budget="2000 tokens")
        assert term(got, "residual")["value"] == pytest.approx(0.3, abs=1e-6)
        with pytest.raises(DiagnoseError, match="does not give what it logged") as caught:
            thresholds.refuse(LedgerRecord.model_validate(got), {})
        assert caught.value.exit_code == 1


class TestSeen:
    def test_copies_and_near_copies_are_found(self, tmp_path):
        from types import SimpleNamespace

        from diagnose.data.corpus import load
        from diagnose.data.overlap import seen

        rng = np.random.default_rng(0)
        words = ["".join(chr(97 + c) for c in rng.integers(0, 26, 6)) for _ in range(400)]
        lines = [" ".join(words[20 * k : 20 * k + 20]) for k in range(10)]
        near = lines[0][:100] + " quite other words now"
        some = lines[1][:40] + " " + " ".join(words[300:320])
        path = tmp_path / "text.txt"
        path.write_text("\n".join([*lines, lines[3], near, some, " ".join(words[350:370]), "short"]) + "\n")
        data = SimpleNamespace(corpus="file", path=str(path), documents="line", split="documents", val_fraction=0.1)
        found = seen(load(data, tmp_path), np.arange(10), np.arange(10, 15))
        assert found.exact.tolist() == [True, False, False, False, False]
        assert found.near.tolist() == [False, True, False, False, False]
        assert 0 < found.share[2] < 0.5
        assert found.unseen.tolist() == [12, 13, 14]


def test_the_terminal_and_markdown_show_every_term(record):
    from rich.console import Console

    from diagnose.records.ledgers import LedgerRecord
    from diagnose.report import markdown
    from diagnose.report.console import rows
    from diagnose.report.gap_document import report_of

    report = report_of(LedgerRecord.model_validate(record))
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(rows(report))
    shown = console.export_text()
    assert max(map(len, shown.splitlines())) <= 100
    assert "mode: dropout off" in shown
    assert "gap as reported" in shown
    assert all(f"| {t['id']} |" in markdown.text_of(report) for t in record["terms"])


def test_matched_losses_agree_with_a_script_that_knows_nothing_of_us(tiny, tmp_path):
    from by_hand import both

    from diagnose import loss_gap
    from diagnose.runs.runner import train

    keys = {**tiny, "batches.loader": "padded", "batches.size": 5, "batches.context": 64}
    keys |= {"budget.steps": 27 + 1, "report.interval": 1, "report.train": "last", "report.val": "full"}
    run = train("quick", keys, runs=tmp_path)  # 135 documents: what came before the last step is one whole epoch
    matched = loss_gap(run, budget="100000000 tokens")["matched"]
    assert (matched["train"], matched["val"]) == pytest.approx(both(run), abs=2e-6)


def test_code_that_a_record_names_is_run_only_if_the_user_names_it(tiny, tmp_path, monkeypatch):
    """A run may be a stranger's: its network is code, and neither the ledger nor samples load it unasked."""
    from diagnose import loss_gap
    from diagnose.runs import inventory, runner

    monkeypatch.chdir(tmp_path)
    code = tmp_path / "net.py"
    code.write_text("from pathlib import Path\nfrom diagnose.models.gpt import build\nPath('ran').touch()\n")
    path = runner.train("quick", tiny | {"model.name": "net.py:build"}, runs=tmp_path / "runs")
    code.rename(tmp_path / "moved.py")
    (tmp_path / "ran").unlink()
    (tmp_path / "stranger").mkdir()
    stranger = shutil.copytree(path, tmp_path / "stranger" / path.name)
    (tmp_path / "net.py").write_text((tmp_path / "moved.py").read_text() + "# another\n")
    refusals = (
        lambda **more: loss_gap(stranger, budget=1, **more),
        lambda **more: inventory.samples(str(stranger), "", 1, most_bytes=5, temperature=1.0, seed=0, **more),
    )
    for ask in refusals:
        with pytest.raises(DiagnoseError, match=r"run only if you name it: --model net\.py:build"):
            ask()
        with pytest.raises(DiagnoseError, match="names another function"):
            ask(model="moved.py:other")
    assert not (tmp_path / "ran").exists()
    assert loss_gap(stranger, budget=1, model="moved.py:build")["verdict"]
    assert (tmp_path / "ran").exists()
