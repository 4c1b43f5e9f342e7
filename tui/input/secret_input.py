"""An input for what nobody is to see: masked, and copied nowhere."""

from textual import events

from .at_once import bind_at_once
from .shown_input import ShownInput


class SecretInput(ShownInput):
    """A key or a passphrase. Neither a clipboard nor the terminal (OSC 52) ever gets it."""

    def __init__(self, *, id: str) -> None:
        super().__init__(password=True, compact=True, id=id)
        bind_at_once(self)
        self.cursor_blink = False

    def action_copy(self) -> None:
        """Nothing: Textual would send it to the terminal's clipboard."""

    def action_cut(self) -> None:
        """Nothing, likewise."""

    def _on_paste(self, event: events.Paste) -> None:
        # Textual's own takes the first line, which is empty if a line feed came along in front. What stands between
        # lines stays: it is told that no key looks like that.
        event.stop()
        event.prevent_default()
        self.replace(event.text.strip(), *self.selection)
