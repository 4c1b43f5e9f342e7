"""The card of the tour, at the foot of the conversation: what to try next, in four lines at most."""

from textual import events
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from ...workbench.words import say
from ..actions.table import BY_ID, Keys
from ..look.inks import Inks
from ..text.wrap import Line, Run, line_width, wrap_text
from ..tour import STEPS

LINES = 4


class TourCard(Widget):
    """Paints one step. It takes no keys: they do what they always do."""

    DEFAULT_CSS = """
    TourCard { height: auto; dock: bottom; background: $q-panel; }
    """

    def __init__(self, inks: Inks, keys: Keys) -> None:
        super().__init__()
        self.inks = inks
        self._names = {action_id: (keys.shown(action_id) or [":"])[0] for action_id in BY_ID}
        self._step = 1

    def show(self, step: int) -> None:
        if step != self._step:
            self._step = step
            self.refresh(layout=True)

    def restyle(self, inks: Inks) -> None:
        self.inks = inks
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def _lines(self, width: int) -> list[Line]:
        title, _, words = say(f"tour.step_{self._step}", **self._names).partition("|")
        head = Run(f"{self._step}/{STEPS}  ", "muted"), Run(title, "strong")
        leave = Run(say("tour.leave", **self._names), "faint")
        gap = width - line_width((*head, leave)) - 6
        first: Line = (*head, Run(" " * gap), leave) if gap > 1 else head
        return [first, *wrap_text(words, max(width - 6, 8), "text")][:LINES]

    def render_line(self, y: int) -> Strip:
        lines = self._lines(self.size.width)
        line = lines[y] if y < len(lines) else ()
        return self.inks.strip((Run("   "), *line), "panel", self.size.width)
