"""What is typed and pasted into a line: shown without its codes reaching the terminal, and given back as it came."""

import time
from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import Input

from qiao.tui.input.shown_input import ShownInput
from qiao.tui.panes.rows import Rows
from qiao.tui.screens.palette import MODELS_LISTED
from qiao.workbench.address import Address
from qiao.workbench.seam import Model
from qiao.workbench.words import say

from ..driving import HELLO, Bench, in_loop, talk, workbench
from ..wire.emulator import CONSOLE

RAW = "A\x1b]0;PWN\u009b31m\u202eZ"
SHOWN = "A\u241b]0;PWN\ufffd31m\u2194Z"

LINES = {
    "the palette": ["colon"],
    "find": ["slash"],
    "save as": ["W"],
    "the library": ["O"],
    "the filter of models": ["m", "slash"],
    "help": ["question_mark", "slash"],
    "a new provider": ["m", "plus"],
}


def line(bench: Bench) -> Input:
    focused = bench.app.focused
    assert isinstance(focused, Input)
    return focused


@pytest.mark.parametrize("keys", LINES.values(), ids=LINES)
@in_loop
async def test_codes_that_are_pasted_are_shown_as_symbols(path: Path, keys: list[str]) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press(*keys)
        await bench.until(lambda: isinstance(bench.app.focused, Input), "the line")
        line(bench).value = ""
        await bench.paste(RAW)
        await bench.until(lambda: line(bench).value == RAW, "the very text in the line")
        await bench.see(SHOWN)
        assert isinstance(line(bench), ShownInput)
        # The caret stands behind what is shown, and steps over each symbol.
        await bench.press("left")
        at = bench.app.cursor_position
        await bench.press("home")
        assert bench.app.cursor_position == at - (len(RAW) - 1, 0)


@in_loop
async def test_a_file_name_with_codes_stands_in_the_line_and_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "w\x1b]0;PWN\x07.toml"
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("W")
        await bench.until(lambda: isinstance(bench.app.focused, Input), "the line")
        assert line(bench).value.endswith("w\x1b]0;PWN\x07.toml")
        await bench.see("/w\u241b]0;")
        assert "\x1b" not in bench.text()


@in_loop
async def test_a_variable_comes_back_as_it_went_in(path: Path) -> None:
    async with workbench(talk(("user", "{{who}}"), variables={"who": "a\nb\x1bc"}), path) as bench:
        await bench.press("s")
        await bench.see("who")
        pane = bench.app.workbench.query_one("#sampling")
        rows = pane.rows  # pyright: ignore[reportAttributeAccessIssue]
        rows.select(next(row.key for row in rows.shown_rows if getattr(row.key, "variable", False)))
        await bench.press("enter")
        await bench.see("a\u240ab\u241bc")
        await bench.press("end", "x", "enter")
        await bench.until(lambda: dict(bench.session.document.conversation.variables)["who"] == "a\nb\x1bcx", "it set")


def strips_with_codes() -> list[Strip]:
    link = Style(link="https://a.test/\x1b]0;PWN\x07")
    return [Strip([Segment(RAW), Segment("\x1b[31m\x7f\u2066\u2028"), Segment("link", link)])]


def updates() -> list[LayoutUpdate | ChopsUpdate]:
    (strip,) = strips_with_codes()
    width = strip.cell_length
    return [
        LayoutUpdate([[strip]], Region(0, 0, width, 1)),
        ChopsUpdate([{0: strip}], [(0, 0, width)], [[width]]),
    ]


@pytest.mark.parametrize("update", updates(), ids=["all", "part"])
@pytest.mark.parametrize("is_compared", [True, False])
@in_loop
async def test_no_code_in_a_frame_reaches_the_terminal(
    path: Path, monkeypatch: pytest.MonkeyPatch, update: LayoutUpdate | ChopsUpdate, is_compared: bool
) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        if not is_compared:
            bench.app.frames = None
        handed: list[CompositorUpdate] = []
        with monkeypatch.context() as patch:
            # Textual's own, which writes to a terminal if there is one.
            patch.setattr(App, "_display", lambda _app, _screen, renderable: handed.append(renderable))
            bench.app._display(bench.app.screen, update)
        text = handed[0].render_segments(CONSOLE)
        assert "A]0;PWN31mZ" in text
        for code in ("\x1b]0", "\x07", "\u009b", "\u202e", "\u2066", "\u2028", "\x7f", "\x1b[31m"):
            assert code not in text, repr(code)


def catalog(*names: str) -> list[Model]:
    return [Model(Address("hub", name), name, "remote") for name in names]


@in_loop
async def test_the_palette_stays_quick_with_a_catalog_of_many_models(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        many = catalog(*(f"maker{i % 97}/model-{i}" for i in range(50_000)), "it/[bold]one\x1b")
        bench.app.workbench.known.models = many
        await bench.press("colon")
        await bench.see(say("screen.palette_placeholder"))
        begun = time.process_time()
        await bench.type("model-4")
        assert len(bench.app.screen.query_one(Rows).shown_rows) == MODELS_LISTED
        assert time.process_time() - begun < 5
        line(bench).value = "]one"
        await bench.see("it/[bold]one\u241b")
        await bench.press("enter")
        await bench.until(lambda: bench.session.document.conversation.model == "hub:it/[bold]one\x1b", "it to be used")


@in_loop
async def test_a_line_that_was_left_comes_back_where_the_same_is_asked(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("semicolon")
        await bench.see("empty takes it away")
        await bench.type("much too vague")
        await bench.press("escape")
        await bench.see("comes back by")
        assert bench.session.conversation.messages[1].note is None
        await bench.press("W", "up")
        await bench.see("Save as")
        assert "much too vague" not in bench.text()
        await bench.press("escape", "semicolon", "up")
        await bench.type(", say")
        await bench.press("enter")
        await bench.see("note: much too vague, say")
