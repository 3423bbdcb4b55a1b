"""Is every byte and sample of validation scored, none twice, and is each document's end paid for?"""

from __future__ import annotations

from typing import Any, NamedTuple

from diagnose.audit.findings import METRIC, Audit, Rule
from diagnose.gap.gap_causes import REPEATED

SPANS_TWICE = 0.1  # of validation's spans
BYTES = 1e-3  # of the text may be missing or too much: characters cut by rows
SERIES: dict[str, Any] = {  # of windows of numbers that overlap, as those of forecasts do
    "severity": "note",
    "fix": "nothing, where each window predicts something else; such samples are not independent, so fewer would tell "
    "nearly as much",
}  # fmt: skip

RULES = (
    Rule(
        "bytes-lost", METRIC, 160, "error",
        "every byte of the validation text is scored",
        "score whole documents: cut long ones into windows instead of truncating, and do not filter or drop any",
        "Text that is left out (truncated ends, dropped rows, tokens without a loss) is not paid for, and it is "
        "seldom average text: what is left out late in long documents is the easiest.",
        of="text",
    ),
    Rule(
        "scored-twice", METRIC, 180, "error",
        "no text is scored more than once",
        "score each document once; where windows overlap, score only what the window before has not",
        "Documents that occur twice count double. Windows that overlap and are scored whole score most text several "
        "times, with more context each time, so the loss is neither that of whole documents nor of cut ones.",
        "no sample is scored more than once",
        "score each sample once",
    ),
    Rule(
        "end-unpaid", METRIC, 190, "warning",
        "the end of each document is paid for",
        "append the end token to each document and score it",
        "A model of documents must say where they end. Where the end token is not scored, the text's length is known "
        "for free, and bits per byte are too low, by more the shorter the documents are.",
        of="text",
    ),
    Rule(
        "batch-dropped", METRIC, 170, "warning",
        "the last, smaller batch is read too",
        "DataLoader(..., drop_last=False) for validation",
        "With drop_last=True the validation loss leaves out up to a batch of samples: which, depends on the batch "
        "size, so that two runs with different batch sizes are not scored on the same data.",
        not_of_runs="the final reading of a run scores whole documents",
    ),
)  # fmt: skip


class Recurring(NamedTuple):
    """What recurs among samples: shares of samples, of spans of so many tokens, and of samples that others overlap."""

    samples: int
    repeated: float
    passages: float
    overlapping: float
    span: int
    numbers: bool


def judge_recurring(audit: Audit, found: Recurring) -> None:
    """Judge `scored-twice` by what recurs among that which is scored."""
    measured = {name: getattr(found, name) for name in ("samples", "repeated", "passages", "overlapping")}
    milder = SERIES if found.numbers else {}  # what is predicted of each window is another
    if found.repeated > REPEATED:
        what = f"{found.repeated:.1%} of the validation samples repeat an earlier one"
        audit.breaks("scored-twice", what, **measured)
    elif found.overlapping > SPANS_TWICE:
        what = f"{found.overlapping:.0%} of the validation samples begin with what another ends with: windows overlap"
        audit.breaks("scored-twice", what, **measured, **milder)
    elif found.passages > SPANS_TWICE:
        again, why = "tokens that are scored were scored before", "windows overlap"
        if found.numbers:
            again, why = "numbers are in an earlier sample too", f"{why}, or rows have columns in common"
        what = f"{found.passages:.1%} of the passages of {found.span} {again}: {why}"
        audit.breaks("scored-twice", what, **measured, **milder)
    else:
        audit.keeps("scored-twice", **measured)


def judge_text(audit: Audit, scored: int, whole: int) -> None:
    """Judge `bytes-lost` and `scored-twice` by the bytes that are scored and those that the text has."""
    share = scored / whole if whole else 1.0
    if share < 1 - BYTES:
        what = f"{scored:,} of the {whole:,} bytes of the validation text are scored"
        audit.breaks("bytes-lost", what, scored=scored, text=whole)
        return
    if share > 1 + BYTES:
        what = f"{scored:,} bytes are scored, and the validation text has {whole:,}"
        audit.breaks("scored-twice", what, scored=scored, text=whole)
    audit.keeps("bytes-lost", scored=scored, text=whole)


def judge_ends(audit: Audit, scored: int, documents: int, *, of_run: bool = False) -> None:
    """Judge `end-unpaid` by the end tokens that are scored."""
    if scored >= documents:
        audit.keeps("end-unpaid", scored=scored, documents=documents)
        return
    what = f"{scored:,} end tokens are scored, and the validation text has {documents:,} documents"
    what = f"{scored:,} end marks were scored in {documents:,} documents" if of_run else what
    audit.breaks("end-unpaid", what, scored=scored, documents=documents)


def judge_repeated_documents(audit: Audit, again: int, documents: int) -> None:
    """Judge `scored-twice` by how many of a run's documents were scored again."""
    if again:
        audit.breaks("scored-twice", f"{again:,} documents were scored more than once", documents=again)
    else:
        audit.keeps("scored-twice", documents=documents)


def judge_documents(audit: Audit, missing: int, foreign: int, off: int, whole: tuple[int, int]) -> bool:
    """Judge `bytes-lost` by a run's record; return whether it is kept.

    Counted are documents that were not scored, others that were, bytes that sizes are off by; `whole` is the text's
    bytes and documents.
    """
    if missing or off or foreign:
        what = f"{missing:,} documents of the validation text were not scored, {foreign:,} of others were, "
        what += f"and the bytes of documents are off by {off:,}"
        audit.breaks("bytes-lost", what, documents=missing, bytes=off)
        return False
    audit.keeps("bytes-lost", bytes=whole[0], documents=whole[1])
    return True


def judge_dropped(audit: Audit, batches: Any) -> None:
    """Judge `batch-dropped` by what the loader says of itself; one that says nothing drops nothing."""
    size, drops = getattr(batches, "batch_size", None), getattr(batches, "drop_last", False)
    whole: Any = getattr(batches, "dataset", ())
    count = len(whole) % int(size) if drops and size and hasattr(whole, "__len__") else 0
    if count:
        what = f"the last {count} of {len(whole)} validation samples are never read (drop_last=True)"
        audit.breaks("batch-dropped", what, dropped=count, samples=len(whole))
    else:
        audit.keeps("batch-dropped", drop_last=bool(drops))
