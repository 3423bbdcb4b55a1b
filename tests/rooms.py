"""Prints every import that runs up the house: a room may import only rooms above it in this list (see README)."""

import ast
import sys
from pathlib import Path

ROOMS = (
    {"errors", "seeding", "stats"},
    {"settings", "recipe"},
    {"cache", "sources", "intake", "corpus", "split", "overlap", "vocabulary", "tokenizer", "stream"},
    {"device", "batches", "loading", "network", "crossentropy"},
    {"losses"},
    {"trainer"},
    {"store"},
    {"setup", "sampling"},
    {"session"},
    {"runner"},
    {"gap"},
    {"ablation"},
    {"report"},
    {"progress", "inventory", "cli", "__init__", "__main__"},
)


def rank(name):
    return next(i for i, rooms in enumerate(ROOMS) if name in rooms)


def rooms_imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "diagnose":
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("diagnose."))


def main(root):
    for path in sorted((root / "diagnose").rglob("*.py")):
        here = path.relative_to(root / "diagnose").with_suffix("").parts[0]
        if here in ("recipes", "models"):
            continue
        for room in rooms_imported(ast.parse(path.read_text(encoding="utf-8"))):
            if room[0].islower() and rank(room) > rank(here):
                print(f"{path.relative_to(root)} imports {room}, which stands below it")


main(Path(sys.argv[1]))
