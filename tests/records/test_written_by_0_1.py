"""What version 0.1.0 left behind is still read: a run, its ledger and audit, an ablation, a recorded loop, records."""

import json
import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "written_by_0_1"


@pytest.fixture
def old(tmp_path, monkeypatch):
    """Return a copy of what it wrote, as the current folder."""
    shutil.copytree(HERE, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of(old, part):
    return str(next((old / "runs").glob(f"*{part}*")).relative_to(old))


def test_the_listing(old, diagnose):
    code, out, _ = diagnose("runs", "--json")
    assert code == 0
    assert [run["status"] for run in json.loads(out)["runs"]] == ["finished"] * 5
    assert old.exists()


@pytest.mark.parametrize("part", ["-word-s0-", "-ablate-"])
def test_pages(part, old, diagnose):
    code, out, err = diagnose("report", of(old, part), "--json")
    assert code == 0, err
    pages = json.loads(out)["pages"]
    assert pages
    assert all("<h1" in (old / page).read_text(encoding="utf-8") for page in pages)


def test_a_run_still_has_a_ledger_and_an_audit(old, diagnose, verses):
    run = of(old, "-word-s0-")
    then = json.loads((old / run / "gap.json").read_text(encoding="utf-8"))
    code, out, err = diagnose("loss-gap", run, "--data", verses, "--budget", "20000 tokens", "--json")
    assert code == 0, err
    now = json.loads(out)
    assert now["reported"] == then["reported"] | {"given": [True, True], "named": ""}
    assert any("trained by diagnose 0.1.0" in note for note in now["notes"])
    terms = {term["id"]: term["value"] for term in now["terms"]}
    for term in then["terms"]:
        if term["value"] is not None:
            assert terms[term["id"]] == pytest.approx(term["value"], abs=2e-3)


def test_a_network_that_gives_other_losses_is_refused(old, diagnose, verses):
    import pandas as pd

    run = of(old, "-word-s0-")
    table = pd.read_parquet(old / run / "validation.parquet")
    table["nats"] *= 1.01
    table.to_parquet(old / run / "validation.parquet")
    code, out, err = diagnose("loss-gap", run, "--data", verses, "--json")
    assert (code, out) == (2, "")
    assert "with today's code its network gives other losses (by 1.0% of a document's)" in err


def test_its_network_still_writes(old, diagnose):
    code, out, err = diagnose("sample", of(old, "-word-s0-"), "--prompt", "In the beginning", "--json")
    assert code == 0, err
    assert json.loads(out)["samples"]


def test_the_record_of_a_loop(old):
    from diagnose.gap.recorder.recording import read_record

    record, weights = read_record(old / "recorded")
    assert record.steps == 8
    assert record.val > 0
    assert set(weights) == {"0.weight", "0.bias", "3.weight", "3.bias"}


def test_the_records_of_sides(old):
    from diagnose import Audited, Gap
    from diagnose.records.audits import AuditRecord
    from diagnose.records.ledgers import LedgerRecord

    gap = Gap(LedgerRecord.model_validate_json((old / "sides.json").read_text(encoding="utf-8")))
    assert gap.terms.value.fillna(0).sum() == pytest.approx(gap.gap, abs=1e-9)
    assert gap.to_html("gap.html").exists()
    assert gap.verdict in gap.to_markdown()
    audited = Audited(AuditRecord.model_validate_json((old / "audit.json").read_text(encoding="utf-8")))
    assert audited.to_html("audit.html").exists()
    assert str(audited)
