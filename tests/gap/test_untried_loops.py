"""Kinds of loops that had not been tried: what was wrong with each, rebuilt small; the truth is plain torch's."""

import copy
from functools import partial

import pytest
import torch
from rounds_fixture import ce, data, draws, mean, network, of_batch, rules, term
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence, pack_sequence
from torch.utils.data import DataLoader, TensorDataset

from diagnose import GapRecorder, Side, audit_metric, explain_gap
from diagnose.errors import DiagnoseError
from diagnose.gap.loop.elements import elements
from diagnose.gap.recorder.recording import read_record


def lengths(count, seed):
    """Rows of unequal lengths (length, 5) with a class each."""
    draw, out = draws(seed), []
    for _ in range(count):
        label, length = (int(torch.randint(*ends, (1,), generator=draw)) for ends in ((0, 3), (4, 15)))
        out.append((torch.randn(length, 5, generator=draw) + 0.4 * torch.eye(5)[label], label))
    return out


def packed(samples):
    rows, labels = zip(*samples, strict=True)
    return pack_sequence(list(rows), enforce_sorted=False), torch.tensor(labels)


def nested(layout):
    def collate(samples):
        rows, labels = zip(*samples, strict=True)
        return torch.nested.nested_tensor(list(rows), layout=layout), torch.tensor(labels)

    return collate


def take_steps(recorder, optimizer, batches, losses_of):
    for batch in batches:
        loss = losses_of(batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        recorder.step(batch, loss)


class RowNet(nn.Module):
    """A class for each row of a packed sequence or a nested tensor."""

    def __init__(self):
        super().__init__()
        self.rnn, self.drop, self.head = nn.GRU(5, 12, batch_first=True), nn.Dropout(0.3), nn.Linear(12, 3)

    def forward(self, rows):
        if not isinstance(rows, PackedSequence):
            rows = pack_sequence(list(rows.unbind()), enforce_sorted=False)
        return self.head(self.drop(self.rnn(rows)[1][-1]))


KINDS = {"packed": packed, "jagged": nested(torch.jagged), "strided": nested(torch.strided)}


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_unequal_lengths(tmp_path, kind):
    torch.manual_seed(0)
    samples = lengths(160, 1)
    train = DataLoader(samples, 20, shuffle=True, collate_fn=KINDS[kind], generator=draws(3))
    val = DataLoader(lengths(60, 2) + samples[:15], 25, collate_fn=KINDS[kind])
    model = RowNet()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    with GapRecorder(tmp_path, model, reports="epoch") as recorder:
        for _ in range(6):
            recorder.epoch()
            take_steps(recorder, optimizer, train, partial(ce, model))
    kept, _ = read_record(tmp_path)
    assert type(kept.window[0].batch[0]) is type(next(iter(train))[0])
    gap = explain_gap(model, Side(train, ce), Side(val, ce), recorder=recorder)
    assert {"gap/replay", "gap/inputs"}.isdisjoint(rules(gap))
    assert gap.record["overlap"]["exact"] == 15
    new = mean(model, [KINDS[kind](samples) for samples in (lengths(60, 2),)])
    assert term(gap, "unseen")["value"] == pytest.approx(new - mean(model, train), abs=1e-4)
    assert term(gap, "leak")["value"] == pytest.approx(gap.record["matched"]["val"] - new, abs=1e-4)
    assert "could not be tried" not in str(gap)
    assert "duplicates" in str(audit_metric(model, Side(train, ce), Side(val, ce)))


def test_losses_of_packed_tokens_are_of_their_sequences():
    rows = [torch.arange(3), torch.arange(5), torch.arange(2)]
    batch = pack_sequence(rows, enforce_sorted=False), pack_sequence(rows, enforce_sorted=False)
    found = elements(batch[1].data.double(), batch, "here")
    assert (found.size, found.known) == (3, True)
    assert [found.nats[found.samples == k].tolist() for k in range(3)] == [row.tolist() for row in rows]


def with_nan():
    x, y = data(400, 1).tensors
    x[torch.arange(5, 400, 97)] = float("nan")
    return TensorDataset(x, y)


def train_skipping(tmp_path, *, zero):
    """Train where a batch whose loss is no number makes no step; it counts in the mean that is printed, as 0."""
    model = nn.Sequential(*network(), nn.Dropout(0.2))
    train = DataLoader(with_nan(), 10, shuffle=True, generator=draws(3))
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    with GapRecorder(tmp_path, model, reports="epoch") as recorder:
        for _ in range(2):
            recorder.epoch()
            total, kept = 0.0, 0
            for batch in train:
                loss = of_batch(model, batch)
                if torch.isnan(loss):
                    if zero:
                        recorder.step(batch, 0.0)
                    continue
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                recorder.step(batch, loss)
                total, kept = total + loss.item(), kept + 1
    return model, train, recorder, total / len(train), kept


@pytest.mark.parametrize("zero", [True, False])
def test_batches_of_nan_that_a_loop_skips_are_left_out(tmp_path, zero):
    model, train, recorder, reported, kept = train_skipping(tmp_path, zero=zero)
    val = DataLoader(data(200, 2), 50)
    gap = explain_gap(model, Side(train, of_batch, reported=reported), Side(val, of_batch), recorder=recorder)
    (fit,) = gap.record["arithmetic"]["training"]
    assert fit["factor"].startswith(f"the sum of {kept} steps divided by 40, the batches of training's side")
    assert term(gap, "residual")["value"] == pytest.approx(reported * (40 / kept - 1), abs=1e-6)
    assert "redrawn" not in str(rules(gap))
    assert f"{40 - kept} batches of the training side without a loss, for they hold NaN" in str(gap).replace("\n", " ")


def test_nan_is_refused_where_no_loss_says_that_it_was_skipped():
    train, val = DataLoader(with_nan(), 10), DataLoader(data(200, 2), 50)
    with pytest.raises(DiagnoseError, match="the batch holds NaN or infinity in 16 of 160 numbers"):
        explain_gap(network(), Side(train, of_batch), Side(val, of_batch))


def test_so_it_is_where_every_batch_holds_some():
    batches = [(torch.full((8, 16), float("nan")), torch.zeros(8, dtype=torch.long)) for _ in range(3)]
    with pytest.raises(DiagnoseError, match="those after it hold NaN or infinity and give no loss"):
        explain_gap(network(), Side(batches, of_batch, reported=0.5), Side(DataLoader(data(200, 2), 50), of_batch))


def test_a_sum_that_began_anew_within_an_interval(tmp_path):
    model, train = network(), DataLoader(data(600, 1), 20)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    losses = []
    with GapRecorder(tmp_path, model, interval=50) as recorder:
        for batch in train:
            loss = of_batch(model, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recorder.step(batch, loss)
            losses.append(loss.item())
    sides = Side(train, ce, reported=sum(losses) / 50), Side(DataLoader(data(200, 2), 50), ce)
    gap = explain_gap(model, *sides, recorder=recorder)
    (fit,) = gap.record["arithmetic"]["training"]
    assert fit["factor"].startswith("the sum of 30 steps divided by 50, the interval")
    kept, _ = read_record(tmp_path)
    assert kept.interval == 50


class Momentum(nn.Module):
    """Two encoders; a pass in training mode moves the second one after the first, past torch's count of writes."""

    def __init__(self, write):
        super().__init__()
        self.query, self.write = nn.Linear(16, 8), write
        self.key = nn.Linear(16, 8).requires_grad_(requires_grad=False)
        self.register_buffer("queue", F.normalize(torch.randn(8, 64), dim=0))

    def forward(self, one, other):
        if self.training:
            for own, new in zip(self.key.parameters(), self.query.parameters(), strict=True):
                if self.write == "assigned":
                    own.data = own.data * 0.9 + new.data * 0.1
                else:
                    own.data.mul_(0.9).add_(new.data, alpha=0.1)
        query = F.normalize(self.query(one), dim=1)
        key = F.normalize(self.key(other), dim=1).detach()
        scores = torch.cat([(query * key).sum(1, keepdim=True), query @ self.queue], 1) / 0.2
        return F.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.long))


@pytest.mark.parametrize("write", ["assigned", "in place"])
def test_a_key_encoder_that_each_pass_moves(write):
    torch.manual_seed(0)
    model = Momentum(write)
    before = copy.deepcopy(model.state_dict())
    train, val = ([(torch.randn(32, 16), torch.randn(32, 16)) for _ in range(count)] for count in (6, 4))
    gap = explain_gap(model, *(Side(side, lambda m, batch: m(*batch)) for side in (train, val)))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    off = mean(model, val, lambda m, batch: m(*batch)) - mean(model, train, lambda m, batch: m(*batch))
    assert gap.record["matched"]["gap"] == pytest.approx(off, abs=1e-5)


def test_what_is_trained_beside_the_model_is_named(tmp_path):
    torch.manual_seed(0)
    made, critic = nn.Linear(8, 4), nn.Linear(4, 1)

    def generator_loss(model, batch):
        fake = model(batch[0])
        return F.softplus(-critic(fake)).mean() + 10 * F.l1_loss(fake, batch[1])

    def plain_loss(model, batch):
        return F.l1_loss(model(batch[0]), batch[1])

    optimizers = [torch.optim.Adam(module.parameters(), 1e-2) for module in (made, critic)]
    train = [(torch.randn(16, 8), torch.randn(16, 4)) for _ in range(10)]
    val = [(torch.randn(16, 8), torch.randn(16, 4)) for _ in range(4)]
    with GapRecorder(tmp_path, made, reports="epoch") as recorder:
        for batch in train:
            loss = generator_loss(made, batch)
            optimizers[0].zero_grad()
            loss.backward()
            optimizers[0].step()
            recorder.step(batch, loss)
            fooled = F.softplus(critic(made(batch[0]).detach())) + F.softplus(-critic(batch[1]))
            optimizers[1].zero_grad()
            fooled.mean().backward()
            optimizers[1].step()
    gap = explain_gap(made, Side(train, generator_loss), Side(val, plain_loss), recorder=recorder)
    assert "gap/replay" not in rules(gap)
    (found,) = [one for one in gap.findings if one["rule"] == "gap/trained-beside"]
    assert "critic" in found["what"]


@pytest.mark.filterwarnings("ignore:Using `torch.compile")
def test_steps_of_a_compiled_model_that_the_objective_holds_are_read_with_their_masks(tmp_path):
    torch._dynamo.reset()
    model = nn.Sequential(*network(), nn.Dropout(0.3))
    compiled = torch.compile(model, backend="eager")

    def loss_of(_, batch):
        return F.cross_entropy(compiled(batch[0]), batch[1], reduction="none")

    train, val = DataLoader(data(100, 1), 20), DataLoader(data(100, 2), 20)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    with GapRecorder(tmp_path, model, reports="epoch") as recorder:
        take_steps(recorder, optimizer, train, partial(loss_of, model))
    assert "gap/replay" not in rules(explain_gap(model, Side(train, loss_of), Side(val, loss_of), recorder=recorder))


class Detector(nn.Module):
    """Returns losses by name in training mode, and predictions in evaluation mode."""

    def __init__(self):
        super().__init__()
        self.body, self.drop, self.head = nn.Linear(16, 24), nn.Dropout(0.5), nn.Linear(24, 4)

    def forward(self, x, y):
        found = self.head(self.drop(self.body(x).relu()))
        return {"loss_class": F.cross_entropy(found, y)} if self.training else found.argmax(1)


def test_a_loss_that_training_mode_alone_gives_is_not_told_to_call_eval():
    torch.manual_seed(0)
    train, val = DataLoader(data(300, 1), 20), DataLoader(data(200, 2), 20)
    model = Detector()
    reported = mean(model, val, lambda m, batch: m(*batch)["loss_class"], training=True)
    sides = (Side(side, lambda m, batch: m(*batch), mode="train") for side in (train, val))
    gap = explain_gap(model, *sides)
    assert reported > 0
    (found,) = [one for one in gap.findings if one["rule"] == "gap/eval-forgotten"]
    assert "call eval() of its dropout and batch norm modules" in found["fix"]


def test_data_that_change_as_training_goes_on_are_no_generalisation_gap(tmp_path):
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)

    def loss_of(model, batch):
        return F.mse_loss(model(batch[0]), batch[1])

    def drawn(noise):
        x = torch.randn(32, 4)
        return x, x.sum(1, keepdim=True) + noise * torch.randn(32, 1)

    with GapRecorder(tmp_path, model, interval=20) as recorder:
        for step in range(80):
            batch = drawn(2.0 if step >= 60 else 0.1)
            loss = loss_of(model, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recorder.step(batch, loss)
        for _ in range(10):
            batch = drawn(2.0)
            recorder.validation(batch, loss_of(model, batch))
    gap = explain_gap(model, loss_of, loss_of, recorder=recorder)
    assert "gap/data-moved" in rules(gap)
    assert "gap/unseen" not in rules(gap)
    assert "does better on training data" not in gap.verdict
