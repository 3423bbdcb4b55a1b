"""What the numbers of a line are, and what is told of a number and of a line by the words around it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from diagnose.logs import line_patterns as patterns
from diagnose.logs.names import FOREIGN, NEUTRAL, SIDED_ERROR, SIDES, SPANS, TRAIN, meaning, side_alone, side_of, words


@dataclass
class Slot:
    """A number of a line.

    Attributes:
        what: "position", "loss", "fact", "seconds", "ratio" (a bare "3/10") or "" (nothing that is kept).
        name: of the loss, the counter or the fact.
        over: place of b in "a / b", -1 for a plain number.
        scale: of seconds.
        whole: whether an integer says nothing here (an assignment in code or settings).
        mean: place of the running mean in "1.9 (2.1)", -1 without.
        lent: whether a loss has its side from the words around it.
        first: whether it is the first number of the line.
        of_run: whether a loss is the mean of all steps, with which Hugging Face's Trainer ends.
    """

    what: str = ""
    name: str = ""
    over: int = -1
    scale: float = 1.0
    whole: bool = False
    mean: int = -1
    lent: bool = False
    first: bool = False
    of_run: bool = False


@dataclass
class Shape:
    """What the lines of a shape say.

    Attributes:
        positions, losses, facts: (place among the numbers that are used, what it is).
        used: places of these among all numbers of the line.
        side: the side that the line's losses are of without having it in their names, or that it announces.
        bar: whether it is a state of Keras's bar, a running mean over the epoch.
        tuple: the name of a loss that is followed by several values in brackets.
        settled: whether some loss of the line names its side itself.
        held_out: whether the line is of data that is not trained on, so that its own counters may be of other batches.
        ratio: whether it holds a "3/10".
        named: whether all its losses are held out by their names; `both`: whether some are and some are not.
        apart: whether it is held out or named, so that its totals are not training's.
        settings: numbers before the first loss that are settings, where the line says nowhere in the run.
        of_runs: whether its values are of folds, seeds or other runs together.
        overall: whether it begins as what is said of all, as of folds where there are any.
        unsaid: values that have the name of their side alone, of two sides at the least; they are losses too.
        passed: whether it is Keras's line of a whole pass, "32/32 - 1s - loss: 2.31".
        summary: whether it begins as what sums up the pass that the lines before it are of (a star, as DeiT's).
    """

    positions: list[tuple[int, Slot]] = field(default_factory=list)
    losses: list[tuple[int, Slot]] = field(default_factory=list)
    facts: list[tuple[int, Slot]] = field(default_factory=list)
    settings: list[tuple[int, Slot]] = field(default_factory=list)
    unsaid: list[tuple[int, Slot]] = field(default_factory=list)
    used: tuple[int, ...] = ()
    side: str = ""
    bar: bool = False
    tuple: str = ""
    settled: bool = False
    held_out: bool = False
    ratio: bool = False
    named: bool = False
    both: bool = False
    apart: bool = False
    summary: bool = False
    of_runs: bool = False
    overall: bool = False
    passed: bool = False


def only_sides(name: str) -> bool:
    """Say whether words name a side and nothing else, but for a logger's level before them."""
    return all(word in SIDES or word in patterns.LEVELS for word in words(name))


def standing(text: str) -> str:
    """Return the side whose word stands alone in a text, the last of several; not as a part of "val_acc"."""
    side = ""
    text = patterns.NO_SIDE.sub(" ", text) if "est" in text else text
    for token in patterns.ALONE.findall(text):
        word = patterns.ENUMERATED.sub("", token.strip("./-'_").lower())
        parts = tuple(word.split("_"))  # of "valid_evaluation:"; "train_eval" may be either
        named = side_of(parts) if word in TRAIN or set(parts) <= SIDES - TRAIN else ""
        side = named or side
    return side


def kept_words(name_words: tuple[str, ...]) -> list[str]:
    """Return the words of a name without those that only join the others."""
    return [word for word in name_words if word not in patterns.JOINING]


def says_plainly(name: str) -> bool:
    """Say whether a value may follow a name without a sign: every word is known, or belongs to one identifier."""
    mean = patterns.OF_MEAN.search(name)
    name = name[: mean.start()] if mean else name
    last = name.rsplit(maxsplit=1)[-1]
    if meaning(last).kind and not set(words(name)) - set(words(last)) - NEUTRAL - SIDES:
        return True
    name_words = words(name)
    known = [word for word in name_words if word in NEUTRAL or word in SIDES or word in SPANS or meaning(word).kind]
    if (name_words[-1] in SIDES or name_words[-1] in patterns.SET_WORDS) and len(known) == len(
        name_words
    ) <= 4:  # "loss on validation 2.2"
        return True
    named = meaning(name_words[-1]).kind or (name_words[-1] in SIDED_ERROR and meaning(name).kind)
    return bool(named) and len(name_words) - len(known) <= 1 and len(name_words) <= 4


def holds_little_else(shape: Shape, count: int) -> bool:
    """Say whether beside a value of unsaid meaning a line has positions alone, or losses without its side.

    Args:
        shape: of the line, as far as it is known.
        count: numbers of the line.
    """
    sides = {meaning(slot.name).held_out for _, slot in shape.losses}
    alone = {meaning(slot.name).held_out for _, slot in shape.unsaid}
    if len(sides) == len(alone) == 1 and sides != alone:
        return True
    unsided = any(m.kind == "loss" and not m.side for m in (meaning(slot.name) for _, slot in shape.losses))
    return unsided or len(shape.unsaid) + len(shape.positions) == count


def without_remark(name: str) -> str:
    """Return a loss's name without what is said of when it was taken, and with its output's name before it."""
    name = patterns.OF_OUTPUT.sub(r"\g<output> \g<name>", name) if "'" in name else name
    bare = patterns.REMARK.sub("", name) if name[-1:] in (")", "]") else name
    return bare if meaning(bare).kind or side_alone(bare) else name


def in_sentence(name: str) -> str:
    """Return a loss's name without the words of a sentence before it, as of "the model reached a training loss"."""
    for article in patterns.ARTICLE.finditer(name):
        before, rest = words(name[: article.start()]), patterns.ADJECTIVE.sub("", name[article.end() :])
        if not before:
            return in_sentence(rest)
        if article.group().strip().lower() in ("a", "an", "the") and meaning(rest).side and not meaning(rest).stem:
            return rest if meaning(rest).kind else name
        if meaning(name).kind or set(before) & (FOREIGN - patterns.BEFORE_NAME):
            break
        if meaning(rest).kind:
            return rest
    return name


def count_used(shape: Shape) -> None:
    """Count the places of a shape among those numbers alone that are used."""
    slots = [*shape.positions, *shape.losses, *shape.facts, *shape.settings]
    shape.used = tuple(sorted({place for k, slot in slots for place in (k, slot.over, slot.mean) if place >= 0}))
    at = {place: i for i, place in enumerate(shape.used)} | {-1: -1}
    for slots in (shape.positions, shape.losses, shape.facts, shape.settings):
        slots[:] = [(at[k], replace(slot, over=at[slot.over], mean=at[slot.mean], first=k == 0)) for k, slot in slots]
