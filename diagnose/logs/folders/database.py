"""SQLite databases of trackers, opened to be read alone and with bounds on size and time."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from diagnose.errors import DiagnoseError
from diagnose.formatting import visible
from diagnose.logs.folders.plain_files import file_head
from diagnose.logs.source import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"SQLite format 3\0"
MOST_TEXT = 1 << 20  # bytes of a field
MOST_COPIED = 1 << 30  # bytes of a database whose last writes lie in a file of their own, and which is copied for it
OPERATIONS = 1_000_000  # of SQLite's machine, after each of which its time is counted
MOST_COUNTED = 5_000  # times that they are


def is_database(path: Path) -> bool:
    """Say whether a file is an SQLite database."""
    return path.is_file() and file_head(path) == MAGIC


@contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database so that nothing of it is changed and no code in it runs.

    Raises:
        DiagnoseError: it is damaged, or asks for more time than a log needs.
    """
    try:
        with _with_last_writes(path) as uri:
            base = sqlite3.connect(uri, uri=True)
            try:
                _bounded(base)
                yield base
            finally:
                base.close()
    except (sqlite3.Error, OverflowError, UnicodeError) as error:
        reason = " ".join(visible(str(error)).split())[:200]
        raise DiagnoseError(f"{shown(path)} cannot be read as a database: {reason}") from None
    except OSError as error:
        raise DiagnoseError(f"{shown(path)} cannot be read: {error.strerror or error}") from None


@contextmanager
def _with_last_writes(path: Path) -> Iterator[str]:
    """Give how the database is opened; one with a write-ahead log is copied together with it, and the copy opened."""
    log = path.with_name(f"{path.name}-wal")
    if log.is_symlink() or not log.is_file() or not log.stat().st_size:
        yield f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
        return
    if path.stat().st_size + log.stat().st_size > MOST_COPIED:
        raise DiagnoseError(
            f"{shown(path)} is being written and too large to copy; close the tool that writes it first"
        )
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        shutil.copyfile(path, copy)
        shutil.copyfile(log, copy.with_name("copy.db-wal"))
        yield f"file:{quote(str(copy))}"


def _bounded(base: sqlite3.Connection) -> None:
    base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1 << 24)
    base.text_factory = lambda data: data[:MOST_TEXT].decode("utf-8", "replace")
    for setting in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "mmap_size=0"):
        base.execute(f"PRAGMA {setting}")
    counted = 0

    def over() -> bool:
        nonlocal counted
        counted += 1
        return counted > MOST_COUNTED

    base.set_progress_handler(over, OPERATIONS)


def has_metrics(path: Path, columns: set[str]) -> bool:
    """Say whether a file is a database whose plain table of metrics has these columns."""
    if not is_database(path):
        return False
    with read_only(path) as base:
        return columns_of(base, "metrics") >= columns


def columns_of(base: sqlite3.Connection, table: str) -> set[str]:
    """Return the columns of a plain table, none where there is no such table (a view is none)."""
    plain = base.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? AND sql LIKE 'CREATE TABLE%'", (table,)
    ).fetchone()
    return {row[0] for row in base.execute("SELECT name FROM pragma_table_info(?)", (table,))} if plain else set()
