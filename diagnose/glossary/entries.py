"""The entries of the field guide as they are written: Markdown files beside this one, a cause each, and short words.

They are the one source of what words mean: pages carry their first paragraphs, `diagnose explain` prints them, and the
documentation includes them. An entry is a head between lines of `---` (key: value), a title, a paragraph that says what
it is, perhaps a picture, and sections.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from diagnose.gap.term_kinds import KINDS as TERM_KINDS

TERM, CAUSE, WORD, AXIS, RULE = KINDS = ("term", "cause", "word", "axis", "rule")
SHORT = ("words.md", "axes.md", "log-rules.md")  # files of many short entries, a section each
OF_MANY = {"words.md": WORD, "log-rules.md": RULE}
_HEAD = re.compile(r"\A---\n(?P<head>.*?)\n---\n", re.DOTALL)
_COMMENT = re.compile(r"[ \t]*<!--.*?-->[ \t]*\n?", re.DOTALL)
_PICTURE = re.compile(r"^!\[(?P<said>[^\]]*)\]\((?P<path>[^)]*)\)\s*$", re.MULTILINE)
_SHORT = re.compile(r"^## (?P<title>.+?) \{#(?P<id>[\w/-]+)\}\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class GlossaryEntry:
    """One entry of the field guide.

    Attributes:
        id: what it is called by: "lag", "axis/context", "gap/mode".
        kind: "term" (of the ledger), "cause", "word", "axis" or "rule".
        title: its name for readers.
        about: what it is, one paragraph of Markdown.
        sections: (heading, Markdown) in the order of reading.
        part_of: the term of the ledger that a cause shows in.
        rules: ids of the findings that it explains.
        see: ids of related entries.
        picture: name of its drawing in `docs/img/guide`, "" for none; `finding` says what the drawing shows.
    """

    id: str
    kind: str
    title: str
    about: str
    sections: tuple[tuple[str, str], ...] = ()
    part_of: str = ""
    rules: tuple[str, ...] = ()
    see: tuple[str, ...] = ()
    picture: str = ""
    finding: str = field(default="", compare=False)

    @property
    def short(self) -> str:
        """What it is, in one line: what pages carry."""
        return " ".join(self.about.split())


def parse(name: str, text: str) -> GlossaryEntry:
    """Return the entry of a file.

    Raises:
        ValueError: the file has no head, no title or no paragraph that says what it is (a mistake of ours).
    """
    header = _HEAD.match(text)
    if header is None:
        raise ValueError(f"{name}: an entry begins with a head between lines of ---")
    head = dict(line.split(": ", 1) for line in header["head"].splitlines())
    before, *rest = re.split(r"^## ", _COMMENT.sub("", text[header.end() :]), flags=re.MULTILINE)
    picture = _PICTURE.search(before)
    title, _, about = _PICTURE.sub("", before).strip().partition("\n")
    if not title.startswith("# ") or not about.strip():
        raise ValueError(f"{name}: an entry has a title and a paragraph that says what it is")
    parts = (part.partition("\n") for part in rest)
    return GlossaryEntry(
        name, head["kind"], title[2:].strip(), about.strip(),
        tuple((heading.strip(), body.strip()) for heading, _, body in parts),
        head.get("part-of", ""), tuple(head.get("rules", "").split()), tuple(head.get("see", "").split()),
        picture["path"].rsplit("/", 1)[-1] if picture else "", " ".join(picture["said"].split()) if picture else "",
    )  # fmt: skip


def parse_short(text: str, kind: str) -> dict[str, GlossaryEntry]:
    """Return the entries of a file of many, a section each: `## title {#id}` and a paragraph."""
    sections = _SHORT.finditer(_COMMENT.sub("", text))
    return {part["id"]: GlossaryEntry(part["id"], kind, part["title"], part["text"].strip()) for part in sections}


@cache
def written() -> dict[str, GlossaryEntry]:
    """Return the terms, causes, words and rules of logs, by id; a term without a file is told in its own words."""
    folder = files("diagnose.glossary") / "entries"
    names = sorted(path.name for path in folder.iterdir() if path.name.endswith(".md"))
    long_entries = {
        name[:-3]: parse(name[:-3], (folder / name).read_text("utf-8")) for name in names if name not in SHORT
    }
    terms = {kind.id: GlossaryEntry(kind.id, TERM, kind.label, f"{kind.how}.") for kind in TERM_KINDS}
    words, logs = (parse_short((folder / name).read_text("utf-8"), kind) for name, kind in OF_MANY.items())
    return terms | long_entries | words | logs


@cache
def of_axes() -> dict[str, str]:
    """Return what was measured with each named axis, as Markdown, by the axis' name."""
    text = (files("diagnose.glossary") / "entries" / "axes.md").read_text("utf-8")
    return {name: entry.about for name, entry in parse_short(text, AXIS).items()}
