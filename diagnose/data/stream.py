"""The token stream: all documents of a corpus, encoded once into a file that is mapped into memory.

Legend: N documents, V vocabulary. Document i is `tokens[starts[i]:starts[i + 1]]`, its opening START first;
the token at `starts[N]` closes the last one.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.data import tokenizer as tk
from diagnose.data.cache import digest, entry
from diagnose.data.encoding import Encoded, divided, encoder, parts_at_spaces, sums
from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from diagnose.data.corpus import Corpus, TextBlock

FORMAT = 1  # of a stream in the cache; part of its key
WORKERS = 4  # threads that encode at most: each holds a block and what it becomes
SMALL = 32_767  # the largest vocabulary whose ids fit int16


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

    def encoded(block: TextBlock) -> tuple[NDArray[Any], NDArray[np.int64]]:
        ids = encode(block.data, block.sizes)
        _check(corpus, block, ids, tokenizer, table)
        tokens, begins = _with_starts(ids, block.opens, start, dtype)
        return tokens, begins[block.opens]

    with (folder / "tokens.bin").open("wb") as tokens_file, (folder / "starts.bin").open("wb") as starts_file:
        for tokens, begins in _in_order(encoded, corpus.blocks()):
            tokens_file.write(tokens.data)
            starts_file.write((begins + place).data)
            place += len(tokens)
        tokens_file.write(np.array([start], dtype).data)
        starts_file.write(np.array([place], np.int64).data)


def _in_order(function: Callable[[TextBlock], Any], blocks: Iterable[TextBlock]) -> Iterator[Any]:
    """Yield what a function makes of each block, in their order, some at once: numpy and pyarrow let threads run."""
    workers = min(WORKERS, cores())
    waiting = deque[Future[Any]]()
    with ThreadPoolExecutor(workers) as pool:
        for block in blocks:
            waiting.append(pool.submit(function, block))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _known(tokenizer: Tokenizer) -> bool:
    """Whether a tokenizer can lose text only together with its bytes: it changes no text before cutting it."""
    return tk.counts_exactly(tokenizer) and parts_at_spaces(tokenizer)


def _with_starts(
    encoded: Encoded, opens: NDArray[np.bool_], start: int, dtype: type[np.int16 | np.int32]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the tokens of parts in a row, START before each document, and where each part begins."""
    lengths = encoded.lengths + opens
    begins = np.cumsum(lengths) - lengths
    tokens = np.empty(int(lengths.sum()), dtype)
    of_text = np.ones(len(tokens), bool)
    of_text[begins[opens]] = False
    tokens[begins[opens]] = start
    tokens[of_text] = encoded.tokens
    return tokens, begins


def _check(
    corpus: Corpus, block: TextBlock, encoded: Encoded, tokenizer: Tokenizer, table: NDArray[np.int32] | None
) -> None:
    """Raise where a document's tokens do not stand for the whole of it, naming the document.

    Args:
        corpus: names documents.
        block: the text.
        encoded: its tokens.
        tokenizer: encoded them.
        table: bytes of each token, where those tell; else tokens are decoded.
    """
    if table is not None:
        right = sums(table[encoded.tokens], encoded.lengths) == block.sizes
    else:
        ids = [part.tolist() for part in np.split(encoded.tokens, np.cumsum(encoded.lengths)[:-1])]
        back = tokenizer.decode_batch(ids, skip_special_tokens=False)
        texts = divided(block.data, block.sizes)
        right = np.array([decoded.encode() == text for decoded, text in zip(back, texts, strict=True)])
    if not right.all():
        first = int(np.flatnonzero(~right)[0])
        name = f"of this run (document {corpus.label(int(block.documents[first]))})"
        tk.check_lossless(tokenizer, divided(block.data, block.sizes)[first].decode(), name)
        raise DiagnoseError(f"the tokenizer {name} is not lossless: its tokens' bytes do not sum to the document's")
