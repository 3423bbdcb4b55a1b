"""What a ledger says of two sides is no more than what was looked for, and in the words of the loop that it is of."""

import pytest
import torch
from rounds_fixture import fit
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import Side, explain_gap

CLAIMS = ("has not seen", "on unseen", "not trained on", "it has not")


def draws(seed):
    return torch.Generator().manual_seed(seed)


def whole(gap):
    """Return what the terminal and the page say, but for the page's glossary, in one line."""
    return " ".join(f"{gap} {gap.to_markdown()}".split())


def pictures(count, seed, dtype):
    """Return noise with a label drawn at random: what is learned is each picture by heart."""
    x = torch.randint(0, 256, (count, 3, 8, 8), generator=draws(seed), dtype=torch.uint8)
    y = torch.randint(0, 4, (count,), generator=draws(seed + 50))
    return TensorDataset(x if dtype == torch.uint8 else x.float() / 255, y)


def classified(model, batch):
    return F.cross_entropy(model(batch[0].float() / 64), batch[1], reduction="none")


class TestBitForBit:
    @pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
    def test_of_pictures_no_more_is_said_than_that_none_is_the_same(self, dtype):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(192, 32), nn.ReLU(), nn.Linear(32, 4))
        train, val = (DataLoader(pictures(n, s, dtype), 32) for n, s in ((256, 1), (128, 2)))
        gap = explain_gap(fit(model, train, classified, 12), Side(train, classified), Side(val, classified))
        assert "none of validation's samples is among training's bit for bit" in gap.verdict
        said = whole(gap)
        assert not [claim for claim in CLAIMS if claim in said]
        assert said.count("hanged copies (augmented, cropped, noisy) are not told") >= 2

    def test_of_pictures_that_are_in_part_training_s(self):
        """A fifth is training's to the bit: "has not seen" was said of all of it."""
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(192, 32), nn.ReLU(), nn.Linear(32, 4))
        train, val = pictures(256, 1, torch.uint8), pictures(128, 2, torch.uint8)
        both = TensorDataset(*(torch.cat([a[:32], b]) for a, b in zip(train.tensors, val.tensors, strict=True)))
        train, val = DataLoader(train, 32), DataLoader(both, 32)
        gap = explain_gap(fit(model, train, classified, 12), Side(train, classified), Side(val, classified))
        assert "most of validation's samples are not among training's bit for bit" in gap.verdict

    def test_of_rows_of_tokens_spans_were_looked_for(self):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Embedding(500, 16), nn.Linear(16, 500))

        def next_token(model, batch):
            return F.cross_entropy(model(batch[0][:, :-1]).transpose(1, 2), batch[0][:, 1:], reduction="none")

        train, val = (
            DataLoader(TensorDataset(torch.randint(1, 500, (n, 40), generator=draws(s))), 32)
            for n, s in ((256, 1), (128, 2))
        )
        gap = explain_gap(fit(model, train, next_token, 3), Side(train, next_token), Side(val, next_token))
        assert "training has not seen the validation data" in gap.verdict
        assert "bit for bit" not in whole(gap)
