"""Commands in surroundings that others have: homes, masks, limits, terminals, signals, names, users, clocks."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import forked
import pytest
import scenarios

pytestmark = pytest.mark.skipif(forked.compiler() is None, reason="needs a C compiler and LD_PRELOAD")
NOBODY = 65534
SLOW = pytest.mark.slow  # `make faults` runs these too


@pytest.fixture(scope="module")
def shop():
    """Return a server of forked commands that has imported what they need; other users may look into its folder."""
    with tempfile.TemporaryDirectory(prefix="surroundings-") as folder:
        Path(folder).chmod(0o755)
        made = scenarios.Workshop(folder, ("train", "report"))
        yield made
        made.close()


@pytest.fixture
def place(shop):
    """Return an empty folder with a text."""
    return shop.fresh("train", "place")


@pytest.fixture
def ran(shop):
    """Return a folder with a run."""
    return shop.fresh("report", "place")


def well(done):
    assert "Traceback" not in done.err
    assert done.code == 0, done.err


def in_one_line(done, code=None):
    assert "Traceback" not in done.err
    assert done.code == code if code is not None else done.code in (1, 2), (done.code, done.err)
    assert done.err.strip().splitlines()[-1].startswith("diagnose: ")


def train(shop, place, env=None, **how):
    given = {"DIAGNOSE_CACHE": str(place / "cache"), "HOME": str(place)} | (env or {})
    return shop.server.run(scenarios.TRAIN, place, env=given, **how)


def plain(args, place, env=None, **how):
    """Run a command as a process of its own."""
    own = {"DIAGNOSE_CACHE": str(place / "cache"), "PYTHONPATH": str(forked.ROOT), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-P", "-m", "diagnose", *args]
    return subprocess.run(command, cwd=place, env=os.environ | own | (env or {}), check=False, **how)


@pytest.mark.parametrize("home", ["", "/proc"])
def test_without_a_home_that_can_be_written(shop, place, home):
    if home:
        in_one_line(train(shop, place, {"HOME": home, "DIAGNOSE_CACHE": "", "XDG_CACHE_HOME": ""}), 2)
    well(train(shop, place, {"HOME": home}))


@pytest.mark.parametrize(
    ("mask", "mode"), [(0o077, 0o600), pytest.param(0o000, 0o666, marks=SLOW), pytest.param(0o027, 0o640, marks=SLOW)]
)
def test_files_obey_the_mask(shop, place, mask, mode):
    well(train(shop, place, umask=mask))
    (run,) = (path.parent for path in place.glob("runs/2*/status.json"))
    records = [path for path in run.rglob("*") if path.is_file() and path.name != "lock"]
    assert {path.stat().st_mode & 0o777 for path in records} == {mode}
    folders = {path.stat().st_mode & 0o777 for path in (run, run / "checkpoint")}
    assert folders == {0o777 & ~mask}
    assert (place / "cache").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, pytest.param(signal.SIGINT, marks=SLOW)])
def test_signals_keep_the_checkpoint(shop, place, number):
    long = ["train", *scenarios.sets({"budget.steps": 100_000, "report.interval": 10_000})]
    env = {"DIAGNOSE_CACHE": str(place / "cache")}
    done = shop.server.run(long, place, env=env, signal=int(number), when="step 1/")
    in_one_line(done, 130)
    assert "keeps its last checkpoint" in done.err
    assert list(place.glob("runs/2*/checkpoint/model.safetensors"))
    assert scenarios.strays(place) == []


@pytest.mark.parametrize("most", [32, pytest.param(12, marks=SLOW)])
def test_few_files_may_be_open(shop, place, most):
    done = train(shop, place, files=most)
    well(done) if done.code == 0 else in_one_line(done)
    assert done.code == 0 or most < 32
    well(train(shop, place))


@SLOW
def test_a_clock_that_jumps_back(shop, place):
    well(train(shop, place, clock=7))
    well(train(shop, place, clock=3))
    assert len(list(place.glob("runs/2*/status.json"))) == 2
    well(shop.run(place, ("runs",)))


@pytest.mark.parametrize(
    "name", ["with\nlines;$(y)'\"", pytest.param("with spaces", marks=SLOW), pytest.param("\u202eevil", marks=SLOW)]
)
def test_names_of_folders(shop, name):
    place = shop.folder / name
    shop.fresh("train", name)
    well(train(shop, place))
    done = shop.server.run(["report", "runs/latest"], place, env={"DIAGNOSE_CACHE": str(place / "cache")})
    well(done)
    assert [p.read_text().rstrip().endswith("</html>") for p in place.glob("reports/*.html")] == [True]
    text = place / f"{name}.txt"
    (place / "text.txt").rename(text)
    done = shop.server.run(
        ["train", "--data", text.name, *scenarios.SETS[2:]], place, env={"DIAGNOSE_CACHE": str(place / "cache")}
    )
    well(done)


@SLOW
def test_a_name_that_is_no_text(shop):
    place = shop.fresh("train", "\udcff\udcfe")
    in_one_line(train(shop, place), 2)  # a recipe is text, and so is what it names
    assert not (place / "runs").exists()
    (place / "text.txt").rename(shop.folder / "text.txt")
    well(
        shop.server.run(
            ["yardstick", "--data", str(shop.folder / "text.txt")], place, env={"DIAGNOSE_CACHE": str(place / "cache")}
        )
    )


@pytest.mark.parametrize(
    "env", [{"COLUMNS": "60", "TERM": "dumb"}, pytest.param({"COLUMNS": "20", "TERM": ""}, marks=SLOW)]
)
def test_terminals(shop, ran, env):
    for args in (("runs",), ("report", "runs/latest", "--all"), ("axes",)):
        well(shop.server.run(args, ran, env={"DIAGNOSE_CACHE": str(ran / "cache")} | env))


@SLOW
@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_runs_on_another_file_system(shop, place):
    away = Path(f"/dev/shm/diagnose-test-{os.getpid()}")
    away.mkdir()
    try:
        (place / "runs").symlink_to(away)
        well(train(shop, place))
        assert list(away.glob("2*/status.json"))
    finally:
        import shutil

        shutil.rmtree(away)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become another user")
def test_another_user_who_may_not_write_the_installation(shop, place):
    place.chmod(0o777)
    for folder in place.parents:
        if not folder.stat().st_mode & 0o001:
            pytest.skip(f"{folder} is closed to other users")
    cache = place / "theirs"
    done = train(shop, place, {"DIAGNOSE_CACHE": str(cache)}, user=NOBODY)
    well(done)
    assert {path.stat().st_uid for path in place.glob("runs/2*/*")} == {NOBODY}
    done = shop.server.run(["train", *scenarios.SETS], place, env={"DIAGNOSE_CACHE": str(place / "cache")})
    well(done)
    place.chmod(0o755)
    (place / "runs").chmod(0o755)
    os.chown(place / "runs", 0, 0)
    in_one_line(train(shop, place, {"DIAGNOSE_CACHE": str(cache)}, user=NOBODY))


def test_standard_input_and_output_that_are_closed(ran):
    closes = {"preexec_fn": lambda: os.close(0)}
    assert plain(["runs"], ran, capture_output=True, **closes).returncode == 0
    closes = {"preexec_fn": lambda: os.close(1)}
    done = plain(["runs"], ran, stderr=subprocess.PIPE, **closes)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("args", [["recipes"], ["runs", "--json"]])
def test_a_reader_that_leaves(ran, args):
    reading, writing = os.pipe()
    os.close(reading)
    done = plain(args, ran, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert b"Traceback" not in done.stderr
    assert done.returncode in (0, 1)


@pytest.mark.parametrize("env", [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_a_locale_without_our_letters(ran, env):
    for args in (["report", "runs/latest", "--all"], ["runs", "--json"]):
        done = plain(args, ran, env, capture_output=True)
        assert b"Traceback" not in done.stderr
        assert done.returncode == 0, done.stderr


def test_little_memory(ran):
    limit = 600 << 20
    done = plain(
        ["runs", "--json"], ran, capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )  # fmt: skip
    assert done.returncode == 0 or b"Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        RuntimeError("std::bad_alloc"),
    ],
)
def test_no_memory_is_told_in_a_line(error, diagnose, monkeypatch):
    from diagnose.runs import inventory

    def fail(*_):
        raise error

    monkeypatch.setattr(inventory, "listing", fail)
    code, _, err = diagnose("runs")
    assert code == 1
    assert err == (
        "diagnose: there is not enough memory: end other programs, or allow this one more (ulimit -v, a job's --mem)\n"
    )


class PanicException(BaseException):
    """A panic of a library."""


def test_a_panic_of_a_library_is_told_in_a_line(diagnose, monkeypatch):
    from diagnose.runs import inventory

    def fail(*_):
        raise PanicException("index out of bounds\nat line 7")

    monkeypatch.setattr(inventory, "listing", fail)
    code, _, err = diagnose("runs")
    assert code == 1
    assert err == "diagnose: a library could not do with its input: index out of bounds\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ImportError("cannot load module more than once per process")])
def test_a_stop_while_modules_are_imported_is_told_in_a_line(error, diagnose, monkeypatch):
    from diagnose.runs import inventory

    def fail(*_):
        with suppress(KeyboardInterrupt):  # as torch does while it imports numpy
            signal.raise_signal(signal.SIGTERM)
        raise error

    monkeypatch.setattr(inventory, "listing", fail)
    code, out, err = diagnose("runs")
    assert (code, out) == (130, "")
    assert err in ("", "diagnose: stopped\n")  # typer may have heard of it first
