"""The audit of a finished run: is its metric sound, and its set-up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from diagnose.audit import run_network, run_text
from diagnose.audit.findings import Audit, judges, known
from diagnose.audit.run_opened import open_audited
from diagnose.runs import store

if TYPE_CHECKING:
    from pathlib import Path

    from diagnose.records.audits import AuditRecord


def audit_run(run: str | Path, *, data: str | Path | None = None, model: str | None = None) -> AuditRecord:
    """Audit a run; nothing in its folder is changed.

    Args:
        run: its folder, `runs/latest`, or its name within `runs/`.
        data: where its text is now, if it was moved.
        model: "file.py:build", the code of its network, where that is not installed: consent to run it.

    Returns:
        The audit.

    Raises:
        DiagnoseError: see `open_audited`.
    """
    begun, opened, out = time.monotonic(), open_audited(run, data, model), Audit()
    run_text.tokens(out, opened)
    table = run_text.record(out, opened)
    run_text.divided(out, opened)
    run_text.shifted(out, opened)
    for rule in known().values():
        if rule.not_of_runs:
            out.skips(rule.id, rule.not_of_runs, matters=False)
    if opened.network is not None:
        run_network.judge(out, opened, opened.network, table)
    for judge in judges("judge_run"):
        judge(out, opened)
    if opened.network is None:
        out.ends(opened.opened.why, matters=True)
    out.ends("the run gives no occasion for it")
    return out.record("run", time.monotonic() - begun, run=str(opened.path))


def keep(folder: Path, found: AuditRecord) -> AuditRecord:
    """Store an audit beside its run, from where its page can be rendered again; without room a note says so."""
    try:
        store.write_record(folder / "audit.json", found)
    except OSError as error:
        return found.model_copy(update={"notes": (f"the audit was not kept in {folder}: {error.strerror}",)})
    return found
