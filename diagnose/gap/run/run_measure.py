"""All that is read of a finished run of ours, in the form that the engine makes terms of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.gap.measurements import Measurements
from diagnose.gap.run import run_budget as budgets
from diagnose.gap.run import run_conditions, run_data, run_replay, run_texts
from diagnose.gap.run.run_data import batch_readings
from diagnose.gap.run.run_reading import read, scaled

if TYPE_CHECKING:
    from diagnose.gap.measurements import BatchReadings
    from diagnose.gap.run.run import FinishedRun
    from diagnose.gap.run.run_budget import RunBudget
    from diagnose.gap.run.run_conditions import RunSetting
    from diagnose.gap.run.run_data import ValidationReadings
    from diagnose.gap.run.run_texts import Chosen

LAG_SHARE = 0.6  # of the budget; the others are of what is left
TRAINING_SHARE, VALIDATION_SHARE, RESERVE_SHARE = 0.4, 0.25, 0.1
NEIGHBOURS = 10  # documents of a block under a split by place: neighbouring verses correlate at 0.24
FEWEST_BLOCKS = 20


@dataclass(frozen=True)
class MeasuredRun:
    """What was measured of a run.

    Attributes:
        finished: the run.
        setting: its two conditions.
        chosen: the steps that stand for the training text.
        data: readings of validation text and unseen text.
        found: what the engine makes terms of.
        unit: adjacent documents that are one unit of the intervals.
        limit: what may be read; left: what the steps of the reported loss have left of it.
    """

    finished: FinishedRun
    setting: RunSetting
    chosen: Chosen
    data: ValidationReadings
    found: Measurements
    unit: int
    limit: RunBudget
    left: RunBudget


def measure(finished: FinishedRun, *, budget: float | str | None = None, verify: bool = False) -> MeasuredRun:
    """Read a run's texts under all conditions that divide its gap."""
    limit = budgets.allow(finished, budget)
    verified, notes = _verified(finished) if verify else (None, ())
    unit = _unit(finished)
    setting = run_conditions.setting(finished)
    train_condition = run_replay.training_condition(finished, setting.sides.train.on)
    replayed = run_replay.replay(finished, train_condition, LAG_SHARE * limit.positions, verified, unit)
    left = limit.less(replayed.steps * finished.positions)
    positions = left.share(TRAINING_SHARE, setting.passes[0])
    chosen = run_texts.training_text(finished, positions, masks=bool(setting.sides.kinds))
    train = training_readings(finished, setting, chosen, 2 * positions, unit)
    shares = (left.share(part, setting.passes[1], budgets.ENOUGH_VALIDATION)
              for part in (VALIDATION_SHARE, RESERVE_SHARE))  # fmt: skip
    data = run_data.measure(finished, setting, (next(shares), next(shares)), unit)
    notes = (*finished.notes, *notes, *_notes(finished, setting, train, data))
    measurements = Measurements(
        setting.sides, setting.plan, train, data.whole, data.whole, (None, data.shown), data.seen,
        finished.setup.text.split.kind != "windows", data.unseen, data.why, replayed, (train, data.whole), 0.0,
        notes=notes,
    )  # fmt: skip
    return MeasuredRun(finished, setting, chosen, data, measurements, unit, limit, left)


def _verified(finished: FinishedRun) -> tuple[run_replay.VerifiedInterval | None, tuple[str, ...]]:
    try:
        return run_replay.verify(finished), ()
    except DiagnoseError as error:
        return None, (str(error),)


def _unit(finished: FinishedRun) -> int:
    """Return how many adjacent documents are one unit of the intervals."""
    parts = finished.setup.text.split
    return max(1, min(NEIGHBOURS, len(parts.val) // FEWEST_BLOCKS)) if parts.kind == "tail" else 1


def _notes(finished: FinishedRun, setting: RunSetting, train: BatchReadings, data: ValidationReadings) -> list[str]:
    out = []
    if any(reading.influences() is None for text in (train, data.whole) for reading in text.readings.values()):
        out.append("the text is a single document, so what compares texts has no interval")
    if setting.sides.kinds and finished.recipe.run.compiles:
        out.append("the run was compiled, and a compiler draws masks of its own: lag is with other masks than logged")
    return out


def training_readings(
    finished: FinishedRun, setting: RunSetting, chosen: Chosen, positions: int, unit: int
) -> BatchReadings:
    """Read the training text under all conditions.

    Args:
        finished: the run.
        setting: its conditions.
        chosen: the steps to read.
        positions: most of the documents' text that may be read when it is cut as validation's is.
        unit: adjacent documents that are one unit of the intervals.
    """
    wanted = setting.of_training
    groups = list(chosen.groups(finished))
    read_groups = run_texts.marked(finished, groups) if setting.words else groups
    readings = read(finished.network, read_groups, [condition for condition in wanted if not condition.plain])
    if setting.collation:
        recut, factors = run_texts.recut(finished, chosen, positions)
        recut = run_texts.marked(finished, recut) if setting.words else recut
        again = read(finished.network, recut, [condition for condition in wanted if condition.plain])
        readings |= {condition: scaled(reading, factors) for condition, reading in again.items()}
    complete = len(chosen.steps) == chosen.of
    return batch_readings(readings, groups, unit, passes=setting.passes[0], complete=complete)
