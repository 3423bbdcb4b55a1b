"""How the code is laid out: imports run down the packages, nothing imports in a circle, and a name occurs once."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = (
    ("errors", "random", "formatting", "files"), ("stats",), ("records",), ("config",), ("data",), ("training",),
    ("runs",), ("engines",), ("baselines",), ("gap",), ("audit",), ("logs",), ("ablation",), ("glossary",), ("report",),
    ("integrations",), ("lightning", "huggingface"), ("api",), ("testing", "cli"), ("__init__", "__main__"),
)  # fmt: skip
RANKS = {name: rank for rank, names in enumerate(PACKAGES) for name in names}
FILES = [p for p in sorted((ROOT / "diagnose").rglob("*.py")) if "models" not in p.relative_to(ROOT).parts]


@cache
def trees():
    """Return the syntax of each file; not at the top, for each process that collects would read them all."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def dotted(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for path in FILES}


def imports(tree):
    """Return the modules of ours that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "diagnose":
            found |= {
                f"{node.module}.{a.name}" if f"{node.module}.{a.name}" in MODULES else node.module for a in node.names
            }
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names if a.name in MODULES}
    return found


def rank(module):
    parts = module.split(".")
    return RANKS[parts[1] if len(parts) > 1 else "__init__"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_down_the_packages(path):
    here = rank("diagnose" if path.name == "demo_loop.py" else dotted(path))  # users copy it: it imports as they do
    assert [name for name in imports(trees()[path]) if name != "diagnose.models" and rank(name) > here] == []


def test_the_document_lists_the_packages_in_this_order():
    rows = [line for line in (ROOT / "docs" / "architecture.md").read_text().splitlines() if line.startswith("| `")]
    told = [part.strip("`/ ").removesuffix(".py") for row in rows for part in row.split("|")[1].split(",")]
    assert told == [
        name for names in PACKAGES for name in names if name not in ("lightning", "huggingface") and "__" not in name
    ]


def test_nothing_imports_in_a_circle():
    graph = {
        name: imports(trees()[path]) & MODULES.keys() - {name} for name, path in MODULES.items() if name != "diagnose"
    }
    done = set()
    while ready := {name for name, needs in graph.items() if name not in done and needs <= done | {"diagnose"}}:
        done |= ready
    assert graph.keys() - done == set()


def test_classes_and_files_have_names_of_their_own():
    classes = Counter(
        n.name for tree in trees().values() for n in tree.body if isinstance(n, ast.ClassDef) and n.name[0] != "_"
    )
    files = Counter(path.stem for path in FILES if path.stem != "__init__")
    assert [name for name, count in classes.items() if count > 1] == []
    assert [name for name, count in files.items() if count > 1] == []


def test_few_modules_lie_at_the_top():
    assert len([p for p in FILES if p.parent == ROOT / "diagnose" and not p.stem.startswith("__")]) <= 8


def test_an_import_up_would_be_seen():
    tree = ast.parse("def f():\n    from diagnose.report import page")
    assert imports(tree) == {"diagnose.report.page"}
    assert rank("diagnose.report.page") > rank("diagnose.stats.crossed")
