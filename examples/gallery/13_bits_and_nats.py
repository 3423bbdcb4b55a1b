"""One loss is in bits, the other in nats.

"Validation is 1.44 times training, always." One side takes the logarithm to base 2 (fairseq logs so), the other the
natural one.
"""

import math

import torch
from common import GPT, fit, loss_of, mean_loss, text

from diagnose import Side, explain_gap


def main():
    torch.manual_seed(0)
    train, val = text()
    model = fit(GPT(), train, steps=80)
    reported = mean_loss(model, val) / math.log(2)
    return explain_gap(
        model, Side(train, loss_of, mode="eval"), Side(val, loss_of, reported=reported, reduction="batch")
    )


if __name__ == "__main__":
    print(main())
