"""What programs read stays as it is, but for a change that is meant to change it: see `goldens/commands.py`."""

import json
import sys
from pathlib import Path

import pytest

GOLDENS = Path(__file__).parent / "goldens"
sys.path.insert(0, str(GOLDENS))

import commands  # noqa: E402  (beside its goldens)

THEN = json.loads((GOLDENS / "commands.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def now(verses, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("goldens"))
        return commands.everything(verses)


@pytest.mark.parametrize("name", THEN)
def test_a_command_gives_what_it_gave(name, now):
    assert list(commands.differences(now[name], THEN[name])) == []


def test_every_golden_is_made(now):
    assert now.keys() == THEN.keys()


def test_a_changed_number_or_word_is_noticed():
    assert list(commands.differences({"a": 1.0, "b": "x 1"}, {"a": 1.01, "b": "x 2"})) == [".a: 1.0 was 1.01"]
    assert list(commands.differences({"b": "y"}, {"b": "x"})) == [".b: 'y' was 'x'"]
    assert list(commands.differences({}, {"b": [1]})) == [".b is gone"]
