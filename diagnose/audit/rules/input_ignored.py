"""Does the loss depend on the input?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.audit.findings import NETWORK, Audit, Rule, differ

if TYPE_CHECKING:
    from collections.abc import Sequence


RULES = (Rule(
    "input-ignored", NETWORK, 60, "error",
    "the loss depends on the input",
    "see that forward() uses what it is given, and that the mask lets anything through",
    "A network that ignores its input learns the frequencies of the targets and no more. Its loss curve looks "
    "like slow learning.",
),)  # fmt: skip


def judge(audit: Audit, before: float, after: Sequence[float]) -> None:
    """Judge by the loss as it is, and with other inputs and the same targets."""
    if all(value == before or not differ(value, before, 1e-7) for value in after):
        audit.breaks("input-ignored", f"the loss is {before:.4f} whatever the input is", loss=before)
    else:
        audit.keeps("input-ignored", loss=before, with_other_inputs=after[0])
