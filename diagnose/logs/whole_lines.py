"""Lines as they were before the terminal's width cut them, lists of YAML as others, and nothing told again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

INDENT = " " * 20  # at the least, before what rich moves to the next line
MOST_JOINED = 4096  # characters
BAR = "\u2501"  # that rich draws
LOGGER = re.compile(r"(?:\[[^\]]{4,40}\])?\s{1,30}(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\s")
SOURCE = re.compile(r"\s{1,80}[\w./-]{1,60}\.py:\d{1,6}\s*$")  # that wrote the line, at the right margin
ITEM = re.compile(r"\s{0,8}- ([-+.\d][-+.\deE]{0,40}|\.nan|nan)\s*$")  # of a list in YAML
BEST = "est iteration is:"  # behind which LightGBM repeats the values of its best round


def whole_lines(lines: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """Yield lines, those joined that rich wrapped: deeply indented below its bar or below a line of its logger."""
    opened, opened_bar = "", False
    repeats = False
    for line, bar in _listed(lines):
        if opened:
            if line.startswith(INDENT) and len(opened) < MOST_JOINED and not LOGGER.match(line):
                opened = f"{opened} {line.strip()}"
                continue
            yield opened, opened_bar
            opened = ""
        if repeats:
            repeats = False
        elif BAR in line or LOGGER.match(line):
            opened, opened_bar = SOURCE.sub("", line.rstrip()), bar
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
