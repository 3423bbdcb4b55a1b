import subprocess
import sys

import numpy as np
import pytest
from stats_fixture import REGIMES, draw, rng

from diagnose import stats
from diagnose.stats.crossed import analyse


def slow_mean_squares(bits_SN, bytes_N):
    """The classical table of two-way mean squares by explicit loops, each over S N; bytes equal."""
    seeds, documents = bits_SN.shape
    x = bits_SN / bytes_N
    grand = x.sum() / (seeds * documents)
    by_seed = sum((x[s].mean() - grand) ** 2 for s in range(seeds)) * documents / (seeds - 1)
    by_document = sum((x[:, n].mean() - grand) ** 2 for n in range(documents)) * seeds / (documents - 1)
    rest = 0.0
    for s in range(seeds):
        for n in range(documents):
            rest += (x[s, n] - x[s].mean() - x[:, n].mean() + grand) ** 2
    rest /= (seeds - 1) * (documents - 1)
    return np.array([by_seed, by_document, rest]) / (seeds * documents)


def slow_jackknife(bits_SN, bytes_N):
    """The document part by leaving out each document in turn; bytes as they are."""
    value = bits_SN.mean(0).sum() / bytes_N.sum()
    documents, total = len(bytes_N), 0.0
    for n in range(documents):
        others = np.arange(documents) != n
        total += (bits_SN[:, others].mean(0).sum() / bytes_N[others].sum() - value) ** 2
    return total * (documents - 1) / documents


@pytest.mark.parametrize(("seeds", "documents"), [(2, 2), (3, 7), (5, 30)])
def test_mean_squares_agree_with_the_classical_table(seeds, documents):
    bits_SN = rng(seeds).standard_normal((seeds, documents))
    bytes_N = np.full(documents, 7.0)
    found = analyse(bits_SN, bytes_N)
    expected = slow_mean_squares(bits_SN, bytes_N)
    np.testing.assert_allclose([found.by_seed, found.by_document, found.rest], expected, rtol=1e-10)
    assert found.effective == pytest.approx(documents)


def test_documents_of_unequal_bytes_are_left_out_one_by_one():
    bytes_N = rng().lognormal(3, 1, 25)
    bits_SN = rng(1).standard_normal((4, 25)) * bytes_N
    assert analyse(bits_SN, bytes_N).by_document == pytest.approx(slow_jackknife(bits_SN, bytes_N), rel=1e-10)


def test_a_table_of_data_sets_is_analysed_as_each_is_alone():
    bytes_XN = rng().lognormal(0, 1, (5, 12))
    bits_XSN = draw(rng(1), bytes_XN, 3, REGIMES["both"])
    together = analyse(bits_XSN, bytes_XN)
    half_X = together.spread().half_width(0.9)
    for x in range(5):
        effect = stats.paired_effect(bits_XSN[x], np.zeros((3, 12)), bytes_XN[x], confidence=0.9)
        assert effect.value == pytest.approx(together.value[x])
        assert effect.high - effect.value == pytest.approx(half_X[x])


def test_importing_the_statistics_is_cheap():
    code = "import sys, diagnose.stats; assert not {'scipy', 'torch', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
