"""The field guide as pages: `python tools/guide_pages.py` writes docs/field-guide.md, its table of contents.

The site takes its pages from here (docs/site/hooks.py); their text is that of diagnose/glossary/entries.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from diagnose.glossary.catalogue import entries  # noqa: E402
from diagnose.glossary.entries import CAUSE, TERM, WORD, written  # noqa: E402
from diagnose.report.glossary_notes import TERMS  # noqa: E402

FOLDER = "diagnose/glossary/entries"
HEAD = """# Field guide

What makes a training and a validation loss differ: the terms of the ledger, and under each the causes that are met in
practice. Each entry says what it is, how large it is (measured by us, with the command), how to recognise it and what
to do.
In the terminal: `diagnose explain dropout`, or any other name.
"""


def causes(term):
    return [entry for entry in written().values() if entry.kind == CAUSE and entry.part_of == term]


def table(link):
    """Return the contents: each term with what it is, and its causes."""
    lines = [HEAD, "| term | what changes | causes |", "| --- | --- | --- |"]
    for term in TERMS:
        some = ", ".join(f"[{one.id}]({link(one.id)})" for one in causes(term))
        lines.append(f"| [{term}]({link(term)}) | {written()[term].short} | {some} |")
    return "\n".join(lines) + "\n"


def contents():
    """Return docs/field-guide.md."""
    names = {"words": "words", "axes": "axes", "log-rules": "rules of logs"}
    more = "\nAlso: " + ", ".join(f"[{word}](../{FOLDER}/{name}.md)" for name, word in names.items()) + "."
    return table(lambda name: f"../{FOLDER}/{name}.md") + more + "\n"


def nav():
    """Return the site's list of the guide's pages."""
    out = [{"Contents": "field-guide/index.md"}]
    for term in TERMS:
        pages = [f"field-guide/{name}.md" for name in (term, *(one.id for one in causes(term)))]
        out.append({term: [{"About": pages[0]}, *({Path(page).stem: page} for page in pages[1:])]})
    return [*out, {"Words": "field-guide/words.md"}, {"Axes": "field-guide/axes.md"}, {"Rules": "field-guide/rules.md"}]


def pages():
    """Return the guide's pages for the site, Markdown by path."""
    found = {"field-guide/index.md": table(lambda name: f"{name}.md")}
    for name, entry in written().items():
        if entry.kind in (TERM, CAUSE):
            found[f"field-guide/{name}.md"] = _page(name, entry)
    found["field-guide/words.md"] = _many("Words", "What pages, findings and the terminal call things.", WORD)
    found["field-guide/axes.md"] = _many("Axes", "What an ablation can change, with the trap in reading it.", "axis")
    found["field-guide/rules.md"] = _many(
        "Rules", "What `loss-gap`, `log` and `audit` may find, and what to do.", "rule"
    )
    return found


def _page(name, entry):
    text = (ROOT / FOLDER / f"{name}.md").read_text(encoding="utf-8")
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL).replace("../../../docs/", "../")
    part = [f"Part of [{entry.part_of}]({entry.part_of}.md)."] if entry.part_of else []
    see = [f"See also: {', '.join(_linked(one) for one in (*entry.see, *entry.rules))}."] if entry.see else []
    return "\n\n".join([text.rstrip(), *part, *see]) + "\n"


def _linked(name):
    entry = entries()[name]
    if entry.kind in (TERM, CAUSE):
        return f"[{entry.title if entry.kind == TERM else name}]({name}.md)"
    page = {"word": "words", "axis": "axes", "rule": "rules"}[entry.kind]
    return f"[{entry.title if entry.kind == WORD else name}]({page}.md#{_anchor(name)})"


def _anchor(name):
    return name.replace("/", "-")


def _many(title, about, kind):
    parts = [f"# {title}", about]
    for name, entry in entries().items():
        if entry.kind == kind:
            parts += [f"## {entry.title} {{#{_anchor(name)}}}", entry.about]
            parts += [f"**{heading}.** {text}" if "```" not in text else text for heading, text in entry.sections]
            written_see = [one for one in entry.see if entries()[one].kind in (TERM, CAUSE)]
            parts += [f"See {', '.join(_linked(one) for one in written_see)}."] if written_see else []
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    (ROOT / "docs" / "field-guide.md").write_text(contents(), encoding="utf-8")
