"""The ledger for a user's model: right figures, a model that comes back untouched, one line for each mistake."""

import doctest
import importlib
import random

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_fixture import two_ranks
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from diagnose import DiagnoseError, Side, explain_gap


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.4), nn.Linear(32, 3))


def data(count, seed, size=20):
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 10, generator=draw)
    y = (x[:, :3] + 0.5 * torch.randn(count, 3, generator=draw)).argmax(1)
    return list(zip(x.split(size), y.split(size), strict=True))


def each(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def smooth(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none", label_smoothing=0.2)


def scalar(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


@pytest.fixture(scope="module")
def trained():
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(6):
        for batch in data(400, 1):
            optimizer.zero_grad()
            scalar(model, batch).backward()
            optimizer.step()
    optimizer.zero_grad()
    return model


def value(gap, name):
    return {term["id"]: term["value"] for term in gap.record["terms"]}[name]


class TestFigures:
    def test_both_losses_measured_alike_are_plain_torch(self, trained):
        gap = explain_gap(trained, Side(data(400, 1), smooth), Side(data(300, 2), each))
        trained.eval()
        with torch.no_grad():
            train, val = (torch.cat([each(trained, b) for b in some]).mean() for some in (data(400, 1), data(300, 2)))
        trained.train()
        assert gap.matched.train == pytest.approx(float(train), rel=1e-6)
        assert gap.matched.val == pytest.approx(float(val), rel=1e-6)
        assert value(gap, "unseen") == pytest.approx(float(val - train), rel=1e-5)

    def test_label_smoothing_alone_is_all_of_the_gap(self, trained):
        gap = explain_gap(trained, Side(data(400, 1), smooth, mode="eval"), Side(data(400, 1), each))
        assert value(gap, "objective") == pytest.approx(gap.gap, abs=1e-9)
        assert gap.record["overlap"]["exact"] == 400
        assert "gap/leaking-split" in [finding["rule"] for finding in gap.findings]

    def test_an_auxiliary_loss_is_shown_by_its_name(self, trained):
        def with_more(model, batch):
            return {"loss": each(model, batch) + 0.25, "balance": torch.tensor(0.25), "accuracy": "high"}

        gap = explain_gap(trained, Side(data(400, 1), with_more), Side(data(300, 2), each))
        term = next(term for term in gap.record["terms"] if term["id"] == "objective")
        assert term["value"] == pytest.approx(-0.25, abs=1e-6)
        assert [part["id"] for part in term["parts"]] == ["balance"]
        assert "includes balance" in gap.verdict

    def test_padding_that_counts_in_the_mean(self, trained):
        def padded(model, batch):
            return torch.cat([each(model, batch), torch.zeros(20)])

        def masked(model, batch):
            loss = padded(model, batch)
            return {"loss": loss, "weights": (loss != 0).float()}

        gap = explain_gap(trained, Side(data(400, 1), padded), Side(data(300, 2), masked))
        on = gap.record["matched_on"]["train"]
        assert value(gap, "mode") + value(gap, "objective") == pytest.approx(gap.matched.train - on / 2, rel=0.02)

    def test_means_of_batches_of_unequal_size(self, trained):
        batches = data(40, 3, 40) + data(10, 4, 2)
        gap = explain_gap(trained, Side(batches, each, mode="eval", reduction="batch"), Side(batches, each))
        trained.eval()
        with torch.no_grad():
            losses = [each(trained, b) for b in batches]
        trained.train()
        means = torch.stack([loss.mean() for loss in losses]).mean()
        assert gap.record["reported"]["train"] == pytest.approx(float(means), rel=1e-6)
        assert value(gap, "reduction") == pytest.approx(float(torch.cat(losses).mean() - means), abs=1e-6)

    @pytest.mark.parametrize(("reduction", "want"), [("sum", 20.0), ("weighted", 1.0), ("sample", 1.0)])
    def test_other_reductions(self, trained, reduction, want):
        gap = explain_gap(trained, Side(data(400, 1), each, mode="eval", reduction=reduction), Side(data(400, 1), each))
        assert gap.record["reported"]["train"] == pytest.approx(want * gap.matched.train, rel=1e-6)

    def test_the_luck_of_the_batches_that_were_reported_on(self, trained):
        val = data(300, 2)
        trained.eval()
        with torch.no_grad():
            shown = float(each(trained, val[0]).mean())
        trained.train()
        gap = explain_gap(trained, Side(data(400, 1), each), Side(val, each, reported=shown, reported_on=val[:1]))
        assert value(gap, "draw") == pytest.approx(shown - gap.matched.val, abs=1e-6)
        assert value(gap, "residual") == pytest.approx(0, abs=1e-6)

    def test_which_batches_were_reported_on_is_not_guessed(self, trained):
        gap = explain_gap(trained, Side(data(400, 1), each), Side(data(300, 2), each, reported=0.9))
        draw = next(term for term in gap.record["terms"] if term["id"] == "draw")
        assert draw["value"] is None
        assert draw["low"] == -draw["high"] < 0
        assert "reported_on" in draw["basis"]

    def test_a_reported_loss_may_be_rounded_as_logs_are(self, trained):
        read = explain_gap(trained, Side(data(400, 1), each), Side(data(300, 2), each)).record["reported"]["val"]
        gap = explain_gap(trained, Side(data(400, 1), each), Side(data(300, 2), each, reported=round(read, 3)))
        assert value(gap, "draw") == 0
        assert abs(value(gap, "residual")) <= 0.0005

    @pytest.mark.parametrize(
        ("reported", "half"), [(0.486, 5e-4), (0.48, 5e-3), (0.5, 0.0), (3.0, 0.0), (0.123456789, 0.0), (768.2, 0.05)]
    )
    def test_by_how_much_a_loss_may_be_rounded(self, reported, half):
        from diagnose.gap.factor_fits import rounding

        assert rounding(reported) == pytest.approx(half)

    def test_plain_data_give_collation(self, trained):
        noisy = [(x + 0.8 * torch.randn(x.shape), y) for x, y in data(400, 1)]
        gap = explain_gap(trained, Side(noisy, each, plain=data(400, 1)), Side(data(300, 2), each))
        assert value(gap, "collation") < -0.1

    def test_plain_validation_data_give_collation_too(self, trained):
        noisy = [(x + 0.8 * torch.randn(x.shape), y) for x, y in data(300, 2)]
        gap = explain_gap(trained, Side(data(400, 1), each), Side(noisy, each, plain=data(300, 2)))
        term = next(term for term in gap.record["terms"] if term["id"] == "collation")
        losses = [
            explain_gap(trained, Side(data(400, 1), each), Side(some, each)).matched.val
            for some in (noisy, data(300, 2))
        ]
        assert term["value"] == pytest.approx(losses[0] - losses[1], abs=1e-6)
        assert term["basis"] == "the validation batches against plain ones, paired by sample"

    def test_groups_that_lie_on_both_sides_were_seen(self, trained):
        def person(batch):
            return [f"person {int(v)}" for v in batch[0][:, 0] * 10]

        train, val = data(400, 1), data(300, 2)
        gap = explain_gap(trained, Side(train, each, groups=person), Side(val, each, groups=person))
        names = [{p for b in some for p in person(b)} for some in (train, val)]
        assert gap.record["overlap"]["val_documents"] == len(names[1])
        assert gap.record["overlap"]["exact"] == len(names[0] & names[1])

    def test_windows_of_one_text_that_were_split_at_random_are_seen(self, verses):
        text = torch.tensor(list(verses.read_bytes()[:6000]))
        windows = text.unfold(0, 65, 1)[torch.randperm(5900, generator=torch.Generator().manual_seed(0))][:640]
        torch.manual_seed(0)
        model = nn.Sequential(nn.Embedding(256, 16), nn.Linear(16, 256))

        def loss(model, batch):
            tokens = batch[0]
            return F.cross_entropy(model(tokens[:, :-1]).transpose(1, 2), tokens[:, 1:], reduction="none")

        parts = [(one,) for one in windows.split(32)]
        leaking = explain_gap(model, Side(parts[:15], loss), Side(parts[15:], loss)).record["overlap"]
        assert leaking["exact"] + leaking["near"] > 0.9 * leaking["val_documents"]
        apart = [(one,) for one in text.unfold(0, 65, 65)[:92].split(8)]
        clean = explain_gap(model, Side(apart[:8], loss), Side(apart[8:], loss)).record["overlap"]
        assert clean["exact"] + clean["near"] == 0

    @pytest.mark.parametrize(
        ("reported", "mode", "words"),
        [
            (lambda x: x / 4, "train", "divided by 4"),
            (lambda x: x / np.log(2), "eval", "bits"),  # in training mode a mean over earlier steps may be as large
            (lambda x: x * 20, "train", "summed over the 20"),
        ],
    )
    def test_a_factor_is_named_where_it_fits(self, trained, reported, mode, words):
        side = Side(data(2000, 1), each, mode=mode)
        read = explain_gap(trained, side, Side(data(300, 2), each)).record["reported"]["train"]
        side = Side(data(2000, 1), each, mode=mode, reported=reported(read))
        gap = explain_gap(trained, side, Side(data(300, 2), each))
        assert words in gap.record["arithmetic"]["training"][0]["factor"]
        assert "gap/arithmetic" in [finding["rule"] for finding in gap.findings]
        assert "What is not explained" in gap.to_markdown() or "divided" in gap.verdict or "what is read" in gap.verdict

    def test_what_a_mean_over_earlier_steps_may_be_is_no_unit(self, trained):
        read = explain_gap(trained, Side(data(2000, 1), each), Side(data(300, 2), each)).record["reported"]["train"]
        side = Side(data(2000, 1), each, reported=read / np.log(2))
        assert explain_gap(trained, side, Side(data(300, 2), each)).record["arithmetic"]["training"] == []

    def test_a_factor_that_does_not_fit_is_not_named(self, trained):
        gap = explain_gap(trained, Side(data(400, 1), each, reported=0.87), Side(data(300, 2), each))
        assert gap.record["arithmetic"]["training"] == []

    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.sampled_from(["train", "eval"]), st.sampled_from(["train", "eval"]), st.sampled_from([each, smooth]),
        st.sampled_from(["mean", "batch", "sum"]), st.sampled_from([None, torch.bfloat16]),
        st.booleans(), st.booleans(), st.none() | st.floats(0.01, 5), st.none() | st.floats(0.01, 5),
    )  # fmt: skip
    def test_terms_always_sum_to_the_gap(self, mode, other, loss, reduction, cast, plain, shown, train, val):
        some = data(60, 5)
        first = Side(
            some, loss, mode=mode, reduction=reduction, autocast=cast, reported=train,
            plain=data(60, 6) if plain else None, reported_on=some[:1] if shown else None,
        )  # fmt: skip
        gap = explain_gap(network(), first, Side(data(40, 7), each, mode=other, reported=val))
        total = sum(term["value"] or 0.0 for term in gap.record["terms"])
        assert total == pytest.approx(gap.gap, rel=1e-9, abs=1e-12)
        assert gap.record["passes"]["training"] <= 8

    def test_at_most_eight_passes_with_everything_different(self, trained):
        train = Side(data(100, 1), smooth, autocast=torch.bfloat16, reduction="batch", plain=data(100, 2))
        gap = explain_gap(trained, train, Side(data(100, 3), each))
        assert gap.record["passes"]["mean"] <= 8
        assert gap.record["conditions"]["orders"] == "two opposite ones"

    def test_it_is_the_same_each_time_with_a_shuffling_loader(self, trained):
        def sides():
            x, y = (torch.cat(part) for part in zip(*data(400, 1), strict=True))
            own = torch.Generator().manual_seed(3)
            return Side(DataLoader(TensorDataset(x, y), 16, shuffle=True, generator=own), each), Side(
                data(300, 2), each
            )

        assert explain_gap(trained, *sides()).record["terms"] == explain_gap(trained, *sides()).record["terms"]


class Endless(IterableDataset):
    def __iter__(self):
        draw = torch.Generator().manual_seed(8)
        while True:
            x = torch.randn(10, generator=draw)
            yield x, x[:3].argmax()


def test_a_stream_without_an_end_is_read_as_far_as_the_budget_goes(trained):
    stream = DataLoader(Endless(), 20)
    gap = explain_gap(trained, Side(stream, each), Side(data(300, 2), each), budget="12 batches")
    assert gap.record["conditions"]["training_text"].startswith("12 batches (a part of them)")
    assert any("only 12 batches" in note for note in gap.record["notes"])
    timed = explain_gap(trained, Side(stream, each), Side(data(300, 2), each), budget=0.5)
    assert "could not be told" not in timed.verdict
    assert timed.record["overlap"]["whole"] is False


class TestStateGuard:
    def state(self, model, loader):
        weights = [t.clone() for t in (*model.parameters(), *model.buffers())]
        flags = [(m.training, len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()]
        wants = [(p.requires_grad, p.grad is None, p.grad) for p in model.parameters()]
        random_states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
        modes = torch.is_grad_enabled(), torch.is_autocast_enabled("cpu"), loader.generator.get_state().tolist()
        return weights, flags, wants, random_states, modes

    def same(self, one, two):
        assert all(torch.equal(a, b) for a, b in zip(one[0], two[0], strict=True))
        assert one[1] == two[1]
        for (wants, none, grad), (wants_2, none_2, grad_2) in zip(one[2], two[2], strict=True):
            assert (wants, none) == (wants_2, none_2)
            assert grad is grad_2
        assert one[3:] == two[3:]

    @pytest.fixture
    def setting(self):
        model = network()
        model[0].weight.requires_grad_(False)
        model[1].eval()  # frozen while the others train
        model[2].register_forward_hook(lambda *_: None)
        x, y = (torch.cat(part) for part in zip(*data(200, 1), strict=True))
        loader = DataLoader(TensorDataset(x, y), 20, shuffle=True, generator=torch.Generator().manual_seed(4))
        each(model, next(iter(loader))).mean().backward()
        return model, loader

    def test_the_model_comes_back_as_it_was(self, setting):
        model, loader = setting
        before = self.state(model, loader)
        explain_gap(model, Side(loader, smooth), Side(data(100, 2), each))
        self.same(before, self.state(model, loader))

    def test_a_frozen_batch_norm_stays_frozen(self, setting):
        model, loader = setting
        assert explain_gap(model, Side(loader, each), Side(data(100, 2), each)).record["conditions"]["kinds"]
        parts = explain_gap(model, Side(loader, each), Side(data(100, 2), each)).record["terms"][2]["parts"]
        norm = [part["value"] for part in parts if part["id"] == "batch norm"]
        assert norm in ([], [0.0])

    @pytest.mark.parametrize("when", [0, 3])
    def test_also_after_an_error_in_the_middle(self, setting, when):
        model, loader = setting
        before, calls = self.state(model, loader), []

        def failing(model, batch):
            calls.append(1)
            if len(calls) > when:
                model.train(not model.training)
                random.random()
                raise KeyError("x")
            return each(model, batch)

        with pytest.raises(DiagnoseError, match="the objective of the validation side fails on batch"):
            explain_gap(model, Side(loader, each), Side(data(100, 2), failing))
        self.same(before, self.state(model, loader))

    @pytest.mark.parametrize(
        "change",
        [
            lambda m: m[4].weight.data.add_(1.0),
            lambda m: m.append(nn.ReLU()),
            lambda m: m[0].register_buffer("more", torch.zeros(1)),
            lambda m: setattr(m[4].weight, "grad", torch.ones_like(m[4].weight)),
            lambda m: setattr(m[4].weight, "data", torch.zeros_like(m[4].weight)),
        ],
    )
    def test_an_objective_that_changes_the_model_is_refused_and_undone(self, setting, change):
        model, loader = setting
        before = self.state(model, loader)

        def changing(model, batch):
            loss = each(model, batch)
            change(model)
            return loss

        with pytest.raises(DiagnoseError, match="changes the model"):
            explain_gap(model, Side(loader, changing), Side(data(100, 2), each))
        self.same(before, self.state(model, loader))
        assert len(model) == 5

    def test_a_running_optimizer_goes_on_as_if_nothing_had_been(self):
        def train(explained):
            model = network()
            optimizer = torch.optim.Adam(model.parameters(), 1e-2)
            for number, batch in enumerate(data(200, 1)):
                optimizer.zero_grad()
                scalar(model, batch).backward()
                optimizer.step()
                if explained and number == 4:
                    explain_gap(model, Side(data(60, 1), each), Side(data(60, 2), each))
            return [p.detach().clone() for p in model.parameters()]

        assert all(torch.equal(a, b) for a, b in zip(train(True), train(False), strict=True))


def val():
    return Side(data(40, 2), each)


def train(objective=each, batches=None, **keys):
    return Side(data(40, 1) if batches is None else batches, objective, **keys)


def with_weights(model, batch):
    return {"loss": each(model, batch), "weights": torch.ones(3)}


def elsewhere():
    return [tuple(part.to("meta") for part in batch) for batch in data(40, 1)]


WRONG = {
    "yields no batch": lambda: (network(), train(batches=[]), val()),
    "the validation side yields no batch": lambda: (network(), train(), Side([], each)),
    "read once only": lambda: (network(), train(batches=iter(data(40, 1))), val()),
    "is a generator, which can be read once": lambda: (network(), train(batches=(b for b in data(40, 1))), val()),
    "returns NaN or infinity": lambda: (network(), train(lambda m, b: each(m, b) / 0), val()),
    "returns an empty tensor": lambda: (network(), train(lambda m, b: each(m, b)[:0]), val()),
    "returns float; it must return a tensor": lambda: (network(), train(lambda *_: 0.5), val()),
    "does not depend on the model": lambda: (network(), train(lambda *_: torch.full((20,), 0.7)), val()),
    "reported is a Tensor; give a number, loss.item": lambda: (network(), train(reported=torch.tensor(0.4)), val()),
    "reported is a str": lambda: (network(), train(reported="0.4"), val()),
    "reported is nan": lambda: (network(), train(reported=float("nan")), val()),
    "the model is in float16": lambda: (network().half(), train(), val()),
    "losses in bfloat16": lambda: (network(), train(lambda m, b: each(m, b).bfloat16()), val()),
    "device 'meta'": lambda: (network().to("meta"), train(), val()),
    "the batch is on meta and the model on cpu": lambda: (network(), train(batches=elsewhere()), val()),
    "returns weights of shape": lambda: (network(), train(with_weights), val()),
    "a dictionary without 'loss'": lambda: (network(), train(lambda m, b: {"los": each(m, b)}), val()),
    "groups returns 3 identities": lambda: (network(), train(groups=lambda _: [1, 2, 3]), val()),
    "there is no reduction 'mena'": lambda: (network(), train(reduction="mena"), val()),
    "mode is 'training'": lambda: (network(), train(mode="training"), val()),
    "objective is a float": lambda: (network(), train(0.5), val()),
    "batches is a Tensor": lambda: (network(), train(batches=torch.zeros(3)), val()),
    "model is a function": lambda: (each, train(), val()),
    "val is a list; give val=Side": lambda: (network(), train(), data(40, 2)),
    "reduction='sample' needs the loss of each sample": lambda: (
        network(), train(scalar, reduction="sample"), Side(data(40, 2), scalar)),
    "fails on batch 1 of the training side": lambda: (
        network(), train(lambda m, b: F.cross_entropy(m(b[0]), b[1][:3])), val()),
}  # fmt: skip


class TestMistakes:
    @pytest.mark.parametrize("said", WRONG)
    def test_one_line_says_what_is_wrong(self, said):
        with pytest.raises(DiagnoseError) as error:
            explain_gap(*WRONG[said]())
        assert said in str(error.value)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize("budget", [0, -1, "much", "5 apples", float("nan")])
    def test_a_budget_is_seconds_or_batches(self, budget):
        with pytest.raises(DiagnoseError, match="budget is"):
            explain_gap(network(), Side(data(40, 1), each), Side(data(40, 2), each), budget=budget)

    def test_a_budget_of_batches_reads_as_many(self):
        gap = explain_gap(network(), Side(data(400, 1), each), Side(data(400, 2), each), budget="9 batches")
        assert gap.record["conditions"]["training_text"].startswith("9 batches (a part of them)")
        assert gap.record["budget"]["sharpens"]


class TestWhatPeopleSee:
    def test_the_terminal_and_the_table(self, trained):
        gap = explain_gap(trained, Side(data(400, 1), smooth, reported=0.9), Side(data(300, 2), each, reported=0.5))
        assert gap.verdict.split()[0] in str(gap)
        assert max(map(len, str(gap).splitlines())) <= 100
        assert list(gap.terms.columns) == ["id", "value", "low", "high", "share", "basis", "how"]
        assert gap.terms.share.sum() == pytest.approx(1)
        assert gap.terms.share.isna().tolist() == gap.terms.value.isna().tolist()
        assert max(map(len, repr(gap.terms).splitlines())) <= 80
        assert "..." not in repr(gap.terms)
        assert type(gap.terms[["id", "how"]]).__name__ == "DataFrame"
        assert "<iframe srcdoc=" in gap._repr_html_()
        assert repr(gap).startswith("Gap(-0.4000: ")

    def test_the_page_is_whole_and_foreign_names_are_text(self, trained, tmp_path):
        def loss(model, batch):
            return {"loss": each(model, batch), "<script>alert(1)</script>": torch.tensor(0.5)}

        loss.__qualname__ = "<img src=x onerror=alert(1)>\u202e"
        gap = explain_gap(trained, Side(data(400, 1), loss), Side(data(300, 2), each))
        page = gap.to_html(tmp_path / "gap.html").read_text(encoding="utf-8")
        assert gap.verdict.split(" because")[0] in page
        assert "<script" not in page
        assert "<img src=x" not in page
        assert "\u202e" not in page
        assert "times through the model" in page

    def test_a_page_that_cannot_be_written_is_one_line(self, trained, tmp_path):
        gap = explain_gap(trained, Side(data(40, 1), each), Side(data(40, 2), each))
        (tmp_path / "file").write_text("")
        with pytest.raises(DiagnoseError, match="the page cannot be written"):
            gap.to_html(tmp_path / "file" / "gap.html")

    @pytest.mark.parametrize(
        "name", ["diagnose.api", "diagnose.report.gap_result", "diagnose.gap.side", "diagnose.gap.recorder.recorder"]
    )
    def test_examples_in_docstrings_run(self, name):
        assert doctest.testmod(importlib.import_module(name)).failed == 0


def of_two_processes():
    """Return the losses matched, and what is said where one process has a wrong loss."""
    torch.distributed.init_process_group("gloo")
    rank = torch.distributed.get_rank()
    model = nn.parallel.DistributedDataParallel(network())
    train, val = (data(400, seed)[rank::2] for seed in (1, 2))
    gap = explain_gap(model, Side(train, each), Side(val, each))
    try:
        explain_gap(model, Side(train, each if rank == 0 else lambda *_: 3.0), Side(val, each))
    except DiagnoseError as error:
        return gap.matched.train, gap.matched.val, str(error)


def test_two_processes_get_the_ledger_of_all_batches():
    one = explain_gap(network(), Side(data(400, 1), each), Side(data(400, 2), each))
    for *matched, said in two_ranks(of_two_processes):
        assert matched == pytest.approx([one.matched.train, one.matched.val], rel=1e-6)
        assert "rank 1: " in said
