"""Counts tokens with a model's own tokenizer, which is loaded in a process of its own.

The package `tokenizers` holds Python's lock while it loads (0.25 s and more) and while it counts (1 s a megabyte), and
takes memory by the hundred megabytes: in this process, keys would wait for it.
"""

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ...workbench.seam import Count, Request
from ...workbench.token_counts import Tally, around, tally
from ...workbench.visible import without_surrogates
from .counting_child import Ask, Reply


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
        if (process := self._process) is not None:
            process.kill()
            process.wait()

    def _ask(self, ask: Ask) -> list[int] | None:
        for _ in range(2):
            # One that ends just now, having been idle, is asked in vain.
            if self._closed:
                break
            try:
                process = self._living()
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(msgspec.json.encode(ask) + b"\n")
                process.stdin.flush()
                return msgspec.json.decode(process.stdout.readline(), type=Reply).counts
            except (OSError, msgspec.DecodeError):
                continue
        return None

    def _living(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._process = self._started()
        return self._process

    def _started(self) -> "subprocess.Popen[bytes]":
        # -P: a file tokenizers.py in the working directory isn't taken for the library.
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "qiao.backends.local.counting_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
