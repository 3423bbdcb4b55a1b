"""More causes that people reported in public (docs/LOG.md, 2026-11-28, has each report), held against plain torch."""

import copy
import math
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, SubsetRandomSampler, TensorDataset

from diagnose import Side, audit_metric, explain_gap
from diagnose.gap.recorder.recording import RecordedStep, Recording


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - what users' networks draw from


def blobs(count, seed, classes=4, width=16):
    draw = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, width, generator=torch.Generator().manual_seed(99))
    y = torch.randint(0, classes, (count,), generator=draw)
    return centres[y] + 1.5 * torch.randn(count, width, generator=draw), y


def cut(data, size=32):
    return list(zip(*(part.split(size) for part in data), strict=True))


def mlp(*middle, p=0.0, outputs=4):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(16, 32), *middle, nn.ReLU(), nn.Dropout(p), nn.Linear(32, outputs))


def ce(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def scalar(model, batch):
    return ce(model, batch).mean()


def fit(model, batches, loss=ce, steps=80, rate=5e-3):
    optimizer = torch.optim.Adam(model.parameters(), rate)
    model.train()
    for step in range(steps):
        found = loss(model, batches[step % len(batches)])
        optimizer.zero_grad()
        (found["loss"] if isinstance(found, dict) else found).mean().backward()
        optimizer.step()
    return model


def mean(loss, model, batches, mode="eval", turns=1):
    """Read a loss by plain torch: the mean over all elements, by their weights."""
    model = copy.deepcopy(model).train(mode == "train")
    before, total = copy.deepcopy(model.state_dict()), [0.0, 0.0]
    for turn in range(turns):
        torch.manual_seed(turn)
        random.seed(turn)
        for batch in batches:
            found = loss(model, batch)
            table = found if isinstance(found, dict) else {"loss": found}
            weights = table.get("weights", torch.ones_like(table["loss"]))
            total[0] += float((table["loss"].detach() * weights).sum())
            total[1] += float(weights.sum())
            model.load_state_dict(before)
    return total[0] / total[1]


def term(gap, name):
    return next(one for one in gap.record["terms"] if one["id"] == name)


def values(gap):
    found = {one["id"]: one["value"] or 0.0 for one in gap.record["terms"]}
    assert sum(found.values()) == pytest.approx(gap.gap, rel=1e-9, abs=1e-9)
    return found | {"data": found["unseen"] + found["leak"]}


def rules(found):
    return {one["rule"] for one in found.findings}


TRAIN, VAL = blobs(256, 1), blobs(256, 2)


class Tokens(nn.Module):
    def __init__(self, vocabulary=20):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, 16)
        self.reader = nn.GRU(16, 24, batch_first=True)
        self.scores = nn.Linear(24, vocabulary)

    def forward(self, tokens):
        return self.scores(self.reader(self.embedding(tokens))[0])


def rows(count, seed, length=12, vocabulary=20):
    """Give sequences of which most tokens follow from the last one."""
    draw = torch.Generator().manual_seed(seed)
    out = torch.randint(0, vocabulary, (count, 1), generator=draw)
    for _ in range(length - 1):
        jump = torch.randint(0, vocabulary, (count, 1), generator=draw)
        step = torch.where(torch.rand(count, 1, generator=draw) < 0.7, torch.ones_like(jump), jump)
        out = torch.cat([out, (out[:, -1:] + step) % vocabulary], 1)
    return out


def next_token(model, batch):
    return F.cross_entropy(model(batch[:, :-1]).transpose(1, 2), batch[:, 1:], reduction="none")


class Forcing(nn.Module):
    """Reads its own output but while it trains."""

    def __init__(self):
        super().__init__()
        self.embedding, self.cell, self.scores = nn.Embedding(21, 16), nn.GRUCell(16, 16), nn.Linear(16, 20)

    def forward(self, tokens):
        state, given, out = torch.zeros(len(tokens), 16), torch.full_like(tokens[:, 0], 20), []
        for place in range(tokens.shape[1]):
            state = self.cell(self.embedding(given), state)
            out.append(self.scores(state))
            forced = self.training and random.random() < 0.5
            given = tokens[:, place] if forced else out[-1].argmax(1)
        return torch.stack(out, 1)


def forced(model, batch):
    return F.cross_entropy(model(batch).transpose(1, 2), batch, reduction="none")


class TestMode:
    @pytest.mark.parametrize(
        ("name", "middle"),
        [
            ("RReLU", lambda: nn.RReLU(-2.0, 2.0)),
            ("BatchNorm1d", lambda: nn.BatchNorm1d(32, momentum=0.01)),
            ("_SpectralNorm", lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(32, 32))),
        ],
    )
    def test_what_any_module_does_in_training_mode_is_found(self, name, middle):
        train, val = cut(TRAIN), cut(VAL)
        model = fit(mlp(middle()), train)
        gap = explain_gap(model, Side(train, ce), Side(val, ce))
        on, off = mean(ce, model, train, "train", 30), mean(ce, model, train)
        half = (term(gap, "mode")["high"] or 0) - (term(gap, "mode")["low"] or 0)
        assert values(gap)["mode"] == pytest.approx(off - on, abs=max(half, 1e-3))
        assert values(gap)["data"] == pytest.approx(mean(ce, model, val) - off, abs=1e-6)
        known = {"BatchNorm1d": "batch norm"}.get(name, name)
        assert name == "_SpectralNorm" or known in gap.record["conditions"]["kinds"]

    def test_an_instance_norm_that_tracks_statistics(self):
        draw = torch.Generator().manual_seed(1)
        data = [
            (torch.randn(64, 3, 8, 8, generator=draw), torch.randint(0, 4, (64,), generator=draw)) for _ in range(2)
        ]
        model = nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.InstanceNorm2d(8, track_running_stats=True), nn.ReLU(), nn.Flatten(),
            nn.Linear(288, 4),
        )  # fmt: skip
        train, val = (cut(some, 16) for some in data)
        reported = mean(ce, model, train, "train")
        gap = explain_gap(model, Side(train, ce, reported=reported), Side(val, ce))
        assert values(gap)["mode"] == pytest.approx(mean(ce, model, train) - reported, abs=1e-5)
        assert values(gap)["residual"] == pytest.approx(0, abs=1e-6)
        assert gap.record["conditions"]["kinds"] == ["InstanceNorm2d"]

    def test_noise_that_a_hook_adds_while_training(self):
        train, val = list(rows(128, 1).split(32)), list(rows(128, 2).split(32))
        model = fit(Tokens(), train, next_token)

        def noisy(module, _, out):
            return out + torch.empty_like(out).uniform_(-0.6, 0.6) if module.training else out

        model.embedding.register_forward_hook(noisy)
        gap = explain_gap(model, Side(train, next_token), Side(val, next_token))
        true = mean(next_token, model, train) - mean(next_token, model, train, "train", 20)
        assert true < -0.01
        assert term(gap, "mode")["low"] <= true <= term(gap, "mode")["high"]

    def test_teacher_forcing_while_training(self):
        train, val = list(rows(96, 1, 6).split(32)), list(rows(96, 2, 6).split(32))
        model = fit(Forcing(), train, forced)
        gap = explain_gap(model, Side(train, forced), Side(val, forced))
        true = mean(forced, model, train) - mean(forced, model, train, "train", 60)
        wide = term(gap, "mode")["high"] - term(gap, "mode")["low"]
        assert values(gap)["mode"] == pytest.approx(true, abs=wide)
        assert "Forcing" in gap.record["conditions"]["kinds"]

    @pytest.mark.parametrize("digits", [None, 4])
    def test_train_that_was_not_called_again(self, digits):
        train, val = cut(TRAIN), cut(VAL)
        model = fit(mlp(p=0.5), train, steps=40)
        reported = mean(ce, model, train)
        reported = reported if digits is None else round(reported, digits)
        gap = explain_gap(model, Side(train, ce, reported=reported), Side(val, ce, reported=mean(ce, model, val)))
        assert values(gap)["mode"] == 0
        assert values(gap)["residual"] == pytest.approx(0, abs=1e-4)
        assert "gap/train-forgotten" in rules(gap)
        assert any("on purpose, or model.train() was not called" in note for note in gap.record["notes"])
        assert next(one for one in gap.findings if one["rule"] == "gap/train-forgotten")["severity"] == "note"

    def test_eval_that_was_not_called(self):
        train, val = cut(TRAIN, 8), cut(VAL, 8)
        model = fit(mlp(nn.BatchNorm1d(32, momentum=0.01)), train)
        reported = mean(ce, model, val, "train")
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=reported))
        assert values(gap)["residual"] == pytest.approx(0, abs=1e-5)
        assert "gap/eval-forgotten" in rules(gap)

    def test_eval_that_was_not_called_with_dropout(self):
        train, val = cut(TRAIN), cut(VAL)
        model = fit(mlp(p=0.6), train, steps=40)
        reported = mean(ce, model, val, "train")
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=reported))
        assert "gap/eval-forgotten" in rules(gap)
        low, high = (term(gap, "residual")[end] for end in ("low", "high"))
        assert low <= 0 <= high

    @pytest.mark.parametrize("mode", ["train", "eval"])
    def test_a_loss_of_the_usual_mode_is_left_as_it_is(self, mode):
        train, val = cut(TRAIN), cut(VAL)
        model = fit(mlp(p=0.5), train, steps=40)
        side = {"train": mean(ce, model, train, "train"), "eval": mean(ce, model, val)}
        sides = (
            Side(train, ce, reported=side["train"] if mode == "train" else None),
            Side(val, ce, reported=side["eval"] if mode == "eval" else None),
        )
        assert not {"gap/train-forgotten", "gap/eval-forgotten"} & rules(explain_gap(model, *sides))


def derivatives(model, batch):
    x = batch[0].clone().requires_grad_(True)
    out = model(x)
    slope = torch.autograd.grad(out.sum(), x, create_graph=True)[0]
    return (slope[:, 0] + out[:, 0] - batch[1]).square()


def attacked(model, batch):
    x = batch[0].clone().requires_grad_(True)
    slope = torch.autograd.grad(F.cross_entropy(model(x), batch[1]), x)[0]
    return F.cross_entropy(model((x + 0.3 * slope.sign()).detach()), batch[1], reduction="none")


class TestObjective:
    def test_a_loss_of_derivatives_is_read(self):
        model = mlp(outputs=1)
        train, val = cut(TRAIN), cut(VAL)
        gap = explain_gap(model, Side(train, derivatives), Side(val, derivatives))
        true = [mean(derivatives, model, some) for some in (train, val)]
        assert (gap.matched.train, gap.matched.val) == pytest.approx(true, rel=1e-5)
        assert all(p.grad is None for p in model.parameters())
        assert not audit_metric(model, Side(train, derivatives), Side(val, derivatives)).findings

    def test_adversarial_inputs_in_training_alone(self):
        train, val = cut(TRAIN), cut(VAL)
        model = fit(mlp(), train)
        gap = explain_gap(model, Side(train, attacked), Side(val, ce))
        true = mean(ce, model, train) - mean(attacked, model, train)
        assert values(gap)["objective"] == pytest.approx(true, abs=1e-5)

    def test_an_error_of_the_objectives_own_is_told_as_it_is(self):
        def fails(model, batch):
            raise RuntimeError("element 0 of tensors does not require grad")

        with pytest.raises(Exception, match="does not require grad"):
            explain_gap(mlp(), Side(cut(TRAIN), fails), Side(cut(VAL), ce))

    def test_a_dictionary_of_losses_is_their_sum(self):
        def named(model, batch):
            return {"loss_class": scalar(model, batch), "loss_box": model(batch[0]).square().mean()}

        train, val, model = cut(TRAIN), cut(VAL), mlp()
        gap = explain_gap(model, Side(train, named), Side(val, named))
        true = [
            sum(float(sum(named(model.eval(), b).values()).detach()) for b in some) / len(some) for some in (train, val)
        ]
        assert (gap.matched.train, gap.matched.val) == pytest.approx(true, rel=1e-5)

    def test_a_random_training_objective_is_no_fault(self):
        def mixed(model, batch):
            return ce(model, (batch[0] + torch.randn_like(batch[0]), batch[1]))

        gap = explain_gap(mlp(), Side(cut(TRAIN), mixed), Side(cut(VAL), ce))
        assert "gap/random" not in rules(gap)
        assert any("draws at random" in note for note in gap.record["notes"])

    def test_a_loss_that_is_silent_in_the_first_batch_depends_on_its_batch(self):
        def hard(model, batch):  # the mean over the samples above the batch's median; the first ones are learned
            loss = F.relu(ce(model, batch) - 20.0 * (batch[0][:, 0] > 9))
            return loss[loss >= loss.median()].mean()

        x, y = TRAIN[0].clone(), TRAIN[1]
        x[:64, 0] = 10.0
        model = mlp()
        gap = explain_gap(model, Side(cut((x, y), 64), hard), Side(cut((x, y), 16), hard))
        assert values(gap)["data"] == 0
        assert values(gap)["batching"] == pytest.approx(gap.gap, abs=1e-9)


def padded(count, seed, low, high):
    tokens = rows(count, seed)
    length = torch.randint(low, high, (count, 1), generator=torch.Generator().manual_seed(seed))
    return tokens, torch.arange(11)[None] < length


def ignoring(model, batch):
    return F.cross_entropy(model(batch[0][:, :-1]).transpose(1, 2), batch[1], ignore_index=-100, reduction="none")


def multiplied(model, batch):
    return next_token(model, batch[0]) * batch[1]


class TestMasked:
    @pytest.mark.parametrize("given", [True, False])
    def test_ignored_targets_do_not_count(self, given):
        sides = []
        for number, low, high in ((1, 10, 12), (2, 2, 6)):
            tokens, kept = padded(128, number, low, high)
            sides.append(cut((tokens, tokens[:, 1:].masked_fill(~kept, -100))))
        model = fit(Tokens(), sides[0], ignoring)
        weighed = [mean(lambda m, b: {"loss": ignoring(m, b), "weights": (b[1] != -100).float()}, model, some)
                   for some in sides]  # fmt: skip
        reported = weighed if given else (None, None)
        gap = explain_gap(model, *(Side(s, ignoring, reported=r) for s, r in zip(sides, reported, strict=True)))
        assert values(gap)["data"] == pytest.approx(weighed[1] - weighed[0], abs=1e-5)
        assert values(gap)["residual"] == pytest.approx(0, abs=1e-5)

    def test_unless_the_reported_loss_says_that_they_do(self):
        sides = []
        for number in (1, 2):
            tokens, kept = padded(128, number, 2, 12)
            sides.append(cut((tokens, tokens[:, 1:].masked_fill(~kept, -100))))
        model = fit(Tokens(), sides[0], ignoring)
        plain = [mean(ignoring, model, some) for some in sides]
        gap = explain_gap(model, *(Side(s, ignoring, reported=r) for s, r in zip(sides, plain, strict=True)))
        assert values(gap)["residual"] == pytest.approx(0, abs=1e-5)

    def test_zeros_are_meant_where_the_other_side_gives_weights(self):
        tokens, kept = padded(128, 1, 2, 12)
        batches = cut((tokens, tokens[:, 1:].masked_fill(~kept, -100)))

        def weighed(model, batch):
            return {"loss": ignoring(model, batch), "weights": (batch[1] != -100).float()}

        model = Tokens()
        gap = explain_gap(model, Side(batches, ignoring), Side(batches, weighed))
        true = mean(weighed, model, batches) - mean(ignoring, model, batches)
        assert values(gap)["objective"] == pytest.approx(true, abs=1e-5)
        assert values(gap)["data"] == 0

    def test_a_mask_that_was_multiplied_in_is_said(self):
        sides = [cut((tokens, kept.float())) for tokens, kept in (padded(128, 1, 10, 12), padded(128, 2, 2, 6))]
        gap = explain_gap(Tokens(), *(Side(some, multiplied) for some in sides))
        assert "gap/masked" in rules(gap)
        assert "masked to 0" in gap.verdict
        assert "easier" not in gap.verdict

    def test_a_loss_that_is_often_0_by_itself_is_no_mask(self):
        def hinge(model, batch):
            return F.relu(1 - (2.0 * (batch[1] % 2) - 1) * 10 * model(batch[0])[:, 0])

        gap = explain_gap(mlp(), Side(cut(TRAIN), hinge), Side(cut(VAL), hinge))
        assert "gap/masked" not in rules(gap)


REPORTED = {  # by what was done: the value from the mean read, and a word of what is said
    "a scaler's": (lambda v: v * 65536, "gradient scaler"),
    "2 to the power": (lambda v: 2**v, "2 to the power"),
    "root": (math.sqrt, "square root"),
    "square": (lambda v: v * v, "as a square"),
    "the last index": (lambda v: v * 8 / 7, "last batch's index"),
    "one more": (lambda v: v * 8 / 9, "instead of the 8 batches"),
    "batch size": (lambda v: v * 32, "summed over the 32"),
}


class TestArithmetic:
    @pytest.mark.parametrize("how", REPORTED)
    def test_it_is_named_alone(self, how):
        change, words = REPORTED[how]
        train, val = cut(TRAIN), cut(VAL)
        model = fit(mlp(), train).eval()
        reported = change(mean(ce, model, val))
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=reported))
        (fit_,) = gap.record["arithmetic"]["validation"]
        assert words in fit_["factor"]

    def test_a_dataset_of_which_a_sampler_takes_a_part(self):
        data = TensorDataset(*TRAIN)
        train, val = (DataLoader(data, 32, sampler=SubsetRandomSampler(some)) for some in (range(192), range(192, 256)))
        model = fit(mlp(), list(train)).eval()
        reported = mean(ce, model, list(val)) * 64 / 256
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=reported))
        assert "dataset, of which 64 were read" in gap.record["arithmetic"]["validation"][0]["factor"]

    def test_a_short_last_batch_that_counted_as_a_full_one(self):
        val = cut(blobs(232, 2))
        model = mlp().eval()
        gap = explain_gap(model, Side(cut(TRAIN), ce), Side(val, ce, reported=mean(ce, model, val) * 232 / 256))
        assert "as if each batch had its full size" in gap.record["arithmetic"]["validation"][0]["factor"]

    def test_roots_of_batches(self):
        val = cut(VAL)
        model = mlp().eval()
        reported = sum(math.sqrt(float(scalar(model, batch).detach())) for batch in val) / len(val)
        gap = explain_gap(model, Side(cut(TRAIN), ce), Side(val, ce, reported=reported))
        assert "each batch's square root" in gap.record["arithmetic"]["validation"][0]["factor"]

    def test_features_that_were_summed(self):
        def squares(model, batch):
            return (model(batch[0]) - batch[0][:, :4]).square()

        val, model = cut(VAL), mlp().eval()
        gap = explain_gap(model, Side(cut(TRAIN), squares), Side(val, squares, reported=mean(squares, model, val) * 4))
        (fit_,) = gap.record["arithmetic"]["validation"]
        assert fit_["factor"].startswith("summed over the 4 elements of a sample")


def recorded(losses, batches, **more):
    steps = [RecordedStep(k, b, v, {}) for k, (b, v) in enumerate(zip(batches, losses, strict=True))]
    weights = [1.0] * len(losses)
    means = {"epoch": sum(losses) / len(losses), "run": sum(losses) / len(losses)}
    return Recording(steps, [], [], whole=True, reports="interval", steps=len(losses), first=0, offered=len(losses),
                     losses=losses, weights=weights, means=means, start={}, **more)  # fmt: skip


def test_losses_of_other_weights_are_said_without_condemning_the_record(tmp_path):
    from diagnose import GapRecorder

    train, val = cut(TRAIN), cut(VAL)
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with GapRecorder(tmp_path, model, interval=20) as recorder:
        for step in range(40):
            batch = train[step % len(train)]
            loss = scalar(model, batch)
            optimizer.zero_grad()
            loss.backward()
            moves = [0.5 * p.grad / (p.grad.norm() + 1e-9) for p in model.parameters()]
            with torch.no_grad():
                for p, move in zip(model.parameters(), moves, strict=True):
                    p.add_(move)
                other = scalar(model, batch)  # what is logged, as by the second pass of SAM
                for p, move in zip(model.parameters(), moves, strict=True):
                    p.sub_(move)
            optimizer.step()
            recorder.step(batch, other)
    gap = explain_gap(model, Side(train, scalar), Side(val, scalar), recorder=recorder)
    assert "gap/replay" in rules(gap)
    assert not {"gap/unfaithful", "gap/averaging"} & rules(gap)
    assert "still improved" not in gap.verdict


class TestBatches:
    def test_validation_on_another_scale_is_said(self):
        model, val = mlp(), cut((VAL[0] * 0.2 + 3, VAL[1]))
        gap = explain_gap(model, Side(cut(TRAIN), ce), Side(val, ce))
        assert {"gap/inputs"} <= rules(gap)
        assert "gap/unseen" not in rules(gap)
        assert "scale" in next(f["what"] for f in gap.findings if f["rule"] == "gap/inputs")

    def test_labels_that_training_never_has_are_said(self):
        train, val = blobs(256, 1, 6), blobs(256, 2, 6)
        model = fit(mlp(outputs=6), cut(tuple(part[train[1] < 4] for part in train)))
        gap = explain_gap(model, Side(cut(tuple(p[train[1] < 4] for p in train)), ce), Side(cut(val), ce))
        assert "values that training never has" in next(f["what"] for f in gap.findings if f["rule"] == "gap/inputs")

    @pytest.mark.parametrize("seed", range(3))
    def test_batches_of_one_distribution_are_alike(self, seed):
        gap = explain_gap(mlp(), Side(cut(blobs(128, seed)), ce), Side(cut(blobs(64, seed + 50)), ce))
        assert gap.record["conditions"]["unlike"] == []

    def test_sides_that_are_built_otherwise(self):
        def of_table(model, batch):
            return F.cross_entropy(model(batch["x"]), batch["y"], reduction="none")

        train, val = cut(TRAIN), [{"x": x, "y": y} for x, y in cut(VAL)]
        model = fit(mlp(p=0.3), train)
        gap = explain_gap(model, Side(train, ce), Side(val, of_table))
        true = [mean(loss, model, some) for loss, some in ((ce, train), (of_table, val))]
        assert (gap.matched.train, gap.matched.val) == pytest.approx(true, rel=1e-5)
        assert any("built otherwise" in note for note in gap.record["notes"])

    def test_first_rows_of_a_sampled_neighbourhood(self):
        def first(model, batch):
            return ce(model, (batch["x"][: batch["batch_size"]], batch["y"][: batch["batch_size"]]))

        sides = [[{"x": x, "y": y, "batch_size": 10} for x, y in cut(some)] for some in (TRAIN, VAL)]
        for batch, other in zip(*sides, strict=True):  # neighbours are of the other side
            batch["x"][20:], batch["y"][20:] = other["x"][:12].clone(), other["y"][:12].clone()
        gap = explain_gap(mlp(), *(Side(some, first) for some in sides))
        assert gap.record["overlap"] == gap.record["overlap"] | {"val_documents": 80, "exact": 0}

    @pytest.mark.parametrize("shared", [0, 24])
    def test_batches_of_texts(self, shared):
        def contrast(model, batch):
            ids = [torch.tensor([[int(word) for word in text.split()] for text in some]) for some in batch]
            one, other = (F.normalize(model.embedding(some).mean(1), dim=1) for some in ids)
            return F.cross_entropy(one @ other.T * 10, torch.arange(len(one)))

        def texts(count, seed):
            return [" ".join(map(str, row)) for row in rows(count, seed, 6).tolist()]

        def batches(pairs, size):
            return [tuple(map(list, zip(*pairs[k : k + size], strict=True))) for k in range(0, len(pairs), size)]

        train, val = (list(zip(texts(96, k), texts(96, k + 10), strict=True)) for k in (1, 2))
        val[:shared] = train[:shared]
        model = Tokens()
        gap = explain_gap(model, Side(batches(train, 32), contrast), Side(batches(val, 8), contrast))
        small = [float(contrast(model, b).detach()) for b in batches(train, 8)]
        large = [float(contrast(model, b).detach()) for b in batches(train, 32)]
        assert values(gap)["batching"] == pytest.approx(sum(small) / 12 - sum(large) / 3, abs=1e-5)
        assert gap.record["overlap"]["exact"] == shared


class Pictures(Dataset):
    """Keeps what it does to a sample as torchvision's datasets do."""

    def __init__(self, data, transform):
        self.data, self.transform = data, transform

    def __len__(self):
        return len(self.data[1])

    def __getitem__(self, index):
        return self.transform(self.data[0][index]), self.data[1][index]


def noisy(x):
    return x + torch.randn_like(x)


def as_is(x):
    return x


def test_validations_transform_makes_trainings_plain_data():
    train, val = (DataLoader(Pictures(d, t), 32, shuffle=t is noisy) for d, t in ((TRAIN, noisy), (VAL, as_is)))
    model = fit(mlp(), cut(TRAIN))
    gap = explain_gap(model, Side(train, ce), Side(val, ce))
    torch.manual_seed(1)
    on = sum(mean(ce, model, [(noisy(x), y) for x, y in cut(TRAIN)]) for _ in range(20)) / 20
    assert term(gap, "collation")["low"] <= mean(ce, model, cut(TRAIN)) - on <= term(gap, "collation")["high"]
    assert values(gap)["data"] == pytest.approx(mean(ce, model, cut(VAL)) - mean(ce, model, cut(TRAIN)), abs=1e-5)
    assert any("validation's transform" in note for note in gap.record["notes"])
