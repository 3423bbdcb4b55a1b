"""Names whose side only the names beside them tell: "tloss" and "vloss", "fit loss" and "check loss", "ts_loss"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.logs.names import TRAIN, meaning, words

if TYPE_CHECKING:
    from diagnose.logs.series import Log

SIDES = ("train", "val")
APART = {("t", "v"), ("fit", "check"), ("seen", "unseen")}  # words for training and held-out data beside each other
SHORT_SIDES = {"te": "test", "ts": "test", "ev": "eval", "vd": "val"}  # beside a name that says "tr" or "train"


def give_sides(log: Log) -> None:
    """Give such names their sides."""
    _of_two_words(log)
    _beside_train(log)


def _of_two_words(log: Log) -> None:
    """Give two names that differ in a word of `APART` alone their sides, where a log has these and no loss else."""
    names = [name for name in log.series if meaning(name).kind == "loss"]
    if len(names) != len(SIDES):
        return
    at = [(k, pair) for k, pair in enumerate(zip(*map(words, names), strict=False)) if pair[0] != pair[1]]
    if len(at) != 1 or len({len(words(name)) for name in names}) > 1:
        return
    k, pair = at[0]
    if pair not in APART and pair[::-1] not in APART:
        return
    for name, side in zip(names, SIDES if pair in APART else SIDES[::-1], strict=True):
        _rename(log, name, k, side)


def _rename(log: Log, name: str, k: int, side: str) -> None:
    """Give a name a side in place of its kth word."""
    parts = words(name)
    log.rename(name, " ".join([*parts[:k], side, *parts[k + 1 :]]))


def _beside_train(log: Log) -> None:
    """Give "loss_te", "ts_loss" and "ev loss" their sides, where a name beside them has a word for training there."""
    names = {words(name): name for name in log.series}
    for parts, name in names.items():
        k = next((k for k, word in enumerate(parts) if word in SHORT_SIDES), -1)
        if k >= 0 and any((*parts[:k], train, *parts[k + 1 :]) in names for train in TRAIN):
            _rename(log, name, k, SHORT_SIDES[parts[k]])
