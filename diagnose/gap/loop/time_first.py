"""Batches that hold time first, as recurrent networks take them: read with a row a sample, as everything else is.

Shapes: T tokens, B samples. A batch holds tokens (T, B), targets (T, B) or flat (T * B), states (layers, B, width).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from diagnose.gap.loop.elements import own_copy, tensors
from diagnose.gap.loop.gradients import tried
from diagnose.gap.loop.guard import guarded, random_states, seed
from diagnose.gap.loop.ragged import ragged_size
from diagnose.gap.loop.rebatched import changed
from diagnose.gap.loop.sample_parts import INTEGERS
from diagnose.gap.loop.walking import first_of
from diagnose.gap.recorder import ranks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from diagnose.gap.recorder.recording import RecordedStep, Recording
    from diagnose.gap.side import Objective, Side

FEWEST = 4  # rows, and columns that begin with one token: fewer are so by chance
SWAPPED, FLAT, AS_IS = "swapped", "flat", "as is"
EQUAL = 1e-5  # relative: a loss of the same samples in another order


def columns_of(batch: Any) -> int:
    """Return how many samples a batch seems to have whose first dimension is time; 0 where it seems to have rows.

    Time is first where the targets are the tokens moved on by a row, or where each column begins with a mark that is
    met nowhere else; it may be where other tensors have as many samples as the tokens have columns.
    """
    return int(_series(batch)[0].shape[1]) if _looks_so(batch) or _may_be_so(batch) else 0


def _series(batch: Any) -> list[Tensor]:
    """Return the tables of whole numbers of a batch; where it has none, its series of numbers (T, B, values)."""
    some = [tensor for tensor in _dense(batch) if tensor.numel()]
    tables = [tensor for tensor in some if tensor.dim() == 2 and tensor.dtype in INTEGERS]
    return tables or [tensor for tensor in some if tensor.dim() == 3 and tensor.is_floating_point()]


def _dense(batch: Any) -> list[Tensor]:
    """Return the tensors that `changed` changes, in its order."""
    some = () if ragged_size(batch) else tensors(batch)
    return [tensor for tensor in some if tensor.layout == torch.strided and not tensor.is_meta]


def _looks_so(batch: Any) -> bool:
    series = _series(batch)
    if not series or series[0].shape[0] < FEWEST or series[0].shape[1] < 2:
        return False
    others = [t for t in _dense(batch) if t is not series[0] and t.numel() == series[0].numel()]
    return any(_is_next(series[0], other) for other in others) or all(map(_begins_with_mark, series))


def _may_be_so(batch: Any) -> bool:
    """Say whether labels, states or rows of other lengths are as many as columns of the first series, none as rows."""
    rows, columns = next((series.shape[:2] for series in _series(batch)), (0, 0))
    others = [t for t in _dense(batch) if t.dim() and t.shape[:2] != (rows, columns) and t.numel() != rows * columns]
    of_columns = any(columns == (len(t) if t.dim() == 1 else t.shape[1]) for t in others)
    return rows > 1 < columns and of_columns and not any(len(t) == rows for t in others)


def _is_next(tokens_TB: Tensor, other: Tensor) -> bool:
    after_TB = other.reshape(tokens_TB.shape)
    down = bool((tokens_TB[1:] == after_TB[:-1]).all())
    return down and not bool((tokens_TB[:, 1:] == after_TB[:, :-1]).all())


def _begins_with_mark(tokens_TB: Tensor) -> bool:
    if tokens_TB.dim() > 2:
        return False
    first, rest = tokens_TB[0], tokens_TB[1:]
    alike = len(first) >= FEWEST and not bool((first != first[0]).any())
    return alike and not bool((rest == first[0]).any())


@dataclass(frozen=True)
class TimeFirst:
    """How the tensors of a side's batches lie, in their order; those of later batches beyond it are turned."""

    kinds: tuple[str, ...]

    @classmethod
    def of(cls, batch: Any) -> TimeFirst:
        """Return how a batch with a series (T, B) lies."""
        series = _series(batch)
        columns, lengths = series[0].shape[1], {len(some) for some in series}
        return cls(tuple(_kind(tensor, columns, lengths) for tensor in _dense(batch)))

    def alike(self, batch: Any) -> TimeFirst:
        """Return how a batch of the other side lies: as this one, where it has as many tensors."""
        form = TimeFirst.of(batch)
        return self if len(form.kinds) == len(self.kinds) else form

    def turned(self, batch: Any) -> Any:
        """Return a batch with a row a sample."""
        columns = next(t.shape[1] for t, kind in zip(_dense(batch), self.kinds, strict=False) if kind == SWAPPED)
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
    series = _series(batch_TB)
    columns = series[0].shape[1]
    lengths = {len(some) - less for some in series for less in (0, 1)}  # the first token has no loss
    if returned.dim() == 1 and returned.numel() in {columns * length for length in lengths if length > 1}:
        return returned.reshape(-1, columns).t()
    turned = returned.dim() > 1 and returned.shape[1] == columns and returned.shape[0] in lengths
    return returned.transpose(0, 1) if turned else returned


class TurnedBatches:
    """A side's batches with a row a sample."""

    def __init__(self, batches: Any, form: TimeFirst) -> None:
        self.base_dataloader, self.form = batches, form

    def __iter__(self) -> Iterator[Any]:
        return map(self.form.turned, self.base_dataloader)

    def __len__(self) -> int:
        return len(self.base_dataloader)


def rows_first(
    model: nn.Module, sides: tuple[Side | None, ...], record: Recording | None = None
) -> tuple[tuple[Any, ...], Any]:
    """Return sides, and what was recorded of the first one's loop, with a row a sample where time is first in them.

    The batches of one network lie alike: where time is first on one side it is on the other.
    """
    firsts = [None if side is None else _first(side) for side in sides]
    asked = next((k for k, batch in enumerate(firsts) if columns_of(batch)), None)
    if asked is None or not _is_first(model, sides[asked], firsts[asked]):
        return sides, record
    own = TimeFirst.of(firsts[asked])
    forms = [own.alike(batch) if _series(batch) else None for batch in firsts]
    made: dict[Any, Objective] = {}  # one objective of both sides stays one
    out = tuple(
        side if side is None or form is None else _turned(side, form, made)
        for side, form in zip(sides, forms, strict=True)
    )
    return out, record if record is None or forms[0] is None else _turned_record(record, forms[0])


def _first(side: Side) -> Any:
    with random_states([side.batches]):
        return first_of(side.batches)


def _is_first(model: nn.Module, side: Any, batch: Any) -> bool:
    """Say whether columns are samples: their order is nothing to the loss, that of rows is; else by how they look.

    Of processes that share a training none is asked: each would have to.
    """
    of_columns, of_rows = (False, False) if ranks.several() else _unmoved(model, side, batch)
    return of_columns if of_columns != of_rows else _looks_so(batch) or (of_columns and _may_be_so(batch))


def _unmoved(model: nn.Module, side: Side, batch: Any) -> tuple[bool, bool]:
    """Say whether a batch's loss stays where its columns, and where its rows, are put into another order."""
    form, (rows, columns) = TimeFirst.of(batch), _series(batch)[0].shape[:2]

    def upside_down(tensor: Tensor) -> Tensor:
        flat = tensor.dim() == 1 and tensor.numel() == rows * columns
        table = tensor.reshape(rows, columns) if flat else tensor
        return table.flip(0).reshape(tensor.shape) if table.dim() and table.shape[0] == rows else tensor

    def mirrored(tensor: Tensor) -> Tensor:
        return tensor.flip(0) if tensor.dim() and tensor.shape[0] == columns else tensor

    orders = batch, form.back(changed(form.turned(batch), mirrored)), changed(batch, upside_down)
    network = side.model or model
    with guarded(network, [side.batches]) as guard:
        network.eval()
        given, *others = [_loss(network, side.objective, some) for some in orders]
        guard.restore()
    of_columns, of_rows = (abs(loss - given) <= EQUAL * abs(given) for loss in others)
    return of_columns, of_rows


def _loss(model: nn.Module, objective: Objective, batch: Any) -> float:
    """Return the mean of what an objective returns; NaN where it fails, which is said when it is read."""
    seed(0)
    returned = tried(lambda: objective(model, own_copy(batch)), lambda: seed(0))
    loss = returned.get("loss") if isinstance(returned, dict) else returned
    return float(loss.detach().double().mean()) if isinstance(loss, Tensor) else math.nan


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
