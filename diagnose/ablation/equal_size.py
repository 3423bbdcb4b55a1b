"""Networks of equal size: the width at which one network has as many parameters, or operations, as another."""

from __future__ import annotations

import inspect
import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from diagnose.errors import DiagnoseError
from diagnose.training import network
from diagnose.training.preparation import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from diagnose.config.recipe import Recipe

TOLERANCE = 0.02  # of the parameters, or operations
MATCHES = {"parameters": "parameters", "flops": "operations a token"}
WIDEST = 1 << 16


def matched(recipes: Mapping[str, Recipe], match: str = "parameters") -> dict[str, int]:
    """Return the widths that make networks equally large, for all levels but the one that keeps its size.

    That is the level whose width has the largest steps (a transformer's is a multiple of its heads), or cannot be
    set at all; the first of several. Others that take no width keep theirs too.

    Args:
        recipes: by level, alike but for their networks.
        match: what is equal: "parameters", or "flops" (of a forward and backward pass, for each token of a full row).

    Raises:
        DiagnoseError: no width of a network comes within 2 %.
    """
    steps = {level: _step(recipe) for level, recipe in recipes.items()}
    reference = max(steps, key=lambda level: steps[level])
    wanted = _size(recipes[reference], None, match)
    others = [level for level, step in steps.items() if level != reference and not math.isinf(step)]
    return {level: _width(recipes[level], int(steps[level]), wanted, reference, match) for level in others}


def _step(recipe: Recipe) -> float:
    """Return what a network's width is a multiple of; infinite where it takes none."""
    known = inspect.signature(network.find(recipe.model.name)).parameters
    if "width" not in known:
        return math.inf
    return int(recipe.model.settings().get("heads", known["heads"].default)) if "heads" in known else 1


def _size(recipe: Recipe, width: int | None, match: str) -> int:
    """Count a network's parameters, or its operations a token, without making it."""
    given = recipe.model.settings() | ({} if width is None else {"width": width})
    settings, _ = network.builder_settings(network.find(recipe.model.name), given)
    vocabulary = read_text(recipe.data, recipe.tokenizer).vocabulary
    nowhere = torch.device("meta")
    with nowhere:
        built = network.build(recipe.model.name, settings, vocabulary, recipe.batches.context, 0, nowhere)
    if match == "parameters":
        return network.parameters(built)
    return round(network.flops_per_token(built, recipe.batches.context, vocabulary))


def _width(recipe: Recipe, step: int, wanted: int, reference: str, match: str) -> int:
    """Return the multiple of `step` that comes nearest to the size that is wanted, as a width."""
    size = lru_cache(maxsize=None)(lambda count: _size(recipe, count * step, match))
    low, high = _bracket(size, wanted, WIDEST // step)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) <= wanted else (low, middle)
    sizes = {n * step: size(n) for n in (low, high) if n}
    width = min(sizes, key=lambda w: abs(sizes[w] - wanted))
    if abs(sizes[width] - wanted) > TOLERANCE * wanted:
        raise DiagnoseError(
            f"{reference} has {wanted:,} {MATCHES[match]}, and no width of the network '{recipe.model.name}' comes "
            f"within {TOLERANCE:.0%}: at {width} it has {sizes[width]:,}; another model.width, model.layers or "
            "model.heads may"
        )
    return width


def _bracket(size: Callable[[int], int], wanted: int, most: int) -> tuple[int, int]:
    """Return counts between which a size is reached.

    Sizes grow with the square of the width, so that three of them foretell where; some networks take long to count.
    """
    places = [8, 16, 32]
    square, line, rest = np.polyfit(places, [size(n) for n in places], 2)
    near = max((root.real for root in np.roots([square, line, rest - wanted])), default=0.0)
    low = min(max(0, int(near)), most - 1)
    inside = (low == 0 or size(low) <= wanted) and size(low + 1) > wanted
    return (low, low + 1) if inside else (0, most)
