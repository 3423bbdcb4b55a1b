"""What a compiled step of `first-user` reads and writes on an H100, as torch's compiler plans it, without a card.

    python benchmarks/compiled_bytes.py                  # needs triton in this environment; half a minute
    python benchmarks/compiled_bytes.py --json fused

A step is traced on the CPU without being run, its graphs are given fake tensors of CUDA, and the compiler's back end
for CUDA plans their kernels; none is generated or run. Attention is one operation with a backward pass of its own, as
on a card. A kernel counts each tensor that it reads or writes once. Bytes are linear in layers, so one and two tell
those of the whole. Works with torch 2.13, whose insides it replaces.
"""

import copy
import json
import sys
from collections import Counter
from contextlib import ExitStack, suppress
from functools import partial
from types import SimpleNamespace
from unittest import mock

import torch
from torch._dynamo.device_interface import CudaInterface
from torch._functorch import config as autograd_config
from torch._functorch.aot_autograd import make_boxed_func
from torch._guards import TracingContext, tracing
from torch._inductor import compile_fx, config, ir, scheduler
from torch._inductor.virtualized import V
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.passes.fake_tensor_prop import FakeTensorProp
from torch.utils import _triton
from torch.utils._pytree import tree_map

from diagnose.config.recipe import Recipe
from diagnose.models import gpt
from diagnose.training import network, product_kernels
from diagnose.training.fused_loss import training_loss

VOCABULARY = 9101
BACKWARD = torch.ops.diagnose.linear_cross_entropy_backward.default
CARD = torch.device("cuda", 0)
H100 = SimpleNamespace(
    type="cuda", index=0, multi_processor_count=132, cc=90, major=9, minor=0, regs_per_multiprocessor=65536,
    max_threads_per_multi_processor=2048, max_threads_per_block=1024, warp_size=32, name="NVIDIA H100 80GB HBM3",
    shared_memory_per_block=49152, shared_memory_per_block_optin=232448, total_memory=80 << 30, L2_cache_size=50 << 20,
)  # fmt: skip
OF_CUDA = {
    "is_available": lambda: True, "is_initialized": lambda: True, "device_count": lambda: 1, "_lazy_init": lambda: None,
    "current_device": lambda: 0, "get_device_capability": lambda *_: (9, 0), "get_device_properties": lambda *_: H100,
    "get_device_name": lambda *_: H100.name, "synchronize": lambda *_: None, "set_device": lambda *_: None,
    "get_rng_state": lambda *_: torch.zeros(1), "set_rng_state": lambda *_: None, "_exchange_device": lambda *_: 0,
    "_maybe_exchange_device": lambda *_: 0, "is_bf16_supported": lambda *_, **__: True,
}  # fmt: skip
OF_THE_INTERFACE = {
    "is_available": lambda: True, "device_count": lambda: 1, "current_device": lambda: 0,
    "is_triton_capable": lambda *_: True, "synchronize": lambda *_: None,
    "get_compute_capability": lambda *_: 90, "get_device_properties": lambda *_: H100, "set_device": lambda *_: None,
    "raise_if_triton_unavailable": lambda *_: None,
}  # fmt: skip


class Planned(Exception):  # noqa: N818 - no error: what stands behind the plan is not wanted
    """The compiler has planned a graph."""


def as_attention_leaves_it(like_BHTD):
    rows, heads, length, width = like_BHTD.shape
    return like_BHTD.new_empty(rows, length, heads, width).transpose(1, 2)


@torch.library.custom_op("count::attend", mutates_args=())
def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return as_attention_leaves_it(q), q.new_empty(q.shape[:3], dtype=torch.float32)


@torch.library.custom_op("count::attend_backward", mutates_args=())
def backward(
    dy: torch.Tensor, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, y: torch.Tensor, sums: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return as_attention_leaves_it(q), as_attention_leaves_it(q), as_attention_leaves_it(q)


attention.register_fake(lambda q, *_: (as_attention_leaves_it(q), q.new_empty(q.shape[:3], dtype=torch.float32)))
backward.register_fake(lambda _, q, *__: tuple(as_attention_leaves_it(q) for _ in range(3)))
attention.register_autograd(
    lambda ctx, dy, _: torch.ops.count.attend_backward(dy, *ctx.saved_tensors),
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs, *output),
)


def attend(qkv_BT3HD, *_):
    q, k, v = qkv_BT3HD.permute(2, 0, 3, 1, 4).unbind(0)
    return torch.ops.count.attend(q, k, v)[0].transpose(1, 2)


def traced(layers, *, fused):
    """Return the forward and the backward graph of a step, with what the compiler is given beside them."""
    graphs = []

    def stop(*_):
        raise Planned

    def keep(graph, inputs, **more):
        graphs.append((copy.deepcopy(graph), inputs, more))
        return make_boxed_func(stop)

    torch.compiler.reset()
    recipe = Recipe.load("first-user", {"model.layers": layers})
    rows, context, settings = recipe.batches.size, recipe.batches.context, recipe.model.settings()
    net = network.build("gpt", settings, VOCABULARY, context, 0, torch.device("cpu")).train()
    loss = partial(training_loss, net, without_logits=fused)
    step = torch.compile(loss, backend=partial(compile_fx.compile_fx, inner_compile=keep), dynamic=False)
    tokens_BT = torch.zeros(rows, context, dtype=torch.int64)
    with (
        torch.autocast("cpu", dtype=torch.bfloat16), mock.patch.object(gpt, "attend", attend), suppress(Planned),
        autograd_config.patch(force_non_lazy_backward_lowering=True),
    ):  # fmt: skip
        step(tokens_BT, tokens_BT, torch.full((rows, context), 1 / tokens_BT.numel()), None, 0.0)
    return graphs


def moved(graph, inputs):
    """Rewrite a graph for CUDA, in place, and return its inputs there and the mode that they live in."""
    mode = FakeTensorMode(allow_non_fake_inputs=True)

    def empty(t, device):
        if not isinstance(t, torch.Tensor):
            return t
        with mode:
            return torch.empty_strided(t.size(), t.stride(), dtype=t.dtype, device=device)

    for node in graph.graph.nodes:
        node.meta.pop("val", None)
        node.meta.pop("tensor_meta", None)
    FakeTensorProp(graph, mode=mode).propagate_dont_convert_inputs(*(empty(t, "cpu") for t in inputs))
    for node in graph.graph.nodes:
        if "val" in node.meta:
            node.meta["val"] = tree_map(lambda t: empty(t, CARD), node.meta["val"])
        if "device" in node.kwargs:
            node.kwargs = {**node.kwargs, "device": CARD}
        node.args = tuple(CARD if isinstance(arg, torch.device) else arg for arg in node.args)
    return [empty(t, CARD) for t in inputs], mode


def kind(node):
    """Return what a kernel is for, by the operations that it is made of."""
    names = {str(o.target) for part in node.get_nodes() if part.node for o in part.node.origins}
    made_of = " ".join(sorted(names))
    if "linear_cross_entropy" in made_of:
        return "output layer and loss"
    if any(isinstance(part.node, ir.TemplateBuffer) for part in node.get_nodes()):
        return "matrix products, with what follows them"
    if isinstance(node, scheduler.ExternKernelSchedulerNode):
        inner = "attention" if "count" in made_of else "matrix products"
        return "output layer and loss" if names <= {"aten.mm.default", "aten.permute.default"} else inner
    rules = {
        "softmax": "output layer and loss", "exp.default": "output layer and loss", "masked_index": "embeddings, casts",
        "sub.Tensor": "norms, residual stream, dropout", "rsqrt": "norms, residual stream, dropout",
        "sum.dim": "sums for biases", "cat.default": "joining gradients", "where": "ReLU", "relu": "ReLU",
    }  # fmt: skip
    return next((what for word, what in rules.items() if word in made_of), "embeddings, casts")


def bytes_of(node):
    """Return what a kernel reads and writes; torch's own count takes a lone product's factors for parts of them."""
    parts = node.get_nodes()
    if getattr(parts[0].node, "op_overload", None) is BACKWARD:  # two kernels, each of which reads both factors
        return node.get_read_write_buffers_sizes() + sum(size_of(factor) for factor in parts[0].node.inputs[:2])
    if len(parts) > 1 or not isinstance(parts[0].node, ir.TemplateBuffer):
        return node.get_read_write_buffers_sizes()
    names = {buffer.get_name() for buffer in (parts[0].node, *parts[0].node.inputs)}
    buffers = [V.graph.get_buffer(name) or V.graph.graph_inputs[name] for name in names]
    return sum(map(size_of, buffers))


def size_of(buffer):
    return int(buffer.get_numel()) * buffer.get_dtype().itemsize


def planned(graphs, *, fused):
    """Return the bytes by kind of kernel, and the number of kernels."""
    found, kernels = Counter(), Counter()

    def plan(self):
        for node in self.nodes:
            found[kind(node)] += bytes_of(node)
            kernels["kernels"] += 1
        raise Planned

    lookup = torch.ops.prims.inductor_lookup_seed.default
    with ExitStack() as stack:
        for where, answers in ((torch.cuda, OF_CUDA), (CudaInterface, OF_THE_INTERFACE)):
            for name, answer in answers.items():
                there = answer if where is torch.cuda else staticmethod(answer)
                stack.enter_context(mock.patch.object(where, name, there))
        for name in ("get_device_properties", "current_device"):
            stack.enter_context(mock.patch.object(CudaInterface.Worker, name, staticmethod(OF_THE_INTERFACE[name])))
        stack.enter_context(mock.patch.object(torch.version, "cuda", "13.0"))
        _triton.has_triton.cache_clear()
        stack.enter_context(mock.patch.object(scheduler.Scheduler, "codegen", plan))
        stack.enter_context(mock.patch.object(lookup, "prim_meta_impl", lambda seeds, _: seeds.new_empty(())))
        stack.enter_context(mock.patch.object(_triton, "triton_hash_with_backend", return_value="of no card"))
        if fused:
            options = product_kernels.options(deterministic=True)
            stack.enter_context(config.patch(deterministic=True, **options))
            product_kernels.fix_order(wanted=True)
            stack.callback(product_kernels.fix_order, wanted=False)
        for graph, inputs, more in graphs:
            there, mode = moved(graph, inputs)
            stack.enter_context(mock.patch.object(compile_fx, "fake_tensor_prop", lambda *_, mode=mode, **__: mode))
            before = kernels["kernels"]
            with tracing(TracingContext(mode)):
                try:
                    compile_fx.compile_fx_inner(graph, there, **{**more, "cudagraphs": False})
                except Exception:
                    if kernels["kernels"] == before:
                        raise
    return found + kernels


def whole_step(*, fused):
    """Return the bytes by kind of kernel, and the number of "kernels"."""
    with config.patch(fx_graph_cache=False), autograd_config.patch(enable_autograd_cache=False):
        one, two = (planned(traced(layers, fused=fused), fused=fused) for layers in (1, 2))
    deep = Recipe.load("first-user").model.settings()["layers"]
    return {what: one[what] + (two[what] - one[what]) * (deep - 1) for what in two}


def main():
    """Print bytes by kind of kernel for the whole step, with `run.compile` "on" and "fused"."""
    for fused in (False, True):
        whole = whole_step(fused=fused)
        kernels = whole.pop("kernels")
        print("run.compile=fused" if fused else "run.compile=on")
        for what, amount in sorted(whole.items(), key=lambda pair: -pair[1]):
            print(f"{amount / 1e9:6.2f} GB  {what}")
        print(f"{sum(whole.values()) / 1e9:6.2f} GB  in {kernels:.0f} kernels")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--json"]:
        bytes_by_kind = whole_step(fused=sys.argv[2] == "fused")
        print(json.dumps({"kernels": bytes_by_kind.pop("kernels"), "bytes": bytes_by_kind}))
    else:
        main()
