"""The command that shows the whole in a minute: demo."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diagnose.cli.options import EXPLAIN, Output, subcommand
from diagnose.cli.outcome import show_outcome, show_report
from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from diagnose.report.blocks import Report
    from diagnose.report.gap_result import Gap

EVERY = 30  # of so many verses of the Bible one is taken
SMALL = {"model.layers": 2, "model.width": 64, "batches.context": 64, "budget.text": 70_000}
NEXT = """
{folder}/loop.py is the loop of the first page: its lines with `diagnose` are all that a loop of yours needs.
For more, nine runs on the whole Bible in some five minutes: diagnose ablate --axis tokenizer --seeds 3
Their arms have seen eight times the text, so the intervals are narrower; diagnose loss-gap runs/latest explains a run.
"""


@subcommand("diagnose demo\ndiagnose demo --open\ndiagnose demo elsewhere --json", panel=EXPLAIN)
def demo(
    output: Output,
    folder: Annotated[Path, typer.Argument(help="Where the demo's files go.")] = Path("diagnose-demo"),
) -> None:
    """Show a ledger and an ablation, really trained, in a minute.

    Trains a small transformer on verses of the Bible (American King James Version) in a plain loop and explains the gap
    between its two losses; then trains two tokenizers with three seeds each and compares them. Each leaves a page.
    """
    started, shows = time.monotonic(), not (output.as_json or output.quiet)
    _write_inputs(folder)
    if shows:
        _say("1 of 2: a plain training loop. Why does its validation loss lie below its training loss?")
    gap = _loop(folder)
    pages = [gap.to_html(folder / "reports" / "loop.html")]
    if shows:
        show_report(gap.report, markdown=output.markdown)
        _say("\n2 of 2: an ablation. Characters against words, three seeds each, on the same verses.")
    page, report = _ablation(folder, output)
    seconds = round(time.monotonic() - started, 1)
    record = {"pages": [*map(str, pages), str(page)], "verdicts": [gap.verdict, report.verdict], "seconds": seconds}
    if not output.as_json:
        print(pages[0])
    show_outcome(record, report, page, output)
    if shows:
        _say(NEXT.format(folder=folder))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _write_inputs(folder: Path) -> None:
    """Write the text, and a copy of the loop to read and to change."""
    from importlib.resources import files

    from diagnose.data.ingest import bible_verses
    from diagnose.files import put

    verses = [text for place, (_, text) in enumerate(bible_verses()) if place % EVERY == 0]
    wanted = {
        folder / "verses.txt": "".join(f"{verse}\n" for verse in verses).encode(),
        folder / "loop.py": files("diagnose.cli").joinpath("demo_loop.py").read_bytes(),
    }
    for path, data in wanted.items():
        if path.exists() and path.read_bytes() != data:
            raise DiagnoseError(f"{path} is there and is another file; give another folder: diagnose demo FOLDER")
    for path, data in wanted.items():
        put(path, data, "the demo's file")


def _loop(folder: Path) -> Gap:
    from contextlib import redirect_stdout

    from diagnose.cli import demo_loop

    with redirect_stdout(sys.stderr):
        return demo_loop.main(folder)


def _ablation(folder: Path, output: Output) -> tuple[Path, Report]:
    """Train the arms, and return the page with what it says."""
    from diagnose.ablation.ablate import ablate
    from diagnose.cli.board import watching
    from diagnose.report import page

    settings = {"data.corpus": "file", "data.path": str((folder / "verses.txt").absolute()), **SMALL}
    typed = "diagnose ablate --axis tokenizer --levels char,word --data verses.txt"
    typed += "".join(f" --set {key}={value}" for key, value in SMALL.items())
    with watching("tokenizer", quiet=output.quiet or output.as_json) as watch:
        done = ablate(
            "tokenizer", levels="char,word", overrides=settings, runs=folder / "runs", resume=True, watch=watch,
            command=typed,
        )  # fmt: skip
    report = page.own_report(done)
    return page.render_own(done, folder / "reports", report), report
