"""The ledger by brute force: every earlier step, every validation row, full logits, loops; nothing of diagnose.gap.

What a run *is* (its batches, masks, weights) comes from the toolkit; what a term *means* is written out here once more.
"""

import math
from itertools import permutations

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from diagnose import random as seeding
from diagnose.config.recipe import Recipe
from diagnose.runs import session
from diagnose.training import batches
from diagnose.training.preparation import set_up

MASKS = 6  # redrawn masks of all text, averaged


class Truth:
    def __init__(self, path):
        self.path, self.recipe = path, Recipe.load(path / "recipe.toml")
        self.setup = set_up(self.recipe)
        self.net = self.setup.network()
        self.net.load_state_dict(load_file(path / "checkpoint" / "model.safetensors"), strict=False)
        self.logged = pd.read_parquet(path / "steps.parquet").loss.to_numpy()
        rows = pd.read_parquet(path / "readings.parquet").query("kind == 'reported'")
        self.train, self.val = (float(rows[rows.split == side].loss.iloc[-1]) for side in ("train", "val"))
        squares = sum(float(p.detach().double().square().sum()) for p in self.net.parameters())
        self.penalty = 0.5 * self.recipe.loss.weight_decay * squares

    def nats(self, batch, on, smoothing, precision, seed):
        """Plain and full: logits of every target, and torch's own cross-entropy."""
        self.net.train(on)
        torch.manual_seed(seed)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            logits = self.net(batch.inputs_BT, batch.segments_BT)
        flat = F.cross_entropy(
            logits.float().flatten(0, 1), batch.targets_BT.flatten(), reduction="none", label_smoothing=smoothing
        )
        return flat.double().view(batch.targets_BT.shape)

    def mean(self, tables, padding, how, per_step):
        """tables: steps of parts of (nats, counted). Loops over what is averaged first."""
        cells = []  # (sum of nats, number), each averaged alone; equal weights between
        for step in tables:
            parts = [self._cell(nats, counted, padding) for nats, counted in step]
            if how == "sequence":
                cells += [(n[r].sum(), c[r].sum()) for n, c in parts for r in range(len(n))]
            elif how == "batch":
                cells += [(n.sum(), c.sum()) for n, c in parts]
            else:
                cells.append((sum(n.sum() for n, _ in parts), sum(c.sum() for _, c in parts)))
        if how == "token" and not per_step:
            return float(sum(n for n, _ in cells) / sum(c for _, c in cells))
        return float(np.mean([float(n / c) for n, c in cells]))

    @staticmethod
    def _cell(nats, counted, padding):
        if padding == "ignore":
            return nats * counted, counted.double()
        return (nats if padding == "target" else nats * counted), torch.ones_like(nats)

    def averaged(self):
        n, table = len(self.logged), self.recipe.report
        if table.train == "last":
            return {n - 1: 1.0}
        if table.train == "interval":
            some = range((n - 1) // table.interval * table.interval, n)
            return dict.fromkeys(some, 1 / len(some))
        if table.train == "ema":
            weights = {k: 0.98 ** (n - 1 - k) for k in range(n)}
            return {k: w / sum(weights.values()) for k, w in weights.items()}
        layout = self.setup.course.layout
        rows = layout.size * self.recipe.batches.accumulate
        epoch = (n - 1) * rows // layout.rows
        some = [k for k in range(n) if k * rows // layout.rows == epoch]
        return dict.fromkeys(some, 1 / len(some))

    def step(self, k):
        return batches.step_batches(self.setup.course.layout, k, self.recipe.batches.accumulate)

    def ends(self):
        """Return both conditions as (on, smoothing, penalty, precision, padding, mean, per step, collation)."""
        loss, report, precision = self.recipe.loss, self.recipe.report, self.recipe.run.precision
        objective = (loss.label_smoothing, self.penalty)
        train = {"mode": True, "objective": objective, "precision": precision}
        val = {"mode": report.val_dropout, "objective": objective if report.val_objective == "training" else (0.0, 0.0)}
        val["precision"] = precision if report.val_precision == "training" else "fp32"
        train |= {"reduction": (loss.padding, loss.mean, True), "collation": "train"}
        val |= {"reduction": (report.val_padding, report.val_mean, False), "collation": "val"}
        if "padded" not in (self.setup.course.layout.loader, self.setup.validation.loader):
            train["reduction"] = val["reduction"]  # every row counts as many targets: all means are one
        return train, val

    def lag(self):
        train, _ = self.ends()
        total = 0.0
        for k, weight in self.averaged().items():
            parts = self.step(k)
            keys = [seeding.key(self.recipe.run.seed, "dropout", k, p) for p in range(len(parts))]
            total += weight * self.read([(parts, keys)], train)
        return total

    def read_recut(self, groups, condition):
        """Read training documents in validation's cut, each counted as often as the earlier steps show it."""
        shown, sums = self.shown(), np.zeros(2)
        for parts, seeds in groups:
            for batch, seed in zip(parts, seeds, strict=True):
                nats = self.nats(batch, condition["mode"], condition["objective"][0], condition["precision"], seed)
                times = torch.tensor([[shown.get(d, 0.0) for d in row] for row in batch.documents_BT.tolist()])
                times = times.double() * batch.counted_BT
                sums += np.array([float((nats * times).sum()), float(times.sum())])
        return sums[0] / sums[1] + condition["objective"][1]

    def shown(self):
        """Return how many of its own lengths of each document the earlier steps show."""
        seen, starts = {}, self.setup.text.stream.starts
        for parts in self.earlier():
            for batch in parts:
                for document in batch.documents_BT[batch.counted_BT].tolist():
                    seen[document] = seen.get(document, 0) + 1
        return {d: n / int(starts[d + 1] - starts[d]) for d, n in seen.items()}

    def read(self, groups, condition):
        smoothing, penalty = condition["objective"]
        padding, how, per_step = condition["reduction"]
        tables = [
            [(self.nats(b, condition["mode"], smoothing, condition["precision"], s), b.counted_BT)
             for b, s in zip(parts, seeds, strict=True)]
            for parts, seeds in groups
        ]  # fmt: skip
        return self.mean(tables, padding, how, per_step) + penalty

    def earlier(self):
        """Batches of all steps before the reported ones; the reported ones where there are none."""
        own = min(self.averaged())
        every = self.recipe.report.interval
        first = own if self.recipe.report.train == "epoch" else (len(self.logged) - 1) // every * every
        return [self.step(k) for k in (range(first) if first else self.averaged())]

    def recut(self):
        """Return the training documents laid out as validation's are."""
        from dataclasses import replace

        val, train = self.setup.validation, self.setup.course.layout
        full = self.recipe.report.val == "full"
        reordered = val.loader == "packed" and full and train.order == "shuffled"
        changes = (val.loader, val.masked) != (train.loader, train.masked) or reordered
        if not changes:
            return None
        layout = replace(val, first_N=train.first_N, length_N=train.length_N, documents_N=train.documents_N)
        return [[b] for b in batches.whole(layout)]

    def drawn(self, groups, condition, read):
        """Average over redrawn masks."""
        turns = MASKS if condition["mode"] else 1
        seeds = [[[seeding.key(1, "truth", t, g, p) for p in range(len(parts))] for g, parts in enumerate(groups)]
                 for t in range(turns)]  # fmt: skip
        return float(np.mean([read(list(zip(groups, some, strict=True)), condition) for some in seeds]))

    def conditions(self):
        """Return the value of the start, of the end, and each player's Shapley value over all orders."""
        train, val = self.ends()
        texts = {"train": self.earlier(), "val": self.recut()}
        if texts["val"] is None:
            texts["val"] = texts["train"]
        players = [p for p in train if train[p] != val[p] and (p != "collation" or texts["val"] is not texts["train"])]
        known = {}

        def value(changed):
            key = frozenset(changed)
            if key not in known:
                condition = {p: (val if p in key else train)[p] for p in train}
                read = self.read_recut if "collation" in key else self.read
                known[key] = self.drawn(texts[condition["collation"]], condition, read)
            return known[key]

        total = dict.fromkeys(train, 0.0)
        for order in permutations(players):
            for place, player in enumerate(order):
                total[player] += value(order[: place + 1]) - value(order[:place])
        return value(()), value(players), {p: v / math.factorial(len(players)) for p, v in total.items()}

    def documents(self, groups, wanted=None):
        """Return the loss of some documents' targets under validation's condition, token by token."""
        _, val = self.ends()
        nats = tokens = 0.0
        for turn in range(MASKS if val["mode"] else 1):
            for g, batch in enumerate(groups):
                one = self.nats(
                    batch, val["mode"], val["objective"][0], val["precision"], seeding.key(2, "text", turn, g)
                )
                kept = batch.counted_BT
                if wanted is not None:
                    kept = kept & torch.isin(batch.documents_BT, torch.tensor(sorted(wanted)))
                nats, tokens = nats + float(one[kept].sum()), tokens + int(kept.sum())
        return nats, tokens

    def unseen(self):
        """Return the unseen validation documents and the unseen reserve, by looking every text up."""
        corpus, parts = self.setup.text.corpus, self.setup.text.split
        texts = [t.encode() for t in corpus.texts(sorted(set(parts.train.tolist())))]
        known, windows = set(texts), {t[k : k + 32] for t in texts for k in range(len(t) - 31)}

        def seen(number):
            text = corpus.text(int(number)).encode()
            passages = [text[k : k + 32] for k in range(len(text) - 31)]
            return text in known or (passages and sum(p in windows for p in passages) >= len(passages) / 2)

        val = [] if parts.kind == "windows" else [int(d) for d in parts.val if not seen(d)]
        return val, [int(d) for d in parts.reserve if not seen(d)]

    def data(self):
        """Return the losses of unseen text, the whole validation text, and the reported batches."""
        from dataclasses import replace

        layout, report = self.setup.validation, self.recipe.report
        _, val = self.ends()
        number = (len(self.logged) - 1) // report.interval
        whole = list(batches.whole(layout))
        if report.val == "batch" and layout.loader == "packed":  # the cut that the reported rows are of
            size, total = min(layout.size, layout.rows), layout.rows
            epoch = number * report.val_batches * size // total
            whole = [batches.rows(layout, epoch * total + k, 1) for k in range(total)]
        nats, tokens = self.documents(whole)
        own, reserve = self.unseen()
        some, count = self.documents(whole, own) if own else (0.0, 0)
        if reserve:
            starts, chosen = torch.from_numpy(self.setup.text.stream.starts), torch.tensor(reserve)
            other = replace(layout, first_N=starts[chosen], length_N=starts[chosen + 1] - starts[chosen],
                            documents_N=chosen, samples=None)  # fmt: skip
            more = self.documents(list(batches.whole(other)))
            some, count = some + more[0], count + more[1]
        key = seeding.key(self.recipe.run.seed, "validation masks", number)
        shown = list(session.reported_batches(self.setup, number))
        reported = self.read([([b], [seeding.key(key, "masks", k)]) for k, b in enumerate(shown)], val)
        if set(own) == set(self.setup.text.split.val.tolist()):
            some, count = nats, tokens  # nothing was seen: unseen text is the whole
        whole_loss = reported - val["objective"][1] if report.val == "full" else nats / tokens
        if (some, count) == (nats, tokens):
            return whole_loss, whole_loss, reported - val["objective"][1]
        return (some / count if count else None), whole_loss, reported - val["objective"][1]

    def terms(self):
        """Return every term."""
        logged, final = self.train, self.lag()
        start, end, shapley = self.conditions()
        _, val = self.ends()
        unseen, whole, reported = self.data()
        base = end - val["objective"][1]
        data = (
            {"unseen": whole - base, "leak": None}
            if unseen is None
            else {"unseen": unseen - base, "leak": whole - unseen}
        )
        residual = self.val - reported - val["objective"][1]
        return {"lag": final - logged, "recency": start - final, **shapley, **data, "draw": reported - whole,
                "residual": residual}  # fmt: skip
