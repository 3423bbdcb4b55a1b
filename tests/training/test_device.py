"""Where and how a run is computed: what is set for a process, whatever ran before, and what a card is taken for."""

import os
from types import SimpleNamespace

import pytest
import torch
from pretend_cuda import pretended

from diagnose.config.recipe import Recipe
from diagnose.errors import DiagnoseError
from diagnose.training import device, product_kernels, switches

CPU, CARD, FAST = {"run.device": "cpu"}, {"run.device": "cuda"}, {"run.device": "cuda", "run.deterministic": False}
TF32 = 1e12  # operations of a step for which a CPU may take oneDNN's products


@pytest.fixture(autouse=True)
def as_found():
    switches.leave_card()  # a run of another file may have been on one last
    before = switches._now(), torch.get_float32_matmul_precision()
    yield
    switches.leave_card()
    torch.set_float32_matmul_precision(before[1])
    assert switches._now() == before[0]


def prepared(*many):
    for given in many:
        device.prepare(Recipe.load("quick", given | {"run.compile": "off"}), TF32)
    return switches._now(), torch.get_float32_matmul_precision()


def test_a_run_on_a_card_is_set_to_repeat_and_its_fp32_is_no_tf32():
    with pretended():
        now, products = prepared(CARD)
    assert (now.deterministic, now.filled, now.workspace) == (True, False, ":4096:8")
    assert (now.cudnn_deterministic, now.cudnn_benchmark) == (True, False)
    assert not now.cudnn_tf32
    assert not now.cudnn_attention  # which is taken without dropout and not with it
    assert products == "highest"


@pytest.mark.parametrize(("more", "fixed"), [({}, True), ({"run.deterministic": False}, False)])
def test_kernels_of_products_are_chosen_in_a_fixed_order_while_a_run_is_to_repeat(more, fixed):
    fused = CARD | {"run.compile": "fused", "run.precision": "bf16"} | more
    with pretended():
        device.prepare(Recipe.load("quick", fused), TF32)
        assert product_kernels.order_is_fixed() == fixed
        device.prepare(Recipe.load("quick", fused | {"run.compile": "on"}), TF32)
        assert not product_kernels.order_is_fixed()
        device.prepare(Recipe.load("quick", fused), TF32)
        switches.leave_card()
    assert not product_kernels.order_is_fixed()


def test_an_older_compiler_says_that_it_cannot_be_told(monkeypatch):
    monkeypatch.setattr(product_kernels, "ADD", "no_such_function")
    with pytest.raises(DiagnoseError, match=r"'fused' needs torch 2.9 or newer; 'on'"):
        product_kernels.fix_order(wanted=True)


@pytest.mark.parametrize(
    ("given", "which"),
    [(CPU | {"run.precision": "bf16"}, "cpu and bf16"), (CARD | {"run.precision": "fp32"}, "cuda and fp32")],
)
def test_fused_products_are_refused_where_there_are_none(given, which):
    refusal = pytest.raises(DiagnoseError, match=f"run.compile = 'fused' is for CUDA .*, not for {which}; 'auto'")
    with pretended(), refusal:
        device.resolve(Recipe.load("quick", given | {"run.compile": "fused"}), 1e9)


class ExternKernelCaller:
    """Stand for a library's product, which torch's compiler calls so."""

    description = ""


def tiles(rows, columns, inner=64, stages=3, result=(24576, 2048)):
    """Stand for a kernel of the compiler's."""
    told = (
        f"ACC_TYPE='tl.float32', BLOCK_K={inner}, BLOCK_M={rows}, BLOCK_N={columns}, num_stages={stages}, num_warps=4"
    )
    return SimpleNamespace(description=told, layout=SimpleNamespace(size=result))


def test_large_products_are_of_the_nearest_tiles_and_small_ones_of_the_library():
    library, split = ExternKernelCaller(), SimpleNamespace(description="k_split=3")
    sizes = [(32, 32, 16, 1), (64, 128, 64, 3), (128, 128, 128, 4), (128, 128, 64, 3), (128, 256, 64, 4)]

    def order(result):
        many = [library, split, *(tiles(*size, result=result) for size in sizes)]
        found = product_kernels.in_fixed_order(many)
        return [sizes[many.index(choice) - 2][:2] if choice in many[2:] else choice for choice in found]

    assert order((24576, 2048))[0] == (128, 128)
    assert (32, 32) not in order((24576, 2048))
    assert order((2048, 512)) == [(64, 128)]  # 128 programs; of larger tiles there were fewer
    assert order((512, 512)) == [library]
    assert product_kernels.in_fixed_order([split]) == [split]


def test_speed_may_be_had_for_repeating():
    before = switches._now()
    with pretended():
        now, _ = prepared(FAST)
    assert (now.deterministic, now.workspace, now.cudnn_benchmark) == (False, before.workspace, before.cudnn_benchmark)
    assert not now.cudnn_tf32
    assert not now.cudnn_attention


@pytest.mark.parametrize("before", [[], [CPU], [CARD], [FAST], [CARD, CPU, FAST], [CPU, CARD]])
def test_a_run_finds_the_same_switches_whatever_ran_before(before):
    with pretended():
        for last in (CPU, CARD, FAST):
            alone = prepared(last)
            switches.leave_card()
            assert prepared(*before, last) == alone
            switches.leave_card()


def test_a_workspace_that_repeats_is_left_and_another_is_not(monkeypatch):
    with pretended():
        for given, wanted in ((":16:8", ":16:8"), (":0:0", ":4096:8"), (None, ":4096:8")):
            monkeypatch.delenv(switches.WORKSPACE, raising=False)
            if given is not None:
                monkeypatch.setenv(switches.WORKSPACE, given)
            assert prepared(CARD)[0].workspace == os.environ[switches.WORKSPACE] == wanted
            prepared(CPU)
            assert os.environ.get(switches.WORKSPACE) == given


def test_products_on_a_card_before_the_run_are_refused_where_torch_would():
    with pytest.MonkeyPatch.context() as patch, pretended():
        patch.setenv(switches.WORKSPACE, "")
        before = switches._now()
        x = torch.ones(2, 2, device="cuda")
        torch.mm(x, x)  # a notebook's own
        with pytest.raises(DiagnoseError, match=r"CUBLAS_WORKSPACE_CONFIG=:4096:8 before Python starts.*=false$"):
            prepared(CARD)
        assert switches._now() == before
        assert not prepared(FAST)[0].deterministic
        torch.mm(x, x)
        switches.leave_card()


def test_a_process_that_has_not_used_the_card_is_not_made_to():
    with pretended() as card, pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_initialized", lambda: False)
        prepared(CARD)
        assert not card.ops


def test_precisions_that_somebody_set_apart_are_put_back():
    cudnn = torch.backends.cudnn
    if not hasattr(cudnn, "rnn"):
        pytest.skip("this version of torch has one switch for both")
    found = cudnn.conv.fp32_precision, cudnn.rnn.fp32_precision
    try:
        cudnn.conv.fp32_precision, cudnn.rnn.fp32_precision = "tf32", "ieee"
        with pretended():
            now, _ = prepared(CARD)
            assert not now.cudnn_tf32 or "tf32" not in now.cudnn_tf32
            switches.leave_card()
        assert (cudnn.conv.fp32_precision, cudnn.rnn.fp32_precision) == ("tf32", "ieee")
    finally:
        cudnn.allow_tf32 = True
        cudnn.conv.fp32_precision, cudnn.rnn.fp32_precision = found


def test_what_has_no_deterministic_kernel_is_told_in_a_line():
    with pretended():
        prepared(CARD)
        told = r"repeats bit for bit \(cumsum_cuda .*run\.deterministic=false"
        with pytest.raises(DiagnoseError, match=told), switches.explained():
            torch.ones(3, device="cuda").cumsum(0)
        torch.ones(3, dtype=torch.int64, device="cuda").cumsum(0)
        prepared(FAST)
        torch.ones(3, device="cuda").cumsum(0)


def test_a_step_that_cannot_be_compiled_is_told_in_a_line():
    def backend(*_):
        raise RuntimeError("Cannot find a working triton installation")

    with pytest.raises(DiagnoseError, match=r"cannot be compiled here \(.*run\.compile=off"), switches.explained():
        torch.compile(lambda x: x + 1, backend=backend)(torch.ones(2))
    torch._dynamo.reset()
    with pytest.raises(RuntimeError, match="out of memory"), switches.explained():
        raise device.OUT_OF_MEMORY("CUDA out of memory")


@pytest.mark.parametrize(
    ("triton", "compilers", "headers", "wanted"),
    [
        (True, {"gcc"}, True, "on"),
        (True, {"clang"}, True, "on"),
        (True, {"my-cc"}, True, "on"),
        (False, {"gcc"}, True, "off"),
        (True, set(), True, "off"),
        (True, {"gcc"}, False, "off"),  # triton's launcher includes Python.h
    ],
)
def test_a_long_run_on_a_card_is_compiled_where_triton_can_build(
    triton, compilers, headers, wanted, monkeypatch, tmp_path
):
    if headers:
        (tmp_path / "Python.h").touch()
    monkeypatch.setattr(device, "find_spec", lambda _: object() if triton else None)
    monkeypatch.setattr(device.shutil, "which", lambda name: name if name in compilers else None)
    monkeypatch.setattr(device.sysconfig, "get_paths", lambda: {"include": str(tmp_path)})
    monkeypatch.setenv("CC", "my-cc")
    with pretended():
        recipe = device.resolve(Recipe.load("quick", CARD | {"run.compile": "auto"}), 1e18)
        assert device.resolve(Recipe.load("quick", CARD | {"run.compile": "auto"}), 1e9).run.compile == "off"
    assert recipe.run.compile == wanted


def test_the_compiler_is_told_where_it_is_used():
    from torch._inductor import config

    if not hasattr(config, "deterministic"):
        pytest.skip("this version of torch has no such switch")
    with pretended():
        prepared(CARD)
        assert config.deterministic
        prepared(FAST)
        assert not config.deterministic


@pytest.mark.parametrize(
    ("capability", "wanted"), [((9, 0), "bf16"), ((8, 0), "bf16"), ((7, 5), "fp32"), ((7, 0), "fp32")]
)
def test_bf16_is_taken_where_a_card_has_it_and_not_where_it_is_emulated(capability, wanted):
    with pretended(), pytest.MonkeyPatch.context() as patch:  # which goes before what it was put upon
        patch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
        recipe = device.resolve(Recipe.load("quick", CARD | {"run.precision": "auto"}), 1.0)
    assert (recipe.run.device, recipe.run.precision) == ("cuda", wanted)


def test_several_cards_are_no_reason_to_warn():
    with pretended() as card, pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "device_count", lambda: 4)
        state, own = torch.get_rng_state(), torch.cuda.get_rng_state()
        with device.random_kept(torch.device("cuda", 1)):
            torch.manual_seed(5)
        assert torch.equal(state, torch.get_rng_state())
        assert torch.equal(own, torch.cuda.get_rng_state())
        assert not card.waits


@pytest.mark.parametrize("name", ["cuda:4", "cuda:1", "xpu", "banana"])
def test_a_device_that_is_not_there_is_refused(name):
    with pretended(), pytest.raises(DiagnoseError, match=f"run.device = '{name}'"):
        device.find(name)


def test_determinism_is_a_setting_of_cards_alone():
    with pytest.raises(DiagnoseError, match=r"run\.deterministic would have no effect: on a CPU"):
        Recipe.load("quick", CPU | {"run.deterministic": False})
    same, plain = Recipe.load("quick", CARD), Recipe.load("quick", CARD | {"run.deterministic": False})
    assert same.digest() != plain.digest()
    assert "deterministic" not in same.to_toml()
    assert (
        Recipe.load("quick", CPU).digest()
        == Recipe.load("quick", CPU).with_values({"run.deterministic": False}).digest()
    )


def test_a_record_says_which_card_driver_and_libraries(monkeypatch, tmp_path):
    file = tmp_path / "version"
    file.write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar 5 22:23:56 UTC 2024\nGCC version: 12.2.0\n"
    )
    monkeypatch.setattr(device, "DRIVER", file)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91002)
    with pretended():
        assert device.card_versions(torch.device("cuda")) == {"cuda": "13.0", "cudnn": "91002", "driver": "550.54.15"}
        assert device.card_name(torch.device("cuda")) == "Pretended (9.0, 80 GB)"
        file.unlink()
        assert "driver" not in device.card_versions(torch.device("cuda"))
    assert device.card_versions(torch.device("cpu")) == {}
