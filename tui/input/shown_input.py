"""The one-line input that all of Qiao types into."""

from typing import cast

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.reactive import Reactive
from textual.strip import Strip
from textual.widgets import Input

from ...workbench.visible import shown_one_to_one


class ShownInput(Input):
    """Paints controls in its value as symbols, a cell each; the value itself holds them as they came.

    Textual's own sends them to the terminal, and takes them for no cells wide.
    """

    def _position_to_cell(self, position: int) -> int:
        return cell_len(shown_one_to_one(self.value[:position]))

    @property
    def _value(self) -> Text:
        if self.password:
            return super()._value
        return Text(shown_one_to_one(self.value), no_wrap=True, overflow="ignore", end="")

    def _cell_offset_to_index(self, offset: int) -> int:
        end = 0
        for index, character in enumerate(shown_one_to_one(self.value)):
            end += cell_len(character)
            if end > offset + self.scroll_offset.x:
                return index
        return len(self.value)

    def render_line(self, y: int) -> Strip:
        # What is suggested is a name of a file, say, and is painted behind the value; → takes it as it is.
        suggestion = cast(Reactive[str], Input._suggestion)
        suggested = self._suggestion
        self.set_reactive(suggestion, shown_one_to_one(suggested))
        try:
            return super().render_line(y)
        finally:
            self.set_reactive(suggestion, suggested)

    def _on_paste(self, event: events.Paste) -> None:
        # The first line, as Textual does; but only what a terminal sends for the end of a line ends it.
        event.stop()
        event.prevent_default()
        line = event.text.replace("\n", "\r").partition("\r")[0]
        self.replace(line, *self.selection)
