"""Sides that were given wrong: shapes that broadcast, losses that are swapped, inputs moved, arguments turned round."""

import copy
import math

import pytest
import torch
from rounds_fixture import ce, data, fit, network
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import Side, audit_metric, explain_gap
from diagnose.errors import DiagnoseError
from diagnose.gap.loop.inputs import InputsSeen


def regression(count, seed, width=8):
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(count, width, generator=draw)
    return TensorDataset(x, x.sum(1) + 0.1 * torch.randn(count, generator=draw))


def linear():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))


def squeezed(model, batch):
    return F.mse_loss(model(batch[0]).squeeze(-1), batch[1], reduction="none")


def mean_squared(model, batch):
    return F.mse_loss(model(batch[0]), batch[1])


def by_hand(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def of_all(model, batch):
    return F.smooth_l1_loss(input=model(batch[0]), target=batch[1], reduction="none")


def pairwise(model, batch):
    """A loss of all pairs, which is meant."""
    score = model(batch[0]).squeeze(-1)
    return (score[:, None] - score - (batch[1][:, None] - batch[1])).square().mean(1)


@pytest.mark.filterwarnings("ignore:Using a target size")
class TestBroadcast:
    @pytest.mark.parametrize("objective", [mean_squared, by_hand, of_all])
    def test_predictions_against_the_targets_of_all_samples_are_an_error(self, objective):
        loaders = [DataLoader(regression(64, seed), 16) for seed in (1, 2)]
        model = linear()
        gap = explain_gap(model, *(Side(one, objective) for one in loaders))
        found = next(one for one in gap.findings if one["rule"] == "targets-broadcast")
        assert found["severity"] == "error"
        assert "(16, 1)" in found["what"]
        assert "(16,)" in found["what"]
        audited = audit_metric(model, *(Side(one, objective) for one in loaders))
        assert "targets-broadcast" in {one["rule"] for one in audited.findings}

    def test_on_the_training_side_alone_it_is_said_of_that(self):
        loaders = [DataLoader(regression(64, seed), 16) for seed in (1, 2)]
        gap = explain_gap(linear(), Side(loaders[0], mean_squared), Side(loaders[1], squeezed))
        found = next(one for one in gap.findings if one["rule"] == "targets-broadcast")
        assert "training's objective" in found["what"]
        assert gap.verdict.startswith("Mend the loss first: training's objective compares (16, 1) with (16,): each ")

    @pytest.mark.parametrize("objective", [squeezed, pairwise])
    def test_equal_shapes_and_losses_of_pairs_are_none(self, objective):
        loaders = [DataLoader(regression(64, seed), 16) for seed in (1, 2)]
        audited = audit_metric(linear(), *(Side(one, objective) for one in loaders))
        assert "targets-broadcast" not in {one["rule"] for one in audited.findings}

    def test_the_loss_is_what_torch_gives(self):
        """16 predictions against 16 targets: B times B differences, whose mean is another than that of B."""
        batch = next(iter(DataLoader(regression(16, 1), 16)))
        model = linear()
        with torch.no_grad():
            both = [float(one(model, batch).mean()) for one in (by_hand, squeezed)]
        prediction, target = model(batch[0]).detach().flatten(), batch[1]
        assert both[0] == pytest.approx(float((prediction[:, None] - target[None]).square().mean()), rel=1e-5)
        assert both[0] != pytest.approx(both[1], rel=1e-2)


ARITHMETIC = "gap/arithmetic"


@torch.no_grad()
def read(model, loader):
    model = copy.deepcopy(model).eval()
    return float(torch.cat([ce(model, batch) for batch in loader]).mean())


class TestSwapped:
    def test_reported_losses_that_are_swapped_are_said_to_be(self):
        train, val = (DataLoader(data(count, seed), 32) for count, seed in ((256, 1), (128, 2)))
        model = fit(network(), train)
        own = read(model, train), read(model, val)
        assert abs(own[0] - own[1]) > 0.01
        gap = explain_gap(model, Side(train, ce, mode="eval", reported=own[1]), Side(val, ce, reported=own[0]))
        assert "the two reported losses may be swapped, for each is what the other side gives" in gap.verdict
        assert "the two reported= may be swapped" in next(f["what"] for f in gap.findings if f["rule"] == ARITHMETIC)
        right = explain_gap(model, Side(train, ce, mode="eval", reported=own[0]), Side(val, ce, reported=own[1]))
        assert ARITHMETIC not in {one["rule"] for one in right.findings}

    def test_another_loss_that_happens_to_be_near_is_not(self):
        train, val = (DataLoader(data(count, seed), 32) for count, seed in ((256, 1), (128, 2)))
        model = fit(network(), train)
        own = read(model, train), read(model, val)
        gap = explain_gap(model, Side(train, ce, mode="eval", reported=own[1]), Side(val, ce, reported=own[1]))
        assert ARITHMETIC not in {one["rule"] for one in gap.findings}


def seen(*sides):
    out = []
    for batches in sides:
        one = InputsSeen()
        for batch in batches:
            one.add(batch)
        out.append(one)
    return out[0].unlike(out[1])


class TestInputsThatLieElsewhere:
    @pytest.mark.parametrize("shift", [0.5, 1.0, -1.0])
    def test_a_constant_added_on_one_side_is_said(self, shift):
        draw = torch.Generator().manual_seed(1)
        train, val = ([(torch.randn(64, 8, generator=draw),) for _ in range(6)] for _ in range(2))
        said = seen(train, [(x + shift,) for (x,) in val])
        assert len(said) == 1
        assert "lies elsewhere" in said[0]

    def test_one_column_is_named(self):
        draw = torch.Generator().manual_seed(1)
        train, val = ([(torch.randn(64, 8, generator=draw),) for _ in range(6)] for _ in range(2))
        val = [(x + torch.eye(8)[3],) for (x,) in val]
        said = seen(train, val)
        assert len(said) == 1
        assert said[0].startswith("column 3 of entry '0'")

    def test_draws_of_the_same_are_never_said_to_differ(self):
        for seed in range(100):
            draw = torch.Generator().manual_seed(seed)
            width, count = (1, 3, 8, 40)[seed % 4], (1, 3, 6)[seed % 3]
            kind = (torch.randn, torch.rand)[seed % 2]
            skew = (lambda x: x, lambda x: torch.exp(2 * x))[seed // 50]
            train, val = ([(skew(kind(48, width, generator=draw)),) for _ in range(count)] for _ in range(2))
            assert not seen(train, val), seed

    def test_batches_of_which_each_has_a_level_of_its_own_are_not_said_to_differ(self):
        """As windows of one long series are: the batch is the unit then, not the sample."""
        for seed in range(60):
            draw = torch.Generator().manual_seed(seed)
            sides = [[(torch.randn(64, 4, generator=draw) + torch.randn(1, generator=draw),) for _ in range(8)]
                     for _ in range(2)]  # fmt: skip
            assert not seen(*sides), seed

    def test_the_verdict_does_not_call_it_a_gap_of_generalisation(self):
        train, val = data(256, 1), data(128, 2)
        moved = TensorDataset(val.tensors[0] + 1.0, val.tensors[1])
        loader = DataLoader(train, 32)
        model = fit(network(), loader)
        gap = explain_gap(model, Side(loader, ce), Side(DataLoader(moved, 32), ce))
        assert "gap/inputs" in {one["rule"] for one in gap.findings}
        assert "gap/unseen" not in {one["rule"] for one in gap.findings}


def turned(batch, model):
    x, y = batch
    return F.cross_entropy(model(x), y, reduction="none")


def alone(model):
    return model


@pytest.mark.parametrize("objective", [turned, alone, lambda b, m: F.cross_entropy(m(b[0]), b[1])])
@pytest.mark.parametrize("ask", [explain_gap, audit_metric])
def test_arguments_turned_round_are_told_how_objectives_are_called(objective, ask):
    loader = DataLoader(data(64, 1), 32)
    with pytest.raises(DiagnoseError, match=r"objectives are called \(model, batch\)"):
        ask(network(), Side(loader, objective), Side(loader, objective))


def test_an_error_of_the_users_own_is_told_as_it_is():
    loader = DataLoader(data(64, 1), 32)

    def broken(model, batch):
        return F.cross_entropy(model(batch[0][:, :1]), batch[1])

    with pytest.raises(DiagnoseError) as told:
        explain_gap(network(), Side(loader, broken), Side(loader, broken))
    assert "objectives are called" not in str(told.value)


def shuffled(found, seed=3):
    x, y = found.tensors
    return TensorDataset(x, y[torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))])


class TestLabels:
    @pytest.mark.parametrize("change", [shuffled, lambda d: TensorDataset(d.tensors[0], d.tensors[1].roll(1))])
    def test_labels_that_do_not_belong_are_found(self, change):
        model = fit(network(), DataLoader(data(512, 1), 32))
        sides = DataLoader(data(512, 1), 32), DataLoader(change(data(256, 2)), 32)
        audited = audit_metric(model, *(Side(one, ce) for one in sides))
        found = next(one for one in audited.findings if one["rule"] == "labels-unrelated")
        assert found["measured"]["validation_own"] == pytest.approx(read(model, sides[1]), rel=0.05)

    @pytest.mark.parametrize("order", ["as drawn", "by class"])
    def test_labels_that_belong_are_left_alone(self, order):
        own = data(256, 2)
        if order == "by class":
            place = own.tensors[1].argsort()
            own = TensorDataset(*(part[place] for part in own.tensors))
        model = fit(network(), DataLoader(data(512, 1), 32))
        audited = audit_metric(model, Side(DataLoader(data(512, 1), 32), ce), Side(DataLoader(own, 32), ce))
        assert "labels-unrelated" not in {one["rule"] for one in audited.findings}
        checked = {one["rule"]: one for one in audited.record["checked"]}["labels-unrelated"]["measured"]
        assert checked["validation_others"] > checked["validation_own"]
        assert math.isfinite(checked["training_own"])

    def test_of_numbers_too(self):
        model, train = linear(), DataLoader(regression(256, 1), 32)
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        for _ in range(20):
            for batch in train:
                optimizer.zero_grad()
                squeezed(model, batch).mean().backward()
                optimizer.step()
        for own, broken in ((regression(128, 2), False), (shuffled(regression(128, 2)), True)):
            audited = audit_metric(model, Side(train, squeezed), Side(DataLoader(own, 32), squeezed))
            assert ("labels-unrelated" in {one["rule"] for one in audited.findings}) is broken

    def test_a_model_that_has_learned_nothing_says_nothing(self):
        sides = [DataLoader(data(128, seed), 32) for seed in (1, 2)]
        audited = audit_metric(network(), *(Side(one, ce) for one in sides))
        why = {one["rule"]: one["why"] for one in audited.record["skipped"]}
        assert "learned nothing" in why["labels-unrelated"]

    def test_training_labels_that_do_not_belong_are_found_too(self):
        model = fit(network(), DataLoader(data(512, 1), 32))
        sides = DataLoader(shuffled(data(256, 1)), 32), DataLoader(data(256, 2), 32)
        audited = audit_metric(model, *(Side(one, ce) for one in sides))
        found = next(one for one in audited.findings if one["rule"] == "labels-unrelated")
        assert "not seen to hold for training's labels" in found["what"]
        gap = explain_gap(model, *(Side(one, ce) for one in sides))
        assert gap.verdict.startswith("Check training's labels first")
        assert not {"gap/training-worse", "gap/unseen"} & {one["rule"] for one in gap.findings}


def test_logits_are_no_losses():
    loader = DataLoader(data(64, 1), 32)

    def logits(model, batch):
        return model(batch[0])

    with pytest.raises(DiagnoseError, match="look like logits; return the loss"):
        explain_gap(network(), Side(loader, logits), Side(loader, logits))


def test_a_loss_of_torch_and_a_pair_of_tensors_are_told_what_is_wanted():
    loader = DataLoader(data(64, 1), 32)
    for objective in (F.cross_entropy, nn.CrossEntropyLoss()):
        with pytest.raises(
            DiagnoseError, match=r"give lambda model, batch: (F|nn)\.[Cc]ross_?[Ee]ntropy.*model\(batch\[0\]\)"
        ):
            explain_gap(network(), Side(loader, objective), Side(loader, objective))
    with pytest.raises(DiagnoseError, match=r"a pair of tensors, one batch; give \[\(x, y\)\]"):
        Side(data(64, 1).tensors, ce)
    assert Side(tuple(torch.arange(96).view(-1, 8).split(6)), ce)  # two batches of tokens


@pytest.mark.parametrize(("count", "size"), [(1000, 64), (250, 100), (600, 64)])
def test_a_sum_of_batch_means_that_is_divided_by_samples_is_named(count, size):
    train, val = DataLoader(data(256, 1), 32), DataLoader(data(count, 2), size)
    model = fit(network(), train)
    with torch.no_grad():
        total = sum(float(ce(model, batch).mean()) for batch in val)
    for reported, said in ((total / count, "divided by the"), (total * size / count, f"times {size}")):
        gap = explain_gap(model, Side(train, ce, mode="eval"), Side(val, ce, reported=reported))
        assert said in next(one["what"] for one in gap.findings if one["rule"] == ARITHMETIC)


def test_validation_in_training_mode_alone_is_no_sign_of_memorising():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 24), nn.ReLU(), nn.Dropout(0.5), nn.Linear(24, 4))
    train, val = DataLoader(data(256, 1), 32), DataLoader(data(256, 2), 32)
    gap = explain_gap(fit(model, train), Side(train, ce, mode="eval"), Side(val, ce, mode="train"))
    assert "gap/memorised" not in {one["rule"] for one in gap.findings}
    assert next(one for one in gap.record["terms"] if one["id"] == "mode")["beside"]["value"] > 0


def test_a_forgotten_eval_that_few_batches_do_not_prove_is_said_to_be_possible():
    said, train, val = [], DataLoader(data(512, 0), 32), DataLoader(data(256, 50), 32)
    for seed in range(4):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Dropout(0.5), nn.Linear(48, 4))
        fit(model.train(), train, turns=5)
        with torch.no_grad():
            forgotten = float(torch.cat([ce(model, batch) for batch in val]).mean())
        for reported, forgot in ((forgotten, True), (read(model, val), False)):
            gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=reported))
            found = "val" in gap.record["conditions"]["as_taken"]
            found |= any("whether model.eval() was forgotten" in note for note in gap.record["notes"])
            assert forgot or not found
            said.append(found)
    assert sum(said) >= 2


class Sides:
    """A trained network and its data."""

    def __init__(self):
        self.train, self.val = data(640, 1), data(256, 2)
        self.model = fit(network(), DataLoader(self.train, 32, shuffle=True), turns=4)

    def of(self, objective):
        return [Side(DataLoader(some, 32), objective) for some in (self.train, self.val)]


def hits(model, batch):
    return (model(batch[0]).argmax(1) == batch[1]).float()


class TestWhatHigherIsBetterOf:
    """Every word on a gap is of losses: of an accuracy "the network does better on training data" would be reversed."""

    @pytest.mark.parametrize("objective", [hits, lambda model, batch: hits(model, batch).mean()])
    @pytest.mark.parametrize("ask", [explain_gap, audit_metric])
    def test_is_refused(self, objective, ask):
        sides = Sides()
        with torch.no_grad():
            right = hits(sides.model, sides.train.tensors).mean().item()
        with pytest.raises(DiagnoseError, match=r"higher is better.*return 1 - it") as refused:
            ask(sides.model, *sides.of(objective))
        assert right > 0.5
        assert "counts of what is right" in str(refused.value)

    def test_the_share_of_errors_is_none(self):
        sides = Sides()
        with torch.no_grad():
            wrong = [1 - hits(sides.model, some.tensors).mean().item() for some in (sides.train, sides.val)]
        gap = explain_gap(sides.model, *sides.of(lambda model, batch: 1 - hits(model, batch)))
        assert gap.record["matched"]["train"] == pytest.approx(wrong[0], abs=1e-6)
        assert gap.record["matched"]["val"] == pytest.approx(wrong[1], abs=1e-6)


def test_a_dataset_in_the_place_of_its_loader_is_named():
    with pytest.raises(DiagnoseError, match=r"training side is a dataset, whose items are samples: give DataLoader"):
        explain_gap(network(), Side(data(64, 1), ce), Side(DataLoader(data(64, 2), 16), ce))


def test_groups_that_are_a_column_are_told_how():
    with pytest.raises(DiagnoseError, match=r"groups is a list; .* as lambda batch: batch\[2\]"):
        Side([], ce, groups=["a", "b"])
