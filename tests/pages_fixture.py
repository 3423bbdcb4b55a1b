"""What the documentation shows: its fenced code by language, and its lines of shell."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parent.parent
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ENTRIES = sorted((ROOT / "diagnose" / "glossary").rglob("*.md"))
PAGES = [*GUIDES, *ENTRIES]


def blocks(language, pages=PAGES):
    """Return (page, block) of a language's fenced code."""
    pattern = re.compile(rf"^```{language}[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [(page, found) for page in pages for found in pattern.findall(page.read_text(encoding="utf-8"))]


def whole_lines(block):
    """Yield lines of shell, those that go on behind a backslash or within a quotation as one."""
    held = ""
    for line in block.replace("\\\n", " ").splitlines():
        held = f"{held}\n{line}" if held else line
        try:
            shlex.split(held, comments=True)
        except ValueError:  # a quotation that is still open
            continue
        yield held
        held = ""


def plain(line):
    """Return a line of shell without its comment, with its words quoted in one way."""
    return shlex.join(shlex.split(line, comments=True))


def commands(pages=PAGES):
    """Return (page, line) of every line of shell, sorted."""
    found = {(page, plain(line)) for page, block in blocks("bash", pages) for line in whole_lines(block)}
    return sorted((page, line) for page, line in found if line)
