"""A thread that looks whether other programs have changed the conversations of the library's folders."""

import threading
import time
from collections.abc import Callable, Sequence

from ...workbench.library import Library

EVERY = 1.0
"""Seconds from one look to the next."""
SHARE = 50
"""A look is followed by so many times the time that it took: thousands of folders, or slow ones, cost 2 % of a core."""


class FolderWatch:
    """Looks until it is stopped.

    Args:
        library: which has been searched, or will be.
        changed: called from the thread when a search would find something else.
    """

    def __init__(self, library: Library, changed: Callable[[], object]) -> None:
        self.seen: Sequence[str] = ()
        """Paths that a person has before them, asked at each look."""
        self._library = library
        self._changed = changed
        self._stop = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="folders", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        pause = EVERY
        while not self._stop.wait(pause):
            begun = time.monotonic()
            if self._library.look(self.seen):
                self._changed()
            pause = max(EVERY, SHARE * (time.monotonic() - begun))
