"""What a newcomer met: commas, two runs at once, a perplexity that contradicts its loss, names given for text."""

import json
import math

import pytest

from diagnose.errors import DiagnoseError
from diagnose.logs import document
from diagnose.logs.judge import judge
from diagnose.logs.pairs import pairs
from diagnose.logs.read import parse_columns, read


def written(folder, **files):
    paths = [folder / f"{name}.txt" for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text)
    return paths


def lines(form, n=6, **more):
    return "".join(
        form.format(e=e, a=2 / e, b=2.4 / e, **{k: f(e) for k, f in more.items()}) + "\n" for e in range(1, n + 1)
    )


def test_two_runs_are_both_reported_whatever_their_losses_are_called(tmp_path):
    files = written(
        tmp_path,
        first=lines("epoch {e} train loss {a:.3f} val loss {b:.3f}"),
        second=lines("step {e} loss={a:.4f} val_loss={b:.4f}", n=4),
    )
    found = judge(files)
    assert [(run.name, run.pairs) for run in found.runs] == [("first.txt", 6), ("second.txt", 4)]
    assert "runs (first.txt and second.txt)" in found.verdict
    assert found.runs[1].last.val == pytest.approx(0.6)


def test_a_file_that_goes_on_from_another_is_a_part_of_its_run(tmp_path):
    whole = lines("epoch {e} train loss {a:.3f} val loss {b:.3f}").splitlines(keepends=True)
    found = judge(written(tmp_path, first="".join(whole[:3]), second="".join(whole[3:])))
    assert (found.points.pairs, found.runs) == (6, ())


def test_files_without_positions_are_said_to_be_read_as_one_run(tmp_path):
    text = lines("train loss {a:.3f} val loss {b:.3f}")
    found = judge(written(tmp_path, first=text, second=text))
    assert any("read as parts of one" in note for note in found.notes)


def test_a_perplexity_that_contradicts_its_loss_at_one_step_is_said(tmp_path):
    form = "step {e} train loss {a:.4f} val loss {b:.4f} val ppl {p:.4f}"
    good = lines(form, p=lambda e: math.exp(2.4 / e))
    bad = lines(form, p=lambda e: math.exp(2.4 / e) * (1.5 if e == 4 else 1))
    assert not [one for one in judge(written(tmp_path, good=good)).findings if one.rule == "log/perplexity"]
    said = [one.what for one in judge(written(tmp_path, bad=bad)).findings if one.rule == "log/perplexity"]
    assert len(said) == 1
    assert "at step 4" in said[0]
    assert "5 of 6 prints" in said[0]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("n {e}: A {a:.4f}, B {b:.4f}", {"train": "A", "val": "B", "step": "n"}),
        (
            "[Train] n={e} total={a:.4f} rec=1.0\n[Valid] n={e} total={b:.4f} rec=1.0",
            {"train": "Train total", "val": "Valid total", "step": "n"},
        ),
    ],
)
def test_names_that_are_given_are_found_in_text(text, columns, tmp_path):
    found = pairs(read(written(tmp_path, log=lines(text)), columns=columns), columns)
    assert (found.axis, found.at_N.tolist()) == ("step", [1, 2, 3, 4, 5, 6])
    assert found.train_N.tolist() == pytest.approx([2 / e for e in range(1, 7)], abs=1e-4)
    assert found.val_N.tolist() == pytest.approx([2.4 / e for e in range(1, 7)], abs=1e-4)


def test_names_that_are_given_head_the_columns_of_a_table_in_text(tmp_path):
    files = written(tmp_path, log="begins here\nn foo bar\n" + lines("{e} {a:.4f} {b:.4f}"))
    columns = {"train": "foo", "val": "bar", "step": "n"}
    assert len(pairs(read(files, columns=columns), columns).at_N) == 6


def test_a_name_that_is_not_in_a_text_is_refused_with_what_a_name_is(tmp_path):
    with pytest.raises(DiagnoseError, match="the words right before a value"):
        judge(written(tmp_path, log=lines("n {e}: A {a:.4f}, B {b:.4f}")), columns="train=A,val=C")


def document_of(kind, n):
    losses = [2 / (k + 1) for k in range(n)], [2.4 / (k + 1) for k in range(n)]
    if kind == "history":
        return {"note": 'a {b} "c" [1, 2', "history": {"loss": losses[0], "lr": [0.1] * n, "val_loss": losses[1]}}
    if kind == "sides":
        return {"train": {"loss": losses[0]}, "valid": {"loss": losses[1]}}
    return {
        "args": {"sizes": [1, 2]},
        "steps": [{"step": k, "loss": a, "val_loss": b} for k, (a, b) in enumerate(zip(*losses, strict=True))],
    }


@pytest.mark.parametrize("kind", ["history", "sides", "records"])
def test_a_document_too_large_to_be_held_is_read_piece_by_piece(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(document, "MOST_WHOLE", 1 << 16)
    path = tmp_path / "log.json"
    path.write_text(json.dumps(document_of(kind, 60_000), indent=1 if kind == "sides" else None))
    found = pairs(read([path]), {})
    assert (found.train.count, found.val.count) == (60_000, 60_000)
    assert found.val.value[0] == 2.4
    assert found.val.value[-1] == pytest.approx(2.4 / 60_000)


def test_a_large_document_without_a_loss_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(document, "MOST_WHOLE", 1 << 16)
    path = tmp_path / "log.json"
    path.write_text(json.dumps({"lr": [0.1] * 600_000}))
    with pytest.raises(DiagnoseError, match="too large to be held"):
        read([path])


def test_commas_of_a_list_say_nothing_of_those_of_losses(tmp_path):
    """The devices 0 and 1 make no decimal comma of "12,345"; that it may be either is said under a heading, too."""
    text = "using devices 0,1 from epoch 1\n" + "".join(
        f"epoch {e}\nTraining:\nloss {14 - e},345\nValidation:\nloss {15 - e},345\n" for e in range(1, 4)
    )
    with pytest.raises(DiagnoseError, match="decimal comma"):
        judge(written(tmp_path, log=text))


def test_thousands_are_told_by_whole_values_below_a_thousand(tmp_path):
    text = "".join(f"epoch {e} train loss {2400 // e:,} val loss {2700 // e:,}\n" for e in range(1, 7))
    found = pairs(read(written(tmp_path, log=text)), {})
    assert found.train_N.tolist() == [2400, 1200, 800, 600, 480, 400]


def test_a_bracket_begins_the_name_of_a_loss(tmp_path):
    text = "".join(
        f"epoch {e}: test accuracy (test loss: {3 / e}), train accuracy (train loss: {2 / e})\n" for e in (1, 2, 4)
    )
    assert pairs(read(written(tmp_path, log=text)), {}).val_N.tolist() == [3.0, 1.5, 0.75]


@pytest.mark.parametrize("step", [1, 10])
def test_a_bar_that_shows_its_first_loss_at_0_is_not_the_end_of_the_epoch_before(step, tmp_path):
    """As tqdm does with `set_postfix`: each loss once before its batch is counted and, at times, once behind."""
    text = ""
    for epoch in range(6):
        for done in range(0, 51, step):
            for loss in (done - step, done):
                shown = 2.6 - 0.25 * epoch - 0.005 * max(loss, 0)
                text += f"\rEpoch {epoch}: {2 * done}%|#| {done}/50 [00:00<00:00, 99.5it/s, loss={shown:.3f}]"
        text += f"\nEpoch {epoch} val_loss: {2.6 - 0.25 * epoch - 0.25 - 0.1:.3f}\n"
    (path := tmp_path / "bar.log").write_text(text, newline="")
    found = pairs(read([path]), {})
    assert found.val_N - found.train_N == pytest.approx([-0.1] * 6, abs=2e-3)


@pytest.mark.parametrize("last", ["Mean val_loss: 0.9", "Average validation loss over folds: 0.9"])
def test_a_mean_over_folds_is_of_none_of_them(last, tmp_path):
    text = ""
    for fold in range(3):
        text += f"Fold {fold + 1}/3\n" + "".join(
            f"epoch {k + 1} train_loss: {2.6 - 0.3 * k:.4f} val_loss: {2.0 - 0.3 * k + 0.05 * fold:.4f}\n"
            for k in range(5)
        )
    found = judge(written(tmp_path, folds=f"{text}{last}\n"))
    assert [run.last.val for run in found.runs] == pytest.approx([0.8, 0.85, 0.9])


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("100 2.5 2.9\n200 2.1 2.4\n300 1.7 2.2\n", "train=2,val=3,step=1"),
        ("100,2.5,2.9\n200,2.1,2.4\n300,1.7,2.2\n", "train=2,val=3,step=1"),
        ("# n a b\n100\t2.5\t2.9\n200\t2.1\t2.4\n300\t1.7\t2.2\n", "train=2,val=3,step=1"),
        ("0.1;100;2,9;2,5\n0.1;200;2,4;2,1\n0.1;300;2,2;1,7\n", "val=3, train=4, step=2"),
        ("n,a,b\n100,2.5,2.9\n200,2.1,2.4\n300,1.7,2.2\n", "train=2,val=3,step=1"),
    ],
)
def test_columns_without_names_are_given_by_number(text, given, tmp_path):
    path = tmp_path / "losses.dat"
    path.write_text(text)
    columns = parse_columns(given)
    found = pairs(read([path], columns=columns), columns)
    assert (found.axis, found.at_N.tolist()) == ("step", [100, 200, 300])
    assert (found.train_N.tolist(), found.val_N.tolist()) == ([2.5, 2.1, 1.7], [2.9, 2.4, 2.2])


def test_a_column_s_number_beyond_the_rows_is_told(tmp_path):
    path = tmp_path / "losses.dat"
    path.write_text("100 2.5 2.9\n200 2.1 2.4\n")
    with pytest.raises(DiagnoseError, match="val=4: the rows have 3 columns, the first of which is 1"):
        read([path], columns=parse_columns("train=2,val=4"))
    path.write_text("no numbers\nat all\n")
    with pytest.raises(DiagnoseError, match="the file has no rows of numbers"):
        read([path], columns=parse_columns("train=2,val=4"))


def test_columns_that_are_called_by_numbers_keep_their_names(tmp_path):
    path = tmp_path / "losses.csv"
    path.write_text("0,1,2\n100,2.5,2.9\n200,2.1,2.4\n300,1.7,2.2\n")
    columns = parse_columns("train=1,val=2,step=0")
    found = pairs(read([path], columns=columns), columns)
    assert (found.train_N.tolist(), found.val_N.tolist()) == ([2.5, 2.1, 1.7], [2.9, 2.4, 2.2])


@pytest.mark.parametrize("values", [(2.5, 2.0), (2.1, 1.7, 1.3)])
@pytest.mark.parametrize(("of_train", "of_val"), [(math.e, 2), (2, math.e), (math.e, math.e), (2, 2)])
def test_perplexities_of_two_bases_are_told(of_train, of_val, values, tmp_path):
    lines = "".join(
        f"epoch {e} train loss {x:.3f} ppl {of_train**x:.3f} | val loss {x + 0.2:.3f} ppl {of_val ** (x + 0.2):.3f}\n"
        for e, x in enumerate(values, 1)
    )
    found = judge(written(tmp_path, log=lines)).findings
    told = [one.what for one in found if one.rule == "log/units"]
    assert bool(told) == (of_train != of_val)
    assert not told or ("training perplexity is e" in told[0]) == (of_train == math.e)


def test_perplexities_of_two_bases_are_told_of_a_single_line(tmp_path):
    line = "train loss 2.000 ppl 7.389 val loss 2.100 ppl 4.287\n"
    assert any("2 to the power" in one.what for one in judge(written(tmp_path, log=line)).findings)


@pytest.mark.parametrize("side", ["valid_evaluation", "valid_eval", "eval_valid"])
def test_a_side_of_two_words_leads_a_loss(side, tmp_path):
    text = lines("epoch: {e}\n" + side + ": loss={b:.6f}, acc=0.1\ntrain_loss:  {a:.6f}")
    assert pairs(read(written(tmp_path, log=text)), {}).val_N.tolist() == pytest.approx([2.4 / e for e in range(1, 7)])


def test_an_evaluation_of_training_data_is_no_validation(tmp_path):
    text = lines("epoch: {e}\ntrain_eval: loss={b:.6f}, acc=0.1\ntrain_loss:  {a:.6f}")
    with pytest.raises(DiagnoseError, match="no validation loss"):
        judge(written(tmp_path, log=text))


def test_an_epoch_and_a_ratio_in_one_bracket_are_one_run(tmp_path):
    rows = [
        f"[{e}: {k}/11] train loss: {3 / (1 + 11 * e + k):.6f} accuracy: 0.5\n"
        + (f"[{e}: {k}/11] test loss: {3.3 / (1 + 11 * e + k):.6f} accuracy: 0.4\n" if k % 10 == 0 else "")
        for e in range(3)
        for k in range(11)
    ]
    found = judge(files := written(tmp_path, log="".join(rows)))
    assert (found.runs, found.points.val) == ((), 6)
    assert pairs(read(files), {}).val_N[-1] == pytest.approx(3.3 / 33)


def test_the_size_of_a_vocabulary_tells_nothing_of_a_loss_that_begins_below_its_logarithm(tmp_path):
    """Such may be of a text's class, or of weights that were loaded."""
    for scale, said in ((1.0, False), (4.0, True)):
        rows = [f"step {k} train loss {2.3 * scale * 0.9**k:.3f} val loss {2.4 * scale * 0.9**k:.3f}" for k in range(9)]
        rules = [one.rule for one in judge(written(tmp_path, log="\n".join(["Vocab size: 302", *rows]))).findings]
        assert ("log/start" in rules) == said


STEPS = (5.777, 5.282, 5.15)


def ended(quote):
    """What Trainer's example scripts print where they evaluate after training, in the words of two versions."""
    steps = "".join(
        f"{{'loss': {quote}{x}{quote}, 'epoch': {quote}{0.5 * k}{quote}}}\n" for k, x in enumerate(STEPS, 1)
    )
    return steps + (
        f"{{'train_runtime': {quote}7.05{quote}, 'train_loss': {quote}5.331{quote}, 'epoch': {quote}2{quote}}}\n"
        "***** train metrics *****\n  epoch                    =        2.0\n  train_loss               =     5.3308\n"
        f"{{'eval_loss': {quote}5.086{quote}, 'eval_runtime': {quote}0.4{quote}, 'epoch': {quote}2{quote}}}\n"
        "***** eval metrics *****\n  epoch                   =        2.0\n  eval_loss               =     5.0861\n"
    )


@pytest.mark.parametrize("quote", ["", "'"])
def test_the_mean_of_all_steps_that_a_trainer_ends_with_is_no_steps_loss(quote, tmp_path):
    log = read(written(tmp_path, log=ended(quote)))
    found = pairs(log, {})
    assert (found.train_N.tolist(), found.val_N.tolist()) == ([5.15], [5.0861])
    assert log.facts["run_mean"] == pytest.approx(5.331, abs=1e-3)
    alone = read(written(tmp_path, log="".join(ended(quote).splitlines(keepends=True)[len(STEPS) :])))
    assert pairs(alone, {}).val_N.tolist() == pytest.approx([5.086], abs=1e-3)
    assert any("mean of all steps" in note for note in alone.notes)


def test_an_evaluation_after_a_trainers_state_was_saved_is_read_with_it(tmp_path):
    history = [{"epoch": 0.5 * k, "step": 20 * k, "loss": x} for k, x in enumerate(STEPS, 1)]
    end = {"epoch": 2.0, "step": 78, "train_loss": 5.331, "train_runtime": 7.0}
    (tmp_path / "trainer_state.json").write_text(json.dumps({"epoch": 2.0, "log_history": [*history, end]}))
    (tmp_path / "eval_results.json").write_text(json.dumps({"epoch": 2.0, "eval_f1": 0.5}))
    with pytest.raises(DiagnoseError, match="no validation loss"):
        judge([tmp_path])
    (tmp_path / "eval_results.json").write_text(json.dumps({"epoch": 2.0, "eval_loss": 5.086, "eval_runtime": 0.4}))
    found = judge([tmp_path])
    assert (found.gap.last, found.points.val) == (pytest.approx(5.086 - 5.15), 1)
