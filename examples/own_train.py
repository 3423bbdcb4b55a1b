"""A plain training script: a bigram model of words on Bible verses, its options, its result as JSON and by verse.

diagnose ablate --axis lr=0.03,0.1 --axis smoothing=0,0.1 --seeds 5 --jobs 2 \
    --run 'python examples/own_train.py --lr {lr} --smoothing {smoothing} --seed {seed} --out {dir}' \
    --read '{dir}/metrics.json:val_loss'
"""

import argparse
import json
from pathlib import Path

import torch
from torch.nn import functional as F
from verses import padded, verses

from diagnose import report_scores

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--smoothing", type=float, default=0.0)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path())
args = parser.parse_args()

torch.manual_seed(args.seed)
rows = verses()
train, val = rows[:500], rows[500:600]
logits = (0.1 * torch.randn(128, 128)).requires_grad_()
optimizer = torch.optim.Adam([logits], args.lr)


def losses(batch, smoothing=0.0):
    """Return the loss of each verse, in nats per character."""
    tokens, real = padded(batch)
    wanted = tokens[:, 1:].masked_fill(~real[:, 1:], -100)
    each = F.cross_entropy(logits[tokens[:, :-1]].transpose(1, 2), wanted, reduction="none", label_smoothing=smoothing)
    return each.sum(1) / real[:, 1:].sum(1)


for step in range(60):
    loss = losses([train[k] for k in torch.randint(len(train), (16,))], args.smoothing).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        with torch.no_grad():
            print(f"step {step + 1}: train loss {loss:.4f}, val loss {losses(val).mean():.4f}", flush=True)

with torch.no_grad():
    by_verse = losses(val)
(args.out / "metrics.json").write_text(json.dumps({"val_loss": float(by_verse.mean())}))
report_scores(by_verse, examples=range(500, 600), name="val_loss")  # outside of `diagnose ablate --run` it does nothing
