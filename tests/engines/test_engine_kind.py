"""An engine is one file: what lies beside the others is found by its name, understood and used."""

import pytest

from diagnose import engines as package
from diagnose.ablation import ablate
from diagnose.engines import selection
from diagnose.engines.selection import Place
from diagnose.errors import MISTAKE, DiagnoseError

BACKWARDS = '''
"""Runs in this process, the last one first."""

from diagnose.engines.selection import EngineKind
from diagnose.engines.job import Here


class Backwards(Here):
    def carry_out(self, jobs, watch):
        yield from super().carry_out(jobs[::-1], watch)


class Kind(EngineKind):
    options = frozenset({"--cpus-per-task"})

    def threads(self, place):
        return 1

    def open(self, place, setups, arms):
        return Backwards(setups)


KIND = Kind()
'''


@pytest.fixture
def backwards(tmp_path, monkeypatch):
    """Lay a file with a further engine beside ours."""
    (tmp_path / "backwards_engine.py").write_text(BACKWARDS)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    selection.engines.cache_clear()
    yield
    selection.engines.cache_clear()


def test_the_engines_that_there_are():
    assert selection.engines() == ("local", "ray", "slurm")
    assert selection.those_with("--partition") == ["slurm"]


def test_a_file_more_is_an_engine_more(backwards, tiny, tmp_path):
    assert selection.those_with("--cpus-per-task") == ["backwards", "ray", "slurm"]
    ended = []
    done = ablate.ablate(
        "activation", seeds=1, overrides=tiny, runs=tmp_path / "runs", place=Place("backwards"),
        watch=lambda seen: ended.append(seen.label) if seen.doing == "finished" else None,
    )  # fmt: skip
    assert done is not None
    assert ended == ["gelu", "relu"]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place("slrum"), "--engine slrum is not known; did you mean 'slurm'?"),
        (Place("local", address="here:1"), "--address is that of a Ray cluster: give --engine ray with it"),
        (Place("local", jobs=0), "--jobs 0: give at least one"),
    ],
)
def test_places_that_are_none(place, said):
    with pytest.raises(DiagnoseError) as caught:
        place.check()
    assert str(caught.value) == said
    assert caught.value.exit_code == MISTAKE
