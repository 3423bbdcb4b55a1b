"""What the words on a page mean: the field guide's first paragraphs. A page carries the entries of those it uses."""

from __future__ import annotations

from diagnose.gap.term_kinds import KINDS
from diagnose.glossary.entries import written

TERMS = tuple(kind.id for kind in KINDS)  # of the ledger, in its order
_WORDS = (
    "bits-per-byte", "nats-per-token", "arm", "control", "effect", "seed", "interval", "resolved", "p-value",
    "equivalence", "interaction", "noise-band", "gap", "matched", "as-reported", "canonical-reading", "overlap",
    "perplexity", "yardstick", "verbatim",
)  # fmt: skip

# id: (the word, what it means)
GUIDE = {key: (written()[key].title, written()[key].short) for key in (*_WORDS, *TERMS)}
