"""One error class for everything that a user can mend; its exit code travels with it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FINDING = 1  # exit code: a run failed, a threshold was crossed
MISTAKE = 2  # exit code: what was asked cannot be done as asked
INTERRUPTED = 130  # exit code: stopped by Ctrl-C


class DiagnoseError(Exception):
    """A mistake or a failure, told in one clear line: what is wrong and what would be right.

    Attributes:
        exit_code: what the command ends with; 2 for a user's mistake, 1 for a failed run.
        diverged: whether a run's loss became infinite or NaN, which in an ablation is a result.
        run: the name of the run that failed, where there is one.
    """

    def __init__(
        self, message: str, *, exit_code: int = MISTAKE, diverged: bool = False, run: str | None = None
    ) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.diverged = diverged
        self.run = run


def in_words(error: OSError) -> str:
    """Say what the system refused: which file, and why."""
    if error.filename is None:
        return f"the system refused a file: {error.strerror or error}"
    return f"{error.filename} cannot be read or written: {error.strerror or error}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the known word nearest to `word`, or the list of those allowed."""
    words = sorted(known)
    close = get_close_matches(word, words, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else f"; known are {', '.join(words)}"
