"""Every figure of docs/axes.md: `python tools/axes.py [FOLDER] [--jobs 2] [--text BYTES] [--out FOLDER]`.

Each of the five axes that the project began with, on the whole bundled corpus, three seeds: 57 runs. Runs that are
finished are used again; a run's text and the number of processes may be changed to try it out.
"""

import argparse
import sys
from datetime import datetime
from pathlib import Path

from diagnose.ablation.ablate import ablate
from diagnose.cli.board import watching
from diagnose.engines.selection import Place
from diagnose.report import ablation_sentences, note_rows, page
from diagnose.report.summary import read_ablation
from diagnose.runs import store

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
TEXT = 600_000  # bytes that a run is trained on
QUESTIONS = {  # axis: what is set for all arms, further arguments, why so
    "tokenizer": ({}, {}, "the recipe `quick`"),
    "context": (
        {"tokenizer.kind": "char", "batches.size": 8},
        {},
        "`quick` with characters, of which a verse has about 140: 256 hold most verses whole, 64 hardly any",
    ),
    "masking": (
        {"tokenizer.kind": "char", "batches.context": 256, "batches.size": 8},
        {},
        "`quick` with characters and rows of 256, which hold parts of two or three verses",
    ),
    "activation": ({}, {}, "the recipe `quick`"),
    "lr-scale": ({}, {"factors": "0.25,1,4"}, "`quick`, each rule at a quarter, once and four times its rate"),
}
HEAD = """# The five axes, on the whole Bible

*{date}. Every figure below comes from `python tools/axes.py` ({runs} runs, {minutes:.0f} minutes of training in
all, three seeds an arm, {text} of text a run). Bits per byte of the same {documents:,} validation verses; below zero is
better.
What else changed with each axis, every seed, and the command that repeats it stand on the pages that it renders.*
"""
FOOT = """
## What none of this shows

Small networks after little text: a ranking may turn round with more of either. Intervals are for other seeds and other
verses of the same kind, not for other books, sizes or learning rates.
"""


def pictures(where, out, name):
    """Photograph the effects, and what the axis has to say beside them."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return []
    found = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        sheet = browser.new_page(viewport={"width": 900, "height": 1000})
        sheet.goto(where.absolute().as_uri())
        wanted = {"context": "positions", "masking": "positions", "activation": "units", "lr-scale": "best-factors"}
        for part in ("effects", wanted.get(name, "")):
            section = sheet.locator(f"#{part}") if part else None
            if section is not None and section.count():
                found.append(f"axis-{name}-{part}.png")
                section.screenshot(path=out / "img" / found[-1])
        browser.close()
    return found


def told(name, folder, why, out):
    """Return what an ablation says, as Markdown."""
    report = read_ablation(folder)
    summary = report.summary
    where = page.render_own(folder, folder.parent.parent / "reports")
    said = [sentence for note in note_rows.sections(summary.notes) if note.name != "positions" or name in
            ("context", "masking") for sentence in note.sentences]  # fmt: skip
    lines = [
        f"\n## {name}\n",
        f"*{why}; {', '.join(arm.level for arm in summary.arms)}.*\n",
        f"**{summary.verdict}**\n",
    ]
    lines += [f"- {sentence}" for sentence in said]
    lines += [f"\n![{name}: {note}](img/{note})" for note in pictures(where, out, name)]
    traps = [axis.trap for axis in summary.axes if axis.trap]
    lines += ["\nWhat it does not show:\n", *(f"- {trap.rstrip('.')}." for trap in traps)]
    lines += [f"- {limit}" for limit in ablation_sentences.limits(report)]
    return "\n".join(lines)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", nargs="?", default="runs-axes", type=Path, help="of runs and pages")
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--text", type=int, default=TEXT)
    options.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "docs", help="of axes.md and img/")
    given = options.parse_args()
    (given.out / "img").mkdir(parents=True, exist_ok=True)
    done = {}
    for name, (keys, more, _) in QUESTIONS.items():
        values = {"budget.text": given.text, "run.device": "cpu", **keys}
        with watching(name) as watch:
            done[name] = ablate(
                name, recipe="quick", overrides=values, seeds=3, runs=given.folder / "runs", resume=True, watch=watch,
                place=Place(jobs=given.jobs), command=f"python tools/axes.py  # {name}", **more,
            )  # fmt: skip
    summaries = [store.read_json(folder / "summary.json") for folder in done.values()]
    split = summaries[0]["split"]
    head = HEAD.format(
        date=datetime.now().astimezone().strftime("%d %B %Y"), text=f"{given.text / 1e3:,.0f} kB",
        runs=sum(len(arm["runs"]) for one in summaries for arm in one["arms"]),
        minutes=sum(one["seconds"] for one in summaries) / 60, documents=split["scored_documents"],
    )  # fmt: skip
    parts = [told(name, folder, QUESTIONS[name][2], given.out) for name, folder in done.items()]
    (given.out / "axes.md").write_text("\n".join([head, *parts, FOOT]), encoding="utf-8")
    print(given.out / "axes.md", file=sys.stderr)


if __name__ == "__main__":
    main()
