"""Where in the text the losses lie: by position, by document's length and place, by an epoch's steps, by token.

Everything is read with dropout off and the plain objective, so that a difference is one of the text. Documents are the
units of intervals; trends are over blocks of neighbouring documents, or over steps.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose import random as seeding
from diagnose.data.tokenizer import marks
from diagnose.gap.run import run_data, run_reading
from diagnose.gap.run.run_reading import StepGroup
from diagnose.gap.run.run_replay import step_group
from diagnose.runs import run_tables
from diagnose.stats import Reading, combination, trend
from diagnose.training import evaluation
from diagnose.training.batches import Batch, steps_per_epoch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor, nn

    from diagnose.gap.conditions import Condition
    from diagnose.gap.run.run import FinishedRun
    from diagnose.gap.run.run_conditions import RunSetting

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

BLOCKS = 20  # of the corpus, and of an epoch
STEPS = 60  # that stand for the training text
LEAST_IN_BLOCK = 5  # documents, or steps
LENGTHS = 6  # classes of documents by length, with as many documents in each
SHORTEST = 8  # targets of a document that is shown as best or worst: of a shorter one a single word decides
SHOWN = 3  # best documents, and worst
MOST_TARGETS = 160  # of a document that are shown
MOST_POSITIONS = 1 << 18  # that are read of either text


@dataclass(frozen=True)
class Targets:
    """Targets that were read, one entry each: nats, tokens seen before it, its document, the number of its group."""

    nats: Floats
    seen: Ints
    document: Ints
    group: Ints


def measure(finished: FinishedRun, setting: RunSetting, positions: tuple[int, int], unit: int) -> dict[str, Any]:
    """Return the losses by place as plain data.

    Args:
        finished: the run.
        setting: its conditions.
        positions: how much of the training and of the validation text may be read.
        unit: adjacent documents that are one unit of the intervals.
    """
    plain = setting.sides.matched(on=False)
    steps = _steps(finished)
    rows = max(1, min(positions[0], MOST_POSITIONS) // (len(steps) * finished.recipe.batches.context))
    groups, _ = run_data.validation_groups(finished, min(positions[1], MOST_POSITIONS))
    train = read_targets(finished.network, [_first_rows(finished, step, rows) for step in steps], plain)
    val = read_targets(finished.network, groups, plain)
    whole = run_tables.read_table(finished.path, "validation")
    size, documents = whole.document.to_numpy(), len(finished.setup.text.corpus)
    nats, tokens = whole.nats.to_numpy(float), whole.tokens.to_numpy(float)
    scored = finished.setup.text.split.scored_text
    return {
        "scored": scored,
        "positions": [
            {"text": "training", "rows": by_position(train, unit)},
            {"text": "validation", "rows": by_position(val, unit)},
        ],
        "lengths": by_length(nats, tokens, size // unit),
        "places": [
            {"text": "training", **by_place(*_per_document(train), documents)},
            {"text": scored, **by_place(nats, tokens, size, documents)},
        ],
        "epoch": by_step(train, np.array(steps), finished),
        "documents": extremes(finished, nats, tokens, size),
    }


def _steps(finished: FinishedRun) -> list[int]:
    """Draw steps from those before the reported interval (from all where there are none), in order."""
    pool = finished.earlier or len(finished.logged)
    draw = seeding.generator(0, "steps by place", pool)
    return sorted(int(step) for step in draw.choice(pool, min(pool, STEPS), replace=False))


def _first_rows(finished: FinishedRun, step: int, rows: int) -> StepGroup:
    """Return the first rows of a step: a few of many steps say more about an epoch than all of a few steps."""
    group = step_group(finished, step)
    part = group.parts[0]
    segments = None if part.segments_BT is None else part.segments_BT[:rows]
    inputs, targets, counted, documents = (
        x[:rows] for x in (part.inputs_BT, part.targets_BT, part.counted_BT, part.documents_BT)
    )
    return StepGroup((Batch(inputs, targets, counted, documents, segments),), group.seeds[:1])


def read_targets(network: nn.Module, groups: Sequence[StepGroup], condition: Condition) -> Targets:
    """Read some batches target by target; padding is left out."""
    device = next(network.parameters()).device
    columns: list[tuple[Tensor, ...]] = []
    for number, group in enumerate(groups):
        for part, seed in zip(group.parts, group.seeds, strict=True):
            mask_BT = part.counted_BT.cpu()
            nats = run_reading.nats(network, part.to(device), condition, seed, {0.0})[0.0].double()[mask_BT]
            columns.append(
                (nats, tokens_seen(part)[mask_BT], part.documents_BT.cpu()[mask_BT], torch.full_like(nats, number))
            )
    joined = [torch.cat(some).numpy() for some in zip(*columns, strict=True)]
    return Targets(joined[0], *(column.astype(np.int64) for column in joined[1:]))


def tokens_seen(batch: Batch) -> Tensor:
    """Return how many tokens a target's prediction can look at (B, T): those of its row, or of its document there."""
    place_BT = torch.arange(batch.inputs_BT.shape[1]).expand(batch.inputs_BT.shape)
    if batch.segments_BT is None:
        return place_BT + 1
    new_BT = torch.nn.functional.pad(batch.segments_BT.cpu().diff(dim=1) != 0, (1, 0), value=True)
    return place_BT - (place_BT * new_BT).cummax(1).values + 1


def _per_document(targets: Targets) -> tuple[Floats, Floats, Ints]:
    documents, place = np.unique(targets.document, return_inverse=True)
    return np.bincount(place, targets.nats).astype(float), np.bincount(place).astype(float), documents


def _row(nats: Floats, weights: Floats, units: Ints) -> dict[str, float | None]:
    span = combination([Reading.of(nats, weights, units)], [1.0])
    return {"loss": span.value, "low": span.low, "high": span.high}


def by_position(targets: Targets, unit: int = 1) -> list[dict[str, Any]]:
    """Return the mean loss by tokens seen, in classes that double."""
    out, first, longest = [], 1, int(targets.seen.max())
    while first <= longest:
        last = min(2 * first - 1, longest)
        here = (targets.seen >= first) & (targets.seen <= last)
        if here.any():
            nats = targets.nats[here]
            row = _row(nats, np.ones(len(nats)), targets.document[here] // unit)
            out.append({"first": first, "last": last, "targets": len(nats), **row})
        first = last + 1
    return out


def by_length(nats_N: Floats, tokens_N: Floats, units_N: Ints) -> list[dict[str, Any]]:
    """Return the mean loss of documents by their length in targets, in classes of about as many documents."""
    edges = np.unique(np.quantile(tokens_N, np.linspace(0, 1, LENGTHS + 1)).round())
    place = np.searchsorted(edges[1:-1], tokens_N, side="right")
    return [
        {"first": int(tokens_N[here].min()), "last": int(tokens_N[here].max()), "documents": int(here.sum()),
         **_row(nats_N[here], tokens_N[here], units_N[here])}
        for here in (place == number for number in range(max(len(edges) - 1, 1))) if here.any()
    ]  # fmt: skip


def by_place(nats_N: Floats, tokens_N: Floats, documents_N: Ints, documents: int) -> dict[str, Any]:
    """Return the mean loss of blocks of neighbouring documents along the corpus, and the trend over blocks."""
    scored_N = tokens_N > 0
    nats_N, tokens_N, documents_N = nats_N[scored_N], tokens_N[scored_N], documents_N[scored_N]
    blocks = max(1, min(BLOCKS, len(documents_N) // LEAST_IN_BLOCK))
    parts = np.array_split(np.argsort(documents_N, kind="stable"), blocks)
    rows = [
        {
            "at": float((documents_N[part].mean() + 0.5) / documents),
            **_row(nats_N[part], tokens_N[part], documents_N[part]),
        }
        for part in parts
    ]
    block_trend = _trend([float(row["at"] or 0) for row in rows], [float(row["loss"] or 0) for row in rows])
    return {"rows": rows, "documents": len(documents_N), "trend": block_trend}


def by_step(targets: Targets, steps: Ints, finished: FinishedRun) -> dict[str, Any]:
    """Return the final weights' loss on steps of training by their place in the epoch, and the trend over steps."""
    each = steps_per_epoch(finished.setup.course.layout, finished.recipe.batches.accumulate)
    at = (steps + 0.5) / each
    loss = np.bincount(targets.group, targets.nats) / np.bincount(targets.group)
    within = at % 1 if len(finished.logged) > each else at
    order = np.argsort(within, kind="stable")
    rows = []
    for part in np.array_split(order, max(1, min(BLOCKS // 2, len(order) // LEAST_IN_BLOCK))):
        row = _row(loss[part], np.ones(len(part)), part)
        rows.append({"at": float(within[part].mean()), **row})
    return {
        "rows": rows, "steps": len(steps), "epochs": len(finished.logged) / each, "trend": _trend(within, loss),
    }  # fmt: skip


def _trend(x: ArrayLike, y: ArrayLike) -> dict[str, Any] | None:
    fitted = trend(x, y)
    return asdict(fitted) if fitted else None


def extremes(
    finished: FinishedRun, nats_N: Floats, tokens_N: Floats, documents_N: Ints
) -> dict[str, list[dict[str, Any]]]:
    """Return the documents with the lowest and the highest loss a token, each with what its pieces cost."""
    long = np.flatnonzero(tokens_N >= min(SHORTEST, tokens_N.max()))
    order = long[np.argsort(nats_N[long] / tokens_N[long], kind="stable")]
    count = min(SHOWN, len(order) // 2)
    picked = {"worst": order[::-1][:count], "best": order[:count]}
    return {
        name: [_document(finished, int(documents_N[k]), float(nats_N[k] / tokens_N[k])) for k in some]
        for name, some in picked.items()
    }


def _document(finished: FinishedRun, document: int, loss: float) -> dict[str, Any]:
    text, recipe = finished.setup.text, finished.recipe
    ids, nats = evaluation.canonical_tokens(
        finished.network, text.stream, document, recipe.batches.context, recipe.run.precision
    )
    first_pieces = pieces(text.tokenizer, ids[:MOST_TARGETS].tolist(), nats[:MOST_TARGETS].tolist())
    return {"document": document, "loss": loss, "targets": len(ids), "pieces": [list(piece) for piece in first_pieces]}


def pieces(tokenizer: Any, ids: list[int], nats: list[float]) -> list[tuple[str, float]]:
    """Return the text that tokens add one after another, with the nats of each; tokens of one character go together."""
    out: list[tuple[str, float]] = []
    start, waiting, cost = 0, "", 0.0
    opening, _ = marks(tokenizer)
    for place, (token, token_nats) in enumerate(zip(ids, nats, strict=True), 1):
        cost += token_nats
        if token == opening:
            out.append(("", cost))  # the end of the document
            start, cost = place, 0.0
            continue
        waiting = str(tokenizer.decode(ids[start:place], skip_special_tokens=False))
        if not waiting.endswith("\N{REPLACEMENT CHARACTER}"):
            out.append((waiting, cost))
            start, cost = place, 0.0
    if cost:
        out.append((waiting, cost))
    return out
