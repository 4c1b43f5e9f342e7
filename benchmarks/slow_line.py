"""A slow line in front of a TCP port of this machine: so many bits a second, and so long on the way, each way.

What is sent waits until the line is free, takes its bytes' time to be put on it, and arrives a delay later. A queue of
`QUEUE_S` stands before the line, as in a router; a sender that fills it is held back, as by TCP.
"""

import queue
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self

LOOPBACK = "127.0.0.1"
DELAY_S = 0.15
BITS_PER_SECOND = 256_000
QUEUE_S = 0.2
PACKET = 1448
"""Bytes: what an Ethernet packet carries. On the loopback packets are 64 KiB, two seconds of such a line."""


class _Arriving(NamedTuple):
    """A packet on its way."""

    at: float
    """When it arrives; seconds, as `time.monotonic` counts."""
    data: bytes


class _Direction:
    """One way of one connection."""

    def __init__(self, source: socket.socket, target: socket.socket, delay_s: float, bytes_per_second: float) -> None:
        self._source, self._target = source, target
        self._delay_s, self._bytes_per_second = delay_s, bytes_per_second
        self._underway: queue.SimpleQueue[_Arriving] = queue.SimpleQueue()
        self.carried = 0
        for work in (self._take, self._deliver):
            threading.Thread(target=work, daemon=True).start()

    def _take(self) -> None:
        free_at = 0.0
        with suppress(OSError):
            while data := self._source.recv(PACKET):
                now = time.monotonic()
                free_at = max(free_at, now) + len(data) / self._bytes_per_second
                self._underway.put(_Arriving(free_at + self._delay_s, data))
                time.sleep(max(0.0, free_at - QUEUE_S - now))
        self._underway.put(_Arriving(max(free_at, time.monotonic()) + self._delay_s, b""))

    def _deliver(self) -> None:
        while True:
            at, data = self._underway.get()
            time.sleep(max(0.0, at - time.monotonic()))
            with suppress(OSError):
                if not data:
                    self._target.shutdown(socket.SHUT_WR)
                    return
                self._target.sendall(data)
                self.carried += len(data)


class SlowLine:
    """The line; it carries any number of connections, each as slow as if it were alone.

    Args:
        target: the port that it leads to.
        delay_s: how long a byte is on its way, each way.
        bits_per_second: how many the line takes, each way.
    """

    def __init__(self, target: int, *, delay_s: float = DELAY_S, bits_per_second: float = BITS_PER_SECOND) -> None:
        self.delay_s, self.bits_per_second = delay_s, bits_per_second
        self._target = target
        self._up: list[_Direction] = []
        self._down: list[_Direction] = []
        self._sockets: list[socket.socket] = []
        self._listener = socket.socket()
        _keep_small(self._listener)
        self._listener.bind((LOOPBACK, 0))
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        """Where to connect."""
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def up(self) -> int:
        """Bytes that arrived at the target so far."""
        return sum(one.carried for one in self._up)

    @property
    def down(self) -> int:
        """Bytes that arrived at the clients so far."""
        return sum(one.carried for one in self._down)

    @property
    def round_trip_s(self) -> float:
        """There and back, for a single byte on an idle line."""
        return 2 * self.delay_s

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket()
                _keep_small(server)
                server.connect((LOOPBACK, self._target))
                self._sockets += [client, server]
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._up.append(_Direction(client, server, self.delay_s, self.bits_per_second / 8))
                self._down.append(_Direction(server, client, self.delay_s, self.bits_per_second / 8))

    def close(self) -> None:
        """Cuts the line; what is under way is lost."""
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _keep_small(end: socket.socket) -> None:
    """What the kernel holds for a sender counts as the line's queue: else it would be megabytes, half a minute."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * PACKET)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, PACKET)
