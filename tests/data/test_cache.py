"""The cache is never believed: damage of any kind is made good, and nobody else can put anything into it."""

import os

import pytest

from diagnose import files
from diagnose.data import cache
from diagnose.errors import DiagnoseError

CONTENT = {"text.bin": bytes(range(256)) * 20, "offsets.bin": b"\x01\x02" * 300, "small.json": b"{}"}


def cut(file):
    file.write_bytes(file.read_bytes()[:-1])


def zero(file):
    """What a power cut leaves: the right size, and nothing in it."""
    file.write_bytes(bytes(file.stat().st_size))


def flip(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def empty(file):
    file.write_bytes(b"")


def forget(file):
    """A record that names no file: nothing would be compared."""
    file.parent.joinpath(cache.RECORD).write_text("{}")
    flip(file)


def nest(file):
    file.write_text("[" * 100_000)


def remove(file):
    file.unlink()


def filled(folder, made):
    def write(place):
        made.append(place)
        for name, content in CONTENT.items():
            (place / name).write_bytes(content)

    return cache.entry(folder, "things", "key", write)


@pytest.mark.parametrize("damage", [cut, zero, flip, empty, remove, forget, nest])
@pytest.mark.parametrize("name", [*CONTENT, cache.RECORD])
def test_damage_is_made_good(tmp_path, name, damage):
    made = []
    entry = filled(tmp_path, made)
    assert filled(tmp_path, made) == entry
    assert len(made) == 1
    damage(entry / name)
    again = filled(tmp_path, made)
    assert {file: (again / file).read_bytes() for file in CONTENT} == CONTENT
    assert len(made) == 2


def test_damage_while_no_process_looks_is_noticed(tmp_path, monkeypatch):
    made = []
    entry = filled(tmp_path, made)
    state = (entry / "text.bin").stat()
    flip(entry / "text.bin")
    os.utime(entry / "text.bin", ns=(state.st_atime_ns, state.st_mtime_ns))
    monkeypatch.setattr(cache, "_seen", set())  # as a new process
    filled(tmp_path, made)
    assert len(made) == 2


def test_whole_entries_are_read_once_a_process(tmp_path, monkeypatch):
    made = []
    filled(tmp_path, made)
    filled(tmp_path, made)
    monkeypatch.setattr(cache, "_checksum", lambda *_, **__: pytest.fail("read again"))
    filled(tmp_path, made)


def test_a_new_folder_is_the_users_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("DIAGNOSE_CACHE", str(tmp_path / "new" / "cache"))
    folder = cache.cache_folder()
    assert folder == tmp_path / "new" / "cache"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_in_a_shared_folder_the_user_has_one_of_their_own(tmp_path, monkeypatch):
    tmp_path.chmod(0o1777)
    monkeypatch.setenv("DIAGNOSE_CACHE", str(tmp_path))
    folder = cache.cache_folder()
    assert folder == tmp_path / f"user-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert cache.cache_folder() == folder


def test_a_folder_that_another_user_planted_is_refused(tmp_path, monkeypatch):
    tmp_path.chmod(0o1777)
    monkeypatch.setenv("DIAGNOSE_CACHE", str(tmp_path))
    own = tmp_path / f"user-{os.getuid()}"
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    own.symlink_to("elsewhere")
    with pytest.raises(DiagnoseError, match="is not yours alone"):
        cache.cache_folder()
    own.unlink()
    own.mkdir()
    own.chmod(0o777)
    with pytest.raises(DiagnoseError, match="is not yours alone"):
        cache.cache_folder()


def test_what_a_killed_process_left_goes_though_its_entry_is_only_read(tmp_path):
    """A disk that became read-only lets nothing be removed; the next command may find the entry made by another."""
    folder = filled(tmp_path, [])
    left = folder.parent / f".5a55b330284bd260{files.PARTS}"
    left.mkdir()
    (left / "text.bin").write_bytes(b"half")
    files._cleared.clear()  # as in another process
    assert filled(tmp_path, []) == folder
    assert not left.exists()
