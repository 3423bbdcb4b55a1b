"""Loops that run in processes of their own, for `test_real_libraries.py`: what the ledger and plain torch read."""

import json
import sys
import tempfile

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from diagnose import GapRecorder, Side, explain_gap


def points(count, seed):
    x = torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))
    return x, (x.sum(1) > 0).long()


def ce(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def net(p=0.3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(p), nn.Linear(16, 2))


def said(gap, plain, **more):
    terms = {term["id"]: term["value"] for term in gap.record["terms"]}
    matched = [gap.matched.train, gap.matched.val]
    found = {"matched": matched, "plain": plain, "residual": terms["residual"], "mode": terms["mode"]}
    return found | {"kinds": gap.record["conditions"]["kinds"]} | more


@torch.no_grad()
def read(model, some):
    return float(ce(model.eval(), some).mean())


def distributed(how):
    """Return what process 0 of two reads."""
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel

    dist.init_process_group("gloo")
    data = points(96, 1), points(64, 2)
    sets = [TensorDataset(*some) for some in data]
    loaders = [DataLoader(one, 8, sampler=DistributedSampler(one, shuffle=k == 0)) for k, one in enumerate(sets)]
    alone, recorder = net(), None
    if how == "fsdp":
        from torch.distributed.fsdp import fully_shard

        model = fully_shard(net())
    else:
        model = DistributedDataParallel(net())
    if how == "recorder":
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        folder = tempfile.mkdtemp()
        with GapRecorder(f"{folder}/{dist.get_rank()}", model, reports="epoch") as recorder:
            recorder.epoch()
            for batch in loaders[0]:
                loss = ce(model, batch).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                recorder.step(batch, loss)
        alone.load_state_dict(model.module.state_dict())
    if how == "alone":
        return logs_its_own(model, loaders, data[1])
    gap = explain_gap(model, *(Side(loader, ce) for loader in loaders), recorder=recorder)
    return said(gap, [read(alone, some) for some in data])


@torch.no_grad()
def logs_its_own(model, loaders, val):
    """Explain the loss that process 0 has of its own part of validation."""
    import torch.distributed as dist

    model.eval()
    own = torch.cat([ce(model, batch) for batch in loaders[1]]).mean()
    dist.broadcast(own, 0)
    gap = explain_gap(model, Side(loaders[0], ce), Side(loaders[1], ce, reported=float(own)))
    (fit,) = gap.record["arithmetic"]["validation"]
    return said(gap, [], factor=fit["factor"], own=float(own), whole=read(model, val))


def keras_layers():
    from keras import Sequential, layers, utils

    utils.set_random_seed(0)
    noise, norm = layers.GaussianNoise(0.5), layers.BatchNormalization()
    model = Sequential([layers.Input((8,)), noise, layers.Dense(16, "relu"), norm, layers.Dense(2)])
    data = points(96, 1), points(64, 2)

    def loss(m, batch):
        return F.cross_entropy(m(batch[0], training=m.training), batch[1], reduction="none")

    sides = [Side(list(zip(*(part.split(16) for part in some), strict=True)), loss) for some in data]
    before = [value.copy() for value in model.get_weights()]
    gap = explain_gap(model, *sides)
    kept = all((one == other).all() for one, other in zip(before, model.get_weights(), strict=True))
    model.eval()
    with torch.no_grad():
        plain = [float(loss(model, some).mean()) for some in data]
    return said(gap, plain, kept=bool(kept))


def keras():
    from keras import Sequential, layers, utils

    utils.set_random_seed(0)
    model = Sequential([layers.Input((8,)), layers.Dense(16, "relu"), layers.Dropout(0.4), layers.Dense(2)])
    data = points(96, 1), points(64, 2)

    def loss(m, batch):
        return F.cross_entropy(m(batch[0], training=m.training), batch[1], reduction="none")

    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):  # so that dropout takes something from what was learned
        optimizer.zero_grad()
        loss(model, data[0]).mean().backward()
        optimizer.step()
    sides = [Side(list(zip(*(part.split(16) for part in some), strict=True)), loss) for some in data]
    gap = explain_gap(model, *sides)
    model.eval()
    with torch.no_grad():
        plain = [float(loss(model, some).mean()) for some in data]
    return said(gap, plain)


def lightning(folder):
    import lightning as pl

    from diagnose.lightning import GapCallback

    class Net(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = net()

        def training_step(self, batch, _):
            loss = F.cross_entropy(self.net(batch[0]), batch[1])
            self.log("train_loss", loss, on_step=False, on_epoch=True, sync_dist=True)
            return loss

        def validation_step(self, batch, _):
            self.log("val_loss", F.cross_entropy(self.net(batch[0]), batch[1]), sync_dist=True)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 3e-3)

    data = points(96, 1), points(64, 2)
    loaders = [DataLoader(TensorDataset(*some), 8) for some in data]
    callback = GapCallback()
    trainer = pl.Trainer(
        accelerator="cpu", devices=2, strategy="ddp", max_epochs=2, default_root_dir=folder, callbacks=[callback],
        logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    module = Net()
    trainer.fit(module, *loaders)
    if trainer.is_global_zero:
        print(json.dumps(said(callback.gap, [read(module.net, some) for some in data])))


if __name__ == "__main__":
    lightning(sys.argv[1])
