"""Which pages lie beside one: those of the same run or ablation, and of those that hold it or are held by it."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from diagnose.errors import DiagnoseError
from diagnose.runs import store

GAP, AUDIT = "-gap", "-audit"  # what names of their pages end in


def pages_beside(folder: Path) -> list[tuple[str, str]]:
    """Return links to the pages of the same run or ablation, and of those that hold it or are held by it."""
    path = folder.resolve()
    out = [(path.name, _this(path))]
    out += [(f"{path.name}{GAP}", "its loss gap, part by part")] if (path / "gap.json").exists() else []
    out += [(f"{path.name}{AUDIT}", "its audit")] if (path / "audit.json").exists() else []
    for other in store.ablations(path.parent):
        runs = runs_of(other)
        if path.name in runs:
            out.append(
                (other.name, f"{'a comparison' if _is_comparison(other) else 'the ablation'} that it belongs to")
            )
        if other.name == path.name:
            with_gap = [name for name in runs if (path.parent / name / "gap.json").exists()]
            out += [(f"{name}{GAP}", f"the loss gap of {name}") for name in with_gap]
    return [(f"{name}.html", title) for name, title in out]


def _this(path: Path) -> str:
    if not (path / "ablation.toml").exists():
        return "this run"
    return "this comparison" if _is_comparison(path) else "this ablation"


def _is_comparison(path: Path) -> bool:
    try:
        return store.ablation(path).kind == "comparison"
    except DiagnoseError:
        return False


def relative(target: Path, start: Path) -> str:
    """Return the address of a file as a page in the folder `start` gives it."""
    try:
        return quote(Path(os.path.relpath(target.resolve(), start.resolve())).as_posix())
    except ValueError:  # on another drive of Windows
        return target.resolve().as_uri()


def runs_of(ablation: Path) -> list[str]:
    """Return the names of an ablation's runs; none where it has no summary, or a damaged one, which hides no other."""
    if not (ablation / "summary.json").exists():
        return []
    try:
        return [run for arm in store.ablation(ablation).arms for run in arm.runs]
    except DiagnoseError:
        return []
