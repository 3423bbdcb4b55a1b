"""Reads run and ablation directories into plain frozen data: the first of summary -> figures -> page.

Only JSON and Parquet are read, nothing is written, and nothing is computed that a run did not record but the
unit: bits per byte are nats / ln 2 / bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.baselines.placement import Yardstick
from diagnose.errors import DiagnoseError
from diagnose.records.arm_ledgers import ArmLedgers
from diagnose.records.ledgers import LedgerRecord
from diagnose.records.run_records import Environment, Status, Yardsticks
from diagnose.records.schema import Schema, parse
from diagnose.runs import run_tables, store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.records.ablations import AblationRecord

READING_COLUMNS = (
    "step",
    "kind",
    "split",
    "loss",
    "nats",
    "tokens",
    "bytes",
    "low",
    "high",
    "documents",
    "text_bytes",
)
STEP_COLUMNS = ("step", "seconds", "tokens", "text_bytes")


@dataclass(frozen=True)
class LoggedReading:
    """A loss of one run under a stated condition, after `step` steps and `text` bytes of training text.

    Attributes:
        kind: "reported" (as the run logged it), "probe" (both splits matched) or "final" (canonical).
        split: "train" or "val".
        loss: nats per token, with `low` and `high` the ends of its 95 % interval (None where there is none).
        bits: bits per byte, None where the reading does not know its bytes; `bits_low`, `bits_high` likewise.
        documents: how many documents were read (0 where not known).
    """

    step: int
    kind: str
    split: str
    text: float
    loss: float
    low: float | None
    high: float | None
    bits: float | None
    bits_low: float | None
    bits_high: float | None
    documents: int


class Unseen(Schema):
    """How many characters unseen documents of a sample's length share with the training text at a stretch."""

    excerpts: int
    median: float
    most: int


class WrittenSample(Schema):
    """What a network wrote after a prompt, and after which step.

    `verbatim`: the longest stretch of it that the training text holds; None where nobody looked.
    """

    step: int
    prompt: str
    text: str
    verbatim: str | None = None
    unseen: Unseen | None = None


@dataclass(frozen=True)
class RunSummary:
    """One run: how it ended, what it read and wrote.

    Attributes:
        level: the arm that it belongs to ("" for a run of its own).
        seed: its seed, None where not known.
    """

    name: str
    status: Status
    level: str
    seed: int | None
    readings: tuple[LoggedReading, ...]
    samples: tuple[WrittenSample, ...]

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return self.status.state == "finished"

    def select(self, kind: str, split: str) -> tuple[LoggedReading, ...]:
        """Return the readings of a kind and a split, in the order of the steps."""
        return tuple(sorted((r for r in self.readings if (r.kind, r.split) == (kind, split)), key=lambda r: r.step))


@dataclass(frozen=True)
class AblationReport:
    """An ablation's summary with the readings and samples of its runs (`runs` by arm, then by seed)."""

    folder: Path
    summary: AblationRecord
    runs: tuple[RunSummary, ...]

    def arm(self, level: str) -> tuple[RunSummary, ...]:
        """Return the runs of an arm, failed ones too."""
        return tuple(run for run in self.runs if run.level == level)


@dataclass(frozen=True)
class RunReport:
    """A run with where it was carried out, its recipe, and what its steps cost (seconds of training).

    Attributes:
        scale: yardsticks of its text, those in front that are worst; none where an older version made the run.
        sampled: whether they read only a part of the text.
    """

    folder: Path
    run: RunSummary
    environment: Environment
    recipe: str
    steps: int
    seconds: float | None
    scale: tuple[Yardstick, ...] = ()
    sampled: bool = False

    @property
    def scored(self) -> str:
        """What the text is called that is scored."""
        return self.environment.split.scored_text


def read_ablation(folder: Path) -> AblationReport:
    """Read an ablation's directory and the runs beside it.

    Raises:
        DiagnoseError: a file is missing, corrupted or of a newer format; the line names it.
    """
    record = store.ablation(folder)
    return AblationReport(folder, record, tuple(_runs(record, folder.resolve().parent)))


def _runs(record: AblationRecord, beside: Path) -> Iterator[RunSummary]:
    known = {failure.run: failure for failure in record.failed if failure.run}
    for arm in record.arms:
        for place, name in enumerate(arm.runs):
            seed = record.seeds[place] if len(arm.runs) == len(record.seeds) else None
            failure = known.pop(name, None)
            if failure is None or _left_something(beside / _plain_name(name)):
                yield _read_run(beside / _plain_name(name), arm.level, failure.seed if failure else seed)
    for failure in known.values():
        if _left_something(beside / _plain_name(failure.run)):
            yield _read_run(beside / _plain_name(failure.run), failure.level, failure.seed)


def _left_something(folder: Path) -> bool:
    return (folder / "readings.parquet").exists() and (folder / "status.json").exists()


def _plain_name(name: str) -> str:
    if Path(name).name != name or name in {"", ".", ".."}:
        raise DiagnoseError(f"summary.json is corrupted: {name!r} is no name of a run")
    return name


def read_run(folder: Path) -> RunReport:
    """Read a run's directory.

    Raises:
        DiagnoseError: a file is missing, corrupted or of a newer format; the line names it.
    """
    environment = store.environment(folder)
    run = _read_run(folder, "", None)
    steps = run_tables.read_columns(folder, "steps", STEP_COLUMNS)
    last = len(steps["step"]) - 1
    scale, sampled = read_scale(folder)
    return RunReport(
        folder=folder,
        run=run,
        environment=environment,
        recipe=store.read_text(folder / "recipe.toml"),
        steps=int(steps["step"][last]) if last >= 0 else 0,
        seconds=float(steps["seconds"][last]) if last >= 0 else None,
        scale=scale,
        sampled=sampled,
    )


def read_gap(folder: Path) -> LedgerRecord | ArmLedgers:
    """Read the ledger that is stored beside a run, or those of an ablation.

    Raises:
        DiagnoseError: a value is missing or of the wrong kind; the line names the file and the key.
    """
    path = folder / "gap.json"
    ledger = store.read_json(path)
    return parse(ArmLedgers, ledger, path) if "arms" in ledger else parse(LedgerRecord, ledger, path)


def read_scale(folder: Path) -> tuple[tuple[Yardstick, ...], bool]:
    """Return the yardsticks that a run keeps and whether they read only a part of its text; none where it keeps none.

    Raises:
        DiagnoseError: the file is corrupted or of a newer format.
    """
    path = folder / "yardsticks.json"
    if not path.exists():
        return (), False
    stored = store.read_record(Yardsticks, path)
    return tuple(Yardstick(y.name, y.family, y.bits_per_byte, y.low, y.high) for y in stored.yardsticks), stored.sampled


def _read_run(folder: Path, level: str, seed: int | None) -> RunSummary:
    status = store.status(folder)
    samples = tuple(parse(WrittenSample, sample, folder / "samples.jsonl") for sample in store.read_samples(folder))
    return RunSummary(folder.name, status, level, seed, tuple(_readings(folder)), samples)


def _readings(folder: Path) -> Iterator[LoggedReading]:
    rows = run_tables.read_columns(folder, "readings", READING_COLUMNS)
    for values in zip(*(rows[name] for name in READING_COLUMNS), strict=True):
        row = dict(zip(READING_COLUMNS, values, strict=True))
        try:
            yield _reading(row)
        except (TypeError, ValueError) as error:
            place = folder / "readings.parquet"
            raise DiagnoseError(f"{place} is corrupted: a reading at step {row['step']}: {error}") from None


def _reading(row: dict[str, Any]) -> LoggedReading:
    loss, nats, length = _number(row["loss"]), _number(row["nats"]), _number(row["bytes"])
    bits = nats / math.log(2) / length if nats is not None and length else None
    low, high = _number(row["low"]), _number(row["high"])
    scale = bits / loss if bits is not None and loss else None
    return LoggedReading(
        step=int(row["step"]),
        kind=str(row["kind"]),
        split=str(row["split"]),
        text=_number(row["text_bytes"]) or 0.0,
        loss=math.nan if loss is None else loss,
        low=low,
        high=high,
        bits=bits,
        bits_low=low * scale if low is not None and scale is not None else None,
        bits_high=high * scale if high is not None and scale is not None else None,
        documents=int(_number(row["documents"]) or 0),
    )


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
