"""Both losses of a run in evaluation mode, from scratch, without diagnose: `python tests/by_hand.py RUN`.

For runs with padded rows of one file's lines, word tokens or any others, the network `gpt` with GELU and tied weights.
"""

import sys
import tomllib
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional as F


def logits(w, ids, heads):
    """Return a plain GPT's logits for one row of tokens."""
    x = w["embedding.weight"][ids] + w["position.weight"][: len(ids)]
    for k in range(sum(name.endswith(".narrow.weight") for name in w)):
        at = {name.removeprefix(f"blocks.{k}."): value for name, value in w.items() if name.startswith(f"blocks.{k}.")}
        h = F.layer_norm(x, x.shape[-1:], at["norm_attention.weight"], at["norm_attention.bias"])
        q, k_, v = (h @ at["attention.qkv.weight"].T + at["attention.qkv.bias"]).chunk(3, -1)
        q, k_, v = (part.view(len(ids), heads, -1).transpose(0, 1) for part in (q, k_, v))
        scores = (q @ k_.transpose(1, 2)) / q.shape[-1] ** 0.5
        hidden = torch.ones(len(ids), len(ids), dtype=torch.bool).triu(1)
        mixed = (scores.masked_fill(hidden, -torch.inf).softmax(-1) @ v).transpose(0, 1).flatten(1)
        x = x + mixed @ at["attention.out.weight"].T + at["attention.out.bias"]
        h = F.layer_norm(x, x.shape[-1:], at["norm_feed.weight"], at["norm_feed.bias"])
        wide = F.gelu(h @ at["widen.weight"].T + at["widen.bias"])
        x = x + wide @ at["narrow.weight"].T + at["narrow.bias"]
    return F.layer_norm(x, x.shape[-1:], w["norm.weight"], w["norm.bias"]) @ w["embedding.weight"].T


def both(run):
    """Return the loss over all training documents and over all validation documents, nats per token."""
    recipe = tomllib.loads((run / "recipe.toml").read_text(encoding="utf-8"))
    w = {name: value.double() for name, value in load_file(run / "checkpoint" / "model.safetensors").items()}
    tokenizer, mark = Tokenizer.from_file(str(run / "tokenizer.json")), 0
    tokenizer.encode_special_tokens = True
    held_out = set(pd.read_parquet(run / "validation.parquet").document)
    sums = {True: [0.0, 0], False: [0.0, 0]}
    for number, line in enumerate(Path(recipe["data"]["path"]).read_text(encoding="utf-8").splitlines()):
        ids = torch.tensor([mark, *tokenizer.encode(line).ids, mark])[: recipe["batches"]["context"] + 1]
        nats = F.cross_entropy(logits(w, ids[:-1], recipe["model"]["heads"]), ids[1:], reduction="sum")
        sums[number in held_out][0] += float(nats)
        sums[number in held_out][1] += len(ids) - 1
    return tuple(nats / count for nats, count in (sums[False], sums[True]))


if __name__ == "__main__":
    print(*both(Path(sys.argv[1])))
