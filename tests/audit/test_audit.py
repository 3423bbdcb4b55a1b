"""The audit of runs: sound ones are passed, bugs planted on their disk are found, mistakes are one line."""

import html
import json
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
from command_fixture import diagnose
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from typer.testing import CliRunner

from diagnose import DiagnoseError, Side, audit_metric
from diagnose.audit import side_data
from diagnose.audit.findings import SEVERITIES, known
from diagnose.audit.rules import what_is_scored
from diagnose.audit.run_audit import audit_run
from diagnose.cli import app
from diagnose.models import gpt
from diagnose.report.page import render
from diagnose.runs import run_tables, runner, store


@pytest.fixture(scope="module")
def sound(tiny, tmp_path_factory):
    from run_fixture import quickly

    with quickly():
        return runner.train("quick", tiny, runs=tmp_path_factory.mktemp("audited"))


@pytest.fixture
def run(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "run")


def rules(found):
    return {one.rule for one in found.findings}


def test_a_sound_run_passes_and_nothing_in_it_changes(run):
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    found = audit_run(run)
    assert (rules(found), found.exit_code) == (set(), 0)
    assert {p: p.read_bytes() for p in run.rglob("*") if p.is_file()} == before
    named = [row.rule for part in (found.checked, found.skipped) for row in part]
    assert sorted(named) == sorted(known())


@pytest.mark.parametrize(
    "more",
    [
        {"batches.loader": "padded", "tokenizer.kind": "char"},
        {"batches.mask": "document", "tokenizer.kind": "bpe", "run.precision": "bf16"},
        {"batches.loader": "windows", "model.tied": False},
        {"model.name": "lstm", "model.heads": None, "model.layers": 1},
    ],
)
def test_every_loader_and_tokenizer_passes(tiny, tmp_path, quick_probes, more):
    given = {k: v for k, v in (tiny | more).items() if v is not None}
    found = audit_run(runner.train("quick", given, runs=tmp_path))
    assert (rules(found), found.exit_code) == (set(), 0)


def edit_weights(run, change):
    file = run / "checkpoint" / "model.safetensors"
    held = load_file(file)
    change(held)
    save_file(held, file)


def test_a_tie_broken_by_the_checkpoint(run):
    edit_weights(run, lambda held: held.update({"head.weight": held["embedding.weight"] + 0.1}))
    assert "tied-weights" in rules(audit_run(run))


def test_other_weights_than_were_scored(run):
    edit_weights(run, lambda held: held["position.weight"].add_(torch.randn_like(held["position.weight"])))
    assert rules(audit_run(run)) == {"record-differs"}


def test_another_tokenizer(run):
    file = run / "tokenizer.json"
    table = json.loads(file.read_text())
    table["normalizer"] = {"type": "Lowercase"}
    file.write_text(json.dumps(table))
    assert {"tokenizer-lossy", "tokenizer-differs"} <= rules(audit_run(run))


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("scored-twice", lambda t: pd.concat([t, t.iloc[:2]])),
        ("bytes-lost", lambda t: t.iloc[1:]),
        ("bytes-lost", lambda t: t.assign(bytes=t.bytes - 1)),
        ("end-unpaid", lambda t: t.assign(tokens=t.tokens - 1)),
        ("record-differs", lambda t: t.assign(nats=t.nats * 0.9)),
    ],
)
def test_a_record_that_was_changed(run, rule, change):
    change(pd.read_parquet(run / "validation.parquet")).to_parquet(run / "validation.parquet")
    assert rule in rules(audit_run(run))


def test_conditions_that_mislead_are_measured(tiny, tmp_path, quick_probes):
    given = tiny | {"report.val_dropout": True, "batches.loader": "padded", "report.val_padding": "denominator",
                    "report.val_mean": "sequence"}  # fmt: skip
    assert rules(audit_run(runner.train("quick", given, runs=tmp_path))) == {
        "dropout-on", "padding-counted", "ragged-mean",
    }  # fmt: skip


def test_windows_divided_after_cutting(tiny, tmp_path, quick_probes):
    given = tiny | {"batches.loader": "windows", "data.split": "windows"}
    assert rules(audit_run(runner.train("quick", given, runs=tmp_path))) == {"split-overlap-window"}


def test_code_from_a_stranger_is_not_run(run, tmp_path):
    mark = tmp_path / "ran"
    (tmp_path / "net.py").write_text(
        f"from pathlib import Path\nPath({str(mark)!r}).touch()\nfrom diagnose.models.gpt import build\n"
    )
    name = f"{tmp_path}/net.py:build"
    recipe = (run / "recipe.toml").read_text()
    (run / "recipe.toml").write_text(recipe.replace('name = "gpt"', f'name = "{name}"'))
    found = audit_run(run)
    assert found.exit_code == 3
    assert not mark.exists()
    assert audit_run(run, model=name).exit_code == 0
    assert mark.exists()


@pytest.mark.parametrize("what", ["nothing", "unfinished", "damaged"])
def test_mistakes_are_one_line(run, what):
    if what == "nothing":
        shutil.rmtree(run)
    elif what == "unfinished":
        (run / "status.json").write_text('{"format": 1, "state": "interrupted", "why": null}')
    else:
        (run / "checkpoint" / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(DiagnoseError) as caught:
        audit_run(run)
    assert "\n" not in str(caught.value)


def test_the_command(run):
    ran = diagnose(run.parent, "audit", str(run), "--json")
    assert (ran.returncode, json.loads(ran.stdout)["format"]) == (0, 1)
    ran = diagnose(run.parent, "audit", "nowhere")
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)


def test_the_page_is_kept_linked_and_rendered_again_from_what_is_stored(run, monkeypatch):
    monkeypatch.chdir(run.parent)
    shown = CliRunner().invoke(app, ["audit", str(run), "--out", "pages", "--json"])
    found = json.loads(shown.stdout)
    page = Path(found["page"])
    assert page == Path("pages") / f"{run.name}-audit.html"
    text = page.read_bytes()
    assert b"PASS: no finding" in text
    assert found["verdict"] == store.read_json(run / "audit.json")["verdict"]
    assert f"{run.name}-audit.html".encode() in (page.parent / f"{run.name}.html").read_bytes()
    page.unlink()
    again = CliRunner().invoke(app, ["report", str(run), "--out", "pages"])
    assert str(page) in again.stdout.split()
    assert page.read_bytes() == text
    alone = CliRunner().invoke(app, ["audit", str(run), "--out", "alone.html"])
    assert alone.stdout.rstrip().endswith("alone.html")
    assert b"Pages beside" not in Path("alone.html").read_bytes()


def test_findings_come_with_what_would_mend_them(run, monkeypatch):
    monkeypatch.chdir(run.parent)
    frame = run_tables.read_table(run, "readings")
    frame.loc[frame.kind == "final", "nats"] *= 0.5
    run_tables.write_table(run, "readings", frame)
    shown = CliRunner().invoke(app, ["audit", str(run)])
    assert shown.exit_code == 1
    page = html.unescape(Path("reports", f"{run.name}-audit.html").read_text(encoding="utf-8"))
    assert "record-differs" in page
    assert known()["record-differs"].fix in page
    assert known()["record-differs"].why in page


@pytest.mark.parametrize("text", ["{", '{"format": 1, "kind": "run"}', '{"format": 99}'])
def test_a_damaged_audit_is_one_line(run, tmp_path, text):
    (run / "audit.json").write_text(text, encoding="utf-8")
    with pytest.raises(DiagnoseError, match=r"audit\.json") as caught:
        render(run, tmp_path / "pages")
    assert "\n" not in str(caught.value)


def test_every_rule_says_what_it_needs():
    for rule in known().values():
        assert rule.severity in SEVERITIES
        assert len(rule.why) > 80
        assert not rule.fix.endswith(".")


def batches():
    draw = torch.Generator().manual_seed(0)
    x = torch.randint(2, 40, (8, 17), generator=draw)
    return [(part[:, :-1].contiguous(), part[:, 1:].contiguous()) for part in x.split(4)]


def loss(model, batch):
    return F.cross_entropy(model(batch[0]).transpose(1, 2), batch[1], reduction="none")


def fails(model, batch):
    raise RuntimeError("of no use")


@pytest.mark.parametrize(
    ("val", "given", "words"),
    [
        (lambda: Side(batches(), fails), {}, "of no use"),
        (lambda: Side(batches(), loss), {"logits": lambda m, b: m(b[0])[:, :3]}, "logits of shape"),
        (lambda: Side(batches(), loss), {"tokens": lambda b: b[0]}, "tokens must return"),
        (lambda: Side(batches(), loss), {"tokenizer": 3, "texts": ["a"]}, "tokenizer is a"),
        (lambda: Side([], loss), {}, "yields no batch"),
        (lambda: 3, {}, "give a Side"),
    ],
)
def test_mistakes_of_sides_are_one_line_and_the_model_is_as_it_was(val, given, words):
    model = gpt.build(40, 16, layers=1, heads=2, width=16, dropout=0.1)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(DiagnoseError, match=words) as caught:
        audit_metric(model, None, val(), **given)
    assert "\n" not in str(caught.value)
    assert model.training
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


@pytest.mark.parametrize("seed", range(3))
def test_smoothing_in_an_untrained_model_is_no_shift_of_targets(seed):
    """All shifts of an untrained model's targets cost nearly the same, so only a close match tells one."""

    def smoothed(model, batch):
        return F.cross_entropy(model(batch[0]).transpose(1, 2), batch[1], reduction="none", label_smoothing=0.1)

    torch.manual_seed(seed)
    model = gpt.build(40, 16, layers=1, heads=2, width=16, dropout=0.0)
    for weight in model.parameters():
        weight.data.mul_(3)
    found = audit_metric(model, None, Side(batches(), smoothed), logits=lambda m, b: m(b[0]))
    assert [one["rule"] for one in found.findings] == ["probabilities", "loss-differs"]


def test_ends_that_recur_by_chance_are_no_overlapping_windows(verses):
    """Samples of characters share "the " with each other; windows of a stride share their ends from one place on."""
    text = torch.tensor(list(verses.read_bytes()))
    disjoint, sliding = list(text.split(64))[:-1], list(text.unfold(0, 64, 16))
    assert side_data._overlapping(disjoint) < what_is_scored.SPANS_TWICE
    assert side_data._overlapping(sliding) > 0.9


def test_an_audit_of_somebodys_model_has_a_page(tmp_path):
    model = torch.nn.Sequential(torch.nn.Embedding(12, 8), torch.nn.Linear(8, 12))
    rows = torch.arange(48).view(4, 12) % 12

    def loss(model, batch):
        return F.cross_entropy(model(batch[0]).flatten(0, 1), batch[1].flatten(), reduction="none").view(batch[1].shape)

    found = audit_metric(model, None, Side([(rows[:, :-1], rows[:, 1:])], loss))
    page = html.unescape(found.to_html(tmp_path / "audit.html").read_text(encoding="utf-8"))
    assert found.verdict in page
    assert "diagnose.audit_metric(model" in page
    assert html.escape("srcdoc") in found._repr_html_()
    with pytest.raises(DiagnoseError, match="cannot be written"):
        found.to_html(tmp_path)


class TestOverfitting:
    """Whether a batch can be learned is judged by steps, so that a busy machine says the same."""

    def test_a_clock_that_runs_away_changes_nothing(self, monkeypatch):
        hours = iter(range(0, 10**9, 3600))
        monkeypatch.setattr(time, "monotonic", lambda: float(next(hours)))
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 3)
        batches = [(torch.randn(8, 4), torch.randint(0, 3, (8,))) for _ in range(4)]

        def squashed(model, batch):
            return F.cross_entropy(0.01 * model(batch[0]).tanh(), batch[1])

        blind = audit_metric(model, Side(batches, squashed), Side(batches, squashed))
        assert "cannot-overfit" in [found["rule"] for found in blind.findings]

    def test_a_large_network_has_fewer_steps_than_tell(self):
        from diagnose.audit import training_checks

        model, x = torch.nn.Linear(2048, 2048), torch.randn(64, 2048)
        operations = 2 * 64 * 2048**2 * training_checks.TIMES_FORWARD * len(training_checks.RATES)
        loss = lambda: model(x).square().mean()  # noqa: E731
        assert training_checks.affordable(loss, "cpu", 1e4) == training_checks.STEPS
        assert training_checks.affordable(loss, "cpu", 20 * operations / training_checks.CPU_RATE) == 20
        assert training_checks.overfit(model, lambda: model(x).sum() * 0 + 1, steps=3)[2:] == (6, True)
