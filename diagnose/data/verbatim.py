"""Which stretches of a text stand word for word in the training text, and how long such stretches are in unseen text.

A network that has learned its text by heart writes longer ones than unseen documents have, which share turns of
phrase with training alone. Stretches do not cross the borders of documents.

Shapes: P positions of the training text, Q windows of the text that is looked up, M matches of windows with positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose import random as seeding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

WINDOW = 8  # bytes that are looked up at once, for they fit a number
BLOCK = 1 << 16  # bytes of training text whose windows fit a processor's cache
BORDER, BEHIND = b"\xff", b"\xfe"  # between documents, and behind what is looked up: no bytes of UTF-8
MIXED, BITS = np.uint64(0x9E3779B97F4A7C15), 20  # of a window's hash, which tells most windows that are not looked up
EXCERPTS = 50  # of unseen documents


@dataclass(frozen=True)
class Index:
    """The training text with its windows in order: those that are looked up, and a few more.

    Attributes:
        text: documents with borders between them.
        windows_P: the windows, ascending, as numbers.
        places_P: where each stands.
    """

    text: bytes
    windows_P: NDArray[np.uint64]
    places_P: Ints


def index(documents: Sequence[bytes], texts: Sequence[str]) -> Index:
    """Put those windows of documents in order that `longest` looks up for some texts."""
    text = BORDER.join(documents)
    looked_up = np.zeros(1 << BITS, bool)
    for one in texts:
        looked_up[_hashes(_windows(one.encode()))] = True
    windows, places = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for number, some in enumerate(_blocks(text)):
        here = np.flatnonzero(looked_up[_hashes(some)])
        windows.append(some[here])
        places.append(here + number * BLOCK)
    windows_P, places_P = np.concatenate(windows), np.concatenate(places)
    order = np.argsort(windows_P)
    return Index(text, windows_P[order], places_P[order])


def _blocks(text: bytes) -> Iterator[NDArray[np.uint64]]:
    """Yield the windows of a text, a block's at a time."""
    for first in range(0, len(text), BLOCK):
        yield _windows(text[first : first + BLOCK + WINDOW - 1])


def _hashes(windows: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return (windows * MIXED) >> np.uint64(64 - BITS)


def _windows(text: bytes) -> NDArray[np.uint64]:
    """Return the bytes from each place on as numbers, the first byte the lowest."""
    windows_P = np.empty(max(0, len(text) - WINDOW + 1), "<u8")
    for first in range(min(WINDOW, len(windows_P))):
        every = windows_P[first::WINDOW]
        every[:] = np.frombuffer(text, "<u8", len(every), first)
    return windows_P


def longest(text: str, training: Index) -> str:
    """Return the longest stretch of a text that the training text holds, the first of several."""
    data = text.encode()
    start, size = _matched(data, training)
    if not size:
        start, size = _short(data, training.text)
    return data[start : start + size].decode(errors="ignore")  # without halves of characters at its ends


def _matched(data: bytes, training: Index) -> tuple[int, int]:
    """Return start and length of the longest stretch of at least a window; a length of 0 where there is none."""
    windows_Q = _windows(data)
    first_Q, last_Q = (np.searchsorted(training.windows_P, windows_Q, side) for side in ("left", "right"))
    count_Q = last_Q - first_Q
    if not count_Q.sum():
        return 0, 0
    own_M = np.repeat(np.arange(len(windows_Q)), count_Q)
    nth_M = np.arange(count_Q.sum()) - np.repeat(np.cumsum(count_Q) - count_Q, count_Q)
    place_M = training.places_P[np.repeat(first_Q, count_Q) + nth_M]
    # Matches that go on from one window to the next lie at the same distance, one behind the other. A gap of one number
    # keeps the last window of a distance from going on with the first of the next.
    line_M = np.sort((place_M - own_M + len(windows_Q)) * (len(windows_Q) + 1) + own_M)
    begins = np.flatnonzero(np.diff(line_M, prepend=-1) != 1)
    length = np.diff(begins, append=len(line_M))
    place_in_windows = line_M[begins] % (len(windows_Q) + 1)
    best = int(np.lexsort((place_in_windows, -length))[0])
    return int(place_in_windows[best]), int(length[best]) + WINDOW - 1


def _short(data: bytes, text: bytes) -> tuple[int, int]:
    """Return start and length of the longest stretch that is shorter than a window."""
    own_Q = _windows(data + BEHIND * (WINDOW - 1))
    for size in range(min(WINDOW - 1, len(data)), 0, -1):
        beginning = np.uint64((1 << 8 * size) - 1)  # the first bytes of a window are its number's lowest
        sought_Q = own_Q[: len(data) - size + 1] & beginning
        here = np.flatnonzero(np.isin(sought_Q, _beginnings(text, beginning, sought_Q)))
        if len(here):
            return int(here[0]), size
    return 0, 0


def _beginnings(text: bytes, beginning: np.uint64, sought_Q: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return beginnings of a text's windows, those that are sought and a few more."""
    looked_up = np.zeros(1 << BITS, bool)
    looked_up[_hashes(sought_Q)] = True
    found = [np.zeros(0, np.uint64)]
    for some in _blocks(text + BORDER * (WINDOW - 1)):
        begun = some & beginning
        found.append(begun[looked_up[_hashes(begun)]])
    return np.concatenate(found)


def mark(samples: Sequence[dict[str, Any]], unseen: Sequence[str], documents: Sequence[bytes]) -> None:
    """Note at each sample the longest stretch that training holds as well; at the last, how long unseen text has one.

    Args:
        samples: as they are stored; changed in place. What follows the prompt is looked at.
        unseen: scored documents without their openings, in any order.
        documents: of the training text.
    """
    if not samples:
        return
    written = [sample["text"].removeprefix(sample["prompt"]) for sample in samples]
    most = len(samples[-1]["text"]) - len(samples[-1]["prompt"])
    fitting = [text for text in unseen if len(text) >= most] or list(unseen)
    order = seeding.generator(0, "verbatim", len(fitting)).permutation(len(fitting))[:EXCERPTS]
    excerpts = [fitting[place][:most] for place in order.tolist()]
    training = index(documents, [*written, *excerpts])
    for sample, text in zip(samples, written, strict=True):
        sample["verbatim"] = longest(text, training)
    shared = [len(longest(text, training)) for text in excerpts]
    if shared and most > 0:
        samples[-1]["unseen"] = {"excerpts": len(shared), "median": median(shared), "most": max(shared)}
