"""Texts to token ids, each text's as `tokenizer.encode` gives them, only sooner.

Characters are looked up in a table, all of a block at once. For tokenizers that never let a token reach across the
place before a space that no white space follows (ours for words, and GPT-2's), texts are cut at such places, and the
library encodes each distinct chunk once: most text repeats.

Legend: P texts, L bytes of all of them, C chunks, T tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from diagnose.data.vocabulary import BYTES, WORDS, counts_exactly, token_bytes
from diagnose.errors import library_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Sized

    import pyarrow as pa
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

KEPT = 1 << 25  # bytes of memory, about, for chunks and their tokens
OVERHEAD = 200  # bytes that a chunk takes beside its characters and tokens
TOGETHER = 1 << 10  # new chunks that are encoded as one text
AT_ONCE = 16  # of these texts: the library holds some hundred bytes a token of all that it is given
CODES = 0x110000
SPACE = 0x20
WHITE = np.array([0xC285, 0xC2A0])  # white space beyond ASCII, as UTF-8 of two bytes and of three
WHITER = np.array([0xE19A80, *range(0xE28080, 0xE2808B), 0xE280A8, 0xE280A9, 0xE280AF, 0xE2819F, 0xE38080])
FOLLOWS = re.compile(rb" [!-~]")  # begins a chunk that is encoded in another text as by itself


class Encoded(NamedTuple):
    """The tokens of texts, end to end, int32 (T,), and how many each text has, int64 (P,)."""

    tokens: NDArray[np.int32]
    lengths: NDArray[np.int64]


Encode = Callable[[bytes, "NDArray[np.int64]"], Encoded]  # of P texts as UTF-8, end to end, and the bytes of each


def encoder(tokenizer: Tokenizer) -> Encode:
    """Return the quickest function that encodes a list of texts exactly as `tokenizer.encode` would."""
    if not (parts_at_spaces(tokenizer) and counts_exactly(tokenizer)):
        return _Plain(tokenizer)
    return _Characters(tokenizer) if _is_a_table(tokenizer) else _Chunks(tokenizer)


def parts_at_spaces(tokenizer: Tokenizer) -> bool:
    """Whether no token of any text reaches across the place before a space that no white space follows."""
    spec = json.loads(tokenizer.to_str())
    before, model = spec["pre_tokenizer"], spec["model"]
    if spec["normalizer"] or any(not token["special"] for token in spec["added_tokens"]) or model["type"] != "BPE":
        return False
    if any(model.get(key) for key in ("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")):
        return False
    if before is None:
        return not model["merges"] and not model.get("ignore_merges")
    if before["type"] == "Split":
        return before["pattern"] == {"Regex": WORDS} and before["behavior"] == "Isolated" and not before["invert"]
    return bool(before["type"] == "ByteLevel" and before["use_regex"] and not before["add_prefix_space"])


def _is_a_table(tokenizer: Tokenizer) -> bool:
    """Whether a tokenizer that parts at spaces looks up each character by itself and spells others in bytes."""
    vocab = tokenizer.get_vocab(with_added_tokens=False)
    return tokenizer.pre_tokenizer is None and tokenizer.model.byte_fallback and all(name in vocab for name in BYTES)


class _Plain:
    """Any tokenizer: the library, a text at a time."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def __call__(self, data: bytes, sizes: NDArray[np.int64]) -> Encoded:
        ids = _ids(self._tokenizer, divided(data, sizes))
        return Encoded(np.concatenate([np.zeros(0, np.int32), *ids]), _lengths(ids))


class _Characters:
    """A table of a token for each character; those without one are spelled in bytes."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        vocab = tokenizer.get_vocab(with_added_tokens=False)
        self._of_byte = np.array([vocab[name] for name in BYTES], np.int32)
        self._of_code = np.full(CODES, -1, np.int32)
        for token, i in vocab.items():
            if len(token) == 1:
                self._of_code[ord(token)] = i
        self._of_ascii = np.where(self._of_code[:128] < 0, self._of_byte[:128], self._of_code[:128])

    def __call__(self, data: bytes, sizes: NDArray[np.int64]) -> Encoded:
        bytes_L = np.frombuffer(data, np.uint8)
        if data.isascii():
            return Encoded(self._of_ascii[bytes_L], sizes)
        first = np.flatnonzero((bytes_L & 0xC0) != 0x80)  # bytes that begin a character
        tokens = self._of_code[np.frombuffer(data.decode().encode("utf-32-le"), np.uint32)]
        known = tokens >= 0
        tokens_L, kept_L = self._of_byte[bytes_L], np.repeat(~known, np.diff(first, append=len(bytes_L)))
        tokens_L[first[known]] = tokens[known]
        kept_L[first] = True
        return Encoded(tokens_L[kept_L], sums(kept_L, sizes))


class _Chunks:
    """Chunks of text, each from a space on, and the tokens that they became."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._bytes_of = token_bytes(tokenizer)
        self._lock = Lock()  # threads share what is known
        self._known: dict[bytes, bytes] = {}  # tokens as bytes, which the garbage collector need not visit
        self._held = 0

    def __call__(self, data: bytes, sizes: NDArray[np.int64]) -> Encoded:
        from pyarrow import compute, system_memory_pool

        pool = system_memory_pool()  # arrow's own keeps some 20 MB of what was freed
        begins_C = chunk_begins(np.frombuffer(data, np.uint8), sizes)
        distinct = compute.dictionary_encode(_binary(data, np.diff(begins_C, append=len(data))), memory_pool=pool)
        with self._lock:
            known = self._look_up(distinct.dictionary.to_pylist())
        tokens = compute.take(_binary(b"".join(known), _lengths(known)), distinct.indices, memory_pool=pool)
        _, places, ids = tokens.buffers()
        lengths_C = np.diff(np.frombuffer(places, np.int32)[: len(tokens) + 1]) // 4
        of_text = np.diff(np.searchsorted(begins_C, np.append(0, np.cumsum(sizes))))
        return Encoded(np.frombuffer(ids or b"", np.int32)[: lengths_C.sum()], sums(lengths_C, of_text))

    def _look_up(self, chunks: list[bytes]) -> list[bytes]:
        if self._held > KEPT:
            self._known.clear()
            self._held = 0
        ids = list(map(self._known.get, chunks))
        new = [chunk for chunk, tokens in zip(chunks, ids, strict=True) if tokens is None]
        self._encode(new)
        self._held += sum(len(chunk) + len(self._known[chunk]) + OVERHEAD for chunk in new)
        return [self._known[chunk] if tokens is None else tokens for chunk, tokens in zip(chunks, ids, strict=True)]

    def _encode(self, new: list[bytes]) -> None:
        """Encode chunks, those that may follow each other as one text, which is sooner."""
        following = [chunk for chunk in new if FOLLOWS.match(chunk)]
        groups = [following[first : first + TOGETHER] for first in range(0, len(following), TOGETHER)]
        groups += [[chunk] for chunk in new if not FOLLOWS.match(chunk)]
        for first in range(0, len(groups), AT_ONCE):
            some = groups[first : first + AT_ONCE]
            for group, ids in zip(some, _ids(self._tokenizer, map(b"".join, some)), strict=True):
                self._known.update(zip(group, self._divided(group, ids), strict=True))

    def _divided(self, group: Sequence[bytes], ids: NDArray[np.int32]) -> list[bytes]:
        """Return the tokens of each chunk of a text; by itself where the text's tokens lose part of it."""
        if len(group) == 1:
            return [ids.tobytes()]
        ends, token_ends = np.cumsum(_lengths(group)), np.cumsum(self._bytes_of[ids])
        places = np.searchsorted(token_ends, ends, "right")
        if not np.array_equal(token_ends[places - 1], ends):
            return [part.tobytes() for part in _ids(self._tokenizer, group)]
        return divided(ids.tobytes(), 4 * np.diff(places, prepend=0))


def chunk_begins(bytes_L: NDArray[np.uint8], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where chunks begin, (C,): with each text of so many bytes, and at spaces that no white space follows."""
    space = np.flatnonzero(bytes_L[:-1] == SPACE)
    after = bytes_L[space + 1]
    cut = after > SPACE
    wide = np.flatnonzero(after >= 0xC2)
    if len(wide):
        cut[wide] = ~_is_white(bytes_L, space[wide] + 1)
    begins = np.cumsum(sizes) - sizes
    is_begin = np.zeros(len(bytes_L) + 1, bool)
    is_begin[begins] = True
    is_begin[space[cut & ~is_begin[space + 1]]] = True
    return np.flatnonzero(is_begin[:-1])


def _is_white(bytes_L: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether a character that begins at a place, and is beyond ASCII, is white space."""
    last = len(bytes_L) - 1
    first, second, third = (bytes_L[np.minimum(places + i, last)].astype(np.int64) for i in range(3))
    two = (first << 8) + second
    return np.isin(two, WHITE) | np.isin((two << 8) + third, WHITER)


def _ids(tokenizer: Tokenizer, texts: Iterable[bytes]) -> list[NDArray[np.int32]]:
    with library_errors("the tokenizer cannot encode the text"):
        encodings = tokenizer.encode_batch_fast([text.decode() for text in texts], add_special_tokens=False)
    return [np.array(encoding.ids, np.int32) for encoding in encodings]


def _binary(data: bytes, sizes: NDArray[np.int64]) -> pa.BinaryArray:
    """Return the parts of so many bytes as arrow holds them; `pa.array`, given a list, would import pandas (45 MB)."""
    import pyarrow as pa

    ends = np.append(0, np.cumsum(sizes)).astype(np.int32)
    return pa.Array.from_buffers(pa.binary(), len(sizes), [None, pa.py_buffer(ends), pa.py_buffer(data)])


def divided(data: bytes, sizes: NDArray[np.int64]) -> list[bytes]:
    """Return the parts of so many bytes, one after another."""
    ends = np.cumsum(sizes)
    return [data[a:b] for a, b in zip((ends - sizes).tolist(), ends.tolist(), strict=True)]


def _lengths(parts: Sequence[Sized]) -> NDArray[np.int64]:
    return np.fromiter(map(len, parts), np.int64, len(parts))


def sums(values: NDArray[np.generic], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sums of values of which each text has so many, one text after another."""
    out, some = np.zeros(len(counts), np.int64), np.flatnonzero(counts)
    if len(some):
        out[some] = np.add.reduceat(values, (np.cumsum(counts) - counts)[some], dtype=np.int64)
    return out
