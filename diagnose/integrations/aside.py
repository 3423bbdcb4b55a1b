"""What callbacks share: whatever goes wrong in one is a warning, and training goes on; its verdicts are printed."""

from __future__ import annotations

import functools
import sys
import warnings
from typing import TYPE_CHECKING, Any, TypeVar

from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from diagnose.report.gap_result import Gap

F = TypeVar("F", bound="Callable[..., Any]")


class GapWarning(UserWarning):
    """What a callback could not do, and what would help; training is as it would be without it."""


class Aside:
    """A callback that steps aside: after its first failure none of its hooks does anything."""

    stopped = False
    said: frozenset[str] = frozenset()

    def say(self, what: str) -> None:
        """Warn of something, once."""
        if what in self.said:
            return
        self.said |= {what}
        warnings.warn(f"diagnose: {what}", GapWarning, stacklevel=3)


def steps_aside(hook: F) -> F:
    """Let a hook fail by a warning, and be the last thing that the callback did."""

    @functools.wraps(hook)
    def safe(self: Aside, *args: Any, **named: Any) -> Any:
        if self.stopped:
            return None
        try:
            return hook(self, *args, **named)
        except DiagnoseError as error:
            self.stopped = True
            self.say(f"no ledger of this gap: {error}")
        except Exception as error:  # noqa: BLE001 - a diagnosis must never cost anybody a training run
            self.stopped = True
            self.say(f"no ledger of this gap, for {type(self).__name__}.{hook.__name__} failed: {_told(error)}")
        return None

    return safe  # type: ignore[return-value]


def tell(gaps: Iterable[Gap], first: Path) -> None:
    """Write a page for each ledger, the first one's at this path, and print each verdict with where its page lies."""
    for number, gap in enumerate(gaps):
        page = gap.to_html(first.with_stem(f"{first.stem}-{number}") if number else first)
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        print(f"diagnose: {gap.verdict} {page}".encode(encoding, "backslashreplace").decode(encoding))


def _told(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
