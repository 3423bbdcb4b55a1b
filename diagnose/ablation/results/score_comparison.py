"""A table of scores -> a record: the design, each arm's scores, effects, and what they come to."""

from __future__ import annotations

import math
import re
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from diagnose.ablation.results import score_effects, telling_columns
from diagnose.ablation.results.score_design import RepeatedRowsError, design_of
from diagnose.ablation.results.score_effects import Scored
from diagnose.ablation.results.score_names import metric_of
from diagnose.ablation.results.score_table import as_text_and_numbers, failure_codes, of_levels
from diagnose.ablation.results.score_verdict import sentence_of, verdict_of
from diagnose.ablation.results.table_hints import of_repeats, unnamed
from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import listed, visible
from diagnose.records.score_records import DesignRecord, ScoreComparison, ScoredArm, ScoreLevel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from diagnose.ablation.effects import Contrast
    from diagnose.ablation.results.score_design import ScoreDesign
    from diagnose.ablation.results.score_table import ScoreColumns
    from diagnose.records.score_records import ScoreEffect, ScoreMetric

PERCENT, FAR = 100, 10  # scores of at most 100 that are ten times as large as others below 1 may be percent
MOST_NAMED = 4  # runs that a note lists
FOLD = re.compile(r"(^|[^a-z])(k?folds?|cv)([^a-z]|$)", re.IGNORECASE)  # what a column of folds is called

Margin: TypeAlias = "float | Mapping[str, float] | None"


def compare_table(
    table: pd.DataFrame,
    asked: ScoreColumns,
    *,
    higher: bool | Mapping[str, bool] | None = None,
    levels: Sequence[str] | None = None,
    pairs: bool = False,
    margin: Margin = None,
    source: Sequence[str] = (),
    command: str = "",
    notes: Sequence[str] = (),
    columns: Callable[[], Sequence[str]] | None = None,
    whole: Callable[[], pd.DataFrame] | None = None,
) -> ScoreComparison:
    """Compare the arms of a table of scores.

    Args:
        table: a row a run, or a row an example of a run.
        asked: which column is what.
        higher: whether higher is better, of all scores or by name; None to go by the scores' names.
        levels: arms to keep, the control first.
        pairs: compare every two arms as well.
        margin: in the score's unit, of several scores by name: effects are tested for being no larger.
        source: what the table is called.
        command: what repeats it.
        notes: what is to be said of how the table came about.
        columns: gives the names of all columns of the file that it is from; None where the table has them.
        whole: gives the table with all columns of the files that it is from; None where it has them.

    Raises:
        DiagnoseError: no comparison can be made of it; one line says why.
    """
    import pandas as pd

    margins = margins_of(margin, asked.scores)
    readable = as_text_and_numbers(of_levels(table, asked, levels) if isinstance(table, pd.DataFrame) else table, asked)
    full = _with_all_columns(table, whole)
    names = list(columns()) if columns else [str(name) for name in table.columns]
    crossed = [] if asked.seed or asked.example else telling_columns.refuse_crossed(full(), asked)
    try:
        design = design_of(readable, asked, levels)
    except RepeatedRowsError as error:
        hint = telling_columns.of_repeats(full(), asked) or of_repeats(names, (*asked.keys, *asked.scores))
        raise DiagnoseError(f"{error}{hint}") from None
    means = telling_columns.notes_on_means(names, asked)
    metrics = {name: metric_of(name, readable[name].to_numpy(), _higher(higher, name)) for name in asked.scores}
    scored = [
        Scored(name, metric.kind == "binary", design.cells(readable[name].to_numpy()))
        for name, metric in metrics.items()
    ]
    several = len(design.factors) > 1

    def say(contrast: Contrast, effect: ScoreEffect) -> str:
        return sentence_of(contrast, effect, metrics[effect.metric], several=several)

    wanted = score_effects.contrasts(design)
    effects = score_effects.effects_of(design, scored, wanted, margins, say)
    every = score_effects.effects_of(design, scored, score_effects.all_pairs_of(design), margins, say) if pairs else []
    arms = [_arm(design, scored, level) for level in design.arms]
    return ScoreComparison(
        source=tuple(source), created=datetime.now().astimezone().isoformat(timespec="seconds"), axes=design.factors,
        design=_design(design, asked, effects), arms=tuple(arms), effects=tuple(effects), pairs=tuple(every),
        metrics=tuple(_with_noise(design, item, metrics[item.metric]) for item in scored),
        notes=(*notes, *crossed, *means, *_unnamed(table, asked), *_folds(asked, effects), *_notes(design, effects),
               *_mixed_units(scored, metrics), *failure_codes(readable, asked)),
        command=command, version=version("diagnose-training"),
        verdict=_sentence_case(verdict_of(design, list(metrics.values()), arms, effects)),
    )  # fmt: skip


def _with_all_columns(table: pd.DataFrame, whole: Callable[[], pd.DataFrame] | None) -> Callable[[], pd.DataFrame]:
    return whole or (lambda: table.set_axis([str(name) for name in table.columns], axis=1))


def margins_of(margin: Margin, scores: Sequence[str]) -> dict[str, float]:
    """Return the margin of each score that has one.

    Args:
        margin: of the only score, or by name.
        scores: that are compared.

    Raises:
        DiagnoseError: one is none, of no score here, or of several scores that have units of their own.
    """
    if margin is None:
        return {}
    if not isinstance(margin, float | int):
        margins = {name: float(size) for name, size in margin.items()}
    elif len(scores) == 1:
        margins = {scores[0]: float(margin)}
    else:
        each = ",".join(f"{name}=SIZE" for name in scores[:2])
        raise DiagnoseError(f"--margin {margin:g}: {len(scores)} scores are compared, each in its own unit: {each}")
    for name, size in margins.items():
        if name not in scores:
            raise DiagnoseError(f"--margin {name}: no such score is compared{nearest(name, scores)}")
        if not 0 < size < math.inf:
            raise DiagnoseError(f"--margin {size:g}: above 0, in the score's own unit")
    return margins


def _higher(given: bool | Mapping[str, bool] | None, name: str) -> bool | None:
    return given if given is None or isinstance(given, bool) else given.get(name)


def _arm(design: ScoreDesign, scored: Sequence[Scored], level: str) -> ScoredArm:
    scores = []
    for metric in scored:
        interval, seed_means = (
            score_effects.level_of(design, metric, level),
            score_effects.per_seed(design, metric, level),
        )
        scores.append(
            ScoreLevel(
                metric=metric.metric,
                value=interval.value,
                low=interval.low,
                high=interval.high,
                per_seed=tuple(seed_means),
            )
        )
    return ScoredArm(level=level, levels=design.levels[level], seeds=design.arms[level], scores=tuple(scores))


def _with_noise(design: ScoreDesign, scored: Scored, metric: ScoreMetric) -> ScoreMetric:
    return metric.model_copy(update={"noise": score_effects.noise_of(design, scored)})


def _design(design: ScoreDesign, asked: ScoreColumns, effects: Sequence[ScoreEffect]) -> DesignRecord:
    return DesignRecord(
        layout=design.layout, over=design.over, rows=len(design.rows), runs=sum(map(len, design.arms.values())),
        seeds_paired=bool(effects) and all(effect.paired_seeds for effect in effects), examples=design.examples,
        clusters=design.clusters, left_out=design.left_out, arm_columns=asked.arms, seed_column=asked.seed or "",
        example_column=asked.example or "", cluster_column=asked.cluster or "",
    )  # fmt: skip


def _notes(design: ScoreDesign, effects: Sequence[ScoreEffect]) -> list[str]:
    same = [effect for effect in effects if not (effect.value or effect.low or effect.sd_rest or effect.sd_documents)]
    names = dict.fromkeys(f"{effect.level} and {effect.against} ({effect.metric})" for effect in same)
    more = [f"The very same scores: {', '.join(names)}. Check that these are different runs."] if names else []
    return [*design.notes, *_unpaired(design, effects), *more]


def _unnamed(table: pd.DataFrame, asked: ScoreColumns) -> list[str]:
    names = [str(name) for name in table.columns]
    return [] if asked.seed or asked.example else unnamed(names, (*asked.arms, *asked.scores))


def _folds(asked: ScoreColumns, effects: Sequence[ScoreEffect]) -> list[str]:
    """Say of folds that are taken as runs that these are not independent."""
    if not FOLD.search(asked.seed or "") or all(effect.low is None for effect in effects):
        return []
    return [
        f"{visible(asked.seed or '')}: folds of one data set share most of their training data, so that runs are not "
        "independent and intervals over them too narrow (Nadeau and Bengio 2003): what is resolved here may be chance"
    ]


def _mixed_units(scored: Sequence[Scored], metrics: Mapping[str, ScoreMetric]) -> list[str]:
    """Say of which scores some runs may be in percent and others fractions."""
    out = []
    for metric in scored:
        values = np.concatenate([cells.mean(axis=1) for cells in metric.cells.values()])
        below, above = values[values < 1], values[values >= 1]
        if metrics[metric.metric].better != "higher" or not (len(below) and len(above)):
            continue
        if below.min() >= 0 and below.max() * FAR < above.min() and above.max() <= PERCENT:
            out.append(
                f"In {metric.metric} {len(below)} of {len(values)} runs lie below 1 and the highest is "
                f"{above.max():.3g}: if some are fractions and some percent, the differences mean nothing."
            )
    return out


def _unpaired(design: ScoreDesign, effects: Sequence[ScoreEffect]) -> list[str]:
    """Say which arm lacks which seed, where differences are paired by seed and so are not those of the means."""
    if design.named_seeds and len(set().union(*design.arms.values())) == sum(map(len, design.arms.values())):
        return ["Arms share no seed, as the table names them: differences are those of means, not paired by seed."]
    if not any(effect.paired_seeds for effect in effects):
        return []
    seeds = list(dict.fromkeys(seed for arm_seeds in design.arms.values() for seed in arm_seeds))
    lacks = [f"{arm} seed {seed}" for arm, arm_seeds in design.arms.items() for seed in seeds if seed not in arm_seeds]
    if not lacks:
        return []
    named = [visible(arm_seed) for arm_seed in lacks[:MOST_NAMED]]
    more = [f"{len(lacks) - MOST_NAMED} more"] if len(lacks) > MOST_NAMED else []
    return [
        f"Not in the table: {listed([*named, *more])}. Differences are paired by seed, over the seeds that their arms "
        "share, and need not be those of the means."
    ]


def _sentence_case(text: str) -> str:
    """Return sentences that begin with a capital, where one begins with a word of ours."""
    return text.replace(". in ", ". In ").replace(". the interaction ", ". The interaction ")
