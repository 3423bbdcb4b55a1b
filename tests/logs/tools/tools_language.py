# ruff: noqa: E501, ARG002  (calls of tools are long)
"""MLX-LM and LitGPT."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from data import characters
from make import log, points, printed, scratch


@log("mlx-lm.txt", "mlx-lm", "mlx_lm.tuner.trainer.train, steps_per_report=5, steps_per_eval=10")
def mlx_lm(path: Path) -> dict[str, Any]:
    import mlx.core as mx
    import mlx.optimizers as optim
    from mlx_lm.models.llama import Model, ModelArgs
    from mlx_lm.tuner.callbacks import TrainingCallback
    from mlx_lm.tuner.trainer import TrainingArgs, train

    mx.random.seed(0)
    model = Model(ModelArgs(model_type="llama", hidden_size=16, num_hidden_layers=1, intermediate_size=32, num_attention_heads=2,
                            rms_norm_eps=1e-5, vocab_size=128, num_key_value_heads=2))  # fmt: skip
    rows = [(row.tolist(), 0) for row in characters(200)]
    seen: dict[str, list[tuple[int, float]]] = {"train": [], "val": []}

    class See(TrainingCallback):
        def on_train_loss_report(self, info: dict[str, Any]) -> None:
            seen["train"].append((info["iteration"], float(info["train_loss"])))

        def on_val_loss_report(self, info: dict[str, Any]) -> None:
            seen["val"].append((info["iteration"] + 1, float(info["val_loss"])))  # counts from zero, its print from one

    args = TrainingArgs(batch_size=4, iters=60, val_batches=5, steps_per_report=5, steps_per_eval=10, max_seq_length=64,
                        steps_per_save=1000, adapter_file=str(scratch(path) / "a.safetensors"))  # fmt: skip
    with printed(path):
        train(model, optim.Adam(1e-2), rows[:160], rows[160:], args, training_callback=See())
    return {side: points([v for _, v in found], step=[s for s, _ in found], iteration=[s for s, _ in found])
            for side, found in seen.items()} | {"digits": 3, "pairs": len(seen["val"]) - 1}  # fmt: skip


@log("litgpt.txt", "litgpt", "litgpt.pretrain.setup on text files, log_interval=5, eval interval=10")
def litgpt(path: Path) -> dict[str, Any]:
    import torch
    from litgpt import pretrain
    from litgpt.args import EvalArgs, LogArgs, TrainArgs
    from litgpt.config import Config
    from litgpt.data import DataModule

    os.chdir(scratch(path))
    rows = torch.tensor(characters(300, 32))

    class Rows(DataModule):
        def connect(self, tokenizer: Any = None, batch_size: int = 1, max_seq_length: Any = None) -> None:
            self.batch_size = batch_size

        def train_dataloader(self) -> Any:
            return torch.utils.data.DataLoader(rows[:240], self.batch_size)

        def val_dataloader(self) -> Any:
            return torch.utils.data.DataLoader(rows[240:], self.batch_size)

    seen: list[tuple[int, float]] = []
    validate = pretrain.validate

    def noted(fabric: Any, model: Any, *more: Any, **how: Any) -> Any:
        value = validate(fabric, model, *more, **how)
        seen.append((0, float(value)))
        return value

    pretrain.validate = noted
    with printed(path):
        pretrain.setup(
            "tiny", Config(name="tiny", block_size=32, vocab_size=128, padded_vocab_size=128, n_layer=1, n_head=2, n_embd=16),
            out_dir=Path("out"), data=Rows(), precision="32-true", devices=1, logger_name="csv", seed=0,
            train=TrainArgs(global_batch_size=8, micro_batch_size=8, log_interval=5, max_tokens=60 * 8 * 32, max_norm=1.0,
                            lr_warmup_steps=5, save_interval=None),
            eval=EvalArgs(interval=10, max_iters=4, initial_validation=False), log=LogArgs(),
        )  # fmt: skip
    return {"val": points([v for _, v in seen], step=range(len(seen))), "digits": 3}
