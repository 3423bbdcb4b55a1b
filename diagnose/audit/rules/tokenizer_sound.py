"""Does a tokenizer give the text back, is it the recipe's, and was it learned from training text alone?

Each token that was learned occurs in the text that it was learned from. A ready vocabulary (GPT-2's) lacks in both
texts for the most part; one learned from both has every token that training lacks in validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from diagnose.audit.findings import TEXT, Audit, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SHOWN = 24  # characters of a text that is lost
LEAKED, LEAKED_SHARE = 3, 0.9  # tokens that training text lacks; how many of these validation must hold

RULES = (
    Rule(
        "tokenizer-lossy", TEXT, 10, "error",
        "decoding the tokens gives the text back, byte for byte",
        "use byte fallback instead of an unknown token, and no normaliser (no lowercasing, no stripping)",
        "An unknown token swallows the hard words: any of them costs as little as the mark that stands for all. "
        "Lowercasing and normalising make the text easier than it is. The loss per byte is then of another, easier "
        "text.",
        of="text",
    ),
    Rule(
        "tokenizer-differs", TEXT, 20, "error",
        "the run's tokenizer is the one that its recipe makes",
        "restore tokenizer.json, or train the run again",
        "Token ids mean what the tokenizer says. With another one the same network is scored on other text.",
        of="runs",
    ),
    Rule(
        "vocabulary-leak", TEXT, 30, "warning",
        "the vocabulary was learned from the training text alone",
        "learn the tokenizer after the split, from the training documents",
        "A tokenizer that was learned from all text has tokens for words that occur in validation alone. The network "
        "never sees them in training, and that they exist at all tells it that they will come.",
        of="text",
    ),
)  # fmt: skip


class Lost(NamedTuple):
    """The first text that does not come back, where it differs, and how many do not."""

    before: str
    after: str
    lost: int
    of: int


def lossy(encode: Callable[[str], list[int]], decode: Callable[[list[int]], str], texts: Iterable[str]) -> Lost | None:
    """Return what a tokenizer loses of some texts; None where nothing is."""
    first, count, total = None, 0, 0
    for text in texts:
        total += 1
        back = decode(encode(text))
        if back != text:
            count += 1
            first = first or _difference(text, back)
    return None if first is None else Lost(*first, count, total)


def _difference(text: str, back: str) -> tuple[str, str]:
    same = next((i for i, (a, b) in enumerate(zip(text, back, strict=False)) if a != b), min(len(text), len(back)))
    part = slice(max(0, same - SHOWN // 2), same + SHOWN // 2)
    return text[part], back[part]


def judge_lost(audit: Audit, lost: Lost | None, texts: int) -> None:
    """Judge `tokenizer-lossy` by what is lost of so many texts."""
    if lost is None:
        audit.keeps("tokenizer-lossy", texts=texts)
        return
    what = f"{lost.lost:,} of {lost.of:,} validation texts do not come back: {lost.before!r} becomes {lost.after!r}"
    audit.breaks("tokenizer-lossy", what, texts=lost.lost, of=lost.of)


def judge_fingerprints(audit: Audit, of_run: str, of_recipe: str) -> None:
    """Judge `tokenizer-differs` by what identifies the run's tokenizer, and the one that its recipe makes."""
    if of_run == of_recipe:
        audit.keeps("tokenizer-differs", fingerprint=of_run)
    else:
        what = "the tokenizer.json of the run is not the one that its recipe makes"
        audit.breaks("tokenizer-differs", what, run=of_run, recipe=of_recipe)


def judge_vocabulary(audit: Audit, strings: Sequence[str], train: str, val: str) -> None:
    """Judge `vocabulary-leak` by the texts of tokens that occur in validation text alone."""
    absent = [text for text in strings if text and text not in train]
    words = [text for text in absent if text in val]
    if len(words) >= LEAKED and len(words) >= LEAKED_SHARE * len(absent):
        examples = ", ".join(repr(word) for word in sorted(words)[:3])
        what = f"{len(words)} tokens occur in validation text alone ({examples}, ...)"
        audit.breaks("vocabulary-leak", what, tokens=len(words), absent_from_training=len(absent), of=len(strings))
    else:
        measured = {"tokens": len(strings), "absent_from_training": len(absent), "of_these_in_validation": len(words)}
        audit.keeps("vocabulary-leak", **measured)
