"""The tables of a ledger's page, as plain rows of text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from diagnose.formatting import (
    NARROW,
    between,
    decimals,
    estimate,
    half,
    listed,
    plain,
    quantity,
    share,
    signed,
    visible,
)
from diagnose.gap.gap_causes import in_mode, other_data
from diagnose.report.blocks import TextTable
from diagnose.report.gap_sentences import PADDING, is_shown, mean_words, reported_words

if TYPE_CHECKING:
    from diagnose.records.arm_ledgers import ArmLedgers
    from diagnose.records.ledgers import LedgerRecord, LossRow, SideRecord, TermRecord, Value

NONE = "\N{EN DASH}"
OVER_ORDERS = (
    " “Over the orders”: the smallest and largest effect of a condition over all orders of changing them; the value is "
    "the mean over orders (Shapley)."
)


def _bits(ledger: LedgerRecord, value: float | None) -> float | None:
    size = ledger.bytes_per_token
    return None if value is None or not size else value / math.log(2) / size


def _cells(ledger: LedgerRecord, value: float | None, low: float | None, high: float | None) -> list[str]:
    return [signed(value, decimals(half(low, high))), between(low, high, difference=True), signed(_bits(ledger, value))]


def terms(ledger: LedgerRecord) -> TextTable:
    """Return every term with its interval, in both units, over the orders, with what it stands on."""
    rows: list[list[str]] = []
    for term in ledger.terms:
        over = f"{signed(term.order_low)} to {signed(term.order_high)}" if _depends_on_order(term) else NONE
        rows.append([term.id, *_cells(ledger, term.value, term.low, term.high), over, term.basis])
        for part in term.parts:
            remark = "" if part.alone is None else f"the loss with it alone on is {plain(part.alone)}"
            rows.append([2 * NARROW + part.id, *_cells(ledger, part.value, part.low, part.high), "", remark])
        if term.beside:
            name = f"on {other_data(ledger)}" if term.id == "mode" else "for bigrams"
            beside = _cells(ledger, term.beside.value, term.beside.low, term.beside.high)
            rows.append([2 * NARROW + name, *beside, "", f"beside it, not summed: {term.beside.text}"])
    rows.append(["gap", signed(ledger.gap), "", signed(_bits(ledger, ledger.gap)), "", "as reported; the sum"])
    head = ["term", ledger.unit, "95 % interval", "bits per byte", "over the orders", "stands on"]
    head, rows = _filled(head, rows)
    caption = "The terms, from reported training to reported validation"
    return TextTable(caption, tuple(head), tuple(map(tuple, rows)), frozenset({0, len(head) - 1}))


def _depends_on_order(term: TermRecord) -> bool:
    return term.order_low is not None and term.order_high is not None and term.order_low != term.order_high


def over_orders(ledger: LedgerRecord) -> bool:
    """Say whether a term's value depends on the order in which conditions are changed."""
    return any(map(_depends_on_order, ledger.terms))


def _filled(head: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Return a table without the columns that say nothing in any row."""
    columns = [k for k in range(len(head)) if any(row[k] not in {"", NONE} for row in rows)]
    return [head[k] for k in columns], [[row[k] for k in columns] for row in rows]


def groups(ledger: LedgerRecord) -> TextTable:
    """Return the groups' sums and shares."""
    members = {g.id: ", ".join(term.id for term in ledger.terms if term.group == g.id) for g in ledger.groups}
    known = {term.group for term in ledger.terms if term.value is not None}
    rows = [
        [f"{g.id}: {members[g.id]}", *_cells(ledger, g.value if g.id in known else None, g.low, g.high),
         share(g.share) if g.id in known else NONE]
        for g in ledger.groups
    ]  # fmt: skip
    head = ["group", ledger.unit, "95 % interval", "bits per byte", "share of all groups"]
    names, cells = _filled(head, rows)
    return TextTable("The groups", tuple(names), tuple(map(tuple, cells)))


def losses(ledger: LedgerRecord) -> TextTable:
    """Return both losses as reported and matched."""
    kinds, reported = ledger.conditions.kinds, ledger.reported
    rows = [["as reported", plain(reported.train), plain(reported.val), *_cells(ledger, ledger.gap, None, None)]]
    named_losses = [(f"matched, {in_mode(kinds, on=False)}", ledger.matched)]
    named_losses += [(f"matched, {in_mode(kinds, on=True)}", ledger.matched_on)] if ledger.conditions.kinds else []
    rows += [[name, plain(m.train), plain(m.val), *_cells(ledger, m.gap, m.low, m.high)] for name, m in named_losses]
    head = ["losses", "training", "validation", "gap", "95 % interval", "gap, bits per byte"]
    names, cells = _filled(head, rows)
    caption = "Both losses, as reported and matched" + ("" if ledger.unit == "loss" else f", {ledger.unit}")
    return TextTable(caption, tuple(names), tuple(map(tuple, cells)))


def others(ledger: LedgerRecord) -> list[TextTable]:
    """Return what the objectives returned beside their loss; no table where that is nothing."""
    some = [ledger.others.get(side, {}) for side in ("train", "val")]
    names = list(dict.fromkeys([*some[0], *some[1]]))
    rows = tuple((name, *(plain(side.get(name)) for side in some)) for name in names)
    caption = "What the objectives return beside their loss, means over batches"
    return [TextTable(caption, ("entry", "training", "validation"), rows)] if rows else []


def against(ledger: LedgerRecord) -> list[TextTable]:
    """Return what differs from another run, term by term; no table where there is no other."""
    other = ledger.against
    if other is None:
        return []
    changes = [change for change in other.terms if change.before or change.after]
    rows = [(c.id, signed(c.before), signed(c.after), signed(c.difference)) for c in changes]
    rows.append(("gap", signed(other.gap.before), signed(other.gap.after), signed(other.gap.difference)))
    caption = f"Against {visible(other.run)}, nats per token"
    return [TextTable(caption, ("term", "before", "after", "difference"), tuple(rows), detail="always")]


def places(ledger: LedgerRecord) -> list[TextTable]:
    """Return the numbers behind the strips."""
    where = ledger.where
    if where is None:
        return []
    out = [_strip(f"By tokens seen before it, {s.text} text", "tokens seen", s.rows) for s in where.positions]
    return [*out, _strip(f"By the document's length, {where.scored} text", "tokens", where.lengths)]


def _strip(caption: str, name: str, some: tuple[LossRow, ...]) -> TextTable:
    rows = tuple(
        (
            str(row.first) if row.first == row.last else f"{row.first} to {row.last}",
            plain(row.loss, decimals(half(row.low, row.high))),
            between(row.low, row.high),
        )
        for row in some
    )
    return TextTable(f"{caption}, nats per token", (name, "loss", "95 % interval"), rows)


def conditions(ledger: LedgerRecord) -> TextTable:
    """Return both conditions side by side."""
    say = _foreign_side if ledger.kind == "sides" else _side
    sides = (say(ledger.conditions.train), say(ledger.conditions.val))
    rows = [("what is reported", *reported_words(ledger))]
    rows += [(name, sides[0][name], sides[1][name]) for name in sides[0]]
    head = ("condition", "training", "validation")
    return TextTable("What the two losses are taken under", head, tuple(rows), frozenset({0, 1, 2}))


def _side(side: SideRecord) -> dict[str, str]:
    decay = side.weight_decay_in_loss
    return {
        "switched on": listed(list(side.on)) or "nothing",
        "precision": side.precision,
        "label smoothing": quantity(side.label_smoothing),
        "weight decay in the loss": f"{quantity(decay)} nats" if decay else "none",
        "padding": PADDING[side.padding],
        "mean": mean_words(side),
        "rows": side.loader,
    }  # fmt: skip


def _foreign_side(side: SideRecord) -> dict[str, str]:
    return {
        "switched on": listed(list(side.on)) or "nothing",
        "objective": side.objective,
        "precision": side.precision,
        "mean": side.mean_by,
        "data": side.loader,
    }


def how(ledger: LedgerRecord) -> TextTable:
    """Return how each term was measured."""
    rows = tuple((term.id, term.how) for term in ledger.terms if is_shown(term))
    return TextTable("How each number was obtained", ("term", "measured as"), rows, frozenset({0, 1}))


def arms(ledgers: ArmLedgers) -> TextTable:
    """Return the terms of each arm side by side."""
    some: dict[str, list[Value]] = {
        term.id: [arm.terms[k] for arm in ledgers.arms] for k, term in enumerate(ledgers.arms[0].terms)
    }
    some |= {"gap": [arm.gap for arm in ledgers.arms], "gap, matched": [arm.matched for arm in ledgers.arms]}
    rows = tuple(
        (name, *(estimate(cell.value, cell.low, cell.high, difference=True) for cell in cells))
        for name, cells in some.items()
        if any(cell.value for cell in cells)  # what is the same on both sides in every arm is left out
    )
    head = ("term", *(visible(arm.level) for arm in ledgers.arms))
    return TextTable("Each arm's terms, means over its seeds, nats per token", head, rows)
