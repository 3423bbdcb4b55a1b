"""Some 1,500 logs in foreign forms, less a few that are misread and known: each is read as was written down."""

import pytest
from fresh_forms import P, close
from fresh_rounds import CASES, ROUNDS

from diagnose.errors import DiagnoseError
from diagnose.logs.judge import judge
from diagnose.logs.pairs import all_pairs, pairs
from diagnose.logs.read import read

BY_NAME = {name: (files, want) for name, files, want in CASES}


def test_no_two_logs_are_of_one_name():
    assert len(BY_NAME) == len(CASES) > 250
    assert all(rounds.CASES is CASES for rounds in ROUNDS)


def written(folder, files):
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return [folder / name for name in files]


def holds(found, wanted):
    return wanted is None or (wanted(found) if callable(wanted) else close(found, wanted))


@pytest.mark.parametrize("name", [name for name, (_, want) in BY_NAME.items() if isinstance(want, P)])
def test_a_foreign_log_is_read_as_it_was_written(name, tmp_path):
    files, want = BY_NAME[name]
    paths = written(tmp_path, files)
    log = read(paths)
    assert len(all_pairs(log, {})) == want.runs
    found = pairs(log, {})
    assert (found.axis, found.at_N.tolist()) == (want.axis, pytest.approx(want.at))
    assert holds(found.train_N.tolist(), want.train)
    assert holds(found.val_N.tolist(), want.val)
    record = judge(paths)
    assert all(words in record.verdict + " ".join(record.notes) for words in want.says)
    assert {one.rule for one in record.findings if one.severity == "error"} <= want.errors


@pytest.mark.parametrize("name", [name for name, (_, want) in BY_NAME.items() if not isinstance(want, P)])
def test_a_foreign_log_without_both_losses_is_refused_with_what_was_found(name, tmp_path):
    files, want = BY_NAME[name]
    with pytest.raises(DiagnoseError) as told:
        judge(written(tmp_path, files))
    assert "\n" not in str(told.value)
    assert all(words in str(told.value) for words in want.words), str(told.value)


EVALUATES = ("32/32 [=====] - 0s 2ms/step - loss: 1.9000 - acc: 0.6\n", "32/32 - 0s - 2ms/step - loss: 1.9000\n")


@pytest.mark.parametrize("evaluates", EVALUATES)
def test_what_keras_evaluates_behind_a_fit_is_no_training_loss(evaluates, tmp_path):
    start = evaluates.partition(" - ")[0].replace("32", "100")
    fit = "".join(f"Epoch {e}/3\n{start} - 1s - loss: {2 / e:.4f} - val_loss: {1.5 / e:.4f}\n" for e in (1, 2, 3))
    path = tmp_path / "fit.txt"
    path.write_text(f"{fit}{evaluates}Test loss: 1.9\n")
    assert pairs(read([path]), {}).train_N.tolist() == pytest.approx([2, 1, 2 / 3], rel=1e-3)


def test_a_line_that_breaks_off_behind_a_sum_is_read(tmp_path):
    """The fuzz found it: the spread of a mean was looked for behind the end of the line."""
    path = tmp_path / "cut.txt"
    path.write_text("[1]\ttrain's l2: 0.5 + 0.1\tval's l2: 0.6 + 0.1\n[2]\ttrain's l2: 0.4 + 0.1\tval's l2: 0.55 + ")
    assert pairs(read([path]), {}).val_N.tolist() == [0.6]


def test_a_loss_before_a_model_s_name_is_none_of_its_parts(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text(
        "".join(f"epoch={e},loss={2 / e},val_loss={3 / e},ckpt=epoch={e}-loss=9.5.ckpt\n" for e in (1, 2, 4))
    )
    found = pairs(read([path]), {})
    assert (found.train_N.tolist(), found.val_N.tolist()) == ([2.0, 1.0, 0.5], [3.0, 1.5, 0.75])


def test_commas_between_thousands_may_stand_before_another(tmp_path):
    path = tmp_path / "thousands.txt"
    path.write_text(
        "".join(f"step {e},000, train loss {2 / e}, val loss {3 / e}, tokens {e},234,567, done\n" for e in (1, 2, 4))
    )
    found = pairs(read([path]), {})
    assert (found.axis, found.at_N.tolist(), found.val_N.tolist()) == ("step", [1000, 2000, 4000], [3.0, 1.5, 0.75])


def test_runs_are_named_by_their_headings_before_settings_that_are_stated_again(tmp_path):
    path = tmp_path / "runs.txt"
    lines = "".join(f"epoch {e} train loss {2 / e} val loss {3 / e}\n" for e in (1, 2, 4))
    path.write_text("".join(f"Fold {n}\nbatch size: 32\n{lines}" for n in (1, 2)))
    assert [run.name for run in judge([path]).runs] == ["Fold 1", "Fold 2"]


def test_a_second_pass_of_keras_is_training_s_where_it_is_as_long(tmp_path):
    """Keras shows a pass once more when it is complete; only one of other batches is of other data."""
    path = tmp_path / "fit.txt"
    path.write_text(
        "".join(f"Epoch {e}/3\n9/9 - 1s - loss: {9 / e}\n9/9 - 1s - loss: {2 / e}\n" for e in (1, 2, 3))
        + "Test loss: 0.9\n"
    )
    assert pairs(read([path]), {}).train_N.tolist() == pytest.approx([2 / 3], rel=1e-3)
