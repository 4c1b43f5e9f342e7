"""The whole program in a terminal behind a slow line, whose buffers take everything at once, as SSH's do."""

import codecs
import fcntl
import os
import pty
import queue
import random
import re
import struct
import subprocess
import sys
import termios
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from pyte.screens import Char

from qiao.tui.wire.pace import ANSWER, ASK
from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps

from ...patience import PATIENCE_S
from ..conftest import UNFINISHED, UNKNOWN_TO_PYTE, read_until
from .emulator import Emulator

COLUMNS, ROWS = 80, 24
RATE = 3000
"""Bytes a second: less than the answer needs."""
TICK_S = 0.02
TALKER = Path(__file__).with_name("talker.py")


class SlowTerminal:
    """A program in a pty; what it writes is shown so many bytes a second, however fast it writes."""

    def __init__(self, arguments: list[str], *, answers: bool) -> None:
        self.screen = Emulator(COLUMNS, ROWS)
        self.rate = 1_000_000.0
        self.taken = self.shown = 0
        self.stopped = False
        """Nothing is read any more: soon the program can't write."""
        self._answers = answers
        self._lock = threading.Lock()
        self._buffer: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=side,
            stdout=side,
            stderr=side,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(side)
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._take, self._show)]
        for thread in self._threads:
            thread.start()

    @property
    def backlog(self) -> int:
        """Bytes that the program has written, and nobody sees yet."""
        return self.taken - self.shown

    def _take(self) -> None:
        for data in read_until(self._closing, self._main):
            self.taken += len(data)
            self._buffer.put(data)
            if self.stopped:
                return

    def _show(self) -> None:
        held = b""
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        while not self._closing.is_set():
            try:
                data = self._buffer.get(timeout=0.05)
            except queue.Empty:
                continue
            while data and not self._closing.is_set():
                piece = data[: max(int(self.rate * TICK_S), 1)]
                data = data[len(piece) :]
                time.sleep(len(piece) / self.rate)
                whole = held + piece
                cut = found.start() if (found := UNFINISHED.search(whole)) else len(whole)
                held = whole[cut:]
                for part in re.split(f"({re.escape(ASK)})".encode(), whole[:cut]):
                    if part == ASK.encode():
                        if self._answers:
                            with suppress(OSError):
                                os.write(self._main, ANSWER.encode())
                        continue
                    with self._lock:
                        self.screen.feed(decode(UNKNOWN_TO_PYTE.sub(b"", part)))
                self.shown += len(piece)

    def cells(self) -> list[list[Char]]:
        """All but the last line, which tells what the processor does."""
        with self._lock:
            return [self.screen.row(y) for y in range(ROWS - 1)]

    def text(self) -> str:
        with self._lock:
            return "\n".join("".join(cell.data for cell in self.screen.row(y)) for y in range(ROWS))

    def send(self, keys: str) -> None:
        os.write(self._main, keys.encode())

    def wait(self, condition: str | Callable[[], object]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not (condition in self.text() if isinstance(condition, str) else condition()):
            assert time.monotonic() < until, f"waited for {condition!r}; the screen shows:\n{self.text()}"
            time.sleep(0.005)

    def close(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self._closing.set()
        for thread in self._threads:
            thread.join()
        os.close(self._main)


Open = Callable[..., SlowTerminal]


@pytest.fixture
def open_talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Starts a talk whose answer needs more than the line carries."""
    monkeypatch.setenv("QIAO_HOME", str(tmp_path / "home"))
    chance = random.Random(3)
    words = "weighing every word 推敲 二字 出自 a good prompt is slow work **mostly** and `code` too 👍"
    text = "\n\n".join(" ".join(chance.choices(words.split(), k=40)) for _ in range(18))
    (tmp_path / "answer.txt").write_text(text + "\n\nThe end of it.", encoding="utf-8")
    messages = (Message(role="user", text="What is a good prompt?"),)
    (tmp_path / "talk.toml").write_bytes(dumps(Conversation(messages=messages)))
    opened: list[SlowTerminal] = []

    def start(*, answers: bool) -> SlowTerminal:
        arguments = [str(TALKER), str(tmp_path / "talk.toml"), str(tmp_path / "answer.txt"), "150"]
        opened.append(SlowTerminal(arguments, answers=answers))
        opened[-1].wait("What is a good prompt?")
        opened[-1].wait(lambda: not opened[-1].backlog)
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def is_answered(file: Path) -> bool:
    return len(tomllib.loads(file.read_text(encoding="utf-8"))["message"]) == 2


def stream(terminal: SlowTerminal, file: Path) -> tuple[int, int]:
    """Runs the talk on a slow line; the largest backlog while the answer came, and what it was when all had come."""
    terminal.rate = RATE
    terminal.send("r")
    largest = 0

    def ended() -> bool:
        nonlocal largest
        largest = max(largest, terminal.backlog)
        return is_answered(file)

    terminal.wait(ended)
    return largest, terminal.backlog


def check_is_what_a_repaint_shows(terminal: SlowTerminal) -> None:
    """Cell for cell."""
    terminal.rate = 1_000_000
    terminal.wait("The end of it.")
    terminal.wait(lambda: not terminal.backlog and "esc stop" not in terminal.text())
    # The last that comes to the title line, once the models have been looked at again.
    terminal.wait(lambda: re.search(r"saved · [\d,]+ of [\d,]+ tokens so far", terminal.text()))
    before = terminal.cells()
    with terminal._lock:
        terminal.screen.fill("#")
    terminal.send("\x0c")
    terminal.wait(lambda: "#" not in terminal.text())
    terminal.wait(lambda: not terminal.backlog)
    after = terminal.cells()
    assert [row for row, was in zip(after, before, strict=True) if row != was] == []


def test_no_backlog_grows_and_the_screen_is_right_in_the_end(open_talk: Open, tmp_path: Path) -> None:
    terminal = open_talk(answers=True)
    largest, left = stream(terminal, tmp_path / "talk.toml")
    # Less than a second of the line at the worst, before it has shown how slow it is; next to nothing at the end.
    assert largest < 2 * RATE
    assert left < RATE / 2
    check_is_what_a_repaint_shows(terminal)


def test_a_key_is_answered_while_the_answer_comes(open_talk: Open, tmp_path: Path) -> None:
    terminal = open_talk(answers=True)
    terminal.rate = RATE
    terminal.send("r")
    terminal.wait("esc stop")
    terminal.send("k")
    terminal.send("e")
    terminal.wait("editing")
    for typed in ("Z", "Q", "X"):
        shown = terminal.shown
        terminal.send(typed)
        terminal.wait(typed)
        # So much of the line's time went to anything else.
        assert terminal.shown - shown < RATE / 2
    assert not is_answered(tmp_path / "talk.toml")


def test_a_terminal_that_does_not_answer_is_sent_everything(open_talk: Open, tmp_path: Path) -> None:
    terminal = open_talk(answers=False)
    largest, left = stream(terminal, tmp_path / "talk.toml")
    assert largest > 3 * RATE
    assert left > RATE
    check_is_what_a_repaint_shows(terminal)


def test_a_terminal_that_hangs_holds_up_neither_the_saving_nor_leaving(open_talk: Open, tmp_path: Path) -> None:
    terminal = open_talk(answers=False)
    terminal.stopped = True
    terminal.send("r")
    terminal.wait(lambda: is_answered(tmp_path / "talk.toml"))
    terminal.send("q")
    assert terminal.process.wait(PATIENCE_S) == 0
