"""Axes, recipe and seeds -> the runs of an ablation, and what is held equal between its arms."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

from diagnose.ablation.equal_size import MATCHES, matched
from diagnose.config.recipe import Recipe, merge, read_tables, refuse_unused
from diagnose.errors import DiagnoseError, nearest
from diagnose.training import network
from diagnose.training.preparation import Setup, set_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from diagnose.ablation.axes import Axis
    from diagnose.ablation.lr_tuning import Sweep

HOLDS = {
    "text": "bytes of text trained on",
    "steps": "steps",
    "tokens": "tokens trained on",
    "epochs": "epochs",
    "flops": "operations",
    "seconds": "seconds of training",
}
MOST_ARMS = 64


@dataclass(frozen=True)
class Arm:
    """One level, or a combination of levels, and what it comes to for each seed.

    Attributes:
        level: what it is called.
        levels: its level of each axis, by the axis's name.
        setups: by the number of the seed.
        width: the width that was solved for it, so that its network has the parameters of the others.
    """

    level: str
    levels: Mapping[str, str]
    setups: Mapping[int, Setup]
    width: int | None = None

    @property
    def first(self) -> Setup:
        """The set-up of the first seed; sizes do not depend on the seed."""
        return next(iter(self.setups.values()))


@dataclass(frozen=True)
class Design:
    """What an ablation will run.

    Attributes:
        axes: what is varied; of several, every combination of levels is an arm.
        arms: the control first, which has the control's level of every axis.
        seeds: numbers of the paired seeds.
        hold: the quantity that all arms share, with its amount; None where an axis is about the budget.
        untuned: whether networks are compared at the recipe's one learning rate.
        match: what networks that are compared have equal: "parameters" or "flops".
        sweeps: by arm, where its learning rate was tuned.
    """

    axes: tuple[Axis, ...]
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    hold: tuple[str, float] | None
    untuned: bool = False
    match: str = "parameters"
    sweeps: Mapping[str, Sweep] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The axes in a word."""
        return " x ".join(axis.name for axis in self.axes)

    @property
    def control(self) -> str:
        """The arm that the others are compared with."""
        return self.arms[0].level

    @property
    def tunes(self) -> bool:
        """Whether arms get learning rates of their own before they are compared."""
        return not self.untuned and any(axis.networks for axis in self.axes)

    def tuned(self, sweeps: Mapping[str, Sweep]) -> Design:
        """Return the design with the learning rates that were found."""
        return replace(self, arms=tuple(_at_rate(arm, sweeps[arm.level].rate) for arm in self.arms), sweeps=sweeps)


def _at_rate(arm: Arm, rate: float) -> Arm:
    at_rate = {seed: set_up(setup.recipe.with_values({"optimizer.lr": rate})) for seed, setup in arm.setups.items()}
    setups = {seed: replace(setup, dropped=arm.setups[seed].dropped) for seed, setup in at_rate.items()}
    return replace(arm, setups=setups)


def design(
    axes: Sequence[Axis], source: str | Path | Recipe, overrides: Mapping[str, Any], seeds: int, hold: str | None,
    *, untuned: bool = False, full: bool = False, threads: int | None = None, match: str | None = None,
) -> Design:  # fmt: skip
    """Work out every run before any is started.

    Args:
        axes: what to vary.
        source: the recipe to vary it in.
        overrides: values by `table.key` for all arms.
        seeds: how many; they count from the recipe's own.
        hold: one of `HOLDS`; None holds the text, or the seconds where the budget is in seconds.
        untuned: whether networks may be compared at one learning rate.
        full: whether there may be more than `MOST_ARMS` arms.
        match: what networks that are compared have equal, "parameters" (None) or "flops".
        threads: of a run whose recipe does not say; None for this machine's.

    Raises:
        DiagnoseError: every mistake that can be seen before training.
    """
    if not isinstance(seeds, int) or seeds < 1:
        raise DiagnoseError(f"--seeds {seeds}: give at least one, and three or more for useful intervals")
    _refuse_axes(axes, overrides, untuned=untuned, full=full)
    _refuse_match(axes, match)
    tables = source.model_dump(mode="json", exclude_none=True) if isinstance(source, Recipe) else read_tables(source)
    recipes = _recipes(axes, tables, overrides)
    _refuse_unused(list(recipes.values()), [*overrides, *_keys(axes)])
    recipes = {levels: _with_threads(recipe, threads) for levels, recipe in recipes.items()}
    recipes = _even(axes, recipes)
    widths = _matched(axes, recipes, match or "parameters")
    recipes |= {levels: recipes[levels].with_values({"model.width": width}) for levels, width in widths.items()}
    control = set_up(next(iter(recipes.values())))
    amount = _amount(axes, control, hold)
    shared = _shared(control, _keys(axes)) | ({} if amount is None else {f"budget.{amount[0]}": _whole(*amount)})
    arms = []
    for levels, recipe in recipes.items():
        numbered = enumerate(recipe.run.seed + s for s in range(seeds))
        setups = {place: set_up(recipe.with_values({**shared, "run.seed": number})) for place, number in numbered}
        named = {axis.name: level for axis, level in zip(axes, levels, strict=True)}
        arms.append(Arm(", ".join(levels), named, setups, widths.get(levels)))
    return _distinct(Design(tuple(axes), tuple(arms), tuple(range(seeds)), amount, untuned, match or "parameters"))


def _with_threads(recipe: Recipe, threads: int | None) -> Recipe:
    return recipe if threads is None or recipe.run.threads else recipe.with_values({"run.threads": threads})


def _refuse_axes(axes: Sequence[Axis], overrides: Mapping[str, Any], *, untuned: bool, full: bool) -> None:
    """Refuse axes that get in each other's way, or in that of what is set for all arms."""
    for axis in axes:
        both = sorted(axis.keys & overrides.keys())
        if both:
            raise DiagnoseError(f"{', '.join(both)}: set by the axis {axis.name} itself; leave it to the axis")
    networks = any(axis.networks for axis in axes)
    if untuned and not networks:
        raise DiagnoseError("--untuned: no axis compares networks, so no learning rate would be tuned")
    if networks and not untuned and "optimizer.lr" in _keys(axes):
        raise DiagnoseError(
            "optimizer.lr: tuned for each network, so that it cannot be an axis too (or give --untuned)"
        )
    for first, other in combinations(axes, 2):
        both = sorted(first.keys & other.keys)
        if both:
            raise DiagnoseError(f"the axes {first.name} and {other.name} both set {', '.join(both)}")
    count = math.prod(len(axis.levels) for axis in axes)
    if count > MOST_ARMS and not full:
        raise DiagnoseError(f"{count} arms are more than {MOST_ARMS}: leave levels out, or train them all with --full")


def _recipes(
    axes: Sequence[Axis], tables: Mapping[str, Any], overrides: Mapping[str, Any]
) -> dict[tuple[str, ...], Recipe]:
    """Return each arm's recipe by its levels, the control first, or tell the mistakes of all arms at once."""
    recipes, wrong = {}, []
    for levels in product(*(axis.levels for axis in axes)):
        values = dict(overrides)
        for axis, level in zip(axes, levels, strict=True):
            values |= axis.levels[level]
        try:
            recipes[levels] = merge(tables, values)
        except DiagnoseError as error:
            wrong += str(error).split("; ")
    if wrong:
        raise DiagnoseError("; ".join(dict.fromkeys(wrong)))
    return recipes


def _refuse_match(axes: Sequence[Axis], match: str | None) -> None:
    if match is not None and match not in MATCHES:
        raise DiagnoseError(f"--match {match} is not known{nearest(match, MATCHES)}")
    if match is not None and not any(axis.networks for axis in axes):
        raise DiagnoseError("--match: no axis compares networks, so nothing is to be matched")


def _even(axes: Sequence[Axis], recipes: dict[tuple[str, ...], Recipe]) -> dict[tuple[str, ...], Recipe]:
    """Give arms of other contexts as many rows as make their steps hold as many tokens, where that comes out even."""
    place = next((k for k, axis in enumerate(axes) if axis.even), None)
    if place is None or "batches.size" in _keys(axes):
        return recipes
    out = {}
    for levels, recipe in recipes.items():
        like = recipes[(*levels[:place], axes[place].control, *levels[place + 1 :])].batches
        rows, rest = divmod(like.size * like.context, recipe.batches.context)
        fits = rows and not rest and recipe.batches.loader != "padded"
        out[levels] = recipe.with_values({"batches.size": rows}) if fits else recipe
    return out


def _matched(axes: Sequence[Axis], recipes: Mapping[tuple[str, ...], Recipe], match: str) -> dict[tuple[str, ...], int]:
    """Return the widths that make networks equally large, among arms that are alike but for their networks."""
    place = next((k for k, axis in enumerate(axes) if axis.networks), None)
    if place is None:
        return {}
    groups: dict[tuple[str, ...], dict[str, Recipe]] = {}
    for levels, recipe in recipes.items():
        groups.setdefault(levels[:place] + levels[place + 1 :], {})[levels[place]] = recipe
    return {
        (*rest[:place], level, *rest[place:]): width
        for rest, group in groups.items()
        for level, width in matched(group, match).items()
    }


def _shared(control: Setup, varied: set[str]) -> dict[str, Any]:
    """Return what `auto` came to for the control, for all arms."""
    keys = (f"run.{name}" for name in ("device", "precision", "threads", "compile", "deterministic"))
    return {key: getattr(control.recipe.run, key[4:]) for key in keys if key not in varied}


def _whole(unit: str, amount: float) -> float | int:
    return round(amount) if unit == "steps" else amount


def _keys(axes: Sequence[Axis]) -> set[str]:
    return {key for axis in axes for key in axis.keys}


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


def _amount(axes: Sequence[Axis], control: Setup, hold: str | None) -> tuple[str, float] | None:
    """Return what is held equal and how much of it the control's budget comes to."""
    if hold is not None and hold not in HOLDS:
        raise DiagnoseError(f"--hold {hold} is not known{nearest(hold, HOLDS)}")
    about_budget = [axis.name for axis in axes if axis.sets_budget]
    if about_budget:
        if hold is not None:
            raise DiagnoseError(
                f"the axis {about_budget[0]} sets the budget: nothing can be held equal, leave --hold out"
            )
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
    steps = derived.steps or 0  # no budget in seconds gets here
    amounts = {
        "steps": steps,
        "epochs": steps / derived.steps_per_epoch,
        "tokens": steps * derived.tokens_per_step,
        "text": steps * derived.text_per_step,
        "flops": steps * derived.flops_per_step,
    }
    return unit, float(amounts[unit])


def _distinct(plan: Design) -> Design:
    """Refuse levels that come to the very same run, or to runs on other text."""
    if len({arm.first.text.corpus.fingerprint for arm in plan.arms}) > 1:
        raise DiagnoseError(f"the levels of {plan.name} read other documents, on which losses cannot be compared")
    seen: dict[str, str] = {}
    for arm in plan.arms:
        other = seen.setdefault(arm.first.digest, arm.level)
        if other != arm.level:
            raise DiagnoseError(
                f"the levels {other} and {arm.level} come to the same recipe; for the noise floor use --axis seed"
            )
    return plan
