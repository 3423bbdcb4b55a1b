"""The shapes of what a run leaves behind as JSON: where it was carried out, on which text, how it ended, yardsticks.

Sizes of text are in bytes; losses are in bits per byte where their name says so, else in nats per token.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from diagnose.records.schema import FORMAT, Schema, Text

State = Literal["running", "finished", "failed", "interrupted"]


class CorpusRecord(Schema):
    """The text: what it is called, how much there is of it, and which it is exactly."""

    name: Text = ""
    title: Text = ""
    fingerprint: Text = ""
    documents: int | None = None
    bytes: int | None = None


class SplitRecord(Schema):
    """How the text was divided into training and validation (and, where the split leaks, a reserve)."""

    kind: Text = ""
    scored: Text = ""
    fingerprint: Text = ""
    train_documents: int | None = None
    val_documents: int | None = None
    reserve_documents: int | None = None
    scored_documents: int | None = None
    train_bytes: int | None = None
    val_bytes: int | None = None
    reserve_bytes: int | None = None
    scored_bytes: int | None = None

    @property
    def scored_text(self) -> str:
        """What the text is called that is scored: validation, or the reserve, which no arm or side has seen."""
        return self.scored or ("reserve" if self.kind == "windows" else "validation")


class OverlapRecord(Schema):
    """How many of the documents that runs are compared on occur in the training text, word for word or nearly.

    These are validation's, under the split "windows" the reserve's. `window_share` is the part of their text in
    stretches of `window_bytes` that training text holds too.
    """

    val_documents: int | None = None
    exact: int = 0
    near: int = 0
    window_share: float | None = None
    looked_up: int | None = None
    window_bytes: int | None = None
    sampled: int | None = None


class Derived(Schema):
    """What follows from a recipe and its text before a step is taken.

    Attributes:
        vocabulary: tokens that the network must be able to predict.
        parameters: of the network.
        steps: of the whole run; None where the budget is in seconds, as are `flops`, `text` and its share then.
        steps_per_epoch, tokens_per_step: as they say; padding is no token.
        text_per_step, text, training_text: UTF-8 bytes: of a step, of all steps, of the training text.
        share_of_training_text: `text` over `training_text`.
        flops_per_step, flops: floating-point operations.
        truncated_share: part of the training tokens that the context cuts off.
        learning_rate: the highest.
        learned_from: UTF-8 bytes of training text, about, that words or merges were learned from; None where of all.
    """

    vocabulary: int
    parameters: int
    steps: int | None
    steps_per_epoch: float
    tokens_per_step: float
    text_per_step: float
    flops_per_step: float
    flops: float | None
    text: float | None
    share_of_training_text: float | None
    training_text: int
    truncated_share: float
    learning_rate: float
    learned_from: int | None = None

    @model_serializer(mode="wrap")
    def _without_empty(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave `learned_from` out of what is written where it says nothing, as before it was recorded."""
        return {key: value for key, value in write(self).items() if key != "learned_from" or value is not None}


class Environment(Schema):
    """`environment.json`: where and with what a run was carried out, and what its recipe came to.

    Attributes:
        loops: "fused" or "torch", what carried out small steps.
        digest: 16 hex digits of recipe, data and network code; equal digests mean the same run.
        given: recipe keys that the user set.
        dropped: recipe keys that its parts do not use.
        stack: seeds of the networks that were trained as one with it, its own included; none where it was by itself.
    """

    format: int = FORMAT
    version: Text = ""
    versions: dict[str, Text] = Field(default_factory=dict)
    platform: Text = ""
    device: Text = ""
    threads: int | None = None
    loops: Text = ""
    commit: Text = ""
    dirty: bool | None = None
    digest: str
    corpus: CorpusRecord
    split: SplitRecord
    overlap: OverlapRecord = OverlapRecord()
    derived: Derived
    given: tuple[Text, ...] = ()
    dropped: tuple[Text, ...] = ()
    sample_prompt: Text = ""
    stack: tuple[int, ...] = ()

    @model_serializer(mode="wrap")
    def _without_stack(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave `stack` out of what is written where the run was trained by itself, as before it was recorded."""
        return {key: value for key, value in write(self).items() if key != "stack" or value}


class Status(Schema):
    """`status.json`: how a run ended, and why where it did not end well."""

    format: int = FORMAT
    state: State
    why: Text = ""


class BaselineRecord(Schema):
    """A yardstick as a run keeps it, in bits per byte."""

    name: str
    family: Text = ""
    bits_per_byte: float
    low: float | None = None
    high: float | None = None


class Yardsticks(Schema):
    """`yardsticks.json`: what learns quickly from the same training text, and whether it read only a part of it."""

    sampled: bool = False
    yardsticks: tuple[BaselineRecord, ...] = ()
