"""Which Python `make gpu` takes, and how it is built without network; nothing here installs anything."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import gpu_python


@pytest.mark.parametrize(
    ("says", "driver", "wanted"),
    [("True", True, True), ("False", True, False), ("False", False, True), ("", False, False), ("", True, False)],
)
def test_a_torch_fits_where_it_sees_the_card_that_is_there(says, driver, wanted, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_python, "DRIVER", tmp_path if driver else tmp_path / "none")
    monkeypatch.setattr(
        gpu_python.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, stdout=says + "\n")
    )
    assert gpu_python.fits("python") is wanted


def test_a_python_that_is_not_there_does_not_fit(tmp_path):
    assert not gpu_python.fits(tmp_path / "python")


@pytest.mark.parametrize(
    ("tested", "own", "this", "wanted"),
    [
        (True, True, True, ".venv/bin/python"),
        (True, False, True, "built"),
        (False, True, True, "built"),
        (True, False, False, "neither .venv nor .* has a torch that sees this machine's card"),
    ],
)
def test_which_python_is_taken_where_there_is_a_card(tested, own, this, wanted, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_python, "ROOT", tmp_path)
    monkeypatch.setattr(gpu_python, "DRIVER", tmp_path)
    monkeypatch.setattr(gpu_python, "fits", lambda python: this if python == sys.executable else own)
    monkeypatch.setattr(gpu_python, "built", lambda *_: "built")
    if tested:
        (tmp_path / ".venv").mkdir()
        (tmp_path / ".venv" / "tested").touch()
    if wanted.startswith("neither"):
        with pytest.raises(SystemExit, match=wanted):
            gpu_python.chosen(None)
    else:
        assert str(gpu_python.chosen(None)).endswith(wanted)


def test_without_network_only_the_folder_is_looked_at_and_torch_is_not_installed(tmp_path, monkeypatch, capsys):
    commands = []

    def run(command, **_):
        commands.append(command)
        return subprocess.CompletedProcess(command, len(commands) == 3)

    monkeypatch.setattr(gpu_python.subprocess, "run", run)
    monkeypatch.setattr(
        gpu_python.venv, "create", lambda place, **_: (place / "lib/python3.12/site-packages").mkdir(parents=True)
    )
    monkeypatch.setattr(sys, "path", ["/here", "/usr/lib/python3/dist-packages", "/opt/site-packages"])
    python = gpu_python.built(tmp_path / "one", tmp_path / "wheels")
    assert python == tmp_path / "one" / "bin" / "python"
    assert all(command[5:8] == ["--no-index", "--find-links", str(tmp_path / "wheels")] for command in commands)
    seen = (tmp_path / "one/lib/python3.12/site-packages/of_the_machine.pth").read_text()
    assert seen.split() == ["/usr/lib/python3/dist-packages", "/opt/site-packages"]
    assert gpu_python.built(tmp_path / "one", None) == python
    assert len(commands) == 2  # built once
    with pytest.raises(SystemExit, match=r"packages are missing .*`make gpu-wheels`"):
        gpu_python.built(tmp_path / "two", None)
    assert "--no-index" not in commands[-1]
    assert not [name for name in gpu_python.wanted() if name.startswith("torch")]
    assert len(gpu_python.wanted()) > 10
