"""Asks a backend and gathers what comes."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil

from qiao.backends.local.engine import LocalBackend
from qiao.workbench.address import Address
from qiao.workbench.conversation import Role
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Event, Failed, Finished, Progress, Request, Started, Text, Thinking, Turn

from ...patience import PATIENCE_S

CAPITAL = "What is the capital of France?"
STORY = "Tell me a long story about a ship."


def request(name: str, *texts: str, continue_last: bool = False, system: str = "", **sampling: Any) -> Request:
    """A request; the texts are the user's and the assistant's in turn."""
    roles: tuple[Role, Role] = ("user", "assistant")
    turns = [Turn("system", system)] if system else []
    turns += [Turn(roles[index % 2], text) for index, text in enumerate(texts)]
    return Request(Address("local", name), tuple(turns), Sampling(**sampling), continue_last)


class Outcome:
    """All that came of a request."""

    def __init__(self, events: Iterator[Event]) -> None:
        self.events = list(events)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.of(Text))

    @property
    def thinking(self) -> str:
        return "".join(event.text for event in self.of(Thinking))

    @property
    def started(self) -> Started:
        return self.of(Started)[0]

    @property
    def finished(self) -> Finished:
        last = self.events[-1]
        assert isinstance(last, Finished), last
        return last

    @property
    def failed(self) -> Failed:
        last = self.events[-1]
        assert isinstance(last, Failed), last
        return last


def ask(backend: LocalBackend, name: str, *texts: str, **options: Any) -> Outcome:
    """Runs a request to its end."""
    return Outcome(backend.generate(request(name, *texts, **options), threading.Event()))


def reached(events: Iterator[Event], kind: type[Any], stage: str | None = None) -> Event:
    """Goes on until such an event comes."""
    for event in events:
        if isinstance(event, kind) and (stage is None or (isinstance(event, Progress) and event.stage == stage)):
            return event
        assert not isinstance(event, Failed | Finished), event
    raise AssertionError("the events ended")


def stopped_within(events: Iterator[Event], stop: threading.Event) -> tuple[float, Finished]:
    """Stops, and returns how many seconds the end took, and the end."""
    begun = time.monotonic()
    stop.set()
    rest = list(events)
    seconds = time.monotonic() - begun
    assert isinstance(rest[-1], Finished), rest[-1]
    return seconds, rest[-1]


def until(condition: Any, seconds: float = PATIENCE_S) -> float:
    """Waits for the condition, and returns how long that took.

    Raises:
        AssertionError: it didn't come true in time.
    """
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "not in time"
        time.sleep(0.005)
    return time.monotonic() - begun


def ended(pid: int) -> bool:
    """Whether the process computes no more; an orphan may stay in the table until someone asks for its exit code."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
