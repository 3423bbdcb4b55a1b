"""Does evaluating twice give the same loss: after other batches, and with other random numbers?"""

from __future__ import annotations

from diagnose.audit.findings import METRIC, Audit, Rule, differ

DRAW_ONCE = "draw validation's samples or masks once and keep them, or compare means over several passes"

RULES = (
    Rule(
        "state-carried", METRIC, 110, "error",
        "a batch's loss does not depend on the batches that were read before",
        "reset the state at each batch, or read the batches in one fixed order of continuous text and say so",
        "A recurrent state, a cache or a running mean that is kept from batch to batch makes the loss depend on the "
        "order of evaluation: two evaluations of the same network differ.",
    ),
    Rule(
        "evaluation-random", METRIC, 120, "error",
        "evaluating twice gives the same loss",
        "draw masks, samples and subsets once, from a fixed generator, or switch the noise off",
        "Where evaluation draws at random (masks, sampled negatives, a noise layer), two evaluations of the same "
        "network differ, and the best of several checkpoints is partly the luckiest.",
    ),
    Rule(
        "dropout-on", METRIC, 140, "error",
        "dropout is off when validation is read",
        "call model.eval() before and model.train() after; give F.dropout its training=self.training, and register "
        "modules (nn.ModuleList, not a list) so that eval() reaches them",
        "Dropout left on makes the validation loss higher and random. F.dropout is on unless it is told otherwise, "
        "and modules kept in a plain Python list are not reached by model.eval().",
        reported_so="dropout is on where the validation loss is reported",
    ),
)  # fmt: skip


def judge_state(audit: Audit, first: float, again: float, tolerance: float) -> None:
    """Judge by a batch's loss when it is read first, and after another one."""
    if differ(first, again, tolerance):
        what = f"the same batch costs {first:.4f} when it is read first and {again:.4f} after another batch"
        audit.breaks("state-carried", what, first=first, again=again)
    else:
        audit.keeps("state-carried", difference=abs(first - again))


def judge_still(audit: Audit, difference: float) -> None:
    """Note that other random numbers change nothing."""
    for rule in ("evaluation-random", "dropout-on"):
        audit.keeps(rule, difference=difference)


def judge_noise(
    audit: Audit, seeds: tuple[float, float], without: tuple[float, float], mode: str, tolerance: float
) -> bool:
    """Judge by a batch's loss with two seeds, as it is and without dropout; return whether dropout alone is why."""
    (first, other), (quiet, again) = seeds, without
    noise = f"the same batch costs {first:.4f} and {other:.4f} with other random numbers"
    if differ(quiet, again, tolerance):
        audit.breaks("evaluation-random", f"validation is random: {noise}", first=first, again=other)
        audit.skips("dropout-on", "evaluation is random in other ways")
        return False
    reason = "validation is read in training mode" if mode == "train" else "model.eval() does not reach it"
    what = f"dropout is on in evaluation ({reason}): {noise}, and {quiet:.4f} without dropout"
    audit.breaks("dropout-on", what, first=first, again=other, without=quiet)
    audit.keeps("evaluation-random", without_dropout=abs(quiet - again))
    return True


def judge_drawn(audit: Audit, first: float, second: float, tolerance: float, *, whole: bool) -> None:
    """Judge a loader that draws samples anew by the losses of two passes, and whether each was read as a whole.

    Samples that cost the same (a field that nothing reads is drawn) leave evaluation as it was. The mean is of what it
    says (masked language models are often evaluated so), so it is no error: it moves from pass to pass.
    """
    if whole and not differ(first, second, tolerance):
        return
    what = "the loader draws validation's samples anew each pass"
    what += f": one pass costs {first:.4f} and another {second:.4f}" if whole else ""
    audit.breaks("evaluation-random", what, fix=DRAW_ONCE, severity="warning", first=first, again=second)
