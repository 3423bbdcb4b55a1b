"""Mutated results of other tools and tables of scores, given to `compare`: each ends in a comparison or a line.

python tests/reliability/results_fuzz.py [COUNT] [SEED]        100,000 by default, as `make fuzz-records`
"""

import io
import sqlite3
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
from mutations import ODD, mutated_bytes, mutated_json
from record_fuzz import SHOWN, _keep, _shown, mutated

sys.path.append(str(Path(__file__).parents[1] / "ablation"))
import test_importers as made

SCORES = ("", "val_loss", "acc", "match")


def build(home):
    """Make a folder for each tool and for each kind of table; return what is compared in it, and how."""
    import pandas as pd

    rng = np.random.default_rng(0)
    answers = {(arm, seed): rng.random(40) < 0.6 for arm in made.ARMS for seed in made.SEEDS}
    for name, of_answers in (
        ("hydra_multirun", False), ("hydra_jobs_that_leave_a_csv", False), ("hugging_face_output_folders", False),
        ("wandbs_offline_runs", False), ("tensorboard_log_folders", False), ("mlflow_file_store", False),
        ("mlflow_database", False), ("lm_eval_of_trained_seeds", True), ("inspect_logs", True),
        ("inspect_archives_that_are_packed_by_zstandard", True), ("an_export_of_wandb_leaves_failed_runs_out", False),
    ):  # fmt: skip
        folder = home / name
        folder.mkdir()
        getattr(made, f"test_{name}")(folder, *([answers] if of_answers else []))
    rows = [{"model": arm, "seed": seed, "id": n, "val_loss": made.loss(arm, seed) + n / 10}
            for arm in made.ARMS for seed in made.SEEDS for n in range(4)]  # fmt: skip
    table, folder = pd.DataFrame(rows), home / "tables"
    folder.mkdir()
    table.to_csv(folder / "scores.csv", index=False)
    table.to_csv(folder / "scores.csv.gz", index=False)
    table.to_parquet(folder / "scores.parquet")
    table.to_json(folder / "scores.jsonl", orient="records", lines=True)
    return [path for path in sorted(home.rglob("*")) if path.is_file()]


def changed(rng, path, data):
    """Return a file's content with a few changes, within archives and databases too."""
    if path.suffix == ".eval" and rng.integers(3) and b"\x5d\0" not in data[8:10]:
        return _archive(rng, data)
    if path.suffix == ".db" and rng.integers(3):
        return _base(rng, data)
    return mutated(rng, path, data)


def _archive(rng, data):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w") as other:
        names = archive.namelist()
        victim = int(rng.integers(min(3, len(names))))
        for place, name in enumerate(names):
            inner = archive.read(name)
            if place == victim:
                inner = mutated_json(rng, inner) if rng.integers(4) else mutated_bytes(rng, inner)
            other.writestr(name, inner)
    return out.getvalue()


def _base(rng, data):
    with tempfile.NamedTemporaryFile(suffix=".db") as file:
        file.write(data)
        file.flush()
        base = sqlite3.connect(file.name)
        table = ("runs", "params", "metrics")[int(rng.integers(3))]
        columns = [row[1] for row in base.execute(f"PRAGMA table_info({table})")]
        column = columns[int(rng.integers(len(columns)))]
        value = ODD[int(rng.integers(len(ODD)))]
        with suppress(sqlite3.Error, OverflowError, UnicodeError):
            value = value if isinstance(value, str | int | float | None) else b"\xff\0"
            base.execute(f"UPDATE {table} SET {column} = ? WHERE rowid % 3 = 1", (value,))
        base.commit()
        base.close()
        return Path(file.name).read_bytes()


def views(home, path, rng, number):
    """Compare what lies there, with and without columns, and show it."""
    from diagnose.ablation.results.score_sources import Wanted, compared, is_results
    from diagnose.report import score_document
    from diagnose.report.console import rows
    from diagnose.report.markdown import text_of

    top = home / path.relative_to(home).parts[0]
    what = path if top.name == "tables" or (path.suffix in (".csv", ".db") and top == path.parent) else top
    score = SCORES[int(rng.integers(len(SCORES)))]
    wanted = Wanted(scores=(score,) if score else ())
    if path.suffix in (".csv", ".gz", ".parquet", ".jsonl") and top == path.parent and rng.integers(4):
        arm = "activation" if "wandb" in top.name else "model"
        example = "id" if top.name == "tables" and rng.integers(2) else None
        wanted = Wanted((arm,), ("val_loss",), "seed", example)
    is_results([str(what)], wanted)
    found = compared([what], wanted, higher=None, levels=None, pairs=bool(rng.integers(2)), margin=None, command="x")
    found.model_dump_json()
    report = score_document.report_of(found)
    parts = rows(report, everything=True)
    assert "\x1b" not in text_of(report, everything=True), "an escape sequence reaches Markdown"
    if number % SHOWN == 0:
        _shown(parts)


def fuzz(home, count, seed):
    """Try so many mutations; return counts by how they ended and the slowest in seconds."""
    from diagnose.errors import DiagnoseError

    files, rng = build(home), np.random.default_rng(seed)
    tops = sorted({path.relative_to(home).parts[0] for path in files})
    ended, slowest, kept, begun = Counter(), 0.0, Counter(), time.monotonic()
    for number in range(count):
        top = tops[int(rng.integers(len(tops)))]
        own = [path for path in files if path.relative_to(home).parts[0] == top]
        path = own[int(rng.integers(len(own)))]
        whole = path.read_bytes()
        data = changed(rng, path, whole)
        path.write_bytes(data)
        start = time.perf_counter()
        try:
            views(home, path, rng, number)
            ended["read"] += 1
        except DiagnoseError as error:
            ended["refused"] += 1
            if "\n" in str(error):
                ended["failed"] += 1
                print(f"{number} {path.name}: an error of several lines: {error!r}", file=sys.stderr)
        except OSError:  # told in a line by `main`
            ended["refused"] += 1
        except Exception as error:  # noqa: BLE001
            ended["failed"] += 1
            _keep(kept, (number, seed, path, top), error, data)
        slowest = max(slowest, time.perf_counter() - start)
        path.write_bytes(whole)
        if number % 5000 == 4999:
            print(f"# results: {number + 1}: {dict(ended)}, {time.monotonic() - begun:.0f} s", flush=True)
    return ended, slowest


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="results-fuzz-") as place:
        found, slow = fuzz(Path(place), int([*sys.argv, "100000"][1]), int([*sys.argv, "", "0"][2] or 0))
    print(f"# results: {dict(found)}, slowest {slow:.2f} s")
    sys.exit(bool(found["failed"]))
