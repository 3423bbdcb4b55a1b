"""Finished runs that were not planned together: what their recipes differ in, and what that did where they compare."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from diagnose.ablation import effects
from diagnose.ablation.ablate import fill, in_bytes
from diagnose.ablation.changed import TOLERANCE, context_in_text, differing, leaks
from diagnose.ablation.conclusion import verdict
from diagnose.ablation.pairwise import ArmCost, against_first, all_pairs, told_apart
from diagnose.errors import DiagnoseError
from diagnose.formatting import listed
from diagnose.records.ablations import AblationRecord, AxisRecord, ChangedRecord, Hold
from diagnose.records.schema import FORMAT
from diagnose.runs import run_tables, store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from diagnose.config.recipe import Recipe
    from diagnose.records.run_records import Derived, Environment

IDLE = ("report.", "run.threads", "data.path")  # keys that leave what a run learns as it is
MOST_NAMED = 4  # keys that an arm's name gives
TRAP = "The runs were not planned together: an effect is of everything that their recipes differ in"


@dataclass(frozen=True)
class ComparedRun:
    """A finished run: where it lies, its recipe, its settings by `table.key`, what it recorded of its surroundings."""

    path: Path
    recipe: Recipe
    settings: dict[str, Any]
    environment: Environment

    @property
    def seed(self) -> int:
        """Its seed."""
        return self.recipe.run.seed


Arms = dict[str, list[ComparedRun]]


def compare(
    names: Sequence[str | Path], *, pairs: bool = False, margin: float = effects.MARGIN, command: str | None = None
) -> Path:
    """Compare finished runs of the same validation text, and record what their recipes differ in and what that did.

    Runs of one recipe are seeds of one arm. Arms are paired by document, and by seed where they share seeds.

    Args:
        names: runs, or ablations for all of theirs; the arm of the first is the control.
        pairs: compare every two arms as well.
        margin: bits per byte: effects are tested for being no larger.
        command: what the page gives as the command that repeats it.

    Returns:
        A directory as an ablation's, beside the runs.

    Raises:
        DiagnoseError: no comparison can be made: fewer than two runs, one that has not finished, other text.
    """
    effects.checked_margin(margin)
    runs = runs_of(names)
    if len(runs) < 2:
        raise DiagnoseError(f"a comparison takes two different runs, not {len(runs)}")
    _refuse(runs)
    arms, differs = _arms(runs)
    told = command or "diagnose compare " + " ".join(run.path.name for run in runs)
    summary = _summary(arms, differs, margin, told, pairs=pairs)
    digest = blake2b("\n".join(run.path.name for run in runs).encode(), digest_size=8).hexdigest()
    write = partial(fill, summary=summary, toml=_toml(summary))
    return store.create_comparison(runs[0].path.parent, digest, write)


def runs_of(names: Sequence[str | Path]) -> list[ComparedRun]:
    """Return the runs that are meant, each once; an ablation stands for its runs.

    Raises:
        DiagnoseError: one has not finished, or they lie in several folders.
    """
    out: list[Path] = []
    for name in names:
        path = store.find(name)
        if (path / "ablation.toml").exists():
            out += [path.parent / run for arm in store.ablation(path).arms for run in arm.runs]
        else:
            out.append(path)
    some = list({path.resolve(): path for path in out}.values())
    if len({path.resolve().parent for path in some}) > 1:
        raise DiagnoseError("runs that are compared lie in one folder, where their page finds them; move them together")
    return [opened(path) for path in some]


def opened(path: Path, environment: Environment | None = None) -> ComparedRun:
    """Return a finished run; its environment is read where it is not given.

    Raises:
        DiagnoseError: it has not finished, or its records cannot be read.
    """
    state = store.state(path)
    if state != "finished":
        why = store.status(path).why
        raise DiagnoseError(f"{path.name} has not finished: it is {state}{f' ({why})' if why else ''}")
    recipe = store.recipe_of(path)
    return ComparedRun(path, recipe, settings_of(recipe), environment or store.environment(path))


def settings_of(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe's settings by `table.key`, without its seed."""
    settings = {f"{table}.{key}": value for table, rows in recipe.tables().items() for key, value in rows.items()}
    return {key: value for key, value in settings.items() if key != "run.seed"}


def _refuse(runs: Sequence[ComparedRun]) -> None:
    """Refuse runs whose losses are of different text; of one text, a run may have read more than another."""
    scored = [run_tables.read_table(first_run.path, "validation") for first_run in runs]
    for (first_run, first), (other, second) in pairwise(zip(runs, scored, strict=True)):
        texts = [side.environment.corpus for side in (first_run, other)]
        both = f"{first_run.path.name} and {other.path.name} cannot be compared"
        if texts[0].fingerprint != texts[1].fingerprint:
            title = listed([text.title or text.name for text in texts])
            raise DiagnoseError(f"{both}: they are of different text ({title})")
        read, also_read = set(first.document), set(second.document)
        one_split = first_run.environment.split.fingerprint == other.environment.split.fingerprint
        if read != also_read and not (one_split and (read <= also_read or also_read <= read)):
            kinds = listed([_divided(side) for side in (first_run, other)])
            raise DiagnoseError(f"{both}: they are scored on different documents of the text ({kinds})")


def _divided(run: ComparedRun) -> str:
    data = run.recipe.data
    return f"{run.environment.split.scored} of the split {data.split}, {data.val_fraction:g}, {data.split_seed}"


def arms_of(runs: Sequence[ComparedRun]) -> Arms:
    """Return the runs of each recipe by what recipes differ in; those of a single one by the first run's folder.

    Raises:
        DiagnoseError: a recipe was run twice with one seed.
    """
    several = _by_recipe(runs)
    return {runs[0].path.name: several[0]} if len(several) == 1 else _named(runs, several)[0]


def _by_recipe(compared: Sequence[ComparedRun]) -> list[list[ComparedRun]]:
    groups: dict[str, list[ComparedRun]] = {}
    for run in compared:
        groups.setdefault(repr(sorted(learned(run).items())), []).append(run)
    several = list(groups.values())
    for runs in several:
        twice = {run.seed for run in runs if [other.seed for other in runs].count(run.seed) > 1}
        if twice:
            same = listed([run.path.name for run in runs if run.seed in twice])
            raise DiagnoseError(f"{same} are the same recipe with the same seed; leave one out")
    return several


def _arms(runs: Sequence[ComparedRun]) -> tuple[Arms, list[ChangedRecord]]:
    """Return the runs of each arm, the first run's first, and the settings that differ, per arm; see `arms_of`.

    Runs of a single recipe are an arm each.
    """
    several = _by_recipe(runs)
    return _named(runs, [[run] for run in several[0]] if len(several) == 1 else several)


def _named(
    compared: Sequence[ComparedRun], several: Sequence[list[ComparedRun]]
) -> tuple[Arms, list[ChangedRecord]]:  # fmt: skip
    """Name arms by the settings that differ, and return these."""
    keys = sorted({key for run in compared for key in run.settings}, key=lambda key: (key.startswith("budget."), key))
    texts = {key: [_values(runs, key) for runs in several] for key in keys}
    varied = {key: values for key, values in texts.items() if len(set(values)) > 1}
    names = _names(several, {key: values for key, values in varied.items() if not key.startswith(IDLE)})
    arms = dict(zip(names, several, strict=True))
    return arms, [ChangedRecord(what=k, per_arm=dict(zip(names, v, strict=True))) for k, v in varied.items()]


def learned(run: ComparedRun) -> dict[str, Any]:
    """Return what a run's weights follow from, but its seed: budgets that come to as many steps are the same."""
    steps = run.environment.derived.steps
    idle = IDLE if steps is None else (*IDLE, "budget.")
    return {"steps": steps} | {key: value for key, value in run.settings.items() if not key.startswith(idle)}


def _values(runs: Sequence[ComparedRun], key: str) -> str:
    return " or ".join(dict.fromkeys(_shown(run.settings.get(key)) for run in runs))


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "\N{EN DASH}" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _names(several: Sequence[Sequence[ComparedRun]], varied: dict[str, list[str]]) -> list[str]:
    """Name each arm by what it differs in; by its seed, or its first run, where that does not tell arms apart."""
    if not varied:
        return [f"seed {runs[0].seed}" for runs in several]
    chosen: list[str] = []
    while len(chosen) < MOST_NAMED and _told(varied, chosen) < len(several):
        best = max(varied, key=lambda key: _told(varied, [*chosen, key]))
        if best in chosen:
            break
        chosen.append(best)
    out = [", ".join(varied[key][k] for key in varied if key in chosen) for k in range(len(several))]
    if len(chosen) == 1 and not all(name.isalpha() for name in out):  # a bare number says nothing
        out = [f"{chosen[0].partition('.')[2]} {name}" for name in out]
    return out if len(set(out)) == len(out) else [runs[0].path.name for runs in several]


def _told(varied: dict[str, list[str]], keys: Sequence[str]) -> int:
    """Return how many arms these settings tell apart."""
    return len(set(zip(*(varied[key] for key in keys), strict=True))) if keys else 1


def _summary(
    arms: Arms, differs: list[ChangedRecord], margin: float, command: str, *, pairs: bool
) -> AblationRecord:  # fmt: skip
    scores = effects.score({level: tuple(run.path for run in runs) for level, runs in arms.items()})
    seeded = {level: ArmCost(scores[level], tuple(run.seed for run in runs)) for level, runs in arms.items()}
    learned = [row.what for row in differs if not row.what.startswith(IDLE)]
    axis = learned[0] if len(learned) == 1 else "recipe" if learned else "run.seed"
    effects_found = against_first(seeded, axis, margin)
    first = {level: runs[0].environment for level, runs in arms.items()}
    derived = {level: run.derived for level, run in first.items()}
    rows = tuple(
        effects.arm_record(level, {axis: level}, scores[level], derived[level], run.seeds)
        for level, run in seeded.items()
    )
    control = next(iter(arms.values()))[0]
    contexts = {level: runs[0].recipe.batches.context for level, runs in arms.items()}
    what = listed(learned) if learned else "nothing but the seed"
    return AblationRecord(
        kind="comparison",
        axes=(AxisRecord(name=axis, levels=tuple(arms), control=next(iter(arms)), what=what, trap=TRAP),),
        hold=Hold(what="nothing", amount=0.0),
        corpus=control.environment.corpus,
        split=control.environment.split,
        overlap=control.environment.overlap,
        seeds=tuple(sorted({run.seed for runs in arms.values() for run in runs})),
        arms=rows,
        effects=tuple(effects_found),
        pairs=tuple(all_pairs(seeded, axis, margin)) if pairs else (),
        apart=told_apart(seeded),
        differs=tuple(differs),
        noise=effects.noise(scores),
        changed=(*differing(derived), *context_in_text(derived, contexts),
                 *leaks({level: run.overlap for level, run in first.items()})),
        verdict=verdict([axis], rows, effects_found, _held(derived)),
        seconds=sum(sum(row.seconds) for row in rows),
        command=command,
        environment=control.environment,
        recipe=control.recipe.to_toml(),
    )  # fmt: skip


def _held(derived: dict[str, Derived]) -> str:
    amounts = [amount.text for amount in derived.values() if amount.text]
    if len(amounts) == len(derived) and max(amounts) - min(amounts) <= TOLERANCE * max(amounts):
        return f"After the same {in_bytes(amounts[0])} of text"
    if not amounts:
        return "With budgets of their own"
    return f"With budgets of their own ({in_bytes(min(amounts))} to {in_bytes(max(amounts))} of text)"


def _toml(summary: AblationRecord) -> str:
    import tomli_w

    arms = {row.level: list(row.runs) for row in summary.arms}
    return tomli_w.dumps({"format": FORMAT, "kind": "comparison", "seeds": list(summary.seeds), "arms": arms})
