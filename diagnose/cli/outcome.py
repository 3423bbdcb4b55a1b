"""How a command tells its outcome: for a person, for a pull request, or for a program."""

from __future__ import annotations

import json
import math
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.cli.options import RUNS
from diagnose.formatting import is_unicode, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from diagnose.cli.options import Output
    from diagnose.integrations.trackers import Tracking
    from diagnose.report.blocks import Report


def print_json(value: dict[str, Any]) -> None:
    """Print the one object that a program reads."""
    try:
        print(json.dumps({"format": 1, **value}, ensure_ascii=not is_unicode(sys.stdout), allow_nan=False))
    except ValueError:  # a damaged record may hold what no JSON does
        print(json.dumps({"format": 1, **_finite(value)}, ensure_ascii=True, allow_nan=False))


def _finite(value: Any) -> Any:
    """Return a JSON value with null for every number that is none."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def show(what: RenderableType) -> None:
    """Print what a person reads, at most 100 columns wide."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal or console.width > 100:
        console = Console(width=100)
    console.print(what)


def show_report(report: Report, *, markdown: bool = False, everything: bool = False) -> None:
    """Print what a report says, for a person or (markdown) for a pull request."""
    if markdown:
        from diagnose.report.markdown import text_of

        print(text_of(report, everything=everything))
        return
    from diagnose.report.console import rows

    show(rows(report, everything=everything))


def show_outcome(
    record: dict[str, Any], report: Report, page: Path | None, output: Output, *, everything: bool = False
) -> None:
    """Print an outcome in the form that is asked for, and open its page where that is.

    Args:
        record: what a program reads.
        report: what a person reads.
        page: where its page lies, the last line for a person and the only one with `--quiet`.
        output: the form.
        everything: all that the report says, and not only what matters most.
    """
    if output.as_json:
        print_json(record)
    elif not output.quiet:
        show_report(report, markdown=output.markdown, everything=everything)
    if page is not None and not output.as_json and not output.markdown:
        print(page)
    if page is not None and output.opens:
        open_page(page)


def check_tracker(tracker: str | None) -> None:
    """Refuse a tracker that is not known or not installed; see `trackers.check`."""
    if tracker is not None:
        from diagnose.integrations import trackers

        trackers.check(tracker)


def report_to(tracker: str | None, folder: Path, page: Path | None, report: Report) -> None:
    """Send what has ended to a tracker, if one is asked for; what the tracker refuses ends nothing, but is said."""
    if tracker is not None:
        with live_in(tracker) as tracked:
            tracked.finish(folder, page, report.verdict)


@contextmanager
def live_in(tracker: str | None, ablation: str = "") -> Iterator[Tracking]:
    """Yield what tells a tracker of runs while they train, and of how they ended; of nothing where none is asked for.

    Args:
        tracker: which, None for none.
        ablation: the axes, where the runs are arms of one.
    """
    from diagnose.integrations.trackers import Tracking

    tracked = Tracking(tracker, RUNS, warn, ablation)
    try:
        yield tracked
    finally:
        tracked.leave()


def warn(said: str) -> None:
    """Say on standard error what went wrong, where the command goes on without it."""
    print(f"diagnose: {visible(said)}", file=sys.stderr)


def open_page(page: str | Path) -> None:
    """Open a page in the user's browser; where there is none, say so on standard error."""
    import webbrowser

    if not webbrowser.open(Path(page).resolve().as_uri()):
        print(f"no browser was found; the page is {page}", file=sys.stderr)
