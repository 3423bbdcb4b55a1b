"""What findings advise to users of callbacks they can give or do: plain data, groups, a causal model's loss."""

import pytest
import torch
from test_framework_causes import points, terms, train
from test_real_libraries import collate, gpt2, tokens
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset

from diagnose import Side, explain_gap

pytestmark = [
    pytest.mark.trains, pytest.mark.filterwarnings("error::diagnose.integrations.aside.GapWarning"),
    pytest.mark.filterwarnings("ignore"),
]  # fmt: skip
ADVICE = {  # by rule: what users of a callback, who give no sides, are not to be told
    "gap/residual": "reported_on", "gap/eval-unsure": "mode=", "gap/masked": "'weights'", "gap/replay": "recorder",
}  # fmt: skip


class Noisy(Dataset):
    """Rows of numbers to which each reading adds other noise."""

    def __init__(self, data, noise, names=None):
        self.data, self.noise, self.names = data, noise, names

    def __len__(self):
        return len(self.data[0])

    def __getitem__(self, k):
        x = self.data[0][k] + self.noise * torch.randn(8)
        return {"x": x, "labels": self.data[1][k]} if self.names else (x, self.data[1][k])


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))


def augmentation(net, data):
    """Return what noise does to the training loss, and what the data do beside it, by plain torch."""
    with torch.no_grad():
        losses = [float(F.cross_entropy(net(x), y)) for x, y in data]
        draws = [float(F.cross_entropy(net(x + torch.randn_like(x)), y)) for x, y in [data[0]] * 200]
    return losses[0] - sum(draws) / len(draws), losses[1] - losses[0]


def lightning_module(net):
    import lightning

    class Net(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = net

        def training_step(self, batch, _):
            loss = F.cross_entropy(self.net(batch[0]), batch[1])
            self.log("train_loss", loss, on_step=False, on_epoch=True)
            return loss

        def validation_step(self, batch, _):
            self.log("val_loss", F.cross_entropy(self.net(batch[0]), batch[1]))

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 1e-2)

    return Net()


def fit(callback, folder, train_set, val_set):
    import lightning

    net = network()
    trainer = lightning.Trainer(
        max_epochs=10, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=folder, callbacks=[callback],
    )  # fmt: skip
    trainer.fit(lightning_module(net), DataLoader(train_set, 16), DataLoader(val_set, 16))
    return net, callback.gap


class OfTrainer(nn.Module):
    """A network as the Trainer calls it."""

    def __init__(self):
        super().__init__()
        self.net = network()

    def forward(self, x, labels):
        scores = self.net(x)
        return {"loss": F.cross_entropy(scores, labels), "logits": scores}


def run(callback, folder, train_set, val_set, **keys):
    from transformers import Trainer, TrainingArguments

    model = OfTrainer()
    settings = {
        "num_train_epochs": 10, "eval_strategy": "epoch", "logging_strategy": "epoch", "save_strategy": "no",
        "per_device_train_batch_size": 16, "per_device_eval_batch_size": 16, "learning_rate": 1e-2, "report_to": [],
        "disable_tqdm": True, "use_cpu": True, "remove_unused_columns": False, "dataloader_pin_memory": False,
    }  # fmt: skip
    arguments = TrainingArguments(str(folder), **settings | keys)
    Trainer(model, arguments, train_dataset=train_set, eval_dataset=val_set, callbacks=[callback]).train()
    return model.net, callback.gap


class TestPlain:
    def check(self, net, gap, data):
        noise, rest = augmentation(net, data)
        assert terms(gap)["collation"] == pytest.approx(noise, abs=0.1)
        assert terms(gap)["unseen"] == pytest.approx(rest, abs=1e-5)
        assert "gap/redrawn" not in {finding["rule"] for finding in gap.findings}

    def test_lightning(self, tmp_path):
        pytest.importorskip("lightning")
        from diagnose.lightning import GapCallback

        data = points(256, 1), points(128, 2)
        callback = GapCallback(plain=DataLoader(TensorDataset(*data[0]), 16))
        self.check(*fit(callback, tmp_path, Noisy(data[0], 1.0), TensorDataset(*data[1])), data)

    @pytest.mark.parametrize("parts", [1, 2])
    def test_trainer(self, tmp_path, parts):
        pytest.importorskip("transformers")
        from diagnose.huggingface import GapCallback

        data = points(256, 1), points(128, 2)
        plain, val = (Noisy(some, 0.0, names=True) for some in data)
        some = run(
            GapCallback(plain=plain), tmp_path, Noisy(data[0], 1.0, names=True), val, gradient_accumulation_steps=parts
        )
        self.check(*some, data)

    def test_validation_that_is_drawn_anew_is_to_be_read_as_it_is(self, tmp_path):
        pytest.importorskip("lightning")
        from diagnose.lightning import GapCallback

        data = points(64, 1), points(64, 2)
        _, gap = fit(GapCallback(), tmp_path, TensorDataset(*data[0]), Noisy(data[1], 1.0))
        advice = {finding["rule"]: finding["fix"] for finding in gap.findings}
        assert advice["gap/redrawn"] == "have validation read its data without augmentation or sampling"


class TestGroups:
    """Three noisy copies of each point; half of validation's points are training's."""

    def samples(self, some, seed):
        base, draw = points(48, 3)[0], torch.Generator().manual_seed(seed)
        who = torch.tensor(some).repeat_interleave(3)
        x = base[who] + 0.1 * torch.randn(len(who), 8, generator=draw)
        return x, (base[who].sum(1) > 0).long(), who

    def data(self):
        return self.samples(range(32), 1), self.samples(range(16, 48), 2)

    def test_lightning(self, tmp_path):
        pytest.importorskip("lightning")
        from diagnose.lightning import GapCallback

        callback = GapCallback(groups=lambda batch: batch[2])
        _, gap = fit(callback, tmp_path, *(TensorDataset(*some) for some in self.data()))
        assert (gap.record["overlap"]["exact"], gap.record["overlap"]["val_documents"]) == (16, 32)
        assert gap.record["conditions"]["unit"] == "group"  # of so few batches each sample is read alone

    @pytest.mark.parametrize("parts", [1, 2])
    def test_trainer(self, tmp_path, parts):
        pytest.importorskip("transformers")
        from diagnose.huggingface import GapCallback

        def sign(batch):
            return [str(row) for row in (batch["x"] > 0).tolist()]

        some = [Noisy(data[:2], 0.0, names=True) for data in self.data()]
        _, gap = run(GapCallback(groups=sign), tmp_path, *some, gradient_accumulation_steps=parts)
        rows = [{str(row) for row in (data[0] > 0).tolist()} for data in self.data()]
        assert gap.record["overlap"]["val_documents"] == len(rows[1])
        assert gap.record["overlap"]["exact"] == len(rows[0] & rows[1])

    @pytest.mark.parametrize("reduction", ["none", "mean"])
    def test_one_number_a_batch_of_several_groups(self, reduction):
        def loss(model, batch):
            return F.cross_entropy(model(batch[0]), batch[1], reduction=reduction)

        sides = [Side(DataLoader(TensorDataset(*some), 8), loss, groups=lambda batch: batch[2]) for some in self.data()]
        gap = explain_gap(network(), *sides)
        assert (gap.record["overlap"]["exact"], gap.record["overlap"]["val_documents"]) == (16, 32)
        assert gap.record["conditions"]["unit"] == ("group" if reduction == "none" else "batch")


def test_a_trainer_that_counts_first_tokens_says_what_leaves_them_out(tmp_path):
    pytest.importorskip("transformers")
    from transformers import Trainer

    data = [[{"input_ids": r.tolist(), "labels": r.tolist()} for r in tokens(n, s)] for n, s in ((96, 1), (48, 2))]
    _, gap = train(Trainer, gpt2(0.0), data, tmp_path)
    masked = next(finding for finding in gap.findings if finding["rule"] == "gap/masked")
    assert "model.loss_type = 'ForCausalLM'" in masked["fix"]
    model = gpt2(0.0)
    model.loss_type = "ForCausalLM"
    _, gap = train(Trainer, model, data, tmp_path)
    with torch.no_grad():
        batch = collate(data[1])
        scores = model.eval()(input_ids=batch["input_ids"]).logits[:, :-1].transpose(1, 2)
        plain = F.cross_entropy(scores, batch["labels"][:, 1:])
    assert "gap/masked" not in {finding["rule"] for finding in gap.findings}
    assert gap.record["reported"]["val"] == pytest.approx(float(plain), abs=1e-5)


def test_what_a_callbacks_user_cannot_give_is_not_advised():
    from diagnose.gap.gap_rules import RULES

    for rule in RULES:
        some = rule.in_callback or rule.fix
        assert ADVICE.get(rule.id, "Side(") not in some
        assert rule.id in ADVICE or not any(word in some for word in ADVICE.values())
