"""How much of `recency` is that the batches of the last interval were harder or easier, whatever was trained on last.

Under the weights from before the interval neither the interval's batches nor the earlier ones have just been trained
on, so their difference there is one of difficulty; what is left of `recency` is what training on them last did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diagnose.gap.sources.run_reading import in_units, read
from diagnose.gap.sources.run_replay import step_group, training_ask
from diagnose.runs import session, store
from diagnose.stats import combination

if TYPE_CHECKING:
    from diagnose.gap.sources.run import FinishedRun
    from diagnose.gap.sources.run_conditions import RunConditions
    from diagnose.stats import Interval, Reading

FEWEST_STEPS = 2  # of either side: one step's batch says nothing of its kind


def parts(
    finished: FinishedRun, measured: RunConditions, own: Reading, recency: Interval, positions: int, unit: int
) -> tuple[dict[str, Any], ...]:
    """Divide `recency` into difficulty and the rest, where the weights from before the interval were kept.

    Args:
        finished: the run.
        measured: holds the earlier steps and their reading under the final weights.
        own: the reported steps under the final weights, in units.
        recency: the term.
        positions: how many may be read, both sides together.
        unit: adjacent documents that are one unit of the intervals.

    Returns:
        Two parts whose values sum to the term's; none where the division cannot be had.
    """
    steps, _ = finished.averaged()
    most = int(positions // (2 * finished.positions))
    before = _network_before(finished)
    if before is None or measured.chosen.same or int(steps[0]) < finished.interval_start or most < FEWEST_STEPS:
        return ()
    ask = training_ask(finished)
    every = max(1, -(-len(steps) // most))
    mine = read(before, [step_group(finished, int(k)) for k in steps[::every]], [ask])[ask]
    others = read(before, [step_group(finished, k, turn=0) for k in measured.chosen.steps[:most]], [ask])[ask]
    readings = [in_units(mine, unit), in_units(others, unit), own, measured.start]
    difficulty = combination(readings[:2], [-1.0, 1.0])
    rest = combination(readings, [1.0, -1.0, -1.0, 1.0])
    shift = recency.value - difficulty.value - rest.value
    return _part("difficulty", difficulty, 0.0), _part("trained on last", rest, shift)


def _part(name: str, found: Interval, shift: float) -> dict[str, Any]:
    low, high = (None if end is None else end + shift for end in (found.low, found.high))
    return {"id": name, "value": found.value + shift, "low": low, "high": high}


def _network_before(finished: FinishedRun) -> Any:
    kept = store.read_checkpoint(finished.path / "interval")
    if kept is None or int(kept[1]["step"]) != finished.interval_start:
        return None
    net = finished.setup.network()
    session.load_state(net, None, kept[0])
    return net
