"""Textual's driver for terminals of Unix, with a writer that never waits, and answers of the line told at once."""

import contextlib
import time
from collections.abc import Callable
from typing import Protocol, cast

from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from .escape import LineAnswered
from .pace import Pace
from .writer import Writer

POLL_S = 0.005


class Paced(Protocol):
    """The app, as far as the driver knows it."""

    pace: Pace

    def send_due(self) -> None:
        """Sends what waits, as far as there is room now."""
        ...


class LineDriver(LinuxDriver):
    """Knows what the terminal has not taken yet, and what it has not answered yet."""

    @property
    def _paced(self) -> Paced:
        return cast(Paced, self._app)

    @property
    def pending(self) -> int:
        """Bytes that the terminal hasn't taken yet."""
        writer = self._writer_thread
        return writer.pending if isinstance(writer, Writer) else 0

    def start_application_mode(self) -> None:
        self._paced.pace.begin(self.input_tty)
        super().start_application_mode()

    def process_message(self, message: Message) -> None:
        # In the thread that reads keys. An answer doesn't queue up with them in the app.
        if isinstance(message, LineAnswered):
            self._paced.pace.answered(message.at)
            self._soon(self._paced.send_due)
            return
        super().process_message(message)

    def _soon(self, work: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):
            # The loop is closed when the last answer comes while the program ends.
            self._loop.call_soon_threadsafe(work)

    def disable_input(self) -> None:
        # An answer that comes later would be typed into the shell, or into the editor that gets the terminal.
        if not self.exit_event.is_set() and self._key_thread is not None and self._key_thread.is_alive():
            while self._paced.pace.leaving() > 0:
                time.sleep(POLL_S)
        super().disable_input()
