"""Losses whose side a heading gives: "Validation" on a line of its own, and below it "loss: 2.31".

While a log is read each loss without a side is kept twice, under its name and under the heading's side. At the end,
when all names are known, one of the two goes.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from diagnose.logs.names import meaning

if TYPE_CHECKING:
    from diagnose.logs.series import Log, LogSeries

ABOVE = "\x1f"  # marks names whose side is a heading's
NO_HEADING = "unsaid"  # in place of the side of a heading


def under(side: str, name: str) -> str:
    """Return the name of a loss under a heading of that side ("" where there is none)."""
    return f"{ABOVE}{side or NO_HEADING} {name}"


def under_none(log: Log) -> None:
    """Note, at the first heading, that what was read until then stood under none."""
    for name in [name for name in log.series if not meaning(name).side]:
        log.series[under("", name)] = deepcopy(log.series[name])


def settle(log: Log) -> None:
    """Decide whether headings give sides: where no loss has a side of its own and they name both.

    Each loss without a side was kept under its name and under the heading's side; one of the two goes.
    """
    sides = {meaning(name).side for name, s in log.series.items() if not name.startswith(ABOVE) and meaning(name).kind}
    split = {name: s for name, s in log.series.items() if name.startswith(ABOVE)}
    heads = {meaning(name[1:]).side for name in split}
    use = not sides & {"val", "test"} and bool(heads & {"val", "test"}) and ("train" in heads | sides or "" in sides)
    unsaid: dict[str, LogSeries] = {}
    for name, series in split.items():
        del log.series[name]
        side, _, plain = name[1:].partition(" ")
        if use and side == NO_HEADING:
            unsaid[plain] = series
        elif use:
            log.series[name] = series
            log.rename(name, name[1:])
            log.series.pop(plain, None)
    if not use:
        _only_below(log, split)
    if "train" not in heads:
        log.series |= unsaid  # what stands under no heading is training's, where only validation has one


def _only_below(log: Log, split: dict[str, LogSeries]) -> None:
    """Give losses all of whose values stood under one heading for held-out data its side."""
    for name, series in split.items():
        side, _, plain = name[1:].partition(" ")
        if side in ("val", "test") and plain in log.series and log.series[plain].count == series.count:
            del log.series[plain]
            series.name = f"{side} {plain}"
            log.series.setdefault(series.name, series)
