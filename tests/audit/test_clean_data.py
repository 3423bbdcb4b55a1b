"""Clean set-ups that an audit spoke of falsely: a margin that is kept, a weak model, columns that are no tokens."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from diagnose import Side, audit_metric
from diagnose.audit.class_mapping import Moved, _are_known
from diagnose.audit.side_batches import may_hold_text


def found(audited):
    return {one["rule"] for one in audited.findings}


def test_a_margin_that_is_kept_leaves_nothing_to_learn():
    draw = torch.Generator().manual_seed(0)
    anchors = torch.randn(128, 8, generator=draw)
    triples = TensorDataset(anchors, anchors + 0.01, anchors + 50)
    train, val = (
        DataLoader(triples, 16),
        DataLoader(TensorDataset(anchors[:32] + 1, anchors[:32] + 1, -anchors[:32]), 16),
    )

    def loss(model, batch):
        return F.triplet_margin_loss(*map(model, batch))

    torch.manual_seed(0)
    audited = audit_metric(nn.Linear(8, 4), train=Side(train, loss), val=Side(val, loss))
    assert "cannot-overfit" not in found(audited)
    reasons = " ".join(skipped["why"] for skipped in audited.record["skipped"])
    assert "nothing is left to learn" in reasons


class TestWeakModels:
    def test_labels_that_are_not_known_on_the_other_side_are_not_numbered_otherwise(self):
        swapped = Moved(((1, 0),), 0.7)
        assert _are_known(np.array([[20, 0], [2, 18]]), swapped)
        assert not _are_known(np.array([[20, 0], [11, 9]]), swapped)

    def test_one_that_prefers_a_class_says_nothing_of_the_numbering(self):
        draw = torch.Generator().manual_seed(0)
        centres = torch.randn(4, 16, generator=draw)

        def side(count):
            y = torch.randint(0, 4, (count,), generator=draw)
            return DataLoader(TensorDataset(0.3 * centres[y] + torch.randn(count, 16, generator=draw), y), 32)

        def loss(model, batch):
            return F.cross_entropy(model(batch[0]), batch[1], reduction="none")

        train, val = side(320), side(160)
        for seed in range(3):
            torch.manual_seed(seed)
            model = nn.Linear(16, 4)
            optimizer = torch.optim.SGD(model.parameters(), 0.05)
            for batch in train:
                optimizer.zero_grad()
                loss(model, batch).mean().backward()
                optimizer.step()
            assert "labels-unrelated" not in found(audit_metric(model, train=Side(train, loss), val=Side(val, loss)))


class TestNoText:
    def test_classes_of_pixels_and_edges_of_graphs_are_no_tokens(self):
        pixels = torch.zeros(4, 8, 8, dtype=torch.int64)
        assert not may_hold_text((torch.zeros(4, 3, 8, 8), pixels))
        assert not may_hold_text({"x": torch.zeros(30, 5), "edges": torch.zeros(2, 60, dtype=torch.int64)})
        assert may_hold_text(torch.zeros(4, 8, dtype=torch.int64))
        assert may_hold_text({"choices": torch.zeros(4, 3, 8, dtype=torch.int64), "y": torch.zeros(4).long()})
        assert may_hold_text((torch.zeros(4, 20, 80), torch.zeros(4, 9, dtype=torch.int64)))  # speech

    def test_a_table_with_categories_is_averaged_over_samples(self):
        draw = torch.Generator().manual_seed(0)
        kinds, x = torch.randint(0, 5, (100, 3), generator=draw), torch.randn(100, 4, generator=draw)
        y = x[:, 0] + torch.cat([torch.zeros(96), torch.full((4,), 9.0)])  # the last, smaller batch costs more

        class Table(nn.Module):
            def __init__(self):
                super().__init__()
                self.kinds, self.out = nn.Embedding(5, 2), nn.Linear(10, 1)

            def forward(self, kinds, x):
                return self.out(torch.cat([self.kinds(kinds).flatten(1), x], 1)).squeeze(1)

        def loss(model, batch):
            return (model(*batch[:2]) - batch[2]).square()

        side = Side(DataLoader(TensorDataset(kinds, x, y), 32), loss, reduction="batch")
        torch.manual_seed(0)
        (ragged,) = (one for one in audit_metric(Table(), side, side).findings if one["rule"] == "ragged-mean")
        assert "token" not in ragged["what"] + ragged["fix"]
        assert "one over all samples" in ragged["what"]


def test_a_sampler_that_weighs_classes_alike_is_no_other_split():
    draw = torch.Generator().manual_seed(0)

    def side(count):
        y = (torch.rand(count, generator=draw) < 0.1).long()
        return TensorDataset(torch.randn(count, 8, generator=draw) + y[:, None], y)

    def loss(model, batch):
        return F.cross_entropy(model(batch[0]), batch[1], reduction="none")

    train, val = side(400), side(200)
    weights = torch.where(train.tensors[1] == 1, 9.0, 1.0)
    loader = DataLoader(train, 32, sampler=WeightedRandomSampler(weights.tolist(), 400))
    torch.manual_seed(0)
    audited = audit_metric(nn.Linear(8, 2), train=Side(loader, loss), val=Side(DataLoader(val, 32), loss))
    assert "inputs-unlike" not in found(audited)
