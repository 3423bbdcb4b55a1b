"""A recorded loop: `lag` and `recency` as brute force gives them, from memory and from the shell; little is kept."""

import json
from collections import UserDict
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from command_fixture import diagnose
from torch import nn
from torch.nn import functional as F
from typer.testing import CliRunner

from diagnose import DiagnoseError, GapRecorder, Side, audit_metric, explain_gap
from diagnose.cli import app
from diagnose.gap.recorder.recording import read_record

FILE = """
import torch
from torch import nn
from torch.nn import functional as F
from typer.testing import CliRunner

def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 3))

def objective(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])
"""


def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 3))


def objective(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def data(count, seed):
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 10, generator=draw)
    return list(zip(x.split(20), x[:, :3].argmax(1).split(20), strict=True))


class Loop:
    """A loop of 50 steps that logs the mean of the last 20, with what is needed to go back by hand."""

    def __init__(self, folder, **keys):
        self.model, self.batches, self.losses, self.states = build(), data(600, 1), [], []
        optimizer = torch.optim.Adam(self.model.parameters(), 3e-3)
        torch.manual_seed(7)
        self.recorder = GapRecorder(folder, self.model, **({"interval": 20} | keys))
        for step in range(50):
            batch = self.batches[step % 30]
            self.states.append(torch.get_rng_state())
            loss = objective(self.model, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            self.losses.append(loss.item())
            self.recorder.step(batch, loss)
        self.model.eval()
        self.val = data(100, 2)
        with torch.no_grad():
            for batch in self.val:
                self.recorder.validation(batch, objective(self.model, batch))
        self.model.train()

    def again(self, steps):
        """Return the mean loss of steps under the final weights and their own masks."""
        out = []
        with torch.no_grad():
            for step in steps:
                torch.set_rng_state(self.states[step])
                out.append(objective(self.model, self.batches[step % 30]).item())
        return sum(out) / len(out)


@pytest.mark.parametrize(("seconds", "steps"), [(0.0, 40), (3600.0, None)])
def test_a_loop_that_goes_on_long_enough_is_written_before_it_ends(seconds, steps, tmp_path, monkeypatch):
    monkeypatch.setattr("diagnose.gap.recorder.recorder.FIRST_SECONDS", seconds)
    monkeypatch.setattr("diagnose.gap.recorder.recorder.WRITE_SHARE", 1e9)
    Loop(tmp_path / "mine")  # never closed
    if steps is None:
        assert not (tmp_path / "mine" / "record").exists()
    else:
        assert read_record(tmp_path / "mine")[0].steps == steps


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    return Loop(tmp_path_factory.mktemp("runs") / "mine")


def terms(gap):
    return {term["id"]: term for term in gap.record["terms"]}


def test_lag_is_that_of_brute_force(loop):
    gap = explain_gap(loop.model, objective, objective, recorder=loop.recorder)
    logged = sum(loop.losses[20:40]) / 20
    assert gap.record["reported"]["train"] == pytest.approx(logged, rel=1e-6)
    assert terms(gap)["lag"]["value"] == pytest.approx(loop.again(range(20, 40)) - logged, abs=1e-6)
    assert terms(gap)["lag"]["low"] is None
    assert terms(gap)["residual"]["value"] == pytest.approx(0, abs=1e-6)
    assert gap.record["verified"]["largest"] < 1e-6
    assert sum(term["value"] or 0 for term in gap.record["terms"]) == pytest.approx(gap.gap, abs=1e-12)


def test_recency_is_against_all_batches_where_they_are_given(loop):
    gap = explain_gap(loop.model, Side(loop.batches, objective), Side(loop.val, objective), recorder=loop.recorder)
    loop.model.train()
    with torch.no_grad():
        whole = sum(objective(loop.model, b).item() for b in loop.batches * 40) / 1200
    found = terms(gap)["recency"]
    assert found["low"] <= whole - loop.again(range(20, 40)) <= found["high"]


def test_the_last_step_alone(tmp_path):
    loop = Loop(tmp_path / "last", reports="last")
    gap = explain_gap(loop.model, objective, objective, recorder=loop.recorder)
    assert gap.record["reported"]["train"] == pytest.approx(loop.losses[-1], rel=1e-6)
    assert terms(gap)["lag"]["value"] == pytest.approx(loop.again([49]) - loop.losses[-1], abs=1e-6)


def test_a_running_mean_as_keras_shows_it_is_named(loop, tmp_path):
    running = sum(loop.losses) / 50
    side = Side(loop.batches, objective, reported=running, reduction="batch")
    gap = explain_gap(loop.model, side, Side(loop.val, objective), recorder=loop.recorder)
    assert [fit["factor"] for fit in gap.record["arithmetic"]["training"]] == [
        "the mean since the epoch began, as Keras shows it", "the mean since training began",
    ]  # fmt: skip
    exact = Loop(tmp_path / "epoch", reports="epoch")
    gap = explain_gap(exact.model, objective, objective, recorder=exact.recorder)
    assert gap.record["reported"]["train"] == pytest.approx(running, rel=1e-6)
    assert terms(gap)["lag"]["value"] == pytest.approx(exact.again(range(50)) - running, abs=1e-6)


def test_a_smoothed_loss_is_named_though_its_epoch_is_short(tmp_path):
    """As fastai shows it, over all steps: the record keeps the losses of the last 20 of 50 alone."""
    loop = Loop(tmp_path / "mine")
    smoothed = weight = 0.0
    for loss in loop.losses:
        smoothed, weight = 0.98 * smoothed + 0.02 * loss, 0.98 * weight + 0.02
    side = Side(loop.batches, objective, reported=smoothed / weight, reduction="batch")
    gap = explain_gap(loop.model, side, Side(loop.val, objective), recorder=loop.recorder)
    (fit,) = gap.record["arithmetic"]["training"]
    assert fit["factor"] == "a decaying mean over steps (smoothed with 0.98)"


def test_with_little_room_lag_is_a_sample_and_says_so(tmp_path):
    loop = Loop(tmp_path / "small", reports="epoch", most_bytes=600_000)
    kept = loop.recorder.record()
    assert len(kept.window) < 50
    found = terms(explain_gap(loop.model, objective, objective, recorder=loop.recorder))["lag"]
    assert "a sample" in found["basis"]
    assert found["low"] <= loop.again(range(50)) - sum(loop.losses) / 50 <= found["high"]


def test_what_is_kept_is_a_copy(tmp_path):
    model = build()
    recorder = GapRecorder(tmp_path / "copy", model)
    batch = data(20, 1)[0]
    first = batch[0].clone()
    recorder.step(batch, objective(model, batch))
    batch[0].zero_()
    assert torch.equal(recorder.record().window[0].batch[0], first)


def test_hooks_come_off(tmp_path):
    model = build()
    with GapRecorder(tmp_path / "hooks", model) as recorder:
        recorder.step(data(20, 1)[0], 0.5)
    assert not model._forward_pre_hooks


def run(*words, cwd):
    return diagnose(cwd, "loss-gap", *words)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shell")
    loop = Loop(folder / "runs" / "mine")
    loop.recorder.close()
    (folder / "net.py").write_text(FILE, encoding="utf-8")
    gap = explain_gap(loop.model, objective, objective, recorder=loop.recorder)
    return folder, terms(gap)


class TestFromTheShell:
    def test_it_says_the_same(self, folder):
        where, want = folder
        found = run("runs/mine", "--model", "net.py:build", "--json", cwd=where)
        assert found.returncode == 0, found.stderr
        record = json.loads(found.stdout)
        for term in record["terms"]:
            if want[term["id"]]["value"] is not None:
                assert term["value"] == pytest.approx(want[term["id"]]["value"], abs=1e-6), term["id"]
        assert "diagnose loss-gap runs/mine --model net.py:build" in (where / record["page"]).read_text(
            encoding="utf-8"
        )

    def test_its_page_is_rendered_again_from_what_is_stored(self, folder):
        where, _ = folder
        run("runs/mine", "--model", "net.py:build", cwd=where)
        page = where / "reports" / "mine-gap.html"
        before = page.read_bytes()
        page.unlink()
        assert diagnose(where, "report", "runs/mine").returncode == 0
        assert page.read_bytes() == before

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ([], "give the file that builds it, as --model FILE.py:build"),
            (["--model", "nte.py:build"], "there is no file nte.py; did you mean 'net.py'?"),
            (["--model", "net.py:biuld"], "did you mean 'build'?"),
            (["--model", "bare.py:build"], "lacks the losses: write train_loss(model, batch)"),
            (["--model", "other.py:build"], "is not the network that was recorded"),
            (["--model", "none.py:build"], "builds a int, not a torch.nn.Module"),
            (["--model", "net.py:build", "--verify"], "--verify need"),
        ],
    )
    def test_a_mistake_is_one_line(self, folder, words, said):
        where, _ = folder
        (where / "bare.py").write_text(FILE.partition("def objective")[0], encoding="utf-8")
        (where / "other.py").write_text(FILE.replace("32", "16"), encoding="utf-8")
        (where / "none.py").write_text("def build():\n    return 3\n\nobjective = print\n", encoding="utf-8")
        found = run("runs/mine", *words, cwd=where)
        assert found.returncode == 2
        assert said in found.stderr
        assert len(found.stderr.strip().splitlines()) == 1

    def test_a_damaged_record_is_one_line(self, folder, tmp_path):
        import shutil

        where, _ = folder
        shutil.copytree(where, tmp_path, dirs_exist_ok=True)
        (tmp_path / "runs" / "mine" / "record" / "model.safetensors").write_bytes(b"x")
        found = run("runs/mine", "--model", "net.py:build", cwd=tmp_path)
        assert found.returncode == 2
        assert "damaged" in found.stderr
        assert "Traceback" not in found.stderr


@pytest.mark.parametrize(
    ("keys", "said"),
    [({"reports": "mean"}, "reports is 'mean'"), ({"interval": 0}, "interval is 0"), ({"model": 3}, "model is an int")],
)
def test_settings_are_checked(tmp_path, keys, said):
    with pytest.raises(DiagnoseError, match=said):
        GapRecorder(tmp_path / "wrong", keys.pop("model", build()), **keys)


def test_a_loss_is_one_number(tmp_path):
    recorder = GapRecorder(tmp_path / "loss", build())
    for loss, said in ((torch.zeros(3), "has the shape"), ("0.3", "is a str")):
        with pytest.raises(DiagnoseError, match=said):
            recorder.step(data(20, 1)[0], loss)


def test_a_batch_that_cannot_be_kept_says_what_to_do(tmp_path):
    recorder = GapRecorder(tmp_path / "strange", build())
    with pytest.raises(DiagnoseError, match="or ids of batches and fetch"):
        recorder.step({"x": object()}, 0.5)


def test_a_batch_that_is_an_object_is_kept(tmp_path):
    class Pairs:
        def __init__(self, x, y):
            self.x, self.y, self.source = x, y, object()

    model, (x, y) = build(), data(20, 1)[0]
    recorder = GapRecorder(tmp_path / "objects", model, reports="last")
    recorder.step(Pairs(x, y), objective(model, (x, y)))
    recorder.validation(Pairs(x, y), objective(model, (x, y)))
    recorder.close()
    model.eval()

    def of_object(model, batch):
        return objective(model, (batch.x, batch.y))

    in_memory = explain_gap(model, of_object, of_object, recorder=recorder)
    on_disk = explain_gap(model, of_object, of_object, recorder=read_record(tmp_path / "objects")[0])
    assert terms(in_memory)["lag"]["value"] == pytest.approx(0, abs=1e-6)
    assert [term["value"] for term in on_disk.record["terms"]] == [t["value"] for t in in_memory.record["terms"]]


class Slots:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y


class Encoding(UserDict):
    """As a tokenizer's batch: its values are attributes, too."""

    def __getattr__(self, name):
        try:
            return self.data[name]
        except KeyError:
            raise AttributeError(name) from None


class Graph:
    """As torch_geometric's: it iterates over pairs, holds its tensors privately, and knows how it is copied."""

    def __init__(self, x, y):
        self._store = {"x": x, "y": y}

    def __getattr__(self, name):
        if name.startswith("_") or name not in self._store:
            raise AttributeError(name)
        return self._store[name]

    def __getitem__(self, name):
        return self._store[name]

    def __iter__(self):
        return iter(self._store.items())

    def keys(self):
        return list(self._store)

    def to_dict(self):
        return self._store

    def clone(self):
        return Graph(**{name: value.clone() for name, value in self._store.items()})


class Named(dict):
    """A table that is made of two tensors."""

    def __init__(self, x, y):
        super().__init__(x=x, y=y)

    __getattr__ = dict.get


class Pair(NamedTuple):
    x: torch.Tensor
    y: torch.Tensor


@pytest.mark.parametrize("kind", [Slots, Graph, Named, Pair, lambda x, y: Encoding({"x": x, "y": y})])
def test_batches_of_all_kinds_are_read_as_tuples_are(tmp_path, kind):
    def of_tuple(model, batch):
        return F.cross_entropy(model(batch[0]), batch[1], reduction="none")

    def of_kind(model, batch):
        return of_tuple(model, (batch.x, batch.y))

    found = []
    for made, of in ((lambda *pair: pair, of_tuple), (kind, of_kind)):
        model, train, val = build(), data(200, 1), data(100, 2)
        train, val = ([made(*(t.clone() for t in batch)) for batch in some] for some in (train, [train[0], *val]))
        recorder = GapRecorder(tmp_path / str(len(found)), model, reports="last")
        recorder.step(train[0], of(model, train[0]).mean())
        recorder.validation(val[0], of(model.eval(), val[0]).mean())
        recorder.close()
        sides = Side(train, of), Side(val, of)
        gaps = [explain_gap(model, *sides), explain_gap(model, of, of, recorder=recorder)]
        record = read_record(tmp_path / str(len(found)))[0]
        gaps.append(explain_gap(model, of, of, recorder=record))
        audited = {finding["rule"] for finding in audit_metric(model, *sides).findings}
        found.append(([gap.terms.value.fillna(0).tolist() for gap in gaps], audited))
    assert found[0][1] == found[1][1] == {"split-overlap-exact"}
    for tuples, others in zip(found[0][0], found[1][0], strict=True):
        assert others == pytest.approx(tuples, abs=1e-6)


def test_masks_are_those_of_the_part_that_is_logged(tmp_path):
    """Of a step of three accumulated parts the last one's batch and loss are recorded, as nanoGPT prints it."""
    model, parts = build(), data(600, 3)
    recorder = GapRecorder(tmp_path / "parts", model, reports="last")
    for step in range(4):
        for part in range(3):
            batch = parts[3 * step + part]
            loss = objective(model, batch)
        recorder.step(batch, loss)
    gap = explain_gap(model, Side(parts, objective), Side(data(100, 2), objective), recorder=recorder)
    recorder.detach()
    assert terms(gap)["lag"]["value"] == pytest.approx(0, abs=1e-6)  # no weight moved


def test_an_interval_begins_anew_where_the_loop_says_so(tmp_path):
    model, batches = build(), data(600, 4)
    recorder = GapRecorder(tmp_path / "anew", model, interval=5)
    for _ in range(2):
        recorder.epoch()
        for number in range(13):
            recorder.step(batches[number], float(number))
    recorder.detach()
    assert recorder.record().losses == [5.0, 6.0, 7.0, 8.0, 9.0]
    assert recorder.record().first == 13 + 5


def test_ids_in_place_of_batches(tmp_path):
    some = data(100, 1)
    model = build()
    recorder = GapRecorder(tmp_path / "ids", model, fetch=some.__getitem__)
    for number in range(5):
        recorder.step(number, objective(model, some[number]))
    recorder.validation(0, objective(model, some[0]))
    kept = recorder.record()
    assert [step.batch for step in kept.window] == list(range(5))
    assert terms(explain_gap(model, objective, objective, recorder=recorder))["lag"]["value"] == pytest.approx(
        0, abs=1e-6
    )
    recorder.close()
    size = sum(f.stat().st_size for f in Path(tmp_path / "ids" / "record").glob("window*"))
    assert size < 5 * 11_000  # random states alone


def test_a_record_without_a_ledger_says_how_one_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = torch.nn.Linear(4, 1)
    with GapRecorder("runs/mine", model, interval=2) as recorder:
        for _ in range(4):
            batch = torch.randn(8, 4)
            recorder.step(batch, model(batch).mean())
    shown = CliRunner().invoke(app, ["report", "runs/mine"])
    assert isinstance(shown.exception, DiagnoseError)
    assert "`diagnose loss-gap runs/mine --model FILE.py:build`" in str(shown.exception)


@pytest.mark.parametrize("side", ["training", "validation"])
def test_a_loss_that_is_no_number_ends_no_training(tmp_path, side):
    model, batch = nn.Linear(4, 1), torch.randn(8, 4)

    def loss(model, batch):
        return model(batch).square().mean()

    recorder = GapRecorder(tmp_path / "run", model)
    recorder.step(batch, 1.5)
    recorder.step(batch, torch.tensor(float("nan" if side == "training" else 1.25)))
    recorder.validation(batch, float("inf") if side == "validation" else 1.0)
    recorder.close()
    for kept in (recorder, read_record(tmp_path / "run")[0]):
        with pytest.raises(DiagnoseError, match=rf"^the recorded {side} loss is (nan|inf) at step 2: it has no parts$"):
            explain_gap(model, loss, loss, recorder=kept)


def test_a_record_without_a_step_is_told_in_one_line(tmp_path):
    model, batch = nn.Linear(4, 1), torch.randn(8, 4)
    recorder = GapRecorder(tmp_path / "run", model)
    recorder.validation(batch, 1.0)
    recorder.close()
    with pytest.raises(DiagnoseError, match=r"^the record holds no training step: call recorder\.step"):
        explain_gap(model, lambda m, b: m(b).square().mean(), lambda m, b: m(b).square().mean(), recorder=recorder)


@pytest.mark.parametrize(("digits", "named"), [(6, True), (4, True), (2, False)])
def test_a_loss_that_is_printed_a_step_before_the_last_is_named(tmp_path, digits, named):
    """Where its digits are too few to be no other step's, it is not."""
    model, train, val = build(), data(400, 1), data(100, 2)
    recorder, losses = GapRecorder(tmp_path / "before", model, reports="last"), []
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for batch in train:
        loss = objective(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        recorder.step(batch, loss)
        losses.append(loss.item())
    recorder.detach()
    sides = Side(train, objective, reported=round(losses[-2], digits)), Side(val, objective)
    gap = explain_gap(model, *sides, recorder=recorder)
    assert ("the last but one step's loss" in gap.verdict) == named


def test_a_validation_before_further_steps_is_told(tmp_path):
    model, train, val = build(), data(400, 1), data(100, 2)
    recorder = GapRecorder(tmp_path / "inside", model, interval=5)
    for number, batch in enumerate(train):
        recorder.step(batch, objective(model, batch))
        if number == 11:
            recorder.validation(val[0], objective(model, val[0]))
    recorder.detach()
    (said,) = recorder.record().said
    assert "after step 12, and 8 steps" in said
