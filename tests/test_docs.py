"""What the README promises: it is short, every command is named, the packaging holds what it should."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 130


def test_the_readme_names_every_command():
    from diagnose.cli import app

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = [c.name or c.callback.__name__ for c in app.registered_commands]
    assert [n for n in names if f"diagnose {n.replace('_', '-')}" not in readme] == []


def test_models_import_torch_alone():
    code = "import sys; import diagnose.models.gpt, diagnose.models.lstm; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = {name for name in run.stdout.split() if name.startswith("diagnose")}
    assert ours <= {"diagnose", *(f"diagnose.models{part}" for part in ("", *_parts()))}


def _parts():
    return [f".{p.stem}" for p in (ROOT / "models").glob("*.py") if p.stem != "__init__"] + [".native"]


def test_torch_is_a_range_and_pinned_for_development_alone():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    torch = next(d for d in project["dependencies"] if d.startswith("torch"))
    assert torch.startswith("torch>=")
    assert "==" not in torch
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().split()


@pytest.fixture
def source(tmp_path):
    """Return a clean checkout."""
    folder = tmp_path / "source"
    clone = ["git", "-c", "advice.detachedHead=false", "clone", "-q", ROOT, folder]
    if subprocess.run(clone, check=False, capture_output=True).returncode:
        pytest.skip("not a git checkout")
    return folder


def wheel(source, **environment):
    """Build a wheel and return the names of its files."""
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", source.parent, source]
    subprocess.run(build, check=True, capture_output=True, env=os.environ | environment)
    (built,) = source.parent.glob("diagnose_training-*.whl")
    return zipfile.ZipFile(built).namelist()


def test_the_wheel_holds_our_packages_recipes_and_templates_alone(source):
    names = wheel(source)
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"diagnose"}
    assert {
        "diagnose/models/gpt.py",
        "diagnose/config/recipes/quick.toml",
        "diagnose/report/templates/page.css",
    } <= set(names)
    tracked = subprocess.run(["git", "-C", source, "ls-files", "diagnose"], capture_output=True, text=True, check=True)
    assert [f for f in tracked.stdout.split() if f not in names] == [], "a package is missing in pyproject.toml"
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    loops = [name for name in names if name.startswith("diagnose/models/native/loops_")]
    assert bool(loops) == (sys.platform.startswith("linux") and shutil.which(compiler) is not None)


def test_a_wheel_is_built_without_a_compiler(source):
    names = wheel(source, CC="/bin/false")
    assert "diagnose/models/native/__init__.py" in names
    assert not [name for name in names if name.endswith(".so")]
