"""Recipes of runs, of which one that differs from a known one in its seed alone is not parsed again."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from diagnose import files
from diagnose.config.recipe import Recipe

if TYPE_CHECKING:
    from pathlib import Path

SEED = re.compile(r"^seed = (\d{1,9})$", re.MULTILINE)
MOST = 4096  # that are remembered
_known: dict[str, Recipe] = {}  # by their text without the seed


def read(file: Path) -> Recipe:
    """Read a recipe. Raises DiagnoseError where it is missing or damaged."""
    text = None
    with suppress(OSError, ValueError):
        text = files.text(file)
    seeds = SEED.findall(text or "")
    if text is None or len(seeds) != 1 or any(sign in text for sign in ('"""', "'''")):
        return Recipe.load(file)
    rest, seed = SEED.sub("", text), int(seeds[0])
    if rest in _known:
        known = _known[rest]
        return known.model_copy(update={"run": known.run.model_copy(update={"seed": seed})})
    recipe = Recipe.load(file)
    if recipe.run.seed == seed and len(_known) < MOST:  # another table may have a key of this name
        _known[rest] = recipe
    return recipe
