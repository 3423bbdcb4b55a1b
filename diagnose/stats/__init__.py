"""Intervals that cover: pure functions on numpy arrays that state their axes.

Axes: S seeds, N documents, M blocks of adjacent documents.

`crossed` holds the model of seeds and documents, `paired` what an ablation says with it, `power` how many seeds or
documents would settle a question, `ratios` mean losses over documents and their differences for one run, `shapley`
how several conditions share an effect, `trends` a loss along an order, `unpaired` arms that share no seeds.
Of results of others: `whole_runs` has one number a run, `one_run` one run an arm, `proportions` scores of 0 and 1.
"""

from diagnose.stats.one_run import example_effect, example_level
from diagnose.stats.paired import Effect, arm_level, equivalence, holm, noise_band, paired_effect
from diagnose.stats.power import documents_needed, power, seeds_needed, smallest_resolvable
from diagnose.stats.ratios import (
    Interval,
    Reading,
    combination,
    in_blocks,
    paired_ratio_interval,
    ratio_interval,
    two_sample_interval,
)
from diagnose.stats.trends import Trend, trend
from diagnose.stats.unpaired import shared, unpaired_contrast, unpaired_effect
from diagnose.stats.whole_runs import paired_runs, runs_level, unpaired_runs

__all__ = [
    "Effect",
    "Interval",
    "Reading",
    "Trend",
    "arm_level",
    "combination",
    "documents_needed",
    "equivalence",
    "example_effect",
    "example_level",
    "holm",
    "in_blocks",
    "noise_band",
    "paired_effect",
    "paired_ratio_interval",
    "paired_runs",
    "power",
    "ratio_interval",
    "runs_level",
    "seeds_needed",
    "shared",
    "smallest_resolvable",
    "trend",
    "two_sample_interval",
    "unpaired_contrast",
    "unpaired_effect",
    "unpaired_runs",
]
