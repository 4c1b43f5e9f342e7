"""Ctrl+C: the first asks to stop, so that what has arrived is kept; the second ends at once."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

from ..workbench.errors import QiaoError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""A closed connection or a time limit must not cost what has arrived, either."""


class Interrupted(QiaoError):
    """The person, or the system, stopped the command before it had what it was asked for."""

    def __init__(self, exit_code: int) -> None:
        super().__init__("cli.interrupted")
        self.exit_code = exit_code


class Interrupt:
    """While it is entered, the first signal sets `stop`, and the next one raises KeyboardInterrupt.

    Outside the main thread, where Python allows no handlers, it only carries `stop`.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.exit_code = 128 + signal.SIGINT
        """What the command exits with when it was stopped."""
        self._before: dict[signal.Signals, signal._HANDLER] = {}  # pyright: ignore[reportPrivateUsage]

    def check(self) -> None:
        """Ends what is being done, if it was asked to stop.

        Raises:
            Interrupted: it was.
        """
        if self.stop.is_set():
            raise Interrupted(self.exit_code)

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
