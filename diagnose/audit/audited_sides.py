"""What an audit has in hand of a user's model: what was given of it, and its two sides with their batches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.gap.loop.elements import lacks_targets
from diagnose.gap.loop.walking import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from diagnose.audit.side_passes import SidePasses
    from diagnose.gap.side import Side

MOST = 256  # validation batches that are held
FEW = 16  # of a side that averages are taken of


@dataclass(frozen=True)
class Adapters:
    """What a user gives beside the sides; see `audit_metric`."""

    logits: Callable[..., Any] | None = None
    tokens: Callable[[Any], Any] | None = None
    tokenizer: Any = None
    texts: Sequence[str] | None = None
    train_texts: Sequence[str] | None = None
    end: int | None = None
    pad: int | None = None
    build: Callable[[], nn.Module] | None = None
    tied: bool | None = None

    @property
    def speaks_of_text(self) -> bool:
        """Whether anything was given that only text has."""
        return any(adapter is not None for adapter in (self.tokens, self.tokenizer, self.texts, self.end, self.pad))

    def __post_init__(self) -> None:
        for name in ("logits", "tokens", "build"):
            if getattr(self, name) is not None and not callable(getattr(self, name)):
                raise DiagnoseError(f"{name} is a {type(getattr(self, name)).__name__}; give a function")
        for name in ("texts", "train_texts"):
            given = getattr(self, name)
            if given is not None and (isinstance(given, str) or not all(isinstance(text, str) for text in given)):
                raise DiagnoseError(f"{name} must be a list of texts, one a document")


@dataclass(frozen=True)
class AuditedSides:
    """Two sides, as a rule that reads them itself is given them.

    Attributes:
        passes: validation's: its model, its side, and what a batch costs.
        batches: those that are held of it.
        train: the training side; None where none was given.
    """

    passes: SidePasses
    batches: Sequence[Any]
    train: Side | None

    @cached_property
    def train_passes(self) -> SidePasses:
        """Training's passes of the same model; validation's without a training side."""
        return self.passes if self.train is None else replace(self.passes, side=self.train, name="training")

    @cached_property
    def train_batches(self) -> list[Any]:
        """Training's first batches; none without a training side."""
        return [] if self.train is None else first_of(self.train, FEW)


def held(side: Side, name: str) -> tuple[list[Any], bool]:
    """Return a side's batches, at most so many, and whether these are all of them.

    Raises:
        DiagnoseError: it has none.
    """
    some, _ = walk(side.batches)
    batches = [batch for _, batch in islice(some, MOST + 1)]
    if not batches:
        raise DiagnoseError(f"the {name} side yields no batch; an iterable that yields batches each time is needed")
    return with_targets(batches[:MOST]), len(batches) <= MOST


def first_of(side: Side, most: int) -> list[Any]:
    """Return those of a side's first batches of which some target counts."""
    return with_targets([batch for _, batch in islice(walk(side.batches)[0], most)])


def with_targets(batches: list[Any]) -> list[Any]:
    """Return the batches of which some target counts: the others' losses are no numbers; all where none has any."""
    return [batch for batch in batches if not lacks_targets(batch)] or batches
