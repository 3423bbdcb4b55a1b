"""What recording a loop costs: the time spent in the recorder and in both callbacks, as a share of a step.

    python benchmarks/recorder.py [--steps 300]

The network, batch and optimizer are those of nanoGPT's README recipe for a CPU (4 layers of 128, 12 x 64 characters).
The recorder's own calls are timed inside of the loop that they slow down, so a machine that drifts drifts under both.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings

import torch
from torch.nn import functional as F

from diagnose import GapRecorder
from diagnose.models.gpt import build

BATCH, CONTEXT, VOCABULARY = 12, 64, 65


class Clock:
    """Adds up the time spent in some methods of an object."""

    def __init__(self, owner, names):
        self.spent = 0.0
        for name in names:
            setattr(owner, name, self.timed(getattr(owner, name)))

    def timed(self, method):
        def run(*args, **kwargs):
            begun = time.perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                self.spent += time.perf_counter() - begun

        return run


def network():
    torch.manual_seed(0)
    return build(VOCABULARY, CONTEXT, layers=4, heads=4, width=128, dropout=0.0, bias=False)


def batches(count):
    draw = torch.Generator().manual_seed(1)
    return [torch.randint(0, VOCABULARY, (BATCH, CONTEXT + 1), generator=draw) for _ in range(count)]


def loss_of(model, tokens):
    return F.cross_entropy(model(tokens[:, :-1], None).flatten(0, 1), tokens[:, 1:].flatten())


def own_loop(steps):
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    with tempfile.TemporaryDirectory() as folder:
        recorder = GapRecorder(f"{folder}/mine", model, interval=100)
        recorder.detach()
        clock = Clock(recorder, ["step", "_before"])
        hook = model.register_forward_pre_hook(recorder._before)  # noqa: SLF001 - the clocked one
        begun = time.perf_counter()
        for tokens in batches(steps):
            loss = loss_of(model, tokens)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            recorder.step(tokens, loss)
        whole = time.perf_counter() - begun
        hook.remove()
    return clock.spent, whole, steps


def lightning_loop(steps):
    import lightning

    from diagnose.lightning import GapCallback

    class Net(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = network()

        def training_step(self, batch, _):
            loss = loss_of(self.net, batch)
            self.log("train_loss", loss)
            return loss

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), 1e-3)

    callback = GapCallback()
    clock = Clock(callback, ["on_train_epoch_start", "on_train_batch_start", "on_train_batch_end"])
    with tempfile.TemporaryDirectory() as folder:
        callback.on_train_end = lambda *_: None  # the ledger itself is not what is timed
        trainer = lightning.Trainer(
            max_steps=steps, callbacks=[callback], logger=False, enable_checkpointing=False, accelerator="cpu",
            enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder,
        )  # fmt: skip
        net, loader = Net(), torch.utils.data.DataLoader(batches(steps), batch_size=None)
        begun = time.perf_counter()
        trainer.fit(net, loader)
        whole = time.perf_counter() - begun
    return clock.spent, whole, steps


def trainer_loop(steps):
    from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

    from diagnose.huggingface import GapCallback

    sizes = {"n_positions": CONTEXT, "n_embd": 128, "n_layer": 4, "n_head": 4, "vocab_size": VOCABULARY}
    model = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=None, eos_token_id=None))
    rows = [row[:-1] for batch in batches(steps) for row in batch]
    callback = GapCallback()
    clock = Clock(callback, ["on_train_begin", "on_step_end", "on_log"])

    def step(self, own, model, inputs, *more, **named):  # the wrapper's own time: all but the Trainer's step
        begun = time.perf_counter()
        inside = [0.0]

        def counted(*args, **kwargs):
            start = time.perf_counter()
            out = own(*args, **kwargs)
            inside[0] += time.perf_counter() - start
            return out

        loss = GapCallback._step(self, counted, model, inputs, *more, **named)  # noqa: SLF001
        clock.spent += time.perf_counter() - begun - inside[0]
        return loss

    callback._step = step.__get__(callback)  # noqa: SLF001
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            folder, max_steps=steps, per_device_train_batch_size=BATCH, logging_steps=100, report_to=[], use_cpu=True,
            disable_tqdm=True, save_strategy="no", dataloader_pin_memory=False,
        )  # fmt: skip
        collate = lambda some: {"input_ids": torch.stack(some), "labels": torch.stack(some)}  # noqa: E731
        trainer = Trainer(model, args, data_collator=collate, train_dataset=rows, callbacks=[callback])
        begun = time.perf_counter()
        trainer.train()
        whole = time.perf_counter() - begun
    return clock.spent, whole, steps


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=300)
    steps = parser.parse_args().steps
    warnings.simplefilter("ignore")
    for name, loop in (("own loop", own_loop), ("Lightning", lightning_loop), ("Hugging Face", trainer_loop)):
        loop(20)  # warm
        spent, whole, count = loop(steps)
        share = spent / (whole - spent)
        print(f"{name:<14}{1000 * spent / count:7.3f} ms a step of {1000 * whole / count:6.1f} ms: {share:.2%}")


if __name__ == "__main__":
    main()
