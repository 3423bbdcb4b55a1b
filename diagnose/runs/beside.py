"""What a thread does beside the training, so that the training waits neither for it nor for its device or disk."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Beside:
    """Does one piece of work after another in a thread; the next one waits until the last is done."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._errors: list[BaseException] = []

    @property
    def busy(self) -> bool:
        """Whether a piece of work is still being done."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self, work: Callable[[], None]) -> None:
        """Begin a piece of work; see `settle`."""
        self.settle()
        self._thread = threading.Thread(target=self._carry_out, args=(work,))
        self._thread.start()

    def _carry_out(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the thread that trains raises it
            self._errors.append(error)

    def look(self) -> None:
        """Raise what kept the last piece of work from being done, once that is known."""
        if not self.busy:
            self.settle()

    def settle(self) -> None:
        """Wait until the last piece of work is done.

        Raises:
            BaseException: what it raised.
        """
        self.wait()
        if self._errors:
            raise self._errors.pop()

    def wait(self) -> None:
        """Wait until the last piece of work is done, or has failed."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Wait for the last piece of work when done; its error is raised unless there is another."""
        try:
            yield
        except BaseException:
            self.wait()
            raise
        self.settle()
