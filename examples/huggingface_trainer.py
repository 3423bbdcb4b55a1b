"""A Hugging Face Trainer with accumulated gradients and label smoothing: its two losses, and what lies between them.

pip install 'diagnose-training[huggingface]'
python examples/huggingface_trainer.py
"""

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments
from verses import padded, verses

from diagnose.huggingface import GapCallback


def collate(rows):
    tokens, real = padded(rows)
    return {"input_ids": tokens, "attention_mask": real.long(), "labels": tokens.masked_fill(~real, -100)}


def main():
    torch.manual_seed(0)
    rows = verses()
    sizes = {"vocab_size": 128, "n_positions": 96, "n_embd": 64, "n_layer": 2, "n_head": 4}
    model = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=None, eos_token_id=None))
    arguments = TrainingArguments(
        "runs/huggingface-trainer", max_steps=60, per_device_train_batch_size=8, gradient_accumulation_steps=2,
        learning_rate=3e-3, logging_steps=20, eval_strategy="steps", eval_steps=60, label_smoothing_factor=0.1,
        report_to=[], save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    callback = GapCallback(page="reports/huggingface-trainer.html")
    trainer = Trainer(
        model, arguments, data_collator=collate, train_dataset=rows[:500], eval_dataset=rows[500:], callbacks=[callback]
    )
    trainer.train()
    print(callback.gap)
    print(callback.page)


if __name__ == "__main__":
    main()
