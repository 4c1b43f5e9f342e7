"""The process that fetches a model from a hub: `python -m qiao.backends.local.hub_child HUB OWNER/NAME`.

First it says what the repository holds, then it is told what to fetch; replies go out on what was stdout. What the
hubs' clients print goes to stderr, which is a log file. When stdin ends, so does the process, at once: that is how it
is stopped, and a parent that was killed leaves none behind. What has arrived lies in the hub's cache, to be gone on
with.
"""

import errno
import os
import queue
import sys
import threading
import time
import traceback
from typing import BinaryIO, cast

from . import hub_clients
from .failures import first_line
from .hub_talk import Failed, Fetch, Got, Hub, Listed, Reply, Trouble, Whole, decode_choice, encode

_TELL_SECONDS = 0.1
"""A file's progress is told so often at most."""

_BY_NAME: dict[str, Trouble] = {
    "GatedRepoError": "gated",
    "RepositoryNotFoundError": "not_found",
    "RevisionNotFoundError": "not_found",
    "NotExistError": "not_found",
    "AuthenticationError": "not_allowed",
    "PermissionDeniedError": "not_allowed",
    "RateLimitError": "too_many",
    "QuotaExceededError": "too_many",
    "ServerError": "hub_broken",
    "RequestTimeoutError": "unreachable",
    "NetworkError": "unreachable",
    "OfflineModeIsEnabled": "offline",
    "FileIntegrityError": "corrupted",
    "Corrupted": "corrupted",
}
"""The clients' errors, by the names of their classes: importing both clients for it would take a second."""

_BY_STATUS: dict[int, Trouble] = {401: "not_allowed", 403: "not_allowed", 404: "not_found", 429: "too_many"}


class Progress:
    """Counts the bytes of each file, and tells them now and then."""

    def __init__(self, replies: BinaryIO) -> None:
        self._replies = replies
        self._lock = threading.Lock()
        self._done: dict[str, int] = {}
        self._told: dict[str, float] = {}

    def say(self, reply: Reply) -> None:
        with self._lock:
            self._write(reply)

    def add(self, path: str, size: int) -> None:
        with self._lock:
            self._done[path] = done = max(self._done.get(path, 0) + size, 0)
            now = time.monotonic()
            if now - self._told.get(path, 0.0) >= _TELL_SECONDS:
                self._told[path] = now
                self._write(Got(path, done))

    def _write(self, reply: Reply) -> None:
        try:
            self._replies.write(encode(reply))
            self._replies.flush()
        except BrokenPipeError:
            os._exit(0)


def trouble(error: BaseException) -> Failed:
    """What a client's error means for a person; what it grew out of tells more than it does itself."""
    seen: list[BaseException] = []
    ahead: list[BaseException | None] = [error]
    while ahead:
        here = ahead.pop(0)
        if here is None or here in seen:
            continue
        seen.append(here)
        failed = cast("dict[str, BaseException]", getattr(here, "failed_files", {}))
        ahead += [*failed.values(), here.__cause__, here.__context__]
    for here in seen:
        kind = _kind(here)
        if kind is not None:
            # What the system said of a connection is shorter than what three libraries made of it.
            said = (error.strerror for error in seen if isinstance(error, OSError))
            system = next((text for text in said if text), None) if kind == "unreachable" else None
            if system is None and isinstance(here, TimeoutError):
                system = os.strerror(errno.ETIMEDOUT)
            return Failed(kind, system or first_line(here))
    return Failed("broke", first_line(seen[1] if getattr(error, "failed_files", None) else error))


def _kind(error: BaseException) -> Trouble | None:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk_full"
    for base in type(error).__mro__:
        if base.__name__ in _BY_NAME:
            return _BY_NAME[base.__name__]
    status = getattr(getattr(error, "response", None), "status_code", None) or getattr(error, "status_code", None)
    if isinstance(status, int) and status >= 400:
        return _BY_STATUS.get(status, "hub_broken" if status >= 500 else "broke")
    module = type(error).__module__.partition(".")[0]
    if module in ("httpx2", "httpx", "requests", "urllib3") or isinstance(error, ConnectionError | TimeoutError):
        return "unreachable"
    if isinstance(error, PermissionError) and error.filename is not None:
        return "not_written"
    if isinstance(error, OSError) and "Consistency check failed" in str(error):
        return "corrupted"
    return None


def _run(hub: Hub, repo: str, choices: "queue.SimpleQueue[Fetch]", progress: Progress) -> None:
    client: hub_clients.HubClient = hub_clients.ModelScope() if hub == "modelscope" else hub_clients.HuggingFace()
    files, folder = client.list(repo)
    progress.say(Listed(files, str(folder)))
    client.fetch(repo, choices.get().files, progress.add)
    progress.say(Whole())


def _listen(commands: BinaryIO, choices: "queue.SimpleQueue[Fetch]") -> None:
    for line in commands:
        choices.put(decode_choice(line))
    os._exit(0)


def main() -> None:
    """Takes the standard streams over, and works."""
    hub, repo = cast(Hub, sys.argv[1]), sys.argv[2]
    replies = os.fdopen(os.dup(1), "wb")
    commands = os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    choices: queue.SimpleQueue[Fetch] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(commands, choices), daemon=True).start()
    progress = Progress(replies)
    try:
        _run(hub, repo, choices, progress)
    # The one place where whatever breaks in the clients becomes a reply.
    except Exception as error:  # noqa: BLE001
        traceback.print_exception(error)
        sys.stderr.flush()
        progress.say(trouble(error))
    # Threads that still load something end with it.
    os._exit(0)


if __name__ == "__main__":
    main()
