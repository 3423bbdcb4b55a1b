# ruff: noqa: RUF001  (true minus signs, as they are printed)
"""One small input for every kind of log that was once read wrongly, with its right values (`tests/logs/cases`)."""

from pathlib import Path

import pytest

from diagnose.errors import DiagnoseError
from diagnose.logs.judge import judge

CASES = Path(__file__).parent / "cases"


def over(top, count, first=1):
    """top / 1, top / 2, ... as the cases have them."""
    return {e: top / e for e in range(first, first + count)}


def line(start, slope, places):
    """A value that changes by the same from place to place."""
    return {at: start + slope * k for k, at in enumerate(places)}


# name: (training by place, validation by place, axis); as EXPECTED.md of the cases states them
READ = {
    "mode-field.jsonl": (over(0.9, 5), over(0.7, 5), "epoch"),
    "split-column.csv": (over(2.0, 7), over(1.8, 7), "epoch"),
    "markdown-table.md": (line(1.7, -0.1, range(100, 701, 100)), line(1.15, -0.05, range(100, 701, 100)), "step"),
    "fastai-table.txt": (line(1.2, -0.1, range(6)), line(1.0, -0.07, range(6)), "epoch"),
    "skorch-table.txt": (line(1.1, -0.1, range(1, 8)), line(0.93, -0.07, range(1, 8)), "epoch"),
    "side-in-heading.txt": (over(1.0, 5), over(0.8, 5), "epoch"),
    "side-before-time.txt": (over(1.0, 5), over(0.8, 5), "epoch"),
    "valid-epoch-bar.txt": (over(1.0, 6), over(0.8, 6), "epoch"),
    "lightning-bar.txt": (over(1.0, 7), over(0.9, 7), "epoch"),
    "lightning-bar2.txt": (over(1.0, 7), over(0.9, 7), "epoch"),
    "component-losses.txt": (over(1.2, 6), over(1.0, 6), "epoch"),
    "dice-loss.txt": (over(0.5, 6), over(0.4, 6), "epoch"),
    "vali-and-test.txt": (over(1.0, 6), over(2.0, 6), "epoch"),
    "val-and-test.txt": (over(1.0, 6), over(2.0, 6), "epoch"),
    "litgpt.txt": ({20: 2.6, 40: 2.2}, {20: 2.7, 40: 2.3}, "step"),
    "iter-and-step.txt": (line(2.0, -0.1, range(100, 501, 100)), line(1.9, -0.1, range(100, 501, 100)), "step"),
    "stale-val.txt": ({30: 2.393, 50: 1.97}, {30: 2.9, 50: 2.1}, "step"),
    "rate-as-step.txt": (line(4.5, -0.5, range(250, 1001, 250)), line(4.6, -0.5, range(250, 1001, 250)), "step"),
    "words-per-batch.txt": (line(4.5, -0.5, range(1, 6)), line(4.7, -0.5, range(1, 6)), "epoch"),
    "valid-progress.txt": ({1: 3.0, 6: 1.75}, {1: 3.3, 6: 1.93}, "epoch"),
    "scale-quieter.txt": ({1: 70831613.2, 12: 60427081.6}, {1: 90671.1, 12: 90561.9}, "epoch"),
    "tiny-values.txt": (over(4e-5, 12), over(3e-5, 12), "epoch"),
    "cross-entropy.txt": (line(2.9, -0.1, range(10, 101, 10)), line(3.0, -0.1, range(10, 101, 10)), "step"),
    "marian.txt": (line(3.8, -0.2, range(200, 801, 200)), line(3.9, -0.2, range(200, 801, 200)), "step"),
    "logloss.txt": (line(0.69, -0.02, range(0, 29, 2)), line(0.69, -0.012, range(0, 29, 2)), "step"),
    "namespace-header.txt": (over(5.0, 6), over(5.5, 6), "epoch"),
    "val-before-train.txt": (line(3.3, -0.4, range(5, 26, 5)), line(3.0, -0.4, range(5, 26, 5)), "step"),
    "hf-no-log.txt": ({500: 1.6, 1400: 0.5714}, {500: 0.775, 1400: 0.55}, "step"),
    "decimal-comma.csv": (over(2.0, 8), over(1.8, 8), "epoch"),
    "fraction-epochs.jsonl": (line(1.875, -0.125, range(50, 401, 50)), line(1.775, -0.125, range(50, 401, 50)), "step"),
    "keras-lines.txt": (over(1.2, 6), over(1.0, 6), "epoch"),
    "keras-samples-not-steps.txt": (over(0.8, 8), over(0.9, 8), "epoch"),
    "sections-on-one-line.txt": (over(15.0, 6), over(9.0, 6), "epoch"),
    "chinese.txt": (over(1.0, 6), over(0.8, 6), "epoch"),
    "one-pair.txt": ({50: 4.005}, {50: 1.475}, "epoch"),
    "one-train-value.txt": ({0: 10.5}, {0: 10.0}, "step"),
    "smooth-below.txt": ({1: 4.3376, 15: 2.0732}, {1: 3.8203, 15: 2.0091}, "epoch"),
    "smooth-gap.txt": ({1: 4.5433, 2: 4.1498}, {1: 4.6070, 2: 4.2716}, "epoch"),
    "overfit-plain.txt": ({0: 4.2, 2000: 0.03}, {0: 4.2, 2000: 4.2}, "step"),
    "rounded-frozen.txt": ({0: 0.0110, 29: 0.0012}, {0: 0.0108, 29: 0.0011}, "epoch"),
    "trainer-state-accumulated.json": ({50: 1.875, 300: 1.25}, {50: 1.825, 300: 1.2}, "step"),
}  # fmt: skip
COUNTS = {
    "valid-progress.txt": 6, "scale-quieter.txt": 12, "hf-no-log.txt": 10, "smooth-below.txt": 15, "smooth-gap.txt": 30,
    "overfit-plain.txt": 11, "rounded-frozen.txt": 30, "trainer-state-accumulated.json": 6,
}  # fmt: skip


def paired(name):
    from diagnose.logs.pairs import pairs
    from diagnose.logs.read import read

    return pairs(read([CASES / name]), {})


@pytest.mark.parametrize("name", READ)
def test_pairs_stand_where_they_were_printed(name):
    train, val, axis = READ[name]
    found = paired(name)
    assert found.axis == axis
    assert len(found.at_N) == COUNTS.get(name, len(train))
    at = found.at_N.tolist()
    assert set(train) <= set(at)
    for side, values in ((found.train_N, train), (found.val_N, val)):
        assert [side[at.index(k)] for k in values] == pytest.approx(list(values.values()), rel=4e-3, abs=1e-7)


PAIRED_FILES = [("train.csv", "validation.csv"),
                ("run-train-tag-epoch_loss.csv", "run-validation-tag-epoch_loss.csv")]  # fmt: skip


@pytest.mark.parametrize("names", PAIRED_FILES)
def test_the_side_is_in_the_files_name(names):
    report = judge([CASES / "two-files" / name for name in names])
    assert report.points.pairs == 7
    assert report.gap.first == pytest.approx(-0.2)
    assert report.gap.last == pytest.approx(-0.02857, abs=1e-5)


VERDICTS = {
    "smooth-below.txt": ("below training in 15 of 15 prints, narrowing", "−0.517 at epoch 1", "−0.0641 at epoch 15"),
    "overfit-plain.txt": ("above training", "widening", "+4.17 at step 2,000", "lowest at step 800", "overfitting"),
    "smooth-gap.txt": ("above training in 30 of 30 prints, widening",),
    "tiny-values.txt": ("below training in 12 of 12", "0.75 of training"),
    "scale-quieter.txt": ("1/667 of training", "69,500,000"),
    "cross-entropy.txt": ("above training in 10 of 10 prints, by 0.1",),
    "one-pair.txt": ("One pair", "0.37 of training", "too large for the luck"),
    "iter-and-step.txt": ("below training's local mean in 5 of 5 prints, by 0.10",),
    "fixed-val-set.txt": ("below training's local mean in 26 of 31 prints",),
    "three-runs.txt": ("3\xa0runs (model A, model B and model C)", "below in 3 of 3"),
    "k-folds.txt": ("5\xa0runs", "validation is 0.2800", "training 0.2300", "above in 5 of 5"),
    "appended-fits.csv": ("3\xa0runs", "above in 3 of 3"),
    "skorch-table.txt": ("below training in 6 of 7", "from −0.170 at epoch 1 to +0.0100 at epoch 7"),
    "val-and-test.txt": ("above training in 6 of 6", "2 times training"),
}  # fmt: skip


@pytest.mark.parametrize("name", VERDICTS)
def test_the_verdict_speaks_of_course_and_end(name):
    verdict = judge([CASES / name]).verdict
    for words in VERDICTS[name]:
        assert words in verdict


REFUSED = {
    "code-in-log.txt": ("only validation losses and no training loss", "11\xa0values", "training loss too"),
    "namespace-value.txt": ("no validation loss", "2\xa0values", "val loss 2.0"),
    "table-of-runs.csv": ("table of 30 runs", "no run has a curve"),
    "tuple.txt": ("8\xa0lines hold two or more values after 'loss'", "train loss 1.9, val loss 2.0"),
    "train-only.txt": ("no validation loss", "20\xa0values", "nothing can be said of a gap"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_says_what_was_found_and_what_to_print(name):
    with pytest.raises(DiagnoseError) as error:
        judge([CASES / name])
    said = str(error.value)
    assert "\n" not in said
    for words in REFUSED[name]:
        assert words in said


@pytest.mark.parametrize("name", sorted({*READ, *VERDICTS} - {"val-and-test.txt", "vali-and-test.txt"}))
def test_no_number_is_said_to_be_wrong(name):
    """None of these logs holds a mistake; that validation lies below or rises is no mistake of the numbers."""
    report = judge([CASES / name])
    assert {one.rule for one in report.findings} <= {"log/validation-below-training", "log/overfitting"}
    said = " ".join([report.verdict, *report.notes, report.next.what, report.next.outcome,
                     *(cause.why + cause.looks for cause in (*report.possible, *report.ruled_out))])  # fmt: skip
    for words in ("no gap to explain", "samples, ", "documents", "averaged over more"):
        assert words not in said


def test_a_fixed_validation_set_keeps_its_luck():
    report = judge([CASES / "fixed-val-set.txt"])
    assert "draw" in {cause.id for cause in report.possible}
    assert report.gap.whole.value == pytest.approx(-0.015, abs=0.01)


def test_first_prints_are_compared_at_their_place():
    found = paired("first-print.txt")
    assert found.train_N[0] == 11.0271
    assert abs(found.gap_N).max() < 0.03


def test_a_perplexity_of_base_two_is_a_note():
    report = judge([CASES / "ppl-of-nll-base2.txt"])
    assert not report.findings
    assert any("2 to the power of 'nll loss', so losses are in bits" in note for note in report.notes)
    assert report.points.pairs == 7


def test_other_losses_are_compared_with_their_like():
    others = {run.name: run for run in judge([CASES / "component-losses.txt"]).others}
    assert set(others) == {"train loc loss and test loc loss", "cls loss and val cls loss"}
    assert {run.pairs for run in others.values()} == {6}
    second = judge([CASES / "namespace-header.txt"]).others
    assert [(run.name, run.pairs) for run in second] == [("d loss and val d loss", 6)]


def test_a_third_set_is_named():
    assert any("'Test Loss'".lower() in note for note in judge([CASES / "vali-and-test.txt"]).notes)


def test_each_run_is_told():
    runs = judge([CASES / "k-folds.txt"]).runs
    assert [run.name for run in runs] == [f"Fold {k}" for k in range(1, 6)]
    assert [run.last.train for run in runs] == pytest.approx([0.21, 0.22, 0.23, 0.24, 0.25])
    assert [run.pairs for run in judge([CASES / "appended-fits.csv"]).runs] == [4, 4, 4]


def test_mixup_and_augmentation_are_possible_of_one_pair():
    report = judge([CASES / "one-pair.txt"])
    assert "augmentation" in {cause.id for cause in report.possible}
    assert "mixup" in report.next.what


def test_what_puts_validation_below_at_first_is_possible_where_it_ends_above(tmp_path):
    """The commonest course: an epoch's mean lags while the loss falls fast, and overfitting shows later."""
    losses = [(2.71, 2.43), (2.21, 2.03), (1.91, 1.87), (1.71, 1.79), (1.54, 1.76), (1.41, 1.78)]
    path = tmp_path / "train.log"
    path.write_text("".join(f"epoch {k} train loss {a} val loss {b}\n" for k, (a, b) in enumerate(losses, 1)))
    report = judge([path])
    assert [cause.id for cause in report.possible][:4] == ["unseen", "lag", "mode", "augmentation"]
    assert not report.ruled_out
    path.write_text("".join(f"epoch {k} train loss {b} val loss {a}\n" for k, (a, b) in enumerate(losses[:3], 1)))
    assert {cause.id for cause in judge([path]).ruled_out} == {"lag", "augmentation"}


@pytest.mark.parametrize("name", [*READ, *VERDICTS])
def test_what_matters_takes_fifteen_lines(name, diagnose):
    _, out, err = diagnose("log", CASES / name)
    assert not err
    assert len(out.splitlines()) <= 15
    assert max(map(len, out.splitlines())) <= 100


def test_keras_counts_one_value_an_epoch():
    assert judge([CASES / "keras-lines.txt"]).points.train == 6


def test_a_log_has_a_page(diagnose, tmp_path):
    code, out, _ = diagnose("log", CASES / "smooth-gap.txt", "--page", "--out", tmp_path / "page.html")
    assert code == 0
    assert out.splitlines()[-1].endswith("page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "widening" in text
    assert text.count("<svg") == 2
    assert "<script" not in text
    again = tmp_path / "again.html"
    diagnose("log", CASES / "smooth-gap.txt", "--page", "--out", again)
    assert again.read_text(encoding="utf-8") == text


def _printed(path, pairs, form):
    path.write_text("".join(form.format(k=k, train=a, val=b) + "\n" for k, (a, b) in enumerate(pairs)))
    return judge([path])


TRAINED = [1.9231, 1.4102, 1.1555, 0.9817, 0.8613, 0.7744]


def test_one_ratio_in_all_prints_is_a_factor_whichever_it_is(tmp_path):
    """Summed over 408 batches and divided by 12.5: 32.64 is no whole number, and a gap is never so steady."""
    pairs = [(loss, 32.64 * loss) for loss in TRAINED]
    report = _printed(tmp_path / "a.log", pairs, "epoch {k} train loss {train:.4f} val loss {val:.4f}")
    (found,) = report.findings
    assert found.rule == "log/factor"
    assert found.measured["ratio"] == pytest.approx(32.64, rel=1e-4)
    assert "They lie a factor apart" in report.verdict
    moved = [(loss, 32.64 * loss * (1 + 0.01 * (-1) ** k)) for k, loss in enumerate(TRAINED)]
    assert not _printed(tmp_path / "b.log", moved, "epoch {k} train loss {train:.4f} val loss {val:.4f}").findings


def test_a_running_loss_that_is_a_sum_is_no_decaying_mean(tmp_path, diagnose):
    pairs = [(250 * loss, 1.7 - 0.1 * k) for k, loss in enumerate(TRAINED)]
    report = _printed(tmp_path / "a.log", pairs, "epoch {k}, running_loss {train:.3f}, val_loss {val:.4f}")
    assert any("as a sum is beside a mean" in found.what for found in report.findings if found.rule == "log/factor")
    assert "decaying mean" not in diagnose("log", tmp_path / "a.log")[1]
