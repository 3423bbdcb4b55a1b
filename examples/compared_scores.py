"""Scores of your own runs, compared: three widths, five seeds each, read on the same test samples.

`python examples/compared_scores.py` trains fifteen small networks, leaves their scores in samples.csv (a
row for each test sample of each run) and compares them; the same can be had from the file alone:

    diagnose compare samples.csv --arm model --seed seed --example sample --scores loss,accuracy
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import nn

from diagnose import compare_scores


def data(count, generator):
    """Return points, and whether each lies in the first or third quadrant of its first two axes."""
    x = torch.randn(count, 8, generator=generator)
    return x, (x[:, 0] * x[:, 1] > 0).long()


def trained(width, seed, x, y):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Linear(width, 2))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x), y).backward()
        optimizer.step()
    return network


def main():
    generator = torch.Generator().manual_seed(0)
    (x, y), (x_test, y_test) = data(400, generator), data(200, generator)
    rows = []
    for width in (2, 4, 16):
        for seed in range(5):
            logits = trained(width, seed, x, y)(x_test).detach()
            losses = nn.functional.cross_entropy(logits, y_test, reduction="none").tolist()
            right = (logits.argmax(1) == y_test).int().tolist()
            rows += [(f"width {width}", seed, k, losses[k], right[k]) for k in range(len(losses))]
    table = pd.DataFrame(rows, columns=["model", "seed", "sample", "loss", "accuracy"])
    table.to_csv("samples.csv", index=False)
    compared = compare_scores(table, arm="model", seed="seed", example="sample", score=["loss", "accuracy"])
    print(compared)
    print(compared.to_html("compared.html"))


if __name__ == "__main__":
    main()
