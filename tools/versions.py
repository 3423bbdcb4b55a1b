"""Tries other versions: `python tools/versions.py [--lowest] [--python 3.12 ...] [--torch 2.4.0 ...]`.

Each pair of Python and torch gets an environment of its own in a temporary folder (with `--folder` in one that stays
and is used again), the package, and the tests (without those of other libraries and of browsers; what follows `--` goes
to pytest). `--lowest` takes every other dependency at the lowest version that pyproject.toml allows. A Python that is
neither pyenv's nor on the PATH is said to be missing, and so is a torch that pip does not find: the table at the end
says what was tried, never what ought to work.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
TOOLS = ("pytest", "pytest-xdist", "pytest-benchmark", "hypothesis", "setuptools")
TESTS = (
    "-n", "auto", "--dist", "loadfile", "-m", "not slow and not browser", "--ignore=tests/integrations",
    "--ignore=tests/test_site.py", "--ignore=tests/test_goldens.py", "--ignore=tests/commands/test_command_examples.py",
    "-W", "ignore::DeprecationWarning", "-W", "ignore::PendingDeprecationWarning", "-W", "ignore::FutureWarning",
)  # fmt: skip


def lowest():
    """Return the lowest version of each dependency that pyproject.toml allows, torch aside."""
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    found = dict(re.match(r"([\w.-]+)>=([\d.]+)", line).groups() for line in known)
    return [f"{name}=={version}" for name, version in found.items() if name != "torch"]


def pinned():
    """Return the version of torch that development uses."""
    return re.search(r"^torch==(\S+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)[1]


def found(python):
    """Return where a Python is: the newest of that version that pyenv has, else on the PATH; None where there is none.

    pyenv's own commands on the PATH run only what it is set to.
    """
    of_pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    installed = sorted(of_pyenv.glob(f"{python}.*/bin/python"), key=lambda path: int(path.parts[-3].rpartition(".")[2]))
    return str(installed[-1]) if installed else shutil.which(f"python{python}")


def tried(python, torch, pins, tests, folder):
    """Return what came of a pair of versions, in words, and whether that is well; None where it could not be tried."""
    interpreter = found(python)
    if interpreter is None:
        return "no such Python here", None
    source, place = folder / "source", folder / f"py{python}-torch{torch}{'-lowest' if pins else ''}"
    run = [str(place / "bin" / "python"), "-m"]
    steps = (
        ("no environment", [interpreter, "-m", "venv", place]),
        (f"pip finds no torch {torch} for it", [*run, "pip", "install", "-q", f"torch=={torch}"]),
        ("dependencies do not fit", [*run, "pip", "install", "-q", *TOOLS, *pins, f"torch=={torch}"]),
        ("the package is not installed", [*run, "pip", "install", "-q", "-e", source, *pins, f"torch=={torch}"]),
    )
    for why, command in steps:
        if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode:
            return why, None
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*run, "pytest", *TESTS, *tests], cwd=source, env=env, capture_output=True, text=True, check=False
    )
    sys.stderr.write(done.stdout[-6000:] + done.stderr[-2000:])
    return (done.stdout.strip().splitlines() or ["pytest printed nothing"])[-1].strip("= "), done.returncode == 0


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lowest", action="store_true")
    options.add_argument("--python", nargs="+", default=[f"{sys.version_info.major}.{sys.version_info.minor}"])
    options.add_argument("--torch", nargs="+", default=[pinned()])
    options.add_argument("--folder", type=Path)
    options.add_argument("tests", nargs="*", default=[])
    given = options.parse_args()
    pythons = PYTHONS if given.python == ["all"] else given.python
    with tempfile.TemporaryDirectory() as where:
        folder = given.folder.resolve() if given.folder else Path(where)
        shutil.rmtree(folder / "source", ignore_errors=True)
        subprocess.run(["git", "clone", "-q", ROOT, folder / "source"], check=True)
        rows = [
            (python, torch, *tried(python, torch, lowest() if given.lowest else [], given.tests, folder))
            for python in pythons
            for torch in given.torch
        ]
    print("| Python | torch | tests |\n| --- | --- | --- |")
    print("\n".join(f"| {python} | {torch} | {said} |" for python, torch, said, _ in rows))
    sys.exit(any(well is False for *_, well in rows))


if __name__ == "__main__":
    main()
