"""What `diagnose yardstick` prints, as plain data: the scale, runs scored on the same documents, published figures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from diagnose import store
from diagnose.errors import DiagnoseError
from diagnose.yardstick.scale import yardsticks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from diagnose.corpus import Corpus
    from diagnose.split import Split

ENWIK8 = "the first 100 MB of an English Wikipedia (enwik8), another text"
MAHONEY = "M. Mahoney, About the Test Data, http://mattmahoney.net/dc/textdata.html"
RANKING = "M. Mahoney, Large Text Compression Benchmark, https://www.mattmahoney.net/dc/text.html"
# sizes in bytes of 100,000,000, the training text's own cost included: for orientation, never to be compared with
PUBLISHED = (
    ("zip", 36_445_475, MAHONEY),
    ("PPMd var. J", 21_388_296, MAHONEY),
    ("nncp v3.2 (transformer, trained as it codes)", 14_915_298, RANKING),
    ("cmix v21", 14_623_723, RANKING),
)
TRANSFORMER_XL = ("Transformer-XL, 277 M parameters", 0.99, "Dai et al. 2019, arXiv:1901.02860")


def scale_record(
    corpus: Corpus, split: Split, cache: Path, runs: Path, names: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the scale of a text as plain data.

    Args:
        corpus: the documents.
        split: which are learned from, and which are scored.
        cache: from `diagnose.cache.cache_folder`.
        runs: the folder whose finished runs are looked through.
        names: which yardsticks; None for all.

    Raises:
        DiagnoseError: as `scale.yardsticks`.
    """
    found = yardsticks(corpus, split, cache, names)
    rows = [
        {"name": one.name, "bits_per_byte": one.bits_per_byte, "low": one.low, "high": one.high, "seconds": one.seconds,
         "family": one.family, "sampled": one.sampled}
        for one in found
    ]  # fmt: skip
    return {
        "bytes": int(corpus.doc_bytes[split.scored].sum()),
        "documents": len(split.scored),
        "scored": split.scored_text,
        "training_bytes": int(corpus.doc_bytes[split.train].sum()),
        "split": split.fingerprint,
        "yardsticks": rows,
        "runs": runs_scored_on(runs, split.fingerprint),
        "published": _published(),
    }


def runs_scored_on(runs: Path, fingerprint: str) -> list[dict[str, Any]]:
    """Return the finished runs that were scored on the documents of a split; damaged ones are left out."""
    found = (_run(path, fingerprint) for path in store.entries(runs))
    return sorted((row for row in found if row), key=lambda row: float(row["bits_per_byte"]))


def _run(path: Path, fingerprint: str) -> dict[str, Any] | None:
    try:
        if store.read_json(path / "environment.json")["split"]["fingerprint"] != fingerprint:
            return None
        if store.state(path) != "finished":
            return None
        rows = store.read_columns(path, "readings", ("kind", "split", "nats", "bytes", "loss", "low", "high"))
        last = max(i for i, kind in enumerate(rows["kind"]) if (kind, rows["split"][i]) == ("final", "val"))
        bits = float(rows["nats"][last]) / math.log(2) / float(rows["bytes"][last])
        ends = [
            None if rows[end][last] is None else rows[end][last] * bits / rows["loss"][last] for end in ("low", "high")
        ]
        model = store.recipe_of(path).model.name
    except (DiagnoseError, KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return {"run": str(path), "model": model, "bits_per_byte": bits, "low": ends[0], "high": ends[1]}


def _published() -> list[dict[str, Any]]:
    rows = [
        {"name": name, "bits_per_byte": 8 * size / 1e8, "text": ENWIK8, "source": source}
        for name, size, source in PUBLISHED
    ]
    name, bits, source = TRANSFORMER_XL
    return [*rows, {"name": name, "bits_per_byte": bits, "text": ENWIK8, "source": source}]
