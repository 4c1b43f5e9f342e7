"""Two versions of one message side by side, with what differs marked: its takes, and the text by hand."""

from typing import NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget

from ...workbench.comparing import Stretch, compared
from ...workbench.conversation import Message
from ...workbench.visible import visible, visible_line
from ...workbench.words import say
from ..glyphs import glyphs
from ..inks import Inks
from ..panes.hints import Hint, Hints
from ..transcript.blocks import provenance, short_model
from ..wrap import Line, Run, break_offsets, divide, line_width, truncate_line

GAP = 3
"""Columns between the two sides."""


class Version(NamedTuple):
    """One of the texts that a message has."""

    chosen: int | None
    """As in `Message.chosen`: counts takes from 1; None: the text by hand."""
    name: str
    text: str
    thinking: str
    below: list[Line]
    """Where it came from."""


def versions(message: Message, width: int) -> list[Version]:
    """All texts of a message: the one by hand, if there is one, then its takes."""
    found: list[Version] = []
    if message.has_written:
        found.append(Version(None, say("compare.by_hand"), message.text, "", []))
    for number, take in enumerate(message.takes, start=1):
        name = short_model(visible_line(take.model or ""))
        found.append(Version(number, name, take.text, take.thinking or "", provenance(take, width)))
    return found


class Compare(ModalScreen[int | None]):
    """Shows two versions of a message; the result is the one to be chosen, counted from 0 among `versions`.

    Args:
        message: with two versions at least.
        inks: of the theme.
    """

    CSS_PATH = "compare.tcss"
    BINDINGS = [
        Binding("escape,q,c,ctrl+c", "leave", show=False, priority=True),
        Binding("h,left", "walk(1, -1)", show=False, priority=True),
        Binding("l,right", "walk(1, 1)", show=False, priority=True),
        Binding("H", "walk(0, -1)", show=False, priority=True),
        Binding("L", "walk(0, 1)", show=False, priority=True),
        Binding("x", "swap", show=False, priority=True),
        Binding("z", "thinking", show=False, priority=True),
        Binding("enter", "choose", show=False, priority=True),
        Binding("j,down", "move(1)", show=False, priority=True),
        Binding("k,up", "move(-1)", show=False, priority=True),
        Binding("pagedown,space", "move(12)", show=False, priority=True),
        Binding("pageup", "move(-12)", show=False, priority=True),
        Binding("g,home", "move(-1000000)", show=False, priority=True),
        Binding("G,end", "move(1000000)", show=False, priority=True),
    ]

    def __init__(self, message: Message, inks: Inks) -> None:
        super().__init__()
        self._message = message
        self._inks = inks
        self._count = len(versions(message, 80))
        here = (message.chosen or 0) - (0 if message.has_written else 1)
        self.sides = [here - 1, here] if here else [0, 1]
        self.with_thinking = False

    def compose(self) -> ComposeResult:
        yield Sides(self._inks, id="sides")
        yield Hints(self._inks)

    def on_mount(self) -> None:
        self.set_focus(self.query_one(Sides))
        keys = [line.split("|") for line in say("compare.keys").split("\n")]
        self.query_one(Hints).show([Hint(key, words) for key, words in keys])

    def paint(self) -> None:
        """Lays both sides out anew."""
        view = self.query_one(Sides)
        column = view.column
        shown = versions(self._message, column)
        left, right = (shown[side] for side in self.sides)
        numbers = [
            f"{glyphs.take_left}{v.chosen or glyphs.by_hand}/{len(self._message.takes)}{glyphs.take_right}"
            for v in (left, right)
        ]
        texts = [v.thinking if self.with_thinking else v.text for v in (left, right)]
        head = [
            truncate_line((Run(f"{number} ", f"{self._message.role} strong"), Run(v.name, "strong")), column)
            for number, v in zip(numbers, (left, right), strict=True)
        ]
        rows = beside(visible(texts[0]), visible(texts[1]), column)
        below = [*_zipped(left.below, right.below)]
        view.show(head, [*rows, ((), ()), *below])

    def action_walk(self, side: int, step: int) -> None:
        self.sides[side] = (self.sides[side] + step) % self._count
        self.paint()

    def action_swap(self) -> None:
        self.sides.reverse()
        self.paint()

    def action_thinking(self) -> None:
        self.with_thinking = not self.with_thinking
        self.paint()

    def action_choose(self) -> None:
        self.dismiss(self.sides[1])

    def action_move(self, lines: int) -> None:
        self.query_one(Sides).move(lines)

    def action_leave(self) -> None:
        self.dismiss(None)


def beside(left: str, right: str, column: int) -> list[tuple[Line, Line]]:
    """Both texts wrapped to `column` cells, lines that belong together at the same height."""
    rows: list[tuple[Line, Line]] = []
    for pair in compared(left, right):
        ink = "muted" if pair.same else "text"
        rows += _zipped(_wrapped(pair.left, column, ink, "bad struck"), _wrapped(pair.right, column, ink, "good link"))
    return rows


def _wrapped(stretches: tuple[Stretch, ...] | None, width: int, ink: str, changed: str) -> list[Line]:
    runs = [Run(text, changed if differs else ink) for text, differs in stretches or ()]
    return divide(runs, break_offsets("".join(run.text for run in runs), width)) if runs else [()]


def _zipped(left: list[Line], right: list[Line]) -> list[tuple[Line, Line]]:
    height = max(len(left), len(right))
    return list(zip(left + [()] * (height - len(left)), right + [()] * (height - len(right)), strict=True))


class Sides(Widget, can_focus=True):
    """Paints two columns under a heading each, from a line on."""

    def __init__(self, inks: Inks, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._inks = inks
        self._head: list[Line] = [(), ()]
        self._rows: list[tuple[Line, Line]] = []
        self._top = 0

    @property
    def column(self) -> int:
        """Cells of each side."""
        return max((self.size.width - GAP - 2) // 2, 8)

    def show(self, head: list[Line], rows: list[tuple[Line, Line]]) -> None:
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
        assert isinstance(screen, Compare)
        screen.paint()

    def render_line(self, y: int) -> Strip:
        if y == 1:
            return self._both(self._head[0], self._head[1])
        at = y - 3 + self._top
        if y >= 3 and at < len(self._rows):
            return self._both(*self._rows[at])
        return self._both((), ())

    def _both(self, left: Line, right: Line) -> Strip:
        fill = " " * (self.column - line_width(left) + GAP)
        return self._inks.strip((Run(" "), *left, Run(fill), *right), "page", self.size.width)
