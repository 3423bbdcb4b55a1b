# ruff: noqa: E501
"""What reading a long log costs: python benchmarks/log_speed.py [MEGABYTES] [KIND ...]; 100 MB of every kind unless told.

Writes a log of each kind into a temporary folder, reads it in a process of its own as `diagnose log` does, and prints
that process's CPU seconds and peak memory, without what importing costs. A file is removed once it is read. With 2000
megabytes it is the test of streaming: memory has to stay where it was at 100.
"""

import json
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

AT_ONCE = 1000  # records written at a time
EPOCH = 1000  # steps of an epoch
READ = """
import resource, sys
from pathlib import Path
import diagnose.logs.folders
from diagnose.errors import DiagnoseError
from diagnose.logs.judge import judge
diagnose.logs.folders.trackers()
before = resource.getrusage(resource.RUSAGE_SELF)
record = judge([Path(sys.argv[1])])
after = resource.getrusage(resource.RUSAGE_SELF)
seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(record.points.train, record.points.val, record.points.pairs, seconds, after.ru_maxrss, before.ru_maxrss)
"""


def losses(k):
    """Return a training and a validation loss that fall and scatter."""
    scatter = (k * 7919 % 1000) / 10_000
    return 1 + 30 / (k + 10) + scatter, 1.1 + 30 / (k + 10) + (k * 104_729 % 1000) / 10_000


def clock(k):
    return f"{k // 3600 % 24:02d}:{k // 60 % 60:02d}:{k % 60:02d}"


def plain(k):
    return "step {}: train loss {:.4f}, val loss {:.4f}\n".format(k, *losses(k))


def logger(k):
    train, val = losses(k)
    return f"2026-11-28 {clock(k)},{k % 1000:03d} - trainer - INFO - epoch {k // EPOCH} step {k} | loss {train:.4f} | val_loss {val:.4f}\n"


def key_value(k):
    train, val = losses(k)
    return f"step={k} train_loss={train:.4f} val_loss={val:.4f} lr={3e-4:.2e} grad_norm={train / 2:.3f}\n"


def chatter(k):
    note = "saved a checkpoint to out; the text goes on and on\n" * 8
    return plain(k) + note if k % 10 else plain(k) + f"the model says {k} times that it was the best of times\n" * 4


def bar(k, shows):
    at = k % EPOCH
    if not at:
        return "\n"
    done = "\u2588" * (at // 100)
    return f"\rEpoch {k // EPOCH}: {at // 10:3d}%|{done:10s}| {at}/{EPOCH} [00:{at // 20:02d}<00:{(EPOCH - at) // 20:02d}, {20 + at % 7}.5it/s, {shows}]"


def tqdm_bar(k):
    train, val = losses(k)
    end = f"\nepoch {k // EPOCH} train loss {train:.4f} val loss {val:.4f}" if k % EPOCH == EPOCH - 1 else ""
    return bar(k, f"loss={train:.4f}") + end


def lightning_bar(k):
    train, val = losses(k)
    return bar(k, f"v_num=0, train_loss={train:.3f}, val_loss={val:.3f}")


def julia(k):
    train, val = losses(k)
    return f"epoch {k // EPOCH} step {k}: train_loss = {train:.5f}f0, val_loss = {val:.5f}f0\n"


def side_table(k):
    train, val = losses(k)
    before = f"2026-11-28 {clock(k)},{k % 1000:03d} - INFO - tensorboard_writer - "
    rows = (f"accuracy   |     0.{100 + k % 900}  |     0.512", f"loss       |     {train:.3f}  |     {val:.3f}")
    return f"{before}Epoch {k}/9999999\n{before}                 Training |  Validation\n" + "".join(
        f"{before}{row}\n" for row in rows
    )


def rich_log(k):
    train, val = losses(k)
    rest = (
        f"{'':29}loss {train:.4f}, validation loss             \n{'':29}{val:.4f}, lr 0.001                         \n"
    )
    return f"[11/28/26 {clock(k)}] INFO     Step {k} is done: training     run.py:214\n{rest}"


def python_list(k):
    train, val = losses(k)
    return f"{{'epoch': {k}, 'train_loss': {train:.4f}, 'val_loss': {val:.4f}, 'acc': 0.5}},\n"


def keras_bar(k):
    at, (train, val) = k % EPOCH + 1, losses(k)
    epoch = f"Epoch {k // EPOCH + 1}/1000000\n" if at == 1 else ""
    end = f" - val_loss: {val:.4f}\n" if at == EPOCH else ""
    return f"{epoch}\r{at:4d}/{EPOCH} [{'=' * (at // 50):20s}] - ETA: {(EPOCH - at) // 20}s - loss: {train:.4f}{end}"


def hf_dict(k):
    train, val = losses(k)
    if k % 10:
        return f"{{'loss': {train:.4f}, 'grad_norm': {train / 2:.6f}, 'learning_rate': {5e-5:.4e}, 'epoch': {k / EPOCH:.2f}}}\n"
    return f"{{'eval_loss': {val:.6f}, 'eval_runtime': 1.2345, 'eval_samples_per_second': 810.1, 'epoch': {k / EPOCH:.2f}}}\n"


def boosting(k):
    return "[{}]\ttrain-rmse:{:.5f}\tvalidation-rmse:{:.5f}\n".format(k, *losses(k))


def table(k):
    train, val = losses(k)
    return f"{k:<10d}{train:<11.6f}{val:<11.6f}00:01\n"


def markdown(k):
    train, val = losses(k)
    return f"| {train:.4f} | {k / EPOCH:.2f} | {k} | {val:.4f} |\n"


def csv_row(k):
    return "{},{:.6f},{:.6f}\n".format(k, *losses(k))


def csv_long(k):
    train, val = losses(k)
    return f"{k},{'train' if k % 2 else 'val'},{train if k % 2 else val:.6f}\n"


def csv_sparse(k):
    train, val = losses(k)
    return f"{k // EPOCH},{k},{train:.6f},\n" if k % 10 else f"{k // EPOCH},{k},,{val:.6f}\n"


def json_line(k):
    train, val = losses(k)
    return json.dumps({"step": k, "loss": round(train, 4), "eval_loss": round(val, 4), "lr": 3e-4}) + "\n"


def trainer_state(k):
    train, val = losses(k)
    record = {"epoch": k / EPOCH, "step": k} | ({"loss": round(train, 4)} if k % 10 else {"eval_loss": round(val, 4)})
    return ",\n" + json.dumps(record, indent=2)


def decimal_comma(k):
    train, val = losses(k)
    return f"Schritt {k}: Trainingsverlust {train:.4f}, Validierungsverlust {val:.4f}\n".replace(".", ",")


def mindspore(k):
    train, val = losses(k)
    end = f"{{'Accuracy': 0.512, 'loss': {val:.6f}}}\n" if k % EPOCH == EPOCH - 1 else ""
    return f"epoch: {k // EPOCH + 1} step: {k % EPOCH + 1}, loss is {train:.6f}\n{end}"


def absl(k):
    train, val = losses(k)
    before = f"I1002 {clock(k)}.805023 139917864867392 logging_writer.py:48] [{k}] "
    return f"{before}steps_per_second=1.7, train_loss={train:.6f}\n{before}eval_accuracy=0.5, eval_loss={val:.6f}\n"


def coqui(k):
    train, val = losses(k)
    first = f"\n > EPOCH: {k // EPOCH}/100000\n > TRAINING (2026-11-28 {clock(k)})\n" if k % EPOCH == 1 else ""
    end = f"\n > EVALUATION\n\n  --> EVAL PERFORMANCE\n     | > avg_loss: {val:.5f} (-0.1)\n" if k % EPOCH == 0 else ""
    return (
        f"{first}   --> STEP: {k % EPOCH}/{EPOCH} -- GLOBAL_STEP: {k}\n     | > loss: {train:.5f}  ({train:.5f})\n{end}"
    )


def letters(k):
    return "epoch {} [T] loss {:.4f} [V] loss {:.4f}\n".format(k, *losses(k))


def names_behind(k):
    return "epoch {}: {:.4f}, {:.4f} (train loss, val loss)\n".format(k, *losses(k))


def pairs_of_words(k):
    return "epoch {} fit loss {:.4f} / check loss {:.4f}\n".format(k, *losses(k))


def literal_ends(k):
    return "step {}: train loss {:.4f}, val loss {:.4f}\\n".format(k, *losses(k)) + "\n" * (k % 10 == 0)


def wrapped_message(k):
    return json.dumps({"level": "info", "ts": k, "msg": plain(k).strip()}) + "\n"


def record_of_list(k):
    train, val = losses(k)
    return f'{{"step": {k}, "train_loss": {train:.4f}, "val_loss": {val:.4f}}},\n'


def list_of_floats(k):
    return f"{losses(k)[0]:.4f}, "


TEXT = {  # what begins a log, each of its records, what ends it
    "plain lines": ("", plain, ""),
    "lines of a logger": ("", logger, ""),
    "key=value lines": ("", key_value, ""),
    "mostly other text": ("", chatter, ""),
    "tqdm bars": ("", tqdm_bar, ""),
    "Lightning bars": ("", lightning_bar, ""),
    "Keras bars": ("", keras_bar, ""),
    "HF dictionaries": ("", hf_dict, ""),
    "boosting": ("", boosting, ""),
    "Julia's floats": ("", julia, ""),
    "table of sides": ("", side_table, ""),
    "wrapped by rich": ("", rich_log, ""),
    "decimal commas": ("", decimal_comma, ""),
    "MindSpore": ("", mindspore, ""),
    "absl's prefix": ("", absl, ""),
    "Coqui": ("", coqui, ""),
    "letters for sides": ("", letters, ""),
    "names behind values": ("", names_behind, ""),
    "fit and check": ("", pairs_of_words, ""),
    "literal line ends": ("", literal_ends, ""),
    "messages in JSON": ("", wrapped_message, ""),
    "records within JSON": ('{"config": {"lr": 0.1}, "log": [', record_of_list, '{"step": 0}]}'),
    "list of a history": ('{"val_loss": [2.5, 2.4], "loss": [', list_of_floats, "1.0]}"),
    "list as Python shows it": ("[", python_list, "]"),
    "fastai table": ("epoch     train_loss  valid_loss  time\n", table, ""),
    "Markdown table": ("| Training Loss | Epoch | Step | Validation Loss |\n|:--:|:--:|:--:|:--:|\n", markdown, ""),
    "CSV": ("step,train_loss,val_loss\n", csv_row, ""),
    "long CSV": ("step,split,loss\n", csv_long, ""),
    "Lightning CSV": ("epoch,step,train_loss,val_loss\n", csv_sparse, ""),
    "JSON lines": ("", json_line, ""),
    "trainer_state.json": ('{"log_history": [{}', trainer_state, "]}"),
}  # fmt: skip


def write_text(path, kind, size):
    begin, record, end = TEXT[kind]
    with path.open("w", encoding="utf-8") as file:
        file.write(begin)
        k = 1
        while file.tell() < size:
            file.write("".join(record(j) for j in range(k, k + AT_ONCE)))
            k += AT_ONCE
        file.write(end)
    return path


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def message(field, data):
    """Return a field of a protocol buffer that holds bytes."""
    return varint(field << 3 | 2) + varint(len(data)) + data


def framed(bodies, at, header, block=1 << 15):
    """Return records in LevelDB's blocks; `at` is where in the file they begin."""
    out = bytearray(header)
    for body in bodies:
        first, rest = True, body
        while first or rest:
            room = block - (at + len(out)) % block
            if room < 7:
                out += bytes(room)
                continue
            part, rest = rest[: room - 7], rest[room - 7 :]
            kind = {(True, True): 1, (True, False): 2, (False, False): 3, (False, True): 4}[first, not rest]
            out += struct.pack("<IHB", zlib.crc32(bytes([kind]) + part), len(part), kind) + part
            first = False
    return bytes(out)


def write_wandb(path, size):
    def history(k):
        train, val = losses(k)
        values = {
            "train/loss": train,
            "val/loss": val,
            "lr": 3e-4,
            "_step": k,
            "_runtime": k / 7,
            "_timestamp": 1.7e9 + k / 7,
        }
        items = b"".join(
            message(1, message(2, name.encode()) + message(16, repr(value).encode())) for name, value in values.items()
        )
        return varint(1 << 3) + varint(k) + message(2, items + message(2, b"\x08" + varint(k)))

    return write_framed(path, size, b":W&B\xe1\xbe\x00", history)


def write_swanlab(path, size):
    def scalar(k):
        name = b"train/loss" if k % 2 else b"val/loss"
        value = message(5, b"\x09" + struct.pack("<d", losses(k)[k % 2 == 0]))
        return message(13, message(1, name) + b"\x10" + varint(k // 2) + value)

    return write_framed(path, size, b":SWL\xd6\xe1\x02", scalar)


def write_framed(path, size, header, record):
    with path.open("wb") as file:
        k = 1
        while file.tell() < size:
            file.write(framed([record(j) for j in range(k, k + AT_ONCE)], file.tell(), header if k == 1 else b""))
            k += AT_ONCE
    return path


def write_events(path, size):
    """Write event files as TensorBoard does, with checksums by a library (`google-crc32c`, or our own slow one)."""
    from diagnose.logs.events import checksum

    def record(k):
        name = b"loss/train" if k % 2 else b"loss/val"
        value = message(1, message(1, name) + b"\x15" + struct.pack("<f", losses(k)[k % 2 == 0]))
        data = b"\x09" + struct.pack("<d", 1.7e9 + k) + b"\x10" + varint(k // 2) + message(5, value)
        head = struct.pack("<Q", len(data))
        return head + struct.pack("<I", checksum(head)) + data + struct.pack("<I", checksum(data))

    path = path.with_name("events.out.tfevents.1.host")
    with path.open("wb") as file:
        some = b"".join(record(k) for k in range(1, 20_001))
        while file.tell() < size:
            file.write(some)
    return path


def write_mlflow(path, size):
    run = path / "1" / "a1b2"
    (run / "metrics").mkdir(parents=True)
    (run / "meta.yaml").write_text("run_id: a1b2\nrun_name: one\nlifecycle_stage: active\n")
    for which, name in enumerate(("train_loss", "val_loss")):
        with (run / "metrics" / name).open("w") as file:
            k = 1
            while file.tell() < size / 2:
                file.write("".join(f"{1_700_000_000_000 + j} {losses(j)[which]} {j}\n" for j in range(k, k + AT_ONCE)))
                k += AT_ONCE
    return path


def write_trackio(path, size):
    import sqlite3

    path = path.with_suffix(".db")
    base = sqlite3.connect(path)
    base.execute(
        "CREATE TABLE metrics (id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT)"
    )
    k = 1
    while path.stat().st_size < size:
        rows = [
            ("2026-11-28T10:00:00", "one", j, json.dumps(dict(zip(("train_loss", "val_loss"), losses(j), strict=True))))
            for j in range(k, k + 20 * AT_ONCE)
        ]
        base.executemany("INSERT INTO metrics (timestamp, run_name, step, metrics) VALUES (?, ?, ?, ?)", rows)
        base.commit()
        k += 20 * AT_ONCE
    base.close()
    return path


OTHERS = {
    "W&B": write_wandb, "SwanLab": write_swanlab, "TensorBoard": write_events, "MLflow": write_mlflow,
    "Trackio": write_trackio,
}  # fmt: skip


def measured(kind, size, folder):
    """Write a log, read it, remove it; return (training values, validation values, pairs, CPU seconds, peak, base)."""
    path = Path(folder) / "log"
    path = write_text(path, kind, size) if kind in TEXT else OTHERS[kind](path, size)
    run = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"{kind}: {run.stderr}")
    return run.stdout.split()


def main():
    size = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else 100_000_000
    print(
        f"{size / 1e6:,.0f} MB of each\n\n| kind | training values | validation values | pairs | CPU s | peak MiB | of that before |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for kind in sys.argv[2:] or [*TEXT, *OTHERS]:
        with tempfile.TemporaryDirectory() as folder:
            train, val, pairs, seconds, peak, base = measured(kind, size, folder)
        counts = " | ".join(f"{int(n):,}" for n in (train, val, pairs))
        print(
            f"| {kind} | {counts} | {float(seconds):.1f} | {int(peak) / 1024:.0f} | {int(base) / 1024:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
