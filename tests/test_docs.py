"""What the README promises: every file has its line, every command is named, the packaging holds what it should."""

import ast
import importlib.util
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


def test_the_readme_has_a_line_for_every_file_of_the_house():
    house = _house()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert house.written(readme) == readme, "run `make house`"
    files = [p.relative_to(ROOT) for folder in ("diagnose", "models") for p in (ROOT / folder).rglob("*.py")]
    missing = [str(p) for p in files if p.name != "__init__.py" and f"`{p.as_posix()}`" not in readme]
    assert not missing


def _house():
    spec = importlib.util.spec_from_file_location("house", ROOT / "tools" / "house.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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


def test_rooms_import_only_rooms_above():
    ranks = {name: i for i, names in enumerate(_house().rooms()) for name in names}
    upward = []
    for path in sorted((ROOT / "diagnose").rglob("*.py")):
        here = path.relative_to(ROOT / "diagnose").with_suffix("").parts[0]
        rooms = _rooms_imported(ast.parse(path.read_text(encoding="utf-8"))) & ranks.keys() if here in ranks else set()
        upward += [f"{path.relative_to(ROOT)} imports {room}" for room in rooms if ranks[room] > ranks[here]]
    assert not upward


def _rooms_imported(tree):
    rooms = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "diagnose":
            parts = node.module.split(".")
            rooms |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            rooms |= {a.name.split(".")[1] for a in node.names if a.name.startswith("diagnose.")}
    return rooms


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
