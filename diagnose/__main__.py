"""The `diagnose` command; the one place where errors become a line and an exit code."""

from __future__ import annotations

import os
import re
import signal
import sys
from typing import TYPE_CHECKING

from diagnose.engines import own_process
from diagnose.errors import FINDING, INTERRUPTED, DiagnoseError, in_words, is_panic
from diagnose.formatting import is_unicode

if TYPE_CHECKING:
    from types import FrameType

SPINS = "2000"  # of a waiting OpenMP thread: free on an idle machine, and a busy one trains three times as fast
_stopped: list[int] = []  # signals that asked this process to end
NO_MEMORY = re.compile(  # as the loader of libraries, torch, Arrow and the system say it
    r"bad_alloc|failed to map segment|cannot allocate memory|can't allocate memory|(malloc|realloc) of size \d+ failed",
    re.IGNORECASE,
)


def command() -> None:
    """Run `main` in a process of its own, as the installed command does; `python -m diagnose` ends as Python does."""
    own_process.begin()
    try:
        main()
    except SystemExit as ended:
        own_process.end(int(ended.code or 0))


def main() -> None:
    """Run the command line; its end is a SystemExit with a number."""
    for stream in (sys.stdout, sys.stderr):  # a terminal without our letters shows their code points
        if not is_unicode(stream) and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    _spin_briefly()
    _heed_signals()
    try:
        _run()
    except SystemExit as ended:
        own_process.end_beside_others(int(ended.code or 0))
        raise


def _run() -> None:
    """Run a command; its end is a SystemExit with a number."""
    try:
        from diagnose.cli import app

        sys.exit(app(prog_name="diagnose", standalone_mode=False) or 0)
    except DiagnoseError as error:
        _tell(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _tell("stopped")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        _tell(in_words(error))
        sys.exit(FINDING)
    except BaseException as error:  # told apart right below; a panic of a library in Rust is no Exception
        if not (isinstance(error, Exception) or is_panic(error)):
            raise
        sys.exit(_of_other(error))


def _heed_signals() -> None:
    """Take the signals that ask for an end alike: the checkpoint is kept. `nohup` has the second ignored."""
    _stopped.clear()
    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        wanted = getattr(signal, name, None)
        if wanted is not None and signal.getsignal(wanted) is not signal.SIG_IGN:
            signal.signal(wanted, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    """Interrupt the command, as Ctrl-C does."""
    _stopped.append(number)
    signal.default_int_handler(number, frame)


def _spin_briefly() -> None:
    """Set how long idle threads of ours spin; a command of the user's (`--run`) keeps its environment."""
    if not any(arg.partition("=")[0] == "--run" for arg in sys.argv):
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)


def _of_other(error: BaseException) -> int:
    """Print a mistake in the options, a stop, or too little memory as a line; all else is our bug, with traceback."""
    if _stopped:  # a library that was being imported made another error of it
        _tell("stopped")
        return INTERRUPTED
    if isinstance(error, MemoryError) or NO_MEMORY.search(str(error)):
        _tell("there is not enough memory: end other programs, or allow this one more (ulimit -v, a job's --mem)")
        return FINDING
    if is_panic(error):
        _tell(f"a library could not do with its input: {(str(error).splitlines() or ['no reason given'])[0]}")
        return FINDING
    show = getattr(error, "format_message", None)
    code = getattr(error, "exit_code", None)
    if code is None:
        raise error
    if show is not None:
        message = str(show()).strip()
        print(message, file=sys.stderr) if message.startswith("Usage:") else _tell(
            f"{message[:1].lower()}{message[1:]} (see --help)" if message else "see --help"
        )
    return int(code)


def _tell(message: str) -> None:
    from diagnose.formatting import visible

    print(f"diagnose: {visible(message)}", file=sys.stderr)


if __name__ == "__main__":
    main()
