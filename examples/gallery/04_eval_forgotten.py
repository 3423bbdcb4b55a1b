"""`model.eval()` was forgotten before validation.

"My validation loss changes each time I compute it." Dropout is on in validation too, so the reported loss is worse
than the network is, and noisy.
"""

import torch
from common import GPT, fit, loss_of, text

from diagnose import Side, explain_gap


def main():
    torch.manual_seed(0)
    train, val = text()
    model = fit(GPT(dropout=0.4), train, steps=80)
    return explain_gap(model, Side(train, loss_of), Side(val, loss_of, mode="train"))


if __name__ == "__main__":
    print(main())
