"""Is what a run recorded what its weights give?"""

from __future__ import annotations

from typing import Any

import numpy as np

from diagnose.audit.findings import METRIC, Audit, Rule

RULES = (Rule(
    "record-differs", METRIC, 200, "error",
    "what the run recorded is what its weights give",
    "train the run again; restore its files if they were changed",
    "The audit reads some documents anew with the final weights. Where their losses differ from the recorded "
    "ones, the checkpoint, the tokenizer, the text or the network's code are not those that were scored.",
    of="runs",
),)  # fmt: skip


def judge(audit: Audit, recorded: Any, now: Any, sums: tuple[float, float], tolerance: float) -> None:
    """Judge by some documents' losses, recorded and read anew, and by the final reading's sum and its documents'."""
    off = float(np.max(np.abs(recorded - now) / np.maximum(np.abs(now), 1.0)))
    stated, summed = sums
    if off > 5 * tolerance:
        what = f"documents were recorded with {recorded.sum():.2f} nats and cost {now.sum():.2f} with the final weights"
        audit.breaks("record-differs", what, recorded=float(recorded.sum()), now=float(now.sum()), largest_share=off)
    elif not abs(stated - summed) <= 1e-6 * max(1.0, abs(summed)):
        what = f"the final reading states {stated:.2f} nats, and its documents sum to {summed:.2f}"
        audit.breaks("record-differs", what, recorded=stated, now=summed)
    else:
        audit.keeps("record-differs", documents=len(recorded), largest_share=off)
