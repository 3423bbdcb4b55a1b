"""How logs in foreign forms are written down with what they have to be read as; values are invented.

Training is 2 / e + 0.5 and validation 1.5 / e + 0.7 at the eth print of six, unless a form asks for others.
"""

import json
import math

__all__ = [
    "CASES",
    "E6",
    "TRAINS",
    "A",
    "B",
    "H",
    "K",
    "P",
    "R",
    "a",
    "b",
    "case",
    "close",
    "ex",
    "json",
    "math",
    "rep",
]
CASES = []
E6 = range(1, 7)
H = [100 * e for e in E6]
K = list(range(6))


def a(e):
    """Training."""
    return 2 / e + 0.5


def b(e):
    """Validation."""
    return 1.5 / e + 0.7


class P:
    """What is read: places, both losses at them (values, a test of them, or None), what places count, words, runs.

    `errors` are findings that the invented values deserve, as a perplexity that does not fit its loss.
    """

    def __init__(self, at, train=None, val=None, axis="epoch", says=(), runs=1, errors=()):
        self.at, self.train, self.val, self.axis = list(at), train, val, axis
        self.says, self.runs, self.errors = says, runs, set(errors)


class R:
    """A refusal with these words."""

    def __init__(self, *words):
        self.words = words


TRAINS = R("no validation loss")


def ex(f):
    """Return the perplexities of losses."""
    return lambda e: math.exp(f(e))


def case(name, files, want, suffix=".txt"):
    """Write down a log, or several files of one, and what it has to be read as."""
    if isinstance(files, str | bytes):
        files = {f"log{suffix}": files}
    CASES.append((name, files, want))


def rep(*forms, n=6, **more):
    """Return the lines of each print e: k is e - 1, s 100 e, S 1000 e, a and b the losses, pc a percentage."""
    out = []
    for e in range(1, n + 1):
        values = {
            "e": e,
            "k": e - 1,
            "s": 100 * e,
            "S": 1000 * e,
            "a": a(e),
            "b": b(e),
            "acc": 50 + 3 * e,
            "pc": 100 * e / n,
        }
        values |= {name: f(e) for name, f in more.items()}
        out += [form.format(**values) + "\n" for form in forms]
    return "".join(out)


def A(n=6):
    """Return training's values."""
    return [a(e) for e in range(1, n + 1)]


def B(n=6):
    """Return validation's values."""
    return [b(e) for e in range(1, n + 1)]


def close(found, wanted, rel=6e-3):
    """Say whether values are the same to the digits that forms print."""
    return len(found) == len(wanted) and all(
        abs(x - y) <= rel * max(abs(y), 1e-9) + 1e-9 for x, y in zip(found, wanted, strict=True)
    )
