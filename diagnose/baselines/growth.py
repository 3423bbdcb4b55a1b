"""What more text, parameters or steps would give: laws through growing parts of the text and through runs of all sizes.

More text is judged by a yardstick, for it reads 13 parts of the text in seconds where a network would have to be
trained on each. Parameters and steps are judged by finished runs that differ in them alone, but for the seed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose import random as seeding
from diagnose.baselines import compressors
from diagnose.baselines.power_law import OFF_RUNS, Law, law
from diagnose.data.cache import digest, entry
from diagnose.data.excerpt import excerpt
from diagnose.errors import DiagnoseError
from diagnose.runs import store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from diagnose.baselines.peers import PeerRun
    from diagnose.data.corpus import Corpus
    from diagnose.data.split import Split

FORMAT = 1  # of what lies in the cache; part of its key
ORDER = 8  # of the PPMd whose loss is followed
PARTS = 13  # of the training text, each larger by half an octave
FEWEST_DOCUMENTS = 64  # of a part; with fewer, what a part happens to hold rules its loss
SIZES = ("width", "layers", "heads")  # settings of a network that change how many parameters it has and nothing else
TEXT, PARAMETERS, STEPS = "text", "parameters", "steps"


def laws(
    corpus: Corpus, split: Split, runs: Sequence[PeerRun], cache: Path, watch: Callable[[str], None] | None = None
) -> list[Law]:
    """Return what more text, more parameters and more steps would give.

    Args:
        corpus: the text.
        split: which documents are learned from, and which are scored.
        runs: finished runs that were scored on these documents.
        cache: from `cache_folder`.
        watch: told what is being computed.
    """
    key = digest("law", FORMAT, ORDER, PARTS, corpus.fingerprint, split.fingerprint)
    write = partial(_write, corpus=corpus, split=split, watch=watch or (lambda _: None))
    points = json.loads((entry(cache, "yardsticks", key, write) / "growth.json").read_text(encoding="utf-8"))
    text = law(TEXT, f"PPMd of order {ORDER}", [amount for amount, _ in points], [bits for _, bits in points])
    return [text, of_runs(PARAMETERS, runs), of_runs(STEPS, runs)]


def _write(folder: Path, corpus: Corpus, split: Split, watch: Callable[[str], None]) -> None:
    watch("a learning curve over growing parts of the text")
    taken = excerpt(corpus, split)
    (folder / "growth.json").write_text(json.dumps(points_of_text(taken.train, taken.scored)), encoding="utf-8")


def points_of_text(train: Sequence[bytes], scored: Sequence[bytes], seed: int = 0) -> list[tuple[float, float]]:
    """Return what PPMd needs for some documents given growing parts of others, the smallest part first.

    Args:
        train: documents to learn from; every part holds the smaller ones.
        scored: documents that are paid for.
        seed: which documents come into the smaller parts.

    Returns:
        For each part the bytes of text read, that is the part and half of the scored text, for PPMd learns from that
        as it goes; and bits per byte.
    """
    order = seeding.generator(seed, "growth", len(train)).permutation(len(train))
    size = sum(map(len, scored))
    one_block = np.zeros(len(scored), np.int64)
    points = []
    for part in reversed(range(PARTS)):
        count = round(len(train) * 2 ** (-part / 2))
        if count < FEWEST_DOCUMENTS:
            continue
        some = [train[place] for place in np.sort(order[:count])]
        bits = float(compressors.ppmd_bits(ORDER, some, scored, one_block).sum())
        points.append((sum(map(len, some)) + size / 2, bits / size))
    return points


def of_runs(of: str, runs: Sequence[PeerRun]) -> Law:
    """Return what more parameters or steps would give networks, by those runs that differ most in that alone.

    Args:
        of: `PARAMETERS` or `STEPS`.
        runs: finished runs that were scored on the same documents.
    """
    name, amounts, losses = max(curves(of, runs), key=lambda curve: len(curve[1]), default=("", [], []))
    return law(of, name, amounts, losses, OFF_RUNS)


def curves(of: str, runs: Sequence[PeerRun]) -> list[tuple[str, list[float], list[float]]]:
    """Return every set of runs that differ in parameters or steps alone: network, amounts and losses.

    Runs that differ in nothing but the seed are averaged.
    """
    groups: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    names = {}
    for run in runs:
        recipe = _recipe(run)
        if recipe is not None:
            amount, other = (run.parameters, run.steps) if of == PARAMETERS else (run.steps, run.parameters)
            key = digest(_but_for(of, recipe), other)
            names[key] = run.model
            groups[key][float(amount)].append(run.bits_per_byte)
    by_curve = ((names[key], sorted(by_amount), by_amount) for key, by_amount in groups.items())
    return [(name, amounts, [fmean(by_amount[amount]) for amount in amounts]) for name, amounts, by_amount in by_curve]


def _recipe(run: PeerRun) -> dict[str, Any] | None:
    try:
        return store.recipe_of(Path(run.run)).model_dump(mode="json")
    except DiagnoseError:
        return None


def _but_for(of: str, recipe: dict[str, Any]) -> dict[str, Any]:
    """Return what two runs must share to differ in parameters or steps alone."""
    tables = {name: recipe[name] for name in ("data", "tokenizer", "batches", "optimizer", "loss", "model", "budget")}
    if of == STEPS:
        del tables["budget"]
    else:
        tables["model"] = {name: value for name, value in tables["model"].items() if name not in SIZES}
    return tables
