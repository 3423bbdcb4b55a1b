"""Corpora: documents with identities, kept as one file of text and a table of offsets.

A corpus is read once into the cache (`diagnose.data.cache`) and from then on by offset, so that one of a gigabyte
needs a few mebibytes and eight bytes a document.
"""

from __future__ import annotations

import codecs
import json
import mmap
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from importlib.metadata import version
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from diagnose.data.cache import cache_folder, digest, entry, stale
from diagnose.data.ingest import FORMAT, existing, source_key, write_bible, write_files
from diagnose.data.readers import CHUNK
from diagnose.errors import DiagnoseError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Corpus", "cache_folder", "load", "stale"]

BUNDLED = {"akjv": "the Bible, American King James Version"}
GAP = 4096  # bytes between two documents that are rather read over than sought past
CUT = re.compile(rb" (?=[!-~])")  # where long documents may be cut: no token of ours reaches across this place
Indices = Iterable[int]


class TextBlock(NamedTuple):
    """Some of a corpus, as UTF-8: P documents or parts of long ones, end to end."""

    data: bytes
    sizes: NDArray[np.int64]  # bytes of each, (P,)
    documents: NDArray[np.int64]  # whose it is, (P,)
    opens: NDArray[np.bool_]  # whether it opens the document, (P,)


class DataSettings(Protocol):
    """The part of the recipe's table `[data]` that says what the documents are."""

    @property
    def corpus(self) -> str:
        """Either "akjv" or "file"."""

    @property
    def path(self) -> str:
        """Where the file or folder is."""

    @property
    def documents(self) -> str:
        """One of "line", "paragraph" and "file"."""

    @property
    def split(self) -> str:
        """One of "documents", "tail" and "windows"."""

    @property
    def val_fraction(self) -> float:
        """Share of the corpus that is validation text."""


@dataclass(frozen=True, eq=False)
class Corpus:
    """Documents in a fixed order; N of them.

    Attributes:
        name: short, for a table: "akjv", or the name of the file or folder.
        title: for a page.
        fingerprint: 16 hex digits that stand for the documents, their text and order; not for their labels.
        folder: where the copy in the cache is.
        offsets: int64 (N + 1,); document i is the bytes [offsets[i], offsets[i + 1]) of `text.bin`.
    """

    name: str
    title: str
    fingerprint: str
    folder: Path
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def sizes(self, documents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the UTF-8 bytes of each of some documents."""
        return np.asarray(self.offsets[documents + 1] - self.offsets[documents])

    def size(self, documents: Indices | None = None) -> int:
        """Return the UTF-8 bytes of some documents (default: all) together, however many they are."""
        if documents is None:
            return int(self.offsets[-1] - self.offsets[0])
        return sum(int(self.sizes(part).sum()) for part in self._blocks(documents))

    def text(self, i: int) -> str:
        """Return document i."""
        return next(self.texts([range(len(self))[i]]))

    def texts(self, indices: Indices | None = None) -> Iterator[str]:
        """Yield documents in the order of `indices` (default: all), a mebibyte or one of them in memory."""
        for data in self.raw(indices):
            yield data.decode()

    def raw(self, indices: Indices | None = None) -> Iterator[bytes]:
        """Yield documents as UTF-8, as `texts` does."""
        with (self.folder / "text.bin").open("rb") as file:
            for part in self._blocks(indices):
                starts, ends = self.offsets[part], self.offsets[part + 1]
                for a, b in _runs(starts, ends):
                    file.seek(base := int(starts[a]))
                    block = file.read(int(ends[b - 1]) - base)
                    for s, e in zip((starts[a:b] - base).tolist(), (ends[a:b] - base).tolist(), strict=True):
                        yield block[s:e]

    def parts(self, indices: Indices | None = None, size: int = CHUNK) -> Iterator[tuple[bytes, int, bool]]:
        """Yield (UTF-8, document, whether it opens the document), those above `size` bytes in parts.

        So a document of a gigabyte is never held. Parts are cut before a space where there is one, else
        between characters.
        """
        for block in self._blocks(indices):
            long = np.flatnonzero(self.offsets[block + 1] - self.offsets[block] > size).tolist()
            for a, b in zip([0, *(i + 1 for i in long)], [*long, len(block)], strict=True):
                yield from zip(self.raw(block[a:b]), block[a:b].tolist(), repeat(True), strict=False)
                if b < len(block):
                    i = int(block[b])
                    for n, part in enumerate(self._cut_up(i, size)):
                        yield part, i, n == 0

    def blocks(self, size: int = CHUNK) -> Iterator[TextBlock]:
        """Yield the whole text in order, a mebibyte at a time; longer documents than `size` bytes as by `parts`."""
        for block in self._blocks(None):
            long = np.flatnonzero(self.offsets[block + 1] - self.offsets[block] > size).tolist()
            for a, b in zip([0, *(i + 1 for i in long)], [*long, len(block)], strict=True):
                yield from self._end_to_end(block[a:b])
                for n, part in enumerate(self._cut_up(int(block[b]), size) if b < len(block) else ()):
                    yield TextBlock(part, np.array([len(part)]), block[b : b + 1], np.array([n == 0]))

    def _end_to_end(self, documents: NDArray[np.int64]) -> Iterator[TextBlock]:
        starts, ends = self.offsets[documents], self.offsets[documents + 1]
        with (self.folder / "text.bin").open("rb") as file:
            for a, b in _runs(starts, ends):
                file.seek(int(starts[a]))
                data = file.read(int(ends[b - 1] - starts[a]))
                yield TextBlock(data, ends[a:b] - starts[a:b], documents[a:b], np.ones(b - a, bool))

    def _blocks(self, indices: Indices | None) -> Iterator[NDArray[np.int64]]:
        """Yield the indices, some ten thousands at a time."""
        every = range(len(self)) if indices is None else indices
        chosen = every if isinstance(every, np.ndarray | range) else np.fromiter(every, np.int64)
        for first in range(0, len(chosen), CHUNK >> 4):
            yield np.asarray(chosen[first : first + (CHUNK >> 4)], np.int64)
            _let_go(self.offsets)

    def _cut_up(self, i: int, size: int) -> Iterator[bytes]:
        place, end = int(self.offsets[i]), int(self.offsets[i + 1])
        with (self.folder / "text.bin").open("rb") as file:
            while place < end:
                file.seek(place)
                data = file.read(min(size, end - place))
                if place + len(data) < end:
                    data = data[: _last_cut(data)]
                yield data
                place += len(data)

    def label(self, i: int) -> str:
        """Return where document i comes from, for instance "Genesis 1:1" or "verses.txt:17"."""
        i = range(len(self))[i]
        if len(self) != len(self._lines):  # one document, cut in two
            return f"{self._sources[0][0]}, part {i + 1}"
        name = self._sources[bisect_right(self._sources, i, key=lambda source: source[1]) - 1][0]
        return f"{name}:{self._lines[i]}" if self._lines[i] else str(name)

    @cached_property
    def _sources(self) -> list[tuple[str, int]]:
        """Each file's (or chapter's) name and its first document."""
        return [(name, first) for name, first in json.loads((self.folder / "sources.json").read_text("utf-8"))]

    @cached_property
    def _lines(self) -> NDArray[np.int64]:
        return np.memmap(self.folder / "lines.bin", np.int64, "r")


def _last_cut(data: bytes) -> int:
    """Return where to cut a piece of a longer text: before its last space, else after its last character."""
    tail = max(1, len(data) - (CHUNK >> 4))
    spaces = [match.start() for match in CUT.finditer(data, tail)]
    return spaces[-1] if spaces else codecs.utf_8_decode(data, "strict", False)[1]


def _runs(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Divide documents into runs that one read of at most a mebibyte (or a document) covers."""
    gap = starts[1:] - ends[:-1]
    apart = np.flatnonzero((gap < 0) | (gap > GAP)) + 1
    for a, b in zip([0, *apart.tolist()], [*apart.tolist(), len(starts)], strict=True):
        first = a
        while first < b:
            last = int(np.searchsorted(ends[first:b], starts[first] + CHUNK, "right")) + first
            last = max(last, first + 1)
            yield first, last
            first = last


def load(data: DataSettings, cache: Path) -> Corpus:
    """Return the corpus that a recipe's `[data]` names, reading it into the cache where it is new or changed.

    Under the split "tail" a corpus of one document is given as two, cut after `1 - val_fraction` of its
    characters (nanoGPT cuts tiny Shakespeare so).

    Raises:
        DiagnoseError: there is no such corpus or file, it cannot be read, it is no text, or it holds none.
    """
    if data.corpus in BUNDLED:
        key = digest("corpus", FORMAT, data.corpus, version("pythonbible-akjv"), version("pythonbible"))
        folder = entry(cache, "corpora", key, write_bible)
        return _open(data.corpus, BUNDLED[data.corpus], folder)
    if data.corpus != "file":
        raise DiagnoseError(f"data.corpus = {data.corpus!r} is unknown{nearest(data.corpus, [*BUNDLED, 'file'])}")
    path = existing(data.path)
    folder = entry(cache, "corpora", source_key(path, data.documents), lambda f: write_files(f, path, data.documents))
    corpus = _open(path.name, path.name, folder)
    return _cut(corpus, data.val_fraction) if data.split == "tail" and len(corpus) == 1 else corpus


def _open(name: str, title: str, folder: Path) -> Corpus:
    offsets = np.memmap(folder / "offsets.bin", np.int64, "r")
    return Corpus(name, title, _fingerprint(folder, offsets), folder, offsets)


def _fingerprint(folder: Path, offsets: NDArray[np.int64]) -> str:
    whole = blake2b((folder / "text.hash").read_bytes(), digest_size=8)
    for first in range(0, len(offsets), CHUNK):
        whole.update(offsets[first : first + CHUNK].tobytes())
        _let_go(offsets)
    return whole.hexdigest()


def _let_go(offsets: NDArray[np.int64]) -> None:
    """Give back the memory of a mapped file's pages, all of which a walk would hold in the end."""
    if isinstance(offsets.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        offsets.base.madvise(mmap.MADV_DONTNEED)


def _cut(corpus: Corpus, val_fraction: float) -> Corpus:
    """Return the only document as two, the second of them the last `val_fraction` of the characters."""
    size = int(corpus.offsets[1])
    characters = sum(int(first.sum()) for first in _first_bytes(corpus))
    if characters < 2:
        raise DiagnoseError(f"{corpus.name} holds one character: too little to cut into training and validation")
    wanted = min(max(int(characters * (1 - val_fraction)), 1), characters - 1)
    cut = 0
    for first in _first_bytes(corpus):
        here = int(first.sum())
        if wanted < here:
            cut += int(np.flatnonzero(first)[wanted])
            break
        wanted, cut = wanted - here, cut + len(first)
    offsets = np.array([0, cut, size], np.int64)
    return replace(corpus, offsets=offsets, fingerprint=_fingerprint(corpus.folder, offsets))


def _first_bytes(corpus: Corpus) -> Iterator[NDArray[np.bool_]]:
    """Yield, a piece at a time, which bytes of the text begin a character."""
    with (corpus.folder / "text.bin").open("rb") as file:
        while data := file.read(CHUNK):
            yield (np.frombuffer(data, np.uint8) & 0xC0) != 0x80  # continuation bytes are 10xxxxxx
