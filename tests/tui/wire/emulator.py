"""Two terminals in memory: what is sent compared shows on one of them what the other shows when all is sent."""

from collections.abc import Sequence

import pyte
from pyte.screens import Char
from rich.cells import split_graphemes
from rich.console import Console
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Offset

from qiao.tui.wire.frames import Frames

CONSOLE = Console(color_system="truecolor", force_terminal=True)

STYLES = [
    None,
    Style(),
    Style(color="rgb(200,10,10)", bgcolor="rgb(0,0,40)"),
    Style(color="rgb(200,10,10)", bgcolor="rgb(0,0,40)", bold=True),
    Style(color="rgb(1,2,3)", bgcolor="rgb(0,0,40)", bold=True, italic=True),
    Style(bgcolor="rgb(0,0,40)", underline=True),
    Style(color="red", reverse=True),
    Style(color="bright_blue", bgcolor="default", strike=True),
    Style(color="color(99)", bgcolor="bright_black"),
    Style(color="default", underline=True, italic=True, meta={"@click": "x"}),
]


class Emulator(pyte.Screen):
    """A terminal that doesn't wrap, as Textual sets it, and that measures text as Textual does.

    pyte alone leaves half a wide character standing when the other half is overwritten, and drops what follows a
    joiner. Terminals blank the other half, and draw what is joined in one place.
    """

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height)
        self._stream = pyte.Stream(self)

    def feed(self, data: str) -> None:
        self._stream.feed(data)

    def draw(self, data: str) -> None:
        for start, end, width in split_graphemes(data)[0]:
            if width:
                self._put(data[start:end], width)

    def _put(self, glyph: str, width: int) -> None:
        x, line = min(self.cursor.x, self.columns - 1), self.buffer[self.cursor.y]
        for edge in (x, x + width):
            if 0 < edge < self.columns and line[edge].data == "":
                line[edge - 1] = line[edge - 1]._replace(data=" ")
                line[edge] = line[edge]._replace(data=" ")
        if x + width <= self.columns:
            line[x] = self.cursor.attrs._replace(data=glyph)
            if width == 2:
                line[x + 1] = self.cursor.attrs._replace(data="")
        else:
            line[x] = self.cursor.attrs._replace(data=" ")
        self.dirty.add(self.cursor.y)
        self.cursor.x = min(x + width, self.columns)

    def row(self, y: int) -> list[Char]:
        return [self.buffer[y][x] for x in range(self.columns)]

    def fill(self, glyph: str) -> None:
        """Something else has written all over it."""
        for y in range(self.lines):
            for x in range(self.columns):
                self.buffer[y][x] = Char(glyph, reverse=True)

    @property
    def place(self) -> tuple[int, int]:
        return self.cursor.x, self.cursor.y


class Pair:
    """Two terminals of one size: all frames go to one as Textual writes them, to the other compared."""

    def __init__(self, width: int, height: int) -> None:
        self.plain, self.compared = Emulator(width, height), Emulator(width, height)
        self.cursor = Offset(0, 0)
        self.frames = Frames(lambda: self.cursor)
        self.sent: list[int] = []

    def show(self, update: LayoutUpdate | ChopsUpdate) -> str:
        """Shows an update on both; what was sent."""
        replaced = self.frames.compared(update)
        assert isinstance(replaced, CompositorUpdate)
        self.plain.feed(update.render_segments(CONSOLE) + Control.move_to(*self.cursor).segment.text)
        # As App._display does.
        sequence = replaced.render_segments(CONSOLE)
        sequence += Control.move_to(*self.cursor).segment.text
        self.compared.feed(sequence)
        self.check(range(self.plain.lines))
        return sequence

    def check(self, rows: Sequence[int] | range) -> None:
        for y in rows:
            assert self.compared.row(y) == self.plain.row(y), (self.compared.display[y], self.plain.display[y])
        assert self.compared.place == self.plain.place

    def resize(self, width: int, height: int) -> None:
        for screen in (self.plain, self.compared):
            screen.resize(height, width)
            screen.fill("#")
        self.frames.forget()
