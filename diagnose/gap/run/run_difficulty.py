"""How much of `recency` is that the batches of the last interval were harder or easier, whatever was trained on last.

Under the weights from before the interval neither the interval's batches nor the earlier ones have just been trained
on, so their difference there is one of difficulty; what is left of `recency` is what training on them last did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diagnose.gap.run.run_reading import in_units, read
from diagnose.gap.run.run_replay import step_group, training_condition
from diagnose.runs import checkpoints, session
from diagnose.stats import combination

if TYPE_CHECKING:
    from diagnose.gap.run.run import FinishedRun
    from diagnose.gap.run.run_measure import MeasuredRun
    from diagnose.gap.term import Term
    from diagnose.stats import Interval

SHARE = 0.1  # of the budget that is left
FEWEST_STEPS = 2  # of either side: one step's batch says nothing of its kind


def parts(run: MeasuredRun, recency: Term) -> tuple[dict[str, Any], ...]:
    """Divide `recency` into difficulty and the rest, where the weights from before the interval were kept.

    Returns:
        Two parts whose values sum to the term's; none where the division cannot be had.
    """
    finished, chosen, replayed = run.finished, run.chosen, run.found.replayed
    assert replayed is not None
    assert recency.value is not None
    steps, _ = finished.averaged()
    most = int(run.left.share(SHARE, 1) // (2 * finished.positions))
    before = _network_before(finished)
    if before is None or chosen.same or int(steps[0]) < finished.interval_start or most < FEWEST_STEPS:
        return ()
    condition = training_condition(finished, run.found.sides.train.on)
    every = max(1, -(-len(steps) // most))
    mine = read(before, [step_group(finished, int(k)) for k in steps[::every]], [condition])[condition]
    others = read(before, [step_group(finished, k, turn=0) for k in chosen.steps[:most]], [condition])[condition]
    start = run.found.train.readings[run.found.sides.train]
    readings = [in_units(mine, run.unit), in_units(others, run.unit), replayed.reading, start]
    difficulty = combination(readings[:2], [-1.0, 1.0])
    rest = combination(readings, [1.0, -1.0, -1.0, 1.0])
    shift = recency.value - difficulty.value - rest.value
    return _part("difficulty", difficulty, 0.0), _part("trained on last", rest, shift)


def _part(name: str, found: Interval, shift: float) -> dict[str, Any]:
    low, high = (None if end is None else end + shift for end in (found.low, found.high))
    return {"id": name, "value": found.value + shift, "low": low, "high": high}


def _network_before(finished: FinishedRun) -> Any:
    checkpoint = checkpoints.read_checkpoint(finished.path / "interval")
    if checkpoint is None or int(checkpoint[1]["step"]) != finished.interval_start:
        return None
    net = finished.setup.network()
    session.load_state(net, None, checkpoint[0])
    return net
