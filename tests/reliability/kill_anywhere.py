"""Kill commands anywhere and give them again: nothing is lost, and what comes out is what would have, to the bit.

    python tests/reliability/kill_anywhere.py N SEED [SCENARIO...]

Half of the N kills come at a moment drawn at random, half at the n-th change of a file; every third of what is given
again is killed too, and given once more. What went wrong is printed as it is found, and counts as it goes on.
"""

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import forked
import scenarios

KILL = 0  # what `faults.c` takes for an error number


class Kills:
    """A scenario, what it comes to undisturbed, and how long and how many changes that takes."""

    def __init__(self, shop, name, draw):
        self.shop, self.name, self.draw = shop, name, draw
        place = shop.fresh(name, "place")
        whole = shop.disturbed(place, name)
        assert whole.code in (0, 1), whole.err
        self.reference, self.code, self.changes = scenarios.outcome(place), whole.code, whole.changes
        self.wall = whole.wall

    def wrong(self):
        """Kill once or twice, give the command again, and return what is wrong: sentences."""
        place = self.shop.fresh(self.name, "place")
        before = scenarios.state_of(place)
        told = [self._kill(place, ())]
        found = _of_state(place, before)
        if self.draw.random() < 1 / 3:
            told.append(self._kill(place, scenarios.SCENARIOS[self.name].again))
            found += _of_state(place, before)
        last = self.shop.again(place, self.name)
        if last.code != self.code:
            found.append(f"given again it ends with {last.code}: {last.err[-400:]}")
        else:
            found += [f"{what} differs" for what in _differing(scenarios.outcome(place), self.reference)]
            left = scenarios.strays(place)
            found += [f"left lying: {left[:3]}"] if left else []
        return told, found

    def _kill(self, place, more):
        """Kill the command; return how."""
        if self.draw.random() < 0.5:
            after = self.draw.uniform(0, self.wall)
            done = self.shop.disturbed(place, self.name, more=more, kill_after=after)
            return f"after {after:.3f} s ({done.code})"
        number = self.draw.randint(1, max(1, self.changes))
        done = self.shop.disturbed(place, self.name, more=more, fault=forked.Fault(number, KILL), traced=True)
        where = next((line for line in done.trace if line.startswith(f"{number} ")), "")
        return f"at change {where} ({done.code})"


def _of_state(place, before):
    """Say what a kill took from what there was, or damaged."""
    after = scenarios.state_of(place)
    gone = [path for path in before if path not in after]
    empty = [path for path, data in after.items() if not data and before.get(path)]
    return ([f"lost: {gone[:3]}"] if gone else []) + ([f"emptied: {empty[:3]}"] if empty else [])


def _differing(found, reference):
    found = found | {"pages": min(found["pages"], reference["pages"])}
    return [key for key in sorted(found.keys() | reference.keys()) if found.get(key) != reference.get(key)]


def main(most, seed, names):
    """Kill that often, and return how often something was wrong."""
    draw, bad, killed = random.Random(seed), 0, Counter()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        shop = scenarios.Workshop(Path(folder), names)
        kills = [Kills(shop, name, draw) for name in names]
        weights = [one.changes for one in kills]
        for number in range(most):
            one = draw.choices(kills, weights)[0]
            told, found = one.wrong()
            killed[one.name] += len(told)
            bad += bool(found)
            for sentence in found:
                print(f"{one.name}, killed {' and '.join(told)}: {sentence}", flush=True)
            if number % 10 == 9:
                print(f"# {number + 1} runs, killed {killed.total()} times {dict(killed)}: {bad} wrong", flush=True)
        shop.close()
    print(f"# {most} runs, killed {killed.total()} times {dict(killed)}: {bad} wrong", flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]), int(sys.argv[2]), tuple(sys.argv[3:]) or tuple(scenarios.SCENARIOS))))
