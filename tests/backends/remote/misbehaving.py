"""A small HTTP server that speaks OpenAI's protocol well, badly, or not at all: real sockets, each request as told.

    with Server() as server:
        server.then(says("Paris", "."), status(429, headers={"Retry-After": "1"}), says("Later."))
        … the provider's base_url is server.url …
        server.received[0].body["messages"]

One behaviour a request to /chat/completions or /completions, in order; the last one goes on for good. `/v1/models`
lists `server.models`, or does as `server.listing` says; `/health` answers 200 until `server.healthy` is False.
"""

import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

MODEL = "tiny"


class Received(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: dict[str, Any]


class Exchange:
    """One request and the reply to it."""

    def __init__(self, connection: socket.socket, received: Received, ended: threading.Event) -> None:
        self.received = received
        self.gone_after: float | None = None
        """Seconds from the request until the client was seen to have gone."""
        self.keep = True
        """Whether the connection can be used again."""
        self._connection = connection
        self._ended = ended
        self._begun = time.monotonic()

    def head(self, code: int = 200, headers: Mapping[str, str] | None = None, kind: str = "text/event-stream") -> None:
        """The status line and the headers of a reply in chunks."""
        lines = {"Content-Type": kind, "Transfer-Encoding": "chunked", **(headers or {})}
        told = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.raw(f"HTTP/1.1 {code} Said\r\n{told}\r\n".encode())

    def raw(self, data: bytes) -> None:
        self._connection.sendall(data)

    def part(self, data: bytes) -> None:
        """A chunk of the body."""
        self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    def event(self, value: object) -> None:
        """An event of the stream."""
        self.part(f"data: {json.dumps(value)}\n\n".encode())

    def end(self) -> None:
        """The end of the body."""
        self.raw(b"0\r\n\r\n")

    def whole(
        self, code: int, body: bytes, kind: str = "application/json", headers: Mapping[str, str] | None = None
    ) -> None:
        """A reply in one piece."""
        lines = {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}
        told = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.raw(f"HTTP/1.1 {code} Said\r\n{told}\r\n".encode() + body)

    def reset(self) -> None:
        """Breaks the connection with an RST."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self.keep = False
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def pause(self, seconds: float) -> bool:
        """Waits; False as soon as the client has gone, or the server is to end."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._ended.is_set():
            readable, _, _ = select.select([self._connection], [], [], min(left, 0.02))
            if readable and not self._connection.recv(1, socket.MSG_PEEK):
                self.gone_after = time.monotonic() - self._begun
                self.keep = False
                return False
        return not self._ended.is_set()


Behaviour = Callable[[Exchange], None]


class Server:
    """The server, on a free port of this machine while it is entered."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self.models: Sequence[Mapping[str, Any]] = ({"id": MODEL, "object": "model", "max_model_len": 2048},)
        self.listing: Behaviour | None = None
        self.healthy = True
        self.received: list[Received] = []
        """Requests for answers."""
        self.exchanges: list[Exchange] = []
        """The same, with what became of them."""
        self._behaviours = list(behaviours) or [says("Hello.")]
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_listening()
        self._ended.set()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def then(self, *behaviours: Behaviour) -> None:
        """What it does from now on."""
        with self._lock:
            self._behaviours = list(behaviours)

    def stop_listening(self) -> None:
        """From now on nobody can connect; what is connected stays so."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def drop(self) -> None:
        """Closes all connections, as a server does that restarts."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)
        try:
            with connection, connection.makefile("rb") as lines:
                while (received := _receive(lines)) is not None:
                    exchange = Exchange(connection, received, self._ended)
                    self._behaviour(exchange)(exchange)
                    if not exchange.keep:
                        return
        except OSError:
            # The client has gone, or the behaviour broke the connection.
            pass
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _behaviour(self, exchange: Exchange) -> Behaviour:
        path = exchange.received.path.partition("?")[0]
        if path.endswith("/models"):
            return self.listing or _replies(200, {"object": "list", "data": list(self.models)})
        if path == "/health":
            return _replies(200 if self.healthy else 503, {})
        if not path.endswith("/completions"):
            return _replies(404, {"detail": "Not Found"})
        with self._lock:
            self.received.append(exchange.received)
            self.exchanges.append(exchange)
            return self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]


def _receive(lines: Any) -> Received | None:
    if not lines.peek(1)[:1].isalpha():
        # The end; or TLS, which isn't spoken here.
        return None
    first = lines.readline().decode("latin-1").split()
    headers: dict[str, str] = {}
    while line := lines.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = lines.read(int(headers.get("content-length", 0)))
    return Received(first[0], first[1], headers, json.loads(body) if body else {})


def _replies(code: int, value: object, headers: Mapping[str, str] | None = None) -> Behaviour:
    return lambda exchange: exchange.whole(code, json.dumps(value).encode(), headers=headers)


def delta(
    text: str | None = None, *, finish: str | None = None, model: str = MODEL, **fields: object
) -> dict[str, Any]:
    """A chunk of a chat; `fields` go into the delta."""
    inside: dict[str, object] = {**({} if text is None else {"content": text}), **fields}
    choice = {"index": 0, "delta": inside, "finish_reason": finish}
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}


def usage(prompt: int = 7, completion: int = 3, **fields: object) -> dict[str, Any]:
    """The chunk with the token counts."""
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, **fields}
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [], "usage": counts}


def events(*chunks: object, done: bool = True, pause: float = 0) -> Behaviour:
    """A stream of these chunks; bytes are sent as they are."""

    def behave(exchange: Exchange) -> None:
        exchange.head()
        for chunk in chunks:
            if isinstance(chunk, bytes):
                exchange.part(chunk)
            else:
                exchange.event(chunk)
            if pause and not exchange.pause(pause):
                return
        if done:
            exchange.part(b"data: [DONE]\n\n")
        exchange.end()

    return behave


def says(*texts: str, finish: str = "stop", pause: float = 0) -> Behaviour:
    """An answer as it should be."""
    chunks = [delta("", role="assistant"), *map(delta, texts), delta(finish=finish), usage(completion=len(texts))]
    return events(*chunks, pause=pause)


def completes(*texts: str) -> Behaviour:
    """The answer to a plain completion."""
    chunks = [{"model": MODEL, "choices": [{"index": 0, "text": text, "finish_reason": None}]} for text in texts]
    return events(*chunks, {"model": MODEL, "choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}, usage())


def status(code: int, body: object = None, *, headers: Mapping[str, str] | None = None) -> Behaviour:
    """An error; `body` is JSON unless it is bytes, which go as HTML."""
    if isinstance(body, bytes):
        return lambda exchange: exchange.whole(code, body, "text/html", headers)
    value = {"error": {"message": f"status {code}", "type": "some", "code": code}} if body is None else body
    return _replies(code, value, headers)


def replies(body: bytes, kind: str = "text/html") -> Behaviour:
    """Status 200 with something that isn't a stream."""
    return lambda exchange: exchange.whole(200, body, kind)


def hangs(*chunks: object, seconds: float = 60, comment: bytes = b"") -> Behaviour:
    """A stream that stops after these chunks, sending `comment` ten times a second if there is one."""

    def behave(exchange: Exchange) -> None:
        exchange.head()
        for chunk in chunks:
            exchange.event(chunk)
        for _ in range(int(seconds * 10)):
            if not exchange.pause(0.1):
                return
            if comment:
                exchange.part(comment)

    return behave


def hangs_before_headers(seconds: float = 60) -> Behaviour:
    """The request is read, and nothing comes."""

    def behave(exchange: Exchange) -> None:
        exchange.pause(seconds)
        exchange.close()

    return behave


def breaks(*chunks: object, reset: bool = False) -> Behaviour:
    """A stream whose connection ends after these chunks."""

    def behave(exchange: Exchange) -> None:
        exchange.head()
        for chunk in chunks:
            exchange.event(chunk)
        # So that what was sent is read before the end is.
        exchange.pause(0.05)
        exchange.reset() if reset else exchange.close()

    return behave


def hangs_up(exchange: Exchange) -> None:
    """Closes the connection without a word."""
    exchange.close()
