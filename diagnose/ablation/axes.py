"""Axes: a name, what it varies, the trap in reading it, and the recipe keys that each level sets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError, nearest
from diagnose.recipe import parse_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

GPT2_RATE = {"optimizer.lr": 6e-4, "optimizer.lr_reference_tokens": 524_288}  # Brown et al. 2020, table 2.1
FIXED_RATE = {"optimizer.lr": 6e-4}


@dataclass(frozen=True)
class Axis:
    """One thing that an ablation changes.

    Attributes:
        name: as given on the command line.
        what: what it varies, in a few words.
        trap: how its result is easily misread.
        levels: values by recipe key, for each level; the first level is the control.
    """

    name: str
    what: str
    trap: str
    levels: Mapping[str, Mapping[str, Any]]

    @property
    def control(self) -> str:
        """The level that the others are compared with."""
        return next(iter(self.levels))

    @property
    def sets_budget(self) -> bool:
        """Whether the axis is itself about how long to train, so that nothing can be held equal."""
        return any(key.startswith("budget.") for values in self.levels.values() for key in values)


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
            "how many tokens the network sees at once",
            "A shorter context takes fewer tokens a step, so with the same text it takes more steps",
            _values("batches.context", 256, 128, 64),
        ),
        Axis(
            "masking",
            "whether a token may look at other documents in its packed row",
            "With masking positions restart at each document, so early positions are trained more",
            _values("batches.mask", "none", "document"),
        ),
        Axis(
            "activation",
            "the non-linearity of the feed-forward layers",
            "The best learning rate may differ between the two",
            _values("model.activation", "relu", "gelu"),
        ),
        Axis(
            "lr-scale",
            "how the learning rate follows the batch size, from GPT-3's 6e-4 at half a million tokens a step",
            "A rule is judged together with its constant: try other factors before blaming the rule",
            {
                "fixed": {**FIXED_RATE, "optimizer.lr_rule": "fixed"},
                "linear": {**GPT2_RATE, "optimizer.lr_rule": "linear"},
                "sqrt": {**GPT2_RATE, "optimizer.lr_rule": "sqrt"},
            },
        ),
        Axis(
            "loader",
            "a document a row; shuffle, flatten, slice; a sample per token position",
            "Padded rows cut long documents off, and windows show every token many times an epoch",
            _values("batches.loader", "padded", "packed", "windows"),
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


def find(text: str, levels: str | None = None) -> Axis:
    """Return the axis of a name, or of `table.key=value1,value2`.

    Args:
        text: what stands behind `--axis`.
        levels: comma-separated levels to keep, the first as the control; all in their own order where None.

    Raises:
        DiagnoseError: unknown axis or level, a level twice, fewer than two levels.
    """
    axis = _of_key(text) if "=" in text else NAMED.get(text)
    if axis is None:
        raise DiagnoseError(f"unknown axis '{text}'{nearest(text, NAMED)} (or any recipe key, table.key=value1,value2)")
    if levels is not None:
        names = [name.strip() for name in levels.split(",") if name.strip()]
        unknown = [name for name in names if name not in axis.levels]
        if unknown:
            hints = "; ".join(f"the axis {axis.name} has no level '{n}'{nearest(n, axis.levels)}" for n in unknown)
            raise DiagnoseError(hints)
        if len(set(names)) < len(names):
            raise DiagnoseError(f"--levels {levels} names a level twice")
        axis = replace(axis, levels={name: axis.levels[name] for name in names})
    if len(axis.levels) < 2:
        raise DiagnoseError(f"the axis {axis.name} needs two levels to compare, not {len(axis.levels)}")
    return axis


def _of_key(text: str) -> Axis:
    key, _, values = text.partition("=")
    names = [value.strip() for value in values.split(",") if value.strip()]
    if len(set(names)) < len(names):
        raise DiagnoseError(f"--axis {text} names a level twice")
    levels = {name: parse_settings([f"{key}={name}"]) for name in names}
    return Axis(key.strip(), f"the recipe key {key.strip()}", "whatever follows from the key changes with it", levels)
