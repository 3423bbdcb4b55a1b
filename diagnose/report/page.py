"""Summary -> figures -> one self-contained HTML file, rendered by a template that escapes everything.

A page only reads what runs leave behind: it may be rendered again at any time, and the same records give the
same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose import formatting
from diagnose.records.audits import parse_audit
from diagnose.records.ledgers import ArmLedgers
from diagnose.report import (
    ablation_sentences,
    audit_document,
    baseline_rows,
    gap_sentences,
    html,
    log_document,
    note_rows,
    run_sentences,
    sample_sentences,
    tables,
)
from diagnose.report.blocks import Headline
from diagnose.report.gap_page import arm_parts, gap_parts, parse_gap, sides_parts
from diagnose.report.gap_plots import arm_figures
from diagnose.report.glossary_notes import GUIDE, TERMS
from diagnose.report.links import AUDIT, pages_beside, runs_of
from diagnose.report.plots import ablation_figures, paints, run_figures
from diagnose.report.summary import AblationReport, RunReport, read_ablation, read_run
from diagnose.runs import store

if TYPE_CHECKING:
    from diagnose.records.ledgers import LedgerRecord
    from diagnose.records.log_report import LogReport
    from diagnose.records.summaries import Environment, Summary
    from diagnose.report.blocks import Report
    from diagnose.report.summary import RunSummary, WrittenSample

MOST_SAMPLE = 1_200  # characters of a sample that are shown
MOST_RECIPE = 40_000  # characters of a recipe that are shown
MOST_HEADLINES = 4
RUN_WORDS = {
    "perplexity",
    "yardstick",
    "verbatim",
    "bits-per-byte",
    "nats-per-token",
    "interval",
    "gap",
    "measured-alike",
    "as-reported",
    "canonical-reading",
    "overlap",
}


@dataclass(frozen=True)
class Shown:
    """A sample as shown: who wrote it, the prompt, what followed, and how many characters were cut off.

    `text` is cut in three: the middle part is the longest stretch that the training text holds.
    """

    name: str
    note: str
    prompt: str
    text: tuple[str, str, str]
    rest: int
    paint: str = "ink"


def render_ablation(folder: Path, out: Path) -> Path:
    """Render an ablation's page from what it and its runs left behind.

    Args:
        folder: the ablation's directory; its runs lie beside it.
        out: the folder for the page, which is named after the ablation; or a path that ends in ".html".

    Returns:
        Where the page lies.

    Raises:
        DiagnoseError: a record is missing, corrupted or of a newer format, or the page cannot be written.
    """
    parts = _ablation_parts(read_ablation(folder))
    return html.write(_render("ablation.html.j2", parts, folder, among=_among(out)), _target(folder, out))


def render_run(folder: Path, out: Path) -> Path:
    """Render the page of one run; arguments and errors are those of `render_ablation`."""
    return html.write(
        _render("run.html.j2", _run_parts(read_run(folder)), folder, among=_among(out)), _target(folder, out)
    )


def refresh(folder: Path, out: Path) -> None:
    """Render the pages that link to a ledger's and that it links to: its run's or ablation's, and the ablations'.

    A page at a path of its own (`out` ends in ".html") has none beside it.
    """
    if not _among(out):
        return
    path = folder.resolve()
    if not (path / "recipe.toml").exists() and not (path / "ablation.toml").exists():
        return  # the record of somebody's loop has no page of its own
    for other in (path, *(found for found in store.ablations(path.parent) if path.name in runs_of(found))):
        render_own(other, out)


def render(folder: Path, out: Path) -> list[Path]:
    """Render every page of a run or an ablation: its own, and those of its ledger and its audit where stored."""
    if not (folder / "recipe.toml").exists() and not (folder / "ablation.toml").exists():
        return [render_gap(folder, out)]
    stored = (("gap.json", render_gap), ("audit.json", render_audit))
    return [render_own(folder, out), *(draw(folder, out) for name, draw in stored if (folder / name).exists())]


def render_own(folder: Path, out: Path) -> Path:
    """Render the page of a run or an ablation, whichever the folder holds."""
    return (render_ablation if (folder / "ablation.toml").exists() else render_run)(folder, out)


def render_gap(folder: Path, out: Path, found: dict[str, Any] | None = None) -> Path:
    """Render the page of a run's ledger, or of an ablation's.

    Args:
        folder: of the run or ablation.
        out: the folder for the page, or a path that ends in ".html".
        found: the ledger; None for the one that is stored beside the run.

    Returns:
        Where the page lies.

    Raises:
        DiagnoseError: as `render_ablation`.
    """
    path = folder / "gap.json"
    ledger = parse_gap(store.read_json(path) if found is None else found, path)
    if isinstance(ledger, ArmLedgers):
        summary = read_ablation(folder).summary
        identity = _identity("gaps of ablation", summary.name, summary.corpus, summary.created)
        parts = arm_parts(ledger) | {"folder": f"runs/{summary.name}", "headlines": []}
        template = "gap_arms.html.j2"
    elif ledger.kind == "sides":
        return render_sides(ledger.model_dump(), _target(folder, out, "-gap"))
    else:
        report = read_run(folder)
        environment = report.environment
        identity = _identity("run", report.run.name, environment.corpus, report.run.name.partition("-")[0])
        parts = gap_parts(ledger, report) | {"headlines": _gap_headlines(ledger)}
        template = "gap.html.j2"
    parts |= {"title": f"Loss gap of {formatting.visible(folder.resolve().name)}", "identity": identity}
    return html.write(_render(template, parts, folder, "-gap", among=_among(out)), _target(folder, out, "-gap"))


def render_audit(folder: Path, out: Path, found: dict[str, Any] | None = None) -> Path:
    """Render the page of a run's audit; arguments and errors are those of `render_gap`."""
    return _put(audit_of(folder, found), folder, out, AUDIT)


def audit_of(folder: Path, found: dict[str, Any] | None = None) -> Report:
    """Return what there is to say of a run's audit, the stored one where none is given."""
    path = folder / "audit.json"
    return audit_document.report_of(parse_audit(store.read_json(path) if found is None else found, path),
                                    read_run(folder))  # fmt: skip


def render_log(log: LogReport, out: Path) -> Path:
    """Render the page of a log, which is named after its first file; errors are those of `render_ablation`."""
    return render_alone(log_document.report_of(log), out, f"log-{log_document.name_of(log)}")


def render_alone(report: Report, out: Path, name: str) -> Path:
    """Render a page that stands beside no run.

    Args:
        report: of any subject.
        out: the folder for the page, or a path that ends in ".html".
        name: of the page in a folder; what files may not be called is replaced.
    """
    kept = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    kept = formatting.cut(kept, 84).rstrip("\N{HORIZONTAL ELLIPSIS}.-") or "page"
    return html.write(html.page_of(report), out / f"{kept}.html" if _among(out) else out)


def _put(report: Report, folder: Path, out: Path, end: str = "") -> Path:
    """Render a page that stands beside a run or an ablation."""
    beside = pages_beside(folder) if _among(out) else []
    others = [link for link in beside if link[0] != f"{folder.resolve().name}{end}.html"]
    return html.write(html.page_of(report, others), _target(folder, out, end))


def render_sides(found: dict[str, Any], out: Path) -> Path:
    """Render the page of the ledger of somebody's model and loop to a path; errors are those of `render_ablation`."""
    return html.write(sides_page(found), out)


def sides_page(found: dict[str, Any]) -> str:
    """Return the page of the ledger of somebody's model and loop."""
    ledger = parse_gap(found, Path("gap.json"))
    assert not isinstance(ledger, ArmLedgers)
    name = formatting.visible(Path(ledger.run).name)
    parts = sides_parts(ledger) | {
        "title": f"Loss gap of {name}" if name else "Loss gap",
        "identity": ["loss gap", *([name] if name else [])],
        "headlines": _gap_headlines(ledger),
    }
    return _render("sides.html.j2", parts, Path(), among=False)


def _gap_headlines(ledger: LedgerRecord) -> list[Headline]:
    same = ledger.matched
    return [
        Headline(_loss_name(ledger, 0, "training"), formatting.plain(ledger.reported.train), "", "arm-1"),
        Headline(_loss_name(ledger, 1, "validation"), formatting.plain(ledger.reported.val), "", "arm-0"),
        Headline("gap, as reported", formatting.signed(ledger.gap), ""),
        Headline("gap, measured alike", formatting.estimate(same.gap, same.low, same.high, difference=True), ""),
    ]


def _loss_name(ledger: LedgerRecord, side: int, name: str) -> str:
    return f"reported {name}" if ledger.reported.given[side] else f"{name}, as read now"


def _among(out: Path) -> bool:
    """Say whether a page goes into a folder of pages, where others may link to it, and not to a path of its own."""
    return out.suffix != ".html"


def folder_of(out: Path) -> Path:
    """Return the folder that a page goes into."""
    return out if _among(out) else out.parent


def _target(folder: Path, out: Path, end: str = "") -> Path:
    return out / f"{folder.resolve().name}{end}.html" if _among(out) else out


def _ablation_parts(report: AblationReport) -> dict[str, Any]:
    summary = report.summary
    gaps = _stored_gaps(report.folder)
    shown = gap_sentences.arm_terms(gaps) if gaps else []
    return {
        "gaps": gaps,
        "shown": shown,
        "title": f"What {ablation_sentences.called(summary)} changes" if summary.planned else "Runs compared",
        "report": report,
        "summary": summary,
        "identity": _identity(summary.kind, summary.name, summary.corpus, summary.created),
        "verdict": formatting.visible(summary.verdict),
        "headlines": _arm_headlines(report),
        "figures": ablation_figures(report) | (arm_figures(gaps) if gaps else {}),
        "samples": _arm_samples(report, last=False),
        "more_samples": _arm_samples(report, last=True),
        "tables": [tables.arms(report), tables.effects(summary), tables.seeds(summary)],
        "notes": note_rows.sections(summary.notes),
        "pairs": tables.pairs(summary),
        "differs": tables.differs(summary),
        "spread": tables.spread(summary),
        "tuning": tables.tuning(summary),
        "held": ablation_sentences.held(summary),
        "seen": ablation_sentences.seen(summary),
        "changed": tables.changed(summary),
        "derived": tables.derived(summary),
        "environment": _environment(summary.environment),
        "recipe": formatting.cut(formatting.visible(summary.recipe), MOST_RECIPE),
        "limits": ablation_sentences.limits(report),
        "used": _used(summary, shown),
    }


def _used(summary: Summary, shown: list[str]) -> list[str]:
    """Return the words of the guide that an ablation's page carries: those that it links."""
    idle = {"as-reported", "perplexity", "yardstick"} | (set() if len(summary.axes) > 1 else {"interaction"})
    return [key for key in GUIDE if key not in idle and (key not in TERMS or key in shown)]


def _stored_gaps(folder: Path) -> ArmLedgers | None:
    path = folder / "gap.json"
    found = parse_gap(store.read_json(path), path) if path.exists() else None
    return found if isinstance(found, ArmLedgers) else None


def _run_parts(report: RunReport) -> dict[str, Any]:
    environment = report.environment
    written = report.run.samples
    return {
        "alarm": baseline_rows.alarm(report),
        "place": baseline_rows.place(report),
        "verbatim": sample_sentences.verbatim(report),
        "promise": sample_sentences.promise(report),
        "scale": baseline_rows.table(report),
        "title": f"Run {formatting.visible(report.run.name)}",
        "report": report,
        "identity": _identity("run", report.run.name, environment.corpus, report.run.name.partition("-")[0]),
        "verdict": run_sentences.run_verdict(report),
        "headlines": _run_headlines(report),
        "figures": run_figures(report) | ({"ladder": ladder} if (ladder := baseline_rows.figure(report)) else {}),
        "samples": [_shown("", written[-1])] if written else [],
        "more_samples": [_shown("", sample) for sample in written[:-1]][-6:],
        "tables": [tables.losses(report)],
        "derived": tables.run_derived(report),
        "environment": _environment(environment),
        "recipe": formatting.cut(formatting.visible(report.recipe), MOST_RECIPE),
        "folder": f"runs/{report.run.name}",
        "limits": run_sentences.run_limits(report),
        "used": [key for key in GUIDE if key in RUN_WORDS],
    }


def _identity(kind: str, name: str, corpus: Any, created: str) -> list[str]:
    title = formatting.visible(corpus.title or corpus.name)
    amount = f"{corpus.documents:,}{formatting.NARROW}documents" if corpus.documents else ""
    text = ", ".join(part for part in (title, amount) if part)
    return [part for part in (f"{kind} {formatting.visible(name)}", text, formatting.day(created)) if part]


def _arm_headlines(report: AblationReport) -> list[Headline]:
    summary, colour = report.summary, paints(report.summary)
    chosen = [arm for arm in summary.arms if arm.bits_per_byte.value is not None]
    if len(chosen) > MOST_HEADLINES:
        order = sorted(chosen, key=lambda arm: arm.bits_per_byte.value or 0)
        ends = {order[0].level, order[-1].level, summary.control}
        chosen = [arm for arm in order if arm.level in ends]
    return [
        Headline(
            formatting.visible(arm.level),
            formatting.estimate(arm.bits_per_byte.value, arm.bits_per_byte.low, arm.bits_per_byte.high),
            "control" if arm.level == summary.control else "",
            colour[arm.level],
        )
        for arm in chosen
    ]


def _run_headlines(report: RunReport) -> list[Headline]:
    found = []
    final = run_sentences.last(report, "final", "val")
    if final is not None and final.bits is not None:
        figure = formatting.estimate(final.bits, final.bits_low, final.bits_high)
        name = "unseen reserve" if report.scored == "reserve" else "whole validation text"
        found.append(Headline(name, figure, "bits per byte"))
    for split, name, paint in (
        ("train", "reported training", "arm-1"),
        ("val", "reported validation", "arm-0"),
    ):
        reading = run_sentences.last(report, "reported", split)
        if reading is not None:
            found.append(Headline(name, formatting.plain(reading.loss), "nats per token", paint))
    same = run_sentences.alike(report)
    if same is not None:
        found.append(Headline("gap, measured alike", str(same), "nats per token"))
    return found


def _arm_samples(report: AblationReport, *, last: bool) -> list[list[Shown]]:
    """Return samples side by side, one row a seed: the first seed's row, or (last) those of the others."""
    rows: dict[int, list[Shown]] = {}
    colour = paints(report.summary)
    for arm in report.summary.arms:
        runs = [run for run in report.arm(arm.level) if run.samples]
        for place, run in enumerate(runs):
            rows.setdefault(place, []).append(_of_arm(arm.level, run, colour[arm.level]))
    return [row for place, row in sorted(rows.items()) if (place > 0) == last]


def _of_arm(level: str, run: RunSummary, paint: str) -> Shown:
    return _shown(formatting.visible(level), run.samples[-1], seed=run.seed, paint=paint, unfinished=not run.finished)


def _shown(
    name: str, sample: WrittenSample, *, seed: int | None = None, paint: str = "ink", unfinished: bool = False
) -> Shown:
    prompt, text = formatting.visible(sample.prompt), formatting.visible(sample.text)
    follows = text.removeprefix(prompt)
    kept = follows[:MOST_SAMPLE]
    note = f"after step {sample.step:,}" if seed is None else f"seed {seed}, after step {sample.step:,}"
    note += "; the run did not finish" if unfinished else ""
    before, shared, after = kept.partition(formatting.visible(sample.verbatim)) if sample.verbatim else (kept, "", "")
    return Shown(name, note, prompt, (before, shared, after), len(follows) - len(kept), paint)


def _environment(found: Environment) -> list[tuple[str, str]]:
    """Return where a run was carried out, as pairs of a word and what it was."""
    commit = found.commit + (" with uncommitted changes" if found.dirty else "") if found.commit else ""
    threads = f", {formatting.counted(found.threads, 'thread')}" if found.threads else ""
    pairs = [
        ("diagnose", found.version),
        ("commit", commit),
        ("platform", found.platform),
        ("device", found.device + threads if found.device else ""),
        *found.versions.items(),
        ("settings given", ", ".join(found.given)),
        ("settings dropped", ", ".join(found.dropped)),
    ]
    return [(formatting.visible(name), formatting.visible(value)) for name, value in pairs if value]


def _render(template: str, parts: dict[str, Any], folder: Path, end: str = "", *, among: bool = True) -> str:
    beside = pages_beside(folder) if among else []
    others = [link for link in beside if link[0] != f"{folder.resolve().name}{end}.html"]
    return _filled(template, parts | {"others": others})


def _filled(template: str, parts: dict[str, Any]) -> str:
    from jinja2 import Environment as Jinja
    from jinja2 import FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    jinja = Jinja(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.globals.update(
        words=formatting,
        findings=ablation_sentences,
        run_findings=run_sentences,
        scale_words=baseline_rows,
        gap_findings=gap_sentences,
        guide=GUIDE,
    )
    # Our own drawings are the one thing that is not escaped: canvas.py lets no foreign markup into them.
    drawn = {name: Markup(figure.svg) for name, figure in parts["figures"].items()}  # noqa: S704
    clipped = any(figure.clipped for figure in parts["figures"].values())
    return jinja.get_template(template).render(parts | {"figures": drawn, "clipped": clipped})
