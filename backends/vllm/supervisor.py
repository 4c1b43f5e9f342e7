"""The process between Qiao and a vLLM server: whatever becomes of Qiao, no server is orphaned.

    python supervisor.py COMMAND…

It starts the command in a session of its own, with its output where this process's stderr goes, prints its process id,
and ends it, with all that it started, when it is told to (a line `end`, or SIGTERM), and when stdin ends: then Qiao is
gone, killed even. After a line `leave` the server goes on without Qiao. Exits as the server did; 128 + n for signal n.

vLLM itself leaves its engine's processes behind, with all GPU memory, when it is killed. A death signal tied to Qiao
would fall on the wrong occasion: Linux sends it when the *thread* that started the process ends.

Nothing but the standard library, and nothing of Qiao's, is imported here.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from types import FrameType

GRACE_SECONDS = 5.0
"""So long the server may take to end by itself. One with an open stream waits for its reader, for ever."""
REAP_SECONDS = 2.0

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    """In the server, before it runs: even a killed supervisor leaves no server."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class _Ending:
    """When the server was told to end, and when it is killed."""

    def __init__(self, server: "subprocess.Popen[bytes]") -> None:
        self._server = server
        self.deadline: float | None = None

    def begin(self) -> None:
        if self.deadline is None:
            self.deadline = time.monotonic() + GRACE_SECONDS
            with contextlib.suppress(ProcessLookupError):
                self._server.terminate()

    @property
    def left(self) -> float | None:
        """Seconds until it is killed; None while it may run."""
        return None if self.deadline is None else max(self.deadline - time.monotonic(), 0)


def _supervise(command: list[str]) -> int:
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    told = False

    def tell(number: int, frame: FrameType | None) -> None:
        nonlocal told
        told = told or number != signal.SIGCHLD

    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, tell)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # What the server leaves behind becomes our child, so that it can be ended and waited for.
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=2, start_new_session=True, preexec_fn=_die_with_parent
    )
    os.write(1, b"%d\n" % server.pid)
    ending = _Ending(server)
    listening, heard = [0, wake_read], b""
    while server.poll() is None and ending.left != 0:
        if told:
            ending.begin()
        ready, _, _ = select.select(listening, [], [], ending.left)
        if wake_read in ready:
            os.read(wake_read, 512)
        if 0 in ready:
            more = os.read(0, 512)
            heard += more
            if b"leave\n" in heard:
                listening.remove(0)
            elif not more or b"end\n" in heard:
                listening.remove(0)
                ending.begin()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, signal.SIGKILL)
    code = server.wait()
    _reap()
    return 128 - code if code < 0 else code


def _reap() -> None:
    """Waits for what was killed, so that whoever waits for us finds its memory free; a daemon it made may live on."""
    until = time.monotonic() + REAP_SECONDS
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < until:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(_supervise(sys.argv[1:]))
