"""An editor breaks lines where the page does, however long they are, and paints them as Textual's own does."""

import random
from collections.abc import Sequence

import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Selection, TextAreaTheme

from qiao.tui.transcript.long_lines import LongLines
from qiao.tui.transcript.quick_text_area import QuickTextArea

from ..driving import in_loop

LONG = 8_000

WORDS = [
    "a",
    "word",
    "longer-word",
    "，",
    "敲",
    "僧推月下门",
    "  ",
    " ",
    "😀",
    "e\u0301",
    "x" * 70,
    "字" * 40,
    "(",
    ").",
]


def line_of(chance: random.Random, length: int) -> str:
    pieces = (chance.choice(WORDS) + (" " if chance.random() < 0.4 else "") for _ in range(length))
    return "".join(pieces)[:length]


class Both(App[None]):
    """Textual's text area and ours, of one size and with one text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        theirs = TextArea(text, soft_wrap=True, compact=True, show_line_numbers=False, highlight_cursor_line=False)
        ours = QuickTextArea(text, soft_wrap=True, compact=True, show_line_numbers=False, highlight_cursor_line=False)
        self.areas = (theirs, ours)

    def compose(self) -> ComposeResult:
        for area in self.areas:
            area.styles.height = 12
            area.styles.width = 40
            area.match_cursor_bracket = False
            area.cursor_blink = False
            area.register_theme(
                TextAreaTheme(
                    "test",
                    base_style=Style(color="white", bgcolor="rgb(1,2,3)"),
                    cursor_style=Style(reverse=True),
                    selection_style=Style(bgcolor="rgb(9,9,90)", underline=True),
                )
            )
            area.theme = "test"
            yield area


def cells(strip: Strip) -> list[tuple[str, Style | None]]:
    return [(char, style) for text, style, _ in strip for char in text]


def painted(area: TextArea) -> Sequence[list[tuple[str, Style | None]]]:
    return [cells(area.render_line(y)) for y in range(area.size.height)]


@pytest.mark.usefixtures("textual_breaks_as_the_page_does")
@pytest.mark.parametrize("seed", range(3))
@in_loop
async def test_it_paints_what_textual_paints(seed: int) -> None:
    chance = random.Random(seed)
    plain = [line_of(chance, chance.choice([0, 3, 60, 300, LONG + 500])) for _ in range(4)]
    tabbed = [line_of(chance, chance.choice([0, 3, 60, 300, LONG - 500])).replace("  ", "\t") for _ in range(4)]
    text = "\n".join(line for pair in zip(plain, tabbed, strict=True) for line in pair)
    app = Both(text)
    theirs, ours = app.areas
    async with app.run_test(size=(60, 30)) as pilot:
        for _ in range(10):
            row, other = (chance.randrange(theirs.document.line_count) for _ in range(2))
            end = row, chance.randint(0, len(theirs.document.get_line(row)))
            start = end if chance.random() < 0.4 else (other, chance.randint(0, len(theirs.document.get_line(other))))
            new = chance.choice([None, "", "z", "word ", "two\nlines", "敲"])
            for area in app.areas:
                area.focus()
                await pilot.pause()
                area.selection = Selection(start, end)
                if new is not None:
                    area.replace(new, start, end)
                    if new == "z":
                        area.undo()
                await pilot.pause()
            assert ours.text == theirs.text
            assert isinstance(ours.wrapped_document, LongLines)
            assert ours.wrapped_document.lines == theirs.wrapped_document.lines
            assert ours.scroll_offset == theirs.scroll_offset
            for area in app.areas:
                area.focus()
                await pilot.pause()
            # The caret is drawn in the one that has the focus.
            ours.focus()
            await pilot.pause()
            mine = painted(ours)
            theirs.focus()
            await pilot.pause()
            assert mine == painted(theirs)
            for place in (Offset(0, 0), Offset(7, 5), Offset(30, 11)):
                at = place + ours.scroll_offset
                assert ours.wrapped_document.offset_to_location(at) == theirs.wrapped_document.offset_to_location(at)
