"""The parent's side of the process that a model lives in: start it, talk to it, end it, and see how it ended."""

import contextlib
import hashlib
import itertools
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import msgspec

from ...workbench import paths
from ...workbench.seam import Request
from .manner import Manner
from .placement import Placement
from .protocol import (
    Command,
    Generate,
    Loaded,
    Noted,
    Refusal,
    Render,
    Rendered,
    Reply,
    Said,
    Stop,
    decode_reply,
    encode,
)

LOG_LIMIT = 2**20
"""Bytes; a log that has grown beyond is begun anew."""

# -P: a file torch.py in the working directory isn't taken for the library.
_COMMAND = (sys.executable, "-P", "-m", "qiao.backends.local.child")

_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    # As the GPUs were counted when the place was chosen.
    "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
}


class Gone(NamedTuple):
    """The process has ended."""

    on_purpose: bool
    """It was ended from here."""
    code: int
    """Its exit code; the negative number of the signal that killed it."""
    log: Path
    last_words: str
    """The last line that it wrote into its log; empty if it wrote none."""


Answer = Said | Rendered | Noted | Refusal | Gone
"""What comes of a request, piece by piece."""


class Inbox:
    """The replies to one request."""

    def __init__(self, id: int) -> None:
        self.id = id
        self._replies: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def put(self, reply: Answer) -> None:
        self._replies.put(reply)

    def get(self, timeout: float) -> Answer | None:
        """The next reply; None when there is none within `timeout` seconds."""
        try:
            return self._replies.get(timeout=max(timeout, 0.001))
        except queue.Empty:
            return None


class ChildProcess:
    """A running child.

    Args:
        path: of the model, absolute.
        placement: which GPUs it sees.
        manner: what the configuration says of the model.

    Raises:
        OSError: no process can be started.
    """

    _ids = itertools.count(1)

    def __init__(self, path: Path, placement: Placement, manner: Manner) -> None:
        self.placement = placement
        self.manner = manner
        self.loaded: Loaded | None = None
        """Set once the weights are in memory."""
        self.gone: Gone | None = None
        """Set once the process has ended."""
        self._on_purpose = False
        self._log = _log_path(path)
        self._inboxes: dict[int, Inbox] = {}
        self._changing = threading.Lock()
        self._outbox: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        with self._log.open("ab") as log:
            self._log_begins = log.seek(0, os.SEEK_END)
            self._process = subprocess.Popen(
                [*_COMMAND, str(path), *map(_as_json, (placement, manner))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **_ENVIRONMENT, **placement.environment},
                start_new_session=True,
            )
        for work in (self._read, self._write):
            threading.Thread(target=work, name=f"engine {self._process.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ending(self) -> bool:
        """Whether it has been told to end."""
        return self._on_purpose

    @property
    def busy(self) -> bool:
        """Whether a request awaits replies."""
        with self._changing:
            return bool(self._inboxes)

    def generate(self, request: Request) -> Inbox:
        """Asks for an answer."""
        inbox = self._new_inbox()
        self._outbox.put(Generate(inbox.id, request))
        return inbox

    def render(self, request: Request) -> Inbox:
        """Asks for the exact prompt."""
        inbox = self._new_inbox()
        self._outbox.put(Render(inbox.id, request))
        return inbox

    def stop(self, inbox: Inbox) -> None:
        """Asks it to stop answering."""
        self._outbox.put(Stop(inbox.id))

    def forget(self, inbox: Inbox) -> None:
        """Says that no more replies are awaited."""
        with self._changing:
            self._inboxes.pop(inbox.id, None)

    def ask_to_end(self) -> None:
        """Lets it end by itself: its stdin is closed."""
        self._on_purpose = True
        self._outbox.put(None)

    def kill(self) -> None:
        """Ends it, and all that it may have started, at once."""
        self._on_purpose = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds for its end; whether it has ended."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self, grace: float) -> None:
        """Has it end, within `grace` seconds by itself."""
        self.ask_to_end()
        if not self.wait(grace):
            self.kill()
            self.wait(grace)

    def _new_inbox(self) -> Inbox:
        inbox = Inbox(next(self._ids))
        with self._changing:
            self._inboxes[inbox.id] = inbox
            gone = self.gone
        if gone is not None:
            inbox.put(gone)
        return inbox

    def _write(self) -> None:
        """In a thread of its own: a child that is busy loading may not read for a while."""
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(OSError, ValueError), stdin:
            while (command := self._outbox.get()) is not None:
                stdin.write(encode(command))
                stdin.flush()

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        with stdout:
            for line in stdout:
                try:
                    self._deliver(decode_reply(line))
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    # Printed before the child took its standard output over, or cut off with it.
                    continue
        code = self._process.wait()
        # The writer may wait for a next command.
        self._outbox.put(None)
        gone = Gone(self._on_purpose, code, self._log, self._last_words())
        with self._changing:
            self.gone = gone
            inboxes = list(self._inboxes.values())
        for inbox in inboxes:
            inbox.put(gone)

    def _deliver(self, reply: Reply) -> None:
        if isinstance(reply, Loaded):
            self.loaded = reply
            return
        with self._changing:
            inbox = self._inboxes.get(reply.id)
        if inbox is not None:
            inbox.put(reply)

    def _last_words(self) -> str:
        try:
            with self._log.open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(self._log_begins, size - 4096))
                lines = log.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _log_path(path: Path) -> Path:
    """The log of a model's processes, one file a model, ready to be written at its end."""
    folder = paths.log_dir()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = re.sub(r"[^\w.-]+", "_", path.name)[:60]
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
    log = folder / f"engine-{name}-{digest}.log"
    with contextlib.suppress(OSError):
        if log.stat().st_size > LOG_LIMIT:
            log.unlink()
    return log


def _as_json(value: Placement | Manner) -> str:
    return msgspec.json.encode(value).decode()
