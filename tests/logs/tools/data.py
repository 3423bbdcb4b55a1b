"""Data for the tools: verses of the AKJV (public domain) as text and as rows of characters, and a table."""

from __future__ import annotations

import re
from typing import Any

import numpy as np


def verses(count: int = 400) -> list[str]:
    """Return the first verses of Genesis."""
    from pythonbible_akjv.plain_text_readers_bible import bible

    found = re.split(r"(?<=[.:;?!])\s+", " ".join(bible.scripture_content[:60000].split()))
    return [text for text in found if len(text) > 20][:count]


def characters(rows: int = 400, width: int = 32) -> np.ndarray:
    """Return text as rows of bytes below 128, (rows, width + 1)."""
    data = " ".join(verses(2000)).encode("ascii", "ignore")
    return np.frombuffer(data[: (width + 1) * rows], np.uint8).reshape(rows, width + 1).astype("int64") % 128


def table(rows: int = 400, seed: int = 0, *, classes: bool = True) -> tuple[Any, Any, Any, Any]:
    """Return x and y of training, x and y of validation: a noisy rule of four columns."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4)).astype(np.float32)
    score = x[:, 0] + 0.5 * x[:, 1] * x[:, 2] + rng.normal(scale=0.7, size=rows)
    y = (score > 0).astype(np.int64) if classes else score.astype(np.float32)
    cut = rows * 3 // 4
    return x[:cut], y[:cut], x[cut:], y[cut:]
