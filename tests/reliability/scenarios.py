"""What the tests of this folder disturb: commands on a tiny text, the state they start from, and what must come out."""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import forked

LINES = [f"{number} {word} and {other} went to {number % 7} of the {word}s" for number in range(40)
         for word, other in (("king", "priest"), ("shepherd", "scribe"), ("widow", "judge"))]  # fmt: skip
SETTINGS = {
    "tokenizer.kind": "bpe", "tokenizer.vocab_size": 300, "budget.steps": 4, "model.layers": 1, "model.width": 16,
    "model.heads": 2, "batches.size": 4, "batches.context": 32, "report.interval": 2, "run.threads": 1,
    "run.device": "cpu", "model.dropout": 0.1, "report.sample": False,
}  # fmt: skip


def sets(more=()):
    """Return the options that set these keys, and others."""
    given = SETTINGS | dict(more)
    return ["--data", "text.txt", *(part for key, value in given.items() for part in ("--set", f"{key}={value}"))]


SETS = sets()
LOG = "".join(f"step {k}: train loss {4 - k / 300:.4f}, val loss {4.1 - k / 310:.4f}\n" for k in range(0, 900, 50))
TIMES = {"seconds", "took", "created", "when", "started", "tokens_per_second", "command"}
HALF = (".diagnose-part", ".old", ".tmp")
TABLES = ("steps", "readings", "validation", "places")


@dataclass(frozen=True)
class Scenario:
    """A command that is disturbed.

    Attributes:
        args: of the command.
        before: commands whose results it starts from.
        again: what is added to the command that repeats it.
    """

    args: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    again: tuple[str, ...] = ()


TRAIN = ("train", "--json", *SETS)  # without a page, whose drawings take longer than all else; `report` writes it
OTHER = ("train", "--json", *SETS, "--set", "model.activation=relu")
ABLATE = ("ablate", "--axis", "activation", "--seeds", "1", "--jobs", "2", *SETS)
SCENARIOS = {
    "train": Scenario(TRAIN, again=("--resume",)),
    "ablate": Scenario(ABLATE, (("yardstick", "--data", "text.txt"),), again=("--resume",)),
    "loss-gap": Scenario(("loss-gap", "runs/latest", "--budget", "2000 tokens"), (TRAIN,)),
    "audit": Scenario(("audit", "runs/latest"), (TRAIN,)),
    "report": Scenario(("report", "runs/latest", "--index", "--tables", "tables"), (TRAIN,)),
    "compare": Scenario(("compare", "RUN0", "RUN1"), (TRAIN, OTHER)),
    "log": Scenario(("log", "train.log", "--data", "text.txt", "--page")),
    "yardstick": Scenario(("yardstick", "--data", "text.txt")),
}


class Workshop:
    """A server that forks commands, and the state that each scenario starts from."""

    def __init__(self, folder, names=tuple(SCENARIOS)):
        self.folder = Path(folder)
        library = forked.built(self.folder)
        self.env = {}
        modules = self._modules(library, names)
        self.server = forked.Server(library, modules)
        self.starts = {name: self._start(name) for name in names}

    def _modules(self, library, names):
        """Return what the commands import; found once, by running them."""
        server, found = forked.Server(library), set()
        place = self._empty("imports")
        commands = [args for name in names for args in (*SCENARIOS[name].before, SCENARIOS[name].args)]
        for args in dict.fromkeys(commands):
            found |= set(server.modules(self._args(args, place), place, self._env(place)))
        server.close()
        return sorted(found)

    def _empty(self, name):
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        (place / "text.txt").write_text("\n".join(LINES) + "\n")
        (place / "train.log").write_text(LOG)
        return place

    def _start(self, name):
        place = self._empty(f"start-{name}")
        for args in SCENARIOS[name].before:
            done = self.run(place, args)
            assert done.code == 0, done.err
        return place

    def fresh(self, name, where):
        """Return a copy of the state that a scenario starts from."""
        place = self.folder / where
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.starts[name], place, symlinks=True)
        return place

    def _env(self, place):
        return {"DIAGNOSE_CACHE": str(place / "cache"), "HOME": str(place), "TMPDIR": str(self.server_tmp())}

    def server_tmp(self):
        place = self.folder / "tmp"
        place.mkdir(exist_ok=True)
        return place

    def _args(self, args, place):
        runs = sorted(p.name for p in (place / "runs").glob("*") if (p / "status.json").exists() and not p.is_symlink())
        named = {f"RUN{k}": f"runs/{name}" for k, name in enumerate(runs)}
        return [named.get(part, part) for part in args]

    def run(self, place, args, **more):
        """Run a command in a folder."""
        return self.server.run(self._args(args, place), place, env=self._env(place), **more)

    def disturbed(self, place, name, more=(), **how):
        """Run a scenario's command there, with more options, counting and disturbing what it writes."""
        under = [place / part for part in ("runs", "cache", "reports", "tables")]
        return self.run(place, (*SCENARIOS[name].args, *more), under=under, **how)

    def again(self, place, name):
        """Run it again, undisturbed."""
        return self.run(place, (*SCENARIOS[name].args, *SCENARIOS[name].again))

    def close(self):
        """End the server."""
        self.server.close()


def outcome(place):
    """Return all that a command is to leave, without names and times: digests by kind."""
    found = {}
    runs = [
        p
        for p in sorted((place / "runs").glob("*"))
        if p.is_dir() and not p.is_symlink() and not p.name.startswith(".")
    ]
    for run in runs:
        if (run / "status.json").exists():
            kind = json.loads((run / "status.json").read_text())["state"]
            found.setdefault(f"run {kind}", []).append(_run(run))
        else:
            found.setdefault("record", []).append(_records(run))
    found = {kind: sorted(set(values)) for kind, values in found.items()}  # what was trained again is the same again
    pages = [p.read_text().rstrip().endswith("</html>") for p in (place / "reports").glob("*.html")]
    return found | {"pages": len(pages), "whole": all(pages), "tables": len(list((place / "tables").glob("*")))}


def _run(run):
    import pandas as pd

    parts = [(run / "recipe.toml").read_text(), (run / "tokenizer.json").read_text(), _records(run)]
    parts += [_weights(run / folder) for folder in ("checkpoint", "interval")]
    for name in TABLES:
        table = pd.read_parquet(run / f"{name}.parquet").drop(columns="seconds", errors="ignore")
        parts.append(table.to_json(double_precision=15))
    parts.append((run / "samples.jsonl").read_text())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _weights(folder):
    """Return a digest of the tensors of a checkpoint."""
    if not folder.exists():
        return ""
    from safetensors.numpy import load_file

    found = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        for name, value in sorted(load_file(file).items()):
            found.update(f"{file.name} {name} {value.dtype} {value.shape}".encode() + value.tobytes())
    return found.hexdigest()


def _records(folder):
    """Return the JSON records of a folder but for times, places, and how and by which command they came about."""
    found = {}
    for file in sorted(folder.glob("*.json")):
        if file.name not in ("tokenizer.json", "environment.json", "status.json"):
            found[file.name] = _timeless(json.loads(file.read_text()))
    return json.dumps(found, sort_keys=True)


def _timeless(value, key=""):
    if isinstance(value, dict):
        return {k: _timeless(v, k) for k, v in value.items() if k not in TIMES and k not in ("environment", "reused")}
    if isinstance(value, list):
        return [_timeless(v, key) for v in value]
    return "" if key in ("run", "runs", "name", "page", "source") else value


def strays(place):
    """Return half-written files and folders that lie about."""
    found = []
    for part in ("runs", "cache", "reports", "tables", "tmp"):
        for path in (place / part).rglob("*"):
            half = path.suffix in HALF or path.name.startswith(".")
            if half and path.name != ".locks" and ".locks" not in path.parts:
                found.append(str(path.relative_to(place)))
    return found


def state_of(place):
    """Return the content of every file of runs and pages, to see that none is lost."""
    found = {}
    for part in ("runs", "reports", "tables"):
        for path in (place / part).rglob("*"):
            if path.is_file() and not path.is_symlink():
                found[os.fspath(path.relative_to(place))] = path.read_bytes()
    return found
