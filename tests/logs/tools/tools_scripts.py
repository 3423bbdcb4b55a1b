# ruff: noqa: E501, TC003  (calls of tools are long)
"""Training scripts of public repositories, run as they are on the Bible corpus.

`SOURCES` names a folder with checkouts (https://github.com/karpathy/nanoGPT, karpathy/makemore, pytorch/examples,
huggingface/pytorch-image-models); none of their code lies here. Truth is what the scripts hand to their trackers, to
`print` or to `math.exp`.
"""

from __future__ import annotations

import builtins
import contextlib
import math
import os
import runpy
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from data import verses
from make import log, points, printed, scratch

NAMES = ("model", "data", "configurator")  # modules of scripts, one of them called as one of ours
SOURCES = Path(os.environ.get("SOURCES", "/tmp/src"))


@contextlib.contextmanager
def replaced(owner: Any, name: str, by: Any) -> Iterator[Any]:
    """Replace an attribute for a while."""
    before = getattr(owner, name)
    setattr(owner, name, by)
    try:
        yield before
    finally:
        setattr(owner, name, before)


def run(script: Path, *arguments: str, path: Path) -> None:
    """Run a script in its folder; what it prints goes to the log."""
    os.chdir(script.parent)
    before, hidden = (sys.argv, sys.path[:]), {name: sys.modules.pop(name, None) for name in NAMES}
    sys.argv = [script.name, *arguments]
    sys.path.insert(0, str(script.parent))
    try:
        with printed(path):
            runpy.run_path(str(script), run_name="__main__")
    finally:
        sys.argv, sys.path[:] = before
        for name, module in hidden.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module


def nanogpt(path: Path, *arguments: str) -> list[dict[str, float]]:
    """Run nanoGPT's train.py on characters; return what it logs to W&B."""
    folder = SOURCES / "nanoGPT" / "data" / "verses"
    folder.mkdir(exist_ok=True)
    data = " ".join(verses(400)).encode("ascii", "ignore")
    ids = np.frombuffer(data, np.uint8).astype(np.uint16)
    cut = len(ids) * 9 // 10
    ids[:cut].tofile(folder / "train.bin")
    ids[cut:].tofile(folder / "val.bin")
    seen: list[dict[str, float]] = []
    stub = types.ModuleType("wandb")
    stub.init, stub.log = lambda **_: None, seen.append  # type: ignore[attr-defined]
    sys.modules["wandb"] = stub
    run(SOURCES / "nanoGPT" / "train.py", "--dataset=verses", "--device=cpu", "--compile=False", "--block_size=32", "--batch_size=8",
        "--n_layer=1", "--n_head=2", "--n_embd=16", "--gradient_accumulation_steps=1", "--wandb_log=True", "--dtype=float32",
        f"--out_dir={scratch(path)}", *arguments, path=path)  # fmt: skip
    del sys.modules["wandb"]
    return seen


@log(
    "nanogpt.txt",
    "nanoGPT",
    "train.py --eval_interval=20 --log_interval=5 --max_iters=200",
    version="3adf61e1 of 2025-11-12",
)
def nanogpt_log(path: Path) -> dict[str, Any]:
    seen = nanogpt(path, "--eval_interval=20", "--log_interval=5", "--max_iters=200", "--eval_iters=5", "--warmup_iters=10",
                   "--learning_rate=1e-2")  # fmt: skip
    at = [one["iter"] for one in seen]
    return {"train": points([one["train/loss"] for one in seen], step=at), "val": points([one["val/loss"] for one in seen], step=at),
            "digits": 4}  # fmt: skip


@log("makemore.txt", "makemore", "makemore.py --type bigram --max-steps 3001", version="988aa59 of 2022-11-20")
def makemore(path: Path) -> dict[str, Any]:
    import torch.utils.tensorboard as tb

    folder = scratch(path)
    words = sorted(
        {word.strip(".,:;?!()'").lower() for text in verses(400) for word in text.split() if word.isascii()} - {""}
    )
    (folder / "names.txt").write_text("\n".join(words))
    seen: dict[str, list[tuple[int, float]]] = {"Loss/train": [], "Loss/test": []}

    class Writer:
        def __init__(self, **_: Any) -> None: ...
        def add_scalar(self, tag: str, value: float, step: int) -> None:
            if tag in seen:
                seen[tag].append((step, value))

        def flush(self) -> None: ...

    with replaced(tb, "SummaryWriter", Writer):
        run(SOURCES / "makemore" / "makemore.py", "-i", str(folder / "names.txt"), "-o", str(folder / "out"), "--type", "bigram",
            "--max-steps", "3001", "-n", "0", "--learning-rate", "0.01", path=path)  # fmt: skip
    lines = path.read_text().splitlines(keepends=True)  # each tenth step is printed: thinned to keep the file small
    path.write_text(
        "".join(line for line in lines if " | loss " not in line or " step time " not in line or "0 |" in line[:12])
    )
    sides = {side: seen[tag] for side, tag in (("train", "Loss/train"), ("val", "Loss/test"))}
    return {side: points([float(v) for _, v in rows], step=[s for s, _ in rows]) for side, rows in sides.items()} | {
        "relative": 1e-6
    }


@log(
    "word-language-model.txt",
    "pytorch/examples",
    "word_language_model/main.py --epochs 5 --log-interval 10",
    version="77f55b9 of 2025-08-25",
)
def word_language_model(path: Path) -> dict[str, Any]:
    folder = scratch(path)
    texts = verses(600)
    for name, some in (("train", texts[:480]), ("valid", texts[480:540]), ("test", texts[540:])):
        (folder / f"{name}.txt").write_text("\n".join(some) + "\n", encoding="utf-8")
    seen: dict[str, list[float]] = {"train": [], "<module>": []}
    exp = math.exp

    def noted(value: float) -> float:
        seen.setdefault(sys._getframe(1).f_code.co_name, []).append(value)
        return exp(value)

    with replaced(math, "exp", noted):
        run(SOURCES / "examples/word_language_model/main.py", "--data", str(folder), "--epochs", "5", "--log-interval", "10",
            "--emsize", "16", "--nhid", "16", "--nlayers", "1", "--batch_size", "16", "--bptt", "8", "--save", str(folder / "model.pt"),
            path=path)  # fmt: skip
    vals = seen["<module>"][:5]
    step = [57 * k + 50 for k in range(5)]  # the last print of each epoch is at batch 50 of 57
    return {"val": points(vals, epoch=range(1, 6), step=step), "digits": 2}


@log(
    "time-sequence.txt",
    "pytorch/examples",
    "time_sequence_prediction/train.py --steps 5",
    version="77f55b9 of 2025-08-25",
)
def time_sequence(path: Path) -> dict[str, Any]:
    import torch

    folder = SOURCES / "examples/time_sequence_prediction"
    wave = np.sin(np.arange(120)[None] / 20 + np.arange(12)[:, None]).astype("float64")
    torch.save(wave, folder / "traindata.pt")
    seen: list[tuple[Any, ...]] = []
    say = builtins.print

    def noted(*values: Any, **how: Any) -> None:
        seen.append(values)
        say(*values, **how)

    load = torch.load
    with (
        replaced(builtins, "print", noted),
        replaced(torch, "load", lambda *a, **k: load(*a, **{**k, "weights_only": False})),
    ):
        run(folder / "train.py", "--steps", "5", path=path)
    step, train, val = -1, {}, {}
    for values in seen:
        if values[0] == "STEP: ":
            step = int(values[1])
        elif values[0] == "loss:":
            train[step] = float(values[1])
        elif values[0] == "test loss:":
            val[step] = float(values[1])
    at = sorted(val)
    return {"val": points([val[k] for k in at], step=at), "paired_train": [train[k] for k in at], "relative": 1e-9}


@log(
    "timm-train.txt",
    "timm",
    "pytorch-image-models' train.py --epochs 4 on a folder of tiny pictures",
    version="aa4b5850 of 2026-08-08",
)
def timm_train(path: Path) -> dict[str, Any]:
    import timm.utils
    from PIL import Image

    folder = scratch(path)
    rng = np.random.default_rng(0)
    for side, count in (("train", 64), ("val", 32)):
        for k in range(count):
            to = folder / "data" / side / ("a" if k % 2 else "b")
            to.mkdir(parents=True, exist_ok=True)
            Image.fromarray((rng.integers(0, 128, (32, 32, 3)) + 100 * (k % 2)).astype(np.uint8)).save(to / f"{k}.png")
    seen: list[tuple[float, float]] = []
    keep = timm.utils.update_summary

    def noted(epoch: int, train: Any, val: Any, *more: Any, **how: Any) -> None:
        seen.append((float(train["loss"]), float(val["loss"])))
        keep(epoch, train, val, *more, **how)

    with replaced(timm.utils, "update_summary", noted):
        run(SOURCES / "pytorch-image-models/train.py", "--data-dir", str(folder / "data"), "--train-split", "train", "--val-split", "val",
            "--model", "test_resnet", "--num-classes", "2", "--img-size", "32", "-b", "16", "--epochs", "4", "--device", "cpu", "-j", "0",
            "--output", str(folder / "out"), "--log-interval", "1", "--lr", "0.01", "--warmup-epochs", "0", path=path)  # fmt: skip
    return {"val": points([v for _, v in seen], epoch=range(4), step=[4 * k + 3 for k in range(4)]), "digits": 3}
