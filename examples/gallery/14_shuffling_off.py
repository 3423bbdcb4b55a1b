"""Shuffling is off, so the last training losses are of one kind of data.

"The training loss jumps at the same place in every epoch." Data that are sorted (here by noise) are read in their
order, and the loss that is reported at the end is that of the hardest pictures, not of all.
"""

import tempfile

import torch
from common import CNN, loss_of, pictures, split

from diagnose import GapRecorder, explain_gap


def by_noise(count, seed):
    parts = [pictures(count, seed + k, noise=0.5 + 0.7 * k) for k in range(5)]
    return split([torch.cat(column) for column in zip(*parts, strict=True)])


def main():
    torch.manual_seed(0)
    train, val = by_noise(128, seed=0), by_noise(32, seed=9)
    model = CNN().train()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    with tempfile.TemporaryDirectory() as folder:
        recorder = GapRecorder(folder, model, interval=8)
        for batch in [*train, *train, *train, *train]:
            loss = loss_of(model, batch).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recorder.step(batch, loss)
        model.eval()
        with torch.no_grad():
            for batch in val:
                recorder.validation(batch, loss_of(model, batch).mean())
        recorder.close()
        return explain_gap(model, loss_of, loss_of, recorder=recorder)


if __name__ == "__main__":
    print(main())
