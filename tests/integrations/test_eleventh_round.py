"""Trainers and Lightning modules as their users report them (docs/LOG.md, 2026-11-30), each against plain torch."""

import warnings
from collections import defaultdict

import pytest
import torch
from test_framework_causes import classifier, labelled, terms, train
from test_real_libraries import collate, cut, gpt2, tokens
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from two_processes import points

from diagnose.integrations.aside import GapWarning

pytestmark = [pytest.mark.trains, pytest.mark.filterwarnings("ignore")]


def text(count, seed):
    return [{"input_ids": row.tolist(), "labels": row.tolist()} for row in tokens(count, seed)]


def rules(gap):
    return {finding["rule"] for finding in gap.findings}


@torch.no_grad()
def mean(model, batches, loss, *, training=False):
    """Return the mean of the batches' losses."""
    model.train(training)
    return sum(float(loss(model, batch)) for batch in batches) / len(batches)


def shifted(model, batch):
    scores = model(input_ids=batch["input_ids"]).logits[:, :-1].transpose(1, 2).float()
    return F.cross_entropy(scores, batch["labels"][:, 1:])


class TestTrainer:
    @pytest.fixture(autouse=True)
    def _transformers(self):
        pytest.importorskip("transformers")

    def test_a_mean_that_the_trainer_is_told_to_divide_is_no_sum(self, tmp_path):
        from transformers import Trainer

        weight = torch.tensor([1.0, 2.0])

        def own(model, batch):
            return F.cross_entropy(model(input_ids=batch["input_ids"]).logits, batch["labels"].long(), weight=weight)

        class Told(Trainer):
            loss_is_scaled_for_ga = False

            def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # noqa: ARG002
                loss = own(model, inputs)
                return (loss, {"loss": loss}) if return_outputs else loss

        data = [labelled(96, 1), labelled(48, 2)]
        with warnings.catch_warnings():
            warnings.simplefilter("error", GapWarning)
            trainer, gap = train(Told, classifier(), data, tmp_path, gradient_accumulation_steps=4)
        assert terms(gap)["objective"] == 0
        assert terms(gap)["residual"] == pytest.approx(0, abs=1e-6)  # as the machine rounds
        assert gap.record["verified"]["largest"] < 1e-5
        assert gap.matched.val == pytest.approx(mean(trainer.model, cut(data[1]), own), abs=1e-5)

    def test_rows_of_several_parts_are_not_taken_for_a_loss_of_the_batch(self, tmp_path):
        from transformers import Trainer

        data = [[row | {"input_ids": row["input_ids"][: 4 + k % 9]} for k, row in enumerate(text(n, s))]
                for n, s in ((96, 1), (48, 2))]  # fmt: skip

        def padded(rows):
            width = max(len(row["input_ids"]) for row in rows)
            full = [row["input_ids"] + [0] * (width - len(row["input_ids"])) for row in rows]
            ids = torch.tensor(full)
            return {"input_ids": ids, "attention_mask": (ids > 0).long(), "labels": ids.masked_fill(ids == 0, -100)}

        class Padded(Trainer):
            def __init__(self, *args, **named):
                super().__init__(*args, **named | {"data_collator": padded})

        keys = {"gradient_accumulation_steps": 4, "label_smoothing_factor": 0.1}
        _, gap = train(Padded, gpt2(0.0), data, tmp_path, **keys)
        assert gap is not None
        assert terms(gap)["batching"] == 0
        assert terms(gap)["residual"] == pytest.approx(0, abs=1e-5)

    def test_a_second_training_has_nothing_of_the_first(self, tmp_path):
        from transformers import Trainer

        data = [text(96, 1), text(48, 2)]
        trainer, _ = train(Trainer, gpt2(0.0), data, tmp_path)
        trainer.train()
        gap = next(one.gap for one in trainer.callback_handler.callbacks if hasattr(one, "gap"))
        assert terms(gap)["residual"] == pytest.approx(0, abs=1e-5)
        val = mean(trainer.model, cut(data[1]), shifted)
        assert gap.matched.val == pytest.approx(val * 11 / 12, abs=1e-4)  # first tokens count as 0

    def test_what_is_drawn_afterwards_is_as_it_would_be(self, tmp_path):
        from transformers import Trainer, TrainingArguments

        from diagnose.huggingface import GapCallback

        def drawn(callbacks):
            keys = {"max_steps": 4, "eval_strategy": "steps", "eval_steps": 4, "logging_steps": 2, "report_to": []}
            arguments = TrainingArguments(str(tmp_path), **keys, use_cpu=True, disable_tqdm=True, save_strategy="no")
            trainer = Trainer(
                gpt2(0.1), arguments, data_collator=collate, train_dataset=text(48, 1), eval_dataset=text(24, 2),
                callbacks=callbacks,
            )  # fmt: skip
            trainer.train()
            return torch.rand(1)

        assert drawn([GapCallback()]) == drawn([])

    def test_a_loop_of_ones_own_over_prediction_step_is_the_trainers_loss(self, tmp_path):
        from transformers import Trainer

        class Own(Trainer):
            def evaluate(self, *_, **__):
                self.model.eval()
                loader = self.get_eval_dataloader()
                each = [float(self.prediction_step(self.model, batch, True)[0]) for batch in loader]
                self.log({"eval_loss": sum(each) / len(each)})
                return {"eval_loss": sum(each) / len(each)}

        data = [text(96, 1), text(48, 2)]
        trainer, gap = train(Own, gpt2(0.0), data, tmp_path)
        assert gap.matched.val == pytest.approx(mean(trainer.model, cut(data[1]), shifted) * 11 / 12, abs=1e-4)
        assert terms(gap)["residual"] == pytest.approx(0, abs=1e-5)

    @pytest.mark.parametrize("calls", [False, True])
    def test_an_evaluate_of_ones_own_that_forgets_eval(self, tmp_path, calls):
        from transformers import Trainer

        class Own(Trainer):
            def evaluate(self, *_, **__):
                total, loader = 0.0, self.get_eval_dataloader()
                if calls:
                    self.model.eval()
                with torch.no_grad():
                    for batch in loader:
                        total += self.compute_loss(self.model, self._prepare_inputs(batch)).item()
                self.log({"eval_loss": total / len(loader)})
                return {"eval_loss": total / len(loader)}

        data = [text(192, 1), text(192, 2)]
        trainer, gap = train(Own, gpt2(0.3), data, tmp_path)
        off = mean(trainer.model, cut(data[1]), shifted)
        assert ("gap/eval-forgotten" in rules(gap)) is not calls
        assert gap.matched.val == pytest.approx(off, abs=1e-4)
        assert terms(gap)["residual"] == pytest.approx(0, abs=1e-5 if calls else 0.05)

    def test_a_full_evaluation_in_bf16_is_of_other_weights(self, tmp_path):
        from transformers import Trainer

        data = [text(96, 1), text(48, 2)]
        trainer, _ = train(Trainer, gpt2(0.0), data, tmp_path, bf16_full_eval=True, eval_strategy="no")
        val = {"fp32": mean(trainer.model, cut(data[1]), shifted) * 11 / 12}
        training = {"fp32": mean(trainer.model, cut(data[0]), shifted) * 11 / 12}
        reported = trainer.evaluate()["eval_loss"]
        gap = next(one.gap for one in trainer.callback_handler.callbacks if hasattr(one, "gap"))
        assert {value.dtype for value in trainer.model.parameters()} == {torch.bfloat16}  # as evaluate() leaves it
        val["bf16"], training["bf16"] = (mean(trainer.model, cut(some), shifted) * 11 / 12 for some in data[::-1])
        assert "gap/replay" not in rules(gap)
        assert reported == pytest.approx(val["bf16"], abs=1e-4)
        assert gap.matched.val == pytest.approx(val["bf16"], abs=1e-4)
        assert terms(gap)["weights"] == pytest.approx(training["bf16"] - training["fp32"], abs=1e-4)
        assert terms(gap)["residual"] == pytest.approx(0, abs=1e-4)

    def test_a_mask_on_one_side_alone_is_said(self, tmp_path):
        from transformers import Trainer

        def some(count, seed, *, mask):
            out = []
            for k, row in enumerate(labelled(count, seed)):
                real = 6 + 6 * (k % 2)
                ids = [token if place < real else 0 for place, token in enumerate(row["input_ids"])]
                more = {"attention_mask": [int(place < real) for place in range(12)]} if mask else {}
                out.append({"input_ids": ids, "labels": int(row["labels"])} | more)
            return out

        model, data = classifier(), [some(192, 1, mask=True), some(96, 2, mask=False)]
        trainer, gap = train(Trainer, model, data, tmp_path, max_steps=48, eval_steps=48)

        def own(model, batch):
            return model(**batch).loss

        val, first = mean(trainer.model, cut(data[1]), own), mean(trainer.model, cut(data[0]), own)
        assert terms(gap)["unseen"] + terms(gap)["leak"] == pytest.approx(val - first, abs=1e-4)
        unlike = gap.record["conditions"]["unlike"]
        assert unlike == [
            "entry 'input_ids' of the batch comes with an attention_mask in training alone: in validation padding is "
            "read as if it were tokens"
        ]


def module(kind):  # noqa: C901  (a module of each kind that people write)
    import lightning
    import torchmetrics

    class Net(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.net, self.kept, self.steps = nn.Linear(8, 2), [], {"val": []}
            self.begun = defaultdict(list)
            self.mean, self.val_losses, self.val_scores = torchmetrics.MeanMetric(), [], []

        def loss(self, batch):
            x, y = (batch["x"], batch["y"]) if isinstance(batch, dict) else batch
            return F.cross_entropy(self.net(x), y)

        def training_step(self, batch, _):
            loss = self.loss(batch) / (4 if kind == "divided" else 1)
            self.log("train_loss", loss, on_step=False, on_epoch=True)
            return loss

        def validation_step(self, batch, _):
            loss = self.loss(batch)
            if kind == "list":
                self.kept.append(loss)
            elif kind == "table":
                self.steps["val"].append({"val_loss": loss, "n": torch.tensor(1.0)})
            elif kind == "begun":
                self.begun[0].append({"loss": loss, "scores": self.net(batch[0])})
            elif kind == "numbers":
                self.val_losses.append(loss.item())
                self.val_scores.append((self.net(batch[0]).argmax(1) == batch[1]).float().mean().item())
            elif kind == "metric":
                self.mean.update(loss)
            elif kind == "logits":
                self.kept.append((self.net(batch[0]), batch[1]))
            elif kind == "sized":
                self.log("val_loss", loss, batch_size=len(batch["y"]))
            else:
                self.log("val_loss", loss)

        def on_validation_epoch_end(self):
            if kind == "list":
                self.log("val_loss", torch.stack(self.kept).mean())
                self.kept.clear()
            elif kind == "table":
                self.log("val_loss", torch.stack([one["val_loss"] for one in self.steps["val"]]).mean())
                self.steps["val"].clear()
            elif kind == "begun":
                self.log("val_loss", torch.stack([one["loss"] for one in self.begun[0]]).mean())
                self.begun.clear()
            elif kind == "numbers":
                self.log("val_loss", sum(self.val_losses) / len(self.val_losses))
                self.log("val_acc", sum(self.val_scores) / len(self.val_scores))
                self.val_losses, self.val_scores = [], []
            elif kind == "metric":
                self.log("val_loss", self.mean.compute())
                self.mean.reset()
            elif kind == "logits":
                scores, labels = (torch.cat(some) for some in zip(*self.kept, strict=True))
                self.log("val_loss", F.cross_entropy(scores, labels))
                self.kept.clear()

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 3e-3)

    return Net()


def edges(rows):
    """Return graphs as a batch whose first tensor has as many rows as they have edges."""
    sizes = [3 + int(x[0] > 0) * 6 for x, _ in rows]
    return {"edges": torch.zeros(sum(sizes), 2), "x": torch.stack([x for x, _ in rows]),
            "y": torch.stack([y for _, y in rows])}  # fmt: skip


def fit(kind, folder, collate_fn=None, val=97):
    """Return the module, its ledger, the warnings that are ours and validation's batches."""
    lightning = pytest.importorskip("lightning")
    from diagnose.lightning import GapCallback

    loaders = [DataLoader(TensorDataset(*points(*some)), 16, collate_fn=collate_fn) for some in ((96, 1), (val, 2))]
    callback, own = GapCallback(), module(kind)
    trainer = lightning.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=folder, callbacks=[callback],
    )  # fmt: skip
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trainer.fit(own, *loaders)
    said = [str(one.message) for one in caught if issubclass(one.category, GapWarning)]
    return own, callback.gap, said, list(loaders[1])


@torch.no_grad()
def losses(own, batches):
    return torch.stack([own.loss(batch) for batch in batches]), torch.tensor([float(len(b[1])) for b in batches])


class TestLightning:
    @pytest.mark.parametrize("kind", ["list", "table", "begun", "numbers", "metric"])
    def test_what_a_step_keeps_for_the_end_of_the_epoch_is_read(self, tmp_path, kind):
        own, gap, said, batches = fit(kind, tmp_path)
        each, sizes = losses(own, batches)
        by_samples = float((each * sizes).sum() / sizes.sum())
        assert said == []
        assert gap.matched.val == pytest.approx(by_samples, abs=1e-5)
        assert terms(gap)["reduction"] == pytest.approx(float(each.mean()) - by_samples, abs=1e-5)
        assert terms(gap)["residual"] == pytest.approx(0, abs=1e-5)
        assert own.kept == own.steps["val"] == own.val_losses == list(own.begun) == []

    def test_what_is_no_loss_of_a_batch_is_refused_in_one_line(self, tmp_path):
        own, gap, said, _ = fit("logits", tmp_path)
        assert gap is None
        assert own.kept == []
        assert len(said) == 1
        assert "nor keeps one number a batch in a list or a MeanMetric, so it cannot be read again" in said[0]

    def test_a_training_loss_divided_by_the_parts_is_called_that(self, tmp_path):
        own, gap, *_ = fit("divided", tmp_path)
        plain, _ = losses(own, list(DataLoader(TensorDataset(*points(96, 1)), 16)))
        assert terms(gap)["objective"] == pytest.approx(0.75 * float(plain.mean()), rel=1e-4)
        assert "validation's is 4 times the other's on every batch (" in gap.verdict

    @pytest.mark.parametrize("kind", ["plain", "sized"])
    def test_batches_that_are_weighed_by_another_tensor_are_told(self, tmp_path, kind):
        own, gap, said, batches = fit(kind, tmp_path, edges, val=96)
        each = torch.stack([own.loss(batch).detach() for batch in batches])
        sizes = torch.tensor([float(len(batch["edges"] if kind == "plain" else batch["y"])) for batch in batches])
        assert gap.record["reported"]["val"] == pytest.approx(float((each * sizes).sum() / sizes.sum()), abs=1e-5)
        assert len(said) == (kind == "plain")
        for line in said:
            rows = f"'edges' ({int(sizes[0])}, then {int(sizes[1])}), and not by its 16 samples"
            assert f"by the rows of its first tensor, {rows}" in line
            assert "give self.log(..., batch_size=...) in both steps" in line

    def test_what_is_drawn_afterwards_is_as_it_would_be(self, tmp_path):
        lightning = pytest.importorskip("lightning")
        from diagnose.lightning import GapCallback

        def drawn(callbacks):
            torch.manual_seed(5)
            loaders = [DataLoader(TensorDataset(*points(*some)), 16) for some in ((96, 1), (64, 2))]
            lightning.Trainer(
                max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
                enable_model_summary=False, default_root_dir=tmp_path, callbacks=callbacks,
            ).fit(module("plain"), *loaders)  # fmt: skip
            return torch.rand(1)

        assert drawn([GapCallback()]) == drawn([])

    def test_names_with_their_words_the_other_way_round_are_the_same(self):
        pytest.importorskip("lightning")
        from diagnose.integrations.lightning_callback import _plain

        assert _plain("loss/val") == _plain("val_loss") == _plain("Validation Loss") != _plain("val_aux_loss")


def audited(model, data):
    from diagnose import Side, audit_metric

    def loss(model, batch):
        return model(**batch)["loss"]

    return audit_metric(model, Side(cut(data[0]), loss), Side(cut(data[1]), loss), budget=4.0)


class TestAudit:
    @pytest.fixture(autouse=True)
    def _transformers(self):
        pytest.importorskip("transformers")

    def test_a_classifiers_head_is_not_tied_to_an_embedding_of_its_shape(self):
        """BERT has two kinds of segments, each with an embedding, and two classes."""
        data = [[row | {"labels": int(row["labels"])} for row in labelled(*some)] for some in ((64, 1), (32, 2))]
        assert "tied-weights" not in rules(audited(classifier(), data))

    def test_a_model_of_sound_has_no_embeddings(self):
        from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

        torch.manual_seed(0)
        shapes = {"conv_dim": (8,), "conv_stride": (4,), "conv_kernel": (8,), "num_feat_extract_layers": 1}
        sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
        model = Wav2Vec2ForCTC(Wav2Vec2Config(
            vocab_size=6, num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2, pad_token_id=0, **shapes, **sizes
        ))  # fmt: skip
        data = [[{"input_values": torch.randn(64).tolist(), "labels": [1 + k % 5, 2]} for k in range(count)]
                for count in (24, 16)]  # fmt: skip
        found = audited(model, data)
        assert "no embedding and output matrix of one shape were found" in str(found.record)
        assert "tied-weights" not in rules(found)

    def test_an_adapter_on_frozen_weights_need_not_learn_samples_by_heart(self):
        peft = pytest.importorskip("peft")
        config = peft.LoraConfig(r=2, target_modules=["c_attn"], lora_dropout=0.0, fan_in_fan_out=True)
        found = audited(peft.get_peft_model(gpt2(0.0), config), [text(64, 1), text(32, 2)])
        assert "cannot-overfit" not in rules(found)
        assert "of the weights are frozen, and what is left need not learn 4 samples by heart" in str(found.record)

    def test_negatives_of_the_batch_whose_scores_are_returned_are_no_error(self):
        class Pairs(nn.Module):
            """As CLIP: its outputs are a table with the scores of each row with each."""

            def __init__(self):
                super().__init__()
                torch.manual_seed(0)
                self.body = nn.Linear(12, 8)

            def forward(self, one, other):
                scores = 5 * F.normalize(self.body(one), dim=-1) @ F.normalize(self.body(other), dim=-1).T
                return {"loss": F.cross_entropy(scores, torch.arange(len(scores))), "scores": scores}

        data = [[{"one": torch.randn(12).tolist(), "other": torch.randn(12).tolist()} for _ in range(count)]
                for count in (64, 32)]  # fmt: skip
        found = next(one for one in audited(Pairs(), data).findings if one["rule"] == "batch-dependent")
        assert found["severity"] == "note"
        assert "the model's outputs are each row's own" in found["what"]
