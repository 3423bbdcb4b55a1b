"""Planted causes are found by `explain_gap`: the right part leads, terms sum to the gap, intervals hold the truth."""

import pytest
from explain_cases import CASES
from explain_truth import Truth
from planted_counts import judge_intervals

from diagnose import explain_gap

EXACT = 2e-5  # of the loss: what float32 and the order of sums may do to a term that has no interval
ALIKE = 0.01  # of the loss: two parts of the truth that are as close may come out in either order
FOUND = []  # a row a case: name, leading part, its value, its truth, intervals, those that miss


def parts(values):
    """Return what the verdict chooses from: timing and data as groups, every other term."""
    alone = {name: values[name] or 0.0 for name in ("mode", "objective", "precision", "reduction", "collation", "draw",
                                                    "residual")}  # fmt: skip
    return alone | {"timing": (values["lag"] or 0.0) + (values["recency"] or 0.0), "data": values["data"]}


def leading(values, near):
    """Return the largest part, and those that are as large."""
    order = sorted(values, key=lambda name: -abs(values[name]))
    return order[0], {name for name in order if abs(values[name]) > abs(values[order[0]]) - near}


def expected(record, truth):
    """Return the truth of each term that the ledger gives: unseen holds the leak where that cannot be told apart."""
    joined = next(term for term in record["terms"] if term["id"] == "leak")["value"] is None
    if joined:
        return truth | {"unseen": truth["data"], "leak": None}
    return truth


def misses(record, truth, scale):
    """Return the terms whose interval (or exact value) excludes the truth, with both."""
    out = {}
    for term in record["terms"]:
        want = truth.get(term["id"], 0.0)  # none is planted in batching or weights
        if term["value"] is None or want is None:
            continue
        low, high = (term["low"], term["high"]) if term["low"] is not None else (term["value"], term["value"])
        if not low - EXACT * scale <= want <= high + EXACT * scale:
            out[term["id"]] = (want, term["value"], term["low"], term["high"])
    return out


def assert_named(case, gap):
    """What was planted is named, and nothing false is where nothing was."""
    rules = {found["rule"] for found in gap.findings}
    fits = [fit["factor"] for some in gap.record["arithmetic"].values() for fit in some]
    assert set(case.rules) <= rules, gap.findings
    assert case.factor is None or any(case.factor in fit for fit in fits), fits
    assert case.factor is not None or not fits, fits
    grave = {found["rule"] for found in gap.findings if found["severity"] in ("error", "warning")}
    assert not grave - set(case.rules), gap.findings


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name, marks=() if c.quick else pytest.mark.slow) for c in CASES])
def test_a_planted_cause_is_found(case, tmp_path):
    planted = case.make(tmp_path)
    gap = explain_gap(planted.model, planted.train, planted.val, recorder=planted.recorder, budget=planted.budget)
    truth = expected(gap.record, Truth(planted).terms())
    values = {term["id"]: term["value"] for term in gap.record["terms"]}
    assert sum(value or 0.0 for value in values.values()) == pytest.approx(gap.gap, rel=1e-9, abs=1e-12)
    values["data"] = (values["unseen"] or 0.0) + (values["leak"] or 0.0)
    scale = max(1.0, abs(gap.record["reported"]["train"]), abs(gap.record["reported"]["val"]))
    largest, _ = leading(parts(values), 0.0)
    _, true = leading(parts(truth), ALIKE * scale)
    wrong = misses(gap.record, truth, scale)
    intervals = [t["id"] for t in gap.record["terms"] if t["low"] is not None and truth[t["id"]] is not None
                 and t["value"] is not None]  # fmt: skip
    FOUND.append((case.name, largest, parts(values)[largest], parts(truth)[largest], len(intervals), wrong))
    print(f"\n{case.name}: {largest} {parts(values)[largest]:+.4f}; misses {wrong}")
    assert largest in true, (values, truth)
    assert case.cause in (None, largest), values
    assert not set(wrong) - set(intervals), wrong  # exact terms are exact
    assert len(wrong) <= (1 if case.causes else 0), wrong
    assert_named(case, gap)


def test_the_suite_covers_what_it_says():
    from planted_cases import CASES as OURS

    assert len(CASES) + len(OURS) >= 60
    assert sum(case.causes == 0 for case in CASES) >= 8
    assert sum(case.causes >= 2 for case in CASES) >= 15
    assert {case.name.split(",")[0] for case in CASES} == {"mlp", "cnn", "lstm", "transformer", "mixture"}


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say():
    judge_intervals(FOUND)
