"""A/A ablations: tiny networks, really trained on real text, in two arms that differ in nothing but their streams.

Design, training, reading and statistics are those of `diagnose ablate --axis seed`; only the run directories are left
out. Every ablation has seeds of its own, so their verdicts are independent, and what fewer seeds would have said is
read off the first of its five.
"""

from dataclasses import replace

import numpy as np

from diagnose.ablation.axes import NAMED, find
from diagnose.ablation.design import design
from diagnose.ablation.effects import Scores, compare
from diagnose.runs.session import read_documents
from diagnose.training import trainer

EVERY = 30  # of the corpus's verses: 1,037, from all its books
TINY = {
    "data.corpus": "file", "tokenizer.kind": "char", "model.layers": 1, "model.width": 32, "model.heads": 2,
    "model.dropout": 0.1, "batches.context": 32, "batches.size": 8, "budget.steps": 60, "optimizer.lr": 5e-3,
    "report.sample": False, "run.threads": 1, "run.device": "cpu",
}  # fmt: skip
FAR = 1_000_000  # between the seeds of one ablation and those of the next


def verses(folder):
    """Write a verse in thirty of the bundled corpus, a line each."""
    from pythonbible_akjv.plain_text_readers_bible import bible

    text, ends = bible.scripture_content, bible.verse_end_indices
    lines = [" ".join(text[a : ends[v]].split()) for v, a in bible.verse_start_indices.items()]
    path = folder / "verses.txt"
    path.write_text("\n".join(lines[::EVERY]) + "\n", encoding="utf-8")
    return path


def ablation(number, seeds, path):
    """Train both arms of one A/A ablation; return its axis, its arms' levels and their scores."""
    first = FAR * number
    axis = replace(NAMED["seed"], levels={"a": {"run.seed": first}, "b": {"run.seed": first + FAR // 2}})
    plan = design([axis], "quick", TINY | {"data.path": str(path)}, seeds, None)
    scores = {arm.level: scored([arm.setups[seed] for seed in plan.seeds]) for arm in plan.arms}
    return plan.axes, {arm.level: arm.levels for arm in plan.arms}, scores


def scored(setups):
    """Train a run for each set-up and return what it spent on each document of the validation text."""
    read = [trained(setup) for setup in setups]
    bits_SN = np.stack([one.nats_N for one in read]) / np.log(2)
    return Scores((), bits_SN, np.array([one.tokens_N.sum() for one in read]), read[0].bytes_N)


def trained(setup):
    setup.prepare()
    net = setup.network()
    optimizer = trainer.make_optimizer(net, setup.recipe.optimizer)
    for _ in trainer.train_steps(net, optimizer, setup.course, trainer.START):
        pass
    return read_documents(setup, net, setup.text.split.scored)


def effect(found, seeds):
    """Return what the first seeds of an ablation say."""
    return part(found, 0, seeds)


# A network that is a sixteenth narrower, trained at a rate at which none comes to grief: pairs of runs, which share no
# weights at the start, deviate like normal numbers. With a lower rate as the handicap most would stay close together,
# and at the rate of the A/A ablations one pair in a hundred is far off: then deviations predict no power.
HANDICAP, STEADY = "model.width=32,30", {"optimizer.lr": 2e-3}


def handicapped(seeds, path):
    """Train both arms of one long ablation, a network and the same with a handicap, the streams of a seed shared."""
    keys = {key: value for key, value in (TINY | STEADY).items() if key != HANDICAP.partition("=")[0]}
    plan = design([find(HANDICAP)], "quick", keys | {"data.path": str(path)}, seeds, None)
    scores = {arm.level: scored([arm.setups[seed] for seed in plan.seeds]) for arm in plan.arms}
    return plan.axes, {arm.level: arm.levels for arm in plan.arms}, scores


def part(found, first, count):
    """Return what some of the seeds say alone."""
    axes, arms, scores = found
    rows = slice(first, first + count)
    some = {
        level: replace(one, bits_SN=one.bits_SN[rows], tokens_S=one.tokens_S[rows]) for level, one in scores.items()
    }
    return compare(axes, arms, some)[0]
