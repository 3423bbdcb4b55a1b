"""Our networks: parity with references, causality, segments, and dropout that a step's seed decides alone."""

import math

import pytest
import torch
from pretend_cuda import CUDA, pretended
from torch import nn
from torch.nn import functional as F

from diagnose.models import attention, dropout, gpt, lstm
from diagnose.models.dropout import Dropout

V, T = 53, 24
BUILDERS = {
    "gpt": (gpt.build, {"layers": 2, "heads": 2, "width": 32}),
    "lstm": (lstm.build, {"layers": 2, "width": 32}),
}
cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def make(kind, **more):
    build, settings = BUILDERS[kind]
    torch.manual_seed(0)
    return build(V, T, **{**settings, "dropout": 0.0, **more})


def tokens(rows, length=T, seed=0):
    return torch.randint(V, (rows, length), generator=torch.Generator().manual_seed(seed))


# Parity


@pytest.mark.parametrize(("ours", "theirs"), [("gelu", "gelu"), ("gelu_tanh", "gelu_new"), ("relu", "relu")])
@pytest.mark.parametrize("tied", [True, False])
def test_gpt_equals_hugging_faces(ours, theirs, tied):
    pytest.importorskip("transformers")
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = {"vocab_size": V, "n_positions": T, "n_embd": 32, "n_layer": 3, "n_head": 4}
    config = GPT2Config(**sizes, activation_function=theirs, tie_word_embeddings=tied, attn_implementation="eager")
    torch.manual_seed(1)
    reference = GPT2LMHeadModel(config).eval()
    for parameter in reference.parameters():  # biases and norms too, which begin at 0 and 1
        nn.init.normal_(parameter, 0.1, 0.2)
    network = gpt.build(V, T, layers=3, heads=4, width=32, activation=ours, tied=tied).eval()
    copy_gpt2(reference, network)
    rows_BT = tokens(4)
    torch.testing.assert_close(network(rows_BT), reference(rows_BT).logits, atol=1e-4, rtol=0)


@torch.no_grad()
def copy_gpt2(reference, network):
    body = reference.transformer
    network.embedding.weight.copy_(body.wte.weight)
    network.position.weight.copy_(body.wpe.weight)
    network.head.weight.copy_(reference.lm_head.weight)
    norms = [(body.ln_f, network.norm)]
    for theirs, ours in zip(body.h, network.blocks, strict=True):
        norms += [(theirs.ln_1, ours.norm_attention), (theirs.ln_2, ours.norm_feed)]
        pairs = (
            (theirs.attn.c_attn, ours.attention.qkv), (theirs.attn.c_proj, ours.attention.out),
            (theirs.mlp.c_fc, ours.widen), (theirs.mlp.c_proj, ours.narrow),
        )  # fmt: skip
        for conv, linear in pairs:
            linear.weight.copy_(conv.weight.T)
            linear.bias.copy_(conv.bias)
    for theirs, ours in norms:
        ours.load_state_dict(theirs.state_dict())


@pytest.mark.parametrize("bias", [True, False])
def test_lstm_equals_torchs(bias):
    network = make("lstm", layers=3, bias=bias).eval()
    reference = nn.LSTM(32, 32, num_layers=3, batch_first=True, bias=bias)
    names = [n for n, _ in network.layers[0].named_parameters()]
    state = {n.replace("l0", f"l{i}"): network.layers[i].get_parameter(n) for i in range(3) for n in names}
    reference.load_state_dict(state)
    rows_BT = tokens(4)
    expected = F.linear(reference(network.embedding(rows_BT))[0], network.embedding.weight)
    torch.testing.assert_close(network(rows_BT), expected, atol=1e-6, rtol=0)


def test_initialisation_is_gpt2s():
    torch.manual_seed(0)
    network = gpt.build(500, 64, layers=8, heads=4, width=128)
    into_residual = {
        n for n, _ in network.named_parameters() if n.endswith((".attention.out.weight", ".narrow.weight"))
    }
    assert len(into_residual) == 16
    for name, parameter in network.named_parameters():
        if parameter.dim() == 2:
            wanted = 0.02 / (math.sqrt(16) if name in into_residual else 1)
            assert parameter.std().item() == pytest.approx(wanted, rel=0.03), name
        elif name.endswith("bias"):
            assert not parameter.any()
        else:
            assert (parameter == 1).all()


@pytest.mark.parametrize("kind", BUILDERS)
def test_the_logits_are_the_heads_of_the_features(kind):
    network, rows_BT = make(kind).eval(), tokens(2)
    assert torch.equal(network(rows_BT), network.head(network.features(rows_BT)))
    assert network.head.weight is network.embedding.weight
    assert make(kind, tied=False).head.weight is not make(kind, tied=False).embedding.weight


@pytest.mark.parametrize("kind", BUILDERS)
def test_reading_on_gives_the_logits_of_reading_at_once(kind):
    network, rows_BT = make(kind, layers=3).eval(), tokens(2)
    memory, parts = None, []
    for some_BT in rows_BT.split([1, 7, 1, T - 9], 1):
        logits_BTV, memory = network.read_on(some_BT, memory)
        parts.append(logits_BTV)
    torch.testing.assert_close(torch.cat(parts, 1), network(rows_BT), atol=1e-5, rtol=0)
    if kind == "gpt":
        with pytest.raises(ValueError, match=f"{T + 1} tokens are more than the context of {T}"):
            network.read_on(rows_BT[:, :1], memory)


def test_no_bias_anywhere():
    assert not [n for n, _ in make("gpt", bias=False).named_parameters() if "bias" in n]
    assert not [n for n, _ in make("lstm", bias=False).named_parameters() if "bias" in n]


# What a position may see


@pytest.mark.parametrize("kind", BUILDERS)
@pytest.mark.parametrize("length", [1, 2, T])
def test_the_past_never_hears_of_the_future(kind, length):
    network = make(kind).eval()
    row_T = tokens(1, length)[0]
    expected_TV = network(row_T[None])[0]
    for cut in range(1, length):
        changed_T = torch.where(torch.arange(length) < cut, row_T, (row_T + 1) % V)
        got_TV = network(changed_T[None])[0]
        torch.testing.assert_close(got_TV[:cut], expected_TV[:cut], atol=1e-6, rtol=0)
        assert (got_TV[cut] - expected_TV[cut]).abs().max() > 1e-4


@pytest.mark.parametrize("kind", BUILDERS)
@pytest.mark.parametrize("bounds", [[0], [0, 1, 2], [0, 5, 11, 12], [0, 23], list(range(24))])
def test_a_document_in_a_row_reads_as_it_does_alone(kind, bounds):
    network = make(kind).eval()
    rows_BT = tokens(3)
    segments_BT = torch.zeros(3, T, dtype=torch.int64)
    segments_BT[0, bounds] += 1
    segments_BT[2, [0, 9]] += 1
    segments_BT = segments_BT.cumsum(1)
    packed_BTV = network(rows_BT, segments_BT)
    for row in range(3):
        for number in segments_BT[row].unique():
            inside_T = segments_BT[row] == number
            alone_BTV = network(rows_BT[row, inside_T][None], None)
            torch.testing.assert_close(packed_BTV[row, inside_T], alone_BTV[0], atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_document_never_hears_of_its_neighbours(kind):
    network = make(kind).eval()
    rows_BT, others_BT = tokens(2), tokens(2, seed=1)
    segments_BT = torch.tensor([0] * 7 + [1] * 9 + [2] * 8).expand(2, T)
    inside_T = segments_BT[0] == 1
    one = network(rows_BT, segments_BT)
    two = network(torch.where(inside_T, rows_BT, others_BT), segments_BT)
    assert torch.equal(one[:, inside_T], two[:, inside_T])  # not a bit changes: the shapes are the same
    assert not torch.equal(one[:, ~inside_T], two[:, ~inside_T])


@pytest.mark.parametrize("kind", BUILDERS)
def test_gradients_stay_within_a_document(kind):
    network = make(kind).double()
    segments_BT = torch.tensor([[3] * 10 + [7] * 14])
    rows_BT = tokens(1)
    kept = {}
    network.embedding.register_forward_hook(lambda _m, _i, out: kept.setdefault("x", out).retain_grad())
    network(rows_BT, segments_BT)[0, 12].sum().backward()
    reached_T = kept["x"].grad[0].abs().amax(1) > 0
    assert reached_T.tolist() == [False] * 10 + [True] * 3 + [False] * 11


def test_segments_of_many_lengths_pass_through_an_lstm_in_a_few_buckets():
    lengths = [1, 2, 3, 16, 17, 40, 41, 80]
    segments_BT = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))[None]
    buckets = lstm._buckets(segments_BT)
    assert [bucket.shape for bucket in buckets] == [(2, 80), (1, 40), (2, 20), (3, 10)]
    assert sorted(torch.cat([b.token_M for b in buckets]).tolist()) == list(range(200))
    assert sum(b.shape[0] for b in buckets) == len(lengths)


def test_rows_longer_than_the_context_are_refused():
    with pytest.raises(ValueError, match="a row of 25 tokens is longer than the context of 24"):
        make("gpt")(tokens(1, 25))


@pytest.mark.parametrize(
    ("kind", "wrong", "said"),
    [
        ("gpt", {"width": 33}, "width 33 cannot be divided among 2 heads"),
        ("gpt", {"activation": "swish"}, "activation 'swish' is unknown; known are gelu, gelu_tanh, relu"),
        ("gpt", {"dropout": 1.0}, r"dropout of 1.0 is outside \[0, 1\)"),
        ("gpt", {"dropout_attention": -0.1}, r"dropout of -0.1 is outside \[0, 1\)"),
        ("gpt", {"layers": 0}, "layers is 0; it must be at least 1"),
        ("lstm", {"layers": 0}, "layers is 0; it must be at least 1"),
        ("lstm", {"dropout": 2.0}, "outside"),
        ("lstm", {"width": -1}, "width is -1; it must be at least 1"),
    ],
)
def test_settings_that_make_no_network_are_refused_in_a_line(kind, wrong, said):
    with pytest.raises(ValueError, match=said):
        make(kind, **wrong)


# Dropout


@pytest.mark.parametrize("p", [0.001, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(1001, 999), (3, 7)])
def test_dropout_keeps_what_it_says_and_scales_it_up(p, shape):
    torch.manual_seed(0)
    out = Dropout(p, "residual", 3)(torch.ones(shape))
    levels = round(p * 65536)
    assert set(out.unique().tolist()) <= {0.0, torch.tensor(65536 / (65536 - levels)).item()}
    share, count = (out == 0).double().mean().item(), out.numel()
    assert abs(share - levels / 65536) < 4.5 * math.sqrt(p * (1 - p) / count)


def test_the_words_are_uniform_and_unrelated():
    words = torch.stack([dropout.words(1 << 18, dropout.mix(9, s), torch.device("cpu")) for s in range(4)])
    counts = torch.bincount((words.flatten().long() + 32768) // 256, minlength=256).double()
    expected = words.numel() / 256
    assert ((counts - expected).square().sum() / expected).item() < 350  # 255 degrees of freedom, p = 5e-5
    unit = words.double() / 18918.6  # variance 1
    for lag in (1, 2, 3, 64, 128, 256, 4096):
        assert (unit[:, lag:] * unit[:, :-lag]).mean().abs() < 5 / math.sqrt(words.numel())
    between = unit @ unit.T / unit.shape[1] - torch.eye(4)
    assert between.abs().max() < 5 / math.sqrt(unit.shape[1])
    bits = (words.long()[..., None] >> torch.arange(16)) & 1
    assert (bits.double().mean((0, 1)) - 0.5).abs().max() < 5 * 0.5 / math.sqrt(words.numel())


def test_pairs_and_triples_of_neighbours_are_dropped_as_often_as_chance_has_it():
    torch.manual_seed(5)
    gone = Dropout(0.1, "residual", 0)(torch.ones(1 << 22)) == 0
    for lags in ((1,), (2,), (1, 2), (128,), (1, 128), (128, 256)):
        together = gone[: -max(lags)].clone()
        for lag in lags:
            together &= gone[lag : len(gone) - max(lags) + lag]
        rate = 0.1 ** (1 + len(lags))
        assert abs(together.double().mean().item() - rate) < 5 * math.sqrt(rate / len(gone))


def test_the_words_equal_a_slow_obvious_computation(monkeypatch):
    monkeypatch.setattr(dropout, "BLOCK", 700)
    wrap = (1 << 32) - 1

    def hashed(place, seed):
        own = dropout.mix(seed, place // 700)
        h = ((place % 700) * (own >> 32 | 1) + (own & wrap)) & wrap
        h = (h ^ (h >> 16)) * 0x85EBCA6B & wrap
        h = (h ^ (h >> 13)) * 0xC2B2AE35 & wrap
        return h ^ (h >> 16)

    seed = dropout.mix(123, 4)
    words = dropout.words(2003, seed, torch.device("cpu")).tolist()
    expected = [half for place in range(1002) for half in (hashed(place, seed) & 0xFFFF, hashed(place, seed) >> 16)]
    assert words == [w - 65536 if w > 32767 else w for w in expected][:2003]


def test_the_gradient_goes_where_the_values_went():
    torch.manual_seed(0)
    x = torch.randn(50, 40, dtype=torch.float64, requires_grad=True)
    layer = Dropout(0.3, "layers", 1)
    out = layer(x, 17)
    assert torch.equal(out, layer(x, 17))
    upstream = torch.randn(50, 40, dtype=torch.float64)
    (out * upstream).sum().backward()
    kept = (out != 0) * 65536 / (65536 - round(0.3 * 65536))
    torch.testing.assert_close(x.grad, upstream * kept)
    torch.testing.assert_close(out, x * kept)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_dropout_leaves_the_dtype(dtype):
    x = torch.ones(1000, dtype=dtype, requires_grad=True)
    out = Dropout(0.5, "layers", 1)(x, 3)
    out.sum().backward()
    assert out.dtype == x.grad.dtype == dtype
    assert torch.equal(x.grad, out)
    assert 400 < (out == 0).sum() < 600


def test_dropout_off_is_the_identity():
    x = torch.randn(5)
    assert Dropout(0.5, "layers", 1).eval()(x) is x
    assert Dropout(0.0, "layers", 1)(x) is x
    with pytest.raises(ValueError, match="known are attention, residual, embedding, layers"):
        Dropout(0.5, "other", 1)


@pytest.mark.parametrize("kind", BUILDERS)
def test_the_global_seed_decides_all_masks(kind):
    network, rows_BT = make(kind, dropout=0.3), tokens(2)

    def run(seed):
        torch.manual_seed(seed)
        return network(rows_BT), network(rows_BT)

    (one, two), (again, twice), (other, _) = run(1), run(1), run(2)
    assert torch.equal(one, again)
    assert torch.equal(two, twice)
    assert not torch.equal(one, two)  # another forward pass has other masks without anyone's doing
    assert not torch.equal(one, other)


@pytest.mark.parametrize("kind", BUILDERS)
def test_an_evaluation_draws_nothing(kind):
    network = make(kind, dropout=0.3).eval()
    before = torch.get_rng_state()
    network(tokens(2))
    assert torch.equal(before, torch.get_rng_state())


def masks(network, rows_BT):
    """Return what each dropout module (but attention's) lets through when the network runs with seed 4."""
    seen = {}

    def keep(name):
        def hook(module, inputs):
            seen[name] = module.forward(torch.ones_like(inputs[0]), inputs[1]) == 0

        return hook

    named = [(n, m) for n, m in network.named_modules() if isinstance(m, Dropout) and m.kind != "attention"]
    handles = [module.register_forward_pre_hook(keep(name)) for name, module in named]
    torch.manual_seed(4)
    network(rows_BT)
    for handle in handles:
        handle.remove()
    return seen


@pytest.mark.parametrize("switched", ["attention", "embedding", "layers", "residual"])
@pytest.mark.parametrize("by", ["mode", "p"])
def test_switching_one_kind_off_leaves_the_masks_of_the_others(switched, by):
    network = make("lstm" if switched == "layers" else "gpt", dropout=0.3)
    before = masks(network, tokens(2))
    for module in network.modules():
        if isinstance(module, Dropout) and module.kind == switched:
            if by == "mode":
                module.eval()
            else:
                module.p = 0.0
    after = masks(network, tokens(2))
    others = [n for n in before if network.get_submodule(n).kind != switched]
    assert others
    assert all(torch.equal(before[n], after[n]) for n in others)
    assert not any(after[n].any() for n in before if n not in others)
    modules = [before[n].flatten() for n in others]
    assert not any(torch.equal(a, b) for i, a in enumerate(modules) for b in modules[:i] if a.shape == b.shape)


def test_dropouts_switched_on_alone_have_the_masks_they_have_in_training():
    network = make("gpt", dropout=0.3)
    before = masks(network, tokens(2))
    network.eval()
    for module in network.modules():
        if isinstance(module, Dropout):
            module.train()
    after = masks(network, tokens(2))
    assert all(torch.equal(before[n], after[n]) for n in before)


# Attention with dropout of its weights


def attention_masks(rows, heads, length, segments_BT, layer, word):
    """Find a mask by letting each value be a unit vector: the output is then the dropped weights themselves."""
    qkv_BT3HD = torch.zeros(rows, length, 3, heads, length, dtype=torch.float64)
    qkv_BT3HD[:, :, 2] = torch.eye(length, dtype=torch.float64)[:, None]
    return attention.attend(qkv_BT3HD, segments_BT, layer, word).transpose(1, 2) > 0


@pytest.mark.parametrize("segmented", [False, True])
@pytest.mark.parametrize(("length", "tile"), [(5, 1 << 18), (150, 1 << 18), (150, 1 << 12), (64, 1 << 13)])
def test_attention_with_dropout_equals_the_obvious(segmented, length, tile, monkeypatch):
    monkeypatch.setattr(attention, "TILE", tile)
    draw = torch.Generator().manual_seed(0)
    qkv = torch.randn(3, length, 3, 2, 8, generator=draw, dtype=torch.float64)
    upstream = torch.randn(3, length, 2, 8, generator=draw, dtype=torch.float64)
    segments_BT = (torch.rand(3, length, generator=draw) < 0.1).cumsum(1) if segmented else None
    layer = Dropout(0.25, "attention", 2)
    kept = attention_masks(3, 2, length, segments_BT, layer, 11)
    seen = torch.ones(length, length, dtype=torch.bool).tril()
    if segmented:
        seen = (seen & (segments_BT[:, :, None] == segments_BT[:, None, :]))[:, None]
    assert not (kept & ~seen).any()
    seen = seen.expand_as(kept)
    assert (kept[seen].double().mean() - 0.75).abs() < 5 * math.sqrt(0.25 * 0.75 / seen.sum())

    def obvious(qkv):
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        scores = (q @ k.mT / math.sqrt(8)).masked_fill(~seen, -math.inf)
        return ((torch.softmax(scores, -1) * kept / 0.75) @ v).transpose(1, 2)

    def ours(qkv):
        return attention.attend(qkv, segments_BT, layer, 11)

    results = []
    for function in (obvious, ours):
        leaf = qkv.clone().requires_grad_()
        out = function(leaf)
        (out * upstream).sum().backward()
        results.append([out.detach(), leaf.grad])
    torch.testing.assert_close(*results)


def test_attention_masks_differ_between_rows_heads_and_layers():
    one = attention_masks(4, 3, 40, None, Dropout(0.5, "attention", 1), 11)
    two = attention_masks(4, 3, 40, None, Dropout(0.5, "attention", 4), 11)
    flat = torch.cat([one, two]).flatten(2).flatten(0, 1)
    assert len(flat.unique(dim=0)) == len(flat)


@pytest.mark.parametrize("segmented", [False, True])
def test_without_dropout_it_is_torchs_attention(segmented):
    qkv = torch.randn(2, T, 3, 2, 8)
    segments_BT = torch.tensor([0] * 10 + [1] * 14).expand(2, T) if segmented else None
    out = attention.attend(qkv, segments_BT, Dropout(0.0, "attention", 0), None)
    tiny = attention.attend(qkv, segments_BT, Dropout(1e-6, "attention", 0), 1)  # rounds to nothing
    torch.testing.assert_close(out, tiny)


# Precision, compiling, devices


@pytest.mark.parametrize("kind", BUILDERS)
@pytest.mark.parametrize("rate", [0.0, 0.1])
@pytest.mark.parametrize("segmented", [False, True])
def test_bfloat16_runs_close_to_float32(kind, rate, segmented):
    network, rows_BT = make(kind, dropout=rate), tokens(3)
    segments_BT = torch.tensor([0] * 10 + [1] * 14).expand(3, T) if segmented else None
    torch.manual_seed(0)
    exact = network(rows_BT, segments_BT)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.manual_seed(0)
        rough = network(rows_BT, segments_BT)
    rough.float().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert (rough - exact).abs().max() < 0.05 * exact.abs().max()


@pytest.mark.parametrize("kind", BUILDERS)
def test_they_train(kind):
    network = make(kind, dropout=0.1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    rows_BT = tokens(4, 8).repeat(1, 3)  # the last two thirds repeat the first
    losses = []
    for step in range(60):
        torch.manual_seed(step)
        loss = F.cross_entropy(network(rows_BT[:, :-1]).flatten(0, 1), rows_BT[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(math.log(V), rel=0.1)
    assert losses[-1] < 0.8 * losses[0]


@cuda
@pytest.mark.cuda
@pytest.mark.parametrize("kind", BUILDERS)
@pytest.mark.parametrize("segmented", [False, True])
def test_cuda_agrees_with_the_cpu_and_seeds_decide_masks(kind, segmented):
    network, rows_BT = make(kind, dropout=0.3), tokens(3)
    segments_BT = torch.tensor([0] * 10 + [1] * 14).expand(3, T) if segmented else None
    here = network.eval()(rows_BT, segments_BT)
    network.cuda()
    there = [x if x is None else x.cuda() for x in (rows_BT, segments_BT)]
    torch.testing.assert_close(network(*there).cpu(), here, atol=1e-4, rtol=0)
    network.train()

    def run(seed):
        torch.manual_seed(seed)
        return network(*there)

    state = torch.cuda.get_rng_state()
    one, again, other = run(1), run(1), run(2)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    torch.manual_seed(2)
    network(*there)
    assert torch.equal(torch.cuda.get_rng_state(), (torch.manual_seed(2), torch.cuda.get_rng_state())[1])
    assert state is not None


def test_a_card_runs_recurrent_layers_in_their_weights_dtype_under_autocast(monkeypatch):
    """Autocast would have cuDNN's layers in float16, whatever dtype it was given (ATen/cudnn/AutocastRNN.cpp)."""
    monkeypatch.setattr(torch.backends.cudnn, "is_acceptable", lambda _: False)  # nor is there a cuDNN to ask
    network, seen = make("lstm"), []
    for layer in network.layers:
        layer.register_forward_pre_hook(
            lambda _, given: seen.append((torch.is_autocast_enabled("cuda"), given[0].dtype))
        )
    with pretended():
        network, rows_BT = network.to(CUDA), tokens(2).to(CUDA)
        for segments_BT in (None, torch.tensor([0] * 10 + [1] * 14, device=CUDA).expand(2, T)):
            with torch.autocast("cuda", dtype=torch.bfloat16):
                logits_BTV = network(rows_BT, segments_BT)
                read_BTV = network.read_on(rows_BT)[0]
            assert logits_BTV.dtype == read_BTV.dtype == torch.bfloat16  # the output layer is a product like others
    assert len(seen) >= 8
    assert set(seen) == {(False, torch.float32)}


@cuda
@pytest.mark.cuda
def test_on_cuda_switching_one_kind_off_leaves_the_masks_of_the_others():
    network, rows_BT = make("gpt", dropout=0.3).cuda(), tokens(2).cuda()
    before = masks(network, rows_BT)
    network.drop.eval()
    after = masks(network, rows_BT)
    assert all(torch.equal(before[n], after[n]) for n in before if n != "drop")
