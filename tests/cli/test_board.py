"""What is shown of an ablation's runs while they are trained."""

from io import StringIO

import pytest
from rich.console import Console

from diagnose.cli import board
from diagnose.cli.board import Board
from diagnose.runs.watched import Progress

NAN = float("nan")


def state(label, seed, doing, step=0, steps=100, loss=NAN):
    return Progress("r", label, seed, step, steps, loss, 1000.0, (steps - step) / 10 if step else None, doing)


def shown(one):
    out = StringIO()
    Console(file=out, width=90).print(one.table())
    return out.getvalue()


@pytest.fixture
def four():
    one = Board("activation")
    for seed in (0, 1):
        for label in ("relu", "gelu"):
            assert not one.note(state(label, seed, "waiting"))
    return one


def test_the_table_has_a_row_an_arm_and_a_column_a_seed(four):
    four.note(state("relu", 0, "finished"))
    four.note(state("gelu", 0, "training", 25, loss=3.21))
    head, relu, gelu, foot = shown(four).rstrip().split("\n")
    assert head.split() == ["activation", "seed", "0", "seed", "1"]
    assert relu.split() == ["relu", "finished", "waiting"]
    assert gelu.split() == ["gelu", "25%", "3.210", "waiting"]
    # one in progress has 7.5 s left of 10, two wait
    assert foot.startswith("1 of 4 runs, 1,000 tokens/s, about 28 s left")


def test_a_run_that_is_tried_again_says_so(four):
    four.note(state("gelu", 0, "training", 25, loss=3.0))
    assert four.note(state("gelu", 0, "tried again"))
    four.note(state("gelu", 0, "training", 20, loss=3.0))
    assert "20% 3.000 (try 2)" in shown(four)


def test_news_is_what_begins_or_ends(four):
    assert four.note(state("relu", 0, "training", 1))
    assert not four.note(state("relu", 0, "training", 2))
    assert not four.note(state("relu", 0, "validating", 2))
    assert four.note(state("relu", 0, "diverged"))


def test_without_a_terminal_lines_are_written_of_news_alone(four, capsys, monkeypatch):
    monkeypatch.setattr(board, "QUIET_SECONDS", 1e9)
    watch = board._lines(Board("activation"))
    for one in (state("relu", 0, "waiting"), state("relu", 0, "training", 1, loss=5.0),
                state("relu", 0, "training", 2, loss=4.0), state("relu", 0, "finished")):  # fmt: skip
        watch(one)
    lines = capsys.readouterr().err.strip().split("\n")
    assert len(lines) == 2
    assert lines[0].startswith("relu seed 0  step 1/100  loss 5.000")
    assert lines[1] == "relu seed 0  finished (1 of 1)"


def test_levels_are_text_and_no_markup():
    one = Board("[red]x")
    one.note(state("[bold]a", 0, "waiting"))
    assert "[red]x" in shown(one)
    assert "[bold]a" in shown(one)


def command_state(label, seed, doing, seconds=0):
    return Progress("", label, seed, seconds, 0, NAN, 0.0, None, doing)


@pytest.fixture
def commands():
    one = Board("lr")
    for seed in (0, 1):
        for label in ("1e-4", "3e-4"):
            one.note(command_state(label, seed, "waiting"))
    return one


def test_commands_show_how_long_they_have_run_and_no_speed(commands):
    assert commands.note(command_state("1e-4", 0, "running"))
    assert not commands.note(command_state("1e-4", 0, "running", 20))
    commands.note(command_state("1e-4", 0, "ended"))
    assert commands.note(command_state("1e-4", 0, "finished"))
    commands.note(command_state("3e-4", 0, "running", 5))
    commands.note(command_state("1e-4", 1, "running", 10))
    _, one, other, foot = shown(commands).rstrip().split("\n")
    assert one.split() == ["1e-4", "finished", "running", "10", "s"]
    assert other.split() == ["3e-4", "running", "5", "s", "waiting"]
    # the one that ended took 20 s: 15 and 10 s are left of two, one waits, two at once
    assert foot == "1 of 4 runs, about 22 s left"


def test_lines_of_commands_tell_starts_ends_and_no_steps(commands, capsys, monkeypatch):
    monkeypatch.setattr(board, "QUIET_SECONDS", 1e9)
    watch = board._lines(commands)
    for doing in ("running", "running", "ended", "finished"):
        watch(command_state("1e-4", 0, doing, 3))
    assert capsys.readouterr().err.splitlines() == ["1e-4 seed 0  running 3 s", "1e-4 seed 0  finished (1 of 4)"]
