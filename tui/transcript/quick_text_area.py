"""A text area whose keys don't wait for long texts: it wraps and paints the screen lines that are in sight alone."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.document._document import Location
from textual.geometry import Offset
from textual.strip import Strip
from textual.widgets import TextArea

from ...workbench.visible import visible_in_editor
from .long_lines import LARGE, LongLines
from .long_text import LongDocument
from .parts import PART
from .screen_line_moves import ScreenLineMoves

SCREENS = 2
"""So many above and below what is in sight are wrapped: where a page further is, is known exactly."""
_TEXT = re.compile(r"\S")
_WORD = re.compile(r"\s*\w+")


def _expanded(text: str, tab_widths: Iterator[int]) -> str:
    """The text with blanks for tabs."""
    return "".join(" " * next(tab_widths) if char == "\t" else char for char in text) if "\t" in text else text


class QuickTextArea(TextArea):
    """Paints as its parent does, without line numbers, highlighting of languages and brackets, and suggestions."""

    def __init__(self, text: str = "", **options: Any) -> None:
        # The parent would wrap it several times before it is known how wide it is to be.
        super().__init__("", **options)
        if len(text) >= LARGE:
            # Nor is it wrapped without a scrollbar, to see that it needs one.
            self.styles.overflow_y = "scroll"
        self._set_document(text, None)

    def _set_document(self, text: str, language: str | None) -> None:
        self.document = self.long_document = LongDocument(text)
        self.wrapped_document = self.long_lines = LongLines(self.long_document, self.wrap_width, self.indent_width)
        self.navigator = ScreenLineMoves(self.long_lines)
        self.move_cursor((0, 0))
        self._rewrap_and_refresh_virtual_size()

    # The page stands still while what lies above it turns out to be higher or lower than was thought

    def _look_around(self, location: Location) -> None:
        lines, height = self.long_lines, self.size.height
        if not (self.is_mounted and height and self.wrap_width):
            return
        y = round(self.scroll_y)
        top = lines.place_at(y)
        lines.look_around(location, SCREENS * height)
        moved = lines.at(top.row, top.begin).y - y
        # After an edit too: the parent looks for the caret before it says how high the text has become.
        if moved or lines.height != self.virtual_size.height:
            self._refresh_size()
            self._recompute_cursor_offset()
        if moved:
            self.scroll_to(y=y + moved, animate=False, force=True)

    def scroll_cursor_visible(self, center: bool = False, animate: bool = False) -> Offset:
        self._look_around(self.cursor_location)
        return super().scroll_cursor_visible(center, animate)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._look_around(self.long_lines.place_at(round(new_value))[:2])

    def _rewrap_and_refresh_virtual_size(self) -> None:
        lines, y = self.long_lines, round(self.scroll_y)
        known = self.is_mounted and lines.width
        from_top = lines.location_to_offset(self.cursor_location).y - y if known else -1
        before = lines.width
        super()._rewrap_and_refresh_virtual_size()
        if not self.is_mounted:
            return
        if lines.width != before:
            # It may have been painted before it was known how wide it is.
            self.refresh()
        self._look_around(self.cursor_location)
        if 0 <= from_top < self.size.height:
            # The caret stays where it stood on the page.
            y = lines.location_to_offset(self.cursor_location).y - from_top
            self.scroll_to(y=y, animate=False, force=True)
        self.scroll_cursor_visible()

    # What Textual looks for in all of the text, or in all of a line

    def find_matching_bracket(self, bracket: str, search_from: Location) -> Location | None:
        return None

    def _find_columns_to_next_tab_stop(self) -> int:
        # Asked at every key; Textual measures the line up to the caret for it.
        row, _ = self.cursor_location
        return self.indent_width if len(self.document[row]) > PART else super()._find_columns_to_next_tab_stop()

    def get_cursor_word_left_location(self) -> Location:
        row, column = self.cursor_location
        near = max(column - PART, 0)
        before = self.document[row][near:column].rstrip()
        found = [match.start() for match in self._word_pattern.finditer(before)]
        return (row, near + found[-1]) if found else super().get_cursor_word_left_location()

    def get_cursor_word_right_location(self) -> Location:
        row, column = self.cursor_location
        line = self.document[row]
        if column == len(line):
            return super().get_cursor_word_right_location()
        text = _TEXT.search(line, column)
        end = self._word_pattern.search(line, text.start() + 1) if text else None
        return row, end.start() if end else len(line)

    def action_delete_word_right(self) -> None:
        row, column = self.cursor_location
        word = _WORD.search(self.document[row], column)
        if word and self.selection.is_empty:
            self._delete_via_keyboard((row, column), (row, word.end()))
        else:
            super().action_delete_word_right()

    def render_line(self, y: int) -> Strip:
        lines, theme = self.long_lines, self._theme
        assert theme is not None
        base = theme.base_style or self.rich_style
        at = y + self.scroll_offset.y
        if at >= lines.height or not lines.width:
            return Strip.blank(self.size.width, base)
        row, begin, end, _ = lines.place_at(at)
        line = self.document.get_line(row)
        # The blank behind the last character is where the caret stands at the end.
        text = visible_in_editor(line[begin:end]) + (" " if end == len(line) else "")
        marks = self._marks(row, begin, text)
        if not line and marks and row != self.selection.end[0]:
            # An empty line that is selected.
            text, marks = "▌", [(0, 1, Style(color=marks[0][2].bgcolor))]
        widths = self.long_lines.tab_widths(row, begin) if "\t" in text else iter(())
        segments: list[Segment] = []
        for left, right in pairwise(sorted({0, len(text), *(edge for mark in marks for edge in mark[:2])})):
            style = base
            for first, last, over in marks:
                if first <= left and right <= last:
                    style += over
            segments.append(Segment(_expanded(text[left:right], widths), style))
        return Strip(segments).extend_cell_length(self.scrollable_content_region.width, base)

    def _at_edge(self, row: int, begin: int, before: str) -> int:
        """Where in a screen line the caret is shown that stands behind this text: blanks may hang over the edge."""

        def cells(length: int) -> int:
            return cell_len(_expanded(before[:length], self.long_lines.tab_widths(row, begin)))

        edge = self.wrap_width
        if cells(len(before)) <= edge:
            return len(before)
        return bisect_right(range(len(before)), edge, key=cells) - 1

    def _marks(self, row: int, begin: int, text: str) -> list[tuple[int, int, Style]]:
        """What lies over a screen line: from where to where in it, and how it looks. The selection, then the caret."""
        theme = self._theme
        assert theme is not None
        (top_row, top), (bottom_row, bottom) = sorted(self.selection)
        marks: list[tuple[int, int, Style | None]] = []
        if self.selection.start != self.selection.end and top_row <= row <= bottom_row:
            whole = len(self.document.get_line(row))
            first, last = top if row == top_row else 0, bottom if row == bottom_row else whole
            if not whole and row != self.selection.end[0]:
                last = 1
            marks.append((first - begin, last - begin, theme.selection_style))
        caret_row, caret = self.selection.end
        if row == caret_row and begin <= caret < begin + len(text) and self._draw_cursor:
            at = self._at_edge(row, begin, text[: caret - begin])
            marks.append((at, at + 1, theme.cursor_style))
        inside = ((max(first, 0), min(last, len(text)), style) for first, last, style in marks)
        return [(first, last, style) for first, last, style in inside if first < last and style is not None]
