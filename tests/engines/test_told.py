"""What is told of a run that ended: one that Ctrl-C stopped can be gone on with and has not failed."""

import math

import pytest

from diagnose.cli.board import DONE
from diagnose.engines.work import Ended, told
from diagnose.errors import FINDING, INTERRUPTED
from diagnose.integrations.trackers import FAILED
from diagnose.runs.watched import Progress


class Job:
    def progress(self, doing):
        return Progress("", "a", 0, 0, 10, math.nan, 0.0, None, doing)


@pytest.mark.parametrize(
    ("how", "doing"),
    [
        ({"exit_code": INTERRUPTED}, "stopped"),
        ({"exit_code": FINDING}, "failed"),
        ({"exit_code": FINDING, "diverged": True}, "diverged"),
        ({"finished": True}, "finished"),
    ],
)
def test_how_a_run_ended(how, doing):
    states = []
    told(Ended(Job(), "one", **how), states.append)
    assert [state.doing for state in states] == [doing]
    assert doing in DONE
    assert (doing in FAILED) == (doing != "finished")  # a tracker's run is closed
