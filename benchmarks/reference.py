"""nanoGPT's network and training step, written plainly: what ours are measured against.

As nanoGPT trains on a CPU: eager, torch's own dropout, attention by `scaled_dot_product_attention` with `dropout_p`,
logits of the whole batch, AdamW with decayed and undecayed parameters, gradients clipped at a norm of 1.

Shapes: B rows, T positions, D width, V vocabulary.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor


@dataclass(frozen=True)
class Config:
    """Sizes of the network and settings of its optimizer, by nanoGPT's defaults."""

    vocab_size: int
    context: int
    layers: int = 4
    heads: int = 4
    width: int = 128
    dropout: float = 0.0
    bias: bool = False
    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0


A = Config(vocab_size=321, context=64)
B = Config(vocab_size=4096, context=128, dropout=0.1)
ROWS = {A: 12, B: 64}


class SelfAttention(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.into = nn.Linear(config.width, 3 * config.width, bias=config.bias)
        self.out = nn.Linear(config.width, config.width, bias=config.bias)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x_BTD: Tensor) -> Tensor:
        rows, length, width = x_BTD.shape
        heads = (rows, length, self.config.heads, width // self.config.heads)
        q, k, v = (part.view(heads).transpose(1, 2) for part in self.into(x_BTD).split(width, dim=2))
        p = self.config.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)
        return self.drop(self.out(y.transpose(1, 2).contiguous().view(rows, length, width)))


class FeedForward(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.into = nn.Linear(config.width, 4 * config.width, bias=config.bias)
        self.out = nn.Linear(4 * config.width, config.width, bias=config.bias)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x_BTD: Tensor) -> Tensor:
        return self.drop(self.out(F.gelu(self.into(x_BTD))))


class Layer(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.first_norm = nn.LayerNorm(config.width, bias=config.bias)
        self.attention = SelfAttention(config)
        self.second_norm = nn.LayerNorm(config.width, bias=config.bias)
        self.feed = FeedForward(config)

    def forward(self, x_BTD: Tensor) -> Tensor:
        x_BTD = x_BTD + self.attention(self.first_norm(x_BTD))
        return x_BTD + self.feed(self.second_norm(x_BTD))


class NanoGPT(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.tokens = nn.Embedding(config.vocab_size, config.width)
        self.positions = nn.Embedding(config.context, config.width)
        self.drop = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width, bias=config.bias)
        self.head = nn.Linear(config.width, config.vocab_size, bias=False)
        self.head.weight = self.tokens.weight
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                residual = name.endswith("out.weight")
                nn.init.normal_(parameter, std=0.02 / (math.sqrt(2 * config.layers) if residual else 1))

    def forward(self, tokens_BT: Tensor, targets_BT: Tensor) -> tuple[Tensor, Tensor]:
        place = torch.arange(tokens_BT.shape[1], device=tokens_BT.device)
        x_BTD = self.drop(self.tokens(tokens_BT) + self.positions(place))
        for layer in self.layers:
            x_BTD = layer(x_BTD)
        logits_BTV = self.head(self.norm(x_BTD))
        return logits_BTV, F.cross_entropy(logits_BTV.flatten(0, 1), targets_BT.flatten())


def optimizer(network: nn.Module, config: Config, *, fused: bool = False) -> torch.optim.AdamW:
    matrices = [p for p in network.parameters() if p.dim() >= 2]
    vectors = [p for p in network.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, fused=fused or None)


class Loop:
    """nanoGPT's loop: a step of training, and `estimate_loss` over batches that are given."""

    def __init__(self, config: Config, batches: Sequence[tuple[Tensor, Tensor]], precision: str) -> None:
        """Build the network.

        Args:
            config: sizes.
            batches: (inputs, targets), both (B, T); taken in turn.
            precision: "fp32" or "bf16" (autocast).
        """
        self.config, self.precision, self.device = config, precision, batches[0][0].device.type
        self.network = NanoGPT(config).to(batches[0][0].device).train()
        self.updater = optimizer(self.network, config, fused=self.device == "cuda")  # as nanoGPT has it
        self.turn = cycle(batches)

    def _loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        cast = torch.autocast(self.device, dtype=torch.bfloat16) if self.precision == "bf16" else nullcontext()
        with cast:
            return self.network(*batch)[1]

    def take(self) -> Tensor:
        """Take one training step on the next batch and return its loss, in nats per token, on its device."""
        loss = self._loss(next(self.turn))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.updater.step()
        self.updater.zero_grad(set_to_none=True)
        return loss

    def step(self) -> float:
        """Take one training step on the next batch and return its loss, once it is known."""
        return self.take().item()

    @torch.no_grad()
    def estimate_loss(self, batches: Sequence[tuple[Tensor, Tensor]]) -> float:
        """Return the mean loss of some batches, dropout off."""
        self.network.eval()
        losses = [self._loss(batch).item() for batch in batches]
        self.network.train()
        return sum(losses) / len(losses)


def nanogpt_step(config: Config, batches: Sequence[tuple[Tensor, Tensor]], precision: str) -> Callable[[], float]:
    """Return a function that takes one training step on the next batch; see `Loop`."""
    return Loop(config, batches, precision).step


def batches(config: Config, count: int = 8, device: str = "cpu") -> list[tuple[Tensor, Tensor]]:
    """Return random batches of the configuration's size."""
    draw = torch.Generator().manual_seed(0)
    rows = [torch.randint(config.vocab_size, (ROWS[config], config.context + 1), generator=draw) for _ in range(count)]
    return [(row[:, :-1].contiguous().to(device), row[:, 1:].contiguous().to(device)) for row in rows]
