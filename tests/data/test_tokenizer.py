import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from diagnose.data import corpus, split
from diagnose.data import tokenizer as tk
from diagnose.data.vocabulary import WORDS
from diagnose.errors import DiagnoseError

NASTY = [
    *(
        "",
        " ",
        "\n\n",
        "<s>",
        "<pad>",
        "<s>a</s>",
        "a<pad><s>",
        "<0x41>",
        "<0x0A><0xFF>",
        "ünï ćödé 漢字 🙂‍↔️",
    ),
    *(
        "a\tb\r\nc",
        "\u202eabc",
        "\x00\x01",
        "don't  stop—now",
        "ﬁ ﬃ Å Å",
        "x" * 5000,
        "<0x41>▁Ġ##",
        "\ufeffbom",
    ),
    *(
        "e\u0301",
        "\u0301",
        "\u200d",
        "Ā",
        " leading",
        "trailing ",
        "\x1c \x85\xa0",
        "".join(map(chr, range(32, 1200))),
    ),
]
TEXTS = [
    "In the beginning God created the heaven and the earth.",
    "And God said, Let there be light: and there was light.",
    *(f"{mark} {mark}{mark} in <0x41>{mark}<0x41> the ünï 漢字 {mark}" for mark in ("<s>", "<pad>", "</s>")),
] * 3
LEARNED = {kind: tk.learn(TEXTS, kind, size) for kind, size in (("char", 4096), ("word", 4096), ("bpe", 700))}
# What others read from our file, without the setting that keeps text from reading as a mark.
BARE = {kind: Tokenizer.from_str(tokenizer.to_str()) for kind, tokenizer in LEARNED.items()}
KINDS = sorted(LEARNED)


def back(tokenizer, text):
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    return ids, tokenizer.decode(ids, skip_special_tokens=False)


def check(kind, text):
    ids, again = back(LEARNED[kind], text)
    assert again == text
    assert min(ids, default=2) >= 2
    assert back(BARE[kind], text)[1] == text
    assert tk.token_bytes(LEARNED[kind])[ids].sum() == len(text.encode())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", NASTY)
def test_nasty_text_comes_back(kind, text):
    check(kind, text)


@pytest.mark.parametrize("kind", KINDS)
@given(st.text(max_size=200) | st.lists(st.sampled_from([*NASTY, "God", "the"])).map("".join))
@example("<s>")
def test_any_text_comes_back(kind, text):
    check(kind, text)


@pytest.mark.parametrize("kind", KINDS)
def test_every_code_point_comes_back(kind):
    points = [chr(i) for i in range(0x110000) if not 0xD800 <= i < 0xE000]
    blocks = ["".join(points[i : i + 4096]) for i in range(0, len(points), 4096)]
    encoded = LEARNED[kind].encode_batch_fast(blocks, add_special_tokens=False)
    assert LEARNED[kind].decode_batch([e.ids for e in encoded], skip_special_tokens=False) == blocks
    assert min(min(e.ids) for e in encoded) >= 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_code_point_comes_back_by_itself(kind):
    points = [chr(i) for i in range(0, 0x110000, 17) if not 0xD800 <= i < 0xE000]
    encoded = LEARNED[kind].encode_batch_fast(points, add_special_tokens=False)
    assert LEARNED[kind].decode_batch([e.ids for e in encoded], skip_special_tokens=False) == points


@given(
    st.lists(st.text(max_size=40), max_size=8),
    st.sampled_from(KINDS),
    st.integers(258, 300),
    st.text(max_size=40),
)
@settings(max_examples=60)
def test_what_was_learned_from_any_text_is_lossless(texts, kind, size, text):
    tokenizer = tk.learn(texts, kind, size)
    assert tk.vocabulary_size(tokenizer) <= size
    for each in [*texts, text]:
        ids, again = back(tokenizer, each)
        assert again == each
        assert min(ids, default=2) >= 2


@pytest.mark.parametrize("kind", KINDS)
def test_ids_run_from_marks_over_bytes_to_the_rest(kind):
    tokenizer = LEARNED[kind]
    assert tk.marks(tokenizer) == (0, 1)
    table = tk.token_bytes(tokenizer)
    assert table.dtype == np.int32
    assert table[:2].tolist() == [0, 0]
    assert table[2:258].tolist() == [1] * 256
    assert sorted(tokenizer.get_vocab().values()) == list(range(len(table)))


def test_characters_and_words_come_by_frequency_and_words_that_occur_once_are_spelled():
    tokenizer = tk.learn(["b b bb c once", "bb a twice", "twice"], "word", 4096)
    rest = [tokenizer.id_to_token(i) for i in range(258, tk.vocabulary_size(tokenizer))]
    characters = Counter("b b bb c oncebb a twicetwice")
    expected = {**characters, "bb": 2, "twice": 2}
    assert rest == sorted(expected, key=lambda token: (-expected[token], token))
    ids = tokenizer.encode("twice once").ids
    assert [tokenizer.id_to_token(i) for i in ids] == ["twice", " ", "o", "n", "c", "e"]
    assert tk.spelled(tokenizer, np.array(ids)).tolist() == [False, False, True, True, True, True]
    assert [tokenizer.id_to_token(i) for i in np.flatnonzero(tk.whole_words(tokenizer))] == ["bb", "twice"]


def test_letters_that_are_words_are_not_spelled_and_bytes_are():
    tokenizer = tk.learn(["a b, a b"], "word", 4096)
    tokens = np.array(tokenizer.encode("a, ba é").ids)
    assert tk.spelled(tokenizer, tokens).tolist() == [False, False, False, True, True, False, True, True]


def test_words_are_counted_as_they_are_encoded():
    texts = ["naïve x² a_b a_b don't don't", "e\u0301a e\u0301a \x1cz\x1cz 漢字漢字 漢字漢字", "x²  x²"]
    cut = pre_tokenizers.Split(Regex(WORDS), "isolated").pre_tokenize_str
    slow = Counter(word for text in texts for word, _ in cut(text))
    vocab = tk.learn(texts, "word", 4096).get_vocab()
    words = {token for token, i in vocab.items() if i >= 258 and len(token) > 1}
    assert words == {word for word, count in slow.items() if count > 1 and len(word) > 1}


@pytest.mark.parametrize("kind", ["char", "word"])
def test_a_corpus_counted_in_turns_gives_the_same_tokenizer(kind, monkeypatch):
    whole = tk.learn(TEXTS, kind, 400).to_str()
    monkeypatch.setattr(tk, "HELD", 50)
    monkeypatch.setattr(tk, "LETTERS", 50)
    assert tk.learn(iter(TEXTS), kind, 400).to_str() == whole


def divided(lines, folder):
    path = folder / "t.txt"
    path.write_text("\n".join(lines))
    data = SimpleNamespace(
        corpus="file", path=str(path), documents="line", split="documents", val_fraction=0.1, reserve=0.01,
        duplicates=0.0, split_seed=0, scored="val",
    )  # fmt: skip
    made = corpus.load(data, folder)
    return made, split.split(made, data)


@pytest.mark.parametrize(
    ("line", "sampled"),
    [
        (lambda k: f"{'of many words that come again ' * 3}{k % 50}", False),
        (lambda k: f"{k * 7919:09d} of many words that come again", True),
        (lambda k: "".join(chr(0x4E00 + (k * n * n + n) % 3000) for n in range(20)), True),  # without spaces
    ],
)
def test_merges_are_learned_from_less_where_most_pieces_are_new(line, sampled, tmp_path, monkeypatch):
    monkeypatch.setattr(tk, "PIECES", 15_000)
    monkeypatch.setattr(tk, "COUNTED", 30_000)
    made, parts = divided([line(k) for k in range(20_000)], tmp_path)
    kinds = {kind: SimpleNamespace(kind=kind, path="", vocab_size=300) for kind in KINDS}
    of = {kind: tk.learned_from(kinds[kind], made, parts, tmp_path / "cache") for kind in KINDS}
    assert of["char"] is of["word"] is None
    if not sampled:
        assert of["bpe"] is None
        return
    learned = []
    monkeypatch.setattr(tk, "learn", lambda texts, *_: learned.extend(texts) or LEARNED["word"])
    tk.for_run(kinds["bpe"], made, parts, tmp_path / "cache")
    different = {chunk for text in learned for chunk in text.split(" ")}
    assert 0.7 * tk.PIECES < sum(len(chunk.encode()) for chunk in different) < 1.3 * tk.PIECES
    assert sum(len(text.encode()) for text in learned) == pytest.approx(of["bpe"], rel=0.05)


def test_much_text_is_sampled_and_the_sample_is_named(tmp_path, monkeypatch):
    lines = [f"line{i % 7} of{i % 11} many {'x' * (i % 5)}" for i in range(3000)]
    made, parts = divided(lines, tmp_path)
    kinds = {kind: SimpleNamespace(kind=kind, path="", vocab_size=300) for kind in KINDS}
    whole = {kind: tk.for_run(kinds[kind], made, parts, tmp_path).to_str() for kind in KINDS}
    assert all(tk.learned_from(kinds[kind], made, parts, tmp_path) is None for kind in KINDS)
    monkeypatch.setattr(tk, "SAMPLED", 2000)
    assert {kind: tk.learned_from(kinds[kind], made, parts, tmp_path) for kind in KINDS} == {
        "char": None,
        "word": 2000,
        "bpe": 2000,
    }
    learned = []
    monkeypatch.setattr(tk, "learn", lambda texts, *_: learned.append(list(texts)) or LEARNED["word"])
    for kind in KINDS:
        tk.for_run(kinds[kind], made, parts, tmp_path)
    (bpe, word) = learned  # the one of characters is in the cache
    assert bpe == word
    assert 2000 <= sum(map(len, word)) <= 2100
    places = [lines.index(text) for text in word]
    assert len(set(places)) > 20
    assert json.loads(whole["char"]) == json.loads(tk.for_run(kinds["char"], made, parts, tmp_path).to_str())


LEARN = """
import sys
from diagnose.data import tokenizer as tk
texts = [f"{a}{b} {b}{a} x{a} " * 2 for a in "abcdefghij" for b in "klmnopqrst"]
print(*(tk.fingerprint(tk.learn(texts, kind, 400)) for kind in ("char", "word", "bpe")))
"""


def test_learning_is_the_same_in_every_process():
    """The texts are all ties; hashes of strings and threads differ between the processes."""
    prints = set()
    for seed, threads in (("1", "1"), ("2", "4"), ("3", "2")):
        env = os.environ | {"PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": threads}
        done = subprocess.run([sys.executable, "-c", LEARN], env=env, capture_output=True, text=True, check=True)
        prints.add(done.stdout)
        assert done.stderr == ""
    assert len(prints) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_vocabulary_has_a_floor_and_a_ceiling(kind):
    with pytest.raises(DiagnoseError, match=r"vocab_size = 257 is too small.* 258"):
        tk.learn(TEXTS, kind, 257)
    smallest = tk.learn(TEXTS, kind, 258)
    assert tk.vocabulary_size(smallest) == 258
    assert back(smallest, TEXTS[2])[1] == TEXTS[2]
    assert tk.vocabulary_size(tk.learn(TEXTS, kind, 270)) == 270
    assert tk.vocabulary_size(tk.learn([], kind, 9999)) == 258


def test_an_unknown_kind_is_told():
    with pytest.raises(DiagnoseError, match="did you mean 'char'"):
        tk.learn([], "chars", 300)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_gives_the_same_tokenizer(kind, tmp_path):
    tk.save(LEARNED[kind], tmp_path / "t.json")
    loaded = tk.load(tmp_path / "t.json")
    assert tk.fingerprint(loaded) == tk.fingerprint(LEARNED[kind])
    assert back(loaded, "<s>")[0] == back(LEARNED[kind], "<s>")[0]
    assert min(back(loaded, "<s><pad>")[0]) >= 2
    assert tk.fingerprint(LEARNED["char"]) != tk.fingerprint(LEARNED["word"])


def gpt2_like(vocab=400):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def llama_like():
    vocab = {"<unk>": 0, "<s>": 1, "</s>": 2} | {name: 3 + i for i, name in enumerate(tk.BYTES)}
    vocab |= {token: 300 + i for i, token in enumerate(["▁", *sorted(set("".join(TEXTS)) - {" "})])}
    model = models.BPE(vocab=vocab, merges=[], byte_fallback=True, unk_token="<unk>", fuse_unk=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    tokenizer.decoder = decoders.Sequence(steps)
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    return tokenizer


def write(tokenizer, path):
    tokenizer.save(str(path))
    return path


def test_a_ready_byte_level_tokenizer_gets_marks_and_exact_bytes(tmp_path):
    own = gpt2_like()
    tokenizer = tk.ready(write(own, tmp_path / "t.json"), TEXTS)
    assert tk.marks(tokenizer) == (own.get_vocab_size(), own.get_vocab_size() + 1)
    assert tk.counts_exactly(tokenizer)
    for text in NASTY:
        ids, again = back(tokenizer, text)
        assert again == text
        assert tk.token_bytes(tokenizer)[ids].sum() == len(text.encode())
        assert not set(ids) & set(tk.marks(tokenizer))


def test_a_ready_tokenizer_that_puts_a_space_in_front_has_bytes_but_for_that(tmp_path):
    tokenizer = tk.ready(write(llama_like(), tmp_path / "t.json"), TEXTS)
    assert tk.marks(tokenizer)[0] == 1
    assert not tk.counts_exactly(tokenizer)
    for text in ("In the beginning", "ünï 漢字", "\x01 <s>"):
        ids, again = back(tokenizer, text)
        assert again == text
        assert tk.token_bytes(tokenizer)[ids].sum() == len(text.encode()) + 1
        assert not set(ids) & set(tk.marks(tokenizer))


def test_settings_of_a_ready_tokenizer_that_would_cut_or_add_are_off(tmp_path):
    own = gpt2_like()
    own.enable_truncation(4)
    own.enable_padding(length=50)
    tokenizer = tk.ready(write(own, tmp_path / "t.json"), TEXTS)
    assert back(tokenizer, TEXTS[0])[1] == TEXTS[0]


def lossy(**parts):
    tokenizer = gpt2_like()
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    return tokenizer


def marked():
    """A tokenizer that takes "<s>" for its mark even where text says so."""
    own = Tokenizer(models.WordLevel({"<s>": 0, " ": 1, "[UNK]": 2, "a": 3, "b": 4}, unk_token="[UNK]"))
    own.pre_tokenizer = pre_tokenizers.Split(Regex("<s>|."), "isolated")
    own.decoder = decoders.Fuse()
    return own


@pytest.mark.parametrize(
    ("tokenizer", "text", "message"),
    [
        (
            lossy(normalizer=normalizers.Lowercase()),
            "In the",
            "not lossless: 'In the' comes back as 'in the'",
        ),
        (lossy(normalizer=normalizers.NFKC()), "a ﬁne day", "'a ﬁne day' comes back as 'a fine day'"),
        (lossy(decoder=decoders.WordPiece()), "In the", "not lossless"),
        (Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]")), "In the", r"comes back as '\[UNK\]'"),
        (lossy(pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=True)), "In", "comes back as ' In'"),
        (marked(), "a b", "takes the text '<s>' for a mark"),
    ],
)
def test_a_ready_tokenizer_that_loses_something_is_refused(tokenizer, text, message, tmp_path):
    with pytest.raises(DiagnoseError, match=message) as caught:
        tk.ready(write(tokenizer, tmp_path / "t.json"), [text])
    assert "\n" not in str(caught.value)


def test_what_is_no_tokenizer_is_told(tmp_path):
    with pytest.raises(DiagnoseError, match="cannot be read: No such file"):
        tk.load(tmp_path / "nowhere.json")
    for content in ("{}", "not json", json.dumps({"version": "1.0"})):
        (tmp_path / "t.json").write_text(content)
        with pytest.raises(DiagnoseError, match=r"is no tokenizer\.json"):
            tk.load(tmp_path / "t.json")


def test_a_recipes_tokenizer_is_learned_from_training_documents_once(tmp_path, monkeypatch):
    (tmp_path / "t.txt").write_text("\n".join(f"common word{i} word{i}" for i in range(50)))
    data = SimpleNamespace(
        corpus="file", path=str(tmp_path / "t.txt"), documents="line", split="documents", val_fraction=0.2,
        scored="val", reserve=0.01, duplicates=0.0, split_seed=0,
    )  # fmt: skip
    made = corpus.load(data, tmp_path)
    parts = split.split(made, data)
    wanted = SimpleNamespace(kind="word", path="", vocab_size=4096)
    tokenizer = tk.for_run(wanted, made, parts, tmp_path)
    seen = {f"word{i}" for i in parts.train}
    assert {token for token in tokenizer.get_vocab() if token.startswith("word")} == seen
    monkeypatch.setattr(tk, "learn", None)
    again = tk.for_run(wanted, made, parts, tmp_path)
    assert again.to_str() == tokenizer.to_str()
    own = SimpleNamespace(kind="char", path=str(write(tokenizer, tmp_path / "own.json")), vocab_size=1)
    assert tk.for_run(own, made, parts, tmp_path).to_str() == tokenizer.to_str()


def test_the_bible_in_tokens(tmp_path):
    """Figures that the README states; the same on every machine."""
    data = SimpleNamespace(
        corpus="akjv", split="documents", val_fraction=0.1, scored="val", reserve=0.01, duplicates=0.0, split_seed=0
    )
    made = corpus.load(data, Path(tmp_path))
    parts = split.split(made, data)
    texts = list(made.texts(parts.learned))
    assert tk.vocabulary_size(tk.learn(texts, "char", 4096)) == 324
    assert tk.vocabulary_size(tk.learn(texts, "word", 16_384)) == 8_768


BROKEN = {  # parts that the library panics on, or raises a bare Exception at: when read, when encoding, when decoding
    "a prefix longer than what is merged": {"model": {"continuing_subword_prefix": "ab" * 9}},
    "characters that were never compiled": {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},
    "chunks of no length": {"pre_tokenizer": {"type": "FixedLength", "length": 0}},
    "a strip longer than the token": {"decoder": {"type": "Strip", "content": "a", "start": 5, "stop": 99}},
    "no token for the unknown": {"model": {"type": "WordPiece", "vocab": {}, "unk_token": "u", "merges": None,
                                           "continuing_subword_prefix": "#", "max_input_chars_per_word": 9}},
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_the_library_panics_on_is_one_line(what, tmp_path):
    whole = json.loads(tk.learn(TEXTS, "bpe", 300).to_str())
    for part, value in BROKEN[what].items():
        whole[part] = whole[part] | value if part == "model" else value
    (tmp_path / "t.json").write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(DiagnoseError, match=r"t\.json is no tokenizer\.json: .") as error:
        tk.load(tmp_path / "t.json")
    assert "\n" not in str(error.value)


def test_a_text_that_a_tokenizers_expression_cannot_search_is_one_line(tmp_path):
    whole = json.loads(tk.learn(TEXTS, "bpe", 300).to_str())
    whole["pre_tokenizer"]["use_regex"] = False
    tries = {"type": "Split", "pattern": {"Regex": "(a|aa)+$"}, "behavior": "Isolated", "invert": False}
    whole["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [tries, whole["pre_tokenizer"]]}
    (tmp_path / "t.json").write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(DiagnoseError, match=r"t\.json cannot encode the text: .") as error:
        tk.ready(tmp_path / "t.json", ["a" * 1000 + "c"])
    assert "\n" not in str(error.value)
