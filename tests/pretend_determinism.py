"""What torch refuses on a CUDA device where runs are to repeat bit for bit, in the words that it uses.

Operations without a deterministic kernel (of those that a network of ours or its readings might use), and, up to torch
2.9, matrix products of a process whose first one came before the workspace of cuBLAS was fixed.
"""

import os

import torch

PRODUCTS = {"mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "dot"}
FIXED = (":4096:8", ":16:8")
ALWAYS = {"histc", "kthvalue", "median.dim", "_ctc_loss_backward", "max_unpool2d", "grid_sampler_2d_backward"}


def refuse(func, args, kwargs, first):
    """Raise what torch would.

    Args:
        func, args, kwargs: the operation.
        first: of this process: holds under "fixed" whether the workspace was fixed at its first product.
    """
    name = func._schema.name.split("::")[-1]
    if name in PRODUCTS:
        fixed = first.setdefault("fixed", os.environ.get("CUBLAS_WORKSPACE_CONFIG") in FIXED)
        if not fixed and torch.are_deterministic_algorithms_enabled():
            raise RuntimeError(
                "Deterministic behavior was enabled with either `torch.use_deterministic_algorithms(True)` or "
                "`at::Context::setDeterministicAlgorithms(true)`, but this operation is not deterministic because it "
                "uses CuBLAS and you have CUDA >= 10.2. To enable deterministic behavior in this case, you must set an "
                "environment variable before running your PyTorch application: CUBLAS_WORKSPACE_CONFIG=:4096:8 or "
                "CUBLAS_WORKSPACE_CONFIG=:16:8."
            )
    if torch.are_deterministic_algorithms_enabled() and _is_undetermined(name, func, args, kwargs):
        raise RuntimeError(
            f"{name}_cuda does not have a deterministic implementation, but you set "
            "'torch.use_deterministic_algorithms(True)'."
        )


def _is_undetermined(name, func, args, kwargs):
    if name == "cumsum":
        return args[0].is_floating_point()
    if name == "bincount":
        return len(args) > 1 or kwargs.get("weights") is not None
    return {name, f"{name}.{func._schema.overload_name}"} & ALWAYS
