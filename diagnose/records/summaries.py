"""The shapes of what runs and ablations leave behind as JSON, checked as they are read.

Keys that are not named here are ignored (more may join), a value of the wrong kind is an error that names the
file. Losses are in bits per byte where their name says so, else in nats per token; sizes of text are in bytes.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from pathlib import Path


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _as_level(value: object) -> str:
    text = _as_text(value)
    return format(Decimal(text), "f") if _SCIENTIFIC.fullmatch(text) else text


_SCIENTIFIC = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d{1,2}")
Text = Annotated[str, BeforeValidator(_as_text)]  # a remark may be null
Severity = Literal["error", "warning", "note"]  # the number is wrong; it may mislead; it should be known
Level = Annotated[str, BeforeValidator(_as_level)]  # may be "char", true, 0.1, or 1e-05, which is shown as 0.00001


class Schema(BaseModel):
    """What all records share: they cannot be changed, and unknown keys do no harm."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class FindingRecord(Schema):
    """What a rule found, and what to change."""

    rule: str
    severity: Severity
    what: str
    fix: str
    measured: dict[str, Any] = Field(default_factory=dict)


class Estimate(Schema):
    """A loss in bits per byte with its 95 % interval; None where it could not be had."""

    value: float | None = None
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
    bits_per_byte: Estimate = Estimate()
    seeds: tuple[int, ...] = ()
    per_seed: tuple[float | None, ...] = ()
    nats_per_token: float | None = None
    derived: dict[str, Any] = Field(default_factory=dict)


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
    value: float | None = None
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
    documents: int | None = None
    df: float | None = None
    sd_seeds: float | None = None
    sd_documents: float | None = None
    sd_rest: float | None = None


class Noise(Schema):
    """Where 95 % of the differences between two equal arms would fall, in bits per byte."""

    low: float
    high: float


class ChangedRecord(Schema):
    """A derived quantity that differs between arms though no axis names it."""

    what: str
    unit: Text = ""
    per_arm: dict[Level, Any] = Field(default_factory=dict)


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


class CorpusRecord(Schema):
    """The text: what it is called, how much there is of it, and which it is exactly."""

    name: Text = ""
    title: Text = ""
    fingerprint: Text = ""
    documents: int | None = None
    bytes: int | None = None


class SplitRecord(Schema):
    """How the text was divided into training and validation (and, where the split leaks, a reserve)."""

    kind: Text = ""
    scored: Text = ""
    fingerprint: Text = ""
    train_documents: int | None = None
    val_documents: int | None = None
    reserve_documents: int | None = None
    train_bytes: int | None = None
    val_bytes: int | None = None

    @property
    def scored_text(self) -> str:
        """What the text is called that is scored: validation, or the reserve, which no arm or side has seen."""
        return self.scored or ("reserve" if self.kind == "windows" else "validation")


class OverlapRecord(Schema):
    """How many of the documents that runs are compared on occur in the training text, word for word or nearly.

    These are validation's, under the split "windows" the reserve's. `window_share` is the part of their text in
    stretches of `window_bytes` that training text holds too.
    """

    val_documents: int | None = None
    exact: int | None = None
    near: int | None = None
    window_share: float | None = None
    window_bytes: int | None = None


class TextSeenRecord(Schema):
    """How much text each run trained on: in bytes, and as a share of the training text."""

    bytes: float | None = None
    share: float | None = None


class Environment(Schema):
    """Where and with what a run was carried out."""

    version: Text = ""
    versions: dict[str, Text] = Field(default_factory=dict)
    platform: Text = ""
    device: Text = ""
    threads: int | None = None
    commit: Text = ""
    dirty: bool | None = None
    corpus: CorpusRecord = CorpusRecord()
    split: SplitRecord = SplitRecord()
    overlap: OverlapRecord = OverlapRecord()
    derived: dict[str, Any] = Field(default_factory=dict)
    given: tuple[Text, ...] = ()
    dropped: tuple[Text, ...] = ()
    sample_prompt: Text = ""


class Status(Schema):
    """How a run ended, and why where it did not end well."""

    state: str
    why: Text = ""


class BaselineRecord(Schema):
    """A yardstick as a run keeps it, in bits per byte."""

    name: str
    family: Text = ""
    bits_per_byte: float
    low: float | None = None
    high: float | None = None


class Yardsticks(Schema):
    """`yardsticks.json`: what learns quickly from the same training text, and whether it read only a part of it."""

    sampled: bool = False
    yardsticks: tuple[BaselineRecord, ...] = ()


class Trial(Schema):
    """A learning rate that was tried, and the loss it gave; None where it diverged."""

    learning_rate: float
    bits_per_byte: float | None


class Tuning(Schema):
    """How an arm's learning rate was found: brief trainings on a slice of the training text."""

    level: Level
    learning_rate: float
    trials: tuple[Trial, ...]
    steps: int
    documents: int
    scored_documents: int


class Summary(Schema):
    """`summary.json` of an ablation, whole.

    `apart` holds every two arms that differ by more than chance, all pairs taken together; None where an older
    version wrote the summary.
    """

    name: str
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
    tuning: tuple[Tuning, ...] = ()
    notes: dict[str, Any] = Field(default_factory=dict)
    verdict: Text = ""
    seconds: float | None = None
    command: Text = ""
    environment: Environment = Environment()
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


Kind = TypeVar("Kind", bound=Schema)


def parse(kind: type[Kind], found: dict[str, Any], path: Path) -> Kind:
    """Return a record of what a file held, or raise DiagnoseError naming the file and the first bad key."""
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        where, said = ".".join(map(str, first["loc"])), " ".join(first["msg"].split()).rstrip(".").lower()
        raise DiagnoseError(f"{path} is corrupted: {where}: {said}") from None
