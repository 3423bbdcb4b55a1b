"""Whether validation's samples are training's is judged by all of what training holds, or not at all."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, WeightedRandomSampler

from diagnose import Side, audit_metric
from diagnose.audit import side_data

EXACT, NEAR = "split-overlap-exact", "split-overlap-near"


class Moved(Dataset):
    """Pictures that are moved and turned over each time they are read, under a name of the user's own."""

    def __init__(self, x, y, moves=True):
        self.x, self.y, self.moves = x, y, moves

    def __len__(self):
        return len(self.x)

    def __getitem__(self, k):
        places = tuple(torch.randint(-3, 4, (2,)).tolist()) if self.moves else (0, 0)
        return self.x[k].roll(places, (1, 2)), self.y[k]


class Transformed(Moved):
    """The same with torchvision's name for what changes a picture."""

    def __init__(self, x, y, transform):
        super().__init__(x, y, moves=False)
        self.transform = transform

    def __getitem__(self, k):
        x, y = super().__getitem__(k)
        return self.transform(x), y


def each(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def pictures(n=120):
    draw = torch.Generator().manual_seed(0)
    return torch.randn(n, 1, 8, 8, generator=draw), torch.randint(3, (n,), generator=draw)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 3))


def audited(train, val):
    return audit_metric(network(), train, val, budget=0.5).record


def ids(record, part):
    return {one["rule"] for one in record[part]}


def loader(dataset, **given):
    return DataLoader(dataset, 16, **given)


class TestAugmentedTraining:
    """All of validation's pictures are training's; as training yields them, hardly any is."""

    def sides(self, **plain):
        x, y = pictures()
        return Side(loader(Moved(x, y), shuffle=True), each, **plain), Side(loader(TensorDataset(x[80:], y[80:])), each)

    def test_is_no_proof_of_a_sound_split(self):
        record = audited(*self.sides())
        why = {one["rule"]: one["why"] for one in record["skipped"]}
        assert not {EXACT, NEAR} & ids(record, "checked")
        assert "drawn anew each pass" in why[EXACT]
        assert "plain=" in why[EXACT]
        assert "could not be judged: split-overlap-exact" in audit_metric(network(), *self.sides(), budget=0.5).verdict

    def test_is_looked_through_as_plain_data(self):
        record = audited(*self.sides(plain=loader(Moved(*pictures(), moves=False))))
        assert next(one["measured"]["exact"] for one in record["findings"] if one["rule"] == EXACT) == 1.0

    def test_is_looked_through_with_validations_transform(self):
        x, y = pictures()
        still, moved = (lambda picture: picture), (lambda picture: picture.roll(int(torch.randint(1, 8, ())), 2))
        train = Side(loader(Transformed(x, y, moved)), each)
        record = audited(train, Side(loader(Transformed(x[80:], y[80:], still)), each))
        assert next(one["measured"]["exact"] for one in record["findings"] if one["rule"] == EXACT) == 1.0

    def test_a_clean_split_with_plain_data_passes(self):
        x, y = pictures()
        train = Side(loader(Moved(x[:80], y[:80])), each, plain=loader(Moved(x[:80], y[:80], moves=False)))
        record = audited(train, Side(loader(TensorDataset(x[80:], y[80:])), each))
        assert EXACT in ids(record, "checked")


def test_a_sampler_that_repeats_is_looked_through_as_a_whole():
    x, y = pictures()
    sampler = WeightedRandomSampler(torch.ones(len(x)), 16, replacement=True)
    train = Side(loader(TensorDataset(x, y), sampler=sampler), each)
    record = audited(train, Side(loader(TensorDataset(x[80:], y[80:])), each))
    assert next(one["measured"]["exact"] for one in record["findings"] if one["rule"] == EXACT) == 1.0


@pytest.mark.parametrize("named", [False, True])
def test_a_part_of_training_is_no_proof_either(named, monkeypatch):
    monkeypatch.setattr(side_data, "MOST_BATCHES", 2)
    x, y = pictures()
    groups = {"groups": lambda batch: batch[0][:, 0, 0, 0]} if named else {}
    train = Side(Endless([(x[k : k + 16], y[k : k + 16]) for k in range(0, 80, 16)]), each, **groups)
    record = audited(train, Side(loader(TensorDataset(x[80:], y[80:])), each, **groups))
    assert EXACT in ids(record, "skipped")


class Endless:
    """Batches without a length."""

    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)
