"""Does a document's loss depend on how much padding stands beside it?"""

from __future__ import annotations

from diagnose.audit.findings import METRIC, Audit, Rule, differ

RULES = (Rule(
    "padding-dependent", METRIC, 90, "error",
    "a document's loss does not depend on how much padding stands beside it",
    "mask padding in attention, count positions from each document's first token, and keep norms off padding",
    "Padding in front shifts positions, padding that is attended to dilutes attention, and norms over time mix "
    "it in: a document's loss then depends on the longest document of its batch.",
    of="text",
),)  # fmt: skip


def judge(audit: Audit, losses: tuple[float, float], size: int, padding: int, tolerance: float) -> None:
    """Judge by a row's losses with its padding and alone, and by how many tokens and how much padding it has."""
    padded, alone = losses
    if differ(padded, alone, tolerance):
        what = f"a row of {size} tokens costs {alone:.4f} alone and {padded:.4f} with {padding} of padding"
        audit.breaks("padding-dependent", what, padded=padded, alone=alone)
    else:
        audit.keeps("padding-dependent", padded=padded, alone=alone)
