"""Parts that several subjects share: who a run is, its text, its unit, where it was carried out, what it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.formatting import NARROW, counted, cut, day, plain, share, size
from diagnose.report.blocks import CodeText, Fold, Heading, NamedRows, Paragraph, Sample, marked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diagnose.records.run_records import CorpusRecord, Environment, OverlapRecord, SplitRecord
    from diagnose.report.blocks import Inline, ReportBlock, Samples
    from diagnose.report.summary import RunReport, WrittenSample

MOST_SAMPLE = 1_200  # characters of a sample that are shown
MOST_RECIPE = 40_000  # characters of a recipe that are shown
SPLITS = {
    "documents": "By documents, drawn at random: each lies on one side alone.",
    "tail": "The last part of the text, in order, is validation.",
    "windows": "By samples after the text was cut into them: validation samples share text with training, so losses "
    "are read on a reserve that was kept out of both.",
}
RESERVE = " The reserve was kept out of both sides: training has not seen it."
UNIT = (
    "Unit",
    marked(
        "[bits-per-byte|Bits per byte]: all nats spent on the validation documents, end marks included, over ln 2 "
        "times their length in UTF-8 bytes. Every byte is scored exactly once. [nats-per-token|Nats per token] stand "
        "beside it, never instead of it."
    ),
)


def sentence(text: str) -> str:
    """Return a clause as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."


def identity(run: RunReport) -> tuple[str, ...]:
    """Return which run it is, of which text, of which day."""
    return named("run", run.run.name, run.environment.corpus, run.run.name.partition("-")[0])


def named(kind: str, name: str, corpus: CorpusRecord, created: str) -> tuple[str, ...]:
    """Return what a subject is, its text, and the day that it is of."""
    amount = f"{corpus.documents:,}{NARROW}documents" if corpus.documents else ""
    text = ", ".join(part for part in (corpus.title or corpus.name, amount) if part)
    return tuple(part for part in (f"{kind} {name}", text, day(created)) if part)


def corpus_rows(corpus: CorpusRecord, split: SplitRecord, overlap: OverlapRecord | None) -> list[tuple[Inline, Inline]]:
    """Return the text, how it was divided, and how much of the one part occurs in the other."""
    text = ["{}"]
    text += [f", {plain(corpus.documents, 0)} documents"] if corpus.documents else []
    text += [f", {size(corpus.bytes)}"] if corpus.bytes else []
    rows: list[tuple[Inline, Inline]] = [
        ("Text", marked("".join(text) + _fingerprint(corpus), corpus.title or corpus.name or "not recorded",
                        corpus.fingerprint)),
        ("Split", marked(f"{{}}{_sizes(split)}{_fingerprint(split).removeprefix('.')}",
                         SPLITS.get(split.kind, split.kind or "Not recorded."), split.fingerprint)),
    ]  # fmt: skip
    if overlap and overlap.val_documents and overlap.exact is not None:
        rows.append((marked("[overlap|Overlap]"), _overlap(overlap, overlap.val_documents, overlap.exact, split)))
    return rows


def _fingerprint(corpus: CorpusRecord | SplitRecord) -> str:
    return ". Fingerprint `{}`." if corpus.fingerprint else "."


def _sizes(split: SplitRecord) -> str:
    if not (split.train_documents and split.val_documents):
        return ""
    reserve = f", {plain(split.reserve_documents, 0)} in reserve" if split.reserve_documents else ""
    both = f"{plain(split.train_documents, 0)} documents for training, {plain(split.val_documents, 0)} for validation"
    return f" {both}{reserve}."


def _overlap(overlap: OverlapRecord, documents: int, exact: int, split: SplitRecord) -> str:
    text = "reserve" if split.scored_text == "reserve" else "validation text"
    overlap_text = (
        f"Of {plain(documents, 0)} documents of the {text}, {plain(exact, 0)} ({share(exact / documents)}) occur word "
        "for word in the training text"
    )
    if overlap.near is not None:
        overlap_text += f", {plain(overlap.near, 0)} ({share(overlap.near / documents)}) nearly so"
    if overlap.window_share is not None:
        overlap_text += (
            f". {share(overlap.window_share)} of the {text} lies in stretches of {overlap.window_bytes or 'some'} "
            "bytes that the training text holds too"
        )
    return f"{overlap_text}."


def environment(recorded: Environment) -> Fold:
    """Return where a run was carried out."""
    commit = recorded.commit + (" with uncommitted changes" if recorded.dirty else "") if recorded.commit else ""
    threads = f", {counted(recorded.threads, 'thread')}" if recorded.threads else ""
    pairs = [
        ("diagnose", recorded.version), ("commit", commit), ("platform", recorded.platform),
        ("device", recorded.device + threads if recorded.device else ""), *recorded.versions.items(),
        ("seeds trained in one stack", ", ".join(map(str, recorded.stack))),
        ("settings given", ", ".join(recorded.given)), ("settings dropped", ", ".join(recorded.dropped)),
    ]  # fmt: skip
    return Fold("Environment", (NamedRows(tuple((name, value) for name, value in pairs if value)),))


def recipe(text: str, summary: str = "Recipe") -> list[ReportBlock]:
    """Return a recipe to be unfolded; nothing where there is none."""
    return [Fold(summary, (CodeText(cut(text, MOST_RECIPE), "Recipe"),))] if text else []


def command(text: str, what: str = "command") -> list[ReportBlock]:
    """Return what repeats a result; nothing where that is not known."""
    return [Heading(f"The {what} that repeats it"), CodeText(text)] if text else []


def sample(
    name: str, written: WrittenSample, *, seed: int | None = None, paint: str = "ink", unfinished: bool = False
) -> Sample:
    """Return what a network wrote as it is shown."""
    follows = written.text.removeprefix(written.prompt)
    beginning = follows[:MOST_SAMPLE]
    note = f"after step {written.step:,}" if seed is None else f"seed {seed}, after step {written.step:,}"
    note += "; the run did not finish" if unfinished else ""
    before, stretch, after = beginning.partition(written.verbatim) if written.verbatim else (beginning, "", "")
    return Sample(name, note, written.prompt, (before, stretch, after), len(follows) - len(beginning), paint)


def sample_note(some: Iterable[Samples]) -> Paragraph:
    """Return what marks in samples mean."""
    stretch = any(item.text[1] for row in some for item in row.samples)
    marks = " Marked: the longest stretch that stands in the training text [verbatim|word for word]." if stretch else ""
    text = (
        f"The prompt is underlined.{marks} Characters that would act instead of being read (controls, marks that turn "
        "the direction of text) are shown as symbols."
    )
    return Paragraph(marked(text), "note")
