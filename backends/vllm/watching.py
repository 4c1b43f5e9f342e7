"""Reading the metrics of servers in a thread, for as long as somebody looks at them."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from .metrics import Counters, Gauge, Load, parse
from .plain_http import Unanswered, get

FORGOTTEN_SECONDS = 3.0
"""Nobody has looked for so long: reading ends, until somebody does."""


class Watched(Protocol):
    """A server, as far as its metrics go."""

    @property
    def title(self) -> str: ...

    @property
    def root_url(self) -> str: ...

    @property
    def path(self) -> str:
        """Of its metrics, from the root."""
        ...


class ServerLoad(msgspec.Struct, frozen=True):
    """How one server is doing."""

    title: str
    root_url: str
    """Without `/v1`."""
    load: Load
    reached: bool = True
    """False: it didn't answer this time; the figures are empty."""


class Watch:
    """Reads `/metrics` of each server every `interval` seconds while `loads` is asked, and not otherwise.

    Args:
        servers: those to be read, asked anew each time; quick. While there are none, no thread runs.
    """

    def __init__(self, servers: Callable[[], Sequence[Watched]], interval: float = 1.0) -> None:
        self._servers = servers
        self._interval = interval
        self._lock = threading.Lock()
        self._asked = 0.0
        self._thread: threading.Thread | None = None
        self._loads: tuple[ServerLoad, ...] = ()
        self._silent: set[str] = set()
        """Roots of servers that answer without vLLM's figures: another program's, or a gateway that hides them. These
        aren't asked again."""
        self._closed = threading.Event()

    def loads(self) -> tuple[ServerLoad, ...]:
        """The latest figures; empty before the first, and without a server. Costs nothing but keeps the reading up."""
        with self._lock:
            self._asked = time.monotonic()
            if self._thread is None and not self._closed.is_set():
                if not self._watched():
                    self._loads = ()
                    return ()
                self._thread = threading.Thread(target=self._read, name="qiao-vllm-metrics", daemon=True)
                self._thread.start()
            return self._loads

    def close(self) -> None:
        """Ends reading, for good."""
        self._closed.set()

    def _read(self) -> None:
        gauges: dict[str, Gauge] = {}
        while True:
            begun = time.monotonic()
            servers = self._watched()
            gauges = {server.root_url: gauges.get(server.root_url) or Gauge() for server in servers}
            looked = [self._look(server, gauges[server.root_url]) for server in servers]
            loads = tuple(load for load in looked if load is not None)
            with self._lock:
                self._loads = loads
                if not servers or self._closed.is_set() or time.monotonic() - self._asked > FORGOTTEN_SECONDS:
                    self._thread = None
                    return
            self._closed.wait(max(self._interval - (time.monotonic() - begun), 0))

    def _watched(self) -> list[Watched]:
        return [server for server in self._servers() if server.root_url not in self._silent]

    def _look(self, server: Watched, gauge: Gauge) -> ServerLoad | None:
        try:
            counters = parse(get(server.root_url + server.path, timeout=1.0))
        except Unanswered as error:
            if error.status is None:
                return ServerLoad(server.title, server.root_url, Load(), reached=False)
            counters = Counters()
        if counters == Counters():
            self._silent.add(server.root_url)
            return None
        return ServerLoad(server.title, server.root_url, gauge.add(counters))
