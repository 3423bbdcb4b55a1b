"""All that the field guide explains: what is written, and what tables of the code say of themselves (axes and rules).

Nothing is told twice: an axis' text is that of `diagnose axes`, a rule's that of its table.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.formatting import cut, visible
from diagnose.glossary.entries import AXIS, RULE, GlossaryEntry, of_axes, written

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = {  # what stands for words that a finding fills in
    "text": "text", "document": "document", "documents": "documents", "cut": "cut", "mode": "what training mode does",
    "Mode": "What training mode does", "objectives": "The objectives of the two sides differ",
    "units": "documents", "apart": "remove duplicates before splitting",
    "split": "split by document before cutting samples",
    "generalise": "more text, fewer epochs, more regularisation, or nothing while the loss on unseen text falls",
    "on": "what training mode does on", "off": "off", "unseen": "unseen text", "meant": "", "statistics": "",
    "arithmetic": "A reported loss is what is read, computed another way",
    "mend": "look for it in how the loss is summed, divided and logged, or exchange what was reported of the two sides",
     "taken_on": "give the batches that it was taken on (reported_on), or record the steps (GapRecorder)",
     "averaged": "The two losses are averaged over targets in different ways",
     "average": "average both over all that count, padding not counted",
     "other_steps": "see that the objective is the loop's, and takes what that took: other weights (a second pass, as "
     "SAM's), a batch that a hook changes, random numbers drawn before the model runs (recorder.before()), and that it "
     "was the same at every step: smoothing that ended or a weight that was annealed meanwhile is in lag",
     "drawn": "random numbers drawn before the model runs (recorder.before()), ",
     "times": "", "drawn_alike": "one dataset object",
     "unlike": "numbers on another scale, labels that training never has",
     "beside": "another module",
     "evaluate": "call model.eval() before validation and model.train() after it"}  # fmt: skip
SEVERITIES = {
    "error": "The number is not what it is taken for.",
    "warning": "The number is off, or its set-up should be mended.",
    "note": "Nothing is broken: it says what a difference is made of.",
}


@cache
def entries() -> dict[str, GlossaryEntry]:
    """Return every entry, by id: terms, causes and words, axes as `axis/NAME`, rules as `gap/NAME` or `audit/NAME`."""
    rules = {entry.id: entry for entry in (*_axes(), *_rules())}
    return written() | {name: _linked(entry) for name, entry in rules.items()}


def find(name: str) -> GlossaryEntry:
    """Return the entry of an id, or of the part of one that stands behind its slash.

    Raises:
        DiagnoseError: there is none; the nearest is named.
    """
    known, asked = entries(), "-".join(name.strip().lower().replace("_", "-").split())
    if asked in known:
        return known[asked]
    named = [entry for key, entry in known.items() if "/" in key and key.rpartition("/")[2] == asked]
    named += [entry for entry in known.values() if entry.title.lower() == name.strip().lower()]
    if named:
        return named[0]
    quoted = visible(cut(name.replace("\n", " "), 60))
    words = [*known, *(key.rpartition("/")[2] for key in known)]
    close = get_close_matches(asked[:60], words, n=1, cutoff=0.6)
    hint = f"did you mean '{find(close[0]).id}'?" if close else "`diagnose explain` lists what there is"
    raise DiagnoseError(f"the field guide has no entry '{quoted}'; {hint}")


def _linked(entry: GlossaryEntry) -> GlossaryEntry:
    """Return a rule or an axis with the written entries that explain it."""
    more = [key for key, other in written().items() if entry.id in other.rules or entry.id in other.see]
    return replace(entry, see=tuple(dict.fromkeys((*entry.see, *more))))


def _axes() -> Iterator[GlossaryEntry]:
    from diagnose.ablation.axes import NAMED

    measured = of_axes()
    for name, axis in NAMED.items():
        sections = [("The trap in reading it", f"{axis.trap}."), ("Levels", f"{', '.join(axis.levels)}; the first is "
                     "the control. Other levels: `--axis NAME=level1,level2`.")]  # fmt: skip
        sections += [("Measured", measured[name])] if name in measured else []
        sections.append(("How to run it", f"```bash\ndiagnose ablate --axis {name} --seeds 3\n```"))
        about = f"An axis: it varies {axis.what}."
        yield GlossaryEntry(f"axis/{name}", AXIS, name, about, tuple(sections), see=("effect", "resolved"))


def _rules() -> Iterator[GlossaryEntry]:
    from diagnose.audit.findings import known
    from diagnose.gap import gap_rules

    tables = {"gap": gap_rules.RULES, "audit": known().values()}  # by the prefix of their ids
    yield from (_rule(rule, prefix) for prefix, table in tables.items() for rule in table)


def _rule(rule: Any, prefix: str) -> GlossaryEntry:
    """Return a rule's entry: what it says, why it matters, what would mend it."""
    what, fix, asks, why = (_said(rule, name) for name in ("what", "fix", "asks", "why"))
    settings = f" For runs of `diagnose`: `{rule.settings}`." if getattr(rule, "settings", "") else ""
    about = f"A finding: {what[:1].lower()}{what[1:].rstrip('.')}." if what else f"A rule of the audit: {asks}."
    sections = [("Why it matters", why)] if why else []
    sections += [("What to do", f"{fix[:1].upper()}{fix[1:].rstrip('.')}.{settings}")] if fix else []
    sections.append(("How grave it is", f"{rule.severity.capitalize()}. {SEVERITIES.get(rule.severity, '')}".strip()))
    name = rule.id if "/" in rule.id else f"{prefix}/{rule.id}"
    return GlossaryEntry(name, RULE, name, about, tuple(sections))


def _said(rule: Any, name: str) -> str:
    """Return what a rule says, with plain words where a finding fills in its own."""
    text = getattr(rule, name, None)
    if not isinstance(text, str):
        return ""
    for key, word in PLAIN.items():
        text = text.replace(f"{{{key}}}", word)
    return text
