"""Spans of rows by their hashes: one for each distinct span, wherever it lies, however rows are hashed together."""

import numpy as np
import pytest
import torch
from torch import nn

from diagnose.gap.loop import token_spans
from diagnose.gap.loop.sample_parts import layout
from diagnose.gap.loop.token_spans import is_among, spans_of


def windows(row, span):
    """Return the distinct spans of a row that are no padding with the end of a text."""
    every = {tuple(row[k : k + span]) for k in range(len(row) - span + 1)}
    return {one for one in every if max(one.count(one[0]), one.count(one[-1])) <= span / 3}


@pytest.mark.parametrize("together", [1, 100, 1 << 16])
def test_each_distinct_span_has_one_hash_wherever_it_lies(together, monkeypatch):
    monkeypatch.setattr(token_spans, "TOGETHER", together)
    drawn = np.random.default_rng(0)
    rows = [drawn.integers(0, 5, length) for length in (3, 30, 30, 7, 30, 6, 0, 41)]
    rows.append(np.concatenate([[9], rows[1]]))
    by_hash = {}
    for row, (hashes, placed) in zip(rows, spans_of(rows, 6), strict=True):
        assert len(hashes) == len(placed) == len(windows(row.tolist(), 6))
        assert (np.diff(hashes) > 0).all()
        for one in windows(row.tolist(), 6):
            by_hash.setdefault(one, []).append(row)
    held = np.unique(np.concatenate([hashes for hashes, _ in spans_of(rows, 6)]))
    assert len(held) == len(by_hash)
    (first, at), (moved, other_at) = (spans_of(rows, 6)[k] for k in (1, 8))
    assert set(first) <= set(moved)
    assert not set(at) & set(other_at)  # at other places they are others


def test_a_salt_tells_rows_of_other_samples_apart_and_long_rows_are_sampled_alike():
    row = np.random.default_rng(1).integers(0, 10_000, 9_000)
    (plain, _), (salted, _) = spans_of([row, row], 8, [1, 2])
    assert not set(plain) & set(salted)
    (long, _), (part, _) = spans_of([row, row[:8_500]], 8)
    assert 500 < len(long) < 1_200
    assert set(part) <= set(long)


def test_what_is_among_sorted_values_is_what_numpy_finds():
    drawn = np.random.default_rng(2)
    for size in (0, 1, 5, 60):
        held, values = np.unique(drawn.integers(0, 80, size)), drawn.integers(-5, 90, 40)
        assert (is_among(values, held) == np.isin(values, held)).all()


def test_a_mask_of_whole_numbers_is_no_part_of_a_sample():
    """It is as wide as the batch that a sample is padded in, so that shuffled batches would hold other samples."""
    draw = torch.Generator().manual_seed(0)
    rows = [
        torch.randint(1, 500, (int(size),), generator=draw) for size in torch.randint(4, 300, (64,), generator=draw)
    ]
    ids = [nn.utils.rnn.pad_sequence(rows[k : k + 8], batch_first=True) for k in range(0, 64, 8)]
    found = layout({"input_ids": some, "attention_mask": (some != 0).long()} for some in ids)
    assert found.keys == (("input_ids",),)
    assert found.pads[0] == (("input_ids",), 0)
