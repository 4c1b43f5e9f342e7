"""A text area whose keys don't wait for long texts: it paints from the screen lines that are in sight alone."""

from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from textual.document._document import EditResult
from textual.document._document_navigator import DocumentNavigator
from textual.document._edit import Edit
from textual.strip import Strip
from textual.widgets import TextArea

from .long_lines import LONG, LongLines


class QuickTextArea(TextArea):
    """Paints as its parent does, without line numbers, highlighting of languages and brackets, and suggestions."""

    def _set_document(self, text: str, language: str | None) -> None:
        super()._set_document(text, language)
        self.wrapped_document = LongLines(self.document, self.wrap_width, self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)

    def edit(self, edit: Edit) -> EditResult:
        lines = self.wrapped_document
        assert isinstance(lines, LongLines)
        with lines.one_edit():
            return super().edit(edit)

    def _find_columns_to_next_tab_stop(self) -> int:
        # Asked at every key; Textual measures the line up to the caret for it.
        row, _ = self.cursor_location
        return self.indent_width if len(self.document[row]) > LONG else super()._find_columns_to_next_tab_stop()

    def shown(self, text: str) -> str:
        """A piece of the text as it is painted: as many characters."""
        return text

    def render_line(self, y: int) -> Strip:
        lines, theme = self.wrapped_document, self._theme
        assert isinstance(lines, LongLines)
        assert theme is not None
        base = theme.base_style or self.rich_style
        at = y + self.scroll_offset.y
        if at >= lines.height:
            return Strip.blank(self.size.width, base)
        row, number = lines._offset_to_line_info[at]
        begin, end = lines.section(row, number)
        line = self.document.get_line(row)
        # The blank behind the last character is where the caret stands at the end.
        text = self.shown(line[begin:end]) + (" " if end == len(line) else "")
        marks = self._marks(row, begin, len(text))
        if not line and marks and row != self.selection.end[0]:
            # An empty line that is selected.
            text, marks = "▌", [(0, 1, Style(color=marks[0][2].bgcolor))]
        widths = iter(lines.get_tab_widths(row)[line.count("\t", 0, begin) :])
        segments: list[Segment] = []
        for left, right in pairwise(sorted({0, len(text), *(edge for mark in marks for edge in mark[:2])})):
            style = base
            for first, last, over in marks:
                if first <= left and right <= last:
                    style += over
            piece = text[left:right]
            if "\t" in piece:
                piece = "".join(" " * next(widths) if char == "\t" else char for char in piece)
            segments.append(Segment(piece, style))
        return Strip(segments).extend_cell_length(self.scrollable_content_region.width, base)

    def _marks(self, row: int, begin: int, length: int) -> list[tuple[int, int, Style]]:
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
        if row == caret_row and self._draw_cursor:
            marks.append((caret - begin, caret + 1 - begin, theme.cursor_style))
        inside = ((max(first, 0), min(last, length), style) for first, last, style in marks)
        return [(first, last, style) for first, last, style in inside if first < last and style is not None]
