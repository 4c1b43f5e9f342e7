"""The system's keyring, asked from a process of its own and never for longer than can be waited."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import msgspec

from ...workbench.visible import visible_line
from ...workbench.words import say
from .keyring_process import Reply, Request

FIND_SECONDS = 4.5
"""So long an answer may take while a request waits for its key."""
CHANGE_SECONDS = 30.0
"""So long where a person looks on: the keyring may ask them to unlock it, in a window of its own."""
SILENCE_SECONDS = 60.0
"""So long a keyring that gave no answer isn't asked again."""


class SystemKeyring:
    """Get, set and delete keys; every call blocks, from any thread, one after the other."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._silent_until = 0.0
        self._absent = False
        self.last = Reply()
        """What came of the last question."""

    def get(self, users: tuple[str, ...], seconds: float = FIND_SECONDS, *, again: bool = False) -> Reply:
        """The keys of these users, as far as there are any.

        Args:
            seconds: how long to wait.
            again: asks also where there was no keyring, or no answer, before.
        """
        # A keyring seldom comes into being while a program runs, and finding none costs a quarter of a second.
        if not again and (self._absent or time.monotonic() < self._silent_until):
            return self.last
        return self._ask(Request("get", users), seconds)

    def set(self, user: str, value: str) -> Reply:
        """Keeps the key; done if the reply has it."""
        return self._ask(Request("set", (user,), value), CHANGE_SECONDS)

    def delete(self, user: str) -> Reply:
        """Takes the key out; the reply has it, if there was one."""
        return self._ask(Request("delete", (user,)), CHANGE_SECONDS)

    def _ask(self, request: Request, seconds: float) -> Reply:
        if not self._asking.acquire(timeout=seconds):
            return Reply(self.last.backend, trouble="silent")
        try:
            reply = self._reply(request, seconds)
            self.last = msgspec.structs.replace(reply, values={})
            self._absent = reply.trouble == "none"
            self._silent_until = time.monotonic() + SILENCE_SECONDS if reply.trouble == "silent" else 0.0
            return reply
        finally:
            self._asking.release()

    def _reply(self, request: Request, seconds: float) -> Reply:
        try:
            # Without a session it has no terminal to ask on; -P keeps a file in this folder from passing for a module.
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", f"{__package__}.keyring_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            return Reply(trouble="failed", detail=error.strerror or str(error))
        try:
            answer, _ = process.communicate(msgspec.json.encode(request), timeout=seconds)
            return msgspec.json.decode(answer, type=Reply)
        except subprocess.TimeoutExpired:
            return Reply(self.last.backend, trouble="silent")
        except (msgspec.DecodeError, OSError):
            return Reply(self.last.backend, trouble="failed", detail=_end(process.poll()))
        finally:
            _end_group(process)


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """Ends the process and whatever it has started, and waits for it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()


def _end(status: int | None) -> str:
    """How the process ended, in a word for those who look into it."""
    if status is not None and status < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-status).name
    return f"exit {status}"


def told(reply: Reply) -> str | None:
    """One line: why the keyring can't be used; None if it can."""
    if reply.trouble is None:
        return None
    if reply.trouble == "failed":
        return say("keys.keyring_failed", detail=visible_line(reply.detail or reply.backend))
    return say(f"keys.keyring_{reply.trouble}")
