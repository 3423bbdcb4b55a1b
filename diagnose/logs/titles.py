"""What names the configuration that a line's losses are of: a label before them, or words alone on the line above."""

from __future__ import annotations

import re

from diagnose.logs import line_patterns as patterns
from diagnose.logs.line_words import standing
from diagnose.logs.names import counter, meaning, words

TITLE = "\x1d"  # marks such names
MOST = 128  # rows until which names are taken
ROW_OF_RUN = re.compile(r"\W{0,8}(?:fold|run|trial|seed|split|repeat)\W{0,3}\d{1,6}\b", re.IGNORECASE)
LABEL = re.compile(r"\W{0,6}([A-Za-z][\w.+/ -]{1,40}?):\s{1,4}(?=[^:\d]{0,60}loss)", re.IGNORECASE)  # "SGD: train loss"
ABOVE = re.compile(r"[\W_]{0,8}([A-Za-z][^:=|*]{1,60}?)(?::\W{0,4}|\*\*\W{0,2}|\soptimi[sz]er\W{0,2})$", re.IGNORECASE)
NUMBER = re.compile(r"(?<![A-Za-z\d-])\d")  # a number of its own, not that of "ResNet18"


def title_of(line: str, above: str) -> str:
    """Return the name of the configuration of a line of losses, "" for none: `above` is the line before it."""
    label = LABEL.match(line) or ABOVE.match(above)
    name = label.group(1).strip() if label else ""
    if not name or NUMBER.search(name) or standing(name) or meaning(name).kind or counter(name):
        return ""
    return "" if set(words(name)) <= patterns.LEVELS or any(map(counter, name.split())) else f"{TITLE}{name}"
