"""Every figure of docs/first-user.md: `python tools/first_user.py [FOLDER]`; 68 minutes on one busy core.

Their set-up, scaled down, with and without dropout, and the ledgers of both; then small ablations on the whole
bundled corpus for their other questions. Runs that are finished are used again.
"""

import sys
from pathlib import Path

from diagnose import Recipe, ablate, loss_gap, train
from diagnose.gap.run.run_gap import keep
from diagnose.report.page import render, render_gap

EVERY = 30  # of the corpus's verses: 1,037, from all its books
SCALED = {
    "data.corpus": "file", "batches.context": 32, "batches.size": 64, "model.layers": 3, "model.width": 128,
    "model.heads": 4, "optimizer.lr": 1e-3, "report.train": "interval", "run.device": "cpu",
}  # fmt: skip
SMALL = {"budget.text": 600_000, "run.device": "cpu"}  # of their other questions, a run
QUESTIONS = {
    "model": {},
    "masking": {"tokenizer.kind": "char"},
    "activation": {},
    "context": {},
    "batch-size": {},
    "lr-scale": {},
}


def verses(folder):
    """Write a verse in thirty, a line each with its book, as the first user has them."""
    from diagnose.data import corpus

    whole = list(corpus.load(Recipe.load("first-user").data, folder / "cache").texts())
    path = folder / "verses.txt"
    path.write_text("\n".join(text.strip("\n") for text in whole[::EVERY]) + "\n", encoding="utf-8")
    return path


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    runs, reports, path = folder / "runs", folder / "reports", verses(folder)
    for dropout in (0.1, 0.0):
        keys = {**SCALED, "data.path": str(path.absolute()), "model.dropout": dropout}
        run = train(Recipe.load("first-user", keys), runs=runs, resume=True)
        found = keep(run, loss_gap(run, verify=True))
        render(run, reports)
        print(f"\n## First user's set-up, dropout {dropout}\n\n{found['verdict']}\n")
        print("| term | nats per token | 95 % |\n| --- | ---: | --- |")
        for term in found["terms"]:
            if term["value"]:
                ends = "exact" if term["low"] is None else f"{term['low']:+.3f} to {term['high']:+.3f}"
                print(f"| {term['id']} | {term['value']:+.3f} | {ends} |")
        print(f"| gap | {found['gap']:+.3f} | |")
        print(render_gap(run, reports))
    for axis, keys in QUESTIONS.items():
        ablation = ablate(axis, recipe="quick", overrides={**SMALL, **keys}, seeds=3, runs=runs, resume=True)
        print(f"\n## {axis}\n\n{verdict(ablation)}\n{render(ablation, reports)[0]}", flush=True)


def verdict(folder):
    from diagnose.runs import store

    return store.read_json(folder / "summary.json")["verdict"]


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "first-user"))
