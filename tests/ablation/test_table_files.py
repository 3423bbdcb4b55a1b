"""Tables as people have them on disk: every way of writing one says the same, or is refused in a line that says why."""

import json

import pandas as pd
import pytest
from scipy import stats

from diagnose.ablation.results.score_table import ScoreColumns, read_table
from diagnose.ablation.results.table_files import names_of
from diagnose.errors import DiagnoseError

RUNS = pd.DataFrame([
    {"lr": lr, "seed": seed, "val_loss": round(2 - (0.1 + 0.01 * (seed % 3)) * (lr == "3e-4") + 0.03 * seed, 4)}
    for lr in ("1e-4", "3e-4")
    for seed in range(4)
])  # fmt: skip
ASKED = ScoreColumns(("lr",), ("val_loss",), "seed")


def lines(path):
    RUNS.to_json(path, orient="records", lines=True)


WAYS = {
    "r.json": lambda path: RUNS.to_json(path, orient="records"),
    "lines.json": lines,
    "r.jsonl.gz": lines,
    "r.csv.gz": lambda path: RUNS.to_csv(path, index=False),
    "numbered.csv": RUNS.to_csv,
    "index.parquet": lambda path: RUNS.set_index(["lr", "seed"]).to_parquet(path),
    "comma.csv": lambda path: RUNS.to_csv(path, index=False, sep=";", decimal=","),
    "semicolon.csv": lambda path: RUNS.to_csv(path, index=False, sep=";"),
    "utf16.txt": lambda path: RUNS.to_csv(path, index=False, sep="\t", encoding="utf-16"),
    "mark.csv": lambda path: RUNS.to_csv(path, index=False, encoding="utf-8-sig"),
    "blanks.csv": lambda path: path.write_text("lr, seed , val_loss\n" + RUNS.to_csv(index=False, header=False)),
    "percent.csv": lambda path: RUNS.assign(val_loss=RUNS.val_loss.map("{}%".format)).to_csv(path, index=False),
}


@pytest.mark.parametrize("name", WAYS)
def test_however_a_table_is_written_it_is_the_same(name, tmp_path):
    WAYS[name](tmp_path / name)
    found = read_table(tmp_path / name, ASKED)
    assert found.lr.astype(str).tolist() == RUNS.lr.tolist()
    assert found.seed.astype(str).tolist() == RUNS.seed.astype(str).tolist()
    assert found.val_loss.tolist() == pytest.approx(RUNS.val_loss.tolist(), abs=0)
    assert set(names_of(tmp_path / name)) >= {"lr", "seed", "val_loss"}


REFUSED = {
    "sheet.xlsx": (lambda path: path.write_bytes(b"PK\x03\x04"), "it is a spreadsheet: save the sheet as CSV"),
    "losses.npy": (lambda path: path.write_bytes(b"\x93NUMPY"), "it holds arrays of NumPy"),
    "frame.pkl": (lambda path: path.write_bytes(b"\x80\x05"), "it is pickled, and is not opened"),
    "study.db": (lambda path: path.write_bytes(b"SQLite format 3\0"), "it is a database, and not MLflow's"),
    "latin.csv": (
        lambda path: path.write_bytes("lr,seed,val_loss\ngroß,0,1\n".encode("latin-1")), "save it as UTF-8",
    ),
    "columns.json": (RUNS.to_json, "it is one object, not a list of objects"),
    "numbers.json": (lambda path: path.write_text("[1, 2]"), "it is no list of objects"),
    "half.json": (lambda path: path.write_text('[{"lr": 1}, {'), "cannot be read as a table"),
    "some.csv": (lambda path: path.write_text("lr,seed,val_loss\na,0,91%\nb,0,0.9\n"), "'91%' is no number"),
    "thousands.csv": (lambda path: path.write_text('lr,seed,val_loss\na,0,"2,005"\n'), "'2,005' is no number"),
    "seedless.csv": (lambda path: path.write_text("lr,seed,val_loss\na,0,1\na,,2\n"), "row 2 of the table has no seed"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_told_in_one_line(name, tmp_path):
    write, told = REFUSED[name]
    write(tmp_path / name)
    with pytest.raises(DiagnoseError) as caught:
        read_table(tmp_path / name, ASKED)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_packed_table_that_swells_is_not_read(tmp_path, monkeypatch):
    from diagnose.data import swelling

    monkeypatch.setattr(swelling, "ALWAYS", 1 << 10)
    RUNS.assign(note="x" * 100_000).to_csv(tmp_path / "r.csv.gz", index=False)
    with pytest.raises(DiagnoseError, match="that is no text"):
        read_table(tmp_path / "r.csv.gz", ASKED)


def test_the_command_reads_decimal_commas_to_the_paired_t(tmp_path):
    from typer.testing import CliRunner

    from diagnose.cli import app

    WAYS["comma.csv"](tmp_path / "r.csv")
    words = ["compare", str(tmp_path / "r.csv"), "--arm", "lr", "--seed", "seed", "--score", "val_loss", "--json"]
    shown = CliRunner().invoke(app, [*words, "--out", str(tmp_path)])
    by_arm = RUNS.pivot_table(index="seed", columns="lr", values="val_loss")
    right = stats.ttest_rel(by_arm["3e-4"], by_arm["1e-4"]).confidence_interval()
    (effect,) = json.loads(shown.stdout)["effects"]
    assert (effect["low"], effect["high"]) == pytest.approx((right.low, right.high))
