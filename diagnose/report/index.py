"""The index: one page that lists the pages of a folder, newest first, each with its verdict.

It reads the pages themselves, so that it also lists those whose runs are gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from diagnose import formatting
from diagnose.errors import DiagnoseError
from diagnose.report import html
from diagnose.report.blocks import Links, Report, Section

if TYPE_CHECKING:
    from pathlib import Path

NAME = "index.html"
STAMP = "%Y%m%d-%H%M%S"  # what names of runs and ablations begin with
HEAD = 200_000  # bytes: a page's style and header lie within


@dataclass(frozen=True)
class IndexEntry:
    """A page: where it is, what kind, when its run or ablation began, of which text, and its verdict."""

    href: str
    kind: str
    when: datetime
    about: str
    verdict: str

    @property
    def day(self) -> str:
        """When, in words."""
        return f"{formatting.day(self.when.isoformat())}, {self.when:%H:%M}"


@dataclass
class Head(HTMLParser):
    """What the head of one of our pages says."""

    title: str = ""
    verdict: str = ""
    identity: list[str] = field(default_factory=list)
    inside: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note which part begins."""
        found = dict(attrs)
        if tag == "title":
            self.inside = "title"
        elif tag == "h1" and found.get("id") == "verdict":
            self.inside = "verdict"
        elif tag == "p" and found.get("class") == "identity":
            self.inside = "identity"
        elif tag == "bdi" and self.inside == "identity":
            self.identity.append("")
            self.inside = "part"

    def handle_endtag(self, tag: str) -> None:
        """Note where it ends."""
        if tag in {"title", "h1", "p"}:
            self.inside = ""
        elif tag == "bdi" and self.inside == "part":
            self.inside = "identity"

    def handle_data(self, data: str) -> None:
        """Keep the words of the part that is read."""
        if self.inside == "part":
            self.identity[-1] += data
        elif self.inside == "title":
            self.title += data
        elif self.inside == "verdict":
            self.verdict += data


def render_index(out: Path) -> Path:
    """Write the index of a folder of pages.

    Returns:
        Where it lies.

    Raises:
        DiagnoseError: there is no such folder, or no page in it.
    """
    found = entries(out)
    if not found:
        raise DiagnoseError(f"{out} holds no pages; diagnose report RUN renders one")
    counts = [
        formatting.counted(sum(e.kind == kind for e in found), kind) for kind in dict.fromkeys(e.kind for e in found)
    ]
    links = Links(tuple((f"{one.day} · {one.kind} · {one.about}", one.href, one.verdict) for one in found))
    newest = formatting.day(found[0].when.isoformat())
    verdict = f"{formatting.counted(len(found), 'page')}, the newest of {newest}"
    sections = (Section("pages", "", "Pages", (links,)),)
    report = Report("Pages of diagnose", (", ".join(counts),), verdict, sections=sections)
    return html.write(html.page_of(report), out / NAME)


def entries(out: Path) -> list[IndexEntry]:
    """Return the pages of a folder, newest first; files that are none of ours are passed over."""
    if not out.is_dir():
        return []
    found = [entry for path in sorted(out.glob("*.html")) if path.name != NAME and (entry := _entry(path))]
    return sorted(found, key=lambda entry: (entry.when, entry.href), reverse=True)


def _entry(path: Path) -> IndexEntry | None:
    head = Head()
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            head.feed(file.read(HEAD))
        changed = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    except OSError:
        return None
    if not (head.verdict and head.identity):
        return None
    verdict, identity = " ".join(head.verdict.split()), [" ".join(part.split()) for part in head.identity]
    kind = "loss gap" if head.title.startswith("Loss gap") else identity[0].partition(" ")[0]
    about = " · ".join(part for part in (identity[0].rpartition(" ")[2], *identity[1:-1]) if part)
    return IndexEntry(path.name, kind, _stamp(path.name) or changed.replace(tzinfo=None), about, verdict)


def _stamp(name: str) -> datetime | None:
    try:
        return datetime.strptime(name[:15], STAMP)  # noqa: DTZ007  (as the folder's name has it: local time)
    except ValueError:
        return None
