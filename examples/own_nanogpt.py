"""A script with nanoGPT's command line: settings are globals, which --key=value overrides; its log is its result.

diagnose ablate --axis learning_rate=0.1,0.3 --seeds 5 --jobs 2 \
    --run 'python examples/own_nanogpt.py --learning_rate={learning_rate} --seed={seed} --out_dir={dir}' \
    --read 'log:val loss'
"""

import sys
from ast import literal_eval
from contextlib import suppress

import torch
from torch.nn import functional as F
from verses import padded, verses

out_dir = "out"
learning_rate = 0.1
batch_size = 16
max_iters = 60
eval_interval = 10
seed = 1337  # nanoGPT itself has this number in a call of torch.manual_seed: make it a setting

for given in sys.argv[1:]:
    key, _, value = given.removeprefix("--").partition("=")
    if not given.startswith("--") or key not in globals():
        sys.exit(f"Unknown config key: {key}")
    with suppress(SyntaxError, ValueError):  # a text stays one
        value = literal_eval(value)
    if type(value) is not type(globals()[key]):
        value = type(globals()[key])(value)
    globals()[key] = value

torch.manual_seed(seed)
rows = verses()
logits = (0.1 * torch.randn(128, 128)).requires_grad_()


def loss_of(batch):
    tokens, real = padded(batch)
    return F.cross_entropy(logits[tokens[:, :-1]][real[:, 1:]], tokens[:, 1:][real[:, 1:]])


for step in range(max_iters + 1):
    loss = loss_of([rows[k] for k in torch.randint(500, (batch_size,))])
    if step % eval_interval == 0:
        with torch.no_grad():
            print(f"step {step}: train loss {loss_of(rows[:100]):.4f}, val loss {loss_of(rows[500:600]):.4f}")
    (gradient,) = torch.autograd.grad(loss, logits)
    with torch.no_grad():
        logits -= learning_rate * 128 * gradient
