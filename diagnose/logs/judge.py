"""From the files of a log to the record of what it can tell: what `diagnose log --json` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.formatting import counted, cut, estimate, visible
from diagnose.logs import arithmetic, causes, plausibility, statistics
from diagnose.logs.choose import Choice, choose
from diagnose.logs.fold_columns import run_of, title_of
from diagnose.logs.log_verdict import Sides, averaged, digits_of, last_ratio, place, shown_as, verdict
from diagnose.logs.pairs import all_pairs, pair, paired
from diagnose.logs.read import parse_columns, read_each, whole
from diagnose.logs.series import SETTINGS
from diagnose.logs.several_files import runs_of_files, unplaced
from diagnose.logs.titles import TITLE
from diagnose.records.log_report import (
    LogCurve,
    LogFinding,
    LogGap,
    LogNoise,
    LogPair,
    LogPlausibility,
    LogPoints,
    LogReport,
    LogRun,
    LogSource,
    LogTrend,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from diagnose.logs.pairs import Pairs
    from diagnose.logs.series import Log
    from diagnose.logs.statistics import GapCourse
    from diagnose.records.log_report import LogMean

MOST_SHOWN = 12  # prints of the terminal's picture
MOST_DRAWN = 600  # points of a curve on the page
RISES = 0.02  # of the lowest validation loss: what it has risen by since is said
SLACK = 3.0  # standard deviations of single values
FEWEST_TO_RISE = 5


def judge(
    paths: list[Path],
    *,
    fmt: str | None = None,
    columns: str | None = None,
    data: str | None = None,
    tokens: str | None = None,
    split: str | None = None,
    run: str | None = None,
) -> LogReport:
    """Return the record of a log.

    Args:
        paths: its files: parts of one run, or a run each.
        fmt: one of `read.FORMATS`, None to tell it from the content.
        columns: "train=a,val=b,step=c", for names that are not recognised.
        data: the corpus: "akjv" or a file.
        tokens: what its tokens are: "word", "char", "bpe" or a tokenizer.json.
        split: how the corpus was divided.
        run: which run of a folder.

    Raises:
        DiagnoseError: a file cannot be read, holds no two losses, or an option is wrong.
    """
    roles = parse_columns(columns)
    logs = read_each(paths, fmt, roles, run)
    files = runs_of_files(logs, roles)
    runs = [run for of_file in files for run in of_file]
    if files:
        log = logs[_last_with_most([max(len(run.at_N) for run in of_file) for of_file in files])]
        names = [path.name for path, of_file in zip(paths, files, strict=True) for _ in of_file]
    else:
        log, names = whole(logs, paths), []
        runs = all_pairs(log, roles)
        log.notes += unplaced(logs, runs[0])
    log.facts = log.settings()
    return _Judge(log, runs, choose(log, roles), [str(path) for path in paths], names).record(data, tokens, split)


def _last_with_most(counts: list[int]) -> int:
    return max(range(len(counts)), key=lambda k: (counts[k], k))


class _Judge:
    """A log while it is judged: what several parts of the record need, computed once."""

    def __init__(self, log: Log, runs: list[Pairs], choice: Choice, files: list[str], names: list[str]) -> None:
        self.log, self.files, self.choice, self.given = log, files, choice, runs
        spoken_of = _last_with_most([len(run.at_N) for run in runs])
        self.pairs = runs[spoken_of]
        self.runs = _named(log, runs, names) if len(runs) > 1 else []
        self.run = self.runs[spoken_of].name if self.runs else ""
        self.gap = statistics.gap(self.pairs.at_N, self.pairs.gap_N)
        self.digits = digits_of(self.pairs)
        self.sides = Sides.of(self.pairs, self.digits)
        self.derived = arithmetic.implied(log, self.pairs)
        self.findings = arithmetic.contradictions(log, self.pairs, self.derived)
        self.notes = [
            *log.notes, *self.pairs.notes, *arithmetic.in_bits(log), *arithmetic.agreements(log, self.derived),
            *self._counts(), *self._single(), *self._rises(),
        ]  # fmt: skip

    def record(self, data: str | None, tokens: str | None, split: str | None) -> LogReport:
        """Return the record."""
        against = self._against(data, tokens, split) if data else None
        comparable = bool(self.pairs.unit)
        self.findings += self._of_gap() if comparable else []
        order = ("error", "warning", "note")
        self.findings.sort(key=lambda entry: order.index(entry.severity))
        evidence = self._evidence()
        possible, excluded = causes.judge(evidence) if comparable else ([], [])
        return LogReport(
            source=self._source(),
            points=self._points(),
            gap=self._gap() if comparable else None,
            noise=self._noise(),
            implied=self.derived,
            plausibility=against,
            findings=tuple(self.findings),
            possible=tuple(possible),
            ruled_out=tuple(excluded),
            next=causes.experiment(evidence, self.findings, data),
            notes=tuple(note if note.endswith(".") else f"{note[:1].upper()}{note[1:]}." for note in self.notes),
            verdict=verdict(self.pairs, self.gap, self.findings, self.runs),
            runs=tuple(self.runs),
            run=self.run,
            others=tuple(self._others()),
            curves={
                "train": _curve(self.pairs.train.at, self.pairs.train.value),
                "val": _curve(self.pairs.val.at, self.pairs.val.value),
                "gap": _curve(self.pairs.at_N, self.pairs.gap_N),
            },
        )

    def _source(self) -> LogSource:
        return LogSource(
            files=tuple(self.files), format=self.log.format, tool=self.log.tool or None, train=self.pairs.train.name,
            val=self.pairs.val.name, unit=self.pairs.unit or None, axis=self.pairs.axis,
            settings=self.log.facts, train_is=causes.taken(self.log, self.pairs) or None,
            shown=shown_as(self.pairs) or None,
        )  # fmt: skip

    def _points(self) -> LogPoints:
        p = self.pairs
        some = np.unique(np.linspace(0, len(p.at_N) - 1, MOST_SHOWN).round().astype(int))
        return LogPoints(
            pairs=len(p.at_N), train=p.train.count, val=p.val.count, rows=self.log.rows, bad=self.log.bad,
            broken=p.train.series.broken + p.val.series.broken, restarted=p.dropped, stale=p.stale,
            averaged=int(p.averaged_N.sum()), decimals=self.digits.decimals,
            shown=tuple(_point(p, int(i)) for i in some),
        )  # fmt: skip

    def _noise(self) -> LogNoise:
        train, val = self.pairs.train.value, self.pairs.val.value
        return LogNoise(
            train=statistics.noise(train), val=statistics.noise(val),
            train_smoothed=statistics.smoothed(train), val_smoothed=statistics.smoothed(val),
        )  # fmt: skip

    def _gap(self) -> LogGap:
        gap, gaps = self.gap, self.pairs.gap_N
        trend = gap.trend
        return LogGap(
            **gap.said.model_dump(), whole=gap.whole, late=gap.late, late_used=gap.late is not None,
            sign=gap.sign.model_copy(update={"below": self.sides.below, "above": self.sides.above}),
            moves=gap.moves, start=gap.start, end=gap.end, first=float(gaps[0]), last=float(gaps[-1]),
            scatter=gap.scatter, ratio=last_ratio(self.pairs), steady=gap.steady,
            trend=LogTrend(value=trend.value, low=trend.low, high=trend.high, p=trend.p) if trend else None,
        )  # fmt: skip

    def _others(self) -> list[LogRun]:
        """Return further pairs of like losses, of the run with most pairs."""
        out = []
        for train, val in self.choice.others if not any(run_of(run.train.name) for run in self.given) else ():
            runs = paired(self.log, Choice(train, val))
            if runs:
                most = max(runs, key=lambda run: len(run.at_N))
                out.append(_run(f"{cut(visible(train.name), 32)} and {cut(visible(val.name), 32)}", most))
        return out

    def _counts(self) -> list[str]:
        out = []
        for side, track in (("training", self.pairs.train), ("validation", self.pairs.val)):
            if track.series.stride > 1:
                out.append(f"Of {track.count:,} values of the {side} loss one in {track.series.stride} is kept.")
        if self.pairs.dropped:
            out.append(f"{counted(self.pairs.dropped, 'value')} before a restart, or repeated, are left out.")
        if self.log.bad:
            are = "is" if self.log.bad == 1 else "are"
            out.append(f"{counted(self.log.bad, 'record')} could not be read and {are} left out.")
        if self.log.names_left:
            out.append(f"There are more than {len(self.log.series)} names of losses; the rest is left out.")
        unpaired = len(self.pairs.val.at) - len(self.pairs.at_N)
        if unpaired > 0 and not self.runs:
            are = "has" if unpaired == 1 else "have"
            out.append(
                f"{counted(unpaired, 'validation value')} {are} no training loss near and {are} no part in this."
            )
        return out

    def _rises(self) -> list[str]:
        """Note that values rise where a loss falls: they may be a score."""
        p = self.pairs
        if len(p.at_N) < FEWEST_TO_RISE or min(p.train_N.min(), p.val_N.min()) < 0:
            return []
        up = all(values[-1] > values[0] and np.mean(np.diff(values) > 0) > 0.75 for values in (p.train_N, p.val_N))
        return (
            ["Both rise along the run: if they are a score, of which more is better, none of this holds."] if up else []
        )

    def _single(self) -> list[str]:
        """Compare training's single batches, where a log has them too, with the loss read in evaluation mode."""
        batch = self.pairs.batch
        if batch is None or causes.taken(self.log, self.pairs) != "evaluated":
            return []
        at, single, evaluated, _ = pair(batch, self.pairs.train)
        if len(at) < 3:
            return []
        offset = statistics.mean(single - evaluated, at)
        written = estimate(offset.value, offset.low, offset.high, difference=True)
        return [
            f"Training's single batches lie {written} from the training loss that is read in evaluation mode: what "
            "training mode, timing and their luck make together."
        ]

    def _against(self, data: str, tokens: str | None, split: str | None) -> LogPlausibility:
        """Hold the log against its corpus."""
        text, corpus, divided = plausibility.opened(data, split, tokens)
        context = self.log.facts.get("context", 0.0)
        ways = plausibility.cuts(text, self.derived, context)
        self.findings += plausibility.overlap_findings(ways, self.derived, context)
        self.notes += [note for note in (plausibility.cut_words(ways),) if note]
        kinds = {way.kind for way in ways if way.each != "document"}
        known = tokens or (kinds.pop() if len(kinds) == 1 else None)
        known = known if known in text.tokens else None
        loss = float(self.pairs.val_N[-1])
        in_bytes = self.pairs.unit == "bits per byte" or (not self.pairs.unit and "bpb" in self.pairs.val.name.lower())
        value = loss if in_bytes else plausibility.bits(loss, text, known or "char")
        too_good, scale = plausibility.implausible(
            value, known or "char", loss, text, corpus, divided, bound=not known and not in_bytes
        )
        self.findings += too_good
        return LogPlausibility(
            corpus=text.name, documents=text.documents, bytes=text.bytes, tokens=known,
            tokens_from="given" if tokens else "the number of samples" if known else None,
            bits_per_byte=value, at_most=not known and not in_bytes, yardsticks=tuple(scale),
            counts=text.tokens, cuts=tuple(ways),
        )  # fmt: skip

    def _of_gap(self) -> list[LogFinding]:
        """Return what is remarkable in the gap itself."""
        mean, out = self.gap.said, []
        most = self.sides.below > self.sides.above + self.sides.equal
        digits = self.digits.gap
        if self.gap.steady and mean.value < -digits.unit and most:
            sure = not mean.alike_assumed or self.sides.one
            out.append(
                LogFinding.of(
                    "validation-below-training", "warning" if sure and self.sides.count > 5 else "note",
                    f"Validation lies {digits.size(mean.value)} below {averaged(self.pairs)} on average, in "
                    f"{self.sides.below} of {self.sides.count} prints",
                    "read both alike before comparing them: see the experiment below",
                    gap=mean.value, below=self.sides.below, prints=self.sides.count,
                )
            )  # fmt: skip
        return out + self._risen()

    def _risen(self) -> list[LogFinding]:
        """Find a validation loss that rises again while training's falls."""
        val, train = self.pairs.val_N, self.pairs.train_N
        spread = statistics.noise(val)
        if len(val) < FEWEST_TO_RISE or spread is None:
            return []
        lowest = int(np.argmin(val))
        tail = max(2, len(val) // 8) if len(val) > FEWEST_TO_RISE else 1
        end, low = float(val[-tail:].mean()), float(val[max(0, lowest - 1) : lowest + 2].mean())
        if end - low < max(RISES * abs(low), SLACK * spread) or lowest >= len(val) - tail:
            return []
        if float(train[-tail:].mean()) >= float(train[lowest]):
            return []
        where = place(self.pairs, float(self.pairs.at_N[lowest]))
        return [
            LogFinding.of(
                "overfitting", "warning",
                f"The validation loss was lowest at {where} ({self.digits.val.loss(float(val[lowest]))}) and is "
                f"{self.digits.val.loss(float(val[-1]))} at the end, while training's goes on falling",
                "keep the weights of the lowest validation loss; more data, fewer epochs or more regularisation",
                lowest=low, last=end, lowest_value=float(val[lowest]),
            )
        ]  # fmt: skip

    def _evidence(self) -> causes.Evidence:
        facts, mean, train = self.log.facts, self.gap.said, self.pairs.train.value
        single = self.pairs.val.value
        draw = None if self.pairs.mean is None or not len(single) else self.pairs.mean - float(single[-3:].mean())
        rules = {entry.rule for entry in self.findings}
        return causes.Evidence(
            value=mean.value, least=_least(mean, self.gap), gap=self.gap, digits=self.digits.gap,
            one=bool(self.sides.one), tool=self.log.tool, taken=causes.taken(self.log, self.pairs),
            fall=statistics.fall(self.pairs.train.at, train),
            fallen=float(train.max() - train[-1]) if len(train) else 0.0,
            draw=draw, dropout=facts.get("dropout"), smoothing=facts.get("label_smoothing"), mixup=facts.get("mixup"),
            first_epoch=causes.first_epoch(self.log),
            leaks=bool(rules & {"log/implausible", "log/overlapping-samples"}),
        )  # fmt: skip


def _point(pairs: Pairs, i: int) -> LogPair:
    return LogPair(
        at=float(pairs.at_N[i]), train=float(pairs.train_N[i]), val=float(pairs.val_N[i]),
        printed=float(pairs.printed_N[i]) if pairs.averaged_N[i] else None,
    )  # fmt: skip


def _run(name: str, run: Pairs) -> LogRun:
    sides = Sides.of(run, digits_of(run))
    return LogRun(
        name=name, pairs=len(run.at_N), first=_point(run, 0), last=_point(run, -1), below=sides.below, above=sides.above
    )


def _named(log: Log, runs: list[Pairs], given: list[str]) -> list[LogRun]:
    """Return every run under the name of its file, where these are given; the heading that the log has; or its number.

    The heading is the last line before the run's first row that may name a run, where each run has one.
    """
    beside = [run_of(run.train.name) or title_of(run.train.name) for run in runs]
    given = given or (beside if all(beside) else [])
    names, before = [cut(visible(name), 40) for name in given], 0.0
    for run in runs if not given else []:
        mine = [text for place, text in log.headings if before < place <= run.place]
        mine = [text for text in mine if not text.startswith(SETTINGS)] or mine
        mine = mine or [text for place, text in log.titles if before < place <= run.place]
        names.append(cut(visible(mine[-1].strip(f"#=-* :<>!{TITLE}")), 40) if mine else "")
        before = run.place
    if not all(names) or len(set(names)) < len(names):
        names = [f"run {k + 1}" for k in range(len(runs))]
    return [_run(name, run) for name, run in zip(names, runs, strict=True)]


def _curve(at: NDArray[np.float64], value: NDArray[np.float64]) -> LogCurve:
    """Return a curve of so many points at most, the last among them."""
    some = np.unique(np.linspace(0, len(at) - 1, min(len(at), MOST_DRAWN)).round().astype(int))
    return LogCurve(at=tuple(at[some].tolist()), value=tuple(value[some].tolist()))


def _least(mean: LogMean, gap: GapCourse) -> float:
    """Return the least distance from zero that an interval leaves, or that scatter leaves where one sign is steady."""
    if mean.resolved and mean.low is not None and mean.high is not None:
        return min(abs(mean.low), abs(mean.high))
    if gap.steady and gap.scatter is not None:
        return max(0.0, abs(mean.value) - 2 * gap.scatter)
    return 0.0
