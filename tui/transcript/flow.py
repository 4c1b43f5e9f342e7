"""The conversation as one flow of lines: blocks are laid out when they come into sight, and kept.

It has no height: a place in it is a block and a line in that, so that ten thousand messages cost what the visible
ones cost, and nothing jumps when a block above turns out longer than guessed.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from ...workbench.conversation import Message
from ..text.wrap import Line
from .blocks import Item, lines
from .page_lines import marked, page_lines
from .parts import LONG, Part, parts_of

MEASURE = 100
"""Cells; longer lines are hard to read."""
KEPT_BLOCKS = 400


class Place(NamedTuple):
    """A line of it: the block's number, and the line in it (its blank line at the end, if any, included)."""

    block: int
    part: int
    """A long message is laid out in parts, and the line is one of the part's."""
    line: int


TOP = Place(0, 0, 0)


class Laid(NamedTuple):
    """A block, or a part of it, laid out, with all that its lines depend on."""

    message: Message
    state: tuple[object, ...]
    lines: list[Line]


class Flow:
    """Items as blocks of lines, and the places in them.

    Args:
        width: tells how many cells a line may take now; a terminal has another size before it says so.
    """

    def __init__(self, width: Callable[[], int]) -> None:
        self.items: Sequence[Item] = ()
        self.variables: Mapping[str, str] = {}
        self._width = width
        self._cache: OrderedDict[tuple[int, int], Laid] = OrderedDict()
        """By uid and part, what was looked at last at the end."""
        self._parts: dict[int, tuple[Message, Sequence[Part | None]]] = {}
        """Of long messages, by uid."""
        self._live: dict[int, list[Line]] = {}
        """Of the answers that are coming, as they were when `hold` was called last; by block number."""

    # What it holds

    def hold(self, items: Sequence[Item], variables: Mapping[str, str]) -> None:
        """Holds these items from now on, with these values for `{{name}}`."""
        if variables != self.variables:
            self._cache.clear()
        self._live.clear()
        self.items, self.variables = items, variables

    def forget(self) -> None:
        """Lets go of all lines: the width is another."""
        self._cache.clear()
        self._live.clear()

    def is_coming(self, block: int) -> bool:
        """Whether an answer is coming for this block, or for one further down."""
        return any(self.items[number].live for number in range(block, len(self.items)))

    # Lines

    def lines_of(self, block: int, part: int) -> list[Line]:
        """The lines of a part of a block, without the blank one after the block."""
        item = self.items[block]
        if item.live is not None:
            if block not in self._live:
                self._live[block] = self._laid_out(item)
            return self._live[block]
        key = item.message.uid, part
        state = (*item[2:], self._width())
        kept = self._cache.get(key)
        if kept is None or kept.message is not item.message or kept.state != state:
            kept = self._cache[key] = Laid(item.message, state, self._laid_out(item, self._parts_of(block)[part]))
        self._cache.move_to_end(key)
        if len(self._cache) > KEPT_BLOCKS:
            self._cache.popitem(last=False)
        return kept.lines

    def lines_from(self, place: Place, count: int) -> Iterator[tuple[Place, Line | None]]:
        """So many lines from a place on, fewer where it ends; None: the blank one after a block."""
        if not self.items:
            return
        block, part, line = self.clamp(place)
        at = block, part
        while at and count > 0:
            laid = self.lines_of(*at)
            end = min(self._height(*at), line + count)
            for y in range(line, end):
                yield Place(*at, y), laid[y] if y < len(laid) else None
            count -= end - line
            at, line = self._neighbour(*at, 1), 0

    def _laid_out(self, item: Item, part: Part | None = None) -> list[Line]:
        width = self._width()
        if item.page is not None:
            return page_lines(item, width, self.variables)
        return lines(item, width, self.variables, part)

    def _parts_of(self, block: int) -> Sequence[Part | None]:
        item = self.items[block]
        message = item.message
        if item.live is not None or item.editing or item.folded or item.page or len(message.said) < LONG:
            return (None,)
        kept = self._parts.get(message.uid)
        if kept is None or kept[0] is not message:
            kept = self._parts[message.uid] = message, parts_of(message) or [None]
        return kept[1]

    def _last_part(self, block: int) -> int:
        return len(self._parts_of(block)) - 1

    def _height(self, block: int, part: int) -> int:
        """Of a part of a block, with the blank line after the block, where there is one."""
        page = self.items[block].page
        is_last = part == self._last_part(block)
        return len(self.lines_of(block, part)) + (is_last and (page is None or page.blank_below))

    def _neighbour(self, block: int, part: int, step: int) -> tuple[int, int] | None:
        """The part before or after another, perhaps of another block."""
        if 0 <= part + step <= self._last_part(block):
            return block, part + step
        if not 0 <= block + step < len(self.items):
            return None
        return block + step, 0 if step > 0 else self._last_part(block + step)

    # Places

    def last_line(self, block: int) -> Place:
        """The last line of a block before its blank line."""
        part = self._last_part(block)
        return Place(block, part, max(len(self.lines_of(block, part)) - 1, 0))

    def end(self) -> Place:
        """The last line of all, the blank one after the last block."""
        if not self.items:
            return TOP
        block = len(self.items) - 1
        part = self._last_part(block)
        return Place(block, part, self._height(block, part) - 1)

    def extent(self, block: int) -> tuple[Place, Place]:
        """The first and last line of a block before its blank line; of one text, of what is selected in it."""
        if self.items[block].page is not None and (found := marked(self.lines_of(block, 0))):
            return Place(block, 0, found[0]), Place(block, 0, found[1])
        return Place(block, 0, 0), self.last_line(block)

    def clamp(self, place: Place) -> Place:
        """The place, or the nearest that exists."""
        if not self.items or place.block < 0:
            return TOP
        block = min(place.block, len(self.items) - 1)
        last = self._last_part(block)
        part = min(place.part, last) if block == place.block else last
        end = self._height(block, part) - 1
        return Place(block, part, min(max(place.line, 0), end) if (block, part) == place[:2] else end)

    def stepped(self, place: Place, step: int) -> Place:
        """The place `step` lines further down (up, if negative), ends held."""
        if not self.items:
            return TOP
        block, part, line = self.clamp(place)
        line += step
        while line < 0 and (before := self._neighbour(block, part, -1)):
            block, part = before
            line += self._height(block, part)
        while line >= (height := self._height(block, part)) and (after := self._neighbour(block, part, 1)):
            line -= height
            block, part = after
        return self.clamp(Place(block, part, line))

    def place_of(self, block: int, line: str, at: int, offset: int) -> Place | None:
        """Where a place in what a message says is laid out.

        Args:
            block: the message's.
            line: the line of the text that it stands in.
            at: where in the line, in characters.
            offset: where in the whole text.
        """
        parts = self._parts_of(block)
        part = next((i for i, each in enumerate(parts) if each and each.begin <= offset < each.end), 0)
        if (piece := parts[part]) is not None:
            # Of a line that goes through many parts, what is in this one.
            before = max(piece.begin - (offset - at), 0)
            line, at = line[before : before + piece.end - piece.begin], at - before
        laid = [_letters(run.text for run in runs) for runs in self.lines_of(block, part)]
        text = "".join(laid)
        # Laid out, the line may be wrapped, and without its marks.
        found = text.find(_letters(line))
        found = found + len(_letters(line[:at])) if found >= 0 else text.find(_letters(line[at : at + MEASURE]))
        if found < 0:
            return None
        return Place(block, part, bisect_right(list(accumulate(map(len, laid))), found))


def _letters(texts: Iterable[str]) -> str:
    """Letters and digits alone: what stays of a text however it is laid out."""
    return "".join(char for text in texts for char in text if char.isalnum())
