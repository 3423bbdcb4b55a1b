"""A Lightning CLI: the seed, the folder and every hyperparameter are options, the log is a table.

pip install 'lightning[pytorch-extra]'
diagnose ablate --axis lr=1e-3,1e-2 --seeds 3 \
    --run 'python examples/own_lightning_cli.py fit --seed_everything {seed} --model.lr {lr}
           --trainer.default_root_dir {dir} --trainer.logger CSVLogger --trainer.logger.save_dir {dir}' \
    --read '{dir}/lightning_logs/*/metrics.csv:val_loss'
"""

import lightning
import torch
from lightning.pytorch.cli import LightningCLI
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from verses import padded, verses


class Reader(lightning.LightningModule):
    def __init__(self, lr: float = 3e-3, width: int = 32):
        super().__init__()
        self.lr = lr
        self.embedding, self.head = nn.Embedding(128, width), nn.Linear(width, 128)

    def loss(self, batch):
        tokens, real = batch
        return F.cross_entropy(self.head(self.embedding(tokens[:, :-1]))[real[:, 1:]], tokens[:, 1:][real[:, 1:]])

    def training_step(self, batch, _):
        loss = self.loss(batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, _):
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), self.lr)


class Verses(lightning.LightningDataModule):
    def __init__(self, batch_size: int = 16):
        super().__init__()
        self.rows, self.batch_size = verses(), batch_size

    def train_dataloader(self):
        return DataLoader(self.rows[:300], self.batch_size, shuffle=True, collate_fn=padded)

    def val_dataloader(self):
        return DataLoader(self.rows[500:600], self.batch_size, collate_fn=padded)


if __name__ == "__main__":
    quiet = {
        "max_epochs": 3, "enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False,
        "accelerator": "cpu",
    }  # fmt: skip
    LightningCLI(Reader, Verses, trainer_defaults=quiet, save_config_kwargs={"overwrite": True})
