"""One error class for everything that a user can mend; its exit code travels with it."""

from __future__ import annotations

import inspect
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from diagnose.formatting import cut, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

P = ParamSpec("P")
R = TypeVar("R")

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
        close = get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1, cutoff=0.6)
        return f"; did you mean '{visible(close[0])}'?" if close else ""
    return ""


def own_words(function: Callable[P, R]) -> Callable[P, R]:
    """Have a public function refuse arguments that it does not take in a line that names those that it takes.

    Raises:
        DiagnoseError: on a call with an unknown name, without what is needed, or with too many arguments.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except TypeError:
            if _fits(signature, args, kwargs):  # raised within the function
                raise
        raise DiagnoseError(_misfit(function, signature, args, kwargs))

    return called


def _fits(signature: inspect.Signature, args: Sequence[object], named: Mapping[str, object]) -> bool:
    try:
        signature.bind(*args, **named)
    except TypeError:
        return False
    return True


def built_in_own_words(made: type[R]) -> type[R]:
    """Have a dataclass refuse arguments that it does not take as `own_words` does: its `__init__` is made."""
    made.__init__ = own_words(made.__init__)  # type: ignore[method-assign]
    return made


def _misfit(
    function: Callable[..., object], signature: inspect.Signature, args: Sequence[object], named: object
) -> str:
    """Say what does not fit a signature: a name that is unknown, what is missing, or too many arguments."""
    of_method = next(iter(signature.parameters), "") == "self"
    takes = list(signature.parameters.values())[of_method:]
    name = function.__qualname__.removesuffix(".__init__")
    given = set(named) if isinstance(named, dict) else set[str]()
    unknown = sorted(given - {parameter.name for parameter in takes})
    if unknown:
        return f"{name} takes no {unknown[0]!r}{nearest(unknown[0], [parameter.name for parameter in takes])}"
    places = [parameter for parameter in takes if parameter.kind is not parameter.KEYWORD_ONLY]
    wanted = [parameter for parameter in takes if parameter.default is parameter.empty]
    called = f"{name}({', '.join(parameter.name for parameter in wanted)})"
    number = len(args) - of_method
    if number > len(places):
        named_only = [f"{parameter.name}=" for parameter in takes if parameter.kind is parameter.KEYWORD_ONLY]
        return f"{name} is given {number} arguments without names; it is {called}, and by name {', '.join(named_only)}"
    missing = [
        parameter.name for parameter in wanted if parameter.name not in given and parameter not in places[:number]
    ]
    twice = sorted(given & {parameter.name for parameter in places[:number]})
    what = f"lacks {' and '.join(missing)}" if missing else f"is given {' and '.join(twice)} twice"
    return f"{name} {what}; it is called {called}"
