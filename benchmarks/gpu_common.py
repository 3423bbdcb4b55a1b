"""What the stages of `make gpu` share: where they run, how large, and how they tell what they have found so far."""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TINY, COMPILES = "DIAGNOSE_GPU_TINY", "DIAGNOSE_GPU_COMPILES"  # set by `gpu.py` for the stages
NO_CUDA = {"state": "skipped", "why": "no CUDA: skipped"}
DATASHEET = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "4090": 165e12, "L4": 121e12}  # dense bf16 operations/s
SMALL = {"model.layers": 1, "model.heads": 2, "model.width": 32, "batches.size": 8, "batches.context": 32}
STAGES = Path(__file__).with_name("gpu_stages.py")
FOUND = {}


def note(**figures):
    """Print what has been found so far: it is kept if the stage goes no further."""
    FOUND.update(figures)
    print(json.dumps({"state": "begun", "figures": FOUND}), flush=True)


def done(**figures):
    return {"state": "done", "figures": FOUND | figures}


def has_cuda():
    import torch

    return torch.cuda.is_available()


def is_large():
    """Say whether sizes are those of issue 19; else they are tiny."""
    return has_cuda() and os.environ.get(TINY) != "1"


def mode():
    """Return what `run.compile` is where a stage would have it on."""
    return "on" if has_cuda() and os.environ.get(COMPILES) != "0" else "off"


def place():
    """Return the device and a function that waits for it."""
    import torch

    if has_cuda():
        return torch.device("cuda"), torch.cuda.synchronize
    return torch.device("cpu"), lambda: None


def card():
    import torch

    return torch.cuda.get_device_name() if has_cuda() else ""


def text_file(folder, verses=400):
    """Write verses of the bundled corpus and return their file."""
    from pythonbible_akjv.plain_text_readers_bible import bible

    ends = bible.verse_end_indices
    some = list(bible.verse_start_indices.items())[:verses]
    path = Path(folder) / "verses.txt"
    path.write_text("\n".join(" ".join(bible.scripture_content[a : ends[v]].split()) for v, a in some) + "\n")
    return path


def small(folder, **more):
    """Return settings of a run that takes seconds anywhere."""
    device = "cuda" if has_cuda() else "cpu"
    return {
        "data.corpus": "file", "data.path": str(text_file(folder)), "tokenizer.vocab_size": 400, **SMALL,
        "model.dropout": 0.1, "budget.steps": 24, "report.interval": 8, "report.sample": False, "run.device": device,
        "run.compile": "off", "run.threads": 1,
    } | more  # fmt: skip


def first_user(compiled, steps=2000, **more):
    """Return the set-up of the recipe `first-user`; a tiny one where sizes are tiny. `steps` of None: as the recipe."""
    from diagnose.config.recipe import Recipe
    from diagnose.training.preparation import set_up

    more |= {"run.compile": compiled} | ({} if steps is None else {"budget.steps": steps})
    more |= {"run.device": "cuda"} if has_cuda() else {"run.device": "cpu", "run.threads": 1}
    if not is_large():
        path = str(text_file(tempfile.mkdtemp()))
        more |= SMALL | {"data.corpus": "file", "data.path": path, "tokenizer.vocab_size": 400}
    return set_up(Recipe.load("first-user", more))


def started(order):
    """Start a run in a process of its own, with a compiler cache of its own; see `gpu_stages.child`."""
    Path(order["runs"]).mkdir(parents=True, exist_ok=True)
    cache = tempfile.mkdtemp(dir=Path(order["runs"]).parent)
    own = {
        **os.environ,
        "TORCHINDUCTOR_CACHE_DIR": cache,
        "TORCHINDUCTOR_COMPILE_THREADS": "2",
    }  # several start at once
    command = [sys.executable, str(STAGES), "child", json.dumps(order)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", env=own
    )


def ended(process, *, killed=False):
    """Wait for a run and return its folder; None where it was to be killed."""
    out, error = process.communicate()
    if process.returncode != (-signal.SIGKILL if killed else 0):
        raise RuntimeError((error.strip().splitlines() or ["a run ended otherwise than it should"])[-1])
    return None if killed else Path(json.loads(out.splitlines()[-1]))


def timed(course, wait, count):
    """Return the seconds of a step."""
    wait()
    begun = time.perf_counter()
    course(count)
    wait()
    return (time.perf_counter() - begun) / count


def once(action, wait):
    """Return the seconds that an action takes the second time."""
    return [timed(lambda _: action(), wait, 1) for _ in range(2)][1]


def rate(where, wait):
    """Return the device's own rate of bf16 matrix products, in operations a second."""
    import torch

    size = 8192 if is_large() else 256
    a, b = (torch.randn(size, size, device=where, dtype=torch.bfloat16) for _ in range(2))
    return 2 * size**3 / statistics.median(timed(lambda _: a @ b, wait, 1) for _ in range(12))
