"""Clean set-ups draw no error and no false cause: tasks and loops as people have them, nothing wrong with any."""

import pytest
import torch
from clean_cases import CLEAN
from scipy.stats import binom

from diagnose import explain_gap

LIBRARIES = {"transformers": "transformers", "timm": "timm", "accelerate": "accelerate"}
WARNED = {  # by design: their losses are random in evaluation too
    "variational autoencoder", "diffusion", "adversarial discriminator",
}  # fmt: skip
SLOW = {"timm pictures", "classification two workers"}
FOUND = []  # a row a data term of each set-up: name, term, value, low, high


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in CLEAN])
def test_no_error_is_found_where_nothing_is_wrong(name):
    for start, library in LIBRARIES.items():
        if name.startswith(start):
            pytest.importorskip(library)
    torch.manual_seed(0)
    gap = explain_gap(*CLEAN[name]())
    grave = [found for found in gap.findings if found["severity"] == "error"]
    assert not grave, grave
    warned = {found["rule"] for found in gap.findings if found["severity"] == "warning"}
    assert warned <= ({"gap/random"} if name in WARNED else set()), gap.findings
    assert not any(gap.record["arithmetic"].values()), gap.record["arithmetic"]
    terms = {term["id"]: term for term in gap.record["terms"]}
    assert terms["unseen"]["low"] is not None
    known = [terms[one] for one in ("unseen", "leak") if terms[one]["low"] is not None]
    FOUND.extend((name, one["id"], one["value"], one["low"], one["high"]) for one in known)
    low, high = terms["unseen"]["low"], terms["unseen"]["high"]
    wide = (high - low) / 2
    assert low - wide <= 0 <= high + wide, "the term excludes a true 0 at twice its interval"


def test_there_are_forty_set_ups():
    assert len(CLEAN) >= 40
    tasks = {name.split(" ")[0] for name in CLEAN}
    assert tasks >= {"classification", "regression", "sequence", "contrastive", "diffusion", "variational", "detection",
                     "multi", "graph", "language", "transformers", "timm", "accelerate"}  # fmt: skip


def test_data_terms_exclude_a_true_zero_no_more_often_than_they_may():
    missed = [row for row in FOUND if not row[3] <= 0 <= row[4]]
    print(f"\n{len(FOUND)} data terms of clean set-ups, {len(missed)} exclude 0: {missed}")
    assert len(missed) <= binom.ppf(0.975, max(len(FOUND), 1), 0.05)
