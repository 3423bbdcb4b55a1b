"""Yardsticks: Kneser-Ney against a slow reference, probabilities that sum to one, compressors, and real text."""

import bz2
import math
from collections import Counter

import numpy as np
import pytest

from diagnose import api
from diagnose.baselines import compressors, kneser_ney, peers, scoring, symbols
from diagnose.baselines.placement import Standing, standing
from diagnose.config.recipe import Recipe
from diagnose.data import corpus, split
from diagnose.data.cache import cache_folder
from diagnose.errors import DiagnoseError
from diagnose.report.summary import read_scale
from diagnose.runs import runner

TEXTS = ["abracadabra", "cadabra", "", "abba", "rab", "abracadabra abba", "cab", "dab a cab", "bar", "car"]


def numbered(texts):
    known = {c: i for i, c in enumerate(sorted(set("".join(texts))))}
    return [np.array([known[c] for c in text], np.int64) for text in texts], len(known) + 1


def reference(texts, size, order, context, symbol):
    """Chen & Goodman's equation 27 over dictionaries, a gram at a time."""
    mark, grams = size - 1, {k: Counter() for k in range(1, order + 1)}
    for text in texts:
        row = [mark] * max(1, order - 1) + list(text) + [mark]
        for end in range(max(1, order - 1), len(row)):
            for k in range(1, order + 1):
                grams[k][tuple(row[end - k + 1 : end + 1])] += 1
    counts = {order: grams[order]}
    for k in range(1, order):
        counts[k] = Counter(gram[1:] for gram in grams[k + 1])
    lower = 1 / size
    padded = [mark] * max(1, order - 1) + list(context)
    for k in range(1, order + 1):
        before = tuple(padded[len(padded) - k + 1 :]) if k > 1 else ()
        total = sum(n for gram, n in counts[k].items() if gram[:-1] == before)
        if not total:
            continue
        n1, n2, n3, n4 = (sum(n == j for n in counts[k].values()) for j in (1, 2, 3, 4))
        d = kneser_ney.FALLBACK
        if n1 and n2 and n3:
            y = n1 / (n1 + 2 * n2)
            found = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
            d = found if all(0 < x <= j for j, x in enumerate(found, 1)) else d
        same = [n for gram, n in counts[k].items() if gram[:-1] == before]
        left = sum(d[min(n, 3) - 1] for n in same) / total
        own = counts[k][(*before, symbol)]
        lower = (own - d[min(own, 3) - 1] if own else 0) / total + left * lower
    return lower


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_are_those_of_a_slow_reference_and_sum_to_one(order):
    texts, size = numbered(TEXTS)
    model = kneser_ney.learn(texts, size, order)
    for context in ([], [0], [0, 1], [2, 0, 3], [4, 4, 4], [1, 1, 0, 2]):
        found = kneser_ney.distribution(model, context, order)
        assert found.sum() == pytest.approx(1, abs=1e-12)
        expected = [reference(texts, size, order, context, symbol) for symbol in range(size)]
        assert found == pytest.approx(expected, abs=1e-12)


def test_a_text_costs_the_sum_of_its_symbols_and_its_end():
    texts, size = numbered(TEXTS)
    model = kneser_ney.learn(texts, size, 3)
    own = texts[3]
    steps = [kneser_ney.distribution(model, own[:k], 3)[s] for k, s in enumerate([*own, size - 1])]
    assert kneser_ney.nats(model, [own], [3])[3][0] == pytest.approx(-np.log(steps).sum())


def test_every_byte_of_unknown_text_is_paid_for():
    learned = symbols.characters(["abc", "cab"], 2)
    known, strange = learned.nats(["ab", "a\N{SNOWMAN}"], [2])[2]
    assert strange > known + 3 * math.log(256) - 5  # a snowman is three bytes
    words = symbols.words(["the cat", "the dog", "the end", "cat"], 2)
    short, long = words.nats(["the ox", "the oxen of the east"], [2])[2]
    assert 0 < short < long < math.inf


def test_a_compressor_spends_the_difference_of_two_sizes():
    train, val = [b"in the beginning " * 40] * 9, [b"in the beginning God", b"created"]
    both = b"".join(d + b"\n" for d in train + val)
    alone = b"".join(d + b"\n" for d in train)
    expected = 8 * (len(bz2.compress(both, 9)) - len(bz2.compress(alone, 9)))
    assert compressors.conditional_bits("bzip2", train, val) == expected
    blocks = compressors.ppmd_bits(8, train, val, np.array([0, 1]))
    assert blocks.shape == (2,)
    assert 0 < blocks.sum() < 8 * sum(map(len, val))


def sides(**given):
    recipe = Recipe.load("quick", given)
    text = corpus.load(recipe.data, cache_folder())
    return text, split.split(text, recipe.data)


def text_of(settings):
    return {key: value for key, value in settings.items() if key.startswith("data.")}


def test_yardsticks_of_real_text_are_ordered_cached_and_named(verses, tmp_path):
    text, parts = sides(**{"data.corpus": "file", "data.path": str(verses)})
    told = []
    found = scoring.yardsticks(text, parts, tmp_path, scoring.QUICK, told.append)
    assert {one.name for one in found} == set(scoring.QUICK)
    assert [one.bits_per_byte for one in found] == sorted((one.bits_per_byte for one in found), reverse=True)
    assert all(one.low is None or one.low < one.bits_per_byte < one.high for one in found)
    again = []
    assert scoring.yardsticks(text, parts, tmp_path, scoring.QUICK, again.append) == found
    assert told
    assert not again
    with pytest.raises(DiagnoseError, match="there is no yardstick 'bzip'; did you mean 'bzip2'"):
        scoring.yardsticks(text, parts, cache_folder(), ["bzip"])


@pytest.mark.slow
def test_the_bible():
    """Figures of the log: a character 6-gram beats xz, and PPMd of order 8 lies near 1.34."""
    found = {one.name: one.bits_per_byte for one in scoring.yardsticks(*sides(), cache_folder())}
    assert found["PPMd of order 8"] == pytest.approx(1.34, abs=0.02)
    assert found["xz"] == pytest.approx(1.63, abs=0.03)
    assert found["bzip2"] == pytest.approx(1.82, abs=0.03)
    assert found["characters, order 5"] < found["xz"]


def test_the_first_users_loss_is_too_good_to_be_true():
    some = [scoring.Yardstick("PPMd of order 8", "compressor", 1.34, None, None, 1.0),
            scoring.Yardstick("xz", "compressor", 1.63, None, None, 1.0)]  # fmt: skip
    told = standing(0.21, some)
    assert told.implausible
    assert told.best.name == "PPMd of order 8"
    assert "split after cutting" in told.record()["checks"][0]
    assert not standing(1.2, some).implausible
    assert standing(0.1, []) is None
    between = standing(1.5, some)
    assert (between.above.name, between.below.name) == ("xz", "PPMd of order 8")
    assert not between.record()["checks"]
    assert Standing.of(between.record()) == between


def test_runs_scored_on_the_same_documents_stand_beside(tiny, tmp_path):
    """A run keeps its yardsticks; others find it by its documents, with its own interval, and pass damaged ones by."""
    runs = tmp_path / "runs"
    path = api.train("quick", tiny, runs=runs)
    kept, sampled = read_scale(path)
    assert not sampled
    assert [one.name for one in kept] == [
        one.name for one in scoring.yardsticks(*sides(**text_of(tiny)), cache_folder(), scoring.QUICK)
    ]
    (found,) = peers.runs_on(runs, *sides(**text_of(tiny)))
    assert (found.run, found.model, found.steps) == (str(path), "gpt", 12)
    assert found.bits_per_byte == pytest.approx(runner.summary(path)["val"]["bits_per_byte"])
    assert found.low < found.bits_per_byte < found.high
    assert peers.runs_on(runs, *sides(**text_of(tiny), **{"data.split": "tail"})) == []
    (path / "readings.parquet").write_bytes(b"spoilt")
    assert peers.runs_on(runs, *sides(**text_of(tiny))) == []
    assert peers.runs_on(tmp_path / "nothing", *sides(**text_of(tiny))) == []


def test_from_the_command_line(verses, diagnose):
    import json

    code, out, err = diagnose("yardstick", "--data", verses, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert list(found) == ["format", "bytes", "yardsticks", "runs", "published", "laws"]
    assert all(row["source"] and row["text"] for row in found["published"])
    assert {"xz", "words, 5-grams", "characters, order 6"} <= {row["name"] for row in found["yardsticks"]}
    _, seen, _ = diagnose("yardstick", "--data", verses)
    assert "PPMd of order 8" in seen
    assert [row["of"] for row in found["laws"]] == ["text", "parameters", "steps"]
    assert "What more would give" in seen
    code, _, err = diagnose("yardstick", "--data", "no-such-file.txt")
    assert code == 2
    assert "no-such-file" in err
