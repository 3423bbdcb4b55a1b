"""A log against its corpus: how its samples were cut from the text, and whether its loss can be true of such text.

Bits per byte need the bytes of a token. Where the log does not say what its tokens are, its number of samples may; and
since no token of text is less than a character, the loss by character is the most that the loss can come to.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.formatting import listed, plain, share
from diagnose.records.log_report import Each, LogCut, LogFinding, LogYardstick

if TYPE_CHECKING:
    from diagnose.config.recipe import Recipe
    from diagnose.data.corpus import Corpus
    from diagnose.data.split import Split

SCALE = ("xz", "PPMd of order 8")  # yardsticks that are worth their time here
FIT = 0.05  # relative: counts of samples and tokens that are taken for the same
MOST_READ = 4000  # documents that a subword tokenizer is tried on
TRAINED = (0.75, 1.05)  # share of all positions that training's samples may be, where validation's number is not known


@dataclass(frozen=True)
class Text:
    """A corpus in figures.

    Attributes:
        name: of the corpus.
        documents, bytes: of all of it.
        tokens: of all of it by kind ("word", "char", or what was given), two marks a document not included.
    """

    name: str
    documents: int
    bytes: int
    tokens: dict[str, float]

    def per_byte(self, kind: str) -> float:
        """Return tokens a byte, with the mark that ends a document."""
        return (self.tokens[kind] + self.documents) / self.bytes


def opened(data: str, split_kind: str | None, tokens: str | None) -> tuple[Text, Corpus, Split]:
    """Read a corpus and count it.

    Args:
        data: "akjv" or a file.
        split_kind: how it was divided, a recipe's `data.split`.
        tokens: "word", "char", "bpe", a tokenizer.json, or None.

    Raises:
        DiagnoseError: there is no such corpus, split or tokenizer.
    """
    from diagnose.config.recipe import Recipe
    from diagnose.data import corpus as corpora
    from diagnose.data import split as splits
    from diagnose.data.cache import cache_folder

    given: dict[str, Any] = {"data.split": split_kind} if split_kind else {}
    given |= {"data.corpus": data} if data in corpora.BUNDLED else _file(data)
    given |= {"batches.loader": "windows"} if split_kind == "windows" else {}
    if tokens in ("word", "char", "bpe"):
        given["tokenizer.kind"] = tokens
    elif tokens:
        given["tokenizer.path"] = tokens
        if not Path(tokens).is_file():
            raise DiagnoseError(f"--tokens {tokens}: neither word, char or bpe nor a tokenizer.json that exists")
    recipe = Recipe.load("quick", given)
    cache = cache_folder()
    corpus = corpora.load(recipe.data, cache)
    split = splits.split(corpus, recipe.data)
    counts = _counts(corpus)
    if tokens == "bpe" or (tokens and tokens not in counts):
        counts[tokens] = _subwords(recipe, corpus, split, cache)
    return Text(corpus.name, len(corpus), corpus.size(), counts), corpus, split


def _file(data: str) -> dict[str, Any]:
    if not Path(data).expanduser().exists():
        raise DiagnoseError(f"--data {data} does not exist; it is a file or folder of text, or akjv")
    return {"data.corpus": "file", "data.path": str(Path(data).expanduser().absolute())}


def _counts(corpus: Corpus) -> dict[str, float]:
    """Count words and characters, a part of a document in memory."""
    from diagnose.data.vocabulary import WORDS

    word = re.compile(WORDS)
    words = characters = 0
    for part, _, _ in corpus.parts():
        text = part.decode()
        words += sum(1 for _ in word.finditer(text))
        characters += len(text)
    return {"word": float(words), "char": float(characters)}


def _subwords(recipe: Recipe, corpus: Corpus, split: Split, cache: Path) -> float:
    """Return how many tokens the corpus has, from some documents spread over it."""
    from diagnose.data import tokenizer as tokenizers

    tokenizer = tokenizers.for_run(recipe.tokenizer, corpus, split, cache)
    spread = range(0, len(corpus), max(1, len(corpus) // MOST_READ))
    read = count = 0
    for part, _, _ in islice(corpus.parts(spread), MOST_READ):
        count += len(tokenizer.encode(part.decode(), add_special_tokens=False).ids)
        read += len(part)
    return count / max(read, 1) * corpus.size()


def cuts(text: Text, derived: dict[str, float], context: float) -> list[LogCut]:
    """Return the ways of cutting that fit the number of samples, the best first; none where a log does not say."""
    train, val = derived.get("train_samples", 0.0), derived.get("val_samples", 0.0)
    if not train:
        return []
    low, high = (1 - FIT, 1 + FIT) if val else TRAINED
    out: list[LogCut] = []
    for kind, tokens in text.tokens.items():
        marked = tokens + 2 * text.documents
        ways: dict[Each, float] = {"position": marked, "document": float(text.documents)}
        if context >= 2:
            ways |= {"half": 2 * marked / context, "context": marked / context}
        for each, expected in ways.items():
            ratio = (train + val) / max(expected, 1.0)
            if low <= ratio <= high and not (each == "document" and any(c.each == "document" for c in out)):
                out.append(LogCut(kind=kind, each=each, expected=expected, ratio=ratio))
    return sorted(out, key=lambda way: abs(math.log(way.ratio)))


EACH = {
    "position": "one for each {kind} token of the text",
    "half": "one for each half context of {kind} tokens",
    "context": "one for each context of {kind} tokens, without overlap",
    "document": "one for each document",
}
UNITS = {"word": "word", "char": "character"}


def overlap_findings(ways: list[LogCut], derived: dict[str, float], context: float) -> list[LogFinding]:
    """Return the finding that samples overlap, where every way of cutting that fits overlaps."""
    if not ways or not all(way.overlaps for way in ways):
        return []
    best, samples = ways[0], derived["train_samples"] + derived.get("val_samples", 0.0)
    whole = best.expected * (1 if best.each == "position" else context / 2) / max(context, 1.0)
    disjoint = f"; cut without overlap there would be {plain(whole, 0)}" if context >= 2 else ""
    unit = UNITS.get(best.kind, "subword")
    return [
        LogFinding.of(
            "overlapping-samples", "error",
            f"The log's {plain(samples, 0)} samples are {EACH[best.each].format(kind=unit)} "
            f"({plain(best.expected, 0)}; "
            f"{share(best.ratio)}){disjoint}. Samples so overlap, and a random split of them trains on validation text",
            "hold whole documents out first, then cut samples",
            samples=samples, expected=best.expected, ratio=best.ratio,
        )
    ]  # fmt: skip


def bits(loss: float, text: Text, kind: str) -> float:
    """Return a loss in nats a token as bits a byte of this text."""
    return loss * text.per_byte(kind) / math.log(2)


def implausible(
    value: float, kind: str, loss: float, text: Text, corpus: Corpus, split: Split, *, bound: bool
) -> tuple[list[LogFinding], list[LogYardstick]]:
    """Return the finding that no model of such text can be so good, and the yardsticks that were measured.

    Args:
        value: bits per byte.
        kind: of tokens that this took.
        loss: nats a token.
        text: the corpus in figures.
        corpus: what the yardsticks are measured on.
        split: how it is divided.
        bound: whether `value` is the most that the loss can come to, the tokens not being known.
    """
    from diagnose.baselines.placement import standing
    from diagnose.baselines.scoring import yardsticks
    from diagnose.data.cache import cache_folder

    scale = yardsticks(corpus, split, cache_folder(), names=list(SCALE))
    rows = [LogYardstick(name=y.name, bits_per_byte=y.bits_per_byte) for y in scale]
    placement = standing(value, scale)
    if placement is None or not placement.implausible:
        return [], rows
    best = placement.best
    unit = UNITS.get(kind, "subword")
    at_most = "at most " if bound else ""
    warning = LogFinding.of(
        "implausible", "error",
        f"A validation loss of {plain(loss)} nats a {unit} token is {at_most}{plain(value, 2)} bits per byte of "
        f"{text.name}; {best.name} needs {plain(best.bits_per_byte, 2)}",
        "check, in this order: validation text that training has seen, targets that the network can see, how the "
        "loss is averaged, and its unit",
        bits_per_byte=value, yardstick=best.bits_per_byte,
    )  # fmt: skip
    return [warning], rows


def cut_words(ways: list[LogCut]) -> str:
    """Return what the number of samples says of how they were cut."""
    if not ways:
        return ""
    return (
        "The number of samples fits "
        + listed([f"{EACH[c.each].format(kind=UNITS.get(c.kind, 'subword'))} ({share(c.ratio)})" for c in ways], "or")
        + "."
    )
