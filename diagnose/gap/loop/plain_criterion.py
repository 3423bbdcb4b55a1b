"""Losses of torch without their options: label smoothing and class weights that a loop's report may leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONS: dict[
    Any, dict[str, tuple[int, float | None]]
] = {  # what changes a loss, with its place and what leaves it as it is
    F.cross_entropy: {"weight": (2, None), "label_smoothing": (7, 0.0)},
    F.nll_loss: {"weight": (2, None)},
    F.binary_cross_entropy_with_logits: {"weight": (2, None), "pos_weight": (6, None)},
    F.binary_cross_entropy: {"weight": (2, None)},
}


class PlainCriterion(TorchFunctionMode):
    """Has torch's losses leave out some of their options while it is entered.

    Attributes:
        without: the options to leave out.
        seen: those that losses were given, whether they were left out or not.
    """

    def __init__(self, without: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.without, self.seen = without, set[str]()

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Take a loss without the options."""
        given, named = list(args), dict(kwargs or {})
        for name, (place, none) in OPTIONS.get(func, {}).items():
            value = given[place] if place < len(given) else named.get(name, none)
            if value is None or (isinstance(value, float) and value == none):
                continue
            self.seen.add(name)
            if name in self.without:
                named = {key: one for key, one in named.items() if key != name}
                if place < len(given):
                    given[place] = none
        return func(*given, **named)
