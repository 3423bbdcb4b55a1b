"""What the callbacks claim of Hugging Face's Trainer and of Lightning, shown on the installed libraries."""

import math
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("frameworks")]


@pytest.fixture(scope="module")
def rows(verses):
    return [[c % 128 for c in line[:48]] for line in verses.read_bytes().splitlines()]


def collate(rows):
    most = max(map(len, rows))
    ids = torch.tensor([row + [0] * (most - len(row)) for row in rows])
    real = torch.tensor([[1] * len(row) + [0] * (most - len(row)) for row in rows])
    return {"input_ids": ids, "labels": ids.masked_fill(real == 0, -100), "attention_mask": real}


def gpt2():
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    sizes = {"vocab_size": 128, "n_positions": 64, "n_embd": 32, "n_layer": 1, "n_head": 2}
    return GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=None, eos_token_id=None))


def fit_trainer(model, rows, folder, callbacks=(), **keys):
    from transformers import Trainer, TrainingArguments

    settings = {
        "max_steps": 12, "per_device_train_batch_size": 8, "logging_steps": 6, "eval_strategy": "steps",
        "eval_steps": 12,
        "learning_rate": 3e-3, "report_to": [], "disable_tqdm": True, "save_strategy": "no", "use_cpu": True,
        "dataloader_pin_memory": False,
    }  # fmt: skip
    args = TrainingArguments(str(folder), **settings | keys)
    trainer = Trainer(
        model, args, data_collator=collate, train_dataset=rows[:100], eval_dataset=rows[100:], callbacks=list(callbacks)
    )
    trainer.train()
    return trainer


def terms(gap):
    return {term["id"]: term["value"] for term in gap.record["terms"]}


class TestHuggingFace:
    @pytest.mark.parametrize("keys", [{}, {"gradient_accumulation_steps": 3}, {"label_smoothing_factor": 0.1}])
    def test_the_ledger_closes(self, rows, tmp_path, keys):
        from diagnose.huggingface import GapCallback

        callback = GapCallback()
        model = gpt2()
        trainer = fit_trainer(model, rows, tmp_path, [callback], **keys)
        logged = [row["loss"] for row in trainer.state.log_history if "loss" in row]
        read = [row["eval_loss"] for row in trainer.state.log_history if "eval_loss" in row]
        gap = callback.gap
        assert gap.record["reported"]["train"] == pytest.approx(
            logged[-1], abs=1e-4
        )  # the Trainer's log may be rounded
        assert gap.record["reported"]["val"] == pytest.approx(read[-1], rel=1e-6)
        assert terms(gap)["residual"] == pytest.approx(0, abs=2e-5)
        assert gap.record["verified"]["largest"] < 1e-5
        assert terms(gap)["lag"] < 0
        assert sum(value or 0 for value in terms(gap).values()) == pytest.approx(gap.gap, abs=1e-12)
        assert callback.page == tmp_path / "gap.html"
        assert trainer.training_step.__func__ is type(trainer).training_step
        assert not model._forward_pre_hooks

    def test_training_goes_on_as_without_it(self, rows, tmp_path):
        from diagnose.huggingface import GapCallback

        models = gpt2(), gpt2()
        fit_trainer(models[0], rows, tmp_path / "a", [GapCallback()])
        fit_trainer(models[1], rows, tmp_path / "b")
        for one, two in zip(models[0].parameters(), models[1].parameters(), strict=True):
            assert torch.equal(one, two)

    def test_the_evaluation_loss_is_the_mean_of_batch_means_weighted_by_samples(self, rows, tmp_path):
        trainer = fit_trainer(gpt2(), rows, tmp_path)
        model = trainer.model.eval()
        total = count = 0.0
        with torch.no_grad():
            for batch in trainer.get_eval_dataloader():
                loss = trainer.compute_loss(
                    model, dict(batch), num_items_in_batch=trainer._get_num_items_in_batch([batch], "cpu")
                )
                total, count = total + float(loss) * len(batch["labels"]), count + len(batch["labels"])
        assert trainer.evaluate()["eval_loss"] == pytest.approx(total / count, rel=1e-5)

    def test_label_smoothing_is_in_both(self, rows, tmp_path):
        plain = fit_trainer(gpt2(), rows, tmp_path / "a", max_steps=1, eval_steps=1, learning_rate=0.0)
        smooth = fit_trainer(
            gpt2(), rows, tmp_path / "b", max_steps=1, eval_steps=1, learning_rate=0.0, label_smoothing_factor=0.5
        )
        before, after = plain.evaluate()["eval_loss"], smooth.evaluate()["eval_loss"]
        assert abs(before - after) > 1e-4
        torch.manual_seed(0)
        with torch.no_grad():
            batch = next(iter(smooth.get_train_dataloader()))
            model = smooth.model.eval()
            losses = [trainer.compute_loss(model, dict(batch)) for trainer in (plain, smooth)]
        assert abs(float(losses[0] - losses[1])) > 1e-4

    def test_losses_that_are_not_finite_are_left_out(self, rows, tmp_path):
        class Breaking(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner, self.calls = gpt2(), 0

            def forward(self, **inputs):
                self.calls += 1
                out = self.inner(**inputs)
                out["loss"] = out["loss"] * (math.nan if self.calls == 2 else 1.0)
                return out

        trainer = fit_trainer(
            Breaking(), rows, tmp_path, max_steps=4, logging_steps=4, eval_steps=4, learning_rate=0.0, max_grad_norm=0.0
        )
        logged = [row["loss"] for row in trainer.state.log_history if "loss" in row]
        assert math.isfinite(logged[0])

    def test_an_evaluation_loss_that_is_not_finite_is_left_out(self, rows, tmp_path):
        trainer = fit_trainer(gpt2(), rows, tmp_path, max_steps=1, eval_steps=1, per_device_eval_batch_size=8)
        own, calls, kept = trainer.compute_loss, [], []

        def breaking(model, inputs, return_outputs=False, num_items_in_batch=None):
            loss, outputs = own(model, inputs, return_outputs=True, num_items_in_batch=num_items_in_batch)
            calls.append(1)
            if len(calls) == 2:
                loss = loss * math.nan
            else:
                kept.extend([float(loss)] * len(inputs["input_ids"]))
            return (loss, outputs) if return_outputs else loss

        trainer.compute_loss = breaking
        assert trainer.evaluate()["eval_loss"] == pytest.approx(sum(kept) / len(kept), rel=1e-5)

    def test_a_trainer_with_a_loss_of_its_own(self, rows, tmp_path):
        from transformers import Trainer, TrainingArguments

        from diagnose.huggingface import GapCallback

        class Own(Trainer):
            def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # noqa: ARG002
                outputs = model(**inputs)
                loss = outputs.loss + 0.5
                return (loss, outputs) if return_outputs else loss

        callback = GapCallback()
        args = TrainingArguments(
            str(tmp_path), max_steps=4, logging_steps=4, eval_strategy="steps", eval_steps=4, report_to=[],
            use_cpu=True, disable_tqdm=True, save_strategy="no",
        )  # fmt: skip
        Own(
            gpt2(), args, data_collator=collate, train_dataset=rows[:40], eval_dataset=rows[40:80], callbacks=[callback]
        ).train()
        assert terms(callback.gap)["residual"] == pytest.approx(0, abs=2e-5)

    def test_without_an_evaluation_there_is_no_ledger(self, rows, tmp_path):
        from diagnose.huggingface import GapCallback

        callback = GapCallback()
        trainer = fit_trainer(gpt2(), rows, tmp_path, [callback], eval_strategy="no", max_steps=2)
        assert callback.gap is None
        trainer.evaluate()
        assert callback.gap is not None


def module(**log):
    import lightning

    class Net(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.net = nn.Sequential(
                nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 3)
            )
            self.losses, self.parts = [], []

        def training_step(self, batch, _):
            loss = F.cross_entropy(self.net(batch[0]), batch[1])
            self.log("train_loss", loss, **log)
            self.losses.append((float(loss), len(batch[0])))
            return loss

        def validation_step(self, batch):
            loss = F.cross_entropy(self.net(batch[0]), batch[1])
            self.parts.append((float(loss), len(batch[0])))
            self.log("val_loss", loss)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 3e-3)

    return Net()


def loaders():
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(550, 10, generator=draw)
    y = x[:, :3].argmax(1)
    some = torch.utils.data.TensorDataset(x, y)
    own = torch.Generator().manual_seed(2)
    train, val = (torch.utils.data.Subset(some, range(*part)) for part in ((0, 410), (410, 550)))
    load = torch.utils.data.DataLoader
    return load(train, 40, shuffle=True, generator=own), load(val, 40)


def fit_lightning(net, folder, callbacks=(), **keys):
    import lightning

    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_epochs=2, callbacks=list(callbacks), default_root_dir=folder, accelerator="cpu", **quiet | keys
        )
        trainer.fit(net, *loaders())
    return trainer


LOGS = [{"on_step": False, "on_epoch": True}, {"on_step": True, "on_epoch": False}, {"on_step": True, "on_epoch": True}]


class TestLightning:
    @pytest.mark.parametrize("log", LOGS)
    @pytest.mark.parametrize("accumulate", [1, 3])
    def test_the_ledger_closes(self, tmp_path, log, accumulate):
        from diagnose.lightning import GapCallback

        callback, net = GapCallback(), module(**log)
        trainer = fit_lightning(net, tmp_path, [callback], accumulate_grad_batches=accumulate)
        gap = callback.gap
        name = "train_loss_epoch" if "train_loss_epoch" in trainer.callback_metrics else "train_loss"
        assert gap.record["reported"]["train"] == pytest.approx(float(trainer.callback_metrics[name]), rel=1e-6)
        assert gap.record["reported"]["val"] == pytest.approx(float(trainer.callback_metrics["val_loss"]), rel=1e-6)
        assert terms(gap)["residual"] == pytest.approx(0, abs=1e-5)
        assert terms(gap)["objective"] == pytest.approx(0, abs=1e-6)
        assert sum(value or 0 for value in terms(gap).values()) == pytest.approx(gap.gap, abs=1e-12)
        assert (tmp_path / "gap.html").exists()
        assert "log" not in vars(net)

    def test_training_goes_on_as_without_it(self, tmp_path):
        from diagnose.lightning import GapCallback

        one, two = module(), module()
        torch.manual_seed(5)
        fit_lightning(one, tmp_path, [GapCallback()])
        torch.manual_seed(5)
        fit_lightning(two, tmp_path)
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))

    @pytest.mark.parametrize("accumulate", [1, 3])
    def test_what_is_logged(self, tmp_path, accumulate):
        net = module(on_step=True, on_epoch=True)
        trainer = fit_lightning(net, tmp_path, accumulate_grad_batches=accumulate)
        epoch = net.losses[-11:]
        mean = sum(loss * size for loss, size in epoch) / sum(size for _, size in epoch)
        assert float(trainer.callback_metrics["train_loss_epoch"]) == pytest.approx(mean, rel=1e-5)
        assert float(trainer.callback_metrics["train_loss_step"]) == pytest.approx(net.losses[-1][0], rel=1e-6)
        parts = net.parts[-4:]
        mean = sum(loss * size for loss, size in parts) / sum(size for _, size in parts)
        assert float(trainer.callback_metrics["val_loss"]) == pytest.approx(mean, rel=1e-5)
