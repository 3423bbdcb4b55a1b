"""What there is to say of a subject, before it becomes a page, rows in the terminal or Markdown.

A module for each subject turns its record into a `Report`; `html.py`, `console.py` and `markdown.py` render any of
them. Texts stand here as they are, foreign ones too: the renderers escape and make visible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.report.figures import Bar, Drawn


# Where a part is shown: in every form, in the long one alone (the page, `--all`), or in the short one alone (where the
# long one says it at length).
Detail = Literal["always", "full", "brief"]
Style = Literal["", "foreign", "term", "strong", "code", "key", "cost"]
_MARKS = re.compile(
    r"\[(?P<term>[a-z-]+)(?:\|(?P<said>[^\]]+))?\]|\*\*(?P<strong>.+?)\*\*|`(?P<code>[^`]+)`"
    r"|<(?P<paint>[a-z]+-?\d?):(?P<key>[^>]+)>|(?P<foreign>\{\})"
)


@dataclass(frozen=True)
class Span:
    """A piece of running text; `of` is the glossary's key of a term, the colour of a key, the class of a cost."""

    text: str
    style: Style = ""
    of: str = ""


Inline = str | tuple[Span, ...]


def marked(template: str, *foreign: str) -> tuple[Span, ...]:
    """Return running text from a template of ours.

    Args:
        template: `[key]` or `[key|words]` is a term of the glossary, `**words**` strong, backticks enclose code,
            `<arm-1:words>` is a key to a colour, and `{}` stands for the next foreign text, which is never read as a
            template.
        foreign: texts that others wrote.
    """
    left, template = iter(foreign), template.replace(" %", "\N{NO-BREAK SPACE}%")
    out, at = [], 0
    for mark in _MARKS.finditer(template):
        if mark.start() > at:
            out.append(Span(template[at : mark.start()]))
        out.append(_span(mark, left))
        at = mark.end()
    return (*out, *([Span(template[at:])] if at < len(template) else []))


def _span(mark: re.Match[str], left: Iterator[str]) -> Span:
    if mark["term"]:
        return Span(mark["said"] or mark["term"], "term", mark["term"])
    if mark["paint"]:
        return Span(mark["key"], "key", mark["paint"])
    if mark["foreign"]:
        return Span(next(left), "foreign")
    style: Style = "strong" if mark["strong"] else "code"
    words = mark["strong"] or mark["code"]
    return Span(next(left) if words == "{}" else words, style)


def plain_text(inline: Inline) -> str:
    """Return running text without its styles."""
    return inline if isinstance(inline, str) else "".join(span.text for span in inline)


@dataclass(frozen=True, kw_only=True)
class ReportBlock:
    """A part of a section; the kinds are below."""

    detail: Detail = "full"

    @property
    def kind(self) -> str:
        """The kind of block, by which renderers tell them apart."""
        return type(self).__name__


@dataclass(frozen=True)
class Paragraph(ReportBlock):
    """Running text, and a list below it, numbered where its order counts.

    `style` is "note" for small print, "setup" for what was done, "alert" for what a reader must know first, "line" for
    what the terminal cuts off instead of wrapping it.
    """

    text: Inline = ""
    style: Literal["", "note", "setup", "alert", "line"] = ""
    items: tuple[Inline, ...] = ()
    numbered: bool = False


@dataclass(frozen=True)
class Heading(ReportBlock):
    """A heading within a section, or (2) of it."""

    text: Inline
    level: Literal[2, 3] = 3


@dataclass(frozen=True)
class NamedRows(ReportBlock):
    """Names with what is to be said of each; `long` where that is a sentence or more."""

    rows: tuple[tuple[Inline, Inline], ...]
    long: bool = False


@dataclass(frozen=True)
class CodeText(ReportBlock):
    """Text as it stands, of a command or a file; `label` says which."""

    text: str
    label: str = "Command"


@dataclass(frozen=True)
class Fold(ReportBlock):
    """Blocks that a page shows where asked for."""

    summary: str
    blocks: tuple[ReportBlock, ...]


@dataclass(frozen=True)
class TextTable(ReportBlock):
    """A table: a row's first cell is its header; columns whose index is in `words` hold no figures.

    `heat` says how strongly each cell but the first of a row is coloured, in per cent; empty for a plain table.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[int] = frozenset({0})
    heat: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Bars:
    """Rows whose bars share one scale; `noise` is where equal arms fall, None for nothing."""

    caption: str
    rows: tuple[Bar, ...]
    noise: tuple[float, float] | None = None


@dataclass(frozen=True)
class Figure(ReportBlock):
    """A drawing with what stands below it.

    The terminal shows `bars` in its stead, Markdown `tables` or else the bars as such; where there are neither, both
    say in words what is drawn.
    """

    drawn: Drawn | None
    caption: Inline = ""
    bars: tuple[Bars, ...] = ()
    tables: tuple[TextTable, ...] = ()


@dataclass(frozen=True)
class Sample:
    """A text that a network wrote: who wrote it, the prompt, what followed, and how many characters were cut off.

    `text` is cut in three: the middle part is the longest stretch that the training text holds.
    """

    name: str
    note: str
    prompt: str
    text: tuple[str, str, str]
    rest: int
    paint: str = "ink"


@dataclass(frozen=True)
class Samples(ReportBlock):
    """Samples side by side."""

    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class RuleFinding(ReportBlock):
    """A rule that is broken: what was found, what was measured, what would mend it, why the rule exists."""

    severity: str
    rule: str
    what: str
    fix: str
    measured: str = ""
    why: str = ""


@dataclass(frozen=True)
class Mark:
    """A rule at a glance; `shown` is its state in words, `sign` and `paint` stand for that."""

    rule: str
    state: str
    shown: str
    sign: str
    paint: str


@dataclass(frozen=True)
class Glance(ReportBlock):
    """Every rule's state, by what it is about."""

    groups: tuple[tuple[str, tuple[Mark, ...]], ...]
    caption: Inline


@dataclass(frozen=True)
class CostlyText(ReportBlock):
    """A document as (words, class of cost from 0 to 4) pieces; an empty piece is its end, `rest` tokens follow."""

    title: str
    pieces: tuple[tuple[str, int], ...]
    rest: int


@dataclass(frozen=True)
class PageLink:
    """A page: a note, where it is, its words, what it is by each filter of its list, and a small picture's address."""

    note: str
    address: str
    words: str
    values: tuple[str, ...] = ()
    picture: str = ""


@dataclass(frozen=True)
class Links(ReportBlock):
    """Pages, which can be filtered by some of what they are: a name and its values, in the order of `values`."""

    items: tuple[PageLink, ...]
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Section:
    """Blocks under a heading, which the short form shows where `detail` is "always".

    Attributes:
        name: its anchor on a page.
        heading: what it shows, as a sentence where there is one.
        link: how the page's list of sections calls it.
    """

    name: str
    heading: str
    link: str
    blocks: tuple[ReportBlock, ...]
    detail: Detail = "full"


@dataclass(frozen=True)
class Headline:
    """One of the figures below the verdict: what it is, the figure, a remark, and the arm's colour."""

    name: str
    figure: str
    note: str
    paint: str = "ink"


@dataclass(frozen=True)
class Report:
    """All that there is to say of a subject.

    Attributes:
        title: of the page.
        identity: what the subject is, of which text, of when; small and first.
        verdict: the outcome, in at most 60 words.
        headlines: the figures that matter most.
        sections: in the order of the reader's questions.
        lead: what stands before the figures: what was done, and alarms.
        headnote: what the figures are.
        limits: what this does not show.
        more: how the terminal is asked for what its short form leaves out.
        compact: whether the terminal's short form has no empty lines.
    """

    title: str
    identity: tuple[str, ...]
    verdict: str
    headlines: tuple[Headline, ...] = ()
    sections: tuple[Section, ...] = ()
    lead: tuple[ReportBlock, ...] = ()
    headnote: Inline = ""
    limits: tuple[str, ...] = ()
    more: str = ""
    compact: bool = False


def shown(blocks: tuple[ReportBlock, ...], *, everything: bool) -> list[ReportBlock]:
    """Return the blocks of the long or of the short form."""
    return [block for block in blocks if block.detail != ("brief" if everything else "full")]


def terms_in(part: object) -> Iterator[str]:
    """Yield the glossary's keys of the terms in a report or a part of one."""
    if isinstance(part, Span):
        if part.style == "term":
            yield part.of
    elif isinstance(part, tuple):
        for each in part:
            yield from terms_in(each)
    elif is_dataclass(part):
        for field in fields(part):
            yield from terms_in(getattr(part, field.name))
