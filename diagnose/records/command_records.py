"""The schema of runs of anybody's command: what was started, how it ended, and what an ablation of them says."""

from __future__ import annotations

from pydantic import Field

from diagnose.records.ablations import Failure
from diagnose.records.schema import FORMAT, Schema, Text


class CommandRun(Schema):
    """`command.json`: a run of a command, as it was started.

    Attributes:
        args: the command in parts; "{dir}" stands for the folder that it was given.
        digest: of these parts, the seed among them; equal digests mean the same command.
        files: hex digests by path of what else says what is run: files that the command names and code beside them.
        level: the arm; `levels`: its level of each axis.
        cwd: where it was started.
    """

    format: int = FORMAT
    args: tuple[str, ...]
    digest: str
    files: dict[str, str] = Field(default_factory=dict)
    level: Text = ""
    levels: dict[str, Text] = Field(default_factory=dict)
    seed: int
    cwd: Text = ""
    created: Text = ""
    version: Text = ""


class CommandEnd(Schema):
    """`ended.json`: how a command ended.

    Attributes:
        code: its exit code; below zero the signal that ended it.
        seconds: from start to end.
        why: what went wrong, in a few words; "" where it ended with 0.
    """

    format: int = FORMAT
    code: int
    seconds: float
    why: Text = ""


class CarriedRun(Schema):
    """A run that took part: its arm, seed, folder, seconds, and whether it was there already."""

    level: Text
    seed: int
    run: Text
    seconds: float
    reused: bool = False


class FailedCommand(Failure):
    """A run that gave no result: why, its exit code, the last lines of its output, and where all of it lies."""

    code: int | None = None
    output: tuple[Text, ...] = ()
    file: Text = ""


class ScoreCurve(Schema):
    """A score in the course of a run, as its log has it: `y` at `x`."""

    level: Text
    seed: int
    name: Text
    x: tuple[float, ...]
    y: tuple[float, ...]
    unit: Text = ""


class CarriedOut(Schema):
    """How scores came about that were measured by running a command.

    Attributes:
        template: the command with its placeholders.
        read: what was read as the result, as given; empty where the command reported its scores itself.
        seeds: how many were asked for.
        runs: those that took part; `failed`: those that gave no result.
        left_out: seeds and arms that finished and take no part, for what they are compared with failed.
        timeout: seconds that a run may take; None for as long as it takes.
        files: what a run is known by beside its command.
        curves: of one score, where logs have them.
        folder: the record's own.
    """

    template: Text
    read: tuple[Text, ...] = ()
    seeds: int
    runs: tuple[CarriedRun, ...] = ()
    failed: tuple[FailedCommand, ...] = ()
    left_out: tuple[Text, ...] = ()
    timeout: float | None = None
    files: tuple[Text, ...] = ()
    curves: tuple[ScoreCurve, ...] = ()
    folder: Text = ""
