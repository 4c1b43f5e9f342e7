"""The whole program in a real terminal: a pty, and an emulator that reads what the program writes."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest
from textual._context import active_app
from textual.pilot import Pilot

from qiao.tui.transcript.breaks import breaks

from ..patience import PATIENCE_S

CALM_ROUNDS = 2
"""So often in turn every widget deals with what lies before it, and there is nothing to paint."""
MOST_ROUNDS = 30
"""While an answer streams there is always something."""
UNPAINTED = ("_layout_required", "_scroll_required", "_repaint_required", "_dirty_widgets", "_callbacks")
"""What a screen of Textual's has still to do."""
UNFINISHED = re.compile(rb"\x1b(\[[^@-~]*)?$")
UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[(?:[<=>][0-9;]*[@-~]|\?[0-9;]*(?:\$p|u))")


def read_until(closing: threading.Event, descriptor: int) -> Iterator[bytes]:
    """What comes from a pty, until its far end is closed or it is to be closed here.

    Whoever reads it has to have ended when its descriptor is closed: the next pty opened gets the same number, and part
    of what its program writes would go to the old one's reader.
    """
    while not closing.is_set():
        if select.select([descriptor], [], [], 0.05)[0]:
            try:
                data = os.read(descriptor, 65536)
            except OSError:
                return
            if not data:
                return
            yield data


class Terminal:
    """A program in a pty of its own.

    `text` is what a person would see; `output` all bytes that the program wrote. The program is `qiao`, unless a script
    is given.
    """

    def __init__(
        self,
        *arguments: str,
        columns: int = 120,
        rows: int = 40,
        cwd: Path | None = None,
        program: Path | None = None,
        home: Path | None = None,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.output = bytearray()
        self._lock = threading.Lock()
        self._main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        if home is not None:
            environment["QIAO_HOME"] = str(home)
        self.process = subprocess.Popen(
            [sys.executable, *(["-m", "qiao.cli"] if program is None else [str(program)]), *arguments],
            stdin=side,
            stdout=side,
            stderr=side,
            cwd=cwd,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(side)
        self._closing = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        held = b""
        for data in read_until(self._closing, self._main):
            with self._lock:
                self.output += data
                whole = held + data
                # A sequence may come in two pieces; those that pyte doesn't know, it would print the ends of.
                cut = found.start() if (found := UNFINISHED.search(whole)) else len(whole)
                held = whole[cut:]
                self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", whole[:cut]))

    def text(self) -> str:
        """What the screen shows, line by line."""
        with self._lock:
            # pyte keeps an empty cell behind a wide character, and its own `display` stumbles when one is overwritten.
            buffer, columns = self._screen.buffer, range(self._screen.columns)
            rows = ("".join(buffer[y][x].data for x in columns) for y in range(self._screen.lines))
            return "\n".join(row.rstrip() for row in rows)

    def cursor(self) -> tuple[int, int]:
        """Column and row of the terminal's own cursor, from 0."""
        with self._lock:
            return self._screen.cursor.x, self._screen.cursor.y

    def send(self, keys: str) -> None:
        """Types; everything arrives in one piece."""
        os.write(self._main, keys.encode())

    def paste(self, text: str) -> None:
        """As a terminal pastes: bracketed, with CR for line ends."""
        self.send("\x1b[200~" + text.replace("\n", "\r") + "\x1b[201~")

    def wait(self, condition: str | Callable[[str], object], patience: float = PATIENCE_S) -> str:
        """Waits until the screen shows this text, or until the condition on its text holds. Returns the screen."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            shown = self.text()
            if condition in shown if isinstance(condition, str) else condition(shown):
                return shown
            if self.process.poll() is not None:
                time.sleep(0.2)
                if condition in self.text() if isinstance(condition, str) else condition(self.text()):
                    return self.text()
                break
            time.sleep(0.03)
        raise AssertionError(f"waited for {condition!r}; the screen shows:\n{self.text()}")

    def ended(self) -> int:
        """Waits for the program's end; its exit code."""
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(PATIENCE_S)
        self._closing.set()
        self._reader.join()
        os.close(self._main)


@pytest.fixture
def open_terminal() -> Iterator[Callable[..., Terminal]]:
    """Starts the real `qiao` with these arguments in a terminal; all are ended with the test."""
    terminals: list[Terminal] = []

    def start(*arguments: str, columns: int = 120, rows: int = 40, cwd: Path | None = None) -> Terminal:
        terminals.append(Terminal(*arguments, columns=columns, rows=rows, cwd=cwd))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def textual_breaks_as_the_page_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's own editors break lines where the page does, and do all else as ever."""
    monkeypatch.setattr(
        "textual.document._wrapped_document.compute_wrap_offsets", lambda line, width, *_, **__: breaks(line, width)
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a conversation file is to stand."""
    return tmp_path / "talk.toml"


@pytest.fixture(autouse=True)
def the_same_colours_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich keeps a style's codes as they were for the first terminal that it was written to."""
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "truecolor")


@pytest.fixture(autouse=True)
def idle_when_all_is_dealt_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's pilot takes an app for idle that got no processor for a while, and rests at least 40 ms for each key.

    Here it is idle once every widget has dealt with what lay before it and with what came of that, painting included.
    """

    async def idle(*_seconds: float) -> None:
        app = active_app.get()
        calm = 0
        for _ in range(MOST_ROUNDS):
            await Pilot(app)._wait_for_screen()
            if not app.screen_stack:
                return
            screen = app.screen
            calm = 0 if any(getattr(screen, name) for name in UNPAINTED) else calm + 1
            if calm == CALM_ROUNDS:
                return
            if not calm:
                # As its timer does some sixty times a second, when it comes to it.
                screen.call_later(screen._on_timer_update)

    monkeypatch.setattr("textual.app.wait_for_idle", idle)
    monkeypatch.setattr("textual.pilot.wait_for_idle", idle)
