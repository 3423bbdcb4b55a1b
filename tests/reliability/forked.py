"""Commands of `diagnose` in forked children of one process that has imported everything, so that thousands can be run.

A child is as a fresh process is: no command ran in its parent, which has one thread and holds no cache, lock or file.
Workers of an ablation are forked too. `faults.c`, built once, lets the n-th change of a file fail, or kills there.
"""

import ctypes
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LIMIT = 120.0  # seconds of a command, after which it hangs
HIGH = 1000  # the shim's own file descriptors lie from here on


def compiler():
    """Return the system's C compiler; None where there is none, or no LD_PRELOAD."""
    return (shutil.which("cc") or shutil.which("gcc")) if sys.platform.startswith("linux") else None


def built(folder):
    """Build the shim and return where it lies."""
    library = Path(folder) / "faults.so"
    if not library.exists():
        command = [compiler(), "-O1", "-shared", "-fPIC", "-o", str(library), str(HERE / "faults.c"), "-ldl"]
        subprocess.run(command, check=True)
    return library


@dataclass(frozen=True)
class Fault:
    """What is to happen at the n-th change of a file: an error (0: SIGKILL), once or from then on."""

    at: int = 0
    error: int = 0
    sticks: bool = False


@dataclass
class Result:
    """How a command ended: its code (negative: a signal), what it printed, the changes of files that it made."""

    code: int
    out: str
    err: str
    changes: int
    seconds: float
    wall: float
    trace: list[str] = field(default_factory=list)


class Server:
    """The process that forks; see `run`."""

    def __init__(self, library, modules=(), env=None):
        own = {"LD_PRELOAD": str(library), "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}", "OMP_NUM_THREADS": "1",
               "PYTHONWARNINGS": "ignore", "COLUMNS": "200"}  # fmt: skip
        self.scratch = Path(tempfile.mkdtemp(prefix="forked-"))
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(HERE / "forked.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **own, **(env or {})},
        )  # fmt: skip
        self._ask({"import": list(modules)})

    def _ask(self, order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the server is gone"
        return json.loads(line)

    def run(self, args, cwd, *, env=None, under=(), fault=None, traced=False, kill_after=None, **how):
        """Run a command in a folder; `under` are the folders whose changes are counted and may fail.

        More arguments change what it runs in: `umask`, `user`, `files` (that may be open), `clock` (it jumps back
        each time that it was read so often), and `signal`, sent once `when` stands on standard error.
        """
        count, trace = self.scratch / "count", self.scratch / "trace"
        count.write_bytes(bytes(8))
        for name in ("trace", "stdout", "stderr"):
            (self.scratch / name).unlink(missing_ok=True)
        fault = fault or Fault()
        answer = self._ask({
            "args": [str(a) for a in args], "cwd": str(cwd), "env": env or {}, "scratch": str(self.scratch),
            "under": "\n".join(map(str, under)), "at": fault.at, "error": fault.error, "sticks": fault.sticks,
            "trace": str(trace) if traced else "", "kill_after": kill_after, **how,
        })  # fmt: skip
        out, err = (_read(self.scratch / name) for name in ("stdout", "stderr"))
        changes = struct.unpack("q", count.read_bytes())[0]
        lines = trace.read_text(errors="replace").splitlines() if trace.exists() else []
        return Result(answer["code"], out, err, changes, answer["seconds"], answer["wall"], lines)

    def modules(self, args, cwd, env=None):
        """Return the modules that a command imports, to be imported by the next server before it forks."""
        return self._ask({"args": args, "cwd": str(cwd), "env": env or {}, "scratch": str(self.scratch), "under": "",
                          "list": True})["modules"]  # fmt: skip

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)


class ForkedProcess:
    """What `subprocess.Popen` is to `diagnose.engines.local_pool`: a worker, forked."""

    def __init__(self):
        (child_in, own_out), (own_in, child_out) = os.pipe(), os.pipe()
        self.pid = os.fork()
        if not self.pid:
            _become_worker(child_in, child_out)
        os.close(child_in)
        os.close(child_out)
        self.stdin, self.stdout = os.fdopen(own_out, "w", encoding="utf-8"), os.fdopen(own_in, encoding="utf-8")
        self.returncode = None

    def wait(self, timeout=None):
        end = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            with suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, 0 if end is None else os.WNOHANG)
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
                    break
            if self.returncode is None and end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("worker", timeout)
            time.sleep(0.002)
        return self.returncode

    def send_signal(self, number):
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def _become_worker(child_in, child_out):
    from diagnose.engines import worker

    code = 1
    try:
        os.setsid()
        os.dup2(child_in, 0)
        os.dup2(child_out, 1)
        os.closerange(3, HIGH)
        _streams()
        worker.main()
        code = 0
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        os._exit(code)


def _serve():
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: workers whose parent is killed become ours
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        order = json.loads(line)
        if "import" in order:
            _import(order["import"])
            found = {}
        else:
            found = _forked(order)
        answers.write(json.dumps(found) + "\n")
        answers.flush()


def _import(modules):
    import torch

    torch.set_num_threads(1)
    for name in modules:
        with suppress(Exception):
            __import__(name)


def _forked(order):
    begun = time.monotonic()
    pid = os.fork()
    if not pid:
        _command(order)
    after = order.get("kill_after")
    end = begun + (after or LIMIT)
    while True:
        found, status, used = os.wait4(pid, os.WNOHANG)
        if found:
            break
        if order.get("when") and order["when"] in _read(Path(order["scratch"]) / "stderr"):
            os.kill(pid, order["signal"])
            order["when"] = None
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            end = float("inf")
        time.sleep(0.001)
    _await_orphans()
    out = {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": used.ru_utime + used.ru_stime,
        "wall": time.monotonic() - begun,
    }
    if order.get("list"):
        out["modules"] = json.loads((Path(order["scratch"]) / "modules").read_text())
    return out


def _read(path):
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _await_orphans():
    """Wait for the workers of a command that was killed, which stop by themselves."""
    end = time.monotonic() + LIMIT
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) is not None and time.monotonic() < end:
            time.sleep(0.001)


def _command(order):
    """Become the command; never returns."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` would have it ignored
        os.chdir(order["cwd"])
        os.environ.update(order["env"])
        _redirect(Path(order["scratch"]))
        sys.argv = ["diagnose", *order["args"]]
        _change_surroundings(order)
        code = _main(order)
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _change_surroundings(order):
    import resource

    if order.get("umask") is not None:
        os.umask(order["umask"])
    if order.get("files"):
        resource.setrlimit(resource.RLIMIT_NOFILE, (order["files"], order["files"]))
    if order.get("clock"):
        ctypes.CDLL(None).fault_clock(order["clock"])
    if order.get("user"):
        os.setgroups([])
        os.setgid(order["user"])
        os.setuid(order["user"])


def _redirect(scratch):
    for number, name in ((0, None), (1, "stdout"), (2, "stderr")):
        file = (
            os.open(scratch / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
            if name
            else os.open("/dev/null", 0)
        )
        os.dup2(file, number)
        os.close(file)
    _streams()


def _streams():
    """Make Python's streams anew over the descriptors 0, 1 and 2."""
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115


def _main(order):
    from diagnose import __main__
    from diagnose.engines import local_pool

    local_pool._process = lambda *_: ForkedProcess()
    if order["under"]:
        arm = ctypes.CDLL(None).fault_arm
        arm.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_long, ctypes.c_int, ctypes.c_int, ctypes.c_char_p]
        arm(order["under"].encode(), f"{order['scratch']}/count".encode(), order["at"], order["error"],
            int(order["sticks"]), order["trace"].encode())  # fmt: skip
    try:
        __main__.main()
    except SystemExit as error:
        if order.get("list"):
            (Path(order["scratch"]) / "modules").write_text(json.dumps(sorted(sys.modules)))
        return error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    return 0


if __name__ == "__main__":
    sys.modules["forked"] = sys.modules["__main__"]
    _serve()
