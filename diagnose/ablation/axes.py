"""Axes: a name, what it varies, the trap in reading it, and the recipe keys that each level sets."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from diagnose.config.recipe import Recipe, parse_settings
from diagnose.data.split import KINDS
from diagnose.errors import DiagnoseError, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

GPT2_RATE = {"optimizer.lr": 6e-4, "optimizer.lr_reference_tokens": 524_288}  # Brown et al. 2020, table 2.1
FIXED_RATE = {"optimizer.lr": 6e-4}
MEASURED = {"report.noise_scale": True}
RATES = ("optimizer.lr", "optimizer.lr_rule", "optimizer.lr_reference_tokens")
FACTOR = "optimizer.lr_factor"

OTHER_TEXT = "arms that read other text cannot be compared"
OTHER_DOCUMENTS = "its arms would be scored on other documents"
FIXED = {  # keys that every arm shares, and why
    "run.seed": "seeds pair the arms; the noise floor is --axis seed",
    "data.corpus": OTHER_TEXT,
    "data.path": OTHER_TEXT,
    "data.documents": OTHER_TEXT,
    "data.split_seed": OTHER_DOCUMENTS,
    "data.scored": OTHER_DOCUMENTS,
    "data.split": f"{OTHER_DOCUMENTS}; --axis split has all arms reserve and score the same",
}


@dataclass(frozen=True)
class Axis:
    """One thing that an ablation changes.

    Attributes:
        name: as given on the command line.
        what: what it varies, in a few words.
        trap: how its result is easily misread.
        levels: values by recipe key, for each level; the first level is the control.
        networks: whether levels are networks, which are given equal parameters and learning rates of their own.
        even: whether rows are added or left out so that every level has the tokens a step of the control.
    """

    name: str
    what: str
    trap: str
    levels: Mapping[str, Mapping[str, Any]]
    networks: bool = False
    even: bool = False

    @property
    def control(self) -> str:
        """The level that the others are compared with."""
        return next(iter(self.levels))

    @property
    def keys(self) -> set[str]:
        """The recipe keys that its levels set."""
        return {key for values in self.levels.values() for key in values}

    @property
    def sets_budget(self) -> bool:
        """Whether the axis is itself about how long to train, so that nothing can be held equal."""
        return any(key.startswith("budget.") for key in self.keys)


def _values(key: str, *levels: object) -> dict[str, dict[str, Any]]:
    return {str(level): {key: level} for level in levels}


NAMED = {
    axis.name: axis
    for axis in (
        Axis(
            "tokenizer",
            "how text becomes tokens: characters, words or byte-pair encoding",
            "Losses per token cannot be compared, only bits per byte; a token of more text also gives the network "
            "a longer context in bytes and more parameters in its table of tokens",
            _values("tokenizer.kind", "char", "word", "bpe"),
        ),
        Axis(
            "context",
            "how many tokens the network sees at once, with more rows where they are shorter, so that a step has as "
            "many tokens in every arm",
            "What a longer context gains beyond the shorter one is long-range use; what it gains or loses where both "
            "see the whole document so far is not, for rows that begin less often train the first tokens less; and "
            "every byte is scored once, with at least half the context before it, whatever the context",
            _values("batches.context", 256, 128, 64),
            even=True,
        ),
        Axis(
            "masking",
            "whether a token may look at other documents in its packed row",
            "With masking positions restart at each document, so early positions are trained more, and late ones "
            "less; documents are scored alone, as masking trains them, so that part of its gain is this likeness, and "
            "it should lie on each document's first tokens",
            _values("batches.mask", "none", "document"),
        ),
        Axis(
            "activation",
            "the non-linearity of the feed-forward layers: ReLU or the exact GELU, x times the normal distribution "
            "function (GPT-2's approximation of it is --axis model.activation=relu,gelu_tanh)",
            "Both have the same parameters, but the best learning rate may differ between them; and units of a ReLU "
            "may die, which a longer run or a higher rate makes worse",
            _values("model.activation", "relu", "gelu"),
        ),
        Axis(
            "lr-scale",
            "how the learning rate follows the batch size, from GPT-3's 6e-4 at half a million tokens a step",
            "At one batch size a rule is a constant and no more, and another network's: try --lr-factors 0.25,1,4 "
            "before blaming the rule, and a second batch size (--axis batch-size=16,64) to tell rules from constants; "
            "which should hold depends on the side of the critical batch size that a run is on",
            {
                "fixed": {**FIXED_RATE, "optimizer.lr_rule": "fixed", **MEASURED},
                "linear": {**GPT2_RATE, "optimizer.lr_rule": "linear", **MEASURED},
                "sqrt": {**GPT2_RATE, "optimizer.lr_rule": "sqrt", **MEASURED},
            },
        ),
        Axis(
            "loader",
            "a document a row; shuffle, flatten, slice; a sample per token position",
            "Padded rows cut long documents off, and windows show every token many times an epoch",
            _values("batches.loader", "padded", "packed", "windows"),
        ),
        Axis(
            "split",
            "whether documents are divided at random or at the corpus's end, or samples after cutting, which leaks",
            "The validation losses that the arms report are of different text, and under windows of text that was "
            "trained on: arms are compared on a reserve that none of them has seen",
            {kind: {"data.split": kind, "data.scored": "reserve", "batches.loader": "windows"} for kind in KINDS},
        ),
        Axis(
            "model",
            "the network, with as many parameters in every arm (within 2 %; the width is solved, where it takes one; "
            "--match flops: as many operations a token instead) and a learning rate of its own",
            "Equal parameters are not equal operations, nor the other way round; and one learning rate for all would "
            "favour the network that it happens to suit, so each arm's comes from a sweep on a slice of the training "
            "text (not with --untuned)",
            _values("model.name", "gpt", "lstm"),
            networks=True,
        ),
        Axis(
            "dropout",
            "all dropouts",
            "What dropout gains shows only once training repeats its text",
            _values("model.dropout", 0.0, 0.1, 0.2),
        ),
        Axis(
            "epochs",
            "how often the training text is seen",
            "More epochs are more steps and a slower decay of the learning rate",
            _values("budget.epochs", 1.0, 2.0, 4.0),
        ),
        Axis(
            "batch-size",
            "rows of a step",
            "With the same text a larger batch takes fewer steps at an unchanged learning rate",
            _values("batches.size", 16, 64, 256),
        ),
        Axis(
            "seed",
            "nothing but the random streams: the A/A test",
            "Any effect that it shows is noise",
            {"a": {"run.seed": 0}, "b": {"run.seed": 100_000}},
        ),
    )
}


def find(text: str, levels: str | Sequence[str] | None = None) -> Axis:
    """Return the axis of a name, of `name=level1,level2`, or of `table.key=value1,value2`.

    Args:
        text: what stands behind `--axis`.
        levels: those to keep (or one string with commas), the first as the control; all in their own order where None.

    Raises:
        DiagnoseError: unknown axis or level, a key that cannot vary, a level twice, fewer than two levels.
    """
    name, equals, given = (part.strip() for part in text.partition("="))
    axis = NAMED.get(name) or (_of_key(name, given) if equals else None)
    if axis is None:
        raise DiagnoseError(_unknown(name, given))
    names = _divided(given if equals else ",".join(axis.levels))
    if levels is not None:
        names = _divided(levels if isinstance(levels, str) else ",".join(map(str, levels)))
    names = [_as_level(name, axis.levels) for name in names]
    axis = replace(axis, levels={**axis.levels, **_further(axis, names)})
    unknown = [name for name in names if name not in axis.levels]
    if unknown:
        hints = "; ".join(f"the axis {axis.name} has no level '{n}'{nearest(n, axis.levels)}" for n in unknown)
        raise DiagnoseError(hints)
    if len(set(names)) < len(names):
        raise DiagnoseError(f"the axis {axis.name} is given a level twice: {', '.join(names)}")
    if len(names) < 2:
        raise DiagnoseError(f"the axis {axis.name} needs two levels to compare, not {len(names)}")
    return replace(axis, levels={name: axis.levels[name] for name in names})


def find_all(texts: Sequence[str], levels: str | Sequence[str] | None = None, factors: str | None = None) -> list[Axis]:
    """Return several axes, as `find` does; `levels` are those of the only one.

    Args:
        texts: what stands behind each `--axis`.
        levels: see `find`.
        factors: comma-separated multiples of the learning rate, which become one more axis, 1 its control.

    Raises:
        DiagnoseError: see `find`; no axis, an axis twice, `levels` beside several axes, or `factors` that are none or
            stand beside no axis of the learning rate.
    """
    if levels is not None and len(texts) > 1:
        raise DiagnoseError("--levels goes with one --axis; of several, each is given as --axis name=level1,level2")
    axes = [find(text, levels) for text in texts]
    names = [axis.name for axis in axes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        raise DiagnoseError(f"the axis {twice[0]} is given twice" if twice else "give an axis")
    return axes if factors is None else [*axes, _factors(axes, factors)]


def _factors(axes: Sequence[Axis], given: str) -> Axis:
    """Return the axis of multiples of the learning rate."""
    if not any(axis.keys & set(RATES) for axis in axes):
        raise DiagnoseError(
            f"--lr-factors goes with an axis of the learning rate, for instance lr-scale; for another axis give "
            f"--axis {FACTOR}={given}"
        )
    names = _divided(given)
    try:
        values = [float(name) for name in names]
    except ValueError:
        values = []
    if not values or not all(0 < value < math.inf for value in values):
        raise DiagnoseError(f"--lr-factors {given}: give numbers above zero, for instance 0.25,1,4")
    if len(set(values)) < len(values) or len(values) < 2:
        raise DiagnoseError(f"--lr-factors {given}: give two or more that differ")
    order = sorted(values, key=lambda value: (value != 1.0, values.index(value)))
    trap = "Main effects average over the rules: each rule at its own best factor is compared apart"
    levels = {f"x{value:g}": {FACTOR: value} for value in order}
    return Axis("lr-factor", "multiples of the learning rate that the rule gives", trap, levels)


def _further(axis: Axis, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the levels that are none of the axis' own, where it is one number of the recipe: any number is a level."""
    values = [value for level in axis.levels.values() for value in level.values()]
    if len(axis.keys) != 1 or axis.name == "seed" or not all(type(value) in (int, float) for value in values):
        return {}
    (key,) = axis.keys
    out = {}
    for name in names:
        with suppress(ValueError):
            number = float(name)
            out[name] = {key: int(number) if type(values[0]) is int and number.is_integer() else number}
    return {name: level for name, level in out.items() if name not in axis.levels}


def _unknown(name: str, given: str) -> str:
    """Say what is wrong with an axis that is neither named nor a key with values."""
    keys = [f"{table}.{key}" for table, rows in Recipe() for key in getattr(type(rows), "model_fields", ())]
    close = [key for key in keys if name in (key, key.partition(".")[2])]
    if close:
        what = "lacks its levels" if name == close[0] else f"is no axis, but the key {close[0]} is"
        return f"--axis {name} {what}: --axis {close[0]}={given or 'value1,value2'}"
    return f"unknown axis '{name}'{nearest(name, NAMED)} (or any recipe key, table.key=value1,value2)"


def _of_key(key: str, values: str) -> Axis:
    """Return the axis over a recipe key; whether there is such a key is for the recipe to say."""
    if "." not in key:
        raise DiagnoseError(_unknown(key, values))
    if key in FIXED:
        raise DiagnoseError(f"{key} cannot vary between arms: {FIXED[key]}")
    if key.startswith("report."):
        raise DiagnoseError(
            f"{key} cannot vary between arms: it changes what a run reports and not what it learns, so they would be "
            "the same networks; diagnose loss-gap RUN --against OTHER compares what runs report"
        )
    levels = {name: parse_settings([f"{key}={name}"]) for name in _divided(values)}
    if key == "model.name":
        return replace(NAMED["model"], name=key, levels=levels)
    return Axis(key, f"the recipe key {key}", "Whatever follows from the key changes with it", levels)


def _as_level(name: str, levels: Collection[str]) -> str:
    """Return a level as its axis names it, where it is the same number: 0 for 0.0."""
    with suppress(ValueError):
        return next((level for level in levels if name not in levels and float(level) == float(name)), name)
    return name


def _divided(text: str) -> list[str]:
    """Divide at commas, but not within brackets: a value may be a list."""
    return [part.strip() for part in re.split(r",(?![^\[]*\])", text) if part.strip()]
