"""Counts tokens with a model's own tokenizer, which is loaded in a process of its own.

The package `tokenizers` holds Python's lock while it loads (0.25 s and more) and while it counts (1 s a megabyte), and
takes memory by the hundred megabytes: in this process, keys would wait for it.
"""

import contextlib
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ...workbench.seam import Count, Request
from ...workbench.token_counts import Tally, around, tally
from ...workbench.visible import without_surrogates
from .counting_child import Ask, Reply

PATIENCE_S = 10.0
"""So long an answer is waited for,"""
PATIENCE_S_A_MB = 10.0
"""and so much longer for each megabyte of text."""
_ENDING_S = 1.0
"""A killed process that a dead disk holds on to isn't waited for any longer."""


class _CannotTell(Exception):
    """The tokenizer can't be had, or the process has ended."""


class TokenCounter:
    """May be asked from any thread; one question is answered at a time."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._above: tuple[Path, list[str], Tally] | None = None
        """What stood above the last message the last time, which is mostly what stands there the next time."""
        self._closed = False

    def count(self, path: Path, request: Request, *, is_base: bool) -> Count | None:
        """The tokens of a request to the model at this path; None where that can't be told.

        Args:
            is_base: it is given plain text, without a template.
        """

        def counter(texts: Sequence[str]) -> Sequence[int]:
            counts = self._ask(Ask(str(path), [without_surrogates(text) for text in texts]))
            if counts is None or len(counts) != len(texts):
                raise _CannotTell
            return counts

        *above, last = [turn.text for turn in request.messages]
        with self._asking:
            try:
                own = tally([last], counter)
                if self._above is None or self._above[:2] != (path, above):
                    self._above = path, above, tally(above, counter)
            except _CannotTell:
                return None
            before = self._above[2]
        between = len(above) if is_base else around(len(above) + 1)
        return Count(own.tokens, own.tokens + before.tokens + between, None, own.exact, whole_is_exact=False)

    def close(self) -> None:
        """Ends the process; whoever waits for it is told that nobody knows."""
        self._closed = True
        self._end()

    def _ask(self, ask: Ask) -> list[int] | None:
        line = msgspec.json.encode(ask) + b"\n"
        for _ in range(2):
            # One that ends just now, having been idle, is asked in vain.
            if self._closed:
                break
            try:
                return msgspec.json.decode(_exchanged(self._living(), line), type=Reply).counts
            except TimeoutError:
                self._end()
                break
            except (OSError, msgspec.DecodeError):
                # It may take a moment to be gone: the next question is another's.
                self._end()
        return None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_ENDING_S)

    def _living(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._process = _started()
        return self._process


def _started() -> "subprocess.Popen[bytes]":
    # -P: a file tokenizers.py in the working directory isn't taken for the library.
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "qiao.backends.local.counting_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        bufsize=0,
    )
    assert process.stdin is not None
    os.set_blocking(process.stdin.fileno(), False)
    return process


def _exchanged(process: "subprocess.Popen[bytes]", line: bytes) -> bytes:
    """The line that answers this one.

    Raises:
        TimeoutError: there is none in time.
        OSError: the process has ended.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    into, out = process.stdin.fileno(), process.stdout.fileno()
    until = time.monotonic() + PATIENCE_S + PATIENCE_S_A_MB * len(line) / 1e6
    left, reply = memoryview(line), b""
    while not reply.endswith(b"\n"):
        ready = select.poll()
        ready.register(out, select.POLLIN)
        if left:
            ready.register(into, select.POLLOUT)
        events = dict(ready.poll(max(0.0, until - time.monotonic()) * 1000))
        if not events:
            raise TimeoutError
        if out in events:
            piece = os.read(out, 65536)
            if not piece:
                raise BrokenPipeError
            reply += piece
        else:
            left = left[os.write(into, left) :]
    return reply
