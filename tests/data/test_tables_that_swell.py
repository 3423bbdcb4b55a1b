"""Parquet files that hold far more than they take on the disk."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diagnose.ablation.results.score_table import ScoreColumns, read_table
from diagnose.data.swelling import parquet
from diagnose.errors import DiagnoseError
from diagnose.runs import run_tables, score_file

ROWS = 400_000


def repeated(path, name, word="x" * 4000):
    """Write a column of one word, which is stored once: 1.6 GB in 200 kB."""
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(ROWS, np.int32)), pa.array([word]))
    pq.write_table(pa.table({name: column, "loss": np.zeros(ROWS)}), path, compression="zstd", store_schema=False)
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    "read",
    [
        parquet,
        lambda path: run_tables.read_table(path.parent, path.stem),
        lambda path: read_table(path, ScoreColumns(("model",), ("loss",))),
        lambda path: score_file.read_scores(path.parent),
    ],
)
def test_a_word_that_every_row_repeats_does_not_fill_memory(tmp_path, read):
    path = tmp_path / "scores.parquet"
    repeated(path, "model")
    with pytest.raises(DiagnoseError, match=r"claims 1\.60.GB"):
        read(path)


def test_what_is_within_bounds_is_read_as_it_is(tmp_path):
    path = tmp_path / "scores.parquet"
    repeated(path, "model", "gpt")
    pq.write_table(pa.table({"a": ["x", None, "x"], "a2": pa.array(["y", "z", "y"]).dictionary_encode()}), path)
    assert parquet(path).to_pydict() == {"a": ["x", None, "x"], "a2": ["y", "z", "y"]}
    assert parquet(path, ["a2"]).column_names == ["a2"]


def test_numbers_that_a_footer_claims_and_lists(tmp_path):
    path = tmp_path / "scores.parquet"
    many = pa.table({name: np.zeros(8_000_000) for name in "abcde"})
    pq.write_table(many, path, compression="zstd")
    with pytest.raises(DiagnoseError, match=r"claims 320.MB"):
        parquet(path)
    assert len(parquet(path, ["a"])) == 8_000_000
    pq.write_table(pa.table({"loss": [[0.0] * 9]}), path)
    with pytest.raises(DiagnoseError, match="its column loss holds lists or structures"):
        parquet(path)
