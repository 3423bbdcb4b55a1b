from types import SimpleNamespace

import numpy as np
import pytest

from diagnose.data import corpus, overlap, split

RNG = np.random.default_rng(0)


def words(n):
    return " ".join("".join(RNG.choice(list("abcdefgh"), 5)) for _ in range(n))


def load(tmp_path, texts):
    path = tmp_path / "t.txt"
    path.write_text("\n".join(texts), encoding="utf-8")
    data = SimpleNamespace(corpus="file", path=str(path), documents="line", split="documents")
    return corpus.load(data, tmp_path)


def slow(texts, train, documents):
    """Count with sets of the passages themselves."""

    def passages(text):
        raw = text.encode()
        return [raw[i : i + overlap.WINDOW] for i in range(len(raw) - overlap.WINDOW + 1)]

    whole = {texts[i] for i in train}
    seen = {passage for i in train for passage in passages(texts[i])}
    exact = [texts[i] in whole for i in documents]
    hits = [[passage in seen for passage in passages(texts[i])] for i in documents]
    held = [set(passages(texts[i])) for i in train]
    owns = [passages(texts[i]) for i in documents]
    most = [max((sum(passage in one for passage in own) for one in held), default=0) for own in owns]
    near = [not same and own and m >= len(own) / 2 for same, own, m in zip(exact, owns, most, strict=True)]
    every = [h for hit in hits for h in hit]
    return sum(exact), sum(map(bool, near)), sum(every) / max(1, len(every))


def mixed():
    """Documents of which some are copies, some near-copies, some short, some share a half."""
    texts = [words(int(RNG.integers(1, 30))) for _ in range(300)]
    for i in range(0, 100, 4):
        texts[200 + i] = texts[i]
        texts[201 + i] = texts[i + 1] + " and more"
        texts[202 + i] = texts[i + 2][: len(texts[i + 2]) // 2] + words(8) + "é漢"
    return texts


@pytest.mark.parametrize("chunk", [64, 1000, 1 << 20])
def test_counts_are_those_of_plain_sets(tmp_path, monkeypatch, chunk):
    texts = mixed()
    made = load(tmp_path, texts)
    order = RNG.permutation(300)
    train, documents = np.sort(order[:200]), np.sort(order[200:])
    monkeypatch.setattr(overlap, "BLOCK", chunk)
    monkeypatch.setattr(corpus.Corpus.parts, "__defaults__", (None, min(chunk, 100)))
    found = overlap.shared(made, train, documents)
    exact, near, share = slow(texts, train, documents)
    assert (found.val_documents, found.exact, found.near, found.sampled) == (100, exact, near, 1)
    assert found.window_share == pytest.approx(share, abs=1e-12)
    assert exact > 5
    assert near > 5


def test_phrases_of_many_documents_are_no_copy_of_one(tmp_path):
    """Sentences of a small grammar: every phrase is in training, and no document is a copy."""
    nouns, deeds, kinds = (
        ["garden", "mill", "river", "kettle"],
        ["sold", "counted", "mended"],
        ["late", "old", "broken"],
    )
    draw = np.random.default_rng(0)

    def sentence():
        who, what, other = draw.choice(nouns, 3)
        first, then = draw.choice(deeds, 2)
        return f"The {draw.choice(kinds)} {who} {first} the {what} before the {draw.choice(kinds)} {other} {then} it."

    texts = [" ".join(sentence() for _ in range(9)) for _ in range(400)]
    texts += [f"{text[:-40]} and nobody in the village ever spoke of it." for text in texts[:30]]
    made, train = load(tmp_path, texts), np.arange(360)
    counts = overlap.shared(made, train, np.arange(360, 430))
    assert counts.window_share > 0.5
    assert (counts.exact, counts.near) == (0, 30)
    found = overlap.seen(made, train, np.arange(360, 430))
    assert found.near.tolist() == [False] * 40 + [True] * 30
    assert found.unseen.tolist() == list(range(360, 400))


def test_of_very_many_candidates_a_part_speaks_for_the_others(tmp_path, monkeypatch):
    texts = mixed()
    made, train, documents = load(tmp_path, texts), np.arange(200), np.arange(200, 300)
    whole = overlap.seen(made, train, documents)
    monkeypatch.setattr(overlap, "CHECKED", 10)
    part = overlap.seen(made, train, documents)
    assert whole.near.sum() > 20
    assert abs(int(part.near.sum()) - int(whole.near.sum())) <= 0.2 * whole.near.sum()


def test_a_sample_of_passages_gives_about_the_same(tmp_path, monkeypatch):
    texts = [words(60) for _ in range(400)]
    for i in range(0, 200, 2):
        texts[200 + i] = texts[i][:260] + words(14)
    made = load(tmp_path, texts)
    train, documents = np.arange(200), np.arange(200, 400)
    _, near, share = slow(texts, train, documents)
    monkeypatch.setattr(overlap, "HASHES", 1 << 15)
    found = overlap.shared(made, train, documents)
    assert found.sampled == 8
    assert found.window_share == pytest.approx(share, abs=0.02)
    assert abs(found.near - near) <= 5


def test_of_much_text_some_documents_are_looked_up_and_all_compared_whole(tmp_path, monkeypatch):
    texts = [words(20) for _ in range(600)]
    for i in range(0, 300, 3):
        texts[300 + i] = texts[i]
        texts[301 + i] = texts[i] + " and a few more words"
    made = load(tmp_path, texts)
    monkeypatch.setattr(overlap, "LOOKED_UP", 9_000)
    found = overlap.shared(made, np.arange(300), np.arange(300, 600))
    assert (found.val_documents, found.exact, found.near) == (300, 100, 100)
    assert 40 < found.looked_up < 100
    monkeypatch.undo()
    assert overlap.shared(made, np.arange(300), np.arange(300, 600)).looked_up == 300


def test_documents_shorter_than_a_passage_are_only_compared_whole(tmp_path):
    made = load(tmp_path, ["short", "also short", "short", "other"])
    found = overlap.shared(made, np.array([0, 1]), np.array([2, 3]))
    assert (found.exact, found.near, found.window_share) == (1, 0, 0.0)


def test_nothing_to_look_up_or_to_look_in(tmp_path):
    made = load(tmp_path, [words(10), words(10)])
    none = np.zeros(0, np.int64)
    assert overlap.shared(made, none, np.array([0, 1])).exact == 0
    assert overlap.shared(made, np.array([0]), none).window_share == 0.0


def test_hashes_tell_bytes_and_their_order_apart():
    text = RNG.integers(0, 256, 20_000, np.uint8)
    hashes = overlap.window_hashes(text)
    assert len(hashes) == len(text) - overlap.WINDOW + 1
    assert len(np.unique(hashes)) == len(hashes)
    again = overlap.window_hashes(np.concatenate([text[500:700], text[500:700]]))
    assert again[: 200 - overlap.WINDOW + 1].tolist() == hashes[500 : 700 - overlap.WINDOW + 1].tolist()
    runs = np.zeros(4096, np.uint8)
    runs[np.arange(0, 4096, 37)] = 1
    distinct = {runs[i : i + overlap.WINDOW].tobytes() for i in range(len(runs) - overlap.WINDOW + 1)}
    assert len(np.unique(overlap.window_hashes(runs))) == len(distinct)
    assert len(overlap.window_hashes(text[:31])) == 0


def test_the_sample_is_chosen_evenly():
    hashes = overlap.window_hashes(RNG.integers(97, 123, 200_000, np.uint8))
    share = (hashes & np.uint64(15) == 0).mean()
    assert share == pytest.approx(1 / 16, rel=0.05)


def test_the_bible_repeats_itself_and_the_count_is_kept(tmp_path, monkeypatch):
    data = SimpleNamespace(
        corpus="akjv", split="documents", scored="val", val_fraction=0.1, reserve=0.01, duplicates=0.0, split_seed=0
    )
    made = corpus.load(data, tmp_path)
    parts = split.split(made, data)
    found = overlap.overlap(made, parts, tmp_path)
    assert (found.val_documents, found.exact) == (3110, 20)
    assert 0.05 < found.window_share < 0.1
    monkeypatch.setattr(overlap, "shared", None)
    assert overlap.overlap(made, parts, tmp_path) == found
    assert found.record()["near"] == found.near


def test_under_windows_the_reserve_is_looked_up_since_training_holds_all_of_validation(tmp_path):
    texts = [words(20) for _ in range(500)]
    texts[250:] = texts[:250]
    made = load(tmp_path, texts)
    data = SimpleNamespace(split="windows", scored="val", val_fraction=0.1, reserve=0.01, duplicates=0.0, split_seed=0)
    parts = split.split(made, data)
    found = overlap.overlap(made, parts, tmp_path)
    copies = sum(int((d + 250) % 500 in set(parts.train.tolist())) for d in parts.reserve)
    assert (found.val_documents, found.exact) == (len(parts.reserve), copies)
    assert 0 < copies < len(parts.reserve)
