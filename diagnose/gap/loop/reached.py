"""Other modules that an objective reaches: through its closure, its globals, its arguments or the object it is of."""

from __future__ import annotations

import functools
from types import CodeType
from typing import TYPE_CHECKING, Any

from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPTH = 3  # functions that call functions


def other_modules(objective: Any, model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules by name that an objective may run beside the model."""
    model_ids = {id(module) for module in model.modules()}
    others: dict[int, tuple[str, nn.Module]] = {}
    for name, module in _reached(objective, DEPTH, set()):
        if id(module) not in model_ids and not any(part is model for part in module.modules()):
            others.setdefault(id(module), (name, module))
    inner = {id(part) for _, module in others.values() for part in list(module.modules())[1:]}
    return {name: module for key, (name, module) in others.items() if key not in inner and _holds(module)}


def _holds(module: nn.Module) -> bool:
    return any(True for _ in module.parameters()) or any(True for _ in module.buffers())


def _reached(function: Any, depth: int, seen: set[int]) -> Iterator[tuple[str, nn.Module]]:
    if depth < 0 or id(function) in seen:
        return
    seen.add(id(function))
    for name, value in _held(function):
        if isinstance(value, nn.Module):
            yield name, value
        elif callable(value) and not isinstance(value, type):
            yield from _reached(value, depth - 1, seen)


def _held(function: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a function holds, by name."""
    if isinstance(function, functools.partial):
        yield "func", function.func
        yield from ((str(k), v) for k, v in (*enumerate(function.args), *function.keywords.items()))
        return
    owner = getattr(function, "__self__", None)
    if owner is not None and not isinstance(owner, type(functools)):
        yield from _attributes(owner)
    inner = getattr(function, "__func__", function)
    code = getattr(inner, "__code__", None)
    if code is None:
        yield from _attributes(function)
        return
    for name, cell in zip(code.co_freevars, inner.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue
    yield from ((str(k), v) for k, v in enumerate(inner.__defaults__ or ()))
    yield from ((name, inner.__globals__[name]) for name in _names(code) if name in inner.__globals__)


def _names(code: CodeType) -> set[str]:
    """Return the names that a function's code uses, of functions defined in it too."""
    inner = (_names(const) for const in code.co_consts if isinstance(const, CodeType))
    return set(code.co_names).union(*inner)


def _attributes(owner: Any) -> Iterator[tuple[str, Any]]:
    for name, value in list(getattr(owner, "__dict__", {}).items()):
        if isinstance(value, nn.Module) and value is not owner:
            yield name, value
