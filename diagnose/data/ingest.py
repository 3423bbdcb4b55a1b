"""Taking documents into the cache: files, folders and the bundled corpus, in bounded memory."""

from __future__ import annotations

import json
import warnings
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diagnose.data.cache import digest
from diagnose.data.readers import CHUNK, read
from diagnose.errors import DiagnoseError, nearest_file

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = 1  # of a corpus in the cache; part of its key


class Writer:
    """Puts documents into a folder of the cache as they come; a `diagnose.data.readers.Sink`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.is_open = False
        self.documents = self.size = 0
        self._sources: list[tuple[str, int]] = []
        self._held: list[bytes] = []
        self._held_size = 0
        self._ends: list[int] = []
        self._begun: list[int] = []
        self._hash = blake2b(digest_size=16)
        self._text = (folder / "text.bin").open("wb")
        self._offsets = (folder / "offsets.bin").open("wb")
        self._lines = (folder / "lines.bin").open("wb")
        self._offsets.write(bytes(8))

    def source(self, name: str) -> None:
        """Name the file or chapter that the next documents come from."""
        self._sources.append((name, self.documents))

    def begin(self, line: int) -> None:
        """Begin a document found at that line."""
        self.is_open = True
        self._begun.append(line)

    def extend(self, data: bytes) -> None:
        """Add to the open document."""
        self._held.append(data)
        self._held_size += len(data)
        if self._held_size > CHUNK:
            self._flush()

    def end(self) -> None:
        """End the open document."""
        self.is_open = False
        self.documents += 1
        self._ends.append(self.size + self._held_size)

    def _flush(self) -> None:
        data = b"".join(self._held)
        self._text.write(data)
        self._hash.update(data)
        self._offsets.write(np.array(self._ends, np.int64).tobytes())
        self._lines.write(np.array(self._begun, np.int64).tobytes())
        self.size += len(data)
        self._held, self._held_size, self._ends, self._begun = [], 0, [], []

    def close(self) -> None:
        """Write what is held, and what the documents are."""
        self._flush()
        for file in (self._text, self._offsets, self._lines):
            file.close()
        (self.folder / "sources.json").write_text(json.dumps(self._sources), encoding="utf-8")
        (self.folder / "text.hash").write_text(self._hash.hexdigest(), encoding="utf-8")


def existing(given: str) -> Path:
    """Return the file or folder that a recipe names. Raises DiagnoseError where there is none."""
    if not given:
        raise DiagnoseError('data.corpus = "file" needs data.path, the file or folder to read')
    path = Path(given).expanduser().absolute()
    try:
        if path.is_file() or path.is_dir():
            return path
        exists = path.exists()
    except (OSError, ValueError) as error:
        raise DiagnoseError(f"{given!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if exists:
        raise DiagnoseError(f"{given} is neither a file nor a folder")
    raise DiagnoseError(f"{given} does not exist{nearest_file(path)}")


def _files(path: Path) -> list[Path]:
    """Return the files of a folder, in the order of their names, without hidden ones."""
    if not path.is_dir():
        return [path]
    try:
        files = [file for file in path.rglob("*") if file.is_file()]
    except OSError as error:
        raise DiagnoseError(f"{path} cannot be read: {error.strerror}") from None
    names = [file.relative_to(path) for file in files]
    seen = sorted(n.as_posix() for n in names if not any(part.startswith(".") for part in n.parts))
    if not seen:
        raise DiagnoseError(f"the folder {path} holds no files")
    return [path / name for name in seen]


def source_key(path: Path, documents: str) -> str:
    """Return a key that changes with the files: with their names, sizes and times of change."""
    try:
        stats = [(str(file), file.stat()) for file in _files(path)]
    except OSError as error:
        raise DiagnoseError(f"{path} cannot be read: {error.strerror}") from None
    identity = [(name, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino) for name, s in stats]
    return digest("corpus", FORMAT, documents, identity)


def write_files(folder: Path, path: Path, documents: str) -> None:
    """Write a file's or a folder's documents, labelled by file and line.

    Raises:
        DiagnoseError: it cannot be read, is no text, holds none, or changes meanwhile.
    """
    writer = Writer(folder)
    before = source_key(path, documents)
    try:
        for file in _files(path):
            writer.source(file.name if file == path else file.relative_to(path).as_posix())
            read(file, documents, writer)
    finally:
        writer.close()
    if not writer.documents:
        blank = any(file.stat().st_size for file in _files(path))
        raise DiagnoseError(f"{path} holds nothing but blank lines" if blank else f"{path} is empty")
    if source_key(path, documents) != before:
        raise DiagnoseError(f"{path} changed while it was read; try again")


def bible_verses() -> Iterator[tuple[int, str]]:
    """Yield the bundled corpus: a verse's number (book, chapter and verse, three digits each) and its text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pythonbible_akjv.plain_text_readers_bible import bible
    for verse, start in bible.verse_start_indices.items():
        yield verse, " ".join(bible.scripture_content[start : bible.verse_end_indices[verse]].split())


def write_bible(folder: Path) -> None:
    """Write the bundled corpus: a verse a document, "Book<tab>text", labelled by chapter and verse."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pythonbible_akjv.plain_text_readers_bible import bible
    titles = {book.value: title for book, title in bible.short_titles.items()}
    writer, chapter = Writer(folder), 0
    for verse, text in bible_verses():
        if verse // 1000 != chapter:
            chapter = verse // 1000
            writer.source(f"{titles[chapter // 1000]} {chapter % 1000}")
        writer.begin(verse % 1000)
        writer.extend(f"{titles[chapter // 1000]}\t{text}".encode())
        writer.end()
    writer.close()
