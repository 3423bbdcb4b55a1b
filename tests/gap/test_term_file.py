"""A term is one file: what lies beside the others is in the ledger, explained and shown in its own words."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.trains

ROUNDING = '''
"""What of the reported validation loss is that it was rounded."""

from diagnose.gap.factor_fits import rounding
from diagnose.gap.term import Term, TermKind

KINDS = (TermKind("rounding", "chance", "rounding: digits", how="as read → as rounded when it was reported",
                  change="the digits that were kept", cause="the reported validation loss was rounded", beside=True),)


def terms(found, given):
    off = given.val - found.val_own.readings[found.sides.val].mean
    return [Term("rounding", off if abs(off) <= rounding(given.val) else 0.0, basis="exact", how=KINDS[0].how)]
'''
LEDGER = """
import json, sys
import torch
from torch.nn import functional as F
import diagnose.gap.terms as package

if sys.argv[1]:
    package.__path__.append(sys.argv[1])

from typer.testing import CliRunner

from diagnose import Side, explain_gap
from diagnose.cli import app
from diagnose.gap.term_kinds import KINDS
from diagnose.report.glossary_notes import GUIDE

torch.manual_seed(0)
model = torch.nn.Linear(4, 3)
train, val = ([(torch.randn(8, 4), torch.randint(0, 3, (8,))) for _ in range(4)] for _ in range(2))
loss = lambda model, batch: F.cross_entropy(model(batch[0]), batch[1], reduction="none")
with torch.no_grad():
    read = [float(torch.cat([loss(model, batch) for batch in some]).mean()) for some in (train, val)]
gap = explain_gap(model, Side(train, loss, reported=read[0]), Side(val, loss, reported=round(read[1], 2)))
page = gap.to_html("gap.html").read_text(encoding="utf-8")
shown = CliRunner().invoke(app, ["explain", "rounding"]).stdout
print(json.dumps({
    "kinds": [kind.id for kind in KINDS], "terms": {term.id: term.value for term in gap.found.terms}, "gap": gap.gap,
    "groups": {group.id: group.value for group in gap.found.groups}, "off": round(read[1], 2) - read[1],
    "page": "rounding: digits" in page, "guide": GUIDE.get("rounding"), "explained": shown, "verdict": gap.verdict,
}))
"""


def ledger(folder, tmp_path):
    call = [sys.executable, "-c", LEDGER, folder]
    return json.loads(subprocess.run(call, cwd=tmp_path, check=True, capture_output=True, text=True).stdout)


def test_a_file_more_is_a_term_more(tmp_path):
    (tmp_path / "terms").mkdir()
    (tmp_path / "terms" / "rounding_term.py").write_text(ROUNDING)
    found, plain = ledger(str(tmp_path / "terms"), tmp_path), ledger("", tmp_path)
    assert found["kinds"] == [*plain["kinds"][:-1], "rounding", "residual"]
    assert found["terms"]["rounding"] == pytest.approx(found["off"], abs=1e-6)
    assert plain["terms"]["residual"] == pytest.approx(found["off"], abs=1e-6)
    assert found["terms"]["residual"] == pytest.approx(0.0, abs=1e-6)
    for one in (found, plain):
        assert sum(value or 0.0 for value in one["terms"].values()) == pytest.approx(one["gap"], abs=1e-9)
        assert sum(one["groups"].values()) == pytest.approx(one["gap"], abs=1e-9)
    assert found["groups"]["chance"] == pytest.approx(found["off"], abs=1e-6)
    assert (found["page"], plain["page"]) == (True, False)
    assert found["guide"] == ["rounding: digits", "as read → as rounded when it was reported."]
    assert "as rounded when it was reported" in " ".join(found["explained"].split())
