import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from diagnose.config.recipe import Recipe
from diagnose.data.tokenizer import token_bytes
from diagnose.errors import FINDING, DiagnoseError
from diagnose.training import batches, evaluation, network
from diagnose.training.device import autocast
from diagnose.training.evaluation import EvalCondition, canonical, read
from diagnose.training.preparation import read_text

CPU = torch.device("cpu")
PAD = 1


class Known(nn.Module):
    """A network whose probabilities are known: log-probabilities by the token before (V, V)."""

    def __init__(self, logp_VV):
        super().__init__()
        self.table = nn.Parameter(logp_VV)

    def forward(self, tokens_BT, _=None):
        return self.table[tokens_BT]


def known(kind, vocabulary):
    """Return a network of a kind; its logits are log-probabilities but for a constant, as those of networks are."""
    torch.manual_seed(0)
    logits_VV = {
        "uniform": torch.zeros(vocabulary, vocabulary),
        "unigram": (2 * torch.randn(vocabulary)).expand(vocabulary, vocabulary).clone(),
        "bigram": 2 * torch.randn(vocabulary, vocabulary),
    }[kind]
    return Known(logits_VV + 3.0), logits_VV.double().log_softmax(-1)


@pytest.fixture(scope="module", params=["char", "word", "bpe"])
def text(request, tiny):
    """Return the verses with their validation documents, tokenised."""
    recipe = Recipe.load("quick", {k: v for k, v in tiny.items() if k.startswith("data.")})
    return read_text(recipe.data, recipe.tokenizer.model_copy(update={"kind": request.param, "vocab_size": 400}))


@pytest.mark.parametrize("kind", ["uniform", "unigram", "bigram"])
@pytest.mark.parametrize("context", [2, 7, 64, 1000])
def test_the_canonical_reading_equals_the_closed_form(text, kind, context):
    net, logp_VV = known(kind, text.vocabulary)
    documents, size = text.split.scored, torch.from_numpy(token_bytes(text.tokenizer).astype("int64"))
    doc_bytes = text.corpus.sizes(documents)
    reading = canonical(net, text.stream, documents, doc_bytes, context, bytes_V=size)
    expected = []
    for document in documents:
        ids = text.tokenizer.encode(text.corpus.text(int(document)), add_special_tokens=False).ids
        expected.append(-sum(float(logp_VV[a, b]) for a, b in zip([0, *ids], [*ids, 0], strict=True)))
    assert reading.nats_N == pytest.approx(np.array(expected), rel=1e-6)
    texts = [text.corpus.text(int(document)) for document in documents]
    assert reading.bytes_N.tolist() == [len(t.encode()) for t in texts]
    lengths = [len(text.tokenizer.encode(t, add_special_tokens=False).ids) + 1 for t in texts]
    assert reading.tokens_N.tolist() == lengths
    assert reading.bits_per_byte == pytest.approx(sum(expected) / math.log(2) / sum(len(t.encode()) for t in texts))
    assert reading.nats_per_token == pytest.approx(sum(expected) / sum(lengths))
    if kind == "uniform":
        bits = math.log2(text.vocabulary) * sum(lengths) / sum(len(t.encode()) for t in texts)
        assert reading.bits_per_byte == pytest.approx(bits)
    assert min(lengths) < 64 < max(lengths)  # contexts lie below, among and above the documents


def stream_of(lengths, vocabulary, seed=0):
    rng = np.random.default_rng(seed)
    tokens, starts = [], [0]
    for length in lengths:
        tokens += [0, *rng.integers(2, vocabulary, length)]
        starts.append(len(tokens))
    return SimpleNamespace(tokens=np.array([*tokens, 0], np.int16), starts=np.array(starts))


def small(vocabulary=29, context=16, dropout=0.0, seed=0):
    given = {"layers": 2, "width": 16, "heads": 2, "dropout": dropout}
    return network.build("gpt", given, vocabulary, context, seed, CPU)


def by_hand(net, inputs, targets, context):
    """Score a document's targets one by one, each with the context that the definition gives it."""
    length, stride, scored, begin, nats = len(targets), max(1, context // 2), 0, 0, []
    while scored < length:
        end = min(begin + context, length)
        first = max(0, end - context)
        for j in range(scored, end):
            logits_V = net(torch.tensor([inputs[first : j + 1]]), None)[0, -1]
            nats.append(-logits_V.double().log_softmax(0)[targets[j]].item())
        scored, begin = end, begin + stride
    return nats


@pytest.mark.parametrize("context", [2, 5, 8, 16])
def test_every_target_is_scored_once_in_the_windows_of_the_definition(context):
    lengths = [0, 1, 3, 6, 7, 8, 14, 15, 16, 17, 23, 40]
    stream, net = stream_of(lengths, 29), small().eval()
    chosen = np.array([11, 0, 3, 5, 8, 2, 10, 1])
    reading = canonical(net, stream, chosen, np.ones(len(chosen), np.int64), context)
    with torch.no_grad():
        for i, document in enumerate(chosen):
            begin, end = stream.starts[document], stream.starts[document + 1]
            inputs, targets = stream.tokens[begin:end].tolist(), stream.tokens[begin + 1 : end + 1].tolist()
            nats = by_hand(net, inputs, targets, context)
            assert len(nats) == lengths[document] + 1 == reading.tokens_N[i]
            assert reading.nats_N[i] == pytest.approx(sum(nats), abs=1e-5 * len(nats))
    assert reading.document_N.tolist() == chosen.tolist()


def test_a_document_reads_the_same_whoever_is_beside_it(monkeypatch):
    stream, net = stream_of([5, 40, 3, 16, 29], 29), small()
    ones = np.ones(5, np.int64)
    together = canonical(net, stream, np.arange(5), ones, 16)
    monkeypatch.setattr(evaluation, "READ_TOKENS_CPU", 1)  # a window at a time
    assert canonical(net, stream, np.arange(5), ones, 16).nats_N == pytest.approx(together.nats_N, rel=1e-6)
    assert canonical(net, stream, np.array([4]), ones[:1], 16).nats_N[0] == pytest.approx(together.nats_N[4], rel=1e-6)


def test_what_was_not_scored_exactly_once_is_never_passed_over(monkeypatch):
    stream, net = stream_of([5, 40], 29), small()
    ones_V = torch.ones(29, dtype=torch.int64)
    ones_V[0] = 0
    canonical(net, stream, np.arange(2), np.array([5, 40]), 16, bytes_V=ones_V)
    with pytest.raises(DiagnoseError, match="every byte exactly once") as caught:
        canonical(net, stream, np.arange(2), np.array([5, 41]), 16, bytes_V=ones_V)
    assert caught.value.exit_code == FINDING
    spans = evaluation._spans
    monkeypatch.setattr(evaluation, "_spans", lambda *args: spans(*args)[1:])
    with pytest.raises(DiagnoseError, match="every byte exactly once"):
        canonical(net, stream, np.arange(2), np.array([5, 40]), 16)


def padded(stream, chosen, context=12, size=4, **table):
    given = {
        "batches.loader": "padded",
        "batches.context": context,
        "batches.size": size,
        "batches.order": "sequential",
    }
    recipe = Recipe.load("quick", given | {f"batches.{k}": v for k, v in table.items()})
    sides = SimpleNamespace(train=np.array(chosen), val=np.array(chosen))
    return batches.plan(recipe, stream, sides, "val", PAD, CPU)


LENGTHS = [3, 11, 1, 30, 0, 6, 12, 8, 2, 10]
BYTES_V = torch.arange(29) % 4 * (torch.arange(29) > 1)


def slow_losses(net, batch, smoothing):
    logp_BTV = net(batch.inputs_BT, batch.segments_BT).double().log_softmax(-1)
    plain = -logp_BTV.gather(2, batch.targets_BT[..., None])[..., 0]
    return (1 - smoothing) * plain - smoothing * logp_BTV.mean(-1)


@pytest.mark.parametrize("mean", ["token", "sequence", "batch"])
@pytest.mark.parametrize("padding", ["ignore", "target", "denominator"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_a_readings_loss_is_the_mean_that_its_condition_names(mean, padding, smoothing):
    net, layout = small().eval(), padded(stream_of(LENGTHS, 29), range(10))
    condition = EvalCondition(mean=mean, padding=padding, label_smoothing=smoothing, penalty=0.25)
    reading = read(net, batches.whole(layout), condition, BYTES_V)
    rows, per_batch = [], []
    with torch.no_grad():
        for batch in batches.whole(layout):
            of_batch = []
            for nats_T, counted_T in zip(slow_losses(net, batch, smoothing), batch.counted_BT, strict=True):
                real = [n.item() for n, c in zip(nats_T, counted_T, strict=True) if c]
                pads = [n.item() for n, c in zip(nats_T, counted_T, strict=True) if not c]
                of_batch.append(real + {"ignore": [], "target": pads, "denominator": [0.0] * len(pads)}[padding])
            rows += of_batch
            per_batch.append(np.mean(np.concatenate(of_batch)))
    assert [len(list(batches.whole(layout))), len(rows)] == [3, 10]  # the last batch is smaller
    expected = {
        "token": np.mean(np.concatenate(rows)),
        "sequence": np.mean([np.mean(r) for r in rows]),
        "batch": np.mean(per_batch),
    }
    assert reading.loss == pytest.approx(expected[mean] + 0.25, abs=1e-6)


def test_a_reading_keeps_sums_by_row_and_document():
    stream, net = stream_of(LENGTHS, 29), small(context=64).eval()
    layout = padded(stream, range(10), context=64)
    reading = read(net, batches.whole(layout), EvalCondition(), BYTES_V)
    alone = canonical(net, stream, np.arange(10), np.zeros(10, np.int64), 64)
    assert reading.document_N.tolist() == list(range(10))
    assert reading.document_nats_N == pytest.approx(alone.nats_N, rel=1e-5)  # nothing is cut off in rows of 64
    assert reading.nats_R == pytest.approx(alone.nats_N, rel=1e-5)
    assert reading.tokens_N.tolist() == reading.targets_R.tolist() == [n + 1 for n in LENGTHS]
    assert reading.padding_R.tolist() == [63 - n for n in LENGTHS]
    assert reading.batch_R.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    sizes = [
        int(BYTES_V[torch.from_numpy(stream.tokens[a + 1 : b + 1].astype("int64"))].sum())
        for a, b in zip(stream.starts, stream.starts[1:], strict=False)
    ]
    assert reading.bytes_N.tolist() == sizes
    with torch.no_grad():
        pads = [slow_losses(net, b, 0.0).masked_fill(b.counted_BT, 0).sum(1) for b in batches.whole(layout)]
    assert reading.padding_nats_R == pytest.approx(torch.cat(pads).numpy(), rel=1e-5)


def test_documents_cut_over_rows_and_batches_are_summed():
    stream, net = stream_of(LENGTHS, 29), small().eval()
    packed = padded(stream, range(10), loader="packed", context=7, size=2)
    reading = read(net, batches.whole(packed), EvalCondition(), BYTES_V)
    assert reading.tokens_N.tolist() == [n + 1 for n in LENGTHS]
    assert reading.document_nats_N.sum() == pytest.approx(reading.nats_R.sum())
    assert (reading.targets_R.sum(), reading.padding_R.sum()) == (sum(LENGTHS) + 10, -(sum(LENGTHS) + 10) % 7)


class Watchful(nn.Module):
    """A network with all that a reading could leave changed: flags, batch norm, dropout, a mask that it keeps."""

    def __init__(self):
        super().__init__()
        self.embedding, self.frozen = nn.Embedding(29, 8), nn.Dropout(0.5)
        self.norm, self.drop, self.out = nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 29)
        self.kept, self.fails = {}, False

    def forward(self, tokens_BT, _=None):
        if self.fails:
            raise ZeroDivisionError
        scale = self.kept.setdefault(tokens_BT.shape[1], torch.ones(tokens_BT.shape[1], 1))
        x_BTD = self.drop(self.frozen(self.embedding(tokens_BT))) * scale
        return self.out(self.norm(x_BTD.transpose(1, 2)).transpose(1, 2))


def state_of(net):
    values = {name: value.clone() for name, value in net.state_dict().items()}
    return values, [m.training for m in net.modules()], torch.get_rng_state(), [p.grad for p in net.parameters()]


def same(one, two):
    return (
        all(torch.equal(one[0][name], two[0][name]) for name in two[0])
        and one[1] == two[1]
        and torch.equal(one[2], two[2])
        and all(a is b for a, b in zip(one[3], two[3], strict=True))
    )


@pytest.mark.parametrize("kind", ["eval", "train", "canonical"])
@pytest.mark.parametrize("fails", [None, "network", "batches"])
def test_a_reading_leaves_network_and_random_state_as_they_were(kind, fails):
    net, stream = Watchful().train(), stream_of(LENGTHS, 29)
    net.frozen.eval()  # someone wants it so
    layout = padded(stream, range(10))
    torch.manual_seed(5)
    before = state_of(net)

    def some():
        yield from batches.whole(layout)
        if fails == "batches":
            raise ZeroDivisionError

    net.fails = fails == "network"
    try:
        if kind == "canonical":
            canonical(net, stream, np.arange(10), np.zeros(10, np.int64), 12)
        else:
            read(net, some(), EvalCondition(training=kind == "train"), BYTES_V)
    except ZeroDivisionError:
        assert fails
    else:
        assert not fails or kind == "canonical"
    assert same(before, state_of(net))
    net.fails = False  # and it trains on with whatever it kept
    net(next(iter(batches.whole(layout))).inputs_BT).sum().backward()


def test_masks_are_a_function_of_their_key_and_the_batch():
    net, layout = small(dropout=0.3), padded(stream_of(LENGTHS, 29), range(10))
    on = EvalCondition(training=True)
    first, again, other = (read(net, batches.whole(layout), on, BYTES_V, mask_key=key).loss for key in (7, 7, 8))
    assert first == again != other
    assert (
        read(net, batches.whole(layout), EvalCondition(), BYTES_V, 7).loss
        == read(net, batches.whole(layout), EvalCondition(), BYTES_V, 8).loss
    )
    twice = [next(iter(batches.whole(layout)))] * 2
    reading = read(net, twice, on, BYTES_V, mask_key=7)
    assert reading.nats_R[:4].tolist() != reading.nats_R[4:].tolist()


def test_a_reading_in_bf16_is_near_and_not_the_same():
    net, layout = small(), padded(stream_of(LENGTHS, 29), range(10))
    for value in net.parameters():
        value.data *= 4
    exact, rounded = (
        read(net, batches.whole(layout), EvalCondition(precision=p), BYTES_V).loss for p in ("fp32", "bf16")
    )
    assert exact != rounded
    assert exact == pytest.approx(rounded, rel=0.02)
    with torch.no_grad(), autocast(CPU, "bf16"):
        batch = next(iter(batches.whole(layout)))
        nats_N = F.cross_entropy(
            net(batch.inputs_BT, None).float().flatten(0, 1), batch.targets_BT.flatten(), reduction="none"
        )
    here = read(net, [batch], EvalCondition(precision="bf16"), BYTES_V).loss
    assert here == pytest.approx(float(nats_N[batch.counted_BT.flatten()].mean()), rel=0.01)


def test_masked_documents_read_as_if_alone():
    stream, net = stream_of([3, 5, 2, 6], 29), small(context=20).eval()
    packed = padded(stream, range(4), loader="packed", context=20, size=1, mask="document")
    reading = read(net, batches.whole(packed), EvalCondition(), BYTES_V)
    alone = canonical(net, stream, np.arange(4), np.zeros(4, np.int64), 20)
    assert reading.document_nats_N == pytest.approx(alone.nats_N, rel=1e-5)
    unmasked = read(
        net, batches.whole(padded(stream, range(4), loader="packed", context=20, size=1)), EvalCondition(), BYTES_V
    )
    assert unmasked.document_nats_N[0] == pytest.approx(alone.nats_N[0], rel=1e-5)
    assert abs(unmasked.document_nats_N[1:] - alone.nats_N[1:]).min() > 1e-3
