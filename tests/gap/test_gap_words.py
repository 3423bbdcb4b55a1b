"""What the ledger says in words: rules that fire and stay silent, the verdict, the terminal, limits for scripts."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.errors import DiagnoseError


def plain(**changes):
    """A record with a gap of nothing, by hand; `changes` sets terms, or other keys."""
    groups = {"timing": ["lag", "recency"], "data": ["unseen", "leak"], "chance": ["draw"], "unexplained": ["residual"]}
    groups["conditions"] = ["mode", "objective", "precision", "reduction", "collation", "batching", "weights"]
    values = {name: changes.pop(name, 0.0) for names in groups.values() for name in names}
    of = {name: group for group, names in groups.items() for name in names}
    terms = [
        {"id": k, "group": of[k], "value": v, "low": v - 0.01, "high": v + 0.01, "parts": []} for k, v in values.items()
    ]
    sums = {group: sum(values[n] for n in names) for group, names in groups.items()}
    total = sum(map(abs, sums.values())) or 1.0
    gap = sum(values.values())
    alike = values["unseen"] + values["leak"]
    return {
        "terms": terms,
        "gap": gap,
        "groups": [{"id": g, "value": v, "share": abs(v) / total} for g, v in sums.items()],
        "matched": {"train": 1.0, "val": 1.0 + alike, "gap": alike, "low": alike - 0.01, "high": alike + 0.01},
        "matched_on": {"train": 1.1, "val": 1.1 + alike, "gap": alike},
        "conditions": {"train": ON, "val": OFF, "kinds": ["residual"], "reports": REPORTS},
        "reported": {"train": 1.0, "val": 1.0 + gap},
        "readings": [],
        "bytes_per_token": None,
        "budget": {"seconds": None},
        "overlap": {"val_documents": 100, "exact": 0, "near": 0},
        "unseen": {"loss": 5.8},
        "verified": None,
        **changes,
    }


def typed(record):
    from diagnose.records.ledgers import LedgerRecord

    return LedgerRecord.model_validate(record)


def sentence(record):
    from diagnose.gap import verdict

    return verdict.sentence(typed(record))


def findings(record):
    from diagnose.gap import gap_rules

    return [found.model_dump() for found in gap_rules.findings(typed(record))]


def all_causes(record):
    from diagnose.gap import gap_causes

    return gap_causes.all_causes(typed(record))


REPORTS = {"train": "interval", "val": "batch", "interval": 5, "val_batches": 1}
SEEN = {"val_documents": 100, "exact": 100, "near": 0}
OFF = {"on": [], "precision": "fp32", "label_smoothing": 0.0, "weight_decay_in_loss": 0.0}
ON = OFF | {"on": ["residual"]}
LAST = {"train": ON, "val": OFF, "kinds": ["residual"], "reports": REPORTS | {"train": "last"}}
FIT = {"factor": "divided by 4: why", "value": 0.2, "low": 0.1, "high": 0.3, "reported": 0.2}
REST = {"id": "residual", "value": 0.5, "low": 0.4, "high": 0.6}
FIRES = {
    "gap/unfaithful": {"residual": 0.1},
    "gap/leaking-split": {"overlap": SEEN},
    "gap/duplicates": {"overlap": SEEN | {"exact": 10}},
    "gap/mode": {"mode": -0.2},
    "gap/averaging": {"lag": -0.2},
    "gap/one-batch": {"recency": -0.2, "conditions": LAST},
    "gap/draw": {"draw": 0.2},
    "gap/objective": {"objective": -0.2},
    "gap/reduction": {"reduction": 0.2},
    "gap/precision": {"precision": 0.2},
    "gap/collation": {"collation": 0.2},
    "gap/random": {"conditions": LAST | {"random": ["val"]}},
    "gap/redrawn": {"conditions": LAST | {"redrawn": ["train"]}},
    "gap/drawn-alike": {"conditions": LAST | {"redrawn": ["train", "val"], "drawn_alike": "one transform"}},
    "gap/batching": {"batching": 0.2},
    "gap/weights": {"weights": 0.2},
    "gap/unseen": {"unseen": 0.2},
    "gap/eval-forgotten": {"conditions": LAST | {"val": ON}},
    "gap/eval-unsure": {"conditions": LAST | {"may_be_on": ["val"]}},
    "gap/arithmetic": {"arithmetic": {"training": [FIT], "validation": []}},
    "gap/memorised": {},
    "gap/residual": {"residual": 0.5, "kind": "sides", "arithmetic": {}},
    "gap/replay": {"kind": "sides", "arithmetic": {}, "verified": {"steps": 1, "differing": 1, "largest": 0.1}},
    "gap/trained-beside": {
        "kind": "sides",
        "arithmetic": {},
        "verified": {"steps": 1, "differing": 1, "largest": 0.1, "beside": ["critic"]},
    },
    "gap/data-moved": {"kind": "sides", "arithmetic": {}, "recency": -0.5, "unseen": 0.5},
    "gap/train-forgotten": {"conditions": LAST | {"train": OFF, "as_taken": ["train"]}},
    "gap/masked": {"conditions": LAST | {"masked": {"train": 0.1, "val": 0.4}}},
    "gap/training-worse": {
        "unseen": -3.0,
        "kind": "sides",
        "arithmetic": {},
        "matched": {"train": 4.0, "val": 1.0, "gap": -3.0, "low": -3.1, "high": -2.9},
    },
    "gap/inputs": {"conditions": LAST | {"unlike": ["entry 'x' of the batch is on another scale"]}},
}


class TestVerdict:
    @pytest.mark.parametrize("rule", FIRES)
    def test_a_rule_fires_and_is_silent(self, rule):
        loud, silent = plain(**FIRES[rule]), plain()
        if rule == "gap/memorised":
            loud = plain(mode=-0.1)
            next(t for t in loud["terms"] if t["id"] == "mode")["beside"] = {
                "text": "unseen",
                "value": 0.2,
                "low": 0.1,
                "high": 0.3,
            }
        parts = [REST | {"id": "training"}, REST | {"id": "validation", "value": 0.0}]
        next(t for t in loud["terms"] if t["id"] == "residual")["parts"] = parts
        assert rule in [f["rule"] for f in findings(loud)]
        assert rule not in [f["rule"] for f in findings(silent)]

    def test_every_rule_is_tested(self):
        from diagnose.gap.gap_rules import RULES

        assert {rule.id for rule in RULES} == set(FIRES)

    def test_an_unresolved_term_fires_nothing(self):
        record = plain(draw=0.2)
        next(t for t in record["terms"] if t["id"] == "draw").update(low=-0.1, high=0.5)
        assert "gap/draw" not in [f["rule"] for f in findings(record)]

    def test_the_first_users_sentence(self):
        said = sentence(plain(mode=-0.135, lag=-0.031, recency=0.016, unseen=4.24, leak=-4.221, overlap=SEEN))
        assert said == (
            "Validation lies 0.131 below training because dropout is on for one and off for the other "
            "(\N{MINUS SIGN}0.135). "
            "Under the same conditions it is 0.019 above; "
            "but training has seen this text: on unseen text the loss is 5.80."
        )

    def test_losses_that_agree(self):
        assert sentence(plain()).startswith("The two reported losses agree to within 0.001. Under the same")

    @given(st.dictionaries(st.sampled_from([t["id"] for t in plain()["terms"]]), st.floats(-3, 3)), st.booleans())
    def test_it_is_never_long(self, values, seen):
        said = sentence(plain(**values, **({"overlap": SEEN} if seen else {})))
        assert len(said.split()) <= 60
        assert "nan" not in said


TERMS = [t["id"] for t in plain()["terms"]]


class TestNumbersBesideWords:
    """Ledgers drawn at random: what a sentence says is what its numbers support."""

    @settings(max_examples=300, deadline=None)
    @given(
        st.dictionaries(st.sampled_from(TERMS), st.floats(-3, 3)),
        st.dictionaries(st.sampled_from(TERMS), st.floats(0.001, 3)),
        st.sampled_from(["run", "sides"]), st.sampled_from([None, SEEN, SEEN | {"exact": 0}]),
    )  # fmt: skip
    def test_only_what_is_told_from_zero_is_named_as_a_cause(self, values, halves, kind, overlap):
        record = plain(**values, overlap=overlap, kind=kind, arithmetic={})
        for term in record["terms"]:
            half = halves.get(term["id"], 0.01)
            term.update(low=term["value"] - half, high=term["value"] + half)
        rest = [REST | {"id": "training"}, REST | {"id": "validation"}]
        next(t for t in record["terms"] if t["id"] == "residual")["parts"] = rest
        said = sentence(record)
        named = said.partition(" because ")[2].partition(". ")[0] if " because " in said else ""
        for cause in all_causes(record):
            if f"{cause.words} (" in named and not cause.resolved:
                others = [c for c in all_causes(record) if c.words == cause.words and c.resolved]
                assert others, said
        if record["gap"] < 0:
            assert "above training because" not in said
            assert "above training," not in said
        by_id = {term["id"]: term for term in record["terms"]}
        for found in findings(record):
            if found["rule"] == "gap/objective":
                first = "Training" if by_id["objective"]["value"] < 0 else "Validation"
                assert found["what"].startswith("The objectives" if record["kind"] == "sides" else first)
            name = found["rule"].removeprefix("gap/")
            if name in by_id and name != "residual":
                assert not by_id[name]["low"] <= 0 <= by_id[name]["high"]
        if overlap is None:
            assert "has not seen" not in said

    def test_what_is_not_resolved_is_said_with_what_would_resolve_it(self):
        record = plain(unseen=-0.018)
        next(t for t in record["terms"] if t["id"] == "unseen").update(low=-0.129, high=0.093)
        assert sentence(record).startswith(
            "Validation lies 0.018 below training, and no cause of that is resolved. The largest is data "
            "(\N{MINUS SIGN}0.02 ± 0.11); more data would resolve it."
        )


class TestThresholds:
    def test_limits(self):
        from diagnose.gap.thresholds import crossed, parse
        from diagnose.records.ledgers import LedgerRecord

        record = LedgerRecord.model_validate(plain(objective=-0.2))
        assert crossed(record, parse(["gap=99", "mode=99"])) == []
        assert len(crossed(record, parse(["objective=0.01", "conditions=0.1"]))) == 2

    @pytest.mark.parametrize("wrong", ["mode", "mdoe=1", "mode=-1", "mode=x"])
    def test_a_limit_is_a_known_term_and_a_size(self, wrong):
        from diagnose.gap.thresholds import parse

        with pytest.raises(DiagnoseError, match="--fail-over"):
            parse([wrong])


def side(**changes):
    from diagnose.records.ledgers import SideRecord

    plain = {"on": (), "precision": "fp32", "label_smoothing": 0, "weight_decay_in_loss": 0, "loader": "packed"}
    return SideRecord(**{**plain, "padding": "ignore", "mean_by": "all", **changes})


class TestRows:
    @pytest.mark.parametrize(
        ("train", "said"),
        [
            ({"padding": "denominator"}, "padding counted in the mean → not counted"),
            ({"mean_by": "row"}, "mean of the means of each row → over all targets"),
            ({"padding": "target", "mean_by": "row"}, "how padding counts, and what means are taken of"),
            ({"mean_by": "step"}, "each step's mean counts alike → every target does"),
        ],
    )
    def test_averaging_says_what_differs(self, train, said):
        from diagnose.report.gap_sentences import averaging

        assert averaging(side(**train), side()) == said
        assert len(said) <= 54  # what a row of the waterfall shows

    @pytest.mark.parametrize(
        ("value", "verified", "basis", "said"),
        [
            (0.0, {"steps": 5, "differing": 0, "largest": 0.0}, "trained again", "replayed, and the same"),
            (0.3, {"steps": 5, "differing": 0, "largest": 0.0}, "trained again", "replayed, and not the same"),
            (0.0, {"steps": 5, "differing": 2, "largest": 0.02}, "trained again", "replayed, and not the same"),
            (0.0, {"steps": 5, "differing": 2, "largest": 5e-7}, "trained again", "the same to within 0.0001"),
            (0.0, None, "training not checked", "training not checked"),
            (0.3, None, "training not checked", "read again, and not the same"),
        ],
    )
    def test_residual_says_whether_the_record_holds(self, value, verified, basis, said):
        from types import SimpleNamespace

        from diagnose.records.ledgers import TermRecord, VerifiedRecord
        from diagnose.report.gap_sentences import replaying

        ledger = SimpleNamespace(verified=VerifiedRecord(**verified) if verified else None)
        term = TermRecord(id="residual", group="unexplained", value=value, basis=basis)
        assert replaying(ledger, term).endswith(said)


def test_stacks_of_differences_have_signed_ticks():
    from functools import partial

    from diagnose.report import kept_drawings
    from diagnose.report.gap_figures import Piece, Stack, WaterfallRow, stacked, waterfall

    rows = [Stack("a", "", "", (Piece("mode", -0.2, "arm-1"), Piece("unseen", 0.3, "arm-2")), 0.1, None, None)]
    drawn = kept_drawings.svg(partial(stacked, rows, "nats"), "stacked", "words")
    assert "+0.2" in drawn
    assert "\N{MINUS SIGN}0.1" in drawn
    assert "+" not in kept_drawings.svg(
        partial(waterfall, [WaterfallRow("a", "", "", 1.0, 2.0)], "nats"), "waterfall", "words"
    )


TERMS = [term["id"] for term in plain()["terms"]]
AGAINST = ", although |, partly offset because "
RANDOM = st.fixed_dictionaries({name: st.floats(-1, 1) for name in TERMS})
HALVES = st.fixed_dictionaries({name: st.floats(0.001, 2) for name in TERMS})


def spread(record, halves):
    """Give every term an interval of its own width, and what is matched the width of the data's."""
    for term in record["terms"]:
        term.update(low=term["value"] - halves[term["id"]], high=term["value"] + halves[term["id"]])
    both = (halves["unseen"] ** 2 + halves["leak"] ** 2) ** 0.5
    matched = record["matched"]
    record["matched"] = matched | {"low": matched["gap"] - both, "high": matched["gap"] + both}
    return record


class TestSentencesAgainstNumbers:
    @given(RANDOM, HALVES)
    def test_only_what_is_resolved_is_a_cause_and_its_sign_is_right(self, values, halves):
        record = spread(plain(**values), halves)
        said = sentence(record)
        first = said.split(". Under the same")[0]
        because, _, rest = first.partition(" because ")
        causes = {cause.words: cause for cause in all_causes(record)}
        named = [cause for words, cause in causes.items() if rest and f"{words} (" in re.split(AGAINST, rest)[0]]
        assert all(cause.resolved and cause.value * record["gap"] > 0 for cause in named)
        against = [cause for words, cause in causes.items() if f"{words} (" in "".join(re.split(AGAINST, first)[1:])]
        assert all(cause.resolved and cause.value * record["gap"] < 0 for cause in against)
        if rest:
            assert named
            assert ("below" if record["gap"] < 0 else "above") in because

    @given(RANDOM, HALVES)
    def test_what_is_measured_alike_says_no_more_than_its_interval(self, values, halves):
        record = spread(plain(**values), halves)
        open_ = record["matched"]["low"] <= 0 <= record["matched"]["high"]
        assert ("do not differ measurably" in sentence(record)) == open_

    @given(RANDOM, HALVES)
    def test_no_finding_rests_on_a_term_that_is_not_resolved(self, values, halves):
        record = spread(plain(**values), halves)
        terms = {term["id"]: term for term in record["terms"]}
        for finding in findings(record):
            name = finding["rule"].partition("/")[2]
            name = {"averaging": "lag"}.get(name, name)
            if name in terms and name != "residual":
                assert not terms[name]["low"] <= 0 <= terms[name]["high"]
                if name == "objective":
                    assert ("Training's loss" in finding["what"]) == (terms[name]["value"] < 0)

    def test_what_is_resolved_on_the_other_side_is_named_where_no_cause_is(self):
        record = spread(plain(mode=-0.058, unseen=0.066), dict.fromkeys(TERMS, 0.001) | {"unseen": 0.071})
        assert sentence(record).startswith(
            "Validation lies 0.008 above training, although dropout is on for one and off for the other "
            "(\N{MINUS SIGN}0.058). What raises it is not resolved: data (+0.07 ± 0.07); more data would resolve it."
        )

    def test_nothing_resolved_says_what_would_tell(self):
        record = spread(plain(unseen=-0.018), dict.fromkeys(TERMS, 0.001) | {"unseen": 0.111})
        assert sentence(record) == (
            "Validation lies 0.018 below training, and no cause of that is resolved. The largest is "
            "data (\N{MINUS SIGN}0.02 ± 0.11); more data would resolve it. "
            "Under the same conditions the two do not differ measurably (\N{MINUS SIGN}0.02 ± 0.11)."
        )

    def test_a_frozen_module_is_no_cause(self):
        record = plain(mode=-0.2, conditions=LAST | {"kinds": ["batch norm", "dropout"]})
        parts = [{"id": "batch norm", "value": 0.0, "low": 0.0, "high": 0.0}, REST | {"id": "dropout", "value": -0.2}]
        next(term for term in record["terms"] if term["id"] == "mode")["parts"] = parts
        assert "because dropout is on for one" in sentence(record)

    @pytest.mark.parametrize(
        ("sides", "said"),
        [
            ((True, False), "training's batches are not its plain data"),
            ((False, True), "validation's batches are not its plain data"),
            ((True, True), "the batches of the two are not their plain data"),
        ],
    )
    def test_whose_batches_are_not_plain(self, sides, said):
        conditions = LAST | {"train": ON | {"plain": sides[0]}, "val": OFF | {"plain": sides[1]}}
        parts = [REST | {"id": name, "value": 0.0} for name in ("training", "validation")]
        record = plain(collation=0.2, kind="sides", arithmetic={}, conditions=conditions)
        for term in record["terms"]:
            if term["id"] == "residual":
                term["parts"] = parts
        assert said in sentence(record)
