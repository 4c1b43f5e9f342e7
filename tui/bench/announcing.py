"""Plain mode's one line of what happens: which message is selected, and what becomes of its answer."""

import time
from typing import TYPE_CHECKING

from textual.widgets import Static

from ...workbench.words import say
from ..sessions.page_items import WHOLE
from .part import BenchPart

if TYPE_CHECKING:
    from .screen import WorkbenchScreen

NOTICE_SECONDS = 4
"""So long a notice stands before what else is said."""


class Announcing(BenchPart):
    """Says what a look at the page would tell, once for each change."""

    def __init__(self, bench: "WorkbenchScreen") -> None:
        super().__init__(bench)
        self._state_said = ""
        self._notice: tuple[float, str] = (0.0, "")

    def look(self) -> None:
        """Says what has changed, if this is plain mode."""
        if self.qiao.plain and (words := self._state()) != self._state_said:
            self._state_said = words
            self._say()

    def announce(self, text: str) -> None:
        """Says a notice too."""
        self._notice = time.monotonic(), " ".join(text.split())
        self._say()

    def _say(self) -> None:
        since, notice = self._notice
        fresh = notice and time.monotonic() - since < NOTICE_SECONDS
        between = " " if notice.endswith((".", "。", "?", "？")) else "; "
        for line in self.bench.query("#said").results(Static):
            line.update(f"{notice}{between}{self._state_said}" if fresh else self._state_said)

    def _state(self) -> str:
        session = self.session
        message = session.message
        if message is None:
            return say("plain.nothing")
        role = say(f"screen.role_{message.role}")
        words = [say("plain.message", n=session.index + 1, count=len(session.messages), role=role)]
        if session.editing in (message.uid, WHOLE):
            words.append(say("screen.editing"))
        elif session.run_of(message.uid) is not None:
            words.append(say("plain.answering"))
        elif message.take is not None:
            words.append(say("plain.take", n=message.chosen or 0, count=len(message.takes)))
            words += [say("plain.starred")] if message.take.starred else []
            words.append(say(f"screen.finish_{message.take.finish}"))
        return ", ".join(words)
