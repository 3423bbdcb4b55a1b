"""Accumulated batches of unequal lengths are averaged as if they were equally long.

"The loss with 8 accumulated batches of 2 is not that of one batch of 16." A mean of the batches' means weighs a word
in a short batch more than one in a long batch; here short verses come together, and the two means differ on the same
data.

Asked in: https://github.com/huggingface/transformers/issues/24725
"""

import torch
from common import GPT, batches, counted, fit, verses

from diagnose import Side, explain_gap


def main():
    torch.manual_seed(0)
    some = [verse[:60] for verse in verses(450) if len(verse) > 3]
    train = batches(sorted(some, key=len), 2)
    model = fit(GPT(), train, loss=counted)
    model.eval()
    return explain_gap(
        model, Side(train, counted, reduction="batch"), Side(train, counted, reduction="mean"), budget="1000 batches"
    )


if __name__ == "__main__":
    print(main())
