"""A one-line input that stands in a row of a pane while its value is typed."""

from textual import events
from textual.binding import Binding
from textual.geometry import Region
from textual.message import Message as Event
from textual.widgets import Input

from ..input.at_once import bind_at_once
from ..input.shown_input import ShownInput


class InlineInput(ShownInput):
    """enter hands over what was typed, esc leaves it."""

    DEFAULT_CSS = """
    InlineInput {
        layer: edit;
        position: absolute;
        height: 1;
        border: none;
        padding: 0 1;
        background: $q-selection;
        color: $q-text;
        &:focus { border: none; background: $q-selection; }
    }
    """

    BINDINGS = [Binding("escape", "leave", show=False, priority=True)]

    class Done(Event):
        """`value` is None when nothing is to be changed."""

        def __init__(self, key: object, value: str | None) -> None:
            super().__init__()
            self.key = key
            self.value = value

    def __init__(self, key: object, value: str, region: Region, *, replace: bool = False) -> None:
        """An input in this region of its parent; with `replace`, what is typed takes the old value's place."""
        super().__init__(value, compact=True, select_on_focus=replace)
        bind_at_once(self)
        self.key_edited = key
        self._is_done = False
        self.cursor_blink = False
        self.styles.offset = (region.x, region.y)
        self.styles.width = region.width

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._end(self.value)

    def action_leave(self) -> None:
        self._end(None)

    def _end(self, value: str | None) -> None:
        """Hands over once: losing the focus to what comes next is no second answer."""
        if not self._is_done:
            self._is_done = True
            self.post_message(self.Done(self.key_edited, value))

    def _on_blur(self, event: events.Blur) -> None:
        super()._on_blur(event)
        if self.is_attached and self.app.app_focus:
            self._end(None)
