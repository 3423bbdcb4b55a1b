"""Clean set-ups: both sides are of one distribution and the model has seen neither, so that no data term is real.

Each function returns (model, training side, validation side). Names say the task, then the loop.
"""

import copy

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, WeightedRandomSampler

from diagnose import Side

COUNTS = (96, 64)  # samples of the two sides
CLEAN = {}


def clean(function):
    """Register a set-up under its name."""
    CLEAN[function.__name__.replace("_", " ")] = function
    return function


def generator(seed):
    return torch.Generator().manual_seed(seed)


def points(count, seed, width=8):
    x = torch.randn(count, width, generator=generator(seed))
    return x, (x[:, 0] + 0.5 * torch.randn(count, generator=generator(seed + 50)) > 0).long()


def cut(data, size=16):
    return list(zip(*(part.split(size) for part in data), strict=True))


def mlp(inputs=8, outputs=2, p=0.0, norm=False):
    torch.manual_seed(0)
    middle = [nn.BatchNorm1d(16)] if norm else []
    return nn.Sequential(nn.Linear(inputs, 16), *middle, nn.ReLU(), nn.Dropout(p), nn.Linear(16, outputs))


def ce(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def sides(model, make, loss, **keys):
    """Return a model and two sides whose batches `make(count, seed)` draws."""
    return model, *(Side(make(count, seed), loss, **keys) for count, seed in zip(COUNTS, (1, 2), strict=True))


def lists(make):
    return lambda count, seed: cut(make(count, seed))


@clean
def classification_lists():
    return sides(mlp(), lists(points), ce)


@clean
def classification_dropout():
    return sides(mlp(p=0.4), lists(points), ce)


@clean
def classification_batch_norm():
    return sides(mlp(norm=True), lists(points), ce)


@clean
def classification_shuffling_loader():
    return sides(mlp(), lambda n, s: DataLoader(TensorDataset(*points(n, s)), 16, shuffle=True), ce)


@clean
def classification_last_batch_dropped():
    return sides(mlp(), lambda n, s: DataLoader(TensorDataset(*points(n + 7, s)), 16, drop_last=True), ce)


@clean
def classification_ragged_batches_mean_of_means():
    return sides(mlp(), lambda n, s: cut(points(n + 5, s)), ce, reduction="batch")


@clean
def classification_two_workers():
    return sides(mlp(), lambda n, s: DataLoader(TensorDataset(*points(n, s)), 16, num_workers=2), ce)


class Stream(IterableDataset):
    def __init__(self, data):
        self.data = data

    def __iter__(self):
        return iter(zip(*self.data, strict=True))


@clean
def classification_stream():
    return sides(mlp(), lambda n, s: DataLoader(Stream(points(n, s)), 16), ce)


@clean
def classification_weighted_sampler():
    def loader(count, seed):
        x, y = points(count, seed)
        draws = WeightedRandomSampler(1.0 + 4.0 * y, count)
        return DataLoader(TensorDataset(x, y), 16, sampler=draws)

    return mlp(), Side(loader(96, 1), ce), Side(cut(points(64, 2)), ce)


@clean
def classification_scalar_losses():
    return sides(mlp(p=0.2), lists(points), lambda m, b: F.cross_entropy(m(b[0]), b[1]))


@clean
def classification_reported():
    model = mlp()
    train, val = cut(points(96, 1)), cut(points(64, 2))
    with torch.no_grad():
        read = [sum(float(ce(model, b).mean()) for b in some) / len(some) for some in (train, val)]
    return model, Side(train, ce, reported=read[0], mode="eval"), Side(val, ce, reported=read[1])


@clean
def classification_rounded_log():
    model, train, val = classification_reported()
    return model, *(Side(s.batches, ce, reported=round(s.reported, 3), mode="eval") for s in (train, val))


@clean
def classification_one_reported_batch():
    train, val = cut(points(96, 1)), cut(points(64, 2))
    return mlp(p=0.3), Side(train, ce, reported_on=train[-1:]), Side(val, ce, reported_on=val[:1])


@clean
def classification_named_batches():
    def loss(m, b):
        return F.cross_entropy(m(b["x"]), b["y"], reduction="none")

    return sides(mlp(), lambda n, s: [{"y": y, "x": x} for x, y in cut(points(n, s))], loss)


@clean
def classification_groups():
    def make(count, seed):
        x, y = points(count, seed)
        return cut((x, y, torch.arange(count) // 4 + 1000 * seed))

    return sides(mlp(), make, ce, groups=lambda b: b[2])


@clean
def classification_double_precision():
    return sides(mlp().double(), lambda n, s: [(x.double(), y) for x, y in cut(points(n, s))], ce)


@clean
def classification_autocast():
    def loss(m, b):
        return F.cross_entropy(m(b[0]).float(), b[1], reduction="none")

    return sides(mlp(), lists(points), loss, autocast=torch.bfloat16)


@clean
def classification_averaged_copy():
    model = mlp()
    return model, Side(cut(points(96, 1)), ce), Side(cut(points(64, 2)), ce, model=copy.deepcopy(model))


class Augmenting(Dataset):
    def __init__(self, data):
        self.data = data

    def __len__(self):
        return len(self.data[1])

    def __getitem__(self, index):
        return self.data[0][index] + 0.1 * torch.randn(8), self.data[1][index]


@clean
def classification_augmenting_on_both_sides():
    return sides(mlp(), lambda n, s: DataLoader(Augmenting(points(n, s)), 16), ce)


@clean
def classification_few_integers():
    """A table of three small integers: rows recur by chance, and are no leak."""

    def make(count, seed):
        x = torch.randint(0, 4, (count, 3), generator=generator(seed))
        return cut((x, (x.sum(1) > 4).long()))

    model = nn.Sequential(nn.Embedding(4, 6), nn.Flatten(), nn.Linear(18, 2))
    return sides(model, make, ce)


@clean
def classification_pictures_with_blank_ones():
    def make(count, seed):
        x = (torch.rand(count, 1, 8, 8, generator=generator(seed)) > 0.7).float()
        return cut((x, x.sum((1, 2, 3)).long() % 2))

    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    return sides(model, make, ce)


@clean
def multi_label():
    def make(count, seed):
        x, _ = points(count, seed)
        return cut((x, (x[:, :5] > 1).float()))

    def loss(m, b):
        return F.binary_cross_entropy_with_logits(m(b[0]), b[1], reduction="none")

    return sides(mlp(outputs=5), make, loss)


@clean
def multi_label_labels_first():
    def make(count, seed):
        x, _ = points(count, seed)
        return [{"labels": (x > 1).long(), "features": x} for (x,) in cut((x,))]

    def loss(m, b):
        return F.binary_cross_entropy_with_logits(m(b["features"]), b["labels"].float(), reduction="none")

    return sides(mlp(outputs=8), make, loss)


@clean
def regression():
    return sides(mlp(outputs=1), lists(points), lambda m, b: (m(b[0])[:, 0] - b[1]).square())


@clean
def regression_heavy_tails():
    return sides(mlp(outputs=1), lists(points), lambda m, b: (m(b[0])[:, 0] - b[0].exp()[:, 0]).abs())


@clean
def regression_gaussian_likelihood():
    def loss(m, b):
        mean, spread = m(b[0]).unbind(1)
        return 0.5 * ((b[1] - mean).square() * (-spread).exp() + spread)  # may be below 0

    return sides(mlp(), lists(points), loss)


@clean
def regression_multi_task():
    def loss(m, b):
        found = m(b[0])
        parts = {"class": F.cross_entropy(found, b[1], reduction="none"), "value": found[:, 0].square()}
        return {"loss": parts["class"] + 0.1 * parts["value"], **parts}

    return sides(mlp(), lists(points), loss)


@clean
def series_windows():
    def make(count, seed):
        series = torch.randn(count, 40, generator=generator(seed)).cumsum(1) * 0.1  # a series for each window
        return cut((series[:, 15:39], series[:, 39:]))

    return sides(mlp(24, 1), make, lambda m, b: (m(b[0]) - b[1]).square())


def sentences(count, seed, length=12, vocabulary=40):
    return torch.randint(4, vocabulary, (count, length), generator=generator(seed))


class Language(nn.Module):
    def __init__(self, p=0.1, vocabulary=40):
        super().__init__()
        torch.manual_seed(0)
        layer = nn.TransformerEncoderLayer(16, 2, 32, p, batch_first=True)
        self.embed, self.body, self.head = nn.Embedding(vocabulary, 16), nn.TransformerEncoder(layer, 1), nn.Linear(
            16, vocabulary)  # fmt: skip

    def forward(self, tokens):
        future = torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool).triu(1)
        return self.head(self.body(self.embed(tokens), mask=future))


def next_token(model, batch, smoothing=0.0):
    logits = model(batch[:, :-1]).transpose(1, 2)
    return F.cross_entropy(logits, batch[:, 1:], reduction="none", label_smoothing=smoothing)


@clean
def language_model():
    return sides(Language(), lambda n, s: list(sentences(n, s).split(16)), next_token)


@clean
def language_model_smoothing():
    return sides(Language(), lambda n, s: list(sentences(n, s).split(16)), lambda m, b: next_token(m, b, 0.1))


@clean
def language_model_padded():
    def make(count, seed):
        tokens, lengths = sentences(count, seed), torch.randint(3, 12, (count,), generator=generator(seed + 9))
        return cut((tokens, (torch.arange(12)[None] < lengths[:, None]).long()))

    def loss(m, b):
        return {"loss": next_token(m, b[0] * b[1]), "weights": b[1][:, 1:].float()}

    return sides(Language(), make, loss)


@clean
def language_model_mask_first():
    def make(count, seed):
        return [{"attention_mask": torch.ones_like(t), "input_ids": t} for t in sentences(count, seed).split(16)]

    return sides(Language(), make, lambda m, b: next_token(m, b["input_ids"]))


@clean
def language_model_shared_prompt():
    def make(count, seed):
        prompt = torch.arange(4, 12).expand(count, 8)
        return list(torch.cat([prompt, sentences(count, seed)], 1).split(16))

    return sides(Language(), make, next_token)


class Draws:
    def __init__(self, text, count):
        self.text, self.count = text, count

    def __len__(self):
        return self.count

    def __iter__(self):
        for _ in range(self.count):
            yield torch.stack([self.text[k : k + 12] for k in torch.randint(len(self.text) - 12, (16,)).tolist()])


@clean
def language_model_get_batch():
    return sides(Language(), lambda n, s: Draws(sentences(1, s, 40 * n)[0], 6), next_token)


class Masking(Dataset):
    def __init__(self, tokens):
        self.tokens = tokens

    def __len__(self):
        return len(self.tokens)

    def __getitem__(self, index):
        hidden = torch.rand(12) < 0.3
        hidden[0] = True
        return self.tokens[index].masked_fill(hidden, 1), self.tokens[index], hidden.float()


@clean
def masked_language_model():
    def loss(m, b):
        return {"loss": F.cross_entropy(m(b[0]).transpose(1, 2), b[1], reduction="none"), "weights": b[2]}

    return sides(Language(), lambda n, s: DataLoader(Masking(sentences(n, s)), 16), loss)


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.head = nn.Embedding(40, 16), nn.Linear(16, 40)
        self.body = nn.Transformer(16, 2, 1, 1, 32, 0.1, batch_first=True)

    def forward(self, source, target):
        mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        return self.head(self.body(self.embed(source), self.embed(target), tgt_mask=mask))


@clean
def sequence_to_sequence():
    def make(count, seed):
        source = sentences(count, seed)
        return [{"source": s, "target": s.flip(1)} for s in source.split(16)]

    def loss(m, b):
        logits = m(b["source"], b["target"][:, :-1]).transpose(1, 2)
        return F.cross_entropy(logits, b["target"][:, 1:], reduction="none", label_smoothing=0.1)

    return sides(Translator(), make, loss)


@clean
def sequence_ctc():
    def make(count, seed):
        x = torch.randn(count, 10, 8, generator=generator(seed))
        return cut((x, torch.randint(1, 6, (count, 3), generator=generator(seed + 9))))

    def loss(m, b):
        scores = m(b[0]).log_softmax(2).transpose(0, 1)
        lengths = torch.full((len(b[1]),), 10), torch.full((len(b[1]),), 3)
        return F.ctc_loss(scores, b[1], *lengths, reduction="none") / 3

    return sides(mlp(outputs=6), make, loss)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.cell, self.head = nn.LSTM(8, 16, 2, dropout=0.2, batch_first=True), nn.Linear(16, 2)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


@clean
def sequence_recurrent():
    def make(count, seed):
        x = torch.randn(count, 6, 8, generator=generator(seed))
        return cut((x, (x[:, -1, 0] > 0).long()))

    return sides(Recurrent(), make, ce)


def near(model, x):
    z, other = (F.normalize(model(one), dim=1) for one in (x, x + 0.1))
    return F.cross_entropy(z @ other.T / 0.2, torch.arange(len(x)), reduction="none")


@clean
def contrastive_in_batch():
    return sides(mlp(outputs=8), lambda n, s: list(points(n, s)[0].split(16)), near)


@clean
def contrastive_batches_of_two_sizes():
    model, _, val = contrastive_in_batch()
    return model, Side(list(points(96, 1)[0].split(32)), near), val


@clean
def contrastive_two_towers():
    class Towers(nn.Module):
        def __init__(self):
            super().__init__()
            self.picture, self.words = mlp(outputs=8), mlp(12, outputs=8)

        def forward(self, x, t):
            return F.normalize(self.picture(x), dim=1) @ F.normalize(self.words(t.float()), dim=1).T * 5

    def make(count, seed):
        return [{"pixels": x, "input_ids": t} for x, t in cut((points(count, seed)[0], sentences(count, seed)))]

    def loss(m, b):
        scores, own = m(b["pixels"], b["input_ids"]), torch.arange(len(b["pixels"]))
        return (F.cross_entropy(scores, own, reduction="none") + F.cross_entropy(scores.T, own, reduction="none")) / 2

    return sides(Towers(), make, loss)


@clean
def contrastive_triplets():
    def make(count, seed):
        return cut(tuple(points(count, seed + 10 * k)[0] for k in range(3)))

    def loss(m, b):
        return F.triplet_margin_loss(*(m(x) for x in b), reduction="none")

    return sides(mlp(outputs=8), make, loss)


class Variational(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode, self.decode = mlp(8, 8), mlp(4, 8)

    def forward(self, x):
        mean, spread = self.encode(x).chunk(2, 1)
        z = mean + (0.5 * spread).exp() * torch.randn_like(mean)
        return self.decode(z), 0.5 * (mean.square() + spread.exp() - spread - 1).sum(1)


@clean
def variational_autoencoder():
    def loss(m, b):
        out, rest = m(b[0])
        return (out - b[0]).square().sum(1) + rest

    return sides(Variational(), lists(points), loss)


@clean
def autoencoder():
    return sides(mlp(outputs=8), lists(points), lambda m, b: (m(b[0]) - b[0]).square())


@clean
def diffusion():
    def loss(m, b):
        noise, share = torch.randn_like(b[0]), torch.rand(len(b[0]), 1)
        return (m(torch.cat([b[0] * (1 - share) + noise * share, share], 1)) - noise).square()

    return sides(mlp(9, 8), lists(points), loss)


@clean
def adversarial_discriminator():
    torch.manual_seed(1)
    maker = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8)).eval()

    def loss(m, b):
        fake = maker(torch.randn(len(b[0]), 4))
        return F.softplus(m(fake))[:, 0] + F.softplus(-m(b[0]))[:, 0]

    return sides(mlp(outputs=1), lists(points), loss)


@clean
def detection_tables():
    def make(count, seed):
        x = torch.randn(count, 8, generator=generator(seed))
        boxes = torch.rand(count, 3, 4, generator=generator(seed + 9))
        kinds = torch.randint(0, 5, (count, 3), generator=generator(seed + 19))
        return [{"image": a, "target": {"boxes": b, "labels": c}} for a, b, c in cut((x, boxes, kinds))]

    def loss(m, b):
        found = m(b["image"]).view(-1, 3, 9)
        kinds = F.cross_entropy(found[..., 4:].transpose(1, 2), b["target"]["labels"], reduction="none")
        boxes = F.smooth_l1_loss(found[..., :4], b["target"]["boxes"], reduction="none").sum(2)
        return {"loss": kinds + boxes, "kinds": kinds, "boxes": boxes}

    return sides(mlp(outputs=27), make, loss)


@clean
def detection_lists_of_targets():
    def make(count, seed):
        draw = generator(seed)
        images = [torch.randn(8, generator=draw) for _ in range(count)]
        targets = [{"boxes": torch.rand(1 + k % 3, 4, generator=draw)} for k in range(count)]
        return [(images[k : k + 16], targets[k : k + 16]) for k in range(0, count, 16)]

    def loss(m, b):
        found = m(torch.stack(b[0]))
        return torch.stack([(f - t["boxes"].mean(0)).square().sum() for f, t in zip(found, b[1], strict=True)])

    return sides(mlp(outputs=4), make, loss)


@clean
def segmentation():
    def make(count, seed):
        x = torch.randn(count, 1, 6, 6, generator=generator(seed))
        return cut((x, (x[:, 0] > 0).long()))

    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 2, 1))
    return sides(model, make, ce)


@clean
def graph_with_masks():
    class Graph(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.a, self.b = nn.Linear(8, 16), nn.Linear(16, 2)

        def forward(self, g):
            return self.b(F.dropout(g["A"] @ F.relu(self.a(g["A"] @ g["x"])), 0.3, self.training))

    x, y = points(200, 1)
    edges = torch.eye(200) + (torch.rand(200, 200, generator=generator(3)) < 0.02).float()
    train = torch.rand(200, generator=generator(4)) < 0.6
    one = {"x": x, "A": edges / edges.sum(1, keepdim=True), "y": y, "train_mask": train, "val_mask": ~train}

    def of(name):
        return lambda m, g: F.cross_entropy(m(g)[g[name]], g["y"][g[name]], reduction="none")

    return Graph(), Side([one], of("train_mask")), Side([one], of("val_mask"))


@clean
def graph_of_molecules():
    def make(count, seed):
        x = torch.randn(count, 5, 8, generator=generator(seed))
        near = (torch.rand(count, 5, 5, generator=generator(seed + 9)) < 0.4).float() + torch.eye(5)
        return cut((x, near, (x[:, :, 0].mean(1) > 0).long()))

    def loss(m, b):
        return F.cross_entropy(m(b[1] @ b[0]).mean(1), b[2], reduction="none")

    return sides(mlp(), make, loss)


@clean
def transformers_classification():
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    sizes = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = BertForSequenceClassification(BertConfig(**sizes, intermediate_size=32, max_position_embeddings=16))

    def make(count, seed):
        return [{"input_ids": t, "attention_mask": torch.ones_like(t), "labels": t.sum(1) % 2}
                for t in sentences(count, seed).split(16)]  # fmt: skip

    return sides(model, make, lambda m, b: m(**b).loss)


@clean
def transformers_language_model():
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(vocab_size=40, n_positions=16, n_embd=16, n_layer=1, n_head=2, bos_token_id=1, eos_token_id=1)

    def batches(count, seed):
        return [{"input_ids": some, "labels": some} for some in sentences(count, seed).split(16)]

    return sides(GPT2LMHeadModel(config), batches, lambda m, b: m(**b).loss)


@clean
def transformers_sequence_to_sequence():
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    config = T5Config(vocab_size=40, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=0)
    model = T5ForConditionalGeneration(config)
    return sides(model, lambda n, s: [{"input_ids": t, "labels": t.flip(1)} for t in sentences(n, s).split(16)],
                 lambda m, b: m(**b).loss)  # fmt: skip


@clean
def timm_pictures():
    import timm

    torch.manual_seed(0)
    model = timm.create_model("resnet10t", num_classes=3, in_chans=1, pretrained=False)

    def make(count, seed):
        x = torch.randn(count, 1, 32, 32, generator=generator(seed))
        return cut((x, x.mean((1, 2, 3)).gt(0).long()))

    return sides(model, make, ce, mode="eval")


@clean
def accelerate_prepared():
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    loaders = [DataLoader(TensorDataset(*points(n, s)), 16) for n, s in zip(COUNTS, (1, 2), strict=True)]
    model, *loaders = accelerator.prepare(mlp(p=0.2), *loaders)
    return model, *(Side(loader, ce) for loader in loaders)


@clean
def compiled():
    return sides(torch.compile(mlp(), backend="eager"), lists(points), ce)
