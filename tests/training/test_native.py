"""Fused loops against torch's own operations: equal masks to the bit, equal values to rounding, and none where none."""

import math
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import torch

from diagnose.models import attention, dropout, native
from diagnose.models.gelu import GELU
from diagnose.models.gpt import build
from diagnose.training import chunked_loss, device, evaluation

ROOT = Path(__file__).parent.parent.parent
COMPILER = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
CAPABILITY = torch.backends.cpu.get_cpu_capability()
LEVELS = ("DEFAULT", "AVX2", "AVX512")  # each processor can also do what stands before its own
HERE = LEVELS[: LEVELS.index(CAPABILITY) + 1] if CAPABILITY in LEVELS else LEVELS[:1]
needed = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which(COMPILER) is None, reason="needs Linux and a C compiler"
)


def extensions(folder, **environment):
    """Build what an installation would, elsewhere, and return the folder that the libraries are in."""
    command = [sys.executable, "setup.py", "build_ext", "--build-lib", folder, "--build-temp", folder / "objects"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "diagnose" / "models" / "native", done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return extensions(tmp_path_factory.mktemp("built"))[0]


@pytest.fixture(autouse=True)
def _torch_again(monkeypatch):
    monkeypatch.delenv("DIAGNOSE_NATIVE", raising=False)
    before = list(native._in_use)
    yield
    native._in_use[:] = before


@pytest.fixture
def placed(built, tmp_path, monkeypatch):
    """Copy the libraries and their source to a folder, which stands for the package's own."""
    folder = shutil.copytree(built, tmp_path / "native")
    shutil.copy(ROOT / "models" / "native" / "loops.c", folder)
    monkeypatch.setattr(native, "FOLDER", folder)
    return folder


@pytest.fixture(params=HERE)
def processor(request, monkeypatch):
    """Let the processor have each set of instructions in turn that this one has."""
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: request.param)
    return request.param


@pytest.fixture
def loops(built, processor, monkeypatch):
    """Use the loops of a fresh build."""
    monkeypatch.setattr(native, "FOLDER", built)
    assert native.use()


@pytest.fixture
def both(loops):
    """Return what a function gives with the fused loops and with torch's operations."""

    def run(function):
        assert native.use()
        fused = function()
        assert not native.use(wanted=False)
        return fused, function()

    return run


def chosen():
    assert native.use()
    return Path(native._in_use[0]._name).name.split(".")[0]


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
def test_neither_the_future_nor_other_documents_nor_other_rows_change_a_bit(loops, dropped):
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
def test_gelu_is_exact(loops, dtype):
    """Against twice the precision: nearer than torch's own, whose far tail is 0."""
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
    native.use(wanted=False)
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
def test_reading_leaves_the_logits_as_they_are(loops):
    logits = torch.randn(5, 11)
    kept = logits.clone()
    chunked_loss._losses(logits, torch.arange(5), 0.0, gradient=False)
    assert torch.equal(logits, kept)


@needed
@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stays_none(loops, broken):
    """Nothing here may hide that training has diverged."""
    logits = torch.randn(3, 50)
    logits[1, 7] = broken
    nats, _, _ = chunked_loss._losses(logits, torch.tensor([1, 2, 3]), 0.0, gradient=True)
    assert nats.isfinite().tolist() == [True, False, True]


@needed
def test_training_is_the_same_network_with_either_and_with_any_number_of_threads(both):
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
    assert native.use()
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
    from diagnose.gap.run.run import open_finished

    finished = open_finished(whole)
    text, some = finished.setup.text, finished.setup.text.split.scored
    size, context = text.corpus.sizes(some), finished.recipe.batches.context
    fused, expected = both(
        lambda: evaluation.canonical(finished.network, text.stream, some, size, context).bits_per_byte
    )
    assert fused == pytest.approx(expected, rel=1e-6)


@needed
def test_each_processor_gets_the_best_that_it_can_run(placed, processor):
    assert chosen() == {"AVX512": "loops_avx512", "AVX2": "loops_avx2", "DEFAULT": "loops_baseline"}[processor]


@needed
def test_a_processor_of_another_kind_gets_the_baseline(placed, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "SVE256")
    assert chosen() == "loops_baseline"


@needed
@pytest.mark.parametrize("useless", range(len(HERE) + 1))
def test_what_cannot_be_loaded_gives_way_to_the_next_and_in_the_end_to_torch(placed, useless):
    best_first = ["loops_avx512", "loops_avx2", "loops_baseline"][-len(HERE) :]
    for name in best_first[:useless]:
        (library,) = placed.glob(f"{name}.*")
        library.write_bytes(b"for another machine")
    if useless < len(HERE):
        assert chosen() == best_first[useless]
    else:
        assert not native.use()


def test_without_libraries_torch_computes(tmp_path, monkeypatch):
    monkeypatch.setattr(native, "FOLDER", tmp_path)
    assert not native.use()
    assert dropout.Dropout(0.5, "residual", 1)(torch.ones(100)).unique().tolist() == [0.0, 2.0]


@needed
def test_a_build_from_another_source_is_not_used(placed):
    """An editable installation whose source has changed since: the library may take other arguments."""
    (placed / "loops.c").write_bytes((placed / "loops.c").read_bytes() + b"\n")
    assert not native.use()
    (placed / "loops.c").unlink()  # as in a wheel that has none
    assert native.use()


@needed
def test_the_environment_can_say_no(placed, monkeypatch):
    monkeypatch.setenv("DIAGNOSE_NATIVE", "0")
    assert not native.use()
    monkeypatch.setenv("DIAGNOSE_NATIVE", "1")
    assert native.use()


def test_a_compiler_that_fails_is_a_warning(tmp_path):
    folder, said = extensions(tmp_path, CC="/bin/false")
    assert not list(folder.glob("*.so"))
    if sys.platform.startswith("linux"):
        assert 'building extension "diagnose.models.native.loops_baseline" failed' in said


def test_running_compiles_nothing_and_loads_nothing_from_the_cache(tmp_path):
    """Every library that is mapped after a step of training lies outside the cache, and no compiler was called."""
    compiler = tmp_path / "cc"
    compiler.write_text(f'#!/bin/sh\ntouch {tmp_path}/called\nexec {shutil.which(COMPILER) or "false"} "$@"\n')
    compiler.chmod(0o755)
    code = (
        "from diagnose.training.device import prepare\nfrom diagnose.config.recipe import Recipe\n"
        "prepare(Recipe.load(), 1.0)\n"
        "import pathlib; maps = pathlib.Path('/proc/self/maps'); print(maps.exists() and maps.read_text())"
    )
    environment = {"CC": str(compiler), "PATH": f"{tmp_path}:{os.environ['PATH']}", "DIAGNOSE_CACHE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    assert str(tmp_path) not in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["cc"]


def test_the_toolkit_finds_the_loops_by_their_entry_point():
    """Where this fails the installation is older than pyproject.toml: run `pip install -e .` again."""
    assert device.fused_loops() is native
