"""How often `diagnose ablate --run` calls equal arms different: A/A ablations of a user's own command.

    python benchmarks/command_aa.py OUT.json [ablations] [jobs]

The command trains a logistic regression on data of its own (numpy, 60 steps) and reports the loss of 150 validation
examples. Both arms are the same but for the order of batches, which each arm draws anew; the start is the seed's, as
where arms share streams. Five seeds are run; the first three are compared too, which uses the same runs again.
A verdict is a false alarm where the interval excludes zero, which 5 % should.
"""

import json
import os
import shlex
import sys
import tempfile
from pathlib import Path

from diagnose.ablation.commands import command_axes, command_plan, command_template
from diagnose.ablation.commands.command_ablation import ablate_command
from diagnose.engines.selection import Place

SCRIPT = """
import argparse
import zlib

import numpy as np

from diagnose import report_scores

parser = argparse.ArgumentParser()
for name in ("--data", "--arm", "--seed"):
    parser.add_argument(name, required=True)
args = parser.parse_args()


def stream(*names):
    return np.random.default_rng([zlib.crc32(name.encode()) for name in names])


data = stream("data", args.data)
true = data.normal(size=12)
x = data.normal(size=(350, 12))
y = (x @ true + data.logistic(size=350) > 0).astype(float)
weights = stream("start", args.data, args.seed).normal(size=12)
order = stream("order", args.data, args.arm, args.seed)
for _ in range(60):
    batch = order.integers(0, 200, 16)
    p = 1 / (1 + np.exp(-(x[batch] @ weights)))
    weights -= 0.3 * x[batch].T @ (p - y[batch]) / 16
margin = (x[200:] @ weights) * (2 * y[200:] - 1)
report_scores(np.log1p(np.exp(-margin)), examples=range(200, 350))
"""
SEEDS = (5, 3)  # the first runs them, the others use them again


def main():
    out, count, jobs = Path(sys.argv[1]), *map(int, (sys.argv[2:] + ["160", "2"][len(sys.argv) - 2 :])[:2])
    found = []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("train.py").write_text(SCRIPT, encoding="utf-8")
        for number in range(count):
            found += [one_ablation(number, seeds, jobs) for seeds in SEEDS]
            out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            print(
                number + 1,
                *(sum(row["alarm"] for row in found if row["seeds"] == seeds) for seeds in SEEDS),
                flush=True,
            )


def one_ablation(number, seeds, jobs):
    program = shlex.quote(sys.executable)
    template = command_template.CommandTemplate.of(f"{program} train.py --data {number} --arm {{arm}} --seed {{seed}}")
    plan = command_plan.CommandPlan.of(template, [command_axes.axis_of("arm=a,b")], seeds, runs=Path(f"runs-{number}"))
    compared = ablate_command(plan, place=Place(jobs=jobs))
    (effect,) = compared.effects
    return {
        "ablation": number, "seeds": seeds, "alarm": effect.resolved, "p": effect.p, "value": effect.value,
        "low": effect.low, "high": effect.high, "layout": compared.design.layout,
    }  # fmt: skip


if __name__ == "__main__":
    main()
