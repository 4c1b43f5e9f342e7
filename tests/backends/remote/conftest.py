"""A server that behaves as told, and a backend that asks it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import pytest

from qiao.backends.providers import Provider, built_in
from qiao.backends.remote.engine import RemoteBackend
from qiao.workbench.address import Address
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Event, Failed, Finished, KeySource, Request, Started, Text, Thinking, Turn

from .misbehaving import MODEL, Behaviour, Server

QUESTION = (Turn("user", "Capital of France?"),)


class FixedKey(NamedTuple):
    value: str
    source: KeySource = "environment"


class FixedKeys:
    """Knows one key for everybody, or none."""

    def __init__(self, value: str | None = None) -> None:
        self.value = value
        self.forgotten = False

    def find(self, provider: str, variables: Sequence[str] = ()) -> FixedKey | None:
        return None if self.value is None else FixedKey(self.value)

    def forget(self, provider: str) -> None:
        self.forgotten = True


class Answered(NamedTuple):
    """All events of an answer, taken apart."""

    events: list[Event]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Text))

    @property
    def thinking(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Thinking))

    @property
    def started(self) -> Started:
        return next(event for event in self.events if isinstance(event, Started))

    @property
    def finished(self) -> Finished:
        assert isinstance(self.events[-1], Finished), self.events[-1]
        return self.events[-1]

    @property
    def failed(self) -> Failed:
        assert isinstance(self.events[-1], Failed), self.events[-1]
        return self.events[-1]


class Asker:
    """A backend for a server, and how a test asks it."""

    def __init__(self, server: Server, provider: Provider, key: str | None) -> None:
        self.server = server
        self.keys = FixedKeys(key)
        self.backend = RemoteBackend(provider, self.keys)

    def __call__(
        self,
        sampling: Sampling | None = None,
        *,
        messages: Sequence[Turn] = QUESTION,
        model: str = MODEL,
        continue_last: bool = False,
        stop: threading.Event | None = None,
    ) -> Answered:
        address = Address(self.backend.provider.name, model)
        request = Request(address, tuple(messages), sampling or Sampling(), continue_last)
        return Answered(list(self.backend.generate(request, stop or threading.Event())))

    def unheeded(self, sampling: Sampling, *, model: str = MODEL) -> dict[str, str]:
        return self.backend.unheeded(Request(Address(self.backend.provider.name, model), QUESTION, sampling))


MakeAsker = Callable[..., Asker]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def asker(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeAsker]:
    """Makes backends for the server: of a built-in provider's ways, with further changes to it."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    made: list[Asker] = []

    def make(*behaviours: Behaviour, like: str = "vllm", key: str | None = None, **changes: object) -> Asker:
        if behaviours:
            server.then(*behaviours)
        # A busy machine isn't a silent server; those that are to fall silent are waited for less.
        fixed = {"base_url": server.url, "needs_key": key is not None, "stall_seconds": 30, "first_seconds": 30}
        provider = msgspec.structs.replace(built_in()[like], **{**fixed, **changes})
        made.append(Asker(server, provider, key))
        return made[-1]

    yield make
    for asker in made:
        asker.backend.close()
