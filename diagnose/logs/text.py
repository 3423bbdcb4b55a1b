"""Free text: the lines that training loops print, whoever wrote them.

A line is read by its shape (`shape.py`), and shapes are kept, so that time grows with the line's length alone. What a
line does not say itself it has from the lines before: a value without a position belongs to the position that was named
last, and a loss without a side, where the log names none elsewhere, to the side of the heading above it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from diagnose.logs import headings, running_means
from diagnose.logs import line_patterns as patterns
from diagnose.logs.commas import Commas
from diagnose.logs.digits_of import decimals
from diagnose.logs.given_names import GivenNames
from diagnose.logs.grid import Grid
from diagnose.logs.line_lists import Lists
from diagnose.logs.line_plans import (
    BARE,
    DIGIT,
    EMPTY,
    JOINED,
    MOST_HEADING,
    Plan,
    has_any,
    masked,
    names_run,
    planned,
    shape_key,
)  # fmt: skip
from diagnose.logs.line_words import Shape, standing
from diagnose.logs.names import FOREIGN_LETTERS, meaning, translated
from diagnose.logs.series import NAN, Log, LogRow
from diagnose.logs.shape import shape_of
from diagnose.logs.side_table import SideTable
from diagnose.logs.text_state import MOST_ENDS, MOST_TRIED, TextState
from diagnose.logs.tools import MOST_TOLD, Tools
from diagnose.logs.whole_lines import whole_lines
from diagnose.logs.written_numbers import (
    BELOW_ONE,
    has_decimal_comma,
    of_julia,
    parts_at_commas,
    parts_of_julia,
    to_float,
    unwrapped,
    with_points,
    without_points,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

OF_ALL_STEPS = "Training's loss is the mean of all steps of the run, early ones too; set logging_steps to see the last."
MOST_SHAPES = 4096  # kept
MOST_PLANS = 8192  # kept
MOST_KEPT = 600  # characters of a line whose shape is kept
RATIO = re.compile(r"\d\s?/\s?\d|\d%")
NO_NUMBER = ("nan", "inf")
ENDED = re.compile(
    r"\bepoch\W{0,3}\d{1,9}\W{0,3}(?:is|has)?\s?(?:finished|completed?|done|ended)\W{0,4}$", re.IGNORECASE
)


class TextReader(TextState):
    """Reads lines."""

    def __init__(self, columns: dict[str, str] | None = None) -> None:
        super().__init__()
        self.grid = Grid(columns or {}, self.log)
        self.given = GivenNames(columns) if columns else None
        self.measures = SideTable()
        self.tools = Tools()
        self._shapes: dict[str, Shape] = {}
        self._plans: dict[str, Plan] = {}
        self.lists = Lists()
        self.commas = Commas()

    def read(self, lines: Iterable[tuple[str, bool]]) -> Log:
        """Read a whole log."""
        for block in whole_lines(lines):
            for (line, bar), key in zip(block, masked([line for line, _ in block]), strict=True):
                self._line(line, bar, key)
        self.log.tool = self.tools.likeliest
        self.commas.settle(self.log)
        self._without_last()
        self._evaluated_alone()
        headings.settle(self.log)
        running_means.settle(self.log)
        self.lists.settle(self.log)
        self._late_epochs()
        self.grid.settle()
        if not self.grid.active and self.log.swept():
            self.log.headings += zip(self.log.sweep.places, self.log.sweep.heads, strict=True)
            self.log.headings.sort()
            self.log.sweep.open = False
        return self.log

    def _line(self, line: str, bar: bool, key: str) -> None:
        self.before, self.now = self.now, line
        plan = self._plans.get(key)
        if plan is BARE:
            return
        if self.lists.open:
            self.lists.go_on(line)
            return
        row = self.grid.active and self.grid.row(line, key)
        if row is not False:
            if row is not True:
                self._row(row)
            return
        if self.measures.columns and self._sides(line):
            return
        if plan is None or (plan.literals and not plan.fits(line)):
            self._anew(line, bar, key)
        elif plan.shape is EMPTY:
            return
        elif plan.parts:
            self._planned(plan, plan.joint.join([line[part] for part in plan.parts]), bar)
        else:
            self._planned(plan, line, bar)

    def _planned(self, plan: Plan, line: str, bar: bool) -> None:
        """Read a line as its plan says."""
        shape = plan.shape
        decides = self.headed or self.over or self.of_runs  # whether lines of losses are not what they say alone
        decides = decides or (bool(shape.settings) and self.log.sweep.open)
        if self.tried < MOST_TRIED and not (bar or shape.bar):
            decides = decides or bool(self.unplaced) or not plan.places
        if not plan.values or decides or self.log.rows < MOST_TOLD or not self._quick(plan, line, bar):
            self._take(plan, [line[part] for part in plan.slices], bar, line)

    def _row(self, row: LogRow) -> None:
        """Take a table's row: a loss without a side may have that of the heading above, as in lines."""
        if self.grid.sided:
            row.epoch = self.epoch
            row.step, row.iteration, row.update, row.batch = (
                self.counters.at.get(name, NAN) for name in ("step", "iteration", "update", "batch")
            )
        if self.headed:
            named = {name: value for name, value in row.values.items() if not meaning(name).side}
            row.values |= {headings.under(self.above, name): value for name, value in named.items()}
        self.log.add(row)

    def _quick(self, plan: Plan, line: str, bar: bool) -> bool:
        """Take a line of losses as `_values` does, where its plan says that nothing is to be decided; say whether."""
        log, shape = self.log, plan.shape
        if shape.passed and self._evaluates(shape):
            return False
        positions = self._places(plan, line)
        if positions is None:
            return False
        if plan.seconds:
            self.seconds = float(line[plan.seconds]) * plan.scale
        if positions:
            self.counters.at = positions
            self.group += 1
        at = positions or ({} if shape.bar else self.counters.at)
        self.lately = ""
        row = self._row_at(at, shape, {}, bar=bar, group=self.group if shape.bar else 0)
        log.rows += 1
        for name, part in plan.values:
            series = log.series.get(name)
            if series is None:
                log.names_left += 1
            else:
                series.add(log.rows, row, float(line[part]))
        return True

    def _places(self, plan: Plan, line: str) -> dict[str, float] | None:
        """Return the positions that a line names, its epoch taken; None where a counter is beyond its total."""
        positions: dict[str, float] = {}
        for name, part, over, total in plan.places:
            value = float(line[part])
            if over:
                if (value > total and plan.shape.ratio) or (plan.shape.passed and self._pass(value, total)):
                    return None
                self.counters.runs_to(over, total)
            if name == "epoch":
                self.inside = True
                if value != self.epoch:
                    self._epoch(value)
            elif name:
                positions[name] = value
        return positions

    def _take(self, plan: Plan, numbers: list[str], bar: bool, line: str) -> None:
        if plan.shape.losses or plan.shape.tuple:
            if not plan.shape.positions:
                self._title(line)
            if plan.shape.settings and plan.slices and self.log.sweep.open:
                self._sweep(plan, numbers, line)
            self._values(plan.shape, numbers, bar, line)
        else:
            self._between(plan, numbers, line)

    def _anew(self, raw: str, bar: bool, key: str) -> None:
        """Read a line by its words, and plan how lines that differ from it in digits alone are read."""
        line = translated(raw) if not raw.isascii() and FOREIGN_LETTERS.search(raw) else raw
        if line.rstrip()[-1:] == "[" and self.lists.begins(line):
            return
        if not DIGIT.search(line) and not has_any(NO_NUMBER, line.lower()):
            if self._without_numbers(line):
                self._keep(key, BARE)
            return
        if self._sides(line) or ("[" in line and self.lists.begins(line)) or self.lists.row(line):
            return
        if self.grid.header_with_digits(line):
            return
        bare = unwrapped(line)
        written = bare if line is raw else raw
        raw, line = of_julia(written), of_julia(bare)
        line = without_points(line)
        comma = has_decimal_comma(line, key)
        line = with_points(line) if comma else line
        joined = JOINED.sub(r"\1 \2", line)
        if not patterns.NUMBER.search(joined):
            if self._without_numbers(line):
                self._keep(key, Plan(EMPTY))
            return
        parts = patterns.NUMBER.split(joined, patterns.MOST_NUMBERS)
        shape = self._shapes.get(shape_key(parts)) or self._shaped(line, parts)
        plan = planned(with_points(raw) if comma else raw, key, shape, parts[1::2])
        if plan is not None and not (comma and raw != written):
            at, joint = (parts_at_commas(raw), ".") if comma else (parts_of_julia(written), "e")
            self._keep(key, replace(plan, parts=at, joint=joint) if comma or raw != written else plan)
        if shape is not EMPTY:
            self.commas.decimal = self.commas.decimal or bool(shape.losses and (comma or BELOW_ONE.search(line)))
            self._take(plan or Plan(shape, names=names_run(line)), [parts[2 * i + 1] for i in shape.used], bar, line)

    def _keep(self, key: str, plan: Plan) -> None:
        if len(key) < MOST_KEPT:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            self._plans[key] = plan

    def _sides(self, line: str) -> bool:
        """Take a row of a table that has a column for each side; return whether the line is one."""
        values = self.measures.row(line)
        if values:
            self.log.add(LogRow(values, epoch=self.epoch))
        return values is not None

    def _shaped(self, line: str, parts: list[str]) -> Shape:
        """Return a line's shape, and keep it."""
        shape, key, texts = EMPTY, shape_key(parts), parts[::2]
        low = translated(line.lower())
        if (
            (self.given and self.given.stand_in(low))
            or has_any(patterns.SPEAKS, low)
            or RATIO.search(line)
            or (line[:1] == "[" and len(line) < MOST_KEPT)
        ):
            if patterns.MISSING.search(line):
                texts = [patterns.MISSING.sub("| ", text) for text in texts]
            shape = shape_of(texts, parts[1::2], self.given)
        elif names_run(line):
            shape = Shape()
        if len(key) < MOST_KEPT:
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
            self._shapes[key] = shape
        return shape

    def _without_numbers(self, line: str) -> bool:
        """Take a heading, or the header of a table; return whether the line is neither."""
        low = line.lower()
        heads = len(line) <= MOST_HEADING * 4 and (
            has_any(patterns.HEADS, low) or bool(self.given and self.given.stand_in(low))
        )
        names = names_run(line)
        if not heads and not names:
            return True
        if heads and (self._sides(line) or self.grid.header(line)):
            return False
        self.of_runs = bool(patterns.OF_RUNS.search(line))
        side = standing(line) if heads and len(line) < MOST_HEADING else ""
        self._head(side)
        self.opens = bool(side) and line.rstrip().endswith(":")
        if names:
            self.log.heading(line.strip())
        return False

    def _between(self, plan: Plan, numbers: list[str], line: str) -> None:
        """Take a line that holds no loss: where the run is, a heading, settings."""
        shape = plan.shape
        self._facts(shape, numbers)
        positions = self.counters.named(shape, numbers, self.above, lone=True)
        self.of_runs = shape.of_runs and not positions
        if plan.names:
            self.log.heading(line.strip())
        if "epoch" in positions:
            self.over, self.closed = bool(ENDED.search(line)), NAN
            if len(self.ends) < MOST_ENDS:
                self.ends.append((self.log.rows, positions["epoch"]))
            self._epoch(positions.pop("epoch"))
        if shape.side and len(line) < MOST_HEADING:
            self._head(shape.side)
        if positions and not shape.side.startswith("v") and not shape.side.startswith("te"):
            if self.counters.passed(positions, "step", "iteration", "update"):
                self.above = self.above if self.above == "train" else ""
            self.counters.at = positions
            self.group += 1

    def _values(self, shape: Shape, numbers: list[str], bar: bool, line: str) -> None:
        """Take a line that holds losses."""
        log = self.log
        if log.rows < MOST_TOLD:
            self.tools.see(line)
        self._facts(shape, numbers)
        positions = self.counters.named(shape, numbers, self.above)
        placed = bool(positions)
        self.of_runs = not positions and (self.of_runs or shape.of_runs or (shape.overall and self._folded()))
        self._passes(shape, numbers)
        if self.over:
            self._goes_on(shape, positions, line)
        if "epoch" in positions:
            epoch = positions.pop("epoch")
            self.inside = True
            if epoch != self.epoch:
                self._epoch(epoch)
        above = self._above(shape, positions) if self.above else ""
        aside = shape.side in ("val", "test") or self.counters.elsewhere
        progress = aside and shape.ratio and not positions
        at = positions or ({} if shape.bar else self.counters.at)
        if shape.tuple:
            log.tuples += 1
            log.example = shape.tuple
        texts, means = self._read(shape, numbers, progress=progress, positions=positions, above=above)
        values = {name: to_float(text) for name, text in texts.items()}
        if not values:
            return
        self.opens = False
        if positions and not aside and above not in ("val", "test"):
            self.counters.at = positions
            self.group += 1
        self.lately = shape.side if aside and progress else self.lately if shape.summary else ""
        row = self._row_at(at, shape, values, bar=bar, group=self.group if progress or shape.bar else 0)
        if self.tried < MOST_TRIED and not bar:
            self._again(row, placed=placed)
        row.told = {name: decimals(text) for name, text in texts.items()} if log.rows < MOST_TOLD else None
        self._added(row, texts, means, "" if positions or bar else line, aside=aside or shape.named)

    def _read(
        self, shape: Shape, numbers: list[str], *, progress: bool, positions: dict[str, float], above: str
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return the losses of a line by name, and their running means; `above` is the side of the heading above."""
        values: dict[str, str] = {}
        means: dict[str, str] = {}
        self.repeated = {}
        for k, slot in shape.losses:
            text = numbers[slot.mean if (progress or shape.summary) and slot.mean >= 0 else k]
            name = f"{slot.name} over runs" if self.of_runs else self._summed(shape, slot.name, positions)
            if name in values:
                self.repeated[name] = text
            if name in values or (slot.whole and text.isdigit() and name not in self.log.series):
                continue
            if slot.of_run and self._beside_steps(name, text):
                continue
            if slot.lent and name not in self.log.series:
                self.log.lent.add(name)
            under = self.headed and not shape.side and not meaning(name).side
            for key in (name, headings.under(above, name)) if under else (name,):
                values[key] = text
                if slot.mean >= 0:
                    means[key] = numbers[slot.mean]
                if "," in text:
                    self.commas.see(key, text)
        return values, means

    def _beside_steps(self, name: str, text: str) -> bool:
        """Take a mean of all steps; return whether the log has losses of some of them, beside which it is none."""
        log = self.log
        log.facts["run_mean"] = to_float(text)
        others = (meaning(other) for other in log.series.keys() - log.of_all_steps)
        if any(other.kind == "loss" and not other.held_out for other in others):
            return True
        log.notes += [] if log.of_all_steps else [OF_ALL_STEPS]
        log.of_all_steps.add(name)
        return False


def read_text(lines: Iterable[tuple[str, bool]], columns: dict[str, str] | None = None) -> Log:
    """Read a log of free text."""
    return TextReader(columns).read(lines)
