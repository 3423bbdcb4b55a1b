"""What a run reads at its end: all that is scored, or documents at random where all would cost much."""

import numpy as np
import pytest

from diagnose import api
from diagnose.ablation.comparison import compare
from diagnose.audit.run_audit import audit_run
from diagnose.config.recipe import Recipe
from diagnose.errors import DiagnoseError
from diagnose.formatting import share
from diagnose.report import ablation_limits, run_document, summary
from diagnose.runs import probes, run_tables, store
from diagnose.runs.probes import final_documents, probe_documents
from diagnose.training import evaluation
from diagnose.training.preparation import set_up

pytestmark = pytest.mark.usefixtures("quick_probes")


def asked(**more):
    """Return a small network on the Bible and the documents of its final reading."""
    values = {"model.layers": 1, "model.width": 32, "model.heads": 2, "batches.size": 8, "run.device": "cpu"}
    setup = set_up(Recipe.load("quick", values | {key.replace("_", ".", 1): value for key, value in more.items()}))
    return setup, final_documents(setup.text, setup.recipe, setup.derived)


def bytes_of(setup, documents):
    return setup.text.corpus.size(documents)


def test_a_short_run_reads_a_part_at_random_and_a_longer_one_more_of_the_same():
    short, some = asked(budget_steps=40)
    longer, more = asked(budget_steps=500)
    _, everything = asked(budget_steps=20_000)
    longest = int(short.text.corpus.sizes(np.arange(len(short.text.corpus))).max())
    assert probes.FINAL_BYTES - longest <= bytes_of(short, some) <= probes.FINAL_BYTES
    assert set(probe_documents(short, "val")) < set(some) < set(more) < set(everything)
    assert np.array_equal(everything, short.text.split.scored)
    assert (np.diff(some) > 0).all()
    cost = evaluation.positions(longer.text.stream, more, 128).sum()
    training = 500 * longer.derived.tokens_per_step * probes.BACKWARD
    assert cost == pytest.approx(probes.SHARE * training, rel=0.05)
    places = np.searchsorted(short.text.split.scored, some) / len(short.text.split.scored)
    assert abs(places.mean() - 0.5) < 4 / np.sqrt(12 * len(places))  # not the beginning of the text


def test_all_is_read_where_that_is_asked_for_or_only_the_clock_knows_the_end():
    for more in ({"budget_steps": 40, "report_final": "whole"}, {"budget_seconds": 5}):
        setup, documents = asked(**more)
        assert np.array_equal(documents, setup.text.split.scored)


def test_the_default_changes_no_digest_and_a_word_that_is_not_known_is_refused():
    plain = Recipe.load("quick")
    assert "final" not in plain.tables()["report"]
    assert Recipe.load("quick", {"report.final": "whole"}).digest() != plain.digest()
    with pytest.raises(DiagnoseError, match=r"report\.final = 'all' is not known: auto, whole"):
        Recipe.load("quick", {"report.final": "all"})


@pytest.fixture(scope="module")
def little():
    """Let a final reading be as short as that of a test's text can be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probes, "FINAL_BYTES", 300)
        yield


@pytest.fixture(scope="module")
def some(given, little, quick_probes, tmp_path_factory):
    """Return runs of 4 and 40 steps, which read a part of their text, and one of 4 steps that reads it whole."""
    runs, more = (
        tmp_path_factory.mktemp("final"),
        {"4": {}, "40": {"budget.steps": 40}, "all": {"report.final": "whole"}},
    )
    return {
        name: api.train("quick", given | {"budget.steps": 4} | values, runs=runs, label=name)
        for name, values in more.items()
    }


def read(some):
    return {name: run_tables.read_table(path, "validation") for name, path in some.items()}


def test_what_is_read_is_nested_and_the_page_says_how_much(some):
    tables = read(some)
    short, more, everything = (set(tables[name].document) for name in ("4", "40", "all"))
    assert short < more < everything
    same = tables["all"].set_index("document").loc[tables["4"].document]
    assert np.allclose(same.nats, tables["4"].nats, rtol=1e-5)
    part = run_document.report_of(summary.read_run(some["4"]))
    said = f"on all {len(everything)} validation documents: the final reading took {len(short)} of them"
    assert sum(said in line for line in part.limits) == 1
    assert part.headlines[0].name == f"validation, {share(len(short) / len(everything))} of it"
    whole = run_document.report_of(summary.read_run(some["all"]))
    assert "whole validation text" in whole.headlines[0].name
    assert not any("report.final" in line for line in whole.limits)


def test_runs_that_read_different_parts_are_compared_on_what_both_read(some):
    tables = read(some)
    folder = compare([some["4"], some["40"]])
    found = store.ablation(folder)
    shared = tables["40"].set_index("document").loc[tables["4"].document]
    bits = [table.nats.sum() / np.log(2) / table["bytes"].sum() for table in (tables["4"], shared)]
    assert [arm.bits_per_byte.value for arm in found.arms] == pytest.approx(bits, rel=1e-12)
    said = " ".join(ablation_limits.limits(summary.read_ablation(folder)))
    assert f"on all {len(tables['all'])} validation documents: the final reading took {len(shared)} of them" in said


def test_the_audit_finds_nothing_wrong_with_a_part_but_misses_a_document_of_it(some):
    assert "bytes-lost" not in {one.rule for one in audit_run(some["4"]).findings}
    assert "bytes-lost" not in {one.rule for one in audit_run(some["all"]).findings}
    table = run_tables.read_table(some["4"], "validation")
    try:
        run_tables.write_table(some["4"], "validation", table.iloc[1:])
        assert "bytes-lost" in {one.rule for one in audit_run(some["4"]).findings}
    finally:
        run_tables.write_table(some["4"], "validation", table)
