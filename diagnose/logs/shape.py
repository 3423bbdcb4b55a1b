"""The shape of a line: what each of its numbers is, told from the words around them.

Lines of one print differ in their numbers alone, so the shape of a line (the text between its numbers) is analysed
once and kept. One rule names a number: the words right before it, back to the separator before them. One rule gives a
loss its side: a side word in its name; else the last word for a side that stands alone before it in the line.
Positions are told in `line_positions.py`, sides in `line_sides.py`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diagnose.logs import line_patterns as patterns
from diagnose.logs.line_sides import LineSides
from diagnose.logs.line_words import (
    Shape,
    Slot,
    count_used,
    holds_little_else,
    in_sentence,
    kept_words,
    says_plainly,
    standing,
    without_remark,
)
from diagnose.logs.names import NEUTRAL, SIDES, UNSAID, meaning, side_alone, side_of, words
from diagnose.logs.row_settings import setting

if TYPE_CHECKING:
    from diagnose.logs.given_names import GivenNames

SHARING = frozenset(("set", "data", "mean", "avg", "and", "over", "on", "for", "the", "it"))  # beside a side alone
FEWEST_LISTED = 3  # values of a line that holds several prints, less one


class _Line(LineSides):
    """A line with its losses and their sides."""

    def __init__(self, texts: list[str], numbers: list[str], given: GivenNames | None) -> None:
        super().__init__(texts, numbers)
        self.given = given

    def read(self) -> Shape:
        k, unit = 0, 0
        while k < len(self.numbers):
            before, after = self.texts[k][unit:][-patterns.MOST_KEY :], self.texts[k + 1]
            unit_match = None if patterns.NAMES_NEXT.match(after) else patterns.UNIT.match(after)
            slot = self._slot(k, before, after, unit_match.group() if unit_match else "")
            unit = unit_match.end() if unit_match and slot.over < 0 and unit_match.group() != " of" else 0
            if slot.over >= 0:
                k = slot.over
                trailing = patterns.UNIT.match(self.texts[k + 1])
                unit = trailing.end() if trailing else 0
            k += 1
        self._behind(self.texts[-1][unit:])
        self._twice()
        self.shape.side = self.side
        if self.shape.positions or not self.shape.losses:
            self.shape.settings.clear()
        if len({slot.name for _, slot in self.shape.unsaid}) > 1 or holds_little_else(self.shape, len(self.numbers)):
            self.shape.losses += self.shape.unsaid
        return self.shape

    def _slot(self, k: int, before: str, after: str, unit: str) -> Slot:
        """Decide what a number is."""
        tail = patterns.TAIL.search(before)
        name = before[: tail.start()] if tail else before
        arrow = patterns.ARROW.search(before)
        signs = before[len(name) :]
        assigned = bool(arrow) or ":" in signs or "=" in signs
        parts = patterns.PARTS.split(name)
        part, colon, last = parts[-1].rpartition(":") if ":" in parts[-1] else parts[-1].rpartition("=")
        quote = next((sign for sign in "'\"" if sign in signs and sign in last), "")
        last = last.rpartition(quote)[2] if quote else last
        last = "" if k == self.unnamed else last
        output = patterns.OUTPUT.search(name)
        if output and meaning(output.group(1)).kind and not side_of(words(last)):
            last, assigned = f"{output.group(1)} {last}", True
        within = last.rpartition("(")[2]  # "Test accuracy (test loss: 0.32)"
        whole = meaning(last).kind and len(words(last)) <= patterns.MOST_PARTS
        last = within if "(" in last and not whole and meaning(within).kind else last
        known = self._given(k, last)
        if known is not None:
            return known
        last = without_remark(last)
        context = " | ".join(parts[:-1]) + (f" | {part}" if colon else "")
        if len(parts) > 1:
            self.near = ""
        self._headings(context)
        changed = self._changed(k, last, context, before, assigned=assigned)
        if changed is not None:
            return changed
        if self._window(k, last, after):
            return Slot()
        over = k + 1 if k + 1 < len(self.numbers) and patterns.OVER.fullmatch(after) else -1
        if over >= 0 and self.texts[over + 1].startswith("%"):
            over = -1  # "2.31 / 18.34%": a loss and an accuracy
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
        self._no_loss(k, last, slot.what if slot else "")
        return slot or Slot(over=over)

    def _no_loss(self, k: int, name: str, what: str) -> None:
        """Take what the name of a number says that is no loss: a side, a setting."""
        if what != "loss":
            self._aside(name)
        if what in ("", "fact"):
            self._sets(k, name)

    def _window(self, k: int, name: str, after: str) -> bool:
        """Take how many values a loss is a mean over, as in "loss (avg of last 50): 2.4"; return whether it is that."""
        before = patterns.WINDOW.search(f"{name}{self.texts[k][len(self.texts[k].rstrip(' ([')) :]}")
        following = self.numbers[k + 1 : k + 2] or ("",)
        if not before or "." not in following[0] or not patterns.OF_WINDOW.match(after):
            return False
        title = f"{name} "[: before.start()].strip()
        plain = bool(before.group().strip(" ([")) or bool(re.search("[a-z]", after))
        if not plain or not meaning(title).kind or after.strip() in ("", ","):
            return False
        self.pending, self.unnamed, self.follows = title, k + 1, True
        return True

    def _sets(self, k: int, name: str) -> None:
        """Take a setting that stands before the line's losses."""
        kind = setting(name) if not self.shape.losses else ""
        if kind:
            self.shape.settings.append((k, Slot("setting", kind)))

    def _given(self, k: int, name: str) -> Slot | None:
        """Take a number whose name `--columns` gives."""
        slot = self.given.slot(name, " | ".join(self.texts[: k + 1])) if self.given else None
        if slot is None or slot.what == "position":
            return self._placed(k, slot) if slot else None
        self.shape.losses.append((k, slot))
        self.shape.settled = True
        return slot

    def _changed(self, k: int, name: str, context: str, before: str, *, assigned: bool) -> Slot | None:
        """Take the last value of "train loss 2.9 -> 2.7 -> 2.5", and of "train loss went from 2.9 to 2.5"."""
        within = before.rstrip(" :='`").endswith("(") or patterns.SAVES.search("".join(self.texts))
        changes = None if within else patterns.CHANGES.search(name)
        way = patterns.TO if changes and changes.group(1) else patterns.BECOMES
        if not way.fullmatch(self.texts[k + 1]) or "." not in (self.numbers[k + 1 : k + 2] or ("",))[0]:
            return None
        name = name[: changes.start()] if changes else name
        if not meaning(name).kind:
            return None
        last = k + 1
        while last + 1 < len(self.numbers) and way.fullmatch(self.texts[last + 1]):
            last += 1
        signs = assigned or bool(changes), False
        self._loss(last, name, context, self.texts[last + 1], "", -1, signs, before)
        return Slot("loss", over=last)

    def _behind_value(self, k: int, name: str, after: str) -> Slot | None:
        """Take a value whose name stands behind it, as in "2.31 train loss, 2.45 val loss"."""
        behind = patterns.NAME_BEHIND.match(after)
        side = side_alone(name)
        if not behind or "." not in self.numbers[k] or self.code or not (side or not words(name)):
            return None
        if behind.end() == len(after) and k + 1 < len(self.numbers):
            return None  # it is the name of the next number
        if patterns.WEIGHED.search(self.texts[k - 1] if k else "") and self.texts[k].strip() == "=":
            return None  # Caffe's "(* 2 = 0.5 loss)": what an output adds to the loss
        title = behind.group(1)
        self.unnamed = k + 1 if patterns.NEXT_VALUE.fullmatch(after[behind.end() :]) else self.unnamed
        return self._named(k, title if meaning(title).side or not side else f"{side} {title}", "")

    def _unsaid(self, k: int, name: str, after: str, unit: str, over: int) -> Slot | None:
        """Take a value that is named by its side alone, as in "train 2.31 | val 2.45"; nats say what it is."""
        side = side_alone(name)
        within = ")" in name and "(" not in name  # a bracket that opened before, as of "F1 (macro, train)"
        if not side or within or "." not in self.numbers[k] or unit.strip() or over >= 0 or self.code:
            return None
        if patterns.NATS.match(after):
            return self._named(k, f"{side} loss", "")
        self.shape.unsaid.append((k, Slot("loss", f"{side} {UNSAID}")))
        if len({slot.name for _, slot in self.shape.unsaid}) > 1:
            self.side = self.weak = ""  # they are values of these sides, and head nothing
            self.near = side if after.lstrip().startswith("(") else ""  # but for what stands in brackets behind them
            return Slot("loss")
        return None

    def _loss(
        self, k: int, name: str, context: str, after: str, unit: str, over: int, signs: tuple[bool, bool], before: str
    ) -> Slot | None:
        """Return the slot of a loss."""
        assigned, arrow = signs
        if patterns.OF.search(name) and "." in self.numbers[k]:
            name, assigned = patterns.OF.sub("", name), True
        decimal = "." in self.numbers[k] and not patterns.COUNTS_ON.match(after)
        title = self._title(name, context, before, assigned=assigned, last=k == len(self.numbers) - 1, decimal=decimal)
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
        if not title or self.code or unit or self._is_other(k, after):
            return None
        if (
            patterns.OPERATOR.search(before)
            and not arrow
            and not patterns.BRACKETED.search(before)
            and not patterns.BOLD.search(before)
        ):
            return None
        several = (before.rstrip()[-1:] in ("(", "[") and self._several(k, after)) or self._lists(k, assigned=assigned)
        if over >= 0 or several:
            fractions = several or ("." in self.numbers[k] and "." in self.numbers[over])
            self.shape.tuple = title if fractions else self.shape.tuple
        elif not self.numbers[k][-1].isalpha() or assigned or meaning(name).kind:
            return self._named(k, title, after)
        return None

    def _is_other(self, k: int, after: str) -> bool:
        """Say whether a number is a percentage, a count, a part of a calculation or of a model's file name."""
        other = (
            patterns.PERCENT.match(after)
            or self._bounds(k, after)
            or patterns.COUNTED.match(after)
            or patterns.RANGE.fullmatch(after)
        )
        return bool(other) or self._in_file_name(k) or self._calculated(k, after)

    def _bounds(self, k: int, after: str) -> bool:
        """Say whether a number is but the least of what there is, as in "10+"."""
        return bool(patterns.BOUND.match(after)) and (k + 1 == len(self.numbers) or after != "+")

    def _in_file_name(self, k: int) -> bool:
        """Say whether a number is a part of a saved model's name, as in "ssd-Epoch-3-Loss-2.5.pth"."""
        while k + 1 < len(self.numbers) and self.texts[k + 1] and not patterns.ENDS_NAME.search(self.texts[k + 1]):
            k += 1
        return bool(patterns.OF_MODEL.match(self.texts[k + 1]))

    def _counts_first(self, k: int, title: str, after: str, *, assigned: bool) -> bool:
        """Say whether an integer stands between a loss and its value, as in "Train loss 100 2.5": it is a position."""
        if patterns.INDEXED.match(after) and self.texts[k].endswith("[") and self.numbers[k].isdigit():
            self.pending = title  # "train_loss[3] = 2.5"
            return True
        self.follows = (
            not assigned and bool(patterns.GOES_ON.fullmatch(after)) and self.numbers[k].isdigit()
            and k + 1 < len(self.numbers) and "." in self.numbers[k + 1]
        )  # fmt: skip
        if self.follows:
            self.pending = title
        return self.follows

    def _calculated(self, k: int, after: str) -> bool:
        """Say whether a number is a part of a calculation; a mean beside the count that it is over is none."""
        more = k + 1 < len(self.numbers)
        if after[:1] == "*" and "*" in self.texts[k]:
            return False  # Markdown's bold
        if more and (side_alone(after) or ("/" in after and meaning(after).kind)):
            return False  # "loss: 2.5 / val 2.2"
        if more and after == " + " and "." in self.numbers[k] and self.texts[k + 2][:1] in ("", "\t"):
            return False  # the spread over folds, as LightGBM shows it
        if not more and after.strip() in ("*", "**"):
            return False  # which marks the best one
        counted = more and bool(patterns.COUNT.fullmatch(self.numbers[k + 1]))
        return bool(patterns.AFTER_OPERATOR.match(after)) and not (
            after.strip() == "*" and "." in self.numbers[k] and counted
        )

    def _several(self, k: int, after: str) -> bool:
        """Say whether a bracket that has opened holds more than one value."""
        return k + 1 < len(self.numbers) and bool(re.fullmatch(r"\s?[,;]\s?", after))

    def _lists(self, k: int, *, assigned: bool) -> bool:
        """Say whether a line is a name and values for several prints, with blanks between them."""
        if k or len(self.numbers) <= FEWEST_LISTED or any(text.strip() for text in self.texts[1:]):
            return False
        return not assigned or all("." in number for number in self.numbers)

    def _is_time(self, name: str) -> bool:
        return bool(set(words(name)) & patterns.TIMING)

    def _title(self, name: str, context: str, before: str, *, assigned: bool, last: bool, decimal: bool) -> str:
        """Return the name of a loss, "" where the words before a number are none."""
        qualified = patterns.QUALIFIED.match(before) if len(self.numbers) == 1 else None
        if qualified and meaning(qualified.group(1)).kind and not meaning(qualified.group(2)).kind:
            return f"{qualified.group(1)} {qualified.group(2)}"
        if patterns.PLACEHOLDER.search(name):
            name = patterns.PLACEHOLDER.split(name)[-1]
        bare = patterns.NEAR.sub("", patterns.COPULA.sub("", name)) if decimal else patterns.COPULA.sub("", name)
        assigned = assigned or bare != name
        name = in_sentence(bare) if assigned or decimal else bare
        name_words = words(name)
        cell = patterns.CELL.search(before) if last and not name_words and not self.pending else None
        if cell and meaning(cell.group(1)).kind:
            return " ".join(kept_words(words(cell.group(1))))
        if not name_words:
            pending, self.pending = self.pending, ""
            return " ".join(kept_words(words(pending))) if pending and (assigned or self.follows) else ""
        if not meaning(name).kind:
            return self._inherited(name_words, context, assigned=assigned)
        title_words = kept_words(name_words)
        if not assigned and not says_plainly(name):
            return ""
        telling = [word for word in name.split() if not set(words(word)) <= NEUTRAL | SIDES]
        return (
            " ".join(title_words)
            if len(telling) <= patterns.MOST_NAME and len(title_words) <= patterns.MOST_PARTS
            else ""
        )

    def _inherited(self, name_words: tuple[str, ...], context: str, *, assigned: bool) -> str:
        """Return the name of a value that has but its side, as in "loss train: 1.0, val: 1.2"."""
        if not set(name_words) <= SIDES | SHARING or not side_of(name_words):
            return ""
        around = [part for part in context.split("|") if words(part)]
        if around:
            last = meaning(around[-1])
            self.kind = " ".join(kept_words(words(around[-1])[-2:])) if last.kind and not last.side else ""
        shared = self.kind
        if not shared and name_words[0] == "learn" and assigned:
            shared = "metric"
        rest = " ".join(word for word in shared.split() if word not in SIDES)
        side = next(word for word in name_words if word in SIDES)
        return f"{side} {rest}" if rest and meaning(rest).kind else ""


def shape_of(texts: list[str], numbers: list[str], given: GivenNames | None = None) -> Shape:
    """Return the shape of a line.

    Args:
        texts: what stands before, between and behind the numbers, one more than these.
        numbers: as the line has them; only whether one is "nan" counts for the shape.
        given: names that `--columns` gives.
    """
    shape = _Line(texts, numbers, given).read()
    count_used(shape)
    trains = any(slot.name.startswith("train") for _, slot in shape.losses)
    shape.held_out = shape.side in ("val", "test") and not trains
    shape.ratio = any(slot.over >= 0 for _, slot in shape.positions)
    held_out = [meaning(slot.name).held_out for _, slot in shape.losses]
    shape.named = bool(held_out) and all(held_out) and not shape.side
    shape.both = any(held_out) and not all(held_out)
    shape.apart = shape.held_out or shape.named
    shape.overall = not shape.positions and bool(patterns.OVERALL.match(texts[0]))
    shape.of_runs = bool(patterns.OF_RUNS.search("#".join(texts)))
    shape.summary = not shape.side and bool(patterns.SUMS_UP.match(texts[0]))
    return shape
