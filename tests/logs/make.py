# ruff: noqa: ARG002, E501, PERF401, RUF034  (lines as the tools print them)
"""Writes the logs of this folder and `manifest.json`, which says of each what wrote it and which values were written.

    python tests/logs/make.py [NAME...]     all, or those whose name begins so

Logs of tools that can be installed are written by the tools (`real`); the others in the exact form of the tool's print
statements (`generated`; the statement is named beside each). Values in the manifest are taken where they are handed to
the tool or the print statement, never read back from the file.
"""

import contextlib
import io
import json
import math
import os
import random
import shutil
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
os.environ["TQDM_DISABLE"] = "1"
HERE = Path(__file__).parent
MADE = {}


def log(file, tool, kind="generated", **options):
    """Register what writes a log: a function of a path that returns {"train": [[at, value]], "val": ...}."""

    def registered(write):
        MADE[file] = (tool, kind, options, write)
        return write

    return registered


def curve(seed, n=30, gap=0.1, start=4.2, end=1.5, noise=0.02, val_noise=0.01):
    """Return n training and n validation losses."""
    rng = random.Random(seed)
    level = [end + (start - end) * math.exp(-4 * k / n) for k in range(n)]
    return [x + rng.gauss(0, noise) for x in level], [x + gap + rng.gauss(0, val_noise) for x in level]


def write(path, lines, end="\n", encoding="utf-8"):
    path.write_bytes((end.join(lines) + end).encode(encoding))


def points(at, values, digits):
    return [[float(a), float(f"{v:.{digits}f}")] for a, v in zip(at, values, strict=True)]


# generated: the statement that prints a line is quoted from each tool's source


@log("first-user.txt", "the first user's loop")
def first_user(path, steps=(8200, 8300, 8359), losses=(0.486, 0.508, 0.470), vals=(0.358, 0.346)):
    rows = []
    for k, (step, loss) in enumerate(zip(steps, losses, strict=True)):
        rows += [f" Epoch 5 / 5 || {step} / 8359 || {9922.187 + 0.2287 * (step - 8200):.3f}s || Loss: {loss:.3f}"]
        rows += ["<s>Judges\tAnd 5 men of 1 Samuel went up, 40 / 50: loss of 3 sheep.</s>", ""]
        if k < len(vals):
            rows += [f"Mini-batch Validation Loss: {vals[k]:.3f}", "", ""]
    rows += ["Validating Loss Over 928 Validation Batches...", "Mean Validation Loss: 0.36015996870038836", ""]
    rows += ["Total Elapsed time: 10029.156331539154", "Batch Size: 192 || LR: 0.00030000000000000003"]
    rows += ["Sequence (Context) Length: 128", "Embedding Dimension: 512", "Layers: 6", "Heads: 8"]
    write(path, rows)
    at = [4 * 8359 + s for s in steps]
    return {"train": points(at, losses, 3), "val": points(at[:2], vals, 3), "mean": 0.36015996870038836}


def nanogpt(path, end="\n", dropout=0.0, gap=0.1, seed=1):
    train, val = curve(seed, 25, gap=gap)
    rows = [f"Overriding: dropout = {dropout}", "tokens per iteration will be: 16,384", "found vocab_size = 65 (inside data/shakespeare_char/meta.pkl)",
            "Initializing a new model from scratch", "number of parameters: 10.65M",
            "num decayed parameter tensors: 26, with 10,740,096 parameters"]  # fmt: skip
    rng = random.Random(seed + 100)
    for k in range(25):
        rows.append(f"step {250 * k}: train loss {train[k]:.4f}, val loss {val[k]:.4f}")
        rows.append("saving checkpoint to out-shakespeare-char")
        for i in range(0, 250, 50):
            rows.append(
                f"iter {250 * k + i}: loss {train[k] + 0.05 + rng.gauss(0, 0.05):.4f}, time {rng.uniform(20, 30):.2f}ms, mfu {17.5:.2f}%"
            )
    write(path, rows, end)
    at = [250 * k for k in range(25)]
    return {"train": points(at, train, 4), "val": points(at, val, 4)}


@log(
    "nanogpt.txt", "nanoGPT"
)  # "step {iter_num}: train loss {:.4f}, val loss {:.4f}", "iter {}: loss {:.4f}, time {:.2f}ms, mfu {:.2f}%"
def nanogpt_plain(path):
    return nanogpt(path)


@log("nanogpt-crlf.txt", "nanoGPT")
def nanogpt_crlf(path):
    return nanogpt(path, "\r\n", seed=2)


@log("nanogpt-overfits.txt", "nanoGPT")
def nanogpt_overfits(path):
    train, val = curve(3, 30, gap=0.0, end=0.8)
    val = [v + max(0, k - 10) * 0.08 for k, v in enumerate(val)]
    rows = [
        f"step {100 * k}: train loss {t:.4f}, val loss {v:.4f}" for k, (t, v) in enumerate(zip(train, val, strict=True))
    ]
    write(path, rows)
    at = [100 * k for k in range(30)]
    return {"train": points(at, train, 4), "val": points(at, val, 4)}


@log(
    "nanochat.txt", "nanochat"
)  # "step {:05d}/{:05d} ({:.2f}%) | loss: {:.6f} | lrm: ..", "Step {:05d} | Validation bpb: {:.4f}"
def nanochat(path):
    train, val = curve(4, 40)
    rows = []
    for k in range(40):
        if k % 5 == 0:
            rows.append(f"Step {k:05d} | Validation bpb: {val[k] / 4:.4f}")
        rows.append(
            f"step {k:05d}/00040 ({100 * k / 40:.2f}%) | loss: {train[k]:.6f} | lrm: 1.00 | dt: 51.20ms | tok/sec: 1,021,340 | bf16_mfu: 48.12 | epoch: 1 | total time: {k / 60:.2f}m"
        )
    write(path, rows)
    return {
        "train": points(range(40), train, 6),
        "val": points(range(0, 40, 5), [val[k] / 4 for k in range(0, 40, 5)], 4),
    }


@log("nanochat-bar.txt", "nanochat")  # autoresearch's: "\rstep {:05d} ({:.1f}%) | loss: {:.6f} | ...    ", end=""
def nanochat_bar(path):
    train, val = curve(5, 40)
    text = ""
    for k in range(40):
        text += f"\rstep {k:05d} ({100 * k / 40:.1f}%) | loss: {train[k]:.6f} | lrm: 1.00 | dt: 51ms | tok/sec: 1,021,340 | mfu: 48.1% | epoch: 0 | remaining: {40 - k}s    "
        if k % 8 == 7:
            text += f"\nStep {k:05d} | Validation loss: {val[k]:.4f}\n"
    path.write_text(text + "\n", encoding="utf-8")
    at = list(range(7, 40, 8))
    return {"train": points(range(40), train, 6), "val": points(at, [val[k] for k in at], 4)}


@log(
    "llmc-stdout.txt", "llm.c"
)  # "step %4d/%d | loss %7.6f (%+.2fz)| norm %6.4f (%+.2fz)| lr %.2e | %.2f ms | %.1f%% bf16 MFU | %.0f tok/s", "val loss %f"
def llmc_stdout(path):
    train, val = curve(6, 60)
    rows = ["val loss 11.009005"]
    for k in range(60):
        rows.append(
            f"step {k + 1:4d}/60 | loss {train[k]:7.6f} ({'+nan' if k < 9 else f'{0.31:+.2f}'}z)| norm {0.51:6.4f} ({'+nan' if k < 9 else '-0.12'}z)| lr {6e-4:.2e} | {312.44:.2f} ms | 41.2% bf16 MFU | 167804 tok/s"
        )
        if k % 10 == 9:
            rows.append(f"val loss {val[k]:f}")
    write(path, rows)
    at = list(range(9, 60, 10))
    return {"train": points(range(1, 61), train, 6), "val": points([a + 1 for a in at], [val[k] for k in at], 6)}


@log("llmc-main.log", "llm.c")  # "s:%d tel:%.4f", "s:%d trl:%.4f lr:%.6f norm:%.2f", "s:%d eval:%.4f"
def llmc_main(path):
    train, val = curve(7, 60)
    rows = []
    for k in range(60):
        if k % 10 == 0:
            rows += [f"s:{k} tel:{val[k]:.4f}", f"s:{k} eval:0.2463"]
        rows.append(f"s:{k} trl:{train[k]:.4f} lr:0.000600 norm:0.52")
    write(path, rows)
    return {"train": points(range(60), train, 4), "val": points(range(0, 60, 10), val[::10], 4)}


@log("llmc-cpu.txt", "llm.c (train_gpt2.c)")  # "step %d: train loss %f (took %f ms)", "val loss %f"
def llmc_cpu(path):
    train, val = curve(8, 40)
    rows = [
        "[GPT-2]",
        "max_seq_len: 1024",
        "vocab_size: 50257",
        "num_layers: 12",
        "train dataset num_batches: 1192",
        "val dataset num_batches: 128",
    ]
    for k in range(40):
        if k % 10 == 0 and k:
            rows.append(f"val loss {val[k]:f}")
        rows.append(f"step {k}: train loss {train[k]:f} (took {1234.5:f} ms)")
    write(path, rows)
    return {"train": points(range(40), train, 6), "val": points([9, 19, 29], [val[k] for k in (10, 20, 30)], 6)}


@log("modded-nanogpt.txt", "modded-nanogpt")  # "step:{}/{} val_loss:{:.4f} train_time:{:.0f}ms step_avg:{:.2f}ms"
def modded(path):
    train, val = curve(9, 30)
    rows = []
    for k in range(30):
        step = 125 * k
        rows.append(f"step:{step}/3750 val_loss:{val[k]:.4f} train_time:{step * 90:.0f}ms step_avg:{90.12:.2f}ms")
        rows.append(
            f"step:{step + 1}/3750 train_loss:{train[k]:.4f} train_time:{step * 90:.0f}ms step_avg:{90.12:.2f}ms"
        )
    write(path, rows)
    return {
        "train": points([125 * k + 1 for k in range(30)], train, 4),
        "val": points([125 * k for k in range(30)], val, 4),
    }


@log(
    "pytorch-tutorial.txt", "a loop in the manner of PyTorch's tutorials"
)  # 'Epoch [{}/{}], Step [{}/{}], Loss: {:.4f}'
def tutorial(path):
    train, val = curve(10, 25)
    rows = []
    for epoch in range(5):
        for i in range(5):
            rows.append(f"Epoch [{epoch + 1}/5], Step [{100 * (i + 1)}/500], Loss: {train[5 * epoch + i]:.4f}")
        rows.append(f"Epoch [{epoch + 1}/5], Validation Loss: {val[5 * epoch + 4]:.4f}")
    write(path, rows)
    at = [500 * e + 100 * (i + 1) for e in range(5) for i in range(5)]
    return {"train": points(at, train, 4), "val": points(at[4::5], val[4::5], 4)}


@log(
    "word-language-model.txt", "PyTorch's word_language_model example"
)  # '| epoch {:3d} | {:5d}/{:5d} batches | lr {:02.2f} | ms/batch {:5.2f} | loss {:5.2f} | ppl {:8.2f}'
def wordlm(path):
    train, val = curve(11, 30, start=7, end=4.5)
    rows = []
    for epoch in range(1, 7):
        for i in range(1, 5):
            loss = train[5 * (epoch - 1) + i]
            rows.append(
                f"| epoch {epoch:3d} | {200 * i:5d}/ 1000 batches | lr 20.00 | ms/batch {12.5:5.2f} | loss {loss:5.2f} | ppl {math.exp(loss):8.2f}"
            )
        loss = val[5 * epoch - 1]
        rows += [
            "-" * 89,
            f"| end of epoch {epoch:3d} | time: {30.1:5.2f}s | valid loss {loss:5.2f} | valid ppl {math.exp(loss):8.2f}",
            "-" * 89,
        ]
    write(path, rows)
    at = [1000 * (e - 1) + 200 * i for e in range(1, 7) for i in range(1, 5)]
    return {"train": points(at, [train[5 * (e - 1) + i] for e in range(1, 7) for i in range(1, 5)], 2),
            "val": points(at[3::4], val[4::5], 2)}  # fmt: skip


@log(
    "megatron.txt", "Megatron-LM"
)  # " iteration {:8d}/{:8d} | ... lm loss: {:.6E} |", " validation loss at iteration {} | lm loss value: {:.6E} | lm loss PPL: {:.6E} |"
def megatron(path):
    train, val = curve(12, 30)
    rows = []
    for k in range(30):
        step = 100 * (k + 1)
        rows.append(
            f" [2026-11-20 10:{k:02d}:00] iteration {step:8d}/    3000 | consumed samples: {step * 16:12d} | elapsed time per iteration (ms): 211.3 | learning rate: 1.500000E-04 | global batch size:    16 | lm loss: {train[k]:.6E} | loss scale: 1.0 | grad norm: 0.812 | number of skipped iterations:   0 | number of nan iterations:   0 |"
        )
        if k % 5 == 4:
            rows += [
                "-" * 60,
                f" validation loss at iteration {step} | lm loss value: {val[k]:.6E} | lm loss PPL: {math.exp(val[k]):.6E} | ",
                "-" * 60,
            ]
    write(path, rows)
    at = [100 * (k + 1) for k in range(30)]
    return {"train": points(at, train, 6), "val": points(at[4::5], val[4::5], 6)}


@log(
    "fairseq.txt", "fairseq"
)  # "train_inner | epoch 001: 100 / 1000 loss=9.7, ppl=..", "valid | epoch 001 | valid on 'valid' subset | loss 8.0 | ppl 260"
def fairseq(path):
    train, val = curve(13, 30, start=9, end=5)
    rows = []
    for epoch in range(1, 7):
        for i in range(1, 6):
            rows.append(
                f"2026-11-20 10:00:00 | INFO | train_inner | epoch {epoch:03d}:    {20 * i} / 100 loss={train[5 * (epoch - 1) + i - 1]:.3f}, ppl=41.2, wps=34000, ups=1.2, wpb=3500, bsz=128, num_updates={100 * (epoch - 1) + 20 * i}, lr=0.0005, gnorm=1.2, train_wall=12, wall=44"
            )
        rows.append(
            f"2026-11-20 10:00:00 | INFO | valid | epoch {epoch:03d} | valid on 'valid' subset | loss {val[5 * epoch - 1]:.3f} | ppl 39.1 | wps 90000 | best_loss 4.100"
        )
    write(path, rows)
    at = [100 * (e - 1) + 20 * i for e in range(1, 7) for i in range(1, 6)]
    return {"train": points(at, train, 3), "val": points(at[4::5], val[4::5], 3)}


@log("tqdm.txt", "a loop with a tqdm bar")
def tqdm_bar(path):
    train, val = curve(14, 40)
    text = ""
    for epoch in range(4):
        for i in range(1, 11):
            text += f"\rEpoch {epoch + 1}: {10 * i:3d}%|{'█' * i:<10}| {i}/10 [00:0{i % 10}<00:01, 12.3it/s, loss={train[10 * epoch + i - 1]:.3f}]"
        text += f"\nepoch {epoch + 1} val_loss={val[10 * epoch + 9]:.4f}\n"
    path.write_text(text, encoding="utf-8")
    at = [10 * e + i for e in range(4) for i in range(1, 11)]
    return {"train": points(at, train, 3), "val": points(at[9::10], val[9::10], 4)}


@log("loguru-ansi.txt", "a loop that logs in colour")
def ansi(path):
    train, val = curve(15, 30)
    rows = [
        f"\x1b[32m2026-11-20 10:00:{k:02d}.123\x1b[0m | \x1b[1mINFO    \x1b[0m | \x1b[36mtrain\x1b[0m:\x1b[36mmain\x1b[0m:\x1b[36m41\x1b[0m - \x1b[1mstep={50 * k} train_loss={t:.5f} val_loss={v:.5f}\x1b[0m"
        for k, (t, v) in enumerate(zip(train, val, strict=True))
    ]
    write(path, rows)
    at = [50 * k for k in range(30)]
    return {"train": points(at, train, 5), "val": points(at, val, 5)}


@log("powershell-utf16.txt", "nanoGPT, redirected by PowerShell")
def powershell(path):
    train, val = curve(16, 20)
    rows = [
        f"step {10 * k}: train loss {t:.4f}, val loss {v:.4f}" for k, (t, v) in enumerate(zip(train, val, strict=True))
    ]
    write(path, rows, "\r\n", "utf-16")
    at = [10 * k for k in range(20)]
    return {"train": points(at, train, 4), "val": points(at, val, 4)}


@log("below-training.txt", "a loop with dropout")
def below(path):
    train, val = curve(17, 40, gap=-0.13)
    rows = [f"[{k}] train: loss={t:.3f} | valid: loss={v:.3f}" for k, (t, v) in enumerate(zip(train, val, strict=True))]
    rows = [f"Step {25 * k} | {row.partition('] ')[2]}" for k, row in enumerate(rows)]
    write(path, rows)
    at = [25 * k for k in range(40)]
    return {"train": points(at, train, 3), "val": points(at, val, 3)}


@log("diverged.txt", "nanoGPT")
def diverged(path):
    train, val = curve(18, 30)
    rows = [
        f"step {10 * k}: train loss {t if k < 20 else math.nan:.4f}, val loss {v if k < 20 else math.nan:.4f}"
        for k, (t, v) in enumerate(zip(train, val, strict=True))
    ]
    write(path, rows)
    at = [10 * k for k in range(20)]
    return {"train": points(at, train[:20], 4), "val": points(at, val[:20], 4)}


@log("resumed.txt", "nanoGPT, killed and resumed")
def resumed(path):
    train, val = curve(19, 30)
    rows = [f"step {10 * k}: train loss {train[k] + 0.5:.4f}, val loss {val[k] + 0.5:.4f}" for k in range(20)]
    rows[15:] = [f"step {10 * k}: train loss {train[k]:.4f}, val loss {val[k]:.4f}" for k in range(15)][10:] + [
        f"step {10 * k}: train loss {train[k]:.4f}, val loss {val[k]:.4f}" for k in range(15, 30)
    ]
    write(path, rows)
    train[:10], val[:10] = [x + 0.5 for x in train[:10]], [x + 0.5 for x in val[:10]]
    at = [10 * k for k in range(30)]
    return {"train": points(at, train, 4), "val": points(at, val, 4)}


@log("wandb-export.csv", "W&B, a chart's CSV export")
def wandb_csv(path):
    train, val = curve(20, 30)
    names = [
        "run-7 - train/loss",
        "run-7 - train/loss__MIN",
        "run-7 - train/loss__MAX",
        "run-7 - val/loss",
        "run-7 - val/loss__MIN",
        "run-7 - val/loss__MAX",
    ]
    rows = ['"Step",' + ",".join(f'"{n}"' for n in names)]
    for k in range(30):
        v = f'"{val[k]:.6f}","{val[k]:.6f}","{val[k]:.6f}"' if k % 3 == 0 else ",,"
        rows.append(f'"{10 * k}","{train[k]:.6f}","{train[k]:.6f}","{train[k]:.6f}",{v}')
    write(path, rows)
    at = [10 * k for k in range(30)]
    return {"train": points(at, train, 6), "val": points(at[::3], val[::3], 6)}


@log("wandb-history.jsonl", "W&B, run.scan_history() written a line each")
def wandb_jsonl(path):
    train, val = curve(21, 30)
    rows = []
    for k in range(30):
        row = {"_step": 10 * k, "_runtime": 1.5 * k, "_timestamp": 1.7e9 + k, "train/loss": round(train[k], 6)}
        rows.append(json.dumps(row | ({"eval/loss": round(val[k], 6)} if k % 3 == 2 else {"eval/loss": None})))
    write(path, rows)
    at = [10 * k for k in range(30)]
    return {"train": points(at, train, 6), "val": points(at[2::3], val[2::3], 6)}


@log("own-columns.csv", "a table of one's own", columns="train=fit,val=holdout,step=n")
def own(path):
    train, val = curve(22, 30)
    write(
        path,
        [
            "n;fit;holdout;loss_scale",
            *(f"{k};{t:.5f};{v:.5f};65536" for k, (t, v) in enumerate(zip(train, val, strict=True))),
        ],
    )
    return {"train": points(range(30), train, 5), "val": points(range(30), val, 5)}


@log("nested.jsonl", "a loop that writes JSON lines")
def nested(path):
    train, val = curve(23, 30)
    rows = [
        json.dumps({"step": 5 * k, "train": {"loss": round(t, 5), "lr": 1e-3}, "val": {"loss": round(v, 5)}})
        for k, (t, v) in enumerate(zip(train, val, strict=True))
    ]
    write(path, rows)
    at = [5 * k for k in range(30)]
    return {"train": points(at, train, 5), "val": points(at, val, 5)}


@log("history-pandas.json", "Keras, pandas.DataFrame(history.history).to_json")
def pandas_history(path):
    import pandas as pd

    train, val = curve(24, 12)
    pd.DataFrame({"loss": train, "val_loss": val}).to_json(path, double_precision=6)
    return {"train": points(range(12), train, 6), "val": points(range(12), val, 6)}


# real: written by the tools


def rows_of_text():
    """Return the first verses as rows of 33 byte ids below 128, (400, 33)."""
    import numpy as np
    from pythonbible_akjv.plain_text_readers_bible import bible

    data = " ".join(bible.scripture_content[:16000].split()).encode("ascii", "ignore")
    return np.frombuffer(data[: 33 * 400], np.uint8).reshape(400, 33).astype("int64") % 128


def trainer(folder, **settings):
    """Train a tiny GPT-2 with Hugging Face's Trainer; return it, what its callbacks saw, and what it printed."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments, set_seed

    set_seed(0)
    rows = [{"input_ids": torch.tensor(row[:32]), "labels": torch.tensor(row[:32])} for row in rows_of_text()]
    config = GPT2Config(vocab_size=128, n_positions=32, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
    seen = []

    class See(TrainerCallback):
        def on_log(self, args, state, control, logs=None, **more):
            seen.append({"step": state.global_step, **dict(logs or {})})

    arguments = TrainingArguments(
        output_dir=str(folder), per_device_train_batch_size=8, learning_rate=3e-3, report_to=[], disable_tqdm=True,
        use_cpu=True, save_strategy="no", seed=0, **settings,
    )  # fmt: skip
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        one = Trainer(
            GPT2LMHeadModel(config), arguments, train_dataset=rows[:320], eval_dataset=rows[320:], callbacks=[See()]
        )
        one.train()
    return one, seen, out.getvalue()


def seen_points(seen):
    return {"train": [[r["step"], float(r["loss"])] for r in seen if "loss" in r],
            "val": [[r["step"], float(r["eval_loss"])] for r in seen if "eval_loss" in r]}  # fmt: skip


@log("trainer_state.json", "transformers", "real")
def hf_steps(path):
    one, seen, _ = trainer(
        path.parent / "tmp", num_train_epochs=3, logging_steps=5, eval_strategy="steps", eval_steps=10
    )
    one.state.save_to_json(str(path))
    return seen_points(seen)


@log("trainer_state-epochs.json", "transformers", "real")
def hf_epochs(path):
    one, seen, _ = trainer(
        path.parent / "tmp",
        num_train_epochs=4,
        logging_strategy="epoch",
        eval_strategy="epoch",
        label_smoothing_factor=0.1,
    )
    one.state.save_to_json(str(path))
    return seen_points(seen)


@log("huggingface-stdout.txt", "transformers", "real")
def hf_stdout(path):
    _, seen, text = trainer(
        path.parent / "tmp", num_train_epochs=2, logging_steps=5, eval_strategy="steps", eval_steps=20
    )
    path.write_text(text, encoding="utf-8")
    rows = seen_points(seen)
    return {"train": [[r.get("epoch"), float(r["loss"])] for r in seen if "loss" in r],
            "val": [[r.get("epoch"), float(r["eval_loss"])] for r in seen if "eval_loss" in r], "close": 1e-3} | ({} if rows else {})  # fmt: skip


def lightning(folder, logger, **how):
    """Train a bigram model with Lightning; return what was handed to its loggers by name."""
    import warnings

    import lightning as pl
    import torch

    warnings.simplefilter("ignore")
    pl.seed_everything(0, verbose=False)
    data = torch.tensor(rows_of_text())

    class Bigram(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Embedding(128, 128)

        def loss(self, batch):
            return torch.nn.functional.cross_entropy(self.table(batch[0][:, :-1]).transpose(1, 2), batch[0][:, 1:])

        def training_step(self, batch, _):
            loss = self.loss(batch)
            self.log("train_loss", loss, **how)
            return loss

        def validation_step(self, batch, _):
            self.log("val_loss", self.loss(batch))

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 0.05)

    def batches(rows):
        return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(rows), batch_size=16)

    seen = []
    kept = logger.log_metrics

    def log_metrics(metrics, step=None):
        seen.append({"step": step, **metrics})
        kept(metrics, step)

    logger.log_metrics = log_metrics
    one = pl.Trainer(max_epochs=5, logger=logger, log_every_n_steps=4, enable_progress_bar=False, enable_model_summary=False,
                     enable_checkpointing=False, accelerator="cpu", default_root_dir=str(folder))  # fmt: skip
    one.fit(Bigram(), batches(data[:320]), batches(data[320:]))
    logger.finalize("success")
    return seen


def taken(seen, train, val):
    return {
        side: [[float(r["step"]), float(r[name])] for r in seen if name in r]
        for side, name in (("train", train), ("val", val))
    }


@log("lightning-metrics.csv", "lightning CSVLogger", "real")
def lightning_csv(path):
    from lightning.pytorch.loggers import CSVLogger

    seen = lightning(path.parent / "tmp", CSVLogger(path.parent / "tmp", name="a"))
    shutil.copy(path.parent / "tmp" / "a" / "version_0" / "metrics.csv", path)
    return taken(seen, "train_loss", "val_loss")


@log("lightning-epochs.csv", "lightning CSVLogger", "real")
def lightning_epochs(path):
    from lightning.pytorch.loggers import CSVLogger

    seen = lightning(path.parent / "tmp", CSVLogger(path.parent / "tmp", name="b"), on_step=True, on_epoch=True)
    shutil.copy(path.parent / "tmp" / "b" / "version_0" / "metrics.csv", path)
    return taken(seen, "train_loss_epoch", "val_loss")


@log("lightning-tensorboard", "lightning TensorBoardLogger", "real")
def lightning_tb(path):
    from lightning.pytorch.loggers import TensorBoardLogger

    seen = lightning(path.parent / "tmp", TensorBoardLogger(path.parent / "tmp", name="c"))
    return keep_events(path.parent / "tmp" / "c" / "version_0", path) or taken(seen, "train_loss", "val_loss")


def keep_events(source, path):
    """Move event files, under names without the machine's."""
    shutil.rmtree(path, ignore_errors=True)
    for file in sorted(source.rglob("*tfevents*")):
        folder = path / file.parent.relative_to(source)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / "events.out.tfevents.0.log")


def summary_writer(path, fill):
    from torch.utils.tensorboard import SummaryWriter

    folder = path.parent / "tmp" / path.name
    with SummaryWriter(folder) as writer:
        fill(writer)
    keep_events(folder, path)


@log("tensorboard-scalars", "torch SummaryWriter", "real")
def tb(path):
    train, val = curve(30, 30)

    def fill(writer):
        import numpy as np

        writer.add_text("config", "batch_size=8")
        for k in range(30):
            writer.add_scalar("Loss/train", train[k], 10 * k)
            writer.add_scalar("Loss/validation", val[k], 10 * k)
            writer.add_scalar("lr", 1e-3, 10 * k)
        writer.add_histogram("weights", np.arange(50.0), 10)

    summary_writer(path, fill)
    at = [10 * k for k in range(30)]
    return {
        "train": [[a, v] for a, v in zip(at, train, strict=True)],
        "val": [[a, v] for a, v in zip(at, val, strict=True)],
        "close": 1e-6,
    }


@log("tensorboard-new-style", "torch SummaryWriter, new_style", "real")
def tb_new(path):
    train, val = curve(31, 30)

    def fill(writer):
        for k in range(30):
            writer.add_scalar("train/loss", train[k], k, new_style=True)
            writer.add_scalar("eval/loss", val[k], k, new_style=True, double_precision=True)

    summary_writer(path, fill)
    return {"train": [[k, v] for k, v in enumerate(train)], "val": [[k, v] for k, v in enumerate(val)], "close": 1e-6}


@log("tensorboard-add-scalars", "torch SummaryWriter.add_scalars", "real")
def tb_many(path):
    train, val = curve(32, 30)

    def fill(writer):
        for k in range(30):
            writer.add_scalars("loss", {"train": train[k], "val": val[k]}, 5 * k)

    summary_writer(path, fill)
    return {
        "train": [[5 * k, v] for k, v in enumerate(train)],
        "val": [[5 * k, v] for k, v in enumerate(val)],
        "close": 1e-6,
    }


@log("tensorboard-two-folders", "torch SummaryWriter, a folder a side as Keras has", "real")
def tb_two(path):
    from torch.utils.tensorboard import SummaryWriter

    train, val = curve(33, 30)
    folder = path.parent / "tmp" / path.name
    for side, values in (("train", train), ("validation", val)):
        with SummaryWriter(folder / side) as writer:
            for k, value in enumerate(values):
                writer.add_scalar("epoch_loss", value, k)
    keep_events(folder, path)
    return {"train": [[k, v] for k, v in enumerate(train)], "val": [[k, v] for k, v in enumerate(val)], "close": 1e-6}


@log(
    "tensorboard-export.csv",
    "TensorBoard's page, a CSV for each tag",
    "generated",
    others=["val-tensorboard-export.csv"],
    columns="train=tensorboard-export,val=val-tensorboard-export",
)
def tb_csv(path):
    train, val = curve(34, 30)
    for name, values in ((path, train), (path.with_name(f"val-{path.name}"), val)):
        write(name, ["Wall time,Step,Value", *(f"{1.7e9 + k},{10 * k},{v}" for k, v in enumerate(values))])
    at = [10 * k for k in range(30)]
    return {
        "train": [[a, v] for a, v in zip(at, train, strict=True)],
        "val": [[a, v] for a, v in zip(at, val, strict=True)],
    }


def keras_fit(path, verbose=0, epochs=12):
    """Fit a tiny model with Keras on torch; return its history and what it printed."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(0)
    rows = rows_of_text()
    x, y = rows[:, :-1], rows[:, 1:]
    model = keras.Sequential([keras.layers.Embedding(128, 16), keras.layers.Dropout(0.3), keras.layers.Dense(128)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callbacks = [keras.callbacks.CSVLogger(str(path))] if path.suffix == ".csv" else []
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        fitted = model.fit(x[:320], y[:320], batch_size=16, epochs=epochs, verbose=verbose, callbacks=callbacks,
                           validation_data=(np.array(x[320:]), np.array(y[320:])))  # fmt: skip
    return fitted.history, out.getvalue()


def history_points(history, scale=1, base=0):
    return {"train": [[scale * (k + 1) + base if scale > 1 else k + base, float(v)] for k, v in enumerate(history["loss"])],
            "val": [[scale * (k + 1) + base if scale > 1 else k + base, float(v)] for k, v in enumerate(history["val_loss"])]}  # fmt: skip


@log("keras-csvlogger.csv", "keras CSVLogger", "real")
def keras_csv(path):
    return history_points(keras_fit(path)[0])


@log("keras-history.json", "keras, json.dump(history.history)", "real")
def keras_json(path):
    history, _ = keras_fit(path)
    path.write_text(json.dumps(history), encoding="utf-8")
    return history_points(history)


@log("keras-verbose.txt", "keras, verbose=1", "real")
def keras_bar(path):
    history, text = keras_fit(path, 1, 4)
    path.write_text(text, encoding="utf-8")
    return {"val": history_points(history, base=1)["val"], "close": 6e-5}


@log("keras-lines.txt", "keras, verbose=2", "real")
def keras_lines(path):
    history, text = keras_fit(path, 2)
    path.write_text(text, encoding="utf-8")
    return history_points(history, base=1) | {"close": 6e-5}


def main():
    wanted = sys.argv[1:]
    manifest_path = HERE / "manifest.json"
    manifest = json.loads(manifest_path.read_text()) if manifest_path.exists() else {}
    for file, (tool, kind, options, writer) in MADE.items():
        if wanted and not any(file.startswith(name) for name in wanted):
            continue
        values = writer(HERE / file)
        manifest[file] = {"tool": tool, "kind": kind, **options, "values": values}
        print(file, flush=True)
    shutil.rmtree(HERE / "tmp", ignore_errors=True)
    ordered = {file: manifest[file] for file in MADE if file in manifest}
    manifest_path.write_text(json.dumps(ordered, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
