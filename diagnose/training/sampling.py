"""Text from a network, a token at a time, from a named random stream."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch

from diagnose import random as seeding
from diagnose.data.tokenizer import marks
from diagnose.training.batches import moved
from diagnose.training.device import autocast
from diagnose.training.evaluation import unchanged
from diagnose.training.network import eager, remembers

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor, nn


def generate(
    network: nn.Module, tokenizer: Tokenizer, prompt: str, *, context: int, seed: int, most_bytes: int = 200,
    temperature: float = 1.0, precision: str = "fp32", turn: int = 0, alone: bool = False,
) -> str:  # fmt: skip
    """Return the prompt continued by the network, up to the mark that ends a document.

    A network that remembers what it has read reads a token once, or twice where the text is longer than the context.

    Args:
        network: left exactly as it was.
        tokenizer: the run's own.
        prompt: text to begin with; may be empty.
        context: longest row that the network takes; of a longer text it sees the last half at least.
        seed: of the stream "sampling".
        most_bytes: UTF-8 bytes after which to stop without an end mark.
        temperature: 1 draws from the network's own distribution, 0 takes the likeliest token.
        precision: "fp32" or "bf16".
        turn: which of several samples.
        alone: whether nobody else uses the network, which is in evaluation mode and draws no random numbers: then
            nothing of the process is touched, so that a thread can do this beside a training.
    """
    reader = _Reader(network, context, precision)
    start, pad = marks(tokenizer)
    ids = [start, *tokenizer.encode(prompt, add_special_tokens=False).ids]
    draw = seeding.generator(seed, "sampling", turn)
    written = 0
    with torch.no_grad(), nullcontext() if alone else unchanged(network, training=False), eager(network):
        while written < most_bytes:
            token = _draw(reader.next_logits(ids), temperature, draw.random())
            if token in {start, pad}:  # nothing follows padding either
                break
            ids.append(token)
            written += max(1, len(tokenizer.decode([token], skip_special_tokens=False).encode()))
    return str(tokenizer.decode(ids[1:], skip_special_tokens=False))


class _Reader:
    """A network reading a text that grows at its end; once that fills the context, the older half is forgotten."""

    def __init__(self, network: nn.Module, context: int, precision: str) -> None:
        self.network: Any = network  # whose methods are its builder's
        self.context, self.precision = context, precision
        self.device = next(network.parameters()).device
        self.memory: object = None
        self.first = self.read = 0  # where the row begins, and how far it has been read

    def next_logits(self, ids: list[int]) -> Tensor:
        """Return the logits of the token after these (V, on the CPU)."""
        if len(ids) - self.first > self.context:
            self.first = self.read = len(ids) - max(1, self.context // 2)
            self.memory = None
        with autocast(self.device, self.precision):
            if remembers(self.network):
                logits_BTV, self.memory = self.network.read_on(self._row(ids[self.read :]), self.memory)
                self.read = len(ids)
            else:
                logits_BTV = self.network(self._row(ids[self.first :]), None)
        logits_V: Tensor = logits_BTV[0, -1].float().cpu().double()
        return logits_V

    def _row(self, ids: list[int]) -> Tensor:
        return moved(torch.tensor([ids]), self.device)


def _draw(logits_V: torch.Tensor, temperature: float, uniform: float) -> int:
    """Take the token whose cumulative probability first exceeds a uniform number."""
    if temperature <= 0:
        return int(logits_V.argmax())
    cumulative_V = torch.softmax(logits_V / temperature, 0).cumsum(0)
    place = torch.searchsorted(cumulative_V, uniform * cumulative_V[-1], right=True)  # never one of probability 0
    return int(place.clamp(max=len(logits_V) - 1))
