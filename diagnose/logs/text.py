"""Free text: the lines that training loops print, whoever wrote them.

Nothing is matched as a whole. Each number of a line is named by the words right before it, so that "step 250: train
loss 1.9, val loss 2.0", "loss: 0.5 - val_loss: 0.6" and "{'eval_loss': 1.2}" are read alike, in time that grows with
the line's length alone. A value without a step belongs to the step that was named last.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.logs.names import EPOCH, FOREIGN, NEUTRAL, SPANS, STEP, TRAIN, VAL, meaning, words
from diagnose.logs.series import NAN, Log, LogRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_NUMBERS = 64  # of a line
MOST_KEY = 64  # characters before a number that may name it
MOST_TOLD = 2000  # rows from which the tool is told
NUMBER = re.compile(
    r"(?<![\w.])(?:[-+]?(?:\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?"
    r"|inf(?:inity)?(?!\w))|nan(?!\w))",
    re.IGNORECASE,
)
UNIT = re.compile(r"[A-Za-z%]{0,8}(?:/[A-Za-z]{1,8})?")
PARTS = re.compile(r"[|;,{}\t]|\]\s|\s-\s|\s{3,}|[━═█#>]|\.\.\.")
OVER = re.compile(r"\s{0,4}(?:/|\bof\b)\s{0,4}")
AFTER = re.compile(
    r"\s{0,3}(?:mini-?)?(validation|val|eval|training|train)?\s?(?:mini-?)?(batches|samples|tokens)\b", re.IGNORECASE
)
IS_VALUE = re.compile(r"(?:[:=]|loss|ppl|perplexity|bpb)[\s'\"(]{0,8}$", re.IGNORECASE)  # before a NaN that is a number
KNOWN = VAL | TRAIN | NEUTRAL | EPOCH | STEP | set(SPANS)
DIGIT = re.compile(r"[0-9]")
MAYBE = re.compile(r"loss|lr\b|size|leng|epoch|step|iter|ppl|perpl|bpb|trl|tel\b|nll|entropy|elapsed|batch|\d\s?/\s?\d"
                   r"|\d%|layers|heads|dim|dropout|vocab|parameters|context|tokens", re.IGNORECASE)  # fmt: skip
FACTS: dict[tuple[str, ...], str] = {
    ("batch", "size"): "batch_size", ("per", "device", "train", "batch", "size"): "batch_size",
    ("context", "length"): "context", ("context", "len"): "context", ("block", "size"): "context",
    ("sequence", "length"): "context", ("seq", "len"): "context", ("seq", "length"): "context",
    ("max", "seq", "len"): "context", ("sequence", "context", "length"): "context", ("sequence", "len"): "context",
    ("vocab", "size"): "vocab_size", ("dropout",): "dropout", ("embedding", "dimension"): "width",
    ("n", "embd"): "width", ("layers",): "layers", ("n", "layer"): "layers", ("heads",): "heads",
    ("tokens", "per", "iteration", "will", "be"): "tokens_per_step", ("total", "batch", "size"): "tokens_per_step",
    ("total", "elapsed", "time"): "elapsed", ("elapsed", "time"): "elapsed", ("eval", "iters"): "eval_iters",
    ("gradient", "accumulation", "steps"): "accumulate", ("label", "smoothing"): "label_smoothing",
    ("weight", "decay"): "weight_decay",
}  # fmt: skip
LONGEST_FACT = max(map(len, FACTS))
TOOLS = (  # a line that only this tool prints
    ("nanoGPT", re.compile(r"^(?:step \d+: train loss \S+, val loss |iter \d+: loss \S+, time \S+ms, mfu )")),
    ("nanochat", re.compile(r"^Step \d{5} \| Validation bpb: |^step \d{5}/\d{5} \(.{1,8}%\) \| loss: ")),
    (
        "llm.c",
        re.compile(r"^s:\d+ (?:tel|trl):|^step +\d+/\d+ \| loss .{1,12} \(.{1,9}z\)\| norm |^val loss \d+\.\d{6}$"),
    ),
    ("Hugging Face", re.compile(r"^\{'(?:loss|eval_loss)': ")),
    ("Keras", re.compile(r" - val_loss: .{0,30}$|ms/step - .{0,40}loss: ")),
)


@dataclass
class _Number:
    """A number of a line: what stands before it since the number before (or the line's start), and its unit."""

    value: float
    key: str
    unit: str
    over: float = NAN  # b of "a / b"
    after: str = ""


class TextReader:
    """Reads lines and keeps where in the run they are."""

    def __init__(self) -> None:
        self.log = Log("text")
        self.step = self.epoch = self.seconds = NAN
        self.within = False  # whether steps are counted within their epoch
        self._tools: dict[str, int] = {}

    def read(self, lines: Iterable[tuple[str, bool]]) -> Log:
        """Read a whole log."""
        for line, bar in lines:
            if (DIGIT.search(line) or "nan" in line.lower()) and MAYBE.search(line):
                self._line(line, bar=bar)
        self.log.tool = max(self._tools, key=lambda tool: self._tools[tool], default="")
        if self.within:
            self.log.facts["within_epoch"] = 1.0
        return self.log

    def _line(self, line: str, *, bar: bool) -> None:
        told = self.log.rows < MOST_TOLD
        tool = next((name for name, looks in TOOLS if told and looks.search(line)), "")
        if tool:
            self._tools[tool] = self._tools.get(tool, 0) + 1
        values: dict[str, float] = {}
        side = ""
        for number in numbers(line):
            placed = self._place(number)
            side = side or _heading(number.key, placed=placed)
            if not placed and not self._fact(number):
                name = loss_name(number)
                if name:
                    values[name if not side or meaning(name).side else f"{side} {name}"] = number.value
        if values:
            self.log.add(LogRow(values, self.step, self.epoch, self.seconds, bar=bar or "\r" in line))

    def _place(self, number: _Number) -> bool:
        """Take a number that says where in the run the line is."""
        found = words(_last_part(number.key))
        last = found[-1] if found else ""
        bare = not words(number.key)
        ratio = not math.isnan(number.over)
        if number.after:
            return False
        if last in EPOCH and not (set(found) & FOREIGN):
            self.epoch = number.value
            if ratio:
                self.log.facts["epochs"] = number.over
            elif last == "epochs":
                self.log.facts["epochs"] = number.value
        elif (last in STEP and (len(found) <= 3 or found[-2] == "at") and number.value >= 0) or (
            found == ("s",) and ":" in number.key
        ):
            if set(found[:-1]) & (FOREIGN | {"per", "ms", "sec", "samples", "tokens"}) or number.unit:
                return False
            self._count(number, within=ratio and not math.isnan(self.log.facts.get("epochs", NAN)))
        elif bare and ratio and 0 <= number.value <= number.over and number.over >= 2 and not number.unit:
            self._count(number, within="epochs" in self.log.facts)
        elif number.unit == "s" and bare and not ratio:
            self.seconds = number.value
        elif found[-2:] == ("total", "time") and number.unit in ("m", "min", "s"):
            self.seconds = number.value * (1 if number.unit == "s" else 60)
        else:
            return False
        return True

    def _count(self, number: _Number, *, within: bool) -> None:
        self.step = number.value
        if not math.isnan(number.over):
            if within:
                self.within = True
                self.log.facts["batches_per_epoch"] = number.over
            else:
                self.log.facts["steps"] = number.over

    def _fact(self, number: _Number) -> bool:
        """Take a setting."""
        if number.after:
            side, what = number.after.split()
            self.log.facts.setdefault(f"{side}_{what}", number.value)
            return True
        found = words(_last_part(number.key))
        for size in range(min(LONGEST_FACT, len(found)), 0, -1):
            name = FACTS.get(found[-size:])
            if name:
                self.log.facts.setdefault(name, number.value)
                return True
        return False


def numbers(line: str) -> Iterator[_Number]:
    """Yield the numbers of a line, the two of "a / b" as one."""
    start, held = 0, None
    for count, match in enumerate(NUMBER.finditer(line)):
        if count >= MOST_NUMBERS:
            break
        text = line[start : match.start()]
        if match.group()[-1].isalpha() and not IS_VALUE.search(text):
            continue  # "number of nan iterations"
        value = to_float(match.group())
        unit = UNIT.match(line, match.end())
        end = unit.end() if unit else match.end()
        if held is not None and not held.unit and math.isnan(held.over) and OVER.fullmatch(text):
            held.over, held.unit = value, unit.group() if unit else ""
        else:
            if held is not None:
                yield held
            held = _Number(value, text[-MOST_KEY:], unit.group() if unit else "")
        start = end if held.unit not in ("", "of") else match.end()
        held.after = _after(line, match.end())
    if held is not None:
        yield held


def _after(line: str, end: int) -> str:
    """Return "val batches" for "928 Validation Batches", "" where nothing of the kind follows a number."""
    match = AFTER.match(line, end)
    if not match or not match.group(1):
        return ""
    side = "val" if match.group(1).lower() in VAL else "train"
    return f"{side} {match.group(2).lower()}"


def _heading(key: str, *, placed: bool) -> str:
    """Return "val" where a word for validation names what follows in the line, and not the number itself."""
    parts = PARTS.split(key)
    named = parts if placed else parts[:-1]
    held = {word for part in named for word in words(part)}
    return "val" if held & VAL and not held & TRAIN else ""


def _last_part(key: str) -> str:
    return PARTS.split(key.rstrip())[-1]


def loss_name(number: _Number) -> str:
    """Return the name of a number that is a loss ("val loss"), "" for any other."""
    part = _last_part(number.key)
    found = list(words(part))
    taken: list[str] = []
    while found and (found[-1] in KNOWN or meaning(found[-1]).kind):
        taken.insert(0, found.pop())
    name = " ".join(word for word in taken if word not in ("step", "the", "per", "on"))
    named = meaning(name) if taken else None
    if named is None or not named.kind or number.unit or not math.isnan(number.over) or number.after:
        return ""
    if found and (set(found) & FOREIGN or not re.search(r"[:=]['\"\s]*$", part)):
        return ""  # prose ("a loss of 4"), or the best loss so far
    return name


def to_float(text: str) -> float:
    """Return a number as text has it; too large a one is infinite."""
    try:
        return float(text.replace(",", ""))
    except (ValueError, OverflowError):
        return math.inf


def read_text(lines: Iterable[tuple[str, bool]]) -> Log:
    """Read a log of free text."""
    return TextReader().read(lines)
