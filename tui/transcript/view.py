"""The conversation as one virtual page: blocks are laid out when they come into sight, and kept.

The page has no height: where it stands is a block and a line in it, so that ten thousand messages cost what the visible
ones cost, and nothing jumps when a block above turns out longer than guessed.
"""

import sys
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from textual import events
from textual.geometry import Offset, Region, Size
from textual.message import Message as Event
from textual.strip import Strip
from textual.widget import Widget

from ...workbench.conversation import Message
from ..look.inks import Inks
from ..text.glyphs import glyphs
from ..text.wrap import Line, Run
from .blocks import Item, is_long, lines
from .empty_page import told_lines
from .page_lines import CHOSEN, marked, page_lines
from .parts import LONG, Part, parts_of
from .strips import INDENT, MARGIN, Look, Strips

BESIDE_EDITED = 2
"""Cells right of a text that is being edited: one for the caret behind a full line, one for the scrollbar."""
MEASURE = 100
"""Cells; longer lines are hard to read."""
KEPT_BLOCKS = 400
LINES_AHEAD = 5
"""So far the page moves at once while an answer streams in at its end."""


class Place(NamedTuple):
    """A line of the page: the block's number, and the line in it (its blank line at the end, if any, included)."""

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


class Shown(NamedTuple):
    """A line as it was painted last."""

    place: Place | None
    strip: Strip


class Transcript(Widget, can_focus=True):
    """Shows items, one of them selected. Knows nothing of the document; whoever owns it calls `show`."""

    DEFAULT_CSS = """
    Transcript { height: 1fr; background: $q-page; }
    """

    class Clicked(Event):
        """A block was clicked."""

        def __init__(self, uid: int) -> None:
            super().__init__()
            self.uid = uid

    class Moved(Event):
        """What is visible has changed: whatever lies over the page has to move with it."""

    def __init__(self, inks: Inks, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.inks = inks
        self._strips = Strips(inks)
        self._items: Sequence[Item] = ()
        self._selected = 0
        self._variables: Mapping[str, str] = {}
        self._empty: Sequence[str] = ()
        self._top = TOP
        self._follow = False
        self._letters: Mapping[int, str] = {}
        self._cache: OrderedDict[tuple[int, int], Laid] = OrderedDict()
        self._parts: dict[int, tuple[Message, Sequence[Part | None]]] = {}
        """Of long messages, by uid."""
        self._live: dict[int, list[Line]] = {}
        """Of the answers that are coming, as they were when `show` was called last; by block number."""
        self._painted: list[Shown] = []
        self._at_end = True
        """Whether the last line was in sight when the page was painted last."""

    # What is shown

    def show(
        self, items: Sequence[Item], selected: int, variables: Mapping[str, str], empty: Sequence[str] = ()
    ) -> None:
        """Shows these items.

        Args:
            items: in order.
            selected: the number of the selected one.
            variables: values for `{{name}}`.
            empty: what to say when there are no items, a line each.
        """
        if variables != self._variables:
            self._cache.clear()
        was_written_in_sight = self._is_writing() and not self.is_cut_below(self._selected)
        self._items, self._selected, self._variables, self._empty = items, selected, variables, empty
        self._live.clear()
        if was_written_in_sight and self._is_writing() and self.is_cut_below(selected):
            # An answer that grows above pushes what is being written down; it stays where it can be seen.
            end = self._stepped(self._last_line(selected), -(self.size.height - 1))
            self._top = min(self._stepped(end, self._ahead), Place(selected, 0, 0))
        self._paint()

    @property
    def in_sight(self) -> list[int]:
        """The uids of the messages of which a line is in sight, in order."""
        places = [shown.place for shown in self._painted if shown.place is not None]
        text = [p for p in places if p.line < len(self._lines(p.block, p.part))]
        return list(dict.fromkeys(self._items[place.block].message.uid for place in text))

    def show_letters(self, letters: Mapping[int, str]) -> None:
        """Shows a letter beside the first line in sight of each of these messages, by uid."""
        self._letters = letters
        self._paint()

    def restyle(self, inks: Inks) -> None:
        """The theme has changed."""
        self.inks = inks
        self._strips = Strips(inks)
        self._painted = []
        self._paint()

    @property
    def text_width(self) -> int:
        """Cells a line of a message may take."""
        return max(min(self.size.width - 2 * MARGIN - INDENT, MEASURE), 8)

    @property
    def editor_width(self) -> int:
        """Cells an editor takes in which lines break where the message's do."""
        return self.text_width + BESIDE_EDITED

    @property
    def following(self) -> bool:
        """Whether the page is anchored to its end."""
        return self._follow

    @property
    def more_below(self) -> bool:
        """Whether the last line is out of sight; not before it is known how much is in sight."""
        last = len(self._items) - 1
        if last < 0 or not self.size:
            return False
        bottom = self._stepped(self._top, self.size.height - 1)
        return bottom.block < last or bottom < self._last_line(last)

    def is_long(self, number: int) -> bool:
        """Whether the text of this message can be folded."""
        return is_long(self._items[number].message, self.text_width, self._variables)

    # Layout

    def _parts_of(self, number: int) -> Sequence[Part | None]:
        item = self._items[number]
        message = item.message
        if item.live is not None or item.editing or item.folded or item.page or len(message.said) < LONG:
            return (None,)
        kept = self._parts.get(message.uid)
        if kept is None or kept[0] is not message:
            kept = self._parts[message.uid] = message, parts_of(message) or [None]
        return kept[1]

    def _lines(self, number: int, part: int) -> list[Line]:
        item = self._items[number]
        uid, width = item.message.uid, self.text_width
        if item.live is not None:
            if number not in self._live:
                self._live[number] = self._laid_out(item, width)
            return self._live[number]
        state = (*item[2:], width)
        kept = self._cache.get((uid, part))
        if kept is None or kept.message is not item.message or kept.state != state:
            kept = Laid(item.message, state, self._laid_out(item, width, self._parts_of(number)[part]))
            self._cache[uid, part] = kept
        self._cache.move_to_end((uid, part))
        if len(self._cache) > KEPT_BLOCKS:
            self._cache.popitem(last=False)
        return kept.lines

    def _laid_out(self, item: Item, width: int, part: Part | None = None) -> list[Line]:
        if item.page is not None:
            return page_lines(item, width, self._variables)
        return lines(item, width, self._variables, part)

    def _height(self, number: int, part: int) -> int:
        """Of a part of a block, with the blank line after the block, where there is one."""
        page = self._items[number].page
        is_last = part == len(self._parts_of(number)) - 1
        return len(self._lines(number, part)) + (is_last and (page is None or page.blank_below))

    def _last_line(self, number: int) -> Place:
        """The last line of a block before its blank line."""
        part = len(self._parts_of(number)) - 1
        return Place(number, part, max(len(self._lines(number, part)) - 1, 0))

    def _extent(self, number: int) -> tuple[Place, Place]:
        """The first and last line of a block, the blank one after it left out; of a page, of what is selected there."""
        is_page = self._items[number].page is not None and number == self._selected
        if is_page and (found := marked(self._lines(number, 0))):
            return Place(number, 0, found[0]), Place(number, 0, found[1])
        return Place(number, 0, 0), self._last_line(number)

    def _neighbour(self, block: int, part: int, step: int) -> tuple[int, int] | None:
        """The part before or after another, perhaps of another block."""
        if 0 <= part + step < len(self._parts_of(block)):
            return block, part + step
        if not 0 <= block + step < len(self._items):
            return None
        return block + step, 0 if step > 0 else len(self._parts_of(block + step)) - 1

    def _clamp(self, place: Place) -> Place:
        """The place, or the nearest that exists."""
        if not self._items or place.block < 0:
            return TOP
        block = min(place.block, len(self._items) - 1)
        last = len(self._parts_of(block)) - 1
        part = min(place.part, last) if block == place.block else last
        end = self._height(block, part) - 1
        return Place(block, part, min(max(place.line, 0), end) if (block, part) == place[:2] else end)

    def _stepped(self, place: Place, step: int) -> Place:
        """The place `step` lines further down (up, if negative), ends held."""
        if not self._items:
            return TOP
        block, part, line = self._clamp(place)
        line += step
        while line < 0 and (before := self._neighbour(block, part, -1)):
            block, part = before
            line += self._height(block, part)
        while line >= (height := self._height(block, part)) and (after := self._neighbour(block, part, 1)):
            line -= height
            block, part = after
        return self._clamp(Place(block, part, line))

    def _end(self) -> Place:
        """The top at which the last line stands at the bottom."""
        if not self._items:
            return TOP
        block, part, line = self._last_line(len(self._items) - 1)
        return self._stepped(Place(block, part, line + 1), -(self.size.height - 1))

    @property
    def _ahead(self) -> int:
        return min(LINES_AHEAD, self.size.height // 4)

    def _is_writing(self) -> bool:
        """Whether the selected message is being edited."""
        return 0 <= self._selected < len(self._items) and bool(self._items[self._selected].editing)

    def _followed(self) -> Place:
        """Where the page stands while its end is followed.

        Text that comes fills some blank lines before the page moves: each move sends most of it to the terminal again.
        """
        end = self._end()
        ahead = self._stepped(end, self._ahead)
        coming = any(self._items[number].live for number in range(end.block, len(self._items)))
        if not coming or self._top > ahead:
            return end
        return self._top if self._top >= end else ahead

    def _from(self, top: Place, count: int) -> list[Shown]:
        """`count` painted lines from a place on."""
        shown: list[Shown] = []
        number, part, line = self._clamp(top)
        at = (number, part) if self._items else None
        while at and len(shown) < count:
            block, look = self._lines(*at), self._look(at[0])
            end = min(self._height(*at), line + count - len(shown))
            shown += [Shown(Place(*at, y), self._strip(Place(*at, y), block, look)) for y in range(line, end)]
            at, line = self._neighbour(*at, 1), 0
        blank = self._blank
        shown += [Shown(None, blank)] * (count - len(shown))
        return shown

    @property
    def _blank(self) -> Strip:
        return self._strips.blank(self.size.width)

    def _look(self, number: int) -> Look:
        """How the lines of a block are painted."""
        item = self._items[number]
        is_marked = number == self._selected and not item.editing
        ground = "selection" if is_marked and self.has_focus and item.page is None else "page"
        bar_ink = "accent" if item.editing else "faint" if item.message.muted or item.left_out else item.message.role
        bar = Run(glyphs.selected if is_marked else glyphs.bar, bar_ink) if item.page is None else None
        return Look(bar, ground, self.text_width, self.size.width)

    def _strip(self, place: Place, block: list[Line], look: Look) -> Strip:
        number, _, line = place
        if line == len(block):
            return self._blank
        item, runs = self._items[number], block[line]
        if item.page is not None and not self.has_focus:
            runs = tuple(Run(text, ink.removesuffix(CHOSEN)) for text, ink in runs)
        is_first = place == self._top if number == self._top.block else place[1:] == (0, 0)
        if is_first and (letter := self._letters.get(item.message.uid)) is not None:
            look = look._replace(letter=letter)
        return self._strips.of(runs, look)

    # Painting

    def _paint(self) -> None:
        """Brings the screen up to date: only lines that differ are painted again."""
        if not self.size:
            return
        before = self._painted
        shown = self._arrange()
        moved = [s.place for s in before] != [s.place for s in shown]
        if len(before) != len(shown):
            self.refresh()
        else:
            changed = [y for y, (old, new) in enumerate(zip(before, shown, strict=True)) if old.strip != new.strip]
            if len(changed) > self.size.height * 2 // 3:
                self.refresh()
            else:
                for y in changed:
                    self.refresh(Region(0, y, self.size.width, 1))
        if moved:
            self.post_message(self.Moved())

    def _arrange(self) -> Sequence[Shown]:
        """Finds the lines that are to be in sight."""
        self._top = self._followed() if self._follow else self._clamp(self._top)
        # Of a long conversation nobody looks at the end, unless it may be in sight: each block has a line at least.
        is_near_end = len(self._items) - self._top.block <= self.size.height
        if not self._follow and is_near_end and self._top > (end := self._end()):
            # No empty space below the end while there is text above the top, but what is being written moves in steps.
            self._top = min(self._top, self._stepped(end, self._ahead)) if self._is_writing() else end
        self._painted = self._from(self._top, self.size.height) if self._items else self._empty_page()
        self._strips.forget_others()
        self._at_end = not self.more_below
        return self._painted

    def _empty_page(self) -> list[Shown]:
        page: list[Line] = []
        for paragraph in self._empty:
            page += [(), *told_lines(paragraph, self.text_width, "muted" if page else "text")]
        height, width = self.size.height, self.size.width
        strips = [self.inks.strip((Run(" " * MARGIN), *line), "page", width) for line in page[:height]]
        shown = [Shown(None, strip) for strip in strips]
        return shown + [Shown(None, self._blank)] * (height - len(shown))

    def render_line(self, y: int) -> Strip:
        if not self._painted:
            # The first frame comes before anyone is told how large it is.
            self._arrange()
        return self._painted[y].strip if y < len(self._painted) else self._blank

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return container.height

    def on_resize(self, event: events.Resize) -> None:
        was_at_end = bool(self._painted) and self._at_end
        self._cache.clear()
        self._live.clear()
        self._painted = []
        if was_at_end:
            self._top = self._end()
        self._paint()
        if not self._follow and all(s.place is None or s.place.block != self._selected for s in self._painted):
            self.reveal()

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        self._paint()

    # Moving about

    def reveal(self, *, to_end: bool = False) -> None:
        """Scrolls as little as needed for the selected block to be in sight; of a tall one its top, or its end."""
        if not self._items:
            return
        if not self.size:
            # As far as it can be told by now.
            self._top = Place(self._selected, sys.maxsize, sys.maxsize) if to_end else Place(self._selected, 0, 0)
            return
        number, height = self._selected, self.size.height
        first, last = self._extent(number)
        is_tall = last.part != first.part or last.line - first.line >= height
        is_end = number == len(self._items) - 1 and last == self._last_line(number)
        if is_end and not is_tall and last.line + 1 < height:
            # The blank line at the very end too, as when the end is followed: nothing jumps from one to the other.
            last = last._replace(line=last.line + 1)
        if self._top > first and not (to_end and is_tall):
            self._top = first
        elif self._stepped(self._top, height - 1) < last:
            self._top = first if is_tall and not to_end else self._stepped(last, -(height - 1))
        self._follow = False
        self._paint()

    def reveal_text(self, number: int, line: str, at: int, offset: int) -> None:
        """Scrolls to a place in what a message says, if that is out of sight.

        Args:
            number: of the item.
            line: the line of the text that it stands in.
            at: where in the line, in characters.
            offset: where in the whole text.
        """
        parts = self._parts_of(number)
        part = next((i for i, each in enumerate(parts) if each and each.begin <= offset < each.end), 0)
        if (piece := parts[part]) is not None:
            # Of a line that goes through many parts, what is in this one.
            before = max(piece.begin - (offset - at), 0)
            line, at = line[before : before + piece.end - piece.begin], at - before
        laid = [_letters(run.text for run in runs) for runs in self._lines(number, part)]
        text = "".join(laid)
        # Laid out, the line may be wrapped, and without its marks.
        found = text.find(_letters(line))
        found = found + len(_letters(line[:at])) if found >= 0 else text.find(_letters(line[at : at + MEASURE]))
        if found < 0:
            return
        ends = list(accumulate(map(len, laid)))
        place = Place(number, part, bisect_right(ends, found))
        if not self._top <= place <= self._stepped(self._top, self.size.height - 1):
            self._top = self._stepped(place, -(self.size.height // 3))
            self._follow = False
            self._paint()

    def follow(self) -> None:
        """Keeps the end in sight from now on."""
        self._follow = True
        self._paint()

    def scroll_lines(self, step: int) -> bool:
        """Scrolls by lines; scrolling to the end follows it. Returns whether anything moved."""
        before = self._top
        end = self._end()
        self._top = min(self._stepped(min(self._top, end), step), end)
        visible = range(self._top.block, len(self._items))
        self._follow = step > 0 and self._top == end and any(self._items[number].live for number in visible)
        self._paint()
        return self._top != before

    def is_cut_below(self, number: int) -> bool:
        """Whether the end of this block is below the last visible line; of a page, of what is selected there."""
        return self._stepped(self._top, self.size.height - 1) < self._extent(number)[1]

    def is_cut_above(self, number: int) -> bool:
        """Whether the beginning of this block is above the first visible line; of a page, as above."""
        return self._top > self._extent(number)[0]

    def last_row(self, number: int) -> int | None:
        """The lowest row of this widget in which something of a block is seen."""
        return max((y for y, row in enumerate(self._painted) if row.place and row.place.block == number), default=None)

    def body_region(self, number: int) -> Region | None:
        """Where the text of a block stands on this widget, however much of it is in sight; None if nothing is."""
        rows = [y for y, shown in enumerate(self._painted) if shown.place and shown.place.block == number]
        if not rows or not self._items[number].editing:
            return None
        first = self._painted[rows[0]].place
        assert first is not None
        y = rows[0] - first.line + 1
        return Region(MARGIN + INDENT, y, self.editor_width, self._items[number].editing)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_lines(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_lines(-3)

    def on_click(self, event: events.Click) -> None:
        offset: Offset | None = event.get_content_offset(self)
        if offset is not None and offset.y < len(self._painted) and (place := self._painted[offset.y].place):
            self.post_message(self.Clicked(self._items[place.block].message.uid))


def _letters(texts: Iterable[str]) -> str:
    """Letters and digits alone: what stays of a text however it is laid out."""
    return "".join(char for text in texts for char in text if char.isalnum())
