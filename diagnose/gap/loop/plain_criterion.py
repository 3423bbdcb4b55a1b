"""Losses of torch without their options: label smoothing and class weights that a loop's report may leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from diagnose.gap.loop.loss_calls import arguments

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONS = {
    "weight": None,
    "pos_weight": None,
    "label_smoothing": 0.0,
}  # what changes a loss, and what leaves it as it is
LOSSES = {F.cross_entropy, F.nll_loss, F.binary_cross_entropy_with_logits, F.binary_cross_entropy}


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
        given = arguments(func, args, kwargs) if func in LOSSES else None
        if given is None:
            return func(*args, **(kwargs or {}))
        for name, none in OPTIONS.items():
            value = given.get(name)
            if value is None or (isinstance(value, float) and value == none):
                continue
            self.seen.add(name)
            if name in self.without:
                given[name] = none
        return func(**given)
