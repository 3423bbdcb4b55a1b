"""Logs that real tools wrote (`tests/logs/tools/make.py`): what is read is what the tools' own interfaces gave."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from diagnose.errors import DiagnoseError
from diagnose.logs.judge import judge
from diagnose.logs.pairs import pairs
from diagnose.logs.read import parse_columns, read

TOOLS = Path(__file__).parent / "tools"
MANIFEST = json.loads((TOOLS / "manifest.json").read_text(encoding="utf-8"))
CURVES = {name: entry for name, entry in MANIFEST.items() if "refused" not in entry}
READ = [  # those that are misread are known, with the reason
    pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=entry["weak"])) if "weak" in entry else name
    for name, entry in CURVES.items()
]


def spread(entry, values):
    """Return by how much a value may differ: half a unit of the last place that the tool prints."""
    values = np.abs(values)
    if "digits" in entry:
        return np.full(len(values), 0.5001 * 10.0 ** -entry["digits"])
    if "significant" in entry:
        return 0.5001 * 10.0 ** (np.floor(np.log10(values)) + 1 - entry["significant"])
    return entry["relative"] * values


def files(name):
    entry = MANIFEST[name]
    if "needs" in entry:
        pytest.importorskip(entry["needs"], reason="its folder is read by its own library, an extra")
    return [TOOLS / "written" / name, *(TOOLS / "written" / other for other in entry.get("others", []))]


def opened(name):
    entry = MANIFEST[name]
    columns = parse_columns(entry.get("columns"))
    options = {"run": entry["run"]} if "run" in entry else {}
    return pairs(read(files(name), None, columns, **options), columns)


def test_there_are_enough_logs_of_enough_tools():
    assert len(MANIFEST) >= 60
    assert len({entry["tool"] for entry in MANIFEST.values()}) >= 20
    written = [file for file in (TOOLS / "written").rglob("*") if file.is_file()]
    assert max(file.stat().st_size for file in written) < 100_000
    assert sum(file.stat().st_size for file in written) < 4_000_000


@pytest.mark.parametrize("name", READ)
def test_a_log_of_a_tool_reads_as_the_tool_wrote_it(name):
    entry = CURVES[name]
    found = opened(name)
    for side in ("train", "val"):
        if side not in entry:
            continue
        truth, track = entry[side], getattr(found, side)
        assert found.axis in truth, f"placed by {found.axis}, where the log has {sorted(truth)}"
        at, value = np.array(truth[found.axis]), np.array(truth["value"])
        assert track.value.shape == value.shape, (side, track.name, track.value.tolist(), value.tolist())
        assert (np.abs(track.value - value) <= spread(entry, value)).all(), (side, track.name, track.value, value)
        assert track.at == pytest.approx(at, abs=0.0051 if found.axis == "epoch" else 1e-9), (side, track.name)


@pytest.mark.parametrize("name", READ)
def test_the_pairs_are_of_one_place(name):
    entry = CURVES[name]
    found = opened(name)
    if "among" in entry:
        assert len(found.at_N) > 5
        for pair in zip(found.train_N, found.val_N, strict=True):
            assert any(
                (np.abs(np.array(pair) - one) <= spread(entry, np.array(one))).all() for one in entry["among"]
            ), pair
        return
    places = np.array(entry["val"][found.axis])
    assert len(found.at_N) == entry.get("pairs", len(places))
    for place, val in zip(found.at_N, found.val_N, strict=True):
        k = int(np.argmin(np.abs(places - place)))
        assert abs(places[k] - place) < 0.0051
        value = entry["val"]["value"][k]
        assert abs(val - value) <= spread(entry, np.array([value]))[0]
    if "paired_train" in entry:
        truth = np.array(entry["paired_train"])
        assert (np.abs(found.train_N - truth) <= spread(entry, truth)).all(), (found.train_N.tolist(), truth.tolist())


@pytest.mark.parametrize("name", CURVES)
def test_nothing_false_is_said_of_a_healthy_run(name):
    entry = MANIFEST[name]
    options = {"run": entry["run"]} if "run" in entry else {}
    record = judge(files(name), columns=entry.get("columns"), **options).model_dump()
    assert [one for one in record["findings"] if one["severity"] == "error"] == []
    rules = {one["rule"] for one in record["findings"]} - {"log/validation-below-training", "log/overfitting"}
    assert rules == set()
    assert record["points"]["bad"] == 0


@pytest.mark.parametrize("name", sorted(MANIFEST.keys() - CURVES.keys()))
def test_a_log_without_both_losses_is_refused_by_what_it_has(name):
    with pytest.raises(DiagnoseError) as told:
        judge(files(name), columns=MANIFEST[name].get("columns"))
    assert re.search(MANIFEST[name]["refused"], str(told.value))
