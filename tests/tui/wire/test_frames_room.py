"""Frames on a slow line: sent in parts, or skipped, and in the end the terminal shows the same as any other."""

from hypothesis import given, settings
from hypothesis import strategies as st
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Offset

from qiao.tui.wire.frames import Frames
from qiao.tui.wire.pace import Pace

from .emulator import CONSOLE, Pair
from .test_frames import layout as layout_of
from .test_frames import layouts, partials


def layout(*lines: str) -> LayoutUpdate:
    return layout_of(*(f"{line:10}" for line in lines))


class Room(Pace):
    """As much room as a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = float("inf")

    def room(self) -> float:
        return self.bytes


class SlowPair(Pair):
    """The compared terminal stands behind a line with so much room."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height)
        self.room = Room()
        self.frames = Frames(lambda: self.cursor, self.room)

    def show(self, update: LayoutUpdate | ChopsUpdate) -> str:
        sent = self.frames.bytes_for(update, CONSOLE)
        self.compared.feed(sent)
        self.plain.feed(update.render_segments(CONSOLE))
        return sent

    def drain(self) -> int:
        """Sends what waits; in how many parts."""
        parts = 0
        while self.frames.behind:
            self.compared.feed(self.frames.due())
            parts += 1
        self.plain.cursor.x, self.plain.cursor.y = self.cursor
        self.check(range(self.plain.lines))
        return parts


@settings(max_examples=150)
@given(st.data())
def test_any_frames_held_back_or_cut_show_the_same_in_the_end(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(2, 24)), data.draw(st.integers(1, 5))
    pair = SlowPair(width, height)
    pair.show(data.draw(layouts(width, height)))
    for _ in range(data.draw(st.integers(1, 8))):
        pair.cursor = Offset(data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1)))
        pair.room.bytes = data.draw(st.sampled_from([0, 0, 1, 30, 100, float("inf")]))
        pair.show(data.draw(st.one_of(partials(width, height), layouts(width, height))))
    pair.room.bytes = data.draw(st.sampled_from([1, 30, float("inf")]))
    pair.cursor = Offset(0, 0)
    pair.compared.feed(pair.frames.due())
    pair.drain()


def shown(pair: Pair) -> list[str]:
    return [line.rstrip() for line in pair.compared.display]


def test_a_frame_that_waited_is_skipped_for_the_next() -> None:
    pair = SlowPair(10, 2)
    pair.show(layout("one", "first"))
    pair.room.bytes = 0
    assert pair.show(layout("two", "second")) == ""
    assert pair.show(layout("two", "third")) == ""
    assert shown(pair) == ["one", "first"]
    pair.room.bytes = float("inf")
    sent = pair.frames.due()
    assert "second" not in sent
    pair.compared.feed(sent)
    assert shown(pair) == ["two", "third"]
    assert not pair.frames.behind


def test_the_row_of_the_cursor_goes_first() -> None:
    pair = SlowPair(10, 4)
    pair.show(layout("a", "b", "c", "d"))
    pair.cursor = Offset(1, 2)
    pair.room.bytes = 1
    pair.show(layout("A", "B", "C", "D"))
    assert shown(pair) == ["a", "b", "C", "d"]
    assert pair.compared.place == (1, 2)
    assert pair.drain() == 3
    assert shown(pair) == ["A", "B", "C", "D"]


def test_what_waited_goes_before_a_frame_that_is_not_understood() -> None:
    pair = SlowPair(10, 2)
    pair.show(layout("one", "first"))
    pair.room.bytes = 0
    pair.show(layout("two", "second"))
    broken = layout("x\x1b", "y")
    sent = pair.frames.bytes_for(broken, CONSOLE)
    assert "second" in sent.replace("\x1b[m", "")
    assert sent.endswith(broken.render_segments(CONSOLE))


def test_forgetting_drops_what_waits() -> None:
    pair = SlowPair(10, 2)
    pair.show(layout("one", "first"))
    pair.room.bytes = 0
    pair.show(layout("two", "second"))
    pair.frames.forget()
    assert not pair.frames.behind
    pair.room.bytes = float("inf")
    pair.show(layout("three", "third"))
    assert shown(pair) == ["three", "third"]
