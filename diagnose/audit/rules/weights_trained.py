"""Do gradients reach every weight that is to be trained, and are any frozen?"""

from __future__ import annotations

from diagnose.audit.findings import NETWORK, Audit, Rule
from diagnose.formatting import listed

RULES = (
    Rule(
        "no-gradient", NETWORK, 20, "error",
        "gradients reach every weight that is to be trained",
        "look for detach(), no_grad(), .data, argmax or .item() on the way, and for modules that forward() never uses",
        "A branch that was detached, or a module that nothing uses, keeps its initial weights for ever: the network is "
        "smaller than it looks.",
    ),
    Rule(
        "frozen-weights", NETWORK, 30, "note",
        "no weights are frozen",
        "requires_grad_(True), if they were to be trained",
        "Weights with requires_grad=False are not trained. That is meant where a network is fine-tuned in part, and "
        "a mistake where a freeze was left over.",
    ),
)  # fmt: skip


def judge(audit: Audit, without: list[str], frozen: list[str], batches: int) -> None:
    """Judge by the names of weights that no gradient of so many batches reaches, and of frozen ones."""
    if without:
        what = f"no gradient reaches {_names(without)}"
        audit.breaks("no-gradient", what, weights=len(without), names=without[:8])
    else:
        audit.keeps("no-gradient", batches=batches)
    if frozen:
        what = f"{_names(frozen)} are frozen (requires_grad=False)"
        audit.breaks("frozen-weights", what, weights=len(frozen), names=frozen[:8])
    else:
        audit.keeps("frozen-weights", frozen=0)


def _names(given: list[str]) -> str:
    return listed(given[:3]) if len(given) <= 3 else f"{', '.join(given[:2])} and {len(given) - 2} other weights"
