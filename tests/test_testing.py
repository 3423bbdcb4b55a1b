"""`diagnose.testing`: assertions on real verses, planted leaks and a metric that reads the future."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from diagnose import DiagnoseError, Side
from diagnose.data.ingest import bible_verses
from diagnose.models.gpt import build
from diagnose.testing import assert_metric_sound, assert_no_leak


def rows(start, count=64):
    text = "\n".join(text for place, (_, text) in enumerate(bible_verses()) if start <= place < start + 400)
    ids = torch.tensor([ord(c) % 128 for c in text])
    return list(ids[: count * 33].view(count, 33).split(16))


def loss(model, rows):
    return F.cross_entropy(model(rows[:, :-1], None).transpose(1, 2), rows[:, 1:], reduction="none")


def inputs_and_targets(rows):
    return rows[:, :-1], rows[:, 1:]


def test_a_clean_split_passes():
    assert_no_leak(rows(0), rows(5000))


def test_shared_verses_are_told_with_what_to_do():
    with pytest.raises(AssertionError, match=r"split-overlap-exact: .*of the validation samples are training samples"):
        assert_no_leak(rows(0), [*rows(5000)[:2], *rows(0)[:2]])


def test_a_rule_may_be_allowed_and_its_name_is_checked():
    shared = [*rows(5000)[:2], *rows(0)[:2]]
    assert_no_leak(rows(0), shared, allow=["split-overlap-exact"])
    with pytest.raises(DiagnoseError, match="did you mean 'split-overlap-exact'"):
        assert_no_leak(rows(0), shared, allow=["split-overlap-exakt"])


def test_a_group_on_both_sides_is_a_leak():
    batches = [(torch.randn(8, 3), torch.arange(8) + 8 * k) for k in range(4)]
    assert_no_leak(batches[:2], batches[2:], groups=lambda batch: batch[1])
    again = [(torch.randn(8, 3), torch.arange(8))]
    with pytest.raises(AssertionError, match="groups"):
        assert_no_leak(batches[:2], again, groups=lambda batch: batch[1])


def test_samples_that_cannot_be_recognised_fail_with_the_reason():
    flags = [torch.randint(0, 2, (16, 1)) for _ in range(4)]
    with pytest.raises(AssertionError, match="cannot be judged: "):
        assert_no_leak(flags[:2], flags[2:])


def test_no_batches_are_one_line():
    with pytest.raises(DiagnoseError, match="yields no batch"):
        assert_no_leak(rows(0), [])


def test_a_sound_metric_passes_and_gives_its_audit():
    torch.manual_seed(0)
    model = build(128, 32, layers=1, heads=2, width=32, dropout=0.1, bias=True)
    sides = Side(rows(0), loss), Side(rows(5000), loss)
    assert "batch-dependent" in assert_metric_sound(model, *sides, require=["batch-dependent"]).checked
    with pytest.raises(AssertionError, match=r"future-visible was not judged: .*give tokens="):
        assert_metric_sound(model, *sides, require=["future-visible"])


def test_a_model_that_sees_the_future_fails():
    class Peeks(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(128, 128)

        def forward(self, ids, _=None):
            return self.table(ids) + self.table(ids.roll(-1, 1))

    torch.manual_seed(0)
    model = Peeks()
    with pytest.raises(AssertionError, match="future-visible: "):
        assert_metric_sound(model, Side(rows(0), loss), Side(rows(5000), loss), tokens=inputs_and_targets)
    with pytest.raises(DiagnoseError, match="did you mean 'future-visible'"):
        assert_metric_sound(model, None, Side(rows(0), loss), allow=["future-visibel"])
