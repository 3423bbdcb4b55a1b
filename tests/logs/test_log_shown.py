# ruff: noqa: E501
"""What is shown of a log: values that it holds, or what they are instead; as many digits as it has; means with their like."""

import json
import math

import pytest

from diagnose.errors import DiagnoseError
from diagnose.logs.judge import judge
from diagnose.report.console import rows
from diagnose.report.log_document import report_of


def judged(tmp_path, text, name="train.log"):
    path = tmp_path / name
    path.write_text(text)
    return judge([path])


def printed(record):
    """Return all that the terminal shows."""
    from io import StringIO

    from rich.console import Console

    out = StringIO()
    console = Console(file=out, width=200)
    console.print(rows(report_of(record), everything=True))
    return out.getvalue()


def many(val_every=40, last=200):
    """Return a log that prints training at every step, with scatter, and its training values."""
    train = {s: round(2 / (1 + s / 50) + 0.5 + 0.1 * math.sin(7 * s), 3) for s in range(1, last + 1)}
    lines = [
        f"step {s}: train loss {train[s]:.3f}"
        + (f"\nstep {s}: val loss {2 / (1 + s / 50) + 0.62:.3f}" if s % val_every == 0 else "")
        for s in train
    ]
    return "\n".join(lines) + "\n", train


def test_a_local_mean_is_told_beside_the_value_that_the_log_has(tmp_path):
    text, train = many()
    record = judged(tmp_path, text)
    for one in record.points.shown[:-1]:
        assert one.printed == train[one.at] != one.train
    assert record.points.shown[-1].printed is None
    assert record.points.shown[-1].train == train[200]
    assert record.points.averaged == 4
    assert record.source.shown == "training as a local mean of its prints in 4 of 5\xa0pairs"
    assert record.verdict.startswith("Validation lies above training's local mean in 5 of 5 prints")
    shown = printed(record)
    assert "training, local mean" in shown
    assert f"(printed {train[40]:.3f})" in shown


def test_values_of_the_log_are_shown_without_a_word(tmp_path):
    record = judged(tmp_path, "".join(f"epoch {e}: train loss {2 / e:.3f} val loss {3 / e:.3f}\n" for e in range(1, 7)))
    assert (record.source.shown, record.points.averaged) == (None, 0)
    assert "local mean" not in printed(record)
    assert "printed)" not in printed(record)


def test_logarithms_of_perplexities_are_told_and_have_the_digits_of_what_was_printed(tmp_path):
    text = "".join(f"epoch {e}: train ppl {40 // e} val ppl {60 // e}\n" for e in range(1, 6))
    record = judged(tmp_path, text)
    assert record.source.shown == "training and validation as logarithms of perplexities"
    assert record.points.decimals == (1, 1, 1)
    assert "above training in 5 of 5" in record.verdict


def test_each_side_has_its_own_digits_and_the_difference_those_of_the_coarser(tmp_path):
    text = "".join(f"epoch {e}: train loss {2 / e + 0.5:.1f} val loss {2 / e + 0.7234:.4f}\n" for e in range(1, 9))
    record = judged(tmp_path, text)
    assert record.points.decimals == (1, 4, 1)
    shown = printed(record)
    assert "training 2.5, validation 2.723" in shown
    assert "2.500" not in shown


def test_zeros_at_the_end_of_a_number_are_digits_too(tmp_path):
    table = "epoch,train_loss,val_loss\n1,1.1000,0.9300\n2,1.0000,0.8600\n"
    for name, text in (("a.log", "train loss 2.5000, val loss 2.2345\n"), ("b.csv", table)):
        assert judged(tmp_path, text, name).points.decimals == (4, 4, 4)
    assert judged(tmp_path, "train loss 2.5, val loss 2.2345\n").points.decimals == (1, 4, 1)


def imagenet(bracket):
    lines = []
    for e in range(4):
        for i in (0, 50, 100):
            value, mean = 2 / (1 + e + i / 100), 2 / (1 + e + i / 200)
            lines.append(
                f"Epoch: [{e}][{i:3d}/101]\tTime 0.1 (0.1)\tLoss {value:.4f} ({bracket(value, mean):.4f})\tAcc@1 50.0 (51.0)"
            )
        lines += [f"Test: [{i}/10]\tTime 0.1 (0.1)\tLoss {2.5 / (1 + e):.4f} ({2.2 / (1 + e):.4f})" for i in (0, 9)]
    return "\n".join(lines) + "\n"


def test_a_running_mean_in_brackets_is_compared_on_both_sides(tmp_path):
    record = judged(tmp_path, imagenet(lambda _, mean: mean))
    found = [(one.train, one.val) for one in record.points.shown]
    assert found == [(pytest.approx(2 / (1.5 + e), abs=1e-4), pytest.approx(2.2 / (1 + e), abs=1e-4)) for e in range(4)]
    assert record.source.train_is == "epoch"
    notes = " ".join(record.notes)
    assert "the mean is taken as the training loss" in notes
    assert "the mean is taken as the validation loss" in notes


def test_what_stands_in_brackets_and_is_no_mean_is_left(tmp_path):
    spread = judged(tmp_path, imagenet(lambda value, _: value / 20))
    assert [one.train for one in spread.points.shown] == pytest.approx([2 / (2 + e) for e in range(4)], abs=1e-4)
    assert "running mean" not in " ".join(n for n in spread.notes if "training loss" in n)
    best = "".join(
        f"epoch {e}: train loss {2 / e + 0.1 * (e % 2):.4f} ({min(2 / k + 0.1 * (k % 2) for k in range(1, e + 1)):.4f}), val loss {3 / e:.4f}\n"
        for e in range(1, 7)
    )
    record = judged(tmp_path, best)
    assert [one.train for one in record.points.shown] == pytest.approx(
        [2 / e + 0.1 * (e % 2) for e in range(1, 7)], abs=1e-4
    )


def test_icefall_s_mean_over_batches_is_compared(tmp_path):
    text = "".join(
        "".join(
            f"2022-05-12 10:00:0{b} INFO [train.py:842] (0/8) Epoch {e}, batch {50 * b}, loss[loss={1 / e:.4f}, simple_loss=0.5123, "
            f"over 4912.00 frames.], tot_loss[loss={(1.5 - b / 10) / e:.4f}, simple_loss=0.5312, over 208123.45 frames.], batch size: 5\n"
            for b in range(4)
        )
        + f"2022-05-12 10:01:00 INFO [train.py:880] (0/8) Epoch {e}, validation: loss={1.3 / e:.4f}, simple_loss=0.4123, over 944034.00 frames. \n"
        for e in (1, 2, 3)
    )
    record = judged(tmp_path, text)
    assert (record.source.train, record.source.tool, record.source.train_is) == ("tot loss", "icefall", "smooth")
    assert [one.train for one in record.points.shown] == pytest.approx([1.2, 0.6, 0.4])
    assert record.points.averaged == 0


FOLDS = {
    "a row each": "fold,train_loss,val_loss\n" + "".join(f"{f},0.2{f},0.3{f}\n" for f in range(1, 6)),
    "a column each": "metric,fold_1,fold_2,fold_3,mean\ntrain_loss,0.21,0.22,0.23,0.22\nval_loss,0.31,0.33,0.35,0.33\n",
    "rows of text": "Results\nfold  train_loss  val_loss\n1  0.21  0.31\n2  0.22  0.33\n3  0.23  0.35\n",
    "rows of Markdown": "| Seed | Train loss | Val loss |\n|---|---|---|\n| 1 | 0.21 | 0.31 |\n| 2 | 0.22 | 0.33 |\n| 3 | 0.23 | 0.35 |\n",
    "turned in text": "              fold 1  fold 2  fold 3  fold 4\ntrain loss     0.21    0.22    0.23    0.24\nval loss       0.31    0.33    0.35    0.36\n",
}


@pytest.mark.parametrize("text", FOLDS.values(), ids=FOLDS)
def test_a_table_of_folds_is_no_curve(tmp_path, text):
    with pytest.raises(DiagnoseError, match=r"table of . runs, one value each"):
        judged(tmp_path, text, "folds.csv")


def test_columns_of_folds_along_epochs_are_runs(tmp_path):
    text = "epoch,train_loss_fold0,val_loss_fold0,train_loss_fold1,val_loss_fold1\n" + "".join(
        f"{e},{2 / e:.3f},{2.1 / e:.3f},{2.2 / e:.3f},{2.4 / e:.3f}\n" for e in range(1, 6)
    )
    record = judged(tmp_path, text, "folds.csv")
    assert [(run.name, run.pairs) for run in record.runs] == [("fold 0", 5), ("fold 1", 5)]
    assert (record.runs[0].last.val, record.runs[1].last.val) == (0.42, 0.48)


LOOP = """import torch

def train(loader, lr=0.1):
    for epoch in range(3):
        # epoch 1 train loss 2.5 val loss 2.2
        print(f"epoch {epoch} train loss {1.5:.4f} val loss {2.5:.4f}")
"""


@pytest.mark.parametrize("name", ["loop.py", "pasted.txt"])
def test_source_code_is_no_log(tmp_path, name):
    with pytest.raises(DiagnoseError, match=r"it is Python source, no log of what it printed: give its output"):
        judged(tmp_path, LOOP, name)


def test_source_code_that_holds_both_curves_is_read(tmp_path):
    record = judged(
        tmp_path, "import os\ntrain_loss = [2.5, 1.5, 1.2, 1.0]\nval_loss = [2.2, 1.45, 1.2, 1.1]\n", "plot.py"
    )
    assert record.points.pairs == 4


def test_a_notebook_without_outputs_is_told_so(tmp_path):
    cell = {"cell_type": "code", "source": ["print('train loss', 1.5)"], "outputs": []}
    with pytest.raises(DiagnoseError, match=r"it is a notebook, and what its cells printed holds no loss .0 of 1"):
        judged(tmp_path, json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}), "a.ipynb")


def test_a_page_of_ours_names_what_it_is_of(tmp_path):
    from diagnose.report.page import render_log

    page = render_log(
        judged(tmp_path, "epoch 1 train loss 2.5 val loss 2.2\nepoch 2 train loss 2.0 val loss 2.1\n"), tmp_path
    )
    with pytest.raises(DiagnoseError, match=r"a page that diagnose wrote .Log train.log., no log: give the log itself"):
        judge([page])
