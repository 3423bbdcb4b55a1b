"""`--open`: the page is shown in the browser, and where there is none that is said."""

import webbrowser

import pytest
from report_fixture import write_run
from typer.testing import CliRunner

from diagnose.cli import app


@pytest.mark.parametrize("found", [True, False])
def test_a_page_is_opened_where_there_is_a_browser(found, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or found)
    run = write_run(tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, ["report", str(run), "--open"])
    assert said.exit_code == 0
    assert opened == [(tmp_path / "reports" / "run.html").as_uri()]
    assert ("no browser was found" in said.output) is not found


@pytest.mark.parametrize("command", ["train", "ablate", "compare", "loss-gap", "audit", "log", "yardstick", "report"])
def test_every_command_with_a_page_can_open_it(command):
    assert "--open" in CliRunner().invoke(app, [command, "--help"]).output
