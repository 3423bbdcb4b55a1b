"""Logs of real tools and of published formats: what is read is what was written (`tests/logs/make.py`, `manifest.json`)."""

import json
from pathlib import Path

import pytest

from diagnose.errors import DiagnoseError
from diagnose.logs.pairs import pairs
from diagnose.logs.read import detect, parse_columns, read

LOGS = Path(__file__).parent / "logs"
MANIFEST = json.loads((LOGS / "manifest.json").read_text(encoding="utf-8"))


def opened(name):
    made = MANIFEST[name]
    columns = parse_columns(made.get("columns"))
    log = read([LOGS / name, *(LOGS / other for other in made.get("others", []))], None, columns)
    return log, pairs(log, columns)


def test_there_are_enough_of_both_kinds():
    kinds = [made["kind"] for made in MANIFEST.values()]
    assert len(kinds) >= 30
    assert kinds.count("real") >= 12


@pytest.mark.parametrize("name", MANIFEST)
def test_values_are_read_as_they_were_written(name):
    values = MANIFEST[name]["values"]
    _, found = opened(name)
    close = values.get("close", 1e-9)
    for side in ("train", "val"):
        if side in values:
            track = getattr(found, side)
            assert track.value.tolist() == pytest.approx([v for _, v in values[side]], rel=close), side
            assert track.at.tolist() == pytest.approx([a for a, _ in values[side]], abs=1e-4), side
            assert track.count >= len(values[side])
    assert found.mean == values.get("mean")
