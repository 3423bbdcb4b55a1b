"""What good looks like: bits per byte of the same documents, given the same training documents, without a network.

The unit is that of runs: all that is spent on the scored documents, their ends included, over their UTF-8 bytes.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.baselines import compressors, symbols
from diagnose.baselines.placement import Yardstick
from diagnose.data.cache import digest, entry
from diagnose.data.excerpt import BLOCKS, Excerpt, excerpt, fits
from diagnose.errors import DiagnoseError, nearest
from diagnose.stats import in_blocks, ratio_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from diagnose.data.corpus import Corpus
    from diagnose.data.split import Split

    Floats = NDArray[np.float64]
    Computed = dict[str, tuple[Floats, Floats]]  # by name: bits and bytes of each document or block

FORMAT = 1  # of what lies in the cache; part of its key
CHARACTER_ORDERS, WORD_ORDERS = 7, 5  # symbols of the longest gram
UNIFORM = "uniform over bytes"


def _uniform(text: Excerpt) -> Computed:
    """Every byte and every document's end as likely as any other."""
    return {UNIFORM: (np.log2(257) * (text.sizes_N + 1), text.sizes_N)}


def _ngrams(text: Excerpt, family: str, orders: int) -> Computed:
    learn = symbols.characters if family == "characters" else symbols.words
    model = learn([document.decode() for document in text.train], orders)
    by_order = model.nats([document.decode() for document in text.scored], range(1, orders + 1))
    return {_named(family, order): (nats / np.log(2), text.sizes_N) for order, nats in by_order.items()}


def _named(family: str, order: int) -> str:
    return f"characters, order {order - 1}" if family == "characters" else f"words, {order}-grams"


def _compressed(text: Excerpt, name: str) -> Computed:
    bits = compressors.conditional_bits(name, text.train, text.scored)
    return {name: (np.array([bits]), text.sizes_N.sum(keepdims=True))}


def _ppmd(text: Excerpt, order: int) -> Computed:
    blocks_N = text.blocks_N
    bits = compressors.ppmd_bits(order, text.train, text.scored, blocks_N)
    return {f"PPMd of order {order}": (bits, np.bincount(blocks_N, text.sizes_N).astype(np.float64))}


@dataclass(frozen=True)
class BaselineGroup:
    """Yardsticks that are computed together."""

    family: str
    names: tuple[str, ...]
    compute: Callable[[Excerpt], Computed]


def groups() -> list[BaselineGroup]:
    """Return all yardsticks, those first that are quickly had."""
    listed = [BaselineGroup("uniform", (UNIFORM,), _uniform)]
    listed.append(
        BaselineGroup("characters", (_named("characters", 1),), partial(_ngrams, family="characters", orders=1))
    )
    listed += [
        BaselineGroup("compressor", (f"PPMd of order {order}",), partial(_ppmd, order=order))
        for order in compressors.PPMD_ORDERS
    ]
    listed += [BaselineGroup("compressor", (name,), partial(_compressed, name=name)) for name in compressors.SIZES]
    for family, orders in (("words", WORD_ORDERS), ("characters", CHARACTER_ORDERS)):
        names = tuple(_named(family, order) for order in range(1, orders + 1))
        listed.append(BaselineGroup(family, names, partial(_ngrams, family=family, orders=orders)))
    return listed


QUICK = (UNIFORM, "characters, order 0", "gzip", "bzip2", "PPMd of order 4", "PPMd of order 8", "PPMd of order 16")


def yardsticks(
    corpus: Corpus, split: Split, cache: Path, names: Sequence[str] | None = None,
    watch: Callable[[str], None] | None = None,
) -> list[Yardstick]:  # fmt: skip
    """Return yardsticks for the scored documents of a split, the worst first; computed once and kept in the cache.

    Args:
        corpus: the text.
        split: which documents are learned from, and which are scored.
        cache: from `cache_folder`.
        names: which; all by default.
        watch: told the name of what is being computed.

    Raises:
        DiagnoseError: an unknown name.
    """
    every = groups()
    known = list(dict.fromkeys(name for group in every for name in group.names))
    wanted = list(dict.fromkeys(known if names is None else names))
    for name in wanted:
        if name not in known:
            raise DiagnoseError(f"there is no yardstick '{name}'{nearest(name, known)}")
    scale: dict[str, Yardstick] = {}
    text = lru_cache(maxsize=1)(partial(excerpt, corpus, split))  # read when first needed
    for group in every:
        if not any(name in wanted and name not in scale for name in group.names):
            continue
        key = digest("yardstick", FORMAT, corpus.fingerprint, split.fingerprint, group.names)
        folder = entry(
            cache, "yardsticks", key, partial(_compute, group=group, text=text, watch=watch or (lambda _: None))
        )
        rows = json.loads((folder / "yardsticks.json").read_text(encoding="utf-8"))
        scale |= {row["name"]: Yardstick(**row) for row in rows if row["name"] in wanted}
    return sorted(scale.values(), key=lambda yardstick: -yardstick.bits_per_byte)


def _compute(folder: Path, group: BaselineGroup, text: Callable[[], Excerpt], watch: Callable[[str], None]) -> None:
    watch(group.names[0] if len(group.names) == 1 else f"n-grams over {group.family}")
    given = text()
    begun = time.perf_counter()
    computed = group.compute(given)
    seconds = time.perf_counter() - begun
    rows = [
        asdict(_yardstick(name, group.family, *computed[name], seconds, ordered=given.ordered)) for name in group.names
    ]
    (folder / "yardsticks.json").write_text(json.dumps(rows), encoding="utf-8")


def _yardstick(name: str, family: str, bits_N: Floats, bytes_N: Floats, seconds: float, *, ordered: bool) -> Yardstick:
    blocks_N = in_blocks(len(bits_N), len(bits_N) // BLOCKS) if ordered and len(bits_N) > BLOCKS else None
    interval = ratio_interval(bits_N, bytes_N, blocks_N=blocks_N)
    return Yardstick(name, family, interval.value, interval.low, interval.high, seconds)


def record(corpus: Corpus, split: Split, cache: Path, names: Sequence[str] = QUICK) -> dict[str, Any]:
    """Return what a run keeps of yardsticks: those that are quickly had, and whether they read a part of the text.

    Not how long each took, so that runs of the same text keep the same.
    """
    rows = [
        {key: value for key, value in row.items() if key != "seconds"}
        for row in records(yardsticks(corpus, split, cache, names))
    ]
    return {"sampled": not fits(corpus, split), "yardsticks": rows}


def records(scale: Sequence[Yardstick]) -> list[dict[str, Any]]:
    """Return yardsticks as JSON values."""
    return [asdict(row) for row in scale]
