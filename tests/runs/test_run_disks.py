import ctypes
import errno
import subprocess
import sys

import pytest
from run_fixture import OFTEN, QUICK, assert_same, print_of, processes, refusal

from diagnose.errors import FINDING, DiagnoseError
from diagnose.runs import checkpoints, probes, run_tables, runner, session, store

pytestmark = pytest.mark.usefixtures("quick_probes")


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("home", "writer", "since"),
    [(run_tables, "write_table", 9), (checkpoints, "write_checkpoint", 1), (store, "write_samples", 12)],
)
def test_a_full_disk_fails_the_run_and_it_goes_on_with_room(home, writer, since, whole, given, runs, monkeypatch):
    steps = []
    with monkeypatch.context() as patch:
        for name, value in OFTEN.items():
            patch.setattr(session, name, value)
        write = getattr(home, writer)
        patch.setattr(home, writer, lambda *a: full() if steps and steps[-1] >= since else write(*a))
        error = refusal("quick", given, runs=runs, watch=lambda p: steps.append(p.step), exit_code=FINDING)
    (path,) = store.entries(runs)
    assert "the disk is full (ENOSPC): make room" in str(error)
    assert "--resume" in str(error)
    status = store.read_json(path / "status.json")
    assert (status["state"], status["why"]) == ("failed", "the disk is full (ENOSPC): make room")
    assert runner.train("quick", given, runs=runs, resume=True) == path
    assert_same(path, whole)


def test_a_disk_without_room_for_the_first_note_is_one_line(plain, runs, monkeypatch):
    write, calls = store.write_status, []

    def second_fails(*args):
        calls.append(args[1])
        full() if len(calls) == 2 else write(*args)

    monkeypatch.setattr(store, "write_status", second_fails)
    assert "the disk is full (ENOSPC): make room" in str(refusal("quick", plain, runs=runs, exit_code=FINDING))


def on_small_disks(given, disk, sizes, found):
    """Train on file systems that are too small, then on larger ones; tell what came of it."""
    vars(session).update(OFTEN)
    vars(probes).update(QUICK)
    try:
        if ctypes.CDLL(None).unshare(0x00020000):  # CLONE_NEWNS: what is mounted here is seen nowhere else
            raise PermissionError
        subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, check=True)
        for size in sizes:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "x", disk], capture_output=True, check=True)
            found.put((size, *on_a_small_disk(given, disk)))
    except (OSError, subprocess.SubprocessError):
        found.put(None)


def on_a_small_disk(given, disk):
    try:
        runner.train("quick", given, runs=disk / "runs")
    except DiagnoseError as error:
        said = str(error)
    why = [store.read_json(path / "status.json")["why"] for path in store.entries(disk / "runs")]
    subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
    path = runner.train("quick", given, runs=disk / "runs", resume=True)
    return said, why, len(store.entries(disk / "runs")), print_of(path)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts a file system of Linux's")
def test_a_disk_that_is_really_full(plain, tmp_path):
    whole = runner.train("quick", plain, runs=tmp_path / "whole")
    sizes = [4, 16, 32, 400]
    context = processes()
    found = context.Queue()
    process = context.Process(target=on_small_disks, args=(plain, tmp_path, sizes, found), daemon=True)
    process.start()
    for size in sizes:
        got = found.get(timeout=100)
        if got is None:
            pytest.skip("mounting is not permitted here")
        assert (got[0], got[3], got[4]) == (size, 1, print_of(whole))
        if size == 4:  # not even room to begin: nothing is left
            assert "cannot be written: No space left on device; make room" in got[1]
            assert got[2] == []
        else:
            assert "the disk is full (ENOSPC): make room" in got[1]
            assert [why.startswith("the disk is full") for why in got[2]] == [True]
    process.join(10)


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_an_output_folder_that_cannot_be_written_is_refused(place, plain, tmp_path):
    (tmp_path / "file").write_text("")
    error = refusal("quick", plain, runs=tmp_path / place)
    assert "cannot be written" in str(error)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
