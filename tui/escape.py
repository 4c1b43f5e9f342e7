"""`esc` and a key typed quickly after it, as the two keys that they are.

A terminal sends esc as the byte that also begins every escape sequence, so that esc and `r` in one read look like
alt+r, esc and `b` like ctrl+left, and esc and `:` lose the esc. Qiao binds no alt chords: whenever a single character
follows esc, both are reported, in that order.
"""

from collections.abc import Iterable
from importlib import import_module

from textual import events
from textual._xterm_parser import XTermParser

ESC = "\x1b"


class EscapeFirst(XTermParser):
    """Textual's parser of terminal input, without alt chords."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if alt:
            yield events.Key("escape", ESC)
        elif len(sequence) == 2 and sequence[0] == ESC and (sequence[1].isalnum() or sequence[1] in "\r\t\x7f "):
            # `O` and `[` begin longer sequences, and reach this place only when nothing follows them.
            if sequence[1] in "O[":
                return
            yield events.Key("escape", ESC)
            sequence = sequence[1]
        yield from super()._sequence_to_key_events(sequence)


def install() -> None:
    """Has Textual's driver read with this parser. The name is private to Textual: a test fails loudly if it moves."""
    driver = import_module("textual.drivers.linux_driver")
    if getattr(driver, "XTermParser", None) is XTermParser:
        driver.XTermParser = EscapeFirst  # pyright: ignore[reportAttributeAccessIssue]
