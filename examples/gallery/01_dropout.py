"""Dropout is on for the training loss and off for validation's.

"Why does my network do better on data that it has not seen?" The first answer of the Keras FAQ: regularisation is
switched off when a network is evaluated, so the two losses are not taken of the same network.

Asked in: https://github.com/keras-team/keras/issues/472 https://github.com/facebookresearch/fairseq/issues/3479
"""

import torch
from common import GPT, fit, loss_of, text

from diagnose import Side, explain_gap


def main():
    torch.manual_seed(0)
    train, val = text()
    model = fit(GPT(dropout=0.4), train, steps=80)
    return explain_gap(model, Side(train, loss_of), Side(val, loss_of))


if __name__ == "__main__":
    print(main())
