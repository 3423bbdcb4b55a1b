"""Work of any kind, from its record to its end; each kind imports what it takes, and a command takes little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from diagnose.engines.work import Ended, Work
    from diagnose.runs.watched import Watch


def work_of(kind: str, record: Mapping[str, Any]) -> Work:
    """Return the work that gave a record."""
    if kind == "command":
        from diagnose.engines.command_job import CommandJob

        return CommandJob.of_record(record)
    from diagnose.engines.job import Job

    return Job.of_record(record)


def carry_out(work: Any, watch: Watch, note: Callable[[tuple[int, str] | None], None] = lambda _: None) -> Ended:
    """Carry work out in this process.

    Args:
        work: what.
        watch: told how far it is.
        note: told of the processes that a command is, None at its end.
    """
    if work.KIND == "command":
        from diagnose.engines import command_job

        return command_job.carry_out(work, watch, note)
    from diagnose.engines import job

    return job.carry_out(work, watch)
