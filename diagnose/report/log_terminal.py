"""What a bare log tells, for the terminal: verdict, losses as rows with bars, what is possible, what next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from diagnose.formatting import chance, cut, estimate, listed, plain, signed, visible
from diagnose.report.terminal import Bar, Bars, Narrow

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_ROWS = 8
ASIDE = {"error": "bold red", "warning": "yellow", "note": ""}
TAKEN = {
    "evaluated": "both read alike, in evaluation mode", "interval": "training: mean since the last print",
    "epoch": "training: mean over the epoch", "batch": "training: one batch", "smooth": "training: decaying mean",
}  # fmt: skip


def log_rows(record: dict[str, Any]) -> RenderableType:
    """Return the record of `diagnose.logs.judge` as rows, at most 100 columns wide."""
    parts: list[RenderableType] = [Narrow(Text(visible(record["verdict"]), style="bold")), Text()]
    parts += [Narrow(Text(_source(record), style="dim")), Bars(_bars(record)), Text()]
    parts += [Narrow(Text(visible(line), style="dim")) for line in _numbers(record)]
    for one in record["findings"]:
        said = f"{one['severity']} {one['rule']}: {one['what']}. To mend: {one['fix']}."
        parts.append(Narrow(Text(visible(said), style=ASIDE[one["severity"]])))
    parts += _causes("Possible", record["possible"]) + _causes("Ruled out", record["ruled_out"])
    return Group(*parts, *_next(record["next"]))


def _source(record: dict[str, Any]) -> str:
    source, points = record["source"], record["points"]
    tool = f", {source['tool']}" if source["tool"] else ""
    names = f"{cut(source['train'], 32)!r} and {cut(source['val'], 32)!r}"
    taken = f"; {TAKEN[source['train_is']]}" if source["train_is"] else ""
    count = f"{points['pairs']:,} pairs of {points['train']:,} training and {points['val']:,} validation values"
    files = listed([cut(name, 60) for name in source["files"][:2]]) + (" and more" if len(source["files"]) > 2 else "")
    return visible(f"{files} ({source['format']}{tool}): {names}, {count}{taken}")


def _bars(record: dict[str, Any]) -> list[Bar]:
    """Return the gap at some prints and its mean; both losses stand beside as the remark."""
    axis = {"step": "step", "epoch": "epoch", "place": "line"}[record["source"]["axis"]]
    shown = record["points"]["shown"]
    every = max(1, -(-len(shown) // MOST_ROWS))
    rows = []
    for one in [*shown[:-1:every], shown[-1]]:
        note = f"training {plain(one['train'])}, validation {plain(one['val'])}"
        gap = one["val"] - one["train"] if record["gap"] else None
        paint = "arm-0" if gap is not None and gap < 0 else "arm-1"
        rows.append(Bar(f"{axis} {plain(one['at'], 0)}", signed(gap), note, gap, None, None, paint))
    gap = record["gap"]
    if gap:
        figure = estimate(gap["value"], gap["low"], gap["high"], difference=True)
        name = "mean, second half" if gap["late"] else "mean"
        rows.append(Bar(name, figure, "validation minus training", gap["value"], gap["low"], gap["high"], "ink"))
    return rows


def _numbers(record: dict[str, Any]) -> list[str]:
    out = []
    gap = record["gap"]
    if gap and gap["low"] is not None:
        few = gap["alike_assumed"]
        out.append(
            f"The interval allows for neighbouring prints that correlate at {plain(gap['alike'], 2)}"
            + (
                ", assumed: so few prints cannot show it."
                if few
                else f"; {gap['prints']} prints are worth {plain(gap['effective'], 0)}."
            )
        )
    if gap and not gap["sign"]["assumed_independent"] and gap["sign"]["stretches"]:
        sign = gap["sign"]
        out.append(
            f"One sign in {sign['agree']} of {sign['stretches']} independent stretches: p = {chance(sign['p'])}."
        )
    noise = record["noise"]
    if noise["train"] is not None and noise["val"] is not None:
        smooth = "; training's values share what they average" if noise["train_smoothed"] else ""
        out.append(
            f"Values scatter about their course by {plain(noise['train'])} (training) and {plain(noise['val'])} "
            f"(validation){smooth}."
        )
        ratio = noise["train"] / noise["val"] if noise["val"] else 1.0
        if not 1 / 3 < ratio < 3 and noise["train"]:
            which = "training" if ratio < 1 else "validation"
            out.append(f"The quieter of the two, {which}, is averaged over more: over more batches, or larger ones.")
    found = record["plausibility"]
    if found:
        most = "At most " if found["at_most"] else ""
        scale = listed([f"{y['name']} {plain(y['bits_per_byte'], 2)}" for y in found["yardsticks"]])
        beside = f"; {scale} on the same text" if scale else ""
        tokens = (
            f", taking tokens to be {found['tokens']}s ({found['tokens_from']})"
            if found["tokens"] and found["tokens_from"] != "given"
            else ""
        )
        out.append(f"{most}{plain(found['bits_per_byte'], 2)} bits per byte of {found['corpus']}{tokens}{beside}.")
    return out + [note if note.endswith(".") else f"{note[:1].upper()}{note[1:]}." for note in record["notes"]]


def _causes(title: str, found: list[dict[str, Any]]) -> list[RenderableType]:
    if not found:
        return []
    out: list[RenderableType] = [Text(), Text(title, style="bold")]
    for one in found:
        line = Text(f"  {one['id']:<11}{one['why']}.")
        if "looks" in one:
            line.append(f" Looks like: {one['looks']}.", style="dim")
        out.append(Narrow(line))
    return out


def _next(found: dict[str, str]) -> list[RenderableType]:
    out: list[RenderableType] = [Text(), Text("What would tell", style="bold")]
    out += [
        Narrow(Text(f"  {visible(found['what'])}.")),
        Narrow(Text(f"  {found['outcome'][:1].upper()}{found['outcome'][1:]}.")),
    ]
    if found["command"]:
        out.append(Text(f"  {visible(found['command'])}", no_wrap=True, overflow="ellipsis"))
    return out
