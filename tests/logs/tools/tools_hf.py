# ruff: noqa: E501, ARG002  (calls of tools are long)
"""Hugging Face's Trainer (version 5; version 4 under names of its own), TRL and sentence-transformers."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from pathlib import Path
from typing import Any

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false", WANDB_MODE="offline")

from data import characters, verses
from make import kept, log, points, printed, scratch

V = "v4" if importlib.metadata.version("transformers").startswith("4") else "v5"


def seeing() -> tuple[Any, list[dict[str, Any]]]:
    """Return a callback and the list of what is logged."""
    from transformers import TrainerCallback

    seen: list[dict[str, Any]] = []

    class See(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
            seen.append({"step": state.global_step, "epoch": state.epoch, **dict(logs or {})})

    return See, seen


def gpt() -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel, set_seed

    set_seed(0)
    return GPT2LMHeadModel(
        GPT2Config(vocab_size=128, n_positions=64, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
    )


def train(
    path: Path, *, quiet: bool = True, terminal: bool = False, **options: Any
) -> tuple[Any, list[dict[str, Any]]]:
    """Train a tiny GPT-2; return the trainer and what was logged."""
    import torch
    from transformers import Trainer, TrainingArguments

    rows = [{"input_ids": torch.tensor(row[:32]), "labels": torch.tensor(row[:32])} for row in characters()]
    see, seen = seeing()
    measures = options.pop("compute_metrics", None)
    settings = {"num_train_epochs": 3, "per_device_train_batch_size": 16, "per_device_eval_batch_size": 16,
                "eval_strategy": "epoch", "logging_strategy": "epoch", "save_strategy": "no", "report_to": "none",
                "learning_rate": 5e-3, "use_cpu": True, "disable_tqdm": quiet, **options}  # fmt: skip
    tools = Trainer(gpt(), TrainingArguments(str(scratch(path) / "out"), **settings), train_dataset=rows[:320],
                    eval_dataset=rows[320:], callbacks=[see], compute_metrics=measures)  # fmt: skip
    if path.suffix == ".txt":
        with printed(path, terminal=terminal):
            tools.train()
    else:
        tools.train()
    return tools, seen


def truth(seen: list[dict[str, Any]], **how: Any) -> dict[str, Any]:
    """Return both losses as they were logged."""
    sides = {}
    for side, key in (("train", "loss"), ("val", "eval_loss")):
        rows = [one for one in seen if key in one]
        sides[side] = points([r[key] for r in rows], step=[r["step"] for r in rows], epoch=[r["epoch"] for r in rows])
    return {**sides, **how}


HOW = {"significant": 4} if V == "v5" else {"relative": 1e-9}
STEPS = {"eval_strategy": "steps", "logging_strategy": "steps", "eval_steps": 15, "logging_steps": 5}


@log(
    f"transformers-{V}-epochs.txt", "transformers", "Trainer(eval_strategy='epoch', logging_strategy='epoch'), no bars"
)
def epochs(path: Path) -> dict[str, Any]:
    return by_epoch(truth(train(path)[1], **HOW))


@log(
    f"transformers-{V}-steps.txt",
    "transformers",
    "Trainer(eval_strategy='steps', eval_steps=15, logging_steps=5), no bars",
)
def steps(path: Path) -> dict[str, Any]:
    return by_epoch(truth(train(path, **STEPS)[1], **HOW))


@log(f"transformers-{V}-bars.txt", "transformers", "Trainer(eval_strategy='epoch'), bars, written to a file")
def bars(path: Path) -> dict[str, Any]:
    return by_epoch(truth(train(path, quiet=False)[1], **HOW))


@log(f"transformers-{V}-terminal.txt", "transformers", "Trainer(eval_strategy='steps'), bars, in a terminal")
def terminal(path: Path) -> dict[str, Any]:
    return by_epoch(truth(train(path, quiet=False, terminal=True, **STEPS)[1], **HOW))


def by_epoch(found: dict[str, Any]) -> dict[str, Any]:
    """Return what a text of records has: no steps."""
    for side in ("train", "val"):
        del found[side]["step"]
    return found


@log(f"transformers-{V}-state.json", "transformers", "trainer.save_state(): trainer_state.json")
def state(path: Path) -> dict[str, Any]:
    tools, seen = train(path, **STEPS)
    tools.save_state()
    shutil.copy(Path(tools.args.output_dir) / "trainer_state.json", path)
    return truth(seen, relative=1e-9)


@log(
    f"transformers-{V}-epochs-state.json",
    "transformers",
    "trainer.save_state() after an evaluation each epoch, accumulation of 2",
)
def epochs_state(path: Path) -> dict[str, Any]:
    tools, seen = train(path, gradient_accumulation_steps=2, num_train_epochs=5)
    tools.save_state()
    shutil.copy(Path(tools.args.output_dir) / "trainer_state.json", path)
    return truth(seen, relative=1e-9)


@log(f"transformers-{V}-checkpoints", "transformers", "output folder with checkpoint-*/trainer_state.json")
def checkpoints(path: Path) -> dict[str, Any]:
    tools, seen = train(path, save_strategy="epoch", **STEPS)
    kept(Path(tools.args.output_dir), path, "trainer_state.json")
    return truth(seen, relative=1e-9)


@log(f"transformers-{V}-model-card.md", "transformers", "trainer.create_model_card(): README.md")
def card(path: Path) -> dict[str, Any]:
    tools, seen = train(path, num_train_epochs=6)
    tools.create_model_card(model_name="tiny", dataset="bible")
    text = (Path(tools.args.output_dir) / "README.md").read_text()
    path.write_text(text)
    return truth(seen, digits=4)


@log(
    f"transformers-{V}-model-card-no-log.md",
    "transformers",
    "README.md where training is logged less often than evaluated",
)
def card_no_log(path: Path) -> dict[str, Any]:
    tools, seen = train(
        path, eval_strategy="steps", logging_strategy="steps", eval_steps=5, logging_steps=15, num_train_epochs=4
    )
    tools.create_model_card(model_name="tiny", dataset="bible")
    path.write_text((Path(tools.args.output_dir) / "README.md").read_text())
    found = truth(seen, digits=4)
    train_, val = found["train"], found["val"]
    carried = [(s, e, [v for a, v in zip(train_["step"], train_["value"], strict=True) if a <= s][-1])
               for s, e in zip(val["step"], val["epoch"], strict=True) if s >= 15]  # fmt: skip
    found["train"] = points([v for *_, v in carried], step=[s for s, *_ in carried], epoch=[e for _, e, _ in carried])
    return {**found, "pairs": len(carried)}


@log(f"transformers-{V}-tensorboard", "transformers", "Trainer(report_to='tensorboard')")
def tensorboard(path: Path) -> dict[str, Any]:
    folder = scratch(path.with_suffix(".events"))
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(folder)
    more = {"logging_dir": str(folder)} if V == "v4" else {}
    _, seen = train(path, report_to="tensorboard", **STEPS, **more)
    kept(folder, path, "*tfevents*")
    found = truth(seen, relative=1e-6)
    for side in ("train", "val"):
        del found[side]["epoch"]
    return found


def words_of(path: Path) -> Any:
    """Return a tokenizer of the corpus' own words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    own = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    own.pre_tokenizer = pre_tokenizers.Whitespace()
    own.train_from_iterator(
        verses(), trainers.WordLevelTrainer(vocab_size=127, special_tokens=["[UNK]", "[PAD]", "[EOS]"])
    )
    return PreTrainedTokenizerFast(tokenizer_object=own, unk_token="[UNK]", pad_token="[PAD]", eos_token="[EOS]")


def sft(path: Path, **options: Any) -> tuple[Any, list[dict[str, Any]]]:
    """Fine-tune with TRL."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    data = Dataset.from_dict({"text": verses(200)}).train_test_split(0.2, seed=0)
    see, seen = seeing()
    settings = {"num_train_epochs": 2, "per_device_train_batch_size": 8, "logging_steps": 5, "eval_strategy": "steps",
                "eval_steps": 10, "report_to": "none", "use_cpu": True, "max_length": 32, "save_strategy": "no",
                "learning_rate": 5e-3, "disable_tqdm": True, "bf16": False, **options}  # fmt: skip
    tools = SFTTrainer(gpt(), args=SFTConfig(str(scratch(path) / "out"), **settings), train_dataset=data["train"],
                       eval_dataset=data["test"], processing_class=words_of(path), callbacks=[see])  # fmt: skip
    if path.suffix == ".txt":
        with printed(path):
            tools.train()
    else:
        tools.train()
    return tools, seen


@log(f"trl-sft-{V}.txt", "trl", "SFTTrainer, no bars")
def sft_text(path: Path) -> dict[str, Any]:
    return by_epoch(truth(sft(path)[1], **HOW))


@log(f"trl-sft-{V}-state.json", "trl", "SFTTrainer, trainer_state.json")
def sft_state(path: Path) -> dict[str, Any]:
    tools, seen = sft(path)
    tools.save_state()
    shutil.copy(Path(tools.args.output_dir) / "trainer_state.json", path)
    return truth(seen, relative=1e-9)


def sentence_model() -> Any:
    """Return a tiny sentence encoder without any download."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import BertConfig, BertModel

    folder = scratch(Path("bert"))
    torch.manual_seed(0)
    BertModel(BertConfig(vocab_size=128, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
                         max_position_embeddings=64)).save_pretrained(folder)  # fmt: skip
    words_of(folder).save_pretrained(folder)
    return SentenceTransformer(str(folder), device="cpu")


def sentences(path: Path, **options: Any) -> tuple[Any, list[dict[str, Any]]]:
    """Train with sentence-transformers."""
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.losses import MultipleNegativesRankingLoss

    texts = verses(201)
    data = Dataset.from_dict({"anchor": texts[:-1], "positive": texts[1:]}).train_test_split(0.2, seed=0)
    see, seen = seeing()
    model = sentence_model()
    settings = {"num_train_epochs": 3, "per_device_train_batch_size": 8, "logging_steps": 5, "eval_strategy": "steps",
                "eval_steps": 10, "report_to": "none", "use_cpu": True, "save_strategy": "no", "learning_rate": 1e-3,
                "disable_tqdm": True, **options}  # fmt: skip
    tools = SentenceTransformerTrainer(
        model, SentenceTransformerTrainingArguments(str(scratch(path) / "out"), **settings), train_dataset=data["train"],
        eval_dataset=data["test"], loss=MultipleNegativesRankingLoss(model), callbacks=[see],
    )  # fmt: skip
    if path.suffix == ".txt":
        with printed(path):
            tools.train()
    else:
        tools.train()
    return tools, seen


@log(f"sentence-transformers-{V}.txt", "sentence-transformers", "SentenceTransformerTrainer, no bars")
def sentences_text(path: Path) -> dict[str, Any]:
    return by_epoch(truth(sentences(path)[1], **HOW))


@log(f"sentence-transformers-{V}-card.md", "sentence-transformers", "the model card's training logs")
def sentences_card(path: Path) -> dict[str, Any]:
    tools, seen = sentences(path, save_strategy="epoch")
    folder = scratch(path) / "model"
    tools.model.save_pretrained(str(folder))
    path.write_text((folder / "README.md").read_text())
    return truth(seen, digits=4)
