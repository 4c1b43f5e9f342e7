"""How much may be sent to a line, played through with a clock that only these tests move."""

import re
from collections import deque

import pytest
from textual._ansi_sequences import SYNC_END, SYNC_START

from qiao.tui.wire.pace import APART_S, ASK, KEY_S, LEAVE_S, PATIENCE_S, STREAM_S, TOGETHER_S, Pace

FRAME_S = 1 / 12


class Line:
    """A terminal behind a line: so many bytes a second, so long there and back, and a buffer that takes anything."""

    def __init__(self, rate: float, round_trip: float = 0.1, *, mute: bool = False) -> None:
        self.rate, self.round_trip, self.mute = rate, round_trip, mute
        self.now = 1000.0
        self.pace = Pace(clock=lambda: self.now)
        self.pace.begin(True)
        self.asked = 0
        self.sent = 0
        self.free_at = 0.0
        self._answers: deque[float] = deque()

    @property
    def queue(self) -> float:
        """Seconds until all that was sent has left the buffer."""
        return max(self.free_at - self.now, 0.0)

    def send(self, size: int) -> int:
        """Sends as much of a frame as there is room for; how much."""
        room = self.pace.room()
        if room <= 0:
            return 0
        text = self.pace.sealed("x" * int(min(size, max(room, 80))))
        for piece in re.split(f"({re.escape(ASK)})", text):
            if piece == ASK:
                self.asked += 1
                if not self.mute:
                    self._answers.append(max(self.free_at, self.now) + self.round_trip)
            else:
                self.free_at = max(self.free_at, self.now) + len(piece) / self.rate
                self.sent += len(piece)
        return text.count("x")

    def wait(self, seconds: float) -> None:
        """Lets time pass, answers coming meanwhile."""
        until = self.now + seconds
        while self._answers and self._answers[0] <= until:
            self.now = max(self._answers.popleft(), self.now)
            self.pace.answered(self.now)
        self.now = until

    def stream(self, seconds: float, size: int) -> float:
        """Frames that nobody asked for; the longest queue."""
        longest = 0.0
        for _ in range(int(seconds / FRAME_S)):
            self.send(size)
            longest = max(longest, self.queue)
            self.wait(FRAME_S)
        return longest


@pytest.mark.parametrize("round_trip", [0.002, 0.1, 0.3, 0.8])
@pytest.mark.parametrize("rate", [2_000.0, 8_000.0, 32_000.0])
def test_a_slow_line_is_used_and_no_queue_grows(rate: float, round_trip: float) -> None:
    line = Line(rate, round_trip)
    line.stream(2, 60)
    # Before it has shown how slow it is, there comes a burst.
    assert line.stream(8, int(rate)) < 8000 / rate + 0.1
    before = line.sent
    longest = line.stream(20, int(rate))
    assert longest <= STREAM_S + 400 / rate
    # A frame a twelfth of a second, and what there is room for in it.
    assert line.sent - before > 20 * rate * 0.15


def test_a_fast_line_is_sent_everything() -> None:
    line = Line(5e6, 0.001)
    for _ in range(100):
        assert line.send(5000) == 5000
        line.wait(FRAME_S)


def test_a_far_but_idle_line_gets_every_frame() -> None:
    line = Line(32_000.0, 0.3)
    line.send(60)
    line.wait(1)
    for _ in range(100):
        assert line.send(300) == 300
        line.wait(FRAME_S)


def test_a_key_is_answered_behind_a_queue_that_holds_up_a_stream() -> None:
    line = Line(8000.0)
    line.stream(5, 8000)
    while line.pace.room():
        line.send(400)
    assert line.send(60) == 0
    line.pace.key()
    assert line.send(60) == 60
    # That was the key's own frame: the next one waits again.
    assert line.send(60) == 0


def test_held_keys_build_no_queue() -> None:
    line = Line(8000.0)
    line.stream(5, 8000)
    longest = 0.0
    for _ in range(200):
        line.pace.key()
        line.send(4000)
        longest = max(longest, line.queue)
        line.wait(1 / 30)
    assert longest < 2 * KEY_S


def test_a_terminal_that_never_answers_is_sent_everything_and_asked_no_more() -> None:
    line = Line(2000.0, mute=True)
    for _ in range(500):
        assert line.send(3000) == 3000
        line.wait(FRAME_S)
    assert line.asked == 2


def test_nothing_is_asked_where_nobody_can_answer() -> None:
    pace = Pace()
    pace.begin(False)
    assert pace.room() == float("inf")
    assert pace.sealed("frame") == "frame"


def test_no_question_goes_out_without_a_frame() -> None:
    line = Line(32_000.0)
    assert line.pace.sealed("") == ""
    assert line.asked == 0
    line.stream(5, 100)
    assert line.asked <= 5 / FRAME_S


def test_marks_stand_around_a_frame() -> None:
    pace = Pace()
    pace.synchronised = True
    assert pace.sealed("frame") == SYNC_START + "frame" + SYNC_END
    assert pace.sealed("") == ""


def test_a_line_that_gets_faster_is_used() -> None:
    line = Line(2000.0)
    line.stream(10, 2000)
    line.rate = 1e6
    line.wait(5)
    line.stream(10, 8000)
    assert line.send(8000) == 8000


def test_a_line_that_gets_slower_is_spared() -> None:
    line = Line(1e6)
    line.stream(10, 8000)
    line.rate = 4000.0
    line.stream(10, 8000)
    assert line.stream(20, 8000) <= STREAM_S + 0.1


def test_a_line_that_gets_longer_still_gets_its_frames() -> None:
    line = Line(1e6, 0.01)
    line.stream(10, 300)
    line.round_trip = 0.4
    line.stream(10, 300)
    # A pause in which little moves, and it is known.
    for _ in range(20):
        line.send(60)
        line.wait(1)
    before = line.sent
    line.stream(10, 300)
    assert line.sent - before > 0.9 * 300 * 10 / FRAME_S


def test_a_hanging_line_gets_nothing_more_until_it_moves() -> None:
    line = Line(32_000.0)
    line.stream(5, 500)
    line.free_at = line.now + 8
    line.send(100)
    line.wait(1)
    before = line.sent
    assert line.stream(6, 500)
    line.pace.key()
    assert line.send(100) == 0
    assert line.sent == before
    line.wait(2)
    assert line.send(100) == 100


def test_a_terminal_that_stops_answering_is_sent_everything_and_asked_anew() -> None:
    line = Line(32_000.0)
    line.stream(5, 500)
    line.wait(1)
    line.mute = True
    asked = line.asked
    line.send(100)
    line.wait(PATIENCE_S + 1)
    for _ in range(100):
        assert line.send(500) == 500
        line.wait(FRAME_S)
    assert line.asked == asked + 3


def test_after_another_program_the_line_is_asked_anew() -> None:
    line = Line(32_000.0)
    line.stream(5, 500)
    line.wait(1)
    line.send(100)
    line.pace.begin(True)
    line._answers.clear()
    assert line.pace.leaving() == 0
    asked = line.asked
    line.stream(2, 500)
    assert line.asked > asked + 1


def test_bytes_that_the_terminal_has_not_even_taken_hold_up_frames() -> None:
    pending = 0
    pace = Pace(lambda: pending)
    assert pace.room() > 0
    pending = 10_000
    assert pace.room() == 0
    pace.key()
    assert pace.room() > 0
    pending = 100_000
    assert pace.room() == 0


def test_leaving_waits_for_answers_that_are_on_their_way_and_no_longer() -> None:
    line = Line(32_000.0, 0.3)
    line.send(100)
    assert line.pace.leaving() > 0.5
    line.wait(LEAVE_S + 0.1)
    assert line.pace.leaving() <= 0
    mute = Line(32_000.0, mute=True)
    mute.send(100)
    assert 0.9 < mute.pace.leaving() <= LEAVE_S
    mute.wait(LEAVE_S)
    assert mute.pace.leaving() <= 0


def test_an_answer_that_nobody_asked_for_does_nothing() -> None:
    pace = Pace()
    pace.answered(1.0)
    assert pace.room() == float("inf")


def test_an_esc_waits_for_a_sequence_as_long_as_the_line_may_part_one() -> None:
    assert Line(1e6, mute=True).pace.key_wait == APART_S
    waits: list[float] = []
    for round_trip in (0.001, 0.03, 0.3):
        line = Line(1e6, round_trip)
        line.stream(1, 200)
        waits.append(line.pace.key_wait)
    assert waits == [pytest.approx(TOGETHER_S + 0.001), pytest.approx(TOGETHER_S + 0.03), APART_S]
