"""Does a row's loss depend on what else is in the batch?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.audit.findings import METRIC, Audit, Rule, differ

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


MOST_ROWS = 6  # of a batch that are read alone
OF_BATCH = ("nothing, where that is meant (negatives of the batch, a correlation): then compare losses of batches of "
            "one size alone, with drop_last=True")  # fmt: skip

RULES = (Rule(
    "batch-dependent", METRIC, 100, "error",
    "a document's loss does not depend on what else is in the batch",
    "put batch norms into evaluation mode (or replace them by layer norms), and mix nothing across rows",
    "A batch norm that is left in training mode, or a sum over the wrong dimension, mixes rows: the loss depends "
    "on the batch size and on who sits beside whom, and what one row holds leaks into others.",
    "a sample's loss does not depend on what else is in the batch",
),)  # fmt: skip


def judge_rows(
    audit: Audit, alone: Any, beside: Any, tolerance: float, own_outputs: Callable[[], bool | None], *, width: int = 1
) -> None:
    """Judge by the losses of samples, alone (or so many at a time: `width`) and beside the others of their batch.

    `own_outputs` says whether the model's outputs for a row are its own; None where that cannot be told.
    """
    off = np.abs(alone - beside) / np.maximum(np.maximum(np.abs(alone), np.abs(beside)), 0.1)
    worst = int(off.argmax())
    if off[worst] > tolerance:
        how = "alone" if width == 1 else "beside one other"
        what = (
            f"sample {worst + 1} costs {alone[worst]:.4f} {how} and {beside[worst]:.4f} beside the others of its batch"
        )
        _breaks(audit, what, own_outputs(), alone=alone[worst], beside=beside[worst])
    else:
        audit.keeps("batch-dependent", rows=len(alone), largest_difference=float(off.max()))


def judge_means(
    audit: Audit, whole: float, alone: list[float], weights: Mapping[str, Any], tolerance: float,
    own_outputs: Callable[[], bool | None], *, padded: bool, width: int = 1,
) -> None:  # fmt: skip
    """Judge by a batch's mean and the means of its rows, of tokens (`weights`) or of rows: one of them has to be it.

    Where rows are padded, or may weigh otherwise as by their classes, the model's outputs tell.
    """
    means = {"rows": float(np.mean(alone))}
    means |= {name: float(np.average(alone, weights=counts)) for name, counts in weights.items()}
    means["sum of rows"] = float(np.sum(alone))
    best = min(means, key=lambda name: abs(means[name] - whole))
    between = min(alone) * (1 - tolerance) <= whole <= max(alone) * (1 + tolerance)
    if not differ(means[best], whole, tolerance):
        audit.keeps("batch-dependent", rows=len(alone) * width, largest_difference=abs(means[best] - whole))
    elif padded and between and own_outputs() is not False:
        audit.skips("batch-dependent", "the objective returns one number, and what its mean is over is not known")
    else:
        how = "each alone" if width == 1 else "two at a time"
        what = f"a batch costs {whole:.4f} and its rows, {how}, {float(np.mean(alone)):.4f} on average"
        _breaks(audit, what, own_outputs(), batch_loss=whole, rows=alone[:MOST_ROWS])


def _breaks(audit: Audit, what: str, own_outputs: bool | None, **measured: Any) -> None:
    """Note that losses depend on the batch: an error where the model mixes rows, a note where the loss alone does."""
    if not own_outputs:
        audit.breaks("batch-dependent", what, **measured)
        return
    what = f"the loss is of the batch as a whole (the model's outputs are each row's own): {what}"
    audit.breaks("batch-dependent", what, severity="note", fix=OF_BATCH, **measured)
