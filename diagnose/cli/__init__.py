"""The command line: one thin function per command. It parses, calls one function, renders.

Results go to standard output, everything else to standard error. Heavy imports happen inside the commands.
"""

from diagnose.cli import training, gap, audit, log, yardstick, listing  # noqa: I001  (the order in which `--help` lists them)
from diagnose.cli.options import app

__all__ = ["app", "audit", "gap", "listing", "log", "training", "yardstick"]
