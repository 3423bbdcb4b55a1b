"""Is the loss the cross-entropy of the very next token: of one softmax, with padding left out, and nothing else?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.audit.findings import METRIC, Audit, Rule

if TYPE_CHECKING:
    from torch import Tensor

NO_MATCH = "the loss is no mean of cross-entropies that the logits give"
UNKNOWN = "which of the places that count nothing are padding is not known: give pad=, or targets of -100"
ALL_TOKENS = 0.01  # a sum of probabilities may be off 1 by

RULES = (
    Rule(
        "loss-differs", METRIC, 60, "warning",
        "the validation loss is the cross-entropy of the logits, and nothing else",
        "validate with plain cross-entropy: no label smoothing, no weight decay, no auxiliary loss",
        "A validation loss that contains label smoothing, a penalty or an auxiliary loss cannot be turned into bits "
        "per byte or a perplexity, nor compared with another run's.",
        reported_so="the reported validation loss holds label smoothing or weight decay",
        of="text",
    ),
    Rule(
        "targets-shifted", METRIC, 50, "error",
        "each position is scored on the very next token",
        "shift once: either the batch holds targets = tokens[1:], or the model shifts labels, not both and not neither",
        "Not shifted at all, the network has to repeat the token that it was just shown: the loss falls to nearly 0. "
        "Shifted twice (the batch shifts, and the model shifts its labels again), it has to predict the token after "
        "the next: the loss is too high and what it learns is of no use. The audit compares the loss with that of "
        "every shift.",
        of="text",
    ),
    Rule(
        "padding-counted", METRIC, 70, "error",
        "padding is not counted in the mean",
        "divide by the number of real targets: cross_entropy(..., ignore_index=-100), or weights of 0 for padding",
        "Where padding has a loss of 0 and is counted in the mean, the loss is diluted by the share of padding: the "
        "shorter the documents beside the longest, the lower the loss.",
        reported_so="padding is counted in the reported mean with a loss of 0",
        of="text",
    ),
    Rule(
        "padding-predicted", METRIC, 80, "error",
        "padding is not predicted like text",
        "set the targets of padding to -100 (labels.masked_fill(attention_mask == 0, -100))",
        "After the first padding token the rest is certain, so predicting it costs next to nothing: each padded place "
        "adds a loss near 0 to the mean. The loss falls with the share of padding.",
        reported_so="padding is predicted and counted in the reported validation loss",
        of="text",
    ),
    Rule(
        "probabilities", METRIC, 30, "error",
        "the probabilities of all possible next tokens sum to one",
        "normalise: cross_entropy(logits), or the logarithm of a mixture whose weights sum to one",
        "A cross-entropy is a code length only if the probabilities that it is taken of sum to one. Scores that were "
        "never normalised, mixtures whose weights sum to more, or a vocabulary that is cut short give any loss one "
        "likes. The audit sums exp(-loss) over every token that could have stood there.",
        of="text",
    ),
    Rule(
        "softmax-twice", METRIC, 40, "error",
        "the loss takes one softmax, not two",
        "hand the logits to cross_entropy (it takes the softmax itself), or use nll_loss with log-probabilities",
        "Cross-entropy of probabilities instead of logits is a valid distribution, but nearly a uniform one: no "
        "probability can exceed e / (e + V - 1). The loss stays near ln V however good the network is.",
        of="text",
    ),
)  # fmt: skip


def judge_loss(audit: Audit, loss: float, matched: float | None, *, given: bool) -> None:
    """Judge by the mean of cross-entropies that equals the loss; logits that were found by trial prove no breach."""
    if matched is not None:
        audit.keeps("loss-differs", loss=matched)
    elif given:
        audit.breaks("loss-differs", NO_MATCH, loss=loss)


def judge_shift(audit: Audit, ahead: int, loss: float) -> None:
    """Judge by how many places on the token lies that the loss was found to be of."""
    if ahead == 1:
        audit.keeps("targets-shifted", ahead=ahead, loss=loss)
        return
    words = {0: "the token that it was just shown", 2: "the token after the next"}
    what = f"each position is scored on {words.get(ahead, f'the token {ahead} places on')}, not on the next"
    audit.breaks("targets-shifted", what, ahead=ahead, loss=loss)


def judge_shifted_rows(audit: Audit, wrong: int, total: int) -> None:
    """Judge by how many targets of a run's rows are not the next token."""
    if wrong:
        audit.breaks("targets-shifted", f"{wrong:,} of {total:,} targets are not the next token", wrong=wrong, of=total)
    else:
        audit.keeps("targets-shifted", targets=total)


def judge_padding(audit: Audit, padding: str, share: float, loss: float) -> None:
    """Judge by what was found of padding: "predicted", "counted ..." or "left out ...", and its share of all places."""
    if padding == "predicted":
        audit.breaks("padding-predicted", "padding is predicted and counted like text", share=share, loss=loss)
        audit.skips("padding-counted", "padding is predicted", matters=False)
    elif padding.startswith("counted"):
        what = f"padding, {share:.0%} of all places, is counted in the mean with a loss of 0"
        audit.breaks("padding-counted", what, share=share, loss=loss)
        audit.keeps("padding-predicted", loss=loss)
    else:
        for rule in ("padding-counted", "padding-predicted"):
            audit.keeps(rule, share_of_padding=share, loss=loss)


def without_padding(audit: Audit, *, left_out: bool) -> None:
    """Note that no row is padded, or that some targets are left out that may be padding."""
    why = UNKNOWN if left_out else "no row of the batches that were read is padded"
    for rule in ("padding-counted", "padding-predicted"):
        audit.skips(rule, why, matters=False)


def judge_scores(audit: Audit, scores_BTV: Tensor, how: str, *, normalised: bool) -> None:
    """Judge by the network's scores, by what the loss takes them for ("logits", "log-probabilities", "probabilities").

    `normalised`: they are probabilities already.
    """
    if how == "logits":
        if normalised:
            audit.breaks("softmax-twice", "the network returns probabilities, and the loss takes a softmax of them",
                         largest=float(scores_BTV.float().max()))  # fmt: skip
        else:
            audit.keeps("softmax-twice", sum_of_scores=float(scores_BTV.float().sum(-1).mean()))
        audit.keeps("probabilities", how="the loss is the cross-entropy of a softmax")
        return
    audit.keeps("softmax-twice", how=how)
    total = scores_BTV.double().exp() if how == "log-probabilities" else scores_BTV.double()
    judge_total(audit, total.sum(-1))


def judge_total(audit: Audit, total: Tensor) -> None:
    """Judge by the sums of all tokens' probabilities."""
    low, high = float(total.min()), float(total.max())
    if max(abs(low - 1), abs(high - 1)) > ALL_TOKENS:
        what = f"the probabilities of all tokens sum to {low:.3f} to {high:.3f}, not to 1"
        audit.breaks("probabilities", what, lowest=low, highest=high)
    else:
        audit.keeps("probabilities", lowest=low, highest=high)
