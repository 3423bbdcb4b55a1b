"""The scale: bits per byte of the same scored documents given the same training documents, by models without a network.

The unit is the canonical one: all bits spent on the scored documents, each document's end paid for, over their UTF-8
bytes. Intervals are over blocks of neighbouring documents; a compressor gives sums alone and has none.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from diagnose.cache import digest, entry
from diagnose.errors import DiagnoseError, nearest
from diagnose.stats import in_blocks, ratio_interval
from diagnose.yardstick import compressors, ngrams
from diagnose.yardstick.texts import texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from diagnose.corpus import Corpus
    from diagnose.split import Split
    from diagnose.yardstick.texts import Texts

FORMAT = 1  # of what the cache holds; part of its key
BLOCKS = 200  # of scored documents, at most
CHARACTERS = {f"char-{n}": n for n in range(1, 8)}  # n-grams: contexts of 0 to 6 characters
WORDS = {f"word-{n}": n for n in range(1, 6)}
FAMILIES = (
    {"uniform": "uniform"}
    | dict.fromkeys(CHARACTERS, "characters")
    | dict.fromkeys(WORDS, "words")
    | dict.fromkeys(compressors.COMPRESSORS, "compressor")
)
NAMES = tuple(FAMILIES)
QUICK = ("xz", "ppmd-8", "char-1", "char-6")


@dataclass(frozen=True)
class Yardstick:
    """What one model takes for the scored documents.

    Attributes:
        name: one of `NAMES`: "char-6" is the n-gram of six characters (a context of five).
        family: "uniform", "characters", "words" or "compressor".
        bits_per_byte: end marks included; `low` to `high` its 95 % interval, None where there is none.
        seconds: that it took; models of one family that are made together share their time.
        sampled: whether it read a sample of a corpus that is too large.
    """

    name: str
    family: str
    bits_per_byte: float
    low: float | None
    high: float | None
    seconds: float
    sampled: bool = False


def yardsticks(corpus: Corpus, split: Split, cache: Path, names: Sequence[str] | None = None) -> list[Yardstick]:
    """Return the yardsticks of a text, each computed once and then kept in the cache.

    Args:
        corpus: the documents.
        split: which are learned from, and which are scored.
        cache: from `diagnose.cache.cache_folder`.
        names: which, of `NAMES`; None for all.

    Raises:
        DiagnoseError: a name is unknown, or a side of the split holds no text.
    """
    wanted = list(NAMES if names is None else dict.fromkeys(names))
    unknown = [name for name in wanted if name not in FAMILIES]
    if unknown or not wanted:
        raise DiagnoseError(
            f"no yardstick {unknown[0]!r}{nearest(unknown[0], NAMES)}" if unknown else "name a yardstick"
        )
    keys = {name: _key(name, corpus, split) for name in wanted}
    missing = [name for name in wanted if not (cache / "yardsticks" / keys[name] / "entry.json").exists()]
    made = {one.name: one for one in _measure(texts(corpus, split), missing)} if missing else {}
    return [_kept(cache, keys[name], name, made, lambda: texts(corpus, split)) for name in wanted]


def _key(name: str, corpus: Corpus, split: Split) -> str:
    library = {"zstd": "zstandard"}.get(name, "pyppmd" if name.startswith("ppmd") else "numpy")
    return digest("yardstick", FORMAT, name, version(library), corpus.fingerprint, split.fingerprint)


def _kept(cache: Path, key: str, name: str, made: dict[str, Yardstick], read: object) -> Yardstick:
    def write(folder: Path) -> None:
        found = made.get(name) or _measure(read(), [name])[0]  # type: ignore[operator]
        (folder / "yardstick.json").write_text(json.dumps(asdict(found)), encoding="utf-8")

    folder = entry(cache, "yardsticks", key, write)
    return Yardstick(**json.loads((folder / "yardstick.json").read_text(encoding="utf-8")))


def _measure(found: Texts, names: Sequence[str]) -> list[Yardstick]:
    out = []
    if "uniform" in names:
        bits_N = np.log2(257) * (found.bytes_N + 1)  # a byte, or the end
        out.append(_made("uniform", bits_N, found, 0.0))
    for family, count in ((CHARACTERS, ngrams.character_bits), (WORDS, ngrams.word_bits)):
        orders = {name: family[name] for name in names if name in family}
        if orders:
            begun = time.perf_counter()
            sides = [[document.decode() for document in side] for side in (found.train, found.scored)]
            bits = count(sides[0], sides[1], list(orders.values()))
            took = (time.perf_counter() - begun) / len(orders)
            out += [_made(name, bits[order], found, took) for name, order in orders.items()]
    chosen = [name for name in names if name in compressors.COMPRESSORS]
    return out + [_compressed(name, found) for name in chosen]


def _made(name: str, bits_N: NDArray[np.float64], found: Texts, seconds: float) -> Yardstick:
    count = len(bits_N)
    blocks = in_blocks(count, max(1, count // BLOCKS))
    span = ratio_interval(bits_N, found.bytes_N, blocks_N=blocks)
    return Yardstick(name, FAMILIES[name], span.value, span.low, span.high, seconds, found.sampled)


def _compressed(name: str, found: Texts) -> Yardstick:
    begun = time.perf_counter()
    train, scored = (b"".join(document + found.mark for document in side) for side in (found.train, found.scored))
    bits = compressors.conditional_bits(name, train, scored) / float(found.bytes_N.sum())
    return Yardstick(name, FAMILIES[name], bits, None, None, time.perf_counter() - begun, found.sampled)
