"""The shape of an ablation's notes, what an axis asks for beside its effects: `notes` of `summary.json`."""

from __future__ import annotations

from diagnose.formatting import estimate
from diagnose.records.schema import Schema


class EffectPart(Schema):
    """An effect, or a part of one, in bits per byte."""

    value: float
    low: float | None = None
    high: float | None = None
    resolved: bool = False

    def said(self) -> str:
        """Return it with its interval."""
        return estimate(self.value, self.low, self.high, difference=True)


class Divided(Schema):
    """An arm's effect against the control: what tokens before a position and from it on contribute."""

    level: str
    against: str
    edge: int
    near: EffectPart
    far: EffectPart


class Band(Schema):
    """Losses at some positions, in nats per token."""

    begin: int
    end: int
    tokens: int
    per_arm: dict[str, float]


class Positions(Schema):
    """Losses by the number of tokens that come before in the document."""

    contexts: bool
    bands: tuple[Band, ...]
    parts: tuple[Divided, ...] = ()


class Units(Schema):
    """Units of an arm that never answer: their share, mean and range over seeds, and by layer."""

    level: str
    share: float
    low: float
    high: float
    units: int
    tokens: int
    layers: tuple[float, ...]


class ScaleAt(Schema):
    """The gradient noise scale after a step, in tokens; None where no signal could be seen."""

    step: int
    scale: float | None


class Scale(Schema):
    """An arm's gradient noise scale in tokens, beside its step's; None where no signal could be seen."""

    level: str
    batch: float
    scale: float | None
    two_sizes: float | None
    low: float | None
    high: float | None
    course: tuple[ScaleAt, ...] = ()
    side: str
    reference: float | None = None
    predicted: float | None = None
    rules: dict[str, float] | None = None
    nearest: str | None = None


class Best(Schema):
    """A level at the multiple of its learning rate that suits it best."""

    level: str
    factor: str
    bits_per_byte: float
    tried: dict[str, float]
    effect: EffectPart | None = None


class Notes(Schema):
    """All notes of an ablation; those that its axis does not ask for are empty."""

    positions: Positions | None = None
    dead_units: tuple[Units, ...] = ()
    noise_scale: tuple[Scale, ...] = ()
    best_factors: tuple[Best, ...] = ()
