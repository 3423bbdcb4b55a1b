"""Losses by place in the text, and the ledger's page."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.errors import DiagnoseError
from diagnose.records.ledgers import LedgerRecord
from diagnose.stats import trend
from diagnose.training import evaluation


@pytest.fixture(scope="module")
def run(tmp_path_factory, tiny):
    """A finished run whose samples were split after cutting, so that validation text was seen."""
    from diagnose.runs.runner import train

    keys = {**tiny, "batches.loader": "windows", "data.split": "windows", "report.train": "interval"}
    return train("quick", keys, runs=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def record(run):
    from diagnose import loss_gap

    return loss_gap(run)


class TestTrend:
    def test_by_hand(self):
        found = trend(range(16), [1.0, 2.0] * 8)
        slope = sum((x - 7.5) * (y - 1.5) for x, y in zip(range(16), [1.0, 2.0] * 8, strict=True)) / 340
        assert found.value == pytest.approx(15 * slope)
        assert found.effective == 16  # neighbours that differ count whole
        assert found.low < 0 < found.high

    def test_a_line_is_itself(self):
        found = trend([3, 1, 2, 0, *range(4, 20)], np.array([3, 1, 2, 0, *range(4, 20)]) * 0.5)
        assert found.value == pytest.approx(9.5)
        assert found.p < 1e-6

    @pytest.mark.parametrize(("x", "y"), [(range(5), range(5)), ([1] * 20, range(20))])
    def test_too_little_to_say(self, x, y):
        assert trend(x, y) is None

    @pytest.mark.parametrize("y", [[1.0], [float("nan")] * 20])
    def test_refused(self, y):
        with pytest.raises(DiagnoseError, match="as many finite"):
            trend(range(20), y)

    @pytest.mark.parametrize(("alike", "least"), [(0.0, 0.94), (0.3, 0.92), (0.6, 0.88)])
    def test_coverage(self, alike, least):
        draw, hits, count = np.random.default_rng(1), 0, 600
        for _ in range(count):
            noise = draw.normal(size=20)
            for k in range(1, 20):
                noise[k] = alike * noise[k - 1] + (1 - alike**2) ** 0.5 * noise[k]
            found = trend(range(20), noise + np.linspace(0, 2, 20))
            hits += found.low <= 2 <= found.high
        assert hits / count >= least


class TestWhere:
    def test_positions_against_a_loop(self, run):
        from diagnose.gap.run.run import open_finished
        from diagnose.gap.run.run_conditions import setting
        from diagnose.gap.run.run_places import by_position, read_targets
        from diagnose.gap.run.run_replay import step_group

        opened = open_finished(run)
        group = step_group(opened, 0)
        found = by_position(read_targets(opened.network, [group], setting(opened).sides.matched(on=False)))
        batch = group.parts[0]
        with torch.no_grad():
            logits = opened.network.eval()(batch.inputs_BT, None)
        nats = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.targets_BT.flatten(), reduction="none")
        nats = nats.view(batch.targets_BT.shape)
        for row in found:
            want = float(nats[:, row["first"] - 1 : row["last"]].mean())
            assert row["loss"] == pytest.approx(want, abs=1e-5)
        assert [row["first"] for row in found] == [1, 2, 4, 8, 16, 32]

    def test_positions_restart_with_documents_that_are_kept_apart(self):
        from diagnose.gap.run.run_places import tokens_seen
        from diagnose.training.batches import Batch

        segments = torch.tensor([[0, 0, 1, 1, 1, 2]])
        batch = Batch(segments, segments, segments >= 0, segments, segments)
        assert tokens_seen(batch).tolist() == [[1, 2, 1, 2, 3, 1]]

    @settings(max_examples=30)
    @given(st.lists(st.integers(1, 90), min_size=3, max_size=200))
    def test_lengths_hold_every_document_once(self, lengths):
        from diagnose.gap.run.run_places import by_length

        tokens = np.array(lengths, dtype=float)
        rows = by_length(tokens * 2, tokens, np.arange(len(tokens)))
        assert sum(row["documents"] for row in rows) == len(tokens)
        assert all(row["loss"] == pytest.approx(2) for row in rows)
        assert all(a["last"] < b["first"] for a, b in pairwise(rows))

    def test_a_planted_trend_is_found(self):
        from diagnose.gap.run.run_places import by_place

        draw, count = np.random.default_rng(0), 2000
        tokens = draw.integers(10, 40, count).astype(float)
        loss = 3 + 0.5 * np.arange(count) / count + draw.normal(0, 0.3, count)
        found = by_place(loss * tokens, tokens, np.arange(count), count)
        assert found["trend"]["low"] < 0.5 * 19 / 20 < found["trend"]["high"]
        assert found["trend"]["p"] < 0.001
        flat = by_place((loss - 0.5 * np.arange(count) / count) * tokens, tokens, np.arange(count), count)
        assert flat["trend"]["low"] < 0 < flat["trend"]["high"]

    def test_tokens_of_a_document_sum_to_its_canonical_loss(self, run):
        from diagnose.gap.run.run import open_finished

        opened = open_finished(run)
        text = opened.setup.text
        document = text.split.scored[:1]
        context = opened.recipe.batches.context
        whole = evaluation.canonical(opened.network, text.stream, document, text.corpus.sizes(document), context)
        ids, nats = evaluation.canonical_tokens(opened.network, text.stream, int(document[0]), context)
        assert len(ids) == int(whole.tokens_N[0])
        assert nats.sum() == pytest.approx(float(whole.nats_N[0]), rel=1e-6)
        assert (nats > 0).all()

    @pytest.mark.parametrize("kind", ["char", "word", "bpe"])
    def test_pieces_spell_the_document(self, kind):
        from diagnose.data.tokenizer import learn, marks
        from diagnose.gap.run.run_places import pieces

        tokenizer = learn(["the cat sat on the mat " * 5], kind, 300)
        text = "the cät sat \N{GRINNING FACE} on"
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        found = pieces(tokenizer, [*ids, marks(tokenizer)[0]], [1.0] * (len(ids) + 1))
        assert "".join(piece for piece, _ in found) == text
        assert found[-1][0] == ""
        assert sum(cost for _, cost in found) == len(ids) + 1


class TestPage:
    def test_it_is_rendered_again_from_what_is_stored(self, run, record, tmp_path):
        from diagnose.gap.run.run_gap import keep
        from diagnose.report.page import render

        keep(run, LedgerRecord.model_validate(record))
        first = [path.read_bytes() for path in render(run, tmp_path / "a")]
        again = [path.read_bytes() for path in render(run, tmp_path / "b")]
        assert len(first) == 2
        assert first == again
        assert len(first[1]) < 1_500_000

    def test_it_says_the_verdict_and_every_term(self, run, record, tmp_path):
        from diagnose.report.page import render_gap

        page = render_gap(run, tmp_path, LedgerRecord.model_validate(record)).read_text(encoding="utf-8")
        assert record["verdict"].split(".")[0] in page.replace("&#39;", "'")
        for term in record["terms"]:
            assert f'id="word-{term["id"]}"' in page
        assert "This is not a validation loss" in page or "not a validation loss" in page
        assert page.count("<svg") == 6  # three figures, wide and narrow

    def test_what_a_change_did_is_a_table(self, run, tmp_path):
        from diagnose import loss_gap
        from diagnose.report.page import render_gap

        found = loss_gap(run, against=run, budget="3000 tokens")
        page = render_gap(run, tmp_path, LedgerRecord.model_validate(found)).read_text(encoding="utf-8")
        assert f"Against {run}" in page
        assert ">before</bdi>" in page

    def test_every_page_that_is_linked_lies_beside(self, run, tmp_path, capsys):
        import re

        from diagnose.cli import app

        app(["loss-gap", str(run), "--out", str(tmp_path), "--budget", "3000tokens"], standalone_mode=False)
        pages = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.html")}
        links = {link for text in pages.values() for link in re.findall(r'href="([^"#]+\.html)"', text)}
        assert links == set(pages) == {f"{run.name}.html", f"{run.name}-gap.html"}
        capsys.readouterr()

    def test_foreign_text_in_the_record_is_inert(self, run, record, tmp_path):
        from diagnose.report.page import render_gap

        hostile = "<script>alert(1)</script>\u202e"
        spoiled = json.loads(json.dumps(record))
        spoiled["verdict"] = hostile
        spoiled["where"]["documents"]["worst"][0]["pieces"][0] = [hostile, 1.0]
        page = render_gap(run, tmp_path, LedgerRecord.model_validate(spoiled)).read_text(encoding="utf-8")
        assert "<script" not in page
        assert "\u202e" not in page

    @pytest.mark.parametrize("spoil", ["{", '{"format": 1}', '{"format": 99}', '{"format": 1, "arms": []}'])
    def test_a_damaged_record_is_refused(self, run, tmp_path, spoil):
        import shutil

        from diagnose.report.page import render_gap

        copy = shutil.copytree(run, tmp_path / run.name)
        (copy / "gap.json").write_text(spoil, encoding="utf-8")
        with pytest.raises(DiagnoseError, match=r"gap\.json"):
            render_gap(copy, tmp_path)
        assert not list(tmp_path.glob("*.html"))

    @pytest.mark.parametrize(("part", "lacks"), [("terms", "leak"), ("groups", "timing"), ("groups", "data")])
    def test_a_record_without_what_every_ledger_has_is_refused(self, run, record, tmp_path, part, lacks):
        import shutil

        from diagnose.report.page import render_gap

        copy = shutil.copytree(run, tmp_path / run.name)
        spoiled = {**record, part: [one for one in record[part] if one["id"] != lacks]}
        (copy / "gap.json").write_text(json.dumps(spoiled), encoding="utf-8")
        with pytest.raises(DiagnoseError, match=f"gap.json.*no {lacks}"):
            render_gap(copy, tmp_path)

    def test_the_command_prints_the_pages_place(self, run, tmp_path, capsys):
        from diagnose.cli import app

        app(["loss-gap", str(run), "--out", str(tmp_path / "x.html"), "--json"], standalone_mode=False)
        found = json.loads(capsys.readouterr().out)
        assert found["page"] == str(tmp_path / "x.html")
        assert (tmp_path / "x.html").exists()
