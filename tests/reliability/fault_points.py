"""Let every change of a file fail once, with every error that it could have, and see that nothing is lost.

    python tests/reliability/fault_points.py [SCENARIO...] [--share K/N] [--most NUMBER] [--seed SEED]

For each scenario its command is run undisturbed, which counts its changes of files; then once for each of them and
each error. What went wrong is printed as it is found, and a count for each scenario, also when it is stopped.
"""

import argparse
import errno
import os
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import forked
import scenarios

ONCE, FOR_GOOD = False, True
ERRORS = {
    "open": [(errno.ENOSPC, ONCE), (errno.ENOSPC, FOR_GOOD), (errno.EIO, ONCE), (errno.EACCES, ONCE),
             (errno.EROFS, FOR_GOOD), (errno.EMFILE, ONCE)],
    "write": [(errno.ENOSPC, ONCE), (errno.ENOSPC, FOR_GOOD), (errno.EIO, ONCE), (errno.EIO, FOR_GOOD)],
    "fsync": [(errno.EIO, ONCE), (errno.ENOSPC, FOR_GOOD)],
    "close": [(errno.EIO, ONCE), (errno.ENOSPC, FOR_GOOD)],
    "rename": [(errno.EIO, ONCE), (errno.EACCES, ONCE), (errno.EROFS, FOR_GOOD), (errno.ENOSPC, ONCE)],
    "unlink": [(errno.EIO, ONCE), (errno.EACCES, ONCE), (errno.EROFS, FOR_GOOD)],
    "mkdir": [(errno.ENOSPC, FOR_GOOD), (errno.EIO, ONCE), (errno.EACCES, ONCE), (errno.EROFS, FOR_GOOD)],
    "other": [(errno.EIO, ONCE), (errno.ENOSPC, FOR_GOOD), (errno.EROFS, FOR_GOOD)],
}  # fmt: skip


def points(shop, name):
    """Return every fault of a scenario's command, and what that leaves and ends with undisturbed."""
    place = shop.fresh(name, "place")
    whole = shop.disturbed(place, name, traced=True)
    assert whole.code in (0, 1), whole.err
    kinds = [line.split()[1] for line in whole.trace]
    found = [(number, kind, error, sticks) for number, kind in enumerate(kinds, 1) for error, sticks in ERRORS[kind]]
    return found, scenarios.outcome(place), whole.code


def wrong(shop, name, point, reference, code):
    """Return what is wrong after one fault: a list of sentences, empty where all is as it should be."""
    number, _, error, sticks = point
    place = shop.fresh(name, "place")
    before = scenarios.state_of(place)
    first = shop.disturbed(place, name, fault=forked.Fault(number, error, sticks), traced=True)
    found = _of_message(first, error, code) + _of_files(place, before)
    if first.code == code and "was not kept in" not in first.err:
        found += _of_outcome("after it was told to be well", place, reference)
        if not found and not scenarios.strays(place):
            return []
    second = shop.again(place, name)
    if second.code != code:
        found.append(f"the next command ends with {second.code}: {second.err[-300:]}")
    else:
        found += _of_outcome("after the next command", place, reference)
        left = scenarios.strays(place)
        found += [f"left lying: {left[:3]}"] if left else []
    where = next((line for line in first.trace if line.startswith(f"{number} ")), "")
    return [f"{one}  [{where}] stderr: {first.err[-400:]!r}" for one in found]


def _of_message(done, error, code):
    if "Traceback" in done.err:
        return ["a traceback"]
    if done.code in (code, 0):
        return []
    last = done.err.strip().splitlines()[-1] if done.err.strip() else ""
    found = [] if done.code in (1, 2) else [f"exit code {done.code}"]
    found += [] if last.startswith("diagnose: ") else ["no line"]
    found += [] if os.strerror(error) in last or errno.errorcode[error] in last else ["not the real cause"]
    return found + ([] if any(part in last for part in ("runs", "cache", "reports", "tables")) else ["no path"])


def _of_files(place, before):
    after = scenarios.state_of(place)
    gone = [path for path in before if path not in after]
    damaged = [p for p, data in after.items() if p in before and data != before[p] and not data.strip()]
    return ([f"lost: {gone[:3]}"] if gone else []) + ([f"emptied: {damaged[:3]}"] if damaged else [])


def _of_outcome(when, place, reference):
    found = scenarios.outcome(place)
    kept = {kind: value for kind, value in found.items() if kind not in ("run failed", "run interrupted")}
    kept["pages"] = min(found["pages"], reference["pages"])  # what was trained again has a page of its own
    if kept != reference:
        differing = [key for key in reference if kept.get(key) != reference[key]] or sorted(set(kept) - set(reference))
        return [f"{when} differs: {differing}"]
    return []


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=list(scenarios.SCENARIOS))
    parser.add_argument("--share", default="0/1", help="the K-th of N parts, for several processes")
    parser.add_argument("--most", type=int, default=None, help="points of each scenario, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", action="store_true", help="every error at every point, of ablate too")
    given = parser.parse_args()
    part, parts = map(int, given.share.split("/"))
    names = given.names or list(scenarios.SCENARIOS)
    bad = 0
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        shop = scenarios.Workshop(Path(folder), names)
        for name in names:
            every, reference, code = points(shop, name)
            if name == "ablate" and not given.every:  # its workers write what `train` does: an error a point
                every = one_each(every)
            if given.most and given.most < len(every):
                every = sorted(random.Random(given.seed).sample(every, given.most))
            tried, kinds = 0, Counter()
            for point in every[part::parts]:
                for sentence in wrong(shop, name, point, reference, code):
                    bad += 1
                    print(
                        f"{name} {point[1]} {errno.errorcode[point[2]]}{' for good' * point[3]}: {sentence}", flush=True
                    )
                tried += 1
                kinds[point[1]] += 1
                if tried % 20 == 0:
                    print(f"# {name}: {tried} of {len(every[part::parts])}", flush=True)
            print(f"# {name}: {tried} points ({dict(kinds)}), {bad} wrong so far", flush=True)
        shop.close()
    sys.exit(bool(bad))


def one_each(every):
    """Return one error for each operation, another from one operation to the next."""
    by_number = {}
    for point in every:
        by_number.setdefault(point[0], []).append(point)
    return [options[number % len(options)] for number, options in by_number.items()]


if __name__ == "__main__":
    main()
