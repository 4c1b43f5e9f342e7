"""How fast the line to the terminal takes what is sent, and how much may be sent now.

Over SSH, buffers along the way swallow hundreds of kilobytes: what is written is not yet shown, and a key pressed then
is answered behind all of it. So a question goes along with frames: "device status report" (CSI 5 n), which every
terminal since the VT100 answers with CSI 0 n, once all before it has been shown. The time that takes, beside the
shortest that it ever took, says how long the queue was, and so how many bytes a second the line carries.

From that, `Pace` keeps a model of the line: when what has been sent will have left the queue. A frame that nobody
asked for (streamed text, sensors) waits while the queue is longer than a moment; one that answers a key waits only
behind a long one. What waits isn't queued: `Frames` compares with what the terminal shows, and skips all in between.

A terminal that has never answered is sent everything at once, and is not asked again.
"""

import time
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from textual._ansi_sequences import SYNC_END, SYNC_START

ASK = "\x1b[5n"
ANSWER = "\x1b[0n"

STREAM_S = 0.04
"""So much of the line's time may be queued before a frame that nobody asked for waits."""
KEY_S = 0.2
"""The same for a frame that answers a key."""
PATIENCE_S = 10.0
"""A terminal that has answered before, and hasn't for so long, is taken for one that doesn't answer."""
LEAVE_S = 1.0
"""At most so long leaving waits for an answer: the shell would take it for typed."""
FASTEST, FIRST, SLOWEST = 1e7, 64e3, 500.0
"""Bytes a second; what the line is taken for before it has shown anything."""
UNPROVEN = 4000
"""Bytes that may be on their way before the line has shown how fast it is."""
TELLING = 1000
"""Bytes; so much must have been queued for the time it took to say something about the line's speed."""
SMALL = 128
"""Bytes that take no time to speak of, even on a slow line."""
JITTER_S = 0.02
"""Smaller differences in time say nothing."""
TOGETHER_S, APART_S = 0.02, 0.1
"""So far apart, at most, come the bytes of one key: from a terminal nearby, and from one that isn't known."""


HELD, HELD_FOR_KEY = 2048, 32768
"""Bytes that the terminal hasn't even taken: with more, a frame waits; with more, one that answers a key."""


class Asked(NamedTuple):
    """A question that has been sent."""

    at: float
    """When, in seconds."""
    queued: float
    """Bytes in the line's queue then, by the model, with the frame that it went along with."""
    expected: float
    """Seconds that they were to take."""
    sent: int
    """All bytes that had been sent then."""
    alone: bool
    """Whether the line was known to be empty before it."""


class Pace:
    """The line to the terminal. May be told of answers from another thread.

    Args:
        pending: bytes written that the terminal hasn't taken yet.
        clock: in seconds.
    """

    def __init__(self, pending: Callable[[], int] = lambda: 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.synchronised = False
        """Whether the terminal shows a frame only when all of it is there (mode 2026)."""
        self._pending = pending
        self._clock = clock
        self._lock = Lock()
        self._can_ask = False
        """Whether there is a terminal that could answer, and it hasn't been asked for the first time."""
        self._asked: deque[Asked] = deque()
        self._round_trip: float | None = None
        """Seconds, over an empty line; None: the terminal has not answered yet."""
        self._rate = FIRST
        self._proven = False
        """Whether the line has shown how fast it is."""
        self._free_at = 0.0
        """When the queue will be empty, by the model."""
        self._sent = 0
        self._shown = 0
        """Of what was sent, so much has been shown for certain."""
        self._answered_at = 0.0
        self._late = False
        """Whether the last answer came later than the model said."""
        self._for_key = False

    def key(self) -> None:
        """A person has pressed a key: the next frame is for them."""
        self._for_key = True

    def begin(self, can_ask: bool) -> None:
        """The terminal is ours from now on; another program may have had it, and the answers to what was asked.

        Args:
            can_ask: whether there is a terminal that could answer.
        """
        with self._lock:
            self._give_up()
            self._can_ask = can_ask

    def room(self) -> float:
        """Bytes that may be sent now; 0: wait."""
        with self._lock:
            now = self._clock()
            if self._pending() > (HELD_FOR_KEY if self._for_key else HELD):
                return 0.0
            if self._asked and self._round_trip is not None and now - self._due(self._asked[0]) > PATIENCE_S:
                self._give_up()
            if self._round_trip is None:
                return float("inf")
            if self._asked and not self._proven and self._sent - self._shown > UNPROVEN:
                return 0.0
            queue = self._queue(now)
            if queue >= self._lowest:
                return 0.0
            # Behind a longer queue, a key's frame still goes: a row of it, the caret's first.
            return max((STREAM_S - queue) * self._rate, 1.0)

    @property
    def key_wait(self) -> float:
        """Seconds after which an esc that nothing has followed was the key, and no sequence begins with it.

        A terminal writes the bytes of a sequence at once, and they arrive together. Where a line cuts between them, the
        rest follows at once, or when the beginning was acknowledged: a round trip later.
        """
        with self._lock:
            return APART_S if self._round_trip is None else min(TOGETHER_S + self._round_trip, APART_S)

    def wait(self) -> float:
        """Seconds after which there may be room."""
        with self._lock:
            return max(self._queue(self._clock()) - self._lowest, JITTER_S)

    def sealed(self, text: str) -> str:
        """What is sent for the text of a frame: nothing for nothing, else with the marks and the question it needs."""
        if not text:
            return ""
        with self._lock:
            now = self._clock()
            if self.synchronised:
                text = SYNC_START + text + SYNC_END
            size = len(text.encode())
            queue = max(self._free_at - now, 0.0)
            alone = self._shown == self._sent
            begins, self._can_ask, self._for_key = self._can_ask, False, False
            if begins:
                # The first question goes ahead: the line is likely to be empty, and shows how long it is.
                self._asked.append(Asked(now, queue * self._rate, queue, self._sent, alone))
                text = ASK + text
            self._sent += size
            self._free_at = now + queue + size / self._rate
            answers = self._round_trip is not None
            if begins or (answers and (not self._asked or self._sent - self._asked[-1].sent >= TELLING)):
                queue = self._free_at - now
                self._asked.append(Asked(now, queue * self._rate, queue, self._sent, alone))
                text += ASK
            return text

    def answered(self, at: float) -> None:
        """The terminal has answered the oldest question, at that time of the clock."""
        with self._lock:
            if not self._asked:
                return
            asked = self._asked.popleft()
            took = at - asked.at
            if self._round_trip is None or took < self._round_trip:
                self._round_trip = took
            elif asked.alone and asked.queued < SMALL:
                # The way may have become longer. Of a larger frame, it could be the line that is slow.
                self._round_trip += (took - self._round_trip) / 4
            self._learn(asked, took - self._round_trip, at)
            self._shown, self._answered_at = asked.sent, at
            if self._shown == self._sent:
                self._free_at = at

    def _learn(self, asked: Asked, extra: float, at: float) -> None:
        """How fast the line is, from the seconds that an answer took longer than over an empty line."""
        self._proven = self._proven or asked.queued >= TELLING
        was_late, self._late = self._late, extra > asked.expected + JITTER_S
        gone = asked.sent - self._shown
        if was_late and self._late and gone >= TELLING / 4:
            # Between two answers that are late the line was never idle.
            rate = min(gone / max(at - self._answered_at, JITTER_S), self._rate)
            self._rate = max((self._rate + rate) / 2, SLOWEST)
        elif asked.queued >= TELLING and extra > JITTER_S:
            self._rate = max(min(asked.queued / extra, self._rate * 2), SLOWEST)
        elif asked.expected > JITTER_S and extra < asked.expected / 2:
            self._rate = min(self._rate * (2 if asked.queued >= TELLING else 1.25), FASTEST)

    def leaving(self) -> float:
        """Seconds that leaving should still wait for an answer."""
        with self._lock:
            if not self._asked:
                return 0.0
            due = self._asked[-1].at if self._round_trip is None else self._due(self._asked[-1])
            return min(due + LEAVE_S - self._clock(), LEAVE_S)

    @property
    def _lowest(self) -> float:
        """Seconds; with a shorter queue, something may be sent. A stream waits a little longer, for more than a row."""
        return KEY_S if self._for_key else STREAM_S / 2

    def _due(self, asked: Asked) -> float:
        """When the answer should come, by the model."""
        return asked.at + asked.expected + (self._round_trip or 0.0)

    def _queue(self, now: float) -> float:
        """Seconds until the line's queue is empty; a line whose answer is overdue has been stuck for that long."""
        overdue = max(now - self._due(self._asked[0]), 0.0) if self._asked else 0.0
        return max(self._free_at - now, 0.0) + overdue

    def _give_up(self) -> None:
        self._can_ask = self._can_ask or self._round_trip is not None
        self._asked.clear()
        self._round_trip = None
        self._shown = self._sent
