"""What stands beside yardsticks: runs that were scored on the same documents, and published figures of other texts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.runs import run_tables, store

if TYPE_CHECKING:
    from pathlib import Path

    from diagnose.data.corpus import Corpus
    from diagnose.data.split import Split


@dataclass(frozen=True)
class PeerRun:
    """A finished run's loss on the scored documents.

    Attributes:
        run: its folder.
        model: the network's name.
        bits_per_byte: the canonical reading of the scored text.
        low, high: 95 % interval over documents; None where it cannot be had.
        steps: that it trained.
        parameters: of the network.
    """

    run: str
    model: str
    bits_per_byte: float
    low: float | None
    high: float | None
    steps: int
    parameters: int


@dataclass(frozen=True)
class Published:
    """A figure of somebody else's, for orientation: of another text, so never to be compared with.

    Attributes:
        bits_per_byte: of all of `text`, what was learned from it included where it is a compressor's.
        source: where it stands.
    """

    name: str
    bits_per_byte: float
    text: str
    source: str


ENWIK8 = "enwik8, 100 MB of Wikipedia"
PUBLISHED = (
    Published("PPMd, variant J", 8 * 21_388_296 / 1e8, ENWIK8, "Mahoney, mattmahoney.net/dc/textdata.html"),
    Published("Transformer-XL, 277 M parameters", 0.99, ENWIK8, "Dai et al. 2019, arXiv:1901.02860"),
)


def runs_on(runs: Path, corpus: Corpus, split: Split) -> list[PeerRun]:
    """Return the finished runs of a folder that were scored on these documents, the worst first, without damaged ones.

    Args:
        runs: the folder of runs; need not be there.
        corpus: the text.
        split: which documents are learned from, and which are scored.
    """
    wanted = (corpus.fingerprint, split.fingerprint)
    peers = (_beside(path, wanted) for path in store.entries(runs))
    return sorted((peer for peer in peers if peer is not None), key=lambda peer: -peer.bits_per_byte)


def _beside(path: Path, wanted: tuple[str, str]) -> PeerRun | None:
    """Return a run as it stands beside yardsticks; None where it is of another text, unfinished or damaged."""
    try:
        environment = store.environment(path)
        prints = (environment.corpus.fingerprint, environment.split.fingerprint)
        if prints != wanted or store.state(path) != "finished":
            return None
        rows = run_tables.read_columns(path, "readings", ("kind", "step", "loss", "nats", "bytes", "low", "high"))
        last = max(place for place, kind in enumerate(rows["kind"]) if kind == "final")
        final = {name: column[last] for name, column in rows.items()}
        bits = float(final["nats"]) / math.log(2) / float(final["bytes"])
        low, high = (_in_bits(final[end], bits / float(final["loss"])) for end in ("low", "high"))
        sizes = (int(final["step"]), environment.derived.parameters)
        return PeerRun(str(path), store.recipe_of(path).model.name, bits, low, high, *sizes)
    except (DiagnoseError, KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def _in_bits(end: float | None, per_nat: float) -> float | None:
    return None if end is None or not math.isfinite(end) else float(end) * per_nat
