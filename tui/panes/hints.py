"""The last line of the screen: what can be done now, most likely first, as much as fits."""

from collections.abc import Sequence
from typing import NamedTuple

from textual.strip import Strip
from textual.widget import Widget

from ..inks import Inks
from ..wrap import Run, line_width


class Hint(NamedTuple):
    """A key and what it does; without a key, a word of state."""

    key: str
    words: str


class Hints(Widget):
    """Paints hints from the left, and a word of state at the right end."""

    DEFAULT_CSS = """
    Hints { height: 1; dock: bottom; background: $q-panel; }
    """

    def __init__(self, inks: Inks, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.inks = inks
        self._hints: Sequence[Hint] = ()
        self._state = ""

    def show(self, hints: Sequence[Hint], state: str = "") -> None:
        if (hints, state) != (self._hints, self._state):
            self._hints, self._state = hints, state
            self.refresh()

    def restyle(self, inks: Inks) -> None:
        self.inks = inks
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        state = (Run(f"{self._state} ", "muted"),) if self._state else ()
        room = width - line_width(state) - 1
        runs, used = [Run("  ")], 2
        for key, words in self._hints:
            piece = (Run(key, "strong"), Run(f" {words}  ", "muted"))
            if used + line_width(piece) - 2 > room:
                break
            runs += piece
            used += line_width(piece)
        runs.append(Run(" " * max(width - used - line_width(state), 0)))
        return self.inks.strip((*runs, *state), "panel", width)
