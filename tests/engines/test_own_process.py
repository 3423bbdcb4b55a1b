"""A process of ours ends soon, but not before what is due at its end is done and what it has said is out."""

import os
import subprocess
import sys

DUE = """
import atexit, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from diagnose.engines import own_process
own_process.begin()
atexit.register(print, "last")
threading.Thread(target=lambda: (time.sleep(0.3), print("thread"))).start()
ThreadPoolExecutor(1).submit(print, "pool").result()  # never shut down: its thread waits for more
class Held:
    def __del__(self): print("freed")
held = Held()
print("said" * 10_000)
own_process.end(3)
"""


def test_what_is_due_is_done_and_nothing_is_freed_one_by_one():
    done = subprocess.run([sys.executable, "-c", DUE], check=False, capture_output=True, text=True, timeout=60)
    said = done.stdout.split()
    assert sorted(said) == sorted(["said" * 10_000, "thread", "pool", "last"])
    assert said[-1] == "last"
    assert (done.returncode, done.stderr) == (3, "")


def test_a_reader_that_is_gone_is_no_error():
    code = "from diagnose.engines import own_process; print(1); own_process.end(0)"
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdout=pipe, stderr=pipe, env=buffered) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
