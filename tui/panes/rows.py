"""A list of rows: text at the left, a value at the right, one row selected. Models, sampling and help use it."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Region
from textual.message import Message as Event
from textual.strip import Strip
from textual.widget import Widget

from ..look.inks import Inks, jump_mark
from ..text.glyphs import glyphs
from ..text.wrap import Line, Run, line_width, truncate_line


class Row(NamedTuple):
    """One row. Without a key it can't be selected: a heading, a blank."""

    left: Line = ()
    right: Line = ()
    key: Hashable | None = None


class Rows(Widget, can_focus=True):
    """Shows rows and lets one be chosen."""

    DEFAULT_CSS = """
    Rows { background: $q-panel; height: 1fr; }
    """

    BINDINGS = [
        Binding("j,down", "step(1)", show=False, priority=True),
        Binding("k,up", "step(-1)", show=False, priority=True),
        Binding("g,home", "step(-99999)", show=False, priority=True),
        Binding("G,end", "step(99999)", show=False, priority=True),
        Binding("pagedown", "step(10)", show=False, priority=True),
        Binding("pageup", "step(-10)", show=False, priority=True),
        Binding("enter,e", "choose", show=False, priority=True),
    ]

    class Chosen(Event):
        """enter was pressed on a row, or it was clicked."""

        def __init__(self, rows: "Rows", key: Hashable) -> None:
            super().__init__()
            self.rows = rows
            self.key = key

        @property
        def control(self) -> "Rows":
            return self.rows

    def __init__(
        self, inks: Inks, *, id: str | None = None, classes: str | None = None, marks_always: bool = False
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.inks = inks
        self._marks_always = marks_always
        """Whether the selected row is told even while the focus is elsewhere, as in a line to type in."""
        self._rows: Sequence[Row] = ()
        self._selected = -1
        self._top = 0
        self._letter = ""

    def selection_changed(self) -> None:
        """Called when another row is selected, or the focus came or went. For those that show more of it."""

    def bind_too(self, bindings: Sequence[Binding]) -> None:
        """These keys hold here too, unless the list has its own use for them already."""
        own = set(self._bindings.key_to_bindings)
        for binding in bindings:
            if binding.key not in own:
                self._bindings.key_to_bindings.setdefault(binding.key, []).append(binding)

    def show(self, rows: Sequence[Row]) -> None:
        """Shows these rows; the selection stays on its key."""
        if rows == self._rows:
            return
        key = self.selected_key
        self._rows = rows
        keys = [row.key for row in rows]
        if key is not None and key in keys:
            self._selected = keys.index(key)
        else:
            # What was selected is gone: what stands nearest takes its place.
            at = max(self._selected, 0)
            self._selected = min(
                (i for i, k in enumerate(keys) if k is not None), key=lambda i: abs(i - at), default=-1
            )
        self._reveal()
        self.refresh()
        self.selection_changed()

    def select(self, key: Hashable) -> None:
        """Moves the selection to this key, if it is here."""
        found = next((i for i, row in enumerate(self._rows) if row.key == key), None)
        if found is not None:
            self._selected = found
            self._reveal()
            self.refresh()
            self.selection_changed()

    def show_letter(self, letter: str) -> None:
        """Shows a letter at the end of the first line; none, if it is empty."""
        self._letter = letter
        self.refresh(Region(0, 0, self.size.width, 1))

    def restyle(self, inks: Inks) -> None:
        self.inks = inks
        self.refresh()

    @property
    def selected_key(self) -> Hashable | None:
        return self._rows[self._selected].key if 0 <= self._selected < len(self._rows) else None

    @property
    def shown_rows(self) -> Sequence[Row]:
        return self._rows

    def row_region(self, key: Hashable) -> Region | None:
        """Where this row stands on the widget; None when it is out of sight."""
        for i, row in enumerate(self._rows):
            if row.key == key and 0 <= (y := i - self._top) < self.size.height:
                return Region(0, y, self.size.width, 1)
        return None

    def action_step(self, step: int) -> None:
        selectable = [i for i, row in enumerate(self._rows) if row.key is not None]
        if not selectable:
            return
        at = selectable.index(self._selected) if self._selected in selectable else 0
        self._selected = selectable[min(max(at + step, 0), len(selectable) - 1)]
        self._reveal()
        self.refresh()
        self.selection_changed()

    def action_choose(self) -> None:
        if (key := self.selected_key) is not None:
            self.post_message(self.Chosen(self, key))

    def on_click(self, event: events.Click) -> None:
        index = event.y + self._top
        if 0 <= index < len(self._rows) and self._rows[index].key is not None:
            self._selected = index
            self.refresh()
            self.selection_changed()
            self.action_choose()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._top = max(min(self._top + 3, len(self._rows) - self.size.height), 0)
        self.refresh()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._top = max(self._top - 3, 0)
        self.refresh()

    def on_resize(self) -> None:
        self._reveal()
        self.refresh()

    def on_focus(self) -> None:
        self.refresh()
        self.selection_changed()

    def on_blur(self) -> None:
        self.refresh()
        self.selection_changed()

    def _reveal(self) -> None:
        height = self.size.height
        if height <= 0 or self._selected < 0:
            return
        self._top = min(max(self._top, self._selected - height + 1), self._selected)
        self._top = max(min(self._top, len(self._rows) - height), 0)
        first = next((i for i, row in enumerate(self._rows) if row.key is not None), 0)
        if self._selected == first and first < height:
            self._top = 0

    def render_line(self, y: int) -> Strip:
        width, index = self.size.width, y + self._top
        if index >= len(self._rows):
            return Strip([Segment(" " * width, self.inks.style("text", "panel"))], width)
        row = self._rows[index]
        selected = index == self._selected and (self.has_focus or self._marks_always)
        ground = "selection" if selected else "panel"
        if y == 0 and self._letter:
            row = row._replace(right=jump_mark(self._letter, 1))
        room = width - 3 - (line_width(row.right) + 1 if row.right else 0)
        left = truncate_line(row.left, room)
        gap = width - 3 - line_width(left) - line_width(row.right)
        more = y == self.size.height - 1 and index < len(self._rows) - 1
        edge = Run(f" {glyphs.more}" if more else "  ", "muted")
        mark = Run(glyphs.row if selected else " ", "text")
        line = (mark, *left, Run(" " * max(gap, 0)), *row.right, edge)
        if selected and self.inks.is_flat:
            line = tuple(Run(run.text, "strong picked" if "strong" in run.ink else "picked") for run in line)
        return self.inks.strip(line, ground, width)
