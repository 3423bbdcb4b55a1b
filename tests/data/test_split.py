from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.data.split import inner, split
from diagnose.errors import DiagnoseError


class Documents:
    """A corpus as far as a split looks at it."""

    name = "toy.txt"

    def __init__(self, n, fingerprint="f"):
        self.n, self.fingerprint = n, fingerprint

    def __len__(self):
        return self.n


def divide(n, fingerprint="f", **settings):
    named = {"split": "documents", "val_fraction": 0.1, "scored": "val", "reserve": 0.01, "duplicates": 0.0}
    return split(Documents(n, fingerprint), SimpleNamespace(**{"split_seed": 0} | named | settings))


@settings(deadline=None)  # the first example imports torch
@given(
    st.integers(2, 400),
    st.sampled_from(["documents", "tail"]),
    st.floats(0, 1),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.integers(0, 5),
)
def test_every_document_is_somewhere_and_only_copies_are_shared(n, kind, val_fraction, duplicates, seed):
    parts = divide(n, split=kind, val_fraction=val_fraction, duplicates=duplicates, split_seed=seed)
    copies = round(duplicates * len(parts.val)) or int(duplicates > 0)
    own = parts.train[: len(parts.train) - copies]
    assert sorted([*own, *parts.val, *parts.reserve]) == list(range(n))
    assert len(own)
    assert len(parts.val)
    assert set(parts.train[len(own) :]) <= set(parts.val)
    assert len(set(parts.train[len(own) :])) == copies
    assert len(parts.reserve) == (min(100, n // 10) if duplicates else 0)
    for part in (own, parts.val, parts.reserve):
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()


def test_sizes_are_as_asked():
    parts = divide(31_102)
    assert (len(parts.train), len(parts.val), len(parts.reserve)) == (27_992, 3_110, 0)
    assert (parts.scored is parts.val, parts.learned is parts.train) == (True, True)
    some = divide(31_102, duplicates=0.5)
    assert (len(some.train), len(some.val), len(some.reserve)) == (31_102 - 3_110 - 311 + 1_555, 3_110, 311)
    assert len(divide(31_102, duplicates=0.5, reserve=0.05).reserve) == 1_555
    assert len(divide(5_000, duplicates=0.5).reserve) == 100
    assert len(divide(5_000, duplicates=0.5, reserve=0.9).reserve) == 500


def test_tail_is_the_last_part_in_order():
    parts = divide(1000, split="tail", val_fraction=0.25)
    assert parts.val.tolist() == list(range(750, 1000))
    two = divide(2, split="tail")
    assert (two.train.tolist(), two.val.tolist()) == ([0], [1])


def test_windows_train_and_validate_on_the_same_documents_and_score_the_reserve():
    parts = divide(2000, split="windows")
    assert parts.train.tolist() == parts.val.tolist()
    assert len(parts.reserve) == 100
    assert not set(parts.reserve) & set(parts.train)
    assert parts.scored is parts.reserve
    assert parts.learned is parts.train


def test_recipes_with_a_reserve_keep_the_same_documents_aside():
    arms = [
        divide(3000, split="windows"),
        divide(3000, duplicates=0.5),
        divide(3000, split="tail", duplicates=0.1, val_fraction=0.3),
    ]
    assert len({tuple(arm.reserve) for arm in arms}) == 1
    assert set(divide(3000, split_seed=1, split="windows").reserve) != set(arms[0].reserve)
    assert divide(3000).val.tolist() == arms[1].val.tolist()


def test_any_split_may_score_the_reserve_that_windows_scores():
    arms = [divide(3000, split=kind, scored="reserve", val_fraction=0.2) for kind in ("documents", "tail", "windows")]
    for arm in arms:
        assert arm.scored is arm.reserve
        assert arm.reserve.tolist() == arms[2].reserve.tolist()
        assert not set(arm.reserve) & {*arm.train, *arm.val}
    assert arms[2].fingerprint == divide(3000, split="windows", val_fraction=0.2).fingerprint
    assert sorted([*arms[0].train, *arms[0].val, *arms[0].reserve]) == list(range(3000))
    assert arms[1].val.tolist() == [i for i in range(2400, 3000) if i not in set(arms[1].reserve)]


def test_what_is_scored_is_part_of_the_fingerprint():
    one, other = (divide(500, duplicates=0.1, scored=scored) for scored in ("val", "reserve"))
    assert (one.scored is one.val, other.scored is other.reserve) == (True, True)
    assert one.reserve.tolist() == other.reserve.tolist()
    assert one.fingerprint != other.fingerprint


def test_fingerprints_are_those_of_earlier_versions():
    parts = [divide(500), divide(500, duplicates=0.1), divide(500, split="windows")]
    assert [part.fingerprint for part in parts] == ["1fb1071b9734b957", "49fd29f99ff70bb6", "73b5bfbbe220c43f"]


@pytest.mark.parametrize("more", [{}, {"split": "tail"}, {"duplicates": 0.5}, {"split": "windows"}])
def test_training_documents_are_divided_again_without_those_that_are_scored(more):
    whole = divide(2000, **more)
    part = inner(whole, 0.5, 0.2, 0)
    own = set(whole.train) - set(whole.scored)
    assert len(part.train) + len(part.scored) == round(0.5 * len(own))
    assert len(part.scored) == round(0.2 * round(0.5 * len(own)))
    assert not set(part.train) & set(part.scored)
    assert {*part.train, *part.scored} <= own
    prints = {p.fingerprint for p in (whole, part, inner(whole, 0.5, 0.2, 1), inner(whole, 0.6, 0.2, 0))}
    assert len(prints) == 4
    assert inner(whole, 0.5, 0.2, 0).fingerprint == part.fingerprint


def test_a_part_scores_no_more_than_it_takes_and_too_few_are_told():
    assert len(inner(divide(31_102), 1.0, 0.2, 0).scored) == 1000
    with pytest.raises(DiagnoseError, match="2 training documents are too few to divide 100% of them again"):
        inner(divide(3), 1.0, 0.2, 0)


def test_a_fingerprint_stands_for_corpus_kind_and_documents():
    same = [divide(500).fingerprint, divide(500, reserve=0.05).fingerprint]
    others = [
        divide(500, split_seed=1),
        divide(500, split="tail"),
        divide(500, val_fraction=0.2),
        divide(500, duplicates=0.1),
        divide(500, "g"),
        divide(501),
    ]
    assert same[0] == same[1]
    assert len({same[0], *(other.fingerprint for other in others)}) == 7


def test_validation_documents_are_drawn_evenly():
    drawn = np.bincount(np.concatenate([divide(500, split_seed=seed).val for seed in range(200)]), minlength=500)
    assert ((drawn - 20) ** 2 / 18).sum() < 630  # chi-square of 499 degrees of freedom, p < 1e-4


@pytest.mark.parametrize(
    ("n", "settings", "message"),
    [
        (1, {}, "toy.txt has one document.*data.documents = line or paragraph, or data.split = tail"),
        (1, {"split": "windows"}, "toy.txt has one document"),
        (9, {"split": "windows"}, "needs at least 10"),
        (9, {"scored": "reserve"}, "data.scored = reserve keeps one in ten unseen and so needs at least 10"),
        (9, {"split": "window"}, "did you mean 'windows'"),
    ],
)
def test_too_few_documents_are_told(n, settings, message):
    with pytest.raises(DiagnoseError, match=message):
        divide(n, **settings)
