"""The shape of `gap.json`, which `diagnose loss-gap` leaves beside a run or an ablation; losses in nats per token."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from diagnose.records.schema import FORMAT, FindingRecord, Schema, Text


class Value(Schema):
    """A number with its 95 % interval; None where it could not be had."""

    value: float | None
    low: float | None = None
    high: float | None = None


class PartRecord(Value):
    """What divides a term; `alone` is the loss with this kind of dropout alone on."""

    id: str
    alone: float | None = None


class BesideRecord(Value):
    """The same difference on other text."""

    text: str


class TermRecord(Value):
    """A term of the ledger; `order_low` to `order_high` are its effects over the orders of changing conditions."""

    id: str
    group: str
    order_low: float | None = None
    order_high: float | None = None
    parts: tuple[PartRecord, ...] = ()
    basis: Text = ""
    how: Text = ""
    beside: BesideRecord | None = None


class GroupRecord(Value):
    """Terms of a kind: their sum, and its share of the sum of absolute values."""

    id: str
    share: float


class ReportedRecord(Schema):
    """The two losses as they were reported; `given` is False for one that is as read now.

    `named` is the name of the validation loss, where there are several.
    """

    train: float
    val: float
    unit: str = "nats per token"
    given: tuple[bool, bool] = (True, True)
    named: Text = ""

    @property
    def taken(self) -> tuple[str, str, str]:
        """How the training loss, the validation loss and so their gap were taken, in words."""
        train, val = ("as reported" if given else "as read now" for given in self.given)
        return train, val, train if train == val else f"{'validation' if self.given[0] else 'training'} as read now"


class MatchedRecord(Schema):
    """Both losses under the same condition."""

    train: float
    val: float
    gap: float
    low: float | None = None
    high: float | None = None


class Read(Value):
    """The loss of a text with training mode off or on."""

    text: str
    on: bool
    documents: int


class LossRow(Schema):
    """A mean loss of part of a text: of tokens seen or lengths `first` to `last`, or at a share of the way."""

    loss: float
    low: float | None = None
    high: float | None = None
    at: float = 0.0
    first: int = 0
    last: int = 0
    targets: int | None = None
    documents: int | None = None


class TrendRecord(Schema):
    """The change along a straight line from the first to the last of the units."""

    value: float
    low: float
    high: float


class StripRecord(Schema):
    """Losses along something, and their trend."""

    text: str = ""
    documents: int | None = None
    rows: tuple[LossRow, ...]
    trend: TrendRecord | None = None


class Epoch(StripRecord):
    """Losses of steps by their place in the epoch."""

    steps: int
    epochs: float


class Document(Schema):
    """A document with what each piece of it cost; an empty piece is its end."""

    document: int
    loss: float
    targets: int
    pieces: tuple[tuple[str, float], ...]


class Where(Schema):
    """Losses by place in the text; `scored` names the text whose documents are read one by one."""

    positions: tuple[StripRecord, ...]
    lengths: tuple[LossRow, ...]
    places: tuple[StripRecord, ...]
    scored: str
    epoch: Epoch
    documents: dict[str, tuple[Document, ...]]


class SideRecord(Schema):
    """The condition of one of the two losses."""

    on: tuple[str, ...]
    precision: str
    objective: Text = ""
    label_smoothing: float = 0.0
    weight_decay_in_loss: float = 0.0
    padding: str = "ignore"
    mean_by: str = ""
    loader: Text = ""
    plain: bool = False


class Reports(Schema):
    """What the run's two reported losses are of."""

    train: str
    val: str
    interval: int
    val_batches: int


class TrainingSteps(Schema):
    """The steps of a run that stand for its training text: which (from 1), of how many, each with so many masks."""

    steps: tuple[int, ...]
    of: int
    masks: int


class ConditionsRecord(Schema):
    """Both conditions."""

    train: SideRecord
    val: SideRecord
    kinds: tuple[str, ...]
    reports: Reports
    training_text: TrainingSteps | Text = Field(default="", union_mode="left_to_right")
    validation_text: Text = ""
    orders: str = ""
    unit: str = "document"
    unseen_text: Text = ""
    by_value: bool = False  # samples were compared bit for bit alone: a changed copy is not told
    by_group: bool = False  # what the two sides share was looked up by the groups that both were given with
    redrawn: tuple[str, ...] = ()
    drawn_alike: str = ""  # what makes the samples of both sides anew each pass: one dataset object, one transform
    random: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()  # in what the losses of torch differ that the two objectives take
    as_taken: tuple[str, ...] = ()
    cut: str = ""  # how long rows are on either side, where one side's were read cut to the other's, too
    may_be_on: tuple[str, ...] = ()  # sides whose reported loss training mode gives within its luck, evaluation's not
    in_training_alone: bool = False  # validation's objective cannot be run in evaluation mode
    masked: dict[str, float] = Field(default_factory=dict)
    differ: tuple[str, ...] = ()
    precision: str | None = None


class SeenRecord(Schema):
    """Validation documents that training has seen."""

    val_documents: int
    exact: int
    near: int
    window_share: float = 0.0
    whole: bool = True
    split: str | None = None
    reserve_documents: int = 0


class UnseenRecord(Schema):
    """The loss on data that training has not seen; `spelled_share` of it is spent on words without a token."""

    loss: float
    documents: int = 0
    what: Text = ""
    spelled_share: float | None = None


class FitRecord(Schema):
    """Arithmetic that would turn the loss that is read into the one that was reported."""

    factor: Text
    value: float
    low: float
    high: float
    reported: float


class PassesRecord(Schema):
    """How often what was read ran through the model."""

    mean: float
    training: int
    validation: int


class BudgetRecord(Schema):
    """What the ledger was allowed to read, and which terms more would sharpen."""

    seconds: float | None
    positions: float | None = None
    batches: int | None = None
    took: float = 0.0
    sharpens: tuple[str, ...] = ()


class TermChange(Schema):
    """A term in two runs."""

    id: str
    before: float | None
    after: float | None
    difference: float


class GapChange(Schema):
    """The gap in two runs."""

    before: float
    after: float
    difference: float


class Against(Schema):
    """Another run, and what differs from it, term by term."""

    run: str
    gap: GapChange
    terms: tuple[TermChange, ...]


class VerifiedRecord(Schema):
    """The last steps, trained once more: how many did not give the logged loss, by how much at most.

    `beside` are modules that the objective runs beside the model, whose weights of then are not known.
    """

    steps: int
    differing: int
    largest: float
    train: float | None = None
    weights: bool | None = None
    whole: bool | None = None
    beside: tuple[str, ...] = ()


NEEDED = frozenset(  # terms that every ledger has
    ["lag", "recency", "mode", "objective", "precision", "reduction", "collation", "unseen", "leak", "draw", "residual"]
)


class LedgerRecord(Schema):
    """A ledger: of a run of ours (kind "run"), or of a user's two sides ("sides")."""

    format: int = FORMAT
    kind: str = "run"
    run: str = ""
    page: str | None = None
    model: str = ""
    reported: ReportedRecord
    gap: float
    terms: tuple[TermRecord, ...]
    groups: tuple[GroupRecord, ...]
    matched: MatchedRecord
    matched_on: MatchedRecord
    readings: tuple[Read, ...]
    bytes_per_token: float | None
    unseen: UnseenRecord | None = None
    overlap: SeenRecord | None
    arithmetic: dict[str, tuple[FitRecord, ...]] = Field(default_factory=dict)
    others: dict[str, dict[str, float]] = Field(default_factory=dict)
    passes: PassesRecord | None = None
    verified: VerifiedRecord | None = None
    conditions: ConditionsRecord
    budget: BudgetRecord
    where: Where | None = None
    against: Against | None = None
    scale: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    verdict: Text = ""
    findings: tuple[FindingRecord, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """Hold a damaged record to what every ledger has: the terms that sentences are of, and a sum of each group."""
        terms, groups = {term.id for term in self.terms}, {group.id for group in self.groups}
        lacking = sorted(NEEDED - terms) + sorted(({term.group for term in self.terms} | {"timing"}) - groups)
        if lacking:
            raise ValueError(f"a ledger has no {', '.join(lacking)}")
        return self

    @property
    def unit(self) -> str:
        """What losses are in."""
        return self.reported.unit

    def term(self, name: str) -> TermRecord:
        """Return a term by its id."""
        return next(term for term in self.terms if term.id == name)

    def value(self, name: str) -> float:
        """Return a term's value, 0 where it has none."""
        return self.term(name).value or 0.0

    def group(self, name: str) -> GroupRecord:
        """Return a group by its id."""
        return next(group for group in self.groups if group.id == name)

    @property
    def of_loop(self) -> bool:
        """Whether it is of a user's model and loop, of which less is known than of a run of ours."""
        return self.kind == "sides"
