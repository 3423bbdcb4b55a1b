"""The shape of a line: what each of its numbers is, told from the words around them.

Lines of one print differ in their numbers alone, so the shape of a line (the text between its numbers) is analysed
once and kept. One rule names a number: the words right before it, back to the separator before them. One rule gives a
loss its side: a side word in its name; else the last word for a side that stands alone before it in the line. One rule
gives a position: a counter's word right before (or "3/10" standing alone).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from diagnose.logs.names import FOREIGN, NEUTRAL, SIDES, VAL, counter, meaning, side_of, words

MOST_NUMBERS = 64  # of a line
MOST_KEY = 120  # characters before a number that may name it
MOST_NAME = 6  # words of a loss's name
MOST_PARTS = 12  # of one without blanks, as "eval/c4-validation/CrossEntropyLoss"
NUMBER = re.compile(  # the first part is but for speed: most characters begin no number
    r"(?=[-+.0-9iInN])(?<![A-Za-z0-9_.])([-+]?(?:[0-9]+(?:,[0-9]{3}){1,6}(?:\.[0-9]+)?(?![0-9,])"
    r"|[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?"
    r"|(?:[iI]nf(?:inity)?|INF|[nN][aA][nN])(?![A-Za-z0-9_])))"
)
MISSING = re.compile(r"[:=|]\s{0,3}(?:n/a|none|null|no log|--?)(?=$|[\s,|;)}\]])", re.IGNORECASE)
UNIT = re.compile(
    r"[A-Za-z%\u00b5]{1,12}(?:/[A-Za-z]{1,9})?|\s?[A-Za-z]{1,12}/(?:s|sec|second|min|step|batch|it|epoch)\b"
)
ORDINAL = re.compile(r"\s?(?:st|nd|rd|th)?[\s-]?epoch(?![a-z])", re.IGNORECASE)
PARTS = re.compile(r"[|;,{}\t&]|\]\s|\s[-\u2013\u2014]\s|\s{3,}|[\u2500-\u259f]|\.\.\.")
PLACEHOLDER = re.compile(r"(?:n/a|none|null|no log)\b", re.IGNORECASE)
ARROW = re.compile(r"[-=]{1,2}>\s*$")
TAIL = re.compile(r"[\s:='\"(\[{<>~@#*+/!-]*$")
OPERATOR = re.compile(r"(?:[<>*+/!]|[-+*/!=<>]=)\s*['\"(]?$")
AFTER_OPERATOR = re.compile(r"\s?\*|\s[+/<>]\s|\s?[*^]|\s-\s[a-z_]+\b(?!\s?[:=])(?=$)")
BRACKETED = re.compile(r"<\w{1,40}>=\s*$")  # "<loss>=0.5" is a name in brackets, and no comparison
COUNT = re.compile(r"\d{1,3}(?:,\d{3})+|\d{4,}")  # of words that a mean is over, as in "Cost 5.2 * 1,234,567"
COPULA = re.compile(r"['\")\]]?\s{1,3}(?:is|was|are|reached|equals)\s*$", re.IGNORECASE)
OVER = re.compile(r"\s{0,4}(?:/|\bof\b|out of)\s{0,6}")
GOES_ON = re.compile(r":?\s{1,4}")
BETWEEN = re.compile(r"\s{0,3}[/|,;]?\s{0,3}")
NEXT_RATIO = re.compile(r"\s?\]\s?\[\s{0,4}")
COUNTED = re.compile(
    r"\s{0,3}(?:mini-?)?(validation|val|eval|training|train)?\s?(?:mini-?)?(batches|samples|tokens)\b", re.IGNORECASE
)
ALONE = re.compile(r"[\w/.\-']+")
RATE = re.compile(r"(?:\b(?:words?|tok(?:en)?s?|samples?|sec(?:ond)?s?|s|ms|time|im(?:ag)?e?s?|examples?|seqs?)\s?/\s?"
                  r"|\bper\b.{0,12}|_per_\w{0,12})[A-Za-z]{0,12}\W{0,6}$", re.IGNORECASE)  # fmt: skip
SETTINGS = re.compile(r"^\W{0,12}(?:[\w.]{0,40}\s)?(?:Namespace|Config|Arguments|Args|Options|hparams|EasyDict)\b"
                      r".{0,3}[({:]", re.IGNORECASE)  # fmt: skip
CODE = re.compile(
    r"^\s*(?:def|class|import|return|parser|assert|raise|lambda|@)\b"
    r"|^\s*(?:if|elif|for|while|with|from|try|except)\b.{0,200}(?::\s{0,4}(?:#.{0,200})?$|\bimport\b)|^\s*print\w{0,3}\(|\.add_argument|self\.\w{1,40}\s?[-+*/]?="
    r"|^\s*[\w.]{1,60}\s?[-+*/]=\s|\.append\(|\.item\(|=\s?\[\]"
)
ASSIGNED = re.compile(r"^\s*[\w.'\"-]{1,60}\s*[:=]\s*$")
KERAS = re.compile(r"^\s*(?:\[[=>.]|\[\d*m|[\u2501\u2500]|- \d|- E)")
SIDE_ALONE = re.compile(r"^\s{0,4}(?:train|training|val|valid|validation|eval|test)\s?\($", re.IGNORECASE)
STAR = re.compile(r"\s{0,8}\*\s")
BAR = ("batch", "epoch")  # what "3/10" counts: Keras's bar is of the epoch
LEVELS = frozenset({"info", "debug", "log", "main", "root"})  # what a logger puts before a line's words
COUNTS = frozenset({"steps", "samples", "batches", "size", "examples"})  # "Val steps: 7" heads nothing
TIMING = frozenset({"time", "took", "duration", "elapsed", "runtime"})
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
    ("weight", "decay"): "weight_decay", ("mixup",): "mixup", ("num", "gpus"): "devices", ("world", "size"): "devices",
    ("epochs",): "epochs", ("num", "epochs"): "epochs",
}  # fmt: skip
LONGEST_FACT = max(map(len, FACTS))


@dataclass
class Slot:
    """A number of a line.

    Attributes:
        what: "position", "loss", "fact", "seconds", "ratio" (a bare "3/10") or "" (nothing that is kept).
        name: of the loss, the counter or the fact.
        over: place of b in "a / b", -1 for a plain number.
        scale: of seconds.
        whole: whether an integer says nothing here (an assignment in code or settings).
        mean: place of the running mean in "1.9 (2.1)", -1 without.
        lent: whether a loss has its side from the words around it.
        first: whether it is the first number of the line.
    """

    what: str = ""
    name: str = ""
    over: int = -1
    scale: float = 1.0
    whole: bool = False
    mean: int = -1
    lent: bool = False
    first: bool = False


@dataclass
class Shape:
    """What the lines of a shape say.

    Attributes:
        positions, losses, facts: (place among the numbers that are used, what it is).
        used: places of these among all numbers of the line.
        side: the side that the line's losses are of without having it in their names, or that it announces.
        bar: whether it is a state of Keras's bar, a running mean over the epoch.
        tuple: the name of a loss that is followed by several values in brackets.
        settled: whether some loss of the line names its side itself.
        held_out: whether the line is of data that is not trained on, so that its own counters may be of other batches.
        ratio: whether it holds a "3/10".
        named: whether all its losses are held out by their names; `both`: whether some are and some are not.
        apart: whether it is held out or named, so that its totals are not training's.
        summary: whether it begins with a star: what sums up the pass that the lines before it are of.
    """

    positions: list[tuple[int, Slot]] = field(default_factory=list)
    losses: list[tuple[int, Slot]] = field(default_factory=list)
    facts: list[tuple[int, Slot]] = field(default_factory=list)
    used: tuple[int, ...] = ()
    side: str = ""
    bar: bool = False
    tuple: str = ""
    settled: bool = False
    held_out: bool = False
    ratio: bool = False
    named: bool = False
    both: bool = False
    apart: bool = False
    summary: bool = False


class _Line:
    """A line while its shape is worked out, from left to right."""

    def __init__(self, texts: list[str], numbers: list[str]) -> None:
        self.texts, self.numbers = texts, numbers
        self.shape = Shape()
        self.weak = ""  # the last side that another number's name had
        self.near = ""  # the last that stood alone in the name of another number of this segment
        self.pending = self.kind = ""  # a loss whose value follows its position; the last loss named in the line
        self.follows = False  # whether the value of `pending` is the next number
        self.percent = ""  # the counter that a percentage stands behind, as in "Epochs: 50%| | 3/6"
        self.counters: set[str] = set()  # sides that counters have: of both, neither is the line's
        self.seen: dict[str, list[tuple[Slot, str]]] = {}
        self.side = "val" if "Saving dict for global step" in texts[0] else ""  # as TensorFlow's Estimator says it
        self.code = bool(SETTINGS.search(texts[0]) or CODE.search("0".join(texts)))

    def read(self) -> Shape:
        k, unit = 0, 0
        while k < len(self.numbers):
            before, after = self.texts[k][unit:][-MOST_KEY:], self.texts[k + 1]
            found = UNIT.match(after)
            slot = self._slot(k, before, after, found.group() if found else "")
            unit = found.end() if found and slot.over < 0 and found.group() != " of" else 0
            if slot.over >= 0:
                k = slot.over
                trailing = UNIT.match(self.texts[k + 1])
                unit = trailing.end() if trailing else 0
            k += 1
        self._behind(self.texts[-1][unit:])
        self._twice()
        self.shape.side = self.side
        return self.shape

    def _behind(self, text: str) -> None:
        """Take the side that a line ends with: of a heading, or in brackets behind its loss."""
        side = standing(text[:MOST_KEY])
        only = len(words(text[:MOST_KEY])) == 1
        if not side or self.side or (self.shape.losses and not only):
            return
        self.side = side
        for _, slot in self.shape.losses:
            slot.name = slot.name if meaning(slot.name).side else f"{side} {slot.name}"

    def _slot(self, k: int, before: str, after: str, unit: str) -> Slot:
        """Decide what a number is."""
        tail = TAIL.search(before)
        name = before[: tail.start()] if tail else before
        arrow = ARROW.search(before)
        signs = before[len(name) :]
        assigned = bool(arrow) or ":" in signs or "=" in signs
        parts = PARTS.split(name)
        part, colon, last = parts[-1].rpartition(":") if ":" in parts[-1] else parts[-1].rpartition("=")
        quote = next((sign for sign in "'\"" if sign in signs and sign in last), "")
        last = last.rpartition(quote)[2] if quote else last
        context = " | ".join(parts[:-1]) + (f" | {part}" if colon else "")
        if len(parts) > 1:
            self.near = ""
        self._headings(context)
        over = k + 1 if k + 1 < len(self.numbers) and OVER.fullmatch(after) else -1
        dual = self._dual(k, last)
        if dual is not None:
            return dual
        slot = self._position(k, last, before, after, unit, over, assigned=assigned)
        if slot is None:
            slot = self._fact(k, last, after) or self._loss(
                k, last, context, after, unit, over, (assigned, bool(arrow)), before
            )
        if slot is None or slot.what != "loss":
            self._aside(last)
        return slot or Slot(over=over)

    def _aside(self, name: str) -> None:
        """Take the side that the name of another number has: "Validation: 100%" is a heading."""
        side = standing(name) if len(self.counters) < 2 else ""
        if side and _only_sides(name):
            self.side = self.weak = side
        near = side if side and not set(words(name)) & COUNTS else self.near
        self.near = near if len(self.counters) < 2 else ""

    def _headings(self, context: str) -> None:
        """Take words for a side that stand alone."""
        side = standing(context)
        if side:
            self.side = self.weak = side

    def _dual(self, k: int, name: str) -> Slot | None:
        """Take both values of "train/val loss: 1.0/1.2"."""
        found = words(name)
        sides = [side_of((word,)) for word in found if word in SIDES]
        if len(sides) != 2 or sides[0] == sides[1] or "train" not in sides or k + 1 >= len(self.numbers):
            return None
        rest = " ".join(word for word in found if word not in SIDES)
        if not meaning(rest).kind or not BETWEEN.fullmatch(self.texts[k + 1]) or self.code:
            return None
        if "/" not in name and "&" not in name and "," not in name and " and " not in name:
            return None
        for place, side in zip((k, k + 1), sides, strict=True):
            self.shape.losses.append((place, Slot("loss", f"{side} {rest}")))
        self.shape.settled = True
        return Slot("loss", over=k + 1)

    def _position(
        self, k: int, name: str, before: str, after: str, unit: str, over: int, *, assigned: bool
    ) -> Slot | None:
        """Return the slot of a number that says where in the run the line is."""
        rated = bool(RATE.search(before)) or (bool(unit) and not ORDINAL.match(after))
        total_unit = UNIT.match(self.texts[over + 1]) if over >= 0 else None
        rated = rated or (bool(total_unit) and total_unit is not None and not total_unit.group().startswith("%")
                          and not total_unit.group().lower().startswith(("batch", "step", "it ", "epoch")))  # fmt: skip
        what = self._counter(name, assigned=assigned)
        if what and over >= 0 and what != "epoch" and side_of(words(name.rsplit(maxsplit=1)[-1])) in ("val", "test"):
            return Slot(over=over)  # "eval_step=3/10" counts validation's own batches
        if what and not rated and not COUNTED.match(after):
            self._alone_before(name)
            return self._placed(k, Slot("position", what, over))
        if what and unit.startswith("%"):
            self.percent = what
        if words(name) and not (over >= 0 and standing(name) and _only_sides(name)):
            return self._leads(k, before, after) or self._seconds(k, name, unit)
        if k == 0 and ORDINAL.match(after) and not words(before):
            return self._placed(k, Slot("position", "epoch", over))
        if over >= 0 and not rated and not self.texts[over + 1].startswith("/"):
            bar = k == 0 and not before.strip() and bool(KERAS.match(self.texts[over + 1]))
            self.shape.bar = self.shape.bar or bar
            self._epoch_before(k)
            titled = (k == 0 and bool(SIDE_ALONE.match(before))) or (self.percent == "epoch" and not self.counters)
            return self._placed(k, Slot("position", "epoch", over) if titled else Slot("ratio", BAR[bar], over))
        return self._leads(k, before, after) or self._seconds(k, name, unit)

    def _epoch_before(self, k: int) -> None:
        """Take the first of two bare ratios in brackets, as in "[1/90][200/5005]", for the epoch."""
        last, slot = self.shape.positions[-1] if self.shape.positions else (-1, Slot())
        if slot.what == "ratio" and slot.over == k - 1 and NEXT_RATIO.fullmatch(self.texts[k]):
            self.shape.positions[-1] = last, replace(slot, what="position", name="epoch")

    def _leads(self, k: int, before: str, after: str) -> Slot | None:
        """Return the slot of a position that the line begins with."""
        leads = self._leading(k, before, after)
        return self._placed(k, Slot("position", leads)) if leads else None

    def _placed(self, k: int, slot: Slot) -> Slot:
        self.shape.positions.append((k, slot))
        return slot

    def _counter(self, name: str, *, assigned: bool) -> str:
        """Return what a name counts; a loss whose name ends in "_step" is no position, "loss at step 5" is one."""
        last = name.rsplit(maxsplit=1)[-1] if name.split() else ""
        what = counter(last) or counter(name) or ("step" if name.strip().lower() == "s" and assigned else "")
        found = words(name)
        if not what or meaning(last).kind or set(found) & (FOREIGN - {"steps", "to"}) or "size" in found:
            return ""
        rest = " ".join(word for word in name.split()[:-1])
        if meaning(rest).kind:
            self.pending = rest
        elif len(found) > 5 and not assigned:
            return ""
        return what

    def _alone_before(self, name: str) -> None:
        side = standing(name)
        self.counters |= {side} - {""}
        if side:
            self.side = self.weak = side if len(self.counters) == 1 else ""

    def _leading(self, k: int, before: str, after: str) -> str:
        """Return what a number is that the line begins with, in brackets or before a colon; "" for no position."""
        start = before.strip()
        if k == 0 and start in ("[", "(") and after[:1] == "," and re.match(r",\s{0,8}$", after):
            return "epoch"
        if k == 1 and re.match(r"^\s{0,4}[\[(]$", self.texts[0].rstrip() or " ") and after.startswith("]"):
            return "batch"
        if k == 0 and ((start == "[" and re.match(r"\]|\s?\|", after)) or (not start and re.match(r":\s", after))):
            return "iteration"
        if standing(before) and k == 0 and re.match(r"\s?\[", after):
            return "epoch"
        return ""

    def _seconds(self, k: int, name: str, unit: str) -> Slot | None:
        found = words(name)
        if unit == "s" and not found:
            return self._timed(k, 1.0)
        if found[-2:] == ("total", "time") and unit in ("m", "min", "s"):
            return self._timed(k, 1.0 if unit == "s" else 60.0)
        return None

    def _timed(self, k: int, scale: float) -> Slot:
        slot = Slot("seconds", scale=scale)
        self.shape.facts.append((k, slot))
        return slot

    def _fact(self, k: int, name: str, after: str) -> Slot | None:
        """Return the slot of a setting."""
        counted = COUNTED.match(after)
        title = ""
        if counted and counted.group(1):
            title = f"{'val' if counted.group(1).lower() in VAL | {'eval'} else 'train'}_{counted.group(2).lower()}"
        found = words(name)
        for size in range(min(LONGEST_FACT, len(found)), 0, -1):
            title = title or FACTS.get(found[-size:], "")
        if not title:
            return None
        slot = Slot("fact", title)
        self.shape.facts.append((k, slot))
        return slot

    def _loss(
        self, k: int, name: str, context: str, after: str, unit: str, over: int, signs: tuple[bool, bool], before: str
    ) -> Slot | None:
        """Return the slot of a loss."""
        assigned, arrow = signs
        title = self._title(name, context, assigned=assigned)
        if title and self._counts_first(k, title, after, assigned=assigned):
            return self._placed(k, Slot("position", "iteration"))
        side = side_of(words(name))
        if side and not title and self._is_time(name):
            self.side = self.weak = standing(name) or self.side
        self.weak = side or self.weak
        if not title and not all(word in SIDES for word in words(name)):
            self.kind = ""
        if not title or self.code or unit or COUNTED.match(after) or self._calculated(k, after):
            return None
        if OPERATOR.search(before) and not arrow and not BRACKETED.search(before):
            return None
        if over >= 0 or (before.rstrip()[-1:] in ("(", "[") and self._several(k, after)):
            fractions = over < 0 or ("." in self.numbers[k] and "." in self.numbers[over])
            self.shape.tuple = title if fractions else self.shape.tuple
            return None
        if self.numbers[k][-1].isalpha() and not assigned and not meaning(name).kind:
            return None
        return self._named(k, title, after)

    def _counts_first(self, k: int, title: str, after: str, *, assigned: bool) -> bool:
        """Say whether an integer stands between a loss and its value, as in "Train loss 100 2.5": it is a position."""
        self.follows = (
            not assigned and bool(GOES_ON.fullmatch(after)) and self.numbers[k].isdigit()
            and k + 1 < len(self.numbers) and "." in self.numbers[k + 1]
        )  # fmt: skip
        if self.follows:
            self.pending = title
        return self.follows

    def _calculated(self, k: int, after: str) -> bool:
        """Say whether a number is a part of a calculation; a mean beside the count that it is over is none."""
        counted = k + 1 < len(self.numbers) and bool(COUNT.fullmatch(self.numbers[k + 1]))
        return bool(AFTER_OPERATOR.match(after)) and not (after.strip() == "*" and "." in self.numbers[k] and counted)

    def _several(self, k: int, after: str) -> bool:
        """Say whether a bracket that has opened holds more than one value."""
        return k + 1 < len(self.numbers) and bool(re.fullmatch(r"\s?[,;]\s?", after))

    def _is_time(self, name: str) -> bool:
        return bool(set(words(name)) & TIMING)

    def _named(self, k: int, title: str, after: str) -> Slot:
        """Keep a loss under its name and side."""
        own = meaning(title)
        lone = len(self.numbers) == 1 and bool(ASSIGNED.match(self.texts[0]) or self.texts[0].strip()[-1:] in "=:")
        side = self.near or self.side
        slot = Slot("loss", title if own.side or not side else f"{side} {title}", whole=lone and not after.strip())
        slot.lent = slot.name != title
        if k + 1 < len(self.numbers) and re.fullmatch(r"\s{1,3}\(\s?", after) and self.texts[k + 2].startswith(")"):
            slot.mean = k + 1
        self.shape.losses.append((k, slot))
        self.shape.settled = self.shape.settled or bool(own.side)
        if not own.side:
            self.seen.setdefault(title, []).append((slot, self.weak))
        self.kind = title if own.side or side else ""  # a loss without a side has no other sides behind it
        return slot

    def _title(self, name: str, context: str, *, assigned: bool) -> str:
        """Return the name of a loss, "" where the words before a number are none."""
        if PLACEHOLDER.search(name):
            name = PLACEHOLDER.split(name)[-1]
        name = COPULA.sub("", name)
        found = words(name)
        if not found:
            pending, self.pending = self.pending, ""
            return " ".join(_kept(words(pending))) if pending and (assigned or self.follows) else ""
        if not meaning(name).kind:
            return self._inherited(found, context, assigned=assigned)
        kept = _kept(found)
        if not assigned and not _plainly(name):
            return ""
        return " ".join(kept) if len(name.split()) <= MOST_NAME and len(kept) <= MOST_PARTS else ""

    def _inherited(self, found: tuple[str, ...], context: str, *, assigned: bool) -> str:
        """Return the name of a value that has but its side, as in "loss train: 1.0, val: 1.2"."""
        if not all(word in SIDES or word in ("set", "mean", "avg") for word in found) or not side_of(found):
            return ""
        around = [part for part in context.split("|") if words(part)]
        if around:
            last = meaning(around[-1])
            self.kind = " ".join(_kept(words(around[-1])[-2:])) if last.kind and not last.side else ""
        shared = self.kind
        if not shared and found[0] == "learn" and assigned:
            shared = "metric"
        rest = " ".join(word for word in shared.split() if word not in SIDES)
        return f"{found[0]} {rest}" if rest and meaning(rest).kind else ""

    def _twice(self) -> None:
        """Where a line holds a name twice without a side, other numbers' names tell which is whose."""
        explicit = {slot.name for _, slot in self.shape.losses if not slot.lent}
        for _, slot in self.shape.losses:
            if slot.lent and slot.name in explicit:  # the line has that side's loss under its own name
                slot.name, slot.lent = slot.name.partition(" ")[2], False
        sides = {meaning(slot.name).side for _, slot in self.shape.losses}
        if len(sides) == 2 and "" in sides:
            self._perplexity((sides - {""}).pop())
        for slots in self.seen.values():
            if len(slots) > 1 and len({slot.name for slot, _ in slots}) == 1:
                for slot, side in slots:
                    slot.name = f"{side} {slot.name}" if side and not meaning(slot.name).side else slot.name

    def _perplexity(self, side: str) -> None:
        """Give a perplexity that names no side that of the one loss that stands beside it."""
        without = [slot for _, slot in self.shape.losses if not meaning(slot.name).side]
        if all(meaning(slot.name).kind == "perplexity" for slot in without):
            for slot in without:
                slot.name = f"{side} {slot.name}"


def _only_sides(name: str) -> bool:
    """Say whether words name a side and nothing else, but for a logger's level before them."""
    return all(word in SIDES or word in LEVELS for word in words(name))


def standing(text: str) -> str:
    """Return the side whose word stands alone in a text, the last of several; not as a part of "val_acc"."""
    side = ""
    for token in ALONE.findall(text):
        word = token.strip("./-'_").lower()
        found = side_of((word,)) if word in SIDES else ""
        side = found or side
    return side


def _kept(found: tuple[str, ...]) -> list[str]:
    return [
        word for word in found if word not in ("the", "per", "on", "for", "of", "at", "in", "after", "is", "was", "set")
    ]


def _plainly(name: str) -> bool:
    """Say whether a value may follow a name without a sign: every word is known, or belongs to one identifier."""
    last = name.rsplit(maxsplit=1)[-1]
    if meaning(last).kind and not set(words(name)) - set(words(last)) - NEUTRAL - SIDES:
        return True
    found = words(name)
    known = [word for word in found if word in NEUTRAL or word in SIDES or meaning(word).kind]
    if found[-1] in SIDES and len(known) == len(found) <= 4:  # "loss on validation 2.2"
        return True
    return bool(meaning(found[-1]).kind) and len(found) - len(known) <= 1 and len(found) <= 4


def shape_of(texts: list[str], numbers: list[str]) -> Shape:
    """Return the shape of a line.

    Args:
        texts: what stands before, between and behind the numbers, one more than these.
        numbers: as the line has them; only whether one is "nan" counts for the shape.
    """
    shape = _Line(texts, numbers).read()
    _of_used(shape)
    trains = any(slot.name.startswith("train") for _, slot in shape.losses)
    shape.held_out = shape.side in ("val", "test") and not trains
    shape.ratio = any(slot.over >= 0 for _, slot in shape.positions)
    held_out = [meaning(slot.name).held_out for _, slot in shape.losses]
    shape.named = bool(held_out) and all(held_out) and not shape.side
    shape.both = any(held_out) and not all(held_out)
    shape.apart = shape.held_out or shape.named
    shape.summary = not shape.side and bool(STAR.match(texts[0]))
    return shape


def _of_used(shape: Shape) -> None:
    """Count the places of a shape among those numbers alone that are used."""
    slots = [*shape.positions, *shape.losses, *shape.facts]
    shape.used = tuple(sorted({place for k, slot in slots for place in (k, slot.over, slot.mean) if place >= 0}))
    at = {place: i for i, place in enumerate(shape.used)} | {-1: -1}
    for slots in (shape.positions, shape.losses, shape.facts):
        slots[:] = [(at[k], replace(slot, over=at[slot.over], mean=at[slot.mean], first=k == 0)) for k, slot in slots]
