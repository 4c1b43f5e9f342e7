"""Textual's driver for terminals of Unix, with a writer that never waits, answers of the line told at once, and a
terminal that goes away taken as the end: read by Textual, it would give nothing for ever, as fast as it can be read."""

import contextlib
import os
import selectors
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import Protocol, cast

from textual._parser import ParseError
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from .escape import EscapeFirst, LineAnswered
from .pace import Pace
from .writer import Writer

POLL_S = 0.005
TURN_S = 0.1
"""So long a look for keys waits at most."""
PIECE = 4096
"""Bytes read at once."""


class Paced(Protocol):
    """The app, as far as the driver knows it."""

    pace: Pace

    def send_due(self) -> None:
        """Sends what waits, as far as there is room now."""
        ...

    def terminal_gone(self) -> None:
        """Ends the program: nobody sees it any more. Called in any thread."""
        ...


class LineDriver(LinuxDriver):
    """Knows what the terminal has not taken yet, what it has not answered yet, and whether it is still there."""

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
        if isinstance(self._writer_thread, Writer):
            self._writer_thread.when_gone(self._paced.terminal_gone)

    def run_input_thread(self) -> None:
        parser = EscapeFirst(self._debug)
        # A byte that is no text, from a line that drops some, is no reason to end.
        decode = getincrementaldecoder("utf-8")("replace").decode
        # Whoever says how long it takes knows the line.
        told = "ESCDELAY" in os.environ
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(min(TURN_S, parser.due)):
                    try:
                        data = os.read(self.fileno, PIECE)
                    except OSError:
                        data = b""
                    if not data:
                        self._paced.terminal_gone()
                        break
                    if not told:
                        parser.key_wait = self._paced.pace.key_wait
                    # Nothing, while only half a character is here: the parser would take that for the end.
                    if text := decode(data):
                        for message in parser.feed(text):
                            self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)
        with contextlib.suppress(EOFError, ParseError):
            for _ in parser.feed(""):
                pass

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
