"""The second round of causes that people reported in public (docs/LOG.md, 2026-11-28), held against plain torch."""

import copy

import pytest
import torch
from rounds_fixture import ce, data, fit, network
from torch.nn import functional as F
from torch.utils.data import DataLoader, default_collate

from diagnose import Side, audit_metric, explain_gap
from diagnose.gap.loop.inputs import InputsSeen


@torch.no_grad()
def each(model, loader, loss=ce):
    model = copy.deepcopy(model).eval()
    return [float(loss(model, batch).mean()) for batch in loader]


def mean(values):
    return sum(values) / len(values)


def values(gap):
    return {one["id"]: one["value"] or 0.0 for one in gap.record["terms"]}


def noisy(rows):
    x, y = default_collate(rows)
    return x + 2.0 * torch.randn_like(x), y


def tuples(rows):
    return tuple(torch.stack(part) for part in zip(*rows, strict=True))


class TestMadeInTheCollateFunction:
    def test_noise_that_training_alone_adds_to_its_batches_is_collation(self):
        train, val = data(256, 1), data(128, 2)
        loader = DataLoader(train, 32, shuffle=True, collate_fn=noisy)
        model = fit(network(), loader)
        gap = explain_gap(model, Side(loader, ce, mode="eval"), Side(DataLoader(val, 32), ce))
        plain = mean(each(model, DataLoader(train, 32)))
        truth = plain - mean([mean(each(model, loader)) for _ in range(8)])
        term = next(one for one in gap.record["terms"] if one["id"] == "collation")
        assert term["low"] < truth < term["high"] < 0
        assert values(gap)["unseen"] == pytest.approx(mean(each(model, DataLoader(val, 32))) - plain, abs=1e-5)

    def test_the_same_random_function_on_both_sides_is_said_and_is_no_collation(self):
        loaders = [DataLoader(data(128, seed), 32, collate_fn=noisy) for seed in (1, 2)]
        gap = explain_gap(network(), *(Side(one, ce, mode="eval") for one in loaders))
        assert values(gap)["collation"] == 0
        assert any("yields other samples each pass" in note for note in gap.record["notes"])

    def test_a_function_that_is_always_the_same_is_left_alone(self):
        loader = DataLoader(data(128, 1), 32, collate_fn=tuples)
        gap = explain_gap(network(), Side(loader, ce, mode="eval"), Side(DataLoader(data(64, 2), 32), ce))
        assert values(gap)["collation"] == 0
        assert not any("collate_fn" in note or "each pass" in note for note in gap.record["notes"])


class TestWhatBatchesHold:
    def test_targets_that_validation_does_not_normalise_are_said_of_few_values(self):
        draw = torch.Generator().manual_seed(1)
        seen = [InputsSeen() for _ in range(2)]
        for side, (scale, shift) in zip(seen, ((1, 0), (7, 20)), strict=True):
            side.add((torch.randn(96, 1, generator=draw) * scale + shift,))
        assert "on another scale" in seen[0].unlike(seen[1])[0]

    def test_shares_of_labels_are_said_where_luck_does_not_make_them(self):
        draw = torch.Generator().manual_seed(1)
        for share, said in ((0.2, False), (0.5, True)):
            seen = [InputsSeen() for _ in range(2)]
            for side, one in zip(seen, (0.2, share), strict=True):
                side.add({"y": (torch.rand(200, generator=draw) < one).float()})
            found = seen[0].unlike(seen[1])
            assert bool(found) is said
            assert all("holds its values in other shares" in one for one in found)

    def test_equal_labels_of_many_classes_are_never_said_to_differ(self):
        for seed in range(40):
            draw = torch.Generator().manual_seed(seed)
            seen = [InputsSeen() for _ in range(2)]
            for side, count in zip(seen, (400, 80), strict=True):
                side.add((torch.randint(0, 2 + seed, (count,), generator=draw),))
            assert not seen[0].unlike(seen[1])


def test_a_sum_that_is_divided_by_the_other_sides_batches_is_named():
    train, val = DataLoader(data(320, 1), 32), DataLoader(data(96, 2), 32)
    model = fit(network(), train)
    reported = sum(each(model, val)) / len(train)
    own = Side(train, ce, mode="eval", reported=mean(each(model, train)))
    gap = explain_gap(model, own, Side(val, ce, reported=reported))
    assert "divided by the 10 batches of the other side instead of its own 3" in gap.verdict


class TestNoFalseError:
    def test_an_autoencoder_reads_its_input(self):
        def loss(model, batch):
            return (model(batch[0]) - batch[0]).square().mean(1)

        train, val = DataLoader(data(128, 1), 32), DataLoader(data(64, 2), 32)
        audited = audit_metric(fit(network(16), train, loss, 2), Side(train, loss), Side(val, loss))
        assert "input-ignored" not in {one["rule"] for one in audited.findings}

    def test_an_input_that_is_not_read_is_still_found(self):
        def loss(model, batch):
            return F.cross_entropy(model(torch.ones_like(batch[0])), batch[1], reduction="none")

        sides = [Side(DataLoader(data(64, seed), 32), loss) for seed in (1, 2)]
        assert "input-ignored" in {one["rule"] for one in audit_metric(network(), *sides).findings}

    @pytest.mark.parametrize("kind", ["noise by place", "batch norm", "sum over the batch"])
    def test_noise_that_is_drawn_by_place_does_not_depend_on_the_batch(self, kind):
        def loss(model, batch):
            x = batch[0]
            if kind == "noise by place":
                x = x + torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
            if kind == "batch norm":
                x = F.batch_norm(x, None, None, training=True) if len(x) > 1 else x
            found = F.cross_entropy(model(x), batch[1], reduction="none")
            return found * 4 / len(x) if kind == "sum over the batch" else found

        train, val = DataLoader(data(64, 1), 32), DataLoader(data(64, 2), 32)
        found = {
            one["rule"]
            for one in audit_metric(fit(network(), train, ce, 2), *(Side(s, loss) for s in (train, val))).findings
        }
        assert ("batch-dependent" in found) is (kind != "noise by place")
