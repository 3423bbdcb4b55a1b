"""Reading a log, whatever wrote it: the format is told from the content, and every reader is bounded in memory."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError, nearest, nearest_file
from diagnose.logs import folders, no_log, source
from diagnose.logs.document import read_document
from diagnose.logs.events import is_events, read_events
from diagnose.logs.line_labels import of_page
from diagnose.logs.messages import read_records
from diagnose.logs.names import meaning
from diagnose.logs.notebook import page_lines
from diagnose.logs.numbered import by_number, read_numbered
from diagnose.logs.series import Log, placed_row
from diagnose.logs.table import Records, read_csv, separator
from diagnose.logs.table_fields import json_of
from diagnose.logs.text import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any, BinaryIO

    from diagnose.logs.folders.plain_files import FolderRun
    from diagnose.logs.kept_columns import Columns

FORMATS = ("text", "csv", "jsonl", "json", "tensorboard")
JSON_ON_PAGE = (b"| {", b"| [")  # how a page that has a cell for each line shows a document
ROLES = ("train", "val", "step", "epoch", "seconds")


def parse_columns(given: str | None) -> Columns:
    """Return what `--columns train=a,val=b,step=c` says. Raises DiagnoseError where it is no such list."""
    out: Columns = {}
    for part in (given or "").split(","):
        role, sign, name = part.partition("=")
        role = role.strip()
        if not part.strip():
            continue
        if not sign or not name.strip():
            raise DiagnoseError(
                f"--columns wants role=name, as train=loss,val=val_loss,step=step; {part.strip()!r} is none"
            )
        if role not in ROLES:
            raise DiagnoseError(f"--columns: {role!r} is no role{nearest(role, ROLES)}")
        out[role] = name.strip()
    return out


def read(paths: list[Path], fmt: str | None = None, columns: Columns | None = None, run: str | None = None) -> Log:
    """Read the files of one log; several are parts of one run, in their order: as `read_each`, then `whole`."""
    return whole(read_each(paths, fmt, columns, run), paths)


def read_each(
    paths: list[Path], fmt: str | None = None, columns: Columns | None = None, run: str | None = None
) -> list[Log]:
    """Read files.

    Args:
        paths: files, or folders of a tracker.
        fmt: one of `FORMATS`; told from the content where None.
        columns: names of the values to take, by role.
        run: which run of a folder.

    Raises:
        DiagnoseError: a file cannot be read, or is of no format that holds a log.
    """
    if fmt is not None and fmt not in FORMATS:
        raise DiagnoseError(f"--format {fmt} is unknown{nearest(fmt, FORMATS)}")
    twice = next((path for k, path in enumerate(paths) if path.resolve() in [p.resolve() for p in paths[:k]]), None)
    if twice is not None:
        raise DiagnoseError(f"{source.shown(twice)} is given twice: two runs that are one would seem to agree")
    taken = columns or {}
    tracked = [path for path in paths if _is_tracked(path, fmt)]
    if run is not None and not tracked:
        raise DiagnoseError("--run names a run of a folder, and no folder or database of a tracker is given")
    return [_folder(path, run, taken) if path in tracked else _read(path, _side(path), fmt, taken) for path in paths]


def whole(logs: list[Log], paths: list[Path]) -> Log:
    """Return the parts of one run as one log."""
    if len(logs) > 1:
        apart = len({path.parent for path in paths}) > 1
        for log, path in zip(logs, paths, strict=True):
            _sided(log, meaning(path.stem).side or (apart and meaning(path.parent.name).side) or "")
    for log in logs[1:]:
        _join(logs[0], log)
    return logs[0]


def _is_tracked(path: Path, fmt: str | None) -> bool:
    """Say whether a path is a folder, or a file that only a tracker's reader knows."""
    if not path.exists():
        raise DiagnoseError(f"{source.shown(path)} does not exist{_instead(path)}")
    if path.is_dir():
        return True
    return fmt is None and path.is_file() and folders.is_tracked(path)


def _instead(path: Path) -> str:
    """Return what is to be given in the place of a file that does not exist."""
    if str(path) == "-":
        return ": a pipe is not read; write what it gives into a file first"
    if path.parts[0].endswith(":") and len(path.parts[0]) > 2:  # "https:", behind which one of two strokes is left
        return ": an address is not fetched; save what is there into a file first"
    return nearest_file(path)


def _folder(path: Path, run: str | None, columns: Columns) -> Log:
    """Return the log of a folder's run."""
    return folders.chosen(path, run, lambda tracked: _run(tracked, columns))


def _run(run: FolderRun, columns: Columns) -> Log:
    if run.fill is not None:
        records = Records(Log(run.format, run.tracker), columns)
        run.fill(records)
        return records.log
    logs = [_before(_read(path, before, None, columns), before) for path, before in run.parts]
    return whole(logs, [path for path, _ in run.parts])


def _before(log: Log, before: str) -> Log:
    """Return a table's log with what its names begin with; those of event files have it already."""
    if before and log.format != "tensorboard":
        for name in list(log.series):
            log.rename(name, f"{before}{name}")
    return log


def _side(path: Path) -> str:
    """Return what the names of a single event file begin with: its folder may say the side."""
    return f"{path.parent.name}/" if meaning(path.parent.name).side and "tfevents" in path.name else ""


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Say which file an error is of."""
    try:
        yield
    except DiagnoseError as error:
        text = str(error)
        name = source.shown(path)
        raise DiagnoseError(text if name in text else f"{name}: {text}", exit_code=error.exit_code) from None


def _read(path: Path, before: str, fmt: str | None, columns: Columns) -> Log:
    with _named(path):
        head = source.head_of(path)
        if fmt is None:
            no_log.refuse_page(head)
        log = _of_kind(path, head, before, fmt, columns)
        if fmt is None and not columns:
            no_log.refuse_source(path, head, log)
        return log


def _of_kind(path: Path, head: bytes, before: str, fmt: str | None, columns: Columns) -> Log:
    kind = fmt or detect(head)
    if kind == "tensorboard" and not is_events(head):
        raise DiagnoseError("it is no TensorBoard file: its first frame is damaged")
    with source.opened(path) as file:
        if kind == "tensorboard":
            log = Log("tensorboard", "TensorBoard")
            read_events(file, path, log, before)
            return log
        if kind == "json":
            return read_document(source.texts(file, path), columns)
        if kind in ("text", "csv") and by_number(columns):
            return read_numbered((line for line, _ in source.lines(file, path)), columns)
        if kind == "text":
            return _text(file, path, head, columns)
        plain = (line for line, _ in source.lines(file, path, source.MOST_RECORD))
        log = read_csv(plain, columns, path.stem) if kind == "csv" else read_records(plain, columns)
    return log if fmt or kind != "csv" or columns or _has_losses(log) else _as_text(path, log)


def _text(file: BinaryIO, path: Path, head: bytes, columns: Columns) -> Log:
    """Return the log of a text, or of what a page shows of one."""
    if head.lstrip().startswith(JSON_ON_PAGE):
        return read_document((f"{of_page(line)}\n" for line, _ in source.lines(file, path)), columns)
    if _is_page(head):
        return read_text(page_lines(source.texts(file, path)), columns)
    return read_text(source.lines(file, path), columns)


def _as_text(path: Path, table: Log) -> Log:
    """Return the log of a text that begins as a table does; the table where the text has no losses either."""
    with source.opened(path) as file:
        log = read_text(source.lines(file, path))
    return log if _has_losses(log) else table


def _has_losses(log: Log) -> bool:
    return bool(log.runs) or any(meaning(name).kind for name in log.series)


def detect(head: bytes) -> str:
    """Return the format that a file's first bytes show.

    Raises:
        DiagnoseError: they are of no text and of no format that is known.
    """
    if is_events(head):
        return "tensorboard"
    encoding = source.UTF16.get(head[:2], "utf-8-sig")
    text = head.decode(encoding, "replace")
    if sum(text.count(sign) for sign in ("\0", "\ufffd")) > 0.2 * len(text):
        raise DiagnoseError(f"it is binary, and no event file of TensorBoard; formats are {', '.join(FORMATS)}")
    lines = [line for line in text.splitlines() if line.strip()][:3]
    first = lines[0].lstrip() if lines else ""
    record = json_of(lines[0]) if first.startswith("{") else None
    if isinstance(record, dict) and (len(lines) > 1 or not _is_history(record)):
        return "jsonl"
    if first.startswith(("{", "[")) and _opens_json(text):
        return "json"
    return "csv" if len(lines) > 1 and _is_table(lines) else "text"


def _is_page(head: bytes) -> bool:
    """Say whether a text is a table in HTML."""
    start = head.lstrip()[:2000].lower()
    return start.startswith(b"<") and b"<table" in start


def _is_table(lines: list[str]) -> bool:
    import csv

    try:
        return separator(lines[0], lines[1]) is not None
    except csv.Error:
        return False


def _is_history(record: dict[str, Any]) -> bool:
    """Say whether a file's one record holds all of a log, and not one print of it."""
    return "log_history" in record or any(isinstance(value, list | dict) for value in record.values())


def _opens_json(text: str) -> bool:
    """Say whether a text that begins with a bracket goes on as JSON does, and not as "[rank 0] loss 1"."""
    rest = text.lstrip()[1:].lstrip().removeprefix("[").lstrip()
    return rest[:1] in ('"', "{", "}") or (text.lstrip()[:1] == "[" and rest[:1] == "{")


def _sided(log: Log, side: str) -> None:
    """Give the losses of one of several files the side that its name says, or its folder's, where they have none."""
    sides = {meaning(name).side for name in log.series}
    if not side or sides - {"", side}:
        return
    for name in [name for name in log.series if not meaning(name).side]:
        log.rename(name, f"{side}/{name}")


def _join(whole: Log, more: Log) -> None:
    """Add the series of another file; places go on behind what there was."""
    base = whole.rows
    for name, series in more.series.items():
        for place, *at, value in series.table().tolist():
            whole.rows = base + int(place) - 1
            whole.add(placed_row({name: value}, at))
        if name in whole.series:
            whole.series[name].broken += series.broken
    whole.rows = base + more.rows
    whole.headings += [(place + base, text) for place, text in more.headings]
    whole.titles += [(place + base, text) for place, text in more.titles]
    whole.bad += more.bad
    whole.tuples += more.tuples
    whole.lent |= more.lent
    whole.of_all_steps |= more.of_all_steps
    whole.unclear |= more.unclear
    whole.runs += more.runs
    whole.notes += [note for note in more.notes if note not in whole.notes]
    whole.facts |= more.facts
    whole.tool = whole.tool or more.tool
