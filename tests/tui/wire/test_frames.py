"""Frames compared before they are sent: a terminal shows the same as when all is sent, for far fewer bytes."""

import inspect
import re
from collections.abc import Callable
from itertools import pairwise

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, InlineUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Offset, Region
from textual.strip import Strip

from .emulator import CONSOLE, STYLES, Pair

# Random frames

GLYPHS = ["a", "b", "c", " ", " ", "你", "好", "。", "é", "e\u0301", "─", "▌", "·", "👍", "👩\u200d💻", "✎", "❤\ufe0f"]
segments = st.builds(
    lambda glyphs, style: Segment("".join(glyphs), style),
    st.lists(st.sampled_from(GLYPHS), min_size=1, max_size=12),
    st.sampled_from(STYLES),
)


def strips(width: int) -> st.SearchStrategy[Strip]:
    return st.lists(segments, max_size=5).map(lambda made: Strip(made).adjust_cell_length(width))


@st.composite
def layouts(draw: st.DrawFn, width: int, height: int) -> LayoutUpdate:
    lines: list[list[Strip]] = []
    for _ in range(height):
        left = draw(st.integers(0, width))
        lines.append([draw(strips(left)), draw(strips(width - left))])
    return LayoutUpdate([*lines], Region(0, 0, width, height))


@st.composite
def partials(draw: st.DrawFn, width: int, height: int) -> ChopsUpdate:
    chops: list[dict[int, Strip | None]] = []
    ends: list[list[int]] = []
    spans: list[tuple[int, int, int]] = []
    for y in range(height):
        cuts = sorted({0, width, *draw(st.lists(st.integers(0, width), max_size=3))})
        pieces = list(pairwise(cuts))
        ends.append(cuts[1:])
        if y == 0 or draw(st.booleans()):
            left = draw(st.integers(0, width - 1))
            right = draw(st.integers(left + 1, width))
            spans.append((y, left, right))
            # The compositor fills what lies in a span, and leaves out some of the rest.
            chops.append({x: draw(strips(end - x) if end > left and x < right else st.none()) for x, end in pieces})
        else:
            chops.append({x: None for x, _ in pieces})
    return ChopsUpdate(chops, spans, ends)


@settings(max_examples=150)
@given(st.data())
def test_any_frames_show_the_same_compared_or_not(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(2, 24)), data.draw(st.integers(1, 4))
    pair = Pair(width, height)
    pair.show(data.draw(layouts(width, height)))
    for _ in range(data.draw(st.integers(1, 6))):
        pair.cursor = Offset(data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1)))
        match data.draw(st.sampled_from(["partial", "partial", "partial", "layout", "forget", "resize"])):
            case "partial":
                pair.show(data.draw(partials(width, height)))
            case "layout":
                pair.show(data.draw(layouts(width, height)))
            case "forget":
                pair.compared.fill("#")
                pair.frames.forget()
                pair.show(data.draw(layouts(width, height)))
            case _:
                width, height = data.draw(st.integers(2, 24)), data.draw(st.integers(1, 4))
                pair.resize(width, height)
                pair.cursor = Offset(0, 0)
                pair.show(data.draw(layouts(width, height)))


def test_a_cursor_within_a_wide_character_is_moved_out_of_it() -> None:
    pair = Pair(3, 1)
    pair.cursor = Offset(1, 0)
    pair.show(layout("你a"))
    pair.cursor = Offset(0, 0)
    pair.show(layout("你 "))


# What is sent


def layout(*lines: str, style: Style | None = None) -> LayoutUpdate:
    made = [[Strip([Segment(line, style)])] for line in lines]
    return LayoutUpdate([*made], Region(0, 0, cell_len(lines[0]), len(lines)))


def test_nothing_is_sent_when_nothing_changed() -> None:
    pair = Pair(6, 2)
    pair.show(layout("hello ", "world "))
    assert pair.show(layout("hello ", "world ")) == ""


def test_only_the_cells_that_differ_are_sent() -> None:
    pair = Pair(30, 2)
    pair.show(layout("the quick brown fox, they say ", " " * 30))
    assert pair.show(layout("the quick green fox, they say ", " " * 30)) == "\x1b[11Ggree\r"


def test_the_cursor_is_moved_only_when_it_moves() -> None:
    pair = Pair(6, 2)
    pair.show(layout("hello ", "world "))
    pair.cursor = Offset(3, 1)
    assert pair.show(layout("hello ", "world ")) == "\x1b[2;4H"
    assert pair.show(layout("hello ", "world ")) == ""


def test_a_small_gap_is_written_again_rather_than_skipped() -> None:
    pair = Pair(12, 1)
    pair.show(layout("0123456789  "))
    pair.cursor = Offset(11, 0)
    pair.show(layout("0123456789  "))
    assert "x12y" in pair.show(layout("x12y456789  "))


def test_half_a_wide_character_overwritten_leaves_a_blank() -> None:
    pair = Pair(6, 1)
    pair.show(layout("a你好b"))
    half = ChopsUpdate([{0: None, 2: Strip([Segment("x")]), 3: None}], [(0, 2, 3)], [[2, 3, 6]])
    pair.show(half)
    assert "".join(cell.data for cell in pair.compared.row(0)) == "a x好b"


def test_the_last_column_holds_nothing_back() -> None:
    pair = Pair(4, 2)
    pair.show(layout("abcd", "efgh"))
    pair.show(layout("abcX", "Yfgh"))
    pair.show(layout("abc ", "ef你"))
    pair.show(layout("abcZ", "ef好"))


def test_behind_an_emoji_the_next_character_names_its_column() -> None:
    """A terminal that draws the emoji narrower or wider than Textual thinks still has the rest in its place."""
    pair = Pair(12, 1)
    pair.show(layout("            "))
    sent = pair.show(layout("a👍bc 你d   "))
    assert sent == "a👍\x1b[1;4Hbc 你d\r"


def test_links_are_opened_and_closed() -> None:
    pair = Pair(6, 1)
    linked = Style(link="https://example.org/")
    pair.show(layout("      "))
    sent = pair.show(LayoutUpdate([[Strip([Segment("see", linked), Segment("   ")])]], Region(0, 0, 6, 1)))
    assert re.fullmatch(r"\x1b\]8;id=\d+;https://example\.org/\x1b\\see\x1b\]8;;\x1b\\\r", sent)


def test_every_frame_ends_with_a_plain_pen() -> None:
    pair = Pair(4, 1)
    sent = pair.show(layout("abcd", style=Style(bold=True, color="red")))
    assert sent.endswith("\x1b[m\x1b[1H")
    assert pair.compared.cursor.attrs == pyte.Screen(1, 1).cursor.attrs


# Textual's private seam


def test_textuals_private_seam_is_as_frames_expects_it() -> None:
    """If this fails, Textual has changed: look through tui/wire/frames.py before going on."""

    def parameters(function: Callable[..., object]) -> list[str]:
        return list(inspect.signature(function).parameters)

    assert parameters(App._display) == ["self", "screen", "renderable"]
    assert parameters(CompositorUpdate.render_segments) == ["self", "console"]
    assert parameters(LayoutUpdate.__init__) == ["self", "strips", "region"]
    assert parameters(ChopsUpdate.__init__) == ["self", "chops", "spans", "chop_ends"]
    assert parameters(Strip.render_ansi) == ["style", "color_system"]
    assert {kind.__name__ for kind in CompositorUpdate.__subclasses__()} == {
        "LayoutUpdate",
        "ChopsUpdate",
        "InlineUpdate",
        "_Compared",
    }
    update = layout("ab")
    assert (update.strips[0], update.region) == (update.strips[0], Region(0, 0, 2, 1))
    source = inspect.getsource(App._display)
    assert "isinstance(renderable, CompositorUpdate)" in source
    assert "terminal_sequence = renderable.render_segments(console)" in source
    assert "terminal_sequence += Control.move_to(" in source
    assert "self.screen.outer_size.clamp_offset(" in source
    assert isinstance(CONSOLE._color_system, ColorSystem)
    assert Style(link="x")._link_id


def test_what_is_not_understood_goes_out_as_textual_wrote_it(caplog: pytest.LogCaptureFixture) -> None:
    pair = Pair(6, 1)
    pair.show(layout("hello "))
    odd = LayoutUpdate([[Strip([Segment("a\tb")], 6)]], Region(0, 0, 6, 1))
    replaced = pair.frames.compared(odd)
    assert isinstance(replaced, CompositorUpdate)
    assert replaced.render_segments(CONSOLE) == odd.render_segments(CONSOLE)
    assert "could not be compared" in caplog.text
    # What the terminal shows now is not known: all of the next frame is sent.
    assert "hello " in pair.frames.bytes_for(layout("hello "), CONSOLE)


def test_other_renderables_pass_and_nothing_is_taken_for_known_after_them() -> None:
    pair = Pair(6, 1)
    pair.show(layout("hello "))
    assert pair.frames.compared(None) is None
    assert pair.show(layout("hello ")) == ""
    inline = InlineUpdate([Strip([Segment("x")])])
    assert pair.frames.compared(inline) is inline
    assert "hello " in pair.show(layout("hello "))
