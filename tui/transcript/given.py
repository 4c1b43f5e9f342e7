"""Which stretches of an editor's text a model wrote: a base model's page is coloured while it is edited too."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from textual.document._document import Location


class _Edge(NamedTuple):
    """Where a stretch begins or ends in the text that the editor was opened on."""

    row: int
    column: int
    before_end: int
    """Characters from here to the end of the line."""


class Given:
    """Follows the edits. A stretch that is typed into is its writer's from then on, as `page.rewritten` will have it.

    It keeps only how far the text is as it was from both its ends, so that an edit costs nothing however long it is.

    Args:
        lines: of the text that the editor is opened on.
        stretches: from where to where a model wrote, in characters, in order.
    """

    def __init__(self, lines: Sequence[str], stretches: Sequence[tuple[int, int]]) -> None:
        starts = list(accumulate((len(line) + 1 for line in lines), initial=0))

        def edge(at: int) -> _Edge:
            row = min(bisect_right(starts, at), len(lines)) - 1
            column = at - starts[row]
            return _Edge(row, column, len(lines[row]) - column)

        self._stretches = [(edge(first), edge(last)) for first, last in stretches]
        self._last_rows = [end.row for _, end in self._stretches]
        self._rows = len(lines)
        self._head: Location | None = None
        """Up to here all is as it was; None: nothing was edited."""
        self._tail = (0, 0)
        """From here on too: so many lines from the last one, so many characters from the end of that line."""

    def edited(self, top: Location, bottom: Location, lines: Sequence[str]) -> None:
        """What stands between two places is about to be replaced.

        Args:
            lines: as they are before.
        """
        tail = (len(lines) - 1 - bottom[0], len(lines[bottom[0]]) - bottom[1])
        if self._head is None:
            self._head, self._tail = top, tail
        else:
            self._head, self._tail = min(self._head, top), min(self._tail, tail)

    def on_row(self, row: int, lines: Sequence[str]) -> Iterator[tuple[int, int]]:
        """From where to where on this line a model wrote.

        Args:
            lines: as they are now.
        """
        shift = len(lines) - self._rows
        for before in dict.fromkeys((row, row - shift)):
            at = bisect_left(self._last_rows, before)
            while at < len(self._stretches) and self._stretches[at][0].row <= before:
                start, end = self._stretches[at]
                at += 1
                if before == row and (self._head is None or (end.row, end.column) <= self._head):
                    first, last = start.column, end.column
                elif before == row - shift and (self._rows - 1 - start.row, start.before_end) <= self._tail:
                    first, last = len(lines[row]) - start.before_end, len(lines[row]) - end.before_end
                else:
                    continue
                yield first if before == start.row else 0, last if before == end.row else len(lines[row])
