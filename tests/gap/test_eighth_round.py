"""The eighth round of causes that people report (docs/LOG.md, 2026-11-29, night), held against plain torch."""

import pytest
import torch
from rounds_fixture import ce, data, draws, fit, mean, network, term, unlike
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import Side, audit_metric, explain_gap
from diagnose.gap.loop.walking import walk


def rules(audited):
    return {finding["rule"]: finding["severity"] for finding in audited.findings}


class TestForgottenEvaluationMode:
    """BCV-Uniandes/DMS#30: validation of single pictures in training mode, each normalised by itself."""

    def pictures(self, count, seed):
        draw = draws(seed)
        y = torch.randint(0, 3, (count,), generator=draw)
        x = torch.randn(count, 3, 6, 6, generator=draw) + 0.7 * F.one_hot(y, 3)[:, :, None, None]
        return TensorDataset(x, y)

    def test_many_small_batches_tell_it_too(self):
        train, val = DataLoader(self.pictures(160, 1), 8), DataLoader(self.pictures(96, 2), 1)
        torch.manual_seed(0)
        parts = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)
        model = fit(nn.Sequential(*parts), train, turns=2)
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=mean(model, val, training=True)))
        assert "gap/eval-forgotten" in {finding["rule"] for finding in gap.findings}
        assert any("in training mode" in note for note in gap.record["notes"])
        assert abs(term(gap, "residual")["value"]) < 1e-4


class TestFirstBatches:
    """Lightning-AI/pytorch-lightning#19549: a validation that stops after its first batch."""

    @pytest.mark.parametrize(("count", "said"), [(1, "the first batch's alone"), (4, "over the first 4 batches alone")])
    def test_a_loss_of_the_first_batches_is_named(self, count, said):
        train, val = DataLoader(data(320, 1), 32, shuffle=True), DataLoader(data(320, 2), 32)
        model = fit(network(), train)
        first = [batch for batch, _ in zip(val, range(count), strict=False)]
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=mean(model, first)))
        assert [fit["factor"] for fit in gap.record["arithmetic"]["validation"]] == [said]
        assert term(gap, "residual")["value"] == pytest.approx(mean(model, first) - mean(model, val), abs=1e-5)

    def test_more_than_half_of_them_is_none(self):
        train, val = DataLoader(data(320, 1), 32, shuffle=True), DataLoader(data(224, 2), 32)
        model = fit(network(), train)
        first = [batch for batch, _ in zip(val, range(5), strict=False)]
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=mean(model, first)))
        assert not gap.record["arithmetic"]["validation"]


class TestPartsOfALoss:
    """An objective that names its parts, of which one side's log holds one alone, or all but one."""

    @pytest.mark.parametrize(
        ("count", "kept", "said"),
        [
            (320, "fit", "its part 'fit' alone"),
            (320, "loss", "without its part 'penalty'"),
            (300, "fit", "its part 'fit' alone"),
        ],
    )
    def test_a_part_that_is_reported_alone_is_named(self, count, kept, said):
        train, val = DataLoader(data(320, 1), 32, shuffle=True), DataLoader(data(count, 2), 32)
        model = fit(network(), train)

        def parts(model, batch):
            out = model(batch[0])
            fitted, penalty = F.cross_entropy(out, batch[1]), 0.1 * out.square().mean()
            other = out.abs().mean()
            return {"loss": fitted + penalty + other, "fit": fitted, "penalty": penalty}

        def reported(model, batch):
            found = parts(model, batch)
            return found["fit"] if kept == "fit" else found["loss"] - found["penalty"]

        gap = explain_gap(model, Side(train, parts), Side(val, parts, reported=mean(model, val, reported)))
        assert [fit["factor"] for fit in gap.record["arithmetic"]["validation"]] == [said]


class TestOtherInputs:
    def test_several_labels_that_are_rarer(self):
        """uma-pi1/kge#99: validation's labels are those of its own triples alone."""
        x = torch.randn(128, 16, generator=draws(1))
        sides = [TensorDataset(x, (torch.rand(128, 40, generator=draws(2)) < share).float()) for share in (0.2, 0.04)]
        train, val = (DataLoader(side, 16) for side in sides)
        model = network(40)

        def loss(model, batch):
            return F.binary_cross_entropy_with_logits(model(batch[0]), batch[1], reduction="none")

        found = [share.tensors[1].mean() for share in sides]
        assert unlike(explain_gap(model, Side(train, loss), Side(val, loss))) == [
            f"entry '1' of the batch is 1 in {found[0]:.1%} of its places in training "
            f"and in {found[1]:.1%} in validation"
        ]

    @pytest.mark.parametrize("seed", range(5))
    def test_as_many_are_not_said(self, seed):
        draw = draws(seed)
        some = [TensorDataset(torch.randn(96, 16, generator=draw), (torch.rand(96, 40, generator=draw) < 0.05).float())
                for _ in range(2)]  # fmt: skip
        train, val = (DataLoader(side, 16) for side in some)

        def loss(model, batch):
            return F.binary_cross_entropy_with_logits(model(batch[0]), batch[1], reduction="none")

        assert not unlike(explain_gap(network(40), Side(train, loss), Side(val, loss)))

    def test_pictures_of_another_size(self):
        """huggingface/pytorch-image-models#1324: validation is resized otherwise."""
        sides = [DataLoader(TensorDataset(torch.randn(64, 1, k, k, generator=draws(k)), torch.arange(64) % 3), 16)
                 for k in (8, 12)]  # fmt: skip
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
        (said,) = unlike(explain_gap(model, *(Side(one, ce) for one in sides)))
        assert "samples of shape 1 x 8 x 8 in training and 1 x 12 x 12 in validation" in said

    def test_rows_that_are_padded_to_many_lengths_are_none(self):
        def batches(seed):
            return [(torch.randn(16, 4 + k + seed, 8, generator=draws(k)), torch.arange(16) % 4) for k in range(6)]

        class Mean(nn.Module):
            def __init__(self):
                super().__init__()
                torch.manual_seed(0)
                self.out = nn.Linear(8, 4)

            def forward(self, x):
                return self.out(x).mean(1)

        assert not any(
            "shape" in said for said in unlike(explain_gap(Mean(), Side(batches(0), ce), Side(batches(9), ce)))
        )


class TestPairsByPlace:
    """paninski-lab/beast#27: training's batches hold pairs side by side, validation's frames at random."""

    def frames(self, count, seed):
        draw = draws(seed)
        scene = 1.5 * torch.randn(count, 1, 16, generator=draw)
        return (scene + 0.4 * torch.randn(count, 2, 16, generator=draw)).reshape(2 * count, 16)

    def contrast(self, model, batch):
        (x,) = batch
        z = F.normalize(model(x), dim=1)
        like = (z @ z.T / 0.2).masked_fill(torch.eye(len(z), dtype=torch.bool), -1e9)
        return F.cross_entropy(like, torch.arange(len(z)) ^ 1)

    def sides(self, *, paired):
        val = self.frames(96, 2)
        val = val if paired else val[torch.randperm(len(val), generator=draws(3))]
        train = DataLoader(TensorDataset(self.frames(160, 1)), 32)
        model = fit(network(8), train, self.contrast, 5)
        return model, Side(train, self.contrast), Side(DataLoader(TensorDataset(val), 32), self.contrast)

    def test_validation_without_pairs_is_said(self):
        model, train, val = self.sides(paired=False)
        gap = explain_gap(model, train, val)
        (said,) = (one for one in unlike(gap) if "place of a sample" in one)
        first = [batch for (_, batch), _ in zip(walk(train.batches)[0], range(4), strict=False)]
        assert f"instead of {mean(model, first, self.contrast):.3f}, validation's" in said
        assert not {"gap/unseen"} & {finding["rule"] for finding in gap.findings}

    def test_with_pairs_on_both_sides_nothing_is_said(self):
        assert not unlike(explain_gap(*self.sides(paired=True)))

    def test_views_side_by_side_in_the_sample_are_no_places(self):
        def loss(model, batch):
            one, other = (F.normalize(model(x), dim=1) for x in batch)
            return F.cross_entropy(one @ other.T / 0.2, torch.arange(len(one)))

        sets = [TensorDataset(*self.frames(n, seed).reshape(n, 2, 16).unbind(1)) for n, seed in ((160, 1), (96, 2))]
        train, val = (DataLoader(one, 32) for one in sets)
        assert not unlike(explain_gap(fit(network(8), train, loss, 3), Side(train, loss), Side(val, loss)))


class TestCleanAudits:
    """Set-ups without a fault, of which the audit spoke as of an error."""

    def test_windows_of_a_series_that_overlap(self):
        series = torch.sin(torch.arange(900) * 0.3) + 0.4 * torch.randn(900, generator=draws(1))
        windows = series.unfold(0, 25, 1)
        sets = [TensorDataset(part[:, :24].clone(), part[:, 24].clone()) for part in (windows[:500], windows[530:])]
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 1))

        def loss(model, batch):
            return (model(batch[0])[:, 0] - batch[1]).square()

        sides = [Side(DataLoader(one, 32), loss) for one in sets]
        audited = audit_metric(fit(model, sides[0].batches, loss, 3), *sides)
        assert rules(audited) == {"scored-twice": "note"}
        assert audited.verdict.startswith("PASS")

    @pytest.mark.parametrize("reduction", ["none", "mean"])
    def test_negatives_of_the_batch(self, reduction):
        def loss(model, batch):
            one, other = (F.normalize(model(x), dim=1) for x in batch)
            return F.cross_entropy(one @ other.T / 0.2, torch.arange(len(one)), reduction=reduction)

        sets = []
        for count, seed in ((160, 1), (96, 2)):
            scene = 1.5 * torch.randn(count, 16, generator=draws(seed))
            sets.append(TensorDataset(scene + 0.4 * torch.randn(count, 16, generator=draws(8)), scene))
        train, val = (DataLoader(one, 32, drop_last=True) for one in sets)
        assert rules(audit_metric(fit(network(8), train, loss, 3), Side(train, loss), Side(val, loss))) == {
            "batch-dependent": "note"
        }

    def test_a_model_that_mixes_rows_is_still_an_error(self):
        class Centred(nn.Module):
            def forward(self, x):
                return x - 0.5 * x.mean(0)

        train, val = DataLoader(data(320, 1), 32), DataLoader(data(160, 2), 32)
        model = fit(nn.Sequential(Centred(), *network()), train, turns=2)
        assert rules(audit_metric(model, Side(train, ce), Side(val, ce)))["batch-dependent"] == "error"

    @pytest.mark.parametrize("smoothing", [0.1, 0.4])
    def test_a_loss_that_is_at_its_floor(self, smoothing):
        def loss(model, batch):
            return F.cross_entropy(model(batch[0]), batch[1], label_smoothing=smoothing)

        train, val = DataLoader(data(320, 1), 32, shuffle=True), DataLoader(data(160, 2), 32)
        audited = audit_metric(fit(network(), train, loss), Side(train, loss), Side(val, loss))
        assert "cannot-overfit" in {one["rule"] for one in audited.record["checked"]}

    @pytest.mark.parametrize("kind", ["table", "pair", "output"])
    def test_a_loss_at_its_floor_whose_model_returns_no_tensor(self, kind):
        class Table(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = network()

            def forward(self, x):
                scores = self.body(x)
                if kind == "output":
                    outputs = pytest.importorskip("transformers").modeling_outputs
                    return outputs.SequenceClassifierOutput(logits=scores)
                return {"scores": scores} if kind == "table" else (scores, x)

        def loss(model, batch):
            given = model(batch[0])
            scores = given["scores"] if kind == "table" else given[0]  # an output's first part is its logits
            return F.cross_entropy(scores, batch[1], label_smoothing=0.4)

        train, val = DataLoader(data(320, 1), 32, shuffle=True), DataLoader(data(160, 2), 32)
        audited = audit_metric(fit(Table(), train, loss), Side(train, loss), Side(val, loss))
        assert "cannot-overfit" in {one["rule"] for one in audited.record["checked"]}

    def test_a_network_that_cannot_learn_is_still_an_error(self):
        class Blind(nn.Module):
            def __init__(self):
                super().__init__()
                self.scores = nn.Parameter(torch.zeros(4))

            def forward(self, x):
                return self.scores.expand(len(x), 4)

        def loss(model, batch):
            return F.cross_entropy(model(batch[0]), batch[1], label_smoothing=0.1)

        x, _ = data(320, 1).tensors
        train = DataLoader(TensorDataset(x, torch.arange(320) % 4), 32)
        audited = audit_metric(Blind(), Side(train, loss), Side(DataLoader(data(160, 2), 32), loss))
        assert rules(audited)["cannot-overfit"] == "error"


class TestRowsThatAreForetold:
    """Rows that count on from the token before hold one bit a token: short ones are near one another by chance."""

    @staticmethod
    def rows(count, length, seed):
        draw = draws(seed)
        steps = torch.randint(1, 3, (count, length), generator=draw)
        return (torch.randint(0, 40, (count, 1), generator=draw) + steps.cumsum(1)) % 40

    @staticmethod
    def read(train, val):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Embedding(40, 8), nn.Linear(8, 40))

        def loss(model, rows):
            return F.cross_entropy(model(rows[:, :-1]).transpose(1, 2), rows[:, 1:], reduction="none")

        return explain_gap(model, Side(DataLoader(train, 32), loss), Side(DataLoader(val, 32), loss))

    def test_short_ones_are_no_copies_of_one_another(self):
        gap = self.read(self.rows(640, 20, 1), self.rows(320, 20, 2))
        assert gap.record["overlap"]["near"] == 0
        assert "gap/duplicates" not in {one["rule"] for one in gap.findings}
        assert gap.record["conditions"]["by_value"]  # changed copies are not told, and the page says so

    def test_copies_of_long_ones_are_found(self):
        train, val = self.rows(640, 60, 1), self.rows(320, 60, 2)
        val[:60] = train[:60]
        val[:60, 5] = 0
        assert self.read(train, val).record["overlap"]["near"] == pytest.approx(60, abs=2)


def test_another_shuffle_s_last_batch_is_no_explanation():
    """Means by class weights over batches of another order: none of this order's batches tells what was left out."""
    weight = torch.tensor([4.0, 1.0, 1.0, 0.2])

    def weighed(model, batch):
        return F.cross_entropy(model(batch[0]), batch[1], weight=weight)

    def each(model, batch):
        return F.cross_entropy(model(batch[0]), batch[1], weight=weight, reduction="none")

    train, val = DataLoader(data(1000, 1), 32, shuffle=True), DataLoader(data(320, 2), 32)
    model = fit(network(), train, weighed)
    for seed in range(3):
        torch.manual_seed(seed)
        gap = explain_gap(model, Side(train, each, reported=mean(model, train, weighed), mode="eval"), Side(val, ce))
        assert "last batch" not in " ".join(one["what"] for one in gap.findings)
