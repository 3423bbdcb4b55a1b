"""What to do with a table that is not a row a run: said behind the line that refuses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diagnose.errors import nearest
from diagnose.formatting import cut, listed, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_NAMED = 12  # columns that an error lists
MOST_SHOWN = 3  # columns of one kind that an error lists
A_ROW_EACH = "a row a run is wanted, with the seed in a column of its own (pandas: melt)"
_OF_SEEDS = r"(?:(?:random_?)?seed|split|fold|run|rep|trial)"
NAMED_SEED = re.compile(rf"{_OF_SEEDS}[-_ ]?\d+(?:_.*)?", re.IGNORECASE)
A_SEED = re.compile(rf"{_OF_SEEDS}?[-_ ]?\d+(?:_.*)?", re.IGNORECASE)  # by its number alone, too
SPREAD = re.compile(r"\$?[-+]?[\d.]+\s*(?:±|\+/?-|\\+pm|\((?=[±\d.\s]+\)))")
ANSWERS = frozenset(
    ("yes", "no", "y", "n", "c", "i", "correct", "incorrect", "right", "wrong", "pass", "fail", "t", "f")
)
TIMES = frozenset((
    "epoch", "epochs", "step", "steps", "global_step", "iteration", "iter", "checkpoint", "ckpt",
))  # columns of a run's course  # fmt: skip
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
    columns = [one for one in names if A_SEED.fullmatch(one)]
    parts = [part.strip() for part in name.split(",")]
    near = nearest(name, names)
    if len(parts) > 1 and all(part in names for part in parts):
        right = f"--scores {name}" if option == "--score" else " ".join(f"{option} {part}" for part in parts)
        said = f"; several are named with {right}"
    elif names and names[0].startswith("\\begin"):
        said = ": it is a LaTeX table; save the numbers as CSV"
    elif len(names) == 1 and len(names[0].split()) > 1:
        said = f": its first line is one column, {visible(names[0])!r}; is it a CSV, separated by commas, ; or tabs?"
    elif any(NUMBER.fullmatch(one) for one in names):
        said = f": its first line holds numbers ({listed([visible(one) for one in names[:MOST_SHOWN]])}), no names of "
        said += "columns: write these above"
    elif _has_several_headings(names):
        said = f": its columns have several headings (rows of a header, or MultiIndex); {A_ROW_EACH}"
    elif len(columns) > 1:
        typo = f"{near} or: " if "did you mean" in near else "; "
        said = f"{typo}{listed([visible(one) for one in columns[:MOST_SHOWN]])} look like a column a seed: {A_ROW_EACH}"
    elif "did you mean" in near:
        said = near
    else:
        said = nearest(name, names[:MOST_NAMED]) + ("; without --seed each row is a run" if option == "--seed" else "")
    return said


def _has_several_headings(names: Sequence[str]) -> bool:
    filled = [one for one in names if one]
    return len(set(filled)) < len(filled) or any(one.startswith("('") for one in filled)


def are_seeds(scores: Sequence[str]) -> bool:
    """Tell whether columns that are to be several scores are seeds or folds by their names."""
    return len(scores) > 1 and all(NAMED_SEED.fullmatch(one) for one in scores)


def of_repeats(names: Sequence[str], known: Sequence[str]) -> str:
    """Return what is said behind the refusal of several rows of a run: columns that may tell them apart.

    Args:
        names: of all columns.
        known: columns that were named.
    """
    others = [cut(visible(one), 40) for one in names if one not in known]
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
    ends = [one for one in (*names[:1], *names[-1:]) if one.lower() in TOTALS]
    return next((one for one in names if one.lower() in AVERAGES), ends[0] if ends else None)


def of_seeds_as_arms(arm: str, names: Sequence[str], scores: Sequence[str]) -> str:
    """Return what is said where a column of seeds is to be the arms.

    Args:
        arm: that column.
        names: of all columns.
        scores: columns that are named as scores.
    """
    others = [cut(visible(one), 40) for one in names if one not in (arm, "", *scores)]
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
    seeds = [one for one in names if A_SEED.fullmatch(one)]
    if len(seeds) < 2 or (score and score not in seeds):
        return ""
    which = f", of which {visible(score)} alone would be compared" if score else ""
    return f"{listed([visible(one) for one in seeds[:MOST_SHOWN]])} look like a column a seed{which}: {A_ROW_EACH}"


def unnamed(names: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the note that rows are taken for runs of their own where a column may say which run they are of.

    Args:
        names: of all columns.
        known: columns that are an arm or a score.
    """
    found = [one for one in names if one not in known and (one.lower() in TIMES or one.lower().endswith("seed"))]
    if not found:
        return []
    return [
        f"Each row is taken for a run of its own. The table has {listed([visible(one) for one in found])}: name the "
        "runs with --seed, and of a run's epochs or steps keep one."
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
