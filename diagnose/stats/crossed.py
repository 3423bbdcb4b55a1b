"""Seeds and documents as crossed random effects: where the variance of a mean lies, and an interval from it.

A difference of two arms varies between seeds (another seed trains another network), between documents (other
validation text would be harder for one of the arms) and by both at once. With x_sn = mean + seed_s +
document_n + rest_sn the variance of the mean is v_seeds / S + v_documents / N + v_rest / (S N).

Axes: X replications (any leading axes, none for one data set), S seeds, N documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats = Any  # a numpy array of floats or one float: everything here works element by element


def t_quantile(confidence: float, df: Floats) -> Floats:
    """Return the half width of a two-sided interval in standard errors: Student's t.

    What `scipy.stats.t` returns, whose import takes 0.4 s longer at a run's first interval.
    """
    from scipy.special import stdtrit

    return -stdtrit(df, (1 - confidence) / 2)


@dataclass(frozen=True)
class Spread:
    """The variance of a mean over S seeds and N documents, estimated in two ways.

    Attributes:
        whole: seeds, documents and the rest together, v_seeds / S + v_documents / N + v_rest / (S N).
        df: Satterthwaite's degrees of freedom of `whole`.
        by_seed: squared standard error of the S values of the seeds, which leaves documents out.
        df_seeds: its degrees of freedom, S - 1.
    """

    whole: Floats
    df: Floats
    by_seed: Floats
    df_seeds: Floats

    def half_width(self, confidence: float) -> Floats:
        """Return the half width of a two-sided interval: Satterthwaite's, but no less than t over the seeds.

        Satterthwaite's degrees of freedom come from variances that may have come out small by chance: where
        two seeds happen to agree it takes seeds for unimportant, and covers .87 if in truth they rule. The
        interval over the seeds' values alone is exact there and far too narrow where documents rule. The
        larger of the two covers .94 and more whatever the shares, and from three seeds on it is hardly wider
        where documents rule; with two it is twice as wide there, the price of not knowing
        (`benchmarks/coverage.py`).
        """
        of_whole = t_quantile(confidence, self.df) * np.sqrt(self.whole)
        return np.maximum(of_whole, t_quantile(confidence, self.df_seeds) * np.sqrt(self.by_seed))

    def p_value(self, distance: float) -> float:
        """Return the two-sided p-value: 1 - confidence of the interval that just reaches `distance`."""
        from scipy.special import stdtr

        if distance == 0:
            return 1.0
        pairs = [(v, df) for v, df in ((self.whole, self.df), (self.by_seed, self.df_seeds)) if v > 0]
        return max((2 * float(stdtr(df, -abs(distance) / np.sqrt(v))) for v, df in pairs), default=0.0)


def satterthwaite(by_seed: Floats, by_document: Floats, rest: Floats, *, df_seeds: Floats, df_text: Floats) -> Spread:
    """Return the spread of a mean from the variances that its three mean squares give it, each over S N.

    The whole is by_seed + by_document - rest, but a component whose estimate is negative is zero and the
    others keep what they have. Degrees of freedom: Satterthwaite 1946, at least 1.
    """
    whole = np.maximum(by_seed - rest, 0.0) + np.maximum(by_document - rest, 0.0) + rest
    below = by_seed**2 / df_seeds + by_document**2 / df_text + rest**2 / (df_seeds * df_text)
    df = np.divide(whole**2, below, out=np.full(np.shape(whole), float(df_seeds)), where=np.asarray(below) > 0)
    return Spread(whole, np.maximum(df, 1.0), by_seed, df_seeds)


@dataclass(frozen=True)
class Crossed:
    """A ratio over seeds and documents with its variance taken apart.

    Attributes:
        value: (X) sum of bits over sum of bytes, averaged over seeds.
        per_seed: (X, S) the same for each seed.
        by_seed, by_document, rest: (X) mean squares of seeds, documents and the rest, over S N.
        effective: (X) effective number of documents, (sum of bytes)^2 / sum of bytes^2 (Kish 1965).
    """

    value: NDArray[np.float64]
    per_seed: NDArray[np.float64]
    by_seed: NDArray[np.float64]
    by_document: NDArray[np.float64]
    rest: NDArray[np.float64]
    effective: NDArray[np.float64]

    def spread(self) -> Spread:
        """Return what an interval needs."""
        df_seeds, df_text = self.per_seed.shape[-1] - 1, np.maximum(self.effective - 1, 1.0)
        return satterthwaite(self.by_seed, self.by_document, self.rest, df_seeds=df_seeds, df_text=df_text)


def analyse(bits_XSN: NDArray[np.float64], bytes_XN: NDArray[np.float64]) -> Crossed:
    """Take the variance of sum(bits) / sum(bytes) apart, for S >= 2 seeds and N >= 2 documents.

    The mean squares of the two-way layout (Searle, Casella & McCulloch 1992, chapter 4) of the ratio's
    influences, each taken as the jackknife would: a document with the share h of all bytes pulls the ratio
    towards itself, so its residual is divided by 1 - h (with equal bytes this is the classical table
    exactly).

    Args:
        bits_XSN: bits (or differences of bits) of each seed on each document.
        bytes_XN: bytes of each document, the same for all seeds.
    """
    seeds = bits_XSN.shape[-2]
    total_X1 = bytes_XN.sum(-1, keepdims=True)
    per_seed_XS = bits_XSN.sum(-1) / total_X1
    value_X = per_seed_XS.mean(-1)
    pull_XN = (1 - bytes_XN / total_X1) * total_X1
    influence_XN = (bits_XSN.mean(-2) - value_X[..., None] * bytes_XN) / pull_XN
    rest_XSN = (bits_XSN - per_seed_XS[..., None] * bytes_XN[..., None, :]) / pull_XN[..., None, :]
    rest_XSN = rest_XSN - influence_XN[..., None, :]
    jackknife = 1 - 1 / bits_XSN.shape[-1]
    return Crossed(
        value=value_X,
        per_seed=per_seed_XS,
        by_seed=per_seed_XS.var(-1, ddof=1) / seeds,
        by_document=jackknife * (influence_XN**2).sum(-1),
        rest=jackknife * (rest_XSN**2).sum((-1, -2)) / (seeds * (seeds - 1)),
        effective=total_X1[..., 0] ** 2 / (bytes_XN**2).sum(-1),
    )


def each(confidence: float, comparisons: int) -> float:
    """Return the confidence of one of several intervals that hold together (Sidak 1967).

    Against one control the arms' errors are positively dependent, which puts Sidak's product on the safe
    side. Dunnett's quantile takes one variance for all arms; here each comparison has its own, and with two
    to five seeds it covers .90 to .94 where seeds rule. With ten it would gain 2 to 4 % of width.

    Raises:
        DiagnoseError: a confidence outside 0 to 1, or less than one comparison.
    """
    if not (0 < confidence < 1 and comparisons >= 1):
        raise DiagnoseError(f"no interval at confidence {confidence} for {comparisons} comparisons")
    return float(confidence ** (1 / comparisons))
