"""Batches that hold time first: a sample is a column of them, whatever shape targets and losses have."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from diagnose import Side, audit_metric, explain_gap
from diagnose.gap.loop.time_first import TimeFirst, columns_of, losses_by_row

TOKENS = 29


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.rnn = nn.Embedding(TOKENS, 16), nn.LSTM(16, 16)
        self.drop, self.out = nn.Dropout(0.4), nn.Linear(16, TOKENS)

    def forward(self, tokens_TB, state):
        hidden, _ = self.rnn(self.words(tokens_TB), state)
        return self.out(self.drop(hidden))


def text(columns, length, seed):
    """Return batches of 12 tokens a column, targets flat, with the state that each begins with."""
    tokens_TB = torch.randint(TOKENS, (length + 1, columns), generator=torch.Generator().manual_seed(seed))
    state = tuple(torch.zeros(1, columns, 16) for _ in range(2))
    return [
        (tokens_TB[k : k + 12], tokens_TB[k + 1 : k + 13].reshape(-1), state)
        for k in range(0, length - length % 12, 12)
    ]


def mean_loss(model, batch):
    tokens, targets, state = batch
    return F.cross_entropy(model(tokens, state).view(-1, TOKENS), targets)


def each_loss(model, batch):
    tokens, targets, state = batch
    return F.cross_entropy(model(tokens, state).view(-1, TOKENS), targets, reduction="none")


def test_time_is_told_from_samples():
    batch = text(6, 24, 0)[0]
    assert columns_of(batch) == 6
    assert columns_of((batch[0].t(), batch[1].view(12, 6).t())) == 0  # a row a sample
    assert columns_of((torch.randint(9, (12, 6)), torch.randint(9, (12,)))) == 0
    edges = torch.randint(50, (2, 30))
    assert columns_of((edges, edges.flip(0))) == 0
    windows = torch.arange(64).unfold(0, 9, 1)  # overlapping windows, a row a sample, in order
    assert columns_of((windows[:, :-1], windows[:, 1:])) == 0
    marked = torch.cat([torch.full((1, 8), 2), torch.randint(3, 9, (10, 8))])
    assert columns_of({"source": marked, "target": marked[:7]}) == 8
    assert columns_of({"source": marked.t(), "target": marked[:7].t()}) == 0


def test_a_turned_batch_comes_back_as_it_was():
    batch = text(6, 24, 1)[0]
    form = TimeFirst.of(batch)
    rows = form.turned(batch)
    assert [tuple(t.shape) for t in (rows[0], rows[1], rows[2][0])] == [(6, 12), (6, 12), (6, 1, 16)]
    back = form.back(rows)
    assert torch.equal(back[0], batch[0])
    assert torch.equal(back[1], batch[1])
    assert back[0].is_contiguous()
    losses_TB = torch.arange(72.0).view(12, 6)
    for returned in (losses_TB, losses_TB.reshape(-1), {"loss": losses_TB}):
        turned = losses_by_row(returned, batch)
        assert torch.equal(turned["loss"] if isinstance(turned, dict) else turned, losses_TB.t())


@pytest.mark.parametrize("objective", [mean_loss, each_loss])
def test_a_ledger_of_columns(objective):
    torch.manual_seed(0)
    model = Recurrent()
    train, val = text(8, 240, 2), text(4, 240, 3)
    gap = explain_gap(model, Side(train, objective), Side(val, objective))
    terms = gap.terms.set_index("id").value
    model.eval()
    with torch.no_grad():
        means = [sum(mean_loss(model, b).item() for b in side) / len(side) for side in (train, val)]
    assert terms["unseen"] == pytest.approx(means[1] - means[0], abs=1e-5)
    assert terms["collation"] == terms["batching"] == terms["reduction"] == 0
    assert "averaging" not in str(gap)
    assert not {finding["rule"] for finding in gap.findings} & {"gap/duplicates", "batch-dependent"}


def test_an_audit_of_columns_finds_no_shared_rows():
    model = Recurrent()
    audited = audit_metric(model, Side(text(8, 240, 4), mean_loss), Side(text(4, 240, 5), mean_loss))
    assert not {finding["rule"] for finding in audited.findings} & {"split-overlap-exact", "batch-dependent"}


def test_columns_on_both_sides_are_found():
    torch.manual_seed(0)
    train = text(8, 240, 6)
    val = [train[3], *text(8, 120, 7)]
    gap = explain_gap(Recurrent(), Side(train, each_loss), Side(val, each_loss))
    assert "gap/duplicates" in {finding["rule"] for finding in gap.findings}


def test_a_batch_that_is_an_object():
    def made(side):
        return [SimpleNamespace(tokens=b[0], targets=b[1], state=b[2], name="x") for b in side]

    def loss(model, batch):
        return mean_loss(model, (batch.tokens, batch.targets, batch.state))

    torch.manual_seed(0)
    model, train, val = Recurrent(), text(8, 240, 2), text(4, 240, 3)
    by_tuple = explain_gap(model, Side(train, mean_loss), Side(val, mean_loss))
    by_object = explain_gap(model, Side(made(train), loss), Side(made(val), loss))
    assert by_object.terms.value.fillna(0).tolist() == pytest.approx(by_tuple.terms.value.fillna(0).tolist(), abs=1e-9)


def test_rows_that_an_objective_cannot_take_cut_are_not_cut():
    """Flat targets stay as long as they were where rows of tokens are cut."""

    def flat(columns, length, seed):
        return [(b[0].t().contiguous(), b[0].roll(-1, 0).t().reshape(-1)) for b in text(columns, length, seed)]

    def loss(model, batch):
        return F.cross_entropy(model(batch[0].t(), None).transpose(0, 1).reshape(-1, TOKENS), batch[1])

    val = [(tokens[:, :8].contiguous(), targets.view(6, 12)[:, :8].reshape(-1)) for tokens, targets in flat(6, 120, 9)]
    gap = explain_gap(Recurrent(), Side(flat(6, 240, 8), loss), Side(val, loss))
    assert gap.terms.set_index("id").value["collation"] == 0


class Buckets:
    """Sentences of several lengths, in another order each pass, with a mask as wide as their batch is padded."""

    def __init__(self, count, seed):
        draw = torch.Generator().manual_seed(seed)
        lengths = torch.randint(6, 24, (count,), generator=draw).tolist()
        self.rows = [torch.randint(1, TOKENS, (length,), generator=draw) for length in lengths]

    def __iter__(self):
        for some in torch.randperm(len(self.rows)).split(4):
            tokens = nn.utils.rnn.pad_sequence([self.rows[k] for k in some], batch_first=True)
            real = tokens != 0
            yield SimpleNamespace(tokens=tokens, real=real.unsqueeze(1) & real.unsqueeze(2))


def test_masks_that_are_as_wide_as_their_batch_make_no_other_samples():
    def loss(model, batch):
        tokens = batch.tokens
        scores = model(tokens[:, :-1].t(), None).permute(1, 2, 0)
        return F.cross_entropy(scores, tokens[:, 1:], ignore_index=0)

    torch.manual_seed(0)
    gap = explain_gap(Recurrent(), Side(Buckets(96, 1), loss), Side(Buckets(48, 2), loss))
    assert "gap/redrawn" not in {finding["rule"] for finding in gap.findings}


def matched(objective, model, train, val):
    """Return the mean loss of all elements of both sides in evaluation mode."""
    model.eval()
    with torch.no_grad():
        return [
            torch.cat([objective(model, batch).reshape(-1) for batch in side]).mean().item() for side in (train, val)
        ]


class Pooled(nn.Module):
    """Classes of series (T, B), of tokens or of numbers, by the last step of a recurrent network or by a mean."""

    def __init__(self, kind):
        super().__init__()
        self.words = nn.Linear(5, 16) if kind == "numbers" else nn.Embedding(TOKENS, 16)
        self.rnn = None if kind == "bag" else nn.GRU(16, 16)
        self.out = nn.Linear(16, 3)

    def forward(self, series_TB):
        x = self.words(series_TB)
        return self.out(x.mean(0) if self.rnn is None else self.rnn(x)[1][0])


@pytest.mark.parametrize("kind", ["tokens", "bag", "numbers"])
def test_labels_as_many_as_columns(kind):
    """As torchtext's iterators and recurrent networks of torch have them: nothing in the series says so."""
    draw = torch.Generator().manual_seed(3)

    def made(count, columns):
        shape = (11, columns, 5) if kind == "numbers" else (11, columns)
        some = [torch.randn(shape, generator=draw) for _ in range(count)]
        return [(s if kind == "numbers" else (s * 9).long() % TOKENS, torch.arange(columns) % 3) for s in some]

    def loss(model, batch):
        return F.cross_entropy(model(batch[0]), batch[1], reduction="none")

    torch.manual_seed(0)
    model, train, val = Pooled(kind), made(10, 16), made(4, 8)
    val[0] = tuple(t[..., :8, :] if t.dim() == 3 else t[..., :8] for t in train[0])
    gap = explain_gap(model, Side(train, loss), Side(val, loss))
    terms, means = gap.terms.set_index("id").value, matched(loss, model, train, val)
    assert terms["unseen"] + terms["leak"] == pytest.approx(means[1] - means[0], abs=1e-5)
    assert terms["collation"] == terms["batching"] == terms["objective"] == 0
    assert {finding["rule"] for finding in gap.findings} == {"gap/duplicates"}


def test_one_column_of_validation_lies_as_the_columns_of_training():
    torch.manual_seed(0)
    model, train, val = Recurrent(), text(8, 240, 2), text(1, 240, 3)
    gap = explain_gap(model, Side(train, mean_loss), Side(val, mean_loss))
    terms, means = gap.terms.set_index("id").value, matched(each_loss, model, train, val)
    assert terms["unseen"] == pytest.approx(means[1] - means[0], abs=1e-5)
    assert terms["collation"] == terms["batching"] == terms["objective"] == 0
    assert not gap.findings


def test_losses_of_as_many_columns_as_rows_are_of_the_columns():
    batch = text(12, 24, 1)[0]
    losses_TB = torch.arange(144.0).view(12, 12)
    assert torch.equal(losses_by_row(losses_TB, batch), losses_TB.t())


def test_rows_that_follow_one_another_are_samples_where_their_order_is_nothing_to_the_loss():
    """Sentences and what follows them, in order: targets are the tokens moved on by a row, and yet a row a sample."""
    sentences = torch.randint(1, TOKENS, (200, 10), generator=torch.Generator().manual_seed(0))

    def pairs(first, last):
        return [(sentences[k : k + 20], sentences[k + 1 : k + 21]) for k in range(first, last, 20)]

    def loss(model, batch):
        return F.cross_entropy(model(batch[0].t(), None).permute(1, 2, 0), batch[1], reduction="none")

    torch.manual_seed(0)
    model, train, val = Recurrent(), pairs(0, 100), pairs(100, 160)
    assert columns_of(train[0])
    val[0] = tuple(torch.cat([a[:10], b[10:]]) for a, b in zip(train[0], val[0], strict=True))
    gap = explain_gap(model, Side(train, loss), Side(val, loss))
    terms, means = gap.terms.set_index("id").value, matched(loss, model, train, val)
    assert terms["unseen"] + terms["leak"] == pytest.approx(means[1] - means[0], abs=1e-5)
    assert terms["collation"] == terms["objective"] == 0
    assert terms["leak"] != 0
