"""Drawings that were made before come from the cache, and are the same to the last byte."""

from functools import partial

import numpy as np
import pytest

from diagnose.data.cache import cache_folder
from diagnose.report import figures, kept_drawings
from diagnose.report.canvas import Sheet
from diagnose.report.figures import Bar, Drawn

ROWS = (Bar("word", "3.06", "", 3.06, 3.02, 3.10, "arm-0"), Bar("char <b>", "3.5", "", 3.5, None, None, "ink"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DIAGNOSE_CACHE", str(tmp_path / "cache"))


def ladder(rows=ROWS, name="ladder"):
    return Drawn(name, partial(figures.ladder, rows, unit="bits per byte"), "Bits per byte.")


def refuse(*_):
    raise AssertionError("drawn again")


def test_a_drawing_is_made_once(monkeypatch):
    first = ladder().svg
    monkeypatch.setattr(kept_drawings, "_drawn", refuse)
    assert ladder().svg == first
    assert first.count("<svg") == 2
    for other in (ladder(ROWS[:1]), ladder(name="other")):
        with pytest.raises(AssertionError, match="drawn again"):
            _ = other.svg


def test_other_code_draws_anew(monkeypatch):
    _ = ladder().svg
    monkeypatch.setattr(kept_drawings, "_drawn_by", lambda: "later")
    monkeypatch.setattr(kept_drawings, "_drawn", refuse)
    with pytest.raises(AssertionError, match="drawn again"):
        _ = ladder().svg


def test_a_cache_that_cannot_be_used_costs_time_alone(tmp_path, monkeypatch):
    first = ladder().svg
    for file in (cache_folder() / "drawings").rglob(kept_drawings.FILE):
        file.write_bytes(b"cut short")
    assert ladder().svg == first
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("DIAGNOSE_CACHE", str(tmp_path / "file"))
    assert ladder().svg == first


def test_what_does_not_say_what_it_draws_is_not_kept():
    class Mute:
        def __init__(self, width):
            self.width = width

    def square(mute, *, narrow):
        return Sheet.new(mute.width * (1 + narrow), 40)

    def last_of(values, *, narrow):
        return Sheet.new(values[1500] * (1 + narrow), 40)

    for width in (100, 200):
        assert f'viewBox="0 0 {width} 40"' in Drawn("square", partial(square, Mute(width)), "A square.").svg
        values = np.full(3000, width * 1.0)  # in words, an array of so many is its first and last
        values[:3] = values[-3:] = 1
        assert f'viewBox="0 0 {width} 40"' in Drawn("last", partial(last_of, values), "A square.").svg
    assert 'viewBox="0 0 300 40"' in Drawn("square", lambda **_: Sheet.new(300, 40), "A square.").svg
    assert not (cache_folder() / "drawings").exists()
