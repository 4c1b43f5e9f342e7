"""Ctrl+C: the first asks to stop, so that what has arrived is kept; the second ends at once."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""A closed connection or a time limit must not cost what has arrived, either."""


class Interrupt:
    """While it is entered, the first signal sets `stop`, and the next one raises KeyboardInterrupt.

    Outside the main thread, where Python allows no handlers, it only carries `stop`.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.exit_code = 128 + signal.SIGINT
        """What the command exits with when it was stopped."""
        self._before: dict[signal.Signals, signal._HANDLER] = {}  # pyright: ignore[reportPrivateUsage]

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                # What nohup ignores stays ignored.
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.stop.is_set():
            raise KeyboardInterrupt
        self.exit_code = 128 + number
        self.stop.set()
