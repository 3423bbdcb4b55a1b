"""Which two series of a log are the losses that are compared: like with like, and a refusal that helps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import counted, cut, listed, visible
from diagnose.logs import told_beside
from diagnose.logs.names import UNSAID, Meaning, loss_types_only, meaning, words
from diagnose.logs.series import EPOCH, PLACE, SECONDS, STEP, VALUE

if TYPE_CHECKING:
    from diagnose.logs.kept_columns import Columns
    from diagnose.logs.series import Log, LogSeries

KINDS = {"loss": 0, "bits": 1, "perplexity": 2, "likelihood": 3, "error": 4, "unsaid": 5}
# which of several series is the one meant, by what its values are means of
SPANS = {"epoch": 0, "": 1, "batch": 2, "smooth": 3, "running": 3, "step": 4, "mean": 5}
ACTORS = {"pi", "policy", "actor"}  # beside whose losses "Val. Loss" is that of the values of states
STATED_MEAN = 0.5  # of a validation loss: a mean goes before single values, where it is printed as often
MOST_LISTED = 8
MOST_OTHERS = 8
STATED = 2  # values up to which a mean at the end of a log is no series of its own
COSTS = {("batch", "cost"), ("data", "cost"), ("reader", "cost")}
MOST_APART = 5  # times that losses of two names may differ without a word
BLIND = "nothing can be said of a gap"


@dataclass(frozen=True)
class Choice:
    """The series that are compared.

    Attributes:
        train, val: the two losses.
        mean: the one mean over the whole validation set that a log ends with, beside values of single batches.
        batch: training's single batches, where a log has them beside the training loss that is compared.
        others: further pairs of like losses, by their names.
        notes: what was chosen, said.
    """

    train: LogSeries
    val: LogSeries
    mean: LogSeries | None = None
    batch: LogSeries | None = None
    others: list[tuple[LogSeries, LogSeries]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def said(name: str) -> str:
    """Return a series' name for a sentence."""
    return repr(cut(visible(name.removesuffix(f" {UNSAID}")), 40))


def choose(log: Log, columns: Columns) -> Choice:
    """Return the two losses of a log and what stands beside them.

    Raises:
        DiagnoseError: one of them is not in the log.
    """
    for role in ("train", "val"):
        if role in columns and columns[role] not in log.series:
            like = [name for name in log.series if words(name) == words(columns[role])]
            if like:
                columns = {**columns, role: like[0]}
                continue
            names = [cut(visible(name), 40) for name in list(log.series)[:MOST_LISTED]] or ["none"]
            raise DiagnoseError(
                f"--columns {role}={columns[role]}: the log has no such values{nearest(columns[role], names)}"
                + ("; in text, a name is the words right before a value" if log.format == "text" else "")
            )
    runs = log.swept()
    if runs and not columns:
        raise DiagnoseError(
            f"this is a table of {runs} runs, one value each: no run has a curve in it, so {BLIND} along a run; give "
            "the history of one run (W&B: run.history(); a metrics.csv with a row a step or an epoch)"
        )
    told_beside.give_sides(log)
    told_beside.turn_gains(log)
    told_beside.name_by_perplexity(log)
    told_beside.name_beside_loss(log)
    losses = _losses(log)
    vals = [name for name, m in losses.items() if m.held_out]
    trains = [name for name, m in losses.items() if not m.held_out]
    train, val = _best(log, trains, vals, columns)
    if not train or not val:
        refuse(log)
    _numbers_only(log, train, val)
    _clear(log, train, val)
    choice = _beside(log, train, val, losses, columns)
    kinds = {losses[name].kind for name in (train, val) if name in losses}
    return _unsaid(log, choice) if kinds == {"unsaid"} else choice


def _losses(log: Log) -> dict[str, Meaning]:
    """Return the losses of a log, by name; values that are named by their side alone only where it has no others."""
    every = {name: m for name in log.series if (m := meaning(name)).kind}
    named = {name: m for name, m in every.items() if m.kind != "unsaid"}
    telling = [
        name for name, m in named.items()
        if m.kind != "error" and not (m.held_out and log.series[name].count <= STATED)
    ]  # fmt: skip
    if any(set(words(name)) & {"loss", "losses"} for name in named):  # Paddle's costs are seconds
        named = {name: m for name, m in named.items() if words(name) not in COSTS}
    both = {m.held_out for m in named.values()} == {True, False}
    return named if (both or telling) and not told_beside.go_with_loss(log, every) else every


def _unsaid(log: Log, choice: Choice) -> Choice:
    """Return a choice of values that are named by their sides alone: falling ones are taken for losses.

    Raises:
        DiagnoseError: they do not fall.
    """
    train, val = choice.train, choice.val
    placed = bool(np.isfinite(train.table()[:, STEP:SECONDS]).any())
    if not told_beside.falls(train) or (len(log.headings) >= train.count and not placed):
        raise DiagnoseError(
            f"the log has values of {said(train.name)} ({counted(train.count, 'value')}) and {said(val.name)} "
            f"({counted(val.count, 'value')}) and does not say of what: they do not fall as losses do (accuracies "
            "rise); print the losses, as 'train loss 1.9, val loss 2.0'"
        )
    note = f"the log does not say what {said(train.name)} and {said(val.name)} are: they fall, and are taken for losses"
    for series in (train, val):
        series.name = series.name.removesuffix(f" {UNSAID}")
    return replace(choice, others=[], notes=[*choice.notes, note])


def _numbers_only(log: Log, train: str, val: str) -> None:
    for side, name in (("training", train), ("validation", val)):
        if not log.series[name].count:
            raise DiagnoseError(f"every value of the {side} loss {said(name)} is NaN or infinite")
    if _zero(log.series[val]) and not _zero(log.series[train]):
        raise DiagnoseError(
            f"every value of the validation loss {said(val)} is 0, and those of {said(train)} are not: it seems that "
            f"nothing was validated (no validation data?), and {BLIND}"
        )


def _clear(log: Log, train: str, val: str) -> None:
    for name in (train, val):
        if name in log.unclear:
            text = log.unclear[name]
            raise DiagnoseError(
                f"values of {said(name)}, as {text}, are {text.replace(',', '.')} or {text.replace(',', '')}: nothing "
                "in the log says whether theirs is a decimal comma; write a decimal point"
            )


def _zero(series: LogSeries) -> bool:
    """Say whether a loss is nothing but zeros, as some loops print it where they have no data for it."""
    return series.count > 1 and series.still and not series.table()[0, VALUE]


def _best(log: Log, trains: list[str], vals: list[str], columns: Columns) -> tuple[str, str]:
    """Return the names of the pair that is most likely meant."""
    given = columns.get("train"), columns.get("val")
    if given[0] and given[1]:
        return given[0], given[1]
    pairs = [
        (_rank(log, train, val), train, val)
        for train in ([given[0]] if given[0] else trains)
        for val in ([given[1]] if given[1] else vals)
        if train != val and not _unsaid_perplexity(log, train, val)
    ]
    known = [pair for pair in pairs if pair[0][0] < UNLIKE or any(given)]
    if not known:
        return "", ""
    curves = [pair for pair in known if min(log.series[name].count for name in pair[1:]) > STATED]
    known = [pair for pair in known if log.series[pair[2]].count >= STATED] if curves else known
    return min(known, key=lambda pair: pair[0])[1:]


def _unsaid_perplexity(log: Log, train: str, val: str) -> bool:
    """Say whether a lone perplexity does not say whose it is, beside another kind of loss: it may be validation's."""
    m, other = meaning(train), meaning(val)
    return m.kind == "perplexity" != other.kind and not m.side and log.series[train].count <= STATED


UNLIKE = 2  # rank of losses that are not of one kind


def _rank(log: Log, train: str, val: str) -> tuple[float, ...]:
    """Return how likely two names are the pair meant, the least the likeliest."""
    a, b = meaning(train), meaning(val)
    counts = log.series[train].count, log.series[val].count
    return (
        _likeness(a, b),
        KINDS.get(a.kind, 5) + KINDS.get(b.kind, 5),
        counts[0] > STATED and log.series[val].still and (log.series[train].still or _zero(log.series[val])),
        counts[1] < STATED and b.span == "mean",
        b.side != "val",
        a.stem != b.stem,
        counts[1] < STATED,
        _running(log, val),
        (val in log.lent) != (train in log.lent) and not _sums_up(log, val),
        len(a.stem) + len(b.stem),
        val in log.lent,
        counts[0] < STATED and counts[1] >= STATED,
        a.side == "",
        b.span != "mean" and _of_batches(log, val),
        b.span == "mean" and a.span != "mean" and _means(log, a),
        STATED_MEAN
        if a.span == b.span == "mean" and min(counts) > STATED and _runs_beside(log, train)
        else SPANS[a.span],
        STATED_MEAN if b.span == "mean" and counts[1] > STATED else SPANS[b.span],
        len(words(train)) + len(words(val)),
        *(-count for count in counts),
    )


def _of_one_loss(log: Log, like: Meaning, *, means: bool) -> list[LogSeries]:
    """Return the series of one loss of a side: its means over many batches, or all others."""
    named = [(series, meaning(name)) for name, series in log.series.items()]
    return [series for series, m in named if m.names_loss_of(like) and (m.span == "mean") == means]


def _means(log: Log, train: Meaning) -> bool:
    """Say whether a log has means of a training loss beside its values."""
    return any(series.count > STATED for series in _of_one_loss(log, train, means=True))


def _runs_beside(log: Log, train: str) -> bool:
    """Say whether a mean stands on the lines of single values, as the mean so far."""
    places = log.series[train].table()[:, PLACE]
    single = _of_one_loss(log, meaning(train), means=False)
    return any(np.array_equal(series.table()[:, PLACE], places) for series in single)


def _of_batches(log: Log, val: str) -> bool:
    """Say whether a series has a validation's single batches: their mean stands beside each, or behind an epoch's."""
    table = log.series[val].table()
    epochs = len(np.unique(table[:, EPOCH]))
    return epochs != len(table) and any(
        series.count == epochs > STATED or np.isin(table[:, PLACE], series.table()[:, PLACE]).all()
        for series in _of_one_loss(log, meaning(val), means=True)
    )


def _running(log: Log, val: str) -> bool:
    """Say whether a series shows a validation's progress, where the log names its result too."""
    m, count = meaning(val), log.series[val].count
    return val in log.lent and any(
        meaning(name) == m and name not in log.lent and STATED < series.count <= count
        for name, series in log.series.items()
    )


def _sums_up(log: Log, val: str) -> bool:
    """Say whether a series holds the results of validations whose progress is another."""
    return any(_running(log, name) for name in log.series if meaning(name) == meaning(val) and name != val)


def _likeness(a: Meaning, b: Meaning) -> int:
    """Return 0 for two names of one loss, 1 where one of them has a part more, `UNLIKE` for different parts."""
    if a.kind != b.kind and {"error", "unsaid", "likelihood"} & {a.kind, b.kind}:
        return UNLIKE
    if set(a.stem) & ACTORS and not b.stem:
        return UNLIKE
    if a.stem == b.stem or (loss_types_only(a.stem) and loss_types_only(b.stem)):
        return 0
    return 1 if set(a.stem) <= set(b.stem) or set(b.stem) <= set(a.stem) else UNLIKE


def _beside(log: Log, train: str, val: str, losses: dict[str, Meaning], columns: Columns) -> Choice:
    """Return the choice with what stands beside it."""
    m = losses.get(val) or meaning(val)
    means = [
        name for name, other in losses.items()
        if other.held_out and other.span == "mean" and name != val and log.series[name].count <= STATED
        and other.kind == m.kind and log.series[val].count >= STATED
    ]  # fmt: skip
    kind = meaning(train)
    batch = next(
        (name for name, other in losses.items() if other.side == "" and name != train and other.kind == kind.kind
         and other.stem == kind.stem and log.series[name].count > STATED),
        None,
    )  # fmt: skip
    others, notes = _others(log, train, val, losses), _notes(log, train, val, losses, columns)
    return Choice(
        log.series[train], log.series[val], log.series[means[0]] if means else None,
        log.series[batch] if batch else None, others, notes,
    )  # fmt: skip


def _others(log: Log, train: str, val: str, losses: dict[str, Meaning]) -> list[tuple[LogSeries, LogSeries]]:
    """Return further pairs of like losses: other parts, and a third set of data."""
    out = []
    for name, m in losses.items():
        if not m.held_out or name == val or m.kind == "perplexity" or (name in log.lent and m == losses.get(val)):
            continue
        like = [
            other for other, o in losses.items()
            if not o.held_out and o.stem == m.stem and o.kind == m.kind and log.series[other].count > 1
        ]  # fmt: skip
        if like and log.series[name].count > 1:
            best = train if train in like else min(like, key=lambda other: _rank(log, other, name))
            out.append((log.series[best], log.series[name]))
    return out[:MOST_OTHERS]


def _notes(log: Log, train: str, val: str, losses: dict[str, Meaning], columns: Columns) -> list[str]:
    a, b = meaning(train), meaning(val)
    out = []
    if _likeness(a, b) == 1 and not {"train", "val"} & columns.keys():
        out.append(
            f"the log names the two differently, {said(train)} and {said(val)}: it does not say that they are one loss"
        )
    elif a.stem != b.stem and _apart(log.series[train], log.series[val]):
        out.append(
            f"{said(train)} and {said(val)} differ by more than a factor of {MOST_APART}: they may be means over "
            "different things, as of a word and of a sentence"
        )
    turned = [said(name) for name in (train, val) if log.series[name].turned]
    if turned:
        out.append(f"of {listed(turned)} higher is better, as of log-likelihoods: the negatives are compared as losses")
    if {"error", "err"} & set(a.stem + b.stem):
        out.append(f"the log has no loss of both sides: {said(train)} and {said(val)} are what it calls errors")
    if b.side == "test" and "val" not in columns:
        lost = [
            name for name, m in losses.items() if m.side == "val" and m.kind == b.kind and not log.series[name].count
        ]
        why = f"every value of {said(lost[0])} is NaN or infinite" if lost else "the log has no validation loss"
        out.append(f"{why}; {said(val)} is taken for it")
    tests = [
        name for name, m in losses.items() if m.side == "test" and name != val and (m.kind, m.stem) == (b.kind, b.stem)
    ]
    if b.side == "val" and tests:
        out.append(f"{said(tests[0])} is a third series, and not compared")
    for side, chosen, key in (("training", train, "train"), ("validation", val, "val")):
        c = meaning(chosen)
        equals = [
            name for name, m in losses.items()
            if name != chosen and name not in log.lent and key not in columns and m == c
            and log.series[name].count > 1
        ]  # fmt: skip
        if equals:
            others = listed([said(name) for name in equals[:3]])
            out.append(f"the {side} loss is taken to be {said(chosen)}; {others} would do too (--columns chooses)")
    return out


def _apart(train: LogSeries, val: LogSeries) -> bool:
    """Say whether two series are of scales so different that they can hardly be means over the same."""
    medians = [float(np.median(series.table()[:, VALUE])) for series in (train, val)]
    low, high = sorted(map(abs, medians))
    return high > MOST_APART * low


def refuse(log: Log) -> NoReturn:
    """Say in one line what a log has, what is missing and what to print."""
    losses = {name: m for name, m in _losses(log).items() if m.kind != "unsaid"}
    unclear = [said(name) for name in log.series if meaning(name).kind == "unsaid"]
    if log.tuples:
        missing = (
            "what they come to" if meaning(log.example).side else "which is training and which is validation"
        )  # parts of one loss, where its name says whose it is
        raise DiagnoseError(
            f"{counted(log.tuples, 'line')} {'holds' if log.tuples == 1 else 'hold'} two or more values after "
            f"{cut(log.example, 40)!r}, and nothing says {missing}: print one value for each, as "
            "'train loss 1.9, val loss 2.0'"
        )
    if not losses:
        named = "values (a name is the words right before one)" if log.format == "text" else "columns of a table"
        raise DiagnoseError(
            f"no loss was found: wanted are lines or columns as 'train loss 1.9' and 'val_loss: 2.0'; name {named} "
            "with --columns train=NAME,val=NAME, or the format with --format"
        )
    vals = {name for name, m in losses.items() if m.held_out}
    trains = {name for name, m in losses.items()
              if not m.held_out and (m.side or m.kind not in ("error", "perplexity") or not vals)}  # fmt: skip
    losses_named = listed(
        [f"{said(name)} ({counted(log.series[name].count, 'value')})" for name in list(losses)[:MOST_LISTED]]
    )
    if unclear:
        losses_named += f"; it does not say what the values of {listed(unclear)} are"
    if not vals:
        sided = any(losses[name].side for name in trains)
        only = "only training losses" if sided else "losses that name no side"
        raise DiagnoseError(
            f"the log has {only} and no validation loss: {losses_named}; {BLIND} until the loop prints a validation "
            "loss too, as 'val loss 2.0'"
        )
    if not trains:
        raise DiagnoseError(
            f"the log has only validation losses and no training loss: {losses_named}; {BLIND} until the loop prints a "
            "training loss too, as 'train loss 1.9'"
            + ("; if one of these is of training data: --columns train=NAME,val=NAME" if len(vals) > 1 else "")
        )
    raise DiagnoseError(
        f"the log has no training and validation loss of one kind: it has {losses_named}; name the two to compare with "
        "--columns train=NAME,val=NAME"
    )
