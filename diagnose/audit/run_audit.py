"""The audit of a finished run: is its metric sound, and its set-up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from diagnose.audit import run_network, run_text
from diagnose.audit.findings import Audit
from diagnose.audit.run_opened import open_audited
from diagnose.config.recipe import FORMAT
from diagnose.runs import store

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = {"batch-dropped": "runs read every row of the validation text in their final reading"}


def audit_run(run: str | Path, *, data: str | Path | None = None, model: str | None = None) -> dict[str, Any]:
    """Audit a run; nothing in its folder is changed.

    Args:
        run: its folder, `runs/latest`, or its name within `runs/`.
        data: where its text is now, if it was moved.
        model: "file.py:build", the code of its network, where that is not installed: consent to run it.

    Returns:
        The audit as plain data: `run`, `verdict`, `exit_code`, `checked`, `skipped`, `findings`.

    Raises:
        DiagnoseError: see `open_audited`.
    """
    begun, opened, out = time.monotonic(), open_audited(run, data, model), Audit()
    run_text.tokens(out, opened)
    table = run_text.record(out, opened)
    run_text.divided(out, opened)
    run_text.shifted(out, opened)
    if opened.network is None:
        for rule in run_network.NEEDS:
            out.skips(rule, opened.opened.why)
    else:
        run_network.judge(out, opened, opened.network, table)
    for rule, why in OTHERS.items():
        out.skips(rule, why, matters=False)
    out.ends("the run gives no occasion for it")
    return {"run": str(opened.path), "kind": "run", "seconds": time.monotonic() - begun, **out.record()}


def keep(folder: Path, found: dict[str, Any]) -> dict[str, Any]:
    """Store an audit beside its run, from where its page can be rendered again; without room a note says so."""
    try:
        store.write_json(folder / "audit.json", {"format": FORMAT, **found})
    except OSError as error:
        return found | {"notes": [f"the audit was not kept in {folder}: {error.strerror}"]}
    return found
