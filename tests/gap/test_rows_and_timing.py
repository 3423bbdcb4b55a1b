"""Rows of tokens that differ by side, and timing: reported causes (docs/LOG.md, 2026-11-29), by plain torch."""

import copy

import pytest
import torch
from test_second_round import ce, data, each, fit, mean, network, values
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, RandomSampler

from diagnose import GapRecorder, Side, audit_metric, explain_gap
from diagnose.gap.loop.redrawn import is_redrawn, is_shuffled
from diagnose.gap.loop.rows_seen import RowsSeen, new_ids

WORDS = 40


class NextToken(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.out = nn.Embedding(WORDS, 16), nn.Linear(16, WORDS)

    def forward(self, ids):
        return self.out(self.embed(ids)).transpose(1, 2)


def token_loss(model, batch):
    return F.cross_entropy(model(batch["input_ids"][:, :-1]), batch["labels"][:, 1:])


def rows(count, seed, prompt=0, length=12):
    draw = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, WORDS, (count, length), generator=draw)
    ids[:, length // 2 :] = (ids[:, length // 2 - 1 : length // 2] + torch.arange(1, length // 2 + 1)) % WORDS
    labels = ids.clone()
    labels[:, :prompt] = -100
    return [{"input_ids": a, "labels": b} for a, b in zip(ids.split(16), labels.split(16), strict=True)]


def seen(batches):
    found = RowsSeen()
    for batch in batches:
        found.add(batch)
    return found


class TestRows:
    def test_prompts_that_training_alone_leaves_out_are_said_and_are_no_generalisation(self):
        train, val = rows(256, 1, prompt=6), rows(128, 2)
        model = fit(NextToken(), train, token_loss)
        gap = explain_gap(model, Side(train, token_loss, mode="eval"), Side(val, token_loss))
        truth = mean(each(model, val, token_loss)) - mean(each(model, train, token_loss))
        assert values(gap)["unseen"] == pytest.approx(truth, abs=1e-5)
        assert "validation's data costs more than training's, and its batches differ, too" in gap.verdict
        said = next(one["what"] for one in gap.findings if one["rule"] == "gap/inputs")
        assert "leaves out 50% of targets in training and 0% in validation" in said
        assert "gap/unseen" not in {one["rule"] for one in gap.findings}

    def test_padding_after_the_last_target_is_no_target_that_is_left_out(self):
        padded = rows(64, 1)
        for batch in padded:
            batch["labels"][:, 5:] = -100
        assert not [one for one in seen(rows(64, 2)).unlike(seen(padded)) if "leaves out" in one]

    def test_rows_that_are_packed_on_one_side_are_said(self):
        assert "rows of 32 tokens in training and of 12 in validation" in seen(rows(64, 1, length=32)).unlike(
            seen(rows(64, 2))
        )[0]  # fmt: skip
        assert not seen(rows(64, 1, length=16)).unlike(seen(rows(64, 2)))

    def test_ids_that_training_never_has_are_said_where_luck_does_not_make_them(self):
        for seed in range(40):
            draw = torch.Generator().manual_seed(seed)
            counts = [{}, {}]
            for side, number in zip(counts, (400, 100), strict=True):
                for value in torch.randint(0, 20 + 20 * seed, (number,), generator=draw).tolist():
                    side[value] = side.get(value, 0) + 1
            assert not new_ids(*counts)
            shifted = {value + 10 + 10 * seed: count for value, count in counts[1].items()}
            assert seed > 10 or "values that training never has" in new_ids(counts[0], shifted)


def mixed_in_place(model, batch):
    """A mixture of a batch with its reverse, written into the batch as timm's Mixup does."""
    x, y = batch
    reverse, share = x.flip(0), float(torch.rand(()))
    x.mul_(share).add_(reverse, alpha=1 - share)
    loss = F.cross_entropy(model(x), y, reduction="none")
    return share * loss + (1 - share) * F.cross_entropy(model(x), y.flip(0), reduction="none")


def test_an_objective_that_writes_into_its_batch_reads_each_batch_as_it_was():
    train, val = list(DataLoader(data(512, 1), 32)), list(DataLoader(data(256, 2), 32))
    before = copy.deepcopy(train)
    model = fit(network(), train, turns=4)
    gap = explain_gap(model, Side(train, mixed_in_place), Side(val, ce))
    assert all(torch.equal(a[0], b[0]) for a, b in zip(train, before, strict=True))
    plain = mean(each(model, train))
    assert values(gap)["unseen"] == pytest.approx(mean(each(model, val)) - plain, abs=1e-5)
    draws = [mean(each(model, copy.deepcopy(train), mixed_in_place)) for _ in range(10)]
    term = next(one for one in gap.record["terms"] if one["id"] == "objective")
    assert term["low"] < plain - mean(draws) < term["high"] < 0


def recorded(folder, model, batches, *, steps=True):
    optimizer, losses = torch.optim.Adam(model.parameters(), 3e-3), []
    with GapRecorder(folder, model, reports="epoch") as recorder:
        for _ in range(3):
            recorder.epoch()
            losses = []
            for batch in batches:
                loss = ce(model, batch).mean()
                optimizer.zero_grad()
                loss.backward()
                if steps:
                    optimizer.step()
                recorder.step(batch, loss)
                losses.append(float(loss.detach()))
    return recorder, mean(losses)


class TestTiming:
    def test_a_reported_mean_of_steps_divided_by_four_is_named(self, tmp_path):
        train, val = list(DataLoader(data(256, 1), 32)), list(DataLoader(data(128, 2), 32))
        model = network()
        recorder, logged = recorded(tmp_path, model, train)
        gap = explain_gap(model, Side(train, ce, reported=logged / 4), Side(val, ce), recorder=recorder)
        assert "the reported training loss is what is read, divided by 4" in gap.verdict
        assert values(gap)["residual"] == pytest.approx(logged * 3 / 4, rel=1e-5)

    def test_an_epoch_of_all_batches_leaves_nothing_to_recency(self, tmp_path):
        train, val = list(DataLoader(data(256, 1), 32)), list(DataLoader(data(128, 2), 32))
        model = network()
        recorder, logged = recorded(tmp_path, model, train)
        gap = explain_gap(model, Side(train, ce), Side(val, ce), recorder=recorder)
        term = next(one for one in gap.record["terms"] if one["id"] == "recency")
        assert (term["low"], term["high"]) == pytest.approx((0, 0), abs=1e-9)
        assert values(gap)["lag"] == pytest.approx(mean(each(model, train)) - logged, abs=1e-5)

    def test_weights_that_got_worse_are_not_called_easier_batches(self, tmp_path):
        train, val = list(DataLoader(data(256, 1), 32)), list(DataLoader(data(128, 2), 32))
        model = fit(network(), train)
        recorder, _ = recorded(tmp_path, model, train, steps=False)
        with torch.no_grad():
            for weight in model.parameters():
                weight.mul_(0.2)
        gap = explain_gap(model, Side(train, ce), Side(val, ce), recorder=recorder)
        assert values(gap)["lag"] > 0.1
        assert "the final weights do worse on the logged training batches" in gap.verdict
        assert "easier" not in gap.verdict


def padded(some):
    longest = max(len(row) for row, _ in some)
    fill = [torch.cat([row, torch.zeros(longest - len(row), dtype=torch.long)]) for row, _ in some]
    return torch.stack(fill), torch.tensor([label for _, label in some])


def test_rows_that_are_padded_to_their_batch_are_not_other_samples_in_another_order():
    draw = torch.Generator().manual_seed(0)
    rows_of = [(torch.randint(1, 40, (3 + k % 9,), generator=draw), k % 2) for k in range(64)]
    loader = DataLoader(rows_of, 8, sampler=RandomSampler(rows_of), collate_fn=padded)
    assert not is_redrawn(loader)
    assert is_shuffled(loader)
    assert not is_shuffled(DataLoader(rows_of, 8, collate_fn=padded))


class TestOtherLabels:
    def read(self, change, **more):
        x, y = data(128, 1).tensors
        index = torch.arange(128)
        train = [
            {"x": a, "y": b, "index": c} for a, b, c in zip(x.split(32), y.split(32), index.split(32), strict=True)
        ]
        val = [{"x": x[:64], "y": change(y[:64]), "index": index[:64] + 500, **more}]

        def loss(model, batch):
            return F.cross_entropy(model(batch["x"]), batch["y"], reduction="none")

        return explain_gap(fit(network(), train, loss), Side(train, loss, mode="eval"), Side(val, loss))

    def test_samples_that_training_has_under_other_labels_are_said(self):
        gap = self.read(lambda y: (y + torch.arange(64) % 2) % 4)
        said = next(one["what"] for one in gap.findings if one["rule"] == "gap/inputs")
        assert "32 of the 64 validation samples that training has too are labelled otherwise there" in said
        assert "gap/leaking-split" in {one["rule"] for one in gap.findings}

    def test_the_same_labels_are_no_others_though_the_index_differs(self):
        gap = self.read(lambda y: y)
        assert "gap/inputs" not in {one["rule"] for one in gap.findings}


def test_the_same_batches_on_both_sides_are_equal_whatever_their_spread():
    some = list(DataLoader(data(64, 1), 32))
    gap = explain_gap(network(), *(Side(some, lambda m, b: ce(m, b) * 1000) for _ in range(2)))
    assert "the two are equal" in gap.verdict


class Pairs(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.score, self.unused = nn.Linear(16, 1), nn.Linear(16, 1)

    def forward(self, x):
        return self.score(x).squeeze(1)


def test_a_bias_that_cancels_in_a_difference_of_scores_is_no_error():
    def loss(model, batch):
        return -F.logsigmoid(model(batch[0]) - model(batch[0].flip(0)))

    def with_unused(model, batch):
        return loss(model, batch) + 0 * model.unused(batch[0]).squeeze(1)

    sides = [DataLoader(data(count, seed), 32) for count, seed in ((128, 1), (64, 2))]
    model = Pairs()
    found = audit_metric(model, *(Side(one, with_unused) for one in sides))
    said = next(one["what"] for one in found.findings if one["rule"] == "no-gradient")
    assert "unused.weight" in said
    assert "score.bias" not in said
    del model.unused
    assert "no-gradient" not in {one["rule"] for one in audit_metric(model, *(Side(o, loss) for o in sides)).findings}
