"""Fused loops against torch's own operations: equal masks to the bit, equal values to rounding, and none where none."""

import math
import shutil
import sys

import pytest
import torch
from diagnose.models import attention, dropout, native
from diagnose.models.gelu import GELU
from diagnose.models.gpt import build

from diagnose.training import chunked_loss, evaluation

needed = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("cc") is None, reason="needs Linux and a C compiler"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("native")


@pytest.fixture(autouse=True)
def _torch_again():
    before = list(native._in_use)
    yield
    native._in_use[:] = before


@pytest.fixture
def both(folder):
    """Return what a function gives with the fused loops and with torch's operations."""

    def run(function):
        assert native.use(folder)
        fused = function()
        assert not native.use(None)
        return fused, function()

    return run


@needed
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (2, 2049), (700, 1001)])
def test_dropout_is_the_same_to_the_bit(both, shape, dtype):
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    layer = dropout.Dropout(0.3, "residual", 5)

    def passed():
        x.grad = None
        out = layer(x, 11)
        (out * 2).sum().backward()
        return out.detach(), x.grad

    (out, gradient), (expected, expected_gradient) = both(passed)
    assert torch.equal(out, expected)
    assert torch.equal(gradient, expected_gradient)


@needed
@pytest.mark.parametrize("p", [0.0, 0.2])
@pytest.mark.parametrize("documents", [False, True])
@pytest.mark.parametrize(
    ("rows", "length", "heads", "width"),
    [(3, 1, 2, 8), (3, 5, 2, 8), (1, 64, 1, 32), (3, 67, 2, 40), (40, 64, 3, 3), (3, 200, 2, 64), (9, 300, 4, 16)],
)
def test_attention_is_the_same_with_the_same_weights_dropped(both, rows, length, heads, width, documents, p):
    """Lengths and widths that fill no block, and so many rows that they take several tiles."""
    generator = torch.Generator().manual_seed(length)
    qkv = torch.randn(rows, length, 3, heads, width, generator=generator, requires_grad=True)
    upstream = torch.randn(rows, length, heads, width, generator=generator)
    segments = torch.arange(length).div(7, rounding_mode="floor").expand(rows, length) if documents else None
    layer = dropout.Dropout(p, "attention", 2)

    def passed():
        qkv.grad = None
        out = attention.attend(qkv, segments, layer, 99)
        out.backward(upstream)
        return out.detach(), qkv.grad

    (out, gradient), (expected, expected_gradient) = both(passed)
    torch.testing.assert_close(out, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-5, atol=3e-6)


@needed
def test_attention_in_bfloat16_sums_in_float32(both):
    generator = torch.Generator().manual_seed(3)
    qkv = torch.randn(4, 70, 3, 2, 16, generator=generator).bfloat16().requires_grad_()
    upstream = torch.randn(4, 70, 2, 16, generator=generator)
    layer = dropout.Dropout(0.1, "attention", 2)

    def passed():
        qkv.grad = None
        out = attention.attend(qkv, None, layer, 99)
        out.float().backward(upstream.bfloat16().float())
        return out.detach().float(), qkv.grad.float()

    (out, gradient), (expected, expected_gradient) = both(passed)
    torch.testing.assert_close(out, expected, rtol=2**-8, atol=1e-6)
    torch.testing.assert_close(gradient, expected_gradient, rtol=2**-7, atol=1e-5)


@needed
@pytest.mark.parametrize("dropped", [0.0, 0.1])
def test_neither_the_future_nor_other_documents_nor_other_rows_change_a_bit(folder, dropped):
    assert native.use(folder)
    generator = torch.Generator().manual_seed(4)
    qkv = torch.randn(5, 90, 3, 2, 24, generator=generator)
    segments = (torch.arange(90) // 30).expand(5, 90)
    layer = dropout.Dropout(dropped, "attention", 2)
    out = attention.attend(qkv, segments, layer, 1)
    other = qkv.clone()
    other[:, 50:], other[:, :30], other[1:] = 7.0, -3.0, 2.0
    assert torch.equal(attention.attend(other, segments, layer, 1)[0, 30:50], out[0, 30:50])


@needed
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gelu_is_exact(folder, dtype):
    """Against twice the precision: nearer than torch's own, whose far tail is 0."""
    assert native.use(folder)
    x = torch.linspace(-11, 11, 20_001, dtype=dtype).requires_grad_()
    exact = x.detach().double().requires_grad_()
    out, wanted = GELU()(x), exact * torch.erfc(-exact / math.sqrt(2)) / 2
    out.sum().backward()
    wanted.sum().backward()
    within = 5e-6 if dtype == torch.float32 else 2**-8  # the exponent of the far tail is rounded
    torch.testing.assert_close(out.double(), wanted, rtol=within, atol=1e-30)
    torch.testing.assert_close(x.grad.double(), exact.grad, rtol=within, atol=3e-7)
    assert GELU()(torch.tensor([math.nan], dtype=dtype)).isnan().all()


def test_gelu_without_loops_is_torchs():
    native.use(None)
    x = torch.randn(3, 5)
    assert torch.equal(GELU()(x), torch.nn.functional.gelu(x))


@needed
def test_a_large_score_leaves_nothing_to_the_others(both):
    """Far below the largest score a weight is 0 or next to it, never a wrapped-round exponent."""
    qkv = torch.zeros(1, 3, 3, 1, 4)
    qkv[0, :, 0], qkv[0, 0, 1], qkv[0, :, 2] = 100.0, 100.0, torch.arange(3.0)[:, None, None]
    layer = dropout.Dropout(0.001, "attention", 2)
    out, expected = both(lambda: attention.attend(qkv, None, layer, 5))
    torch.testing.assert_close(out, expected)
    assert out.abs().max() < 1e-6


@needed
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_losses_and_their_gradient(both, smoothing, dtype):
    generator = torch.Generator().manual_seed(0)
    logits = (8 * torch.randn(37, 1003, generator=generator)).to(dtype)
    targets = torch.randint(0, 1003, (37,), generator=generator)

    def taken():
        nats, smoothed, gradient = chunked_loss._losses(logits.clone(), targets, smoothing, gradient=True)
        return nats, smoothed, gradient.float()

    for fused, expected in zip(*both(taken), strict=True):
        torch.testing.assert_close(fused, expected, rtol=2e-6 if dtype == torch.float32 else 1e-2, atol=2e-6)
    assert native._in_use == []


@needed
def test_reading_leaves_the_logits_as_they_are(folder):
    assert native.use(folder)
    logits = torch.randn(5, 11)
    kept = logits.clone()
    chunked_loss._losses(logits, torch.arange(5), 0.0, gradient=False)
    assert torch.equal(logits, kept)


@needed
@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stays_none(folder, broken):
    """Nothing here may hide that training has diverged."""
    assert native.use(folder)
    logits = torch.randn(3, 50)
    logits[1, 7] = broken
    nats, _, _ = chunked_loss._losses(logits, torch.tensor([1, 2, 3]), 0.0, gradient=True)
    assert nats.isfinite().tolist() == [True, False, True]


@needed
def test_training_is_the_same_network_with_either_and_with_any_number_of_threads(both, folder):
    generator = torch.Generator().manual_seed(1)
    tokens, targets = (torch.randint(0, 300, (5, 67), generator=generator) for _ in range(2))
    weights = torch.rand(5, 67, generator=generator)

    def taken():
        torch.manual_seed(4)
        network = build(300, 70, layers=2, heads=2, width=32, dropout=0.2)
        loss, nats = chunked_loss.objective(network, tokens, targets, weights)
        loss.backward()
        return nats, torch.cat([p.grad.flatten() for p in network.parameters()])

    for fused, expected in zip(*both(taken), strict=True):
        torch.testing.assert_close(fused, expected, rtol=1e-4, atol=1e-5)
    native.use(folder)
    layer, x = dropout.Dropout(0.4, "residual", 1), torch.randn(300, 1001)
    threads = torch.get_num_threads()
    try:
        found = []
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append((layer(x, 3), *chunked_loss._losses(x.clone(), torch.arange(300), 0.0, gradient=True)))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for other in found[1:] for a, b in zip(found[0], other, strict=True))


@needed
def test_the_reading_of_a_real_run_is_the_same(both, whole):
    from diagnose.gap.sources.run import open_run

    finished = open_run(whole)
    text, some = finished.setup.text, finished.setup.text.split.scored
    size, context = text.corpus.doc_bytes[some], finished.recipe.batches.context
    fused, expected = both(
        lambda: evaluation.canonical(finished.network, text.stream, some, size, context).bits_per_byte
    )
    assert fused == pytest.approx(expected, rel=1e-6)


def test_without_a_compiler_or_a_place_torch_computes(tmp_path, monkeypatch):
    monkeypatch.setenv("CC", str(tmp_path / "no-such-compiler"))
    assert not native.use(tmp_path / "cache")
    monkeypatch.setenv("CC", "false")  # one that fails
    assert not native.use(tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == []
    (tmp_path / "file").write_text("in the way")
    assert not native.use(tmp_path / "file")
    assert dropout.Dropout(0.5, "residual", 1)(torch.ones(100)).unique().tolist() == [0.0, 2.0]


@needed
def test_it_is_built_once(folder):
    native.use(folder)
    (built,) = folder.iterdir()
    before = built.stat().st_mtime_ns
    native.use(folder)
    assert [path.stat().st_mtime_ns for path in folder.iterdir()] == [before]
