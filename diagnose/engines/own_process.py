"""How a process that is ours alone begins and ends: without the time that Python takes to look for garbage.

Importing torch makes a million objects, none of them garbage, which Python would look through again and again; and
at a process's end it frees each of them, for a second, before the system takes back all memory anyway.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn

OBJECTS = 100_000  # that are made before garbage is looked for; Python's 700 are for small programs


def begin() -> None:
    """Look for garbage less often."""
    gc.set_threshold(OBJECTS)


def end(code: int) -> NoReturn:
    """End this process with an exit code once its threads and what is due at its end are done."""
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as `multiprocessing` ends a process
    atexit._run_exitfuncs()  # noqa: SLF001 - the same; there are no public names
    _end_at_once(code)


def end_beside_others(code: int) -> None:
    """End this process at once where it has joined others: taken down normally, gloo's threads abort now and then."""
    joined = sys.modules.get("torch.distributed")
    if joined is not None and joined.is_available() and joined.is_initialized():
        _end_at_once(code)


def _end_at_once(code: int) -> NoReturn:
    """Let nothing but what this process has said go out."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # nobody reads it any more; closed; there is none
            stream.flush()
    os._exit(code)
