"""What a machine with a CUDA device can prove of the trainer, in under nine minutes and without network: `make gpu`.

Each stage (`gpu_stages.py`) is a process with a limit of its own; `gpu-report.json` and `gpu-report.md` are written
anew after each, so that a machine that is taken away leaves what was found until then. A stage that fails or takes too
long leaves what it had found. Without a CUDA device the same stages run at tiny sizes, where they can, or say "no CUDA:
skipped".

    python benchmarks/gpu.py [--out FOLDER] [--stages a,b] [--tiny]
"""

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from gpu_common import COMPILES, TINY
from gpu_stages import STAGES

PATIENCE_WITHOUT = 5  # times a stage's limit where there is no CUDA device, and other work may share the processor
ROOT = Path(__file__).resolve().parent.parent


def carried_out(name, limit, told):
    """Run a stage in a process of its own and return what it found; `told` are variables of its environment."""
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu_stages.py"), name]
    place = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]), **told}
    begun = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", env=place, cwd=ROOT,
        start_new_session=True,
    )  # fmt: skip
    try:
        out, error = process.communicate(timeout=limit)
        found = last_found(out)
        if process.returncode or found.get("state") not in ("done", "skipped", "failed"):
            found |= {"state": "failed", "why": last_line(error)}
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        found = last_found(process.communicate()[0]) | {"state": "timed out", "why": f"not done after {limit} s"}
    return {"stage": name, "seconds": round(time.monotonic() - begun, 1), **found}


def last_found(out):
    """Return the last whole object that a stage printed; an empty one where it printed none."""
    for line in reversed(out.splitlines()):
        with suppress(ValueError):
            if isinstance(found := json.loads(line), dict) and "state" in found:
                return found
    return {}


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def page(report):
    """Return the report in Markdown."""
    rows = [f"| {s['stage']} | {s['state']} | {s['seconds']} | {s.get('why', '')} |" for s in report["stages"]]
    out = ["# GPU report", "", report["head"], "", "| stage | state | seconds | |", "| --- | --- | ---: | --- |", *rows]
    for stage in report["stages"]:
        if stage.get("figures"):
            table = [f"| {key} | {shown(value)} |" for key, value in stage["figures"].items()]
            out += ["", f"## {stage['stage']}", "", "| | |", "| --- | ---: |", *table]
    return "\n".join(out) + "\n"


def shown(value):
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def write(report, out):
    for name, text in (("gpu-report.json", json.dumps(report, indent=1)), ("gpu-report.md", page(report))):
        part = out / f"{name}.part"
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(out / name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=Path())
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--tiny", action="store_true", help="tiny sizes on a CUDA device too")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    report = {"format": 1, "head": "no stage has ended yet", "stages": []}
    patience, told = 1, {TINY: "1"} if given.tiny else {}
    for name in given.stages.split(","):
        found = carried_out(name, patience * STAGES[name].limit, told)
        patience = patience if found.get("cuda", True) else PATIENCE_WITHOUT
        told |= {COMPILES: str(int(found["compiles"]))} if "compiles" in found else {}
        report["stages"].append(found)
        report["head"] = found.get("head", report["head"])
        write(report, given.out)
        why = f": {found['why']}" if found.get("why") else ""
        print(f"{name}: {found['state']} in {found['seconds']} s{why}", flush=True)
    return int(any(stage["state"] in ("failed", "timed out") for stage in report["stages"]))


if __name__ == "__main__":
    sys.exit(main())
