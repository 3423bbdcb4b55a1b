"""Padding is counted in the mean of the training loss.

"My training loss falls when I pad to longer rows." The losses of padding are 0, but the mean divides by its places
too: the logged loss is the true one times the share of places that hold text.

Asked in: https://github.com/huggingface/transformers/issues/7546
"""

import torch
from common import GPT, batches, counted, divided, fit, loss_of, verses

from diagnose import Side, explain_gap


def main():
    torch.manual_seed(0)
    train, val = (batches([verse[:60] for verse in part]) for part in divided(verses(600)))
    model = fit(GPT(), train, steps=80, loss=counted).eval()
    with torch.no_grad():
        logged = [loss_of(model, batch) for batch in train]  # zeros at padding
    reported = (sum(one.sum() for one in logged) / sum(one.numel() for one in logged)).item()
    return explain_gap(model, Side(train, counted, reported=reported, mode="eval"), Side(val, counted))


if __name__ == "__main__":
    print(main())
