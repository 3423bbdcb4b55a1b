"""Where in the run a line is, and what it states of the run's settings: counters, ratios, seconds, facts.

One rule gives a position: a counter's word right before the number (or "3/10" standing alone).
"""

from __future__ import annotations

import re
from dataclasses import replace

from diagnose.logs import line_patterns as patterns
from diagnose.logs.line_words import Shape, Slot, kept_words, only_sides, standing
from diagnose.logs.names import FOREIGN, VAL, counter, meaning, side_of, words


class LinePositions:
    """A line while its shape is worked out, from left to right: what was found so far, and its positions."""

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
        self.code = bool(patterns.SETTINGS.search(texts[0]) or patterns.CODE.search("0".join(texts)))

    def _position(
        self, k: int, name: str, before: str, after: str, unit: str, over: int, *, assigned: bool
    ) -> Slot | None:
        """Return the slot of a number that says where in the run the line is."""
        rated = bool(patterns.RATE.search(before)) or (
            bool(unit) and unit not in patterns.OF_ORDINAL and not patterns.ORDINAL.match(after)
        )
        total_unit = patterns.UNIT.match(self.texts[over + 1]) if over >= 0 else None
        rated = rated or (bool(total_unit) and total_unit is not None and not total_unit.group().startswith("%")
                          and not total_unit.group().lower().startswith(("batch", "step", "it ", "epoch")))  # fmt: skip
        stated = self._is_setting(name, before) or (k > 0 and patterns.OF_NUMBER_BEFORE.fullmatch(self.texts[k]))
        what = "" if stated else self._counter(name, assigned=assigned)
        if what and what != "epoch" and self._of_validation(name, over):
            return Slot(over=over)
        if what and not rated and not patterns.COUNTED.match(after):
            return self._counts(k, name, what, after, over)
        ordinal = self._stated(k, name, before, after, over)
        if ordinal is not None:
            return ordinal
        if what and unit.startswith("%"):
            self.percent = what
        if words(name) and not (over >= 0 and standing(name) and only_sides(name)):
            return self._leads(k, before, after) or self._seconds(k, name, unit)
        if over >= 0 and not rated and not self.texts[over + 1].startswith("/"):
            bar = k == 0 and not before.strip() and bool(patterns.KERAS.match(self.texts[over + 1]))
            self.shape.bar = self.shape.bar or bar
            dashed = k == 0 and not before.strip() and self.texts[over + 1].strip() == "-"
            self.shape.passed = self.shape.passed or bar or dashed
            self._epoch_before(k)
            titled = (k == 0 and bool(patterns.SIDE_ALONE.match(before))) or (
                self.percent == "epoch" and not self.counters
            )
            return self._placed(
                k, Slot("position", "epoch", over) if titled else Slot("ratio", patterns.BAR[bar], over)
            )
        return self._leads(k, before, after) or self._seconds(k, name, unit)

    def _is_setting(self, name: str, before: str) -> bool:
        """Say whether a line is "epochs = 10": how many there are to be."""
        return len(self.numbers) == 1 and before.rstrip()[-1:] == "=" and words(name)[-1:] == ("epochs",)

    def _of_validation(self, name: str, over: int) -> bool:
        """Say whether a counter is of validation's own batches: "eval_step=3/10", and mmcv's "Iter(val) [32]"."""
        if over >= 0:
            return side_of(words(name.rsplit(maxsplit=1)[-1])) in ("val", "test")
        if patterns.OF_VALIDATION.search(name):
            self._alone_before(name)
            return True
        return False

    def _counts(self, k: int, name: str, what: str, after: str, over: int) -> Slot:
        """Take a counter; a number with decimals that ends a line as "loss at the end of epoch 2.5" is the loss."""
        if "at" in words(name) and patterns.BEST & set(words("".join(self.texts[: k + 1])[: patterns.MOST_KEY])):
            return Slot(over=over)  # where the best value was
        if after == "-" and self.numbers[k].isdigit() and self.numbers[k + 1 : k + 2] and self.numbers[k + 1].isdigit():
            self._placed(k + 1, Slot("position", what))
            return Slot("position", over=k + 1)  # "minibatches 10-19"
        last = k == len(self.numbers) - 1 and not after.strip()
        if self.pending and last and "." in self.numbers[k]:
            return self._named(k, " ".join(kept_words(words(self.pending))), "")
        self._alone_before(name)
        return self._placed(k, Slot("position", what, over))

    def _stated(self, k: int, name: str, before: str, after: str, over: int) -> Slot | None:
        """Return the slot of a position whose word stands behind it: "3rd epoch", "val loss after 3 epochs: 2.31"."""
        counted = patterns.AFTER_COUNT.match(after) if meaning(name).kind and self.numbers[k].isdigit() else None
        if counted:
            self.pending, self.unnamed = name, k + 1
            return self._placed(k, Slot("position", counter(counted.group(1))))
        leads = not set(words(before if k == 0 else name)) - patterns.LEVELS and (k == 0 or after.startswith("epoch"))
        counts = after.strip().lower() == "epoch" and self.numbers[k + 1 : k + 2] and self.numbers[k + 1].isdigit()
        ordinal = (
            leads and patterns.ORDINAL.match(after) and not counts
        )  # the epoch of "1714557600 Epoch 3" is the third
        return self._placed(k, Slot("position", "epoch", over)) if ordinal else None

    def _epoch_before(self, k: int) -> None:
        """Take the first of two bare ratios in brackets, as in "[1/90][200/5005]", for the epoch."""
        last, slot = self.shape.positions[-1] if self.shape.positions else (-1, Slot())
        if slot.what == "ratio" and slot.over == k - 1 and patterns.NEXT_RATIO.fullmatch(self.texts[k]):
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
        last = last.rpartition("(")[2] or last  # "Metrics(epoch=1, train_loss=2.5)"
        what = counter(last) or counter(name) or ("step" if name.strip().lower() == "s" and assigned else "")
        name_words = words(name)
        foreign = (
            FOREIGN
            - ({"gap"} if "(" in name else set())
            - {"steps", "to"}
            - (patterns.STOPPING if "at" in name_words else set())
            - patterns.OF_OBJECTIVE
        )
        if not what or meaning(last).kind or set(name_words) & foreign or "size" in name_words:
            return ""
        rest = " ".join(word for word in name.split()[:-1])
        if meaning(rest).kind:
            self.pending = rest
        elif len(name_words) > 5 and not assigned:
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
        of_ratio = after.strip() == ":" and self.texts[k + 2 : k + 3] == ["/"]  # "[3: 10/11]"
        if k == 0 and start in ("[", "(") and (of_ratio or re.match(r",\s{0,8}$", after)):
            return "epoch"
        if k == 1 and re.match(r"^\s{0,4}[\[(]$", self.texts[0].rstrip() or " ") and after.startswith("]"):
            return "batch"
        if k == 0 and ((start == "[" and re.match(r"\]|\s?\|", after)) or (not start and re.match(r":\s", after))):
            return "iteration"
        if standing(before) and k == 0 and re.match(r"\s?\[", after):
            return "epoch"
        return ""

    def _seconds(self, k: int, name: str, unit: str) -> Slot | None:
        name_words = words(name)
        if unit == "s" and not name_words:
            return self._timed(k, 1.0)
        if name_words[-2:] == ("total", "time") and unit in ("m", "min", "s"):
            return self._timed(k, 1.0 if unit == "s" else 60.0)
        return None

    def _timed(self, k: int, scale: float) -> Slot:
        slot = Slot("seconds", scale=scale)
        self.shape.facts.append((k, slot))
        return slot

    def _fact(self, k: int, name: str, after: str) -> Slot | None:
        """Return the slot of a setting."""
        counted = patterns.COUNTED.match(after)
        title = ""
        if counted and counted.group(1):
            title = f"{'val' if counted.group(1).lower() in VAL | {'eval'} else 'train'}_{counted.group(2).lower()}"
        name_words = words(name)
        for size in range(min(patterns.LONGEST_FACT, len(name_words)), 0, -1):
            title = title or patterns.FACTS.get(name_words[-size:], "")
        if not title:
            return None
        slot = Slot("fact", title)
        self.shape.facts.append((k, slot))
        return slot

    def _named(self, k: int, title: str, after: str) -> Slot:
        """Keep a loss under its name and side."""
        named = meaning(title)
        lone = len(self.numbers) == 1 and bool(
            patterns.ASSIGNED.match(self.texts[0]) or self.texts[0].strip()[-1:] in "=:"
        )
        side = self.near or self.side
        slot = Slot("loss", title if named.side or not side else f"{side} {title}", whole=lone and not after.strip())
        slot.lent = slot.name != title
        slot.of_run = words(title) == ("train", "loss") and bool(patterns.OF_WHOLE_RUN.search("#".join(self.texts)))
        if k + 1 < len(self.numbers) and re.fullmatch(r"\s{0,3}\(\s?", after) and self.texts[k + 2].startswith(")"):
            slot.mean = k + 1
        self.shape.losses.append((k, slot))
        self.shape.settled = self.shape.settled or bool(named.side)
        if not named.side:
            self.seen.setdefault(title, []).append((slot, self.weak))
        apart = after.lstrip().startswith(")") and self.texts[k].rfind("(") > self.texts[k].rfind(")")
        self.kind = title if (named.side or side) and not apart else ""  # one without a side has none behind it
        return slot
