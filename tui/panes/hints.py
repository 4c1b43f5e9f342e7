"""The last line of the screen: what can be done now, most likely first, as much as fits."""

from collections.abc import Sequence
from typing import NamedTuple

from textual.strip import Strip
from textual.widget import Widget

from ...workbench.visible import visible_line
from ..look.inks import Inks
from ..text.wrap import Run, line_width


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
        self._pinned = 0

    def show(self, hints: Sequence[Hint], state: str = "", pinned: int = 0) -> None:
        """Shows hints, the last `pinned` of them even where others have to give way; so does the way back, esc."""
        if not pinned and hints and hints[-1].key == "esc":
            pinned = 1
        if (hints, state, pinned) != (self._hints, self._state, self._pinned):
            self._hints, self._state, self._pinned = hints, state, pinned
            self.refresh()

    def restyle(self, inks: Inks) -> None:
        self.inks = inks
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        state = (Run(f"{self._state} ", "muted"),) if self._state else ()
        room = width - line_width(state) - 1
        pieces = [
            (Run(visible_line(key), "strong"), Run(f" {visible_line(words)}  ", "muted")) for key, words in self._hints
        ]
        likely, pinned = pieces[: len(pieces) - self._pinned], pieces[len(pieces) - self._pinned :]
        kept = sum(map(line_width, pinned))
        runs, used = [Run("  ")], 2
        for piece in likely:
            if used + line_width(piece) + kept - 2 > room:
                break
            runs += piece
            used += line_width(piece)
        for piece in pinned:
            if used + line_width(piece) - 2 <= room:
                runs += piece
                used += line_width(piece)
        runs.append(Run(" " * max(width - used - line_width(state), 0)))
        return self.inks.strip((*runs, *state), "panel", width)
