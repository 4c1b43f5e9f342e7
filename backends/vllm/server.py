"""A vLLM server that Qiao started: from its first line of log to its end."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from ...workbench import paths
from ...workbench.errors import BrokenOff, QiaoError, Refused
from ...workbench.seam import Progress
from ...workbench.visible import visible_line
from ...workbench.words import say
from . import startup_log, state, supervisor
from .plain_http import Unanswered, get

POLL_SECONDS = 0.1
ASK_SECONDS = 1.0
"""So often a starting server is asked whether it is up."""
END_SECONDS = supervisor.GRACE_SECONDS + supervisor.REAP_SECONDS + 1.0
LOGS_KEPT = 10
_LOG_BYTES = 2**20
"""So much of the log is searched for the cause of a failure."""


class Launch(msgspec.Struct, frozen=True):
    """What is to be started."""

    name: str
    """As it is served."""
    model: str
    """The address of what it serves."""
    line: tuple[str, ...]
    """The whole command, without the key."""
    port: int
    environment: Mapping[str, str]
    """Beside this process's own."""
    key: str = ""
    """Empty: a random one."""


class Server:
    """A server in a process group of its own, kept by a supervisor that ends it when this process is gone.

    Raises:
        BrokenOff: no process can be started.
    """

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.key = launch.key or secrets.token_urlsafe(32)
        self.log = _new_log(launch.name)
        self._ending = threading.Lock()
        self.left = False
        """It is to run on without this process."""
        environment = {**os.environ, **launch.environment, "VLLM_API_KEY": self.key, "PYTHONUNBUFFERED": "1"}
        try:
            with self.log.open("xb") as log:
                self._supervisor = subprocess.Popen(
                    [sys.executable, "-I", supervisor.__file__, *launch.line],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=environment,
                    start_new_session=True,
                )
            assert self._supervisor.stdout is not None
            told = self._supervisor.stdout.readline()
        except OSError as error:
            raise self._not_started(error.strerror or type(error).__name__) from error
        leader = state.process(int(told)) if told.strip().isdigit() else None
        keeper = state.process(self._supervisor.pid)
        if leader is None or keeper is None:
            # It ended in this moment: the log says why.
            raise self._failure(self._supervisor.wait())
        self.running = state.Running(
            launch.name,
            launch.model,
            launch.port,
            keeper,
            leader,
            state.boot(),
            str(self.log),
            time.time(),
        )
        try:
            state.keep(self.running, self.key)
        except QiaoError:
            self.end()
            raise

    @property
    def alive(self) -> bool:
        return self._supervisor.poll() is None

    def steps(self, stop: threading.Event) -> Iterator[Progress]:
        """What the server is doing, until it is ready. It isn't, if `stop` was set: then it has been ended.

        There is no limit of time: a large model may take ten minutes, and a server that fails ends by itself.

        Raises:
            Refused: it ended, for a cause that the log tells.
            BrokenOff: it ended, and nobody knows why.
        """
        yield Progress("starting", note=say("vllm.step_process"))
        lines = startup_log.Log()
        ask_at = time.monotonic() + ASK_SECONDS
        with self.log.open(encoding="utf-8", errors="replace") as log:
            while not stop.is_set():
                code = self._supervisor.poll()
                for line in lines.lines(log.read()):
                    if progress := startup_log.step(line):
                        yield progress
                if code is not None:
                    state.forget(self.running)
                    raise self._failure(code)
                if time.monotonic() >= ask_at:
                    ask_at = time.monotonic() + ASK_SECONDS
                    if self._is_ready():
                        return
                stop.wait(POLL_SECONDS)
        self.end()

    def end(self) -> None:
        """Ends it, and all that it started; blocks until its memory is free, some 8 s at most."""
        with self._ending:
            self._tell(b"end\n")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._supervisor.wait(END_SECONDS)
            if self.alive:
                self._supervisor.kill()
                self._supervisor.wait(END_SECONDS)
                state.end_group(self.running.server)
            self._close_pipes()
            state.forget(self.running)

    def leave(self) -> None:
        """Lets it run on without this process."""
        with self._ending:
            if not self.left:
                self.left = True
                self._tell(b"leave\n")

    def _tell(self, word: bytes) -> None:
        assert self._supervisor.stdin is not None
        # It may have ended by itself, or have been left before: then it listens to signals only.
        with contextlib.suppress(OSError, ValueError):
            if self.left and word == b"end\n":
                self._supervisor.send_signal(signal.SIGTERM)
            else:
                self._supervisor.stdin.write(word)
                self._supervisor.stdin.flush()

    def _close_pipes(self) -> None:
        for pipe in (self._supervisor.stdin, self._supervisor.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _is_ready(self) -> bool:
        """Whether it answers, and is this server: another program may have taken the port meanwhile."""
        url = self.running.root_url
        try:
            get(f"{url}/health", timeout=0.5)
            models = json.loads(get(f"{url}/v1/models", key=self.key, timeout=2.0))["data"]
        except (Unanswered, ValueError, KeyError, TypeError, RecursionError):
            return False
        mine = next((model for model in models if model.get("id") == self.launch.name), None)
        if mine is None:
            return False
        length = mine.get("max_model_len")
        self.running = msgspec.structs.replace(
            self.running, ready=True, context_length=length if isinstance(length, int) else None
        )
        state.keep(self.running, self.key)
        return True

    def _failure(self, code: int) -> QiaoError:
        self._close_pipes()
        found = startup_log.cause(self._end_of_log())
        name, log = visible_line(self.launch.name), visible_line(str(self.log))
        if found is not None:
            return Refused("vllm.failed", name=name, cause=found.sentence, log=log)
        return BrokenOff("vllm.ended", name=name, code=code, log=log)

    def _not_started(self, reason: str) -> BrokenOff:
        return BrokenOff("vllm.no_process", name=visible_line(self.launch.name), reason=visible_line(reason))

    def _end_of_log(self) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(max(log.seek(0, os.SEEK_END) - _LOG_BYTES, 0))
                return log.read().decode("utf-8", "replace")
        except OSError:
            return ""


def _new_log(name: str) -> Path:
    """A log file for a new server; of the older ones, some are kept."""
    folder = paths.log_dir() / "vllm"
    safe = "".join(char if char.isalnum() or char in ".-_" else "-" for char in name)[:80]
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        older = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)
    except OSError as error:
        raise BrokenOff("vllm.no_log", folder=visible_line(str(folder)), reason=error.strerror or "") from error
    for file in older[LOGS_KEPT:]:
        with contextlib.suppress(OSError):
            file.unlink()
    return folder / f"{safe}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}.log"
