"""Mutated recipes, corpora and caches: each ends in a result or a line, and a damaged cache never in a wrong result.

python tests/reliability/input_fuzz.py KIND [COUNT] [SEED]     recipes, corpora or caches; 100,000 by default
"""

import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import scenarios
from mutations import RAW, mutated_bytes
from record_fuzz import _keep


class Recipes:
    """Recipes that ship and a full one, mutated as text."""

    def __init__(self, home):
        from diagnose.config.recipe import Recipe, shipped

        self.path = Path(home) / "recipe.toml"
        recipes = [Recipe.load(name) for name in shipped()]
        self.known = [recipe.to_toml().encode() for recipe in recipes]

    def tried(self, rng):
        """Load a mutated recipe, and write it again where it is one."""
        from diagnose.config.recipe import Recipe

        data = self.known[int(rng.integers(len(self.known)))]
        if rng.integers(2):
            lines = data.split(b"\n")
            at = int(rng.integers(len(lines)))
            key, sign, _ = lines[at].partition(b"=")
            if sign:
                lines[at] = key + b"= " + RAW[int(rng.integers(len(RAW)))]
            data = b"\n".join(lines)
        else:
            data = mutated_bytes(rng, data)
        self.path.write_bytes(data)
        recipe = Recipe.load(self.path)
        self.path.write_text(recipe.to_toml())
        assert Recipe.load(self.path) == recipe, "a recipe does not come back as it was"


class Corpora:
    """Texts of every kind that is read, mutated; what is read is split and tokenized too."""

    def __init__(self, home):
        import gzip
        import json

        import zstandard

        text = "\n".join(scenarios.LINES[:40]).encode()
        lines = b"\n".join(json.dumps({"text": line}).encode() for line in scenarios.LINES[:40])
        self.known = {
            "a.txt": text, "a.jsonl": lines, "a.txt.gz": gzip.compress(text), "b.jsonl.gz": gzip.compress(lines),
            "a.txt.zst": zstandard.compress(text),
        }  # fmt: skip
        self.home, self.number = Path(home), 0

    def tried(self, rng):
        """Open a mutated text, and see that its documents are what its tokens say."""
        import shutil

        from diagnose.config.recipe import Recipe
        from diagnose.data import corpus, split

        names = list(self.known)
        name = names[int(rng.integers(len(names)))]
        place = self.home / name
        place.write_bytes(mutated_bytes(rng, self.known[name]))
        cache = self.home / "cache"
        self.number += 1
        if self.number % 200 == 0:
            shutil.rmtree(cache, ignore_errors=True)
        recipe = Recipe.load("quick", {"data.corpus": "file", "data.path": str(place)})
        found = corpus.load(recipe.data, cache)
        assert found.size() == sum(len(part[0]) for part in found.parts())
        split.split(found, recipe.data)


class Caches:
    """Entries of a cache, damaged; what comes out is the same as of a whole one."""

    def __init__(self, home):
        import json

        from diagnose.config.recipe import Recipe
        from diagnose.data import corpus, overlap, split, stream, tokenizer

        self.home = Path(home) / "cache"
        text = Path(home) / "text.txt"
        text.write_text("\n".join(scenarios.LINES[:40]) + "\n")
        recipe = Recipe.load("quick", {"data.corpus": "file", "data.path": str(text), "tokenizer.kind": "char"})

        def result():
            found = corpus.load(recipe.data, self.home)
            parts = split.split(found, recipe.data)
            learned = tokenizer.for_run(recipe.tokenizer, found, parts, self.home)
            tokens = stream.tokenise(found, learned, self.home)
            shared = overlap.overlap(found, parts, self.home)
            return json.dumps([
                tokens.tokens.tolist(), tokens.starts.tolist(), shared.record(), found.fingerprint,
                tokenizer.fingerprint(learned),
            ])  # fmt: skip

        self.result, self.whole = result, result()

    def tried(self, rng):
        """Damage a file of the cache and ask again, as a new process would."""
        from diagnose.data import cache

        files = [path for path in sorted(self.home.rglob("*")) if path.is_file()]
        path = files[int(rng.integers(len(files)))]
        data, kind = path.read_bytes(), int(rng.integers(5))
        if kind == 0:
            path.write_bytes(bytes(len(data)))
        elif kind == 1:
            path.unlink()
        elif kind == 2 and data:
            out = bytearray(data)
            out[int(rng.integers(len(out)))] ^= 1 << int(rng.integers(8))
            path.write_bytes(out)
        else:
            path.write_bytes(mutated_bytes(rng, data))
        cache._seen.clear()
        assert self.result() == self.whole, "a damaged cache gives another result"


KINDS = {"recipes": Recipes, "corpora": Corpora, "caches": Caches}


def fuzz(kind, home, count, seed):
    """Try so many mutations; return counts by how they ended and the slowest in seconds."""
    from diagnose.errors import DiagnoseError

    tried, rng = KINDS[kind](home), np.random.default_rng(seed)
    ended, slowest, kept, begun = Counter(), 0.0, Counter(), time.monotonic()
    for number in range(count):
        start = time.perf_counter()
        try:
            tried.tried(rng)
            ended["read"] += 1
        except DiagnoseError as error:
            ended["refused"] += 1
            if "\n" in str(error):
                ended["failed"] += 1
                print(f"{number}: an error of several lines: {error}", file=sys.stderr)
        except Exception as error:  # noqa: BLE001
            ended["failed"] += 1
            _keep(kept, (number, seed, Path(kind), kind), error, b"")
        slowest = max(slowest, time.perf_counter() - start)
        if number % 5000 == 4999:
            print(f"# {kind}: {number + 1}: {dict(ended)}, {time.monotonic() - begun:.0f} s", flush=True)
    return ended, slowest


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="input-fuzz-") as place:
        os.environ["DIAGNOSE_CACHE"] = str(Path(place) / "cache")
        found, slow = fuzz(sys.argv[1], place, int([*sys.argv, "100000"][2]), int([*sys.argv, "0", "0"][3]))
    print(f"# {sys.argv[1]}: {dict(found)}, slowest {slow:.2f} s")
    sys.exit(bool(found["failed"]))
