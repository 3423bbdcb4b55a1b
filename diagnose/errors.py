"""One error class for everything that a user can mend; its exit code travels with it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from difflib import get_close_matches
from typing import TYPE_CHECKING

from diagnose.formatting import cut, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FINDING = 1  # exit code: a run failed, a threshold was crossed
MISTAKE = 2  # exit code: what was asked cannot be done as asked
INTERRUPTED = 130  # exit code: stopped by Ctrl-C
MOST_NAMED = 100  # known words that an error lists
LONGEST_NAME = 100  # characters of each


class DiagnoseError(Exception):
    r"""A mistake or a failure, told in one clear line: what is wrong and what would be right.

    A line break within it, of a foreign name, is written as \n.

    Attributes:
        exit_code: what the command ends with; 2 for a user's mistake, 1 for a failed run.
        diverged: whether a run's loss became infinite or NaN, which in an ablation is a result.
        run: the name of the run that failed, where there is one.
    """

    def __init__(
        self, message: str, *, exit_code: int = MISTAKE, diverged: bool = False, run: str | None = None
    ) -> None:
        super().__init__(message.replace("\n", "\\n"))
        self.exit_code = exit_code
        self.diverged = diverged
        self.run = run


def in_words(error: OSError) -> str:
    """Say what the system refused: which file, and why."""
    if error.filename is None:
        return f"the system refused a file: {error.strerror or error}"
    return f"{error.filename} cannot be read or written: {error.strerror or error}"


def is_panic(error: BaseException) -> bool:
    """Whether a library written in Rust panicked: its error is no `Exception`, and its class cannot be imported."""
    return type(error).__name__ == "PanicException"


@contextmanager
def library_errors(what: str) -> Iterator[None]:
    """Make one line of whatever the library raises: an Exception of no kind, or a panic, which is none.

    Raises:
        DiagnoseError: "`what`: the library's first line".
    """
    try:
        yield
    except (DiagnoseError, MemoryError):
        raise
    except BaseException as error:
        if isinstance(error, Exception) or is_panic(error):
            raise DiagnoseError(f"{what}: {(str(error).splitlines() or [type(error).__name__])[0]}") from None
        raise


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the known word nearest to `word`, or the list of those allowed."""
    words = sorted(known)
    close = get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    more = f" and {len(words) - MOST_NAMED} more" if len(words) > MOST_NAMED else ""
    return f"; known are {', '.join(cut(name, LONGEST_NAME) for name in words[:MOST_NAMED])}{more}"


def nearest_file(path: Path) -> str:
    """Return "; did you mean 'train.log'?" for what lies nearest by name beside a path that is not there, else ""."""
    with suppress(OSError, ValueError):
        close = get_close_matches(path.name, [one.name for one in path.parent.iterdir()], n=1, cutoff=0.6)
        return f"; did you mean '{visible(close[0])}'?" if close else ""
    return ""
