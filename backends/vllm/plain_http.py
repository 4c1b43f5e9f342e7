"""Small questions to a server, answered at once: is it up, what does it count, how does it tokenize.

Answers that stream come through the remote client; these need no client of 50 MB.
"""

import json
import socket
import threading
from collections.abc import Callable
from typing import Any

from ..providers import is_near


class Unanswered(Exception):
    """The server can't be reached, or says no.

    Attributes:
        status: what HTTP status it answered with; None: it didn't answer.
        body: what it said, or why it can't be reached.
    """

    def __init__(self, status: int | None, body: str) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body

    def message(self) -> str:
        """The server's own words, out of whichever shape they come in."""
        try:
            said: Any = json.loads(self.body)
        except (ValueError, RecursionError):
            return self.body[:300]
        for key in ("error", "message", "detail"):
            if isinstance(said, dict) and key in said:
                said = said[key]  # pyright: ignore[reportUnknownVariableType]
        return said if isinstance(said, str) else self.body[:300]


def get(url: str, *, key: str | None = None, timeout: float = 2.0) -> str:
    """What the server answers to GET.

    Raises:
        Unanswered: nothing within `timeout` seconds, or an error.
    """
    return _ask(url, None, key, timeout)


def post(url: str, body: object, *, key: str | None = None, timeout: float = 10.0) -> Any:
    """What the server answers to this JSON, decoded.

    Raises:
        Unanswered: nothing within `timeout` seconds, an error, or something else than JSON.
    """
    # Lone surrogates can't be sent; where text enters they become U+FFFD, so these are escapes of nothing else.
    data = json.dumps(body).encode()
    text = _ask(url, data, key, timeout)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Unanswered(200, text) from None


def _ask(url: str, data: bytes | None, key: str | None, timeout: float) -> str:
    import http.client
    import urllib.error
    import urllib.request

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    if data is not None:
        headers["Content-Type"] = "application/json"
    try:
        opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if is_near(url) else []))
        request = urllib.request.Request(url, data, headers)
        with opener.open(request, timeout=timeout) as reply:
            return reply.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            body = error.read(65536).decode("utf-8", "replace")
        raise Unanswered(error.code, body) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        said = getattr(reason, "strerror", None) or str(reason) or type(error).__name__
        raise Unanswered(None, said) from None


def stoppable(stop: threading.Event, ask: Callable[[], Any]) -> Any:
    """What `ask()` returns or raises; None as soon as `stop` is set, whatever becomes of the question.

    A blocked socket can't be woken from outside, so the question waits in a thread of its own.
    """
    done: list[Any] = []
    failed: list[Unanswered] = []
    ended = threading.Event()

    def work() -> None:
        try:
            done.append(ask())
        except Unanswered as error:
            failed.append(error)
        except Exception as error:  # noqa: BLE001 - in a thread it would only be printed, onto the screen
            failed.append(Unanswered(None, f"{type(error).__name__}: {error}"))
        finally:
            ended.set()

    threading.Thread(target=work, name="question", daemon=True).start()
    while not ended.wait(0.02):
        if stop.is_set():
            return None
    if failed:
        raise failed[0]
    return done[0] if done else None


def free_port() -> int:
    """A port of the loopback that nothing listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def root_url(base_url: str) -> str:
    """What stands before `/v1`."""
    return base_url.rstrip("/").removesuffix("/v1")
