"""Numbers that a log states or implies, and those of them that contradict each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from diagnose.formatting import counted, cut, duration, plain, share, visible
from diagnose.logs.digits_of import Digits
from diagnose.logs.factors import factor
from diagnose.logs.names import meaning
from diagnose.logs.series import EPOCH, PLACE, STEP, VALUE
from diagnose.records.log_report import LogFinding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.logs.pairs import Pairs
    from diagnose.logs.series import Log

FIT = 0.02  # relative: how close two perplexities' bases have to come
SURE_FIT = 0.01  # the same, where bases are told apart
TWICE = 2.0  # times: what the elapsed time may differ by, for printing and sampling take time too
SAME_MEAN = 0.05  # relative: a stated mean of logged values against their mean
START = 0.7  # nats: an untrained network may be off ln V by so much
MOVED = 3.0  # of the smallest printed differences: what training has to move by where validation stands still
OFF = 0.1  # nats: what a single perplexity has to be off by,
MOST_OFF = 10.0  # and times as much as they are in the median
SAME = 8  # validation values in a row that are exactly alike


def implied(log: Log, pairs: Pairs) -> dict[str, float]:
    """Return what the settings of a log come to: samples of each side, steps, seconds a step."""
    out = _counted(log)
    if {"train_samples", "val_samples"} <= out.keys():
        out["val_share"] = out["val_samples"] / (out["train_samples"] + out["val_samples"])
    track = pairs.train
    known = np.isfinite(track.seconds)
    at, seconds = track.at[known], track.seconds[known]
    if len(at) >= 3 and pairs.axis == "step" and log.tool != "Keras" and (np.diff(seconds) >= 0).all():
        spans = np.diff(seconds)[np.diff(at) > 0] / np.diff(at)[np.diff(at) > 0]
        if len(spans) and float(np.median(spans)) > 0:
            out["seconds_per_step"] = float(np.median(spans))
            out["steps"] = float(at[-1])
            out["seconds"] = float(seconds[-1])
    return {key: value for key, value in out.items() if math.isfinite(value)}


def _counted(log: Log) -> dict[str, float]:
    """Return the samples of each side: where a loop's own lines count batches, or a file holds all that they need."""
    facts, out = log.facts, dict[str, float]()
    whole = {"accumulate", "devices"} <= facts.keys()
    size = facts.get("batch_size", 0.0) * facts.get("accumulate", 1.0) * facts.get("devices", 1.0)
    batches = facts.get("batches_per_epoch", 0.0) if log.format == "text" and log.tool != "Keras" else 0.0
    if not batches and whole and facts.get("steps") and facts.get("epochs"):
        batches = facts["steps"] / facts["epochs"]
    if size and batches:
        out["train_samples"] = size * batches
    if size and facts.get("val_batches"):
        out["val_samples"] = size * facts["val_batches"]
    elif "val_samples" in facts:
        out["val_samples"] = facts["val_samples"]
    elif "eval_runtime" in facts and "eval_samples_per_second" in facts:
        out["val_samples"] = float(round(facts["eval_runtime"] * facts["eval_samples_per_second"]))
    return out


def contradictions(log: Log, pairs: Pairs, derived: dict[str, float]) -> list[LogFinding]:
    """Return the findings on numbers that do not fit each other, the gravest first."""
    findings = [
        *_broken(pairs), *_units(pairs), *_identical(pairs), *_frozen(pairs), *_perplexity(log),
        *_bases(log), *factor(pairs),
        *_samples(log, derived), *_time(derived), *_run_mean(log, pairs), *_closing_mean(pairs), *_start(log, pairs),
    ]  # fmt: skip
    return sorted(findings, key=lambda entry: ("error", "warning", "note").index(entry.severity))


def _broken(pairs: Pairs) -> list[LogFinding]:
    out = []
    for side, track in (("training", pairs.train), ("validation", pairs.val)):
        broken, step = track.series.broken, track.series.broken_step
        if broken:
            first = f", first at step {plain(step, 0)}" if math.isfinite(step) else ""
            out.append(
                LogFinding.of(
                    "not-finite", "error",
                    f"{counted(broken, 'value')} of the {side} loss are NaN or infinite{first}",
                    "a lower learning rate, gradient clipping, or masks that leave a row without targets out of the "
                    "mean",
                    values=broken,
                )
            )  # fmt: skip
    return out


def _units(pairs: Pairs) -> list[LogFinding]:
    if pairs.unit:
        return []
    bits = pairs.val if meaning(pairs.val.name).kind == "bits" else pairs.train
    return [
        LogFinding.of(
            "units", "warning",
            f"The two losses are in different units: {cut(visible(bits.name), 30)!r} is in bits per byte, the other "
            "is not",
            "log both in the same unit: nats per token, or nats over ln 2 times bytes",
        )
    ]  # fmt: skip


def _identical(pairs: Pairs) -> list[LogFinding]:
    if len(pairs.at_N) < 3 or not np.array_equal(pairs.train_N, pairs.val_N):
        return []
    return [
        LogFinding.of("identical", "error", f"Both losses are the same number at all {len(pairs.at_N)} prints",
                "check which batches validation reads, and which variable is logged", prints=len(pairs.at_N))
    ]  # fmt: skip


def _frozen(pairs: Pairs) -> list[LogFinding]:
    """Find a validation loss that does not move though training's does: stale weights, or a stale value."""
    value = pairs.val.value
    same = int(np.argmax(np.append(np.diff(value[::-1]) != 0, True))) + 1 if len(value) else 0
    unit = max(Digits.of(track.value.tolist()).unit for track in (pairs.train, pairs.val))
    if same < SAME or np.ptp(pairs.train.value[-same:]) <= MOVED * unit:
        return []
    return [
        LogFinding.of("frozen", "error", f"The last {same} validation losses are exactly {plain(float(value[-1]), 4)}, "
                "while training's move", "check whether it is one value printed again; if not, whether validation "
                "reads the weights that are trained",
                values=same)
    ]  # fmt: skip


def _perplexity(log: Log) -> list[LogFinding]:
    """Compare a perplexity with the losses of the same side: it should be e, or 2, to the power of one of them."""
    out = []
    for side in ("train", "val"):
        ratios = _log_ratios(log, side)
        fits = [(name, r) for name, r in ratios if min(abs(r - 1), abs(r - math.log(2))) < FIT]
        if fits:
            out += _off_once(log, side, *fits[0])
        if not ratios or fits:
            continue
        name, ratio = min(ratios, key=lambda fit: abs(fit[1] - 1))
        out.append(
            LogFinding.of("perplexity", "warning", f"The {side} perplexity is neither e nor 2 to the power of a {side} "
                    f"loss: its logarithm is {plain(ratio)} times {cut(visible(name), 30)!r}", "take exp of the mean "
                    "loss, not the mean of batches' perplexities; and check the base of both", ratio=ratio)
        )  # fmt: skip
    return out


def _bases(log: Log) -> list[LogFinding]:
    """Find perplexities of two bases: training's is e to the power of its loss, and validation's 2, or the reverse."""
    fits = {side: _base(log, side) for side in ("train", "val")}
    if fits["train"] == fits["val"] or None in fits.values():
        return []
    e, two = ("training", "validation") if fits["train"] == "e" else ("validation", "training")
    return [
        LogFinding.of("units", "warning", f"The {e} perplexity is e to the power of its loss and the {two} perplexity "
                f"2 to the power of its: either one loss is in bits ({two}) and the other in nats, or one perplexity "
                "is of the wrong base", "log both losses in nats, and exp of each as its perplexity")
    ]  # fmt: skip


def _base(log: Log, side: str) -> str | None:
    """Return the base, "e" or "2", of a side's own perplexity, None where it has none, or one that fits neither."""
    perplexities = [name for name in _perplexities(log, side)[:1] if meaning(name).side]
    ratios = [ratio for _, ratio in _log_ratios(log, side, fewest=1)] if perplexities else []
    bases = {"e": 1.0, "2": math.log(2)}
    fitting = [base for base, wanted in bases.items() if any(abs(ratio - wanted) < SURE_FIT for ratio in ratios)]
    return fitting[0] if len(fitting) == 1 else None


def _off_once(log: Log, side: str, name: str, ratio: float) -> list[LogFinding]:
    """Find single perplexities that their loss contradicts, where the others fit it."""
    base = 1.0 if abs(ratio - 1) < FIT else math.log(2)
    loss, perplexity = log.series[name].table(), log.series[_perplexities(log, side)[0]].table()
    key = _key_of_places(loss, perplexity)
    at, left, right = np.intersect1d(loss[:, key], perplexity[:, key], return_indices=True)
    with np.errstate(all="ignore"):
        off = np.abs(np.log(perplexity[right, VALUE]) - base * loss[left, VALUE])
    usual = float(np.nanmedian(off)) if len(off) else 0.0
    wrong = np.flatnonzero(off > max(OFF, MOST_OFF * usual))
    if not len(wrong):
        return []
    k = int(wrong[0])
    epoch, step = loss[left[k], EPOCH], loss[left[k], STEP]
    where = f"step {plain(step, 0)}" if step == step else f"epoch {plain(epoch, 0)}" if epoch == epoch else "a line"  # noqa: PLR0124
    fits = math.exp(min(base * float(loss[left[k], VALUE]), 700.0))
    return [
        LogFinding.of("perplexity", "warning", f"The {side} perplexity contradicts its loss at {where}: it is "
                f"{plain(float(perplexity[right[k], VALUE]))}, and {plain(fits)} would fit "
                f"{cut(visible(name), 30)!r} there, as in {len(at) - len(wrong)} of {len(at)} prints",
                "find out which of the two was written wrongly there", prints=len(wrong))
    ]  # fmt: skip


def _perplexities(log: Log, side: str) -> list[str]:
    """Return the perplexities that may be of a side."""
    sides = (side, "") if side == "train" else (side, "test")
    return [n for n in log.series if (m := meaning(n)).kind == "perplexity" and m.side in sides and log.series[n].count]


def _log_ratios(log: Log, side: str, fewest: int = 2) -> list[tuple[str, float]]:
    """Return the losses of a side with what a perplexity's logarithm is of each, in the median."""
    mine = [n for n in log.series if meaning(n).side in ((side, "") if side == "train" else (side, "test"))]
    perplexities = _perplexities(log, side)
    if perplexities and not meaning(perplexities[0]).side:
        mine = list(log.series)  # it does not say whose it is
    out = []
    for name in mine if perplexities else []:
        if meaning(name).kind != "loss" or not log.series[name].count:
            continue
        loss, perplexity = _same_places(log.series[name].table(), log.series[perplexities[0]].table())
        with np.errstate(all="ignore"):
            ratio = np.log(perplexity) / loss
        ratio = ratio[np.isfinite(ratio) & (loss > 0.01)]
        if len(ratio) >= fewest:
            out.append((name, float(np.median(ratio))))
    return out


def _same_places(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    key = _key_of_places(a, b)
    _, left, right = np.intersect1d(a[:, key], b[:, key], return_indices=True)
    return a[left, VALUE], b[right, VALUE]


def _key_of_places(a: NDArray[np.float64], b: NDArray[np.float64]) -> int:
    return STEP if np.isfinite(a[:, STEP]).all() and np.isfinite(b[:, STEP]).all() else PLACE


def in_bits(log: Log) -> list[str]:
    """Return the note that losses are in bits, where a perplexity is 2 to the power of one and e of none."""
    for side in ("train", "val"):
        ratios = _log_ratios(log, side)
        two = [name for name, r in ratios if abs(r - math.log(2)) < FIT]
        if two and not any(abs(r - 1) < FIT for _, r in ratios):
            name = cut(visible(two[0]), 30)
            other = next((n for n, _ in ratios if n != two[0] and meaning(n).stem == ()), "")
            smooth = (
                f", and {cut(visible(other), 30)!r} minus {name!r} is what training adds (label smoothing)"
                if other
                else ""
            )
            return [f"The perplexity is 2 to the power of {name!r}, so losses are in bits{smooth}."]
    return []


def _samples(log: Log, derived: dict[str, float]) -> list[LogFinding]:
    """Compare the samples that a Trainer says it read with its batches: they differ by a whole number of devices."""
    facts = log.facts
    if not {"train_runtime", "train_samples_per_second", "epochs"} <= facts.keys() or "train_samples" not in derived:
        return []
    read = facts["train_runtime"] * facts["train_samples_per_second"] / max(facts["epochs"], 1e-9)
    ratio = read / derived["train_samples"]
    if not math.isfinite(ratio) or ratio <= 0:
        return []
    nearest = max(1, round(ratio))
    slack = 0.05 + facts.get("batch_size", 1.0) * nearest / max(read, 1.0)
    if abs(ratio / nearest - 1) <= slack:
        return []
    return [
        LogFinding.of("samples", "warning", f"An epoch has {plain(derived['train_samples'], 0)} samples by its batches "
                f"and {plain(read, 0)} by the rate that is logged", "check batch size, accumulation and whether the "
                "run was resumed",
                by_batches=derived["train_samples"], by_rate=read)
    ]  # fmt: skip


def _time(derived: dict[str, float]) -> list[LogFinding]:
    if not {"seconds", "seconds_per_step", "steps"} <= derived.keys() or derived["seconds"] > 1e9:
        return []
    needed = derived["seconds_per_step"] * derived["steps"]
    ratio = derived["seconds"] / needed if needed > 0 else 1.0
    if 1 / TWICE <= ratio <= TWICE or derived["steps"] < 2:
        return []
    return [
        LogFinding.of("time", "warning", f"{plain(derived['steps'], 0)} steps at the pace of the prints take "
        f"{duration(needed)}, "
                f"and {duration(derived['seconds'])} had passed", "check what is counted: steps or batches, of one "
                "epoch or "
                "all, and whether the clock was started anew", seconds=derived["seconds"], implied=needed)
    ]  # fmt: skip


def _run_mean(log: Log, pairs: Pairs) -> list[LogFinding]:
    """Compare the mean over the whole run that a Trainer states with the values that it logged."""
    stated = log.facts.get("run_mean")
    values = pairs.train.value
    if stated is None or len(values) < 3 or pairs.train.series.stride > 1 or pairs.dropped:
        return []
    mean = float(values.mean())
    if abs(stated - mean) <= SAME_MEAN * abs(mean) + 2 * float(values.std()) / math.sqrt(len(values)):
        return []
    return [
        LogFinding.of("run-mean", "warning", f"The run's mean training loss is said to be {plain(stated)}, the logged "
        "values average "
                f"{plain(mean)}", "after resuming, the Trainer divides the new part's sum by all steps: trust the "
                "logged values",
                stated=stated, logged=mean)
    ]  # fmt: skip


def _closing_mean(pairs: Pairs) -> list[LogFinding]:
    """Compare the mean over all validation batches with the single batches that were logged before it."""
    single = pairs.val.value
    if pairs.mean is None or len(single) < 4:
        return []
    last = single[-max(4, len(single) // 4) :]
    z = (pairs.mean - float(last.mean())) / max(float(last.std(ddof=1)), 1e-12)
    if abs(z) < 5:
        return []
    return [
        LogFinding.of("closing-mean", "warning", f"The mean over all validation batches is {plain(pairs.mean)}, the "
                f"last {len(last)} single batches average {plain(float(last.mean()))}: {plain(abs(z), 1)} times their "
                "spread apart",
                "check whether both read the same text, in the same mode, with the same averaging", deviations=z)
    ]  # fmt: skip


def _start(log: Log, pairs: Pairs) -> list[LogFinding]:
    """Say where the loss before training is above that of a uniform guess, where the vocabulary's size is logged.

    Below it weights may have been loaded, or the loss be of something else than the next token, as of a text's class.
    """
    size = log.facts.get("vocab_size", 0.0)
    if size < 2 or pairs.axis != "step" or pairs.unit != "loss" or pairs.val.at[0] != 0:
        return []
    first, uniform = float(pairs.val.value[0]), math.log(size)
    if first - uniform < START:
        return []
    return [
        LogFinding.of("start", "warning", f"Before training the loss is {plain(first)}; a network that knows nothing "
        "has ln V = "
                f"{plain(uniform)} for V = {plain(size, 0)}", "check the initialisation, and how the loss is "
                "averaged", first=first, uniform=uniform)
    ]  # fmt: skip


def agreements(log: Log, derived: dict[str, float]) -> list[str]:
    """Return what the implied numbers say where they do fit each other."""
    out = []
    if "train_samples" in derived:
        size, batches = log.facts.get("batch_size", 0.0), log.facts.get("batches_per_epoch", 0.0)
        samples, known = plain(derived["train_samples"], 0), {"accumulate", "devices"} <= log.facts.keys()
        least = "" if known else f", if {plain(size, 0)} is of all devices and nothing is accumulated"
        shared = f"; {share(derived['val_share'])} of all samples is validation" if "val_share" in derived else ""
        out.append(
            f"{plain(batches, 0)} batches of {plain(size, 0)} make {samples} training samples{shared}{least}."
            if batches
            else f"An epoch has {samples} training samples by steps, batch size and devices{shared}."
        )
    if {"seconds", "seconds_per_step", "steps"} <= derived.keys() and not _time(derived) and derived["seconds"] < 1e9:
        needed = derived["seconds_per_step"] * derived["steps"]
        out.append(
            f"The time fits the steps: {plain(derived['steps'], 0)} at {plain(derived['seconds_per_step'])} s make "
            f"{duration(needed)}, and {duration(derived['seconds'])} had passed."
        )
    return out
