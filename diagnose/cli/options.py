"""What all commands share: the application, options that several take, and how results are printed."""

from __future__ import annotations

import json
import math
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diagnose.formatting import is_unicode, visible

if TYPE_CHECKING:
    from rich.console import RenderableType

    from diagnose.report.blocks import Report

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: rich.markdown alone would take a third of the time that help may take
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Which part of my set-up makes these numbers? Controlled ablations and diagnostics for language models.",
)


def _print_version(wanted: bool) -> None:
    """Print which version is installed, and end."""
    if wanted:
        from importlib.metadata import version

        print(f"diagnose {version('diagnose-training')}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take what stands before a command; its help is the application's."""


RUNS = Path("runs")
REPORTS = Path("reports")

RecipeOption = Annotated[str, typer.Option("--recipe", help="A recipe's name (`diagnose recipes`) or a TOML file.")]
SetOption = Annotated[
    list[str], typer.Option("--set", metavar="KEY=VALUE", help="A recipe key, table.key=value; may be repeated.")
]
DataOption = Annotated[
    str | None,
    typer.Option("--data", metavar="FILE", help="Text to train on: a UTF-8 file, .jsonl, a folder; also .gz, .zst."),
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Go on with the newest unfinished run of the same recipe.")
]
MarkdownOption = Annotated[bool, typer.Option("--markdown", help="Print the outcome as Markdown, for a pull request.")]
OpenOption = Annotated[bool, typer.Option("--open", help="Open the page in the browser.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
PairsOption = Annotated[bool, typer.Option("--pairs", help="Compare every two arms too, not only with the control.")]


def overrides(pairs: list[str], data: str | None) -> dict[str, Any]:
    """Return the recipe keys that `--set` and `--data` give."""
    from diagnose.config.recipe import parse_settings

    out = parse_settings(pairs)
    if data is not None:
        out |= {"data.corpus": "file", "data.path": str(Path(data).absolute())}
    return out


def print_json(value: dict[str, Any]) -> None:
    """Print the one object that a program reads."""
    try:
        print(json.dumps({"format": 1, **value}, ensure_ascii=not is_unicode(sys.stdout), allow_nan=False))
    except ValueError:  # a damaged record may hold what no JSON does
        print(json.dumps({"format": 1, **_finite(value)}, ensure_ascii=True, allow_nan=False))


def _finite(value: Any) -> Any:
    """Return a JSON value with null for every number that is none."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def show(what: RenderableType) -> None:
    """Print what a person reads, at most 100 columns wide."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal or console.width > 100:
        console = Console(width=100)
    console.print(what)


def show_report(report: Report, page: Path | None = None, *, markdown: bool = False, everything: bool = False) -> None:
    """Print what a report says, for a person or (markdown) for a pull request, and for a person where its page lies."""
    if markdown:
        from diagnose.report.markdown import text_of

        print(text_of(report, everything=everything))
        return
    from diagnose.report.console import rows

    show(rows(report, everything=everything))
    if page is not None:
        print(page)


def show_outcome(
    record: dict[str, Any],
    report: Report,
    page: Path | None,
    *,
    as_json: bool,
    markdown: bool,
    everything: bool = False,
    opens: bool = False,
) -> None:
    """Print an outcome for a program (its record) or a person (its report); open its page where that is asked for."""
    if as_json:
        print_json(record)
    else:
        show_report(report, page, markdown=markdown, everything=everything)
    if page is not None and opens:
        open_page(page)


def warn(said: str) -> None:
    """Say on standard error what went wrong, where the command goes on without it."""
    print(f"diagnose: {visible(said)}", file=sys.stderr)


def open_page(page: str | Path) -> None:
    """Open a page in the user's browser; where there is none, say so on standard error."""
    import webbrowser

    if not webbrowser.open(Path(page).resolve().as_uri()):
        print(f"no browser was found; the page is {page}", file=sys.stderr)


def command() -> str:
    """Return the command as it was typed, to be repeated."""
    return shlex.join(["diagnose", *sys.argv[1:]])
