"""What lies in `runs/`: a listing, what may be removed, and text from a checkpoint."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Any

from diagnose import files
from diagnose.errors import DiagnoseError
from diagnose.formatting import visible
from diagnose.records.forecasts import RunRow, ValReading
from diagnose.runs import checkpoints, command_store, run_tables, store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.console import RenderableType


def listing(runs: Path) -> list[RunRow]:
    """Return a row per run, oldest first; a damaged one is listed with what is wrong with it."""
    rows = [*(_row(path, _read) for path in store.entries(runs)),
            *(_row(path, _read_command) for path in store.commands(runs))]  # fmt: skip
    return sorted(rows, key=lambda row: row.run)


def _row(path: Path, read: Callable[[Path], Iterator[dict[str, Any]]]) -> RunRow:
    """Return what can be read of a run until something is damaged, and what that is."""
    known: dict[str, Any] = {}
    try:
        with store.as_written(path):
            for more in read(path):
                known |= more
    except DiagnoseError as error:
        known["status"] = f"damaged: {error}"
    return RunRow(run=str(path), bytes=store.disk_use(path), **known)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    state = store.state(path)
    yield {"status": state}
    environment = store.environment(path)
    yield {"recipe": environment.digest, "steps": environment.derived.steps}
    if state == "finished":
        yield {"val": losses(path)[1]}


def _read_command(path: Path) -> Iterator[dict[str, Any]]:
    """Yield what is known of a command that was run."""
    yield {"status": command_store.state(path), "recipe": command_store.started(path).digest}


def losses(path: Path) -> tuple[float | None, ValReading]:
    """Return the training loss that a run reported last, in nats per token, and what it says of its validation loss.

    Raises:
        DiagnoseError: its readings are missing or damaged.
    """
    table = run_tables.read_columns(path, "readings", ("kind", "split", "loss", "nats", "tokens", "bytes"))
    rows = [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
    logged = {row["split"]: float(row["loss"]) for row in rows if row["kind"] == "reported"}
    final = [row for row in rows if row["kind"] == "final"]
    val = ValReading(reported=logged.get("val"))
    if final:
        row = final[-1]
        val = ValReading(
            nats_per_token=float(row["loss"]), bits_per_byte=float(row["nats"] / math.log(2) / row["bytes"]),
            tokens=int(row["tokens"]), bytes=int(row["bytes"]), reported=logged.get("val"),
        )  # fmt: skip
    return logged.get("train"), val


def rows(listed: list[RunRow]) -> RenderableType:
    """Return the listing for a terminal."""
    from rich.table import Table
    from rich.text import Text

    if not listed:
        return Text("no runs yet; `diagnose train` makes one")
    table = Table("run", "status", box=None, pad_edge=False)
    for name in ("steps", "bits per byte", "disk"):
        table.add_column(name, justify="right")
    for row in listed:
        bits = row.val.bits_per_byte if row.val else None
        cells = ("" if row.steps is None else f"{row.steps:,}", "" if bits is None else f"{bits:.3f}")
        table.add_row(Text(visible(row.run)), Text(visible(str(row.status))), *cells, f"{row.bytes / 1e6:.1f} MB")
    return table


def prunable(runs: Path) -> dict[Path, int]:
    """Return what nothing needs, with its bytes.

    That is: checkpoints of finished runs other than the latest, and cache entries that were not used for a month.
    """
    from diagnose.data.cache import cache_folder, stale

    latest = runs / store.LATEST
    latest_run = store.find(latest) if latest.exists() else None
    to_prune = {}
    files.clear_leftovers(runs)
    for path in store.entries(runs):
        checkpoints.clear_leftovers(path)
        if store.known_state(path) == "finished" and (latest_run is None or path.name != latest_run.name):
            for folder in ("checkpoint", "interval"):
                if (path / folder).is_dir():
                    to_prune[path / folder] = store.disk_use(path / folder)
    return to_prune | {entry.path: entry.size for entry in stale(cache_folder())}


def prune_sentence(to_prune: dict[Path, int]) -> str:
    """Say what would be removed."""
    if not to_prune:
        return "nothing to remove"
    listed = "\n".join(f"  {path}  {size / 1e6:.1f} MB" for path, size in to_prune.items())
    total = sum(to_prune.values()) / 1e6
    cost = "records and pages stay, but `diagnose sample` no longer works for these runs"
    return f"{listed}\n{len(to_prune)} folders, {total:.1f} MB; {cost}"


def prune(to_prune: dict[Path, int]) -> None:
    """Remove them."""
    for path in to_prune:
        if (path.parent / "status.json").exists():
            checkpoints.drop_checkpoints(path.parent)
        else:
            shutil.rmtree(path, ignore_errors=True)


def samples(
    run: str, prompt: str, count: int, *, most_bytes: int, temperature: float, seed: int, model: str | None = None
) -> list[str]:
    """Return texts from a run's checkpoint.

    Args:
        run: its folder, or its name within `runs/`.
        prompt: text to go on from.
        count: of texts.
        most_bytes: after which to stop without an end mark.
        temperature: 1 as learned, 0 the likeliest.
        seed: of the draws.
        model: "file.py:build", the code of the run's network where that is not installed: consent to run it.

    Raises:
        DiagnoseError: no such run, a network that is code and was not named, or its checkpoint is gone.
    """
    import torch

    from diagnose.data import tokenizer
    from diagnose.runs.session import load_state
    from diagnose.training import registry, sampling
    from diagnose.training.preparation import build

    path = store.find(run)
    checkpoint = checkpoints.read_checkpoint(path / "checkpoint")
    if checkpoint is None:
        raise DiagnoseError(f"{path} has no checkpoint to sample from (pruned, or stopped before its first one)")
    recipe = store.recipe_of(path)
    recipe = recipe.with_values({"model.name": registry.consented(recipe.model.name, model)})
    learned = tokenizer.load(files.inside(path / "tokenizer.json"))
    net = build(recipe, tokenizer.vocabulary_size(learned), torch.device("cpu"))
    load_state(net, None, checkpoint[0])
    return [
        sampling.generate(
            net, learned, prompt, context=recipe.batches.context, seed=seed, turn=turn, most_bytes=most_bytes,
            temperature=temperature,
        )
        for turn in range(count)
    ]  # fmt: skip
