"""Label smoothing is in the training loss alone.

"Validation is better than training from the first epoch on, though dropout is 0." A smoothed loss has a floor that a
plain one lacks, so the two cannot be compared.

Asked in: https://github.com/facebookresearch/fairseq/issues/3479
"""

import torch
from common import GPT, fit, loss_of, text

from diagnose import Side, explain_gap


def smoothed(model, batch):
    return loss_of(model, batch, smoothing=0.1)


def main():
    torch.manual_seed(0)
    train, val = text()
    model = fit(GPT(), train, steps=80, loss=smoothed)
    return explain_gap(model, Side(train, smoothed), Side(val, loss_of))


if __name__ == "__main__":
    print(main())
