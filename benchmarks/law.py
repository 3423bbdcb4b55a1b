"""How far laws of more are off: curves whose last points are hidden from them.

    python benchmarks/law.py [FILE...]        over text: files, and the sources of installed packages
    python benchmarks/law.py --runs FOLDER    over the steps and the parameters of finished runs

A text is cut into documents by lines. `OFF_TEXT` and `OFF_RUNS` of diagnose.baselines.power_law are what came out.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diagnose.baselines.growth import PARAMETERS, STEPS, TEXT, curves, points_of_text
from diagnose.baselines.peers import runs_on
from diagnose.baselines.power_law import FACTORS, NEAR, OFF_RUNS, OFF_TEXT, law
from diagnose.data import corpus, split
from diagnose.data.cache import cache_folder
from diagnose.errors import DiagnoseError
from diagnose.runs import store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Curve = tuple[str, str, list[float], list[float]]  # what there is more of, whose it is, amounts, bits per byte

LEAST, MOST = 100_000, 4_000_000  # bytes of a text
SEEDS = (0, 1)
VAL = 10  # one line of so many is scored


@dataclass(frozen=True)
class Judged:
    """What a law said of a point that was hidden from it; `off` is None where it refused, else a log ratio."""

    factor: float
    off: float | None
    held: bool


def over_text(files: list[Path]) -> Iterator[Curve]:
    """Yield the curve of each text, twice: other documents are scored, and parts grow otherwise."""
    named = [(file.name, [file]) for file in files]
    for one in sorted(metadata.distributions(), key=lambda one: one.name):
        sources = [Path(str(one.locate_file(file))) for file in one.files or () if file.suffix == ".py"]
        named.append((one.name, sources))
    for name, parts in named:
        documents = lines(parts)
        if sum(map(len, documents)) < LEAST:
            continue
        for seed in SEEDS:
            order = np.random.default_rng(seed).permutation(len(documents))
            val, train = np.sort(order[: len(order) // VAL]), np.sort(order[len(order) // VAL :])
            points = points_of_text([documents[i] for i in train], [documents[i] for i in val], seed)
            yield TEXT, name, [amount for amount, _ in points], [bits for _, bits in points]


def lines(files: list[Path]) -> list[bytes]:
    """Return the lines of some files that are not blank, up to `MOST` bytes."""
    found: list[bytes] = []
    size = 0
    for file in files:
        if size > MOST or not file.is_file():
            continue
        new = [line for line in file.read_bytes().split(b"\n") if line.strip()]
        found += new
        size += sum(map(len, new))
    return found


def over_runs(folder: Path) -> Iterator[Curve]:
    """Yield the curves of the runs of a folder, one for each set that differs in steps or parameters alone."""
    texts = {}
    for path in store.entries(folder):
        try:
            data = store.recipe_of(path).data
        except DiagnoseError as error:
            print(f"{path} is left out: {error}")
            continue
        texts[data.model_dump_json()] = data
    for data in texts.values():
        text = corpus.load(data, cache_folder())
        runs = runs_on(folder, text, split.split(text, data))
        for of in (STEPS, PARAMETERS):
            for name, amounts, losses in curves(of, runs):
                yield of, f"{name}, {text.name}", amounts, losses


def judge(curve: Curve) -> Iterator[Judged]:
    """Hide so much of a curve that its last point lies a factor beyond the rest, and ask the law for it."""
    of, name, amounts, losses = curve
    for factor in FACTORS:
        last = int(np.abs(np.log(amounts[-1] / np.array(amounts) / factor)).argmin())
        if abs(np.log(amounts[-1] / amounts[last] / factor)) > np.log(NEAR):
            continue
        said = law(of, name, amounts[: last + 1], losses[: last + 1], OFF_TEXT if of == TEXT else OFF_RUNS)
        gained = losses[last] - losses[-1]
        row = next((one for one in said.forecasts if one.factor == factor), None)
        if row is None:
            found = Judged(factor, None, held=False)
            print(f"{of:10} {name:24} x{factor:.0f} refused: {said.refused}", flush=True)
        else:
            ratio = (losses[last] - row.bits_per_byte) / gained
            found = Judged(factor, float(np.log(ratio)) if ratio > 0 else np.inf, row.low <= losses[-1] <= row.high)
            print(f"{of:10} {name:24} x{factor:.0f} gain {gained:.3f}, off {found.off:+.2f}, {found.held}", flush=True)
        yield found


def shares(rows: Iterable[Judged]) -> None:
    """Print how often intervals held the truth, and how far promises were off."""
    kept = list(rows)
    for factor in FACTORS:
        mine = [row for row in kept if row.factor == factor]
        off = np.abs([row.off for row in mine if row.off is not None])
        held = sum(row.held for row in mine)
        print(f"x{factor:.0f}: {len(off)} forecasts, {len(mine) - len(off)} refused; intervals hold {held}", end="")
        print(f" ({held / len(off):.3f}); |log ratio| 95 % within {np.quantile(off, 0.95):.2f}" if len(off) else "")


def main() -> None:
    """Print a line for each curve and factor, then the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--runs", type=Path)
    given = parser.parse_args()
    found = over_runs(given.runs) if given.runs else over_text(given.files)
    shares(row for curve in found for row in judge(curve))


if __name__ == "__main__":
    main()
