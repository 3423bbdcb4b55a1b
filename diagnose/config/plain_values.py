"""Which values of a recipe its own TOML file cannot hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from diagnose.config.overrides import shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def not_plain(settings: Mapping[str, Any], texts: Mapping[str, str]) -> list[str]:
    """List what the run's own recipe.toml could not hold as it is, so that it would not repeat the run.

    Args:
        settings: of the network, by key.
        texts: other values that are text, by `table.key`.
    """
    out = [
        f"model.{key} = {shown(value)}: input should be a finite number, text, true, false, or a list or table of them"
        for key, value in settings.items()
        if not _is_plain(value)
    ]
    return out + [f"{k} = {shown(v)}: input should be valid Unicode" for k, v in texts.items() if not _is_plain(v)]


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(key) and _is_plain(part) for key, part in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, str):
        return value.encode(errors="replace").decode() == value
    return type(value) in {bool, int} or (type(value) is float and math.isfinite(value))
