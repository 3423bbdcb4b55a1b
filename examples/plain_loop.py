"""A plain loop in nanoGPT's way: one batch's training loss is logged, validation by batches drawn with replacement.

    python examples/plain_loop.py

`estimate_loss` reads both texts in evaluation mode, and what scrolls by in between is the training loss of one batch
with dropout on: two numbers that were never meant to be compared. The recorder keeps what it takes to compare them.
"""

import torch
from torch import nn
from torch.nn import functional as F
from verses import stream

from diagnose import GapRecorder, Side, explain_gap
from diagnose.models.gpt import build

BLOCK, BATCH, STEPS, EVALUATED = 64, 12, 240, 20


def get_batch(tokens, draw):
    starts = torch.randint(len(tokens) - BLOCK - 1, (BATCH,), generator=draw).tolist()
    return torch.stack([tokens[k : k + BLOCK + 1] for k in starts])


def rows(tokens):
    """Return a whole text in batches, each token once."""
    return tokens[: len(tokens) // (BLOCK + 1) * (BLOCK + 1)].view(-1, BLOCK + 1).split(BATCH)


def loss_of(model: nn.Module, tokens):
    logits = model(tokens[:, :-1], None)
    return F.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none")  # (rows, tokens)


def main():
    torch.manual_seed(1337)
    text = stream()
    train, val = text[: int(0.9 * len(text))], text[int(0.9 * len(text)) :]
    draw = torch.Generator().manual_seed(1)
    model = build(128, BLOCK, layers=2, heads=4, width=64, dropout=0.2, bias=False)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    recorder = GapRecorder("runs/plain-loop", model, reports="last")  # what is logged is the last batch's loss
    for _ in range(STEPS):
        batch = get_batch(train, draw)
        loss = loss_of(model, batch).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        recorder.step(batch, loss)
    model.eval()
    with torch.no_grad():
        for _ in range(EVALUATED):
            batch = get_batch(val, draw)
            recorder.validation(batch, loss_of(model, batch).mean())
    model.train()
    recorder.close()
    gap = explain_gap(model, Side(rows(train), loss_of), Side(rows(val), loss_of), recorder=recorder)
    print(gap)
    print(gap.to_html("reports/plain-loop.html"))


if __name__ == "__main__":
    main()
