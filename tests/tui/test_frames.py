"""Frames compared before they are sent: a terminal shows the same as when all is sent, for far fewer bytes."""

import asyncio
import inspect
import random
import re
import signal
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import psutil
import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyte.screens import Char
from rich.cells import cell_len, split_graphemes
from rich.color import ColorSystem
from rich.console import Console
from rich.control import Control
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual._compositor import ChopsUpdate, CompositorUpdate, InlineUpdate, LayoutUpdate
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Offset, Region
from textual.pilot import Pilot
from textual.strip import Strip

from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend
from qiao.tui.app import QiaoApp
from qiao.tui.frames import Frames
from qiao.tui.pens import PLAIN, Pen, pen_change, pen_of
from qiao.tui.session import Session
from qiao.workbench.config import Config
from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps
from qiao.workbench.document import Document

from .conftest import Terminal

CONSOLE = Console(color_system="truecolor", force_terminal=True)


class Emulator(pyte.Screen):
    """A terminal that doesn't wrap, as Textual sets it, and that measures text as Textual does.

    pyte alone leaves half a wide character standing when the other half is overwritten, and drops what follows a
    joiner. Terminals blank the other half, and draw what is joined in one place.
    """

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height)
        self._stream = pyte.Stream(self)

    def feed(self, data: str) -> None:
        self._stream.feed(data)

    def draw(self, data: str) -> None:
        for start, end, width in split_graphemes(data)[0]:
            if width:
                self._put(data[start:end], width)

    def _put(self, glyph: str, width: int) -> None:
        x, line = min(self.cursor.x, self.columns - 1), self.buffer[self.cursor.y]
        for edge in (x, x + width):
            if 0 < edge < self.columns and line[edge].data == "":
                line[edge - 1] = line[edge - 1]._replace(data=" ")
                line[edge] = line[edge]._replace(data=" ")
        if x + width <= self.columns:
            line[x] = self.cursor.attrs._replace(data=glyph)
            if width == 2:
                line[x + 1] = self.cursor.attrs._replace(data="")
        else:
            line[x] = self.cursor.attrs._replace(data=" ")
        self.dirty.add(self.cursor.y)
        self.cursor.x = min(x + width, self.columns)

    def row(self, y: int) -> list[Char]:
        return [self.buffer[y][x] for x in range(self.columns)]

    def fill(self, glyph: str) -> None:
        """Something else has written all over it."""
        for y in range(self.lines):
            for x in range(self.columns):
                self.buffer[y][x] = Char(glyph, reverse=True)

    @property
    def place(self) -> tuple[int, int]:
        return self.cursor.x, self.cursor.y


class Pair:
    """Two terminals of one size: all frames go to one as Textual writes them, to the other compared."""

    def __init__(self, width: int, height: int) -> None:
        self.plain, self.compared = Emulator(width, height), Emulator(width, height)
        self.cursor = Offset(0, 0)
        self.frames = Frames(lambda: self.cursor)
        self.sent: list[int] = []

    def show(self, update: LayoutUpdate | ChopsUpdate) -> str:
        """Shows an update on both; what was sent."""
        replaced = self.frames.compared(update)
        assert isinstance(replaced, CompositorUpdate)
        self.plain.feed(update.render_segments(CONSOLE) + Control.move_to(*self.cursor).segment.text)
        # As App._display does.
        sequence = replaced.render_segments(CONSOLE)
        sequence += Control.move_to(*self.cursor).segment.text
        self.compared.feed(sequence)
        self.check(range(self.plain.lines))
        return sequence

    def check(self, rows: Sequence[int] | range) -> None:
        for y in rows:
            assert self.compared.row(y) == self.plain.row(y), (self.compared.display[y], self.plain.display[y])
        assert self.compared.place == self.plain.place

    def resize(self, width: int, height: int) -> None:
        for screen in (self.plain, self.compared):
            screen.resize(height, width)
            screen.fill("#")
        self.frames.forget()


# Random frames

GLYPHS = ["a", "b", "c", " ", " ", "你", "好", "。", "é", "e\u0301", "─", "▌", "·", "👍", "👩\u200d💻", "✎", "❤\ufe0f"]
STYLES = [
    None,
    Style(),
    Style(color="rgb(200,10,10)", bgcolor="rgb(0,0,40)"),
    Style(color="rgb(200,10,10)", bgcolor="rgb(0,0,40)", bold=True),
    Style(color="rgb(1,2,3)", bgcolor="rgb(0,0,40)", bold=True, italic=True),
    Style(bgcolor="rgb(0,0,40)", underline=True),
    Style(color="red", reverse=True),
    Style(color="bright_blue", bgcolor="default", strike=True),
    Style(color="color(99)", bgcolor="bright_black"),
    Style(color="default", underline=True, italic=True, meta={"@click": "x"}),
]

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


@settings(max_examples=150, deadline=None)
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


# Pens

ENDED_BY = {
    "22": "1 2",
    "23": "3",
    "24": "4 21",
    "25": "5 6",
    "27": "7",
    "28": "8",
    "29": "9",
    "54": "51 52",
    "55": "53",
}
pens = st.builds(
    Pen,
    st.lists(st.sampled_from(["1", "2", "3", "4", "7", "9", "21", "53"]), unique=True).map(sorted).map(tuple),
    st.sampled_from(["39", "31", "97", "38;5;99", "38;2;1;2;3"]),
    st.sampled_from(["49", "41", "100", "48;5;99", "48;2;1;2;3"]),
    st.just(""),
)


def applied(pen: Pen, sequence: str) -> Pen:
    """The pen after a sequence, as ECMA-48 and xterm have it."""
    attributes, foreground, background = set(pen.attributes), pen.foreground, pen.background
    if not sequence:
        return pen
    found = re.fullmatch(r"\x1b\[([\d;]*)m", sequence)
    assert found
    for code in re.findall(r"[34]8;(?:5;\d+|2;\d+;\d+;\d+)|\d+|(?<![\d])(?=;|$)", found[1]):
        if code in ("", "0"):
            attributes, foreground, background = set(), "39", "49"
        elif code in ENDED_BY:
            attributes -= set(ENDED_BY[code].split())
        elif re.match(r"38|39|3[0-7]|9[0-7]", code) and len(code) > 1:
            foreground = code
        elif re.match(r"48|49|4[0-7]|10[0-7]", code) and len(code) > 1:
            background = code
        else:
            attributes.add(code)
    return Pen(tuple(sorted(attributes)), foreground, background)


@settings(max_examples=300, deadline=None)
@given(pens, pens)
def test_a_pen_is_changed_into_any_other(old: Pen, new: Pen) -> None:
    assert applied(old, pen_change(old, new)) == new


def test_a_pen_is_changed_by_what_differs() -> None:
    red = Pen(("1",), "38;2;250;10;10", "48;2;20;20;20")
    assert pen_change(red, red) == ""
    assert pen_change(red, PLAIN) == "\x1b[m"
    assert pen_change(red, red._replace(attributes=())) == "\x1b[22m"
    assert pen_change(red, red._replace(attributes=("2",))) == "\x1b[22;2m"
    assert pen_change(red, red._replace(foreground="39")) == "\x1b[39m"


@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD])
@pytest.mark.parametrize("style", [style for style in STYLES if style])
def test_a_pen_is_what_textual_would_write(style: Style, system: ColorSystem) -> None:
    written = Strip.render_ansi(style, system)
    style._ansi = None
    assert applied(PLAIN, f"\x1b[0;{written}m" if written else "") == pen_of(style, system)


# Textual's private seam


def test_textuals_private_seam_is_as_frames_expects_it() -> None:
    """If this fails, Textual has changed: look through tui/frames.py before going on."""

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


# The real program

SIZES = [(120, 40), (80, 24), (100, 30), (61, 15), (130, 42)]
ANSWER = "# 月下\n\n推敲二字，*push* or **knock**? 👍🎉 `code` …\n\n| 甲 | b |\n| - | - |\n| 一 | 2 |\n\n" * 4
KEYS = ["j", "k", "g", "G", "J", "K", "t", "M", "z", "h", "l", "u", "U", "m", "s", "S", "tab", "question_mark", "colon"]
KEYS += ["v", "V", "T", "n", "O", "left_square_bracket", "pagedown", "pageup", "d", "y", "P", "slash", "r", "r", "N"]


class Driver(HeadlessDriver):
    """No terminal, but it counts as one: what is written is handed to the emulator."""

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        app = self._app
        assert isinstance(app, RecordedApp)
        app.pair.compared.feed(data)


class RecordedFrames(Frames):
    """Writes each update to the plain terminal too."""

    pair: Pair
    spoilt = False
    """The terminal has lost what it showed, and Qiao hasn't been told."""
    settled = False
    """Both terminals have been painted all over since they were resized or spoilt."""

    def forget(self) -> None:
        super().forget()
        self.spoilt = self.settled = False

    def bytes_for(self, update: LayoutUpdate | ChopsUpdate, console: Console) -> str:
        # Their caches hold Textual's own bytes afterwards, as they would without Frames.
        self.pair.plain.feed(update.render_segments(console) + Control.move_to(*self._cursor()).segment.text)
        size = (self.pair.plain.columns, self.pair.plain.lines)
        if isinstance(update, LayoutUpdate) and update.region.size == size and not self.spoilt:
            self.settled = True
        return super().bytes_for(update, console)


class RecordedApp(QiaoApp):
    """Qiao, with every frame looked at on both terminals."""

    CSS_PATH = Path(inspect.getfile(QiaoApp)).with_name("app.tcss")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # pyright: ignore[reportArgumentType]
        self.pair = Pair(*SIZES[0])
        self.recorded = RecordedFrames(self._cursor_place)
        self.recorded.pair = self.pair
        self.frames = self.recorded
        self.compared_frames = 0
        self.differing: list[str] = []

    def post_display_hook(self) -> None:
        if not self.recorded.settled:
            return
        plain, compared = self.pair.plain, self.pair.compared
        for y in plain.dirty | compared.dirty:
            if plain.row(y) != compared.row(y):
                self.differing.append(f"row {y}:\n{plain.display[y]}\n{compared.display[y]}")
        if plain.place != compared.place:
            self.differing.append(f"cursor: {plain.place} {compared.place}")
        plain.dirty.clear()
        compared.dirty.clear()
        self.compared_frames += 1


async def drive(pilot: Pilot[object], steps: int, seed: int) -> None:
    """Presses keys at random, resizes, types, streams; asserts after each step that both terminals show the same."""
    app = pilot.app
    assert isinstance(app, RecordedApp)
    chance = random.Random(seed)
    for step in range(steps):
        match chance.choices(["key", "type", "resize", "repaint", "escape", "wait"], [12, 4, 2, 1, 4, 2])[0]:
            case "key":
                await pilot.press(chance.choice(KEYS))
            case "type":
                await pilot.press("escape", chance.choice("aie"))
                app.post_message(events.Paste(chance.choice(["Hello, 世界 👍\nline two", "敲", "x" * 90, "é ✎ ─"])))
                await pilot.press("backspace", "left", "Z", "enter", "escape")
            case "resize":
                width, height = chance.choice(SIZES)
                app.pair.resize(width, height)
                app.recorded.spoilt, app.recorded.settled = True, False
                await pilot.resize_terminal(width, height)
            case "repaint":
                app.pair.compared.fill("#")
                app.recorded.spoilt, app.recorded.settled = True, False
                await pilot.press("escape", "escape", "ctrl+l")
            case "escape":
                await pilot.press("escape")
            case _:
                await pilot.pause(0.05)
        await pilot.pause()
        assert not app.differing, f"after step {step}:\n" + "\n".join(app.differing)
        if app.return_value is not None:
            return


@pytest.mark.parametrize("seed", [1, 2])
def test_a_long_random_drive_shows_the_same_on_both_terminals(
    seed: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scripted = ScriptedBackend(default=ANSWER)
    for _ in range(100):
        scripted.enqueue(ANSWER, delay_ms=4, thinking="想一想 🤔 " * 8)
    config = Config(model="scripted:echo")
    messages = tuple(Message(role="user", text=f"第{i}个 question 👍 {{{{name}}}}") for i in range(12))
    talk = Conversation(messages=messages, variables={"name": "李雷 🌙"})
    app = RecordedApp(
        [Session(Document.untitled(talk))],
        Backends(config, extra={"scripted": scripted}),
        config,
        driver_class=Driver,
    )
    app._sync_available = True

    async def drive_and_leave(pilot: Pilot[object]) -> None:
        await drive(pilot, 80, seed)
        app.end()

    asyncio.run(app.run_async(headless=False, size=SIZES[0], auto_pilot=drive_and_leave))
    assert app.return_code == 0, app._exit_renderables
    assert app.compared_frames > 100
    assert scripted.requests
    assert "could not be compared" not in caplog.text


def test_everything_is_painted_after_other_programs_had_the_terminal(
    open_terminal: Callable[..., Terminal], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a real terminal: an editor that leaves its screen full, and a process stopped and continued."""
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9; do echo REMAINS; done\necho 'edited 世界' > \"$1\"\n")
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(editor))
    talk = tmp_path / "talk.toml"
    talk.write_bytes(dumps(Conversation(messages=(Message(role="user", text="before"),))))
    terminal = open_terminal(str(talk))
    terminal.wait("before")
    terminal.send("o")
    terminal.wait(lambda shown: "edited" in shown and "MODELS" in shown and "REMAINS" not in shown)
    written = len(terminal.output)
    terminal.process.send_signal(signal.SIGTSTP)
    terminal.wait(lambda _shown: psutil.Process(terminal.process.pid).status() == psutil.STATUS_STOPPED)
    terminal.process.send_signal(signal.SIGCONT)
    terminal.wait(lambda _shown: b"MODELS" in terminal.output[written:] and b"edited" in terminal.output[written:])


def test_the_switch_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(model="scripted:echo")

    def made() -> QiaoApp:
        return QiaoApp([Session(Document.untitled())], Backends(config), config)

    assert made().frames is not None
    monkeypatch.setenv("QIAO_PLAIN_FRAMES", "1")
    assert made().frames is None
