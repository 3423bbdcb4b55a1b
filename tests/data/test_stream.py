import subprocess
import sys
from importlib.metadata import version
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tokenizer import LEARNED, NASTY, TEXTS, gpt2_like, llama_like
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from diagnose.data import corpus, encoding, stream
from diagnose.data import tokenizer as tk
from diagnose.errors import DiagnoseError

KINDS = sorted(LEARNED)


def documents(tmp_path, texts, kind="line"):
    path = tmp_path / "t.txt"
    path.write_text("\n".join(texts), encoding="utf-8", newline="")
    data = SimpleNamespace(corpus="file", path=str(path), documents=kind, split="documents")
    return corpus.load(data, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_documents_lie_between_start_marks(tmp_path, kind):
    lines = [text.replace("\n", "").replace("\r", "") for text in NASTY]
    made = documents(tmp_path, [line for line in lines if line.strip()])
    out = stream.tokenise(made, LEARNED[kind], tmp_path)
    assert (len(out), out.tokens.dtype, out.starts.dtype) == (len(made), np.int16, np.int64)
    for i in range(len(made)):
        tokens = out.tokens[out.starts[i] : out.starts[i + 1]].tolist()
        assert tokens[0] == 0
        assert tokens[1:] == LEARNED[kind].encode(made.text(i), add_special_tokens=False).ids
    assert out.tokens[out.starts[-1]] == 0
    assert len(out.tokens) == out.starts[-1] + 1
    assert (out.tokens == 0).sum() == len(made) + 1
    assert torch.from_numpy(out.tokens[:5]).tolist() == out.tokens[:5].tolist()


def encoded(encode, texts):
    data = [text.encode() for text in texts]
    tokens, lengths = encode(b"".join(data), np.array([len(part) for part in data], np.int64))
    assert (tokens.dtype, lengths.sum()) == (np.int32, len(tokens))
    return [part.tolist() for part in np.split(tokens, np.cumsum(lengths)[:-1])][: len(texts)]


ODD = "ab é\t\n\xa0\x85\u1680\u2003\u2014\u3000\x1c\x7f.,'s<>漢1\U0001f600"  # white space and its neighbours


@pytest.mark.parametrize("tokenizer", [*LEARNED.values(), gpt2_like(), llama_like()])
@given(st.lists(st.text(st.sampled_from(ODD)) | st.sampled_from(TEXTS), max_size=6))
@settings(max_examples=40)
def test_ids_are_the_librarys(tokenizer, texts):
    loaded = tk._with_marks(Tokenizer.from_str(tokenizer.to_str()))
    encode = encoding.encoder(loaded)
    expected = [loaded.encode(text, add_special_tokens=False).ids for text in texts]
    assert encoded(encode, texts) == expected
    assert encoded(encode, texts[::-1]) == expected[::-1]


def test_each_kind_has_its_quick_way():
    ways = {kind: type(encoding.encoder(LEARNED[kind])).__name__ for kind in KINDS}
    assert ways == {"bpe": "_Chunks", "char": "_Characters", "word": "_Chunks"}
    assert type(encoding.encoder(llama_like())).__name__ == "_Plain"


def test_text_is_cut_into_chunks_at_spaces_alone():
    texts = ["a b  c", " d", "e ", "", "“f “g \u2003h \xa0i 漢 j\xa0k", "l"]
    data = [text.encode() for text in texts]
    sizes = np.array([len(part) for part in data])
    joined = b"".join(data)
    begins = encoding.chunk_begins(np.frombuffer(joined, np.uint8), sizes).tolist()
    chunks = [joined[a:b].decode() for a, b in zip(begins, [*begins[1:], len(joined)], strict=True)]
    assert chunks == ["a", " b ", " c", " d", "e ", "“f", " “g \u2003h \xa0i", " 漢", " j\xa0k", "l"]


def test_what_is_remembered_is_forgotten_before_it_grows(monkeypatch):
    monkeypatch.setattr(encoding, "KEPT", 5_000)
    encode = encoding.encoder(LEARNED["bpe"])
    for first in range(0, 200, 10):
        text = " ".join(f"{i}" for i in range(first, first + 10))
        assert encoded(encode, [text]) == [LEARNED["bpe"].encode(text).ids]
        assert len(encode._known) < 50


def test_a_tokenizer_that_loses_text_within_a_group_is_asked_for_each_chunk():
    encode = encoding.encoder(LEARNED["word"])
    encode._bytes_of = np.zeros_like(encode._bytes_of)  # as if every token stood for nothing
    assert encoded(encode, ["a b c d"]) == [LEARNED["word"].encode("a b c d").ids]


def changed(**parts):
    tokenizer = gpt2_like()
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    return tokenizer


def test_only_tokenizers_that_part_at_spaces_are_remembered():
    assert all(encoding.parts_at_spaces(tokenizer) for tokenizer in [*LEARNED.values(), gpt2_like()])
    added = gpt2_like()
    added.add_tokens([AddedToken("the heaven")])
    others = [
        added,
        llama_like(),
        changed(pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=True)),
        changed(pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)),
        changed(normalizer=normalizers.NFC()),
        Tokenizer(models.Unigram()),
        Tokenizer(models.BPE(vocab={"a": 0, " ": 1, "a ": 2}, merges=[("a", " ")])),
    ]
    assert not any(encoding.parts_at_spaces(tokenizer) for tokenizer in others)


def test_long_documents_are_encoded_in_parts(tmp_path, monkeypatch):
    text = " ".join(TEXTS * 3)
    monkeypatch.setattr(corpus.Corpus.blocks, "__defaults__", (200,))
    made = documents(tmp_path, [text, "short", text])
    for kind in KINDS:
        out = stream.tokenise(made, LEARNED[kind], tmp_path)
        plain = LEARNED[kind].encode(text).ids
        assert out.tokens[1 : out.starts[1]].tolist() == plain
        assert out.starts.tolist() == [0, len(plain) + 1, out.starts[2], out.starts[2] + len(plain) + 1]


def test_large_vocabularies_take_four_bytes_a_token(tmp_path):
    vocab = {name: i for i, name in enumerate(["<s>", "<pad>", *tk.BYTES])}
    vocab |= {chr(0x4E00 + i): 258 + i for i in range(20_000)}
    vocab |= {chr(0xAC00 + i): 20_258 + i for i in range(11_000)}
    vocab |= {chr(0x20000 + i): 31_258 + i for i in range(2_000)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[], byte_fallback=True))
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.save(str(tmp_path / "t.json"))
    made = documents(tmp_path, [chr(0x20000 + 1_999), "a"])
    out = stream.tokenise(made, tk.load(tmp_path / "t.json"), tmp_path)
    assert out.tokens.tolist() == [0, 33_257, 0, 2 + ord("a"), 0]
    assert out.tokens.dtype == np.int32


def test_a_stream_is_kept_for_its_corpus_and_tokenizer(tmp_path, monkeypatch):
    made = documents(tmp_path, TEXTS)
    one = stream.tokenise(made, LEARNED["char"], tmp_path)
    two = stream.tokenise(made, LEARNED["word"], tmp_path)
    assert one.fingerprint != two.fingerprint
    monkeypatch.setattr(stream, "encoder", None)
    again = stream.tokenise(made, LEARNED["char"], tmp_path)
    assert again.tokens.tolist() == one.tokens.tolist()
    again.tokens[:] = 5  # copy on write
    assert stream.tokenise(made, LEARNED["char"], tmp_path).tokens.tolist() == one.tokens.tolist()


def test_a_document_that_a_tokenizer_loses_is_named(tmp_path):
    made = documents(tmp_path, ["fine", "Not fine"])
    with pytest.raises(DiagnoseError, match=r"t.txt:2.*'Not fine' comes back as 'not fine'"):
        stream.tokenise(made, tk._with_marks(changed(normalizer=normalizers.Replace("N", "n"))), tmp_path)
    made = documents(tmp_path, ["fine", "N fine"])
    with pytest.raises(DiagnoseError, match=r"t.txt:2.*comes back as"):
        stream.tokenise(made, tk._with_marks(changed(normalizer=normalizers.Replace("N", "nn"))), tmp_path)
    unlike = llama_like()
    made = documents(tmp_path, ["fine", "a▁b"])
    with pytest.raises(DiagnoseError, match=r"t.txt:2.*'a▁b' comes back as 'a b'"):
        stream.tokenise(made, tk._with_marks(unlike), tmp_path)
    assert list((tmp_path / "streams").iterdir()) == []


ENCODES = """
import os, subprocess, sys
from pathlib import Path
from types import SimpleNamespace
from diagnose.data import corpus, stream, tokenizer
data = SimpleNamespace(corpus="file", path=sys.argv[1], documents="line", split="documents")
made = corpus.load(data, Path(sys.argv[2]))
stream.tokenise(made, tokenizer.learn(made.texts(), "bpe", 300), Path(sys.argv[2]))
"""
FORKS = """
subprocess.run([sys.executable, "-c", ""], check=True)
if os.fork() == 0:
    os._exit(0)
os.wait()
"""


@pytest.mark.skipif(
    version("tokenizers") < "0.22.2", reason="older ones of tokenizers warn of a fork, which is harmless"
)
def test_nothing_is_said_of_forks(tmp_path):  # by the library: Python's own word of one is not looked at
    assert encoded_by_another_process(tmp_path, FORKS).stderr == ""


def test_arrow_does_not_import_pandas_where_text_is_encoded(tmp_path):  # 45 MB, and some tenths of a second
    assert encoded_by_another_process(tmp_path, "print('pandas' in sys.modules)").stdout == "False\n"


def encoded_by_another_process(folder, then):
    (folder / "t.txt").write_text("\n".join(TEXTS * 100))
    command = [sys.executable, "-Wignore::DeprecationWarning", "-c", ENCODES + then, folder / "t.txt", folder]
    return subprocess.run(command, capture_output=True, text=True, check=True)
