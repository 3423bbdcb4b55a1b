"""What the axes mean: each trap that they name is shown, and what their pages say of it is right."""

import io
import json
import math

import numpy as np
import pytest
import torch
from rich.console import Console

from diagnose.ablation import ablate, axes
from diagnose.ablation.batch_noise import rules, side
from diagnose.ablation.design import design
from diagnose.ablation.equal_size import matched
from diagnose.config.recipe import Recipe
from diagnose.errors import MISTAKE, DiagnoseError
from diagnose.records.notes import Notes
from diagnose.report import console as renderer
from diagnose.report import note_rows, page
from diagnose.runs import session, store
from diagnose.training import dead_units, evaluation, network
from diagnose.training import positions as places
from diagnose.training.batches import step_batches
from diagnose.training.preparation import set_up


def without(tiny, *keys):
    return {key: value for key, value in tiny.items() if key not in keys}


def refusal(names, given, *, factors=None, **more):
    with pytest.raises(DiagnoseError) as caught:
        design(axes.find_all(names, None, factors), "quick", given, 1, None, **more)
    assert caught.value.exit_code == MISTAKE
    assert "\n" not in str(caught.value)
    return str(caught.value)


# context


def test_a_step_holds_as_many_tokens_whatever_the_context(tiny):
    given = without(tiny, "batches.context")
    plan = design([axes.find("context", "256,128,64")], "quick", given, 1, None)
    tables = [arm.first.recipe.batches for arm in plan.arms]
    assert [(table.context, table.size) for table in tables] == [(256, 8), (128, 16), (64, 32)]
    assert len({arm.first.derived.tokens_per_step for arm in plan.arms}) == 1


def test_where_rows_do_not_come_out_even_what_else_changed_says_so(tiny):
    from diagnose.ablation.changed import changed

    given = without(tiny, "batches.context") | {"batches.size": 3}
    plan = design([axes.find("context", "64,256")], "quick", given, 1, None)
    assert [arm.first.recipe.batches.size for arm in plan.arms] == [3, 3]
    assert {"tokens per step", "steps"} <= {row.what for row in changed(plan)}


@pytest.mark.parametrize("context", [8, 24, 100])
def test_places_hold_every_target_once_whatever_the_context(context, tiny):
    setup = set_up(Recipe.load("quick", tiny | {"batches.context": context}))
    found = places.Places()
    read = session.read_documents(setup, setup.network(), setup.text.split.scored, found)
    table = {name: np.asarray(column) for name, column in found.table().items()}
    for document, nats, tokens in zip(read.document_N, read.nats_N, read.tokens_N, strict=True):
        mine = table["document"] == document
        assert table["tokens"][mine].sum() == tokens
        assert table["nats"][mine].sum() == pytest.approx(nats)
        assert sorted(set(table["place"][mine])) == [int(e) for e in places.EDGES if e < tokens]


def test_places_are_those_of_the_tokens(tiny):
    setup = set_up(Recipe.load("quick", tiny))
    net, found = setup.network(), places.Places()
    documents = setup.text.split.scored[:5]
    session.read_documents(setup, net, documents, found)
    table = found.table()
    for document in documents:
        _, nats_T = evaluation.canonical_tokens(net, setup.text.stream, int(document), 32)
        ends = [*places.EDGES[1:], 10**9]
        wanted = [nats_T[a:b].sum() for a, b in zip(places.EDGES, ends, strict=True) if a < len(nats_T)]
        assert table["nats"][table["document"] == document] == pytest.approx(wanted)


@pytest.fixture(scope="module")
def contexts(tiny, tmp_path_factory):
    from run_fixture import quickly

    with quickly():
        folder = tmp_path_factory.mktemp("contexts")
        given = without(tiny, "batches.context", "model.dropout") | {"tokenizer.kind": "char", "budget.steps": 8}
        return ablate.ablate("batches.context=64,16", seeds=2, overrides=given, runs=folder)


def test_an_effect_is_divided_where_the_shorter_context_ends(contexts):
    summary = store.read_json(contexts / "summary.json")
    found, (effect,) = summary["notes"]["positions"], summary["effects"]
    (part,) = found["parts"]
    assert part["edge"] == 16
    assert part["near"]["value"] + part["far"]["value"] == pytest.approx(effect["value"], abs=1e-12)
    assert part["near"]["low"] < part["near"]["value"] < part["near"]["high"]
    console = Console(file=io.StringIO(), width=100)
    console.print(renderer.rows(page.own_report(contexts)))
    said = console.file.getvalue()
    assert (
        note_rows.sections(store.ablation(contexts).notes)[0].title in said
    )  # the terminal says it too, not the page alone
    assert "tokens with fewer than 16 before them" in " ".join(said.split())
    totals = {arm["level"]: arm["nats_per_token"] for arm in summary["arms"]}
    for level, total in totals.items():
        tokens = sum(band["tokens"] for band in found["bands"])
        assert sum(b["per_arm"][level] * b["tokens"] for b in found["bands"]) / tokens == pytest.approx(total)
    text = page.render_own(contexts, contexts.parent / "pages").read_text(encoding="utf-8")
    assert "tokens with fewer than 16 before them" in text
    assert "Loss by position in the document" in text


def test_a_network_sees_the_same_where_both_contexts_hold_the_document_so_far(tiny):
    """With the very same weights, losses before the shorter context's end are equal, those further on are not."""
    setup = set_up(Recipe.load("quick", tiny | {"tokenizer.kind": "char", "batches.context": 64}))
    net = setup.network()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(3)
    document = int(setup.text.split.scored[0])
    (_, long_T), (_, short_T) = (evaluation.canonical_tokens(net, setup.text.stream, document, c) for c in (64, 16))
    assert np.abs(long_T[:16] - short_T[:16]).max() < 1e-5
    assert np.abs(long_T[16:] - short_T[16:]).max() > 1e-3


def test_what_is_not_beyond_doubt_is_no_title():
    part = {"value": 0.03, "low": -0.2, "high": 0.26, "resolved": False}
    sure = {"value": 0.03, "low": 0.02, "high": 0.04, "resolved": True}
    one = {"level": "64", "against": "256", "edge": 64, "near": part | {"value": 0.01}, "far": part}
    bands = [{"begin": 0, "end": 1, "tokens": 9, "per_arm": {"256": 1.0, "64": 1.1}}]
    titles = [
        note_rows.sections(Notes(positions={"contexts": True, "bands": bands, "parts": [found]}))[0].title
        for found in (one, one | {"far": sure}, one | {"near": sure | {"value": -0.1}})
    ]
    assert titles == [
        "Loss by position in the document",
        "Most of the effect lies beyond the first 64 tokens of a document",
        "Most of the effect lies on the first 64 tokens of a document",
    ]


# masking


@pytest.mark.parametrize("model", ["gpt", "lstm"])
@pytest.mark.parametrize("mask", ["document", "none"])
def test_a_documents_logits_do_not_depend_on_its_neighbours_where_they_are_masked(model, mask, tiny):
    given = without(tiny, *(["model.heads"] if model == "lstm" else [])) | {"batches.mask": mask, "model.name": model}
    setup = set_up(Recipe.load("quick", given | {"batches.context": 96}))
    net = setup.network().eval()
    batch = step_batches(setup.course.layout, 0, 1)[0]
    assert (batch.segments_BT is not None) == (mask == "document")
    documents_BT, tokens_BT = batch.documents_BT, batch.inputs_BT
    held = moved = 0.0
    rows = [row for row in range(len(tokens_BT)) if len(documents_BT[row].unique()) > 2]
    for row in rows:
        seen_T = documents_BT[row]
        inner = seen_T.unique_consecutive()[1]
        mine_T = seen_T == inner
        other_T = torch.where(mine_T, tokens_BT[row], (tokens_BT[row] + 7) % setup.text.vocabulary)
        segments = None if batch.segments_BT is None else batch.segments_BT[row : row + 1]
        if segments is not None:  # the mark before a document belongs to its segment
            mine_T = segments[0] == segments[0][mine_T][len(segments[0][mine_T]) // 2]
            other_T = torch.where(mine_T, tokens_BT[row], other_T)
        with torch.no_grad():
            one, two = net(tokens_BT[row : row + 1], segments), net(other_T[None], segments)
        difference = float((one - two)[0][mine_T].abs().max())
        held, moved = max(held, difference), max(moved, float((one - two)[0][~mine_T].abs().max()))
    assert rows
    assert moved > 1e-3
    assert held <= 1e-6 if mask == "document" else held > 1e-3


def test_masking_shows_the_loss_on_each_documents_first_tokens(tiny, tmp_path, quick_probes):
    found = ablate.ablate("masking", seeds=2, overrides=tiny | {"budget.steps": 6}, runs=tmp_path)
    positions = store.read_json(found / "summary.json")["notes"]["positions"]
    assert (positions["parts"][0]["edge"], positions["contexts"]) == (16, False)
    assert list(positions["bands"][0]["per_arm"]) == ["none", "document"]
    assert positions["bands"][0]["begin"] == 0
    text = page.render_own(found, tmp_path / "pages").read_text(encoding="utf-8")
    assert "the first 16 tokens of each document" in text


def test_tokens_of_other_tokenizers_have_no_positions_in_common(tiny, tmp_path, quick_probes):
    given = without(tiny, "tokenizer.kind", "tokenizer.vocab_size") | {"budget.steps": 3, "tokenizer.vocab_size": 400}
    found = ablate.ablate("tokenizer", levels="char,bpe", seeds=1, overrides=given, runs=tmp_path)
    assert store.ablation(found).notes.positions is None


# activation


def test_activations_have_equal_parameters_and_gelu_is_the_exact_one(tiny):
    plan = design([axes.find("activation")], "quick", tiny, 1, None)
    assert len({arm.first.derived.parameters for arm in plan.arms}) == 1
    net = plan.arms[1].first.network()
    x = torch.linspace(-3, 3, 50)
    exact = x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))
    assert torch.allclose(net.blocks[0].activation(x), exact, atol=1e-6)
    assert "exact GELU" in axes.NAMED["activation"].what


def test_dead_units_are_those_that_never_answer(tiny):
    setup = set_up(Recipe.load("quick", tiny | {"model.activation": "relu"}))
    net = setup.network()
    with torch.no_grad():
        net.blocks[0].widen.bias[:10] = -1e6
        net.blocks[1].widen.bias[:3] = -1e6
    batches = [step_batches(setup.course.layout, k, 1)[0] for k in range(2)]
    found = dead_units.dead_units(net, batches)
    assert (found["dead"], found["units"], found["tokens"]) == (13, 2 * 4 * 32, 2 * 8 * 32)
    assert found["layers"] == [10 / 128, 3 / 128]
    assert dead_units.dead_units(set_up(Recipe.load("quick", tiny)).network(), batches) is None


def test_dead_units_stand_on_the_page(tiny, tmp_path, quick_probes):
    found = ablate.ablate("activation", seeds=2, overrides=tiny | {"budget.steps": 4}, runs=tmp_path)
    summary = store.read_json(found / "summary.json")
    (relu,) = summary["notes"]["dead_units"]
    assert relu["level"] == "relu"
    assert 0 <= relu["low"] <= relu["share"] <= relu["high"] < 1
    assert not (tmp_path / summary["arms"][1]["runs"][0] / "units.json").exists()
    text = page.render_own(found, tmp_path / "pages").read_text(encoding="utf-8")
    assert "Units of a ReLU that never answer" in text


def test_a_compiled_network_is_read_as_it_is_written():
    net = network.build("gpt", {"layers": 1, "width": 16, "heads": 2, "dropout": 0.0}, 50, 8, 0, torch.device("cpu"))
    compiled = net.__dict__["features"] = lambda *_: 1 / 0  # where `compile_in_place` puts what it compiled
    with network.eager(net):
        assert net(torch.zeros(1, 8, dtype=torch.int64)).shape == (1, 8, 50)
    assert net.__dict__["features"] is compiled


# learning rates


def test_factors_multiply_what_each_rule_gives(tiny):
    plan = design(axes.find_all(["lr-scale"], "fixed,sqrt", "0.25,1,4"), "quick", tiny, 1, None)
    assert [arm.level for arm in plan.arms] == [
        "fixed, x1", "fixed, x0.25", "fixed, x4", "sqrt, x1", "sqrt, x0.25", "sqrt, x4",
    ]  # fmt: skip
    rates = [arm.first.derived.learning_rate for arm in plan.arms]
    root = math.sqrt(8 * 32 / 524_288)
    wanted = [6e-4 * f * rule for rule in (1, root) for f in (1, 0.25, 4)]
    assert rates == pytest.approx(wanted)


def test_a_factor_of_one_is_the_same_run_as_none(tiny):
    recipe = Recipe.load("quick", tiny)
    assert recipe.with_values({"optimizer.lr_factor": 1.0}).digest() == recipe.digest()
    assert recipe.with_values({"optimizer.lr_factor": 2.0}).digest() != recipe.digest()


@pytest.mark.parametrize(
    ("names", "factors", "said"),
    [
        (["activation"], "0.25,1,4", "--lr-factors goes with an axis of the learning rate"),
        (["lr-scale"], "a,b", "--lr-factors a,b: give numbers above zero"),
        (["lr-scale"], "1,-4", "--lr-factors 1,-4: give numbers above zero"),
        (["lr-scale"], "1,inf", "--lr-factors 1,inf: give numbers above zero"),
        (["lr-scale"], "", "--lr-factors : give numbers above zero"),
        (["lr-scale"], "1", "--lr-factors 1: give two or more that differ"),
        (["lr-scale"], "1,1.0", "--lr-factors 1,1.0: give two or more that differ"),
        (["lr-scale", "optimizer.lr_factor=1,2"], "1,4", "both set optimizer.lr_factor"),
    ],
)
def test_factors_that_make_no_sense_are_told_in_one_line(names, factors, said, tiny):
    assert said in refusal(names, tiny, factors=factors)


def test_each_rule_is_compared_at_its_best_factor(tiny, tmp_path, quick_probes):
    found = ablate.ablate(
        "lr-scale", levels="fixed,sqrt", factors="1,30", seeds=2, overrides=tiny | {"budget.steps": 8}, runs=tmp_path
    )
    summary = store.read_json(found / "summary.json")
    level = {tuple(arm["levels"].values()): arm["bits_per_byte"]["value"] for arm in summary["arms"]}
    fixed, root = summary["notes"]["best_factors"]
    for record in (fixed, root):
        assert record["bits_per_byte"] == pytest.approx(min(record["tried"].values()))
        assert record["tried"]["x30"] == pytest.approx(level[record["level"], "x30"])
    effect = root["effect"]
    assert effect["value"] == pytest.approx(root["bits_per_byte"] - fixed["bits_per_byte"])
    assert effect["low"] < effect["value"] < effect["high"]
    assert [one["level"] for one in summary["notes"]["noise_scale"]] == [arm["level"] for arm in summary["arms"]]
    text = page.render_own(found, tmp_path / "pages").read_text(encoding="utf-8")
    assert "Gradient noise scale" in text
    assert "both at their best" in text
    assert "that was tried, so a better one may lie beyond" in text


def test_the_rule_that_is_favoured_depends_on_the_side_of_the_critical_batch_size():
    assert rules(1_000, 100_000, 1e9)["nearest"] == "sqrt"
    assert rules(1_000, 100_000, 1e9)["predicted"] == pytest.approx(0.1, rel=1e-3)
    assert rules(1_000, 100_000, 1.0)["nearest"] == "fixed"
    assert rules(1_000, 100_000, 1.0)["predicted"] == pytest.approx(1.0, rel=1e-3)
    assert [side(b, 1000.0) for b in (100, 700, 1500, 5000)] == ["below", "near", "near", "above"]
    assert side(100, None) == "below"


def test_a_damaged_note_is_told_in_one_line(contexts, tmp_path):
    found = store.read_json(contexts / "summary.json")
    del found["notes"]["positions"]["bands"]
    (tmp_path / "summary.json").write_text(json.dumps(found))
    with pytest.raises(DiagnoseError, match=r"summary.json is corrupted: notes.positions.bands: field required$"):
        store.ablation(tmp_path)


def test_the_page_says_so():
    one = {"level": "sqrt", "batch": 2048.0, "scale": 9000.0, "two_sizes": 8000.0, "low": 7000.0, "high": 1e4}
    found = {"noise_scale": [one | {"side": "below", "reference": 524288.0, **rules(2048, 524288, 9000)}]}
    (note,) = note_rows.sections(Notes.model_validate(found))
    assert note.title == "Every arm trains below the critical batch size"
    assert "makes the best rate \N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}0.43" in note.sentences[0]
    assert "this favours fixed" in note.sentences[0]


# model


def test_networks_may_be_matched_by_operations(tiny):
    given = without(tiny, "model.dropout") | {"model.width": 64}
    recipes = {name: Recipe.load("quick", without(given, "model.heads") | {"model.name": name}) for name in ("gpt",)}
    recipes["lstm"] = Recipe.load("quick", without(given, "model.heads") | {"model.name": "lstm"})
    (width,) = matched(recipes, "flops").values()
    (other,) = matched(recipes).values()
    assert width != other
    plan = design([axes.find("model")], "quick", given, 1, None, untuned=True, match="flops")
    one, two = (arm.first.derived.flops_per_step for arm in plan.arms)
    assert one == pytest.approx(two, rel=0.02)
    from diagnose.ablation.changed import changed

    rows = {row.what for row in changed(plan)}
    assert "width (solved for equal operations a token)" in rows
    assert "operations per step" not in rows or one != pytest.approx(two, rel=0.005)


def test_what_cannot_be_matched_is_told_in_one_line(tiny):
    assert refusal(["model"], tiny, match="flop") == "--match flop is not known; did you mean 'flops'?"
    assert "no axis compares networks" in refusal(["activation"], tiny, match="flops")
