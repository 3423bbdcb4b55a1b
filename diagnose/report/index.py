"""The index: one page that lists the pages of a folder, newest first, each with its verdict.

It reads the pages themselves, so that it also lists those whose runs are gone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import TYPE_CHECKING

from diagnose import formatting
from diagnose.errors import DiagnoseError
from diagnose.report import html
from diagnose.report.blocks import Links, PageLink, Report, Section
from diagnose.report.file_formats import standalone

if TYPE_CHECKING:
    from pathlib import Path

NAME = "index.html"
STAMP = "%Y%m%d-%H%M%S"  # what names of runs and ablations begin with
EDGES = (("<title>", "</title>"), ('<h1 id="verdict">', "</h1>"), ('<p class="identity">', "</p>"))
_TAG = re.compile("<[^>]*>")
HEAD = 200_000  # bytes: a page's style, its header and its first drawing lie within
MOST_PICTURES, MOST_PICTURE = 60, 60_000  # pages that are shown in small; characters of a drawing
MOST_VALUES = 12  # of a filter; a longer one would be no help
FILTERS = ("kind", "corpus", "axis")
KINDS = {"Loss gap": "loss gap", "Audit": "audit"}  # by how a title begins; else by the first word of its line


@dataclass(frozen=True)
class IndexEntry:
    """A page: where it is, what kind, when its run or ablation began, of what, and its verdict.

    Attributes:
        values: what it is by each of `FILTERS`; "" where that does not apply.
        drawing: its first drawing, as it stands in the page.
    """

    href: str
    kind: str
    when: datetime
    about: str
    verdict: str
    values: tuple[str, ...] = ()
    drawing: str = ""

    @property
    def day(self) -> str:
        """When, in words."""
        return f"{formatting.day(self.when.isoformat())}, {self.when:%H:%M}"


def render_index(out: Path) -> Path:
    """Write the index of a folder of pages.

    Returns:
        Where it lies.

    Raises:
        DiagnoseError: there is no such folder, or no page in it.
    """
    pages = entries(out)
    if not pages:
        raise DiagnoseError(f"{out} holds no pages; diagnose report RUN renders one")
    kinds = dict.fromkeys(entry.kind for entry in pages)
    counts = [formatting.counted(sum(e.kind == kind for e in pages), kind, _plural(kind)) for kind in kinds]
    links = Links(tuple(_link(entry, place) for place, entry in enumerate(pages)), _filters(pages))
    newest = formatting.day(pages[0].when.isoformat())
    verdict = f"{formatting.counted(len(pages), 'page')}, the newest of {newest}"
    sections = (Section("pages", "", "Pages", (links,)),)
    report = Report("Pages of diagnose", (", ".join(counts),), verdict, sections=sections)
    return html.write(html.page_of(report, frames=True), out / NAME)


def _plural(kind: str) -> str:
    return kind if kind.endswith("s") else f"{kind}s"


def _link(entry: IndexEntry, place: int) -> PageLink:
    picture = (
        html.address("image/svg+xml", standalone(entry.drawing)) if entry.drawing and place < MOST_PICTURES else ""
    )
    return PageLink(f"{entry.day} · {entry.kind} · {entry.about}", entry.href, entry.verdict, entry.values, picture)


def _filters(pages: list[IndexEntry]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return each filter that tells pages apart, with its values; none of a few pages."""
    values = [tuple(sorted({entry.values[k] for entry in pages} - {""})) for k in range(len(FILTERS))]
    return tuple(
        (name, some if 2 <= len(some) <= MOST_VALUES else ()) for name, some in zip(FILTERS, values, strict=True)
    )


def entries(out: Path) -> list[IndexEntry]:
    """Return the pages of a folder, newest first; files that are none of ours are passed over."""
    if not out.is_dir():
        return []
    pages = [entry for path in sorted(out.glob("*.html")) if path.name != NAME and (entry := _entry(path))]
    return sorted(pages, key=lambda entry: (entry.when, entry.href), reverse=True)


def _entry(path: Path) -> IndexEntry | None:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            head = file.read(HEAD)
        changed = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    except OSError:
        return None
    title, verdict, line = (head.partition(begin)[2].partition(end)[0] for begin, end in EDGES)
    identity = [_words(part.partition("</bdi>")[0]) for part in line.split("<bdi>")[1:]]
    if not (verdict and identity):
        return None
    subject, _, name = identity[0].partition(" ")
    kind = next((kind for begin, kind in KINDS.items() if title.startswith(begin)), subject)
    about = " · ".join((identity[0].rpartition(" ")[2] if name and identity[0] != kind else path.stem, *identity[1:-1]))
    corpus = next((part.rpartition(", ")[0] for part in identity[1:] if part.endswith("documents")), "")
    axis = _words(title).removeprefix("What ").removesuffix(" changes") if title.startswith("What ") else ""
    _, wide, rest = head.partition('<svg class="wide"')
    drawing = f"{wide}{rest.partition('</svg>')[0]}</svg>" if wide and "</svg>" in rest[:MOST_PICTURE] else ""
    return IndexEntry(
        path.name, kind, _stamp(path.name) or changed.replace(tzinfo=None), about, _words(verdict),
        (kind, corpus, axis), drawing,
    )  # fmt: skip


def _words(markup: str) -> str:
    """Return the words of a part of a page, without its tags."""
    return " ".join(unescape(_TAG.sub("", markup)).split())


def _stamp(name: str) -> datetime | None:
    try:
        return datetime.strptime(name[:15], STAMP)  # noqa: DTZ007  (as the folder's name has it: local time)
    except ValueError:
        return None
