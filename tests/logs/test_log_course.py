"""What a validation that comes behind training's last print is compared with, and whose losses are compared at all."""

import math
from pathlib import Path

import numpy as np
import pytest

from diagnose.errors import DiagnoseError
from diagnose.logs.judge import judge
from diagnose.report.log_document import report_of


def judged(tmp_path, text, name="metrics.csv"):
    (tmp_path / name).write_text(text)
    return judge([tmp_path / name])


def loss(step):
    return 2.5 * math.exp(-step / 400) + 0.6


def printed(noise, seed=0, every=5, val_every=100, last=1000):
    """Return a log whose last training value stands `every` steps before its last validation."""
    draw = np.random.default_rng(seed)
    rows = ["step,train_loss,val_loss"]
    for step in range(every, last + 1, every):
        rows += [] if step == last else [f"{step},{loss(step) + noise * draw.normal():.6f},"]
        rows += [f"{step},,{loss(step) + 0.1:.6f}"] if step % val_every == 0 else []
    return "\n".join(rows) + "\n"


class TestValidationBehindTheLastPrint:
    def test_the_last_gap_sways_less_than_a_single_print_does(self, tmp_path):
        gaps = [judged(tmp_path, printed(0.05, seed)).gap.last for seed in range(40)]
        assert np.mean(gaps) == pytest.approx(0.1, abs=0.03)
        assert np.sqrt(np.mean((np.array(gaps) - 0.1) ** 2)) < 0.04  # a line through four: 0.06; one print: 0.05

    def test_a_smooth_fall_is_followed_as_it_bends(self, tmp_path):
        assert judged(tmp_path, printed(0.0)).gap.last == pytest.approx(0.1, abs=2e-3)


def export(*columns):
    """Return a W&B export: each column's name and its values."""
    names = ",".join(f'"{name}"' for name in ("Step", *(name for name, _ in columns)))
    rows = [",".join(f'"{value(k):.5f}"' for _, value in columns) for k in range(10)]
    return "\n".join([names, *(f'"{k}",{row}' for k, row in enumerate(rows))]) + "\n"


def falls(to):
    return lambda k: 2.5 * math.exp(-k / 4) + to


class TestExportOfSeveralRuns:
    def test_each_run_is_told_of_under_its_name(self, tmp_path):
        record = judged(tmp_path, export(
            ("sunny-1 - train/loss", falls(0.6)), ("sunny-1 - val/loss", falls(0.7)),
            ("lucky-2 - train/loss", falls(0.8)), ("lucky-2 - val/loss", falls(0.6)),
        ))  # fmt: skip
        assert {run.name: round(run.last.val - run.last.train, 4) for run in record.runs} == {
            "sunny-1": 0.1,
            "lucky-2": -0.2,
        }

    def test_a_loss_is_never_compared_with_another_runs(self, tmp_path):
        record = judged(tmp_path, export(
            ("sunny-1 - train/loss", falls(0.6)), ("lucky-2 - train/loss", falls(0.8)),
            ("lucky-2 - val/loss", falls(0.6)),
        ))  # fmt: skip
        assert record.gap.last == pytest.approx(-0.2, abs=1e-4)

    def test_where_no_run_has_both_it_says_so(self, tmp_path):
        text = export(("sunny-1 - train/loss", falls(0.6)), ("lucky-2 - val/loss", falls(0.6)))
        with pytest.raises(
            DiagnoseError, match=r"no run has both losses: sunny-1 \(training\) and lucky-2 \(validation\)"
        ):
            judged(tmp_path, text)

    def test_one_of_which_nothing_can_be_said_is_left_out(self, tmp_path):
        record = judged(tmp_path, export(
            ("sunny-1 - train/loss", falls(0.6)), ("sunny-1 - val/loss", falls(math.nan)),
            ("lucky-2 - train/loss", falls(0.8)), ("lucky-2 - val/loss", falls(0.6)),
        ))  # fmt: skip
        assert record.gap.last == pytest.approx(-0.2, abs=1e-4)


def test_a_file_that_is_given_twice_is_no_second_run(tmp_path):
    (tmp_path / "train.log").write_text("epoch 1 train loss 1.5 val loss 1.25\n")
    with pytest.raises(DiagnoseError, match=r"train\.log is given twice"):
        judge([tmp_path / "train.log", tmp_path / "." / "train.log"])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("-", "- does not exist: a pipe is not read; write what it gives into a file first"),
        ("https://example.org/train.log", "does not exist: an address is not fetched; save what is there into a file"),
        ("nowhere.log", "nowhere.log does not exist"),
    ],
)
def test_what_is_no_file_says_what_to_give(given, told):
    with pytest.raises(DiagnoseError) as refused:
        judge([Path(given)])
    assert told in str(refused.value)


def test_what_is_of_one_run_says_whose_it_is(tmp_path):
    record = judged(tmp_path, export(
        ("sunny-1 - train/loss", falls(0.6)), ("sunny-1 - val/loss", falls(0.7)),
        ("lucky-2 - train/loss", falls(0.8)), ("lucky-2 - val/loss", falls(0.6)),
    ))  # fmt: skip
    report = report_of(record)
    titles = {section.name: section.heading for section in report.sections}
    assert record.run == "lucky-2"
    assert titles["curves"] == "The two losses along lucky-2, one of 2\xa0runs"
    assert titles["findings"] == "What was found in lucky-2"
    assert [head.note for head in report.headlines[:2]] == ["step 9 of lucky-2"] * 2
