"""Two columns side by side: texts laid out so that lines which belong together stand at the same height."""

from typing import Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget

from ...workbench.comparing import Stretch, compared
from ...workbench.words import say
from ..look.inks import Inks
from ..panes.hints import Hint, Hints
from ..text.wrap import Line, Run, break_offsets, divide, line_width

GAP = 3
"""Columns between the two sides."""

T = TypeVar("T")
Row = tuple[Line, Line]


class SideBySide(ModalScreen[T | None], Generic[T]):
    """A screen of two columns, each showing one of several things; a subclass says what (`lay_out`).

    Args:
        inks: of the theme.
        keys: the word key of what the keys do, a line each: key, `|`, words.
        count: of the things to choose from.
        sides: which of them are shown at first.
    """

    CSS_PATH = "sides.tcss"
    BINDINGS = [
        Binding("escape,q,ctrl+c", "leave", show=False, priority=True),
        Binding("h,left", "walk(1, -1)", show=False, priority=True),
        Binding("l,right", "walk(1, 1)", show=False, priority=True),
        Binding("H", "walk(0, -1)", show=False, priority=True),
        Binding("L", "walk(0, 1)", show=False, priority=True),
        Binding("x", "swap", show=False, priority=True),
        Binding("j,down", "move(1)", show=False, priority=True),
        Binding("k,up", "move(-1)", show=False, priority=True),
        Binding("pagedown,space", "move(12)", show=False, priority=True),
        Binding("pageup", "move(-12)", show=False, priority=True),
        Binding("g,home", "move(-1000000)", show=False, priority=True),
        Binding("G,end", "move(1000000)", show=False, priority=True),
    ]

    def __init__(self, inks: Inks, keys: str, count: int, sides: tuple[int, int]) -> None:
        super().__init__()
        self.inks = inks
        self._keys = keys
        self._count = count
        self.sides = list(sides)

    def compose(self) -> ComposeResult:
        yield Sides(self.inks, id="sides")
        yield Hints(self.inks)

    def on_mount(self) -> None:
        self.set_focus(self.query_one(Sides))
        keys = [line.split("|") for line in say(self._keys).split("\n")]
        self.query_one(Hints).show([Hint(key, words) for key, words in keys])

    def lay_out(self, column: int) -> tuple[Row, list[Row]]:
        """The heading, and the lines below it, for sides that are `column` cells wide."""
        raise NotImplementedError

    def paint(self) -> None:
        """Lays both sides out anew."""
        view = self.query_one(Sides)
        view.show(*self.lay_out(view.column))

    def action_walk(self, side: int, step: int) -> None:
        self.sides[side] = (self.sides[side] + step) % self._count
        self.paint()

    def action_swap(self) -> None:
        self.sides.reverse()
        self.paint()

    def action_move(self, lines: int) -> None:
        self.query_one(Sides).move(lines)

    def action_leave(self) -> None:
        self.dismiss(None)


def beside(left: str, right: str, column: int) -> list[Row]:
    """Both texts wrapped to `column` cells, what differs marked."""
    rows: list[Row] = []
    for pair in compared(left, right):
        ink = "muted" if pair.same else "text"
        rows += zipped(_wrapped(pair.left, column, ink, "bad struck"), _wrapped(pair.right, column, ink, "good link"))
    return rows


def zipped(left: list[Line], right: list[Line]) -> list[Row]:
    """Lines side by side, the shorter side filled up."""
    height = max(len(left), len(right))
    return list(zip(left + [()] * (height - len(left)), right + [()] * (height - len(right)), strict=True))


def _wrapped(stretches: tuple[Stretch, ...] | None, width: int, ink: str, changed: str) -> list[Line]:
    runs = [Run(text, changed if differs else ink) for text, differs in stretches or ()]
    return divide(runs, break_offsets("".join(run.text for run in runs), width)) if runs else [()]


class Sides(Widget, can_focus=True):
    """Paints two columns under a heading each, from a line on."""

    def __init__(self, inks: Inks, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._inks = inks
        self._head: Row = ((), ())
        self._rows: list[Row] = []
        self._top = 0

    @property
    def column(self) -> int:
        """Cells of each side."""
        return max((self.size.width - GAP - 2) // 2, 8)

    def show(self, head: Row, rows: list[Row]) -> None:
        """Shows these lines, at the height where the reader is."""
        self._head, self._rows = head, rows
        self.move(0)

    def move(self, lines: int) -> None:
        """Scrolls, ends held."""
        room = max(self.size.height - 4, 1)
        self._top = min(max(self._top + lines, 0), max(len(self._rows) - room, 0))
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        screen = self.screen
        assert isinstance(screen, SideBySide)
        screen.paint()

    def render_line(self, y: int) -> Strip:
        if y == 1:
            return self._both(*self._head)
        at = y - 3 + self._top
        return self._both(*self._rows[at]) if y >= 3 and at < len(self._rows) else self._both((), ())

    def _both(self, left: Line, right: Line) -> Strip:
        fill = " " * (self.column - line_width(left) + GAP)
        return self._inks.strip((Run(" "), *left, Run(fill), *right), "page", self.size.width)
