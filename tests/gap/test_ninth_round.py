"""A ninth round of causes that people report (docs/LOG.md, 2026-11-30): what was not right at first sight."""

import pytest
import torch
from rounds_fixture import ce, data, fit, mean, network, term
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import Side, audit_metric, explain_gap


def by_name(found):
    return {one["rule"]: one for one in found.findings}


class TestClassesNumberedOtherwise:
    """pytorch/pytorch#22566: folders are sorted as strings, so that some classes keep their number."""

    ORDER = torch.tensor([sorted(range(12), key=str).index(k) for k in range(12)])

    def sides(self, order):
        own = data(480, 2, outputs=12)
        moved = TensorDataset(own.tensors[0], order[own.tensors[1]])
        return DataLoader(data(960, 1, outputs=12), 32, shuffle=True), DataLoader(moved, 32)

    def test_leads_the_verdict_and_names_the_classes(self):
        train, val = self.sides(self.ORDER)
        model = fit(network(12), train)
        gap = explain_gap(model, Side(train, ce), Side(val, ce))
        assert gap.verdict.startswith("Check validation's labels first: its classes are numbered otherwise")
        found = by_name(audit_metric(model, Side(train, ce), Side(val, ce)))["labels-unrelated"]
        back = {int(new): old for old, new in enumerate(self.ORDER.tolist())}
        label, _, predicted = found["measured"]["mapping"].split(",")[0].partition(" as ")
        assert back[int(label)] == int(predicted)

    def test_of_classes_that_are_alike_nothing_is_said(self):
        train, val = self.sides(torch.arange(12))
        gap = explain_gap(fit(network(12), train), Side(train, ce), Side(val, ce))
        assert "labels-unrelated" not in by_name(gap)

    def test_training_that_never_learned_a_class_is_no_mapping(self):
        """Both sides' rarest class is predicted as another one: nothing is numbered otherwise."""
        x, y = data(960, 1, outputs=12).tensors
        few = (y != 3) | (torch.arange(len(y)) % 20 == 0)
        train, val = DataLoader(TensorDataset(x[few], y[few]), 32), DataLoader(data(480, 2, outputs=12), 32)
        gap = explain_gap(fit(network(12), train, turns=3), Side(train, ce), Side(val, ce))
        assert "labels-unrelated" not in by_name(gap)


class Language(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.net, self.head = nn.Embedding(20, 16), nn.GRU(16, 24, batch_first=True), nn.Linear(24, 20)

    def forward(self, x):
        return self.head(self.net(self.embed(x))[0])


def padded(rows):
    ids = nn.utils.rnn.pad_sequence(rows, batch_first=True)
    return {"input_ids": ids, "attention_mask": (ids != 0).long(), "labels": ids.masked_fill(ids == 0, -100)}


def next_tokens(model, batch):
    scores = model(batch["input_ids"][:, :-1]).flatten(0, 1)
    return F.cross_entropy(scores, batch["labels"][:, 1:].flatten(), ignore_index=-100)


class TestRowsFilledUp:
    """huggingface/transformers#39241: the same rows in batches of another size are filled up to another length."""

    def rows(self, count):
        draw = torch.Generator().manual_seed(1)
        return [torch.randint(1, 20, (int(torch.randint(12, 32, (), generator=draw)),), generator=draw)
                for _ in range(count)]  # fmt: skip

    def test_are_the_same_samples(self):
        rows = self.rows(96)
        train, val = (DataLoader(rows, size, collate_fn=padded) for size in (32, 2))
        model = fit(Language(), train, next_tokens, turns=2)
        gap = explain_gap(model, *(Side(one, next_tokens, mode="eval") for one in (train, val)))
        assert gap.record["overlap"]["exact"] == 96
        assert term(gap, "unseen")["value"] == term(gap, "leak")["value"] == 0
        right = mean(model, val, next_tokens) - mean(model, train, next_tokens)
        assert term(gap, "batching")["value"] == pytest.approx(right, abs=1e-5)

    def test_other_rows_are_not(self):
        rows = self.rows(192)
        train, val = (DataLoader(part, 16, collate_fn=padded) for part in (rows[:128], rows[128:]))
        model = fit(Language(), train, next_tokens, turns=2)
        gap = explain_gap(model, *(Side(one, next_tokens) for one in (train, val)))
        assert gap.record["overlap"]["exact"] == 0


def test_the_names_of_groups_are_no_inputs_that_differ():
    """Lightning-Universe/lightning-Covid19#11: other patients are other numbers, by design."""

    def scans(patients, seed):
        x, y = data(len(patients), seed).tensors
        return TensorDataset(x, y, patients)

    def patient(batch):
        return batch[2]

    train = DataLoader(scans(torch.arange(80).repeat(5), 1), 32, shuffle=True)
    val = DataLoader(scans(torch.arange(70, 110).repeat(5), 2), 32)
    sides = [Side(one, ce, groups=patient) for one in (train, val)]
    model = fit(network(), train)
    gap = explain_gap(model, *sides)
    assert gap.record["conditions"]["unlike"] == []
    assert by_name(gap)["gap/duplicates"]["fix"].startswith("split by group")
    assert "Some validation groups" in by_name(gap)["gap/duplicates"]["what"]
    assert "inputs-unlike" not in by_name(audit_metric(model, *sides))
    without = explain_gap(model, *(Side(one, ce) for one in (train, val)))
    assert len(without.record["conditions"]["unlike"]) == 1


def pictures(count, seed, size=16):
    """Smooth pictures of 0 to 255 in colour, as photographs are."""
    draw = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 5, 5, generator=draw)
    return (255 * F.interpolate(coarse, (size, size), mode="bicubic", align_corners=True)).clamp(0, 255).round()


def saved_again(x):
    return (x / 12).round() * 12


def made_noisy(x):
    return (x + 6 * torch.randn(x.shape, generator=torch.Generator().manual_seed(4))).clamp(0, 255).round()


def brighter(x):
    return (0.8 * x + 30).round()


class TestCopiesOfPictures:
    def ledger(self, of_training, of_validation):
        labels = [torch.randint(0, 3, (len(x),), generator=torch.Generator().manual_seed(len(x)))
                  for x in (of_training, of_validation)]  # fmt: skip
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(of_training[0].numel(), 16), nn.ReLU(), nn.Linear(16, 3))
        both = zip((of_training, of_validation), labels, strict=True)
        loaders = [DataLoader(TensorDataset(x, y), 32) for x, y in both]

        def loss(model, batch):
            return F.cross_entropy(model(batch[0].float() / 255), batch[1], reduction="none")

        fit(model, loaders[0], loss, turns=2)
        sides = [Side(one, loss) for one in loaders]
        return explain_gap(model, *sides), audit_metric(model, *sides)

    @pytest.mark.parametrize("change", [lambda x: x.flip(3), saved_again, made_noisy, brighter])
    @pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
    def test_changed_ones_are_told(self, change, dtype):
        own, new = pictures(200, 1), pictures(100, 2)
        both = torch.cat([change(own[:60]), new])
        gap, audited = self.ledger(own.to(dtype), both.to(dtype))
        assert (gap.record["overlap"]["exact"], gap.record["overlap"]["near"]) == (0, 60)
        assert "gap/duplicates" in by_name(gap)
        assert by_name(audited)["split-overlap-near"]["measured"]["near"] == pytest.approx(60 / 160)

    def test_others_are_not(self):
        gap, audited = self.ledger(pictures(200, 1), pictures(160, 2))
        assert (gap.record["overlap"]["exact"], gap.record["overlap"]["near"]) == (0, 0)
        assert not {"split-overlap-near", "split-overlap-exact"} & set(by_name(audited))
        assert any("cropped or shifted ones are not" in note for note in gap.record["notes"])

    def test_cropped_ones_are_not_told_and_that_is_said(self):
        own = pictures(200, 1, 24)
        gap, _ = self.ledger(own[:, :, :16, :16], own[:100, :, 6:22, 6:22])
        assert gap.record["overlap"]["near"] == 0
        assert any("cropped or shifted ones are not" in note for note in gap.record["notes"])

    def test_where_trainings_own_are_alike_nothing_is_told(self):
        """Drawings that hold nearly the same, as aligned scans do: a near one in training is no copy."""
        base = pictures(1, 3)
        own, new = ((base + 3 * torch.randn(n, 3, 16, 16, generator=torch.Generator().manual_seed(n))).clamp(0, 255)
                    for n in (200, 160))  # fmt: skip
        gap, _ = self.ledger(own.round(), new.round())
        assert gap.record["overlap"]["near"] == 0
        assert any("many of training's pictures are nearly the same" in note for note in gap.record["notes"])

    def test_plain_ones_hold_nothing_to_be_told_by(self):
        own, new = pictures(200, 1), pictures(160, 2)
        own[:20], new[:20] = 40.0, 40.0
        own[:20, 0, 0, 0], new[:20, 0, 0, 0] = torch.arange(20.0), torch.arange(20.0) + 20
        gap, _ = self.ledger(own, new)
        assert gap.record["overlap"]["near"] == 0
