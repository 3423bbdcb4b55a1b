"""What a newcomer found an audit to say otherwise than plain torch does; right values are by plain torch."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, RandomSampler, TensorDataset

from diagnose import DiagnoseError, Side, audit_metric

V, PAD = 12, 0


class Augmented(Dataset):
    """Rows, some of which get noise each time that they are read."""

    def __init__(self, x, y, chance=1.0):
        self.x, self.y, self.chance = x, y, chance

    def __len__(self):
        return len(self.x)

    def __getitem__(self, k):
        noisy = float(torch.rand(())) < self.chance
        return self.x[k] + (0.5 * torch.randn(6) if noisy else 0), self.y[k]


def table(n, seed):
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 6, generator=draw)
    return x, x[:, 0].mul(3).round().clamp(-1, 1).long() + 1


def each(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def linear():
    torch.manual_seed(0)
    return nn.Linear(6, 3)


def audited(val, train=None, model=None, **given):
    train = train or Side(DataLoader(TensorDataset(*table(64, 1)), 16), each)
    return audit_metric(model or linear(), train, val, budget=0.5, **given)


def finding(found, rule):
    return next((one for one in found.record["findings"] if one["rule"] == rule), None)


def checked(found, rule):
    return next((one for one in found.record["checked"] if one["rule"] == rule), None)


def skipped(found):
    return {one["rule"]: one["why"] for one in found.record["skipped"]}


class TestDrawnAnew:
    @pytest.mark.parametrize("chance", [1.0, 0.5])
    def test_augmented_validation_is_random(self, chance):
        loader = DataLoader(Augmented(*table(60, 2), chance), 16)
        said = finding(audited(Side(loader, each)), "evaluation-random")
        assert said["what"].startswith("the loader draws validation's samples anew each pass: one pass costs ")
        assert said["measured"]["first"] != said["measured"]["again"]
        assert said["severity"] == "warning"  # a mean of what it says, which moves

    def test_a_sampler_that_draws_a_part_makes_validation_random(self):
        data = TensorDataset(*table(60, 2))
        some = DataLoader(data, 10, sampler=RandomSampler(data, num_samples=20))
        assert "anew each pass" in finding(audited(Side(some, each)), "evaluation-random")["what"]

    def test_another_order_is_no_other_draw(self):
        found = audited(Side(DataLoader(TensorDataset(*table(60, 2)), 16, shuffle=True), each))
        assert checked(found, "evaluation-random") is not None

    def test_a_field_that_nothing_reads_leaves_evaluation_as_it_was(self):
        class Numbered(Augmented):
            def __getitem__(self, k):
                return self.x[k], self.y[k], torch.rand(())

        found = audited(Side(DataLoader(Numbered(*table(60, 2)), 16), each))
        assert checked(found, "evaluation-random") is not None


class TestOverlap:
    def test_a_share_below_the_limit_is_said_with_the_limit(self):
        x, y = table(100, 2)
        x[:2] = table(64, 1)[0][:2]
        kept = checked(audited(Side(DataLoader(TensorDataset(x, y), 16), each)), "split-overlap-exact")
        assert kept["measured"] == {"share": pytest.approx(0.02), "limit": 0.05}
        assert kept["asks"] == "hardly any validation sample is a training sample"

    def test_changed_copies_of_numbers_are_not_said_to_be_absent(self):
        x, y = table(64, 1)
        found = audited(Side(DataLoader(TensorDataset(x + 1e-6, y), 16), each))
        for rule in ("split-overlap-near", "split-overlap-window"):
            assert checked(found, rule) is None
            assert "changed copies (augmented, cropped, noisy) are not told" in skipped(found)[rule]
        assert "split-overlap-near" in str(found).partition("Could not be judged")[2].partition("Not judged")[0]


def texts(n, seed):
    """Rows of tokens, filled up with `PAD` at their ends."""
    draw = torch.Generator().manual_seed(seed)
    ids_BT = torch.randint(1, V, (n, 10), generator=draw)
    for row, length in zip(ids_BT, torch.randint(4, 11, (n,), generator=draw).tolist(), strict=True):
        row[length:] = PAD
    return DataLoader(TensorDataset(ids_BT), 8)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.e, self.r, self.o = nn.Embedding(V, 8), nn.GRU(8, 8, batch_first=True), nn.Linear(8, V)

    def forward(self, ids_BT):
        return self.o(self.r(self.e(ids_BT))[0])


def nats(model, batch, *, shift=1, **more):
    ids_BT = batch[0]
    scores = model(ids_BT[:, : ids_BT.shape[1] - shift])
    return F.cross_entropy(scores.transpose(1, 2), ids_BT[:, shift:], reduction="none", **more)


def weighed(model, batch):
    return {"loss": nats(model, batch), "weights": (batch[0][:, 1:] != PAD).float()}


def ignoring(model, batch):
    return nats(model, batch, ignore_index=PAD)


def of_text(objective, **more):
    given = {
        "tokens": lambda batch: (batch[0][:, :-1], batch[0][:, 1:]),
        "logits": lambda model, batch: model(batch[0][:, :-1]),
    } | more.pop("given", {})
    train, val = Side(texts(32, 1), objective), Side(texts(16, 2), objective, **more)
    return audited(val, train, Recurrent(), **given)


@torch.no_grad()
def mean_of_text(*, counted):
    """Return validation's loss by plain torch: over real tokens, or with a 0 for each place of padding."""
    model, total, count = Recurrent().eval(), 0.0, 0
    for (ids_BT,) in texts(16, 2):
        real_BT = ids_BT[:, 1:] != PAD
        total += float(nats(model, (ids_BT,))[real_BT].sum())
        count += real_BT.numel() if counted else int(real_BT.sum())
    return total / count


PADDING = ("padding-counted", "padding-predicted", "padding-dependent", "loss-differs", "targets-shifted")


class TestPadding:
    @pytest.mark.parametrize("objective", [weighed, ignoring])
    def test_places_that_count_nothing_are_padding(self, objective):
        found = of_text(objective)
        assert {one["rule"] for one in found.record["findings"]} & set(PADDING) == set()
        first = next(iter(texts(16, 2)))[0][:, 1:]
        share = float((first == PAD).float().mean())
        kept = checked(found, "padding-counted")["measured"]
        assert kept["share_of_padding"] == pytest.approx(share)

    @pytest.mark.parametrize("counted", [False, True])
    def test_the_reported_mean_says_whether_ignored_targets_count(self, counted):
        found = of_text(ignoring, reported=mean_of_text(counted=counted))
        assert (finding(found, "padding-counted") is not None) == counted
        if not counted:
            measured = checked(found, "ragged-mean")["measured"]
            assert measured["reported"] == pytest.approx(mean_of_text(counted=False), rel=1e-5)

    def test_targets_that_are_not_shifted_are_found_in_padded_rows(self):
        def same(model, batch):
            return nats(model, batch, shift=0, ignore_index=PAD)

        whole = {"tokens": lambda batch: (batch[0], batch[0]), "logits": lambda model, batch: model(batch[0])}
        found = of_text(same, given=whole)
        assert "the token that it was just shown" in finding(found, "targets-shifted")["what"]

    def test_weights_between_0_and_1_are_those_of_the_mean(self):
        def half(model, batch):
            places = torch.arange(9).remainder(2) / 2 + 0.5
            return {"loss": nats(model, batch), "weights": (batch[0][:, 1:] != PAD) * places}

        assert finding(of_text(half), "loss-differs") is None


def test_an_objective_that_trains_is_refused_as_that():
    model = linear()
    before = model.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)

    def trains(model, batch):
        loss = each(model, batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    loader = DataLoader(TensorDataset(*table(60, 2)), 16)
    for sides in (((each, trains), "validation"), ((trains, each), "training")):
        (of_train, of_val), name = sides
        with pytest.raises(DiagnoseError, match=f"the objective of the {name} side changes the weights"):
            audit_metric(model, Side(loader, of_train), Side(loader, of_val))
    assert torch.equal(model.weight, before)
    assert not math.isnan(float(model.bias.detach().sum()))
