"""The lines of an editor, wrapped once: a text may be a megabyte in a single line.

Textual wraps all of a logical line anew after each character, and cuts it into its screen lines for each one that it
paints: on a megabyte in one line a key took ten seconds.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

from textual._wrap import compute_wrap_offsets
from textual.document._document import Location
from textual.document._wrapped_document import WrappedDocument

LONG = 4_000
"""Characters; a shorter line is wrapped as Textual does it."""
TAB = 4


class LongLines(WrappedDocument):
    """Breaks lines where its parent does; of a long one, only those from an edit on until they fall as before."""

    _one_edit = False
    _cut: tuple[str, list[int], list[str]] = ("", [], [])
    """The line that was cut last, where, and its parts."""

    @contextmanager
    def one_edit(self) -> Iterator[None]:
        """Meanwhile the ranges to be wrapped are those of a single edit. Those of several undone at once don't tell
        how much longer a line became."""
        self._one_edit = True
        try:
            yield
        finally:
            self._one_edit = False

    @property
    def height(self) -> int:
        return len(self._offset_to_line_info)

    def section(self, line_index: int, number: int) -> tuple[int, int]:
        """Where a screen line of a logical line begins and ends, in characters."""
        offsets = self._wrap_offsets[line_index]
        begin = offsets[number - 1] if number else 0
        return begin, offsets[number] if number < len(offsets) else len(self.document[line_index])

    def get_sections(self, line_index: int) -> list[str]:
        line, offsets = self.document[line_index], self._wrap_offsets[line_index]
        if self._cut[0] is not line or self._cut[1] is not offsets:
            self._cut = line, offsets, [line[begin:end] for begin, end in pairwise((0, *offsets, len(line)))]
        return self._cut[2]

    def wrap_range(self, start: Location, old_end: Location, new_end: Location) -> None:
        row = start[0]
        line = self.document[row] if row == old_end[0] == new_end[0] and row < len(self._wrap_offsets) else ""
        if not self._one_edit or len(line) < LONG or "\t" in line or not self._width:
            super().wrap_range(start, old_end, new_end)
            return
        before = self._wrap_offsets[row]
        offsets = self._wrap_offsets[row] = rewrapped(line, before, start[1], old_end[1], new_end[1], self._width)
        grown = len(offsets) - len(before)
        if grown:
            top = self._line_index_to_offsets[row][0]
            info = [(row, number) for number in range(len(offsets) + 1)]
            self._offset_to_line_info[top : top + len(before) + 1] = info
            self._line_index_to_offsets[row] = list(range(top, top + len(info)))
            for below in range(row + 1, len(self._line_index_to_offsets)):
                self._line_index_to_offsets[below] = [at + grown for at in self._line_index_to_offsets[below]]


def rewrapped(line: str, before: Sequence[int], start: int, old_end: int, new_end: int, width: int) -> list[int]:
    """The breaks of a line without tabs, after an edit.

    Args:
        line: as it is now.
        before: the breaks as they were.
        start, old_end: what was replaced, in characters of the line as it was.
        new_end: where what replaced it ends.
        width: in cells.
    """
    # A word that became shorter may go up to the line above: two screen lines before the edit nothing changes.
    first = max(bisect_right(before, start) - 2, 0)
    origin = before[first - 1] if first else 0
    offsets = list(before[:first])
    moved = {at + new_end - old_end for at in before[bisect_right(before, old_end) :]}
    length = new_end - origin + LONG // 2
    while True:
        found = [origin + at for at in compute_wrap_offsets(line[origin : origin + length], width, TAB)]
        if origin + length >= len(line):
            return offsets + found
        # At the end of the piece the breaks may fall otherwise with more text behind it.
        sure = [at for at in found if at < origin + length - 2 * width]
        same = next((at for at in sure if at > new_end and at in moved), None)
        if same is not None:
            rest = before[bisect_right(before, same - new_end + old_end) :]
            return [*offsets, *(at for at in sure if at <= same), *(at + new_end - old_end for at in rest)]
        length *= 4
