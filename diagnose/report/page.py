"""Which pages there are of what runs, ablations and logs leave behind, and where they lie.

A page only reads what was left behind: it may be rendered again at any time, and the same records give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose import formatting
from diagnose.errors import DiagnoseError
from diagnose.records.arm_ledgers import ArmLedgers
from diagnose.records.audits import AuditRecord
from diagnose.report import (
    ablation_document,
    audit_document,
    gap_arms_document,
    gap_document,
    html,
    log_document,
    run_document,
    score_document,
)
from diagnose.report.links import AUDIT, GAP, pages_beside, relative, runs_of
from diagnose.report.summary import read_ablation, read_gap, read_run
from diagnose.runs import command_store, store

if TYPE_CHECKING:
    from pathlib import Path

    from diagnose.records.ledgers import LedgerRecord
    from diagnose.records.log_report import LogReport
    from diagnose.report.blocks import Report


def render(folder: Path, out: Path, figures: Path | None = None) -> list[Path]:
    """Render every page of a run or an ablation: its own, and those of its ledger and its audit where stored.

    Args:
        folder: its directory.
        out: the folder for the pages.
        figures: where `exports.write` has put their drawings, which the pages then link to.
    """
    return [put(report, folder, out, end, figures) for end, report in reports_of(folder)]


def reports_of(folder: Path) -> list[tuple[str, Report]]:
    """Return what there is to say of a run or an ablation, its ledger and its audit, with what their pages end in."""
    with store.as_written(folder):
        return _reports_of(folder)


def _reports_of(folder: Path) -> list[tuple[str, Report]]:
    if (folder / command_store.COMPARISON).exists():
        return [("", own_report(folder))]
    out = [("", own_report(folder))] if _is_ours(folder) else []
    if not out and not (folder / "gap.json").exists() and (folder / store.RECORD).exists():
        raise DiagnoseError(
            f"{folder} is the record of a loop of yours, of which no ledger was made yet: `diagnose loss-gap {folder} "
            "--model FILE.py:build` makes one"
        )
    if not out or (folder / "gap.json").exists():
        out.append((GAP, gap_report(folder)))
    return [*out, (AUDIT, audit_report(folder))] if out[0][0] == "" and (folder / "audit.json").exists() else out


def render_own(folder: Path, out: Path, report: Report | None = None) -> Path:
    """Render the page of a run or an ablation from what it left behind.

    Args:
        folder: its directory; an ablation's runs lie beside it.
        out: the folder for the page, which is named after the run or ablation; or a path that ends in ".html".
        report: what there is to say of it, where that is known already.

    Returns:
        Where the page lies.

    Raises:
        DiagnoseError: a record is missing, corrupted or of a newer format, or the page cannot be written.
    """
    return put(report or own_report(folder), folder, out)


def own_report(folder: Path) -> Report:
    """Return what there is to say of a run or an ablation, whichever the folder holds."""
    if (folder / command_store.COMPARISON).exists():
        return score_document.report_of(command_store.comparison(folder))
    if not (folder / "summary.json").exists() and not (folder / "ablation.toml").exists():
        return run_document.report_of(read_run(folder))
    gaps = read_gap(folder) if (folder / "gap.json").exists() else None
    return ablation_document.report_of(read_ablation(folder), gaps if isinstance(gaps, ArmLedgers) else None)


def refresh(folder: Path, out: Path) -> None:
    """Render the pages that link to a ledger's and that it links to: its run's or ablation's, and the ablations'.

    A page at a path of its own (`out` ends in ".html") has none beside it, nor has the record of a user's loop.
    """
    path = folder.resolve()
    if _among(out) and _is_ours(path):
        for other in (
            path,
            *(
                ablation_folder
                for ablation_folder in store.ablations(path.parent)
                if path.name in runs_of(ablation_folder)
            ),
        ):
            render_own(other, out)


def render_gap(folder: Path, out: Path, ledger: LedgerRecord | ArmLedgers | None = None) -> Path:
    """Render the page of a run's ledger, or of an ablation's.

    Args:
        folder: of the run or ablation.
        out: the folder for the page, or a path that ends in ".html".
        ledger: to be shown; None for the one that is stored beside the run.

    Returns:
        Where the page lies.

    Raises:
        DiagnoseError: as `render_own`.
    """
    return put(gap_report(folder, ledger), folder, out, GAP)


def gap_report(folder: Path, record: LedgerRecord | ArmLedgers | None = None) -> Report:
    """Return what there is to say of a ledger, the stored one where none is given."""
    ledger = record or read_gap(folder)
    if isinstance(ledger, ArmLedgers):
        return gap_arms_document.arms_report(ledger, read_ablation(folder).summary)
    return gap_document.report_of(ledger, None if ledger.kind == "sides" else read_run(folder))


def audit_report(folder: Path, record: AuditRecord | None = None) -> Report:
    """Return what there is to say of a run's audit, the stored one where none is given."""
    return audit_document.report_of(record or store.read_record(AuditRecord, folder / "audit.json"), read_run(folder))


def render_log(log: LogReport, out: Path) -> Path:
    """Render the page of a log, which is named after its first file; errors are those of `render_own`."""
    return render_alone(log_document.report_of(log), out, f"log-{log_document.name_of(log)}")


def render_alone(report: Report, out: Path, name: str) -> Path:
    """Render a page that stands beside no run.

    Args:
        report: of any subject.
        out: the folder for the page, or a path that ends in ".html".
        name: of the page in a folder; what files may not be called is replaced.
    """
    plain_name = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    plain_name = formatting.cut(plain_name, 84).rstrip("\N{HORIZONTAL ELLIPSIS}.-") or "page"
    return html.write(html.page_of(report), out / f"{plain_name}.html" if _among(out) else out)


def folder_of(out: Path) -> Path:
    """Return the folder that a page goes into."""
    return out if _among(out) else out.parent


def _is_ours(folder: Path) -> bool:
    """Say whether a folder is of a run or an ablation, and not the record of a user's loop."""
    return (folder / "recipe.toml").exists() or (folder / "ablation.toml").exists()


def _among(out: Path) -> bool:
    """Say whether a page goes into a folder of pages, where others may link to it, and not to a path of its own."""
    return out.suffix != ".html"


def put(report: Report, folder: Path, out: Path, end: str = "", figures: Path | None = None) -> Path:
    """Render a page that stands beside a run or an ablation; `end` is what its name has beyond theirs."""
    stem = f"{folder.resolve().name}{end}"
    name, drawn = f"{stem}.html", relative(figures / stem, folder_of(out)) if figures else ""
    with store.as_written(folder):  # figures are drawn only now
        beside = pages_beside(folder) if _among(out) and _is_ours(folder) else []
        page = html.page_of(report, [link for link in beside if link[0] != name], beside=drawn)
    return html.write(page, out / name if _among(out) else out)
