"""Validation reads averaged weights, training its own.

"In the validation step during the training what weights are used?" With a moving average of the weights the two losses
are of two models. The second is named on its side, and what the other weights do is a term of its own.

Asked in: https://github.com/facebookresearch/fairchem/issues/284
"""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from diagnose import Side, explain_gap


def noisy_line(count, seed):
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 16, generator=draw)
    return list(zip(x.split(8), (x.sum(1) + torch.randn(count, generator=draw)).split(8), strict=True))


def squared(model, batch):
    return (model(batch[0])[:, 0] - batch[1]).square()


def main():
    torch.manual_seed(0)
    train, val = noisy_line(4096, 1), noisy_line(2048, 2)
    model = nn.Linear(16, 1)
    ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.98))
    optimizer = torch.optim.SGD(model.parameters(), 0.05)  # a large step for batches of 8: the last weights are noisy
    for batch in train:
        optimizer.zero_grad()
        squared(model, batch).mean().backward()
        optimizer.step()
        ema.update_parameters(model)
    return explain_gap(model, Side(train, squared), Side(val, squared, model=ema.module))


if __name__ == "__main__":
    print(main())
