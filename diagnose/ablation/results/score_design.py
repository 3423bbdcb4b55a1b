"""The design that a table of scores has: arms, seeds, examples and clusters, what is crossed, what is missing.

Axes: R runs (arm by arm, seeds in order), N examples that every run was scored on, M clusters of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from diagnose.ablation.results.score_table import where_is
from diagnose.ablation.results.table_hints import TIMES
from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import counted, cut, listed, share, visible
from diagnose.records.score_records import FactorRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from diagnose.ablation.results.score_table import ScoreColumns


class RepeatedRowsError(DiagnoseError):
    """Several rows of one run, or of one example of a run."""


Over = Literal["seeds and examples", "seeds", "examples", "nothing"]
Layout = Literal["crossed", "nested", "runs"]
ENOUGH = 0.5  # share of a run's examples that all runs were scored on, for seeds and examples to be called crossed
MOST_ARMS = 200


@dataclass(frozen=True)
class ScoreDesign:
    """What a table's rows are, and where each score belongs.

    Attributes:
        factors: what is compared: each column's levels, the control first.
        arms: each arm's seeds; the control first.
        levels: each arm's level of each factor.
        layout: "crossed" (all runs on the same examples), "nested" (runs of other seeds on other examples), "runs" (no
            examples are told apart).
        over: what intervals are over, "nothing" where there are none.
        named_seeds: whether seeds have names, so that those of two arms may be the same.
        weights_M: how many examples each cluster holds; ones where there are no clusters.
        examples, clusters: how many are compared; 0 where there are none.
        left_out: examples that not every run was scored on.
        rows: of the table that are used, sorted by run and example.
        run_of_row, cluster_of_row: of these rows.
        notes: what else a reader must know, as sentences.
    """

    factors: tuple[FactorRecord, ...]
    arms: dict[str, tuple[str, ...]]
    levels: dict[str, dict[str, str]]
    layout: Layout
    over: Over
    named_seeds: bool
    weights_M: NDArray[np.float64]
    examples: int
    clusters: int
    left_out: int
    rows: NDArray[np.int64]
    run_of_row: NDArray[np.int64]
    cluster_of_row: NDArray[np.int64] | None
    notes: tuple[str, ...] = field(default=())

    @property
    def control(self) -> str:
        """The arm that the others are compared with."""
        return next(iter(self.arms))

    @property
    def fewest_seeds(self) -> int:
        """The number of runs of the arm that has fewest."""
        return min(map(len, self.arms.values()))

    def cells(self, score: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return the scores of each arm by seed and example (or cluster, summed); by seed alone in one column.

        Args:
            score: of every row of the table.
        """
        used, runs = score[self.rows], sum(map(len, self.arms.values()))
        if self.layout != "crossed":
            count_R = np.bincount(self.run_of_row, minlength=runs)
            by_run = np.asarray(np.bincount(self.run_of_row, used, runs) / count_R, dtype=np.float64).reshape(-1, 1)
        elif self.cluster_of_row is not None:
            place = self.run_of_row * len(self.weights_M) + self.cluster_of_row
            sums = np.bincount(place, used, runs * len(self.weights_M))
            by_run = np.asarray(sums, dtype=np.float64).reshape(runs, -1)
        else:
            by_run = used.reshape(runs, -1)
        ends = np.cumsum([len(seeds) for seeds in self.arms.values()])[:-1]
        return dict(zip(self.arms, np.split(by_run, ends), strict=True))


def design_of(table: pd.DataFrame, asked: ScoreColumns, levels: Sequence[str] | None = None) -> ScoreDesign:
    """Find the design of a table.

    Args:
        table: as `score_table` gives it.
        asked: which column is what.
        levels: arms to keep, the control first; None for all, in their order in the table.

    Raises:
        DiagnoseError: no comparison can be made; one line says why.
    """
    arm_of_row, names, parts = _arms_of(table, asked)
    wanted = _chosen(names, levels)
    rows = np.flatnonzero(np.isin(arm_of_row, [names.index(name) for name in wanted]))
    rank = {names.index(name): place for place, name in enumerate(wanted)}
    arm_K = np.array([rank[code] for code in arm_of_row[rows]]) if levels else arm_of_row[rows]
    run_K, arms = _runs_of(table, asked, rows, arm_K, wanted)
    if asked.example is None and asked.cluster is None:
        _refuse_twice(table, asked, rows, run_K)
    _refuse_few(arms, asked)
    chosen = {name: parts[name] for name in wanted}
    return _laid_out(table, asked, rows, run_K, arms, chosen)


def _arms_of(
    table: pd.DataFrame, asked: ScoreColumns
) -> tuple[NDArray[np.int64], list[str], dict[str, dict[str, str]]]:
    """Return each row's arm, the arms' names in order of appearance, and each arm's level of each factor."""
    import pandas as pd

    codes = np.stack([table[name].cat.codes.to_numpy(dtype=np.int64) for name in asked.arms])
    sizes = [len(table[name].cat.categories) for name in asked.arms]
    flat = np.ravel_multi_index(tuple(codes), sizes)
    arm_of_row, arms = pd.factorize(flat)
    places = np.stack(np.unravel_index(arms, sizes), axis=1)
    levels = [
        {name: str(table[name].cat.categories[code]) for name, code in zip(asked.arms, row, strict=True)}
        for row in places
    ]
    names = [", ".join(values.values()) for values in levels]
    return np.asarray(arm_of_row, dtype=np.int64), names, dict(zip(names, levels, strict=True))


def _chosen(names: Sequence[str], levels: Sequence[str] | None) -> list[str]:
    wanted = list(dict.fromkeys(levels)) if levels else list(names)
    for name in wanted:
        if name not in names:
            raise DiagnoseError(f"--levels {visible(name)}: the table has no such arm{nearest(name, names)}")
    if len(wanted) < 2:
        first = visible(wanted[0])
        raise DiagnoseError(f"a comparison takes two arms, and there is one: {cut(first, 60)}")
    if len(wanted) > MOST_ARMS:
        raise DiagnoseError(f"the table has {len(wanted):,} arms; --levels a,b,c takes up to {MOST_ARMS} of them")
    return wanted


def _runs_of(
    table: pd.DataFrame,
    asked: ScoreColumns,
    rows: NDArray[np.int64],
    arm_K: NDArray[np.int64],
    names: Sequence[str],
) -> tuple[NDArray[np.int64], dict[str, tuple[str, ...]]]:
    """Return each row's run, runs being sorted by arm and seed, and the seeds of each arm."""
    if asked.seed is not None:
        seeds = [str(item) for item in table[asked.seed].cat.categories]
        seed_K = table[asked.seed].cat.codes.to_numpy(dtype=np.int64)[rows]
    elif asked.example is not None:
        seeds, seed_K = [""], np.zeros(len(rows), dtype=np.int64)
    else:  # every row is a run without a name
        order = np.argsort(arm_K, kind="stable")
        starts = np.searchsorted(arm_K[order], np.arange(len(names)))
        seed_K = np.empty(len(rows), dtype=np.int64)
        seed_K[order] = np.arange(len(rows)) - starts[arm_K[order]]
        seeds = [str(place + 1) for place in range(int(seed_K.max()) + 1)]
    order_of = _ranks(seeds)
    flat = arm_K * len(seeds) + order_of[seed_K]
    keys, run_K = np.unique(flat, return_inverse=True)
    by_rank = np.argsort(order_of)
    arms: dict[str, tuple[str, ...]] = dict.fromkeys(names, ())
    for item in keys:
        arms[names[item // len(seeds)]] += (seeds[by_rank[item % len(seeds)]],)
    return run_K.astype(np.int64), arms


def _ranks(seeds: Sequence[str]) -> NDArray[np.int64]:
    """Return each seed's place in order: numbers by size, then names."""
    order = sorted(
        range(len(seeds)), key=lambda k: (not seeds[k].isdigit(), seeds[k].isdigit() * len(seeds[k]), seeds[k])
    )
    ranks = np.empty(len(seeds), dtype=np.int64)
    ranks[order] = np.arange(len(seeds))
    return ranks


def _refuse_few(arms: Mapping[str, tuple[str, ...]], asked: ScoreColumns) -> None:
    """Refuse a table where some arms have one run and others several."""
    single = [visible(name) for name, seeds in arms.items() if len(seeds) == 1]
    if single and len(single) < len(arms):
        who = listed([cut(name, 40) for name in single[:4]]) + (" and others" if len(single) > 4 else "")
        verb, have = ("has", "its") if len(single) == 1 else ("have", "their")
        raise DiagnoseError(
            f"{who} {verb} one {'seed' if asked.seed else 'run'}, so how far {have} seeds lie apart is not known: add "
            "seeds, or name the arms to compare with --levels"
        )


def _laid_out(
    table: pd.DataFrame,
    asked: ScoreColumns,
    chosen: NDArray[np.int64],
    run_K: NDArray[np.int64],
    arms: dict[str, tuple[str, ...]],
    levels: dict[str, dict[str, str]],
) -> ScoreDesign:
    """Return the design, given each kept row's run."""
    factors = _factors(asked, levels)
    if asked.example is not None and asked.example.strip("_").lower() in TIMES:
        raise DiagnoseError(
            f"--example {asked.example}: the epochs, steps or checkpoints of one run are no examples, for they follow "
            "from each other; keep one row a run, as the last"
        )
    several = min(map(len, arms.values())) > 1
    named = asked.seed is not None
    if asked.example is None:
        if asked.cluster is not None:
            raise DiagnoseError("--cluster groups examples: name their column with --example")
        over: Over = "seeds" if several else "nothing"
        return ScoreDesign(factors, arms, levels, "runs", over, named, np.ones(1), 0, 0, 0, chosen, run_K, None)
    order, example_K, complete_N = _crossing(table, asked, chosen, run_K)
    rows, runs = chosen[order], run_K[order]
    per_run = np.bincount(run_K)
    common = int(complete_N.sum())
    if common < ENOUGH * float(np.median(per_run)) and _nested(table, asked, chosen, example_K):
        if not several:
            raise DiagnoseError(
                f"the arms share {common} examples, and each was run once: there is nothing to compare; if each row is "
                "a draw of its own, as a user of an A/B test, leave --example out"
            )
        count = len(complete_N)
        return ScoreDesign(factors, arms, levels, "nested", "seeds", named, np.ones(1), count, 0, 0, rows, runs, None)
    if len(complete_N) == 1:
        raise DiagnoseError(f"the table has one {asked.example}: leave --example out, and a row is a run")
    if common < 2:
        raise DiagnoseError(
            f"{counted(common, 'example')} of {len(complete_N):,} {'is' if common == 1 else 'are'} scored in every "
            "run: compare arms that share examples (--levels), or leave --example out if each run has its own"
        )
    whole = complete_N[example_K[order]]
    rows, runs = rows[whole], runs[whole]
    cluster, weights_M = _clusters(table, asked, rows, common)
    missing = len(complete_N) - common
    return ScoreDesign(
        factors, arms, levels, "crossed", "seeds and examples" if several else "examples", named, weights_M, common,
        len(weights_M) if cluster is not None else 0, missing, rows, runs, cluster,
        _missing(missing, len(complete_N), len(chosen), len(per_run)),
    )  # fmt: skip


def _factors(asked: ScoreColumns, levels: Mapping[str, Mapping[str, str]]) -> tuple[FactorRecord, ...]:
    out = []
    for name in asked.arms:
        levels_of_axis = tuple(dict.fromkeys(arm[name] for arm in levels.values()))
        out.append(FactorRecord(name=name, levels=levels_of_axis, control=levels_of_axis[0]))
    return tuple(out)


def _refuse_twice(
    table: pd.DataFrame, asked: ScoreColumns, chosen: NDArray[np.int64], run_K: NDArray[np.int64]
) -> None:
    count_R = np.bincount(run_K)
    if count_R.max() > 1:
        rows = chosen[run_K == int(count_R.argmax())]
        keys = asked.arms if asked.seed is None else (*asked.arms, asked.seed)
        if len(table.iloc[rows].drop_duplicates()) == 1:
            raise RepeatedRowsError(
                f"the same row {len(rows):,} times {where_is(table, keys, int(rows[0]))}: keep it once"
            )
        raise RepeatedRowsError(
            f"{len(rows):,} rows {where_is(table, keys, int(rows[0]))}: a run is one row; "
            "if rows are examples, name their column with --example; of a run's epochs, steps or checkpoints keep one, "
            "as the last"
        )


def _crossing(
    table: pd.DataFrame, asked: ScoreColumns, rows: NDArray[np.int64], run_K: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the order of rows by run and example, each row's example, and which examples every run was scored on.

    Raises:
        DiagnoseError: a run has two rows of one example.
    """
    import pandas as pd

    example_K = np.asarray(pd.factorize(table[asked.example].cat.codes.to_numpy()[rows])[0], dtype=np.int64)
    count = int(example_K.max()) + 1
    place = run_K * count + example_K
    order = np.argsort(place, kind="stable")
    twice = np.flatnonzero(np.diff(place[order]) == 0)
    if len(twice):
        row = int(rows[order[twice[0]]])
        within = f"; if they are numbered within each {asked.cluster}, give them unique names" if asked.cluster else ""
        raise RepeatedRowsError(
            f"{counted(len(twice), 'row')} too many: a run has two scores of one example, the first "
            f"{where_is(table, asked.keys[: len(asked.keys) - (asked.cluster is not None)], row)}{within}"
        )
    return order, example_K, np.bincount(example_K, minlength=count) == int(run_K.max()) + 1


def _nested(table: pd.DataFrame, asked: ScoreColumns, rows: NDArray[np.int64], example_K: NDArray[np.int64]) -> bool:
    """Tell whether no example is scored under two seeds.

    Raises:
        DiagnoseError: it is so, but clusters of examples are.
    """
    if asked.seed is None:
        return True
    seed_K = table[asked.seed].cat.codes.to_numpy(dtype=np.int64)[rows]
    if not _each_under_one(example_K, seed_K):
        return False
    if asked.cluster is not None:
        cluster_K = table[asked.cluster].cat.codes.to_numpy(dtype=np.int64)[rows]
        if not _each_under_one(cluster_K, seed_K):
            raise DiagnoseError(
                f"each seed has examples of its own, but values of {asked.cluster} recur between seeds: such runs are "
                "not independent, and no interval is known for them"
            )
    return True


def _each_under_one(unit_K: NDArray[np.int64], seed_K: NDArray[np.int64]) -> bool:
    seeds = int(seed_K.max()) + 1
    return len(np.unique(unit_K * seeds + seed_K)) == len(np.unique(unit_K))


def _clusters(
    table: pd.DataFrame, asked: ScoreColumns, rows: NDArray[np.int64], examples: int
) -> tuple[NDArray[np.int64] | None, NDArray[np.float64]]:
    """Return each row's cluster and how many examples each holds, given rows sorted by run and example.

    Raises:
        DiagnoseError: an example lies in two clusters, or there is one cluster.
    """
    import pandas as pd

    if asked.cluster is None:
        return None, np.ones(examples)
    codes = table[asked.cluster].cat.codes.to_numpy(dtype=np.int64)[rows].reshape(-1, examples)
    if (codes != codes[0]).any():
        place = int((codes != codes[0]).any(0).argmax())
        raise DiagnoseError(
            f"an example lies in one {asked.cluster}, but "
            f"{where_is(table, [asked.example or ''], int(rows[place])).removeprefix('at ')} lies in two"
        )
    cluster_N = np.asarray(pd.factorize(codes[0])[0], dtype=np.int64)
    if int(cluster_N.max()) < 1:
        raise DiagnoseError(f"all examples lie in one {asked.cluster}: two or more are wanted, or no --cluster")
    return np.tile(cluster_N, len(codes)), np.bincount(cluster_N).astype(np.float64)


def _missing(left_out: int, examples: int, rows: int, runs: int) -> tuple[str, ...]:
    if not left_out:
        return ()
    cells = examples * runs - rows
    return (
        f"{counted(left_out, 'example')} of {examples:,} ({share(left_out / examples)}) "
        f"{'is' if left_out == 1 else 'are'} not scored in every run ({counted(cells, 'cell')} missing) and left out "
        "of all: what holds for the others need not hold for them.",
    )
