"""Measures the field guide's figures: `python tools/guide_cases.py [CASE ...]` writes tools/guide.json.

Each case trains the recipe `small` on one verse in thirty with one thing planted, or runs a case of the gallery, and
keeps the curves and the ledger. Twenty cases take some eight minutes on one core. `python tools/guide.py` draws them.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).parent.parent
KEPT = ROOT / "tools" / "guide.json"
GALLERY = ROOT / "examples" / "gallery"
VERSES = "python examples/verses.py 30 > verses.txt"
TRAIN = "diagnose train --recipe small --data verses.txt"
ALL = [  # every condition differs, so that every term of the ledger is something
    "model.dropout=0.1", "loss.label_smoothing=0.05", "run.precision=bf16", "report.val_precision=fp32",
    "batches.loader=packed", "loss.mean=batch", "report.val_loader=padded", "report.val_mean=sequence",
    "data.duplicates=0.4", "report.val=batch", "batches.size=16", "budget.epochs=10",
]  # fmt: skip
CASES = {  # the entry: the settings that plant it
    "ledger": ALL,
    "dropout": ["model.dropout=0.3"],
    "eval-forgotten": ["model.dropout=0.3", "report.val_dropout=true"],
    "label-smoothing": ["loss.label_smoothing=0.1"],
    "weight-decay-in-loss": ["loss.weight_decay=0.001", "optimizer.weight_decay=0"],
    "bf16": ["run.precision=bf16", "report.val_precision=fp32"],
    "padding-counted": ["batches.loader=padded", "loss.padding=denominator"],
    "mean-of-means": ["batches.loader=padded", "loss.mean=sequence"],
    "packing": ["batches.context=32", "batches.size=32", "report.val_loader=padded"],
    "moving-average": ["report.train=epoch", "budget.epochs=2", "report.interval=10"],
    "memorising": ["budget.epochs=25", "report.interval=50"],
    "duplicates": ["data.duplicates=0.5", "budget.epochs=25", "report.interval=50"],
    "overlapping-windows": [
        "batches.loader=windows", "data.split=windows", "batches.context=32", "batches.size=32", "budget.epochs=1",
        "report.interval=100",
    ],
    "one-batch": ["report.val=batch", "batches.size=4", "batches.accumulate=4"],
}  # fmt: skip
OF_GALLERY = {  # the entry: the gallery's case
    "batch-norm": "02_batch_norm", "augmentation": "11_augmentation", "shuffling-off": "14_shuffling_off",
    "easier-validation": "10_easier_half", "wrong-factor": "13_bits_and_nats", "batching": "15_in_batch_negatives",
    "weights": "16_averaged_weights",
}  # fmt: skip


def command(case):
    """Return what a reader types to see it, line by line."""
    if case in OF_GALLERY:
        return [f"python examples/gallery/{OF_GALLERY[case]}.py"]
    return [VERSES, " ".join([TRAIN, *(f"--set {pair}" for pair in CASES[case])]), "diagnose loss-gap runs/latest"]


def trained(case, folder):
    """Run a case's commands in a folder; return its curves and its ledger."""
    from diagnose.report.summary import read_run

    env = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    diagnose = [sys.executable, "-m", "diagnose"]
    verses = subprocess.run(
        [sys.executable, ROOT / "examples" / "verses.py", "30"], env=env, capture_output=True, check=True
    )
    (folder / "verses.txt").write_bytes(verses.stdout)
    for line in command(case)[1:]:
        done = subprocess.run(
            [*diagnose, *line.split()[1:], "--json"], cwd=folder, env=env, capture_output=True, check=False
        )
        if done.returncode:
            sys.exit(f"{case}: {line}\n{done.stderr.decode()}")
    run = (folder / json.loads(done.stdout)["run"]).resolve()
    readings = [r for r in read_run(run).run.readings if r.kind in ("reported", "probe")]
    curves = {
        f"{kind} {split}": [(r.step, round(r.loss, 4)) for r in readings if (r.kind, r.split) == (kind, split)]
        for kind in ("reported", "probe") for split in ("train", "val")
    }  # fmt: skip
    return json.loads(done.stdout) | {"curves": curves}


def of_gallery(case):
    """Run a case of the gallery; return its ledger."""
    sys.path.insert(0, str(GALLERY))
    return importlib.import_module(OF_GALLERY[case]).main().record


def kept(record):
    """Return what the guide needs of a ledger."""
    terms = [{key: term[key] for key in ("id", "group", "value", "low", "high")} for term in record["terms"]]
    unseen = record.get("unseen") or {}
    return {
        "train": record["reported"]["train"], "val": record["reported"]["val"], "gap": record["gap"], "terms": terms,
        "matched": record["matched"], "unseen": unseen.get("loss"), "verdict": record["verdict"],
        "unit": record["reported"]["unit"], "curves": record.get("curves", {}), "measured": date.today().isoformat(),
    }  # fmt: skip


def main(names):
    for case in names or [*CASES, *OF_GALLERY]:
        with tempfile.TemporaryDirectory() as folder:
            record = of_gallery(case) if case in OF_GALLERY else trained(case, Path(folder))
        found = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
        found[case] = kept(record)
        KEPT.write_text(
            json.dumps(found, indent=None, sort_keys=True).replace('}, "', '},\n"') + "\n", encoding="utf-8"
        )
        print(case, record["verdict"], flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
