"""What to do with a table that is not a row a run: said behind the line that refuses it."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from diagnose.errors import nearest
from diagnose.formatting import cut, listed, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_NAMED = 12  # columns that an error lists
MOST_SHOWN = 3  # columns of one kind that an error lists
A_ROW_EACH = "a row a run is wanted, with the seed in a column of its own (pandas: melt)"
CHART = "__MIN"  # what ends columns of a chart that W&B exports, beside each run's own
OF_CHART = (
    "it is a chart's export of W&B, a column a run: export the table of runs instead, which has their settings and "
    "last scores"
)
ENOUGH_SEEDS = 12  # columns of seeds that an option names; more by a pattern alone
_OF_SEEDS = r"(?:(?:random_?)?seed|split|fold|run|rep|trial)"
NAMED_SEED = re.compile(rf"{_OF_SEEDS}[-_ ]?\d+(?:_.*)?", re.IGNORECASE)
A_SEED = re.compile(rf"{_OF_SEEDS}?[-_ ]?\d+(?:_.*)?", re.IGNORECASE)  # by its number alone, too
SPREAD = re.compile(r"\$?[-+]?[\d.]+\s*(?:±|\+/?-|\\+pm|\((?=[±\d.\s]+\)))")
ANSWERS = frozenset(
    ("yes", "no", "y", "n", "c", "i", "correct", "incorrect", "right", "wrong", "pass", "fail", "t", "f")
)
TIMES = frozenset((
    "epoch", "epochs", "step", "steps", "global_step", "iteration", "iter", "checkpoint", "ckpt", "training_iteration",
    "timestep", "timesteps", "total_timesteps", "total timesteps", "num_timesteps",
))  # columns of a run's course  # fmt: skip
RUN_LIKE = frozenset(("run", "runs", "run_id", "rep", "reps", "repeat", "replicate", "replication", "trial", "split"))
ARM = "arm"  # what columns that are an arm each are called once they are rows
IS_SEED = re.compile(r"(?:.*[-_. ])?(?:seeds?|fold)", re.IGNORECASE)  # a column of seeds, by its name
SUMMARIES = frozenset(("mean", "average", "avg", "std", "sd", "stdev", "sem", "stderr", "median"))  # are no seeds
AVERAGES = frozenset(("macro avg", "weighted avg", "micro avg"))  # of scikit-learn's reports: are no examples
TOTALS = frozenset(("all", "overall"))  # of trec_eval and its like, first or last in the table
NUMBER = re.compile(r"[-+]?\d*\.\d+(?:e[-+]?\d+)?", re.IGNORECASE)


def of_column(option: str, name: str, names: Sequence[str]) -> str:
    """Return what is said behind "has no such column".

    Args:
        option: that named the column.
        name: of the column.
        names: of all columns that there are.
    """
    columns = [column for column in names if A_SEED.fullmatch(column)]
    parts = [part.strip() for part in name.split(",")]
    near = nearest(name, names)
    if any(column.endswith(CHART) for column in names):
        hint = f": {OF_CHART}"
    elif len(parts) > 1 and all(part in names for part in parts):
        right = f"--scores {name}" if option == "--score" else " ".join(f"{option} {part}" for part in parts)
        hint = f"; several are named with {right}"
    elif names and names[0].startswith("\\begin"):
        hint = ": it is a LaTeX table; save the numbers as CSV"
    elif len(names) == 1 and len(names[0].split()) > 1:
        hint = f": its first line is one column, {visible(names[0])!r}; is it a CSV, separated by commas, ; or tabs?"
    elif any(NUMBER.fullmatch(column) for column in names):
        first = listed([visible(column) for column in names[:MOST_SHOWN]])
        hint = f": its first line holds numbers ({first}), no names of columns: write these above"
    elif has_several_headings(names):
        hint = f": its columns have several headings (rows of a header, or MultiIndex); {A_ROW_EACH}"
    elif len(columns) > 1:
        typo = f"{near} or: " if "did you mean" in near else "; "
        first = listed([visible(column) for column in columns[:MOST_SHOWN]])
        hint = f"{typo}{first} look like a column a seed: {to_melt_seeds(columns, names)}"
    elif "did you mean" in near:
        hint = near
    else:
        hint = nearest(name, names[:MOST_NAMED]) + ("; without --seed each row is a run" if option == "--seed" else "")
    return hint


def has_several_headings(names: Sequence[str]) -> bool:
    """Tell whether a table has several rows of headings, by names that recur."""
    filled = [name for name in names if name]
    return len(set(filled)) < len(filled) or any(name.startswith("('") for name in filled)


def are_seeds(scores: Sequence[str]) -> bool:
    """Tell whether columns that are to be several scores are seeds or folds by their names."""
    return len(scores) > 1 and all(NAMED_SEED.fullmatch(score) for score in scores)


def of_repeats(names: Sequence[str], known: Sequence[str]) -> str:
    """Return what is said behind the refusal of several rows of a run: columns that may tell them apart.

    Args:
        names: of all columns.
        known: columns that were named.
    """
    others = [cut(visible(name), 40) for name in names if name not in known]
    if not others:
        return ""
    more = [f"{len(others) - MOST_NAMED} more"] if len(others) > MOST_NAMED else []
    return (
        f"; not named {'was the column' if len(others) == 1 else 'were the columns'} "
        f"{listed([*others[:MOST_NAMED], *more])}: if one tells these rows apart, keep "
        "one of its values, or make it an arm or the example"
    )


def summary_of(names: Sequence[str]) -> str | None:
    """Return the example that is a summary of the others, None where there is none.

    Args:
        names: of the examples, in the table's order.
    """
    ends = [name for name in (*names[:1], *names[-1:]) if name.lower() in TOTALS]
    return next((name for name in names if name.lower() in AVERAGES), ends[0] if ends else None)


def of_seeds_as_arms(arm: str, names: Sequence[str], scores: Sequence[str]) -> str:
    """Return what is said where a column of seeds is to be the arms.

    Args:
        arm: that column.
        names: of all columns.
        scores: columns that are named as scores.
    """
    others = [cut(visible(name), 40) for name in names if name not in (arm, "", *scores)]
    which = f" ({listed(others[:MOST_SHOWN], 'or')})" if others else ""
    return (
        f"--arm {visible(arm)}: seeds are chance and not what is compared: give --seed {visible(arm)}, and --arm "
        f"another column{which}. Arms that are a column each must be rows first, with their names in one column "
        "(pandas: melt)"
    )


def of_pivot(names: Sequence[str], score: str = "") -> str:
    """Return what is said of a table with a column a seed or fold, of which one is the score; "" of any other.

    Args:
        names: of all columns.
        score: the column that is to be compared; "" where none was named.
    """
    seeds = [name for name in names if A_SEED.fullmatch(name)]
    if len(seeds) < 2 or (score and score not in seeds):
        return ""
    which = f", of which {visible(score)} alone would be compared" if score else ""
    first = listed([visible(name) for name in seeds[:MOST_SHOWN]])
    return f"{first} look like a column a seed{which}: {to_melt_seeds(seeds, names)}"


def to_melt_seeds(seeds: Sequence[str], names: Sequence[str]) -> str:
    """Return what makes columns that are a seed each rows; of several scores a seed the first score's.

    Args:
        seeds: these columns.
        names: of all columns.
    """
    ends = [re.sub(r"^\D*\d+", "", seed) for seed in seeds]
    mine = [seed for seed, end in zip(seeds, ends, strict=True) if end == ends[0]]
    start = re.sub(r"\d.*", "", mine[0])
    inside = [name for name in names if name.startswith(start) and name.endswith(ends[0]) and len(start) > 0]
    columns = f"{start}*{ends[0]}" if inside == mine else ",".join(mine[:ENOUGH_SEEDS])
    name = "fold" if start.lower().startswith(("fold", "split")) else "seed" if "seed" not in names else "run"
    return f"a row a run is wanted: {melting(name, columns)} makes them rows (pandas: melt)"


def melting(name: str, columns: str) -> str:
    """Return the options that make columns rows."""
    return f"--melt {shlex.quote(visible(f'{name}={columns}'))} --score NAME"


def unnamed(names: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the note that rows are taken for runs of their own where a column may say which run they are of.

    Args:
        names: of all columns.
        known: columns that are an arm or a score.
    """
    names_left = [
        name for name in names if name not in known and (name.lower() in TIMES or name.lower().endswith("seed"))
    ]
    if not names_left:
        return []
    return [
        f"Each row is taken for a run of its own. The table has {listed([visible(name) for name in names_left])}: name "
        "the runs with --seed, and of a run's epochs or steps keep one."
    ]


def of_score(word: str, name: str) -> str:
    """Return what is said behind "is no number".

    Args:
        word: what stands there.
        name: of the score's column.
    """
    plain = word.strip().lower()
    if SPREAD.match(plain):
        return ": a mean and its deviation over runs; give each run's own score, a row a run"
    if plain in ANSWERS:
        return ": write right and wrong as 1 and 0"
    if word.strip() == name:
        return ": it is the column's name again, a header in the midst of the table"
    return ""
