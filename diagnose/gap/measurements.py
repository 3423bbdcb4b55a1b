"""What a source of sides measures, and all that terms, record and verdict are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diagnose.data.overlap import SeenDocuments
    from diagnose.gap.conditions import Condition, ReadingPlan, SideConditions
    from diagnose.stats import Reading


@dataclass
class BatchReadings:
    """What was read of some batches.

    Attributes:
        readings: the loss under each condition, as sums over samples or groups.
        others: by condition and name, what the objective returned beside the loss: (sum over batches, batches).
        means: by condition, the loss of each batch.
        batches: how many were read; complete: whether that is all of them.
        passes: how often each ran through the model; samples: how many a batch had, all together; count: elements;
            counted: the share of elements that count (padding does not); silent: of those whose loss is exactly 0.
        unit: what intervals resample: "sample", "group", "batch" or "document".
        scalar: whether the objective gives one number a batch.
        luck: by how much one reading with other random numbers may lie off in 95 of 100 cases; None where not known.
        draws: how often they were read with other random numbers, of which readings are the mean.
        likely: what else may be reported of the first condition's losses, by what it is.
        beside: the number of the other side's batches; 0 where not all were read.
        inputs: what the batches of a user's loop hold (`loop.inputs.InputsSeen`).
        zeros: how many batches have no target that counts and cost exactly 0, which is averaged in.
        repeated: whether they were read with the very random numbers of what was reported.
        skipped: how many more hold NaN or infinity and give no loss.
        groups: numbers of the groups that they hold, where the objective gives one number for several of them.
    """

    readings: dict[Condition, Reading]
    batches: int
    complete: bool
    passes: int
    samples: int
    unit: str
    others: dict[Condition, dict[str, float]] = field(default_factory=dict)
    means: dict[Condition, list[float]] = field(default_factory=dict)
    count: int = 0
    counted: float = 1.0
    silent: float = 0.0
    scalar: bool = False
    likely: dict[str, float] = field(default_factory=dict)
    beside: int = 0
    luck: float | None = None
    draws: int = 1
    zeros: int = 0
    repeated: bool = False
    inputs: Any = None
    skipped: int = 0
    groups: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Replayed:
    """The steps that the reported training loss averages, read again.

    Attributes:
        value: what the reported loss would be with the final weights: as logged, plus the mean change of its steps.
        logged: the reported loss, as it was recorded, times `factor`.
        half: half its 95 % interval; None where every step was read.
        reading: the steps' samples under training's condition and the final weights.
        steps: how many were read, of `of`.
        masked: whether the random states were known, so that masks were the very ones.
        first: what the first step gave with the weights it was taken with, minus what was logged; None if not kept.
        factor: what logged losses are multiplied by, where the loop recorded loss / accumulation.
        checked: what is known of whether reading a step again gives what was logged.
        of_run: where the source could train the last steps again, what that showed (`records.ledgers.VerifiedRecord`).
        beside: other modules that the objective runs and that may have been trained, whose weights are not recorded.
    """

    value: float
    logged: float
    half: float | None
    reading: Reading
    steps: int
    of: int
    masked: bool
    first: float | None
    factor: int = 1
    checked: str = "training: not checked"
    of_run: dict[str, Any] | None = None
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measurements:
    """What was read.

    Attributes:
        sides: the two conditions; plan: which readings divide their effect.
        train: the training batches under all of the plan's conditions, plain ones included.
        val: the validation batches (its plain ones where it has any) under validation's conditions.
        val_own: the validation batches as they are, where `val` is of plain ones; else the same.
        shown: the training and the validation batches that were reported on; None where not given.
        overlap: what validation's samples share with training's; None where that cannot be told (`why` says why).
        overlap_whole: whether all training batches were looked through.
        unseen: validation's unseen samples, by condition; None where there are too few.
        replayed: the recorded training steps, read again; None without a record.
        texts: all that was read, for the count of passes.
        seconds: that it took.
        random: the sides whose loss is random with nothing of training mode on: 0 training, 1 validation.
        notes: what a reader should know of how the sides could be read.
        unlike: in what validation's batches differ from training's.
        as_taken: the sides whose mode was told by their reported loss.
        masked: the objectives with losses that are 0 whatever the weights are, and count.
        redrawn: the sides whose loaders yield other samples each time: one pass is not all of them.
        shuffled: the sides whose loaders put their samples into other batches each time; training's where that moves
            its mean.
        luck: of training's and of validation's sampler, as `draw_luck`; above 0 a reported loss is of another draw.
        by_value: whether validation's samples were looked up bit for bit alone, so that changed copies are not told.
        losses: in what the two objectives were seen to differ, and the losses of torch that they take.
        in_training_alone: whether validation's objective can be run in training mode alone, as detectors' losses.
        may_be: the sides whose reported loss training mode gives within the luck of its masks, and evaluation does not.
        same_samples: whether the two sides hold the same samples, each as often.
        fixed: whether training's loss is the same each time in training mode, too: nothing draws, nor shuffles.
        order: the share of its variance by which who shares a batch may move training's mean; 1 where not known.
        drawn_alike: what makes the samples of both sides anew each pass; "" where no one thing does.
        cut: how long rows are on either side, where one side's were cut to the other's to be its plain data.
        same_data: whether the two sides hold the same samples, and their loss depends on which of them share a batch.
    """

    sides: SideConditions
    plan: ReadingPlan
    train: BatchReadings
    val: BatchReadings
    val_own: BatchReadings
    shown: tuple[BatchReadings | None, BatchReadings | None]
    overlap: SeenDocuments | None
    overlap_whole: bool
    unseen: dict[Condition, Reading] | None
    why: str
    replayed: Replayed | None
    texts: tuple[BatchReadings, ...]
    seconds: float
    random: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()
    redrawn: frozenset[int] = frozenset()
    unlike: tuple[str, ...] = ()
    masked: frozenset[int] = frozenset()
    as_taken: frozenset[int] = frozenset()
    shuffled: frozenset[int] = frozenset()
    luck: tuple[float, float] = (0.0, 0.0)
    by_value: bool = False
    losses: tuple[str, ...] = ()
    same_data: bool = False
    may_be: frozenset[int] = frozenset()
    in_training_alone: bool = False
    same_samples: bool = False
    fixed: bool = False
    order: float = 1.0
    cut: str = ""
    drawn_alike: str = ""

    def steady(self, side: int) -> bool:
        """Whether reading a side again gives the very same loss: nothing of training mode is on, nothing is random."""
        condition = self.sides.val if side else self.sides.train
        if condition.on and not (self.fixed and side == 0):
            return False
        return side not in self.random and not (side in self.shuffled and self._composed(side))

    def _composed(self, side: int) -> bool:
        """Whether a side's mean depends on which samples share a batch; training's loader is not listed otherwise."""
        text = self.val_own
        by_batch = self.sides.val.reduction in {"batch", "weighted"} and (text.scalar or text.count != text.samples)
        return not side or self.sides.mixed or by_batch

    def anew(self, side: int) -> bool:
        """Whether a side's loader draws anew each pass, so that its reported loss is of another draw."""
        return side in self.redrawn or self.luck[side] > 0

    def draws(self, side: int) -> float:
        """How many times the variance of what is read a loss that is reported of all batches may lie off it."""
        if side in self.redrawn or side in self.random:
            return 2.0
        if side == 0 and 0 < self.order < 1 and not self.luck[0] and not self.sides.train.on:
            return self.order
        if self.luck[side]:
            return self.luck[side] if self.steady(side) else max(1.0, self.luck[side])
        return 1.0

    def exact(self, side: int) -> bool:
        """Whether a side was read whole and would be read the same again."""
        return not self.anew(side) and (self.train, self.val_own)[side].complete and self.steady(side)

    @property
    def all_unseen(self) -> bool:
        """Whether no validation sample occurs in training."""
        overlap = self.overlap
        return overlap is not None and self.overlap_whole and len(overlap.unseen) == len(overlap.documents)

    @property
    def by_group(self) -> bool:
        """Whether it was looked up by groups what validation shares with training."""
        overlap = self.overlap
        return overlap is not None and len(overlap.documents) > 0 and bool(overlap.documents[0] < 0)

    @property
    def passes(self) -> float:
        """How often what was read ran through the model, on average."""
        return sum(t.passes * t.batches for t in self.texts) / sum(t.batches for t in self.texts)
