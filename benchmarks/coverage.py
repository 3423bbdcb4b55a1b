"""How often intervals that say 95 % cover, by simulation: `python benchmarks/coverage.py [replications]`.

Prints Markdown tables; 3,000 replications take about a minute on one core. Data are normal; documents
weigh equally or by lognormal bytes (sigma 1: 300 tell as much as 120 equal ones).

Axes: X replications, S seeds, N documents.
"""

from __future__ import annotations

import sys
import time
from itertools import product

import numpy as np
from scipy.stats import t

from diagnose import stats
from diagnose.stats.crossed import Crossed, analyse, each

N = 300
SEEDS = (2, 3, 5, 10)
REGIMES = {
    "seeds rule (.03/.05/.03)": (0.03, 0.05, 0.03),
    "documents rule (.002/.3/.2)": (0.002, 0.3, 0.2),
    "both, noisy (.01/.05/.2)": (0.01, 0.05, 0.2),
}
RESAMPLES = 400
DUNNETT_DF = (1, 2, 3, 4, 6, 9, 15, 30, 100, 1000)


def sizes(rng, count, unequal, documents=N):
    return rng.lognormal(0, 1, (count, documents)) if unequal else np.ones((count, documents))


def draw(rng, bytes_XN, seeds, regime):
    """Return differences_XSN whose true ratio is zero: a byte deviates by seed, document and the rest."""
    replications, documents = bytes_XN.shape
    between, text, rest = regime
    deviation = rest * rng.standard_normal((replications, seeds, documents))
    deviation += between * rng.standard_normal((replications, seeds, 1))
    deviation += text * rng.standard_normal((replications, 1, documents))
    return deviation * bytes_XN[:, None, :]


def bootstrap_covers(rng, difference_XSN, bytes_XN):
    """Percentiles over seeds and documents resampled together, the same resamples for all replications."""
    _, seeds, documents = difference_XSN.shape
    seeds_BS = rng.multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES) / seeds
    text_BN = rng.multinomial(documents, np.full(documents, 1 / documents), RESAMPLES)
    weights_B = np.einsum("bs,bn->bsn", seeds_BS, text_BN).reshape(RESAMPLES, -1)
    value_XB = difference_XSN.reshape(len(bytes_XN), -1) @ weights_B.T / (bytes_XN @ text_BN.T)
    low_X, high_X = np.quantile(value_XB, [0.025, 0.975], axis=1)
    return ((low_X <= 0) & (high_X >= 0)).mean(), np.median(high_X - low_X) / 2


def methods(parts: Crossed, seeds):
    """Return the half widths of the candidates."""
    ours = parts.spread()
    t_seeds, t_text = t.isf(0.025, seeds - 1), t.isf(0.025, np.maximum(parts.effective - 1, 1))
    of_text = np.maximum(parts.by_document - parts.rest, 0)
    of_seeds = np.maximum(parts.by_seed - parts.rest, 0)
    return {
        "crossed, no less than t over seeds (ours)": ours.half_width(0.95),
        "crossed, Satterthwaite": t.isf(0.025, ours.df) * np.sqrt(ours.whole),
        "each component its own t": np.hypot(t_seeds * np.sqrt(of_seeds), t_text * np.sqrt(of_text + parts.rest)),
        "the same, rest counted to seeds": np.hypot(t_seeds * np.sqrt(parts.by_seed), t_text * np.sqrt(of_text)),
        "t over seeds": t_seeds * np.sqrt(parts.by_seed),
    }


def single(rng, replications):
    """Print coverage and width of one comparison, for all candidates."""
    for unequal, (name, regime) in product((False, True), REGIMES.items()):
        print(f"\n### {name}{', unequal bytes' if unequal else ''}\n")
        print("| interval | " + " | ".join(f"S = {s}" for s in SEEDS) + " |\n|---" * 1 + "|---" * len(SEEDS) + "|")
        rows: dict[str, list[str]] = {}
        for seeds in SEEDS:
            bytes_XN = sizes(rng, replications, unequal)
            difference_XSN = draw(rng, bytes_XN, seeds, regime)
            parts = analyse(difference_XSN, bytes_XN)
            known = 1.96 * parts.value.std()
            for method, half_X in methods(parts, seeds).items():
                cell = f"{(abs(parts.value) <= half_X).mean():.3f} ({np.median(half_X) / known:.2f})"
                rows.setdefault(method, []).append(cell)
            covers, half = bootstrap_covers(rng, difference_XSN, bytes_XN)
            rows.setdefault("percentile bootstrap", []).append(f"{covers:.3f} ({half / known:.2f})")
        for method, cells in rows.items():
            print(f"| {method} | " + " | ".join(cells) + " |")


def worst_case(rng, replications):
    """Print the lowest coverage over every share of the components, from chi-squared mean squares."""
    print("\n## Lowest coverage whatever the shares (sd of documents 0 to 2, of seeds 0 to 3; rest .2)\n")
    print("| interval | " + " | ".join(f"S = {s}" for s in SEEDS) + " |\n|---" + "|---" * len(SEEDS) + "|")
    lowest: dict[str, list[float]] = {}
    between = (0, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 3)
    for i, seeds in enumerate(SEEDS):
        for text, of_seeds in product((0, 0.05, 0.1, 0.3, 0.6, 2), between):
            parts = mean_squares(rng, replications, seeds, N, (of_seeds, text, 0.2))
            for method, half_X in methods(parts, seeds).items():
                row = lowest.setdefault(method, [1.0] * len(SEEDS))
                row[i] = min(row[i], float((abs(parts.value) <= half_X).mean()))
    for method, row in lowest.items():
        print(f"| {method} | " + " | ".join(f"{c:.3f}" for c in row) + " |")


def mean_squares(rng, count, seeds, documents, regime):
    """Draw what `analyse` would return for normal data and equal bytes, without the data."""
    between, text, rest = (v**2 for v in regime)
    cells, df = seeds * documents, documents - 1
    of_rest = rest / cells * rng.chisquare((seeds - 1) * df, count) / ((seeds - 1) * df)
    of_text = (text / documents + rest / cells) * rng.chisquare(df, count) / df
    deviations = rng.standard_normal((count, seeds)) * np.sqrt(between + rest / documents)
    # documents move all seeds alike: that part of the value is apart from the seeds' deviations
    value = rng.standard_normal(count) * np.sqrt(text / documents) + deviations.mean(1)
    per_seed = deviations - deviations.mean(1, keepdims=True) + value[:, None]
    by_seed = per_seed.var(1, ddof=1) / seeds
    return Crossed(value, per_seed, by_seed, of_text, of_rest, np.full(count, float(documents)))


def dunnett(rng, comparisons, df):
    """Return Dunnett's two-sided 95 % quantile for equal variances, by 200,000 draws."""
    arms = rng.standard_normal((200_000, comparisons + 1))
    scale = np.sqrt(rng.chisquare(df, 200_000) / df)
    return np.quantile(abs(arms[:, 1:] - arms[:, :1]).max(1) / np.sqrt(2) / scale, 0.95)


def dunnett_half(spread, quantiles):
    """Return half widths with Dunnett's quantile in place of t's, interpolated in 1 / df."""
    at, found = -1 / np.array(list(quantiles)), np.array(list(quantiles.values()))
    whole, alone = (np.interp(-1 / np.asarray(df), at, found) for df in (spread.df, spread.df_seeds))
    return np.maximum(whole * np.sqrt(spread.whole), alone * np.sqrt(spread.by_seed))


def family(rng, replications):
    """Print how often all intervals against one control cover together."""
    print("\n## Two and four arms against one control: all intervals cover\n")
    print("| regime | arms | correction | " + " | ".join(f"S = {s}" for s in SEEDS) + " |")
    print("|---|---|---" + "|---" * len(SEEDS) + "|")
    for (name, regime), arms in product(REGIMES.items(), (2, 4)):
        rows: dict[str, list[str]] = {}
        own = tuple(v / np.sqrt(2) for v in regime)
        for seeds in SEEDS:
            bytes_XN = sizes(rng, replications, unequal=False)
            control = draw(rng, bytes_XN, seeds, own)
            parts = [analyse(draw(rng, bytes_XN, seeds, own) - control, bytes_XN) for _ in range(arms)]
            quantiles = {df: dunnett(rng, arms, df) for df in DUNNETT_DF}
            halves = {
                "none": [p.spread().half_width(0.95) for p in parts],
                "Sidak (ours)": [p.spread().half_width(each(0.95, arms)) for p in parts],
                "Bonferroni": [p.spread().half_width(1 - 0.05 / arms) for p in parts],
                "Dunnett": [dunnett_half(p.spread(), quantiles) for p in parts],
            }
            for correction, half in halves.items():
                all_X = np.all([abs(p.value) <= h for p, h in zip(parts, half, strict=True)], axis=0)
                rows.setdefault(correction, []).append(f"{all_X.mean():.3f} ({np.median(half):.4f})")
        for correction, cells in rows.items():
            print(f"| {name} | {arms} | {correction} | " + " | ".join(cells) + " |")


def false_alarms(rng, replications):
    """Print how often two arms of equal recipe are called different, and fall outside the noise band."""
    print("\n## A/A: equal recipes called different (left), outside the noise band (right); 0.05 is the aim\n")
    print("| sd of an arm between seeds / rest | bytes | " + " | ".join(f"S = {s}" for s in SEEDS) + " |")
    print("|---|---" + "|---" * len(SEEDS) + "|")
    for (between, rest), unequal in product(((0.008, 0.2), (0.02, 0.05), (0.002, 0.3)), (False, True)):
        cells = []
        for seeds in SEEDS:
            bytes_XN = sizes(rng, replications, unequal)
            one, two = (draw(rng, bytes_XN, seeds, (between, 0, rest)) for _ in range(2))
            parts = analyse(one - two, bytes_XN)
            alarm = (abs(parts.value) > parts.spread().half_width(0.95)).mean()
            few = range(min(replications, 1500))
            bands = [stats.noise_band([one[i], two[i]], bytes_XN[i]) for i in few]
            fresh = [draw(rng, bytes_XN[: len(few)], seeds, (between, 0, rest)).sum((1, 2)) for _ in range(2)]
            difference = (fresh[0] - fresh[1]) / bytes_XN[: len(few)].sum(1) / seeds
            cells.append(f"{alarm:.3f}, {(abs(difference) > np.array(bands)).mean():.3f}")
        print(f"| {between} / {rest} | {'unequal' if unequal else 'equal'} | " + " | ".join(cells) + " |")


def planning(rng, replications):
    """Print seeds_needed for planted effects and the power that such ablations then have."""
    print("\n## Planned and actual power (aim 0.8), deviations known\n")
    print("| regime | effect | arms | seeds needed | predicted | simulated | with one seed less |")
    print("|---|---|---|---|---|---|---|")
    for (name, regime), size, arms in product(REGIMES.items(), (3.5, 6.0), (1, 2)):
        value = size * np.sqrt(regime[0] ** 2 / 5 + regime[1] ** 2 / N + regime[2] ** 2 / (5 * N))
        seen = stats.Effect(value, -1, 1, 1, 1, *regime, 2, N, (), N, 0.95, arms)
        seeds = stats.seeds_needed(seen)
        if seeds is None:
            print(f"| {name} | {value:.4f} | {arms} | no number | | | |")
            continue
        shares = []
        for count in (seeds, seeds - 1):
            if count < 2:
                shares.append(0.0)
                continue
            parts = mean_squares(rng, 4 * replications, count, N, regime)
            shares.append((parts.value + value > parts.spread().half_width(each(0.95, arms))).mean())
        predicted = stats.power(value, *regime, seeds=seeds, documents=N, comparisons=arms)
        print(f"| {name} | {value:.4f} | {arms} | {seeds} | {predicted:.3f} | {shares[0]:.3f} | {shares[1]:.3f} |")


def readings(rng, replications):
    """Print the coverage of one run's mean losses and of their differences."""
    print("\n## One run: mean losses over documents, and their differences\n")
    counts = (10, 20, 60, 300)
    print("| reading | bytes | " + " | ".join(f"N = {n}" for n in counts) + " |")
    print("|---|---" + "|---" * len(counts) + "|")
    for unequal in (False, True):
        rows: dict[str, list[str]] = {}
        for documents in counts:
            covers = np.zeros(4)
            for _ in range(replications):
                covers += reading_covers(rng, documents, unequal)
            for name, share in zip(
                ("one", "paired", "apart (N and N/2, sd 1 and 3)", "half shared"),
                covers / replications,
                strict=True,
            ):
                rows.setdefault(name, []).append(f"{share:.3f}")
        for name, cells in rows.items():
            print(f"| {name} | {'unequal' if unequal else 'equal'} | " + " | ".join(cells) + " |")


def reading_covers(rng, documents, unequal):
    """Return whether each kind of interval covers a true difference of zero, once."""
    size = sizes(rng, 2, unequal, documents)
    loss = size[0] * rng.standard_normal(documents)
    again = loss + size[0] * 0.3 * rng.standard_normal(documents)
    half = documents // 2
    other = size[1] * 3 * rng.standard_normal(documents)
    mixed = np.concatenate([again[:half], size[1, half:] * rng.standard_normal(documents - half)])
    mixed_size = np.concatenate([size[0, :half], size[1, half:]])
    ids = np.concatenate([np.arange(half), documents + np.arange(half, documents)])
    found = (
        stats.ratio_interval(loss, size[0]),
        stats.paired_ratio_interval((loss, size[0]), (again, size[0])),
        stats.two_sample_interval((loss, size[0]), (other[:half], size[1, :half])),
        stats.combination([stats.Reading.of(loss, size[0]), stats.Reading.of(mixed, mixed_size, ids)], [-1.0, 1.0]),
    )
    return np.array([i.low <= 0 <= i.high for i in found])


def main():
    """Print every table."""
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    rng, start = np.random.default_rng(20), time.perf_counter()
    print(f"# Coverage of nominal 95 % ({replications} replications, N = {N}; sd between seeds/documents/rest)")
    print("\n## One comparison: coverage (median half width over that of a known variance)")
    single(rng, replications)
    worst_case(rng, 10 * replications)
    family(rng, replications)
    false_alarms(rng, replications)
    planning(rng, replications)
    readings(rng, max(replications // 3, 100))
    print(f"\n{time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
