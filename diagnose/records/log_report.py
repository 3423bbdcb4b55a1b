"""What a bare log tells, as `diagnose log --json` prints it: read by the terminal, the page and programs alike."""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from diagnose.records.schema import Severity  # noqa: TC001  (pydantic reads it)

Each = Literal["position", "half", "context", "document"]
LEVEL = 0.05  # of a sign test


class LogRecord(BaseModel):
    """What all parts of a log's record share: they are frozen, and know every key that they hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class LogSource(LogRecord):
    """Where the two losses come from.

    Attributes:
        files: that were read, parts of one run.
        format: which reader read them; `tool`: whose log it is, where it tells.
        train, val: names of the two losses.
        unit: "loss", "bits per byte", or None where the two are in different units.
        axis: what positions count: "step", "epoch" or "place" (in the log).
        train_is: what the training loss is a mean of, where tool or name tell.
        settings: that the log states.
        shown: what the values that are shown are, where they are not those of the log: local means, logarithms.
    """

    files: tuple[str, ...]
    format: str
    tool: str | None = None
    train: str
    val: str
    unit: str | None = None
    axis: Literal["step", "epoch", "place"]
    train_is: str | None = None
    settings: dict[str, float] = Field(default_factory=dict)
    shown: str | None = None


class LogPair(LogRecord):
    """Both losses at one place of the run.

    Attributes:
        at, train, val: the place and what is compared there.
        printed: the training value that the log has there or last before, where `train` is the local mean of such.
    """

    at: float
    train: float
    val: float
    printed: float | None = None


class LogCurve(LogRecord):
    """A loss along the run, thinned to what a picture can show."""

    at: tuple[float, ...]
    value: tuple[float, ...]


class LogPoints(LogRecord):
    """How many values there are, and some of the pairs.

    Attributes:
        pairs: of the run that is spoken of; `train`, `val`: values of the two series in the whole log.
        rows: lines or records that held a value; `bad`: that could not be read.
        broken: values that are NaN or infinite.
        restarted: points that a resumed run repeats; `stale`: validation values that were printed again.
        shown: up to twelve pairs, the first and the last among them.
        averaged: pairs whose training value is a local mean; `decimals`: of both losses and of their
            difference, None for one that is in full.
    """

    pairs: int
    train: int
    val: int
    rows: int
    bad: int
    broken: int
    restarted: int
    stale: int = 0
    shown: tuple[LogPair, ...]
    averaged: int = 0
    decimals: tuple[int | None, ...] | None = None


class LogMean(LogRecord):
    """A mean over prints with its 95 % interval, which allows for neighbours being alike.

    Attributes:
        low, high: the interval, None for one value.
        prints: that the mean is over; `effective`: independent ones that they are worth, None where it is not known.
        alike: lag-1 autocorrelation, estimated or, up to eleven values, assumed.
    """

    value: float
    low: float | None
    high: float | None
    prints: int
    effective: float | None
    alike: float | None
    alike_assumed: bool

    @property
    def resolved(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


class LogSign(LogRecord):
    """How consistent the gap's sign is.

    Attributes:
        below, above: values below and above zero.
        stretches: whose means are as good as independent; `agree`: of those, with the sign of most.
        p: two-sided, of so many that agree, were either sign as likely.
        assumed_independent: whether values are taken to be so, since too few show whether they are.
    """

    below: int
    above: int
    stretches: int
    agree: int
    p: float
    assumed_independent: bool

    @property
    def resolved(self) -> bool:
        """Whether chance would seldom make signs so consistent; never where values are taken to be independent."""
        return self.p < LEVEL and not self.assumed_independent


class LogTrend(LogRecord):
    """The gap's straight trend along the run."""

    value: float
    low: float
    high: float
    p: float


class LogGap(LogMean):
    """Validation minus training along the run.

    Attributes:
        value, low, high: of the second half where there are enough prints, else of all.
        whole, late: means over all prints, and over the second half.
        late_used: whether `value` is of the second half.
        moves: "narrows", "widens", "crosses", "holds" or "unknown" (too few prints).
        start, end: mean gap over the first and the last sixth of the prints.
        first, last: gap at the first and the last print.
        scatter: standard deviation of the gap about its course, None below five prints.
        ratio: validation over training at the end, None where one of them is not above zero.
        steady: whether one sign is more than scatter makes.
    """

    whole: LogMean
    late: LogMean | None
    late_used: bool
    sign: LogSign
    moves: Literal["narrows", "widens", "crosses", "holds", "unknown"]
    start: float | None
    end: float | None
    first: float
    last: float
    scatter: float | None
    ratio: float | None
    steady: bool
    trend: LogTrend | None


class LogNoise(LogRecord):
    """How printed values scatter about their course, and whether neighbouring ones share what they average.

    Of the values as the log has them; whether those that are compared are local means is said by `LogPoints.averaged`.
    """

    train: float | None
    val: float | None
    train_smoothed: bool | None
    val_smoothed: bool | None


class LogYardstick(LogRecord):
    """What another way to predict the text needs."""

    name: str
    bits_per_byte: float


class LogCut(LogRecord):
    """A way of cutting a corpus that gives about as many samples as the log has.

    Attributes:
        kind: of tokens; `each`: what there is a sample for: each position, half context, context or document.
        expected: samples that it gives; `ratio`: the log's over these.
    """

    kind: str
    each: Each
    expected: float
    ratio: float

    @property
    def overlaps(self) -> bool:
        """Whether samples share text."""
        return self.each in ("position", "half")


class LogPlausibility(LogRecord):
    """A log held against its corpus."""

    corpus: str
    documents: int
    bytes: int
    tokens: str | None
    tokens_from: str | None
    bits_per_byte: float
    at_most: bool
    yardsticks: tuple[LogYardstick, ...]
    counts: dict[str, float]
    cuts: tuple[LogCut, ...]


class LogFinding(LogRecord):
    """Something wrong, or to be known."""

    rule: str
    severity: Severity
    what: str
    fix: str
    measured: dict[str, float] = Field(default_factory=dict)

    @classmethod
    def of(cls, rule: str, severity: Severity, what: str, fix: str, **measured: float) -> Self:
        """Return the finding of a rule of logs; of what was measured the numbers that are finite."""
        known = {name: float(value) for name, value in measured.items() if math.isfinite(value)}
        return cls(rule=f"log/{rule}", severity=severity, what=what, fix=fix, measured=known)


class LogCause(LogRecord):
    """A cause that the log leaves possible, or excludes."""

    id: str
    why: str
    looks: str = ""


class LogExperiment(LogRecord):
    """The one experiment that would tell most."""

    what: str
    outcome: str
    command: str


class LogRun(LogRecord):
    """One of several runs that a log holds, or another pair of like losses."""

    name: str
    pairs: int
    first: LogPair
    last: LogPair
    below: int
    above: int


class LogReport(LogRecord):
    """All that a log tells.

    Attributes:
        runs: every run of the log where it holds several, in their order; the other parts are of one of them, `run`.
        others: further pairs of like losses that the log has, as of a loss's parts or a third set of data.
        curves: both losses along the run, for a picture.
        verdict: the sentence or two that lead.
    """

    source: LogSource
    points: LogPoints
    gap: LogGap | None
    noise: LogNoise
    implied: dict[str, float]
    plausibility: LogPlausibility | None
    findings: tuple[LogFinding, ...]
    possible: tuple[LogCause, ...]
    ruled_out: tuple[LogCause, ...]
    next: LogExperiment
    notes: tuple[str, ...]
    verdict: str
    runs: tuple[LogRun, ...] = ()
    run: str = ""
    others: tuple[LogRun, ...] = ()
    curves: dict[str, LogCurve] = Field(default_factory=dict)
