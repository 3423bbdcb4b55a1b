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
    from diagnose.gap.run.run import open_finished
    from diagnose.runs.runner import train

    return open_finished(train("quick", RECIPE, runs=Path(folder)))


def population(finished, conditions, documents, layout):
    """Return nats_MN and weights_N of each condition, every document read with MASKS masks."""
    from diagnose.gap.run.run_reading import read
    from diagnose.gap.run.run_texts import text_groups
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
        turns.append(read(finished.network, groups, conditions))
    return {one: (np.stack([t[one].nats for t in turns]), turns[0][one].weights) for one in conditions}


class Text:
    """A population of documents under every condition, and samples of it."""

    def __init__(self, tables, count=None):
        """Keep the first `count` documents: a cut into whole rows may lack the last."""
        self.tables = {one: (nats_MN[:, :count], weights_N[:count]) for one, (nats_MN, weights_N) in tables.items()}
        self.count = len(next(iter(self.tables.values()))[1])

    def whole(self, first):
        """Return the readings of the whole population, over all masks; documents are numbered from `first`."""
        return {one: _reading(nats_MN.mean(0), weights_N, first) for one, (nats_MN, weights_N) in self.tables.items()}

    def sample(self, rng, places, first):
        """Return the readings of some documents with one mask each, the same under all conditions."""
        masks = rng.integers(MASKS, size=len(places))
        return {
            one: _reading(nats_MN[masks, places], weights_N[places], first)
            for one, (nats_MN, weights_N) in self.tables.items()
        }

    def draw(self, rng):
        """Return places of documents, drawn with replacement: each draw is a document of its own."""
        return rng.integers(self.count, size=DRAWN)


def _reading(nats, weights, first):
    """Return a reading of documents, named as our own runs' are: below 0."""
    from diagnose.stats import Reading

    return Reading.of(nats, weights, -1 - first - np.arange(len(nats)))


def terms_of(setting, train, own, val, seen):
    """Return every term with an interval, by the engine's own functions."""
    from diagnose.gap.measurements import BatchReadings, Measurements, Replayed
    from diagnose.gap.record import matched, terms
    from diagnose.gap.reported import ReportedLosses
    from diagnose.gap.run.run_reading import together
    from diagnose.stats import Interval

    sides = setting.sides
    whole = {one: together(val[one], seen[one]) for one in val}
    texts = [BatchReadings(some, 1, False, 1, 1, "document") for some in (train, whole)]
    mine = own[sides.train]
    replayed = Replayed(mine.mean, mine.mean, None, mine, 1, 1, True, None)
    found = Measurements(
        sides,
        setting.plan,
        texts[0],
        texts[1],
        texts[1],
        (None, None),
        None,
        True,
        val,
        "",
        replayed,
        tuple(texts),
        0.0,
    )
    given = ReportedLosses(mine.mean, whole[sides.val].mean, (False, False))
    out = {}
    for term in terms(found, given):
        if term.low is not None:
            out[term.id] = Interval(term.value, term.low, term.high, None, None)
        rows = {f"{term.id}: {part['id']}": part for part in term.parts}
        if term.beside:
            rows[f"{term.id} on unseen text"] = term.beside
        out |= {name: Interval(row["value"], row["low"], row["high"], None, None)
                for name, row in rows.items() if row["low"] is not None}  # fmt: skip
    alike = matched(found, on=False)
    return out | {"gap, matched": Interval(alike["gap"], alike["low"], alike["high"], None, None)}


def main(replications):
    from diagnose.gap.run import run_conditions

    with tempfile.TemporaryDirectory() as folder:
        finished = trained(folder)
        setting = replace(run_conditions.setting(finished), words=False)
        parts, rng = finished.setup.text.split, np.random.default_rng(7)
        inside = np.sort(rng.choice(np.unique(parts.train), TRAIN, replace=False))
        outside = np.sort(rng.choice(np.unique(parts.val), VAL, replace=False))
        plain, packed = ([one for one in setting.of_training if one.plain == cut] for cut in (True, False))
        wanted = setting.of_validation
        layouts = finished.setup.course.layout, finished.setup.validation
        recut = Text(population(finished, plain, inside, layouts[1]))
        train = Text(population(finished, packed, inside, layouts[0]))
        train, recut = (Text(text.tables, min(train.count, recut.count)) for text in (train, recut))
        val = Text(population(finished, wanted, outside, layouts[1]))
        seen = Text(population(finished, wanted, inside, layouts[1]))
    # seen text is as much of the validation text as unseen text is, in the truth as in each replication
    all_seen = {
        one: replace(r, nats=r.nats * val.count / seen.count, weights=r.weights * val.count / seen.count)
        for one, r in seen.whole(3 * APART).items()
    }
    both = train.whole(0) | recut.whole(0)
    true = terms_of(setting, both, train.whole(APART), val.whole(2 * APART), all_seen)
    hits, wide = dict.fromkeys(true, 0), dict.fromkeys(true, 0.0)
    for _ in range(replications):
        places = train.draw(rng)
        drawn = (train, places, 0), (recut, places, 0), (train, train.draw(rng), 1)
        drawn += (val, val.draw(rng), 2), (seen, seen.draw(rng), 3)
        one, again, *others = (text.sample(rng, some, k * APART) for text, some, k in drawn)
        got = terms_of(setting, one | again, *others)
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
