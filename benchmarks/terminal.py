"""A program in a terminal of its own, with every byte that it writes counted, and with its moment kept.

What reads here is quick and keeps up: bytes are only stored. The screen is worked out when it is asked for.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import psutil
import pyte

_UNFINISHED = re.compile(rb"\x1b(\[[^@-~]*)?$")
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[(?:[<=>][0-9;]*[@-~]|\?[0-9;]*(?:\$p|u))")
_ASKS_FOR_SYNCHRONISED = b"\x1b[?2026$p"
_HAS_SYNCHRONISED = b"\x1b[?2026;2$y"
_ASKS_HOW_FAR = b"\x1b[5n"
_IS_SO_FAR = b"\x1b[0n"

PATIENCE_S = 30.0
POLL_S = 0.01


class Chunk(NamedTuple):
    """What was read at once."""

    at: float
    """Seconds, as `time.monotonic` counts."""
    data: bytes


class Spent(NamedTuple):
    """What a program did over a time."""

    seconds: float
    written: int
    """Bytes to the terminal."""
    cpu_seconds: float
    """Of the program and its children."""


class Terminal:
    """A program in a pty.

    Args:
        arguments: the command line.
        columns, rows: the terminal's size.
        environment: variables that differ from this process's.
        synchronised: it answers as a terminal that shows whole frames at once (mode 2026) does. The program then marks
            its frames, which costs 16 bytes each.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        environment: Mapping[str, str] | None = None,
        synchronised: bool = True,
    ) -> None:
        self.columns, self.rows = columns, rows
        self.begun = time.monotonic()
        """When the program was started."""
        self.chunks: list[Chunk] = []
        self.written = 0
        """Bytes that the program wrote so far."""
        self._synchronised = synchronised
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._fed = 0
        self._held = b""
        self._main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            list(arguments),
            stdin=side,
            stdout=side,
            stderr=side,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(side)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> None:
        cut = b""
        with suppress(OSError):
            while data := os.read(self._main, 65536):
                self.chunks.append(Chunk(time.monotonic(), data))
                self.written += len(data)
                if self._synchronised and _ASKS_FOR_SYNCHRONISED in data:
                    os.write(self._main, _HAS_SYNCHRONISED)
                # As any terminal, once what came before has been read. The question may come in two pieces.
                if asked := (cut + data).count(_ASKS_HOW_FAR):
                    os.write(self._main, _IS_SO_FAR * asked)
                cut = next((data[-n:] for n in (3, 2, 1) if data[-n:] == _ASKS_HOW_FAR[:n]), b"")

    def send(self, keys: str) -> None:
        """Types; all of it arrives at once."""
        os.write(self._main, keys.encode())

    def text(self) -> str:
        """What the screen shows, line by line."""
        while self._fed < len(self.chunks):
            self._feed()
        return self._shown()

    def _feed(self) -> Chunk:
        """Puts the next chunk on the emulator's screen."""
        chunk = self.chunks[self._fed]
        self._fed += 1
        whole = self._held + chunk.data
        cut = found.start() if (found := _UNFINISHED.search(whole)) else len(whole)
        self._held = whole[cut:]
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", whole[:cut]))
        return chunk

    def _shown(self) -> str:
        # pyte keeps an empty cell behind a wide character, and its own `display` stumbles when one is overwritten.
        buffer, columns = self._screen.buffer, range(self._screen.columns)
        rows = ("".join(buffer[y][x].data for x in columns) for y in range(self._screen.lines))
        return "\n".join(row.rstrip() for row in rows)

    @property
    def is_painted(self) -> bool:
        """Whether the screen's last cell has a ground of its own: the first frame has reached it."""
        return self._screen.buffer[self.rows - 1][self.columns - 1].bg != "default"

    def wait(self, condition: str | Callable[[str], object], patience_s: float = PATIENCE_S) -> str:
        """Waits until the screen shows this text, or until the condition on its text holds.

        Returns:
            The screen.

        Raises:
            TimeoutError: it didn't come to it, or the program ended.
        """
        until = time.monotonic() + patience_s
        while True:
            shown = self.text()
            if condition in shown if isinstance(condition, str) else condition(shown):
                return shown
            if time.monotonic() > until or not self._reader.is_alive():
                raise TimeoutError(f"waited for {condition!r}; the screen shows:\n{shown}")
            time.sleep(POLL_S)

    def when(self, condition: str | Callable[[str], object], patience_s: float = PATIENCE_S) -> float:
        """Waits as `wait` does, but looks after each piece that the program wrote.

        Returns:
            When what made the condition true was read; seconds, as `time.monotonic` counts.
        """
        until = time.monotonic() + patience_s
        at = 0.0
        while True:
            if self._fed == len(self.chunks):
                if time.monotonic() > until or not self._reader.is_alive():
                    raise TimeoutError(f"waited for {condition!r}; the screen shows:\n{self._shown()}")
                time.sleep(POLL_S)
                continue
            at = self._feed().at
            shown = self._shown()
            if condition in shown if isinstance(condition, str) else condition(shown):
                return at

    def settle(self, quiet_s: float = 0.3, patience_s: float = PATIENCE_S) -> None:
        """Waits until something has been written, and then nothing for so long."""
        until = time.monotonic() + patience_s
        while not self.chunks and time.monotonic() < until:
            time.sleep(POLL_S)
        while self.chunks and time.monotonic() - self.chunks[-1].at < quiet_s and time.monotonic() < until:
            time.sleep(POLL_S)

    def spend(self, seconds: float) -> Spent:
        """Looks on for so long."""
        return self.spent(lambda: time.sleep(seconds))

    def spent(self, work: Callable[[], object]) -> Spent:
        """What the program spends while `work` runs here."""
        begun, written, cpu = time.monotonic(), self.written, self._cpu_seconds()
        work()
        return Spent(time.monotonic() - begun, self.written - written, self._cpu_seconds() - cpu)

    def main_thread_seconds(self) -> float | None:
        """Processor time that the program's main thread has had; None: this system doesn't say."""
        try:
            return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9
        except (OSError, ValueError, IndexError):
            return None

    def memory(self) -> int:
        """Bytes of memory that the program and its children hold, what they share counted each time."""
        root = psutil.Process(self.process.pid)
        return sum(process.memory_info().rss for process in (root, *root.children(recursive=True)))

    def _cpu_seconds(self) -> float:
        root = psutil.Process(self.process.pid)
        times = [process.cpu_times() for process in (root, *root.children(recursive=True))]
        return sum(each.user + each.system for each in times)

    def close(self) -> None:
        """Ends the program, if it hasn't ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._reader.join(5)
        os.close(self._main)
