"""A stop takes effect at once, in whatever state the answer is, and reaches the server."""

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from qiao.backends.providers import built_in
from qiao.backends.remote.engine import RemoteBackend
from qiao.backends.remote.server import FoundKey
from qiao.workbench.address import Address
from qiao.workbench.seam import Event, Finished, Progress, Request, Text, Thinking

from ...patience import PATIENCE_S, PROMPTLY_S
from .conftest import QUESTION, Asker, MakeAsker
from .misbehaving import MODEL, Server, delta, hangs, hangs_before_headers, says, status


def stopped(asker: Asker, when: Callable[[Event], bool]) -> tuple[float, list[Event]]:
    """Seconds from the stop, set a moment after this event came, to the end; and all events."""
    stop = threading.Event()
    moment = 0.0
    events: list[Event] = []

    def set_soon() -> None:
        nonlocal moment
        moment = time.monotonic()
        stop.set()

    timer = threading.Timer(0.15, set_soon)
    request = Request(Address(asker.backend.provider.name, MODEL), QUESTION)
    for event in asker.backend.generate(request, stop):
        events.append(event)
        if when(event) and timer.ident is None:
            timer.start()
    ended = time.monotonic()
    timer.join()
    return ended - moment, events


def at(stage: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, Progress) and event.stage == stage


def is_text(event: Event) -> bool:
    return isinstance(event, Text | Thinking)


def assert_stopped_promptly(seconds: float, events: list[Event]) -> None:
    assert isinstance(events[-1], Finished), events[-1]
    assert events[-1].reason == "cancelled"
    assert 0 <= seconds < PROMPTLY_S


def assert_the_server_was_left(server: Server) -> None:
    end = time.monotonic() + PATIENCE_S
    while server.exchanges[0].gone_after is None:
        assert time.monotonic() < end, "the connection is still open"
        time.sleep(0.01)


def test_while_it_streams(asker: MakeAsker, server: Server) -> None:
    seconds, events = stopped(asker(hangs(delta("Par"), delta("is"))), is_text)
    assert_stopped_promptly(seconds, events)
    assert "".join(event.text for event in events if isinstance(event, Text)) == "Paris"
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.usage.completion_tokens == 2
    assert finished.timing.first_token_ms is not None
    assert_the_server_was_left(server)


def test_while_only_comments_come(asker: MakeAsker, server: Server) -> None:
    asked = asker(hangs(delta("Par"), comment=b": still here\n\n"))
    assert_stopped_promptly(*stopped(asked, is_text))
    assert_the_server_was_left(server)


def test_before_the_headers(asker: MakeAsker, server: Server) -> None:
    asked = asker(hangs_before_headers())
    assert_stopped_promptly(*stopped(asked, at("waiting")))
    assert_the_server_was_left(server)


def test_before_the_first_text(asker: MakeAsker, server: Server) -> None:
    assert_stopped_promptly(*stopped(asker(hangs()), at("waiting")))
    assert_the_server_was_left(server)


def test_while_it_waits_to_try_again(asker: MakeAsker) -> None:
    asked = asker(status(429, headers={"Retry-After": "60"}))
    assert_stopped_promptly(*stopped(asked, at("retrying")))


def test_while_it_connects(asker: MakeAsker) -> None:
    """To a listener whose queue is full: the system doesn't answer."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        place = listener.getsockname()
        others = [socket.socket() for _ in range(4)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(place)
        asked = asker(base_url=f"http://127.0.0.1:{place[1]}/v1")
        assert_stopped_promptly(*stopped(asked, at("connecting")))
        for other in others:
            other.close()


def test_while_a_name_is_looked_up(asker: MakeAsker, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a resolver that doesn't answer: only the system's function can be stood in for."""
    asked_for = threading.Event()
    over = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        asked_for.set()
        over.wait(PATIENCE_S)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    asked = asker(base_url="https://slow.example.com/v1")
    assert_stopped_promptly(*stopped(asked, lambda _: asked_for.wait(PATIENCE_S)))
    over.set()


def test_while_the_key_is_looked_for() -> None:
    over = threading.Event()

    class SlowKeys:
        def find(self, provider: str, variables: Sequence[str] = ()) -> FoundKey | None:
            over.wait(PATIENCE_S)
            return None

        def forget(self, provider: str) -> None:
            pass

    backend = RemoteBackend(built_in()["vllm"], SlowKeys())
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    begun = time.monotonic()
    *_, last = backend.generate(Request(Address("vllm", MODEL), QUESTION), stop)
    assert isinstance(last, Finished)
    assert last.reason == "cancelled"
    assert time.monotonic() - begun < PROMPTLY_S
    over.set()
    backend.close()


def test_before_it_begins(asker: MakeAsker, server: Server) -> None:
    stop = threading.Event()
    stop.set()
    answered = asker()(stop=stop)
    assert answered.finished.reason == "cancelled"
    assert len(answered.events) == 1
    assert not server.received


def test_closing_the_events_leaves_the_server(asker: MakeAsker, server: Server) -> None:
    asked = asker(hangs(delta("Par")))
    events = asked.backend.generate(Request(Address("vllm", MODEL), QUESTION), threading.Event())
    while not is_text(next(events)):
        pass
    events.close()  # type: ignore[attr-defined] - a generator
    assert_the_server_was_left(server)


def test_leaving_the_program_waits_for_nothing(asker: MakeAsker, server: Server) -> None:
    asked = asker(hangs(delta("Par")))
    events = asked.backend.generate(Request(Address("vllm", MODEL), QUESTION), threading.Event())
    while not is_text(next(events)):
        pass
    begun = time.monotonic()
    asked.backend.close()
    assert time.monotonic() - begun < PROMPTLY_S
    assert_the_server_was_left(server)


def test_closing_gives_everything_back(asker: MakeAsker) -> None:
    def held() -> int:
        return len(os.listdir("/proc/self/fd"))

    def at_last(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.01)

    counts: list[int] = []
    for _ in range(3):
        asked = asker(says("Paris."))
        assert asked().text == "Paris."
        asked.backend.close()
        at_last(lambda: all(thread.name != "remote loop" for thread in threading.enumerate()))
        counts.append(held())
    # The first one has left what is loaded once; the server closes its ends in its own time.
    at_last(lambda: held() <= counts[0])
