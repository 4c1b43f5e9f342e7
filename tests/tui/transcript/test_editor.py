"""The editor in a block: what a text holds comes back as it went in, and none of it reaches the terminal raw."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.geometry import Region

from qiao.tui.look.inks import Inks
from qiao.tui.look.theme_files import load_themes, variables
from qiao.tui.transcript.editor import MessageEditor, character_ends

TEXTS = [
    "",
    "plain\ntext",
    "\x00\x01\x07\x08\x0b\x0c\x1b[2J\x1b]52;c;aGk=\x07\x7f",
    "carriage\rreturn\r\nand both\n\r",
    "next line \x85 line separator \u2028 paragraph \u2029 end",
    "bidi \u202eevil\u202c \u2066x\u2069 \u200f",
    "tabs\tin\t\tside",
    "family 👩\u200d👩\u200d👧\u200d👦 flag 🇨🇳 heart ❤\ufe0f",
    "中文，标点；“引号”。",
    "trailing blanks   \n\n\n",
    "private \ue000\ue001 use \U000f0000",
    "[red]not markup[/] {{name}}",
]


def in_loop(test: Callable[..., Coroutine[object, object, None]]) -> Callable[..., None]:
    """Runs an asynchronous test to its end."""

    @wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class TinyApp(App[None]):
    """Nothing but an editor."""

    def __init__(self, text: str, bindings: list[Binding] | None = None) -> None:
        self.themes = load_themes()[0]
        self.editor = MessageEditor(text, Inks(self.themes[0].colors), bindings or [])
        self.grown = 0
        self.done: list[str] = []
        super().__init__()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variables(self.themes[0])

    def compose(self) -> ComposeResult:
        self.editor.styles.width = 30
        self.editor.styles.height = 12
        yield self.editor

    def on_message_editor_grown(self) -> None:
        self.grown += 1

    def action_note(self, name: str) -> None:
        self.done.append(name)


def painted(editor: MessageEditor) -> str:
    return "\n".join(editor.render_line(y).text.rstrip() for y in range(editor.size.height))


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_comes_back_as_it_went_in(text: str) -> None:
    assert TinyApp(text).editor.draft == text


@settings(max_examples=150)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_comes_back_as_it_went_in(text: str) -> None:
    assert TinyApp(text).editor.draft == text


@pytest.mark.parametrize("text", TEXTS)
def test_editing_leaves_the_rest_as_it_was(text: str) -> None:
    @in_loop
    async def edit() -> None:
        async with TinyApp(text).run_test(size=(40, 20)) as pilot:
            editor = pilot.app.query_one(MessageEditor)
            editor.focus()
            editor.move_cursor(editor.document.end)
            await pilot.press("x", "backspace", "y")
            assert editor.draft == text + "y"
            await pilot.press("backspace")
            editor.move_cursor((0, 0))
            await pilot.press("z")
            assert editor.draft == "z" + text

    edit()


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_painted_has_no_controls(text: str) -> None:
    @in_loop
    async def look() -> None:
        async with TinyApp(text).run_test(size=(40, 20)) as pilot:
            shown = painted(pilot.app.query_one(MessageEditor))
            # Joiners and selectors are what makes an emoji: they move no cursor and clear no screen.
            raw = [c for c in shown if not c.isprintable() and c not in "\n\u200d\ufe0f\ue000\ue001\U000f0000"]
            assert not raw, raw

    look()


@in_loop
async def test_controls_are_shown_as_symbols() -> None:
    async with TinyApp("a\x1b[2Jb\rc\u202ed\u2028e").run_test(size=(40, 20)) as pilot:
        assert painted(pilot.app.query_one(MessageEditor)).split("\n")[0] == "a␛[2Jb␍c↔d␤e"


@in_loop
async def test_brackets_are_no_markup() -> None:
    async with TinyApp("[red]x[/red]").run_test(size=(40, 20)) as pilot:
        assert painted(pilot.app.query_one(MessageEditor)).split("\n")[0] == "[red]x[/red]"


@in_loop
async def test_a_paste_is_text_with_line_feeds() -> None:
    async with TinyApp("").run_test(size=(40, 20)) as pilot:
        editor = pilot.app.query_one(MessageEditor)
        editor.focus()
        editor.post_message(events.Paste("one\rtwo\r\nthree\n\x1b[2J\u2028中文\t|"))
        await pilot.pause()
        assert editor.draft == "one\ntwo\nthree\n\x1b[2J\u2028中文\t|"
        assert editor.caret == len(editor.draft)
        await pilot.press("ctrl+z")
        assert editor.draft == "", "a paste is one step"


@in_loop
async def test_a_fonts_icons_can_be_pasted_beside_controls() -> None:
    icons = "\ue000 \ue0a0 \uf8ff \U000f0001 \U000ffffd"
    async with TinyApp("\x1b").run_test(size=(40, 20)) as pilot:
        editor = pilot.app.query_one(MessageEditor)
        editor.focus()
        editor.move_cursor(editor.document.end)
        editor.post_message(events.Paste(icons))
        await pilot.pause()
        assert editor.draft == f"\x1b{icons}"


@in_loop
async def test_a_paste_takes_the_place_of_what_is_selected() -> None:
    async with TinyApp("one two").run_test(size=(40, 20)) as pilot:
        editor = pilot.app.query_one(MessageEditor)
        editor.focus()
        editor.select_all()
        editor.post_message(events.Paste("three"))
        await pilot.pause()
        assert editor.draft == "three"


@in_loop
async def test_an_empty_paste_is_nothing() -> None:
    async with TinyApp("one").run_test(size=(40, 20)) as pilot:
        editor = pilot.app.query_one(MessageEditor)
        editor.post_message(events.Paste(""))
        await pilot.pause()
        assert editor.draft == "one"


@pytest.mark.parametrize("text", TEXTS)
def test_the_caret_counts_characters_of_the_draft(text: str) -> None:
    @in_loop
    async def walk() -> None:
        async with TinyApp(text).run_test(size=(40, 20)) as pilot:
            editor = pilot.app.query_one(MessageEditor)
            for row in range(editor.document.line_count):
                for column in (0, len(editor.document.get_line(row))):
                    editor.move_cursor((row, column))
                    before = "\n".join([*(editor.document.get_line(i) for i in range(row)), ""])
                    caret = editor.caret
                    assert caret == len(before) + column
                    assert text[:caret] == before + editor.document.get_line(row)[:column]
            editor.move_cursor(editor.document.end)
            assert editor.caret == len(text)

    walk()


@in_loop
async def test_it_says_when_it_takes_more_lines() -> None:
    app = TinyApp("one")
    async with app.run_test(size=(40, 20)) as pilot:
        editor = app.editor
        editor.focus()
        await pilot.pause()
        assert editor.lines_wanted == 1
        grown = app.grown
        editor.move_cursor(editor.document.end)
        await pilot.press("enter")
        await pilot.pause()
        assert editor.lines_wanted == 2
        assert app.grown == grown + 1
        editor.post_message(events.Paste("word " * 12))
        await pilot.pause()
        assert editor.lines_wanted >= 4
        grown = app.grown
        await pilot.press("x")
        await pilot.pause()
        assert app.grown == grown, "nothing to say while it takes as many"


@in_loop
async def test_its_own_keys_go_before_the_text_areas() -> None:
    bindings = [Binding(key, f"app.note('{key}')", priority=True) for key in ("escape", "ctrl+x", "ctrl+r", "ctrl+t")]
    app = TinyApp("one two", bindings)
    async with app.run_test(size=(40, 20)) as pilot:
        app.editor.focus()
        app.editor.select_all()
        await pilot.press("ctrl+x", "ctrl+r", "ctrl+t", "escape")
        assert app.done == ["ctrl+x", "ctrl+r", "ctrl+t", "escape"]
        assert app.editor.draft == "one two"


@in_loop
async def test_chinese_is_typed_and_undone() -> None:
    async with TinyApp("").run_test(size=(40, 20)) as pilot:
        editor = pilot.app.query_one(MessageEditor)
        editor.focus()
        for char in "推敲，推敲":
            editor.post_message(events.Key(char, char))
        await pilot.pause()
        assert editor.draft == "推敲，推敲"
        assert painted(editor).split("\n")[0] == "推敲，推敲"
        await pilot.press("ctrl+z")
        await pilot.press("ctrl+y")
        assert editor.draft == "推敲，推敲"


@in_loop
async def test_a_tab_is_text_in_an_editor() -> None:
    async with TinyApp("").run_test(size=(40, 20)) as pilot:
        editor = pilot.app.query_one(MessageEditor)
        editor.focus()
        await pilot.press("a", "tab", "b")
        assert pilot.app.focused is editor
        assert editor.draft.replace("\t", " ").split() == ["a", "b"]


@in_loop
async def test_it_can_be_painted_without_its_styles() -> None:
    async with TinyApp("text").run_test(size=(40, 20)) as pilot:
        editor = pilot.app.query_one(MessageEditor)
        # As Textual leaves them when it takes the editor away.
        editor._component_styles.clear()
        editor._rich_style_cache.clear()
        editor.notify_style_update()
        strips = editor.render_lines(Region(0, 0, 30, 3))
        assert [strip.cell_length for strip in strips] == [30, 30, 30]


@in_loop
async def test_the_caret_steps_over_what_a_reader_takes_for_one_character() -> None:
    text = "a👩\u200d👩\u200d👧e\u0301🇨🇳x\n中"
    async with TinyApp(text).run_test(size=(40, 20)) as pilot:
        editor = pilot.app.query_one(MessageEditor)
        editor.focus()
        editor.move_cursor((0, 0))
        stops = [0]
        for _ in range(6):
            await pilot.press("right")
            stops.append(editor.cursor_location[1])
        assert stops == [0, 1, 6, 8, 10, 11, 0]
        assert editor.cursor_location == (1, 0)
        await pilot.press("left", "left", "backspace")
        assert editor.draft == "a👩\u200d👩\u200d👧e\u0301x\n中"
        await pilot.press("backspace", "backspace", "delete")
        assert editor.draft == "a\n中"
        await pilot.press("delete")
        assert editor.draft == "a中"


@given(st.text(st.sampled_from("a👩\u200d🇨🇳e\u0301中 "), max_size=200), st.integers(0, 200))
def test_characters_near_a_place_end_in_order_and_meet_at_the_line(line: str, near: int) -> None:
    near = min(near, len(line))
    ends = character_ends(line, near)
    assert ends == sorted(set(ends))
    assert ends[-1] <= len(line)
    assert near == 0 or ends[0] < near
    assert near == len(line) or ends[-1] > near


@in_loop
async def test_a_bare_line_feed_makes_a_new_line() -> None:
    async with TinyApp("one").run_test(size=(40, 20)) as pilot:
        editor = pilot.app.query_one(MessageEditor)
        editor.focus()
        editor.move_cursor(editor.document.end)
        await pilot.press("ctrl+j", "t", "w", "o")
        assert editor.draft == "one\ntwo"
