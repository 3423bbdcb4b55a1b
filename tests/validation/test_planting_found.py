"""What the planted causes of `explain_gap` found wrong stays right: a minimal case of each."""

import numpy as np
import pytest
import torch
from torch import nn

from diagnose import GapRecorder, Side, explain_gap
from diagnose.gap import intervals
from diagnose.gap.intervals import SAMPLES
from diagnose.gap.loop import guard, sample_identity, sample_parts
from diagnose.stats import Reading, combination


def squares(model, batch):
    return (model(batch[0]) - batch[1]).square().flatten(1).mean(1)


def layers(dropout=0.3):
    torch.manual_seed(0)
    return nn.TransformerEncoderLayer(16, 2, 32, dropout, batch_first=True)


def sequences(count=8):
    torch.manual_seed(1)
    return [(torch.randn(4, 6, 16), torch.randn(4, 6, 16)) for _ in range(count)]


def test_statistics_of_a_batch_norm_do_not_reach_into_the_next_pass():
    model = nn.BatchNorm1d(3).train()
    before = model.running_mean.clone()
    with guard.guarded(model) as kept, torch.no_grad():
        model(torch.randn(8, 3) + 5)
        assert not torch.equal(model.running_mean, before)
        kept.settle()
        assert torch.equal(model.running_mean, before)


def test_a_buffer_that_is_assigned_anew_is_put_back_after_each_pass():
    model = nn.BatchNorm1d(3)
    own = model.running_mean
    with guard.guarded(model) as kept:
        model.running_mean = torch.ones(3)
        kept.settle()
        assert model.running_mean is own


def test_dropout_within_torchs_transformer_is_seen_and_divided():
    data = sequences()
    gap = explain_gap(layers(), Side(data, squares), Side(data, squares))
    mode = next(term for term in gap.record["terms"] if term["id"] == "mode")
    assert mode["value"] < -0.01
    first, second = (part["value"] for part in mode["parts"])
    assert first + second == pytest.approx(mode["value"])
    assert abs(first - second) > 0.01  # halves would mean that neither is seen alone
    assert torch.backends.mha.get_fastpath_enabled()


def test_replay_of_torchs_transformer_gives_what_was_logged(tmp_path):
    model, data = layers(), sequences()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with GapRecorder(tmp_path / "record", model, interval=4) as recorder:
        for batch in data:
            loss = squares(model, batch).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recorder.step(batch, loss)
        recorder.validation(data[0], squares(model.eval(), data[0]).mean())
    gap = explain_gap(model, squares, squares, recorder=recorder)
    assert gap.record["verified"]["largest"] < 1e-6
    assert "gap/unfaithful" not in {found["rule"] for found in gap.findings}


def test_the_ends_of_short_texts_with_padding_are_no_passages():
    torch.manual_seed(0)
    words = torch.randint(1, 200, (2, 6))
    rows = torch.zeros(2, 40, dtype=torch.int64)
    rows[:, :6] = words
    rows[:, 3:6] = words[:1, 3:6]  # both end alike
    assert [len(sample.spans) for sample in sample_identity.samples(list(rows), 16)] == [0, 0]


def test_overlapping_windows_of_short_rows_are_found_again():
    torch.manual_seed(0)
    text = torch.randint(1, 60, (400,))
    rows = text.unfold(0, 24, 2)
    first, second = rows[::2], rows[1::2]
    span = sample_parts.span_of(list(first))
    known = sample_identity.known([(first,)], 10.0)
    assert span < 24
    assert sample_identity.seen([(second,)], known, 1).near.mean() > 0.9


def test_rows_of_one_short_batch_do_not_make_passages_commonplace():
    torch.manual_seed(0)
    assert sample_parts.span_of(list(torch.randint(1, 60, (16, 5)))) >= 13  # 80 bits


def test_a_factor_to_all_digits_is_named_though_few_samples_make_the_interval_wide():
    torch.manual_seed(0)
    model = nn.Linear(4, 1).eval()
    data = [(torch.randn(4, 4), 9 * torch.randn(4, 1)) for _ in range(3)]
    with torch.no_grad():
        own = float(torch.cat([squares(model, batch) for batch in data]).mean())
    given = [Side(data, squares, mode="eval", reported=value) for value in (own / 8, own)]
    fits = explain_gap(model, *given).record["arithmetic"]
    assert any("divided by 8" in fit["factor"] for fit in fits["training"])
    assert fits["validation"] == []


def test_intervals_are_over_batches_where_one_number_is_shared_by_a_batch():
    chance, hits = np.random.default_rng(0), 0
    for _ in range(300):
        shared = np.repeat(chance.normal(size=12), 16)
        ids = np.repeat(np.arange(12), 16) * SAMPLES + np.tile(np.arange(16), 12)
        reading = Reading.of(shared, np.ones(192), ids)
        found = intervals.combined([reading], [1.0])
        hits += found.low <= 0 <= found.high
        assert combination([reading], [1.0]).se < found.se / 2
    assert 0.92 < hits / 300 < 0.98


def test_few_batches_of_independent_samples_keep_samples_as_units():
    chance = np.random.default_rng(1)
    ids = np.repeat(np.arange(2), 50) * SAMPLES + np.tile(np.arange(50), 2)
    reading = Reading.of(np.tile(chance.normal(size=50), 2), np.ones(100), ids)
    assert intervals.combined([reading], [1.0]) == combination([reading], [1.0])
