"""A Lightning module whose training loss is logged per step and whose validation loss is a mean over the epoch.

pip install 'diagnose-training[lightning]'
python examples/lightning_module.py
"""

import lightning
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from verses import padded, verses

from diagnose.lightning import GapCallback


class Reader(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.embedding, self.dropout = nn.Embedding(128, 64), nn.Dropout(0.3)
        self.lstm, self.head = nn.LSTM(64, 96, batch_first=True), nn.Linear(96, 128)

    def loss(self, batch):
        tokens, real = batch
        hidden, _ = self.lstm(self.dropout(self.embedding(tokens[:, :-1])))
        logits = self.head(self.dropout(hidden))
        return F.cross_entropy(logits[real[:, 1:]], tokens[:, 1:][real[:, 1:]])

    def training_step(self, batch, _):
        loss = self.loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch):
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 3e-3)


def main():
    torch.manual_seed(0)
    rows = verses()
    train = DataLoader(rows[:500], 16, shuffle=True, collate_fn=padded)
    val = DataLoader(rows[500:], 16, collate_fn=padded)
    callback = GapCallback(page="reports/lightning-module.html")
    trainer = lightning.Trainer(
        max_epochs=3, callbacks=[callback], logger=False, enable_checkpointing=False, enable_progress_bar=False,
        default_root_dir="runs/lightning-module", accelerator="auto", enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Reader(), train, val)
    print(callback.gap)
    print(callback.page)


if __name__ == "__main__":
    main()
