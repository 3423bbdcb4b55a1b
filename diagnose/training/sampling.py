"""Text from a network, a token at a time, from a named random stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from diagnose import random as seeding
from diagnose.data.tokenizer import marks
from diagnose.training.device import autocast
from diagnose.training.evaluation import unchanged

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import nn


def generate(
    network: nn.Module, tokenizer: Tokenizer, prompt: str, *, context: int, seed: int, most_bytes: int = 200,
    temperature: float = 1.0, precision: str = "fp32", turn: int = 0,
) -> str:  # fmt: skip
    """Return the prompt continued by the network, up to the mark that ends a document.

    Args:
        network: left exactly as it was.
        tokenizer: the run's own.
        prompt: text to begin with; may be empty.
        context: longest row that the network takes; older tokens are forgotten.
        seed: of the stream "sampling".
        most_bytes: UTF-8 bytes after which to stop without an end mark.
        temperature: 1 draws from the network's own distribution, 0 takes the likeliest token.
        precision: "fp32" or "bf16".
        turn: which of several samples.
    """
    device = next(network.parameters()).device
    start, pad = marks(tokenizer)
    ids = [start, *tokenizer.encode(prompt, add_special_tokens=False).ids]
    draw = seeding.generator(seed, "sampling", turn)
    written = 0
    with torch.no_grad(), unchanged(network, training=False):
        while written < most_bytes:
            tokens_BT = torch.tensor([ids[-context:]], device=device)
            with autocast(device, precision):
                logits_V = network(tokens_BT, None)[0, -1].float().cpu().double()
            token = _draw(logits_V, temperature, draw.random())
            if token in {start, pad}:  # nothing follows padding either
                break
            ids.append(token)
            written += max(1, len(tokenizer.decode([token], skip_special_tokens=False).encode()))
    return str(tokenizer.decode(ids[1:], skip_special_tokens=False))


def _draw(logits_V: torch.Tensor, temperature: float, uniform: float) -> int:
    """Take the token whose cumulative probability first exceeds a uniform number."""
    if temperature <= 0:
        return int(logits_V.argmax())
    cumulative_V = torch.softmax(logits_V / temperature, 0).cumsum(0)
    place = torch.searchsorted(cumulative_V, uniform * cumulative_V[-1], right=True)  # never one of probability 0
    return int(place.clamp(max=len(logits_V) - 1))
