"""An audit to hold: `audit_metric(model, train=Side(...), val=Side(...))` for any model, and what it returns."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.audit.sides_audit import Adapters, audit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from diagnose.gap.side import Side

WIDTH = 100


class Audited:
    """What an audit found: `print(audited)` shows it, a notebook its page.

    Attributes:
        record: everything, as plain data, in the form that `diagnose audit --json` prints.
    """

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record

    @property
    def verdict(self) -> str:
        """The outcome in a sentence or two."""
        return str(self.record["verdict"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Breaches: `rule`, `severity`, `what`, `fix`, `measured`."""
        return list(self.record["findings"])

    @property
    def checked(self) -> list[str]:
        """The rules that were judged and are kept."""
        return [row["rule"] for row in self.record["checked"]]

    @property
    def skipped(self) -> dict[str, str]:
        """The rules that were not judged, with the reason."""
        return {row["rule"]: row["why"] for row in self.record["skipped"]}

    def to_html(self, path: str | Path = "audit.html") -> Path:
        """Write the page, one self-contained file, and return where it lies.

        Raises:
            DiagnoseError: it cannot be written.
        """
        from diagnose.report.page import render_own_audit

        return render_own_audit(self.record, Path(path))

    def to_markdown(self) -> str:
        """Return verdict, findings and rules for a pull request."""
        from diagnose.report.audit_terminal import markdown

        return markdown(self.record)

    def __rich__(self) -> Any:
        from diagnose.report.audit_terminal import audit_rows

        return audit_rows(self.record)

    def __str__(self) -> str:
        from rich.console import Console

        out = StringIO()
        Console(file=out, width=WIDTH, force_terminal=sys.stdout.isatty()).print(self.__rich__())
        return out.getvalue().rstrip()

    def __repr__(self) -> str:
        return f"Audited({self.verdict})"

    def _repr_html_(self) -> str:
        from html import escape

        from diagnose.report.page import audit_page

        page = escape(audit_page(self.record), quote=True)
        return f'<iframe srcdoc="{page}" title="Audit" style="width:100%;height:46em;border:0"></iframe>'


def audit_metric(
    model: nn.Module,
    train: Side | None,
    val: Side,
    *,
    logits: Callable[[nn.Module, Any], Any] | None = None,
    tokens: Callable[[Any], Any] | None = None,
    tokenizer: Any = None,
    texts: Sequence[str] | None = None,
    train_texts: Sequence[str] | None = None,
    end: int | None = None,
    pad: int | None = None,
    build: Callable[[], nn.Module] | None = None,
    tied: bool | None = None,
    budget: float = 20.0,
) -> Audited:
    """Ask whether a validation loss is what it claims to be, and whether the set-up behind it is sound.

        from diagnose import Side, audit_metric

        audited = audit_metric(model, Side(train_loader, objective), Side(val_loader, objective))
        print(audited)

    With sides alone it judges whether evaluation is deterministic, dropout off, a sample's loss independent of its
    batch, gradients complete, a batch learnable, and whether the sides share samples. Where batches are those of
    next-token prediction (`input_ids` and `labels`, or two integer tensors of one shape) and the model returns logits,
    it judges causality, shift, padding and probabilities too. What cannot be judged is in `skipped`, with the reason.

    Args:
        model: comes back exactly as it was; see `explain_gap`.
        train: the side of the training loss; None where there is none.
        val: the side of the validation loss, the metric that is audited.
        logits: `logits(model, batch)` returns the scores of all next tokens, (rows, positions, vocabulary).
        tokens: `tokens(batch)` returns (inputs, targets), integers (rows, positions), negative where nothing is scored.
        tokenizer: with `encode(text)` and `decode(ids)`, and `get_vocab()` where the vocabulary is to be judged.
        texts: the validation documents, all of them: what should be scored, once and whole.
        train_texts: the training documents.
        end: the token that ends a document.
        pad: the token that fills rows up, where targets do not mark it by a negative number.
        build: returns a new network, for the loss before training.
        tied: whether embedding and output matrix are meant to be one; by default what the model's config says.
        budget: how much time training on a batch and looking for shared samples may take, in seconds.

    Returns:
        The audit: `verdict`, `findings`, `checked`, `skipped`, `record`, `to_html()`, `to_markdown()`.

    Raises:
        DiagnoseError: a side or an adapter fails or returns something of the wrong shape; one line says which.

    >>> import torch
    >>> from diagnose import Side, audit_metric
    >>> _ = torch.manual_seed(0)
    >>> x = torch.randn(96, 8)
    >>> batches = list(zip(x.split(16), (x[:, 0] > 0).long().split(16), strict=True))
    >>> model = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Linear(32, 2))
    >>> def loss(model, batch):
    ...     return torch.nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")
    >>> audit_metric(model, Side(batches[:4], loss), Side(batches[4:], loss)).findings
    []
    """
    given = Adapters(logits, tokens, tokenizer, texts, train_texts, end, pad, build, tied)
    return Audited(audit(model, train, val, given, budget))
