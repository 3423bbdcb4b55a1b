"""Causes of the third round (docs/LOG.md, 2026-11-29) through the Trainer, Lightning and Keras, against plain torch."""

import importlib.util

import pytest
import torch
from run_fixture import Forked, two_ranks
from test_real_libraries import collate, cut, gpt2, tokens
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from two_processes import distributed, keras_layers, points

from diagnose.integrations.aside import GapWarning

pytestmark = pytest.mark.filterwarnings("ignore")


def labelled(count, seed):
    return [{"input_ids": row.tolist(), "labels": int(row[0]) > 20} for row in tokens(count, seed)]


def classifier():
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    sizes = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    return BertForSequenceClassification(
        BertConfig(**sizes, intermediate_size=32, max_position_embeddings=16, hidden_dropout_prob=0.0,
                   attention_probs_dropout_prob=0.0)
    )  # fmt: skip


def with_loss(loss):
    """Return a Trainer whose `compute_loss` is loss(model, logits, labels)."""
    from transformers import Trainer

    class Own(Trainer):
        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # noqa: ARG002
            out = model(input_ids=inputs["input_ids"])
            value = loss(model, out.logits, inputs["labels"].long())
            return (value, out) if return_outputs else value

    return Own


def train(kind, model, data, folder, **keys):
    from transformers import TrainingArguments

    from diagnose.huggingface import GapCallback

    settings = {
        "max_steps": 12, "per_device_train_batch_size": 8, "per_device_eval_batch_size": 8, "logging_steps": 6,
        "eval_strategy": "steps", "eval_steps": 12, "learning_rate": 3e-3, "report_to": [], "disable_tqdm": True,
        "save_strategy": "no", "use_cpu": True, "dataloader_pin_memory": False,
    }  # fmt: skip
    callback = GapCallback()
    trainer = kind(
        model, TrainingArguments(str(folder), **settings | keys), data_collator=collate, train_dataset=data[0],
        eval_dataset=data[1], callbacks=[callback],
    )  # fmt: skip
    trainer.train()
    return trainer, callback.gap


@torch.no_grad()
def read(model, data, loss):
    """Return the mean over samples in evaluation mode."""
    model.eval()
    found = [(float(loss(model, batch)), len(batch["labels"])) for batch in cut(data)]
    return sum(value * size for value, size in found) / sum(size for _, size in found)


def terms(gap):
    return {term["id"]: term["value"] or 0.0 for term in gap.record["terms"]}


class TestTrainer:
    def test_adapters_that_evaluation_switches_off_are_weights(self, tmp_path):
        transformers, peft = pytest.importorskip("transformers"), pytest.importorskip("peft")
        config = peft.LoraConfig(r=4, target_modules=["c_attn"], lora_dropout=0.0, fan_in_fan_out=True)
        model = peft.get_peft_model(gpt2(0.0), config)

        class Off(transformers.Trainer):
            def evaluate(self, *args, **keys):
                with self.model.disable_adapter():
                    return super().evaluate(*args, **keys)

        data = [
            [{"input_ids": row.tolist(), "labels": row.tolist()} for row in tokens(*some)]
            for some in ((96, 1), (48, 2))
        ]
        trainer, gap = train(Off, model, data, tmp_path, learning_rate=3e-2)

        def mean(some):
            trainer.model.eval()
            with torch.no_grad():
                each = [trainer.model(**batch).loss for batch in cut(some)]
            return float(torch.stack(each).mean()) * 11 / 12  # the Trainer counts each row's first token as a loss of 0

        on = mean(data[0])
        with trainer.model.disable_adapter():
            off, val = mean(data[0]), mean(data[1])
        assert off - on > 0.005
        assert gap.matched.val == pytest.approx(val, abs=1e-4)
        assert gap.matched.train == pytest.approx(off, abs=1e-4)
        assert terms(gap)["weights"] == pytest.approx(off - on, abs=4e-3)  # Shapley: reduction beside it
        assert "different weights" in gap.verdict

    def test_a_smaller_last_batch_counts_by_its_samples(self, tmp_path):
        transformers = pytest.importorskip("transformers")

        class Plain(nn.Module):
            def __init__(self):
                super().__init__()
                torch.manual_seed(0)
                self.e, self.o = nn.Embedding(40, 8), nn.Linear(96, 2)

            def forward(self, input_ids=None, labels=None):
                scores = self.o(self.e(input_ids).flatten(1))
                return {"loss": F.cross_entropy(scores, labels), "logits": scores}

        data = [[row | {"labels": int(row["labels"])} for row in labelled(*some)] for some in ((92, 1), (42, 2))]
        trainer, gap = train(transformers.Trainer, Plain(), data, tmp_path)
        means = [read(trainer.model, some, lambda m, b: m(**b)["loss"]) for some in data]
        assert (gap.matched.train, gap.matched.val) == pytest.approx(means, rel=1e-5)
        assert gap.record["reported"]["val"] == pytest.approx(means[1], abs=1e-4)

    def test_a_loss_that_is_smoothed_in_training_mode_alone_is_mode(self, tmp_path):
        pytest.importorskip("transformers")
        data = [labelled(96, 1), labelled(48, 2)]

        def loss(model, logits, labels):
            return F.cross_entropy(logits, labels, label_smoothing=0.2 if model.training else 0.0)

        trainer, gap = train(with_loss(loss), classifier(), data, tmp_path)

        def smoothed(share):
            return lambda m, b: F.cross_entropy(m(b["input_ids"]).logits, b["labels"].long(), label_smoothing=share)

        plain, other = (read(trainer.model, data[0], smoothed(share)) for share in (0.0, 0.2))
        assert terms(gap)["mode"] == pytest.approx(plain - other, abs=1e-5)
        assert gap.record["verified"]["largest"] < 1e-4

    def test_a_sum_over_accumulated_parts_is_called_that(self, tmp_path):
        pytest.importorskip("transformers")
        data = [labelled(128, 1), labelled(48, 2)]
        weight = torch.tensor([1.0, 3.0])
        kind = with_loss(lambda _, logits, labels: F.cross_entropy(logits, labels, weight=weight))
        with pytest.warns(GapWarning, match="the sum of a step's 4 parts: divide the loss by it"):
            trainer, gap = train(kind, classifier(), data, tmp_path, gradient_accumulation_steps=4)

        def own(m, b):
            return F.cross_entropy(m(b["input_ids"]).logits, b["labels"].long(), weight=weight)

        means = [read(trainer.model, some, own) for some in data]
        assert (gap.matched.train, gap.matched.val) == pytest.approx(means, abs=2e-3)  # parts of other samples
        assert terms(gap)["objective"] == pytest.approx(-3 * gap.matched.train, rel=1e-4)
        assert "the sum over a step's 4 parts in place of their mean" in gap.verdict
        assert "times the other's" not in str(gap)  # said once

    def test_a_loss_that_was_never_logged_is_not_called_reported(self, tmp_path):
        pytest.importorskip("transformers")
        data = [labelled(96, 1), labelled(48, 2)]
        kind = with_loss(lambda _, logits, labels: F.cross_entropy(logits, labels))
        with pytest.warns(GapWarning, match="no training loss was logged before the evaluation at step 12"):
            _, gap = train(kind, classifier(), data, tmp_path, logging_steps=500)
        assert gap.record["reported"]["given"] == [False, True]
        assert gap.verdict.startswith("Validation as reported lies")
        assert "training as read now" in gap.verdict
        assert " as read now to validation " in str(gap)
        assert "gap training as read now" in str(gap)

    def test_of_several_evaluation_sets_each_verdict_names_its_own(self, tmp_path):
        pytest.importorskip("transformers")
        data = [labelled(96, 1), {"near": labelled(48, 2), "far": labelled(48, 3)}]
        kind = with_loss(lambda _, logits, labels: F.cross_entropy(logits, labels))
        trainer, _ = train(kind, classifier(), data, tmp_path)
        gaps = next(one.gaps for one in trainer.callback_handler.callbacks if hasattr(one, "gaps"))
        assert list(gaps) == ["eval_near_loss", "eval_far_loss"]
        assert all(f"Validation ({name}) lies" in gap.verdict for name, gap in gaps.items())
        assert [gap.report.title for gap in gaps.values()] == [f"Loss gap of {name}" for name in gaps]

    def test_attention_without_an_effect_is_not_named_beside_dropout(self, tmp_path):
        pytest.importorskip("transformers")
        from transformers import Trainer

        data = [[{"input_ids": row.tolist(), "labels": row.tolist()} for row in tokens(96, seed)] for seed in (1, 2)]
        model = gpt2(0.3)
        model.transformer.h[0].attn.attn_dropout.p = 0.01
        _, gap = train(Trainer, model, data, tmp_path)
        parts = {
            part["id"]: part["value"] for part in next(t for t in gap.record["terms"] if t["id"] == "mode")["parts"]
        }
        assert set(parts) == {"dropout", "GPT2Attention"}
        assert abs(parts["GPT2Attention"]) < 0.1 * abs(parts["dropout"])
        assert "GPT2Attention" not in gap.verdict
        assert not any("GPT2Attention" in one["what"] for one in gap.findings)

    def test_a_weighted_sampler_is_collation_and_no_harder_data(self, tmp_path):
        pytest.importorskip("transformers")
        data = [labelled(96, 1), labelled(48, 2)]

        class Weighted(with_loss(lambda _, logits, labels: F.cross_entropy(logits, labels))):
            def _get_train_sampler(self, *_):
                weights = [9.0 if row["labels"] else 1.0 for row in data[0]]
                return torch.utils.data.WeightedRandomSampler(weights, len(weights))

        trainer, gap = train(Weighted, classifier(), data, tmp_path)

        def own(m, b):
            return F.cross_entropy(m(b["input_ids"]).logits, b["labels"].long())

        first, second = (read(trainer.model, some, own) for some in data)
        assert terms(gap)["unseen"] + terms(gap)["leak"] == pytest.approx(second - first, abs=1e-3)
        assert terms(gap)["collation"] > 0.05

    def test_weights_that_evaluation_swaps_in_are_weights(self, tmp_path):
        pytest.importorskip("transformers")
        from transformers import Trainer

        class Averaged(Trainer):
            def evaluate(self, *args, **named):
                own = {name: value.clone() for name, value in self.model.state_dict().items()}
                with torch.no_grad():
                    for weight in self.model.parameters():
                        weight.mul_(0.5)
                try:
                    return super().evaluate(*args, **named)
                finally:
                    self.model.load_state_dict(own)

        data = [[{"input_ids": r.tolist(), "labels": r.tolist()} for r in tokens(n, s)] for n, s in ((96, 1), (48, 2))]
        trainer, gap = train(Averaged, gpt2(0.0), data, tmp_path)

        def shifted(m, b):
            scores = m(input_ids=b["input_ids"]).logits[:, :-1].transpose(1, 2)
            return F.cross_entropy(scores, b["labels"][:, 1:], reduction="sum") / b["labels"].numel()

        before = read(trainer.model, data[0], shifted)
        with torch.no_grad():
            for weight in trainer.model.parameters():
                weight.mul_(0.5)
        assert terms(gap)["weights"] == pytest.approx(read(trainer.model, data[0], shifted) - before, abs=1e-5)
        assert abs(terms(gap)["residual"]) < 1e-4


def module(kind):
    import lightning

    class Net(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.5 if kind == "mode" else 0.0),
                                     nn.Linear(16, 2))  # fmt: skip

        def loss(self, batch):
            return F.cross_entropy(self.net(batch[0]), batch[1])

        def training_step(self, batch, _):
            if kind == "writes":
                batch[0].mul_(0.5)
            loss = self.loss(batch) * (1 + self.current_epoch if kind == "epoch" else 1)
            self.log("train_loss", loss, on_step=False, on_epoch=True)
            return loss

        def on_validation_epoch_start(self):
            if kind == "mode":
                self.train()

        def validation_step(self, batch, _):
            self.log("val_loss", self.loss(batch), on_step=kind == "step", on_epoch=kind != "step")

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 3e-3)

    return Net()


def fit(kind, folder):
    """Return the trained module, its ledger and the data."""
    import lightning

    from diagnose.lightning import GapCallback

    data, callback = [points(96, 1), points(64, 2)], GapCallback()
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=folder, callbacks=[callback],
    )  # fmt: skip
    own = module(kind)
    trainer.fit(own, *(DataLoader(TensorDataset(*some), 16) for some in data))
    with torch.no_grad():
        return float(own.eval().loss(data[0])), callback.gap, own, data


class TestLightning:
    def test_what_is_annealed_by_the_epoch_is_as_it_was_in_the_last_one(self, tmp_path):
        pytest.importorskip("lightning")
        plain, gap, *_ = fit("epoch", tmp_path)
        assert terms(gap)["objective"] == pytest.approx(-2 * plain, rel=1e-5)
        assert gap.record["verified"]["largest"] < 1e-5

    def test_a_step_that_writes_into_its_batch_is_recorded_and_read_as_it_was(self, tmp_path):
        pytest.importorskip("lightning")
        plain, gap, own, data = fit("writes", tmp_path)
        with torch.no_grad():
            halved = float(own.loss((data[0][0] * 0.5, data[0][1])))
        assert terms(gap)["objective"] == pytest.approx(plain - halved, abs=1e-5)
        assert gap.record["verified"]["largest"] < 1e-5

    def test_several_training_loaders_are_read_as_a_step_gets_them(self, tmp_path):
        lightning = pytest.importorskip("lightning")
        from diagnose.lightning import GapCallback

        class Both(lightning.LightningModule):
            def __init__(self):
                super().__init__()
                torch.manual_seed(0)
                self.body = nn.Linear(8, 2)

            def training_step(self, batch, _):
                loss = sum(F.cross_entropy(self.body(x), y) for x, y in batch.values())
                self.log("train_loss", loss, on_step=False, on_epoch=True)
                return loss

            def validation_step(self, batch, _):
                self.log("val_loss", F.cross_entropy(self.body(batch[0]), batch[1]))

            def configure_optimizers(self):
                return torch.optim.SGD(self.parameters(), 0.1)

        loaders = [DataLoader(TensorDataset(*points(64, seed)), 16) for seed in (1, 2, 3)]
        callback, module = GapCallback(), Both()
        lightning.Trainer(
            max_epochs=2, default_root_dir=tmp_path, logger=False, enable_checkpointing=False, accelerator="cpu",
            enable_progress_bar=False, callbacks=[callback],
        ).fit(module, {"one": loaders[0], "two": loaders[1]}, loaders[2])  # fmt: skip
        with torch.no_grad():
            plain = [
                float(F.cross_entropy(module.body(some[0]), some[1])) for some in (points(64, k) for k in (1, 2, 3))
            ]
        assert callback.gap.matched.train == pytest.approx(plain[0] + plain[1], abs=1e-5)
        assert callback.gap.matched.val == pytest.approx(plain[2], abs=1e-5)
        assert callback.gap.record["verified"]["largest"] < 1e-5
        assert "easier" not in callback.gap.verdict

    def test_a_loss_that_is_logged_by_the_step_alone_is_said_to_be_one_batchs(self, tmp_path):
        """lincc-frameworks/hyrax#1034: what is shown is the last batch's."""
        pytest.importorskip("lightning")
        with pytest.warns(
            GapWarning, match="shows is one batch's alone, and no callback sees it; log the loss with on_epoch"
        ):
            assert fit("step", tmp_path)[1] is None

    def test_a_validation_in_training_mode_is_found(self, tmp_path):
        pytest.importorskip("lightning")
        _, gap, *_ = fit("mode", tmp_path)
        assert "gap/eval-forgotten" in {one["rule"] for one in gap.findings}
        assert terms(gap)["mode"] == 0


def test_keras_layers_are_named_and_what_they_keep_is_put_back():
    if importlib.util.find_spec("keras") is None:
        pytest.skip("keras is not installed")
    found = Forked(keras_layers, KERAS_BACKEND="torch").result()
    assert found["matched"] == pytest.approx(found["plain"], rel=1e-5)
    assert found["kinds"] == ["BatchNormalization and GaussianNoise"]
    assert found["kept"]
    assert found["mode"] != 0


def test_one_process_that_logs_its_own_part_of_validation_is_named():
    found, _ = two_ranks(distributed, "alone")
    assert "of the batches of process 0 alone" in found["factor"]
    assert found["residual"] == pytest.approx(found["own"] - found["whole"], abs=1e-5)
