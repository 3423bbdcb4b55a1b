"""The shape of `summary.json`, what an ablation or a comparison leaves behind: written, shown and printed as this.

Losses are in bits per byte where their name says so, else in nats per token; sizes of text are in bytes.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  (pydantic reads it)

from pydantic import Field

from diagnose.records.notes import Notes
from diagnose.records.run_records import CorpusRecord, Derived, Environment, OverlapRecord, SplitRecord
from diagnose.records.schema import FORMAT, Level, Schema, Text


class Estimate(Schema):
    """A loss in bits per byte with its 95 % interval; None where it could not be had."""

    value: float
    low: float | None = None
    high: float | None = None


class AxisRecord(Schema):
    """What an ablation changes: its levels, the control among them, and in plain words what it is and hides."""

    name: str
    levels: tuple[Level, ...] = ()
    control: Level = ""
    what: Text = ""
    trap: Text = ""


class ArmRecord(Schema):
    """One level (or combination of levels): its runs, in the order of the seeds, and their loss."""

    level: Level
    levels: dict[str, Level] = Field(default_factory=dict)
    runs: tuple[str, ...] = ()
    bits_per_byte: Estimate
    seeds: tuple[int, ...] = ()
    per_seed: tuple[float | None, ...] = ()
    nats_per_token: float | None = None
    derived: Derived
    seconds: tuple[float, ...] = ()


class EffectRecord(Schema):
    """What a level does against the control, in bits per byte; below zero is better.

    `text_needed` is how many times as much validation text would resolve it, where no number of seeds would;
    `equivalent` says that an effect larger than `margin` is excluded (`p_equivalent`, two one-sided tests). `paired`
    holds the seeds that both arms share, none where documents alone pair them; None where all are shared.

    The standard deviations are of the effect between seeds, between documents and the rest; `df` are the interval's
    degrees of freedom.
    """

    axis: str
    level: Level
    against: Level
    value: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    resolved: bool = False
    seeds_needed: int | None = None
    seeds_for_margin: int | None = None
    text_needed: float | None = None
    margin: float | None = None
    p_equivalent: float | None = None
    equivalent: bool = False
    paired: tuple[int, ...] | None = None
    per_seed: tuple[float | None, ...] = ()
    sentence: Text = ""
    seeds: int | None = None
    documents: int | None = None
    df: float | None = None
    sd_seeds: float | None = None
    sd_documents: float | None = None
    sd_rest: float | None = None

    @property
    def half(self) -> float | None:
        """Half the width of its interval; None where there is none."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


class Noise(Schema):
    """Where 95 % of the differences between two equal arms would fall, in bits per byte."""

    low: float
    high: float


class ChangedRecord(Schema):
    """A derived quantity that differs between arms though no axis names it."""

    what: str
    unit: Text = ""
    per_arm: Mapping[Level, int | float | str | None] = Field(default_factory=dict)


class Failure(Schema):
    """A run that did not finish, and why."""

    run: Text = ""
    level: Level = ""
    seed: int | None = None
    why: Text = ""


class Hold(Schema):
    """What is held equal between the arms, and how much of it."""

    what: str = "text"
    amount: float | None = None
    unit: Text = ""


class TextSeenRecord(Schema):
    """How much text each run trained on: in bytes, and as a share of the training text."""

    bytes: float | None = None
    share: float | None = None


class Trial(Schema):
    """A learning rate that was tried, and the loss it gave; None where it diverged."""

    factor: float | None = None
    learning_rate: float
    bits_per_byte: float | None


class Tuning(Schema):
    """How an arm's learning rate was found: brief trainings on a slice of the training text."""

    level: Level
    learning_rate: float
    end: Text = ""
    trials: tuple[Trial, ...]
    steps: int
    documents: int
    scored_documents: int


class AblationRecord(Schema):
    """`summary.json` of an ablation, whole.

    `apart` holds every two arms that differ by more than chance, all pairs taken together; None where an older
    version wrote the summary.
    """

    format: int = FORMAT
    name: str = ""
    kind: Text = "ablation"
    created: Text = ""
    axes: tuple[AxisRecord, ...]
    hold: Hold = Hold()
    corpus: CorpusRecord = CorpusRecord()
    split: SplitRecord = SplitRecord()
    overlap: OverlapRecord | None = None
    seeds: tuple[int, ...]
    seen: TextSeenRecord | None = None
    arms: tuple[ArmRecord, ...]
    effects: tuple[EffectRecord, ...]
    pairs: tuple[EffectRecord, ...] = ()
    apart: tuple[tuple[Level, Level], ...] | None = None
    noise: Noise | None = None
    changed: tuple[ChangedRecord, ...] = ()
    differs: tuple[ChangedRecord, ...] = ()
    failed: tuple[Failure, ...] = ()
    left_out: tuple[int, ...] = ()
    untuned: bool = False
    tuning: tuple[Tuning, ...] = ()
    reused: tuple[str, ...] = ()
    notes: Notes = Notes()
    verdict: Text = ""
    seconds: float | None = None
    command: Text = ""
    environment: Environment
    recipe: Text = ""

    @property
    def planned(self) -> bool:
        """Whether its runs were trained for it; a comparison is of runs that there were."""
        return self.kind != "comparison"

    @property
    def single(self) -> bool:
        """Whether no effect has an interval, for there is one seed."""
        return len(self.seeds) == 1 or (not self.planned and all(effect.low is None for effect in self.effects))

    @property
    def control(self) -> str:
        """The level of the control arm ("" where no arm is the control)."""
        wanted = {axis.name: axis.control for axis in self.axes}
        for arm in self.arms:
            if arm.levels == wanted or (len(self.axes) == 1 and arm.level == self.axes[0].control):
                return arm.level
        return ""
