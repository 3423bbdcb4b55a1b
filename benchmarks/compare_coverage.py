"""How often intervals of `diagnose compare` that say 95 % cover, beside peers on the same tables, by simulation.

    python benchmarks/compare_coverage.py [replications] [part of a row's name]

Two arms a table; 4,000 replications of all rows take some ten minutes on one core. Every row is printed when it is
done, so that what was counted until a stop can be used. Peers, each as its users would have it:

- t over seeds: scipy's paired t (Welch's where the arms share no seeds) on each run's mean;
- clustered: difference of means with errors clustered by example or cluster (by seed where a row is a run), as
  statsmodels' OLS with cov_type="cluster" gives them (`--check` holds the closed form here against it);
- items: percentile bootstrap over examples, scores averaged over seeds, as evalci's paired bootstrap;
- runs: percentile bootstrap over runs, within each arm, as rliable's stratified bootstrap.

Axes: X replications, A arms (the control first), S seeds, N examples.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from scipy.special import ndtri
from scipy.stats import t

from diagnose.ablation.effects import Contrast
from diagnose.ablation.results.score_design import ScoreDesign
from diagnose.ablation.results.score_effects import Scored, effect_of
from diagnose.records.score_records import FactorRecord

RESAMPLES = 1000
BATCH = 250  # replications drawn at once


@dataclass
class Drawn:
    """Tables of one kind: scores_XASN, the true effect, and how they are laid out."""

    scores: np.ndarray
    truth: float
    layout: str = "crossed"
    binary: bool = False
    paired: bool = True
    seeds: tuple[int, int] = (0, 0)
    cluster: np.ndarray | None = None
    lost: np.ndarray | None = field(default=None)  # lost_XN: examples that some run lacks


def spread(rng, shape, sd):
    return sd * rng.standard_normal(shape)


def latent(
    rng, count, seeds, examples, *, seed=0.02, example=1.0, arm=0.05, rest=0.1, own=0.0, cluster=None, passage=0.0
):
    """Return normal scores_XASN: seeds and examples of their own, `own` what a seed shares between the arms."""
    out = spread(rng, (count, 2, seeds, examples), rest) + spread(rng, (count, 2, seeds, 1), seed)
    out += spread(rng, (count, 1, seeds, 1), own)
    out += spread(rng, (count, 1, 1, examples), example) + spread(rng, (count, 2, 1, examples), arm)
    if cluster is not None:
        out += spread(rng, (count, 2, 1, int(cluster.max()) + 1), passage)[..., cluster]
    return out


def normal(rng, count, seeds, examples, **sds):
    return Drawn(latent(rng, count, seeds, examples, **sds), 0.0)


def nested(rng, count, seeds, examples, **sds):
    runs = [latent(rng, count, 1, examples, **sds) for _ in range(seeds)]
    return Drawn(np.concatenate(runs, 2).mean(-1, keepdims=True), 0.0, "nested")


def clustered(rng, count, seeds, passages, *, p=None, **sds):
    cluster = np.repeat(np.arange(passages), rng.integers(1, 10, passages))
    scores = latent(rng, count, seeds, len(cluster), cluster=cluster, **sds)
    if p is None:
        return Drawn(scores, 0.0, cluster=cluster)
    return right_or_wrong(scores, p, total(sds, cluster=True), cluster=cluster)


def total(sds, *, cluster=False):
    names = ("seed", "example", "arm", "rest", "own")
    defaults = {"seed": 0.02, "example": 1.0, "arm": 0.05, "rest": 0.1, "own": 0.0}
    own = sum((sds.get(k, defaults[k])) ** 2 for k in names)
    return np.sqrt(own + (sds.get("passage", 0.0) ** 2 if cluster else 0))


def right_or_wrong(scores, p, sd, **more):
    """Return 0 and 1 whose mean is exactly p of each arm: a latent normal below a threshold."""
    return Drawn(
        (scores / sd < ndtri(np.array(p))[None, :, None, None]).astype(float), p[1] - p[0], binary=True, **more
    )


TRAIT = {"seed": 0.15, "example": 0.8, "arm": 0.35, "rest": 0.45}


def binary(rng, count, seeds, examples, p, **sds):
    sds = TRAIT | sds
    return right_or_wrong(latent(rng, count, seeds, examples, **sds), p, total(sds))


def one_run(rng, count, examples, p=None):
    """Return one run an arm: what is estimated is the difference of these very models."""
    if p is not None:
        return binary(rng, count, 1, examples, p, seed=0.0)
    return Drawn(latent(rng, count, 1, examples, seed=0.0), 0.0)


def unpaired(rng, count, seeds, examples, **sds):
    return Drawn(latent(rng, count, max(seeds), examples, **sds), 0.0, paired=False, seeds=seeds)


def unpaired_binary(rng, count, seeds, examples, p):
    drawn = binary(rng, count, max(seeds), examples, p)
    drawn.paired, drawn.seeds = False, seeds
    return drawn


def incomplete(rng, count, seeds, examples, share, **sds):
    drawn = normal(rng, count, seeds, examples, **sds)
    cells = rng.random(drawn.scores.shape) < share
    drawn.lost = cells.any((1, 2))
    return drawn


def by_run(drawn):
    """Return the same with a row a run."""
    drawn.scores, drawn.layout, drawn.binary = drawn.scores.mean(-1, keepdims=True), "runs", False
    return drawn


def accuracies(seeds, tests, p, sd, rng, count):
    """Return a share of right answers a run, each on examples of its own."""
    share = np.stack([rng.beta(q * sd, (1 - q) * sd, (count, seeds)) for q in p], 1)
    return Drawn(rng.binomial(tests, share)[..., None] / tests, p[1] - p[0], "runs")


def skewed(rng, count, seeds, examples, sigma=1.0, shift=0.0):
    """Return lognormal losses: some examples cost many times as much as most."""
    base = latent(rng, count, seeds, examples, example=sigma, arm=0.2, rest=0.2, seed=0.02)
    base[:, 1] += shift
    mean = np.exp((sigma**2 + 0.2**2 * 2 + 0.02**2) / 2)
    return Drawn(np.exp(base), mean * (np.exp(shift) - 1))


def heavy(rng, count, seeds, examples):
    """Return losses whose differences between examples have long tails (Student's t with 3 degrees of freedom)."""
    tails = rng.standard_t(3, (count, 2, 1, examples)) * 0.1
    return Drawn(latent(rng, count, seeds, examples, arm=0.0) + tails, 0.0)


def counts(rng, count, seeds, examples, means):
    """Return Poisson counts whose rates vary between examples (gamma, shape 1) and runs."""
    rate = rng.gamma(1.0, 1.0, (count, 1, 1, examples)) * rng.gamma(100.0, 0.01, (count, 2, seeds, 1))
    return Drawn(rng.poisson(rate * np.array(means)[None, :, None, None]).astype(float), means[1] - means[0])


def bounded(rng, count, seeds, examples, means):
    """Return scores in 0 to 1, most of them near 1 (beta), examples of unlike difficulty."""
    easy = rng.beta(9 * 4, 4, (count, 1, 1, examples))
    spot = np.clip(easy * np.array(means)[None, :, None, None], 1e-6, 1 - 1e-6)
    spot = spot * np.exp(spread(rng, (count, 2, seeds, 1), 0.01) - 0.01**2 / 2)
    spot = np.clip(spot, 1e-6, 1 - 1e-6)
    return Drawn(rng.beta(spot * 8, (1 - spot) * 8), 0.9 * (means[1] - means[0]))


ROWS = {
    "crossed, seeds rule, 2 seeds": partial(normal, seeds=2, examples=200, seed=0.03, arm=0.05, rest=0.03),
    "crossed, seeds rule, 3 seeds": partial(normal, seeds=3, examples=200, seed=0.03, arm=0.05, rest=0.03),
    "crossed, seeds rule, 5 seeds": partial(normal, seeds=5, examples=200, seed=0.03, arm=0.05, rest=0.03),
    "crossed, both, 3 seeds": partial(normal, seeds=3, examples=200, seed=0.01, arm=0.15, rest=0.2),
    "crossed, both, 5 seeds": partial(normal, seeds=5, examples=200, seed=0.01, arm=0.15, rest=0.2),
    "crossed, examples rule, 3 seeds": partial(normal, seeds=3, examples=200, seed=0.002, arm=0.3, rest=0.2),
    "crossed, examples rule, 5 seeds": partial(normal, seeds=5, examples=200, seed=0.002, arm=0.3, rest=0.2),
    "nested, 3 seeds of 100 examples": partial(nested, seeds=3, examples=100, seed=0.01, arm=0.1),
    "nested, 5 seeds of 100 examples": partial(nested, seeds=5, examples=100, seed=0.01, arm=0.1),
    "clusters, 40 of 1 to 9, 3 seeds": partial(clustered, seeds=3, passages=40, passage=0.2, arm=0.2, rest=0.2),
    "clusters, 40 of 1 to 9, 5 seeds": partial(clustered, seeds=5, passages=40, passage=0.2, arm=0.2, rest=0.2),
    "clusters, 12 of 1 to 9, 3 seeds": partial(clustered, seeds=3, passages=12, passage=0.2, arm=0.2, rest=0.2),
    "clusters, 5 of 1 to 9, 3 seeds": partial(clustered, seeds=3, passages=5, passage=0.2, arm=0.2, rest=0.2),
    "long tails, 50 examples, 3 seeds": partial(heavy, seeds=3, examples=50),
    "10 examples, examples rule, 3 seeds": partial(normal, seeds=3, examples=10, seed=0.002, arm=0.3, rest=0.2),
    "unpaired, 3 and 3 seeds": partial(unpaired, seeds=(3, 3), examples=200, seed=0.03, arm=0.1),
    "unpaired, 2 and 8 seeds": partial(unpaired, seeds=(2, 8), examples=200, seed=0.03, arm=0.1),
    "unpaired, 3 and 5, examples rule": partial(unpaired, seeds=(3, 5), examples=200, seed=0.002, arm=0.3, rest=0.2),
    "2 % of cells missing, 3 seeds": partial(incomplete, seeds=3, examples=200, share=0.02, seed=0.01, arm=0.15),
    "a row a run, 3 seeds": lambda rng, count: by_run(normal(rng, count, 3, 20, seed=0.03, example=0.0, arm=0.0)),
    "a row a run, 5 seeds": lambda rng, count: by_run(normal(rng, count, 5, 20, seed=0.03, example=0.0, arm=0.0)),
    "one run an arm, 50 examples": partial(one_run, examples=50),
    "one run an arm, 500 examples": partial(one_run, examples=500),
    "skewed losses, equal arms, 3 seeds": partial(skewed, seeds=3, examples=200),
    "skewed losses, one arm 20 % worse, 3 seeds": partial(skewed, seeds=3, examples=200, shift=0.2),
    "skewed losses, one arm 20 % worse, 1,000 examples": partial(skewed, seeds=3, examples=1000, shift=0.2),
    "counts near 0.5, 3 seeds": partial(counts, seeds=3, examples=200, means=(0.5, 0.6)),
    "counts near 0.05, 3 seeds": partial(counts, seeds=3, examples=200, means=(0.05, 0.1)),
    "scores in 0 to 1, near 0.9, 3 seeds": partial(bounded, seeds=3, examples=100, means=(0.95, 0.99)),
    **{
        f"right or wrong, {p[0]:g} and {p[1]:g}, {n} examples, {s} seeds": partial(binary, seeds=s, examples=n, p=p)
        for p in ((0.02, 0.02), (0.98, 0.98), (0.98, 0.95), (0.99, 0.995), (0.02, 0.05))
        for n in (50, 200)
        for s in (2, 3, 5)
    },
    "right or wrong, 0.6 and 0.65, 200 examples, 3 seeds": partial(binary, seeds=3, examples=200, p=(0.6, 0.65)),
    "right or wrong, 0.98 and 0.96, seeds rule, 3 seeds": partial(
        binary, seeds=3, examples=200, p=(0.98, 0.96), seed=0.5
    ),
    "right or wrong, 0.98 and 0.96, seeds rule, 5 seeds": partial(
        binary, seeds=5, examples=200, p=(0.98, 0.96), seed=0.5
    ),
    "right or wrong, clusters, 0.98 and 0.98, 3 seeds": partial(
        clustered, seeds=3, passages=40, p=(0.98, 0.98), passage=0.5, **TRAIT
    ),
    "right or wrong, clusters, 0.98 and 0.93, 3 seeds": partial(
        clustered, seeds=3, passages=40, p=(0.98, 0.93), passage=0.5, **TRAIT
    ),
    "right or wrong, 12 clusters much alike, 0.95 and 0.95, 3 seeds": partial(
        clustered, seeds=3, passages=12, p=(0.95, 0.95), passage=1.0, seed=0.1, example=0.3, arm=0.2, rest=0.3
    ),
    "right or wrong, 40 clusters much alike, 0.98 and 0.93, 3 seeds": partial(
        clustered, seeds=3, passages=40, p=(0.98, 0.93), passage=1.0, seed=0.1, example=0.3, arm=0.2, rest=0.3
    ),
    "right or wrong, 0.9 and 0.8, 20 examples, 3 seeds": partial(binary, seeds=3, examples=20, p=(0.9, 0.8)),
    "right or wrong, unpaired 2 and 5 seeds, 0.98": partial(
        unpaired_binary, seeds=(2, 5), examples=200, p=(0.98, 0.98)
    ),
    "right or wrong, one run, 0.98 and 0.98, 50 examples": partial(one_run, examples=50, p=(0.98, 0.98)),
    "right or wrong, one run, 0.98 and 0.95, 50 examples": partial(one_run, examples=50, p=(0.98, 0.95)),
    "right or wrong, one run, 0.98 and 0.95, 500 examples": partial(one_run, examples=500, p=(0.98, 0.95)),
    "right or wrong, one run, 0.02 and 0.02, 500 examples": partial(one_run, examples=500, p=(0.02, 0.02)),
    **{
        f"an accuracy a run (of 200), {p[0]:g} and {p[1]:g}, {s} seeds": partial(accuracies, s, 200, p, 500)
        for s, p in ((3, (0.98, 0.98)), (3, (0.98, 0.95)), (2, (0.99, 0.99)), (5, (0.99, 0.995)))
    },
}  # fmt: skip


def parts_of(drawn, x):
    """Return the scores of both arms, the control first, and the examples' clusters, of one table."""
    scores, cluster = drawn.scores[x], drawn.cluster
    control, arm = scores
    if drawn.seeds != (0, 0):
        control, arm = control[: drawn.seeds[0]], arm[: drawn.seeds[1]]
    if drawn.lost is not None:
        control, arm = control[:, ~drawn.lost[x]], arm[:, ~drawn.lost[x]]
    return control, arm, cluster


def ours(drawn, control, arm, cluster):
    """Return the interval of `diagnose compare`, None where it gives none."""
    weights = np.ones(control.shape[1])
    if cluster is not None:
        weights = np.bincount(cluster).astype(float)
        control, arm = (np.stack([np.bincount(cluster, row) for row in side]) for side in (control, arm))
    seeds = {"a": tuple(map(str, range(len(control)))), "b": tuple(map(str, range(len(arm))))}
    several = min(len(control), len(arm)) > 1
    crossed = drawn.layout == "crossed"
    over = ("seeds and examples" if crossed else "seeds") if several else "examples"
    design = ScoreDesign(
        (FactorRecord(name="x", levels=("a", "b"), control="a"),), seeds, {}, drawn.layout, over, drawn.paired,
        weights, 0, 0, 0, np.zeros(0), np.zeros(0), None,
    )  # fmt: skip
    scored = Scored("y", drawn.binary, {"a": control, "b": arm})
    effect = effect_of(design, scored, Contrast("x", "b", "a", (("b", "a"),)), 1)
    return None if effect.low is None else (effect.low, effect.high)


def t_over_seeds(drawn, control, arm):
    """Return a paired t on each run's mean, or Welch's; None for one run."""
    a, b = arm.mean(1), control.mean(1)
    if min(len(a), len(b)) < 2:
        return None
    if drawn.paired:
        d = a - b
        half = t.isf(0.025, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))
        return d.mean() - half, d.mean() + half
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    df = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1)) if va + vb else 1.0
    half, value = t.isf(0.025, df) * np.sqrt(va + vb), a.mean() - b.mean()
    return value - half, value + half


def by_cluster(control, arm, cluster):
    """Return statsmodels' interval of score ~ arm with errors clustered (CR1, normal quantile)."""
    if control.shape[1] == 1:
        if len(control) != len(arm):
            return None
        residuals, groups = (control - control.mean())[:, 0] / len(control), len(control)
        other = (arm - arm.mean())[:, 0] / len(arm)
        sums = other - residuals
    else:
        each = [(side - side.mean()).sum(0) / side.size for side in (arm, control)]
        sums = each[0] - each[1]
        sums = sums if cluster is None else np.bincount(cluster, sums)
        groups = len(sums)
    rows = control.size + arm.size
    half = 1.959964 * np.sqrt((sums**2).sum() * groups / (groups - 1) * (rows - 1) / (rows - 2))
    value = arm.mean() - control.mean()
    return value - half, value + half


def over_items(weights_BN, control, arm):
    """Return percentiles over resampled examples, scores averaged over seeds; None for a row a run."""
    if control.shape[1] == 1:
        return None
    d = arm.mean(0) - control.mean(0)
    return tuple(np.quantile(weights_BN[:, : len(d)] @ d / weights_BN[:, : len(d)].sum(1), [0.025, 0.975]))


def over_runs(rng, control, arm):
    """Return percentiles over runs resampled within each arm; None for one run."""
    a, b = arm.mean(1), control.mean(1)
    if min(len(a), len(b)) < 2:
        return None
    drawn = [side[rng.integers(0, len(side), (RESAMPLES, len(side)))].mean(1) for side in (a, b)]
    return tuple(np.quantile(drawn[0] - drawn[1], [0.025, 0.975]))


METHODS = ("diagnose compare", "t over seeds", "clustered", "items", "runs")


def count_row(name, draw, replications, rng):
    """Count one row, and return its cells."""
    covered, given, widths = np.zeros(len(METHODS)), np.zeros(len(METHODS)), []
    false = np.zeros(len(METHODS))
    done, truth = 0, 0.0
    weights_BN = rng.poisson(1.0, (RESAMPLES, 1000)).astype(float)
    while done < replications:
        drawn = draw(rng, min(BATCH, replications - done))
        truth = drawn.truth
        for x in range(len(drawn.scores)):
            control, arm, cluster = parts_of(drawn, x)
            found = (
                ours(drawn, control, arm, cluster), t_over_seeds(drawn, control, arm),
                by_cluster(control, arm, cluster), over_items(weights_BN, control, arm), over_runs(rng, control, arm),
            )  # fmt: skip
            for k, interval in enumerate(found):
                if interval is not None:
                    given[k] += 1
                    covered[k] += interval[0] - 1e-12 <= truth <= interval[1] + 1e-12
                    false[k] += (interval[0] > 0 and truth <= 0) or (interval[1] < 0 and truth >= 0)
            if found[0] is not None:
                widths.append((found[0][1] - found[0][0]) / 2)
        done += len(drawn.scores)
    share = np.divide(covered, given, out=np.full(len(METHODS), np.nan), where=given > 0)
    half = np.median(widths) if widths else np.nan
    return share, given[0] / done, half, false[0] / done


def check():
    """Hold the closed form of clustered errors against statsmodels."""
    import pandas as pd
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(1)
    drawn = clustered(rng, 1, 3, 40, passage=0.2)
    control, arm = drawn.scores[0]
    rows = [
        (side, n, drawn.cluster[n], y)
        for side, part in enumerate((control, arm))
        for row in part
        for n, y in enumerate(row)
    ]
    table = pd.DataFrame(rows, columns=["arm", "n", "cluster", "y"])
    fit = smf.ols("y ~ arm", table).fit(cov_type="cluster", cov_kwds={"groups": table.cluster})
    print("statsmodels", *fit.conf_int().loc["arm"], "closed form", *by_cluster(control, arm, drawn.cluster))


def main():
    """Print a row for each kind of table as it is counted."""
    if "--check" in sys.argv:
        check()
        return
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    start = time.process_time()
    error = 1.96 * (0.05 * 0.95 / replications) ** 0.5
    print(f"Coverage of nominal 95 % ({replications:,} replications a row; binomial error {error:.3f})\n")
    print("| table | " + " | ".join(METHODS) + " | half width | no interval | false alarms |")
    print("|---" * (len(METHODS) + 4) + "|")
    for place, (name, draw) in enumerate(ROWS.items()):
        if wanted in name:
            share, given, half, false = count_row(name, draw, replications, np.random.default_rng(place))
            cells = ["-" if np.isnan(s) else f"{s:.3f}" for s in share]
            print(f"| {name} | {' | '.join(cells)} | {half:.4f} | {1 - given:.3f} | {false:.3f} |", flush=True)
    print(f"\n{time.process_time() - start:.0f} s of processor time", file=sys.stderr)


if __name__ == "__main__":
    main()
