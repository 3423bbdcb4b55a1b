"""Writes docs/gallery.md from the examples of the gallery: each one's docstring, and what its ledger says when it runs.

`python tools/gallery.py` runs them all, a minute or two, and writes their figures.
"""

import ast
import importlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER, PAGE = ROOT / "examples" / "gallery", ROOT / "docs" / "gallery.md"
HEAD = """# Gallery: well-known confusions, and what the ledger says

Each case is a page of code that trains something small for seconds, as people do it, and asks `explain_gap` why its
training and validation losses differ. The answers are what it printed on one machine; yours may differ in the last
digits. `python tools/gallery.py` writes this page.
"""


def cases():
    return sorted(FOLDER.glob("[0-9][0-9]_*.py"))


def main_of(path):
    """Return what runs a case."""
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(path.stem).main
    finally:
        sys.path.remove(str(FOLDER))


def answer(gap):
    """Return the ledger's answer: its verdict, and what it warns of."""
    grave = [f"{f['what']}: {f['fix']}." for f in gap.findings if f["severity"] in ("error", "warning")]
    fits = [f"The {side} loss that is read, {fit['factor']}, would be {fit['value']:.3f}; {fit['reported']:.3f} was "
            "reported." for side, some in gap.record["arithmetic"].items() for fit in some]  # fmt: skip
    return " ".join([gap.verdict, *fits, *grave])


def section(path, said):
    """Return a case's section."""
    title, confusion, *rest = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")
    threads = re.findall(r"https://github\.com/\S+", " ".join(rest))
    asked = ", ".join(f"[{'#'.join(url.split('/')[-3:][::2])}]({url})" for url in threads)
    lines = [f"## {title.rstrip('.')}", " ".join(confusion.split()), *([f"Asked in {asked}."] if asked else [])]
    command = f"`python {path.relative_to(ROOT).as_posix()}` answers:"
    return "\n\n".join([*lines, command, f"> {said}"]) + "\n"


if __name__ == "__main__":
    PAGE.write_text("\n".join([HEAD, *(section(path, answer(main_of(path)())) for path in cases())]), encoding="utf-8")
