"""The training loss is a running mean since the epoch began.

"Validation beats training in the first epoch, then no more." Keras and many progress bars show the mean of all steps
of the epoch, most of which were taken with weights that were worse than those that validation reads.

Asked in: https://github.com/keras-team/keras/issues/605 https://github.com/Lightning-AI/pytorch-lightning/issues/5767
"""

import tempfile

import torch
from common import GPT, loss_of, text

from diagnose import GapRecorder, explain_gap


def main():
    torch.manual_seed(0)
    train, val = text()
    model = GPT()
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    with tempfile.TemporaryDirectory() as folder:
        recorder = GapRecorder(folder, model, reports="epoch")
        recorder.epoch()
        for batch in train:
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
