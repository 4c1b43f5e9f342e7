"""Fetches a model from ModelScope or Hugging Face into that hub's own cache, where every program finds it.

The hubs' own clients do it, in a process of their own: they can be stopped at once, and what they print has nowhere to
go. A download that was stopped goes on where it was.
"""

import contextlib
import hashlib
import importlib.util
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import msgspec

from ...workbench import paths
from ...workbench.errors import BrokenOff, QiaoError, Refused
from ...workbench.seam import Progress
from ...workbench.visible import visible_line
from ...workbench.words import say
from .checkpoint import GGUF
from .file_lock import FileLock
from .hub_files import HubFile, chosen
from .hub_talk import HUBS, PACKAGES, Failed, Fetch, Got, Hub, Listed, Reply, Whole, decode_reply, encode

SPARE_BYTES = 256 * 2**20
"""So much disk space is left free."""

_POLL_S = 0.05
_GRACE_S = 0.3
_MEGABYTE = 1_000_000
_LOG_LIMIT = 2**20

# -P: a file of the working directory isn't taken for a library.
_COMMAND = (sys.executable, "-P", "-m", "qiao.backends.local.hub_child")

_ENVIRONMENT = {
    "PYTHONIOENCODING": "utf-8:backslashreplace",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "0",
}
# ModelScope's client gives a file one hour, else: 4 GB at 1 MB a second take longer.
_DEFAULTS = {"MODELSCOPE_DOWNLOAD_TOTAL_TIMEOUT": str(7 * 24 * 3600)}

_REFUSED = ("not_found", "gated", "not_allowed", "offline")
"""What no further try helps against."""


def repository(name: str) -> tuple[str, str]:
    """A model's name as a hub's repository and, of one that holds several, the GGUF file: `OWNER/NAME`, `FILE.gguf`.

    Raises:
        Refused: no hub's model is called like that.
    """
    parts = name.split("/")
    file = parts.pop() if len(parts) == 3 and parts[2].lower().endswith(GGUF) else ""
    if len(parts) != 2 or not all(re.fullmatch(r"[\w.-]+", part, re.ASCII) and part.strip(".") for part in parts):
        raise Refused("pull.no_name", name=visible_line(name))
    return "/".join(parts), file


def fetch(name: str, hub: Hub, stop: threading.Event) -> Generator[Progress, None, None]:
    """Fetches a model; progress is in bytes of all its files, with the file that is coming as its note.

    Ends early once `stop` is set, within a second, or when the generator is closed; what has arrived is gone on with
    the next time. Another Qiao that fetches the same model is waited for.

    Args:
        name: `OWNER/NAME`, or `OWNER/NAME/FILE.gguf` where there are several.

    Raises:
        Refused: there is no such model, no way to it, nothing that Qiao can load, or no room on the disk.
        BrokenOff: it broke off midway.
    """
    repo, file = repository(name)
    if importlib.util.find_spec(PACKAGES[hub]) is None:
        raise Refused("pull.no_client", hub=HUBS[hub], package=PACKAGES[hub])
    yield Progress("fetching")
    try:
        with FileLock(_lock_path(hub, repo)) as lock:
            while not lock.taken():
                yield Progress("fetching", note=say("pull.waiting"))
                if stop.wait(_POLL_S):
                    return
            yield from _Download(hub, repo, file).events(stop)
    except OSError as error:
        reason = visible_line(error.strerror or type(error).__name__)
        raise BrokenOff("pull.not_started", model=visible_line(repo), reason=reason) from error


class _Download:
    """One run of the fetching process."""

    def __init__(self, hub: Hub, repo: str, file: str) -> None:
        self._hub: Hub = hub
        self._repo = repo
        self._file = file
        self._sizes: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._note = ""

    def events(self, stop: threading.Event) -> Generator[Progress, None, None]:
        log = _log_path()
        with log.open("ab") as words:
            process = subprocess.Popen(
                [*_COMMAND, self._hub, self._repo],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                env={**_DEFAULTS, **os.environ, **_ENVIRONMENT},
                start_new_session=True,
            )
        replies: queue.SimpleQueue[Reply | None] = queue.SimpleQueue()
        threading.Thread(target=_read, args=(process, replies), name="fetch", daemon=True).start()
        try:
            while not stop.is_set():
                try:
                    reply = replies.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                if isinstance(reply, Whole):
                    total = sum(self._sizes.values())
                    yield Progress("fetching", total, total)
                    return
                yield self._heard(reply, process, log)
        finally:
            _end(process)

    def _heard(self, reply: Reply | None, process: "subprocess.Popen[bytes]", log: Path) -> Progress:
        match reply:
            case Listed():
                files = chosen(self._repo, reply.files, self._file)
                _check_space(self._repo, files, Path(reply.folder))
                self._sizes = {file.path: file.size for file in files}
                self._done = {file.path: file.have for file in files}
                assert process.stdin is not None
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(encode(Fetch(files)))
                    process.stdin.flush()
            case Got():
                size = self._sizes.get(reply.path, 0)
                self._done[reply.path] = min(reply.done, size)
                self._note = _note(reply.path, min(reply.done, size), size)
            case Failed():
                raise self._error(reply)
            case _:
                raise BrokenOff("pull.died", model=visible_line(self._repo), log=visible_line(str(log)))
        return Progress("fetching", sum(self._done.values()), sum(self._sizes.values()), self._note)

    def _error(self, failed: Failed) -> QiaoError:
        key = f"pull.{failed.trouble}"
        other = next(hub for hub in HUBS if hub != self._hub)
        words = {
            "model": visible_line(self._repo),
            "hub": HUBS[self._hub],
            "other": other,
            "reason": visible_line(failed.reason),
            "login": "hf auth login" if self._hub == "hf" else "modelscope login",
        }
        kind = Refused if failed.trouble in _REFUSED or not self._sizes else BrokenOff
        return kind(key, **words)


def _note(path: str, done: int, size: int) -> str:
    """The file that is coming, and how far it is."""
    name = visible_line(path)
    return f"{name} {done * 100 // size} %" if size > _MEGABYTE else name


def _read(process: "subprocess.Popen[bytes]", replies: "queue.SimpleQueue[Reply | None]") -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
                replies.put(decode_reply(line))
    replies.put(None)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends it: by itself when its stdin ends; else with all that it has started."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _check_space(repo: str, files: list[HubFile], folder: Path) -> None:
    """Refuses what the disk can't hold, before a byte is fetched.

    Raises:
        Refused: so.
    """
    needed = sum(file.size - file.have for file in files)
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if needed and needed + SPARE_BYTES > free:
        raise Refused(
            "pull.no_space",
            model=visible_line(repo),
            needed=_decimal(needed + SPARE_BYTES),
            free=_decimal(free),
            folder=visible_line(str(folder)),
        )


def _decimal(count: int) -> str:
    return f"{count / 10**9:.1f} GB"


def _lock_path(hub: Hub, repo: str) -> Path:
    folder = paths.cache_dir() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{hub}-{hashlib.sha256(repo.encode()).hexdigest()[:16]}.lock"


def _log_path() -> Path:
    """The log of what the clients print, ready to be written at its end."""
    folder = paths.log_dir()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = folder / "pull.log"
    with contextlib.suppress(OSError):
        if log.stat().st_size > _LOG_LIMIT:
            log.unlink()
    return log
