import pytest

from diagnose.data.ingest import existing
from diagnose.errors import LONGEST_NAME, MOST_NAMED, DiagnoseError, library_errors, nearest, nearest_file
from diagnose.logs.read import read


def test_a_line_break_of_a_foreign_name_is_shown():
    assert str(DiagnoseError("known are a\nb")) == r"known are a\nb"


def test_the_nearest_word_or_those_that_are_known():
    assert nearest("lose", ["loss", "accuracy"]) == "; did you mean 'loss'?"
    assert nearest("zzz", ["loss", "accuracy"]) == "; known are accuracy, loss"


def test_few_known_words_are_listed_of_many_and_long_ones():
    told = nearest("?", [f"{i}" + "x" * 1000 for i in range(MOST_NAMED + 7)])
    assert told.endswith(" and 7 more")
    assert max(map(len, told.split(", "))) <= LONGEST_NAME + len("; known are ") + len(" and 7 more")


class PanicException(BaseException):
    """A panic of a library."""


@pytest.mark.parametrize("error", [Exception("odd\nin detail"), PanicException("odd\nin detail")])
def test_what_a_library_raises_is_one_line(error):
    with (
        pytest.raises(DiagnoseError, match=r"^t\.json is no tokenizer: odd$"),
        library_errors("t.json is no tokenizer"),
    ):
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError(), DiagnoseError("ours")])
def test_a_stop_is_no_error_of_the_library(error):
    with pytest.raises(type(error)) as caught, library_errors("t.json is no tokenizer"):
        raise error
    assert caught.value is error


def test_a_path_that_is_not_there_is_told_the_nearest_name_beside_it(tmp_path):
    (tmp_path / "train.log").write_text("step 1 loss 2.0")
    assert nearest_file(tmp_path / "trian.log") == "; did you mean 'train.log'?"
    assert nearest_file(tmp_path / "something else") == ""
    assert nearest_file(tmp_path / "nowhere" / "train.log") == ""
    with pytest.raises(DiagnoseError, match=r"trian\.log does not exist; did you mean 'train\.log'\?"):
        existing(str(tmp_path / "trian.log"))
    with pytest.raises(DiagnoseError, match=r"trian\.log does not exist; did you mean 'train\.log'\?"):
        read([tmp_path / "trian.log"])
