"""Planted causes of the kinds that people reported in public are found: the right part leads, intervals hold."""

import pytest
from planted_counts import judge_intervals
from sides_cases import SIDES_CASES
from test_explain_planted import leading

from diagnose import explain_gap

EXACT = 3e-5  # of the loss: what float32 and the order of sums may do
ALIKE = 0.01  # of the loss: two parts of the truth that are as close may come out in either order
PARTS = ("mode", "objective", "precision", "reduction", "collation", "batching", "weights", "draw", "residual")
FOUND = []  # a row a case: name, leading part, its value, its truth, intervals, those that miss


def parts(values):
    """Return what the verdict chooses from: timing and data as groups, every other term."""
    alone = {name: values.get(name) or 0.0 for name in PARTS}
    return alone | {
        "timing": (values.get("lag") or 0.0) + (values.get("recency") or 0.0),
        "data": (values.get("unseen") or 0.0) + (values.get("leak") or 0.0),
    }


def spans(record, truth):
    """Return (value, low, high) of each term whose truth is known; joined ones as "a + b"."""
    terms = {term["id"]: term for term in record["terms"]}
    joined = {name: name.split(" + ") for name in truth if " + " in name}
    hidden = {name for names in joined.values() for name in names}
    out = {name: (t["value"], t["low"], t["high"]) for name, t in terms.items() if name not in hidden}
    for name, names in joined.items():
        some = [terms[one] for one in names]
        value = sum(t["value"] or 0.0 for t in some)
        half = sum((t["high"] - t["low"]) / 2 for t in some if t["low"] is not None)
        out[name] = (value, value - half, value + half) if half else (value, None, None)
    return {name: span for name, span in out.items() if span[0] is not None}


def assert_named(case, gap):
    """What was planted is named, and nothing grave is said beside it."""
    rules = {found["rule"] for found in gap.findings}
    fits = [fit["factor"] for some in gap.record["arithmetic"].values() for fit in some]
    assert set(case.rules) <= rules, gap.findings
    assert (case.factor is None) == (not fits), fits
    assert case.factor is None or any(case.factor in fit for fit in fits), fits
    grave = {found["rule"] for found in gap.findings if found["severity"] in ("error", "warning")}
    assert not grave - set(case.rules), gap.findings


@pytest.mark.slow
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in SIDES_CASES])
def test_a_cause_that_people_have_is_found(case, tmp_path):
    planted = case.make(tmp_path)
    gap = explain_gap(planted.model, planted.train, planted.val, recorder=planted.recorder, budget=planted.budget)
    values = {term["id"]: term["value"] for term in gap.record["terms"]}
    assert sum(value or 0.0 for value in values.values()) == pytest.approx(gap.gap, rel=1e-9, abs=1e-12)
    scale = max(1.0, abs(gap.record["reported"]["train"]), abs(gap.record["reported"]["val"]))
    truth = {name: planted.truth.get(name, 0.0) for name in spans(gap.record, planted.truth)}
    wrong, intervals = {}, 0
    for name, (value, low, high) in spans(gap.record, planted.truth).items():
        if name in planted.open:
            continue
        ends = (value, value) if low is None else (low, high)
        intervals += low is not None
        if not ends[0] - EXACT * scale <= truth[name] <= ends[1] + EXACT * scale:
            wrong[name] = (truth[name], value, low, high)
    largest, _ = leading(parts(values), 0.0)
    single = {name: value for name, value in truth.items() if " + " not in name}
    _, true = leading(parts(single), ALIKE * scale)
    FOUND.append((case.name, largest, parts(values)[largest], parts(single).get(largest, 0.0), intervals, wrong))
    print(f"\n{case.name}: {largest} {parts(values)[largest]:+.4f}; misses {wrong}")
    assert case.cause in (None, largest), values
    assert largest in true or any(" + " in name for name in truth), (values, truth)
    exact = {name for name in wrong if wrong[name][2] is None}
    assert not exact, wrong
    assert len(wrong) <= (1 if case.causes else 0), wrong
    assert_named(case, gap)


def test_there_are_as_many_cases_as_the_docs_say():
    assert len(SIDES_CASES) >= 36
    kinds = {case.name.split(",")[0].split(" ")[0] for case in SIDES_CASES}
    assert kinds >= {"batching", "averaging", "weights", "redrawn", "state", "graph", "accumulation", "auxiliary",
                     "frozen", "draw", "precision"}  # fmt: skip


@pytest.mark.slow
def test_their_intervals_hold_the_truth_as_often_as_they_say():
    judge_intervals(FOUND)
