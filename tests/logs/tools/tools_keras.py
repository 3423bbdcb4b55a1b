# ruff: noqa: TC003  (calls of tools are long)
"""Keras 3 on torch."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

from data import table
from make import epochs, log, points, printed


def fit(path: Path | None, *, terminal: bool = False, outputs: int = 1, **options: Any) -> Any:
    """Fit a tiny model; return its history."""
    import keras

    keras.utils.set_random_seed(0)
    x, y, xv, yv = table()
    inner = keras.Input((4,))
    hidden = keras.layers.Dropout(0.2)(keras.layers.Dense(16, "relu")(inner))
    heads = [keras.layers.Dense(1, "sigmoid", name=name)(hidden) for name in ("a", "b")[:outputs]]
    model = keras.Model(inner, heads if outputs > 1 else heads[0])
    model.compile("adam", ["binary_crossentropy"] * outputs if outputs > 1 else "binary_crossentropy",
                  metrics=None if outputs > 1 else ["accuracy"])  # fmt: skip
    goals = ([y] * outputs, [yv] * outputs) if outputs > 1 else (y, yv)
    settings = {"batch_size": 16, "epochs": 8, "verbose": 0, "validation_data": (xv, goals[1]), **options}

    def run() -> Any:
        return model.fit(x, goals[0], **settings).history

    if path is None:
        return run()
    with printed(path, terminal=terminal):
        return run()


def both(history: Any, first: int = 1, **how: Any) -> dict[str, Any]:
    return {"train": epochs(history["loss"], first), "val": epochs(history["val_loss"], first), **how}


@log("keras-verbose-1.txt", "keras", "fit(verbose=1), written to a file")
def verbose_1(path: Path) -> dict[str, Any]:
    return both(fit(path, verbose=1), digits=4)


@log(
    "keras-verbose-1-terminal.txt",
    "keras",
    "fit(verbose=1), written to a terminal",
)
def verbose_1_terminal(path: Path) -> dict[str, Any]:
    return both(fit(path, verbose=1, terminal=True, epochs=5), digits=4)


@log("keras-verbose-2.txt", "keras", "fit(verbose=2)")
def verbose_2(path: Path) -> dict[str, Any]:
    return both(fit(path, verbose=2), digits=4)


@log("keras-two-outputs.txt", "keras", "fit(verbose=2), two outputs with a loss each")
def two_outputs(path: Path) -> dict[str, Any]:
    return both(fit(path, verbose=2, outputs=2), digits=4)


@log("keras-validation-freq.txt", "keras", "fit(verbose=2, validation_freq=2)")
def freq(path: Path) -> dict[str, Any]:
    history = fit(path, verbose=2, validation_freq=2, epochs=10)
    at = range(2, 11, 2)
    return {"train": epochs(history["loss"], 1), "val": points(history["val_loss"], epoch=at), "digits": 4}


@log(
    "keras-early-stopping.txt",
    "keras",
    "fit(verbose=2, callbacks=[ModelCheckpoint(verbose=1), EarlyStopping(verbose=1), ReduceLROnPlateau(verbose=1)])",
)
def callbacks(path: Path) -> dict[str, Any]:
    import keras

    kept = keras.callbacks.ModelCheckpoint("/tmp/logs-of-tools/best.keras", save_best_only=True, verbose=1)
    stop = keras.callbacks.EarlyStopping(patience=3, verbose=1, min_delta=0.02)
    lr = keras.callbacks.ReduceLROnPlateau(patience=1, verbose=1, min_delta=0.05)
    return both(fit(path, verbose=2, callbacks=[kept, stop, lr], epochs=20), digits=4)


@log("keras-csvlogger.csv", "keras", "CSVLogger")
def csv_logger(path: Path) -> dict[str, Any]:
    import keras

    return both(fit(None, callbacks=[keras.callbacks.CSVLogger(str(path))]), 0, relative=1e-9)


@log("keras-csvlogger-two-outputs.csv", "keras", "CSVLogger(separator=';'), two outputs")
def csv_two(path: Path) -> dict[str, Any]:
    import keras

    return both(fit(None, outputs=2, callbacks=[keras.callbacks.CSVLogger(str(path), separator=";")]), 0, relative=1e-9)


@log("keras-history.json", "keras", "json.dump(history.history)")
def history(path: Path) -> dict[str, Any]:
    found = fit(None)
    path.write_text(json.dumps({k: [float(v) for v in values] for k, values in found.items()}))
    return both(found, 0, relative=1e-9)


@log("keras-history.csv", "keras", "pandas.DataFrame(history.history).to_csv()")
def history_csv(path: Path) -> dict[str, Any]:
    import pandas as pd

    found = fit(None)
    pd.DataFrame(found).to_csv(path)
    truth = both(found, 0, relative=1e-9)
    for side in ("train", "val"):
        truth[side]["place"] = [float(k + 1) for k in truth[side]["epoch"]]
        truth[side]["step"] = truth[side]["epoch"]
    return truth
