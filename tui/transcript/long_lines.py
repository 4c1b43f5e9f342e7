"""The lines of an editor, wrapped as they come into sight: a text may have ten million characters, even in one line.

Textual wraps a whole text at each new width, all of a line at each key, and cuts a line into its screen lines for each
one that it paints. Here a line that nobody has looked at yet counts for about as many screen lines as it may have.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import count
from typing import overload

from textual._cells import cell_len, cell_width_to_column_index
from textual.document._document import Document, EditResult, Location
from textual.document._wrapped_document import WrappedDocument
from textual.expand_tabs import expand_tabs_inline, get_tab_widths
from textual.geometry import Offset

from .breaks import LONG, TAB, breaks, last_start, rebroken
from .given import Given

LARGE = 50_000
"""Characters; a shorter text is wrapped as a whole."""
STEP = 512
"""Lines; the heights of so many are added up and kept."""
_edits = count(1)


class LongDocument(Document):
    """Text in lines, which tells its wrapped form of each edit."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.last_edit = next(_edits)
        """A number that no other edit has, of whatever document."""
        self.wrapped: LongLines | None = None
        self.given: Given | None = None

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        top, bottom = sorted((start, end))
        if self.given is not None:
            self.given.edited(top, bottom, self._lines)
        self.last_edit = next(_edits)
        if top[0] == bottom[0] < len(self._lines) and len((text + "|").splitlines()) == 1:
            # A line may have ten megabytes: it is copied as few times as can be.
            line = self._lines[top[0]]
            self._lines[top[0]] = "".join((line[: top[1]], text, line[bottom[1] :]))
            result = EditResult((top[0], min(top[1], len(line)) + len(text)), line[top[1] : bottom[1]])
        else:
            result = super().replace_range(top, bottom, text)
        if self.wrapped is not None:
            self.wrapped.edited(top, bottom, result.end_location)
        return result


class Sections(Sequence[str]):
    """The screen lines of a line, each cut when it is asked for."""

    def __init__(self, line: str, offsets: list[int]) -> None:
        self._line, self._offsets = line, offsets

    def __len__(self) -> int:
        return len(self._offsets) + 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        begin = self._offsets[at - 1] if at else 0
        return self._line[begin : self._offsets[at] if at < len(self._offsets) else None]


class LongLines(WrappedDocument):
    """A document's lines and where they break."""

    document: LongDocument

    def __init__(self, document: LongDocument, width: int = 0, tab_width: int = TAB) -> None:
        self._broken: list[list[int] | None] = []
        """For each line where it breaks; None: nobody has looked yet."""
        self._heights: list[int] = []
        """In screen lines; of those that aren't broken yet a guess."""
        self._tops: list[int] = []
        """Of each STEPth line."""
        self._height = 0
        self._tabs: tuple[str, list[int]] = ("", [])
        """The line whose tabs were measured last."""
        self.looked_at = 0
        """How many lines were wrapped so far, whole or in part."""
        super().__init__(document, width, tab_width)
        document.wrapped = self

    # Where lines stand

    @property
    def wrapped(self) -> bool:
        return self._height > len(self._heights)

    @property
    def width(self) -> int:
        """In cells; 0: it isn't known yet."""
        return self._width

    @property
    def height(self) -> int:
        return self._height

    def top(self, row: int) -> int:
        """The first screen line of a line."""
        step = row // STEP
        return self._tops[step] + sum(self._heights[step * STEP : row])

    def row_at(self, y: int) -> tuple[int, int]:
        """The line that has this screen line, and its number in it; the last one, if there are fewer."""
        while True:
            within = min(max(y, 0), self._height - 1)
            step = bisect_right(self._tops, within) - 1
            row, top = step * STEP, self._tops[step]
            while top + self._heights[row] <= within:
                top += self._heights[row]
                row += 1
            if not self._look(row):
                return row, within - top
            self._add_up(row)

    def _add_up(self, first: int = 0) -> None:
        """The tops from a line on."""
        step = first // STEP
        top = self._tops[step] if step < len(self._tops) else 0
        del self._tops[step:]
        for begin in range(step * STEP, len(self._heights), STEP):
            self._tops.append(top)
            top += sum(self._heights[begin : begin + STEP])
        self._height = top

    def _guessed(self, line: str) -> int:
        width = self._width
        if not width:
            return 1
        # Exact for ASCII that takes one line; Chinese takes two cells a character, and most else one.
        return 1 + (len(line) - 1 if line.isascii() else len(line) * 3 // 2) // width if line else 1

    # Wrapping

    def wrap(self, width: int, tab_width: int | None = None) -> None:
        lines = self.document.lines
        if width == self._width and len(self._heights) == len(lines):
            return
        self._width = width
        self._broken = [None] * len(lines)
        self._heights = list(map(self._guessed, lines)) if width else [1] * len(lines)
        self._add_up()
        if width and sum(map(len, lines)) < LARGE:
            self.look(range(len(lines)))

    def look(self, rows: range) -> None:
        """Wraps those of these lines that aren't yet."""
        if changed := [row for row in rows if self._look(row)]:
            self._add_up(changed[0])

    def look_around(self, row: int, reach: int) -> None:
        """Wraps a line, and so many screen lines above and below it."""
        first, changed = row, self._look(row)
        for step, end in ((-1, 0), (1, len(self._heights) - 1)):
            at, left = row, reach
            while at != end and left > 0:
                at += step
                changed |= self._look(at)
                left -= self._heights[at]
            first = min(first, at)
        if changed:
            self._add_up(first)

    def _look(self, row: int) -> bool:
        """Wraps a line; whether it is higher or lower than was thought."""
        if self._broken[row] is not None:
            return False
        self.looked_at += 1
        self._broken[row] = found = breaks(self.document[row], self._width) if self._width else []
        thought, self._heights[row] = self._heights[row], len(found) + 1
        return self._heights[row] != thought

    def wrap_range(self, start: Location, old_end: Location, new_end: Location) -> None:
        """The document has told of it already."""

    def edited(self, start: Location, old_end: Location, new_end: Location) -> None:
        """The document was edited here."""
        top, bottom = start[0], min(old_end[0], len(self._broken) - 1)
        before, behind = self._broken[top] or [], self._broken[bottom] if bottom == old_end[0] else None
        lines = self.document.lines[top : new_end[0] + 1]
        broken: list[list[int] | None] = [None] * len(lines)
        if self._width:
            # Those between the first and the last one wait until someone looks.
            moved = new_end[1] - old_end[1]
            tail = [at + moved for at in behind[bisect_right(behind, old_end[1]) :]] if behind else []
            if top != old_end[0] and len(lines) == 1 and "\t" in lines[0][:LONG] + lines[0][-LONG:]:
                # A tab of a short line that became part of a long one takes four cells now.
                broken[0] = self._rebroken(lines[0], [], 0, [], len(lines[0]))
            elif len(lines) == 1:
                broken[0] = self._rebroken(lines[0], before, start[1], tail, new_end[1])
            else:
                broken[0] = self._rebroken(lines[0], before, start[1], [], len(lines[0]))
                broken[-1] = self._rebroken(lines[-1], [], 0, tail, new_end[1])
        heights = [
            self._guessed(line) if found is None else len(found) + 1 for line, found in zip(lines, broken, strict=True)
        ]
        old = self._heights[top : bottom + 1]
        self._broken[top : bottom + 1] = broken
        self._heights[top : bottom + 1] = heights
        if heights != old:
            self._add_up(top)
            if self._height < LARGE // 200:
                # What is left is short.
                self.look(range(len(self._heights)))

    def _rebroken(self, line: str, head: list[int], start: int, tail: list[int], end: int) -> list[int]:
        self.looked_at += 1
        return rebroken(line, self._width, head, start, tail, end)

    # What Textual asks for

    @property
    def lines(self) -> list[list[str]]:
        return [list(self.get_sections(row)) for row in range(len(self._heights))]

    def get_offsets(self, line_index: int) -> list[int]:
        if not 0 <= line_index < len(self._heights):
            raise ValueError(line_index)
        self.look(range(line_index, line_index + 1))
        return self._broken[line_index] or []

    def section(self, line_index: int, number: int) -> tuple[int, int]:
        """Where a screen line of a logical line begins and ends, in characters."""
        offsets = self.get_offsets(line_index)
        begin = offsets[number - 1] if number else 0
        return begin, offsets[number] if number < len(offsets) else len(self.document[line_index])

    def get_sections(self, line_index: int) -> list[str]:
        return Sections(self.document[line_index], self.get_offsets(line_index))  # pyright: ignore[reportReturnType]

    def get_tab_widths(self, line_index: int) -> list[int]:
        line = self.document[line_index]
        if len(line) >= LONG:
            return [TAB] * line.count("\t")
        if self._tabs[0] is not line:
            self._tabs = line, [cells for _, cells in get_tab_widths(line, self._tab_width)] if "\t" in line else []
        return self._tabs[1]

    def location_to_offset(self, location: Location) -> Offset:
        row = min(max(location[0], 0), len(self._heights) - 1)
        if not self._width:
            # Not on the screen yet.
            return Offset(0, row)
        offsets = self.get_offsets(row)
        number = bisect_right(offsets, location[1])
        begin = offsets[number - 1] if number else 0
        before = self.document[row][begin : location[1]]
        if "\t" in before:
            before = expand_tabs_inline(before, self._tab_width)
        # Behind blanks that hang over the edge the caret is shown at the edge.
        return Offset(min(cell_len(before), self._width), self.top(row) + number)

    def offset_to_location(self, offset: Offset) -> Location:
        row, number = self.row_at(offset.y)
        return row, self.get_target_document_column(row, max(offset.x, 0), number)

    def get_target_document_column(self, line_index: int, x_offset: int, y_offset: int) -> int:
        last = len(self.get_offsets(line_index))
        number = last if y_offset < 0 else min(y_offset, last)
        begin, end = self.section(line_index, number)
        line = self.document[line_index]
        column = begin + cell_width_to_column_index(line[begin:end], x_offset, self._tab_width)
        # Behind a screen line's last character is the next one's place.
        return column if number == last else min(column, self.last_place(line_index, number))

    def last_place(self, line_index: int, number: int) -> int:
        """Where the last character begins of a screen line that another one of its line follows."""
        begin, end = self.section(line_index, number)
        return begin + last_start(self.document[line_index][begin:end])
