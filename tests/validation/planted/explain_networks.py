"""Small networks and data for the planted cases of `explain_gap`: five architectures, trained for real for a moment.

Shapes: B samples, T tokens, D width, V vocabulary.
"""

import re
from functools import lru_cache

import torch
from torch import nn
from torch.nn import functional as F

T, V = 24, 300
PAD = -100


class Perceptron(nn.Module):
    def __init__(self, inputs=16, classes=5, width=64, dropout=0.0):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(width, classes),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


class Convolutions(nn.Module):
    def __init__(self, classes=4, width=8, dropout=0.0):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.AdaptiveAvgPool2d(2),
            nn.Flatten(), nn.Dropout(dropout), nn.Linear(8 * width, classes),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


class Recurrent(nn.Module):
    def __init__(self, width=32, dropout=0.0):
        super().__init__()
        self.embedding = nn.Embedding(V, width)
        self.lstm = nn.LSTM(width, width, num_layers=2, dropout=dropout, batch_first=True)
        self.head = nn.Linear(width, V)

    def forward(self, tokens_BT):
        return self.head(self.lstm(self.embedding(tokens_BT))[0])


class Experts(nn.Module):
    """A mixture of experts, each token weighs all of them; `balance` is its load-balancing loss."""

    def __init__(self, width, count=4):
        super().__init__()
        self.gate = nn.Linear(width, count)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(width, width), nn.GELU()) for _ in range(count))
        self.balance = torch.zeros(())

    def forward(self, x_BTD):
        shares = self.gate(x_BTD).softmax(-1)
        self.balance = len(self.experts) * shares.mean((0, 1)).square().sum()
        return sum(shares[..., k, None] * expert(x_BTD) for k, expert in enumerate(self.experts))


class Transformer(nn.Module):
    def __init__(self, width=32, dropout=0.0, attention_dropout=0.0, experts=False):
        super().__init__()
        self.embedding, self.places = nn.Embedding(V, width), nn.Embedding(64, width)
        self.attention = nn.MultiheadAttention(width, 2, dropout=attention_dropout, batch_first=True)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        dense = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.mixed = Experts(width) if experts else dense
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, V)

    def forward(self, tokens_BT):
        length = tokens_BT.shape[1]
        x_BTD = self.dropout(self.embedding(tokens_BT) + self.places(torch.arange(length)))
        future_TT = torch.ones(length, length, dtype=torch.bool).triu(1)
        h_BTD = self.norms[0](x_BTD)
        x_BTD = x_BTD + self.dropout(self.attention(h_BTD, h_BTD, h_BTD, attn_mask=future_TT, need_weights=False)[0])
        x_BTD = x_BTD + self.dropout(self.mixed(self.norms[1](x_BTD)))
        return self.head(x_BTD)


@lru_cache
def verses(count=600):
    """Return real verses, each a list of word ids; 0 is any rare word."""
    from pythonbible_akjv.plain_text_readers_bible import bible

    whole, ends = bible.scripture_content, bible.verse_end_indices
    texts = [re.findall(r"\w+|[^\w\s]", whole[a : ends[v]]) for v, a in list(bible.verse_start_indices.items())[:count]]
    counts = {}
    for word in (word for text in texts for word in text):
        counts[word] = counts.get(word, 0) + 1
    known = {word: k + 1 for k, word in enumerate(sorted(counts, key=lambda w: (-counts[w], w))[: V - 2])}
    some = [[known.get(word, 0) for word in text] + [V - 1] for text in texts]
    return list({tuple(verse): verse for verse in some}.values())  # some are alike but for rare words


def rows(ids, stride=T):
    """Return (N, T + 1) windows of a stream of ids."""
    return torch.tensor([ids[k : k + T + 1] for k in range(0, len(ids) - T, stride)])


@lru_cache
def packed(seed=0):
    """Return training and validation rows of verses that were divided as documents."""
    some = verses()
    order = torch.randperm(len(some), generator=torch.Generator().manual_seed(seed)).tolist()
    parts = order[: 3 * len(some) // 4], order[3 * len(some) // 4 :]
    return tuple(rows([word for k in part for word in some[k]]) for part in parts)


def text_batches(rows_N, size=16):
    """Return batches of (inputs, targets)."""
    return [(part[:, :-1].contiguous(), part[:, 1:].contiguous()) for part in rows_N.split(size)]


@lru_cache
def padded(seed=0, size=16, *, by_length=False):
    """Return training and validation batches of one verse a row, padding as target -100, cut at 40 words."""
    some = [verse[:41] for verse in verses()]
    order = torch.randperm(len(some), generator=torch.Generator().manual_seed(seed)).tolist()
    cut = 3 * len(some) // 4
    parts = [[some[k] for k in order[:cut]], [some[k] for k in order[cut:]]]
    if by_length:
        parts = [sorted(part, key=len) for part in parts]
    return tuple([_pad(part[k : k + size]) for k in range(0, len(part), size)] for part in parts)


def _pad(some):
    longest = max(map(len, some)) - 1
    inputs = [verse[:-1] + [0] * (longest + 1 - len(verse)) for verse in some]
    targets = [verse[1:] + [PAD] * (longest + 1 - len(verse)) for verse in some]
    return torch.tensor(inputs), torch.tensor(targets)


@lru_cache
def points(count=512, seed=0, noise=0.15, groups=0):
    """Return (x, label[, group]) of a random teacher; with groups, each group has an offset and a bias of its own."""
    chance = torch.Generator().manual_seed(100 + seed)
    teacher = torch.randn(16, 5, generator=torch.Generator().manual_seed(7))
    x = torch.randn(count, 16, generator=chance)
    logits = x @ teacher
    if not groups:
        labels = logits.argmax(1)
        wrong = torch.rand(count, generator=chance) < noise
        return x, torch.where(wrong, torch.randint(0, 5, (count,), generator=chance), labels)
    group = torch.arange(count) % groups
    x = x + 2 * torch.randn(groups, 16, generator=chance)[group]
    bias = 8 * torch.randn(groups, 5, generator=chance)[group]
    return x, (x @ teacher + bias).argmax(1), group


@lru_cache
def images(count=384, seed=0, noise=1.0):
    """Return (image, label): one of four patterns with noise, some brighter than others."""
    chance = torch.Generator().manual_seed(200 + seed)
    patterns = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(8))
    labels = torch.randint(0, 4, (count,), generator=chance)
    bright = 0.5 + torch.rand(count, 1, 1, 1, generator=chance)
    return bright * (patterns[labels] + noise * torch.randn(count, 1, 8, 8, generator=chance)), labels


def split(tensors, size=16):
    """Return batches of tensors that have a row a sample."""
    return list(zip(*(one.split(size) for one in tensors), strict=True))


def nats(model, batch, smoothing=0.0):
    """Return the loss of each element; for text (B, T), 0 at padding."""
    logits, targets = model(batch[0]).float(), batch[1]
    flat = F.cross_entropy(
        logits.flatten(0, -2), targets.flatten(), reduction="none", label_smoothing=smoothing, ignore_index=PAD
    )
    return flat.view(targets.shape)


def plain(model, batch):
    return nats(model, batch)


def smoothed(model, batch):
    return nats(model, batch, 0.1)


def scalar(model, batch):
    return nats(model, batch).mean()


def counted(model, batch):
    """Padding does not count."""
    return {"loss": nats(model, batch), "weights": (batch[1] != PAD).float()}


def balanced(model, batch):
    """The mixture's loss as it is minimised, with its auxiliary part by name."""
    own = nats(model, batch)
    extra = 0.4 * model.mixed.balance
    return {"loss": own + extra, "balance": extra}


def squares(model, batch):
    return (model(batch[0])[:, :1] - batch[0][:, :1] * batch[0][:, 1:2]).square()


def fit(model, batches, objective, steps=120, lr=3e-3, seed=0):
    """Train for a moment."""
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr)
    model.train()
    some = list(batches)
    order = torch.Generator().manual_seed(seed)
    for k in range(steps):
        if k % len(some) == 0:
            turn = torch.randperm(len(some), generator=order).tolist()
        batch = some[turn[k % len(some)]]
        found = objective(model, batch)
        table = found if isinstance(found, dict) else {"loss": found}
        weights = table.get("weights", torch.ones_like(table["loss"]))
        optimizer.zero_grad()
        ((table["loss"] * weights).sum() / weights.sum()).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        objective(model, some[0])  # lets go of the last step's graph, which a mixture keeps with its balance
    return model.train()
