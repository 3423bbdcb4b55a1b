"""Real libraries against brute force: what the ledger reads is what plain torch reads, to 1e-5."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from run_fixture import Forked, two_ranks
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from two_processes import ce, distributed, keras, points

from diagnose import Side, explain_gap

pytestmark = pytest.mark.filterwarnings("ignore")
NEAR = 1e-5
PROCESSES = Path(__file__).with_name("two_processes.py")


def tokens(count, seed, length=12, vocabulary=40):
    """Return rows of a language in which the next token is mostly the last one plus 1."""
    draw = torch.Generator().manual_seed(seed)
    first = torch.randint(4, vocabulary, (count, 1), generator=draw)
    steps = (torch.rand(count, length - 1, generator=draw) < 0.8).long().cumsum(1)
    return torch.cat([first, 4 + (first - 4 + steps) % (vocabulary - 4)], 1)


def rows(count, seed, **more):
    return [
        {"input_ids": row.tolist(), **{name: make(row) for name, make in more.items()}} for row in tokens(count, seed)
    ]


def collate(some):
    return {name: torch.tensor([row[name] for row in some]) for name in some[0]}


def gpt2(p=0.1):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    sizes = {"vocab_size": 40, "n_positions": 32, "n_embd": 16, "n_layer": 1, "n_head": 2}
    drops = {"resid_pdrop": p, "embd_pdrop": p, "attn_pdrop": p}
    return GPT2LMHeadModel(GPT2Config(**sizes, **drops, bos_token_id=1, eos_token_id=1))


def trained(model, folder, data, kind=None, **keys):
    """Train by the Trainer with the callback; return both."""
    from transformers import Trainer, TrainingArguments

    from diagnose.huggingface import GapCallback

    settings = {
        "max_steps": 12, "per_device_train_batch_size": 8, "per_device_eval_batch_size": 8, "logging_steps": 6,
        "eval_strategy": "steps", "eval_steps": 12, "learning_rate": 3e-3, "report_to": [], "disable_tqdm": True,
        "save_strategy": "no", "use_cpu": True, "dataloader_pin_memory": False, "logging_nan_inf_filter": False,
    }  # fmt: skip
    trainer_class, arguments_class = kind or (Trainer, TrainingArguments)
    callback = GapCallback()
    trainer = trainer_class(
        model=model, args=arguments_class(str(folder), **settings | keys), data_collator=collate,
        train_dataset=data[0], eval_dataset=data[1], callbacks=[callback],
    )  # fmt: skip
    trainer.train()
    return trainer, callback.gap


@torch.no_grad()
def brute_force(model, batches, loss):
    """Return the mean over samples in evaluation mode."""
    model.eval()
    found = [(float(loss(model, batch)), len(next(iter(batch.values())))) for batch in batches]
    return sum(value * size for value, size in found) / sum(size for _, size in found)


def cut(data, size=8):
    return [collate(data[k : k + size]) for k in range(0, len(data), size)]


def shifted(model, batch):
    """Return the loss as the Trainer takes it: divided by all labels, of which the first is predicted by none."""
    scores = model(input_ids=batch["input_ids"]).logits[:, :-1].transpose(1, 2)
    return F.cross_entropy(scores, batch["labels"][:, 1:], reduction="sum") / batch["labels"].numel()


def assert_closes(trainer, gap, data, loss):
    """The ledger is of what was logged, nothing is unexplained, and both losses matched are plain torch's."""
    logged = [row["eval_loss"] for row in trainer.state.log_history if "eval_loss" in row]
    terms = {term["id"]: term["value"] or 0.0 for term in gap.record["terms"]}
    assert gap.record["reported"]["val"] == pytest.approx(logged[-1], rel=1e-6)
    assert sum(terms.values()) == pytest.approx(gap.gap, abs=1e-12)
    print(
        [t["parts"] for t in gap.record["terms"] if t["id"] == "residual"],
        gap.record["arithmetic"],
        gap.record["verified"],
        gap.record["reported"],
        trainer.state.log_history,
    )
    assert terms["residual"] == pytest.approx(0, abs=3e-5)
    assert gap.matched.val == pytest.approx(brute_force(trainer.model, cut(data[1]), loss), rel=NEAR)


class TestTrainer:
    def test_classification(self, tmp_path):
        pytest.importorskip("transformers")
        from transformers import BertConfig, BertForSequenceClassification

        torch.manual_seed(0)
        sizes = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
        model = BertForSequenceClassification(BertConfig(**sizes, intermediate_size=32, max_position_embeddings=16))
        data = [rows(96, 1, labels=lambda r: int(r[0]) % 2), rows(44, 2, labels=lambda r: int(r[0]) % 2)]
        trainer, gap = trained(model, tmp_path, data)
        assert_closes(trainer, gap, data, lambda m, b: m(**b).loss)
        assert gap.record["verified"]["largest"] < NEAR

    def test_language_model_under_accumulation(self, tmp_path):
        pytest.importorskip("transformers")
        data = [rows(96, 1, labels=lambda r: r.tolist()), rows(44, 2, labels=lambda r: r.tolist())]
        trainer, gap = trained(gpt2(), tmp_path, data, gradient_accumulation_steps=2)
        assert_closes(trainer, gap, data, shifted)

    def test_sequence_to_sequence_with_smoothing(self, tmp_path):
        pytest.importorskip("transformers")
        from transformers import Seq2SeqTrainer, Seq2SeqTrainingArguments, T5Config, T5ForConditionalGeneration

        torch.manual_seed(0)
        config = T5Config(vocab_size=40, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2,
                          decoder_start_token_id=0)  # fmt: skip
        more = {"labels": lambda r: r.flip(0).tolist(), "decoder_input_ids": lambda r: [0, *r.flip(0)[:-1].tolist()]}
        data = [rows(n, s, **more) for n, s in ((96, 1), (44, 2))]
        kind = (Seq2SeqTrainer, Seq2SeqTrainingArguments)
        model = T5ForConditionalGeneration(config)
        trainer, gap = trained(model, tmp_path, data, kind, label_smoothing_factor=0.1)

        def smoothed(m, b):
            out = m(**b).logits.transpose(1, 2)
            return F.cross_entropy(out, b["labels"], label_smoothing=0.1)

        assert_closes(trainer, gap, data, smoothed)

    def test_low_rank_adapters(self, tmp_path):
        peft = pytest.importorskip("peft")
        config = peft.LoraConfig(r=2, target_modules=["c_attn"], lora_dropout=0.2, task_type="CAUSAL_LM",
                                 fan_in_fan_out=True)  # fmt: skip
        data = [rows(96, 1, labels=lambda r: r.tolist()), rows(44, 2, labels=lambda r: r.tolist())]
        trainer, gap = trained(peft.get_peft_model(gpt2(), config), tmp_path, data)
        assert_closes(trainer, gap, data, shifted)

    @pytest.mark.parametrize("packing", [False, True])
    def test_supervised_fine_tuning(self, tmp_path, packing):
        trl, datasets = pytest.importorskip("trl"), pytest.importorskip("datasets")
        from tokenizers import Tokenizer, models
        from transformers import PreTrainedTokenizerFast

        from diagnose.huggingface import GapCallback

        words = {f"w{k}": k for k in range(38)} | {"<pad>": 38, "<eos>": 39}
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="w0")), pad_token="<pad>", eos_token="<eos>"
        )
        data = [datasets.Dataset.from_list(rows(n, s)) for n, s in ((96, 1), (44, 2))]
        callback = GapCallback()
        args = trl.SFTConfig(
            str(tmp_path), max_steps=12, per_device_train_batch_size=4, per_device_eval_batch_size=4, logging_steps=6,
            eval_strategy="steps", eval_steps=12, learning_rate=3e-3, report_to=[], disable_tqdm=True, use_cpu=True,
            save_strategy="no", packing=packing, eval_packing=packing, max_length=24, bf16=False,
            dataloader_pin_memory=False,
        )  # fmt: skip
        trainer = trl.SFTTrainer(
            gpt2(), args, train_dataset=data[0], eval_dataset=data[1], processing_class=tokenizer, callbacks=[callback]
        )
        trainer.train()
        gap = callback.gap
        logged = [row["eval_loss"] for row in trainer.state.log_history if "eval_loss" in row]
        terms = {term["id"]: term["value"] or 0.0 for term in gap.record["terms"]}
        assert gap.record["reported"]["val"] == pytest.approx(logged[-1], rel=1e-6)
        assert terms["residual"] == pytest.approx(0, abs=3e-5)
        found = []
        model = trainer.model.eval()
        with torch.no_grad():
            for batch in trainer.get_eval_dataloader():
                inputs = {k: v for k, v in batch.items() if k in ("input_ids", "labels", "attention_mask",
                                                                  "position_ids")}  # fmt: skip
                count = int((batch["labels"][:, 1:] != -100).sum())  # a packed row holds many samples
                found.append((float(model(**inputs).loss), count))
        plain = sum(value * size for value, size in found) / sum(size for _, size in found)
        assert logged[-1] == pytest.approx(plain, rel=NEAR)


def net(p=0.3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(p), nn.Linear(16, 2))


def assert_read(gap, model, train, val):
    """Both losses matched are plain torch's."""
    model.eval()
    with torch.no_grad():
        found = [float(ce(model, (x, y)).mean()) for x, y in (train, val)]
    assert (gap.matched.train, gap.matched.val) == pytest.approx(found, rel=NEAR)


class TestLoops:
    def test_accelerate(self):
        accelerate = pytest.importorskip("accelerate")
        accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=2)
        data = points(96, 1), points(64, 2)
        loaders = [DataLoader(TensorDataset(*some), 16, shuffle=k == 0) for k, some in enumerate(data)]
        model, *loaders = accelerator.prepare(net(), *loaders)
        gap = explain_gap(model, *(Side(loader, ce) for loader in loaders))
        assert_read(gap, accelerator.unwrap_model(model), *data)

    @pytest.mark.parametrize("backend", ["eager", "aot_eager", "inductor"])
    def test_compiled(self, backend):
        data, model = (points(96, 1), points(64, 2)), net()
        sides = [Side(list(zip(*(part.split(16) for part in some), strict=True)), ce) for some in data]
        plain = explain_gap(model, *sides)
        torch.compiler.reset()  # what an earlier test compiled for the same code would be taken
        try:
            gap = explain_gap(torch.compile(model, backend=backend), *sides)
        except Exception as error:
            if "C++" in str(error) or "compiler" in str(error).lower():
                pytest.skip(f"no compiler for {backend}")
            raise
        assert_read(gap, model, *data)
        for one, other in zip(plain.record["terms"], gap.record["terms"], strict=True):
            if one["id"] == "mode" and backend == "inductor":  # which draws masks of its own
                assert max(one["low"], other["low"]) <= min(one["high"], other["high"])
            else:
                assert one["value"] == pytest.approx(other["value"], abs=1e-4)

    def test_keras_on_torch(self):
        if importlib.util.find_spec("keras") is None:
            pytest.skip("keras is not installed")
        found = Forked(keras, KERAS_BACKEND="torch").result()
        assert found["matched"] == pytest.approx(found["plain"], rel=NEAR)
        assert found["mode"] < 0
        assert found["kinds"]

    @pytest.mark.parametrize("how", ["ddp", "fsdp", "recorder"])
    def test_two_processes(self, how):
        found, other = two_ranks(distributed, how)
        assert found["matched"] == pytest.approx(other["matched"])
        assert found["matched"] == pytest.approx(found["plain"], rel=NEAR)
        assert found["residual"] == pytest.approx(0, abs=1e-6)

    def test_two_processes_of_lightning(self, tmp_path):
        pytest.importorskip("lightning")
        found = json.loads(run([sys.executable, str(PROCESSES), str(tmp_path)]).splitlines()[-1])
        assert found["matched"] == pytest.approx(found["plain"], rel=NEAR)
        assert found["residual"] == pytest.approx(0, abs=1e-5)


def run(command, **environment):
    """Return what a process prints."""
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    more = {"OMP_NUM_THREADS": "1", "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env=os.environ | more | environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()
