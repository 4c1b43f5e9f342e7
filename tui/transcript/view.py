"""The conversation on the screen: what of its page is in sight, and how that is painted, followed and scrolled."""

import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from textual import events
from textual.geometry import Offset, Region, Size
from textual.message import Message as Event
from textual.strip import Strip
from textual.widget import Widget

from ..look.inks import Inks
from ..text.glyphs import glyphs
from ..text.wrap import Line, Run
from .blocks import Item, is_long
from .empty_page import told_lines
from .flow import MEASURE, TOP, Flow, Place
from .page_lines import CHOSEN
from .strips import INDENT, MARGIN, Look, Strips

BESIDE_EDITED = 2
"""Cells right of a text that is being edited: one for the caret behind a full line, one for the scrollbar."""
LINES_AHEAD = 5
"""So far the page moves at once while an answer streams in at its end."""


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
        self._flow = Flow(lambda: self.text_width)
        self._selected = 0
        self._empty: Sequence[str] = ()
        self._top = TOP
        self._follow = False
        self._letters: Mapping[int, str] = {}
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
        was_written_in_sight = self._is_writing() and not self.is_cut_below(self._selected)
        self._flow.hold(items, variables)
        self._selected, self._empty = selected, empty
        if was_written_in_sight and self._is_writing() and self.is_cut_below(selected):
            # An answer that grows above pushes what is being written down; it stays where it can be seen.
            end = self._top_for(self._flow.last_line(selected))
            self._top = min(self._ahead_of(end), Place(selected, 0, 0))
        self._paint()

    @property
    def in_sight(self) -> list[int]:
        """The uids of the messages of which a line is in sight, in order."""
        places = [shown.place for shown in self._painted if shown.place is not None]
        text = [p for p in places if p.line < len(self._flow.lines_of(p.block, p.part))]
        return list(dict.fromkeys(self._flow.items[place.block].message.uid for place in text))

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
        last = len(self._flow.items) - 1
        if last < 0 or not self.size:
            return False
        bottom = self._bottom()
        return bottom.block < last or bottom < self._flow.last_line(last)

    def is_long(self, number: int) -> bool:
        """Whether the text of this message can be folded."""
        return is_long(self._flow.items[number].message, self.text_width, self._flow.variables)

    # Where it stands

    def _bottom(self) -> Place:
        """The last line in sight."""
        return self._flow.stepped(self._top, self.size.height - 1)

    def _top_for(self, bottom: Place) -> Place:
        """The top at which this line stands at the bottom."""
        return self._flow.stepped(bottom, 1 - self.size.height)

    def _end(self) -> Place:
        """The top at which the last line stands at the bottom."""
        return self._top_for(self._flow.end())

    def _ahead_of(self, top: Place) -> Place:
        """So far beyond a top the page may stand while something is being written at its bottom."""
        return self._flow.stepped(top, min(LINES_AHEAD, self.size.height // 4))

    def _is_writing(self) -> bool:
        """Whether the selected message is being edited."""
        items = self._flow.items
        return 0 <= self._selected < len(items) and bool(items[self._selected].editing)

    def _followed(self) -> Place:
        """Where the page stands while its end is followed.

        Text that comes fills some blank lines before the page moves: each move sends most of it to the terminal again.
        """
        end = self._end()
        ahead = self._ahead_of(end)
        if not self._flow.is_coming(end.block) or self._top > ahead:
            return end
        return self._top if self._top >= end else ahead

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
        self._top = self._followed() if self._follow else self._flow.clamp(self._top)
        # Of a long conversation nobody looks at the end, unless it may be in sight: each block has a line at least.
        is_near_end = len(self._flow.items) - self._top.block <= self.size.height
        if not self._follow and is_near_end and self._top > (end := self._end()):
            # No empty space below the end while there is text above the top, but what is being written moves in steps.
            self._top = min(self._top, self._ahead_of(end)) if self._is_writing() else end
        shown = self._page_in_sight() if self._flow.items else self._empty_page()
        self._painted = shown + [Shown(None, self._blank)] * (self.size.height - len(shown))
        self._strips.forget_others()
        self._at_end = not self.more_below
        return self._painted

    def _page_in_sight(self) -> list[Shown]:
        shown: list[Shown] = []
        in_sight = self._flow.lines_from(self._top, self.size.height)
        for number, found in groupby(in_sight, lambda each: each[0].block):
            look = self._look(number)
            shown += [Shown(place, self._strip(place, line, look)) for place, line in found]
        return shown

    def _empty_page(self) -> list[Shown]:
        page = told_lines(self._empty, self.text_width)[: self.size.height]
        strips = [self.inks.strip((Run(" " * MARGIN), *line), "page", self.size.width) for line in page]
        return [Shown(None, strip) for strip in strips]

    @property
    def _blank(self) -> Strip:
        return self._strips.blank(self.size.width)

    def _look(self, number: int) -> Look:
        """How the lines of a block are painted."""
        item = self._flow.items[number]
        is_marked = number == self._selected and not item.editing
        ground = "selection" if is_marked and self.has_focus and item.page is None else "page"
        bar_ink = "accent" if item.editing else "faint" if item.message.muted or item.left_out else item.message.role
        bar = Run(glyphs.selected if is_marked else glyphs.bar, bar_ink) if item.page is None else None
        return Look(bar, ground, self.text_width, self.size.width)

    def _strip(self, place: Place, line: Line | None, look: Look) -> Strip:
        if line is None:
            return self._blank
        item = self._flow.items[place.block]
        if item.page is not None and not self.has_focus:
            line = tuple(Run(text, ink.removesuffix(CHOSEN)) for text, ink in line)
        is_first = place == self._top if place.block == self._top.block else place[1:] == (0, 0)
        if is_first and (letter := self._letters.get(item.message.uid)) is not None:
            look = look._replace(letter=letter)
        return self._strips.of(line, look)

    def render_line(self, y: int) -> Strip:
        if not self._painted:
            # The first frame comes before anyone is told how large it is.
            self._arrange()
        return self._painted[y].strip if y < len(self._painted) else self._blank

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return container.height

    def on_resize(self, event: events.Resize) -> None:
        was_at_end = bool(self._painted) and self._at_end
        self._flow.forget()
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
        if not self._flow.items:
            return
        if not self.size:
            # As far as it can be told by now.
            self._top = Place(self._selected, sys.maxsize, sys.maxsize) if to_end else Place(self._selected, 0, 0)
            return
        number, height = self._selected, self.size.height
        first, last = self._flow.extent(number)
        is_tall = last.part != first.part or last.line - first.line >= height
        is_end = number == len(self._flow.items) - 1 and last == self._flow.last_line(number)
        if is_end and not is_tall and last.line + 1 < height:
            # The blank line at the very end too, as when the end is followed: nothing jumps from one to the other.
            last = self._flow.end()
        if self._top > first and not (to_end and is_tall):
            self._top = first
        elif self._bottom() < last:
            self._top = first if is_tall and not to_end else self._top_for(last)
        self._follow = False
        self._paint()

    def reveal_text(self, number: int, line: str, at: int, offset: int) -> None:
        """Scrolls to a place in what a message says, told as `Page.place_of` takes it, if that is out of sight."""
        place = self._flow.place_of(number, line, at, offset)
        if place is not None and not self._top <= place <= self._bottom():
            self._top = self._flow.stepped(place, -(self.size.height // 3))
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
        self._top = min(self._flow.stepped(min(self._top, end), step), end)
        self._follow = step > 0 and self._top == end and self._flow.is_coming(end.block)
        self._paint()
        return self._top != before

    def is_cut_below(self, number: int) -> bool:
        """Whether the end of this block is below the last visible line; of a page, of what is selected there."""
        return self._bottom() < self._flow.extent(number)[1]

    def is_cut_above(self, number: int) -> bool:
        """Whether the beginning of this block is above the first visible line; of a page, as above."""
        return self._top > self._flow.extent(number)[0]

    def last_row(self, number: int) -> int | None:
        """The lowest row of this widget in which something of a block is seen."""
        return max((y for y, row in enumerate(self._painted) if row.place and row.place.block == number), default=None)

    def body_region(self, number: int) -> Region | None:
        """Where the text of a block stands on this widget, however much of it is in sight; None if nothing is."""
        rows = [y for y, shown in enumerate(self._painted) if shown.place and shown.place.block == number]
        if not rows or not self._flow.items[number].editing:
            return None
        first = self._painted[rows[0]].place
        assert first is not None
        y = rows[0] - first.line + 1
        return Region(MARGIN + INDENT, y, self.editor_width, self._flow.items[number].editing)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_lines(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_lines(-3)

    def on_click(self, event: events.Click) -> None:
        offset: Offset | None = event.get_content_offset(self)
        if offset is not None and offset.y < len(self._painted) and (place := self._painted[offset.y].place):
            self.post_message(self.Clicked(self._flow.items[place.block].message.uid))
