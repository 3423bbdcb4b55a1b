"""Is the text of two sides sound: what of it is scored, how often, and what validation shares with training."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.audit.predictions import NONE
from diagnose.audit.rules import split_overlap, tokenizer_sound, what_is_scored
from diagnose.errors import DiagnoseError
from diagnose.formatting import counted
from diagnose.gap.loop import sample_identity, sample_parts, shared_columns
from diagnose.gap.loop.masked import rows_selected, selector
from diagnose.gap.loop.noticed import PICTURES, how_compared
from diagnose.gap.loop.redrawn import DRAWN_ANEW, is_redrawn, plain_batches
from diagnose.gap.loop.sample_identity import all_rows
from diagnose.gap.loop.walking import walk
from diagnose.training.registry import told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from diagnose.audit.findings import Audit
    from diagnose.audit.side_batches import TokenBatch
    from diagnose.audit.side_passes import SidePasses
    from diagnose.gap.loop.sample_identity import Chosen
    from diagnose.gap.side import Side

BY_NAME = "groups were compared by their names alone"
WINDOW_LIKE = 0.95  # of a row's spans are in training, and no training row is the same: it lies inside training text
MOST_BATCHES = 1 << 12  # of training's that are looked through where nobody knows how many there are
HEAD, MOST_ROWS = 8, 2048  # tokens that windows share at least; samples looked at
OVERLAP_BITS = 45  # of unigram entropy that they share at least: two of a thousand samples share 20 by chance


@dataclass(frozen=True)
class Coder:
    """A tokenizer, whoever made it, as two functions."""

    encode: Callable[[str], list[int]]
    decode: Callable[[list[int]], str]
    strings: list[str]

    @classmethod
    def of(cls, given: Any) -> Coder:
        """Take a tokenizer of `tokenizers`, of `transformers`, or anything with `encode` and `decode`.

        Raises:
            DiagnoseError: it has neither.
        """
        if not callable(getattr(given, "encode", None)) or not callable(getattr(given, "decode", None)):
            raise DiagnoseError(f"tokenizer is a {type(given).__name__}; give what has encode(text) and decode(ids)")
        vocab = given.get_vocab() if callable(getattr(given, "get_vocab", None)) else {}

        def encode(text: str) -> list[int]:
            encoding = _kindly(given.encode, text, add_special_tokens=False)
            return list(getattr(encoding, "ids", encoding))

        def decode(ids: list[int]) -> str:
            return str(_kindly(given.decode, ids, skip_special_tokens=False))

        try:
            back = decode(encode("a"))
            strings = [decode([i]) for i in vocab.values()] if vocab else []
        except Exception as error:
            raise DiagnoseError(f"tokenizer fails: {told(error)}") from error
        del back
        return cls(encode, decode, [s for s in strings if len(s.strip()) > 1])


def _kindly(function: Callable[..., Any], value: Any, **keys: bool) -> Any:
    try:
        return function(value, **keys)
    except TypeError:
        return function(value)


def overlap(
    audit: Audit, train: Side, own: Side, val: list[Any], seconds: float, rows: tuple[Chosen, Chosen] = (all_rows,) * 2
) -> None:
    """Judge the three rules of overlap by groups where both sides have them, else by the batches themselves.

    Args:
        audit: takes the outcome.
        train: the training side.
        own: validation's.
        val: validation's batches.
        seconds: a limit.
        rows: which rows of training's and of validation's batches are samples.
    """
    if train.groups is not None and own.groups is not None:
        _by_group(audit, train, own, val, seconds)
        return
    looked, val = _recognised_by(train, own, val)
    known = sample_identity.known(looked, seconds, most=MOST_BATCHES, val=val, chosen=rows[0])
    seen = sample_identity.seen(val, known, len(val), rows[1])
    if not len(seen.documents):
        for rule in split_overlap.RULES:
            audit.skips(rule.id, "the batches of the two sides hold different tensors")
        return
    inside = ~seen.exact & (seen.share >= WINDOW_LIKE)
    near = seen.near & ~inside
    measured = {
        "samples": len(seen.documents), "exact": float(seen.exact.mean()), "near": float(near.mean()),
        "inside": float(inside.mean()),
    }  # fmt: skip
    anew = known.complete and looked is train.batches and is_redrawn(looked)
    why = f"{DRAWN_ANEW}: give plain=, the same data without augmentation or sampling" if anew else known.why
    split_overlap.judge(audit, measured, "samples", _unjudged(known, why))
    if "split-overlap-exact" not in audit.broken:
        split_overlap.judge_columns(audit, shared_columns.told(looked, val, known.layout))


def _recognised_by(train: Side, own: Side, val: list[Any]) -> tuple[Any, list[Any]]:
    """Return the batches that both sides' samples are recognised by: as they are before augmentation and sampling."""
    plain = plain_batches(train, own)
    looked = train.batches if plain is None else plain
    return looked, val if own.plain is None else list(islice((batch for _, batch in walk(own.plain)[0]), len(val)))


def rows_of(passes: SidePasses, batch: Any) -> Chosen:
    """Return which rows of a side's batches its losses are of, by the mask or index that selects those of this one."""
    key = selector(batch, passes.losses)
    return lambda other: rows_selected(other, key)


def _unjudged(known: sample_identity.Known, why: str) -> dict[str, str]:
    """Return why samples, near copies, and spans of these were not looked for; nothing where they were.

    `why` says that not all of training's samples were looked through.
    """
    if why:
        return dict.fromkeys(("exact", "near", "inside"), why)
    if not (known.layout.by_value or known.alike):
        return {}
    how = how_compared(known)
    return {"inside": how} if how is PICTURES else {"near": how, "inside": how}


def _by_group(audit: Audit, train: Side, own: Side, val: list[Any], seconds: float) -> None:
    begun, known, why = time.monotonic(), set[str](), {}
    for number, batch in walk(train.batches)[0]:
        if time.monotonic() - begun > seconds or number >= MOST_BATCHES:
            why = {"exact": f"the groups of the first {counted(number, 'training batch', 'training batches')} alone "
                            "were looked through"}  # fmt: skip
            break
        known |= _names(train, batch)
    val_groups = set[str]().union(*(_names(own, batch) for batch in val))
    shared = len(val_groups & known) / max(len(val_groups), 1)
    measured = {"samples": len(val_groups), "exact": shared, "near": 0.0, "inside": 0.0}
    split_overlap.judge(audit, measured, "groups", {**why, **dict.fromkeys(("near", "inside"), BY_NAME)})


def _names(side: Side, batch: Any) -> set[str]:
    assert side.groups is not None
    try:
        given = side.groups(batch)
    except Exception as error:
        raise DiagnoseError(f"groups fails: {told(error)}") from error
    flat = given.detach().cpu().flatten().tolist() if hasattr(given, "detach") else np.ravel(given).tolist()
    return {repr(name) for name in flat}


def twice(audit: Audit, val: list[Any], tokens: Sequence[TokenBatch]) -> None:
    """Judge `scored-twice` by what recurs among that which is scored: rows, passages, the ends of windows."""
    if tokens:
        scored = [row[row != NONE].cpu() for token_batch in tokens for row in token_batch.scored_BT]
        rows = [row for row in scored if len(row)]
        span = sample_parts.span_of(rows) if rows else 0
        samples = sample_identity.samples(rows, span)
        wholes, spans = [sample.whole for sample in samples], [sample.spans for sample in samples if span]
    else:
        rows, span, wholes, spans = _samples(val)
    if not wholes:
        audit.skips("scored-twice", "samples hold too little to be recognised")
        return
    found = _recurring(rows, span, wholes, np.concatenate([np.zeros(0, np.int64), *spans]))
    what_is_scored.judge_recurring(audit, found)


def _samples(val: list[Any]) -> tuple[list[Tensor], int, list[int], list[NDArray[np.int64]]]:
    """Return samples' token rows, the length of a span of these, the samples' hashes and their spans'."""
    layout = sample_parts.layout(iter(val))
    every = [hashes for batch in val if (hashes := sample_identity.hashes(batch, layout)) is not None]
    wholes = [whole for hashes in every for whole in hashes.wholes]
    if len(layout.keys) != 1 or not layout.texts:
        return [], 0, wholes, []
    rows = [row for batch in val for part in sample_parts.parts_of(batch)
            for row in sample_parts.rows_by_key(part).get(layout.texts[0], ())]  # fmt: skip
    return rows, layout.spans[0], wholes, [row for hashes in every for row in hashes.spans[0]]


def _recurring(rows: list[Tensor], span: int, wholes: list[int], spans: NDArray[np.int64]) -> what_is_scored.Recurring:
    _, counts = np.unique(wholes, return_counts=True)
    again = float((counts - 1).sum() / len(wholes))
    more = 1 - len(np.unique(spans)) / len(spans) if len(spans) else 0.0
    overlapping = _overlapping(rows) if span else 0.0
    numbers = bool(rows) and rows[0].is_floating_point()
    return what_is_scored.Recurring(len(wholes), again, more, overlapping, span, numbers)


def _overlapping(rows: list[Any]) -> float:
    """Return the share of samples whose end another begins with, all from the same place on, as windows of a stride do.

    What is shared must hold `OVERLAP_BITS` of unigram entropy: short ends ("the ", in characters) recur by chance.
    """
    tokens = Counter(token for row in rows[:MOST_ROWS] for token in row.tolist())
    total = sum(tokens.values())
    bits = -sum(n / total * math.log2(n / total) for n in tokens.values()) if total else 0.0
    least = max(HEAD, math.ceil(OVERLAP_BITS / bits)) if bits else HEAD
    some = [tuple(row.tolist()) for row in rows[:MOST_ROWS] if len(row) > least]
    heads = {row[:least]: row for row in some if len(set(row[:least])) >= HEAD // 2}
    places: Counter[int] = Counter()
    for row in some:
        for place in range(1, len(row) - least + 1):
            other = heads.get(row[place : place + least])
            if other is not None and other is not row and other[: len(row) - place] == row[place:]:
                places[place] += 1
                break
    return max(places.values(), default=0) / len(some) if some else 0.0


def scored_text(
    audit: Audit, tokens: Sequence[TokenBatch], coder: Coder, texts: Sequence[str], end: int | None
) -> None:
    """Judge `bytes-lost`, `scored-twice` and `end-unpaid` by decoding what is scored."""
    size = ends = 0
    for token_batch in tokens:
        for row in token_batch.scored_BT.cpu().tolist():
            ids = [i for i in row if i != NONE]
            ends += ids.count(end) if end is not None else 0
            size += len(coder.decode([i for i in ids if i != end]).encode())
    what_is_scored.judge_text(audit, size, sum(len(text.encode()) for text in texts))
    if end is None:
        audit.skips("end-unpaid", "which token ends a document is not known; give end=id")
    else:
        what_is_scored.judge_ends(audit, ends, len(texts))


def tokenizer(audit: Audit, coder: Coder, texts: Sequence[str], train_texts: Sequence[str] | None) -> None:
    """Judge `tokenizer-lossy` and `vocabulary-leak`."""
    try:
        lost = tokenizer_sound.lossy(coder.encode, coder.decode, texts)
    except Exception as error:
        raise DiagnoseError(f"tokenizer fails on a text: {told(error)}") from error
    tokenizer_sound.judge_lost(audit, lost, len(texts))
    if train_texts is None or not coder.strings:
        audit.skips("vocabulary-leak", "give train_texts and a tokenizer with get_vocab()")
        return
    tokenizer_sound.judge_vocabulary(audit, coder.strings, "\n".join(train_texts), "\n".join(texts))
