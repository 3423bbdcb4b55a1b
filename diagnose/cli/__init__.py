"""The command line: one thin function per command. It parses, calls one function, renders.

Results go to standard output, everything else to standard error. Heavy imports happen inside the commands.
"""

from diagnose.cli import training, gap, audit, log, listing, explain  # noqa: I001  (the order of `--help`)
from diagnose.cli.options import app

__all__ = ["app", "audit", "explain", "gap", "listing", "log", "training"]
