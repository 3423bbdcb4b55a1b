"""Draws the field guide's pictures and writes its measured figures into the entries, from tools/guide.json.

`python tools/guide.py`; takes a few seconds. `tools/guide_cases.py` measures.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tools"))

from guide_cases import CASES, KEPT, OF_GALLERY, command  # noqa: E402

from diagnose.formatting import estimate, plain, signed  # noqa: E402
from diagnose.glossary.entries import CAUSE, TERM, written  # noqa: E402
from diagnose.report.canvas import PAINT, Sheet, drawing  # noqa: E402

PICTURES = ROOT / "docs" / "img" / "guide"
ENTRIES = ROOT / "diagnose" / "glossary" / "entries"
WIDTH = 440  # points: no wider than a phone can show without making letters small
SETTLED = 0.12  # share of the steps after which the y axis begins: before it all curves fall steeply
APART = 34  # points between the labels of two curves
ROW = 23  # points of a step of the walk
CURVES = {"reported train": ("arm-1", "training"), "reported val": ("arm-0", "validation")}
ALIKE = {"probe train": "arm-1", "probe val": "arm-0"}
COLOURS = """svg{--paper:#fdfdfb;--ink:#1b1f24;--quiet:#5b626b;--rule:#dcdcd6;--band:#e3e3dc;
--arm-0:#0a5fd0;--arm-1:#c43a00;font-family:system-ui,sans-serif}@media(prefers-color-scheme:dark){svg{--paper:#14171b;--ink:#e8e8e4;--quiet:#a3aab3;
--rule:#343a41;--band:#2b3037;--arm-0:#6a9ff0;--arm-1:#fa6a35}}"""
MEASURED = re.compile(r"<!-- measured -->.*?<!-- /measured -->", re.DOTALL)


def case_of(name):
    """Return the case that an entry's figures come from."""
    return name if name in CASES or name in OF_GALLERY else "ledger"


def curves(case):
    """Draw both losses as reported, and dashed as they are matched."""
    sheet, height, right = Sheet.new(WIDTH, 270), 190, 320
    axes = sheet.axes(44, 34, right - 44, height, lines="y")
    found = case["curves"]
    last = max(step for points in found.values() for step, _ in points)
    ends = [loss for points in found.values() for step, loss in points if step >= SETTLED * last]
    low, high = min(ends), max(ends)
    low, high = low - 0.06 * (high - low), high + 0.06 * (high - low)
    for name, paint in ALIKE.items():
        axes.plot(*zip(*found[name], strict=True), color=PAINT[paint], linewidth=1.2, linestyle=(0, (3, 2)))
    for name, (paint, _) in CURVES.items():
        axes.plot(*zip(*found[name], strict=True), color=PAINT[paint], linewidth=2.2)
    axes.set_xlim(0, last)
    axes.set_ylim(low, high)
    axes.locator_params(axis="both", nbins=5)
    at = {name: 34 + height * (high - found[name][-1][1]) / (high - low) for name in CURVES}
    for name, y in zip(sorted(at, key=at.get), _spread(sorted(at.values())), strict=True):
        paint, word = CURVES[name]
        sheet.text(right + 8, y - 7, word, paint=paint, bold=True)
        sheet.text(right + 8, y + 9, plain(found[name][-1][1]), paint="quiet", size=12)
    sheet.text(0, 14, case["unit"], paint="quiet", size=12)
    sheet.text(right, 258, "step", paint="quiet", size=12, align="right")
    sheet.text(44, 258, "dashed: matched", paint="quiet", size=12)
    return sheet


def _spread(places):
    """Move labels apart where they would touch."""
    low, high = places
    missing = max(APART - (high - low), 0) / 2
    return low - missing, high + missing


def walk(case, term):
    """Draw the way from one reported loss to the other, one term in colour."""
    steps = [t for t in case["terms"] if t["value"] is not None and (abs(t["value"]) > 1e-9 or t["id"] == term)]
    rows, at = [("training, as reported", case["train"], case["train"])], case["train"]
    for step in steps:
        rows.append((step["id"], at, at + step["value"]))
        at += step["value"]
    rows.append(("validation, as reported", case["val"], case["val"]))
    height = ROW * len(rows)
    sheet = Sheet.new(WIDTH, height + 58)
    axes = sheet.axes(160, 8, 210, height, lines="x")
    for place, (name, start, end) in enumerate(rows):
        paint = "arm-1" if name == term else "ink" if start == end and name not in {s["id"] for s in steps} else "quiet"
        if start == end:
            axes.plot([end], [place], "D", color=PAINT[paint], markersize=6)
        else:
            axes.fill_between(sorted((start, end)), place - 0.3, place + 0.3, color=PAINT[paint], linewidth=0)
        y = 8 + ROW * (place + 0.5)
        sheet.text(0, y, name, paint=paint, bold=name == term, size=12)
        figure = plain(end) if place in (0, len(rows) - 1) else signed(end - start)
        sheet.text(WIDTH, y, figure, paint=paint, bold=name == term, size=12, align="right")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.margins(x=0.06)
    axes.locator_params(axis="x", nbins=4)
    sheet.text(265, height + 48, case["unit"], paint="quiet", size=12, align="center")
    return sheet


def picture(entry, case):
    """Return an entry's drawing as a file that follows the reader's light or dark."""
    term = entry.id if entry.kind == TERM else entry.part_of
    with drawing():
        sheet = walk(case, term) if entry.kind == TERM or not case["curves"] else curves(case)
        svg = sheet.svg(f"guide-{entry.id}", f"{entry.finding}.")
    head, _, rest = svg.partition(">")
    return f'{head} xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><style>{COLOURS}</style>{rest}\n'


def told(entry, case, name):
    """Return what was measured, with the commands."""
    term = next(t for t in case["terms"] if t["id"] == (entry.id if entry.kind == TERM else entry.part_of))
    alike, unit = case["matched"], "" if case["unit"] == "loss" else f", {case['unit']}"
    shown = (
        "not to be had"
        if term["value"] is None
        else estimate(term["value"], term["low"], term["high"], difference=True)
    )
    ends = f"training {plain(case['train'])} and validation {plain(case['val'])}{unit}"
    said = [
        f"Measured {case['measured']}: reported are {ends}; "
        f"matched {plain(alike['train'])} and {plain(alike['val'])}. `{term['id']}` is **{shown}** of a gap of "
        f"{signed(case['gap'])}."
    ]
    if case["unseen"] and term["id"] in ("leak", "unseen"):
        said.append(f"On text that training has not seen the loss is {plain(case['unseen'])}.")
    return "\n\n".join([" ".join(said), "```bash\n" + "\n".join(command(name)) + "\n```"])


def filled(entry, text, found):
    """Return an entry's file with what was measured in its place."""
    name = case_of(entry.id)
    if name not in found:
        return text
    block = f"<!-- measured -->\n{told(entry, found[name], name)}\n<!-- /measured -->"
    return MEASURED.sub(lambda _: block, text)


def main():
    PICTURES.mkdir(parents=True, exist_ok=True)
    found = json.loads(KEPT.read_text(encoding="utf-8"))
    for entry in written().values():
        if entry.kind not in (TERM, CAUSE):
            continue
        path, name = ENTRIES / f"{entry.id}.md", case_of(entry.id)
        path.write_text(filled(entry, path.read_text(encoding="utf-8"), found), encoding="utf-8")
        if name in found:
            (PICTURES / f"{entry.id}.svg").write_text(picture(entry, found[name]), encoding="utf-8")
        else:
            print(f"{entry.id}: not measured", file=sys.stderr)


if __name__ == "__main__":
    main()
