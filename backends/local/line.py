"""A queue before something that one can use at a time: first come, first served, and whoever waits can give up."""

import threading
from collections import deque

POLL_S = 0.02
"""How often it is seen whether someone has given up."""


class Turn:
    """A place in the line; at its head, the right to go on. `leave` is called once, by any thread."""

    def __init__(self, line: "Line") -> None:
        self._line = line

    def leave(self) -> None:
        """Lets the next one go on."""
        self._line.leave(self)


class Line:
    """The queue."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Turn] = deque()

    def enter(self, stop: threading.Event) -> Turn | None:
        """Waits for its turn; None as soon as `stop` is set."""
        turn = Turn(self)
        with self._changed:
            self._waiting.append(turn)
            try:
                while self._waiting[0] is not turn and not stop.is_set():
                    self._changed.wait(POLL_S)
            except BaseException:
                self._waiting.remove(turn)
                self._changed.notify_all()
                raise
            if stop.is_set():
                self._waiting.remove(turn)
                self._changed.notify_all()
                return None
        return turn

    def enter_if_free(self) -> Turn | None:
        """A turn at once, if nobody is in the line; else None."""
        with self._changed:
            if self._waiting:
                return None
            turn = Turn(self)
            self._waiting.append(turn)
            return turn

    def leave(self, turn: Turn) -> None:
        """Takes the turn out of the line."""
        with self._changed:
            self._waiting.remove(turn)
            self._changed.notify_all()
