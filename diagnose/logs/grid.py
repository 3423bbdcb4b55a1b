"""Tables within text: fastai's, skorch's, Markdown's, notebooks', and CSV behind other lines.

A header is a line without numbers whose cells name a loss; rows are the lines behind it with as many cells, most of
them numbers. What the columns are is decided as for a CSV file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.logs.fold_columns import RUNS
from diagnose.logs.kept_columns import MOST_SIDE, Columns, Keep
from diagnose.logs.names import SIDES, counter, meaning, side_alone, words
from diagnose.logs.series import NAN, POSITIONS, LogRow, placed_row
from diagnose.logs.table import names_of_runs
from diagnose.logs.table_fields import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.logs.series import Log

MOST_CELLS = 256
MOST_PLANS = 4096  # kept
MOST_KEY = 400  # characters of a line whose plan is kept
DECIMAL = re.compile(r"[-+]?(?:\d{1,40}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][-+]?\d{1,4})?")
WORDS_ALONE = re.compile(r"\s*(?:[A-Za-z][A-Za-z0-9_@/%()-]{0,40}\s+){2,60}[A-Za-z][A-Za-z0-9_@/%()-]{0,40}\s*")
MOST_HEADER = 600  # characters of a header with digits
MOST_LINE = 4000  # characters of a table's line
OTHER_SIDE = re.compile(r"(val(?:id(?:ation)?)?|test|eval)\s{1,4}(\d{1,12}(?:\.\d{1,20})?)", re.IGNORECASE)
TITLED = re.compile(r"[^\d=:\[({][^=:\[{]{0,30}")  # a cell that may be a column's name
NUMBERED_RUNS = RUNS | {"exp", "experiment", "config", "run_id", "run id", "trial_id"}
NOTES = ("note", "notes", "comment", "remark", "remarks")
IDENTIFIERS = re.compile(r"\s{2,40}\w{2,40}(?:\s{2,40}\w{2,40}){0,40}\s*")  # above the name of pandas' index
COMMENT = re.compile(r"^\s{0,8}(?:#|//|%)\s{0,8}(?=[A-Za-z])")  # numpy.savetxt and others begin a header so
VECTOR = re.compile(r"\[\s{0,4}[-+\d.][^\[\],]{0,40}(?:,[^\[\],]{1,40}){1,64}\]")
DASHES = re.compile(r"-{2,}|={3,}")
RULER = re.compile(r"\s{0,8}(?:-{2,200}|={3,200})(?:\s{1,8}(?:-{2,200}|={3,200})){1,64}\s*")  # below a header
SENTENCE = re.compile(r"[A-Za-z]{4}[.!]$|\.\.\.")  # how a cell ends that is a part of one
SIGNS = "|\u2502\u2503\u2506\u2551"
PROGRESS = re.compile(r"^\[[-\s\d%]{6,24}\]\s{1,8}")  # xLearn's, before the cells of a row
_PIPES = re.compile(rf"\s{{0,8}}[{SIGNS}]\s{{0,64}}")
_WIDE = re.compile(r"\s{2,}|\t")
_JOINED = re.compile(
    r"\b(train(?:ing)?|val(?:id(?:ation)?)?|test|eval(?:uation)?) (loss|acc(?:uracy)?|perplexity|ppl)\b", re.IGNORECASE
)


def _pipes(line: str) -> list[str]:
    if line.startswith(("||", "|_.")):  # how Jira and Textile begin a header
        line = line.replace("||", "|").replace("|_.", "|")
    return _PIPES.split(line.strip().strip(SIGNS).strip()) if any(sign in line for sign in SIGNS) else []


def _wide(line: str) -> list[str]:
    return _WIDE.split(PROGRESS.sub("", line.strip()))


def _tabs(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("\t")] if "\t" in line else []


def _commas(line: str) -> list[str]:
    return [cell.strip() for cell in line.split(",")] if "," in line else []


def _spaces(line: str) -> list[str]:
    return _JOINED.sub(r"\1_\2", line).split()


WAYS: tuple[Callable[[str], list[str]], ...] = (_pipes, _tabs, _commas, _wide, _spaces)


@dataclass(frozen=True)
class RowPlan:
    """Where the rows that differ in digits alone have their numbers.

    Attributes:
        values: of each loss its name and where it stands.
        places: where each position stands, in the order of `POSITIONS`, None where there is none; empty for no row.
    """

    values: tuple[tuple[str, slice], ...] = ()
    places: tuple[slice | None, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.places)


NO_ROW = RowPlan()


class Grid:
    """A table within text while it is read: its header, then its rows."""

    def __init__(self, columns: Columns, log: Log) -> None:
        self.columns, self.log = columns, log
        self.active = False
        self._way: Callable[[str], list[str]] = _wide
        self._width = 0
        self.vectors = 0  # rows whose losses are lists of several values
        self.example = ""  # the name of such a loss
        self.runs = 0  # rows of a table whose rows are runs: they are no curve
        self._names = -1  # the column that names them
        self._numbered = False  # whether it is one of folds or seeds, which have numbers
        self._numbers: list[str] = []  # of folds or seeds
        self._keep = Keep([], columns)
        self._plans: dict[str, RowPlan] = {}
        self._header = ""  # the last line that was one
        self._single = ""  # the last line of names alone, which may stand above the name of pandas' index
        self._above: list[str] = []  # the cells of the last line with as many signs as a header
        self._ways: list[tuple[Callable[[str], list[str]], list[str]]] = []

    def header(self, line: str) -> bool:
        """Take a line without numbers as a table's header; return whether it may be one."""
        if len(line) > MOST_LINE:
            return False
        if self.active and line == self._header:
            return True
        whole = line
        line = COMMENT.sub("", line)
        split = [(way, self._with_line_above(way, line)) for way in WAYS]
        ways = [(way, cells) for way, every in split for cells in _noted(every) if self._names_of(cells)]
        indexed = [line.strip(), *self._single.split()]
        if not ways and counter(line) and self._single and self._names_of(indexed):
            ways, whole = [(_spaces, indexed)], self._single
        self._single = line if line[:1] == " " and IDENTIFIERS.fullmatch(line) else ""
        if ways:
            self._ways, self._width, self.active, self._header = ways, 0, True, whole
            self._plans.clear()
        return bool(ways)

    def _names_of(self, cells: list[str]) -> bool:
        """Say whether cells are the names of columns: short, none a number, one a loss or given by `--columns`."""
        return _short(cells) and any(meaning(cell).kind or cell in self.columns.values() for cell in cells)

    def header_with_digits(self, line: str) -> bool:
        """Take a table's header that has digits in its words alone, as "f1  loss  recall@5" or "| loss | Top-10 |"."""
        return len(line) < MOST_HEADER and bool(WORDS_ALONE.fullmatch(line) or _names_alone(line)) and self.header(line)

    def _with_line_above(self, way: Callable[[str], list[str]], line: str) -> list[str]:
        """Return the names of columns, each with what the line above has for it, where a header takes two lines."""
        cells = way(line)
        if way is not _pipes:
            return cells
        above, self._above = self._above, cells
        if len(cells) == len(above) and not all(map(words, cells)):
            cells = [f"{over} {cell}".strip() for over, cell in zip(above, cells, strict=True)]
        return cells

    def settle(self) -> None:
        """Tell the log of the rows that are runs or hold lists: neither are a curve."""
        if self.vectors:
            self.log.tuples += self.vectors
            self.log.example = self.log.example or self.example
        if 1 < len(set(self._numbers)) == len(self._numbers) == self.log.rows:
            self.log.series.clear()
            self.log.runs = self.log.rows
        self.log.runs = self.log.runs or (self.runs if self.runs > 1 and not self.log.series else 0)

    @property
    def sided(self) -> bool:
        """Whether the table's rows are sides ("train", "validation") and say nowhere in the run."""
        return bool(self._keep.sides) and not self._keep.placed

    def row(self, line: str, key: str) -> LogRow | bool:
        """Return a row of the table; whether the line is one where it holds no value that is kept.

        Args:
            line: as the log has it.
            key: the same with a zero for each digit: what one such line is, all are.
        """
        plan = self._plans.get(key)
        if plan is None:
            return self._decided(line, key)
        if plan:
            return placed_row(
                {name: float(line[part]) for name, part in plan.values},
                [float(line[part]) if part else NAN for part in plan.places],
            )
        return False

    def _decided(self, line: str, key: str) -> LogRow | bool:
        """Take a line by its cells, and plan how lines that differ from it in digits alone are read."""
        if len(line) > MOST_LINE:
            return False
        aside = self._aside(line) if OTHER_SIDE.search(line) else None
        if aside is not None:
            return aside
        self._above = []
        cells = self._way(line) if self._width or self._begin(line) else []
        if not self._width and "[" in line and self._takes_lists(line):
            return True
        if not cells or len(cells) != self._width or not _values(cells):
            self._keep_plan(key, NO_ROW)
            return False
        if self._names >= 0 and number(cells[self._names]) is None:
            self.runs += 1
            return True
        row = self._keep.row(dict(enumerate(cells)))
        if row is not None:
            self._keep.sweep(dict(enumerate(cells)), row, self.log)
        if row is not None and self._numbered:
            self._numbers.append(cells[self._names])
        elif row is not None and not (self._keep.settings and self.log.sweep.open):
            self._keep_plan(key, self._planned(line, cells))
        return True if row is None else row

    def _keep_plan(self, key: str, plan: RowPlan | None) -> None:
        if plan is not None and len(key) < MOST_KEY:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            self._plans[key] = plan

    def _planned(self, line: str, cells: list[str]) -> RowPlan | None:
        """Return where the numbers of a row stand, None where it takes more than these to read it."""
        parts, at = [], 0
        for cell in cells:
            start = line.find(cell, at)
            if start < 0:
                return None
            parts.append(slice(start, at := start + len(cell)))
        keep = self._keep
        if PROGRESS.match(line) or keep.titles or len(set(keep.values.values())) < len(keep.values):
            return None
        fields = dict(enumerate(cells))  # the words that name a side are the same in all these rows
        losses = [(name, k) for k, name in keep.values.items() if number(cells[k]) is not None]
        values = [(keep.sided(name, fields), parts[k]) for name, k in losses]
        where = {role: parts[k] for role, k in keep.where.items() if number(cells[k]) is not None}
        used = [*(part for _, part in values), *where.values()]
        if not all(DECIMAL.fullmatch(line[part]) for part in used):
            return None
        return RowPlan(tuple(values), tuple(where.get(role) for role in POSITIONS))

    def _aside(self, line: str) -> LogRow | None:
        """Return a row that holds another side's loss in place of the columns, as "10  val 3.322  0.02s" of MLX-LM."""
        for way, names in self._ways:
            cells = way(line)
            beside = next(
                ((i, cell) for i, text in enumerate(cells) if i and (cell := OTHER_SIDE.fullmatch(text))), None
            )
            if beside is None or len(cells) > len(names):
                continue
            at = {role: number(cells[k]) for role, k in Keep(names, self.columns).where.items() if k < beside[0]}
            loss = next(name for name in names if meaning(name).kind)
            name = " ".join([beside[1].group(1).lower(), *(word for word in words(loss) if word not in SIDES)])
            return LogRow({name: float(beside[1].group(2))}, **{k: v for k, v in at.items() if v is not None})  # type: ignore[arg-type]
        return None

    def _takes_lists(self, line: str) -> bool:
        """Take a row whose losses are lists, as of the parts that DeepXDE prints; return whether it is one."""
        rows = [zip(names, cells, strict=True) for way, names in self._ways if len(cells := way(line)) == len(names)]
        name = next((name for row in rows for name, cell in row if meaning(name).kind and VECTOR.fullmatch(cell)), "")
        self.vectors += bool(name)
        self.example = name or self.example
        return bool(name)

    def _begin(self, line: str) -> bool:
        """Tell from the first row how cells are parted, or from the ruler above it."""
        if RULER.fullmatch(line):
            self._ways = [_by_ruler(line, self._header), *self._ways]
            return False
        for way, names in self._ways:
            cells = way(line)
            labelled = len(cells) == len(names) + 1 and (cells[0].isdigit() or _is_side(cells[0]))
            columns = ["", *names] if labelled and way in (_wide, _spaces, _pipes) else names
            if len(cells) == len(columns) and _values(cells):
                self._way, self._width = way, len(columns)
                self._plans.clear()
                self._keep = Keep(columns, self.columns)
                self._keep.sides += [k for k, cell in enumerate(cells) if _is_side(cell) and k not in self._keep.sides]
                self._names = names_of_runs(columns, cells, self._keep)
                self._numbered = self._names >= 0 and columns[self._names].strip(" *`#_").lower() in NUMBERED_RUNS
                return True
        return False


def _by_ruler(ruler: str, header: str) -> tuple[Callable[[str], list[str]], list[str]]:
    """Return how a line is cut into cells where runs of dashes stand below the names of columns, and these names."""
    starts = [dashes.start() for dashes in DASHES.finditer(ruler)]
    parts = [slice(a, b) for a, b in zip(starts, [*starts[1:], None], strict=True)]

    def cells(line: str) -> list[str]:
        return [line[part].strip() for part in parts]

    return cells, cells(header)


def _noted(cells: list[str]) -> list[list[str]]:
    """Return the names of columns; where the last one is of notes, which rows may leave out, without it too."""
    return [cells, cells[:-1]] if cells and cells[-1].strip().lower() in NOTES else [cells]


def _names_alone(line: str) -> bool:
    """Say whether the cells of a line are names: those with digits are neither numbers nor losses nor positions."""
    cells = _pipes(line) if "|" in line else []
    with_digits = [cell for cell in cells if any(sign.isdigit() for sign in cell)]
    plain = all(number(cell) is None and not meaning(cell).kind and not side_alone(cell) for cell in with_digits)
    named = plain and all(TITLED.fullmatch(cell) for cell in cells if cell)
    return len(cells) > 2 and named and not any(any(map(counter, cell.split())) for cell in with_digits)


def _short(cells: list[str]) -> bool:
    """Say whether cells are short, and none ends as what stands before a value."""
    if not 2 <= len(cells) <= MOST_CELLS or max(map(len, cells)) > 60:
        return False
    return not any(cell.endswith((":", "=")) or SENTENCE.search(cell) for cell in cells)


def _values(cells: list[str]) -> bool:
    """Say whether cells are the values of a row."""
    numbers = sum(number(cell) is not None or _is_side(cell) for cell in cells)
    if any(cell[-1:] in (":", "=") for cell in cells):
        return False
    return numbers >= 2 and 2 * numbers >= len([cell for cell in cells if cell])


def _is_side(cell: str) -> bool:
    """Say whether a cell is the word for a side."""
    return len(cell) <= MOST_SIDE and bool(cell_words := words(cell)) and set(cell_words) <= SIDES
