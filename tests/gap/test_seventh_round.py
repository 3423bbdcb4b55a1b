"""The seventh round of causes that people report (docs/LOG.md, 2026-11-29), held against plain torch."""

import pytest
import torch
from rounds_fixture import ce, data, draws, fit, mean, network, term, unlike
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import Side, audit_metric, explain_gap


class Language(nn.Module):
    def __init__(self, vocabulary=40):
        super().__init__()
        torch.manual_seed(0)
        self.embedding, self.state = nn.Embedding(vocabulary, 16), nn.GRU(16, 24, batch_first=True)
        self.out = nn.Linear(24, vocabulary)

    def forward(self, x):
        return self.out(self.state(self.embedding(x))[0])


def shifting(model, batch):
    """Return the loss of each target as causal models of Hugging Face take it: they shift labels themselves."""
    return F.cross_entropy(model(batch[0][:, :-1]).transpose(1, 2), batch[1][:, 1:], reduction="none")


def texts(count, seed):
    """Return rows of 5 to 20 words that end in 0 and are padded by it."""
    start, length = (torch.randint(low, high, (count, 1), generator=draws(seed)) for low, high in ((2, 40), (5, 20)))
    places = torch.arange(21)
    return ((start * (places + 2)) % 37 + 3) * (places < length)


class TestShuffledBatches:
    """karpathy's and Lightning's loops log means over batches; which samples share one is another luck each epoch."""

    def correlation(self, model, batch):
        found, wanted = model(batch[0])[:, 0], batch[1]
        return 1 - torch.corrcoef(torch.stack([found, wanted]))[0, 1]

    def ignoring(self, model, batch):
        (x,) = batch
        return F.cross_entropy(model(x[:, :-1]).transpose(1, 2), x[:, 1:], ignore_index=0)

    @pytest.mark.parametrize("kind", ["correlation", "ignored"])
    def test_a_mean_of_another_shuffle_has_the_luck_of_one_and_no_factor(self, kind):
        if kind == "correlation":
            x, more = torch.randn(320, 16, generator=draws(1)), torch.randn(160, 16, generator=draws(2))
            sets, loss, model = (
                [TensorDataset(one, one[:, 0] + one[:, 1]) for one in (x, more)],
                self.correlation,
                network(1),
            )
        else:
            sets, loss, model = [TensorDataset(texts(n, s)) for n, s in ((320, 1), (160, 2))], self.ignoring, Language()
        train, val = DataLoader(sets[0], 16, shuffle=True), DataLoader(sets[1], 16)
        fit(model, train, loss, 2).eval()
        for seed in range(4):
            torch.manual_seed(seed)
            sides = (
                Side(train, loss, reported=mean(model, train, loss)),
                Side(val, loss, reported=mean(model, val, loss)),
            )
            gap = explain_gap(model, *sides)
            assert term(gap, "residual")["low"] <= 0 <= term(gap, "residual")["high"]
            assert not gap.record["arithmetic"]["training"]

    def test_means_of_batches_that_are_alike_are_exact(self):
        train, val = DataLoader(data(256, 1), 32, shuffle=True), DataLoader(data(128, 2), 32)
        model = fit(network(), train)

        def scalar(m, batch):
            return ce(m, batch).mean()

        reported = mean(model, train, scalar)
        gap = explain_gap(model, Side(train, scalar, reported=reported / 4), Side(val, scalar))
        assert "divided by 4" in gap.record["arithmetic"]["training"][0]["factor"]


class TestFastPath:
    """pytorch/pytorch#86120: in evaluation torch's encoder sets padded places to 0, which a mean over places shows."""

    @pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
    def test_what_evaluation_gives_is_read_and_the_difference_is_mode(self):
        class Encoder(nn.Module):
            def __init__(self):
                super().__init__()
                torch.manual_seed(0)
                self.embedding, self.out = nn.Embedding(40, 16), nn.Linear(16, 4)
                layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
                self.encoder = nn.TransformerEncoder(layer, 2)

            def forward(self, x):
                return self.out(self.encoder(self.embedding(x), src_key_padding_mask=x == 0).mean(1))

        train, val = (DataLoader(TensorDataset(x := texts(n, s), x[:, 0] % 4), 16) for n, s in ((160, 1), (80, 2)))
        model = fit(Encoder(), train, turns=3)
        on, off, other = mean(model, train, ce, training=True), mean(model, train, ce), mean(model, val, ce)
        assert abs(off - on) > 0.01
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=other))
        assert term(gap, "mode")["value"] == pytest.approx(off - on, abs=1e-4)
        assert (gap.matched.train, gap.matched.val) == pytest.approx((off, other), abs=1e-4)
        assert torch.backends.mha.get_fastpath_enabled()


class TestTargets:
    def said(self, first, second, loss=shifting):
        train, val = (DataLoader(TensorDataset(*some), 32) for some in (first, second))
        return unlike(explain_gap(fit(Language(), train, loss, 1), Side(train, loss), Side(val, loss)))

    def test_labels_that_were_shifted_before_the_model_shifts_them(self):
        """huggingface/transformers#47394: training predicts the word after the next."""
        rows, other = texts(200, 1) + 1, texts(100, 2) + 1
        rows[rows == 41], other[other == 41] = 40, 40
        rows, other = rows % 40, other % 40
        shifted = rows.roll(-1, 1)
        shifted[:, -1] = -100
        (said,) = self.said((rows, shifted), (other, other))
        assert "entry '1' of the batch is '0' shifted by one place in training and as it stands in validation" in said
        assert not self.said((rows, rows), (other, other))
        assert not self.said((rows, shifted), (other, other.roll(-1, 1)))

    def test_an_end_of_text_that_is_masked_as_padding_is_on_one_side(self):
        """NVIDIA-NeMo/Automodel#1336: padding and the end of a text have one id."""
        rows, other = texts(200, 1), texts(100, 2)
        masked, ends = rows.masked_fill(rows == 0, -100), other.clone()
        for row in ends:
            row[int((row > 0).sum()) + 1 :] = -100
        (said,) = self.said((rows, masked), (other, ends))
        assert "never holds 0 in training, where 100% of rows of '0' do, and does in 100% of validation's rows" in said
        assert not self.said((rows, masked), (other, other.masked_fill(other == 0, -100)))


class TestMasks:
    def test_a_mask_of_which_half_is_1_is_on_no_other_scale(self):
        """The middle of 0s and 1s jumps from one to the other by chance."""
        for seed in range(6):
            sides = []
            for count, number in ((96, seed), (48, seed + 50)):
                x = torch.randn(count, 1, 8, 8, generator=draws(number))
                y = (x + 0.1 * torch.randn(x.shape, generator=draws(number + 7)) > 0).float()
                sides.append(DataLoader(TensorDataset(x, y), 16))

            def pixels(model, batch):
                return F.binary_cross_entropy_with_logits(model(batch[0]), batch[1], reduction="none")

            torch.manual_seed(0)
            assert not unlike(explain_gap(nn.Conv2d(1, 1, 1), *(Side(some, pixels) for some in sides)))


class Drawn:
    """nanoGPT's windows at random places."""

    def __init__(self, row):
        self.row = row

    def __len__(self):
        return 12

    def __iter__(self):
        for _ in range(len(self)):
            yield self.row.unfold(0, 17, 1)[torch.randint(0, len(self.row) - 17, (16,))]


def test_windows_that_are_drawn_at_random_are_not_scored_twice():
    def next_token(model, x):
        return F.cross_entropy(model(x[:, :-1]).transpose(1, 2), x[:, 1:], reduction="none")

    train, val = (Drawn(torch.randint(0, 40, (500,), generator=draws(s))) for s in (1, 2))
    audited = audit_metric(Language(), Side(train, next_token), Side(val, next_token))
    assert "scored-twice" not in {finding["rule"] for finding in audited.findings}


def test_samples_that_are_held_in_a_list_of_tensors_are_samples():
    """Lightning-AI/pytorch-lightning#10093: clouds of points, as a list; the first one's points are no batch size."""
    centres = torch.randn(4, 16, generator=draws(9))

    def clouds(count, seed):
        y = torch.randint(0, 4, (count,), generator=draws(seed))
        sizes = torch.randint(2, 30, (count,), generator=draws(seed + 1)).tolist()
        return [
            (centres[k] + torch.randn(n, 16, generator=draws(seed + 5 + n)), k)
            for n, k in zip(sizes, y.tolist(), strict=True)
        ]

    def collate(rows):
        return [x for x, _ in rows], torch.tensor([y for _, y in rows])

    def loss(model, batch):
        return F.cross_entropy(torch.stack([model(x).mean(0) for x in batch[0]]), batch[1])

    train, val = (DataLoader(clouds(n, s), b, collate_fn=collate) for n, s, b in ((160, 1, 16), (96, 300, 8)))
    model = fit(network(), train, loss, 1)
    gap = explain_gap(model, Side(train, loss), Side(val, loss))
    assert term(gap, "batching")["value"] == 0
    assert term(gap, "unseen")["value"] == pytest.approx(mean(model, val, loss) - mean(model, train, loss), abs=1e-5)
    assert gap.record["overlap"]["val_documents"] == 96


def test_means_of_unequal_batches_on_both_sides_are_not_averaged_in_different_ways():
    """The loop of PyTorch's tutorial: a mean of batch means, of which validation's last is of five samples."""

    def scalar(model, batch):
        return ce(model, batch).mean()

    some = data(133, 2)
    order = some.tensors[1].argsort()
    val = DataLoader(TensorDataset(*(part[order] for part in some.tensors)), 32)
    train = DataLoader(data(256, 1), 32)
    model = fit(network(), train, scalar, 3)
    sides = [Side(one, scalar, reported=mean(model, one, scalar), reduction="batch") for one in (train, val)]
    gap = explain_gap(model, *sides)
    with torch.no_grad():
        over = sum(float(ce(model, batch).sum()) for batch in val) / 133
    assert term(gap, "reduction")["value"] == pytest.approx(mean(model, val, scalar) - over, abs=1e-5)
    assert "averaged over targets in different ways" not in gap.verdict
