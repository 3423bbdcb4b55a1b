"""Where in the run a text is while it is read: counters, the epoch, the heading above, the pass that goes on."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from diagnose.logs import headings, running_means
from diagnose.logs.counters import Counters
from diagnose.logs.names import meaning
from diagnose.logs.row_settings import KINDS
from diagnose.logs.series import NAN, SETTINGS, Log, LogRow
from diagnose.logs.titles import MOST as MOST_TITLED
from diagnose.logs.titles import ROW_OF_RUN, TITLE, title_of
from diagnose.logs.written_numbers import alike, to_float

if TYPE_CHECKING:
    from diagnose.logs.line_plans import Plan
    from diagnose.logs.line_words import Shape

FEWEST_PLACED = 3  # values of a run, behind which another one evaluates once more
MOST_ALONE = 1024  # values without a place of a name, until which one has to be told again
MOST_TRIED = 64  # lines that name their place, within which one has to tell a value of a line above again
MOST_ENDS = 1 << 16  # lines that name an epoch
EVALUATE = "evaluate "  # before the name of a loss that Keras shows outside an epoch
MOST_NAMED = 32  # characters of a line that name a run
ELAPSED = ("elapsed", "tokens_per_step")  # stated along the run
PROGRESS = re.compile(r"\d%\s{0,3}\|")


class TextState:
    """Keeps what lines before the one that is read have said."""

    def __init__(self) -> None:
        self.log = Log("text")
        self.epoch = self.seconds = NAN
        self.counters = Counters(self.log.facts)
        self.above = ""  # side of the heading above
        self.headed = False  # whether there was one
        self.opens = False  # whether the last one opens what is below it, as "Validation:"
        self.group = 1  # of states of one pass
        self.passes = 1  # over data: each ends with its epoch, or where losses of the other side stand
        self.aside = False  # whether the last losses were held out
        self.both = NAN  # the epoch whose bar shows both losses
        self.closed = NAN  # the epoch whose Keras bar has shown its validation
        self.done = (NAN, NAN)  # the last epoch of which a pass of Keras is complete, and the batches of that pass
        self.other = False  # whether the last line is of another pass within that epoch
        self.of_runs = False  # whether the heading above is of folds or seeds together
        self.over = False  # whether the epoch that was named last is said to have ended
        self.stated: dict[str, int] = {}  # settings, and the rows before each
        self.sets = 1  # of settings
        self.lately = ""  # the side of the pass over held-out data that the last line of losses was of
        self.ends: list[tuple[int, float]] = []  # epochs that a line of their own names, with the rows until then
        self.unplaced: dict[str, float] = {}  # values since the last line that names its place itself
        self.alone: dict[str, int] = {}  # how often a name stood on lines without a place
        self.tried = 0  # such lines behind others, of which none has told a value again
        self.before = self.now = ""  # the line before, and the one that is read
        self.repeated: dict[str, str] = {}  # losses that a line names twice: their second values
        self.inside = False  # whether some line of values names its epoch itself

    def _sweep(self, plan: Plan, numbers: list[str], line: str) -> None:
        """Take the settings that a line of losses begins with."""
        fixed, scheduled = (tuple(numbers[k] for k, slot in plan.shape.settings if slot.name == kind) for kind in KINDS)
        first = plan.slices[plan.shape.settings[-1][0]].stop
        self.log.sweep.add(self.log.rows + 1, line[:first].strip(), fixed, scheduled, None)

    def _row_at(self, at: dict[str, float], shape: Shape, values: dict[str, float], *, bar: bool, group: int) -> LogRow:
        """Return the row of a line of losses at a place, and note of which epoch a bar shows both losses."""
        whole = shape.both and not bar and self.both != self.epoch
        self.both = self.epoch if shape.both and bar else self.both
        self.closed = self.epoch if shape.both and shape.passed else self.closed
        place = at.get
        return LogRow(values, place("step", NAN), self.epoch, self.seconds, bar, place("iteration", NAN),
                      place("update", NAN), place("batch", NAN), group, whole)  # fmt: skip

    def _added(self, row: LogRow, texts: dict[str, str], means: dict[str, str], line: str, *, aside: bool) -> None:
        """Add a row to the log, with its running means; both trainings that a `line` may name, under headings."""
        other = self._other_training(texts) if line else {}
        if other:
            self.log.titles.append((self.log.rows + 1, f"{TITLE}{line.strip()[:MOST_NAMED]} (first)"))
        self.log.add(row)
        self.passes += self.aside != aside
        self.aside = aside
        if means:
            running_means.add(self.log, means, replace(row, group=self.passes))
        if other:
            self.log.titles.append((self.log.rows + 1, f"{TITLE}{line.strip()[:MOST_NAMED]} (second)"))
            self.log.add(replace(row, values=other))

    def _title(self, line: str) -> None:
        """Take the run or the configuration that a line of losses names, or the line above it."""
        title = title_of(line, self.before) if self.log.rows < MOST_TITLED else ""
        if ROW_OF_RUN.match(line):
            self.log.heading(line.strip())
        elif title:
            self.log.titles.append((self.log.rows + 1, title))

    def _other_training(self, texts: dict[str, str]) -> dict[str, float]:
        """Return the losses of another training that a line names too, of both sides; none where it names one."""
        other = {name: text for name, text in self.repeated.items() if "." in text and texts.get(name) != text}
        sides = {m.held_out for name in other if (m := meaning(name)).side}
        return {name: to_float(text) for name, text in other.items()} if len(sides) == 2 else {}

    def _late_epochs(self) -> None:
        """Place values in the epochs that are named behind them, where the log names each at its end."""
        rows = [place for place, _ in self.ends]
        if self.inside or len(rows) < 2 or not rows[0] or rows[-1] != self.log.rows or len(rows) >= MOST_ENDS:
            return
        if all(earlier < later for earlier, later in itertools.pairwise(rows)):
            for series in self.log.series.values():
                series.end_epochs(self.ends)

    def _told_again(self, name: str, value: float) -> str:
        """Return under which name a value that a line tells with its place stood above it without one, "" for none."""
        told = meaning(name)
        for other, before in self.unplaced.items():
            same = other == name or meaning(other).names_loss_of(told)
            stands = same and other in self.log.series and self.log.series[other].ends_with(before)
            if stands and (before == value or (math.isfinite(value) and alike(before, value))):
                return other
        return ""

    def _again(self, row: LogRow, *, placed: bool) -> None:
        """Take values that a line tells again, with their place, out of its row: they are those of lines above."""
        if not placed:
            self.unplaced |= row.values
            for name in row.values:
                self.alone[name] = self.alone.get(name, 0) + 1
            self.tried += MOST_TRIED * (self.tried >= 0 and max(self.alone.values()) > MOST_ALONE)
            return
        told = {name: before for name, value in row.values.items() if (before := self._told_again(name, value))}
        self.tried += bool(self.unplaced) - len(told) * MOST_TRIED
        for name, before in told.items():
            self.log.series[before].tell_again(self.log.rows + 1, row, row.values[name])
        row.values = {name: value for name, value in row.values.items() if told.get(name) != name}
        self.unplaced.clear()

    def _without_last(self) -> None:
        """Take out what stands behind the run: the only value of a series that no line places, and its last."""
        for name in self.unplaced if self.tried < MOST_TRIED else ():
            series = self.log.series.get(name)
            if series and self.alone[name] == 1 and series.count > FEWEST_PLACED and meaning(name).held_out:
                series.drop_last()

    def _evaluated_alone(self) -> None:
        """Take the side off passes of Keras outside an epoch where the log has no other: it may be training's."""
        losses = [name for name in self.log.series if meaning(name).kind]
        if losses and all(name.startswith(EVALUATE) for name in losses):
            for name in losses:
                self.log.rename(name, name.removeprefix(EVALUATE))

    def _folded(self) -> bool:
        """Say whether headings name folds."""
        return any("fold" in text.lower() for _, text in self.log.headings)

    def _facts(self, shape: Shape, numbers: list[str]) -> None:
        for k, slot in shape.facts:
            if slot.what == "seconds":
                self.seconds = to_float(numbers[k]) * slot.scale
            else:
                self._setting(slot.name, to_float(numbers[k]), again=not shape.losses)

    def _setting(self, name: str, value: float, *, again: bool) -> None:
        """Take a setting; where it is stated `again` behind further values, another run may begin."""
        if again and self.stated.get(name, self.log.rows) < self.log.rows and name not in ELAPSED:
            self.sets += 1
            self.stated.clear()
            self.log.heading(f"{SETTINGS} {self.sets}")
        self.stated[name] = self.log.rows
        self.log.facts.setdefault(name, value)

    def _goes_on(self, shape: Shape, positions: dict[str, float], line: str) -> None:
        """Take the bar of a further epoch, where the log names each epoch when it has ended."""
        trains = shape.side not in ("val", "test") and not shape.named
        if "epoch" in positions or (trains and PROGRESS.search(line)):
            self.over = False
        if not self.over and "epoch" not in positions:
            self._epoch(self.epoch + 1)

    def _summed(self, shape: Shape, name: str, positions: dict[str, float]) -> str:
        """Return a loss's name with the side that the lines before it give, of a pass that it sums up or evaluates."""
        if meaning(name).side or not (shape.summary or shape.passed):
            return name
        side = EVALUATE.strip() if self._evaluates(shape) else self.lately if shape.summary and not positions else ""
        return f"{side} {name}" if side else name

    def _evaluates(self, shape: Shape) -> bool:
        """Say whether a bar of Keras is `evaluate`'s: behind an epoch's end, or without an epoch before."""
        outside = self.epoch != self.epoch or self.closed == self.epoch or self.other
        return shape.passed and not shape.both and not shape.named and outside

    def _passes(self, shape: Shape, numbers: list[str]) -> None:
        """Take where a pass of Keras is, if a line is of one."""
        for k, slot in shape.positions if shape.passed else ():
            if slot.what == "ratio":
                self._pass(to_float(numbers[k]), to_float(numbers[slot.over]))

    def _pass(self, batch: float, batches: float) -> bool:
        """Take where a pass of Keras is; return whether it is another one than the epoch's, which is complete."""
        self.other = self.done[0] == self.epoch and self.done[1] != batches
        if batch == batches and not self.other:
            self.done = (self.epoch, batches)
        return self.other

    def _above(self, shape: Shape, positions: dict[str, float]) -> str:
        """Return the side of the heading above, as far as it reaches."""
        if shape.side:
            return ""
        if self.above != "train" and self.counters.passed(positions, *positions):
            self.above = ""
        return self.above

    def _head(self, side: str) -> None:
        """Take the side of a heading; before the first one, losses without a side stood under none."""
        if side and not self.headed:
            self.headed = True
            headings.under_none(self.log)
        self.above = side or self.above

    def _epoch(self, value: float) -> None:
        """Take an epoch that is named; a heading for validation ends with its epoch."""
        if (value != self.epoch or self.epoch != self.epoch) and not self.opens:
            self.above = self.above if self.above == "train" else ""
        self.passes += value != self.epoch
        self.epoch = value
        self.group += 1
