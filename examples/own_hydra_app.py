"""A Hydra app: settings are overrides, name=value, and the run's folder is Hydra's own.

pip install hydra-core
diagnose ablate --axis optimizer.lr=0.1,0.3 --seeds 5 --jobs 2 \
    --run 'python examples/own_hydra_app.py optimizer.lr={optimizer.lr} seed={seed} hydra.run.dir={dir}' \
    --read '{dir}/metrics.jsonl:val_loss'
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import hydra
import torch
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from torch.nn import functional as F
from verses import padded, verses


@dataclass
class OptimizerConfig:
    lr: float = 0.1
    steps: int = 60


@dataclass
class AppConfig:
    seed: int = 0
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)


ConfigStore.instance().store("config", AppConfig)


@hydra.main(version_base="1.3", config_path=None, config_name="config")
def main(config: AppConfig) -> None:
    torch.manual_seed(config.seed)
    rows = verses()
    logits = (0.1 * torch.randn(128, 128)).requires_grad_()
    out = Path(HydraConfig.get().runtime.output_dir)

    def loss_of(batch):
        tokens, real = padded(batch)
        return F.cross_entropy(logits[tokens[:, :-1]][real[:, 1:]], tokens[:, 1:][real[:, 1:]])

    with (out / "metrics.jsonl").open("w") as file:
        for step in range(1, config.optimizer.steps + 1):
            batch = [rows[k] for k in torch.randint(500, (16,))]
            (gradient,) = torch.autograd.grad(loss_of(batch), logits)
            with torch.no_grad():
                logits -= config.optimizer.lr * 128 * gradient
                if step % 10 == 0:
                    file.write(json.dumps({"step": step, "val_loss": float(loss_of(rows[500:600]))}) + "\n")


if __name__ == "__main__":
    main()
