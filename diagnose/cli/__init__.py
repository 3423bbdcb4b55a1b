"""The `diagnose` command: thin layers over the package's functions.

Results go to standard output, everything else to standard error. Heavy imports happen inside the commands.
"""

# in the order in which `--help` lists them
from diagnose.cli import demo, loss_gap, audit, log, explain, training, compare, yardstick, listing  # noqa: I001
from diagnose.cli.options import app

__all__ = ["app", "audit", "compare", "demo", "explain", "listing", "log", "loss_gap", "training", "yardstick"]
