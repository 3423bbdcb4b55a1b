"""Callbacks in people's training scripts: they never end a training, and what they cannot do is one warning."""

import io
import sys
import warnings
from functools import partial

import pytest
import torch
from test_frameworks import collate, gpt2, loaders, terms
from torch import nn
from torch.nn import functional as F

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("frameworks")]

QUIET = {
    "logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False,
    "accelerator": "cpu", "max_epochs": 2,
}  # fmt: skip


def net(kind="plain", val="val_loss", train="train_loss"):  # noqa: C901  (a module of each kind that people write)
    import lightning
    import torchmetrics

    class Net(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 3))
            self.mean, self.val_mean, self.got = torchmetrics.MeanMetric(), torchmetrics.MeanMetric(), []
            self.automatic_optimization = kind != "manual"

        def loss(self, batch):
            return F.cross_entropy(self.net(batch[0]), batch[1])

        def training_step(self, batch, _):
            loss = self.loss(batch)
            if kind == "manual":
                optimizer = self.optimizers()
                optimizer.zero_grad()
                self.manual_backward(loss)
                optimizer.step()
            if kind == "metric":
                self.mean(loss)
            self.log(train, self.mean if kind == "metric" else loss, on_step=False, on_epoch=True)
            return None if kind == "manual" else loss

        def validation_step(self, batch, _, dataloader_idx=0):  # noqa: ARG002
            if kind == "epoch end":
                self.got.append(self.loss(batch))
            elif kind == "metric":
                self.val_mean(self.loss(batch))
                self.log(val, self.val_mean)
            elif kind != "silent":
                self.log(val, self.loss(batch))

        def on_validation_epoch_end(self):
            if kind == "epoch end":
                self.log(val, torch.stack(self.got).mean())
                self.got = []

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 3e-3)

    return Net()


def fit(module, folder, val=None, **keys):
    """Train with the callback; return it and the warnings that are ours."""
    import lightning

    from diagnose.integrations.aside import GapWarning
    from diagnose.lightning import GapCallback

    callback = GapCallback()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        keys.setdefault("callbacks", []).insert(0, callback)
        trainer = lightning.Trainer(default_root_dir=folder, **QUIET | keys)
        train, own = loaders()
        trainer.fit(module, train, val or own)
    return callback, [str(one.message) for one in caught if issubclass(one.category, GapWarning)]


@torch.no_grad()
def brute_force(module, batches):
    """Return the mean over samples, in evaluation mode, by plain torch."""
    module.eval()
    found = [(float(module.loss(batch)), len(batch[0])) for batch in batches]
    return sum(loss * size for loss, size in found) / sum(size for _, size in found)


class TestLightning:
    @pytest.mark.parametrize("name", ["valid/loss", "val/loss", "validation_loss", "Val_Loss"])
    def test_another_spelling_of_the_name_is_found(self, tmp_path, name):
        callback, said = fit(net(val=name, train="train/loss"), tmp_path)
        assert callback.gap.record["reported"]["given"] == [True, True]
        assert terms(callback.gap)["residual"] == pytest.approx(0, abs=1e-5)
        assert said == []

    def test_the_only_loss_of_another_name_is_taken_and_said(self, tmp_path):
        callback, said = fit(net(val="holdout/ce_loss"), tmp_path)
        assert terms(callback.gap)["residual"] == pytest.approx(0, abs=1e-5)
        assert said == [
            "diagnose: no metric 'val_loss' was logged, so 'holdout/ce_loss' is taken; "
            "GapCallback(val=...) names another"
        ]

    def test_an_accuracy_is_not_taken_for_the_loss(self, tmp_path):
        callback, said = fit(net(val="val_acc"), tmp_path)
        assert callback.gap is None
        assert len(said) == 1
        assert "no metric 'val_loss' was logged, nor another loss (it logs val_acc)" in said[0]
        assert "log it, as self.log('val_loss', loss)" in said[0]

    def test_validation_that_logs_nothing_costs_a_warning(self, tmp_path):
        callback, said = fit(net("silent"), tmp_path)
        assert callback.gap is None
        assert len(said) == 1
        assert "no metric 'val_loss' was logged" in said[0]

    def test_losses_that_are_kept_for_the_end_of_the_epoch_are_read(self, tmp_path):
        module = net("epoch end")
        callback, said = fit(module, tmp_path)
        assert said == []
        assert callback.gap.matched.val == pytest.approx(brute_force(module, loaders()[1]), abs=1e-5)
        assert terms(callback.gap)["residual"] == pytest.approx(0, abs=1e-5)
        assert module.got == []

    def test_a_training_of_the_first_batch_alone_is_read_on_it(self, tmp_path):
        """Lightning-AI/pytorch-lightning#15021: what was learned by heart is no easier batch than usual."""
        module = net()
        callback, said = fit(module, tmp_path, overfit_batches=1)
        train = loaders()[0]
        first = next(iter(torch.utils.data.DataLoader(train.dataset, train.batch_size)))
        assert said == []
        assert callback.gap.matched.train == pytest.approx(brute_force(module, [first]), abs=1e-5)
        assert "easier than usual" not in callback.gap.verdict

    def test_manual_optimisation(self, tmp_path):
        module = net("manual")
        callback, said = fit(module, tmp_path)
        assert said == []  # steps return no loss: what the logged mean grew by is each step's
        assert terms(callback.gap)["residual"] == pytest.approx(0, abs=1e-4)
        assert callback.gap.record["verified"]["largest"] < 1e-4
        logged = [float(module.trainer.callback_metrics[f"{name}_loss"]) for name in ("train", "val")]
        assert callback.gap.record["gap"] == pytest.approx(logged[1] - logged[0], rel=1e-4)
        weights = {name: value.clone() for name, value in module.state_dict().items()}
        assert callback.gap.matched.val == pytest.approx(brute_force(module, loaders()[1]), rel=1e-5)
        assert all(torch.equal(weights[name], value) for name, value in module.state_dict().items())

    def test_a_metric_object_keeps_its_state(self, tmp_path):
        module = net("metric")
        callback, said = fit(module, tmp_path)
        assert said == []
        assert terms(callback.gap)["residual"] == pytest.approx(0, abs=2e-6)  # both count a short last batch in full
        assert float(module.mean.weight) == 0 or int(module.mean.weight) % 11 == 0

    def test_several_validation_loaders_have_a_ledger_each(self, tmp_path, capsys):
        module, val = net(), loaders()[1]
        other = torch.utils.data.DataLoader(torch.utils.data.Subset(val.dataset, range(40)), 40)
        callback, said = fit(module, tmp_path, [val, other])
        assert said == []
        assert list(callback.gaps) == ["val_loss/dataloader_idx_0", "val_loss/dataloader_idx_1"]
        for gap, loader in zip(callback.gaps.values(), (val, other), strict=True):
            assert gap.matched.val == pytest.approx(brute_force(module, loader), rel=1e-5)
        assert (tmp_path / "gap.html").exists()
        assert (tmp_path / "gap-1.html").exists()
        lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("diagnose: ")]
        pages = (tmp_path / "gap.html", tmp_path / "gap-1.html")
        assert lines == [f"diagnose: {gap.verdict} {p}" for gap, p in zip(callback.gaps.values(), pages, strict=True)]

    def test_a_terminal_without_our_letters_is_told_all_the_same(self, tmp_path, monkeypatch):
        out = io.TextIOWrapper(io.BytesIO(), "ascii")
        monkeypatch.setattr(sys, "stdout", out)
        callback, said = fit(net(), tmp_path)
        out.flush()
        assert said == []
        assert callback.gap is not None
        assert b"diagnose: Validation lies " in out.buffer.getvalue()

    def test_a_part_of_validation_is_the_luck_of_the_draw(self, tmp_path):
        module = net()
        callback, _ = fit(module, tmp_path, limit_val_batches=2)
        whole = list(loaders()[1])
        assert terms(callback.gap)["draw"] == pytest.approx(
            brute_force(module, whole[:2]) - brute_force(module, whole), abs=1e-5
        )
        assert terms(callback.gap)["residual"] == pytest.approx(0, abs=1e-5)

    @pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true", "16-mixed"])
    def test_low_precision_replays_as_it_ran(self, tmp_path, precision):
        callback, said = fit(net(), tmp_path, precision=precision)
        assert said == []
        assert terms(callback.gap)["residual"] == pytest.approx(0, abs=2e-3 if precision == "bf16-true" else 1e-5)
        assert "gap/unfaithful" not in {finding["rule"] for finding in callback.gap.findings}

    def test_averaged_weights_are_a_term(self, tmp_path):
        from lightning.pytorch.callbacks import EMAWeightAveraging

        callback, said = fit(net(), tmp_path, callbacks=[EMAWeightAveraging(decay=0.9)])
        assert said == []
        assert terms(callback.gap)["weights"] != 0
        assert terms(callback.gap)["residual"] == pytest.approx(0, abs=1e-5)
        assert "weights" in (tmp_path / "gap.html").read_text(encoding="utf-8")

    def test_without_validation_one_line(self, tmp_path):
        callback, said = fit(net(), tmp_path, limit_val_batches=0)
        assert callback.gap is None
        assert said == ["diagnose: no validation ran, so there is no gap to explain"]

    def test_training_is_what_it_is_without_the_callback(self, tmp_path):
        import lightning

        one, two = net("metric"), net("metric")
        torch.manual_seed(5)
        fit(one, tmp_path)
        torch.manual_seed(5)
        lightning.Trainer(default_root_dir=tmp_path, **QUIET).fit(two, *loaders())
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))

    def test_a_fault_of_ours_is_a_warning_too(self, tmp_path, monkeypatch):
        from diagnose.integrations import averaging

        def broken(*_, **__):
            raise RuntimeError("broken\nin two lines")

        monkeypatch.setattr(averaging, "explain", broken)
        callback, said = fit(net(), tmp_path)
        assert callback.gap is None
        assert said == [
            "diagnose: no ledger of this gap, for LightningGapCallback.on_train_end failed: RuntimeError: broken"
        ]


def fit_trainer(model, folder, train, val, trainer_class=None, **keys):
    from transformers import Trainer, TrainingArguments

    from diagnose.huggingface import GapCallback
    from diagnose.integrations.aside import GapWarning

    settings = {
        "max_steps": 8, "per_device_train_batch_size": 8, "logging_steps": 4, "eval_strategy": "steps", "eval_steps": 4,
        "learning_rate": 3e-3, "report_to": [], "disable_tqdm": True, "save_strategy": "no", "use_cpu": True,
        "dataloader_pin_memory": False,
    }  # fmt: skip
    callback = GapCallback(budget="50 batches")
    args = TrainingArguments(str(folder), **settings | keys)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trainer = (trainer_class or Trainer)(
            model, args, data_collator=collate, train_dataset=train, eval_dataset=val, callbacks=[callback]
        )
        trainer.train()
    return callback, trainer, [str(one.message) for one in caught if issubclass(one.category, GapWarning)]


@pytest.fixture(scope="module")
def rows(verses):
    return [[c % 128 for c in line[:48]] for line in verses.read_bytes().splitlines()]


class TestHuggingFace:
    def test_several_evaluation_sets_have_a_ledger_each(self, rows, tmp_path, capsys):
        sets = {"psalms": rows[100:120], "job": rows[120:]}
        callback, trainer, said = fit_trainer(gpt2(), tmp_path, rows[:100], sets)
        assert said == []
        assert list(callback.gaps) == ["eval_psalms_loss", "eval_job_loss"]
        for name, gap in callback.gaps.items():
            own = trainer.evaluate(sets[name.split("_")[1]])["eval_loss"]
            assert gap.record["reported"]["val"] == pytest.approx(own, rel=1e-5)
            assert terms(gap)["residual"] == pytest.approx(0, abs=1e-4)
        out = capsys.readouterr().out
        assert all(f"diagnose: {gap.verdict} {tmp_path}" in out for gap in callback.gaps.values())

    def test_a_loss_of_ones_own_under_accumulation_is_no_fault_of_the_data(self, rows, tmp_path):
        from transformers import Trainer

        class Own(Trainer):
            def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # noqa: ARG002
                out = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
                loss = F.cross_entropy(
                    out.logits[:, :-1].flatten(0, 1), inputs["labels"][:, 1:].flatten(), weight=torch.ones(128)
                )
                return (0.5 * loss, out) if return_outputs else 0.5 * loss

        callback, trainer, _ = fit_trainer(
            gpt2(), tmp_path, rows[:96], rows[100:], Own, gradient_accumulation_steps=2, max_steps=4, logging_steps=2
        )
        found = terms(callback.gap)
        assert callback.gap.matched.val == pytest.approx(trainer.evaluate(rows[100:])["eval_loss"], rel=1e-4)
        assert found["objective"] == pytest.approx(-callback.gap.matched.train, rel=0.05)  # the sum of two parts
        assert abs(found["unseen"]) < 0.1

    def test_the_best_model_is_explained_where_it_is_loaded(self, rows, tmp_path):
        callback, trainer, said = fit_trainer(
            gpt2(), tmp_path, rows[:100], rows[100:], learning_rate=0.5, load_best_model_at_end=True,
            save_strategy="steps", save_steps=4,
        )  # fmt: skip
        assert said == []
        assert trainer.state.best_metric is not None
        assert callback.gap.record["reported"]["val"] == pytest.approx(trainer.state.best_metric, rel=1e-6)
        assert terms(callback.gap)["residual"] == pytest.approx(0, abs=1e-4)

    @pytest.mark.parametrize("around", [False, True], ids=["alone", "within another's step"])
    def test_a_training_that_was_interrupted_may_begin_again(self, rows, tmp_path, around):
        """As in a notebook, where somebody else may have put a step around ours; each step is recorded once."""
        from transformers import Trainer, TrainerCallback

        steps = []

        class Interrupts(TrainerCallback):
            def on_step_end(self, args, state, control, model=None, **_):  # noqa: ARG002
                steps.append(state.global_step)
                if len(steps) == 3:
                    raise KeyboardInterrupt

            def on_train_begin(self, args, state, control, **_):  # noqa: ARG002
                if around and not steps:
                    own = trainers[0].training_step
                    trainers[0].training_step = partial(own)

        trainers = []

        class Noted(Trainer):
            def __init__(self, *args, callbacks, **keys):
                super().__init__(*args, callbacks=[*callbacks, Interrupts], **keys)
                trainers.append(self)

            def train(self):
                with pytest.raises(KeyboardInterrupt):
                    super().train()
                return super().train()

        callback, trainer, said = fit_trainer(gpt2(), tmp_path, rows[:100], rows[100:], Noted)
        assert said == []
        assert steps == [1, 2, 3, *range(1, 9)]
        assert callback._recorder.number == 8
        assert callback.gap.record["reported"]["val"] == pytest.approx(trainer.evaluate()["eval_loss"], rel=1e-5)
        assert terms(callback.gap)["residual"] == pytest.approx(0, abs=1e-4)
        assert around or trainer.training_step == trainer.__class__.training_step.__get__(trainer)

    def test_without_evaluation_one_line(self, rows, tmp_path):
        callback, _, said = fit_trainer(gpt2(), tmp_path, rows[:100], None, eval_strategy="no")
        assert callback.gap is None
        assert said == [
            "diagnose: no evaluation ran, so there is no gap to explain: give eval_dataset and eval_strategy, or call "
            "evaluate() when training has ended"
        ]

    def test_an_evaluation_that_is_called_after_training_is_announced(self, rows, tmp_path):
        callback, trainer, said = fit_trainer(gpt2(), tmp_path, rows[:100], rows[100:], eval_strategy="no")
        assert callback.gap is None
        assert said == ["diagnose: no evaluation ran in training: the gap is explained when evaluate() is called"]
        assert callback.gap or trainer.evaluate()["eval_loss"] == pytest.approx(callback.gap.record["reported"]["val"])

    def test_evaluations_without_a_loss_one_line(self, rows, tmp_path):
        from transformers import Trainer

        class WithoutLabels(Trainer):
            def prediction_step(self, *args, **named):
                return (None, *super().prediction_step(*args, **named)[1:])

        callback, trainer, said = fit_trainer(gpt2(), tmp_path, rows[:100], rows[100:120], WithoutLabels)
        assert trainer.state.global_step == 8
        assert callback.gap is None
        assert said == [
            "diagnose: evaluation ran but gave no eval_loss, so there is no gap to explain: the Trainer takes it of "
            "batches that hold labels (label_names)"
        ]

    def test_a_fault_of_ours_is_a_warning(self, rows, tmp_path, monkeypatch):
        from diagnose.integrations import averaging

        def broken(*_, **__):
            raise ValueError

        monkeypatch.setattr(averaging, "explain", broken)
        callback, trainer, said = fit_trainer(gpt2(), tmp_path, rows[:100], rows[100:])
        assert trainer.state.global_step == 8
        assert callback.gap is None
        assert said == ["diagnose: no ledger of this gap, for TrainerGapCallback.on_train_end failed: ValueError"]
