"""Are weights that should be shared one tensor, in the network and in a run's checkpoint?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from diagnose.audit.findings import NETWORK, Audit, Rule

if TYPE_CHECKING:
    from torch import nn

    from diagnose.audit.run_opened import AuditedRun

COPIES = 0.9  # correlation of two matrices that were one once: what is learned apart may come to 0.6

RULES = (Rule(
    "tied-weights", NETWORK, 10, "error",
    "weights that should be shared are one tensor",
    "assign head.weight = embedding.weight after loading (and after .to(device) of parts), and save one of them",
    "A checkpoint that holds both copies, or a load that makes two tensors of one, breaks the tie silently: the "
    "network has other weights than were trained, or two matrices that drift apart.",
),)  # fmt: skip


def judge(audit: Audit, alike: float | None, meant: bool | None, *, tied: bool | None) -> None:
    """Judge by the correlation of embedding and output matrix, None where they are one; `meant`: that they should be.

    `tied` is what the user says of it, `meant` also what the model's settings say.
    """
    if alike is None:
        audit.keeps("tied-weights", shared=True)
    elif meant or (tied is None and math.isfinite(alike) and alike > COPIES):
        what = f"embedding and output matrix should be one and are two tensors (correlation {alike:.2f})"
        audit.breaks("tied-weights", what, shared=False, correlation=alike)
    else:
        audit.skips("tied-weights", f"the matrices are not meant to be shared (correlation {alike:.2f})", matters=False)


def judge_run(audit: Audit, run: AuditedRun) -> None:
    """Judge by the network and by what its checkpoint holds under each of a shared weight's names."""
    if run.network is None:
        return
    shared = _shared(run.network)
    if not shared:
        if run.recipe.model.settings().get("tied") is True:
            audit.breaks("tied-weights", "the recipe asks for tied weights and the network shares none")
        else:
            audit.skips("tied-weights", "the network shares no weights", matters=False)
        return
    saved = (run.opened.tensors or {}).get("model", {})
    for some in shared:
        values = [saved[name] for name in some if name in saved]
        if any(not values[0].equal(other) for other in values[1:]):
            off = max(float((values[0].float() - other.float()).abs().max()) for other in values[1:])
            what = f"the checkpoint holds {' and '.join(some)} with different values, and they are one weight"
            audit.breaks("tied-weights", what, largest_difference=off)
            return
    audit.keeps("tied-weights", shared=sum(len(some) for some in shared))


def _shared(network: nn.Module) -> list[list[str]]:
    """Return the names of each weight that has several."""
    groups: dict[int, list[str]] = {}
    for name, p in network.named_parameters(remove_duplicate=False):
        groups.setdefault(id(p), []).append(name)
    return [some for some in groups.values() if len(some) > 1]
