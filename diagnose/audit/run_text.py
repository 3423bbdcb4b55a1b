"""The audit of a run's text and of what it recorded of it; no network is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.audit import side_data
from diagnose.audit.rules import next_token_loss, split_overlap, tokenizer_sound, what_is_scored
from diagnose.data import overlap, tokenizer
from diagnose.data.vocabulary import BYTE_SET, PAD, START
from diagnose.runs import run_tables
from diagnose.runs.probes import final_documents
from diagnose.training import batches

if TYPE_CHECKING:
    import pandas as pd

    from diagnose.audit.findings import Audit
    from diagnose.audit.run_opened import AuditedRun

TRIED = 1 << 20  # bytes of text that are encoded and decoded
COMPARED = 4  # batches whose targets are compared with their documents


def tokens(audit: Audit, run: AuditedRun) -> None:
    """Judge the run's own tokenizer: what it loses, whether it is the recipe's, what it was learned from."""
    corpus, split = run.text.corpus, run.text.split
    some = split.scored[: max(1, int(np.searchsorted(corpus.sizes(split.scored).cumsum(), TRIED)))]
    val = list(corpus.texts(some))
    if run.recipe.tokenizer.path:
        audit.skips("vocabulary-leak", "the tokenizer was ready, not learned here", matters=False)
    side_data.tokenizer(audit, _coder(run), val, list(corpus.texts(split.learned)))
    of_run, of_recipe = tokenizer.fingerprint(run.tokenizer), tokenizer.fingerprint(run.text.tokenizer)
    tokenizer_sound.judge_fingerprints(audit, of_run, of_recipe)


def _coder(run: AuditedRun) -> side_data.Coder:
    """Return the run's tokenizer; its strings are what was learned, neither bytes nor marks."""
    known = [run.tokenizer.decode([i]) for word, i in run.tokenizer.get_vocab(with_added_tokens=True).items()
             if word not in BYTE_SET and word not in (START, PAD)]  # fmt: skip
    strings = [] if run.recipe.tokenizer.path else [s for s in known if "\N{REPLACEMENT CHARACTER}" not in s]
    return side_data.Coder(
        lambda t: _encode(run, t), lambda ids: run.tokenizer.decode(ids, skip_special_tokens=False), strings
    )


def _encode(run: AuditedRun, text: str) -> list[int]:
    return list(run.tokenizer.encode(text, add_special_tokens=False).ids)


def record(audit: Audit, run: AuditedRun) -> pd.DataFrame | None:
    """Judge what was scored, document by document; return the table, or None where it is not in order."""
    table, corpus = run_tables.read_table(run.path, "validation"), run.text.corpus
    documents = table.document.to_numpy(np.int64)
    wanted = run.text.split.scored
    if not np.isin(wanted, documents).all():
        wanted = final_documents(run.text, run.recipe, run.opened.environment.derived)
    again = len(documents) - len(np.unique(documents))
    what_is_scored.judge_repeated_documents(audit, again, len(documents))
    missing = np.setdiff1d(wanted, documents)
    known = documents[(documents >= 0) & (documents < len(corpus))]
    foreign = len(documents) - len(np.intersect1d(known, wanted)) - again
    recorded_bytes = table.bytes.to_numpy(np.int64)[(documents >= 0) & (documents < len(corpus))]
    off = int(np.abs(corpus.sizes(known) - recorded_bytes).sum())
    whole = corpus.size(wanted), len(wanted)
    if not what_is_scored.judge_documents(audit, len(missing), foreign, off, whole):
        audit.skips("end-unpaid", "the record of the validation text is not in order", matters=False)
        return None
    _ends(audit, run, table)
    return None if again else table


def _ends(audit: Audit, run: AuditedRun, table: pd.DataFrame) -> None:
    """Count targets: a document has one more than its tokens, the mark that ends it."""
    some = table.iloc[:: max(1, len(table) // 200)]
    counts = [len(_encode(run, text)) for text in run.text.corpus.texts(some.document.to_numpy(np.int64))]
    paid = int((some.tokens.to_numpy(np.int64) - np.array(counts)).sum())
    if "tokenizer-differs" in audit.broken:
        audit.skips("end-unpaid", "the tokenizer is another than the run's")
    else:
        what_is_scored.judge_ends(audit, paid, len(some), of_run=True)


def divided(audit: Audit, run: AuditedRun) -> None:
    """Judge what validation text shares with training text: by documents, or by windows where these were divided."""
    split, corpus = run.text.split, run.text.corpus
    if split.kind == "windows":
        split_overlap.judge_windows(audit, float(np.isin(split.val, split.train).mean()))
        return
    in_both = overlap.shared(corpus, np.unique(split.train), split.val)
    measured = {
        "documents": in_both.val_documents, "exact": in_both.exact / max(1, in_both.val_documents),
        "near": in_both.near / max(1, in_both.val_documents), "inside": 0.0, "passages": in_both.window_share,
    }  # fmt: skip
    split_overlap.judge(audit, measured, "documents")


def shifted(audit: Audit, run: AuditedRun) -> None:
    """Judge `targets-shifted`: targets of the run's own rows against the next inputs, and against the documents."""
    layout, wrong, total = run.val, 0, 0
    for number in range(COMPARED):
        batch = batches.rows(layout, number * layout.size, min(layout.size, layout.rows))
        inputs_BT, targets_BT = batch.inputs_BT[:, 1:], batch.targets_BT[:, :-1]
        both_BT = batch.counted_BT[:, :-1] & batch.counted_BT[:, 1:]
        wrong += int((inputs_BT != targets_BT)[both_BT].sum())
        total += int(both_BT.sum())
    wrong += _documents_differ(run)
    next_token_loss.judge_shifted_rows(audit, wrong, total)


def _documents_differ(run: AuditedRun) -> int:
    """Return how many of some documents' stream differs from their text, encoded anew."""
    if tokenizer.fingerprint(run.tokenizer) != tokenizer.fingerprint(run.text.tokenizer):
        return 0
    stream, wrong = run.text.stream, 0
    some = run.text.split.scored[:50]
    start = tokenizer.marks(run.tokenizer)[0]
    for document, text in zip(some.tolist(), run.text.corpus.texts(some), strict=True):
        ids = stream.tokens[stream.starts[document] : stream.starts[document + 1] + 1]
        wrong += ids.tolist() != [start, *_encode(run, text), start]
    return wrong
