"""From the files of a log to the record of what it can tell: what `diagnose log --json` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.formatting import chance, counted, estimate, plain, signed
from diagnose.logs import arithmetic, causes, plausibility, statistics
from diagnose.logs.pairs import pair
from diagnose.logs.pairs import pairs as paired
from diagnose.logs.read import parse_columns, read

if TYPE_CHECKING:
    from pathlib import Path

    from diagnose.logs.arithmetic import Finding
    from diagnose.logs.pairs import Pairs
    from diagnose.logs.series import Log
    from diagnose.logs.statistics import GapCourse, Mean

MOST_SHOWN = 12  # prints of the picture
RISES = 0.02  # of the lowest validation loss: what it has risen by since is said
SLACK = 3.0  # standard deviations of single values


def judge(
    paths: list[Path],
    *,
    fmt: str | None = None,
    columns: str | None = None,
    data: str | None = None,
    tokens: str | None = None,
    split: str | None = None,
) -> dict[str, Any]:
    """Return the record of a log.

    Args:
        paths: its files, parts of one run.
        fmt: one of `read.FORMATS`, None to tell it from the content.
        columns: "train=a,val=b,step=c", for names that are not recognised.
        data: the corpus: "akjv" or a file.
        tokens: what its tokens are: "word", "char", "bpe" or a tokenizer.json.
        split: how the corpus was divided.

    Raises:
        DiagnoseError: a file cannot be read, holds no two losses, or an option is wrong.
    """
    roles = parse_columns(columns)
    log = read(paths, fmt, roles)
    log.facts = log.settings()
    found = paired(log, roles)
    return _Judge(log, found, [str(path) for path in paths]).record(data, tokens, split)


class _Judge:
    """A log while it is judged: what several parts of the record need, computed once."""

    def __init__(self, log: Log, pairs: Pairs, files: list[str]) -> None:
        self.log, self.pairs, self.files = log, pairs, files
        self.gap = statistics.gap(pairs.at_N, pairs.gap_N)
        self.derived = arithmetic.implied(log, pairs)
        self.findings = arithmetic.contradictions(log, pairs, self.derived)
        self.notes = [*log.notes, *pairs.notes, *arithmetic.agreements(self.derived), *self._counts(), *self._single()]

    def record(self, data: str | None, tokens: str | None, split: str | None) -> dict[str, Any]:
        """Return the record."""
        plausibility = self._against(data, tokens, split) if data else None
        comparable = bool(self.pairs.unit)
        self.findings += self._of_gap() if comparable else []
        order = ("error", "warning", "note")
        self.findings.sort(key=lambda one: order.index(one["severity"]))
        evidence = self._evidence()
        judged = causes.judge(evidence) if comparable else []
        verdict = self._verdict(evidence)
        return {
            "source": self._source(),
            "points": self._points(),
            "gap": _gap_record(self.gap) if comparable else None,
            "noise": self._noise(),
            "implied": self.derived,
            "plausibility": plausibility,
            "findings": self.findings,
            "possible": [{"id": c.id, "why": c.why, "looks": c.looks} for c in judged if c.possible],
            "ruled_out": [{"id": c.id, "why": c.why} for c in judged if not c.possible],
            "next": causes.experiment(evidence, self.findings, data),
            "notes": self.notes,
            "verdict": verdict,
        }

    def _source(self) -> dict[str, Any]:
        return {
            "files": self.files, "format": self.log.format, "tool": self.log.tool or None,
            "train": self.pairs.train.name, "val": self.pairs.val.name, "unit": self.pairs.unit or None,
            "axis": self.pairs.axis, "settings": self.log.facts,
            "train_is": causes.taken(self.log, self.pairs) or None,
        }  # fmt: skip

    def _points(self) -> dict[str, Any]:
        p = self.pairs
        some = np.unique(np.linspace(0, len(p.at_N) - 1, MOST_SHOWN).round().astype(int))
        shown = [{"at": float(p.at_N[i]), "train": float(p.train_N[i]), "val": float(p.val_N[i])} for i in some]
        return {
            "pairs": len(p.at_N), "train": p.train.count, "val": p.val.count, "rows": self.log.rows,
            "bad": self.log.bad,
            "broken": p.train.broken + p.val.broken, "restarted": p.dropped, "shown": shown,
        }  # fmt: skip

    def _noise(self) -> dict[str, Any]:
        train, val = self.pairs.train.value, self.pairs.val.value
        return {
            "train": statistics.noise(train), "val": statistics.noise(val),
            "train_smoothed": statistics.smoothed(train), "val_smoothed": statistics.smoothed(val),
        }  # fmt: skip

    def _counts(self) -> list[str]:
        out = []
        for side, track in (("training", self.pairs.train), ("validation", self.pairs.val)):
            if track.stride > 1:
                out.append(f"Of {track.count:,} values of the {side} loss one in {track.stride} is kept.")
        if self.pairs.dropped:
            out.append(f"{counted(self.pairs.dropped, 'value')} before a restart, or repeated, are left out.")
        if self.log.bad:
            out.append(
                f"{counted(self.log.bad, 'record')} could not be read and {'is' if self.log.bad == 1 else 'are'} "
                "left out."
            )
        if self.log.names_left:
            out.append(f"There are more than {len(self.log.series)} names of losses; the rest is left out.")
        return out

    def _single(self) -> list[str]:
        """Compare training's single batches, where a log has them too, with the loss read in evaluation mode."""
        batch = self.pairs.batch
        if batch is None or causes.taken(self.log, self.pairs) != "evaluated":
            return []
        at, single, evaluated = pair(batch, self.pairs.train)
        if len(at) < 3:
            return []
        found = statistics.mean(single - evaluated, at)
        said = estimate(found.value, found.low, found.high, difference=True)
        return [
            f"Training's single batches lie {said} from the training loss that is read in evaluation mode: what "
            "training mode, timing and their luck make together."
        ]

    def _against(self, data: str, tokens: str | None, split: str | None) -> dict[str, Any]:
        """Hold the log against its corpus."""
        text, corpus, divided = plausibility.opened(data, split, tokens)
        context = self.log.facts.get("context", 0.0)
        ways = plausibility.cuts(text, self.derived, context)
        self.findings += plausibility.overlap_findings(ways, self.derived, context)
        self.notes += [said for said in (plausibility.cut_words(ways),) if said]
        kinds = {way.kind for way in ways if way.each != "document"}
        known = tokens or (kinds.pop() if len(kinds) == 1 else None)
        known = known if known in text.tokens else None
        loss = float(self.pairs.val_N[-1])
        in_bytes = self.pairs.unit == "bits per byte" or (not self.pairs.unit and "bpb" in self.pairs.val.name.lower())
        value = loss if in_bytes else plausibility.bits(loss, text, known or "char")
        found, scale = plausibility.implausible(
            value, known or "char", loss, text, corpus, divided, bound=not known and not in_bytes
        )
        self.findings += found
        return {
            "corpus": text.name, "documents": text.documents, "bytes": text.bytes, "tokens": known,
            "tokens_from": "given" if tokens else "the number of samples" if known else None,
            "bits_per_byte": value, "at_most": not known and not in_bytes, "yardsticks": scale,
            "counts": text.tokens, "cuts": [asdict(way) for way in ways],
        }  # fmt: skip

    def _of_gap(self) -> list[Finding]:
        """Return what is remarkable in the gap itself."""
        said, out = self.gap.said, []
        if said.resolved and said.value < 0:
            few = said.assumed
            out.append(
                arithmetic.finding(
                    "validation-below-training", "note" if few or not self.gap.sign.resolved else "warning",
                    f"Validation lies {plain(abs(said.value))} below training, in {self.gap.sign.below} of "
                    f"{self.gap.sign.below + self.gap.sign.above} prints",
                    "read both alike before comparing them: see the experiment below",
                    gap=said.value, below=self.gap.sign.below, prints=self.gap.sign.below + self.gap.sign.above,
                )
            )  # fmt: skip
        return out + self._risen()

    def _risen(self) -> list[Finding]:
        """Find a validation loss that rises again while training's falls."""
        val, train = self.pairs.val_N, self.pairs.train_N
        spread = statistics.noise(val)
        if len(val) < 6 or spread is None:
            return []
        lowest = int(np.argmin(val))
        tail = max(2, len(val) // 8)
        end, low = float(val[-tail:].mean()), float(val[max(0, lowest - 1) : lowest + 2].mean())
        if end - low < max(RISES * abs(low), SLACK * spread) or lowest >= len(val) - tail:
            return []
        if float(train[-tail:].mean()) >= float(train[lowest]):
            return []
        where = plain(float(self.pairs.at_N[lowest]), 0)
        return [
            arithmetic.finding("overfitting", "warning", f"The validation loss was lowest at {self.pairs.axis} {where} "
                    f"({plain(low)}) and is {plain(end)} at the end, while training's goes on falling",
                    "keep the weights of the lowest validation loss; more text, fewer epochs or more regularisation",
                    lowest=low, last=end)
        ]  # fmt: skip

    def _evidence(self) -> causes.Evidence:
        facts, said = self.log.facts, self.gap.said
        single = self.pairs.val.value
        draw = None if self.pairs.mean is None or not len(single) else self.pairs.mean - float(single[-3:].mean())
        rules = {one["rule"] for one in self.findings}
        return causes.Evidence(
            value=said.value, least=_least(said), resolved=said.resolved or self.gap.sign.resolved, gap=self.gap,
            tool=self.log.tool,
            taken=causes.taken(self.log, self.pairs),
            fall=statistics.fall(self.pairs.train.at, self.pairs.train.value),
            noise=statistics.noise(single), draw=draw, dropout=facts.get("dropout"),
            smoothing=facts.get("label_smoothing"), first_epoch=causes.first_epoch(self.log),
            leaks=bool(rules & {"log/implausible", "log/overlapping-samples"}),
        )  # fmt: skip

    def _verdict(self, evidence: causes.Evidence) -> str:
        """Return the sentence or two that lead, at most 40 words."""
        if not self.pairs.unit:
            return "The two losses are in different units, so their difference says nothing."
        rules = {one["rule"]: one for one in self.findings}
        lead = self._size(evidence)
        for rule, said in (
            ("log/implausible", "It is too low to be true of this text; samples that overlap would explain it."
             if "log/overlapping-samples" in rules else "It is too low to be true of this text."),
            ("log/overlapping-samples", "Samples overlap, so a random split trains on validation text."),
            ("log/not-finite", "Some values are NaN or infinite."),
            ("log/identical", "Both losses are the same numbers."),
            ("log/frozen", "The validation value stopped moving."),
            ("log/factor", "The two stay in one ratio, as a factor in how they are summed would make."),
            ("log/overfitting", "Validation rises again while training falls."),
        ):  # fmt: skip
            if rule in rules:
                return f"{lead} {said}"
        moves = {"widens": "The gap widens along the run.", "narrows": "The gap narrows along the run.",
                 "crosses": "It changes sign along the run."}  # fmt: skip
        return f"{lead} {moves.get(self.gap.moves, '')}".strip()

    def _size(self, evidence: causes.Evidence) -> str:
        said, sign = self.gap.said, self.gap.sign
        count = sign.below + sign.above
        if said.low is None:
            return f"One print alone: validation minus training is {signed(said.value)}, which may be chance."
        if not evidence.resolved:
            prints, last = counted(len(self.pairs.at_N), "print"), signed(float(self.pairs.gap_N[-1]))
            middle = f"mean {signed(said.value)}, {signed(said.low)} to {signed(said.high)}"
            return f"No steady gap is resolved in {prints} ({middle}); at the end validation minus training is {last}."
        side, agree = ("below", sign.below) if said.value < 0 else ("above", sign.above)
        late = " over the second half" if self.gap.late else ""
        few = f" (p = {chance(sign.p)}, too few to call it consistent)" if sign.assumed else ""
        return f"Validation lies {plain(abs(said.value))} {side} training{late}, in {agree} of {count} prints{few}."


def _least(mean: Mean) -> float:
    """Return the least distance from zero that an interval leaves."""
    ends = (mean.low if mean.low is not None else 0.0, mean.high if mean.high is not None else 0.0)
    return min(map(abs, ends)) if mean.resolved else 0.0


def _gap_record(gap: GapCourse) -> dict[str, Any]:
    trend = gap.trend
    return {
        **_mean_record(gap.said), "whole": _mean_record(gap.whole),
        "late": _mean_record(gap.late) if gap.late else None,
        "sign": {"below": gap.sign.below, "above": gap.sign.above, "stretches": gap.sign.blocks,
                 "agree": gap.sign.agree,
                 "p": gap.sign.p, "assumed_independent": gap.sign.assumed},
        "moves": gap.moves, "start": gap.start, "end": gap.end,
        "trend": {"value": trend.value, "low": trend.low, "high": trend.high, "p": trend.p} if trend else None,
    }  # fmt: skip


def _mean_record(mean: Mean) -> dict[str, Any]:
    return {
        "value": mean.value, "low": mean.low, "high": mean.high, "prints": mean.count, "effective": mean.effective,
        "alike": mean.alike, "alike_assumed": mean.assumed,
    }  # fmt: skip
