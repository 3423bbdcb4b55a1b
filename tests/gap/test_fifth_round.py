"""The fifth round of causes (docs/LOG.md, 2026-11-29), held against plain torch."""

import copy
import math
from functools import partial

import pytest
import rounds_fixture
import torch
from rounds_fixture import ce, fit
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, DistributedSampler, TensorDataset

from diagnose import GapRecorder, Side, explain_gap

data = partial(rounds_fixture.data, apart=0.5)
network = partial(rounds_fixture.network, width=32)


def total(model, loader, loss=ce):
    """Return the mean over elements in evaluation mode, over what counts where the loss says what does."""
    model = copy.deepcopy(model).eval()
    summed = count = 0.0
    with torch.no_grad():
        for batch in loader:
            found = loss(model, batch)
            table = found if isinstance(found, dict) else {"loss": found}
            weights = table.get("weights", torch.ones_like(table["loss"]))
            summed += float((table["loss"] * weights).double().sum())
            count += float(weights.sum())
    return summed / count


def values(gap):
    return {one["id"]: one["value"] or 0.0 for one in gap.record["terms"]}


def notes(gap):
    return " ".join(gap.record["notes"])


def fits(gap, side):
    return [fit["factor"] for fit in gap.record["arithmetic"].get(side, [])]


class Language(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embedding, self.state = nn.Embedding(60, 24), nn.GRU(24, 48, batch_first=True)
        self.out = nn.Linear(48, 60)

    def forward(self, x):
        return self.out(self.state(self.embedding(x))[0])


def texts(count, seed):
    draw = torch.Generator().manual_seed(seed)
    tokens = [torch.randint(1, 60, (count,), generator=draw)]
    for _ in range(19):
        tokens.append((tokens[-1] * 7 + torch.randint(1, 4, (count,), generator=draw)) % 59 + 1)
    lengths = torch.randint(5, 21, (count,), generator=draw)
    return [row[: int(length)] for row, length in zip(torch.stack(tokens, 1), lengths, strict=True)]


def padded(rows, *, left):
    most = max(map(len, rows))
    return torch.stack([F.pad(row, (most - len(row), 0) if left else (0, most - len(row))) for row in rows])


def of_targets(model, x):
    losses = F.cross_entropy(model(x[:, :-1]).transpose(1, 2), x[:, 1:], reduction="none")
    return {"loss": losses, "weights": (x[:, 1:] != 0).float()}


class TestPaddingByTheCollator:
    def sides(self, *, left):
        rows, other, collate = texts(300, 1), texts(150, 2), partial(padded, left=left)
        train, val = DataLoader(rows, 4, shuffle=True, collate_fn=collate), DataLoader(other, 50, collate_fn=collate)
        model = fit(Language(), train, lambda m, x: of_targets(m, x)["loss"][x[:, 1:] != 0], turns=2)
        as_val = DataLoader(rows, 50, collate_fn=collate)
        means = [total(model, some, of_targets) for some in (train, as_val, val)]
        sides = Side(train, of_targets, reported=means[0]), Side(val, of_targets, reported=means[2])
        return explain_gap(model, *sides), means

    def test_left_padding_that_the_loss_depends_on_is_batching(self):
        gap, (own, as_val, val) = self.sides(left=True)
        assert as_val - own > 0.01
        assert values(gap)["batching"] == pytest.approx(as_val - own, abs=0.01)
        assert values(gap)["unseen"] == pytest.approx(val - as_val, abs=0.01)

    def test_right_padding_that_it_does_not_depend_on_is_none(self):
        gap, (own, _, val) = self.sides(left=False)
        assert "batching" not in gap.record["conditions"].get("factors", [])
        assert values(gap)["batching"] == 0
        assert values(gap)["unseen"] == pytest.approx(val - own, abs=1e-4)


class TestReported:
    def sides(self, val=None):
        train, val = DataLoader(data(256, 1), 32), val or DataLoader(data(128, 2), 32)
        return fit(network(), train), train, val

    def test_perplexities_are_named_as_each_was_averaged(self):
        model, train, val = self.sides()
        each = [ce(model, batch).mean().item() for batch in val]
        of_batches = sum(map(math.exp, each)) / len(each)
        sides = Side(train, ce, reported=math.exp(total(model, train))), Side(val, ce, reported=of_batches)
        gap = explain_gap(model, *sides)
        assert "training's as a perplexity, validation's as the mean of each batch's perplexity" in gap.verdict
        assert not any(found["rule"] == "gap/residual" for found in gap.record["findings"])

    def test_a_last_batch_that_was_dropped_is_named(self):
        some = data(250, 2)
        order = some.tensors[1].argsort()
        some = TensorDataset(*(part[order] for part in some.tensors))
        model, train, val = self.sides(DataLoader(some, 64))
        whole = total(model, DataLoader(some, 64, drop_last=True))
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=whole))
        (fit_,) = fits(gap, "validation")
        assert fit_.startswith("without the last batch")

    def test_the_other_sides_objective_is_named(self):
        model, train, val = self.sides()

        def smoothed(m, batch):
            return F.cross_entropy(m(batch[0]), batch[1], reduction="none", label_smoothing=0.2)

        gap = explain_gap(model, Side(train, smoothed), Side(val, ce, reported=total(model, val, smoothed)))
        assert fits(gap, "validation") == ["by the training side's objective"]

    def test_a_weight_that_needs_gradients_is_named(self):
        model, train, val = self.sides()

        def adaptive(m, batch):
            loss = F.cross_entropy(m(batch[0]), batch[1])
            more = loss.detach()
            if torch.is_grad_enabled():
                more = torch.autograd.grad(loss, m[0].weight, retain_graph=True)[0].norm()
            return loss + more.detach()

        reported = sum(adaptive(model, batch).item() for batch in train) / len(train)
        gap = explain_gap(model, Side(train, adaptive, reported=reported), Side(val, adaptive))
        assert fits(gap, "training")[0].startswith("with gradients on")

    def test_luck_of_random_evaluation_counts_for_the_reported_draw_too(self):
        train, val = DataLoader(data(256, 1), 32), DataLoader(data(128, 2), 32)
        model = fit(network(), train)

        def noisy(m, batch):
            return F.cross_entropy(m(batch[0] + 3 * torch.randn_like(batch[0])), batch[1], reduction="none")

        held = 0
        for seed in range(12):
            torch.manual_seed(seed)
            sides = [Side(some, noisy, reported=total(model, some, noisy), mode="eval") for some in (train, val)]
            (residual,) = [term for term in explain_gap(model, *sides).record["terms"] if term["id"] == "residual"]
            held += residual["low"] <= 0 <= residual["high"]
        assert held >= 11

    def test_weights_of_16_bits_are_said_where_the_reported_loss_is_another(self):
        model, train, val = self.sides()
        reported = total(model, train)

        def cast(m, batch):
            return F.cross_entropy(m(batch[0].to(m[0].weight.dtype)).float(), batch[1], reduction="none")

        half = copy.deepcopy(model).bfloat16()
        gap = explain_gap(half, Side(train, cast, reported=reported, mode="eval"), Side(val, cast))
        assert "weights are in bfloat16" in notes(gap)
        gap = explain_gap(half, Side(train, cast, reported=total(half, train, cast)), Side(val, cast))
        assert "bfloat16" not in notes(gap)


class TestEmptyBatches:
    def ignoring(self, model, batch):
        x, y = batch
        return F.cross_entropy(model(x), y)

    def sides(self):
        some = data(128, 2)
        y = some.tensors[1].clone()
        y[32:64] = -100
        train, val = DataLoader(data(256, 1), 32), DataLoader(TensorDataset(some.tensors[0], y), 32)
        model = fit(network(), train)
        each = [self.ignoring(model, batch).item() for k, batch in enumerate(val) if k != 1]
        return model, train, val, each

    def test_a_reported_0_for_each_is_named(self):
        model, train, val, each = self.sides()
        gap = explain_gap(model, Side(train, self.ignoring), Side(val, self.ignoring, reported=sum(each) / 4))
        assert gap.matched.val == pytest.approx(sum(each) / 3, abs=1e-5)
        assert any("with a loss of 0 for the batch of which nothing counts" in fit_ for fit_ in fits(gap, "validation"))

    def test_an_objective_that_gives_0_is_said(self):
        model, train, val, each = self.sides()

        def zero(m, batch):
            return self.ignoring(m, batch) if (batch[1] >= 0).any() else 0.0 * m(batch[0]).sum()

        gap = explain_gap(model, Side(train, zero), Side(val, zero))
        said, *_ = gap.record["conditions"]["unlike"]
        assert said.startswith("1 of validation's 4 batches has no target")
        assert f"{sum(each) / 3:.4f}" in said
        assert "easier" not in gap.verdict


class TestSamplers:
    def test_what_a_distributed_sampler_repeats_is_said(self):
        train, some = DataLoader(data(256, 1), 32), data(49, 2)
        model = fit(network(), train)
        for replicas, said in ((1, False), (4, True)):
            sampler = DistributedSampler(some, replicas, 0, shuffle=False)
            gap = explain_gap(model, Side(train, ce), Side(DataLoader(some, 8, sampler=sampler), ce))
            assert ("validation's sampler repeats 3 of 49 samples" in notes(gap)) == said


class Detector(nn.Module):
    """Returns losses in training mode and boxes in evaluation mode, as torchvision's do."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Linear(48, 4)

    def forward(self, pictures, targets):
        boxes = self.body(torch.stack(pictures).flatten(1))
        if not self.training:
            return [{"boxes": box} for box in boxes]
        wanted = torch.stack([target["boxes"] for target in targets])
        return {"loss_box": F.smooth_l1_loss(boxes, wanted), "loss_size": (boxes - wanted).square().mean()}


class TestDetectors:
    def scenes(self, count, seed):
        draw = torch.Generator().manual_seed(seed)
        pictures = torch.rand(count, 3, 4, 4, generator=draw)
        return [(one, {"boxes": one.mean((1, 2)).sum() * torch.ones(4)}) for one in pictures]

    @pytest.mark.parametrize("same", [True, False])
    def test_losses_of_training_mode_alone_are_said_and_pictures_are_the_samples(self, same):
        def listed(some):
            return tuple(zip(*some, strict=True))

        def losses(model, batch):
            return sum(model(*map(list, batch)).values())

        train, val = (DataLoader(self.scenes(n, n), 4, collate_fn=listed) for n in (48, 24))
        model = Detector()
        model.train()
        plain = [sum(losses(model, batch).item() for batch in some) / len(some) for some in (train, val)]
        other = losses if same else partial(losses)
        gap = explain_gap(model.eval(), Side(train, losses, reported=plain[0]), Side(val, other, reported=plain[1]))
        assert (gap.matched.train, gap.matched.val) == pytest.approx(plain, abs=1e-5)
        assert "cannot be run in evaluation mode" in notes(gap)
        assert gap.record["overlap"]["val_documents"] == 24


class Written(Dataset):
    """A dataset whose transform writes into what it holds."""

    def __init__(self, some, *, transform):
        self.x, self.y, self.transform = some.tensors[0].clone(), some.tensors[1], transform

    def __len__(self):
        return len(self.y)

    def __getitem__(self, number):
        x = self.x[number]
        return (x.mul_(torch.rand(16) > 0.1) if self.transform else x), self.y[number]


class TestTransformsInPlace:
    def test_a_dataset_that_changes_its_own_samples_is_said_and_data_is_not_blamed(self):
        train = DataLoader(Written(data(256, 1), transform=True), 32, shuffle=True)
        val = DataLoader(Written(data(128, 2), transform=None), 32)
        gap = explain_gap(fit(network(), train), Side(train, ce), Side(val, ce))
        (said,) = gap.record["conditions"]["unlike"]
        assert said.startswith("training's dataset changes its own samples")
        assert "easier" not in gap.verdict
        assert "harder" not in gap.verdict


class TestNearCopies:
    def losses(self, model, batch):
        (x,) = batch
        return F.cross_entropy(model(x[:, :-1]).transpose(1, 2), x[:, 1:], reduction="none")

    def found(self, rows, other):
        train, val = DataLoader(TensorDataset(rows), 32), DataLoader(TensorDataset(other), 32)
        overlap = explain_gap(Language(), Side(train, self.losses), Side(val, self.losses)).record["overlap"]
        return overlap["exact"], overlap["near"]

    @pytest.mark.parametrize("changed", [1, 2, 4])
    def test_copies_of_which_tokens_were_changed_are_near(self, changed):
        draw = torch.Generator().manual_seed(1)
        rows = torch.randint(0, 60, (128, 32), generator=draw)
        other = rows[:64].clone()
        for row in other:
            places = torch.randperm(32, generator=draw)[:changed]
            row[places] = (row[places] + torch.randint(1, 60, (changed,), generator=draw)) % 60
        assert self.found(rows, other) == (0, 64)

    def test_rows_of_one_template_are_not(self):
        draw = torch.Generator().manual_seed(1)
        template = torch.randint(0, 60, (20,), generator=draw).expand(192, 20)
        rows = torch.cat([template, torch.randint(0, 60, (192, 20), generator=draw)], 1)
        assert self.found(rows[:128], rows[128:]) == (0, 0)


class TestTiming:
    def test_steps_of_which_harder_batches_are_not_resolved_are_not_called_harder(self, tmp_path):
        train, val = DataLoader(data(256, 1), 8), DataLoader(data(128, 2), 32)
        model = fit(network(), train)
        with GapRecorder(tmp_path / "run", model, interval=4) as recorder:
            for k, batch in enumerate(train):
                if k < 8:
                    recorder.step(batch, ce(model, batch).mean())
        reported = sum(ce(model, batch).mean().item() for batch in list(train)[4:8]) / 4
        gap = explain_gap(model, Side(train, ce, reported=reported), Side(val, ce), recorder=recorder)
        recency = gap.record["terms"][1]
        assert recency["id"] == "recency"
        assert recency["low"] < 0 < recency["high"]
        assert "than earlier ones" not in gap.verdict


class TestPairs:
    def test_pairs_are_told_by_groups(self):
        draw = torch.Generator().manual_seed(3)
        users, items = torch.randint(0, 40, (300,), generator=draw), torch.randint(0, 50, (300,), generator=draw)
        labels = torch.ones(300)
        train = TensorDataset(torch.cat([users[:200], users[200:]]), torch.cat([items[:200], items[200:]]),
                              torch.cat([labels[:200], 0 * labels[200:]]))  # fmt: skip
        val = TensorDataset(users[200:], items[200:], labels[200:])
        loaders = DataLoader(train, 32), DataLoader(val, 32)

        class Factors(nn.Module):
            def __init__(self):
                super().__init__()
                torch.manual_seed(0)
                self.user, self.item = nn.Embedding(40, 8), nn.Embedding(50, 8)

        def bce(m, batch):
            scores = (m.user(batch[0]) * m.item(batch[1])).sum(1)
            return F.binary_cross_entropy_with_logits(scores, batch[2], reduction="none")

        def pairs(batch):
            return [f"{user} {item}" for user, item in zip(*(part.tolist() for part in batch[:2]), strict=True)]

        plain = explain_gap(Factors(), *(Side(some, bce) for some in loaders))
        assert "samples hold too little to be recognised (groups= says which are the same)" in notes(plain)
        told = explain_gap(Factors(), *(Side(some, bce, groups=pairs) for some in loaders))
        assert any(found["rule"] == "gap/leaking-split" for found in told.record["findings"])
