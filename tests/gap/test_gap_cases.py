"""Causes that people reported in public, rebuilt small: what the ledger says against plain torch."""

import copy
import math
from collections import deque

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, WeightedRandomSampler

from diagnose import GapRecorder, Side, audit_metric, explain_gap
from diagnose.errors import DiagnoseError


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def blobs(count, seed, classes=4, width=16, noise=1.5):
    draw = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, width, generator=torch.Generator().manual_seed(99))
    y = torch.randint(0, classes, (count,), generator=draw)
    return centres[y] + noise * torch.randn(count, width, generator=draw), y


def cut(data, size):
    return list(zip(*(part.split(size) for part in data), strict=True))


def mlp(width=16, hidden=64, classes=4, p=0.0, norm=False):
    torch.manual_seed(0)
    middle = [nn.BatchNorm1d(hidden)] if norm else []
    return nn.Sequential(nn.Linear(width, hidden), *middle, nn.ReLU(), nn.Dropout(p), nn.Linear(hidden, classes))


def ce(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def fit(model, batches, loss=ce, steps=150):
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 3e-3)
    torch.manual_seed(0)
    for _ in range(steps):
        batch = batches[int(torch.randint(len(batches), ()))]
        optimizer.zero_grad()
        loss(model, batch).mean().backward()
        optimizer.step()
    return model


@torch.no_grad()
def mean(loss, model, batches, mode="eval"):
    before = copy.deepcopy(model.state_dict())
    model.train(mode == "train")
    found = sum(float(loss(model, batch).mean()) for batch in batches) / len(batches)
    model.load_state_dict(before)
    return found


def values(gap):
    found = {term["id"]: term["value"] or 0.0 for term in gap.record["terms"]}
    assert sum(found.values()) == pytest.approx(gap.gap, rel=1e-9, abs=1e-9)
    return found


def term(gap, name):
    return next(one for one in gap.record["terms"] if one["id"] == name)


def rules(found):
    return {one["rule"] for one in found.findings}


P = torch.randn(512, 8, generator=torch.Generator().manual_seed(0))


def nce(model, x):
    z = F.normalize(model(x), dim=1)
    other = F.normalize(model(x + 0.1), dim=1)
    return F.cross_entropy(z @ other.T / 0.2, torch.arange(len(x)), reduction="none")


def sums(model, x):
    return model(x).square().sum(1)


def squares(model, x):
    return model(x).square().mean(1)


def halves(model, x):
    return model(x).abs()


def scalar_mean(model, x):
    return squares(model, x).mean()


def scalar_sum(model, x):
    return sums(model, x).sum()


def uneven(model, x):
    """Give losses of which more count where a sample is large."""
    loss = model(x).square()
    return {"loss": loss, "weights": (x[:, :4] > -0.3).float() + 0.1}


class TestBatching:
    @pytest.mark.parametrize(
        ("loss", "sizes", "reduction"),
        [
            (sums, (64, 256), "sum"),
            (sums, (128, 32), "sum"),
            (nce, (128, 16), "mean"),
            (nce, (16, 64), "mean"),
            (lambda m, x: sums(m, x).sum(), (64, 128), "mean"),
        ],
    )
    def test_the_same_data_in_other_batches_is_all_batching(self, loss, sizes, reduction):
        one, two = (Side(list(P.split(size)), loss, reduction=reduction) for size in sizes)
        gap = explain_gap(nn.Linear(8, 4), one, two)
        assert values(gap)["batching"] == pytest.approx(gap.gap, rel=1e-4)
        assert values(gap)["unseen"] == pytest.approx(0, abs=1e-4 * abs(gap.gap))
        assert "the loss depends on the batch" in gap.verdict

    def test_a_ragged_mean_of_batch_means_is_the_averaging_of_validation(self):
        model, ragged = nn.Linear(8, 4), torch.cat([P[:256], 9 * P[:2]])
        val = list(ragged.split(64))
        gap = explain_gap(
            model, Side(list(P[:256].split(64)), squares, reduction="batch"), Side(val, squares, reduction="batch")
        )
        with torch.no_grad():
            over_batches = sum(float(squares(model, x).mean()) for x in val) / len(val)
            over_all, train = float(squares(model, ragged).mean()), float(squares(model, P[:256]).mean())
        assert values(gap)["reduction"] == pytest.approx(over_batches - over_all, rel=1e-4)
        found = term(gap, "reduction")
        assert found["low"] == pytest.approx(found["value"], rel=1e-6)  # exact on these data: training's is not ragged
        assert "Not resolved: the averaging" not in gap.verdict
        assert values(gap)["unseen"] == pytest.approx(over_all - train, rel=1e-4)

    def test_batch_norm_in_training_mode_on_both_sides(self):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 4))
        some = [Side(list(P.split(size)), squares, mode="train") for size in (4, 128)]
        gap = explain_gap(model, *some)
        assert values(gap)["batching"] == pytest.approx(gap.gap, abs=1e-4)

    def test_tables_and_pairs_are_batched_anew(self):
        def loss(model, batch):
            return nce(model, batch["x"])

        def tables(size):
            return [{"x": x, "more": (x[:, 0], ["name"] * len(x))} for x in P.split(size)]

        gap = explain_gap(nn.Linear(8, 4), Side(tables(128), loss), Side(tables(16), loss))
        assert values(gap)["batching"] == pytest.approx(gap.gap, rel=1e-3)

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(st.data())
    def test_with_the_same_data_no_data_term_excludes_zero(self, data):
        """Whatever the objectives, averages, batches, modes and models of the two sides, no data differ."""
        losses = (sums, squares, nce, halves, scalar_mean, scalar_sum, uneven)
        first = data.draw(st.sampled_from(losses))
        last = data.draw(st.sampled_from([first, first, *(losses[:4] if first in losses[:4] else [first])]))
        scalar = first in (scalar_mean, scalar_sum)
        sides = []
        for loss in (first, last):
            reduction = data.draw(st.sampled_from(["mean", "batch", "sum", "weighted", "sample"][: 4 if scalar else 5]))
            size, mode = (
                data.draw(st.sampled_from([8, 16, 24, 40, 64, 128])),
                data.draw(st.sampled_from(["train", "eval"])),
            )
            sides.append((list(P[:256].split(size)), loss, {"reduction": reduction, "mode": mode}))
        if sides[0][2]["reduction"] != sides[1][2]["reduction"] and "sum" in (one[2]["reduction"] for one in sides):
            sides[0][2]["reduction"] = sides[1][2]["reduction"]  # a sum against a mean: the unit differs
        torch.manual_seed(0)
        middle = data.draw(st.sampled_from([nn.Identity(), nn.Dropout(0.3), nn.BatchNorm1d(8)]))
        model = nn.Sequential(nn.Linear(8, 8), middle, nn.Linear(8, 4))
        gap = explain_gap(model, *(Side(some, loss, **keys) for some, loss, keys in sides))
        found = term(gap, "unseen")
        assert found["low"] is None or found["low"] <= 1e-6 * abs(gap.matched.train) + 1e-9
        assert found["high"] is None or found["high"] >= -1e-6 * abs(gap.matched.train) - 1e-9
        assert not term(gap, "leak")["value"]


def batches(kind, seed):
    draw, out = torch.Generator().manual_seed(seed), []
    for _ in range(10):
        x = torch.randn(32, 32, generator=draw)
        y = torch.randint(0, 4, (32,), generator=draw)
        ids = torch.randint(0, 90, (32, 16), generator=draw)
        prompts = torch.arange(12).expand(32, 12).clone()
        several = (torch.arange(12)[None] * 7 + y[:, None] * 5) % 97
        out.append({
            "multilabel": {"x": x, "labels": F.one_hot(y, 12)},
            "labels first": {"labels": F.one_hot(y, 12).float(), "x": x},
            "mask first": {"attention_mask": torch.ones(32, 16, dtype=torch.long), "input_ids": ids, "x": x},
            "one prompt": {"input_ids": prompts, "x": x},
            "four prompts": {"input_ids": several, "x": x},
            "positions": {"position_ids": torch.arange(16).expand(32, 16).clone(), "input_ids": ids, "x": x},
            "pictures": {"mask": torch.ones(32, 8, 8, dtype=torch.bool), "x": x, "pixels": x.reshape(32, 2, 4, 4)},
            "vector": {"x": x, "box": torch.randint(0, 9, (32, 4), generator=draw)},
            "four floats": {"x": x[:, :4].clone(), "y": y},
            "two floats": {"x": x[:, :2].clone(), "y": y},
            "padded": {"input_ids": F.pad(ids, (0, int(y[0]) + 1)), "x": x},
        }[kind])  # fmt: skip
    return out


def first_column(model, batch):
    return model(batch["x"])[:, 0].square()


class TestIdentity:
    @pytest.mark.parametrize("kind", [
        "multilabel", "labels first", "mask first", "one prompt", "four prompts", "positions", "pictures",
        "four floats", "vector",
    ])  # fmt: skip
    def test_no_leak_is_invented(self, kind):
        some = batches(kind, 1), batches(kind, 2)
        sides = [Side(one, first_column) for one in some]
        model = nn.Linear(some[0][0]["x"].shape[1], 1)
        assert not rules(explain_gap(model, *sides)) & {"gap/leaking-split", "gap/duplicates"}
        found = rules(audit_metric(model, *sides))
        assert not found & {"split-overlap-exact", "split-overlap-near", "scored-twice"}

    @pytest.mark.parametrize("kind", ["vector", "four floats", "two floats", "multilabel", "mask first", "padded"])
    def test_a_copied_sample_is_found(self, kind):
        train = batches(kind, 1)
        sides = [Side(one, first_column) for one in (train, copy.deepcopy(train[:6]))]
        model = nn.Linear(train[0]["x"].shape[1], 1)
        assert explain_gap(model, *sides).record["overlap"]["exact"] == 192
        assert "split-overlap-exact" in rules(audit_metric(model, *sides))

    def test_too_little_to_be_recognised_is_said(self):
        x = torch.randint(0, 3, (320, 2)).float()
        some = [(part,) for part in x.split(32)]
        gap = explain_gap(nn.Linear(2, 1), *(Side(one, lambda m, b: m(b[0]).square()) for one in (some[:5], some[5:])))
        assert gap.record["overlap"] is None
        assert any("leak is not told apart" in note for note in gap.record["notes"])

    @pytest.mark.parametrize("shape", [lambda x: x, lambda x: x.unsqueeze(2), lambda x: x.double()])
    def test_overlapping_windows_of_numbers_are_found(self, shape):
        def series(count, seed):
            draw = torch.Generator().manual_seed(seed)
            return torch.cat([(torch.randn(60, generator=draw).cumsum(0)).unfold(0, 32, 1) for _ in range(count)])

        x = shape(series(20, 1))[torch.randperm(580, generator=torch.Generator().manual_seed(3))]
        model = nn.Linear(32, 1)

        def loss(model, batch):
            return model(batch[0].flatten(1).float())[:, 0].square()

        train, val, new = ([(part,) for part in some.split(32)] for some in (x[:464], x[464:], shape(series(9, 2))))
        seen = explain_gap(model, Side(train, loss), Side(val, loss)).record["overlap"]
        assert seen["exact"] + seen["near"] >= 0.95 * seen["val_documents"]
        clean = explain_gap(model, Side(train, loss), Side(new, loss)).record["overlap"]
        assert clean["exact"] + clean["near"] == 0

    def test_groups_count_in_the_audit(self):
        person = torch.arange(100).repeat_interleave(12)
        x, y = torch.randn(1200, 16), person % 2
        order = torch.randperm(1200)
        train, val = (cut((x[k], y[k], person[k]), 60) for k in (order[:900], order[900:]))
        sides = [Side(one, ce, groups=lambda b: b[2]) for one in (train, val)]
        assert "split-overlap-exact" in rules(audit_metric(mlp(classes=2), *sides))
        other = Side([(x, y, p + 1000) for x, y, p in val], ce, groups=lambda b: b[2])
        assert "split-overlap-exact" not in rules(audit_metric(mlp(classes=2), sides[0], other))

    @pytest.mark.parametrize("times", [4, 16])
    def test_repeating_validation_leaves_the_interval(self, times):
        train, val = cut(blobs(320, 1), 32), cut(blobs(320, 2), 32)
        model = fit(mlp(), train)
        once, more = (term(explain_gap(model, Side(train, ce), Side(val * n, ce)), "unseen") for n in (1, times))
        assert more["value"] == pytest.approx(once["value"], rel=1e-6)
        assert more["high"] - more["low"] == pytest.approx(once["high"] - once["low"], rel=0.02)


class Graph(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 32), nn.Linear(32, 3)

    def forward(self, graph):
        return self.b(graph["A"] @ F.relu(self.a(graph["A"] @ graph["x"])))


def graph(train):
    torch.manual_seed(0)
    count = len(train)
    y = torch.arange(count) % 3
    x = torch.randn(count, 8) + 0.5 * F.one_hot(y, 3).float().repeat(1, 3)[:, :8]
    near = torch.eye(count) + (torch.rand(count, count) < 0.02).float()
    return {"x": x, "A": near / near.sum(1, keepdim=True), "y": y, "train": train, "val": ~train}


class TestGraph:
    @pytest.mark.parametrize("nodes", [120, 100])  # of 200: masks of different and of equal counts
    def test_one_graph_with_two_masks_is_no_leak(self, nodes):
        found, model = graph(torch.arange(200) < nodes), Graph()

        def of(name):
            return lambda m, g: F.cross_entropy(m(g)[g[name]], g["y"][g[name]], reduction="none")

        fit(model, [found], of("train"))
        gap = explain_gap(model, Side([found], of("train")), Side([found], of("val")))
        with torch.no_grad():
            train, val = (float(of(name)(model, found).mean()) for name in ("train", "val"))
        assert (gap.matched.train, gap.matched.val) == pytest.approx((train, val), rel=1e-5)
        assert "gap/leaking-split" not in rules(gap)
        assert values(gap)["unseen"] == pytest.approx(val - train, rel=1e-5)

    def test_indices_instead_of_masks(self):
        found, model = graph(torch.arange(200) < 120), Graph()
        rows = found["train"].nonzero()[:, 0], found["val"].nonzero()[:, 0]

        def loss(m, batch):
            return F.cross_entropy(m(batch[0])[batch[1]], batch[0]["y"][batch[1]], reduction="none")

        gap = explain_gap(model, *(Side([(found, some)], loss) for some in rows))
        nothing = {"val_documents": 80, "exact": 0, "near": 0, "window_share": 0.0, "whole": True}
        assert gap.record["overlap"].items() >= nothing.items()
        same = explain_gap(model, *(Side([(found, some)], loss) for some in (rows[0], rows[0][:90])))
        assert same.record["overlap"]["exact"] == 90


class Stateful(nn.Module):
    def __init__(self, held):
        super().__init__()
        self.r, self.h, self.held = nn.GRU(4, 16, batch_first=True), nn.Linear(16, 1), held

    def forward(self, x):
        before = self.held[-1] if isinstance(self.held, (list, deque)) and self.held else self.held
        out, state = self.r(x, before if isinstance(before, torch.Tensor) else None)
        if isinstance(self.held, (list, deque)):
            self.held.append(state.detach())
        else:
            self.held = state.detach()
        return self.h(out)[..., 0]


@pytest.mark.parametrize("held", [lambda: None, list, lambda: deque(maxlen=4)])
def test_a_state_from_batch_to_batch_is_put_back(held):
    model = Stateful(held())
    x = torch.randn(8, 400, 4).cumsum(1) * 0.1
    y = x.sum(2).cumsum(1) * 0.02
    some = [(x[:, i : i + 10], y[:, i : i + 10]) for i in range(0, 400, 10)]

    def loss(m, batch):
        return (m(batch[0]) - batch[1]).square()

    before = copy.deepcopy(model.held)
    gap = explain_gap(model, Side(some, loss), Side(some, loss), budget="40 batches")  # all, however busy the machine
    assert all(value == pytest.approx(0, abs=1e-6) for value in values(gap).values())
    assert any("put back before each batch (Stateful.held)" in note for note in gap.record["notes"])
    assert model.held == before


class TestModels:
    def parts(self):
        train, val = cut(blobs(640, 1), 32), cut(blobs(640, 2), 32)
        model = fit(mlp(p=0.3), train, steps=60)
        other = copy.deepcopy(model).eval()
        for weight in other.parameters():
            weight.data.mul_(0.6)
        return train, val, model, other

    def test_a_second_model_is_the_term_weights(self):
        train, val, model, other = self.parts()
        gap = explain_gap(model, Side(train, ce, mode="eval"), Side(val, ce, model=other))
        weights = mean(ce, other, train) - mean(ce, model, train)
        assert values(gap)["weights"] == pytest.approx(weights, abs=1e-5)
        assert values(gap)["unseen"] == pytest.approx(mean(ce, other, val) - mean(ce, other, train), abs=1e-5)
        assert "gap/weights" in rules(gap)

    @pytest.mark.parametrize("side", ["train", "val"])
    def test_one_in_a_closure_is_the_term_weights(self, side):
        train, val, model, other = self.parts()

        def loss(_, batch):
            return ce(other, batch)

        objectives = (loss, ce) if side == "train" else (ce, loss)
        gap = explain_gap(model, Side(train, objectives[0], mode="eval"), Side(val, objectives[1]))
        first, last = (other, model) if side == "train" else (model, other)
        assert values(gap)["weights"] == pytest.approx(mean(ce, last, train) - mean(ce, first, train), abs=1e-5)
        assert values(gap)["objective"] == 0
        assert values(gap)["unseen"] == pytest.approx(mean(ce, last, val) - mean(ce, last, train), abs=1e-5)
        assert any("reads another module (other)" in note for note in gap.record["notes"])

    def test_one_in_a_closure_is_what_handing_it_over_gives(self):
        train, val, model, other = self.parts()
        closed = explain_gap(model, Side(train, ce), Side(val, lambda _, batch: ce(other, batch)))
        given = explain_gap(model, Side(train, ce), Side(val, ce, model=other))
        assert values(closed) == pytest.approx(values(given), abs=1e-9)
        assert values(closed)["weights"] == pytest.approx(mean(ce, other, train) - mean(ce, model, train), abs=0.03)

    def test_a_teacher_beside_the_model_is_no_second_model(self):
        train, val, model, other = self.parts()

        def distil(m, batch):
            return ce(m, batch) + (m(batch[0]) - other(batch[0])).square().mean(1)

        gap = explain_gap(model, Side(train, distil, mode="eval"), Side(val, ce))
        assert values(gap)["weights"] == 0
        want = mean(ce, model, train) - mean(distil, model, train)
        assert values(gap)["objective"] == pytest.approx(want, abs=1e-5)

    def test_a_model_that_cannot_be_seen_is_asked_for_by_name(self):
        train, val, model, other = self.parts()
        known = {float(x.sum()): ce(other, (x, y)).detach() for x, y in val}

        def loss(_, batch):
            return known[float(batch[0].sum())]

        with pytest.raises(DiagnoseError, match=r"Side\(model="):
            explain_gap(model, Side(train, ce), Side(val, loss))

    @pytest.mark.parametrize("tool", [explain_gap, audit_metric])
    def test_buffers_of_one_that_is_reached_are_left_as_they_were(self, tool):
        maker, judge = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16)), nn.Linear(16, 1)
        before = copy.deepcopy(maker.state_dict())
        train, val = cut(blobs(320, 1), 32), cut(blobs(320, 2), 32)

        def loss(m, b):
            return F.softplus(m(maker(torch.randn(len(b[0]), 4))))[:, 0] + F.softplus(-m(b[0]))[:, 0]

        tool(judge, Side(train, loss), Side(val, loss))
        assert all(torch.equal(value, before[key]) for key, value in maker.state_dict().items())
        assert maker.training

    def test_class_weights_in_a_scalar_beside_losses_of_elements(self):
        x, y = blobs(4000, 1, noise=2.5)
        kept = torch.rand(4000, generator=torch.Generator().manual_seed(1)) < torch.tensor([1.0, 0.3, 0.1, 0.05])[y]
        weight = 1 / torch.bincount(y[kept]).float()
        train, val = cut((x[kept], y[kept]), 50), cut(blobs(640, 2, noise=2.5), 50)

        def loop(m, b):
            return F.cross_entropy(m(b[0]), b[1], weight=weight / weight.mean())

        model = fit(mlp(), train, loop)
        reported = mean(loop, model, train), mean(ce, model, val)
        gap = explain_gap(model, Side(train, loop, reported=reported[0]), Side(val, ce, reported=reported[1]))
        own = torch.cat([ce(model, b).detach() for b in train]).mean()
        total = values(gap)["objective"] + values(gap)["reduction"]
        assert total == pytest.approx(float(own) - reported[0], abs=0.005)
        assert abs(values(gap)["residual"]) < 0.01

    @pytest.mark.parametrize("reported", ["mean", "sum", None])
    @pytest.mark.parametrize("how", ["function", "module"])
    def test_class_weights_in_losses_that_are_not_averaged(self, reported, how):
        x, y = blobs(4000, 1, noise=2.5)
        kept = torch.rand(4000, generator=torch.Generator().manual_seed(1)) < torch.tensor([1.0, 0.3, 0.1, 0.05])[y]
        weight = 1 / torch.bincount(y[kept]).float()
        weight = weight / weight.mean()
        train, val = cut((x[kept], y[kept]), 50), cut(blobs(640, 2, noise=2.5), 50)

        def loop(m, b):
            return F.cross_entropy(m(b[0]), b[1], weight=weight)

        def loss(m, b):
            if how == "module":
                return nn.CrossEntropyLoss(weight, reduction="none")(m(b[0]), b[1])
            return F.cross_entropy(m(b[0]), b[1], weight=weight, reduction="none")

        model = fit(mlp(), train, loop)
        given = {"mean": mean(loop, model, train), "sum": mean(loss, model, train), None: None}[reported]
        sides = Side(train, loss, reported=given, reduction="batch"), Side(val, ce, reduction="batch")
        gap = explain_gap(model, *sides)
        assert values(gap)["residual"] == pytest.approx(0, abs=1e-5)
        own = torch.cat([ce(model, b).detach() for b in train]).mean()
        total = values(gap)["objective"] + values(gap)["reduction"]
        ragged = mean(ce, model, val) - float(torch.cat([ce(model, b).detach() for b in val]).mean())
        assert total == pytest.approx(float(own) - gap.record["reported"]["train"] + ragged, abs=1e-5)
        said = [note for note in gap.record["notes"] if "weighs classes" in note]
        assert len(said) == (reported != "sum")

    def test_an_auxiliary_head_of_training_mode_is_the_objective(self):
        class Two(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.x, self.h = nn.Linear(16, 32), nn.Linear(32, 4), nn.Linear(32, 4)

            def forward(self, x):
                h = F.relu(self.a(x))
                return (self.h(h), self.x(h)) if self.training else self.h(h)

        def loop(m, b):
            out, aux = m(b[0])
            return F.cross_entropy(out, b[1], reduction="none") + 0.4 * F.cross_entropy(aux, b[1], reduction="none")

        train, val = cut(blobs(640, 1), 64), cut(blobs(640, 2), 64)
        model = fit(Two(), train, loop)
        gap = explain_gap(model, Side(train, loop), Side(val, ce))
        want = mean(ce, model, train) - mean(loop, model, train, "train")
        assert values(gap)["objective"] == pytest.approx(want, abs=1e-5)
        assert values(gap)["unseen"] == pytest.approx(mean(ce, model, val) - mean(ce, model, train), abs=1e-5)

    def test_a_loss_at_its_floor_is_no_constant(self):
        model = mlp()
        for weight in model.parameters():
            weight.data.mul_(60.0)
        x = torch.randn(64, 16)
        with torch.no_grad():
            y = model(x).argmax(1)
            floor = F.cross_entropy(model(x), y, reduction="none") == 0
            some = cut((x[floor], y[floor]), 16)
        assert not any(ce(model, batch).any() for batch in some)
        assert explain_gap(model, Side(some, ce), Side(some, ce)).gap == 0

    @pytest.mark.parametrize("made", [True, False])
    def test_a_frozen_batch_norm_stays_so_in_whatever_mode_the_model_comes(self, made):
        train, val = cut(blobs(640, 1), 4), cut(blobs(640, 2), 64)
        model = mlp(norm=True, p=0.3)
        model[1].running_mean.fill_(2.0)
        model[1].running_var.fill_(9.0)
        model[1].num_batches_tracked.fill_(1000 if made else 0)

        def freeze():
            model.train()
            model[1].eval()

        freeze()
        fit(model, train)
        freeze()
        with torch.no_grad():
            reported = sum(float(ce(model, b).mean()) for _ in range(20) for b in train) / 20 / len(train)
        found = []
        for evaluation in (False, True):
            freeze()
            if evaluation:
                model.eval()
            found.append(values(explain_gap(model, Side(train, ce, reported=reported), Side(val, ce))))
        assert found[0] == pytest.approx(found[1], abs=1e-9)
        assert abs(found[1]["residual"]) < 0.05


class Const(nn.Module):
    def __init__(self, scale=1.0):
        super().__init__()
        self.b = nn.Parameter(scale * torch.randn(9, generator=torch.Generator().manual_seed(5)))

    def forward(self, count):
        return self.b.expand(count, 9)


def constant(model, batch):
    return F.cross_entropy(model(len(batch[1])), batch[1], reduction="none")


class TestArithmetic:
    def sides(self, loss=constant, size=13):
        model = Const()
        draw = torch.Generator().manual_seed(2)
        chance = torch.softmax(model.b.detach(), 0)
        some = [
            [(torch.randn(32, 3), torch.multinomial(chance, 32, True, generator=draw)) for _ in range(size)]
            for _ in range(2)
        ]
        return model, *some, mean(loss, model, some[1])

    def named(self, loss, reported, **keys):
        model, train, val, read = self.sides(loss)
        value = reported(read, mean(loss, model, val[-1:]))
        gap = explain_gap(model, Side(train, loss, **keys), Side(val, loss, reported=value, **keys))
        values(gap)
        return [fit["factor"] for fit in gap.record["arithmetic"]["validation"]]

    @pytest.mark.parametrize(
        ("reported", "words"),
        [
            (lambda read, _last: 13 * read, "summed over the 13 batches"),
            (lambda _read, last: last / 13, "the last batch's, divided by the 13 batches"),
            (lambda _read, last: last, "the last batch's alone"),
            (lambda read, _last: read / 3, "divided by 3:"),
            (lambda read, _last: read / 6, "divided by 6:"),
            (lambda read, _last: read * 7, "times 7:"),
            (lambda read, _last: read / 48, "divided by 48:"),
            (lambda read, _last: math.exp(read), "exp of what is read"),
            (lambda read, _last: read / math.log(2), "in bits"),
        ],
    )
    def test_it_is_named_to_all_digits(self, reported, words):
        (factor,) = self.named(constant, reported)
        assert words in factor

    def test_negative_losses(self):
        (factor,) = self.named(lambda m, b: constant(m, b) - 5, lambda read, _last: 4 * read)
        assert "times 4" in factor

    @pytest.mark.parametrize("off", [1.003, 0.997, 2.01, 0.2502, 3.99])
    def test_a_chance_fit_is_not_named(self, off):
        assert self.named(constant, lambda read, _last: off * read + 1.23456e-3) == []

    @pytest.mark.parametrize("digits", [1, 2])
    def test_a_loss_of_few_digits_is_not_explained_by_chance(self, digits):
        for off in (1.02, 0.9, 1.1, 1.3, 0.7):
            assert self.named(constant, lambda read, _last, off=off: round(off * read, digits)) == []

    def test_a_mean_of_losses_by_length_is_no_factor_of_four(self):
        model, train, val, _ = self.sides()
        draw = torch.Generator().manual_seed(7)
        lengths = torch.randint(2, 7, (13, 32), generator=draw)
        some = [[(x, y, n) for (x, y), n in zip(one, lengths, strict=True)] for one in (train, val)]

        def loss(m, b):
            return constant(m, b) * b[2]

        per = mean(constant, model, val)
        gap = explain_gap(model, Side(some[0], loss), Side(some[1], loss, reported=per))
        assert [fit["factor"] for fit in gap.record["arithmetic"]["validation"]] == [
            "each sample's divided by entry '2' of the batch"
        ]

    def test_the_mean_of_ragged_batch_means_is_found_by_itself(self):
        model, train, val, _ = self.sides()
        val = [*val, (val[0][0][:3], torch.zeros(3, dtype=torch.long))]
        reported = mean(constant, model, val)
        gap = explain_gap(model, Side(train, constant), Side(val, constant, reported=reported))
        assert any("was read so (reduction='batch')" in note for note in gap.record["notes"])
        assert gap.record["arithmetic"]["validation"] == []
        assert term(gap, "residual")["value"] == pytest.approx(0, abs=1e-6)

    def test_loss_over_accumulation_that_was_recorded(self, tmp_path):
        train, val = cut(blobs(1280, 1), 32), cut(blobs(320, 2), 32)
        model = mlp()
        optimizer = torch.optim.Adam(model.parameters(), 3e-3)
        recorder = GapRecorder(tmp_path, model, interval=20)
        for number, batch in enumerate(train * 2):
            loss = ce(model, batch).mean() / 4
            loss.backward()
            recorder.step(batch, loss)
            if number % 4 == 3:
                optimizer.step()
                optimizer.zero_grad()
        model.eval()
        for batch in val:
            recorder.validation(batch, ce(model, batch).mean())
        recorder.close()
        gap = explain_gap(model, ce, ce, recorder=recorder)
        (fit,) = gap.record["arithmetic"]["training"]
        assert "loss / accumulation" in fit["factor"]
        reported = gap.record["reported"]["train"]
        assert values(gap)["residual"] == pytest.approx(3 * reported, rel=1e-4)
        assert "gap/unfaithful" not in rules(gap)
        assert "gap/residual" not in rules(gap)


class Noisy(Dataset):
    def __init__(self, data, noise):
        self.data, self.noise = data, noise

    def __len__(self):
        return len(self.data[1])

    def __getitem__(self, index):
        return self.data[0][index] + self.noise * torch.randn(16), self.data[1][index]


class Draws:
    """Batches at random places, as nanoGPT's `get_batch`."""

    def __init__(self, data, count, size=32):
        self.data, self.count, self.size = data, count, size

    def __len__(self):
        return self.count

    def __iter__(self):
        for _ in range(self.count):
            index = torch.randint(len(self.data[1]), (self.size,))
            yield self.data[0][index], self.data[1][index]


class TestOtherSamples:
    def test_augmentation_is_noticed_and_plain_asked_for(self):
        x, val = blobs(640, 1), cut(blobs(640, 2), 32)
        loader = DataLoader(Noisy(x, 1.5), 32, shuffle=True)
        gap = explain_gap(mlp(), Side(loader, ce), Side(val, ce))
        assert "Under the same conditions" not in gap.verdict
        assert "gap/redrawn" in rules(gap)
        assert any("plain=" in found["fix"] for found in gap.findings if found["rule"] == "gap/redrawn")
        assert "has not seen" not in gap.verdict
        told = explain_gap(mlp(), Side(loader, ce, plain=DataLoader(Noisy(x, 0.0), 32)), Side(val, ce))
        assert "gap/redrawn" not in rules(told)

    @pytest.mark.parametrize("shuffle", [True, False])
    def test_a_plain_loader_is_not_called_so(self, shuffle):
        loader = DataLoader(TensorDataset(*blobs(640, 1)), 32, shuffle=shuffle)
        assert "gap/redrawn" not in rules(explain_gap(mlp(), Side(loader, ce), Side(cut(blobs(320, 2), 32), ce)))

    def test_a_weighted_sampler_is_collation(self):
        x, val = blobs(640, 1), cut(blobs(640, 2), 32)
        weight = torch.tensor([1.0, 1.0, 1.0, 12.0])[x[1]]
        loader = DataLoader(TensorDataset(*x), 32, sampler=WeightedRandomSampler(weight, 640))
        model = fit(mlp(), [b for _ in range(10) for b in loader])
        gap = explain_gap(model, Side(loader, ce), Side(val, ce))
        plain = mean(ce, model, cut(x, 32))
        drawn = mean(ce, model, [b for _ in range(20) for b in loader])
        assert values(gap)["collation"] == pytest.approx(plain - drawn, abs=0.03)
        assert values(gap)["unseen"] == pytest.approx(mean(ce, model, val) - plain, abs=1e-4)

    def test_another_draw_has_luck_and_no_residual(self):
        x, y = blobs(640, 1), blobs(640, 2)
        model, outside = fit(mlp(), cut(x, 32)), 0
        for seed in range(20):
            torch.manual_seed(seed)
            reported = mean(ce, model, list(Draws(y, 20, 8)))
            gap = explain_gap(model, Side(Draws(x, 20, 8), ce), Side(Draws(y, 20, 8), ce, reported=reported))
            found = term(gap, "residual")
            outside += not found["low"] <= 0 <= found["high"]
        assert outside <= 4

    def test_noise_that_evaluation_does_not_switch_off(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Linear(16, 64), nn.Linear(64, 4)

            def forward(self, x):
                return self.b(F.dropout(F.relu(self.a(x)), 0.5))

        train, val = cut(blobs(640, 1), 64), cut(blobs(640, 2), 64)
        model, outside = fit(Net(), train), 0
        for seed in range(20):
            torch.manual_seed(seed)
            once = mean(ce, model, val[:1])
            gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=once, reported_on=val[:1]))
            found = term(gap, "residual")
            outside += not found["low"] <= 0 <= found["high"]
            (said,) = [one for one in gap.findings if one["rule"] == "dropout-on"]
        assert outside <= 4
        model.eval()
        with torch.no_grad():
            without = torch.cat([F.cross_entropy(model.b(F.relu(model.a(x))), y, reduction="none") for x, y in val])
            given = torch.cat([ce(model, b) for _ in range(40) for b in val[:8]])
        costs = float(given.mean() - without[: 8 * 64].mean())
        assert said["measured"]["costs"] == pytest.approx(costs, abs=0.02)
        assert f"costs {said['measured']['costs']:+.3f}" in said["what"]
        assert not rules(gap) & {"gap/random", "batch-dependent"}


class TestCheapRules:
    """The cheap rules of the audit are asked first, and say only what the ledger does not."""

    def test_a_clean_evaluation_has_none(self):
        train, val = cut(blobs(320, 1), 32), cut(blobs(320, 2), 32)
        assert rules(explain_gap(mlp(p=0.3), Side(train, ce), Side(val, ce))) <= {"gap/mode", "gap/unseen"}

    def test_a_state_that_is_carried(self):
        model, x = Stateful(None), torch.randn(8, 80, 4)
        some = [(x[:, i : i + 10], x[:, i : i + 10].sum(2)) for i in range(0, 80, 10)]
        side = Side(some, lambda m, b: (m(b[0]) - b[1]).square())
        assert "state-carried" in rules(explain_gap(model, side, side))

    def test_a_loss_that_depends_on_the_batch(self):
        side = Side(list(P.split(64)), nce)
        (found,) = [
            one for one in explain_gap(nn.Linear(8, 4), side, side).findings if one["rule"] == "batch-dependent"
        ]
        assert found["severity"] == "note"

    def test_a_ragged_mean_that_makes_no_part_of_the_gap(self):
        some = [*P[:256].split(64), 9 * P[:2]]
        side = Side(some, squares, reduction="batch")
        found = rules(explain_gap(nn.Linear(8, 4), side, side))
        assert len(found & {"ragged-mean", "gap/reduction"}) == 1

    def test_the_model_comes_back_as_it_was(self):
        train, val, model = cut(blobs(320, 1), 32), cut(blobs(320, 2), 32), mlp(norm=True, p=0.3)
        before, flags = copy.deepcopy(model.state_dict()), [m.training for m in model.modules()]
        state = torch.get_rng_state()
        explain_gap(model, Side(train, ce), Side(val, ce))
        assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
        assert flags == [m.training for m in model.modules()]
        assert torch.equal(state, torch.get_rng_state())
