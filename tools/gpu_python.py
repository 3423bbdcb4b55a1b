"""Runs `make gpu` with a Python whose torch fits this machine: `python tools/gpu_python.py [--wheels FOLDER] [...]`.

It takes the environment of `make test` (.venv) where its torch sees the card, or where there is no card. Else it builds
one (.venv-gpu) upon the torch that this Python has, for a torch from the index may be built for another driver, and
adds what is missing: from a folder of wheels without network, else from the index. `--download FOLDER --for 3.12` fills
such a folder on a machine with a network. Other options are passed on to benchmarks/gpu.py.
"""

import argparse
import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DRIVER = Path("/proc/driver/nvidia/version")
TOOLS = (
    "setuptools>=77,<82",
    "pytest>=8.2",
    "pytest-benchmark>=4",
    "hypothesis>=6.100",
)  # torch 2.11 wants setuptools < 82
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_28_x86_64")


def wanted():
    """Return what the package needs beside torch."""
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return [one for one in known if re.match(r"[\w.-]+", one)[0] != "torch"]


def fits(python):
    """Say whether a Python has a torch that sees this machine's card, or any torch where there is no card."""
    asked = [str(python), "-c", "import torch; print(torch.cuda.is_available())"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return False
    return told.endswith("True") or (told.endswith("False") and not DRIVER.exists())


def chosen(wheels):
    """Return the Python to take; it is built where there is none yet."""
    own = ROOT / ".venv" / "bin" / "python"
    if (ROOT / ".venv" / "tested").exists() and fits(own):
        return own
    if fits(sys.executable):
        return built(ROOT / ".venv-gpu", wheels)
    if DRIVER.exists():
        sys.exit(
            f"neither .venv nor {sys.executable} has a torch that sees this machine's card: give one that has, as "
            "`make gpu PYTHON=/path/to/python`"
        )
    subprocess.run(["make", ".venv/tested"], cwd=ROOT, check=True)
    return own


def built(place, wheels):
    """Return the Python of an environment that sees this one's packages and has what is missing."""
    python = place / "bin" / "python"
    if (place / "ready").exists():
        return python
    venv.create(place, with_pip=True, clear=True)
    ours = next(place.glob("lib/python*/site-packages"))
    theirs = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (ours / "of_the_machine.pth").write_text("\n".join(theirs) + "\n", encoding="utf-8")
    source = ["--no-index", "--find-links", str(wheels)] if wheels else []
    for what in (TOOLS, ("--no-build-isolation", "-e", str(ROOT))):
        command = [str(python), "-m", "pip", "install", "-q", *source, *what]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            sys.exit(
                "packages are missing and were not found: on a machine with a network `make gpu-wheels` fills the "
                "folder wheels/; bring it here and give `make gpu WHEELS=wheels`"
            )
    (place / "ready").touch()
    return python


def downloaded(folder, version):
    """Fill a folder with the wheels that are needed beside torch, for a version of Python; return pip's status."""
    places = [word for platform in PLATFORMS for word in ("--platform", platform)]
    how = ["--only-binary", ":all:", "--python-version", version, *places, "--dest", folder]
    return subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", *how, *TOOLS, *wanted()], check=False
    ).returncode


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--wheels", type=Path)
    options.add_argument("--download", metavar="FOLDER")
    options.add_argument("--for", dest="version", default="3.12")
    given, rest = options.parse_known_args()
    if given.download:
        sys.exit(downloaded(given.download, given.version))
    python = chosen(given.wheels and given.wheels.resolve())
    os.chdir(ROOT)
    os.execv(python, [str(python), "benchmarks/gpu.py", *rest])


if __name__ == "__main__":
    main()
