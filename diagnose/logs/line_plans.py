"""How lines that differ in digits alone are read: decided once for all of them."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from diagnose.logs import line_patterns as patterns
from diagnose.logs.line_words import Shape, Slot
from diagnose.logs.series import NAN

# groups of signs, one of each of which has to be in a block, and how its lines are rewritten then
Rewrite = tuple[tuple[tuple[str, ...], ...], "Callable[[str], str]"]

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.logs.line_words import Slot

MOST_PLANNED = 24  # numbers of a line with a plan
MOST_HEADING = 120  # characters of a line that may be a heading
DIGIT = re.compile(r"[0-9]")
RUNS = ("fold", "run", "model", "seed", "trial", "experiment", "fit", "arm", "config", "exp", "split", "repeat",
        "restart", "# ", "===", "<!--", "task", "train", ". ")  # fmt: skip
NAMES_RUN = re.compile(
    r"^[\W\d_]{0,8}(?:\w{1,12}\s)?(?:k?-?fold|run|model|seed|trial|experiment|fit|arm|config|exp|split|repeat|restart|task)\b"
    r"[\s#:=_-]{0,3}[\w.\-]{0,40}|^\s{0,3}train(?:ing)?\s#?\d{1,4}\W{0,2}$"
    r"|^\s{0,3}\d{1,3}\.\s[A-Za-z][^:=|]{3,}$|^\s{0,3}(?:#{1,4}\s|<!--\s{0,3})[^\s>-]|^={3,}.{1,60}={3,}$",
    re.IGNORECASE,
)
JOINED = re.compile(r"(?<![A-Za-z0-9_./-])(e|ep|epoch|step|iter|s)[_-]?(\d{1,9})(?![A-Za-z0-9_/]|\.\d)", re.IGNORECASE)
ZEROS = bytes.maketrans(b"123456789", b"000000000")
LITERAL = re.compile("l0", re.IGNORECASE)  # "l1" and "l2", which `SPEAKS` tells from others
FLOAT = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
PLACE, WHOLE = re.compile(r"\d{1,15}(?:\.\d*)?"), re.compile(r"\d{1,15}")
EMPTY = Shape()


@dataclass(frozen=True)
class Plan:
    """How the lines that differ in digits alone are read.

    Attributes:
        shape: what their numbers are.
        slices: where those stand that the shape uses.
        literals: where digits stand that are no numbers (of "layer2"), and which.
        names: whether they may name a run.
        values: name and place of each loss, where lines can be read without deciding anything.
        places: of each position its name ("" for none), where it stands, and what runs to which total ("" for none).
        seconds: where these stand, None without; `scale`: of them.
        parts: what stands between signs of numbers that have to be put right first, as in 2.5f0 and 2,5; () without.
        joint: what stands in their place.
    """

    shape: Shape
    slices: tuple[slice, ...] = ()
    literals: tuple[tuple[slice, str], ...] = ()
    names: bool = False
    values: tuple[tuple[str, slice], ...] = ()
    places: tuple[tuple[str, slice, str, float], ...] = ()
    seconds: slice | None = None
    scale: float = 1.0
    parts: tuple[slice, ...] = ()
    joint: str = ""

    def fits(self, line: str) -> bool:
        """Say whether a line has the same digits where they are no numbers."""
        return all(line[part] == text for part, text in self.literals)


BARE = Plan(EMPTY)  # of lines without numbers that say nothing


def masked(lines: list[str]) -> list[str]:
    """Return lines with a zero for each digit: those that differ in digits alone are the same then."""
    text = "\n".join(lines).encode("utf-8", "surrogatepass")
    return text.translate(ZEROS).decode("utf-8", "surrogatepass").split("\n")


def shape_key(parts: list[str]) -> str:
    """Return what lines of one shape have in common: the text between their numbers, as `NUMBER` divides it.

    Where only a blank stands between two numbers, which of them are whole ones belongs to it.
    """
    key = "\0".join(parts[::2])
    if any(patterns.GOES_ON.fullmatch(text) for text in parts[2:-1:2]):
        key += "\0\0" + "".join("0" if number.isdigit() else "." for number in parts[1::2])
    return key


def planned(line: str, key: str, shape: Shape, numbers: list[str]) -> Plan | None:
    """Return how lines like this one are read, None where its numbers do not stand as they are read.

    Args:
        line: as the log has it.
        key: the line with a zero for each digit.
        shape: what its numbers are.
        numbers: as they were read.
    """
    spans = _spans(line)
    if [line[start:end] for start, end in spans] != numbers or len(shape.used) > MOST_PLANNED:
        return None
    between = zip([0, *(end for _, end in spans)], [*(start for start, _ in spans), len(line)], strict=True)
    literals = [(slice(a, b), line[a:b]) for a, b in between if DIGIT.search(line, a, b)]
    names = names_run(line)
    if not (shape.used or shape.tuple or shape.side or names):
        shape, literals = EMPTY, literals if LITERAL.search(key) else []
    slices = tuple(slice(*spans[place]) for place in shape.used)
    if len(literals) > MOST_PLANNED:
        return None
    plan = Plan(shape, slices, tuple(literals), names)
    return _quickened(plan, [line[part] for part in slices]) if _is_plain(shape) else plan


def _is_plain(shape: Shape) -> bool:
    """Say whether the lines of a shape are taken for what they are, whatever their numbers."""
    return bool(shape.losses) and not (
        shape.tuple or shape.apart or shape.summary or shape.of_runs or shape.overall or shape.side in ("val", "test")
        or any(slot.whole or slot.mean >= 0 for _, slot in shape.losses)
    )  # fmt: skip


def _quickened(plan: Plan, numbers: list[str]) -> Plan:
    """Return a plan with all that is decided beforehand; as it is where the form of a number leaves something open."""
    shape = plan.shape
    losses = {slot.name: k for k, slot in reversed(shape.losses)}
    seconds = [(k, slot.scale) for k, slot in shape.facts if slot.what == "seconds"][-1:]
    places = [_place(plan, k, slot, numbers) for k, slot in shape.positions]
    forms = all(FLOAT.fullmatch(numbers[k]) for k in [*losses.values(), *(k for k, _ in seconds)])
    known = [place for place in places if place is not None]
    names = [name for name, *_ in known if name]
    if not forms or len(known) < len(places) or len(set(names)) < len(names):
        return plan
    totals = {slot.over for _, slot in shape.positions if slot.over >= 0}
    return replace(
        plan,
        values=tuple((name, plan.slices[k]) for name, k in losses.items())[::-1],
        places=tuple(known),
        literals=plan.literals + tuple((plan.slices[k], numbers[k]) for k in totals),
        seconds=plan.slices[seconds[0][0]] if seconds else None,
        scale=seconds[0][1] if seconds else 1.0,
    )


def _place(plan: Plan, k: int, slot: Slot, numbers: list[str]) -> tuple[str, slice, str, float] | None:
    """Return a position of `Plan.places`, None where a number's form leaves open whether it is one."""
    total = float(numbers[slot.over]) if slot.over >= 0 and PLACE.fullmatch(numbers[slot.over]) else NAN
    ratio, epoch = slot.what == "ratio", slot.name == "epoch"
    if not (PLACE if epoch else WHOLE).fullmatch(numbers[k]) or (slot.over >= 0 and not total >= (2 if ratio else 0)):
        return None
    runs_to = "" if slot.over < 0 else "batch" if ratio and epoch else slot.name
    return ("" if ratio and epoch else slot.name, plan.slices[k], runs_to, total)


def _spans(line: str) -> list[tuple[int, int]]:
    """Return where a line's numbers begin and end, those behind a counter's word too, as in "epoch12"."""
    parted, at, origin = "", 0, []
    for joined in JOINED.finditer(line):
        word, start = joined.end(1), joined.start(2)
        parted += f"{line[at:word]} "
        origin += [*range(at, word), start]
        at = start
    parted += line[at:]
    origin += [*range(at, len(line) + 1)]
    numbers = itertools.islice(patterns.NUMBER.finditer(parted), patterns.MOST_NUMBERS)
    return [(origin[number.start()], origin[number.end()]) for number in numbers]


def names_run(line: str) -> bool:
    """Say whether a line may name a run."""
    return len(line) < MOST_HEADING and has_any(RUNS, line.lower()) and bool(NAMES_RUN.match(line))


def rewritten(block: list[tuple[str, bool]], text: str, rewrites: tuple[Rewrite, ...]) -> list[tuple[str, bool]]:
    """Return a block's lines, rewritten by each of `rewrites` whose signs are in the block; `text` is all of it."""
    for signs, rewrite in rewrites:
        if all(has_any(some, text) for some in signs):
            block = [(rewrite(line), bar) for line, bar in block]
    return block


def has_any(parts: tuple[str, ...], low: str) -> bool:
    """Say whether a line in small letters holds any of these."""
    for part in parts:  # noqa: SIM110  (faster than any(), and than a pattern of them all)
        if part in low:
            return True
    return False
