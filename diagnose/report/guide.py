"""The field guide: what the words on a page mean. A page carries the entries of those it uses."""

from __future__ import annotations

_BITS = """
The loss in a unit that does not depend on how text is cut into tokens: all nats spent on the validation documents,
their end marks included, divided by ln 2 and by the documents' length in UTF-8 bytes. Lower is better.
"""
_NATS = """
The cross-entropy that training code prints. It can be compared only where the tokens are the same.
"""
_EFFECT = """
Validation loss of an arm minus that of the control, in bits per byte, paired by seed and by document. Below zero is
better.
"""
_SEED = """
The number that fixes all of a run's chance: how its weights start, the order of its text, its dropout. Arms with
the same seed share all chance that the axis does not touch.
"""
_INTERVAL = """
A range made by a method that holds the true value 95 times in 100. Where several effects are compared with one
control, all their intervals together do.
"""
_RESOLVED = """
The interval leaves zero out. Not resolved means that these runs cannot tell, not that there is no effect.
"""
_P_VALUE = """
How often chance alone would make at least so large a difference if the arms were equal; raised by Holm's method for
the number of comparisons made.
"""
_NOISE = """
The range in which 95 % of the differences between two equal arms would fall that differ in their seeds alone.
"""
_GAP = """
Validation loss minus training loss. Above zero, the network does worse on text that it was not trained on.
"""
_ALIKE = """
Both losses under the same conditions: dropout off, plain cross-entropy, the same weights, each document on its own.
"""
_REPORTED = """
What the run logged while it trained, under the conditions that its recipe states for each of the two losses.
"""
_CANONICAL = """
Each validation document read on its own after a start mark, long ones in overlapping windows, so that every byte is
scored exactly once. Runs are compared by it.
"""
_OVERLAP = """
Documents that runs are compared on and that also occur in the training text, word for word or nearly.
"""

_TERMS = {
    "lag": """What changes when the final weights read the very batches, with the very dropout masks, that the reported
training loss was averaged over: the weights moved meanwhile. Exact for the run.""",
    "recency": """Earlier training batches against those of the reported loss, under the same weights: the latest were
trained on last, and may be harder or easier by chance.""",
    "mode": """What dropout and the like do to the loss: on for one of the two losses, off for the other.""",
    "objective": """What training minimises beside the plain cross-entropy: label smoothing, weight decay.""",
    "precision": """Computing one loss in lower precision than the other.""",
    "reduction": """How losses of targets become one number: whether padding counts, whether means are taken of
batches or of sequences first.""",
    "collation": """How documents become rows: cut, packed, padded, kept apart or not.""",
    "unseen": """Text of the same kind that training has not seen against training text, all else alike: what is often
called the generalisation gap.""",
    "leak": """The whole validation text against the part of it (or the reserve) that training has not seen. Below zero:
having seen it makes the loss lower. The two are different documents.""",
    "draw": """The one validation batch that was reported against the whole validation text: its luck.""",
    "residual": """What was read again minus what was logged. Nothing, where the record holds.""",
}
_EQUIVALENCE = """Whether an effect is shown to be no larger than a margin that is stated beforehand (two one-sided
tests, Schuirmann 1987). An effect that is not resolved is not thereby small; a small one may still be resolved."""
_INTERACTION = """By how much a level of one axis changes the effect of a level of another. Where it is zero the effects
of the two add up."""
TERMS = tuple(_TERMS)  # of the ledger, in its order

# id: (the word, what it means)
GUIDE = {
    key: (word, " ".join(text.split()))
    for key, word, text in (
        ("bits-per-byte", "bits per byte", _BITS),
        ("nats-per-token", "nats per token", _NATS),
        ("arm", "arm", "One of the set-ups that are compared, trained once for each seed."),
        ("control", "control", "The arm that the others are compared with."),
        ("effect", "effect", _EFFECT),
        ("seed", "seed", _SEED),
        ("interval", "interval", _INTERVAL),
        ("resolved", "resolved", _RESOLVED),
        ("p-value", "p-value", _P_VALUE),
        ("equivalence", "equivalence", _EQUIVALENCE),
        ("interaction", "interaction", _INTERACTION),
        ("noise-band", "noise of equal arms", _NOISE),
        ("gap", "gap", _GAP),
        ("measured-alike", "measured alike", _ALIKE),
        ("as-reported", "as reported", _REPORTED),
        ("canonical-reading", "whole validation text", _CANONICAL),
        ("overlap", "overlap", _OVERLAP),
        *((term, term, text) for term, text in _TERMS.items()),
    )
}
