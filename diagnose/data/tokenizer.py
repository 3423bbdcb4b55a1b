r"""Tokenizers: characters, words and BPE, every one of them lossless for any Unicode text.

All are Hugging Face `tokenizers`. Characters and words are BPE models without merges over a vocabulary that
holds the 256 bytes: a known word is taken whole, an unknown one is spelled in characters, and an unknown
character in bytes. BPE itself is GPT-2's, over bytes (Radford et al. 2019). V is the size of a vocabulary.

Two marks are never the outcome of encoding text, not even of text that reads "<s>". That is a setting of the
library (`encode_special_tokens`) which its files do not keep, so tokenizers are read by `load` alone.
"""

from __future__ import annotations

import math
from collections import Counter
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from diagnose.data.cache import digest, entry
from diagnose.data.vocabulary import (
    BYTES,
    PAD,
    START,
    WORDS,
    counts_exactly,
    marks,
    spelled,
    token_bytes,
    vocabulary_size,
    whole_words,
)
from diagnose.errors import DiagnoseError, library_errors, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from diagnose.data.corpus import Corpus
    from diagnose.data.split import Split

__all__ = [
    "KINDS",
    "PAD",
    "SMALLEST",
    "START",
    "check_lossless",
    "counts_exactly",
    "fingerprint",
    "for_run",
    "learn",
    "learned_from",
    "load",
    "marks",
    "ready",
    "save",
    "spelled",
    "token_bytes",
    "vocabulary_size",
    "whole_words",
]

FORMAT = 1  # of what `learn` makes; part of its key in the cache
KINDS = ("char", "word", "bpe")
SMALLEST = len((START, PAD, *BYTES))
HELD = 1 << 24  # characters whose words are counted at a time
LETTERS = 1 << 20  # characters counted at a time
CODES = 0x110000
SAMPLED = 1 << 26  # bytes of text that words and merges are learned from where there is more
PIECES = 1 << 20  # bytes of different pieces that merges are learned from: the library takes some 170 times the memory
COUNTED = 1 << 22  # bytes of text in which different pieces are counted to foretell how many more text holds
SAMPLE = 1000  # documents that a ready tokenizer is tried on before any is encoded
TRIED = (
    "In the 1st \u00fcber-caf\u00e9: <s> \u65e5\u672c \U0001f642\n\t"  # encoded with each that is read, to see it works
)


class TokenizerSettings(Protocol):
    """The recipe's table `[tokenizer]`."""

    @property
    def kind(self) -> str:
        """One of `KINDS`."""

    @property
    def path(self) -> str:
        """A ready tokenizer.json; empty where one is learned."""

    @property
    def vocab_size(self) -> int:
        """The most tokens, bytes and marks included."""


def for_run(settings: TokenizerSettings, corpus: Corpus, split: Split, cache: Path) -> Tokenizer:
    """Return a recipe's tokenizer: the ready one, or one learned from the training documents, then cached.

    Raises:
        DiagnoseError: as `ready` and `learn` do.
    """
    if settings.path:
        spread = split.learned[:: max(1, len(split.learned) // SAMPLE)]
        texts = (part.decode() for part, _, opens in corpus.parts(spread[:SAMPLE]) if opens)
        return ready(Path(settings.path), texts)
    sample = learned_from(settings, corpus, split, cache)
    made_of = (
        tokenizers.__version__,
        corpus.fingerprint,
        split.fingerprint,
        settings.kind,
        settings.vocab_size,
        *((sample,) if sample else ()),
    )

    def write(folder: Path) -> None:
        parts = (part for part, _, _ in corpus.parts(split.learned))
        chosen = _spread(parts, sample / _size(corpus, split)) if sample else parts
        tokenizer = learn((part.decode() for part in chosen), settings.kind, settings.vocab_size)
        save(tokenizer, folder / "tokenizer.json")

    return load(entry(cache, "tokenizers", digest(FORMAT, *made_of), write) / "tokenizer.json")


def learned_from(settings: TokenizerSettings, corpus: Corpus, split: Split, cache: Path) -> int | None:
    """Return how many bytes of text, about, a vocabulary is learned from; None where that is all of it, or none.

    Characters are counted in all of the text, however much there is. Words and merges are learned from a sample of a
    large one; merges from a smaller one where most pieces of it are new, as in scripts without spaces.
    """
    if settings.path or settings.kind == "char":
        return None
    size = most = _size(corpus, split)
    if settings.kind == "bpe" and size > PIECES:
        key = digest(corpus.fingerprint, split.fingerprint, PIECES, COUNTED)

        def write(folder: Path) -> None:
            (folder / "bytes.json").write_text(str(_affordable(corpus, split)), encoding="utf-8")

        most = int((entry(cache, "samples", key, write) / "bytes.json").read_text(encoding="utf-8"))
    most = min(most, SAMPLED)
    return most if most < size else None


def _affordable(corpus: Corpus, split: Split) -> int:
    """Return how many bytes of a text hold `PIECES` bytes of different pieces, about.

    Different pieces grow as a power of the text (Heaps 1978), which is found from a sample and a quarter of it.
    """
    size = _size(corpus, split)
    every = max(1, size // (4 * COUNTED))  # documents: of many, most need not be looked at
    some = split.learned[::every]
    parts = (part for part, _, _ in corpus.parts(some))
    samples = [set[str](), set[str]()]
    sizes = [0, 0]
    for number, part in enumerate(_spread(parts, COUNTED / max(COUNTED, corpus.size(some)))):
        chunks = part.decode().split(" ")
        for k in (0, 1) if number % 4 == 0 else (1,):
            samples[k].update(chunks)
            sizes[k] += len(part)
    cut = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str
    few, many = (sum(map(len, {piece for chunk in chunks for piece, _ in cut(chunk)})) for chunks in samples)
    power = 1.0
    if few < many and sizes[0] < sizes[1]:
        power = min(1.0, math.log(many / few) / math.log(sizes[1] / sizes[0]))
    return round(min(float(size), sizes[1] * (PIECES / many) ** (1 / power))) if many else size


def _size(corpus: Corpus, split: Split) -> int:
    return corpus.size(split.learned)


def _spread(parts: Iterable[bytes], share: float) -> Iterator[bytes]:
    """Yield such a share of the bytes, in whole parts that are spread evenly over the text."""
    taken = passed = 0
    for part in parts:
        passed += len(part)
        if taken < share * passed:
            taken += len(part)
            yield part


def learn(texts: Iterable[str], kind: str, vocab_size: int) -> Tokenizer:
    """Learn a tokenizer; the same texts give the same file, byte for byte.

    Ids run from the marks over the 256 bytes to the rest; characters and words by falling frequency, merges
    in the order they were learned. Words that occur once get no token, so that those of the characters they
    are spelled in are trained.

    Args:
        texts: read once, in bounded memory (the words that occur are held).
        kind: one of `KINDS`.
        vocab_size: a ceiling.

    Raises:
        DiagnoseError: an unknown kind, or too few tokens for the bytes and the marks.
    """
    if kind not in KINDS:
        raise DiagnoseError(f"tokenizer.kind = {kind!r} is unknown{nearest(kind, KINDS)}")
    if vocab_size < SMALLEST:
        raise DiagnoseError(
            f"tokenizer.vocab_size = {vocab_size} is too small: the bytes and the marks alone are {SMALLEST}"
        )
    if kind == "bpe":
        return _learn_bpe(texts, vocab_size)
    counts = _characters(texts) if kind == "char" else _words(_chunk_counts(texts))
    ranked = sorted(counts, key=lambda token: (-counts[token], token))
    return _spelling(ranked[: vocab_size - SMALLEST], whole_words=kind == "word")


def _spelling(tokens: list[str], *, whole_words: bool) -> Tokenizer:
    """Return a tokenizer of these tokens and bytes, without merges.

    Characters need no pre-tokenizer: without merges each is looked up by itself. Whole look-ups stay off for
    them, or the text "<0x41>" would be the token of that name, a byte.
    """
    vocab = {token: i for i, token in enumerate([START, PAD, *BYTES, *tokens])}
    model = models.BPE(vocab=vocab, merges=[], ignore_merges=whole_words, byte_fallback=True)
    tokenizer = Tokenizer(model)
    if whole_words:
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(WORDS), "isolated")
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    return _with_marks(tokenizer)


def _learn_bpe(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=[START, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(iter(texts), trainer)
    return _with_marks(tokenizer)


def _chunk_counts(texts: Iterable[str]) -> Iterator[Counter[str]]:
    """Count what stands between spaces, and the spaces; in turns, lest texts without spaces fill memory.

    A space is a token of its own for characters and for words, so that nothing is lost by cutting at it; and
    that distinct chunks are few is what makes counting quick.
    """
    counts: Counter[str] = Counter()
    characters = 0
    for text in texts:
        chunks = text.split(" ")
        counts.update(chunks)
        counts[" "] += len(chunks) - 1
        characters += len(text)
        if characters > HELD:
            yield counts
            counts, characters = Counter(), 0
    yield counts


def _characters(texts: Iterable[str]) -> dict[str, int]:
    """Count characters, a mebibyte or a text of them at a time."""
    totals = np.zeros(CODES, np.int64)
    for text in _joined(texts):
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        totals += np.bincount(codes, minlength=CODES)
    present = np.flatnonzero(totals)
    return dict(zip(map(chr, present.tolist()), totals[present].tolist(), strict=True))


def _joined(texts: Iterable[str]) -> Iterator[str]:
    parts: list[str] = []
    size = 0
    for text in texts:
        parts.append(text)
        size += len(text)
        if size > LETTERS:
            yield "".join(parts)
            parts, size = [], 0
    yield "".join(parts)


def _words(chunks: Iterable[Counter[str]]) -> Counter[str]:
    """Count words that occur twice or more, and all characters (in whatever words they are)."""
    cut = pre_tokenizers.Split(Regex(WORDS), "isolated").pre_tokenize_str
    words: Counter[str] = Counter()
    for counts in chunks:
        for chunk, count in counts.items():
            for word, _ in cut(chunk):
                words[word] += count
    characters: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            characters[character] += count
    return +characters | Counter({word: count for word, count in words.items() if count > 1 and len(word) > 1})


def _with_marks(tokenizer: Tokenizer) -> Tokenizer:
    """Add the marks where they are missing, and see to it that text is never encoded as one."""
    tokenizer.add_special_tokens([AddedToken(mark, normalized=False, special=True) for mark in (START, PAD)])
    tokenizer.encode_special_tokens = True
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def load(path: Path) -> Tokenizer:
    """Read a tokenizer.json, marks added where they are missing, and see that it encodes and decodes.

    Raises:
        DiagnoseError: it cannot be read or is no tokenizer.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DiagnoseError(f"the tokenizer {path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise DiagnoseError(f"{path} is no tokenizer.json: {error}") from None
    with library_errors(f"{path} is no tokenizer.json"):
        tokenizer = _with_marks(Tokenizer.from_str(text))
        ids = tokenizer.encode(TRIED, add_special_tokens=False).ids
        tokenizer.decode(ids, skip_special_tokens=False)
        for i in range(len(BYTES)):
            tokenizer.decode([i], skip_special_tokens=False)
    return tokenizer


def save(tokenizer: Tokenizer, path: Path) -> None:
    """Write a tokenizer.json."""
    path.write_text(tokenizer.to_str(pretty=True), encoding="utf-8")


def ready(path: Path, texts: Iterable[str]) -> Tokenizer:
    """Read a user's own tokenizer.json and try it on some documents.

    Raises:
        DiagnoseError: it cannot be read, it does not give the documents back as they were, or text can read
            as a mark.
    """
    tokenizer = load(path.expanduser())
    with library_errors(f"the tokenizer {path} cannot encode the text"):
        for text in islice(texts, SAMPLE):
            check_lossless(tokenizer, text, str(path))
        own_marks = set(marks(tokenizer))
        for mark in (START, PAD):
            tries = (mark, f"a{mark}b", f"a {mark} b")
            if any(own_marks & set(tokenizer.encode(text, add_special_tokens=False).ids) for text in tries):
                raise DiagnoseError(f"{path} takes the text {mark!r} for a mark; rename that token of its vocabulary")
    return tokenizer


def check_lossless(tokenizer: Tokenizer, text: str, name: str) -> None:
    """Raise where a text does not come back as it was, and show where it differs first.

    Raises:
        DiagnoseError: the tokenizer loses something.
    """
    back = tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids, skip_special_tokens=False)
    if back != text:
        same = next((i for i, (a, b) in enumerate(zip(text, back, strict=False)) if a != b), min(len(text), len(back)))
        part = slice(max(0, same - 12), same + 12)
        raise DiagnoseError(
            f"the tokenizer {name} is not lossless: {text[part]!r} comes back as {back[part]!r}; bits per "
            "byte need one that keeps every byte (no lowercasing, no unknown token)"
        )


def fingerprint(tokenizer: Tokenizer) -> str:
    """Return 16 hex digits that stand for everything that a tokenizer does."""
    return blake2b(tokenizer.to_str().encode(), digest_size=8).hexdigest()
