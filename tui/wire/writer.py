"""What is written to the terminal, by a thread of its own: a terminal that takes nothing never holds up the program.

Textual's own thread takes thirty pieces, and then whoever writes waits: a line that hangs would hang the program, and
with it what saves a person's words. It also dies of the first error, and is then waited for.
"""

import errno
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import IO

STOP_S = 1.0
"""So long the end waits for a terminal that takes nothing; what it hasn't taken by then is dropped."""
PIECE = 4096
"""Bytes written at once."""
GONE = (errno.EIO, errno.EPIPE, errno.ENXIO)
"""What writing to a terminal says that isn't there any more."""


class Writer(threading.Thread):
    """Stands in for Textual's `WriterThread`.

    Args:
        file: the terminal. Only its descriptor is used: a buffer of Python's can't be left while a write hangs in it.
    """

    def __init__(self, file: IO[str]) -> None:
        super().__init__(daemon=True, name="terminal-output")
        self._file = file
        self._descriptor = file.fileno()
        self._waiting: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._ending = False
        self._is_gone = False
        self._gone: Callable[[], None] | None = None
        self.pending = 0
        """Bytes that the terminal hasn't taken yet."""

    def when_gone(self, gone: Callable[[], None]) -> None:
        """Has this called once the terminal isn't there any more; in this thread, unless it is known already."""
        with self._changed:
            self._gone = gone
            known = self._is_gone
        if known:
            gone()

    def _lost(self) -> None:
        with self._changed:
            first, self._is_gone = not self._is_gone, True
            gone = self._gone
        if first and gone is not None:
            gone()

    def write(self, text: str) -> None:
        """Takes a text; never waits."""
        data = text.encode("utf-8", "replace")
        with self._changed:
            if data and not self._ending:
                self._waiting.append(data)
                self.pending += len(data)
                self._changed.notify()

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        return self._file.isatty()

    def fileno(self) -> int:
        return self._descriptor

    def run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ending)
                if not self._waiting:
                    return
                data = self._waiting.popleft()
            while data:
                try:
                    written = os.write(self._descriptor, data[:PIECE])
                except OSError as error:
                    if error.errno in GONE:
                        self._lost()
                    written = len(data)
                data = data[written:]
                with self._changed:
                    self.pending -= written

    def stop(self) -> None:
        """Ends it, once all is written or the terminal has had its time."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self.join(STOP_S)
        with self._changed:
            self._waiting.clear()
