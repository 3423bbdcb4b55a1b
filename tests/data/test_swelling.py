"""A compressed file that swells beyond all text is refused in one line, as a corpus and as a log."""

import gzip

import pytest
import zstandard

from diagnose.data import swelling
from diagnose.errors import DiagnoseError

BOMB = b"step 1: train loss 1.0, val loss 1.1\n" * 40_000
SQUEEZED = {"gz": gzip.compress(BOMB), "zst": zstandard.compress(BOMB)}


@pytest.fixture
def low(monkeypatch):
    """A bound that a small file can exceed."""
    monkeypatch.setattr(swelling, "ALWAYS", 1 << 16)
    monkeypatch.setattr(swelling, "FACTOR", 20)


@pytest.mark.parametrize("kind", SQUEEZED)
def test_a_bomb_is_no_corpus(kind, tmp_path, low):
    from diagnose.data.readers import text_chunks

    path = tmp_path / f"text.txt.{kind}"
    path.write_bytes(SQUEEZED[kind])
    with pytest.raises(DiagnoseError, match=r"over 20 times its size: that is no text") as error:
        list(text_chunks(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", SQUEEZED)
def test_a_bomb_is_no_log(kind, tmp_path, low):
    from diagnose.logs import source

    path = tmp_path / f"train.log.{kind}"
    path.write_bytes(SQUEEZED[kind])
    with source.opened(path) as file, pytest.raises(DiagnoseError, match=r"over 20 times its size"):
        list(source.lines(file, path))


@pytest.mark.parametrize("kind", SQUEEZED)
def test_text_that_repeats_itself_is_read(kind, tmp_path):
    from diagnose.logs import source

    path = tmp_path / f"train.log.{kind}"
    path.write_bytes(SQUEEZED[kind])
    with source.opened(path) as file:
        assert sum(1 for _ in source.lines(file, path)) == 40_000
