"""Lists of losses, as "train losses: [0.9, 0.7, 0.6, 0.5]" or a row of a table turned round: a value for each epoch."""

from __future__ import annotations

import itertools
import re
from array import array
from typing import TYPE_CHECKING

from diagnose.logs.line_plans import has_any
from diagnose.logs.names import counter, meaning
from diagnose.logs.series import LogRow
from diagnose.logs.written_numbers import WRAPPED, WRAPPERS

if TYPE_CHECKING:
    from diagnose.logs.series import Log

FEWEST = 4  # values of a list: fewer may be the parts of one loss
MOST = 1 << 17  # values of a list that are kept
MOST_LISTS = 64
BEGINS = re.compile(
    r"^\W{0,8}([A-Za-z][\w /.-]{0,60}?)['\")]{0,2}\s{0,4}[:=]{0,2}\s{0,4}(?:[\w.]{1,16}\()?\[(?=\s{0,4}(?:[-+.\d]|$))"
)
VALUE = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf", re.IGNORECASE)
NAMED = re.compile(r"['\"]([\w /.-]{1,60})['\"]\s{0,2}:\s{0,2}\[([^\[\]]{1,16384})\]")
PLAIN = re.compile(r"[-+.\deE,\snaif]*", re.IGNORECASE)
NUMBER = r"(?:[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|nan)"  # which matches in one way alone
ROW = re.compile(  # "| train loss | 0.9 | 0.7 | 0.6 | 0.5 |"
    r"^[\s|#*-]{0,8}([A-Za-z][\w /.()-]{0,60}?)[\s:=|,;]{1,8}"
    rf"({NUMBER}(?:[\s|,;]{{1,12}}{NUMBER}){{3,4096}})[\s|,;]*$",
    re.IGNORECASE,
)
COLUMNS = re.compile(r"^\W{0,40}((?:[A-Za-z]{2,10}[\s_]?\d{1,9}[\s|,;]{0,40}){4,64})$")  # "epoch 8   epoch 50 ..."
OF_RUNS = re.compile(r"(?<![A-Za-z])(?:fold|run|seed|trial|repeat|split)[\s_-]?\d{1,4}(?=[\s|,;]|$)", re.IGNORECASE)
DECIMAL = re.compile(r"\d\.\d")
COLUMN = re.compile(r"([A-Za-z]{2,10})[\s_]?(\d{1,9})")


class Lists:
    """The lists of a log while it is read.

    Attributes:
        open: the name of the list that goes on in the next line, "" for none.
    """

    def __init__(self) -> None:
        self.open = ""
        self._values: array[float] = array("d")
        self._lists: dict[str, array[float]] = {}
        self._places: dict[
            int, tuple[str, array[float]]
        ] = {}  # of lists of so many values: what counts, and its values
        self._runs = 0  # columns of runs, as "fold_1,fold_2,fold_3"
        self._rows = 0  # of losses below them
        self._unclear: set[str] = set()  # names with several lists of which none goes on from the one before

    def begins(self, line: str) -> bool:
        """Take a line that begins a list of losses; return whether it is one."""
        if has_any(WRAPPERS, line):
            line = WRAPPED.sub(r"\1", line)
        if "{" in line:
            return self._within_object(line)
        beginning = BEGINS.match(line)
        if not beginning or not meaning(beginning.group(1)).kind:
            return False
        inside, closed, _ = line[beginning.end() :].partition("]")
        if not PLAIN.fullmatch(inside) or (closed and inside.count(",") + 1 < FEWEST and len(inside.split()) < FEWEST):
            return False
        self._values, self.open = array("d"), beginning.group(1).strip()
        self._add(inside, closed=bool(closed))
        return True

    def row(self, line: str) -> bool:
        """Take a line that is a name and its values; return whether it is one."""
        match = ROW.match(line)
        if not match:
            return self._heads(line)
        name, counts = match.group(1).strip(), counter(match.group(1))
        values = array("d", (float(value) for value in VALUE.findall(match.group(2))))
        if counts and all(first < second for first, second in itertools.pairwise(values)):
            self._places[len(values)] = counts, values
        elif meaning(name).kind and self._runs:
            self._rows += 1
        elif meaning(name).kind:
            self._values, self.open = values, name
            self._close()
        else:
            return False
        return True

    def _heads(self, line: str) -> bool:
        """Take a line that heads columns by where in the run they are; return whether it is one."""
        if len(runs := OF_RUNS.findall(line)) > 1 and not DECIMAL.search(line):
            self._runs = len(runs)
            return True
        match = COLUMNS.match(line)
        columns = COLUMN.findall(match.group(1)) if match else []
        counts = counter(columns[0][0]) if len({word for word, _ in columns}) == 1 else ""
        if counts:
            self._places[len(columns)] = counts, array("d", (float(place) for _, place in columns))
        return bool(counts)

    def _within_object(self, line: str) -> bool:
        """Take the lists of what Python shows of a history, as "{'loss': [0.9, 0.7], 'val_loss': [1.0, 0.9]}"."""
        lists = [(name, inside) for name, inside in NAMED.findall(line) if meaning(name).kind]
        for name, inside in lists:
            if PLAIN.fullmatch(inside):
                self._values, self.open = array("d"), name
                self._add(inside, closed=True)
        return bool(lists)

    def go_on(self, line: str) -> None:
        """Take a line within a list; one that holds anything but numbers ends it."""
        inside, closed, _ = line.partition("]")
        plain = bool(PLAIN.fullmatch(inside))
        self._add(inside if plain else "", closed=bool(closed) or not plain)

    def _add(self, inside: str, *, closed: bool) -> None:
        if len(self._values) < MOST:
            self._values.extend(float(value) for value in VALUE.findall(inside))
        if closed:
            self._close()

    def _close(self) -> None:
        name, values = self.open, self._values
        self.open = ""
        before = self._lists.get(name)
        if before is not None and values[: len(before)] != before:
            self._unclear.add(name)
        if before is not None or len(self._lists) < MOST_LISTS:
            self._lists[name] = values

    def _go_beyond(self, log: Log) -> bool:
        """Say whether the lists are of the log's own names, both sides', and its one value of each is their first."""
        mine = [name for name, values in self._lists.items() if len(values) >= FEWEST and name not in self._unclear]
        first = all(
            name in log.series and log.series[name].count == 1 and log.series[name].ends_with(self._lists[name][0])
            for name in mine
        )
        return first and {meaning(name).held_out for name in mine} == {True, False}

    def settle(self, log: Log) -> None:
        """Give the lists to a log whose lines hold no two losses to compare; unclear ones count as several values."""
        if self.open:
            self._close()
        log.runs = log.runs or (self._runs if self._rows and not log.series else 0)
        sides = {meaning(name).held_out for name in log.series if meaning(name).kind}
        if len(sides) == 2 and not self._go_beyond(log):
            return
        for name, values in self._lists.items():
            if name in self._unclear or len(values) < FEWEST:
                log.tuples += 1
                log.example = name
                continue
            log.series.pop(name, None)
            counts, places = self._places.get(len(values), ("epoch", range(len(values))))
            for place, value in zip(places, values, strict=True):
                log.add(LogRow({name: value}, **{counts: float(place)}))  # type: ignore[arg-type]
