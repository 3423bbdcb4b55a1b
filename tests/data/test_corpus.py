import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from diagnose.data import cache as store
from diagnose.data import corpus, readers
from diagnose.errors import DiagnoseError

VERSES = 31_102


def data(path="", **more):
    named = {"corpus": "file" if path else "akjv", "path": str(path), "documents": "line"}
    return SimpleNamespace(**named | {"split": "documents", "val_fraction": 0.1} | more)


def documents(path, cache, **more):
    return list(corpus.load(data(path, **more), cache).texts())


class List:
    """A sink that keeps what it is given."""

    def __init__(self):
        self.texts, self.lines, self.is_open = [], [], False

    def begin(self, line):
        assert not self.is_open
        self.is_open = True
        self.texts.append(b"")
        self.lines.append(line)

    def extend(self, part):
        assert self.is_open
        self.texts[-1] += part

    def end(self):
        assert self.is_open
        self.is_open = False


def test_the_bible_has_its_verses_with_book_and_reference(tmp_path):
    bible = corpus.load(data(), tmp_path)
    assert len(bible) == VERSES
    assert bible.text(0) == "Genesis\tIn the beginning God created the heaven and the earth."
    assert (bible.label(0), bible.label(VERSES - 1)) == ("Genesis 1:1", "Revelation 22:21")
    assert bible.text(-1).startswith("Revelation\tThe grace of our Lord")
    assert bible.size() == sum(len(text.encode()) for text in bible.texts())
    again = corpus.load(data(), tmp_path)
    assert again.fingerprint == bible.fingerprint == "4242d327106aa729"


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="Linux tells which pages are held")
def test_where_documents_lie_is_not_held_in_memory(tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("".join(f"{n}\n" for n in range(400_000)))
    short = corpus.load(data(path), tmp_path / "cache")
    held = Path("/proc/self/smaps").read_text()
    assert sum(len(block.sizes) for block in short.blocks()) == len(short) == 400_000
    for smaps in (held, Path("/proc/self/smaps").read_text()):
        mapped = smaps.split(str(short.folder / "offsets.bin"))[1]
        assert int(mapped.split("Rss:")[1].split()[0]) < 1_000  # of 3,125 KiB


def test_any_order_of_documents_can_be_read(tmp_path):
    bible = corpus.load(data(), tmp_path)
    some = np.random.default_rng(0).permutation(VERSES)[:2000]
    assert list(bible.texts(some)) == [bible.text(int(i)) for i in some]
    assert list(bible.texts([5, 5, 4])) == [bible.text(5), bible.text(5), bible.text(4)]
    with pytest.raises(IndexError):
        bible.text(VERSES)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("line", "a\n\n b \r\n\t\nc", ["a", " b ", "c"]),
        ("line", "a\u2028b\x0bc\x85d\re\n", ["a\u2028b\x0bc\x85d\re"]),
        ("line", "\ufeffa\n\ufeffb", ["a", "\ufeffb"]),
        ("paragraph", "\n\na\nb\r\n\r\n \nc\n", ["a\nb", "c"]),
        ("paragraph", "a\r\nb\r\n", ["a\r\nb"]),
        ("file", "\ufeffa\n\nb\r\n", ["a\n\nb\r\n"]),
        ("file", " \n a ", [" \n a "]),
    ],
)
def test_documents_are_cut_where_they_should_be(tmp_path, kind, text, expected):
    path = tmp_path / "text.txt"
    path.write_bytes(text.encode())
    assert documents(path, tmp_path / "cache", documents=kind) == expected


def slow(text, kind):
    """Cut as `sources.read` does, with everything in memory."""
    if kind == "file":
        return [text] if text.strip() else []
    lines = text.replace(b"\r\n", b"\n").split(b"\n")
    if kind == "line":
        return [line for line in lines if line.strip()]
    out = [[]]
    for line in lines:
        if line.strip():
            out[-1].append(line)
        else:
            out.append([])
    return [b"\n".join(part) for part in out if part]


@given(
    st.text(st.sampled_from("ab \t\r\né🙂"), max_size=60),
    st.sampled_from(["line", "paragraph", "file"]),
    st.integers(1, 9),
)
def test_pieces_of_any_size_give_the_same_documents(text, kind, size):
    raw, sink = text.encode(), List()
    chunks = iter([raw[i : i + size] for i in range(0, len(raw), size)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readers, "CHUNK", 4)
        patch.setattr(readers, "_raw_chunks", lambda _: chunks)
        readers.read(Path("x.txt"), kind, sink)
    same = [part.replace(b"\r\n", b"\n") if kind == "paragraph" else part for part in sink.texts]
    assert same == slow(raw, kind)
    assert not sink.is_open


def test_labels_give_file_and_line(tmp_path):
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    (tmp_path / "folder" / "b.txt").write_text("one\n\nthree\n")
    (tmp_path / "folder" / "sub" / "a.jsonl").write_text('{"text": "x"}\n\n{"text": "y"}')
    (tmp_path / "folder" / ".hidden").write_bytes(b"\xff\x00")
    both = corpus.load(data(tmp_path / "folder"), tmp_path / "cache")
    assert [both.label(i) for i in range(4)] == ["b.txt:1", "b.txt:3", "sub/a.jsonl:1", "sub/a.jsonl:3"]
    whole = corpus.load(data(tmp_path / "folder", documents="file"), tmp_path / "cache")
    assert [whole.label(i) for i in range(3)] == ["b.txt", "sub/a.jsonl:1", "sub/a.jsonl:3"]


def test_compressed_files_and_jsonl_read_alike(tmp_path):
    lines = ["In the beginning", 'a "quoted" line', "ünï 漢字 🙂"] * 50_000
    plain = "\n".join(lines).encode()
    records = "\n".join(json.dumps({"id": 1, "text": line}) for line in lines).encode()
    squeeze = zstandard.ZstdCompressor().compress
    kinds = {
        "t.txt": plain,
        "t.txt.gz": gzip.compress(plain[: 10**6]) + gzip.compress(plain[10**6 :]),
        "t.txt.zst": squeeze(plain[: 10**6]) + squeeze(plain[10**6 :]),
        "t.jsonl": records,
        "t.jsonl.gz": gzip.compress(records),
        "no-suffix": squeeze(plain),
    }
    prints = set()
    for name, content in kinds.items():
        (tmp_path / name).write_bytes(content)
        prints.add(corpus.load(data(tmp_path / name), tmp_path / "cache").fingerprint)
    assert len(prints) == 1
    assert documents(tmp_path / "t.txt", tmp_path / "cache") == lines


def test_jsonl_keeps_line_ends_within_a_record_and_leaves_out_blank_ones(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"text": "a\\r\\n\\nb"}\r\n{"text": " "}\n{"text": "\\ud83d\\ude42"}\n')
    assert documents(tmp_path / "t.jsonl", tmp_path / "c", documents="paragraph") == ["a\r\n\nb", "🙂"]


def utf16(text):
    return b"\xff\xfe" + text.encode("utf-16-le")


BAD = {
    "empty.txt": (b"", "is empty"),
    "blank.txt": (b"\n \r\n\t\n", "nothing but blank lines"),
    "bin.txt": (bytes(range(256)) * 9, "is not UTF-8 text: byte 128, on line 2"),
    "nul.bin": (b"ab\n" + bytes(500), "binary: there are NUL bytes, one at byte 3"),
    "latin.txt": (b"fine\n" * 400_000 + "caf\u00e9\n".encode("latin-1"), "byte 2,000,003, on line 400,001"),
    "cut.txt": ("ok\né".encode()[:-1], "byte 3, on line 2"),
    "surrogate.txt": (b"a\xed\xa0\x80", "byte 1, on line 1"),
    "utf16.txt": (utf16("hello\n"), "looks like UTF-16|binary"),
    "a.jsonl": (b'{"text": "a"}\n{"txt": "b"}', 'line 2: not an object with a string in the field "text"'),
    "b.jsonl": (b'{"text": "a"}\n\nnot json', "line 3: not JSON"),
    "c.jsonl": (b'["text"]', "line 1: not an object"),
    "d.jsonl": (b'{"text": "\\ud800"}', "line 1: .* surrogate"),
    "e.jsonl": (b'{"text": 3}', "line 1: not an object"),
    "f.jsonl": (b"[" * 100_000, "line 1: not JSON"),
    "a.gz": (b"plain", "not what its name says"),
    "b.txt.gz": (gzip.compress(os.urandom(5000))[:-900], "is damaged|is not UTF-8"),
    "c.txt.gz": (gzip.compress(b"abc " * 5000)[:-12], "is damaged"),
    "c.txt.zst": (
        zstandard.ZstdCompressor().compress(b"abc " * 5000)[:-3],
        "is damaged: it ends in the middle",
    ),
    "d.txt.zst": (zstandard.ZstdCompressor().compress(b"abc " * 5000)[:9] + b"\xff" * 30, "is damaged"),
    "e.txt.gz": (gzip.compress(b""), "nothing but blank lines"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_told_in_one_line_and_leave_nothing(tmp_path, name):
    content, message = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DiagnoseError, match=message) as caught:
        corpus.load(data(tmp_path / name), tmp_path / "cache")
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": "nowhere.txt"}, "nowhere.txt does not exist"),
        ({"path": ""}, "needs data.path"),
        ({"path": "a\0b"}, "does not exist|cannot be read"),
        ({"path": "x" * 5000}, "does not exist|cannot be read"),
        ({"path": "/dev/null"}, "neither a file nor a folder"),
        ({"corpus": "akjw"}, "did you mean 'akjv'"),
    ],
)
def test_what_is_not_there_is_told(tmp_path, settings, message):
    with pytest.raises(DiagnoseError, match=message):
        corpus.load(data(**{"path": "x", "corpus": "file"} | settings), tmp_path)


def test_an_empty_folder_and_an_unreadable_file_are_told(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(DiagnoseError, match="holds no files"):
        corpus.load(data(tmp_path / "folder"), tmp_path / "cache")
    locked = tmp_path / "locked.txt"
    locked.write_text("text")
    locked.chmod(0)
    if not os.access(locked, os.R_OK):
        with pytest.raises(DiagnoseError, match="Permission denied"):
            corpus.load(data(locked), tmp_path / "cache")


def test_a_changed_file_is_read_again(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("one\ntwo\n")
    before = path.stat()
    first = corpus.load(data(path), tmp_path / "cache")
    path.write_text("one\nTWO\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    second = corpus.load(data(path), tmp_path / "cache")
    assert list(second.texts()) == ["one", "TWO"]
    assert list(first.texts()) == ["one", "two"]
    assert first.fingerprint != second.fingerprint


def test_a_fingerprint_stands_for_documents_not_for_where_they_are(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"ab\nc\n")
    (tmp_path / "b.txt").write_bytes(b"\r\nab\r\n\r\nc")
    (tmp_path / "c.txt").write_bytes(b"a\nbc\n")
    a, b, c = (corpus.load(data(tmp_path / f"{name}.txt"), tmp_path / "cache").fingerprint for name in "abc")
    assert a == b != c


def test_a_single_document_is_cut_for_a_tail_split_as_nanogpt_does(tmp_path):
    text = "é漢🙂a" * 1001
    (tmp_path / "t.txt").write_text(text, encoding="utf-8")
    two = corpus.load(data(tmp_path / "t.txt", documents="file", split="tail"), tmp_path / "cache")
    n = int(len(text) * 0.9)
    assert list(two.texts()) == [text[:n], text[n:]]
    assert [two.label(i) for i in (0, 1)] == ["t.txt, part 1", "t.txt, part 2"]
    one = corpus.load(data(tmp_path / "t.txt", documents="file"), tmp_path / "cache")
    other = corpus.load(data(tmp_path / "t.txt", documents="file", split="tail", val_fraction=0.5), tmp_path / "cache")
    assert len({two.fingerprint, one.fingerprint, other.fingerprint}) == 3
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(DiagnoseError, match="one character"):
        corpus.load(data(tmp_path / "x.txt", split="tail"), tmp_path / "cache")


def test_long_documents_come_in_parts_that_make_up_the_whole(tmp_path):
    texts = ["short", "漢字" * 500, "some words " * 300, "end"]
    (tmp_path / "t.txt").write_text("\n".join(texts), encoding="utf-8")
    made = corpus.load(data(tmp_path / "t.txt"), tmp_path / "cache")
    whole = ["", "", "", ""]
    opened = []
    for part, i, opens in made.parts(size=100):
        assert len(part) <= 100
        whole[i] += part.decode()
        opened += [i] * opens
    assert whole == texts
    assert opened == [0, 1, 2, 3]
    assert [i for _, i, opens in made.parts([2, 0, 2], size=10**6) if opens] == [2, 0, 2]


def test_a_long_line_is_never_held(tmp_path):
    line = b"word \xc3\xa9 " * 1_500_000
    (tmp_path / "t.txt").write_bytes(b"first\n" + line + b"\r\nlast")
    made = corpus.load(data(tmp_path / "t.txt"), tmp_path / "cache")
    assert made.sizes(np.arange(3)).tolist() == [5, len(line), 4]
    assert b"".join(part for part, _, _ in made.parts([1])) == line


KILLED = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from diagnose.data import corpus, readers
real = readers.text_chunks
def slow(path):
    for chunk in real(path):
        yield chunk
        print("writing", flush=True)
        time.sleep(60)
readers.text_chunks = slow
data = SimpleNamespace(corpus="file", path=sys.argv[1], documents="line", split="documents")
corpus.load(data, Path(sys.argv[2]))
"""


def test_a_killed_writer_leaves_nothing_that_is_read(tmp_path):
    path, cache = tmp_path / "t.txt", tmp_path / "cache"
    path.write_bytes(b"a line of text\n" * 200_000)
    with subprocess.Popen([sys.executable, "-c", KILLED, path, cache], stdout=subprocess.PIPE) as writer:
        writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
    left = list((cache / "corpora").iterdir())
    assert [folder.name.startswith(".") for folder in left] == [True]
    assert len(corpus.load(data(path), cache)) == 200_000
    assert not left[0].exists()  # the next writer of the same text takes what a killed one left away


def test_two_writers_at_once_agree(tmp_path):
    path, cache, out = tmp_path / "t.txt", tmp_path / "cache", []
    path.write_bytes(b"a line of text\n" * 100_000)
    threads = [threading.Thread(target=lambda: out.append(corpus.load(data(path), cache))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(made) for made in out] == [100_000] * 4
    assert len(list((cache / "corpora").iterdir())) == 1


def test_a_damaged_entry_is_made_anew(tmp_path):
    path, cache = tmp_path / "t.txt", tmp_path / "cache"
    path.write_text("one\ntwo\n")
    folder = corpus.load(data(path), cache).folder
    (folder / "text.bin").write_bytes(b"on")
    assert documents(path, cache) == ["one", "two"]
    (folder / "entry.json").write_text("[")
    assert documents(path, cache) == ["one", "two"]
    assert list((cache / "corpora").iterdir()) == [folder]


def test_a_full_disk_is_told(tmp_path):
    def write(folder):
        raise OSError(28, "No space left on device")

    with pytest.raises(DiagnoseError, match="No space left on device; set DIAGNOSE_CACHE"):
        store.entry(tmp_path, "corpora", "key", write)
    assert list((tmp_path / "corpora").iterdir()) == []


def test_the_cache_is_where_it_was_asked_to_be(tmp_path, monkeypatch):
    monkeypatch.setenv("DIAGNOSE_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    assert corpus.cache_folder() == tmp_path / "own"
    monkeypatch.delenv("DIAGNOSE_CACHE")
    assert corpus.cache_folder() == tmp_path / "shared" / "diagnose"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DIAGNOSE_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(DiagnoseError, match="cannot be written: Not a directory"):
        corpus.cache_folder()


def test_what_was_not_used_for_a_month_is_stale(tmp_path):
    (tmp_path / "t.txt").write_text("one\ntwo\n")
    folder = corpus.load(data(tmp_path / "t.txt"), tmp_path / "cache").folder
    assert corpus.stale(tmp_path / "cache") == []
    month = time.time() - 31 * 86_400
    for path in [folder, *folder.iterdir()]:
        os.utime(path, (month, month))
    (found,) = corpus.stale(tmp_path / "cache")
    assert found.path == folder
    assert found.size == sum(path.stat().st_size for path in folder.iterdir())
    corpus.load(data(tmp_path / "t.txt"), tmp_path / "cache")
    assert corpus.stale(tmp_path / "cache") == []
