"""The rules of an audit: what each asks, how bad a breach is, what mends it, and why it matters.

One table for the audit of a run, the audit of a user's model, and `diagnose explain RULE`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnose.records.schema import Severity

SEVERITIES = ("error", "warning", "note")  # the number is wrong; it may mislead; it should be known
METRIC, TEXT, NETWORK = "the metric", "the data", "the network"


@dataclass(frozen=True)
class Rule:
    """A rule of the audit.

    Attributes:
        id: stable, in kebab case.
        about: the metric, the data or the network.
        severity: one of `SEVERITIES`.
        asks: what holds where the rule is kept: "future tokens cannot be seen".
        fix: what would mend a breach.
        why: what it is and what it does to the number, in a few sentences.
        asks_samples, fix_samples: the same of data that is no text; "" where the words fit any.
    """

    id: str
    about: str
    severity: Severity
    asks: str
    fix: str
    why: str
    asks_samples: str = ""
    fix_samples: str = ""

    def asked(self, *, text: bool) -> str:
        """Return what holds where it is kept, in the words of the data."""
        return self.asks if text else self.asks_samples or self.asks

    def mended(self, *, text: bool) -> str:
        """Return what would mend a breach, in the words of the data."""
        return self.fix if text else self.fix_samples or self.fix


_TABLE = (
    Rule(
        "future-visible", METRIC, "error",
        "no prediction depends on the tokens that come after it",
        "mask attention causally (is_causal=True, or torch.ones(T, T).tril()), pad convolutions on the left, and use "
        "no bidirectional layer",
        "A network that sees the token that it has to predict copies it: the loss falls far below what any text "
        "allows, and what the network writes is worthless. Leaks of a single token are common: a mask that is shifted "
        "by one, a norm or a pooling over time. The audit changes all tokens from a place on and asks whether any "
        "prediction before that place changes.",
    ),
    Rule(
        "segment-visible", METRIC, "error",
        "documents that share a row do not see each other",
        "pass the segments on to attention (and restart positions and recurrent states at each document)",
        "With batches.mask = 'document' each document of a packed row should read as if it stood alone. Where one "
        "document's tokens change another's predictions, the loss depends on which documents happen to be neighbours.",
    ),
    Rule(
        "probabilities", METRIC, "error",
        "the probabilities of all possible next tokens sum to one",
        "normalise: cross_entropy(logits), or the logarithm of a mixture whose weights sum to one",
        "A cross-entropy is a code length only if the probabilities that it is taken of sum to one. Scores that were "
        "never normalised, mixtures whose weights sum to more, or a vocabulary that is cut short give any loss one "
        "likes. The audit sums exp(-loss) over every token that could have stood there.",
    ),
    Rule(
        "softmax-twice", METRIC, "error",
        "the loss takes one softmax, not two",
        "hand the logits to cross_entropy (it takes the softmax itself), or use nll_loss with log-probabilities",
        "Cross-entropy of probabilities instead of logits is a valid distribution, but nearly a uniform one: no "
        "probability can exceed e / (e + V - 1). The loss stays near ln V however good the network is.",
    ),
    Rule(
        "targets-shifted", METRIC, "error",
        "each position is scored on the very next token",
        "shift once: either the batch holds targets = tokens[1:], or the model shifts labels, not both and not neither",
        "Not shifted at all, the network has to repeat the token that it was just shown: the loss falls to nearly 0. "
        "Shifted twice (the batch shifts, and the model shifts its labels again), it has to predict the token after "
        "the next: the loss is too high and what it learns is of no use. The audit compares the loss with that of "
        "every shift.",
    ),
    Rule(
        "loss-differs", METRIC, "warning",
        "the validation loss is the cross-entropy of the logits, and nothing else",
        "validate with plain cross-entropy: no label smoothing, no weight decay, no auxiliary loss",
        "A validation loss that contains label smoothing, a penalty or an auxiliary loss cannot be turned into bits "
        "per byte or a perplexity, nor compared with another run's.",
    ),
    Rule(
        "padding-counted", METRIC, "error",
        "padding is not counted in the mean",
        "divide by the number of real targets: cross_entropy(..., ignore_index=-100), or weights of 0 for padding",
        "Where padding has a loss of 0 and is counted in the mean, the loss is diluted by the share of padding: the "
        "shorter the documents beside the longest, the lower the loss.",
    ),
    Rule(
        "padding-predicted", METRIC, "error",
        "padding is not predicted like text",
        "set the targets of padding to -100 (labels.masked_fill(attention_mask == 0, -100))",
        "After the first padding token the rest is certain, so predicting it costs next to nothing: each padded place "
        "adds a loss near 0 to the mean. The loss falls with the share of padding.",
    ),
    Rule(
        "padding-dependent", METRIC, "error",
        "a document's loss does not depend on how much padding stands beside it",
        "mask padding in attention, count positions from each document's first token, and keep norms off padding",
        "Padding in front shifts positions, padding that is attended to dilutes attention, and norms over time mix "
        "it in: a document's loss then depends on the longest document of its batch.",
    ),
    Rule(
        "batch-dependent", METRIC, "error",
        "a document's loss does not depend on what else is in the batch",
        "put batch norms into evaluation mode (or replace them by layer norms), and mix nothing across rows",
        "A batch norm that is left in training mode, or a sum over the wrong dimension, mixes rows: the loss depends "
        "on the batch size and on who sits beside whom, and what one row holds leaks into others.",
        "a sample's loss does not depend on what else is in the batch",
    ),
    Rule(
        "state-carried", METRIC, "error",
        "a batch's loss does not depend on the batches that were read before",
        "reset the state at each batch, or read the batches in one fixed order of continuous text and say so",
        "A recurrent state, a cache or a running mean that is kept from batch to batch makes the loss depend on the "
        "order of evaluation: two evaluations of the same network differ.",
    ),
    Rule(
        "evaluation-random", METRIC, "error",
        "evaluating twice gives the same loss",
        "draw masks, samples and subsets once, from a fixed generator, or switch the noise off",
        "Where evaluation draws at random (masks, sampled negatives, a noise layer), two evaluations of the same "
        "network differ, and the best of several checkpoints is partly the luckiest.",
    ),
    Rule(
        "targets-broadcast", METRIC, "error",
        "each prediction is compared with its own target alone",
        "give both the same shape: model(x).squeeze(-1), or y.unsqueeze(-1)",
        "Predictions of shape (B, 1) less targets of shape (B) are broadcast to B times B differences: every "
        "prediction is compared with every target of its batch. Such a loss has the best value where all predictions "
        "are the mean of the targets, and it depends on who is in the batch.",
    ),
    Rule(
        "dropout-on", METRIC, "error",
        "dropout is off when validation is read",
        "call model.eval() before and model.train() after; give F.dropout its training=self.training, and register "
        "modules (nn.ModuleList, not a list) so that eval() reaches them",
        "Dropout left on makes the validation loss higher and random. F.dropout is on unless it is told otherwise, "
        "and modules kept in a plain Python list are not reached by model.eval().",
    ),
    Rule(
        "ragged-mean", METRIC, "warning",
        "the mean is over tokens, not over means of unequal batches",
        "sum the losses and the numbers of tokens over all batches, and divide once at the end",
        "A mean of batch means gives each token or sample of a small batch (the last one, or one of short documents) "
        "more weight. The result depends on the batch size and on the order.",
        "the mean is over samples, not over means of unequal batches",
        "sum the losses and the numbers of samples over all batches, and divide once at the end",
    ),
    Rule(
        "bytes-lost", METRIC, "error",
        "every byte of the validation text is scored",
        "score whole documents: cut long ones into windows instead of truncating, and do not filter or drop any",
        "Text that is left out (truncated ends, dropped rows, tokens without a loss) is not paid for, and it is "
        "seldom average text: what is left out late in long documents is the easiest.",
    ),
    Rule(
        "batch-dropped", METRIC, "warning",
        "the last, smaller batch is read too",
        "DataLoader(..., drop_last=False) for validation",
        "With drop_last=True the validation loss leaves out up to a batch of samples: which, depends on the batch "
        "size, so that two runs with different batch sizes are not scored on the same data.",
    ),
    Rule(
        "scored-twice", METRIC, "error",
        "no text is scored more than once",
        "score each document once; where windows overlap, score only what the window before has not",
        "Documents that occur twice count double. Windows that overlap and are scored whole score most text several "
        "times, with more context each time, so the loss is neither that of whole documents nor of cut ones.",
        "no sample is scored more than once",
        "score each sample once",
    ),
    Rule(
        "end-unpaid", METRIC, "warning",
        "the end of each document is paid for",
        "append the end token to each document and score it",
        "A model of documents must say where they end. Where the end token is not scored, the text's length is known "
        "for free, and bits per byte are too low, by more the shorter the documents are.",
    ),
    Rule(
        "record-differs", METRIC, "error",
        "what the run recorded is what its weights give",
        "train the run again; restore its files if they were changed",
        "The audit reads some documents anew with the final weights. Where their losses differ from the recorded "
        "ones, the checkpoint, the tokenizer, the text or the network's code are not those that were scored.",
    ),
    Rule(
        "tokenizer-lossy", TEXT, "error",
        "decoding the tokens gives the text back, byte for byte",
        "use byte fallback instead of an unknown token, and no normaliser (no lowercasing, no stripping)",
        "An unknown token swallows the hard words: any of them costs as little as the mark that stands for all. "
        "Lowercasing and normalising make the text easier than it is. The loss per byte is then of another, easier "
        "text.",
    ),
    Rule(
        "tokenizer-differs", TEXT, "error",
        "the run's tokenizer is the one that its recipe makes",
        "restore tokenizer.json, or train the run again",
        "Token ids mean what the tokenizer says. With another one the same network is scored on other text.",
    ),
    Rule(
        "vocabulary-leak", TEXT, "warning",
        "the vocabulary was learned from the training text alone",
        "learn the tokenizer after the split, from the training documents",
        "A tokenizer that was learned from all text has tokens for words that occur in validation alone. The network "
        "never sees them in training, and that they exist at all tells it that they will come.",
    ),
    Rule(
        "split-overlap-exact", TEXT, "error",
        "hardly any validation document is a training document",
        "remove duplicates before the split (or keep all copies on one side)",
        "What was trained on is remembered: the loss on validation data that are also training data says how well they "
        "were memorised, not how well the network does on new data.",
        "hardly any validation sample is a training sample",
    ),
    Rule(
        "split-overlap-near", TEXT, "warning",
        "few validation documents are nearly training documents",
        "remove near-duplicates before the split: documents that share most of their passages",
        "What differs from a training document or sample in a few places is mostly remembered.",
        "few validation samples are nearly training samples",
        "remove near-duplicates before the split",
    ),
    Rule(
        "split-overlap-window", TEXT, "error",
        "hardly any validation text lies inside training text",
        "divide the documents first and cut them into windows afterwards",
        "Where overlapping windows are cut first and divided at random afterwards, nearly every token of each "
        "validation window is also in a training window that begins a token earlier or later. Validation then "
        "measures memory.",
        "hardly any validation sample lies inside a training sample",
        "divide what samples are cut from first and cut it afterwards",
    ),
    Rule(
        "labels-unrelated", TEXT, "warning",
        "labels belong to their inputs, on both sides",
        "look at a few samples with their labels: is their order that of the inputs, is the mapping of classes the "
        "same on both sides, are inputs prepared alike? If all is well, the model has only learned training by heart",
        "Labels that were shuffled, moved by a row or mapped to other class numbers on one side alone look like "
        "overfitting: training's loss falls and validation's does not. The audit reads both sides with the labels of "
        "other samples, too: where that costs one side no more than its own labels, and the other side much more, "
        "nothing shows that what was learned holds for that side.",
    ),
    Rule(
        "inputs-unlike", TEXT, "note",
        "validation's batches are made as training's are",
        "see that both are prepared alike (the same normalisation, encoding, tokenizer and masks) and split at random",
        "Validation that is not normalised as training is, that holds classes or ids which training never has, or of "
        "which rows are packed, cut or masked otherwise costs more or less for that alone. The audit compares what "
        "batches hold: where numbers lie and how wide, which labels occur and how often, how long rows of tokens are "
        "and which targets are left out. A split by time or by source differs so, too, and is meant: a note.",
    ),
    Rule(
        "tied-weights", NETWORK, "error",
        "weights that should be shared are one tensor",
        "assign head.weight = embedding.weight after loading (and after .to(device) of parts), and save one of them",
        "A checkpoint that holds both copies, or a load that makes two tensors of one, breaks the tie silently: the "
        "network has other weights than were trained, or two matrices that drift apart.",
    ),
    Rule(
        "no-gradient", NETWORK, "error",
        "gradients reach every weight that is to be trained",
        "look for detach(), no_grad(), .data, argmax or .item() on the way, and for modules that forward() never uses",
        "A branch that was detached, or a module that nothing uses, keeps its initial weights for ever: the network is "
        "smaller than it looks.",
    ),
    Rule(
        "frozen-weights", NETWORK, "note",
        "no weights are frozen",
        "requires_grad_(True), if they were to be trained",
        "Weights with requires_grad=False are not trained. That is meant where a network is fine-tuned in part, and "
        "a mistake where a freeze was left over.",
    ),
    Rule(
        "loss-at-start", NETWORK, "warning",
        "an untrained network is about as uncertain as a uniform guess (ln V)",
        "initialise smaller (a standard deviation of 0.02 for embeddings that are also the output matrix)",
        "Before training no token should be preferred: the loss is then near ln V. Far above it, the network is "
        "surely wrong and the first hundreds of steps undo the initialisation; far below it, something tells it the "
        "answer.",
    ),
    Rule(
        "cannot-overfit", NETWORK, "error",
        "a single small batch can be learned by heart",
        "look for a detached loss, a network that is blind to its input, targets of other rows, a rate of 0",
        "A network that cannot learn a handful of samples by heart will not learn a corpus. Almost every broken "
        "training set-up shows here first.",
    ),
    Rule(
        "input-ignored", NETWORK, "error",
        "the loss depends on the input",
        "see that forward() uses what it is given, and that the mask lets anything through",
        "A network that ignores its input learns the frequencies of the targets and no more. Its loss curve looks "
        "like slow learning.",
    ),
)  # fmt: skip

RULES = {rule.id: rule for rule in _TABLE}
