"""The command that says what good looks like: yardstick."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from diagnose.cli.options import RUNS, DataOption, JsonOption, SetOption, app, overrides, print_json, show


@app.command(epilog="Example: diagnose yardstick --data notes.txt --split tail --only ppmd-8,char-6")
def yardstick(
    data: DataOption = None,
    split: Annotated[str | None, typer.Option("--split", help="documents (default) or tail.")] = None,
    settings: SetOption = [],  # noqa: B006  (typer copies it)
    only: Annotated[str | None, typer.Option("--only", help="Some of them, comma-separated.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what n-grams and compressors take for the validation documents, given the training documents.

    In bits per byte, ends of documents included; runs that were scored on the same documents stand beside them.
    """
    from diagnose import corpus
    from diagnose import split as splits
    from diagnose.cache import cache_folder
    from diagnose.errors import DiagnoseError
    from diagnose.recipe import Recipe
    from diagnose.yardstick.record import scale_record

    given = overrides(settings, data) | ({"data.split": split} if split else {})
    wrong = [key for key in given if not key.startswith("data.")]
    if wrong:
        raise DiagnoseError(f"{wrong[0]} changes no yardstick: give keys of data, for instance data.val_fraction=0.2")
    chosen = Recipe.load("quick", given).data
    text = corpus.load(chosen, cache_folder())
    names = [name.strip() for name in only.split(",")] if only else None
    found = scale_record(text, splits.split(text, chosen), cache_folder(), RUNS, names)
    print_json(found) if as_json else show(_table(found))


def _table(found: dict[str, Any]) -> Any:
    from rich.table import Table
    from rich.text import Text

    from diagnose.words import estimate, plain, visible

    sampled = any(row["sampled"] for row in found["yardsticks"])
    remark = "; a sample of a large corpus" if sampled else ""
    title = f"{plain(found['bytes'], 0)} bytes of {found['scored']} text, ends of documents paid for{remark}"
    table = Table("what", box=None, pad_edge=False, caption=title, caption_justify="left")
    table.add_column("bits per byte", justify="right")
    rows = [(row["name"], row) for row in found["yardsticks"]]
    rows += [(f"{row['run']} ({row['model']})", row) for row in found["runs"]]
    for name, row in sorted(rows, key=lambda item: -float(item[1]["bits_per_byte"])):
        table.add_row(Text(visible(name)), estimate(row["bits_per_byte"], row["low"], row["high"]))
    for row in found["published"]:
        table.add_row(Text(f"another text (enwik8): {row['name']}", style="dim"), plain(row["bits_per_byte"], 2))
    return table
