"""What stands before a line or labels it, in plain words: WeNet's batches, mpirun's ranks, the file that grep names."""

from __future__ import annotations

import html
import itertools
import math
import re
from typing import TYPE_CHECKING

from diagnose.logs.line_plans import Rewrite, has_any, rewritten
from diagnose.logs.names import side_of, words
from diagnose.logs.written_numbers import without_points

if TYPE_CHECKING:
    from collections.abc import Iterable

BATCH = re.compile(r"\b[Bb]atch (\d{1,9})/(\d{1,9})\b")
EPOCH = re.compile(r"epoch", re.IGNORECASE)
FEWEST = 3  # totals of batches, from which on they are none
STEP = 5  # between batches that are printed, at the least
FROM_FILE = re.compile(r"([\w./-]{1,200}?)(?:\.(\d{1,9}))?\.(?:log|txt|out):(?:\d{1,9}:)?")  # that grep found a line in
FILES = (".log:", ".txt:", ".out:")
LABELLED = re.compile(r"^(\w{2,80})\{([^{}]{0,400})\}\s")  # 'train_loss{epoch="1"} 2.5' of Prometheus
OF_ABSL = re.compile(r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6} +\d{1,20} [\w.-]{1,60}:\d{1,6}\] ")  # before each of its lines
RANK = re.compile(r"\[\d{1,6},\d{1,6}\]<std(?:out|err)>: ?")  # mpirun's, before each line
# icefall's loss of a batch, and its mean over recent ones
OF_ICEFALL = re.compile(r"\bloss\[[^\[\]]{0,400}\], tot_loss\[([^\[\]]{0,400})\]")
OF_BIGDL = re.compile(r"\b[Ll]oss: ?[\d.eE+-]{1,40}, count: ?\d{1,12}, (?=[Aa]verage [Ll]oss)")  # a sum before its mean
FIELD = re.compile(r"\b(?=\w{1,40}=)")
LETTERS = (  # of sides, where both stand in a block: "[T] loss 2.5 [V] loss 2.2"
    (("V]", "V)", "V>", "v]", "v)"), re.compile(r"[\[(<]([TVtv])[\])>](?=[^\[(<\n]{0,60}\b[Ll]oss)")),
    (("V:",), re.compile(r"\b([TV]):(?=\s{0,2}[Ll]oss)")),
)
SIDE_OF_LETTER = {"t": " train ", "v": " val "}
OF_MINDSPORE = re.compile(r"epoch: ?\d{1,9},? step: ?\d{1,9}, loss is ")  # beside which dictionaries are evaluations'
RETURNED = re.compile(r"(\{[^{}]{0,200}?['\"])(?=loss['\"]:)")

TAG = re.compile(r"</?(?:li|p|td|b|i|em|strong|code|br|div|span|pre)\b[^<>]{0,200}>", re.IGNORECASE)  # of a page
NUMBERED = re.compile(r"\s{0,8}(\d{1,6})\.\s")  # as pages for pasted text begin their lines
OF_PAGE = re.compile(r"\|? ?([^|]*?) ?\|(?: \|)?$")  # a line of a file within the one cell that a page has for it
IN_ORDER = 0.8  # of the lines of a block


class Labels:
    """Puts labels into plain words, block by block.

    Attributes:
        of_epoch: whether "Batch 4/200" is batch 200 of epoch 4; None while it is not known.
        of_mindspore: whether lines are printed as MindSpore does.
    """

    def __init__(self) -> None:
        self.of_epoch: bool | None = None
        self.of_mindspore = False

    def plain(self, block: list[tuple[str, bool]], text: str) -> list[tuple[str, bool]]:
        """Return a block's lines; `text` is all of them."""
        block = _of_pages(block, text)
        if without_points(text) != text:
            whole = without_points("\n".join([line for line, _ in block])).split("\n")
            block = [(line, bar) for (_, bar), line in zip(block, whole, strict=True)]
        block = _spelled(rewritten(block, text, REWRITES), text)
        if "loss is " in text:
            self.of_mindspore = self.of_mindspore or OF_MINDSPORE.search(text) is not None
        if self.of_mindspore and "{" in text:
            block = [(RETURNED.sub(r"\1eval ", line), bar) for line, bar in block]
        if self.of_epoch is None and "atch " in text:
            self.of_epoch = _counts_in_epochs(line for line, _ in block)
        if self.of_epoch:
            block = [(BATCH.sub(r"Epoch \1 Batch \2", line), bar) for line, bar in block]
        return block


def _of_pages(block: list[tuple[str, bool]], text: str) -> list[tuple[str, bool]]:
    """Return lines without what pages and files that quote them put around and between them."""
    if "\\n" in text:  # as JSON and repr write the end of a line
        block = [(part, bar) for line, bar in block for part in line.split("\\n")]
    if "</" in text:
        block = [(html.unescape(TAG.sub(" ", line)), bar) for line, bar in block]
    if "\n|\n" in text or " | |\n" in text:
        block = [(of_page(line), bar) for line, bar in block]
    if ". " in text and _is_numbered(block):
        block = [(NUMBERED.sub("", line, count=1), bar) for line, bar in block]
    return block


def _spelled(block: list[tuple[str, bool]], text: str) -> list[tuple[str, bool]]:
    """Return lines with the sides that letters stand for, where both do."""
    for signs, letters in LETTERS:
        if has_any(signs, text) and {letter.lower() for letter in letters.findall(text)} == SIDE_OF_LETTER.keys():
            block = [(letters.sub(lambda match: SIDE_OF_LETTER[match[1].lower()], line), bar) for line, bar in block]
    return block


def _counts_in_epochs(lines: Iterable[str]) -> bool | None:
    """Say whether "Batch 4/200" names an epoch first: what follows goes up by even steps, as no totals do."""
    pairs = [batch.groups() for line in lines if (batch := BATCH.search(line)) and not EPOCH.search(line)]
    if not pairs:
        return None
    firsts, seconds = ({pair[k] for pair in pairs} for k in (0, 1))
    even = math.gcd(*map(int, seconds)) >= STEP
    return even and len(seconds) >= FEWEST and len(seconds) > len(firsts)


def _without_file(line: str) -> str:
    """Return a line with its file's side, and its number as of an iteration, in place of the file's name."""
    match = FROM_FILE.match(line)
    side = side_of(words(match.group(1).rpartition("/")[2])) if match else ""
    if not match or not (side or match.group(2)):
        return line
    number = f"iteration {match.group(2)} | " if match.group(2) else ""
    return f"{side} | {number}{line[match.end() :]}"


REWRITES: tuple[Rewrite, ...] = (
    ((FILES,), _without_file),
    ((('="',), ("{",)), lambda line: LABELLED.sub(r"\2 \1: ", line)),
    ((("] [",), (".py:",)), lambda line: OF_ABSL.sub("", line, count=1)),
    ((("]<std",),), lambda line: RANK.sub("", line)),
    ((("tot_loss[",),), lambda line: OF_ICEFALL.sub(lambda means: FIELD.sub("tot_", means.group(1)), line)),
    (((", count: ",),), lambda line: OF_BIGDL.sub("", line)),
)


def of_page(line: str) -> str:
    """Return what a page shows of a line in a cell of its own, other lines as they are."""
    cell = OF_PAGE.match(line)
    return cell.group(1) if cell else line


def _is_numbered(block: list[tuple[str, bool]]) -> bool:
    """Say whether lines are numbered, each by one more than the line before."""
    numbers = [int(number.group(1)) for line, _ in block if (number := NUMBERED.match(line))]
    follow = sum(first + 1 == second for first, second in itertools.pairwise(numbers))
    return len(numbers) >= FEWEST and follow >= IN_ORDER * (len(block) - 1)
