"""False alarms of what `diagnose log` says of a gap, on noise that has none: python benchmarks/log_calibration.py.

Prints the critical values of `logs.statistics.CRITICAL` (with --critical), then how often the interval excludes zero,
the sign test and the trend call for autoregressive noise of mean zero, at a nominal 5 %.
"""

import sys

import numpy as np

from diagnose.logs import statistics
from diagnose.stats.trends import FEWEST

SERIES = 1_000_000
AT_ONCE = 250_000


def noise(rng, count, n, r):
    """Return stationary AR(1) series, (count, n)."""
    out = rng.standard_normal((count, n))
    for k in range(1, n):
        out[:, k] = r * out[:, k - 1] + np.sqrt(1 - r * r) * out[:, k]
    return out


def critical(n, series):
    rng = np.random.default_rng([6, n])
    sizes = []
    for _ in range(max(1, series // AT_ONCE)):
        x = noise(rng, min(AT_ONCE, series), n, statistics.ALIKE)
        sizes.append(np.abs(x.mean(1)) / (x.std(1, ddof=1) / np.sqrt(n)))
    return float(np.quantile(np.concatenate(sizes), 0.95))


def alarms(n, r, count):
    rng = np.random.default_rng([7, n, round(100 * r)])
    at = np.arange(float(n))
    found = np.zeros(3)
    for values in noise(rng, count, n, r):
        gap = statistics.gap(at, values)
        found += gap.whole.resolved, gap.sign.resolved, gap.moves not in ("holds", "unknown")
    return found / count


def main():
    if "--critical" in sys.argv:
        for n in range(2, FEWEST):
            print(f"    {n}: {critical(n, SERIES):.2f},", flush=True)
    count = 4000
    print("| prints | neighbours | interval | sign | trend |\n| ---: | ---: | ---: | ---: | ---: |")
    for n in (3, 6, 11, 12, 20, 50, 200, 1000):
        for r in (0.0, 0.3, 0.6, 0.9):
            print(f"| {n} | {r} | {' | '.join(f'{x:.3f}' for x in alarms(n, r, count))} |", flush=True)


if __name__ == "__main__":
    main()
