"""Which columns of a table, or names in a record, are kept and as what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diagnose.logs.digits_of import decimals
from diagnose.logs.names import UNSAID, counter, is_seconds, meaning, side_alone, side_of, words
from diagnose.logs.row_settings import KINDS, setting
from diagnose.logs.series import NAN, POSITIONS, Log, LogRow, placed_row
from diagnose.logs.table_fields import number, place_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_SIDE, MOST_TITLE = 40, 80  # characters of a field that names a side, or a value
NAMES_SIDE = frozenset({
    "mode", "split", "phase", "stage", "set", "subset", "dataset", "partition", "type", "kind", "part", "loader", "run",
    "data", "fold_type", "step_type", "event", "prefix", "job_type", "group", "tag",
})  # fmt: skip
NAMES_VALUE = frozenset({"metric", "name", "tag", "key", "variable", "metric_name", "measure", "series"})
TOLD = 16  # rows whose digits are looked at
Columns = dict[str, str]  # "train", "val", "step" -> a column's name, as `--columns` gives them


class Keep:
    """Which columns are kept, and as what; keys are places in a table or names in a record.

    A column whose fields name a side ("split", "mode") gives it to the losses of its row that have none; a column of
    names beside one of values ("metric", "value") gives each row's value its name.
    """

    def __init__(self, names: Iterable[str] | Mapping[Any, str], columns: Columns, stem: str = "") -> None:
        self.given = columns
        self.stem = stem
        self.values: dict[Any, str] = {}
        self.where: dict[str, Any] = {}
        self._places: list[tuple[int, Any]] = []  # of a role among `POSITIONS`, and its column
        self.sides: list[Any] = []
        self.titles: list[Any] = []
        self.value: Any = None
        self._rows = 0
        self.settings: list[tuple[Any, str]] = []  # columns, and whether a setting stays in a run
        pairs = list(names.items() if hasattr(names, "items") else enumerate(names))
        for key, name in pairs:
            self.take(key, name)

    @property
    def placed(self) -> bool:
        """Whether some column says where in the run a row is."""
        return any(role != "seconds" for role in self.where)

    def take(self, key: Any, name: str) -> None:
        """Decide what a column is."""
        short = name.strip().lower()
        is_value = short.rpartition("/")[2] == "value"
        role = next((role for role, given in self.given.items() if given == name and role not in ("train", "val")), "")
        role = role or self._role(name)
        if role and role not in self.where:
            self.where[role] = key
            self._places.append((POSITIONS.index(role), key))
        elif short.rpartition("/")[2] in NAMES_VALUE and name not in self.given.values():
            self.titles.append(key)
        elif name in self.given.values() or (meaning(name).kind and not is_value):
            self.values[key] = name
        elif side_alone(name) and not self.titles:
            self.values[key] = f"{name} {UNSAID}"
        elif is_value:
            self.value = key
            if self.stem:
                self.values[key] = self.stem
        if short.rpartition("/")[2] in NAMES_SIDE:
            self.sides.append(key)
        if key not in self.values and setting(name):
            self.settings.append((key, setting(name)))

    def _role(self, name: str) -> str:
        """Return what a column places rows by, "" for any other; what `--columns` names goes first."""
        if is_seconds(name):
            return "" if "seconds" in self.given else "seconds"
        plain = name.rpartition("/")[2]
        plain = plain.lower().removeprefix("total_") if "_" in plain else plain
        counted = counter(plain) if not meaning(name).kind else ""
        return "" if counted in self.given else counted

    def row(self, fields: Mapping[Any, Any]) -> LogRow | None:
        """Return what a record says, None where it holds no value that is kept."""
        values: dict[str, float] = {}
        titled = self._titled(fields) if self.value is not None else ""
        side = self._side(fields) if self.sides else ""
        side = side or (self._side_as_title(fields) if self.titles else "")
        named = [(key, name) for key, name in self.values.items() if key != self.value or not self.titles]
        for key, name in [*named, (self.value, titled)] if titled else named:
            value = number(fields.get(key))
            if value is not None:
                values[_sided(name, side)] = value
        if not values:
            return None
        at = [NAN] * len(POSITIONS)
        for role, key in self._places:
            place = place_number(fields.get(key))
            if place is not None:
                at[role] = place
        row = placed_row(values, at)
        if self._rows < TOLD:
            self._rows += 1
            row.told = {name: told for name in values if (told := self._decimals(fields, name)) is not None} or None
        return row

    def _decimals(self, fields: Mapping[Any, Any], name: str) -> int | None:
        """Return how many decimals the text of a value has, None where it is no text."""
        key = next((key for key, column in self.values.items() if name.endswith(column)), self.value)
        return decimals(fields[key]) if isinstance(fields.get(key), str) else None

    def sweep(self, fields: Mapping[Any, Any], row: LogRow, log: Log) -> None:
        """Tell a log of the settings of a row, where it may yet be a run of its own."""
        if not self.settings or not log.sweep.open:
            return
        fixed, scheduled = (
            tuple(str(fields.get(key, "")) for key, of in self.settings if of == kind) for kind in KINDS
        )
        at = next((place for place in row.at() if place == place), None)  # noqa: PLR0124
        log.sweep.add(log.rows + 1, " ".join(fixed + scheduled), fixed, scheduled, at)

    def sided(self, name: str, fields: Mapping[Any, Any]) -> str:
        """Return the name of a loss in a record, with the side that a field of it names."""
        return _sided(name, self._side(fields) if self.sides else "")

    def _side(self, fields: Mapping[Any, Any]) -> str:
        return next((side for key in self.sides if (side := self.side(fields.get(key)))), "")

    def _side_as_title(self, fields: Mapping[Any, Any]) -> str:
        """Return the side that stands where others name a value, as in {"name": "validation", "loss": 2.0}."""
        return next((side for key in self.titles if (side := side_alone(str(fields.get(key, ""))[:MOST_SIDE]))), "")

    @staticmethod
    def side(field: Any) -> str:
        """Return the side that a field names."""
        return side_of(words(field)) if isinstance(field, str) and len(field) <= MOST_SIDE else ""

    def _titled(self, fields: Mapping[Any, Any]) -> str:
        """Return the name that a row gives its value."""
        titles = (fields.get(key) for key in self.titles)
        return next((t for t in titles if isinstance(t, str) and len(t) <= MOST_TITLE and meaning(t).kind), "")


def _sided(name: str, side: str) -> str:
    """Return a loss's name with a side where it has none of its own."""
    return name if not side or meaning(name).side else f"{side}/{name}"
