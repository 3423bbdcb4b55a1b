"""A tiny script of a user, and the command that runs `diagnose ablate --run` on it."""

import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run_fixture import processes

from diagnose import __main__

SCRIPT = """
import argparse, json, os, random, sys, time
parser = argparse.ArgumentParser()
for name in ("lr", "act", "seed", "out", "mode"):
    parser.add_argument("--" + name, default="")
args = parser.parse_args()
drawn = random.Random(args.seed)
common = drawn.gauss(0, 0.02)
loss = 1.0 - 100 * float(args.lr or 0) + common + random.Random(args.seed + args.lr + args.act).gauss(0, 0.001)
exec(open("body.py").read()) if os.path.exists("body.py") else None
for step in range(0, 50, 10):
    print(f"step {step} | train_loss {loss + 1 / (step + 1):.4f} | val_loss {loss + 1 / (step + 1) + 0.1:.4f}")
with open(os.path.join(args.out, "metrics.json"), "w") as file:
    json.dump({"val_loss": loss, "eval": {"accuracy": 0.5 + loss / 10}}, file)
"""
RUN = "python train.py --lr {lr} --seed {seed} --out {dir}"
READ = "{dir}/metrics.json:val_loss"
ROOT = Path(__file__).parents[1]


def user_folder(folder, body=""):
    """Make a folder with a user's script; `body` is executed in it before it writes its result."""
    (folder / "train.py").write_text(SCRIPT, encoding="utf-8")
    if body:
        (folder / "body.py").write_text(body, encoding="utf-8")
    return folder


def environment():
    """Return an environment in which `python` is this one and `diagnose` is this checkout."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}


def arguments(*more, run=RUN, read=(READ,), axes=("lr=1e-4,3e-4",), seeds=2):
    """Return the arguments of `diagnose ablate --run`."""
    out = ["ablate", *(part for axis in axes for part in ("--axis", axis)), "--seeds", str(seeds), "--run", run]
    return [*out, *(part for one in read for part in ("--read", one)), *more]


class Forked:
    """`diagnose`, or a script, in a folder, in a session of its own; a process as `subprocess.Popen` has it.

    It is forked from one that has imported what commands need, for that takes longer than most of what they do.
    """

    def __init__(self, folder, *args, script=None, **env):
        self.printed, self.texts = Path(tempfile.mkdtemp()), ["", ""]
        place, streams = str(folder), [str(self.printed / name) for name in ("out", "err")]
        given = (place, streams, args, environment() | env, script and str(script))
        self.process = processes().Process(target=_become, args=given, daemon=True)
        self.process.start()
        self.pid = self.process.pid

    @property
    def returncode(self):
        return self.process.exitcode

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        self.process.kill()

    def first_line(self):
        """Wait for the first line on standard error."""
        told = self.printed / "err"
        return until(lambda: "\n" in (text := told.read_text(encoding="utf-8") if told.exists() else "") and text)

    def communicate(self, timeout=None):
        """Wait for its end and return what it printed: to standard output, and to standard error."""
        self.process.join(timeout)
        assert self.returncode is not None, f"it still ran after {timeout} s"
        if self.printed.exists():
            self.texts = [(self.printed / name).read_text(encoding="utf-8") for name in ("out", "err")]
            shutil.rmtree(self.printed)
        return self.texts


def _become(folder, streams, args, env, script):
    """Be the command, in the child."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    for number, (name, path) in enumerate(zip(("stdout", "stderr"), streams, strict=True), 1):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
        setattr(sys, name, open(number, "w", encoding="utf-8", buffering=1, closefd=False))  # noqa: SIM115
    sys.argv = [script or "diagnose", *args]
    if script:
        sys.path.insert(0, str(Path(script).parent))
        runpy.run_path(script, run_name="__main__")
    else:
        __main__.main()


def begun(folder, *args, **env):
    """Start `diagnose` in a folder, in a session of its own, with more in its environment."""
    return Forked(folder, *args, **env)


def diagnose(folder, *args, timeout=120, script=None, **env):
    """Run `diagnose` or a script in a folder; return its exit code and what it printed, as `subprocess.run` does."""
    process = Forked(folder, *args, script=script, **env)
    out, err = (text.replace("\N{NO-BREAK SPACE}", " ") for text in process.communicate(timeout))
    return subprocess.CompletedProcess(args, process.returncode, out, err)


def record(folder):
    """Return the newest record of an ablation of a command."""
    (path,) = sorted((folder / "runs").glob("*ablate*/comparison.json"))[-1:]
    return json.loads(path.read_text(encoding="utf-8"))


def until(what, seconds=60.0):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)
    return found
