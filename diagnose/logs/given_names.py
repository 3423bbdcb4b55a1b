"""Names that `--columns` gives, in lines of text: "train=A,val=B,step=n" where lines are "n 100: A 2.5, B 2.2"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.logs.line_words import Slot
from diagnose.logs.names import words

if TYPE_CHECKING:
    from diagnose.logs.kept_columns import Columns

VALUES = ("train", "val")


class GivenNames:
    """Finds the numbers of a line that have a name of these."""

    def __init__(self, columns: Columns) -> None:
        self._names = [(role, name, words(name)) for role, name in columns.items() if words(name)]
        self._said = tuple(parts[-1] for *_, parts in self._names)

    def stand_in(self, low: str) -> bool:
        """Say whether a line in small letters may hold one of the names."""
        return any(word in low for word in self._said)

    def slot(self, name: str, before: str) -> Slot | None:
        """Return what a number is whose name is given, None for any other.

        Args:
            name: the words right before it.
            before: all of the line before it; the first words of a name may stand anywhere in it.
        """
        last = words(name)
        for role, given, parts in self._names:
            head = parts[: -len(last)] if last and parts[-len(last) :] == last else None
            if head is not None and set(head) <= set(words(before)):
                return Slot("loss", given) if role in VALUES else Slot("position", role)
        return None
