"""Batch norm with tiny batches: training normalises with two pictures, validation with running statistics.

"The training loss falls, but evaluating the same network on the same data gives a far higher loss." The running
statistics lag behind a network that was trained for few steps, and those of two pictures are noise.

Asked in: https://github.com/keras-team/keras/issues/6977
"""

import torch
from common import CNN, fit, loss_of, pictures, split

from diagnose import Side, explain_gap


def main():
    torch.manual_seed(0)
    train, val = split(pictures(600, 1), 2), split(pictures(400, 2), 2)
    model = fit(CNN(), train, steps=12)
    return explain_gap(model, Side(train, loss_of), Side(val, loss_of))


if __name__ == "__main__":
    print(main())
