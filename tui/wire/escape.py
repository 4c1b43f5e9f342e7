"""Terminal input read so that each key is what was pressed, and what is pasted is text.

A terminal sends esc as the byte that also begins every escape sequence, so that esc and `r` in one read look like
alt+r, esc and `b` like ctrl+left, and esc and `:` lose the esc. Qiao binds no alt chords: whenever a single character
follows esc, both are reported, in that order. And a bracketed paste with an esc in it (output of another program, say)
is all pasted: Textual's own parser would take what follows the esc for keys.

An answer to the question how far the terminal has come (`pace`) is no key either.
"""

import time
from collections.abc import Iterable
from importlib import import_module

from textual import constants, events
from textual._time import get_time
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.drivers._writer_thread import WriterThread
from textual.keys import Keys
from textual.message import Message

from .pace import ANSWER
from .writer import Writer

ESC = "\x1b"


class LineAnswered(Message):
    """The terminal says that it has shown all that came before the question.

    Args:
        at: when, as `time.monotonic` counts.
    """

    def __init__(self, at: float) -> None:
        super().__init__()
        self.at = at


class EscapeFirst(XTermParser):
    """Textual's parser of terminal input, without alt chords, and with pastes kept whole."""

    key_wait = constants.ESCAPE_DELAY
    """Seconds after which an esc that nothing has followed was the key; what goes on behind it has Textual's time."""
    _pasted: str | None = None
    """What has come of a paste that isn't at its end yet."""
    _answers = 0

    @property
    def due(self) -> float:
        """Seconds until `tick` may have something to say; infinite, if nothing is waited for."""
        return float("inf") if self._timeout_time is None else max(self._timeout_time - get_time(), 0.0)

    def feed(self, data: str) -> Iterable[Message]:
        if not data:
            yield from super().feed(data)
        while data:
            if self._pasted is None:
                before, start, data = data.partition(BRACKETED_PASTE_START)
                if before:
                    yield from super().feed(before)
                    if before[-1] == ESC and self._timeout_time is not None:
                        self._timeout_time += min(self.key_wait - constants.ESCAPE_DELAY, 0.0)
                    while self._answers:
                        self._answers -= 1
                        yield LineAnswered(time.monotonic())
                if start:
                    yield from self._settle()
                    self._pasted = ""
            else:
                text, end, data = (self._pasted + data).partition(BRACKETED_PASTE_END)
                self._pasted = None if end else text
                if end:
                    yield events.Paste(text.replace("\0", ""))

    def _settle(self) -> Iterable[Message]:
        """An esc that waits for what may follow it was the key."""
        if self._timeout_time is not None:
            self._timeout_time = 0.0
            yield from self.tick()

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if sequence == ANSWER:
            self._answers += 1
            yield events.Key(Keys.Ignore, sequence)
            return
        if alt:
            yield events.Key("escape", ESC)
        elif len(sequence) == 2 and sequence[0] == ESC and (sequence[1].isalnum() or sequence[1] in "\r\t\x7f -="):
            # `O` and `[` begin longer sequences, and reach this place only when nothing follows them.
            if sequence[1] in "O[":
                return
            yield events.Key("escape", ESC)
            sequence = sequence[1]
        yield from super()._sequence_to_key_events(sequence)


def install() -> None:
    """Has Textual's driver read with this parser, and write with our thread.

    The names are private to Textual: a test fails loudly if they move.
    """
    driver = import_module("textual.drivers.linux_driver")
    if getattr(driver, "XTermParser", None) is XTermParser:
        driver.XTermParser = EscapeFirst  # pyright: ignore[reportAttributeAccessIssue]
    if getattr(driver, "WriterThread", None) is WriterThread:
        driver.WriterThread = Writer  # pyright: ignore[reportAttributeAccessIssue]
