"""Which text each reading of the ledger is of, as batches with masks.

* training text: whole steps from before the reported interval, drawn at random; the run's own loader cut them.
* the same documents, cut as validation cuts its documents, where that differs.
* validation text: whole where it fits, else rows drawn at random.
* unseen text: those validation documents that do not occur in the training text, and the reserve.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from diagnose import random as seeding
from diagnose.data.tokenizer import marks, spelled
from diagnose.gap.run.run_reading import StepGroup
from diagnose.gap.run.run_replay import step_group
from diagnose.training import batches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from diagnose.gap.run.run import FinishedRun
    from diagnose.training.batches import Batch, BatchPlan

MOST_TURNS = 8  # redrawn masks of the same text; documents, not masks, set the interval soon


@dataclass(frozen=True)
class Chosen:
    """Steps that stand for the training text.

    Attributes:
        steps: which, from 0; drawn from `of` steps.
        turns: how often each is read, every time with other masks.
        same: whether they are the very steps of the reported loss, for want of earlier ones.
    """

    steps: tuple[int, ...]
    of: int
    turns: int
    same: bool

    def groups(self, finished: FinishedRun) -> Iterator[StepGroup]:
        """Yield their batches with redrawn masks."""
        for turn in range(self.turns):
            for step in self.steps:
                yield step_group(finished, step, turn=turn)


def training_text(finished: FinishedRun, positions: int, masks: bool) -> Chosen:
    """Choose the steps that stand for the training text.

    Args:
        finished: the run.
        positions: how many may be read.
        masks: whether anything is drawn anew in a second reading.
    """
    most = max(1, positions // finished.positions)
    averaged, _ = finished.averaged()
    pool = np.arange(finished.earlier) if finished.earlier else averaged
    order = seeding.permute(torch.arange(len(pool)), len(pool), seeding.key(0, "ledger steps", len(pool))).numpy()
    steps = np.sort(pool[order[:most]])
    turns = max(1, min(MOST_TURNS, most // len(steps))) if masks else 1
    return Chosen(tuple(int(s) for s in steps), len(pool), turns, not finished.earlier)


def collation_changes(finished: FinishedRun) -> list[str]:
    """Say in what the cutting of training and of validation documents differs."""
    train, val = finished.setup.course.layout, finished.setup.validation
    out = [f"{train.loader} rows → {val.loader} rows"] if train.loader != val.loader else []
    if train.masked != val.masked:
        out.append("documents of a row kept apart → not" if train.masked else "documents of a row seen → kept apart")
    in_order = finished.recipe.report.val == "full" or val.order != "shuffled"
    shuffled = train.loader == val.loader == "packed" and train.order == "shuffled"
    if shuffled and in_order and not train.masked:
        out.append("documents packed in random order → in the text's order")
    return out


def recut(finished: FinishedRun, chosen: Chosen, positions: int) -> tuple[list[StepGroup], dict[int, float]]:
    """Cut the documents of the chosen steps as validation's are.

    Returns:
        Groups as large as steps, masks redrawn as often as those of the chosen steps are; and how much of each document
        the chosen steps show (tokens shown over those that its rows offer), so that both cuts count documents alike.
    """
    val = finished.setup.validation
    counts = _shown(finished, chosen.steps)
    train = finished.setup.course.layout
    documents = torch.tensor(sorted(counts), device=train.tokens.device)
    in_order = finished.recipe.report.val == "full"
    starts = torch.from_numpy(finished.setup.text.stream.starts).to(train.tokens.device)
    layout = replace(
        val, first_N=starts[documents], length_N=starts[documents + 1] - starts[documents], documents_N=documents,
        samples=None, stream="ledger order", order="sequential" if in_order else val.order,
    )  # fmt: skip
    offered_N = layout.length_N.clamp(max=train.context) if train.loader == "padded" else layout.length_N
    offered = dict(zip(documents.tolist(), offered_N.tolist(), strict=True))
    rows, _ = text_batches(layout, positions)
    size = finished.recipe.batches.accumulate
    parts = [rows[k : k + size] for k in range(0, len(rows), size)]
    groups = [_masked_group(finished, p, turn, k) for turn in range(chosen.turns) for k, p in enumerate(parts)]
    return groups, {d: count / offered[d] for d, count in counts.items()}


def _masked_group(finished: FinishedRun, parts: Sequence[Batch], turn: int, number: int) -> StepGroup:
    seed = finished.recipe.run.seed
    keys = [seeding.key(seed, "ledger masks of text", turn, number, k) for k in range(len(parts))]
    return StepGroup(tuple(parts), tuple(keys))


def _shown(finished: FinishedRun, steps: Sequence[int]) -> dict[int, int]:
    """Count the targets of each document that these steps show."""
    out: Counter[int] = Counter()
    for step in steps:
        for batch in step_group(finished, step).parts:
            documents, counts = batch.documents_BT[batch.counted_BT].unique(return_counts=True)  # type: ignore[no-untyped-call]
            out.update(dict(zip(documents.tolist(), counts.tolist(), strict=True)))
    return dict(out)


def text_batches(layout: BatchPlan, positions: int, epoch: int = 0) -> tuple[list[Batch], bool]:
    """Return the rows of a layout, all of them if they fit and else some at random; and whether it is all.

    Args:
        layout: whose rows.
        positions: how many token positions may be read.
        epoch: whose cut of shuffled documents is read where all of it is.
    """
    total = layout.rows + (layout.loader == "packed" and layout.targets % layout.context > 0)
    wanted = positions // layout.context
    if total > wanted:
        return _drawn(layout, max(1, min(wanted, total))), False
    if layout.loader == "packed" and layout.order == "shuffled" and layout.rows > 0:
        return _rows(layout, epoch * layout.rows, layout.rows), True
    return list(batches.whole(layout)), True


def _drawn(layout: BatchPlan, count: int) -> list[Batch]:
    """Return rows of an epoch that no run has; a text that is read in order is drawn from with replacement."""
    order = "shuffled" if layout.order == "shuffled" else "random"
    return _rows(replace(layout, order=order, stream="ledger order"), 0, count)


def _rows(layout: BatchPlan, first: int, count: int) -> list[Batch]:
    ends = range(first, first + count, layout.size)
    return [batches.rows(layout, begin, min(layout.size, first + count - begin)) for begin in ends]


def marked(finished: FinishedRun, groups: Sequence[StepGroup]) -> list[StepGroup]:
    """Return groups in which the targets that spell a word without a token are marked."""
    parts = [part for group in groups for part in group.parts]
    opening, _ = marks(finished.setup.text.tokenizer)
    rows = [torch.nn.functional.pad(part.targets_BT.cpu(), (1, 0), value=opening) for part in parts]
    flags = torch.from_numpy(spelled(finished.setup.text.tokenizer, torch.cat([r.flatten() for r in rows]).numpy()))
    cut = [f.view(r.shape)[:, 1:] for f, r in zip(torch.split(flags, [r.numel() for r in rows]), rows, strict=True)]
    ends = np.cumsum([0, *(len(group.parts) for group in groups)])
    return [replace(g, marks=tuple(cut[a:b])) for g, a, b in zip(groups, ends[:-1], ends[1:], strict=True)]


def documents_layout(finished: FinishedRun, documents: NDArray[np.int64]) -> BatchPlan:
    """Lay out some documents as the run lays out its validation documents."""
    val = finished.setup.validation
    chosen = torch.from_numpy(np.asarray(documents, dtype=np.int64)).to(val.tokens.device)
    starts = torch.from_numpy(finished.setup.text.stream.starts).to(val.tokens.device)
    return replace(
        val, first_N=starts[chosen], length_N=starts[chosen + 1] - starts[chosen], documents_N=chosen, samples=None,
        order="sequential" if finished.recipe.report.val == "full" else val.order,
    )  # fmt: skip


def text_groups(finished: FinishedRun, parts: Sequence[Batch], turns: int = 1) -> list[StepGroup]:
    """Return batches, each a group of its own, as often as masks are redrawn."""
    return [_masked_group(finished, [part], turn, number) for turn in range(turns) for number, part in enumerate(parts)]
