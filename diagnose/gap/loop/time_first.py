"""Batches that hold time first, as recurrent networks take them: read with a row a sample, as everything else is.

Shapes: T tokens, B samples. A batch holds tokens (T, B), targets (T, B) or flat (T * B), states (layers, B, width).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

from torch import Tensor

from diagnose.gap.loop.elements import tensors
from diagnose.gap.loop.guard import random_states
from diagnose.gap.loop.rebatched import changed
from diagnose.gap.loop.sample_parts import INTEGERS
from diagnose.gap.loop.walking import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.gap.recorder.recording import RecordedStep, Recording
    from diagnose.gap.side import Objective, Side

FEWEST = 4  # rows, and columns that begin with one token: fewer are so by chance
SWAPPED, FLAT, AS_IS = "swapped", "flat", "as is"


def columns_of(batch: Any) -> int:
    """Return how many samples a batch has whose first dimension is time; 0 where it is not, or that cannot be told.

    It is where the targets are the tokens moved on by a row, or where each column begins with a mark that is met
    nowhere else.
    """
    tables = [t for t in tensors(batch) if t.dtype in INTEGERS and not (t.is_sparse or t.is_meta) and t.numel()]
    tokens = next((table for table in tables if table.dim() == 2), None)
    if tokens is None or tokens.shape[0] < FEWEST or tokens.shape[1] < 2:
        return 0
    moved = any(_is_next(tokens, other) for other in tables if other is not tokens and other.numel() == tokens.numel())
    rows = [table for table in tables if table.dim() == 2]
    return int(tokens.shape[1]) if moved or all(map(_begins_with_mark, rows)) else 0


def _is_next(tokens_TB: Tensor, other: Tensor) -> bool:
    after_TB = other.reshape(tokens_TB.shape)
    down = bool((tokens_TB[1:] == after_TB[:-1]).all())
    return down and not bool((tokens_TB[:, 1:] == after_TB[:, :-1]).all())


def _begins_with_mark(tokens_TB: Tensor) -> bool:
    first, rest = tokens_TB[0], tokens_TB[1:]
    alike = len(first) >= FEWEST and not bool((first != first[0]).any())
    return alike and not bool((rest == first[0]).any())


@dataclass(frozen=True)
class TimeFirst:
    """How the tensors of a side's batches lie, in their order; those of later batches beyond it are turned."""

    kinds: tuple[str, ...]

    @classmethod
    def of(cls, batch: Any) -> TimeFirst | None:
        """Return how a batch lies; None where time is not its first dimension."""
        columns = columns_of(batch)
        if not columns:
            return None
        lengths = {tensor.shape[0] for tensor in tensors(batch) if tensor.dim() == 2}
        return cls(tuple(_kind(tensor, columns, lengths) for tensor in tensors(batch)))

    def turned(self, batch: Any) -> Any:
        """Return a batch with a row a sample."""
        columns = next(t.shape[1] for t, kind in zip(tensors(batch), self.kinds, strict=False) if kind == SWAPPED)
        return self._each(batch, lambda flat: flat.reshape(-1, columns).t())

    def back(self, batch: Any) -> Any:
        """Return a turned batch as the objective takes it."""
        return self._each(batch, lambda table: table.t().reshape(-1))

    def _each(self, batch: Any, flat: Any) -> Any:
        kinds = iter(self.kinds)

        def change(tensor: Tensor) -> Tensor:
            kind = next(kinds, SWAPPED if tensor.dim() > 1 else AS_IS)
            if kind == SWAPPED:
                return tensor.transpose(0, 1).contiguous()
            return flat(tensor).contiguous() if kind == FLAT else tensor

        return changed(batch, change)

    def objective(self, given: Objective) -> Objective:
        """Return an objective of turned batches, whose losses are of their rows."""

        @wraps(given)
        def of_rows(model: Any, batch: Any) -> Any:
            raw = self.back(batch)
            return losses_by_row(given(model, raw), raw)

        return of_rows


def _kind(tensor: Tensor, columns: int, lengths: set[int]) -> str:
    if tensor.dim() > 1:
        return SWAPPED if tensor.shape[1] == columns else AS_IS
    return FLAT if tensor.dim() == 1 and tensor.numel() in {columns * length for length in lengths} else AS_IS


def losses_by_row(returned: Any, batch_TB: Any) -> Any:
    """Return losses (T, B), or flat ones in that order, as (B, T); what has another shape stays."""
    if isinstance(returned, dict):
        return {name: losses_by_row(value, batch_TB) for name, value in returned.items()}
    if not isinstance(returned, Tensor):
        return returned
    tables = [tensor for tensor in tensors(batch_TB) if tensor.dim() == 2 and tensor.dtype in INTEGERS]
    columns = tables[0].shape[1]
    lengths = {table.shape[0] - less for table in tables for less in (0, 1)}  # the first token has no loss
    if returned.dim() == 1 and returned.numel() in {columns * length for length in lengths if length > 1}:
        return returned.reshape(-1, columns).t()
    turned = returned.dim() == 2 and returned.shape[1] == columns != returned.shape[0] and returned.shape[0] in lengths
    return returned.t() if turned else returned


class TurnedBatches:
    """A side's batches with a row a sample."""

    def __init__(self, batches: Any, form: TimeFirst) -> None:
        self.base_dataloader, self.form = batches, form

    def __iter__(self) -> Iterator[Any]:
        return map(self.form.turned, self.base_dataloader)

    def __len__(self) -> int:
        return len(self.base_dataloader)


def rows_first(sides: tuple[Side | None, ...], record: Recording | None = None) -> tuple[tuple[Any, ...], Any]:
    """Return sides, and what was recorded of the first one's loop, with a row a sample where time is first in them."""
    with random_states([side.batches for side in sides if side is not None]):
        forms = [None if side is None else _form(side.batches) for side in sides]
    if not any(forms):
        return sides, record
    made: dict[Any, Objective] = {}  # one objective of both sides stays one
    out = tuple(
        side if side is None or form is None else _turned(side, form, made)
        for side, form in zip(sides, forms, strict=True)
    )
    return out, record if record is None or forms[0] is None else _turned_record(record, forms[0])


def _form(batches: Any) -> TimeFirst | None:
    _, first = next(walk(batches)[0], (0, None))
    return TimeFirst.of(first)


def _turned(side: Side, form: TimeFirst, made: dict[Any, Objective]) -> Side:
    objective = made.setdefault((side.objective, form), form.objective(side.objective))
    some = {name: getattr(side, name) for name in ("batches", "reported_on", "plain")}
    turned = {name: _all_turned(value, form) for name, value in some.items() if value is not None}
    groups = None if side.groups is None else (lambda batch: side.groups(form.back(batch)))  # type: ignore[misc]
    return replace(side, objective=objective, groups=groups, **turned)


def _all_turned(batches: Any, form: TimeFirst) -> Any:
    at_once = isinstance(batches, (list, tuple))
    return [form.turned(batch) for batch in batches] if at_once else TurnedBatches(batches, form)


def _turned_record(record: Recording, form: TimeFirst) -> Recording:
    """Return a record with turned batches of its steps; validation's are in its side."""

    def steps(some: list[RecordedStep]) -> list[RecordedStep]:
        batches = record.batches(some)
        return [replace(step, batch=form.turned(batch)) for step, batch in zip(some, batches, strict=True)]

    return replace(record, window=steps(record.window), earlier=steps(record.earlier), fetch=None)
