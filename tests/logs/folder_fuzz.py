"""Mutated folders of trackers: none may end in anything but a record or a `DiagnoseError` of one line.

python tests/logs/folder_fuzz.py [COUNT] [SEED]       400,000 by default, as `make fuzz-logs`
"""

import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

from diagnose.errors import DiagnoseError
from diagnose.logs.judge import judge

WRITTEN = Path(__file__).parent / "tools" / "written"
SPLICES = (
    b"\xff" * 8, b"\0" * 9, b"nan", b"1e999", b"9" * 400, b"{" * 2000, b"-", b"\n", b"\t", b":W&B\xe1\xbe\0",
    b"SQLite format 3\0", b"PK\x03\x04", b'"metricName": ', b'"LogFloats"', b"run_id: x\n",
    b"lifecycle_stage: deleted\n", b"\xe2\x80\xae", b"step\tloss\n",
    b'{"log_history": [', b"\x80\x04", b"\x1f\x8b",
)  # fmt: skip


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return a file's bytes with one to six changes."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(out) + 1)
        match rng.randrange(6):
            case 0:
                del out[at:]
            case 1:
                out[at : at + 1] = rng.randbytes(1)
            case 2:
                out[at:at] = rng.choice(SPLICES)
            case 3:
                out[at:at] = out[at : at + rng.randrange(400)]
            case 4:
                del out[at : at + rng.randrange(50)]
            case 5:
                out[at : at + 8] = rng.randbytes(8)
    return bytes(out)


def tried(folder: Path, rng: random.Random) -> bool:
    """Read a folder with some files changed, then as they were again; return whether it was read (or refused)."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    before = {file: file.read_bytes() for file in rng.sample(files, min(rng.randint(1, 3), len(files)))}
    for file, data in before.items():
        file.write_bytes(mutated(data, rng))
    try:
        judge([folder], run=rng.choice([None, None, "second", "first"])).model_dump(mode="json")
    except DiagnoseError as error:
        said = str(error)
    else:
        return True
    finally:
        for file, data in before.items():
            file.write_bytes(data)
    assert "\n" not in said, f"an error of several lines: {said!r}"
    return False


def fuzz(count: int, seed: int, *, without: tuple[str, ...] = ("aim",)) -> tuple[int, float, int]:
    """Try so many folders; return how many were read, the slowest in seconds, and how memory grew in bytes."""
    rng = random.Random(seed)
    known = [path for path in sorted(WRITTEN.iterdir()) if path.is_dir() and path.name not in without]
    read, failed, slowest, before = 0, 0, 0.0, 0
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as top, warnings.catch_warnings():
        warnings.simplefilter("error")
        folders = [Path(shutil.copytree(source, Path(top) / source.name)) for source in known]
        for k in range(count):
            state, start = rng.getstate(), time.perf_counter()
            folder = rng.choice(folders)
            try:
                read += tried(folder, rng)
            except Exception:  # noqa: BLE001  (whatever it is, it is shown)
                failed += 1
                if failed <= 10:
                    print(f"input {k} of seed {seed}, made from {folder.name} (state {hash(state)})", file=sys.stderr)
                    traceback.print_exc()
            slowest = max(slowest, time.perf_counter() - start)
            if k and k % 10_000 == 0:
                print(f"{k:,} of {count:,}: {read:,} read, slowest {slowest:.3f} s", flush=True)
            if k == count // 10:
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert not failed, f"{failed} inputs ended in an error that is not a DiagnoseError"
    return read, slowest, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


def main() -> None:
    """Try folders and say how it went."""
    count, seed = (int(x) for x in (sys.argv[1:] + ["400000", "0"][len(sys.argv) - 1 :])[:2])
    start = time.perf_counter()
    read, slowest, growth = fuzz(count, seed)
    print(f"{count:,} mutated folders in {time.perf_counter() - start:,.0f} s: {read:,} read, {count - read:,} refused")
    print(f"the slowest took {slowest:.3f} s; memory grew by {growth / 2**20:.1f} MiB after the first tenth")


if __name__ == "__main__":
    main()
