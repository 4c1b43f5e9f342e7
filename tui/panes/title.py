"""The line above the conversation: its title, how full the context is, whether it is saved."""

from textual.strip import Strip
from textual.widget import Widget

from ..look.inks import Inks, jump_mark
from ..text.wrap import Line, Run, line_width, truncate, truncate_line

SHORTEST = 16
"""Cells of a title that the words after it leave."""


class Title(Widget):
    """Paints a title in strong text, and words after it."""

    DEFAULT_CSS = """
    Title { height: 3; background: $q-page; }
    """

    def __init__(self, inks: Inks, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.inks = inks
        self._title = ""
        self._words: Line = ()
        self._letter = ""

    def show(self, title: str, words: Line) -> None:
        if (title, words) != (self._title, self._words):
            self._title, self._words = title, words
            self.refresh()

    def show_letter(self, letter: str) -> None:
        """Shows a letter before the title; none, if it is empty."""
        self._letter = letter
        self.refresh()

    def restyle(self, inks: Inks) -> None:
        self.inks = inks
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y != 1:
            return self.inks.strip((), "page", width)
        least = min(line_width((Run(self._title),)), SHORTEST)
        words = truncate_line(self._words, max(width - 8 - least, 0))
        room = max(width - 8 - line_width(words), least)
        before = jump_mark(self._letter, 3) if self._letter else (Run("   "),)
        line = (*before, Run(truncate(self._title, room), "strong"), Run("  "), *words)
        return self.inks.strip(line, "page", width)
