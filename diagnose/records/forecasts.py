"""The schema of what is planned and of what there is: `--dry-run --json` and `diagnose runs --json`."""

from __future__ import annotations

from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer

from diagnose.records.ablations import ChangedRecord  # noqa: TC001  (pydantic reads it)
from diagnose.records.run_records import Derived
from diagnose.records.schema import Level, Schema


class Resolvable(Schema):
    """The smallest effect that planned seeds would resolve, in bits per byte, and what that rests on.

    Attributes:
        bits_per_byte: four times in five; None for one seed.
        by_seeds: the same for other numbers of seeds.
        comparisons: intervals that hold together.
        documents: of validation.
        sd_seeds: the deviation between seeds.
        runs: at hand, of one recipe; differ: the settings in which it differs from the planned control.
    """

    bits_per_byte: float | None
    by_seeds: dict[str, float | None]
    comparisons: int
    documents: int
    sd_seeds: float
    runs: tuple[str, ...]
    differ: tuple[str, ...]


class ResolvableScore(Schema):
    """The same of a command's first score, from so many runs of so many arms."""

    metric: str
    smallest: float | None
    by_seeds: dict[str, float | None]
    comparisons: int
    runs: int
    arms: int


class PlannedRuns(Schema):
    """What is common to plans: runs at once, seconds in all (None: unknown), options of sbatch, whether seeds stack."""

    axis: str
    control: Level
    seeds: int
    jobs: int
    seconds: float | None
    sbatch: dict[str, Any] | None = None
    stack: bool = False

    @model_serializer(mode="wrap")
    def _without_others(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what other engines have."""
        return {key: value for key, value in write(self).items() if key not in ("sbatch", "stack") or value}


class PlannedArm(Derived):
    """An arm and what its recipe comes to."""

    level: Level
    levels: dict[str, Level]
    seconds_per_run: float | None


class TriedRates(Schema):
    """Learning rates that are tried for an arm first: steps of each, training documents, others that are read."""

    level: Level
    learning_rates: tuple[float, ...]
    steps: int
    documents: int
    scored_documents: int
    seconds: float | None


class HeldEqual(Schema):
    """What is held equal between the arms, and how much of it."""

    what: str
    amount: int | float


class AblationForecast(PlannedRuns):
    """The plan of an ablation of our own trainer."""

    hold: HeldEqual | None
    arms: tuple[PlannedArm, ...]
    changed: tuple[ChangedRecord, ...]
    tuning: tuple[TriedRates, ...]
    resolvable: Resolvable | None


class PlannedCommand(Schema):
    """A command that would be run: `run` that is there already, `stale` where one is of other files."""

    level: Level
    seed: int
    command: str
    run: str | None
    stale: bool


class ArmLevels(Schema):
    """An arm of commands."""

    level: Level
    levels: dict[str, Level]


class CommandForecast(PlannedRuns):
    """The plan of an ablation of a command.

    Attributes:
        files: by which a finished run is known, beside its command.
        takes_folder: whether the command is told where to write.
    """

    arms: tuple[ArmLevels, ...]
    runs: tuple[PlannedCommand, ...]
    timeout: float | None
    files: tuple[str, ...]
    takes_folder: bool
    resolvable: ResolvableScore | None


class ValReading(Schema):
    """What a run says of its validation loss: the final reading, where there is one, and what it reported."""

    nats_per_token: float | None = None
    bits_per_byte: float | None = None
    tokens: int | None = None
    bytes: int | None = None
    reported: float | None = None

    @model_serializer(mode="wrap")
    def _without_final(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave a final reading out that there is none of."""
        return {key: value for key, value in write(self).items() if key == "reported" or value is not None}


class RunRow(Schema):
    """A run in the listing; a damaged one has its state alone, with what is wrong."""

    run: str
    status: str | None = None
    recipe: str | None = None
    steps: int | None = None
    val: ValReading | None = None
    bytes: int
