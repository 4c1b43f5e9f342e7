"""Frames compared before they are sent: only cells that changed travel to the terminal.

Textual's compositor hands each repaint to the driver as whole strips of the screen. `Frames` stands between the two. It
keeps the cells that the terminal shows and those that it should show, lays each update over the latter, and writes what
differs: a move of the cursor, a change of style, a character. On a slow line it writes a part of that, or nothing, and
what has become of the cells by the time there is room again (`pace`): frames in between are never sent.

Whatever it isn't sure of costs bytes, never a wrong screen. Cells that it doesn't know (at the start, and after
`forget`) differ from any others. Behind a character that terminals measure in different ways, the next move names its
column. Each frame ends with a plain pen, so that anything else that is written finds the terminal as Textual leaves it.
And what it doesn't understand goes out as Textual wrote it.

It leans on a private part of Textual: the two kinds of update in `textual._compositor`, and `App._display`, which asks
an update for its bytes and adds a move of the cursor to them. `tests/tui/wire/test_frames.py` fails if that changes.
"""

import logging
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Offset
from textual.strip import Strip

from .pace import Pace
from .pens import PLAIN, Pen, pen_change, pen_of

_log = logging.getLogger(__name__)

GAP = 8
"""At most so many unchanged cells are written again rather than skipped."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Row(NamedTuple):
    """A line of the screen, a glyph and a pen for each cell.

    A glyph is a character with the marks on it, "" in the second cell of a wide one; None: not known.
    """

    glyphs: list[str | None]
    pens: list[Pen]


class Frames:
    """What the terminal shows; turns updates into the bytes that bring it up to date.

    Args:
        cursor: where the terminal's own cursor is to stand after a frame.
        pace: how much may be sent now; without one, everything.
    """

    def __init__(self, cursor: Callable[[], Offset], pace: Pace | None = None) -> None:
        self._cursor = cursor
        self._pace = pace
        self._shown: dict[int, Row] = {}
        self._wanted: dict[int, Row] = {}
        self._behind: dict[int, None] = {}
        """Rows that may differ in the two, those that have waited longest first."""
        self._at: Offset | None = None
        """Where the terminal's cursor stands; None: not known."""
        self._pen = PLAIN
        self._failed = False

    @property
    def behind(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._behind)

    def forget(self) -> None:
        """The terminal may show anything now: all that comes is sent. Paints nothing by itself; drops what waits."""
        self._shown.clear()
        self._wanted.clear()
        self._behind.clear()
        self._at = None

    def compared(self, renderable: RenderableType | None) -> RenderableType | None:
        """The renderable, to be given to Textual in its place: it compares when it is asked for its bytes."""
        if isinstance(renderable, LayoutUpdate | ChopsUpdate):
            return _Compared(self, renderable)
        if renderable is not None:
            self.forget()
        return renderable

    def bytes_for(self, update: LayoutUpdate | ChopsUpdate, console: Console) -> str:
        """What makes the terminal show this update too, or a part of it; the cursor's move at the end included."""
        waiting = ""
        try:
            try:
                self._lay(update, console._color_system or ColorSystem.TRUECOLOR)
            except Exception:
                # What has been held back goes first.
                waiting = self._difference(float("inf"))
                raise
            return _Finished(self.due())
        except Exception:  # noqa: BLE001 - a mistake here, or a Textual that has changed, must never cost the screen
            if not self._failed:
                _log.exception("A frame could not be compared, and is sent as it is. Others like it aren't told of.")
            self._failed = True
            self.forget()
            self._pen = PLAIN
            text = waiting + update.render_segments(console)
            return self._pace.sealed(text) if self._pace else text

    def due(self) -> str:
        """What is sent now of all that waits; nothing, if there is no room for it."""
        if self._pace is None:
            return self._difference(float("inf"))
        room = self._pace.room()
        return self._pace.sealed(self._difference(room)) if room > 0 else ""

    def _lay(self, update: LayoutUpdate | ChopsUpdate, system: ColorSystem) -> None:
        """Lays an update over what the terminal should show: all of it, or nothing if it can't be understood."""
        width = update.region.width if isinstance(update, LayoutUpdate) else max(update.chop_ends[0])
        wanted: dict[int, Row] = {}
        unknown: dict[int, Row] = {}
        for y, x, strip in _pieces(update):
            if y not in wanted:
                row = self._wanted.get(y)
                if row is None or len(row.glyphs) != width:
                    row = unknown[y] = Row([None] * width, [PLAIN] * width)
                wanted[y] = Row(row.glyphs.copy(), row.pens.copy())
            _put(wanted[y], x, strip, system)
        self._shown |= unknown
        self._wanted |= wanted
        self._behind |= dict.fromkeys(wanted)

    def _difference(self, room: float) -> str:
        """What brings the terminal up to date: all of it, or so many rows as there is room for, the cursor's first.

        Args:
            room: bytes; at least one row is sent all the same.
        """
        cursor = self._cursor()
        parts: list[str] = []
        size = 0
        for y in sorted(self._behind, key=lambda y: y != cursor.y):
            if size and size >= room:
                break
            begun = len(parts)
            if self._wanted[y] != self._shown[y]:
                self._send(parts, y, self._shown[y], self._wanted[y])
                self._shown[y] = self._wanted[y]
            del self._behind[y]
            size += sum(len(part.encode()) for part in parts[begun:])
        parts.append(pen_change(self._pen, PLAIN))
        self._pen = PLAIN
        parts.append(min(_moves(self._at, cursor), key=len))
        self._at = cursor
        return "".join(parts)

    def _send(self, parts: list[str], y: int, shown: Row, row: Row) -> None:
        """Writes the cells of a row that differ."""
        start, width = self._at, len(row.glyphs)
        column = start.x if start is not None and start.y == y else None
        for x, (old, glyph, old_pen, pen) in enumerate(
            zip(shown.glyphs, row.glyphs, shown.pens, row.pens, strict=True)
        ):
            if not glyph or (old == glyph and old_pen == pen):
                continue
            if column != x:
                moves = list(_moves(start if column is None else Offset(column, y), Offset(x, y)))
                if column is not None and 0 < x - column <= GAP:
                    moves += self._written_again(row, column, x)
                parts.append(min(moves, key=lambda move: len(move.encode())))
            if pen != self._pen:
                parts.append(pen_change(self._pen, pen))
                self._pen = pen
            parts.append(glyph)
            start, column = None, x + 1
            if column < width and row.glyphs[column] == "":
                column += 1
            if column >= width or not _is_measured_alike(glyph):
                # At the last column terminals hold the cursor back, each in its own way.
                column = None
        self._at = start if column is None else Offset(column, y)

    def _written_again(self, row: Row, start: int, end: int) -> Iterator[str]:
        """Unchanged cells, where writing them again is a way to get behind them."""
        if row.glyphs[start] == "":
            # The cursor stands within a wide character: half of one can't be written.
            return
        glyphs = [glyph for glyph in row.glyphs[start:end] if glyph != ""]
        if all(glyph and _is_measured_alike(glyph) for glyph in glyphs) and all(
            pen == self._pen for pen in row.pens[start:end]
        ):
            yield "".join(glyph or "" for glyph in glyphs)


class _Compared(CompositorUpdate):
    """An update that is compared when Textual asks for its bytes: one that it drops leaves no trace."""

    def __init__(self, frames: Frames, update: LayoutUpdate | ChopsUpdate) -> None:
        self._frames = frames
        self._update = update

    def render_segments(self, console: Console) -> str:
        return self._frames.bytes_for(self._update, console)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return self._update.__rich_console__(console, options)


class _Finished(str):
    """The bytes of a frame, the cursor's move included: the one that Textual adds to them is left out."""

    def __add__(self, _move: str, /) -> str:
        return str(self)


def _pieces(update: LayoutUpdate | ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """Line, column and content of what an update paints: what its own `render_segments` writes, cropped as there."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                yield y, x, strip
                x += strip.cell_length
        return
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x <= right and end > left:
                inside = left <= x < right and end <= right
                yield y, x, strip if inside else strip.crop(0, min(end, right) - x)


def _put(row: Row, x: int, strip: Strip, system: ColorSystem) -> None:
    """Lays a strip over a row; the other half of a wide character that it cuts in two becomes a blank."""
    glyphs, pens = row
    width = len(glyphs)
    if 0 < x < width and glyphs[x] == "" and strip.cell_length:
        glyphs[x - 1] = " "
    for text, style, control in strip:
        if control:
            raise ValueError("a strip with control codes in it")
        cells = _cells(text)
        end = x + len(cells)
        glyphs[x:end] = cells
        pens[x:end] = [pen_of(style, system) if style else PLAIN] * len(cells)
        x = end
    if x > width:
        cut = glyphs[width] == ""
        del glyphs[width:], pens[width:]
        if cut:
            glyphs[-1] = " "
    elif x < width and glyphs[x] == "":
        glyphs[x] = " "


@lru_cache(maxsize=8192)
def _cells(text: str) -> tuple[str, ...]:
    """A glyph for each cell that the text takes."""
    if _CONTROLS.search(text):
        raise ValueError("a text with control codes in it")
    if text.isascii():
        return tuple(text)
    cells: list[str] = []
    glyph = ""
    for character in text:
        # Marks, joiners and what is joined belong to the character before them.
        if cell_len(character) and cell_len(glyph + character) > cell_len(glyph):
            cells += [glyph, ""][: cell_len(glyph)]
            glyph = character
        else:
            glyph += character
    cells += [glyph, ""][: cell_len(glyph)]
    if len(cells) != cell_len(text):
        raise ValueError("a text whose parts are not as wide as the whole")
    return tuple(cells)


@lru_cache(maxsize=8192)
def _is_measured_alike(glyph: str) -> bool:
    """Whether terminals agree on this glyph's width: not on emoji, and not on what is put together from several."""
    return len(glyph) == 1 and not 0x2600 <= ord(glyph) < 0x2800 and ord(glyph) < 0x10000


def _moves(start: Offset | None, end: Offset) -> Iterator[str]:
    """Ways to bring the cursor from one cell to another. From an unknown one, only the absolute way is sure."""
    x, y = end
    yield f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"
    if start is None:
        return
    right, down = x - start.x, y - start.y
    vertical = f"\x1b[{_count(down)}{'B' if down > 0 else 'A'}" if down else ""
    if right == 0:
        yield vertical
        return
    yield vertical + ("\r" if x == 0 else f"\x1b[{x + 1}G")
    yield vertical + f"\x1b[{_count(right)}{'C' if right > 0 else 'D'}"
    if right < 0:
        yield vertical + "\b" * -right


def _count(number: int) -> str:
    """A count in an escape sequence; one is left out."""
    return "" if abs(number) == 1 else str(abs(number))
