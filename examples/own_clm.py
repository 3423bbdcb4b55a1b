"""A script in the manner of Hugging Face's run_clm.py: HfArgumentParser, Trainer, results and state as JSON.

pip install 'diagnose-training[huggingface]'
diagnose ablate --axis learning_rate=1e-3,1e-2 --seeds 3 \
    --run 'python examples/own_clm.py --n_embd 32 --learning_rate {learning_rate} --seed {seed} --output_dir {dir}
           --max_steps 20 --eval_strategy steps --eval_steps 5 --report_to none --save_strategy no' \
    --read '{dir}/trainer_state.json:eval_loss'
"""

import math
from dataclasses import dataclass

from transformers import GPT2Config, GPT2LMHeadModel, HfArgumentParser, Trainer, TrainingArguments, set_seed
from verses import padded, verses


@dataclass
class ModelArguments:
    n_embd: int = 32
    n_layer: int = 1


def collate(rows):
    tokens, real = padded(rows)
    return {"input_ids": tokens, "attention_mask": real.long(), "labels": tokens.masked_fill(~real, -100)}


def main():
    shape, arguments = HfArgumentParser((ModelArguments, TrainingArguments)).parse_args_into_dataclasses()
    set_seed(arguments.seed)
    rows = verses()
    config = GPT2Config(
        vocab_size=128, n_positions=96, n_embd=shape.n_embd, n_layer=shape.n_layer, n_head=2, bos_token_id=None,
        eos_token_id=None,
    )  # fmt: skip
    trainer = Trainer(
        GPT2LMHeadModel(config), arguments, data_collator=collate, train_dataset=rows[:500],
        eval_dataset=rows[500:600],
    )  # fmt: skip
    trainer.train()
    metrics = trainer.evaluate()
    trainer.save_metrics("eval", {**metrics, "perplexity": math.exp(metrics["eval_loss"])})
    trainer.save_state()


if __name__ == "__main__":
    main()
