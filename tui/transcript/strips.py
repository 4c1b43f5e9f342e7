"""Lines of the page as they are painted: what looks as it did is painted once, and kept as long as it is in sight."""

from typing import NamedTuple

from rich.segment import Segment
from textual.strip import Strip

from ..look.inks import Inks, jump_mark
from ..text.wrap import Line, Run

MARGIN = 3
"""Cells left of the bar, and right of the text."""
INDENT = 2
"""The bar and the blank after it."""


class Look(NamedTuple):
    """How a line is painted, its text aside."""

    bar: Run | None
    """What stands at its left; None: the line's own first run."""
    ground: str
    """Of the text."""
    text_width: int
    width: int
    """Of all of it, in cells."""
    letter: str | None = None
    """Stands beside it."""


class Strips:
    """Paints lines in these inks, and keeps them."""

    def __init__(self, inks: Inks) -> None:
        self._inks = inks
        self._kept: dict[tuple[int, Look], tuple[Line, Strip]] = {}
        """By the id of the line, which is kept alive here."""
        self._wanted: dict[tuple[int, Look], tuple[Line, Strip]] = {}

    def of(self, line: Line, look: Look) -> Strip:
        """The line as it is painted."""
        key = (id(line), look)
        painted = self._wanted.get(key) or self._kept.get(key)
        if painted is None:
            painted = line, self._painted(line, look)
        self._wanted[key] = painted
        return painted[1]

    def blank(self, width: int) -> Strip:
        """A line with nothing on it."""
        return Strip([Segment(" " * width, self._inks.style("text", "page"))], width)

    def forget_others(self) -> None:
        """Lets go of all lines that weren't wanted since this was called last."""
        self._kept, self._wanted = self._wanted, {}

    def _painted(self, line: Line, look: Look) -> Strip:
        inks, page = self._inks, self._inks.style("text", "page")
        bar, *runs = line if look.bar is None else (look.bar, *line)
        letter = look.letter
        before = (
            [Segment(" " * MARGIN, page)] if letter is None else inks.strip(jump_mark(letter, MARGIN), "page", MARGIN)
        )
        inner = inks.strip((Run(" "), *runs), look.ground, min(look.text_width + INDENT, look.width - MARGIN - 1))
        strip = Strip([*before, Segment(bar.text, inks.style(bar.ink, "page")), *inner])
        return strip.extend_cell_length(look.width, page).crop(0, look.width)
