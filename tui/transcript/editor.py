"""The editor that stands in a block while its text is written."""

import re
from collections.abc import Callable, Sequence

from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.document._document import Location
from textual.geometry import Region
from textual.message import Message as Event
from textual.strip import Strip
from textual.widgets.text_area import TextAreaTheme

from ..input.at_once import bind_at_once
from ..look.inks import Inks
from .given import Given
from .quick_text_area import QuickTextArea

LONGEST_CHARACTER = 64
"""Code points; the longest emoji in use have ten."""
_NOT_BLANK = re.compile(r"\S")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


class MessageEditor(QuickTextArea):
    """Holds a draft. Controls in it are shown as symbols.

    Args:
        width: how many cells its lines will have, so that it is known at once how many there are; 0: not known.
    """

    DEFAULT_CSS = """
    MessageEditor {
        layer: edit;
        position: absolute;
        padding: 0;
        border: none;
        background: $q-page;
        color: $q-text;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        overflow-x: hidden;
        &:focus { border: none; }
    }
    """

    class Grown(Event):
        """The text takes another number of lines."""

    def __init__(
        self, text: str, inks: Inks, bindings: list[Binding], given: Sequence[tuple[int, int]] = (), width: int = 0
    ) -> None:
        """An editor on this text.

        Args:
            inks: of the theme.
            bindings: its own keys.
            given: from where to where a model wrote the text, in characters.
            width: in cells, if it is known: then it is wrapped before it is shown.
        """
        super().__init__(
            text,
            soft_wrap=True,
            compact=True,
            tab_behavior="indent",
            show_line_numbers=False,
            highlight_cursor_line=False,
        )
        self.cursor_blink = False
        self.match_cursor_bracket = False
        bind_at_once(self)
        # An editor's own keys go before what TextArea does with them.
        for binding in bindings:
            self._bindings.key_to_bindings[binding.key] = [binding]
        self.register_theme(
            TextAreaTheme(
                "ink",
                base_style=inks.style("text", "page"),
                cursor_style=Style(reverse=True),
                selection_style=Style(bgcolor=inks.style("text", "selection").bgcolor, reverse=False, underline=True),
            )
        )
        self.theme = "ink"
        self._given_style = inks.style("assistant", "page")
        if given:
            self.long_document.given = Given(self.long_document.rows, given)
        if width:
            self.long_lines.wrap(width)
            self._refresh_size()
        self._lines_wanted = self.lines_wanted

    @property
    def draft(self) -> str:
        """The text as it stands."""
        return self.text

    def draft_as_it_is(self) -> Callable[[], str]:
        """The draft as it stands now, to be put together in whatever thread has the time."""
        return self.long_document.text_as_it_is()

    @property
    def caret(self) -> int:
        """Where the caret stands, in characters from the start of the draft."""
        return self.long_document.index(self.cursor_location)

    @property
    def first_seam(self) -> int | None:
        """The row behind the first blank lines between others; None if there are no such."""
        text = self.text
        begun = _NOT_BLANK.search(text)
        blank = _BLANK_LINE.search(text, begun.start()) if begun else None
        behind = _NOT_BLANK.search(text, blank.end()) if blank else None
        return text.count("\n", 0, behind.start()) if behind else None

    @property
    def lines_wanted(self) -> int:
        """How many screen lines the text takes at the present width."""
        return max(self.wrapped_document.height, 1)

    def render_lines(self, crop: Region) -> list[Strip]:
        try:
            return super().render_lines(crop)
        except KeyError:
            # Behind a dialog that opens in the moment in which the editor is left, Textual still paints what it has
            # taken the styles from.
            return [Strip.blank(crop.width) for _ in range(crop.height)]

    def _marks(self, row: int, begin: int, text: str) -> list[tuple[int, int, Style]]:
        over = super()._marks(row, begin, text)
        if (given := self.long_document.given) is None:
            return over
        found = given.on_row(row, self.long_document.rows)
        inside = ((max(first - begin, 0), min(last - begin, len(text))) for first, last in found)
        return [*((first, last, self._given_style) for first, last in inside if first < last), *over]

    # What a reader takes for one character may be several: an accent, a flag, a family. The caret steps over it whole.

    def get_cursor_left_location(self) -> Location:
        row, column = self.cursor_location
        steps = character_ends(self.document.get_line(row), column)
        return (row, max(end for end in steps if end < column)) if column else super().get_cursor_left_location()

    def get_cursor_right_location(self) -> Location:
        row, column = self.cursor_location
        line = self.document.get_line(row)
        if column >= len(line):
            return super().get_cursor_right_location()
        return row, min(end for end in character_ends(line, column) if end > column)

    async def _on_key(self, event: events.Key) -> None:
        # A bare line feed: what ctrl+j sends, and some terminals for shift+enter.
        if event.key == "ctrl+j":
            event.prevent_default()
            event.stop()
            if result := self._replace_via_keyboard("\n", *self.selection):
                self.move_cursor(result.end_location)

    async def _on_paste(self, event: events.Paste) -> None:
        # Terminals send line ends as CR.
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        event.prevent_default()
        event.stop()
        if result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)

    def on_resize(self) -> None:
        # At another width the text wraps elsewhere; Textual wraps it after this.
        self.call_after_refresh(self.on_text_area_changed)

    def on_text_area_changed(self) -> None:
        if self.lines_wanted != self._lines_wanted:
            self._lines_wanted = self.lines_wanted
            self.post_message(self.Grown())


def character_ends(line: str, near: int) -> list[int]:
    """Where characters, as readers see them, end around this place of a line; its start is one such place.

    Of a long line only what is near is looked at: no character is longer.
    """
    # Not before it is needed: its tables take a while to load.
    from wcwidth import iter_graphemes

    start = max(near - LONGEST_CHARACTER, 0)
    ends = [start]
    for character in iter_graphemes(line[start : near + LONGEST_CHARACTER]):
        ends.append(ends[-1] + len(character))
    return ends
