"""One line of an editor as screen lines. A very long one is cut into pieces, each wrapped once someone looks at it."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from ...workbench.visible import visible_in_editor
from .breaks import breaks
from .parts import PART, seams


class Piece:
    """Part of a line, or all of it: it begins a screen line, whatever stands before it."""

    def __init__(self, length: int, guess: int) -> None:
        self.length = length
        """In characters."""
        self.cuts: list[int] | None = None
        """Where it breaks, in characters from its beginning; None: nobody has looked yet."""
        self.height = guess
        """In screen lines."""


class Folds:
    """How a line is wrapped at a width.

    Args:
        line: as it is, controls included.
        width: in cells.
        head: pieces that it begins with, from before an edit.
        tail: pieces that it ends with.
    """

    def __init__(self, line: str, width: int, head: Sequence[Piece] = (), tail: Sequence[Piece] = ()) -> None:
        self._line, self._width = line, width
        start, end = sum(piece.length for piece in head), len(line) - sum(piece.length for piece in tail)
        # One that an edit has left little of goes on with its neighbour.
        if end - start < PART // 2 and head:
            *head, last = head
            start -= last.length
        if end - start < PART // 2 and tail:
            first, *tail = tail
            end += first.length
        edges = pairwise([start, *seams(line, start, end), end])
        new = (Piece(b - a, guessed(b - a, width, is_ascii=line.isascii())) for a, b in edges)
        self._pieces = [*head, *new, *tail]
        if len(self._pieces) == 1:
            # It may have been part of a longer line, in which tabs are as wide everywhere.
            self._pieces[0].cuts = None
        self._begins = list(accumulate((piece.length for piece in self._pieces[:-1]), initial=0))
        self.looked_at = 0
        """How many of its pieces were wrapped so far."""
        self._add_up()

    def _add_up(self) -> None:
        self._tops = list(accumulate((piece.height for piece in self._pieces), initial=0))

    @property
    def height(self) -> int:
        """In screen lines; of what nobody has looked at yet a guess."""
        return self._tops[-1]

    @property
    def has_tab_stops(self) -> bool:
        """Whether a tab reaches to the next stop. In a line of several pieces it takes four cells anywhere."""
        return len(self._pieces) == 1

    def piece_of(self, column: int) -> tuple[int, int, int]:
        """Where the piece of a character begins and ends in the line, and its height, once it is wrapped."""
        at, piece = self._look(column)
        begin = self._begins[at]
        return begin, begin + piece.length, piece.height

    def at(self, column: int) -> tuple[int, int, int]:
        """The screen line that has this character: its number, and from where to where in the line it goes."""
        at, piece = self._look(column)
        begin, cuts = self._begins[at], piece.cuts or []
        number = bisect_right(cuts, column - begin)
        start = begin + cuts[number - 1] if number else begin
        return self._tops[at] + number, start, begin + (cuts[number] if number < len(cuts) else piece.length)

    def begin_of(self, number: int) -> int:
        """Where a screen line begins, as far as is known: where its piece does, if nobody has looked at that."""
        at = bisect_right(self._tops, number, hi=len(self._pieces)) - 1
        cuts, within = self._pieces[at].cuts or [], number - self._tops[at]
        return self._begins[at] + (cuts[min(within, len(cuts)) - 1] if within and cuts else 0)

    def cuts(self) -> Iterator[int]:
        """All the places where it breaks."""
        for begin in self._begins:
            self._look(begin)
        for begin, piece in zip(self._begins, self._pieces, strict=True):
            yield from ([begin] if begin else [])
            yield from (begin + cut for cut in piece.cuts or [])

    def around(self, column: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """The pieces before and behind the one that has this character."""
        at = bisect_right(self._begins, column) - 1
        return self._pieces[:at], self._pieces[at + 1 :]

    def _look(self, column: int) -> tuple[int, Piece]:
        at = bisect_right(self._begins, column) - 1
        piece = self._pieces[at]
        if piece.cuts is None:
            begin = self._begins[at]
            text = visible_in_editor(self._line[begin : begin + piece.length])
            piece.cuts = breaks(text, self._width, to_stops=self.has_tab_stops) if self._width else []
            self.looked_at += 1
            piece.height = len(piece.cuts) + 1
            self._add_up()
        return at, piece


def guessed(length: int, width: int, *, is_ascii: bool) -> int:
    """How many screen lines so many characters of a line may take; exact for ASCII that takes one."""
    # Chinese takes two cells a character, and most else one.
    if not width or not length:
        return 1
    return 1 + (length - 1 if is_ascii else length * 3 // 2) // width
