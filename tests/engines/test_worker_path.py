"""A worker imports nothing from the current folder."""

import signal

import pytest

from diagnose.engines import local_pool


@pytest.mark.parametrize("name", ["filelock", "queue", "torch", "numpy", "pydantic", "token", "diagnose"])
def test_a_planted_file_is_not_imported(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{name}.py").write_text("open('planted', 'w').close()\nraise SystemExit(9)\n")
    with local_pool._process([], 0) as worker:  # it ends with its input
        worker.communicate("", timeout=60)
    assert worker.returncode in (0, -signal.SIGINT)  # the end of its input may find it while it imports
    assert not (tmp_path / "planted").exists()
