"""Names whose side is a letter or two, which only the names beside them tell: "tloss" and "vloss", and "ts_loss"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.logs.names import TRAIN, meaning, words

if TYPE_CHECKING:
    from diagnose.logs.series import Log

SHORT_SIDES = {"te": "test", "ts": "test", "ev": "eval", "vd": "val"}  # beside a name that says "tr" or "train"


def give_sides(log: Log) -> None:
    """Give such names their sides."""
    _of_t_and_v(log)
    _beside_train(log)


def _of_t_and_v(log: Log) -> None:
    """Give "tloss" and "vloss" their sides, where a log has these two and no loss else."""
    short = {words(name): name for name in log.series if meaning(name).kind == "loss"}
    if set(short) != {("t", "loss"), ("v", "loss")}:
        return
    for (letter, _), name in short.items():
        series = log.series.pop(name)
        series.name = f"{'train' if letter == 't' else 'val'} loss"
        log.series[series.name] = series


def _beside_train(log: Log) -> None:
    """Give "loss_te", "ts_loss" and "ev loss" their sides, where a name beside them has a word for training there."""
    names = {words(name): name for name in log.series}
    for found, name in names.items():
        k = next((k for k, word in enumerate(found) if word in SHORT_SIDES), -1)
        if k >= 0 and any((*found[:k], train, *found[k + 1 :]) in names for train in TRAIN):
            series = log.series.pop(name)
            series.name = " ".join([*found[:k], SHORT_SIDES[found[k]], *found[k + 1 :]])
            log.series[series.name] = series
