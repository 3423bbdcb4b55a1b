import pytest

from diagnose.errors import LONGEST_NAME, MOST_NAMED, DiagnoseError, library_errors, nearest


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
