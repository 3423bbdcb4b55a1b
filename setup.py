"""Builds the optional loops in C (models/native); everything else is said in pyproject.toml.

One source is built once per instruction set, and `models/native` chooses among them when it runs: pyproject.toml can
name extensions, but not that these are for Linux alone, which instruction sets a machine's family has, or which source
they were built from. A build that fails is a warning (shown by `pip install -v`), and torch computes instead.
"""

import platform
import sys
import sysconfig
from hashlib import blake2b
from pathlib import Path

from setuptools import Extension, setup

SOURCE = "models/native/loops.c"
FLAGS = (
    "-std=c11", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fno-strict-aliasing",
    "-fno-wrapv", "-fopenmp", "-g0",
)  # fmt: skip
OF_X86 = {
    "avx2": ("-mavx2", "-mfma"),
    "avx512": ("-mfma", "-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq"),
}  # no more than torch has asked the processor for when it says AVX2 or AVX512


def loops() -> list[Extension]:
    """Return an extension per instruction set: shared objects without Python's interface, so good for any Python."""
    if not sys.platform.startswith("linux"):
        return []
    digest = blake2b(Path(SOURCE).read_bytes(), digest_size=8).hexdigest()
    variants = {"baseline": ()} | (OF_X86 if platform.machine() == "x86_64" else {})
    return [
        Extension(
            f"diagnose.models.native.loops_{name}", [SOURCE], define_macros=[("BUILT_FROM", f'"{digest}"')],
            extra_compile_args=[*FLAGS, *flags], extra_link_args=["-fopenmp"], libraries=["m"],
            depends=["setup.py"], optional=True, py_limited_api=True,
        )
        for name, flags in variants.items()
    ]  # fmt: skip


one_wheel = {} if sysconfig.get_config_var("Py_GIL_DISABLED") else {"bdist_wheel": {"py_limited_api": "cp311"}}
setup(ext_modules=loops(), options=one_wheel)
