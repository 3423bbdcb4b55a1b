"""Lines as they were before the terminal's width cut them, and without those that tell again what stood above."""

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
BEST = "est iteration is:"  # behind which LightGBM repeats the values of its best round


def whole_lines(lines: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
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
            opened, opened_bar = SOURCE.sub("", line.rstrip()), bar
        else:
            yield line, bar
            repeats = line.endswith(BEST)
    if opened:
        yield opened, opened_bar
