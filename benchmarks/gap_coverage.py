"""How often the ledger's 95 % intervals hold the truth: `python benchmarks/gap_coverage.py [replications]`.

One network is trained on real text, with every condition differing between its two losses. A population of documents
is read under every condition with many masks: its means are the truth. Each replication draws documents and masks
anew, and the ledger's own functions make every term of them. `lag` and `draw` are exact and have no interval.

Prints a Markdown table. Axes: N documents, M masks.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from scipy.stats import binom

MASKS = 6  # of each document of the population
TRAIN, VAL = 1200, 800  # documents of the population
DRAWN = 250  # documents of a text in a replication; by default the ledger reads as many or more
APART = 10**6  # numbers of documents of different texts
RECIPE = {
    "tokenizer.kind": "word", "tokenizer.vocab_size": 1500, "model.layers": 2, "model.width": 64, "model.heads": 2,
    "model.dropout": 0.2, "batches.loader": "padded", "batches.context": 48, "batches.size": 32, "budget.steps": 600,
    "loss.label_smoothing": 0.1, "loss.padding": "denominator", "run.precision": "bf16", "report.val_precision": "fp32",
    "report.val_loader": "packed", "data.val_fraction": 0.4, "optimizer.lr": 3e-3, "report.sample": False,
}  # fmt: skip


def trained(folder):
    from diagnose.gap.sources.run import open_run
    from diagnose.runs.runner import train

    return open_run(train("quick", RECIPE, runs=Path(folder)))


def population(finished, asks, documents, layout):
    """Return nats_MN and weights_N of each condition, every document read with MASKS masks."""
    from diagnose.gap.sources.run_reading import read
    from diagnose.gap.sources.run_texts import text_groups
    from diagnose.training import batches

    starts, chosen = torch.from_numpy(finished.setup.text.stream.starts), torch.from_numpy(documents)
    layout = replace(
        layout, first_N=starts[chosen], length_N=starts[chosen + 1] - starts[chosen], documents_N=chosen, samples=None,
        order="sequential",
    )  # fmt: skip
    starts_of_batches = range(0, layout.rows - layout.size + 1, layout.size)  # full ones, in which rows count alike
    rows = [batches.rows(layout, first, layout.size) for first in starts_of_batches]
    turns = []
    for turn in range(MASKS):
        groups = text_groups(finished, rows, turns=MASKS)[turn * len(rows) : (turn + 1) * len(rows)]
        turns.append(read(finished.network, groups, asks))
    return {ask: (np.stack([t[ask].nats for t in turns]), turns[0][ask].weights) for ask in asks}


class Text:
    """A population of documents under every condition, and samples of it."""

    def __init__(self, tables, count=None):
        """Keep the first `count` documents: a cut into whole rows may lack the last."""
        self.tables = {ask: (nats_MN[:, :count], weights_N[:count]) for ask, (nats_MN, weights_N) in tables.items()}
        self.count = len(next(iter(self.tables.values()))[1])

    def whole(self, first):
        """Return the readings of the whole population, over all masks; documents are numbered from `first`."""
        return {ask: _reading(nats_MN.mean(0), weights_N, first) for ask, (nats_MN, weights_N) in self.tables.items()}

    def sample(self, rng, places, first):
        """Return the readings of some documents with one mask each, the same under all conditions."""
        masks = rng.integers(MASKS, size=len(places))
        return {
            ask: _reading(nats_MN[masks, places], weights_N[places], first)
            for ask, (nats_MN, weights_N) in self.tables.items()
        }

    def draw(self, rng):
        """Return places of documents, drawn with replacement: each draw is a document of its own."""
        return rng.integers(self.count, size=DRAWN)


def _reading(nats, weights, first):
    from diagnose.stats import Reading

    return Reading.of(nats, weights, first + np.arange(len(nats)))


def terms_of(found, train, recut, own, val, seen):
    """Return every term with an interval, by the ledger's own functions."""
    from diagnose.gap.sources.run_conditions import RunConditions
    from diagnose.gap.sources.run_reading import together
    from diagnose.gap.sources.run_terms import data_terms, mode_on_unseen
    from diagnose.stats import combination

    corners = {(False, ask): r for ask, r in train.items()} | {(True, ask): r for ask, r in recut.items()}
    measured = RunConditions(found, None, corners, divided=True)
    out = {player: measured.term(player)[0] for player in found.players}
    out |= {f"mode: {kind}": value for kind, value in measured.parts().items()}
    out["recency"] = combination([own[found.train], measured.start], [-1.0, 1.0])
    whole = {ask: together(val[ask], seen[ask]) for ask in val}
    empty = SimpleNamespace(documents=np.zeros(0), exact=np.zeros(0), near=np.zeros(0))
    read = SimpleNamespace(whole=whole, unseen=val, all_unseen=False, why="", difficulty=None, seen=empty)
    out |= {term.id: term for term in data_terms(measured, read)}
    out["mode on unseen text"] = mode_on_unseen(measured, read)
    alike = found.alike(on=False)
    out["gap, measured alike"] = combination([measured.alike(on=False), whole[alike]], [-1.0, 1.0])
    return out


def main(replications):
    from diagnose.gap.sources import run_conditions, run_data

    with tempfile.TemporaryDirectory() as folder:
        finished = trained(folder)
        found = replace(run_conditions.sides(finished), words=False)
        parts, rng = finished.setup.text.split, np.random.default_rng(7)
        inside = np.sort(rng.choice(np.unique(parts.train), TRAIN, replace=False))
        outside = np.sort(rng.choice(np.unique(parts.val), VAL, replace=False))
        asks, wanted = run_conditions.asks(found, divided=True), run_data.wanted(found)
        layouts = finished.setup.course.layout, finished.setup.validation
        recut = Text(population(finished, asks, inside, layouts[1]))
        train = Text(population(finished, asks, inside, layouts[0]))
        train, recut = (Text(text.tables, min(train.count, recut.count)) for text in (train, recut))
        val = Text(population(finished, wanted, outside, layouts[1]))
        seen = Text(population(finished, wanted, inside, layouts[1]))
    # seen text is as much of the validation text as unseen text is, in the truth as in each replication
    all_seen = {
        ask: replace(r, nats=r.nats * val.count / seen.count, weights=r.weights * val.count / seen.count)
        for ask, r in seen.whole(3 * APART).items()
    }
    true = terms_of(found, train.whole(0), recut.whole(0), train.whole(APART), val.whole(2 * APART), all_seen)
    hits, wide = dict.fromkeys(true, 0), dict.fromkeys(true, 0.0)
    for _ in range(replications):
        places = train.draw(rng)
        drawn = (train, places, 0), (recut, places, 0), (train, train.draw(rng), 1)
        drawn += (val, val.draw(rng), 2), (seen, seen.draw(rng), 3)
        got = terms_of(found, *(text.sample(rng, some, k * APART) for text, some, k in drawn))
        for name, term in got.items():
            hits[name] += term.low <= true[name].value <= term.high
            wide[name] += (term.high - term.low) / 2 / replications
    low, high = (binom.ppf(q, replications, 0.95) / replications for q in (0.025, 0.975))
    print(f"{replications:,} replications; binomial error of 95 %: {low:.3f} to {high:.3f}\n")
    print("| term | truth | mean half width | coverage |\n| --- | ---: | ---: | ---: |")
    for name, count in hits.items():
        print(f"| {name} | {true[name].value:+.4f} | {wide[name]:.4f} | {count / replications:.3f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
