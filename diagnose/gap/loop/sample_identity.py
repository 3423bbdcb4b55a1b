"""Which validation samples occur among the training samples: by their group, whole, or by most of their spans.

Rows of token ids and series of numbers are compared by spans too, wherever they lie in a row, so that overlapping
windows and packed rows are recognised; anything else by its values, bit for bit. A span is as long as it takes to be no
commonplace: about 32 characters, 14 words.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.data.overlap import NEAR, SeenDocuments
from diagnose.gap.intervals import SAMPLES
from diagnose.gap.loop.near_pictures import NearPictures
from diagnose.gap.loop.near_rows import NearRows
from diagnose.gap.loop.sample_parts import INTEGERS, Key, SampleLayout, layout, parts_of, rows_by_key
from diagnose.gap.loop.token_spans import HELD, is_among, spans_of
from diagnose.gap.loop.walking import base_of, first_of, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

COMMON = 0.5  # of training's rows: a span of more of them is a template
ALIGNED = 0.05  # of training's rows: where more are like another at the same places, being so tells of no copy
LOOKED = 1024  # of training's rows that are compared with the others
ELSEWHERE = 1 << 20  # numbers a walk in which what a loader makes up as it goes is not what validation's makes up
MOST = 1 << 23  # spans and samples of training held at most


@dataclass(frozen=True)
class SampleIdentity:
    """What identifies a sample: the hash of its values, and the hashes of its spans (none where it holds no tokens)."""

    whole: int
    spans: NDArray[np.int64]


@dataclass(frozen=True)
class Known:
    """What training's samples hold.

    Attributes:
        wholes: hashes of their values; spans: for each text of the layout, hashes of its spans, sorted.
        layout: which tensors identify a sample.
        complete: whether all of them were walked.
        why: why samples cannot be recognised; "" where they can.
        labels: by hash, what each sample is labelled with; None where several samples of the same values differ in it.
        label_keys: which tensors are labels.
        near: its rows of tokens, for copies of which some tokens were changed; pictures: for changed copies of those.
        aligned: for each text, hashes of its spans at their places where these tell nothing: training's rows are alike
            there among themselves (fields, motifs).
    """

    wholes: frozenset[int]
    spans: tuple[NDArray[np.int64], ...]
    layout: SampleLayout
    complete: bool
    why: str = ""
    labels: Mapping[int, bytes | None] = field(default_factory=dict)
    label_keys: tuple[Key, ...] = ()
    near: tuple[NearRows, ...] = ()
    aligned: tuple[NDArray[np.int64], ...] = ()
    pictures: tuple[NearPictures, ...] = ()

    @property
    def alike(self) -> bool:
        """Whether training's own rows are so like one another that a changed copy cannot be told from another row."""
        return any(len(text) for text in self.aligned) or any(rows.is_crowded() for rows in self.near)


Chosen = Callable[[Any], "NDArray[np.int64] | None"]


def all_rows(_: Any) -> None:
    """Choose all rows of a batch."""


@dataclass(frozen=True)
class SampleHashes:
    """A batch's samples: their rows, hashes of each one's values and of each text's spans by row, and one's tokens.

    `placed` are the hashes of the spans together with their places; `ends`, of a series of numbers, of its last span.
    """

    rows: NDArray[np.int64]
    wholes: list[int]
    spans: list[list[NDArray[np.int64]]]
    tokens: list[NDArray[np.int64]] = field(default_factory=list)
    placed: list[list[NDArray[np.int64]]] = field(default_factory=list)
    ends: list[list[NDArray[np.int64]]] = field(default_factory=list)


def hashes(batch: Any, found: SampleLayout, chosen: Chosen = all_rows, *, spans: bool = True) -> SampleHashes | None:
    """Return what identifies a batch's samples; None where it does not hold the layout's tensors."""
    parts = [rows_by_key(part) for part in parts_of(batch)]
    if not found.keys or any(key not in part for part in parts for key in found.keys):
        return None
    table = {key: [row for part in parts for row in part[key]] for key in found.keys}
    index = chosen(batch)
    index = np.arange(len(table[found.keys[0]])) if index is None else index
    pads = dict(found.pads)
    single = {key: [_single(some[k], pads.get(key)) for k in index] for key, some in table.items()}
    wholes = [_hash(b"|".join(raw)) for raw in zip(*(map(_raw, some) for some in single.values()), strict=True)]
    none = np.zeros(0, np.int64)
    if not spans or not found.texts:
        return SampleHashes(index, wholes, [[none] * len(index) for _ in found.texts])
    beside = [_hash(b"|".join(raw)) for raw in zip(*(map(_raw, single[k]) for k in found.beside), strict=True)]
    texts = [
        spans_of(list(map(_bits, single[key])), span, beside)
        for key, span in zip(found.texts, found.spans, strict=True)
    ]
    first = single[found.texts[0]]
    tokens = [] if found.beside or first[0].is_floating_point() else [_bits(row) for row in first]
    spans_by_text, placed = ([[pair[k] for pair in rows] for rows in texts] for k in range(2))
    ends = [_ends(single[key], span, beside) for key, span in zip(found.texts, found.spans, strict=True)]
    return SampleHashes(index, wholes, spans_by_text, tokens, placed, ends)


def _ends(rows: list[Tensor], span: int, beside: Sequence[int]) -> list[NDArray[np.int64]]:
    """Return the last span of each row that is a series of numbers, short enough that all of its spans are held."""
    some = [
        _bits(row)[-span:] if row.is_floating_point() and len(row) <= HELD else np.zeros(0, np.int64) for row in rows
    ]
    return [spans for spans, _ in spans_of(some, span, beside)]


def _single(row: Tensor, pad: int | None = None) -> Tensor:
    """Return a row without the padding at its ends: where it is not known what that is, tokens that repeat there."""
    if pad is not None:
        places = (row != pad).nonzero().flatten()
        return row[int(places[0]) : int(places[-1]) + 1] if len(places) else row[:0]
    if row.dtype not in INTEGERS or len(row) < 2:
        return row
    other = (row[1:] != row[:-1]).nonzero().flatten()
    return row if not len(other) else row[int(other[0]) : int(other[-1]) + 2]


def _raw(row: Tensor) -> bytes:
    values = row.double() if row.is_floating_point() else row.long()
    return np.ascontiguousarray(values.numpy()).tobytes()


def _bits(row: Tensor) -> NDArray[np.int64]:
    """Return a row's values as integers, floats by their bits."""
    values = np.ascontiguousarray((row.double() if row.is_floating_point() else row.long()).numpy())
    return values.view(np.int64)


def samples(rows: list[Tensor], span: int) -> list[SampleIdentity]:
    """Return what identifies each of these rows."""
    values = [np.ascontiguousarray((row.double() if row.is_floating_point() else row).numpy()) for row in rows]
    spans = spans_of(values, span) if span > 0 else [(np.zeros(0, np.int64),)] * len(values)
    return [SampleIdentity(_hash(row.tobytes()), own[0]) for row, own in zip(values, spans, strict=True)]


def _hash(raw: bytes) -> int:
    return int.from_bytes(blake2b(raw, digest_size=8).digest(), "little") >> 1


def known(
    batches: Any, seconds: float, most: int | None = None, *, val: Any = None, chosen: Chosen = all_rows
) -> Known:
    """Walk training's batches and keep what identifies their samples.

    Args:
        batches: all of them.
        seconds: a limit.
        most: a limit in batches for a stream of unknown length, which may have no end.
        val: validation's batches, whose samples are to be looked up: what both hold identifies them.
        chosen: which rows of a batch are its samples.
    """
    begun = time.monotonic()
    walked = 0 if base_of(val) is base_of(batches) else ELSEWHERE
    identity = layout((batch for _, batch in walk(batches, walked)[0]), None if val is None else first_of(val))
    wholes, held_spans, complete = set[int](), _HeldSpans(len(identity.texts)), True
    labels: dict[int, bytes | None] = {}
    near, pictures = NearRows(), NearPictures(identity.keys)
    keys: tuple[Key, ...] | None = None
    if identity.why:
        return Known(frozenset(), (), identity, complete=False, why=identity.why)
    some, count = walk(batches, walked)
    for number, batch in some:
        endless = count is None and most is not None and number >= most
        if endless or time.monotonic() - begun > seconds or held_spans.count + len(wholes) > MOST:
            complete = False
            break
        samples = hashes(batch, identity, chosen)
        if samples is None:
            return Known(frozenset(), (), identity, complete=False, why="the batches of a side hold different tensors")
        new = [k for k, whole in enumerate(samples.wholes) if whole not in wholes]
        wholes.update(samples.wholes)
        held_spans.add(samples, new)
        near.add(samples.tokens[k] for k in new if samples.tokens)
        pictures.add(batch)
        keys = _label_keys(batch, identity) if keys is None else keys
        for whole, label in _labelled(batch, keys, samples):
            labels[whole] = label if labels.get(whole, label) == label else None
    why = "" if complete else f"the first {len(wholes):,} training samples alone were looked through"
    spans, aligned = held_spans.telling()
    return Known(frozenset(wholes), spans, identity, complete, why, labels, keys or (), (near,), aligned, (pictures,))


def relabelled(batches: Any, training: Known, most: int, chosen: Chosen = all_rows) -> tuple[int, int]:
    """Return how many samples of up to `most` batches training has under other labels, and how many it has at all."""
    other = alike = 0
    for place, (_, batch) in enumerate(walk(batches)[0]):
        if place >= most:
            break
        samples = hashes(batch, training.layout, chosen, spans=False)
        for whole, label in () if samples is None else _labelled(batch, training.label_keys, samples):
            train_label = training.labels.get(whole)
            other += train_label is not None and train_label != label
            alike += train_label == label
    return other, other + alike


def _label_keys(batch: Any, found: SampleLayout) -> tuple[Key, ...]:
    """Return which tensors hold a label a sample: one number, that is no sample's own (an index, a weight)."""
    part = rows_by_key(parts_of(batch)[0])
    return tuple(
        key for key, rows in part.items()
        if key not in found.keys and rows.shape[1] == 1 and len(rows.unique()) < len(rows)  # type: ignore[no-untyped-call]
    )  # fmt: skip


def _labelled(batch: Any, keys: tuple[Key, ...], one: SampleHashes) -> Iterator[tuple[int, bytes]]:
    """Yield what each sample of a batch is labelled with."""
    parts = [rows_by_key(part) for part in parts_of(batch)]
    if not keys or any(key not in part for part in parts for key in keys):
        return
    table = [[row for part in parts for row in part[key]] for key in keys]
    for row, whole in zip(one.rows.tolist(), one.wholes, strict=True):
        yield whole, b"|".join(_raw(column[row]) for column in table)


class _HeldSpans:
    """Spans of training's rows by text; those of a template tell nothing: of most rows, or of several at one place."""

    def __init__(self, texts: int) -> None:
        self.parts: list[list[NDArray[np.int64]]] = [[] for _ in range(texts)]
        self.placed: list[list[NDArray[np.int64]]] = [[] for _ in range(texts)]
        self.rows = self.count = 0

    def add(self, found: SampleHashes, new: Sequence[int]) -> None:
        """Add those of a batch's samples that are new: a row that is repeated as a whole is no template."""
        self.rows += len(new)
        for spans, texts in ((self.parts, found.spans), (self.placed, found.placed)):
            for text, rows in zip(spans, texts, strict=False):
                text.extend(rows[k] for k in new if len(rows[k]))
        self.count += sum(len(rows[k]) for rows in found.spans for k in new)

    def telling(self) -> tuple[tuple[NDArray[np.int64], ...], tuple[NDArray[np.int64], ...]]:
        """Return each text's spans, sorted, and those at their places where these tell nothing (`Known.aligned`)."""
        some = [self._telling(text, placed) for text, placed in zip(self.parts, self.placed, strict=True)]
        return tuple(spans for spans, _ in some), tuple(aligned for _, aligned in some)

    def _telling(
        self, rows: list[NDArray[np.int64]], placed: list[NDArray[np.int64]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        none = np.zeros(0, np.int64)
        every, at = np.concatenate([none, *rows]), np.concatenate([none, *placed])
        spans, counts = np.unique(every, return_counts=True)
        places, times = np.unique(at, return_counts=True)
        again = places[times > 1]
        common = np.union1d(spans[counts > max(COMMON * self.rows, 2)], every[np.isin(at, again)])
        some = placed[:: max(1, len(placed) // LOOKED)]
        alike = [float(is_among(row, again).mean()) >= NEAR for row in some]
        aligned = places if alike and np.mean(alike) > ALIGNED else none
        return np.setdiff1d(spans, common, assume_unique=True), aligned


def seen(
    batches: Any, training: Known, most: int, chosen: Chosen = all_rows, times: Counter[int] | None = None
) -> SeenDocuments:
    """Look up to `most` batches' samples up among training's, in the order in which they are read.

    Adds to `times` how often each occurs.
    """
    rows = list(_looked_up(batches, training, most, chosen, Counter[int]() if times is None else times))
    ids, exact, share = ([row[k] for row in rows] for k in range(3))
    same, part = np.array(exact, bool), np.array(share, np.float64)
    return SeenDocuments(np.array(ids, np.int64), same, ~same & (part >= NEAR), part)


def _looked_up(
    batches: Any, training: Known, most: int, chosen: Chosen, times: Counter[int]
) -> Iterator[tuple[int, bool, float]]:
    some, _ = walk(batches)
    for place, (number, batch) in enumerate(some):
        if place >= most:
            return
        samples = hashes(batch, training.layout, chosen)
        if samples is None:
            continue
        times.update(samples.wholes)
        copies = [flags for known in training.pictures if (flags := known.holds(batch))]
        copied = [any(rows) for rows in zip(*copies, strict=True)]
        for k, row in enumerate(samples.rows.tolist()):
            share = NEAR if row < len(copied) and copied[row] else _share(samples, k, training)
            yield number * SAMPLES + row, samples.wholes[k] in training.wholes, share


def _share(one: SampleHashes, k: int, training: Known) -> float:
    """Return the share of a sample's spans that occur in training: of that of its texts which shares least.

    A copy of which tokens were changed here and there counts as one that shares half of them; a window of a series that
    goes on where training's ends, with values that training has not, does not.
    """
    each = [
        float((is_among(rows[k], spans) & ~is_among(placed[k], aligned)).mean())
        for rows, placed, spans, aligned in zip(one.spans, one.placed, training.spans, training.aligned, strict=True)
        if len(rows[k])
    ]
    share = min(each, default=0.0)
    goes_on = any(len(ends[k]) and not is_among(ends[k], spans).all()
                  for ends, spans in zip(one.ends, training.spans, strict=False))  # fmt: skip
    if goes_on:
        share = min(share, float(np.nextafter(NEAR, 0)))
    near = share < NEAR and bool(one.tokens) and any(rows.holds(one.tokens[k]) for rows in training.near)
    return NEAR if near else share


class DistinctSamples:
    """Numbers samples so that one that is read again keeps the number it had first: the distinct sample is the unit."""

    def __init__(self, found: SampleLayout | None, chosen: Chosen = all_rows) -> None:
        self.layout, self.chosen = found, chosen
        self._known: dict[int, int] = {}

    @property
    def count(self) -> int:
        """How many were told apart."""
        return len(self._known)

    def numbered(self, batch: Any, ids_E: NDArray[np.int64], samples_E: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return whose each element is, by what its sample was first numbered."""
        samples = None if self.layout is None else hashes(batch, self.layout, self.chosen, spans=False)
        if samples is None or not len(ids_E):
            return ids_E
        base = int(ids_E[0] - samples_E[0])
        first = {
            row: self._known.setdefault(whole, base + row)
            for row, whole in zip(samples.rows.tolist(), samples.wholes, strict=True)
        }
        return np.array([first.get(row, base + row) for row in samples_E.tolist()], np.int64)


def all_rows_of(batches: Any, found: SampleLayout) -> Counter[int] | None:
    """Return how often each sample occurs, by the hash of all that batches hold of it; None where that is not known.

    Where rows are filled up, what lies beside them place by place (a mask) follows from them and is left out.
    """
    out, pads = Counter[int](), dict(found.pads)
    for _, batch in walk(batches)[0]:
        for table in map(rows_by_key, parts_of(batch)):
            if not table:
                return None
            some = {k: rows for k, rows in table.items() if not pads or k in found.keys or rows.shape[1] == 1}
            each = [[_raw(_single(row, pads[k]) if k in pads else row) for row in rows] for k, rows in some.items()]
            out.update(_hash(b"|".join(raw)) for raw in zip(*each, strict=True))
    return out


def by_group(train: NDArray[np.int64], val: NDArray[np.int64]) -> SeenDocuments:
    """Return which named groups of validation occur in training; both as `groups.identities` numbers them."""
    return SeenDocuments(val, np.isin(val, train), np.zeros(len(val), bool), np.zeros(len(val)))
