"""What Triton's interpreter and its compiler say of our kernels, as JSON; no test itself, for both are set up first.

python tests/training/kernels_by_hand.py interpret|compile
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch.nn import functional as F

from diagnose.training import linear_cross_entropy

SHAPES = ((70, 48, 133, 0.0), (33, 96, 201, 0.1), (128, 64, 128, 0.0), (20, 600, 50, 0.3))  # N, D, V, smoothing
KINDS = {"smoothing": "fp32", "N": "i32", "V": "i32", "D": "i32", "targets_N": "*i64"}
BF16 = ("x_ND", "weight_VD", "gradient_ND", "gradient_VD")


def interpreted():
    torch.manual_seed(0)
    return [compared(*shape, dtype) for shape in SHAPES for dtype in (torch.float32, torch.float16)]


def compared(count, width, vocabulary, smoothing, dtype):
    """Return the largest errors of losses, and of gradients relative to their largest entry."""
    x, weight = torch.randn(count, width).to(dtype), (0.3 * torch.randn(vocabulary, width)).to(dtype)
    targets, upstream = torch.randint(vocabulary, (count,)), torch.rand(count)
    upstream[3] = 0
    given, exact = ([t.detach().to(kind).requires_grad_() for t in (x, weight)] for kind in (dtype, torch.float64))
    nats = linear_cross_entropy.linear_cross_entropy(*given, targets, smoothing)
    wanted = F.cross_entropy(exact[0] @ exact[1].T, targets, reduction="none", label_smoothing=smoothing)
    for losses in (nats, wanted):
        (losses * upstream).sum().backward()
    errors = [float((a.grad - b.grad).abs().max() / b.grad.abs().max()) for a, b in zip(given, exact, strict=True)]
    loss = float((nats - wanted).detach().abs().max())
    return {"dtype": str(dtype), "loss": loss, "of_x": errors[0], "of_weight": errors[1]}


def compiled(capability):
    from diagnose.training import linear_kernels

    width = 512
    tiles = {"losses": linear_cross_entropy.constants(linear_cross_entropy.FORWARD)} | dict.fromkeys(
        ("gradient_of_features", "gradient_of_weight"),
        linear_cross_entropy.constants(linear_cross_entropy.BACKWARD, width),
    )
    return {name: built(getattr(linear_kernels, name), given, capability) for name, given in tiles.items()}


def built(kernel, constants, capability):
    """Compile a kernel as for bf16 matrices of 512 columns; width, targets and addresses are multiples of 16."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    options = {name: constants[name] for name in ("num_warps", "num_stages")}
    tiles = {name: value for name, value in constants.items() if name not in options}
    kinds = {name: KINDS.get(name, "*bf16" if name in BF16 else "*fp32") for name in kernel.arg_names}
    even = [name for name, kind in kinds.items() if name not in tiles and (kind[0] == "*" or name in "ND")]
    place = kernel.arg_names.index
    source = ASTSource(
        kernel, kinds | dict.fromkeys(tiles, "constexpr"), {(place(name),): value for name, value in tiles.items()},
        {(place(name),): [["tt.divisibility", 16]] for name in even},
    )  # fmt: skip
    made = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
    return {"shared": made.metadata.shared, "spilled": spilled(triton, made.asm["cubin"]),
            "target": next(line for line in made.asm["ptx"].splitlines() if line.startswith(".target"))}  # fmt: skip


def spilled(triton, cubin):
    """Return the bytes of a program's stack, which hold the registers that it has not."""
    tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        told = subprocess.run([tool, "-res-usage", file.name], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"STACK:(\d+)", told).group(1))


if __name__ == "__main__":
    what = {"interpret": interpreted, "compile": lambda: compiled(int(os.environ["CAPABILITY"]))}
    print(json.dumps(what[sys.argv[1]]()))
