"""The lines of an editor, wrapped as they come into sight: a text may have ten million characters, even in one line.

Textual wraps a whole text at each new width, all of a line at each key, and cuts a line into its screen lines for each
one that it paints. Here a line that nobody has looked at yet counts for about as many screen lines as it may have.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, islice, pairwise, repeat
from typing import NamedTuple

from textual._cells import cell_len, cell_width_to_column_index
from textual.document._document import Location
from textual.document._wrapped_document import WrappedDocument
from textual.expand_tabs import expand_tabs_inline, get_tab_widths
from textual.geometry import Offset

from ...workbench.visible import visible_in_editor
from .breaks import TAB, last_start
from .folds import Folds, guessed
from .long_text import LongDocument, Spliced, Stretch

LARGE = 50_000
"""Characters; a shorter text is wrapped as a whole."""


class Place(NamedTuple):
    """A screen line."""

    row: int
    """Which line of the text it is of,"""
    begin: int
    end: int
    """and from where to where in that."""
    y: int
    """Its number."""


class LongLines(WrappedDocument):
    """A document's lines and where they break."""

    document: LongDocument

    def __init__(self, document: LongDocument, width: int = 0, tab_width: int = TAB) -> None:
        self._lines = document.rows
        self._tops: list[int] | None = None
        """Of the stretches, in screen lines; None: they are to be added up again."""
        self._tabs: tuple[str, list[int]] = ("", [])
        """The line whose tabs were measured last."""
        self.looked_at = 0
        """How many lines, or pieces of long ones, were wrapped so far."""
        super().__init__(document, width, tab_width)
        document.wrapped = self

    # Where lines stand

    @property
    def wrapped(self) -> bool:
        return self.height > len(self._lines)

    @property
    def width(self) -> int:
        """In cells; 0: it isn't known yet."""
        return self._width

    @property
    def height(self) -> int:
        return self._top_of_all()[-1]

    def _top_of_all(self) -> list[int]:
        """The tops of all stretches, and what would be the next one's."""
        if self._tops is None:
            self._tops = list(accumulate((stretch.height for stretch in self._lines.stretches), initial=0))
        return self._tops

    def at(self, row: int, column: int) -> Place:
        """The screen line that has this character; of one that isn't there, the nearest line's."""
        # Before an undo has put it back, the caret may stand behind the end.
        row = min(row, len(self._lines) - 1)
        number, within = self._lines.find(row)
        folds = self._folds(number, within)
        inside, begin, end = folds.at(column)
        self._settle(number, within, folds)
        top = self._top_of_all()[number] + sum(self._lines.stretches[number].heights[:within])
        return Place(row, begin, end, top + inside)

    def place_at(self, y: int) -> Place:
        """The screen line of this number; the last one, if there are fewer."""
        while True:
            tops = self._top_of_all()
            y = min(max(y, 0), tops[-1] - 1)
            number = bisect_right(tops, y) - 1
            stretch = self._lines.stretches[number]
            self._open(stretch)
            ends = list(accumulate(stretch.heights))
            within = bisect_right(ends, y - tops[number])
            if within == stretch.count:
                # It is lower than was thought.
                continue
            folds = self._folds(number, within)
            inside = y - tops[number] - (ends[within] - stretch.heights[within])
            _, begin, end = folds.at(folds.begin_of(inside))
            if not self._settle(number, within, folds) and self._tops is tops:
                return Place(self._lines.first(number) + within, begin, end, y)

    def above(self, place: Place) -> Place | None:
        """The screen line above another; None: that is the first one."""
        if place.begin:
            return self.at(place.row, place.begin - 1)
        return self.at(place.row - 1, len(self._lines[place.row - 1])) if place.row else None

    def below(self, place: Place) -> Place | None:
        """The screen line below another; None: that is the last one."""
        if place.end < len(self._lines[place.row]):
            return self.at(place.row, place.end)
        return self.at(place.row + 1, 0) if place.row + 1 < len(self._lines) else None

    def column(self, place: Place, x: int) -> int:
        """Which character of a screen line is so many cells from its beginning, or the last one."""
        line = self._lines[place.row]
        text = visible_in_editor(line[place.begin : place.end])
        column = place.begin + cell_width_to_column_index(text, max(x, 0), self._tab_width)
        # Behind a screen line's last character is the next one's place.
        return column if place.end == len(line) else min(column, self.last_place(place))

    def last_place(self, place: Place) -> int:
        """Where the caret stands at the end of a screen line: before its last character, if its line goes on."""
        line = self._lines[place.row]
        text = line[place.begin : place.end]
        return place.end if place.end == len(line) else place.begin + last_start(text)

    # Wrapping

    def wrap(self, width: int, tab_width: int | None = None) -> None:
        if width == self._width and self._tops is not None:
            return
        self._width = width
        for stretch in self._lines.stretches:
            self._guess(stretch)
        self._tops = None
        if width and sum(stretch.length for stretch in self._lines.stretches) < LARGE:
            self._look_at_all()

    def look_around(self, location: Location, reach: int) -> None:
        """Wraps what is so many screen lines above and below a place."""
        for step in (-1, 1):
            (row, column), left = min(location, self.document.end), reach
            while left > 0:
                number, within = self._lines.find(row)
                folds = self._folds(number, within)
                begin, end, height = folds.piece_of(column)
                self._settle(number, within, folds)
                left -= height if not begin <= location[1] <= end or row != location[0] else 0
                if step < 0 and begin:
                    column = begin - 1
                elif step > 0 and end < len(self._lines[row]):
                    column = end
                elif 0 <= row + step < len(self._lines):
                    row += step
                    column = len(self._lines[row]) if step < 0 else 0
                else:
                    break

    def _look_at_all(self) -> None:
        for row in range(len(self._lines)):
            self.get_offsets(row)

    def _guess(self, stretch: Stretch) -> None:
        """How high a stretch is that nobody has looked at."""
        width, count = self._width, stretch.count
        cells = stretch.length if stretch.is_ascii else stretch.length * 3 // 2
        # The last screen line of each line is half full, on average.
        stretch.height = max(count, count // 2 + cells // width) if width else count
        stretch.folds, stretch.heights = None, []

    def _open(self, stretch: Stretch) -> "list[Folds | None]":
        """Before someone looks at a line of it."""
        if (folds := stretch.folds) is None:
            folds = stretch.folds = list[Folds | None]([None] * stretch.count)
            stretch.heights = [guessed(len(line), self._width, is_ascii=line.isascii()) for line in stretch.lines]
            stretch.height = sum(stretch.heights)
            self._tops = None
        return folds

    def _folds(self, number: int, within: int) -> Folds:
        """How a line of a stretch is wrapped."""
        stretch = self._lines.stretches[number]
        known = self._open(stretch)
        folds = known[within]
        if folds is None:
            folds = known[within] = Folds(stretch.lines[within], self._width)
            self._settle(number, within, folds)
        return folds

    def _settle(self, number: int, within: int, folds: Folds) -> bool:
        """Takes in what was wrapped of a line; whether anything was."""
        stretch = self._lines.stretches[number]
        if more := folds.height - stretch.heights[within]:
            stretch.heights[within] += more
            stretch.height += more
            self._tops = None
        looked_at, folds.looked_at = folds.looked_at, 0
        self.looked_at += looked_at
        return bool(looked_at or more)

    def wrap_range(self, start: Location, old_end: Location, new_end: Location) -> None:
        """The document has told of it already."""

    def edited(self, spliced: Spliced, top: Location, bottom: Location, end: Location) -> None:
        """The document was edited.

        Args:
            spliced: the stretches that came in place of others.
            top: from here
            bottom: to here was something else before,
            end: and to here is it now.
        """
        first, gone, come = spliced
        head, tail = top[0] - first, bottom[0] - first - sum(stretch.count for stretch in gone[:-1])
        before, behind = self._open(gone[0]), self._open(gone[-1])
        above = (folds := before[head]) and folds.around(top[1])[0]
        below = (folds := behind[tail]) and folds.around(bottom[1])[1]
        lines, width = self._lines, self._width
        new: list[Folds | None] = [None] * (end[0] - top[0] + 1)
        if len(new) == 1:
            new[0] = Folds(lines[top[0]], width, above or (), below or ())
        else:
            new[0], new[-1] = Folds(lines[top[0]], width, above or ()), Folds(lines[end[0]], width, (), below or ())
        known = [*before[:head], *new, *behind[tail + 1 :]]
        for stretch in come:
            self._guess(stretch)
            of_these, known = known[: stretch.count], known[stretch.count :]
            if any(of_these):
                self._open(stretch)
                stretch.folds = of_these
                stretch.heights = [
                    height if folds is None else folds.height
                    for height, folds in zip(stretch.heights, of_these, strict=True)
                ]
                stretch.height = sum(stretch.heights)
        self._tops = None
        if self.height < LARGE // 200:
            # What is left is short.
            self._look_at_all()

    # What Textual asks for

    @property
    def lines(self) -> list[list[str]]:
        return [self.get_sections(row) for row in range(len(self._lines))]

    def get_offsets(self, line_index: int) -> list[int]:
        if not 0 <= line_index < len(self._lines):
            raise ValueError(line_index)
        number, within = self._lines.find(line_index)
        folds = self._folds(number, within)
        cuts = list(folds.cuts())
        self._settle(number, within, folds)
        return cuts

    def get_sections(self, line_index: int) -> list[str]:
        line = self._lines[line_index]
        return [line[begin:end] for begin, end in pairwise([0, *self.get_offsets(line_index), len(line)])]

    def get_tab_widths(self, line_index: int) -> list[int]:
        return list(islice(self.tab_widths(line_index, 0), self._lines[line_index].count("\t")))

    def tab_widths(self, row: int, begin: int) -> Iterator[int]:
        """Of the tabs from a place of a line on."""
        if not self._folds(*self._lines.find(row)).has_tab_stops:
            return repeat(TAB)
        line = self._lines[row]
        if self._tabs[0] is not line:
            self._tabs = line, [cells for _, cells in get_tab_widths(line, self._tab_width)] if "\t" in line else []
        return iter(self._tabs[1][line.count("\t", 0, begin) :])

    def location_to_offset(self, location: Location) -> Offset:
        row = min(max(location[0], 0), len(self._lines) - 1)
        if not self._width:
            # Not on the screen yet.
            return Offset(0, row)
        place = self.at(row, location[1])
        before = visible_in_editor(self._lines[row][place.begin : location[1]])
        if "\t" in before:
            before = expand_tabs_inline(before, self._tab_width)
        # Behind blanks that hang over the edge the caret is shown at the edge.
        return Offset(min(cell_len(before), self._width), place.y)

    def offset_to_location(self, offset: Offset) -> Location:
        place = self.place_at(offset.y)
        return place.row, self.column(place, offset.x)
