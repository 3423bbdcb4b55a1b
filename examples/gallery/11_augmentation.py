"""Augmentation makes the training batches harder than the pictures are.

"Training accuracy stays below validation accuracy for the whole run." The training loader disturbs each picture, the
validation loader does not; give the undisturbed data as `plain` and the ledger says what that costs.
"""

import torch
from common import CNN, fit, loss_of, pictures, split

from diagnose import Side, explain_gap


def main():
    torch.manual_seed(0)
    plain, val = split(pictures(480, 1)), split(pictures(320, 2))
    noisy = [(x + 1.5 * torch.randn_like(x), y) for x, y in plain]
    model = fit(CNN(), noisy)
    return explain_gap(model, Side(noisy, loss_of, plain=plain), Side(val, loss_of))


if __name__ == "__main__":
    print(main())
