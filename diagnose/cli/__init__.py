"""The command line: one thin function per command. It parses, calls one function, renders.

Results go to standard output, everything else to standard error. Heavy imports happen inside the commands.
"""

from diagnose.cli import training, gap, yardstick, listing  # noqa: I001  (the order in which `--help` lists their commands)
from diagnose.cli.options import app

__all__ = ["app", "gap", "listing", "training", "yardstick"]
