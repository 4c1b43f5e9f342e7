"""An editor's text, in stretches of many lines: each is split into its lines when someone looks at one of them.

Textual's document splits all of a text before anything is shown, and takes for a line end what a terminal would: here
only a line feed is one, and all else is kept as it came.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain, count
from typing import TYPE_CHECKING, Literal, NamedTuple, overload

from rich.cells import cell_len
from textual.document._document import DocumentBase, EditResult, Location
from textual.geometry import Size

from .given import Given

if TYPE_CHECKING:
    from .folds import Folds
    from .long_lines import LongLines

STRETCH = 1 << 15
"""Characters that a stretch has at least when a text is cut up."""
MOST_LINES = 1 << 10
"""Of a stretch that was edited."""
_edits = count(1)


class Stretch:
    """Some lines that follow one another. It keeps what it says: an edit puts others in its place."""

    def __init__(self, text: str | None, lines: list[str] | None = None) -> None:
        """Either the text of the lines, or the lines."""
        self._text = text
        self._lines = lines or []
        self.count = len(self._lines) if text is None else text.count("\n") + 1
        self.length = sum(map(len, self._lines)) + self.count - 1 if text is None else len(text)
        """Characters, the line feeds between its lines included."""
        self.is_ascii = all(map(str.isascii, self._lines)) if text is None else text.isascii()
        self.folds: list[Folds | None] | None = None
        """For each line how it is wrapped; None: nobody has looked yet."""
        self.heights: list[int] = []
        """Of each line in screen lines, once someone looked at one of them."""
        self.height = self.count
        """Of all of them."""

    @property
    def lines(self) -> list[str]:
        if self._text is not None:
            self._lines = self._text.split("\n")
            # After that: another thread may be about to ask for the text.
            self._text = None
        return self._lines

    @property
    def text(self) -> str:
        text = self._text
        return "\n".join(self._lines) if text is None else text


class Spliced(NamedTuple):
    """What became of the stretches at an edit."""

    first: int
    """Which line they begin with."""
    gone: list[Stretch]
    come: list[Stretch]


class Lines(Sequence[str]):
    """The lines of a text."""

    def __init__(self, text: str) -> None:
        self.stretches = list(_cut(text))
        self._add_up()

    def _add_up(self) -> None:
        self._firsts = list(accumulate((stretch.count for stretch in self.stretches), initial=0))
        self._count = self._firsts.pop()

    def find(self, row: int) -> tuple[int, int]:
        """The number of the stretch that has this line, and the line's number in it."""
        number = bisect_right(self._firsts, row) - 1
        return number, row - self._firsts[number]

    def first(self, number: int) -> int:
        """Which line a stretch begins with."""
        return self._firsts[number]

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(stretch.lines for stretch in self.stretches)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(self._count))]
        number, row = self.find(range(self._count)[index])
        return self.stretches[number].lines[row]

    def before(self, row: int) -> int:
        """How many characters stand before a line, line feeds included."""
        number, within = self.find(row)
        stretches = self.stretches[:number]
        return sum(s.length + 1 for s in stretches) + sum(len(s) + 1 for s in self.stretches[number].lines[:within])

    def between(self, top: Location, bottom: Location) -> str:
        """The text from one place to a later one."""
        if top[0] == bottom[0]:
            return self[top[0]][top[1] : bottom[1]]
        (first, start), (last, end) = self.find(top[0]), self.find(bottom[0])
        begin, rest = self[top[0]][top[1] :], self[bottom[0]][: bottom[1]]
        if first == last:
            return "\n".join([begin, *self.stretches[first].lines[start + 1 : end], rest])
        whole = (stretch.text for stretch in self.stretches[first + 1 : last])
        above, below = self.stretches[first].lines[start + 1 :], self.stretches[last].lines[:end]
        return "\n".join([begin, *above, *whole, *below, rest])

    def replace(self, first: int, last: int, new: list[str]) -> Spliced:
        """Puts other lines in the place of these, the last one included."""
        (start, head), (end, tail) = self.find(first), self.find(last)
        begin, gone = self.first(start), self.stretches[start : end + 1]
        lines = [*gone[0].lines[:head], *new, *gone[-1].lines[tail + 1 :]]
        most = MOST_LINES if len(lines) > 2 * MOST_LINES else len(lines)
        come = [Stretch(None, lines[at : at + most]) for at in range(0, len(lines), most)]
        self.stretches[start : end + 1] = come
        self._add_up()
        return Spliced(begin, gone, come)


def _cut(text: str) -> Iterator[Stretch]:
    begin = 0
    while (feed := text.find("\n", begin + STRETCH)) >= 0:
        yield Stretch(text[begin:feed])
        begin = feed + 1
    yield Stretch(text[begin:] if begin else text)


class LongDocument(DocumentBase):
    """A text that is edited, which tells its wrapped form of each edit."""

    def __init__(self, text: str) -> None:
        self.rows = Lines(text)
        """The lines, as they are looked at; `lines` puts all of them into a list."""
        self.last_edit = next(_edits)
        """A number that no other edit has, of whatever document."""
        self.wrapped: LongLines | None = None
        self.given: Given | None = None

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        lines = self.rows
        top, bottom = (min(place, self.end) for place in sorted((start, end)))
        if self.given is not None:
            self.given.edited(top, bottom, lines)
        self.last_edit = next(_edits)
        replaced = lines.between(top, bottom)
        before, after = lines[top[0]][: top[1]], lines[bottom[0]][bottom[1] :]
        new = text.split("\n")
        column = len(new[-1]) + (len(before) if len(new) == 1 else 0)
        # A line may have ten megabytes: it is copied as few times as can be.
        if len(new) == 1:
            new = ["".join((before, text, after))]
        else:
            new[0], new[-1] = before + new[0], new[-1] + after
        result = EditResult((top[0] + len(new) - 1, column), replaced)
        spliced = lines.replace(top[0], bottom[0], new)
        if self.wrapped is not None:
            self.wrapped.edited(spliced, top, bottom, result.end_location)
        return result

    def text_as_it_is(self) -> Callable[[], str]:
        """The text as it stands now, to be put together in whatever thread has the time."""
        stretches = self.rows.stretches.copy()
        return lambda: "\n".join([stretch.text for stretch in stretches])

    def index(self, location: Location) -> int:
        """How many characters stand before a place."""
        return self.rows.before(location[0]) + location[1]

    # What Textual asks for

    @property
    def lines(self) -> list[str]:
        return list(self.rows)

    @property
    def text(self) -> str:
        return self.text_as_it_is()()

    @property
    def newline(self) -> Literal["\n"]:
        return "\n"

    @property
    def line_count(self) -> int:
        return len(self.rows)

    @property
    def start(self) -> Location:
        return 0, 0

    @property
    def end(self) -> Location:
        return len(self.rows) - 1, len(self.rows[-1])

    def get_line(self, index: int) -> str:
        return self.rows[index]

    def get_text_range(self, start: Location, end: Location) -> str:
        top, bottom = (min(place, self.end) for place in sorted((start, end)))
        return self.rows.between(top, bottom)

    def get_size(self, indent_width: int) -> Size:
        return Size(max(cell_len(line.expandtabs(indent_width)) for line in self.rows), self.line_count)

    @overload
    def __getitem__(self, line_index: int) -> str: ...
    @overload
    def __getitem__(self, line_index: slice) -> list[str]: ...
    def __getitem__(self, line_index: int | slice) -> str | list[str]:
        return self.rows[line_index]
