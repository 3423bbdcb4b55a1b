"""Yardsticks: against textbook equations, independent tools and known figures of the bundled corpus."""

import math
import shutil
import subprocess
from collections import Counter, defaultdict

import numpy as np
import pytest

from diagnose import corpus, split
from diagnose.errors import DiagnoseError
from diagnose.recipe import Data
from diagnose.yardstick import compressors, ngrams
from diagnose.yardstick.kneser_ney import FALLBACK, Model, Text, discounts
from diagnose.yardstick.plausible import plausible
from diagnose.yardstick.scale import NAMES, Yardstick, yardsticks
from diagnose.yardstick.texts import Texts


def sides(path, cache, **more):
    data = Data(corpus="file", path=str(path), **more)
    text = corpus.load(data, cache)
    return text, split.split(text, data)


class Slow:
    """The equations of Chen & Goodman (1998), section 3, with dictionaries; what opens a document keeps its counts."""

    def __init__(self, documents, most, size):
        self.size, self.most, self.raw = size, most, [Counter() for _ in range(most + 1)]
        before = [defaultdict(set) for _ in range(most + 1)]
        for document in documents:
            whole = ("<s>", *document, "</s>")
            for end in range(1, len(whole)):
                for k in range(1, min(most, end + 1) + 1):
                    gram = whole[end - k + 1 : end + 1]
                    self.raw[k][gram] += 1
                    if end - k >= 0:
                        before[k][gram].add(whole[end - k])
        self.lower = [
            {g: c if g[0] == "<s>" else len(before[k][g]) for g, c in self.raw[k].items()} for k in range(most + 1)
        ]

    def p(self, context, word, order):
        context = tuple(context[len(context) - order + 1 :]) if order > 1 else ()
        return self._p(context, word, self.raw if len(context) + 1 == order else self.lower)

    def _p(self, context, word, tables):
        table = tables[len(context) + 1]
        below = 1 / self.size if not context else self._p(context[1:], word, self.lower)
        same = {g: c for g, c in table.items() if g[:-1] == context}
        total = sum(same.values())
        if not total:
            return below
        off = (0, *discounts(np.array(list(table.values()))))
        spare = sum(off[min(c, 3)] for c in same.values())
        count = same.get((*context, word), 0)
        return (count - off[min(count, 3)] + spare * below) / total


DOCUMENTS = ["abracadabra", "abba", "cabbage a bad cab", "a", "bad abba added", "decade", "faced", "bagged beef"] * 2


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_n_grams_are_those_of_the_textbook(order):
    new = ["abacus", "a bad beef", "", "bbbb", "feedbag"]
    letters = sorted(set("".join(DOCUMENTS)))
    known = {c: i for i, c in enumerate(letters)}
    size = len(letters) + 2
    documents = [np.array([known.get(c, len(letters)) for c in d], np.int64) for d in DOCUMENTS]
    read = [np.array([known.get(c, len(letters)) for c in d], np.int64) for d in new]
    fast = Model(Text.of(documents, size), 5)
    text = Text.of(read, size)
    bits = fast.bits(text, order)
    slow = Slow([d.tolist() for d in documents], 5, size)
    slow_top = Slow([d.tolist() for d in documents], order, size)
    slow.raw = slow_top.raw + slow.raw[order + 1 :]
    at = 0
    for document in read:
        whole = ["<s>", *document.tolist(), "</s>"]
        assert bits[at] == 0
        for end in range(1, len(whole)):
            room = min(order, end + 1)
            expected = slow_top.p(whole[end - room + 1 : end], whole[end], order if room == order else room)
            if room < order:
                expected = slow_top._p(tuple(whole[end - room + 1 : end]), whole[end], slow_top.lower)
            assert bits[at + end] == pytest.approx(-math.log2(expected), rel=1e-9), (document, end)
        at += len(whole)


@pytest.mark.parametrize("order", [1, 2, 4, 6])
@pytest.mark.parametrize("context", ["", "a", "abb", "zzz", "decad", "a bad"])
def test_probabilities_sum_to_one_in_seen_and_unseen_contexts(order, context):
    letters = sorted(set("".join(DOCUMENTS)))
    known = {c: i for i, c in enumerate(letters)}
    size = len(letters) + 2
    model = Model(Text.of([np.array([known[c] for c in d]) for d in DOCUMENTS], size), order)
    head = [known.get(c, len(letters)) for c in context]
    total = 0.0
    for symbol in range(size - 1):
        text = Text.of([np.array([*head, symbol], np.int64)], size)
        total += 2 ** -model.bits(text, order)[1 + len(head)]
    text = Text.of([np.array(head, np.int64)], size)
    total += 2 ** -model.bits(text, order)[1 + len(head)]
    assert total == pytest.approx(1, abs=1e-9)


def test_discounts_are_the_published_ones_and_fall_back_where_degenerate():
    counts = np.repeat([1, 2, 3, 4, 9], [100, 40, 20, 10, 5])
    share = 100 / 180
    assert discounts(counts) == pytest.approx((1 - 0.8 * share, 2 - 1.5 * share, 3 - 2 * share))
    assert discounts(np.array([5, 6, 7])) == FALLBACK


def test_every_byte_is_paid_for_though_nothing_is_known():
    train, new = ["ab ab", "ba ab"], ["\u05d0\U0001f600 q\u202e\x00"]
    bits = ngrams.character_bits(train, new, [3])[3][0]
    assert bits > 8 * len(new[0].replace(" ", "").encode())
    assert ngrams.word_bits(train, new, [2])[2][0] > 8 * len(new[0].replace(" ", "").encode())


def test_pieces_give_the_text_back():
    for text in ("In the  beginning,\tGod", " a\r\nb", "\u05d0\u0301 -- x_1 \u202e", ""):
        assert "".join(ngrams.PIECE.findall(text)) == text


@pytest.mark.parametrize(("name", "command"), [("gzip", "gzip -9nc"), ("bzip2", "bzip2 -9c"), ("xz", "xz -9ec")])
def test_compressors_agree_with_the_command_line(name, command, verses):
    program = command.split()
    if shutil.which(program[0]) is None:
        pytest.skip(f"needs {program[0]}")
    data = verses.read_bytes()
    sizes = [
        len(subprocess.run(program, input=part, capture_output=True, check=True).stdout) for part in (data, data[:9000])
    ]
    expected = 8 * (sizes[0] - sizes[1])
    assert compressors.conditional_bits(name, data[:9000], data[9000:]) == pytest.approx(expected, abs=64)


def test_ppmd_and_zstd_give_the_text_back(verses):
    import pyppmd
    import zstandard

    data = verses.read_bytes()
    for order in compressors.PPMD_ORDERS:
        encoder = pyppmd.Ppmd7Encoder(order, 1 << 25)
        packed = encoder.encode(data) + encoder.flush(endmark=False)
        assert pyppmd.Ppmd7Decoder(order, 1 << 25).decode(packed, len(data)) == data
        assert len(packed) == compressors.COMPRESSORS[f"ppmd-{order}"](data, len(data))
    assert compressors.COMPRESSORS["zstd"](data, len(data)) < len(zstandard.ZstdCompressor(3).compress(data))


def test_the_bundled_corpus_has_its_known_figures(tmp_path):
    data = Data()
    text = corpus.load(data, tmp_path)
    parts = split.split(text, data)
    found = {y.name: y for y in yardsticks(text, parts, tmp_path, ["char-1", "char-6", "xz", "bzip2", "ppmd-8"])}
    assert found["ppmd-8"].bits_per_byte == pytest.approx(1.33, abs=0.03)
    assert found["xz"].bits_per_byte == pytest.approx(1.61, abs=0.04)
    assert found["bzip2"].bits_per_byte == pytest.approx(1.80, abs=0.04)
    assert found["char-6"].bits_per_byte < found["xz"].bits_per_byte
    assert found["char-6"].low < found["char-6"].bits_per_byte < found["char-6"].high
    bytes_per_token = 2.46  # of the first user's words
    verdict = plausible(0.360 / math.log(2) / bytes_per_token, list(found.values()))
    assert verdict is not None
    assert verdict.best.name == "ppmd-8"
    assert verdict.checks[0].startswith("the split leaks")
    assert plausible(1.25, list(found.values())) is None


def test_all_of_them_on_a_small_text_are_kept_and_hostile_text_is_text(tmp_path):
    path = tmp_path / "hostile.txt"
    lines = [f"{i} <script>alert({i})</script> \u202eevil\u202c \x1b[31m {{{{ 7 * 7 }}}} <s></s>" for i in range(60)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    text, parts = sides(path, tmp_path / "cache")
    found = yardsticks(text, parts, tmp_path / "cache")
    assert [y.name for y in found] == list(NAMES)
    assert all(math.isfinite(y.bits_per_byte) and y.bits_per_byte >= 0 for y in found)
    assert yardsticks(text, parts, tmp_path / "cache") == found  # seconds too: nothing was measured again


def test_documents_that_hold_newlines_end_with_a_byte_that_no_text_holds():
    assert Texts((b"a\nb",), (b"c",), sampled=False).mark == b"\xff"
    assert Texts((b"a",), (b"c",), sampled=False).mark == b"\n"


def test_an_unknown_yardstick_is_one_line_with_the_nearest(tmp_path, verses):
    text, parts = sides(verses, tmp_path)
    with pytest.raises(DiagnoseError, match="did you mean 'ppmd-8'"):
        yardsticks(text, parts, tmp_path, ["pmd-8"])
    with pytest.raises(DiagnoseError, match="name a yardstick"):
        yardsticks(text, parts, tmp_path, [])


def test_a_loss_that_is_no_number_or_has_no_yardstick_is_refused():
    one = Yardstick("ppmd-8", "compressor", 1.33, None, None, 0.0)
    for wrong in (math.nan, -1.0, math.inf):
        with pytest.raises(DiagnoseError, match="cannot be judged"):
            plausible(wrong, [one])
    with pytest.raises(DiagnoseError, match="no n-gram or compressor"):
        plausible(1.0, [Yardstick("uniform", "uniform", 8.0, None, None, 0.0)])


def test_the_command_prints_the_scale_and_refuses_other_keys(tmp_path, verses, monkeypatch):
    import json

    from typer.testing import CliRunner

    from diagnose.cli import app

    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke(app, ["yardstick", "--data", str(verses), "--only", "ppmd-8,char-2", "--json"])
    assert run.exit_code == 0, run.output
    found = json.loads(run.stdout)
    assert next(iter(found)) == "format"
    assert [row["name"] for row in found["yardsticks"]] == ["ppmd-8", "char-2"]
    assert found["runs"] == []
    run = CliRunner().invoke(app, ["yardstick", "--data", str(verses), "--only", "ppmd-8"])
    assert "ppmd-8" in run.output
    assert all(len(line) <= 100 for line in run.output.splitlines())
    run = CliRunner().invoke(app, ["yardstick", "--set", "model.width=3"])
    assert isinstance(run.exception, DiagnoseError)


def test_a_finished_run_of_the_same_split_stands_on_the_scale(whole, verses, tmp_path):
    from diagnose import store
    from diagnose.yardstick.record import runs_scored_on

    fingerprint = store.read_json(whole / "environment.json")["split"]["fingerprint"]
    found = runs_scored_on(whole.parent, fingerprint)
    assert [row["run"] for row in found] == [str(whole)]
    assert found[0]["model"] == "gpt"
    assert found[0]["low"] < found[0]["bits_per_byte"] < found[0]["high"]
    assert runs_scored_on(whole.parent, "another") == []


def test_a_loss_has_its_place_between_two_yardsticks():
    from diagnose.yardstick.place import place

    scale = [Yardstick(n, "compressor", b, None, None, 0.0) for n, b in (("xz", 1.61), ("ppmd-8", 1.33), ("gzip", 2.6))]
    assert place(1.5, scale) == "0.11 better than xz and 0.17 worse than PPMd of order 8"
    assert place(1.2, scale) == "0.13 better than PPMd of order 8"
    assert place(3.0, scale) == "0.40 worse than gzip"
    assert place(3.0, []) == ""
