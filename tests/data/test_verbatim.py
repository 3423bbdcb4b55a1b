"""Stretches that a text shares with the training text: against a slow search, on real text, and of real runs."""

import html
import random
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.data import corpus, split, verbatim
from diagnose.data.cache import cache_folder
from diagnose.data.excerpt import excerpt
from diagnose.report import sample_sentences as samples
from diagnose.report.page import render_own
from diagnose.report.summary import read_run
from diagnose.runs import store


def slow(text, documents):
    """Try every stretch, the longest first."""
    for size in range(len(text), 0, -1):
        for start in range(len(text) - size + 1):
            if any(text[start : start + size] in document for document in documents):
                return text[start : start + size]
    return ""


def looked_up(text, documents):
    return verbatim.longest(text, verbatim.index([document.encode() for document in documents], [text]))


@settings(max_examples=300, deadline=None)
@given(st.text("ab", max_size=40), st.lists(st.text("ab", max_size=60), max_size=5))
def test_it_is_the_longest_of_all(text, documents):
    assert looked_up(text, documents) == slow(text, documents)


@settings(max_examples=100, deadline=None)
@given(st.text("aé漢😀\x00\u202e", max_size=12), st.lists(st.text("aé漢😀\x00\u202e", max_size=30), max_size=4))
def test_characters_are_whole(text, documents):
    """In bytes a longer stretch may begin or end within a character: then it is nearly as long."""
    found, best = looked_up(text, documents), slow(text, documents)
    assert found in text
    assert any(found in document for document in documents) or not found
    assert len(found.encode()) >= len(best.encode()) - 6


def test_borders_of_documents_are_not_crossed():
    assert (
        looked_up("In the beginning God created", ["In the beginning", " God created the heaven"]) == "In the beginning"
    )
    assert looked_up("", ["a"]) == looked_up("a", []) == looked_up("b", ["a"]) == ""


def test_a_last_window_does_not_go_on_with_another_first():
    """Windows of the same text at neighbouring distances: two matches that only look like one."""
    draw = random.Random(2)
    for _ in range(200):
        documents = ["".join(draw.choices("ab", k=50)) for _ in range(3)]
        text = "".join(draw.choices("ab", k=draw.randint(8, 20)))
        assert looked_up(text, documents) == slow(text, documents)


def test_unseen_verses_share_phrases_and_a_learned_one_all(verses):
    """Real text: of a verse that training holds everything is found, of others turns of phrase."""
    lines = verses.read_text(encoding="utf-8").split("\n")
    train, unseen = lines[:-40], lines[-40:]
    samples = [{"prompt": "", "text": "zzz", "step": 1}, {"prompt": train[3][:10], "text": train[3], "step": 2}]
    verbatim.mark(samples, unseen, [line.encode() for line in train])
    assert samples[0]["verbatim"] in {"", "z", "zz"}
    assert samples[1]["verbatim"] == train[3][10:]
    assert 3 < samples[1]["unseen"]["median"] < len(train[3]) / 2
    assert samples[1]["unseen"]["excerpts"] <= verbatim.EXCERPTS
    assert "unseen" not in samples[0]


@pytest.mark.parametrize("samples", [[], [{"prompt": "all of it", "text": "all of it", "step": 1}]])
def test_nothing_written_is_nothing_shared(samples):
    verbatim.mark(samples, ["some"], [b"some text"])
    assert all(one["verbatim"] == "" and "unseen" not in one for one in samples)


def test_windows_are_found_where_they_stand():
    index = verbatim.index([b"abcdefghij", b"xabcdefghy"], ["zabcdefghyz", "bcdefghij"])
    windows = {index.text[place : place + verbatim.WINDOW] for place in index.places_P.tolist()}
    assert windows >= {b"abcdefgh", b"bcdefghy", b"bcdefghi", b"cdefghij"}
    assert np.all(np.diff(index.windows_P) >= 0)
    assert verbatim.longest("zabcdefghyz", index) == "abcdefghy"


def test_a_sample_from_memory_is_called_so(whole, tmp_path):
    """A verse of training as what a network wrote: its page marks it and says so; what was really written is not so."""
    assert "from memory" not in samples.verbatim(read_run(whole))
    copy = tmp_path / whole.name
    shutil.copytree(whole, copy)
    recipe = store.recipe_of(whole)
    text = corpus.load(recipe.data, cache_folder())
    taken = excerpt(text, split.split(text, recipe.data))
    learned = max(taken.train, key=len).decode()
    written = [{"step": 12, "prompt": learned[:12], "text": learned}]
    verbatim.mark(written, [document.decode() for document in taken.scored], taken.train)
    store.write_samples(copy, written)
    assert samples.record(read_run(copy))["text"] == learned[12:]
    assert "So it writes from memory" in samples.verbatim(read_run(copy))
    page = render_own(copy, tmp_path / "page.html").read_text(encoding="utf-8")
    assert f"<mark>{html.escape(learned[12:60])}" in page
    assert "So it writes from memory" in page
    assert "equally likely ones (its <a" in page


def test_a_stretch_that_a_stranger_wrote_is_inert_and_an_older_run_has_none(whole, tmp_path):
    copy = tmp_path / whole.name
    shutil.copytree(whole, copy)
    written = store.read_samples(copy)
    assert samples.record(read_run(copy))["characters"] == len(written[-1]["verbatim"])
    hostile = "<script>alert(1)</script>\u202e\x00"
    store.write_samples(copy, [{**written[-1], "text": written[-1]["prompt"] + hostile, "verbatim": hostile}])
    page = render_own(copy, tmp_path / "hostile.html").read_text(encoding="utf-8")
    assert "<mark>&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "\u202e" not in page
    older = [{key: one[key] for key in ("step", "prompt", "text")} for one in written]
    store.write_samples(copy, older)
    assert samples.record(read_run(copy)) is None
    assert "<mark>" not in render_own(copy, tmp_path / "older.html").read_text(encoding="utf-8")
