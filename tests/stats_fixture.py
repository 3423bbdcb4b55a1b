"""Made-up losses whose true effect is known, for the tests of the statistics."""

import numpy as np

REGIMES = {"seeds": (0.03, 0.05, 0.03), "documents": (0.002, 0.3, 0.2), "both": (0.01, 0.05, 0.2)}


def rng(seed=0):
    return np.random.default_rng(seed)


def draw(random, bytes_XN, seeds, regime):
    """Differences_XSN whose true ratio is zero."""
    replications, documents = bytes_XN.shape
    between, text, rest = regime
    deviation = rest * random.standard_normal((replications, seeds, documents))
    deviation += between * random.standard_normal((replications, seeds, 1))
    deviation += text * random.standard_normal((replications, 1, documents))
    return deviation * bytes_XN[:, None, :]


def arms(seeds=3, documents=40, seed=0, effect=0.0):
    random = rng(seed)
    size_N = random.integers(20, 300, documents).astype(float)
    control = 2 * size_N + draw(random, size_N[None], seeds, (0.02, 0.4, 0.05))[0]
    arm = control + effect * size_N + draw(random, size_N[None], seeds, (0.02, 0.1, 0.05))[0]
    return arm, control, size_N


def within_binomial_error(share, expected, count, slack=0.0):
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / count) + slack, share
