"""The token stream: all documents of a corpus, encoded once into a file that is mapped into memory.

Legend: N documents, V vocabulary. Document i is `tokens[starts[i]:starts[i + 1]]`, its opening START first;
    the
token at `starts[N]` closes the last one.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.data import tokenizer as tk
from diagnose.data.cache import digest, entry
from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from diagnose.data.corpus import Corpus

FORMAT = 1  # of a stream in the cache; part of its key
BATCH = 1 << 21  # characters encoded at a time
KEPT = 1 << 26  # bytes of memory, about, for the tokens of each kind of chunk
OVERHEAD = 160  # bytes that a chunk takes beside its characters
SMALL = 32_767  # the largest vocabulary whose ids fit int16

Part = tuple[bytes, int, bool]  # of a document: its UTF-8, the document, whether it opens it
Encode = Callable[[list[str]], list[bytes]]  # texts to their ids, int32
SPACE = re.compile(r" (?=\S)")  # chunks are cut here
UNEVEN = re.compile(r" (?!\S)")  # a space elsewhere: such a text takes longer to cut


@dataclass(frozen=True, eq=False)
class Stream:
    """The documents of a corpus as tokens.

    Attributes:
        tokens: 1-D, mapped from a file (copy on write: nothing reaches the file); int16 where V <= 32,767,
            else int32.
        starts: int64 (N + 1,), the places of the START tokens.
        fingerprint: 16 hex digits that stand for the corpus and the tokenizer.
    """

    tokens: NDArray[np.int16] | NDArray[np.int32]
    starts: NDArray[np.int64]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.starts) - 1


def tokenise(corpus: Corpus, tokenizer: Tokenizer, cache: Path) -> Stream:
    """Return the stream of a corpus, from the cache where it was encoded before.

    Every document is checked while it is written: its tokens' bytes sum to its own, or, for a user's
    tokenizer of a kind that could lose text and keep its length, decoding gives back the text.

    Raises:
        DiagnoseError: the tokenizer loses something, or the cache cannot be written.
    """
    key = digest("stream", FORMAT, corpus.fingerprint, tk.fingerprint(tokenizer))
    dtype = np.int16 if tk.vocabulary_size(tokenizer) <= SMALL else np.int32
    folder = entry(cache, "streams", key, lambda folder: _write(folder, corpus, tokenizer, dtype))
    return Stream(_mapped(folder / "tokens.bin", dtype), _mapped(folder / "starts.bin", np.int64), key)


def _mapped(path: Path, dtype: type[np.generic]) -> NDArray[Any]:
    """Map a file, copy on write, for torch warns of arrays that cannot be written."""
    try:
        return np.memmap(path, dtype, "c")
    except OSError:  # more than the system will promise to copy
        return np.memmap(path, dtype, "r")


def _write(folder: Path, corpus: Corpus, tokenizer: Tokenizer, dtype: type[np.int16 | np.int32]) -> None:
    encode, start, place = encoder(tokenizer), tk.marks(tokenizer)[0], 0
    table = tk.token_bytes(tokenizer) if _known(tokenizer) else None
    with (folder / "tokens.bin").open("wb") as tokens_file, (folder / "starts.bin").open("wb") as starts_file:
        for parts in _batches(corpus.parts()):
            encoded = encode([data.decode() for data, _, _ in parts])
            opens = np.array([opens for _, _, opens in parts])
            tokens, begins = _join(encoded, opens, start, dtype)
            _check(corpus, parts, encoded, tokenizer, _sums(tokens, begins, table))
            tokens_file.write(tokens.data)
            starts_file.write((begins[opens] + place).data)
            place += len(tokens)
        tokens_file.write(np.array([start], dtype).data)
        starts_file.write(np.array([place], np.int64).data)


def _known(tokenizer: Tokenizer) -> bool:
    """Whether a tokenizer can lose text only together with its bytes: it changes no text before cutting it."""
    return tk.counts_exactly(tokenizer) and parts_at_spaces(tokenizer)


def _join(
    encoded: list[bytes], opens: NDArray[np.bool_], start: int, dtype: type[np.int16 | np.int32]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the tokens of parts in a row, START before each document, and where each part begins."""
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded)) // 4 + opens
    begins = np.cumsum(lengths) - lengths
    tokens = np.empty(int(lengths.sum()), dtype)
    of_text = np.ones(len(tokens), bool)
    of_text[begins[opens]] = False
    tokens[begins[opens]] = start
    tokens[of_text] = np.frombuffer(b"".join(encoded), np.int32)
    return tokens, begins


def _sums(tokens: NDArray[Any], begins: NDArray[np.int64], table: NDArray[np.int32] | None) -> NDArray[np.int64] | None:
    return None if table is None else np.add.reduceat(table[tokens].astype(np.int64), begins)


def _check(
    corpus: Corpus,
    parts: list[Part],
    encoded: list[bytes],
    tokenizer: Tokenizer,
    sums: NDArray[np.int64] | None,
) -> None:
    """Raise where a document's tokens do not stand for the whole of it, naming the document."""
    if sums is None:
        ids = [np.frombuffer(part, np.int32).tolist() for part in encoded]
        back = tokenizer.decode_batch(ids, skip_special_tokens=False)
        wrong = [part for part, text in zip(parts, back, strict=True) if text.encode() != part[0]]
    else:
        sizes = np.fromiter((len(data) for data, _, _ in parts), np.int64, len(parts))
        wrong = [parts[i] for i in np.flatnonzero(sizes != sums)]
    if wrong:
        name = f"of this run (document {corpus.label(wrong[0][1])})"
        tk.check_lossless(tokenizer, wrong[0][0].decode(), name)
        raise DiagnoseError(f"the tokenizer {name} is not lossless: its tokens' bytes do not sum to the document's")


def _batches(parts: Iterable[Part]) -> Iterator[list[Part]]:
    batch: list[Part] = []
    held = 0
    for part in parts:
        batch.append(part)
        held += len(part[0]) + 64
        if held > BATCH:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def encoder(tokenizer: Tokenizer) -> Encode:
    """Return a function that encodes a list of texts, each as `tokenizer.encode` would, only sooner.

    For tokenizers that never let a token reach across the place before a space that a character follows (ours,
    and GPT-2's), the tokens of what lies between such places are remembered: most text repeats.
    """

    def plain(texts: list[str]) -> list[bytes]:
        encoded = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [array("i", item.ids).tobytes() for item in encoded]

    return _remembering(plain) if parts_at_spaces(tokenizer) else plain


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
        return before["pattern"] == {"Regex": tk.WORDS} and before["behavior"] == "Isolated" and not before["invert"]
    return bool(before["type"] == "ByteLevel" and before["use_regex"] and not before["add_prefix_space"])


def _remembering(plain: Encode) -> Encode:
    """Return an encoder that cuts texts into chunks, each from a space on, and looks up what each became."""
    opening, following = _Memory(plain, ""), _Memory(plain, " ")

    def encode(texts: list[str]) -> list[bytes]:
        chunks = [SPACE.split(text) if UNEVEN.search(text) else text.split(" ") for text in texts]
        first = opening.look_up({parts[0] for parts in chunks})
        rest = following.look_up(set(chain.from_iterable(parts[1:] for parts in chunks)))
        return [first(parts[0]) + b"".join(map(rest, parts[1:])) for parts in chunks]

    return encode


class _Memory:
    """What chunks became; as bytes, which are joined sooner than lists and give the garbage collector no work."""

    def __init__(self, plain: Encode, before: str) -> None:
        self.known: dict[str, bytes] = {}
        self._plain = plain
        self._before = before  # is encoded with every chunk, and not part of its key
        self._held = 0

    def look_up(self, wanted: set[str]) -> Callable[[str], bytes]:
        """Return a function from the wanted chunks to their ids, encoding those that are new."""
        if self._held > KEPT:
            self.known.clear()
            self._held = 0
        new = list(wanted - self.known.keys())
        self.known.update(zip(new, self._plain([self._before + chunk for chunk in new]), strict=True))
        self._held += sum(map(len, new)) + OVERHEAD * len(new)
        return self.known.__getitem__
