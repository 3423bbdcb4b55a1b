"""Writes run and ablation directories as the trainer will leave them: made-up figures in the contract's format.

The curves are power laws with noise between seeds; samples hold text that tries to act (script tags, direction marks,
NUL, very long words). Run this file with a folder to look at the pages: `python tests/report_fixture.py /tmp/x`.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

AXES = {
    "tokenizer": {
        "levels": ["char", "word", "bpe"],
        "control": "char",
        "what": "how the text is cut into tokens",
        "trap": "A larger vocabulary also brings more parameters, and a step sees more text.",
    },
    "activation": {
        "levels": ["relu", "gelu"],
        "control": "relu",
        "what": "the non-linearity in the feed-forward layers",
        "trap": None,
    },
}
FLOOR = {
    "char": 1.93,
    "word": 1.715,
    "bpe": 1.66,
    "relu": 1.72,
    "gelu": 1.714,
}  # bits per byte after all text
BYTES_A_TOKEN = {"char": 1.0, "word": 2.55, "bpe": 3.3, "relu": 2.55, "gelu": 2.55}
WIDTH = {"word": 0.019, "bpe": 0.022, "gelu": 0.017}  # half of each effect's interval
TEXT = 3_412_000  # bytes of training text
LOST = "the loss became NaN at step 201"
PROMPT = "Genesis\tIn the beginning"
HOSTILE = (
    "<script>document.title='caught';fetch('https://example.org/')</script> & <img src=x onerror=alert(1)> "
    "{{ 7 * 7 }} \u202egnirts desrever\u202c NUL:\x00 ESC:\x1b[31m \u2066isolated\u2069 \u200bzero "
    + "Mahershalalhashbaz"
    * 20
    + "\n</bdi></main></body> --> ]]> \u05d1\u05bc\u05b0\u05e8\u05b5\u05d0\u05e9\u05c1\u05b4\u05d9\u05ea"
    " $x^2$ a\u0301\u0302\u0303"
)
TAME = {
    "char": " of the land, and the sone of the LORD shall be a man of the people of the hand of the Lord, and said.",
    "word": " of the children of Israel, and the king of the land said to him, Behold, I will bring the LORD your God.",
    "bpe": " of the reign of Jehoiakim the king of Judah, the word of the LORD came to me, saying, Son of man, speak.",
}
RECIPE = '[data]\ncorpus = "akjv"\nsplit = "documents"\n\n[tokenizer]\nkind = "char"\n\n[model]\nname = "gpt"\n'
CORPUS = {
    "name": "akjv",
    "title": "American King James Version",
    "fingerprint": "5b1e0c9a7f3d2468",
    "documents": 31_102,
    "bytes": 4_214_113,
}
SPLIT = {
    "kind": "documents",
    "fingerprint": "90ab12cd34ef5678",
    "train_documents": 27_992,
    "val_documents": 3_110,
    "reserve_documents": 0,
    "train_bytes": 3_792_702,
    "val_bytes": 421_411,
}
OVERLAP = {"val_documents": 3_110, "exact": 39, "near": 112}
VERSIONS = {"python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6", "tokenizers": "0.22.1"}


def _loss(level: str, text: np.ndarray, shift: float) -> np.ndarray:
    """Return bits per byte after `text` bytes: a power law that ends at the level's floor."""
    floor = FLOOR.get(level, 1.8)
    return floor + shift + (8.0 - floor) * ((1 + 40 * text / TEXT) ** -0.9 - 41**-0.9)


def write_run(
    folder: Path,
    *,
    level: str = "word",
    seed: int = 0,
    state: str = "finished",
    hostile: bool = False,
    until: float = 1.0,
    alike: float = 0.021,
) -> Path:
    """Write a run's directory and return it.

    Args:
        folder: where; its name is the run's.
        level: which of the levels in AXES it is (the shape of its curve).
        seed: moves the curve a little.
        state: of status.json.
        hostile: whether its samples try to act.
        until: share of the text that it came to see.
        alike: by how many nats a token validation ends above training, matched.
    """
    folder.mkdir(parents=True)
    noise = np.random.default_rng(sum(map(ord, level)) + 1000 * seed)
    shift = float(noise.normal(0, 0.008))
    steps = np.arange(0, 401, 25)[: int(16 * until) + 1]
    rows = [row for step in steps for row in _probes(level, int(step), shift, alike, noise)]
    rows += [row for step in steps[1:] for row in _reported(level, int(step), shift, noise)]
    if state == "finished":
        rows.append(_reading(level, 400, "final", "val", shift + 0.004, 3110, 421_411, 0.011))
    table = {name: [row[name] for row in rows] for name in rows[0]}
    pq.write_table(pa.table(table), folder / "readings.parquet")
    _write_rest(folder, level, seed, state, int(steps[-1]))
    tame = TAME.get(level, TAME["word"])
    samples = [{"step": int(step), "prompt": PROMPT, "text": PROMPT + tame} for step in steps[4::4]]
    if hostile:
        samples.append({"step": int(steps[-1]), "prompt": PROMPT, "text": PROMPT + HOSTILE})
    lines = (json.dumps(sample, ensure_ascii=False) + "\n" for sample in samples)
    (folder / "samples.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def _reading(
    level: str, step: int, kind: str, split: str, shift: float, documents: int, size: int, spread: float
) -> dict:
    bits = float(_loss(level, np.array(step / 400 * TEXT), shift))
    nats = bits * math.log(2) * size
    tokens = int(size / BYTES_A_TOKEN[level]) + documents
    loss = nats / tokens
    return {
        "step": step,
        "kind": kind,
        "split": split,
        "mode": "eval",
        "loss": loss,
        "nats": nats,
        "tokens": tokens,
        "bytes": size,
        "low": loss - spread if spread else math.nan,
        "high": loss + spread if spread else math.nan,
        "documents": documents,
        "text_bytes": step / 400 * TEXT,
    }


def _probes(level: str, step: int, shift: float, alike: float, noise: np.random.Generator) -> list[dict]:
    bits = alike / math.log(2) / BYTES_A_TOKEN[level] * step / 400
    wobble = float(noise.normal(0, 0.003))
    train = _reading(level, step, "probe", "train", shift + wobble - bits, 300, 40_651, 0.031)
    return [train, _reading(level, step, "probe", "val", shift + wobble, 300, 40_120, 0.030)]


def _reported(level: str, step: int, shift: float, noise: np.random.Generator) -> list[dict]:
    train = _reading(level, step, "reported", "train", shift + 0.12 + float(noise.normal(0, 0.03)), 0, 9_000, 0)
    return [
        train | {"mode": "train"},
        _reading(level, step, "reported", "val", shift + float(noise.normal(0, 0.02)), 64, 8_700, 0),
    ]


def _write_rest(folder: Path, level: str, seed: int, state: str, last: int) -> None:
    step = np.arange(1, last + 1)
    steps = {
        "step": step,
        "epoch": step / 400 * 0.9,
        "learning_rate": np.full(last, 1e-3),
        "loss": np.linspace(5, 2, last),
        "tokens": step * 8192,
        "text_bytes": step / 400 * TEXT,
        "seconds": step * 0.085,
        "gradient_norm": np.ones(last),
    }
    pq.write_table(pa.table(steps), folder / "steps.parquet")
    document = np.arange(50)
    validation = {
        "document": document,
        "nats": document + 90.0,
        "tokens": document + 40,
        "bytes": document + 120,
    }
    pq.write_table(pa.table(validation), folder / "validation.parquet")
    (folder / "recipe.toml").write_text(RECIPE.replace('"char"', f'"{level}"') + f"\n[run]\nseed = {seed}\n")
    why = None if state == "finished" else LOST
    _json(folder / "status.json", {"format": 1, "state": state, "why": why})
    _json(folder / "environment.json", {"format": 1, **_environment(), **_derived(level)})


def _environment() -> dict:
    return {
        "version": "0.1.0",
        "versions": VERSIONS,
        "device": "cpu",
        "threads": 2,
        "commit": "3f9a1c2",
        "dirty": False,
        "digest": "3f9a8b7c6d5e4f30",
        "corpus": CORPUS,
        "split": SPLIT,
        "overlap": OVERLAP,
        "given": ["tokenizer.kind"],
        "dropped": [],
        "sample_prompt": PROMPT,
    }


def _derived(level: str) -> dict:
    tokens = 8192
    return {
        "derived": {
            "vocabulary": 347 if level == "char" else 4096,
            "parameters": 857_000 if level == "char" else 1_337_344,
            "steps": 400,
            "tokens_per_step": tokens,
            "text_per_step": int(tokens * BYTES_A_TOKEN[level]),
            "steps_per_epoch": 445,
            "training_text": SPLIT["train_bytes"],
            "flops_per_step": 4.2e10,
            "flops": 1.68e13,
            "truncated_share": 0.0,
            "learning_rate": 0.001,
            "text": TEXT,
            "share_of_training_text": TEXT / SPLIT["train_bytes"],
        },
    }


def write_ablation(
    root: Path,
    *,
    axis: str = "tokenizer",
    seeds: int = 3,
    hostile: bool = False,
    failed: bool = False,
) -> Path:
    """Write an ablation beside its runs, and return its directory.

    Args:
        root: where all of them lie.
        axis: one of AXES; the activation's effect is not resolved.
        seeds: how many runs each arm has.
        hostile: whether samples try to act.
        failed: whether the control's last run failed half-way.
    """
    runs = {
        level: [f"20261122-14{place}{seed}05-{level}-s{seed}-3f9a" for seed in range(seeds)]
        for place, level in enumerate(AXES[axis]["levels"])
    }
    lost = (AXES[axis]["control"], seeds - 1) if failed else None
    for level, names in runs.items():
        for seed, name in enumerate(names):
            broken = (level, seed) == lost
            state, until = ("failed", 0.5) if broken else ("finished", 1.0)
            write_run(root / name, level=level, seed=seed, state=state, hostile=hostile, until=until)
    folder = root / f"20261122-143205-{axis}-3f9a"
    folder.mkdir()
    _json(folder / "summary.json", _summary(folder.name, axis, runs, seeds, failed=failed))
    (folder / "ablation.toml").write_text(f'[[axes]]\nname = "{axis}"\n')
    return folder


def _summary(name: str, axis: str, runs: dict[str, list[str]], seeds: int, *, failed: bool) -> dict:
    several, control = seeds > 1, AXES[axis]["control"]
    shift = np.random.default_rng(7).normal(0, 0.008, (len(runs), seeds))
    losses = {level: [FLOOR[level] + 0.004 + float(x) for x in shift[place]] for place, level in enumerate(runs)}
    lost = [
        {
            "run": runs[control][-1],
            "level": control,
            "seed": seeds - 1,
            "why": LOST,
        }
    ]
    effects = [_effect(axis, level, losses, several=several) for level in runs if level != control]
    return {
        "format": 1,
        "name": name,
        "created": "2026-11-22T14:32:05",
        "axes": [{"name": axis, **AXES[axis]}],
        "hold": {"what": "text", "amount": TEXT, "unit": "bytes"},
        "corpus": CORPUS,
        "split": SPLIT,
        "overlap": OVERLAP,
        "seeds": list(range(seeds)),
        "seen": {"bytes": TEXT, "share": TEXT / SPLIT["train_bytes"]},
        "arms": [_arm(axis, level, runs[level], losses[level], several=several) for level in runs],
        "effects": effects,
        "noise": {"low": -0.014, "high": 0.014} if several else None,
        "changed": _changed() if axis == "tokenizer" else [],
        "failed": lost if failed else [],
        "verdict": _verdict(effects, several=several),
        "seconds": 262.4,
        "command": f"diagnose ablate --axis {axis} --recipe quick --seeds {seeds}",
        "environment": {**_environment(), **_derived(next(iter(AXES[axis]["levels"])))},
        "recipe": RECIPE,
    }


def _verdict(effects: list[dict], *, several: bool) -> str:
    if not several:
        return "With one seed an arm no difference here can be told from chance: train each arm with more seeds."
    if not effects[-1]["resolved"]:
        return (
            "Whether gelu instead of relu changes the validation loss is not resolved: "
            f"{effects[-1]['value']:+.3f} bits per byte, about 11 seeds would tell."
        ).replace("-", "\N{MINUS SIGN}")
    word, bpe = (f"{-effect['value']:.2f}" for effect in effects)
    return (
        f"Cutting text into bpe pieces instead of characters lowers the validation loss by {bpe} bits per byte, "
        f"words by {word}, at the same text seen; more parameters came along with both."
    )


def _effect(axis: str, level: str, losses: dict[str, list[float]], *, several: bool) -> dict:
    control = AXES[axis]["control"]
    differences = [a - b for a, b in zip(losses[level], losses[control], strict=True)]
    value, width = float(np.mean(differences)), WIDTH[level]
    resolved = several and abs(value) > width
    said = (
        f"lowers the loss by {-value:.2f} bits per byte." if resolved else "is not resolved; about 11 seeds would tell."
    )
    return {
        "axis": axis,
        "level": level,
        "against": control,
        "value": value,
        "low": value - width if several else None,
        "high": value + width if several else None,
        "p": (0.0004 if resolved else 0.31) if several else None,
        "resolved": resolved,
        "seeds_needed": 11 if several and not resolved else None,
        "per_seed": differences,
        "sentence": f"{level} instead of {control} {said}",
    }


def _arm(axis: str, level: str, runs: list[str], losses: list[float], *, several: bool) -> dict:
    value = float(np.mean(losses))
    return {
        "level": level,
        "levels": {axis: level},
        "runs": runs,
        "bits_per_byte": {
            "value": value,
            "low": value - 0.016 if several else None,
            "high": value + 0.016 if several else None,
        },
        "per_seed": losses,
        "nats_per_token": value * math.log(2) * BYTES_A_TOKEN[level],
        **_derived(level),
    }


def _changed() -> list[dict]:
    levels = AXES["tokenizer"]["levels"]
    derived = {level: _derived(level)["derived"] for level in levels}
    kept = (
        ("vocabulary", "vocabulary", ""),
        ("parameters", "parameters", ""),
        ("text per step", "text_per_step", "bytes"),
    )
    rows = [
        {"what": what, "unit": unit, "per_arm": {level: derived[level][key] for level in levels}}
        for what, key, unit in kept
    ]
    rows.append({"what": "compute", "unit": "FLOP", "per_arm": {"char": 1.71e13, "word": 8.1e12, "bpe": 6.9e12}})
    rows.append({"what": "steps", "unit": "", "per_arm": {"char": 416, "word": 163, "bpe": 126}})
    return rows


def _json(path: Path, found: dict) -> None:
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    for title, options in (
        ("plain", {}),
        ("hostile", {"hostile": True, "failed": True}),
        ("one", {"seeds": 1}),
        ("close", {"axis": "activation"}),
    ):
        print(write_ablation(Path(sys.argv[1]) / title, **options))
