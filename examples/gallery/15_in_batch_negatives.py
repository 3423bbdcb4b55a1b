"""A contrastive loss with other batches for validation.

The size of a batch changes what a contrastive loss is: in InfoNCE every other sample of the batch is a negative.
Training has 64 samples a batch and validation 8, so validation picks one of 8 and training one of 64, and no sample is
easier.

Asked in: https://github.com/aicip/Cross-Scale-MAE/issues/3
"""

import torch
from torch import nn
from torch.nn import functional as F

from diagnose import Side, explain_gap


def pairs(count, seed):
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 16, generator=draw)
    return x, x + 0.8 * torch.randn(count, 16, generator=draw)


def info_nce(model, batch):
    left, right = (F.normalize(model(part), dim=1) for part in batch)
    return F.cross_entropy(left @ right.T / 0.1, torch.arange(len(left)), reduction="none")


def cut(data, size):
    return list(zip(*(part.split(size) for part in data), strict=True))


def main():
    torch.manual_seed(0)
    train, val = pairs(2048, 1), pairs(512, 2)
    model = nn.Linear(16, 16)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for batch in cut(train, 64) * 3:
        optimizer.zero_grad()
        info_nce(model, batch).mean().backward()
        optimizer.step()
    return explain_gap(model, Side(cut(train, 64), info_nce), Side(cut(val, 8), info_nce))


if __name__ == "__main__":
    print(main())
