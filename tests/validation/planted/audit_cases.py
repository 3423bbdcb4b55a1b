"""Planted bugs of metrics and set-ups, each with the rule that must find it, and sound set-ups without any.

Shapes: B rows, T positions, V vocabulary.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from diagnose import Side
from diagnose.data.vocabulary import START
from diagnose.models import gpt, lstm

PAD, V, T = -100, 330, 48


@dataclass
class Case:
    """What `audit_metric` is given; `rules`: what must be found; `more`: what follows from the same bug."""

    model: nn.Module
    train: Side | None
    val: Side
    given: dict = field(default_factory=dict)


@lru_cache
def verses(count=260):
    from pythonbible_akjv.plain_text_readers_bible import bible

    whole, ends = bible.scripture_content, bible.verse_end_indices
    texts = [" ".join(whole[a : ends[v]].split()) for v, a in list(bible.verse_start_indices.items())[: 3 * count : 3]]
    return [text[:90] for text in texts]


@lru_cache
def split():
    some = list(dict.fromkeys(verses()))
    return [t for k, t in enumerate(some) if k % 4], [t for k, t in enumerate(some) if not k % 4]


@lru_cache
def characters():
    from diagnose.data.tokenizer import learn

    return learn(split()[0], "char", V)


def end():
    return characters().get_vocab()[START]


def ids(text):
    return [end(), *characters().encode(text, add_special_tokens=False).ids, end()]


@lru_cache
def streams():
    return tuple([i for text in part for i in ids(text)[:-1]] for part in split())


def windows(stream, stride=T, ahead=1, count=96):
    starts = list(range(0, len(stream) - T - 2, stride))[:count]
    x = torch.tensor([stream[k : k + T] for k in starts])
    return x, torch.tensor([stream[k + ahead : k + ahead + T] for k in starts])


def pairs(stream, size=16, **how):
    """Return full batches of (inputs, targets)."""
    x, y = windows(stream, **how)
    whole = len(x) // size * size
    return list(zip(x[:whole].split(size), y[:whole].split(size), strict=True))


def packed(**how):
    first, second = streams()
    return pairs(first, **how), pairs(second, **how)


def rows(texts, size=16, *, ends=True, most=200):
    """Return padded batches, a document a row."""
    out = []
    for k in range(0, len(texts), size):
        some = [ids(text)[: most + 1] if ends else ids(text)[:-1] for text in texts[k : k + size]]
        longest = max(map(len, some)) - 1
        x = [row[:-1] + [0] * (longest + 1 - len(row)) for row in some]
        y = [row[1:] + [PAD] * (longest + 1 - len(row)) for row in some]
        out.append((torch.tensor(x), torch.tensor(y)))
    return out


def network(**more):
    torch.manual_seed(0)
    return gpt.build(V, 200, **{"layers": 1, "heads": 2, "width": 32, "dropout": 0.0} | more)


def each(model, batch):
    """The loss of each target, 0 at padding, which does not count."""
    logits = model(batch[0]).float()
    nats = F.cross_entropy(logits.flatten(0, 1), batch[1].flatten(), reduction="none", ignore_index=PAD)
    return {"loss": nats.view(batch[1].shape), "weights": (batch[1] != PAD).float()}


def plain(model, batch):
    return each(model, batch)["loss"]


def scalar(model, batch):
    return F.cross_entropy(model(batch[0]).flatten(0, 1), batch[1].flatten(), ignore_index=PAD)


def case(model=None, train=None, val=None, loss=plain, train_loss=None, **given):
    """A set-up on packed rows unless told otherwise."""
    first, second = packed()
    mode = given.pop("mode", None)
    reduction = given.pop("reduction", "mean")
    autocast = given.pop("autocast", None)
    train, val = (own if own is not None else other for own, other in ((train, first), (val, second)))
    val_side = Side(val, loss, mode=mode or "eval", reduction=reduction, autocast=autocast)
    return Case(model or network(), Side(train, train_loss or loss), val_side, given)


# Networks with something wrong


class Wrapped(nn.Module):
    def __init__(self, own=None):
        super().__init__()
        self.own = own or network()


class Leaky(nn.Module):
    """Self-attention whose mask begins `first` places too late."""

    def __init__(self, first=1):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.embedding, self.head = first, nn.Embedding(V, 32), nn.Linear(32, V)
        self.attention = nn.MultiheadAttention(32, 2, batch_first=True)

    def forward(self, x):
        n, h = x.shape[1], self.embedding(x)
        mask = torch.ones(n, n, dtype=torch.bool).triu(self.first) if self.first else None
        return self.head(h + self.attention(h, h, h, attn_mask=mask, need_weights=False)[0])


class BothWays(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embedding, self.head = nn.Embedding(V, 32), nn.Linear(32, V)
        self.lstm = nn.LSTM(32, 16, batch_first=True, bidirectional=True)

    def forward(self, x):
        return self.head(self.lstm(self.embedding(x))[0])


class Unregistered(Wrapped):
    def __init__(self):
        super().__init__()
        self.noise = [nn.Dropout(0.3)]

    def forward(self, x):
        return self.own.head(self.noise[0](self.own.features(x)))


class Functional(Wrapped):
    def forward(self, x):
        return self.own.head(F.dropout(self.own.features(x), 0.3))


class Normed(Wrapped):
    """A batch norm that takes the statistics of whatever batch it sees."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(32, track_running_stats=False)

    def forward(self, x):
        return self.own.head(self.norm(self.own.features(x).transpose(1, 2)).transpose(1, 2))


class Stateful(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embedding, self.head, self.state = nn.Embedding(V, 32), nn.Linear(32, V), None
        self.lstm = nn.LSTM(32, 32, batch_first=True)

    def forward(self, x):
        usable = self.state if self.state is not None and self.state[0].shape[1] == len(x) else None
        h, state = self.lstm(self.embedding(x), usable)
        self.state = tuple(s.detach() for s in state)
        return self.head(h)


class Probabilities(Wrapped):
    def forward(self, x):
        return self.own(x).softmax(-1)


class Mixture(Wrapped):
    """Two experts whose shares sum to 1.4."""

    def forward(self, x):
        p = self.own(x).softmax(-1)
        return 0.7 * p + 0.7 * p.roll(1, -1)


def of_mixture(model, batch):
    return -model(batch[0]).gather(-1, batch[1][..., None])[..., 0].log()


class Detached(Wrapped):
    def __init__(self):
        super().__init__()
        self.side = nn.Linear(32, 32)

    def forward(self, x):
        h = self.own.features(x)
        return self.own.head(h + self.side(h).detach())


class Blind(Wrapped):
    def forward(self, x):
        return self.own(torch.zeros_like(x))


class Squashed(Wrapped):
    def forward(self, x):
        return self.own(x).clamp(-0.05, 0.05)


def noisy(model, batch):
    kept = torch.rand(batch[1].shape) < 0.5
    return {"loss": plain(model, batch), "weights": kept.float()}


def smoothed(model, batch):
    return F.cross_entropy(model(batch[0]).flatten(0, 1), batch[1].flatten(), reduction="none",
                           label_smoothing=0.1).view(batch[1].shape)  # fmt: skip


def diluted(model, batch):
    """The loss of each target, 0 at padding by a mask of one's own, so that it counts."""
    nats = F.cross_entropy(model(batch[0]).float().flatten(0, 1), batch[1].clamp(min=0).flatten(), reduction="none")
    return nats.view(batch[1].shape) * (batch[1] != PAD)


def hugging(**more):
    pytest.importorskip("transformers")
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    sizes = {"vocab_size": V, "n_positions": 200, "n_embd": 32, "n_layer": 1, "n_head": 2}
    return GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=None, eos_token_id=None, **more))


def tables(texts, size=16, *, left=False, predicted=False, shifted=False):
    """Return Hugging Face's batches, a document a row."""
    out = []
    for k in range(0, len(texts), size):
        some = [ids(text) for text in texts[k : k + size]]
        longest = max(map(len, some))
        fill = [[0] * (longest - len(row)) for row in some]
        x = torch.tensor([f + row if left else row + f for f, row in zip(fill, some, strict=True)])
        real = torch.tensor([[0] * len(f) + [1] * len(r) if left else [1] * len(r) + [0] * len(f)
                             for f, r in zip(fill, some, strict=True)])  # fmt: skip
        labels = x.clone() if predicted else x.masked_fill(real == 0, PAD)
        if shifted:
            labels = torch.cat([labels[:, 1:], torch.full_like(labels[:, :1], PAD)], 1)
        out.append({"input_ids": x, "attention_mask": real, "labels": labels})
    return out


def by_table(model, batch):
    """The loss of each label as Hugging Face's models shift it."""
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    labels = batch["labels"][:, 1:]
    nats = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none", ignore_index=PAD)
    return {"loss": nats.view(labels.shape), "weights": (labels != PAD).float()}


def own_loss(model, batch):
    return model(**batch).loss


def table_case(loss=by_table, model=None, **how):
    first, second = split()
    return Case(model or hugging(), Side(tables(first, **how), loss), Side(tables(second, **how), loss))


def overlapping_split():
    stream = streams()[0][:2400]
    x, y = windows(stream, stride=2, count=4000)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))
    x, y = x[order], y[order]
    cut = 9 * len(x) // 10 // 16 * 16
    parts = [list(zip(a.split(16), b.split(16), strict=True)) for a, b in ((x[:cut], y[:cut]), (x[cut:], y[cut:]))]
    return case(train=parts[0], val=[b for b in parts[1] if len(b[0]) == 16][:4])


def edited(text):
    """Return a text with its last words changed."""
    words = text.split(" ")
    words[-2:] = [word[::-1] + "x" for word in words[-2:]]
    return " ".join(words)


def documents(train=None, val=None, loss=each, texts=None, **more):
    """A set-up of padded documents with its texts and its tokenizer."""
    first, second = split()
    batches = more.pop("batches", None) or rows(val or second, **more.pop("how", {}))
    reduction = more.pop("reduction", "mean")
    model = more.pop("model", None) or network()
    given = {"tokenizer": characters(), "texts": texts or second, "train_texts": first, "end": end()} | more
    return Case(model, Side(rows(train or first), loss), Side(batches, loss, reduction=reduction), given)


def words_tokenizer(texts, *, lower=False, unknown=True):
    """Return a word-level tokenizer of the `tokenizers` library."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    words = sorted({w.lower() if lower else w for text in texts for w in text.replace(" ", " \u2581").split(" ")})
    vocab = {w: k for k, w in enumerate(["<unk>", *words, *(f"\u2581{w}" for w in words)])}
    out = Tokenizer(models.WordLevel(vocab, unk_token="<unk>" if unknown else None))
    if lower:
        out.normalizer = normalizers.Lowercase()
    out.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    out.decoder = decoders.Metaspace(prepend_scheme="never")
    return out


def loader(texts):
    x, y = windows(streams()[1], count=70)
    return DataLoader(list(zip(x, y, strict=True)), 16, drop_last=True)


def wide():
    torch.manual_seed(0)
    net = network()
    with torch.no_grad():
        net.embedding.weight.normal_(0, 1.0)
    return net


def untied_again():
    net = network(tied=True)
    net.head.weight = nn.Parameter(net.embedding.weight.detach() + 0.002 * torch.randn(V, 32))
    return net


def fitted():
    net = network()
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for batch in packed()[0]:
        optimizer.zero_grad()
        scalar(net, batch).backward()
        optimizer.step()
    optimizer.zero_grad()
    return net


def frozen():
    net = network()
    net.blocks[0].widen.requires_grad_(False)
    return net


def leaked_vocabulary():
    from diagnose.data.tokenizer import learn

    first, second = split()
    return documents(tokenizer=learn([*first, *second, *second], "word", 4000), end=None)


PLANTED = {
    "targets two ahead": (lambda: case(val=packed(ahead=2)[1], train=packed(ahead=2)[0]), "targets-shifted"),
    "targets not shifted": (lambda: case(val=packed(ahead=0)[1], train=packed(ahead=0)[0]), "targets-shifted"),
    "labels shifted twice": (lambda: table_case(shifted=True), "targets-shifted"),
    "labels shifted twice, scalar": (lambda: table_case(own_loss, shifted=True), "targets-shifted"),
    "a mask that leaks one token": (lambda: case(Leaky(2)), "future-visible"),
    "no mask at all": (lambda: case(Leaky(0)), "future-visible"),
    "a bidirectional LSTM": (lambda: case(BothWays()), "future-visible"),
    "padding in the mean": (lambda: documents(loss=diluted), "padding-counted"),
    "padding predicted": (lambda: table_case(predicted=True), "padding-predicted"),
    "padding predicted, scalar": (lambda: table_case(own_loss, predicted=True), "padding-predicted"),
    "positions shifted by padding": (lambda: table_case(left=True), "padding-dependent"),
    "an unknown token": (
        lambda: documents(tokenizer=words_tokenizer(split()[0]), end=None, train_texts=None), "tokenizer-lossy"),
    "a lowercasing tokenizer": (
        lambda: documents(tokenizer=words_tokenizer([*split()[0], *split()[1]], lower=True), end=None,
                          train_texts=None), "tokenizer-lossy"),
    "doubled documents": (lambda: documents(val=[*split()[1], *split()[1][:20]]), "scored-twice"),
    "overlapping windows": (lambda: case(val=pairs(streams()[1], stride=T // 2)), "scored-twice"),
    "the last batch dropped": (lambda: case(val=loader(split()[1])), "batch-dropped"),
    "documents cut off": (lambda: documents(how={"most": 60}), "bytes-lost"),
    "documents left out": (lambda: documents(val=split()[1][:-9]), "bytes-lost"),
    "end tokens not paid for": (lambda: documents(how={"ends": False}), "end-unpaid"),
    "a tie broken by a load": (lambda: case(untied_again()), "tied-weights"),
    "dropout in a plain list": (lambda: case(Unregistered()), "dropout-on"),
    "dropout without its flag": (lambda: case(Functional()), "dropout-on"),
    "eval() forgotten": (lambda: case(nn_dropout(), mode="train"), "dropout-on"),
    "a batch norm in training mode": (lambda: case(Normed()), "batch-dependent"),
    "a state kept between batches": (lambda: case(Stateful()), "state-carried"),
    "random masks": (lambda: case(loss=noisy, train_loss=plain), "evaluation-random"),
    "softmax twice": (lambda: case(Probabilities()), "softmax-twice"),
    "shares that sum to 1.4": (lambda: case(Mixture(), loss=of_mixture), "probabilities"),
    "label smoothing in validation": (
        lambda: case(fitted(), loss=smoothed, logits=lambda model, batch: model(batch[0])), "loss-differs"),
    "a detached branch": (lambda: case(Detached()), "no-gradient"),
    "a frozen layer": (lambda: case(frozen()), "frozen-weights"),
    "a wide initialisation": (lambda: case(build=wide), "loss-at-start"),
    "a network that ignores its input": (lambda: case(Blind()), "input-ignored"),
    "outputs that are squashed": (lambda: case(Squashed()), "cannot-overfit"),
    "exact duplicates": (lambda: documents(train=[*split()[0], *split()[1][:12]]), "split-overlap-exact"),
    "near duplicates": (
        lambda: documents(train=[*split()[0], *(edited(t) for t in split()[1][:20])]), "split-overlap-near"),
    "windows divided after cutting": (overlapping_split, "split-overlap-window"),
    "a vocabulary of all text": (leaked_vocabulary, "vocabulary-leak"),
    "a mean of unequal batches": (
        lambda:
        documents(model=fitted(), reduction="batch", batches=rows(sorted(split()[1], key=len), 3)), "ragged-mean"),
}  # fmt: skip

# What follows from the same bug: a network that cannot see cannot learn, windows that overlap recur among each other
FOLLOWS = {
    "padding predicted, scalar": {"ragged-mean"},  # one number a batch, and batches of unequal length
    "a mask that leaks one token": {"padding-dependent"},
    "a batch norm in training mode": {"future-visible", "padding-dependent"},
    "a state kept between batches": {"batch-dependent"},
    "softmax twice": {"cannot-overfit"},
    "label smoothing in validation": {"probabilities"},  # smoothed losses are no code length
    "a network that ignores its input": {"cannot-overfit", "no-gradient"},
    "outputs that are squashed": {"input-ignored"},
    "windows divided after cutting": {"scored-twice"},
    "documents cut off": {"end-unpaid"},
    "documents left out": {"end-unpaid"},
    "an unknown token": {"bytes-lost", "scored-twice"},
    "a lowercasing tokenizer": {"bytes-lost", "scored-twice"},
    "a vocabulary of all text": {"bytes-lost", "scored-twice"},
}


def nn_dropout():
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(V, 32), nn.Dropout(0.3), nn.Linear(32, V))


# Sound set-ups


class NanoGPT(Wrapped):
    """Returns (logits, loss), as nanoGPT's model does."""

    def forward(self, x, targets=None):
        logits = self.own(x)
        if targets is None:
            return logits[:, [-1]], None
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)


def nano_loss(model, batch):
    return model(*batch)[1]


def lightning_case():
    lightning = pytest.importorskip("lightning")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.network = network(dropout=0.1)

        def forward(self, x):
            return self.network(x)

        def training_step(self, batch, _):
            return scalar(self, batch)

        def validation_step(self, batch, _):
            return scalar(self, batch)

    return case(Module(), loss=lambda module, batch: module.validation_step(batch, 0),
                train_loss=lambda module, batch: module.training_step(batch, 0))  # fmt: skip


def chunked_rows():
    """(B, T + 1) rows, as many loops hold them."""
    first, second = (
        [torch.cat([x, y[:, -1:]], 1) for x, y in part] for part in packed()
    )  # fmt: skip

    def loss(model, batch):
        return plain(model, (batch[:, :-1], batch[:, 1:]))

    return case(train=first, val=second, loss=loss, tokens=lambda b: (b[:, :-1], b[:, 1:]),
                logits=lambda model, b: model(b[:, :-1]))  # fmt: skip


def perceptron():
    import explain_networks as net

    model = net.Perceptron(dropout=0.2)
    first, second = net.split(net.points(320, 0)), net.split(net.points(160, 1))
    return Case(model, Side(first, classes), Side(second, classes), {"build": net.Perceptron})


def convolutions():
    import explain_networks as net

    first, second = net.split(net.images(192, 0)), net.split(net.images(96, 1))
    return Case(net.Convolutions(), Side(first, classes), Side(second, classes))


def classes(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def sound_lstm():
    torch.manual_seed(0)
    return lstm.build(V, 200, layers=1, width=32, dropout=0.1)


SOUND = {
    "a plain loop as nanoGPT's": lambda: case(NanoGPT(), loss=nano_loss, build=NanoGPT),
    "a Hugging Face GPT-2, padded, with an attention mask": table_case,
    "a Hugging Face GPT-2, packed, its own loss": lambda: Case(
        hugging(), *(Side([{"input_ids": x, "labels": x} for x, _ in part], own_loss) for part in packed())),
    "a Lightning module": lightning_case,
    "an LSTM": lambda: case(sound_lstm()),
    "tied weights": lambda: case(network(tied=True), tied=True, build=network),
    "untied weights": lambda: case(network(tied=False), build=lambda: network(tied=False)),
    "padded documents with their texts": documents,
    "sixteen bits": lambda: case(autocast=torch.bfloat16),
    "rows of one more token": chunked_rows,
    "a classifier with dropout": perceptron,
    "a convolutional network with batch norms": convolutions,
    "no training side": lambda: Case(network(), None, Side(packed()[1], plain)),
}  # fmt: skip
