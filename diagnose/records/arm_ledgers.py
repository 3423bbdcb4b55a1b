"""The shape of the `gap.json` that `diagnose loss-gap` leaves beside an ablation: the ledgers of its runs, by arm."""

from __future__ import annotations

from pydantic import Field

from diagnose.records.ledgers import LedgerRecord, Value
from diagnose.records.schema import FORMAT, Level, Schema, Text


class SeedMean(Value):
    """A mean over seeds, with its interval over seeds; None where no seed has it."""

    per_seed: tuple[float | None, ...] = ()


class ArmTerm(SeedMean):
    """A term averaged over the seeds of an arm."""

    id: str
    group: str


class ArmGroup(SeedMean):
    """A group averaged over the seeds of an arm, and its share of the sum of absolute values."""

    id: str
    share: float


class ArmLedger(Schema):
    """The ledgers of an arm's runs, averaged over its seeds."""

    level: Level
    levels: dict[str, Level] = Field(default_factory=dict)
    terms: tuple[ArmTerm, ...]
    groups: tuple[ArmGroup, ...] = ()
    gap: SeedMean
    matched: SeedMean
    runs: tuple[str, ...]


class ArmLedgers(Schema):
    """The ledgers of an ablation: means over the seeds of each arm, and the ledger of each run."""

    format: int = FORMAT
    ablation: str = ""
    page: str | None = None
    unit: str = ""
    arms: tuple[ArmLedger, ...]
    runs: tuple[LedgerRecord, ...] = ()
    verdict: Text
    notes: tuple[str, ...] = ()
