"""Whose a line's losses are: the side words that stand before them, behind them or alone."""

from __future__ import annotations

import re

from diagnose.logs import line_patterns as patterns
from diagnose.logs.line_positions import LinePositions
from diagnose.logs.line_words import Slot, only_sides, standing
from diagnose.logs.names import SIDES, meaning, side_of, words


class LineSides(LinePositions):
    """A line with the sides of its losses."""

    def _behind(self, text: str) -> None:
        """Take the side that a line ends with: of a heading, or in brackets behind its loss."""
        side = standing(text[: patterns.MOST_KEY])
        only = len(words(text[: patterns.MOST_KEY])) == 1
        if not side or self.side or (self.shape.losses and not only):
            return
        self.side = side
        for _, slot in self.shape.losses:
            slot.name = slot.name if meaning(slot.name).side else f"{side} {slot.name}"

    def _aside(self, name: str) -> None:
        """Take the side that the name of another number has: "Validation: 100%" is a heading."""
        side = standing(name) if len(self.counters) < 2 else ""
        if side and only_sides(name):
            self.side = self.weak = side
        near = side if side and not set(words(name)) & patterns.COUNTS else self.near
        self.near = near if len(self.counters) < 2 else ""

    def _headings(self, context: str) -> None:
        """Take words for a side that stand alone."""
        side = standing(context)
        if side:
            self.side = self.weak = side

    def _dual(self, k: int, name: str) -> Slot | None:
        """Take the values of "train/val loss: 1.0/1.2", and of "losses (train/val/test) at step 5: 1.0/1.2/1.3"."""
        named = self._names_behind(k)
        if named:
            return self._each(k, named)
        parallel = self._parallel(k)
        if parallel:
            return parallel
        if self.pending and not meaning(name).kind:
            name = f"{self.pending} {self.texts[k]}"
        behind = self._sides_behind(k) if meaning(name).kind and not meaning(name).side else ""
        name = f"{name} {behind}" if behind else name
        name_words = words(patterns.COPULA.sub("", name))
        sides = [side_of((word,)) for word in name_words if word in SIDES]
        last = k + len(sides) - 1
        if len(sides) < 2 or len(set(sides)) < len(sides) or "train" not in sides or last >= len(self.numbers):
            return None
        rest = " ".join(word for word in name_words if word not in SIDES)
        apart = all(patterns.BETWEEN.fullmatch(text) for text in self.texts[k + 1 : last + 1])
        if not meaning(rest).kind or not apart or self.code:
            return None
        if "/" not in name and "&" not in name and "," not in name and " and " not in name:
            return None
        return self._each(k, [f"{side} {rest}" for side in sides])

    def _parallel(self, k: int) -> Slot | None:
        """Take a loss and what is told beside it, as in "val loss/acc: 2.2/0.6"."""
        match = patterns.PARALLEL.search(self.texts[k][-patterns.MOST_KEY :])
        if not match or k + 1 >= len(self.numbers) or self.code or "." not in self.numbers[k]:
            return None
        before, first, sign, second = match.groups()
        first = f"{before} {first}" if before and side_of(words(before)) else first
        beside = re.fullmatch(rf"\s?%?\s?{re.escape(sign)}\s?", self.texts[k + 1])
        if not beside or not meaning(first).kind or side_of(words(second)):
            return None
        self._named(k, first, "")
        if meaning(second).kind:
            side = side_of(words(first))
            self._named(k + 1, f"{side} {second}" if side else second, "")
        return Slot("loss", over=k + 1)

    def _each(self, k: int, names: list[str]) -> Slot:
        """Take several values that follow each other under their names."""
        self.shape.losses += [(place, Slot("loss", name)) for place, name in enumerate(names, k)]
        self.shape.settled, self.pending = True, ""
        return Slot("loss", over=k + len(names) - 1)

    def _last_beside(self, k: int) -> int:
        """Return the place behind the last of the values that follow each other from a place on."""
        last = k + 1
        while last < len(self.numbers) and patterns.BETWEEN.fullmatch(self.texts[last]):
            last += 1
        return last

    def _sides_behind(self, k: int) -> str:
        """Return the sides that stand in brackets behind several values, as in "loss 1.0/1.2 (train/val)"."""
        last = self._last_beside(k)
        behind = patterns.SIDES_BEHIND.match(self.texts[last])
        return behind.group() if behind and len(words(behind.group())) == last - k else ""

    def _names_behind(self, k: int) -> list[str]:
        """Return the names in brackets behind several values, as in "2.5, 2.2 (train loss, val loss)", else nothing."""
        last = self._last_beside(k)
        behind = patterns.NAMES_BEHIND.match(self.texts[last]) if last > k + 1 else None
        names = [name.strip() for name in re.split(r"[/,|]", behind.group(1))] if behind else []
        told = [meaning(name) for name in names]
        whole = len(names) == last - k and len({m.side for m in told}) == len(names)
        return names if whole and all(m.kind and m.side for m in told) else []

    def _side_behind(self, k: int, title: str, name: str, after: str) -> Slot | None:
        """Return the slot of a loss whose side stands behind its value, as in "loss 2.1 (train) | 2.3 (val)"."""
        side = patterns.SIDE_BEHIND.match(after)
        full = title or ("" if words(name) else self.unsided)
        if not side or not full or meaning(full).side or "." not in self.numbers[k] or self.code:
            return None
        self.unsided = full
        self.unnamed = k + 1 if patterns.NEXT_VALUE.fullmatch(after[side.end() :]) else self.unnamed
        return self._named(k, f"{(side.group(1) or side.group(2)).lower()} {full}", "")

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
