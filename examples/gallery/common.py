"""What the gallery's cases share: real text and made-up pictures, two small networks, and a training loop."""

import re
from collections import Counter
from functools import lru_cache

import torch
from torch import nn
from torch.nn import functional as F

T, V, PAD = 32, 400, -100  # tokens of a row, words that are known, a target that does not count


@lru_cache
def verses(count=1500):
    """Return verses of the bundled Bible, each a list of word ids; 0 is any rare word."""
    from pythonbible_akjv.plain_text_readers_bible import bible

    whole, ends = bible.scripture_content, bible.verse_end_indices
    texts = [re.findall(r"\w+|[^\w\s]", whole[a : ends[v]]) for v, a in list(bible.verse_start_indices.items())[:count]]
    counts = Counter(word for text in texts for word in text)
    known = sorted(counts, key=lambda word: (-counts[word], word))[: V - 1]
    ids = {word: k + 1 for k, word in enumerate(known)}
    return [[ids.get(word, 0) for word in text] for text in texts]


def shuffled(some, seed=0):
    order = torch.randperm(len(some), generator=torch.Generator().manual_seed(seed)).tolist()
    return [some[k] for k in order]


def divided(some, share=0.75):
    """Return two parts of what is in random order."""
    some = shuffled(some)
    cut = int(share * len(some))
    return some[:cut], some[cut:]


def cut(some, stride=T):
    """Return rows of T + 1 words, cut from documents that are joined."""
    words = [word for verse in some for word in verse]
    return [words[k : k + T + 1] for k in range(0, len(words) - T, stride)]


def batches(rows, size=16):
    """Return batches of (inputs, targets), padded to the longest row of each batch."""
    out = []
    for k in range(0, len(rows), size):
        some = rows[k : k + size]
        longest = max(map(len, some)) - 1
        inputs = [row[:-1] + [0] * (longest + 1 - len(row)) for row in some]
        targets = [row[1:] + [PAD] * (longest + 1 - len(row)) for row in some]
        out.append((torch.tensor(inputs), torch.tensor(targets)))
    return out


def text(size=16):
    """Return training and validation batches of verses that were divided as documents."""
    return tuple(batches(cut(part), size) for part in divided(verses()))


def pictures(count, seed, noise=1.0):
    """Return (picture, label): one of four patterns, with noise."""
    chance = torch.Generator().manual_seed(seed)
    patterns = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(8))
    labels = torch.randint(0, 4, (count,), generator=chance)
    return patterns[labels] + noise * torch.randn(count, 1, 8, 8, generator=chance), labels


def split(data, size=16):
    return list(zip(*(part.split(size) for part in data), strict=True))


class GPT(nn.Module):
    """A transformer of one layer."""

    def __init__(self, dropout=0.0, width=48):
        super().__init__()
        self.words, self.places = nn.Embedding(V, width), nn.Embedding(128, width)
        self.dropout = nn.Dropout(dropout)
        self.layer = nn.TransformerEncoderLayer(width, 4, 4 * width, dropout, batch_first=True, norm_first=True)
        self.head = nn.Linear(width, V)

    def forward(self, tokens):
        length = tokens.shape[1]
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        x = self.dropout(self.words(tokens) + self.places(torch.arange(length)))
        return self.head(self.layer(x, src_mask=future))


class CNN(nn.Module):
    """Two convolutions with batch norm."""

    def __init__(self, width=8):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.AdaptiveAvgPool2d(2),
            nn.Flatten(), nn.Linear(8 * width, 4),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


def loss_of(model, batch, smoothing=0.0):
    """Return the loss of each element, 0 at padding."""
    logits, targets = model(batch[0]), batch[1]
    flat = F.cross_entropy(
        logits.flatten(0, -2), targets.flatten(), reduction="none", ignore_index=PAD, label_smoothing=smoothing
    )
    return flat.view(targets.shape)


def counted(model, batch):
    """Return the loss of each element, and that padding does not count."""
    return {"loss": loss_of(model, batch), "weights": (batch[1] != PAD).float()}


def fit(model, some, steps=150, lr=3e-3, loss=loss_of, seed=0):
    """Train on batches in random order; return the model."""
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr)
    model.train()
    for _ in range(steps):
        batch = some[torch.randint(len(some), ()).item()]
        found = loss(model, batch)
        found = found["loss"].sum() / found["weights"].sum() if isinstance(found, dict) else found.mean()
        optimizer.zero_grad()
        found.backward()
        optimizer.step()
    return model


def mean_loss(model, some):
    """Return the mean of the batches' mean losses in evaluation mode, as a loop reports it."""
    model.eval()
    with torch.no_grad():
        return sum((loss_of(model, batch).sum() / (batch[1] != PAD).sum()).item() for batch in some) / len(some)
