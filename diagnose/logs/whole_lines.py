"""Lines as they were before the terminal's width cut them, lists of YAML as others, and nothing told again."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from diagnose.logs.line_labels import Labels
from diagnose.logs.prose import reordered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

INDENT = " " * 20  # at the least, before what rich moves to the next line
MOST_JOINED, MOST_BELOW = 4096, 400  # characters of a line that was joined, and of one that goes on from another
WIDTHS = (80, 100, 120, 132)  # of terminals
FEWEST, BEGIN = 3, 5  # broken lines, and characters that all of them begin with
BAR = "\u2501"  # that rich draws
LOGGER = re.compile(r"(?:\[[^\]]{4,40}\])?\s{1,30}(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\s")
SOURCE = re.compile(r"\s{1,80}[\w./-]{1,60}\.py:\d{1,6}\s*$")  # that wrote the line, at the right margin
ITEM = re.compile(r"\s{0,8}- ([-+.\d][-+.\deE]{0,40}|\.nan|nan)\s*$")  # of a list in YAML
BEST = "est iteration is:"  # behind which LightGBM repeats the values of its best round
ARROW = re.compile(r"(?:\u2192|->)\s*\n(?=\s*[-+*`]*\d)")  # in prose that goes on in the next line
WIKI_ROW = "\n|-\n"
AT_ONCE, MOST_AT_ONCE = 1024, 8192  # lines of a block, and with those that go on from its last
CONTINUES = re.compile(r"\s{20}|\s{0,8}- ")
CELL = re.compile(r"([!|]) ?([^|!{}\n]{1,60})")  # of MediaWiki, where a line holds one
SIGNS = (f"\n{INDENT}", BEST, WIKI_ROW, ":\n- ", ":\n  - ", ":\n    - ")  # of a block that holds lines to be made whole


def whole_lines(lines: Iterable[tuple[str, bool]]) -> Iterator[list[tuple[str, bool]]]:
    """Yield lines in blocks, made whole where a block holds any that have to be."""
    source = iter(lines)
    labels = Labels()
    ahead = next(source, None)
    while ahead is not None:
        block = [ahead, *itertools.islice(source, AT_ONCE - 1)]
        ahead = next(source, None)
        while ahead is not None and len(block) < MOST_AT_ONCE and _goes_on(block[-1][0], ahead[0]):
            block.append(ahead)
            ahead = next(source, None)
        text = "\n".join([line for line, _ in block])
        block = list(_celled(block)) if WIKI_ROW in text else block
        block = _unbroken(block)
        if ("\u2192\n" in text or ">\n" in text) and ARROW.search(text):
            block = [(line, False) for line in ARROW.sub("\u2192 ", text).split("\n")]
        block = reordered(labels.plain(block, text), text)
        yield list(_joined(_listed(block))) if any(sign in text for sign in SIGNS) else block


def _unbroken(block: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Return lines, each put together that a terminal of a usual width broke: a full one, and a shorter one below."""
    width = max(len(line) for line, _ in block)
    if width not in WIDTHS:
        return block
    full = [k for k, (line, _) in enumerate(block) if len(line) == width]
    below = [block[k + 1][0] for k in full if k + 1 < len(block)]
    starts = {block[k][0][:BEGIN] for k in full}
    alternate = len(full) + len(below) == len(block) and not any(len(line) == width for line in below)
    if len(full) < FEWEST or not alternate or len(starts) > 1 or any(line[:BEGIN] in starts for line in below):
        return block
    out: list[tuple[str, bool]] = []
    for k, (line, bar) in enumerate(block):
        if k and len(block[k - 1][0]) == width:
            out[-1] = out[-1][0] + line, bar
        else:
            out.append((line, bar))
    return out


def _goes_on(line: str, below: str) -> bool:
    """Say whether a line may belong to the one above it."""
    return len(below) < MOST_BELOW and (CONTINUES.match(below) is not None or line.endswith(BEST))


def _joined(lines: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """Yield lines, those joined that rich wrapped: deeply indented below its bar or below a line of its logger."""
    opened, opened_bar = "", False
    repeats = False
    for line, bar in lines:
        if opened:
            if line.startswith(INDENT) and len(opened) < MOST_JOINED and not LOGGER.match(line):
                opened = f"{opened} {line.strip()}"
                continue
            yield opened, opened_bar
            opened = ""
        if repeats:
            repeats = False
        elif BAR in line or LOGGER.match(line):
            opened, opened_bar = SOURCE.sub("", line) if ".py:" in line else line.rstrip(), bar
        else:
            yield line, bar
            repeats = line.endswith(BEST)
    if opened:
        yield opened, opened_bar


def _listed(lines: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """Yield lines, lists of numbers as YAML has them within brackets."""
    title, inside = "", False
    for line, bar in lines:
        item = ITEM.match(line) if title or inside else None
        if title and not item:
            yield title, False
        elif inside and not item:
            yield "]", False
        if item:
            yield f"{title} [{item.group(1)}," if title else f"{item.group(1)},", False
        title, inside = "", item is not None
        if item:
            continue
        if line.endswith(":") and not bar:
            title = line
        else:
            yield line, bar
    if title or inside:
        yield title or "]", False


def _celled(lines: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """Yield lines, cells of MediaWiki's tables that stand below each other as one row."""
    cells: list[str] = []
    for line, bar in lines:
        cell = CELL.fullmatch(line.rstrip())
        if cell and not line.startswith("|-"):
            cells.append(cell.group(2).strip())
            continue
        if cells:
            yield f"| {' | '.join(cells)} |", False
            cells = []
        yield line, bar
    if cells:
        yield f"| {' | '.join(cells)} |", False
