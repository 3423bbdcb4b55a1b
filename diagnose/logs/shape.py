"""The shape of a line: what each of its numbers is, told from the words around them.

Lines of one print differ in their numbers alone, so the shape of a line (the text between its numbers) is analysed
once and kept. One rule names a number: the words right before it, back to the separator before them. One rule gives a
loss its side: a side word in its name; else the last word for a side that stands alone before it in the line. One rule
gives a position: a counter's word right before (or "3/10" standing alone).
"""

from __future__ import annotations

import re
from dataclasses import replace

from diagnose.logs.line_words import (
    AFTER_COUNT,
    AFTER_OPERATOR,
    ALONE,
    ARROW,
    ASSIGNED,
    BAR,
    BECOMES,
    BETWEEN,
    BRACKETED,
    CELL,
    CODE,
    COPULA,
    COUNT,
    COUNTED,
    COUNTS,
    FACTS,
    GOES_ON,
    KERAS,
    LEVELS,
    LONGEST_FACT,
    MOST_KEY,
    MOST_NAME,
    MOST_PARTS,
    NAME_BEHIND,
    NATS,
    NEXT_RATIO,
    OPERATOR,
    ORDINAL,
    OVER,
    PARTS,
    PLACEHOLDER,
    RATE,
    SET_WORDS,
    SETTINGS,
    SIDE_ALONE,
    SIDE_BEHIND,
    STAR,
    TAIL,
    TIMING,
    UNIT,
    Shape,
    Slot,
)
from diagnose.logs.names import (
    FOREIGN,
    NEUTRAL,
    SIDED_ERROR,
    SIDES,
    UNSAID,
    VAL,
    counter,
    meaning,
    side_alone,
    side_of,
    words,
)

FEWEST_LISTED = 3  # values of a line that holds several prints, less one


class _Line:
    """A line while its shape is worked out, from left to right."""

    def __init__(self, texts: list[str], numbers: list[str]) -> None:
        self.texts, self.numbers = texts, numbers
        self.shape = Shape()
        self.weak = ""  # the last side that another number's name had
        self.near = ""  # the last that stood alone in the name of another number of this segment
        self.pending = self.kind = ""  # a loss whose value follows its position; the last loss named in the line
        self.follows = False  # whether the value of `pending` is the next number
        self.unsided = ""  # the loss whose sides stand behind its values, as in "loss 2.1 (train) 2.3 (val)"
        self.unnamed = -1  # the number before which the words are of the number before it
        self.percent = ""  # the counter that a percentage stands behind, as in "Epochs: 50%| | 3/6"
        self.counters: set[str] = set()  # sides that counters have: of both, neither is the line's
        self.seen: dict[str, list[tuple[Slot, str]]] = {}
        self.side = "val" if "Saving dict for global step" in texts[0] else ""  # as TensorFlow's Estimator says it
        self.code = bool(SETTINGS.search(texts[0]) or CODE.search("0".join(texts)))

    def read(self) -> Shape:
        k, unit = 0, 0
        while k < len(self.numbers):
            before, after = self.texts[k][unit:][-MOST_KEY:], self.texts[k + 1]
            found = UNIT.match(after)
            slot = self._slot(k, before, after, found.group() if found else "")
            unit = found.end() if found and slot.over < 0 and found.group() != " of" else 0
            if slot.over >= 0:
                k = slot.over
                trailing = UNIT.match(self.texts[k + 1])
                unit = trailing.end() if trailing else 0
            k += 1
        self._behind(self.texts[-1][unit:])
        self._twice()
        self.shape.side = self.side
        if len({slot.name for _, slot in self.shape.unsaid}) > 1:
            self.shape.losses += self.shape.unsaid
        return self.shape

    def _behind(self, text: str) -> None:
        """Take the side that a line ends with: of a heading, or in brackets behind its loss."""
        side = standing(text[:MOST_KEY])
        only = len(words(text[:MOST_KEY])) == 1
        if not side or self.side or (self.shape.losses and not only):
            return
        self.side = side
        for _, slot in self.shape.losses:
            slot.name = slot.name if meaning(slot.name).side else f"{side} {slot.name}"

    def _slot(self, k: int, before: str, after: str, unit: str) -> Slot:
        """Decide what a number is."""
        tail = TAIL.search(before)
        name = before[: tail.start()] if tail else before
        arrow = ARROW.search(before)
        signs = before[len(name) :]
        assigned = bool(arrow) or ":" in signs or "=" in signs
        parts = PARTS.split(name)
        part, colon, last = parts[-1].rpartition(":") if ":" in parts[-1] else parts[-1].rpartition("=")
        quote = next((sign for sign in "'\"" if sign in signs and sign in last), "")
        last = last.rpartition(quote)[2] if quote else last
        last = "" if k == self.unnamed else last
        context = " | ".join(parts[:-1]) + (f" | {part}" if colon else "")
        if len(parts) > 1:
            self.near = ""
        self._headings(context)
        if BECOMES.fullmatch(after) and k + 1 < len(self.numbers) and "." in self.numbers[k + 1] and meaning(last).kind:
            return self._changed(k, last, context, before, assigned=assigned)
        over = k + 1 if k + 1 < len(self.numbers) and OVER.fullmatch(after) else -1
        dual = self._dual(k, last)
        if dual is not None:
            return dual
        slot = self._position(k, last, before, after, unit, over, assigned=assigned)
        if slot is None:
            slot = (
                self._fact(k, last, after)
                or self._behind_value(k, last, after)
                or self._loss(k, last, context, after, unit, over, (assigned, bool(arrow)), before)
                or self._unsaid(k, last, after, unit, over)
            )
        if slot is None or slot.what != "loss":
            self._aside(last)
        return slot or Slot(over=over)

    def _changed(self, k: int, name: str, context: str, before: str, *, assigned: bool) -> Slot:
        """Take the second value of "train loss 2.9 -> 2.5"."""
        self._loss(k + 1, name, context, self.texts[k + 2], "", -1, (assigned, False), before)
        return Slot("loss", over=k + 1)

    def _behind_value(self, k: int, name: str, after: str) -> Slot | None:
        """Take a value whose name stands behind it, as in "2.31 train loss, 2.45 val loss"."""
        behind = NAME_BEHIND.match(after)
        side = side_alone(name)
        if not behind or "." not in self.numbers[k] or self.code or not (side or not words(name)):
            return None
        if behind.end() == len(after) and k + 1 < len(self.numbers):
            return None  # it is the name of the next number
        title = behind.group(1)
        return self._named(k, title if meaning(title).side or not side else f"{side} {title}", "")

    def _unsaid(self, k: int, name: str, after: str, unit: str, over: int) -> Slot | None:
        """Take a value that is named by its side alone, as in "train 2.31 | val 2.45"; nats say what it is."""
        side = side_alone(name)
        if not side or "." not in self.numbers[k] or unit.strip() or over >= 0 or self.code:
            return None
        if NATS.match(after):
            return self._named(k, f"{side} loss", "")
        self.shape.unsaid.append((k, Slot("loss", f"{side} {UNSAID}")))
        if len({slot.name for _, slot in self.shape.unsaid}) > 1:
            self.near = self.side = self.weak = ""  # they are values of these sides, and head nothing
            return Slot("loss")
        return None

    def _aside(self, name: str) -> None:
        """Take the side that the name of another number has: "Validation: 100%" is a heading."""
        side = standing(name) if len(self.counters) < 2 else ""
        if side and _only_sides(name):
            self.side = self.weak = side
        near = side if side and not set(words(name)) & COUNTS else self.near
        self.near = near if len(self.counters) < 2 else ""

    def _headings(self, context: str) -> None:
        """Take words for a side that stand alone."""
        side = standing(context)
        if side:
            self.side = self.weak = side

    def _dual(self, k: int, name: str) -> Slot | None:
        """Take both values of "train/val loss: 1.0/1.2"."""
        found = words(name)
        sides = [side_of((word,)) for word in found if word in SIDES]
        if len(sides) != 2 or sides[0] == sides[1] or "train" not in sides or k + 1 >= len(self.numbers):
            return None
        rest = " ".join(word for word in found if word not in SIDES)
        if not meaning(rest).kind or not BETWEEN.fullmatch(self.texts[k + 1]) or self.code:
            return None
        if "/" not in name and "&" not in name and "," not in name and " and " not in name:
            return None
        for place, side in zip((k, k + 1), sides, strict=True):
            self.shape.losses.append((place, Slot("loss", f"{side} {rest}")))
        self.shape.settled = True
        return Slot("loss", over=k + 1)

    def _position(
        self, k: int, name: str, before: str, after: str, unit: str, over: int, *, assigned: bool
    ) -> Slot | None:
        """Return the slot of a number that says where in the run the line is."""
        rated = bool(RATE.search(before)) or (bool(unit) and not ORDINAL.match(after))
        total_unit = UNIT.match(self.texts[over + 1]) if over >= 0 else None
        rated = rated or (bool(total_unit) and total_unit is not None and not total_unit.group().startswith("%")
                          and not total_unit.group().lower().startswith(("batch", "step", "it ", "epoch")))  # fmt: skip
        what = self._counter(name, assigned=assigned)
        if what and over >= 0 and what != "epoch" and side_of(words(name.rsplit(maxsplit=1)[-1])) in ("val", "test"):
            return Slot(over=over)  # "eval_step=3/10" counts validation's own batches
        if what and not rated and not COUNTED.match(after):
            return self._counts(k, name, what, after, over)
        stated = self._stated(k, name, before, after, over)
        if stated is not None:
            return stated
        if what and unit.startswith("%"):
            self.percent = what
        if words(name) and not (over >= 0 and standing(name) and _only_sides(name)):
            return self._leads(k, before, after) or self._seconds(k, name, unit)
        if over >= 0 and not rated and not self.texts[over + 1].startswith("/"):
            bar = k == 0 and not before.strip() and bool(KERAS.match(self.texts[over + 1]))
            self.shape.bar = self.shape.bar or bar
            dashed = k == 0 and not before.strip() and self.texts[over + 1].strip() == "-"
            self.shape.passed = self.shape.passed or bar or dashed
            self._epoch_before(k)
            titled = (k == 0 and bool(SIDE_ALONE.match(before))) or (self.percent == "epoch" and not self.counters)
            return self._placed(k, Slot("position", "epoch", over) if titled else Slot("ratio", BAR[bar], over))
        return self._leads(k, before, after) or self._seconds(k, name, unit)

    def _counts(self, k: int, name: str, what: str, after: str, over: int) -> Slot:
        """Take a counter; a number with decimals that ends a line as "loss at the end of epoch 2.5" is the loss."""
        last = k == len(self.numbers) - 1 and not after.strip()
        if self.pending and last and "." in self.numbers[k]:
            return self._named(k, " ".join(_kept(words(self.pending))), "")
        self._alone_before(name)
        return self._placed(k, Slot("position", what, over))

    def _stated(self, k: int, name: str, before: str, after: str, over: int) -> Slot | None:
        """Return the slot of a position whose word stands behind it: "3rd epoch", "val loss after 3 epochs: 2.31"."""
        counted = AFTER_COUNT.match(after) if meaning(name).kind and self.numbers[k].isdigit() else None
        if counted:
            self.pending, self.unnamed = name, k + 1
            return self._placed(k, Slot("position", counter(counted.group(1))))
        leads = not set(words(before if k == 0 else name)) - LEVELS and (k == 0 or after.startswith("epoch"))
        return self._placed(k, Slot("position", "epoch", over)) if leads and ORDINAL.match(after) else None

    def _epoch_before(self, k: int) -> None:
        """Take the first of two bare ratios in brackets, as in "[1/90][200/5005]", for the epoch."""
        last, slot = self.shape.positions[-1] if self.shape.positions else (-1, Slot())
        if slot.what == "ratio" and slot.over == k - 1 and NEXT_RATIO.fullmatch(self.texts[k]):
            self.shape.positions[-1] = last, replace(slot, what="position", name="epoch")

    def _leads(self, k: int, before: str, after: str) -> Slot | None:
        """Return the slot of a position that the line begins with."""
        leads = self._leading(k, before, after)
        return self._placed(k, Slot("position", leads)) if leads else None

    def _placed(self, k: int, slot: Slot) -> Slot:
        self.shape.positions.append((k, slot))
        return slot

    def _counter(self, name: str, *, assigned: bool) -> str:
        """Return what a name counts; a loss whose name ends in "_step" is no position, "loss at step 5" is one."""
        last = name.rsplit(maxsplit=1)[-1] if name.split() else ""
        what = counter(last) or counter(name) or ("step" if name.strip().lower() == "s" and assigned else "")
        found = words(name)
        if not what or meaning(last).kind or set(found) & (FOREIGN - {"steps", "to"}) or "size" in found:
            return ""
        rest = " ".join(word for word in name.split()[:-1])
        if meaning(rest).kind:
            self.pending = rest
        elif len(found) > 5 and not assigned:
            return ""
        return what

    def _alone_before(self, name: str) -> None:
        side = standing(name)
        self.counters |= {side} - {""}
        if side:
            self.side = self.weak = side if len(self.counters) == 1 else ""

    def _leading(self, k: int, before: str, after: str) -> str:
        """Return what a number is that the line begins with, in brackets or before a colon; "" for no position."""
        start = before.strip()
        if k == 0 and start in ("[", "(") and after[:1] == "," and re.match(r",\s{0,8}$", after):
            return "epoch"
        if k == 1 and re.match(r"^\s{0,4}[\[(]$", self.texts[0].rstrip() or " ") and after.startswith("]"):
            return "batch"
        if k == 0 and ((start == "[" and re.match(r"\]|\s?\|", after)) or (not start and re.match(r":\s", after))):
            return "iteration"
        if standing(before) and k == 0 and re.match(r"\s?\[", after):
            return "epoch"
        return ""

    def _seconds(self, k: int, name: str, unit: str) -> Slot | None:
        found = words(name)
        if unit == "s" and not found:
            return self._timed(k, 1.0)
        if found[-2:] == ("total", "time") and unit in ("m", "min", "s"):
            return self._timed(k, 1.0 if unit == "s" else 60.0)
        return None

    def _timed(self, k: int, scale: float) -> Slot:
        slot = Slot("seconds", scale=scale)
        self.shape.facts.append((k, slot))
        return slot

    def _fact(self, k: int, name: str, after: str) -> Slot | None:
        """Return the slot of a setting."""
        counted = COUNTED.match(after)
        title = ""
        if counted and counted.group(1):
            title = f"{'val' if counted.group(1).lower() in VAL | {'eval'} else 'train'}_{counted.group(2).lower()}"
        found = words(name)
        for size in range(min(LONGEST_FACT, len(found)), 0, -1):
            title = title or FACTS.get(found[-size:], "")
        if not title:
            return None
        slot = Slot("fact", title)
        self.shape.facts.append((k, slot))
        return slot

    def _loss(
        self, k: int, name: str, context: str, after: str, unit: str, over: int, signs: tuple[bool, bool], before: str
    ) -> Slot | None:
        """Return the slot of a loss."""
        assigned, arrow = signs
        title = self._title(name, context, before, assigned=assigned, last=k == len(self.numbers) - 1)
        beside = self._side_behind(k, title, name, after)
        if beside is not None:
            return beside
        if title and self._counts_first(k, title, after, assigned=assigned):
            return self._placed(k, Slot("position", "iteration"))
        side = side_of(words(name))
        if side and not title and self._is_time(name):
            self.side = self.weak = standing(name) or self.side
        self.weak = side or self.weak
        if not title and not all(word in SIDES for word in words(name)):
            self.kind = ""
        if not title or self.code or unit or COUNTED.match(after) or self._calculated(k, after):
            return None
        if OPERATOR.search(before) and not arrow and not BRACKETED.search(before):
            return None
        several = (before.rstrip()[-1:] in ("(", "[") and self._several(k, after)) or (not assigned and self._lists(k))
        if over >= 0 or several:
            fractions = several or ("." in self.numbers[k] and "." in self.numbers[over])
            self.shape.tuple = title if fractions else self.shape.tuple
        elif not self.numbers[k][-1].isalpha() or assigned or meaning(name).kind:
            return self._named(k, title, after)
        return None

    def _side_behind(self, k: int, title: str, name: str, after: str) -> Slot | None:
        """Return the slot of a loss whose side stands behind its value, as in "loss 2.1 (train) | 2.3 (val)"."""
        side = SIDE_BEHIND.match(after)
        full = title or ("" if words(name) else self.unsided)
        if not side or not full or meaning(full).side or "." not in self.numbers[k] or self.code:
            return None
        self.unsided = full
        return self._named(k, f"{side.group(1).lower()} {full}", "")

    def _counts_first(self, k: int, title: str, after: str, *, assigned: bool) -> bool:
        """Say whether an integer stands between a loss and its value, as in "Train loss 100 2.5": it is a position."""
        self.follows = (
            not assigned and bool(GOES_ON.fullmatch(after)) and self.numbers[k].isdigit()
            and k + 1 < len(self.numbers) and "." in self.numbers[k + 1]
        )  # fmt: skip
        if self.follows:
            self.pending = title
        return self.follows

    def _calculated(self, k: int, after: str) -> bool:
        """Say whether a number is a part of a calculation; a mean beside the count that it is over is none."""
        counted = k + 1 < len(self.numbers) and bool(COUNT.fullmatch(self.numbers[k + 1]))
        if after == " + " and "." in self.numbers[k] and self.texts[k + 2][:1] in ("", "\t"):
            return False  # the spread over folds, as LightGBM shows it
        return bool(AFTER_OPERATOR.match(after)) and not (after.strip() == "*" and "." in self.numbers[k] and counted)

    def _several(self, k: int, after: str) -> bool:
        """Say whether a bracket that has opened holds more than one value."""
        return k + 1 < len(self.numbers) and bool(re.fullmatch(r"\s?[,;]\s?", after))

    def _lists(self, k: int) -> bool:
        """Say whether a line is a name and values for several prints, with blanks between them."""
        return k == 0 and len(self.numbers) > FEWEST_LISTED and not any(text.strip() for text in self.texts[1:])

    def _is_time(self, name: str) -> bool:
        return bool(set(words(name)) & TIMING)

    def _named(self, k: int, title: str, after: str) -> Slot:
        """Keep a loss under its name and side."""
        own = meaning(title)
        lone = len(self.numbers) == 1 and bool(ASSIGNED.match(self.texts[0]) or self.texts[0].strip()[-1:] in "=:")
        side = self.near or self.side
        slot = Slot("loss", title if own.side or not side else f"{side} {title}", whole=lone and not after.strip())
        slot.lent = slot.name != title
        if k + 1 < len(self.numbers) and re.fullmatch(r"\s{1,3}\(\s?", after) and self.texts[k + 2].startswith(")"):
            slot.mean = k + 1
        self.shape.losses.append((k, slot))
        self.shape.settled = self.shape.settled or bool(own.side)
        if not own.side:
            self.seen.setdefault(title, []).append((slot, self.weak))
        self.kind = title if own.side or side else ""  # a loss without a side has no other sides behind it
        return slot

    def _title(self, name: str, context: str, before: str, *, assigned: bool, last: bool) -> str:
        """Return the name of a loss, "" where the words before a number are none."""
        if PLACEHOLDER.search(name):
            name = PLACEHOLDER.split(name)[-1]
        name = COPULA.sub("", name)
        found = words(name)
        cell = CELL.search(before) if last and not found and not self.pending else None
        if cell and meaning(cell.group(1)).kind:
            return " ".join(_kept(words(cell.group(1))))
        if not found:
            pending, self.pending = self.pending, ""
            return " ".join(_kept(words(pending))) if pending and (assigned or self.follows) else ""
        if not meaning(name).kind:
            return self._inherited(found, context, assigned=assigned)
        kept = _kept(found)
        if not assigned and not _plainly(name):
            return ""
        return " ".join(kept) if len(name.split()) <= MOST_NAME and len(kept) <= MOST_PARTS else ""

    def _inherited(self, found: tuple[str, ...], context: str, *, assigned: bool) -> str:
        """Return the name of a value that has but its side, as in "loss train: 1.0, val: 1.2"."""
        if not all(word in SIDES or word in ("set", "mean", "avg") for word in found) or not side_of(found):
            return ""
        around = [part for part in context.split("|") if words(part)]
        if around:
            last = meaning(around[-1])
            self.kind = " ".join(_kept(words(around[-1])[-2:])) if last.kind and not last.side else ""
        shared = self.kind
        if not shared and found[0] == "learn" and assigned:
            shared = "metric"
        rest = " ".join(word for word in shared.split() if word not in SIDES)
        return f"{found[0]} {rest}" if rest and meaning(rest).kind else ""

    def _twice(self) -> None:
        """Where a line holds a name twice without a side, other numbers' names tell which is whose."""
        explicit = {slot.name for _, slot in self.shape.losses if not slot.lent}
        for _, slot in self.shape.losses:
            if slot.lent and slot.name in explicit:  # the line has that side's loss under its own name
                slot.name, slot.lent = slot.name.partition(" ")[2], False
        sides = {meaning(slot.name).side for _, slot in self.shape.losses}
        if len(sides) == 2 and "" in sides:
            self._perplexity((sides - {""}).pop())
        for slots in self.seen.values():
            if len(slots) > 1 and len({slot.name for slot, _ in slots}) == 1:
                for slot, side in slots:
                    slot.name = f"{side} {slot.name}" if side and not meaning(slot.name).side else slot.name

    def _perplexity(self, side: str) -> None:
        """Give a perplexity that names no side that of the one loss that stands beside it."""
        without = [slot for _, slot in self.shape.losses if not meaning(slot.name).side]
        if all(meaning(slot.name).kind == "perplexity" for slot in without):
            for slot in without:
                slot.name = f"{side} {slot.name}"


def _only_sides(name: str) -> bool:
    """Say whether words name a side and nothing else, but for a logger's level before them."""
    return all(word in SIDES or word in LEVELS for word in words(name))


def standing(text: str) -> str:
    """Return the side whose word stands alone in a text, the last of several; not as a part of "val_acc"."""
    side = ""
    for token in ALONE.findall(text):
        word = token.strip("./-'_").lower()
        found = side_of((word,)) if word in SIDES else ""
        side = found or side
    return side


def _kept(found: tuple[str, ...]) -> list[str]:
    return [
        word for word in found if word not in ("the", "per", "on", "for", "of", "at", "in", "after", "is", "was", "set")
    ]


def _plainly(name: str) -> bool:
    """Say whether a value may follow a name without a sign: every word is known, or belongs to one identifier."""
    last = name.rsplit(maxsplit=1)[-1]
    if meaning(last).kind and not set(words(name)) - set(words(last)) - NEUTRAL - SIDES:
        return True
    found = words(name)
    known = [word for word in found if word in NEUTRAL or word in SIDES or meaning(word).kind]
    if (found[-1] in SIDES or found[-1] in SET_WORDS) and len(known) == len(found) <= 4:  # "loss on validation 2.2"
        return True
    named = meaning(found[-1]).kind or (found[-1] in SIDED_ERROR and meaning(name).kind)
    return bool(named) and len(found) - len(known) <= 1 and len(found) <= 4


def shape_of(texts: list[str], numbers: list[str]) -> Shape:
    """Return the shape of a line.

    Args:
        texts: what stands before, between and behind the numbers, one more than these.
        numbers: as the line has them; only whether one is "nan" counts for the shape.
    """
    shape = _Line(texts, numbers).read()
    _of_used(shape)
    trains = any(slot.name.startswith("train") for _, slot in shape.losses)
    shape.held_out = shape.side in ("val", "test") and not trains
    shape.ratio = any(slot.over >= 0 for _, slot in shape.positions)
    held_out = [meaning(slot.name).held_out for _, slot in shape.losses]
    shape.named = bool(held_out) and all(held_out) and not shape.side
    shape.both = any(held_out) and not all(held_out)
    shape.apart = shape.held_out or shape.named
    shape.summary = not shape.side and bool(STAR.match(texts[0]))
    return shape


def _of_used(shape: Shape) -> None:
    """Count the places of a shape among those numbers alone that are used."""
    slots = [*shape.positions, *shape.losses, *shape.facts]
    shape.used = tuple(sorted({place for k, slot in slots for place in (k, slot.over, slot.mean) if place >= 0}))
    at = {place: i for i, place in enumerate(shape.used)} | {-1: -1}
    for slots in (shape.positions, shape.losses, shape.facts):
        slots[:] = [(at[k], replace(slot, over=at[slot.over], mean=at[slot.mean], first=k == 0)) for k, slot in slots]
