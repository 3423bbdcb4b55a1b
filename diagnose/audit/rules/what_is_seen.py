"""Does a prediction see what comes after it, or another document of its row?"""

from __future__ import annotations

from diagnose.audit.findings import METRIC, Audit, Rule

RULES = (
    Rule(
        "future-visible", METRIC, 10, "error",
        "no prediction depends on the tokens that come after it",
        "mask attention causally (is_causal=True, or torch.ones(T, T).tril()), pad convolutions on the left, and use "
        "no bidirectional layer",
        "A network that sees the token that it has to predict copies it: the loss falls far below what any text "
        "allows, and what the network writes is worthless. Leaks of a single token are common: a mask that is shifted "
        "by one, a norm or a pooling over time. The audit changes all tokens from a place on and asks whether any "
        "prediction before that place changes.",
        of="text",
    ),
    Rule(
        "segment-visible", METRIC, 20, "error",
        "documents that share a row do not see each other",
        "pass the segments on to attention (and restart positions and recurrent states at each document)",
        "With batches.mask = 'document' each document of a packed row should read as if it stood alone. Where one "
        "document's tokens change another's predictions, the loss depends on which documents happen to be neighbours.",
        of="runs",
    ),
)  # fmt: skip


def judge_future(audit: Audit, leak: tuple[int, int] | None, most: float) -> None:
    """Judge by the first prediction that moves, as (position, cut), and by how much predictions moved at most."""
    if leak is None:
        audit.keeps("future-visible", largest_change=most)
    else:
        what = f"the prediction at position {leak[0]} changes with tokens from position {leak[1]} on (counted from 0)"
        audit.breaks("future-visible", what, position=leak[0], cut=leak[1], largest_change=most)


def judge_segments(audit: Audit, moved: float, allowed: float) -> None:
    """Judge by how far a document's predictions move when the one before it is another."""
    if moved > allowed:
        what = f"a document's predictions move by {moved:.4f} with the one before it"
        audit.breaks("segment-visible", what, largest=moved)
    else:
        audit.keeps("segment-visible", largest_difference=moved)
