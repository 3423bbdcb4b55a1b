"""Sentences and notes in the order in which prints have their words: names before values, the last one of a course."""

from __future__ import annotations

import re

from diagnose.logs.line_plans import Rewrite, has_any, rewritten

VALUE = r"[-+]?\d{0,9}\.\d{1,12}(?:[eE][-+]?\d{1,3})?"
SIDE = r"(?:train(?:ing)?|val(?:id(?:ation)?)?|test|dev|eval)"
COURSE = re.compile(  # "from 1.74 at step 1 to 0.009 at step 500"
    rf"(\bfrom\s{VALUE})\s\(?(?:(?:at|in|after|on|by)\s)?(?:the\s)?(?:epoch|step|iteration|iter)\s[\d,]{{1,12}}\)?"
    r"(?=,?\s(?:down\s|up\s)?to\s)",
    re.IGNORECASE,
)
WITHOUT_VERB = re.compile(rf"(?<=\bloss) from (?={VALUE} (?:down |up )?to )", re.IGNORECASE)
COMPARED = re.compile(  # "Validation loss (0.31) is higher than the training loss (0.25)"
    rf"\(({VALUE})\),?\s(?:is|was|are|were|stays|remains|lies)\s[a-z, ]{{0,40}}?\b(?:than|above|below|over|under)\s"
    r"(?:the\s|my\s|its\s)?(?=[a-z_ ]{3,20}loss)",
    re.IGNORECASE,
)
BEHIND = re.compile(  # "0.25 / 0.31 train/val loss", and "loss 0.25 / 0.31 train/val"
    rf"(?:\bloss(?:es)?:?\s)?({VALUE})\s?/\s?({VALUE})\s[(\[]?({SIDE})\s?/\s?({SIDE})(?:\s(?:loss|losses)\b)?[)\]]?",
    re.IGNORECASE,
)
NAME_ALONE = re.compile(rf"[\s*#>|-]{{0,8}}({SIDE}[\s_-]loss)[\s*:]{{0,6}}$", re.IGNORECASE)
VALUE_ALONE = re.compile(rf"[\s*`>]{{0,16}}({VALUE})[\s*`]{{0,6}}$")
NAME_SIGNS = ("oss\n", "oss:\n", "oss**\n", "oss:**\n", "oss**:\n")


def reordered(block: list[tuple[str, bool]], text: str) -> list[tuple[str, bool]]:
    """Return a block's lines; `text` is all of them."""
    block = rewritten(block, text, REWRITES)
    return _joined(block) if has_any(NAME_SIGNS, text) else block


def _before(match: re.Match[str]) -> str:
    """Return two values behind their names; as they were where the words are no names of losses."""
    if "loss" not in match.group().lower():
        return match.group()
    return f"{match[3]}/{match[4]} loss: {match[1]}/{match[2]}"


REWRITES: tuple[Rewrite, ...] = (
    (((" from ",), (" to ",)), lambda line: WITHOUT_VERB.sub(" went from ", COURSE.sub(r"\1", line))),
    (((") is ", ") was "), (" than ", " above ", " below ")), lambda line: COMPARED.sub(r"(\1), ", line)),
    (((" train/", " train /", "(train/", " training/", " training /"),), lambda line: BEHIND.sub(_before, line)),
)


def _joined(block: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Return lines, a name alone joined with the one value below it; values that go on are a list."""
    out: list[tuple[str, bool]] = []
    for k, (line, bar) in enumerate(block):
        above = NAME_ALONE.match(out[-1][0]) if out else None
        value = VALUE_ALONE.match(line) if above else None
        more = k + 1 < len(block) and VALUE_ALONE.match(block[k + 1][0])
        if above and value and not more:
            out[-1] = f"{above[1]}: {value[1]}", bar
        else:
            out.append((line, bar))
    return out
