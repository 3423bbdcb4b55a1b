"""Axis, recipe and seeds -> the runs of an ablation, and what is held equal between its arms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diagnose import network
from diagnose.errors import DiagnoseError, nearest
from diagnose.recipe import Recipe, merge, read_tables, refuse_unused
from diagnose.setup import Setup, set_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from diagnose.ablation import axes

HOLDS = {
    "text": "bytes of text trained on",
    "steps": "steps",
    "tokens": "tokens trained on",
    "epochs": "epochs",
    "flops": "operations",
    "seconds": "seconds of training",
}


@dataclass(frozen=True)
class Arm:
    """One level and what it comes to for each seed."""

    level: str
    setups: Mapping[int, Setup]

    @property
    def first(self) -> Setup:
        """The set-up of the first seed; sizes do not depend on the seed."""
        return next(iter(self.setups.values()))


@dataclass(frozen=True)
class Design:
    """What an ablation will run.

    Attributes:
        axis: what is varied.
        arms: the control first.
        seeds: numbers of the paired seeds.
        hold: the quantity that all arms share, with its amount; None where the axis is about the budget.
    """

    axis: axes.Axis
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    hold: tuple[str, float] | None


def design(
    axis: axes.Axis, source: str | Path | Recipe, overrides: Mapping[str, Any], seeds: int, hold: str | None
) -> Design:
    """Work out every run before any is started.

    Args:
        axis: what to vary.
        source: the recipe to vary it in.
        overrides: values by `table.key` for all arms.
        seeds: how many; they count from the recipe's own.
        hold: one of `HOLDS`; None holds the text, or the seconds where the budget is in seconds.

    Raises:
        DiagnoseError: every mistake that can be seen before training.
    """
    if seeds < 1:
        raise DiagnoseError(f"--seeds {seeds}: give at least one, and three or more for useful intervals")
    _refuse_shared_keys(axis, overrides)
    tables = source.model_dump(mode="json", exclude_none=True) if isinstance(source, Recipe) else read_tables(source)
    recipes = _recipes(axis, tables, overrides)
    _refuse_unused(list(recipes.values()), [*overrides, *_keys(axis)])
    control = recipes[axis.control]
    setup = set_up(control)
    held = _amount(axis, setup, hold)
    where = {f"run.{key}": getattr(setup.recipe.run, key) for key in ("device", "precision", "threads", "compile")}
    where = {key: value for key, value in where.items() if key not in _keys(axis)}
    budget = {} if held is None else {f"budget.{held[0]}": _whole(*held)}
    arms = []
    for level, recipe in recipes.items():
        numbers = [recipe.run.seed + s for s in range(seeds)]
        settings = [set_up(recipe.with_values({**where, **budget, "run.seed": n})) for n in numbers]
        arms.append(Arm(level, dict(enumerate(settings))))
    return _distinct(Design(axis, tuple(arms), tuple(range(seeds)), held))


def _recipes(axis: axes.Axis, tables: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Recipe]:
    """Return each level's recipe, or tell the mistakes of all levels at once."""
    recipes, wrong = {}, []
    for level, values in axis.levels.items():
        try:
            recipes[level] = merge(tables, {**overrides, **values})
        except DiagnoseError as error:
            wrong += str(error).split("; ")
    if wrong:
        raise DiagnoseError("; ".join(dict.fromkeys(wrong)))
    return recipes


def _whole(unit: str, amount: float) -> float | int:
    return round(amount) if unit == "steps" else amount


def _keys(axis: axes.Axis) -> set[str]:
    return {key for values in axis.levels.values() for key in values}


def _refuse_shared_keys(axis: axes.Axis, overrides: Mapping[str, Any]) -> None:
    both = sorted(_keys(axis) & overrides.keys())
    if both:
        raise DiagnoseError(f"{', '.join(both)}: set by the axis {axis.name} itself; leave it to the axis")


def _refuse_unused(recipes: list[Recipe], given: Iterable[str]) -> None:
    """Refuse keys that no arm uses: by the recipe's own rules, and by what the networks take."""
    refuse_unused(recipes, given)
    taken: set[str] = set()
    for recipe in recipes:
        builder = network.find(recipe.model.name)
        taken |= {f"model.{key}" for key in network.builder_settings(builder, recipe.model.settings())[0]}
    known = [key[6:] for key in taken]
    wrong = [key for key in given if key.startswith("model.") and key != "model.name" and key not in taken]
    if wrong:
        raise DiagnoseError("; ".join(f"{key}: no arm's network takes it{nearest(key[6:], known)}" for key in wrong))


def _amount(axis: axes.Axis, control: Setup, hold: str | None) -> tuple[str, float] | None:
    """Return what is held equal and how much of it the control's budget comes to."""
    if hold is not None and hold not in HOLDS:
        raise DiagnoseError(f"--hold {hold} is not known{nearest(hold, HOLDS)}")
    if axis.sets_budget:
        if hold is not None:
            raise DiagnoseError(f"the axis {axis.name} sets the budget: nothing can be held equal, leave --hold out")
        return None
    budget, derived = control.recipe.budget, control.derived
    unit = hold or ("seconds" if budget.unit() == "seconds" else "text")
    if unit == budget.unit():
        return unit, budget.amount()
    if "seconds" in (unit, budget.unit()):
        raise DiagnoseError(
            f"--hold {unit} with a budget in {budget.unit()}: seconds cannot be told from the rest before training; "
            "give --set budget.seconds=N and --hold seconds together"
        )
    steps = derived["steps"]
    amounts = {
        "steps": steps,
        "epochs": steps / derived["steps_per_epoch"],
        "tokens": steps * derived["tokens_per_step"],
        "text": steps * derived["text_per_step"],
        "flops": steps * derived["flops_per_step"],
    }
    return unit, float(amounts[unit])


def _distinct(plan: Design) -> Design:
    """Refuse levels that come to the very same run, or to runs on other text."""
    if len({arm.first.text.corpus.fingerprint for arm in plan.arms}) > 1:
        raise DiagnoseError(f"the levels of {plan.axis.name} read other documents, on which losses cannot be compared")
    seen: dict[str, str] = {}
    for arm in plan.arms:
        other = seen.setdefault(arm.first.digest, arm.level)
        if other != arm.level:
            raise DiagnoseError(
                f"the levels {other} and {arm.level} come to the same recipe; for the noise floor use --axis seed"
            )
    return plan
