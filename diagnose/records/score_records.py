"""The shape of a comparison of scores from anybody's table: what `diagnose compare TABLE --json` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from diagnose.records.ablations import EffectRecord, Estimate, Noise
from diagnose.records.command_records import CarriedOut  # noqa: TC001  (pydantic reads it)
from diagnose.records.schema import Schema, Text


class ScoreMetric(Schema):
    """A score: its column, which side is better, and what its values are.

    Attributes:
        better: "lower" or "higher"; "" where neither its name nor an option says.
        told_by: "option", "name" or "".
        kind: "binary" (0 or 1), "counts", "bounded" (0 to 1) or "numbers".
        noise: where 95 % of the differences between two equal arms would fall.
    """

    name: Text
    better: Literal["lower", "higher", ""] = ""
    told_by: Literal["option", "name", ""] = ""
    kind: Literal["binary", "counts", "bounded", "numbers"] = "numbers"
    noise: Noise | None = None


class ScoreLevel(Estimate):
    """An arm's mean of one score, with its interval and each seed's mean."""

    metric: Text
    per_seed: tuple[float, ...] = ()


class FactorRecord(Schema):
    """What is compared: a column and its levels, named as in the table ("3e-4" stays that), the control first."""

    name: Text
    levels: tuple[Text, ...]
    control: Text


class ScoredArm(Schema):
    """An arm: its levels by factor, its seeds as the table names them, and its scores."""

    level: Text
    levels: dict[str, Text] = Field(default_factory=dict)
    seeds: tuple[Text, ...] = ()
    scores: tuple[ScoreLevel, ...] = ()

    def score(self, metric: str) -> ScoreLevel:
        """Return its scores of one metric."""
        return next(candidate for candidate in self.scores if candidate.metric == metric)


class ScoreEffect(EffectRecord):
    """What an arm's score is minus the control's, in the score's own unit.

    Attributes:
        metric: which score.
        over: what the interval is over; "nothing" where there is none.
        excludes_zero: whether the interval does. `resolved` is that and more: seeds were drawn, so that it holds for
            another training.
        paired_seeds: names of the seeds that both arms share; empty where arms are not paired by seed.
        seeds: of the arm that has fewest.
    """

    metric: Text
    over: Literal["seeds and examples", "seeds", "examples", "nothing"]
    excludes_zero: bool = False
    paired_seeds: tuple[Text, ...] = ()


class DesignRecord(Schema):
    """What the table was found to be.

    Attributes:
        layout: "crossed" (all runs scored on the same examples), "nested" (each seed on its own), "runs" (a row a run).
        seeds_paired: whether all effects are paired by seed.
        examples, clusters: how many are compared; 0 where the table has none.
        left_out: examples that not every run was scored on.
    """

    layout: Literal["crossed", "nested", "runs"]
    over: Literal["seeds and examples", "seeds", "examples", "nothing"]
    rows: int
    runs: int
    seeds_paired: bool
    examples: int
    clusters: int
    left_out: int
    arm_columns: tuple[Text, ...]
    seed_column: Text = ""
    example_column: Text = ""
    cluster_column: Text = ""


class ScoreComparison(Schema):
    """All that a comparison of scores says.

    `source` names the files, `notes` are sentences to be read first, `carried` says how scores came about that were
    measured by running a command.
    """

    format: int = 1
    kind: Literal["scores"] = "scores"
    source: tuple[Text, ...] = ()
    created: Text = ""
    axes: tuple[FactorRecord, ...]
    design: DesignRecord
    metrics: tuple[ScoreMetric, ...]
    arms: tuple[ScoredArm, ...]
    effects: tuple[ScoreEffect, ...]
    pairs: tuple[ScoreEffect, ...] = ()
    notes: tuple[Text, ...] = ()
    verdict: Text = ""
    command: Text = ""
    version: Text = ""
    carried: CarriedOut | None = None

    @property
    def control(self) -> str:
        """The arm that the others are compared with."""
        return self.arms[0].level

    def metric(self, name: str) -> ScoreMetric:
        """Return a score by its name."""
        return next(candidate for candidate in self.metrics if candidate.name == name)
