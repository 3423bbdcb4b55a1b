"""A training loop as many people write it, and the question that follows: why is validation lower than training?

    python loop.py    # reads verses.txt beside it, a verse a line

A small transformer learns to predict characters. Two numbers are printed as usual: the mean training loss of the last
epoch, taken while training, with dropout; and the validation loss after it, in evaluation mode. `diagnose` adds the
lines that its name stands in.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from diagnose import Gap, GapRecorder, Side, explain_gap

CONTEXT, BATCH, EPOCHS, WIDTH, DROPOUT = 48, 32, 2, 64, 0.2


class Transformer(nn.Module):
    """Two causal layers over characters below 128."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, DROPOUT, batch_first=True, norm_first=True)
        self.embedding, self.positions = nn.Embedding(128, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, 128)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return logits (batch, positions, 128) of token ids (batch, positions)."""
        length = tokens.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        x = self.embedding(tokens) + self.positions.weight[:length]
        return self.head(self.layers(x, mask, is_causal=True))


def rows_of(verses: list[str]) -> torch.Tensor:
    """Return verses as rows of CONTEXT + 1 character ids, one behind the other."""
    ids = torch.tensor([ord(c) % 128 for c in "\n".join(verses)])
    return ids[: len(ids) // (CONTEXT + 1) * (CONTEXT + 1)].view(-1, CONTEXT + 1)


def loss_of(model: nn.Module, rows: torch.Tensor) -> torch.Tensor:
    """Return the loss of each character (batch, positions), in nats."""
    return F.cross_entropy(model(rows[:, :-1]).transpose(1, 2), rows[:, 1:], reduction="none")


def main(folder: Path) -> Gap:
    """Train, report two losses, and account for the difference between them."""
    torch.manual_seed(1)
    verses = (folder / "verses.txt").read_text(encoding="utf-8").splitlines()
    held_out = len(verses) // 10
    train = DataLoader(rows_of(verses[held_out:]), BATCH, shuffle=True)
    val = DataLoader(rows_of(verses[:held_out]), BATCH)

    model = Transformer()
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    recorder = GapRecorder(folder / "runs" / "loop", model, reports="epoch")  # diagnose: when each loss was taken
    for _ in range(EPOCHS):
        recorder.epoch()
        model.train()
        losses = []
        for rows in train:
            loss = loss_of(model, rows).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recorder.step(rows, loss)
            losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        val_loss = torch.cat([loss_of(model, rows) for rows in val]).mean().item()
    train_loss = sum(losses) / len(losses)
    print(f"training loss {train_loss:.3f}, validation loss {val_loss:.3f}")
    recorder.close()
    return explain_gap(
        model,
        Side(train, loss_of, reported=train_loss),
        Side(val, loss_of, reported=val_loss),
        recorder=recorder,
        budget="40 batches",  # so that the result does not depend on how busy the machine is
    )


if __name__ == "__main__":
    gap = main(Path(__file__).parent)
    print(gap)
    print(gap.to_html("gap.html"))
