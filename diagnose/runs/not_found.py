"""What is said where a run is asked for and the folder holds runs of other commands alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def of_commands(path: Path, folders: Sequence[Path], compared: Sequence[Path]) -> str:
    """Say that runs of commands are no runs of `diagnose train`, and what can be shown of them.

    Args:
        path: what was asked for.
        folders: the runs of commands beside it, oldest first.
        compared: what ablations of them came to.
    """
    what = "it is a run of another command" if path in folders else (
        f"{path.parent} holds {counted(len(folders), 'run')} of other commands and none of `diagnose train`"
    )  # fmt: skip
    hint = f"`diagnose report {compared[-1]}` shows what they came to" if compared else (
        f"what a command printed and scored lies in its folder, as {folders[-1]}"
    )  # fmt: skip
    return f": {what}; {hint}"
