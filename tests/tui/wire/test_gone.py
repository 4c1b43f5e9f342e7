"""The real program in a terminal that goes away: with no signal (it isn't the session's own), and with no home to write
to. It ends within seconds, and what was written is kept where it can be."""

import contextlib
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

from ...patience import PATIENCE_S
from ..conftest import UNKNOWN_TO_PYTE

PROGRAM = Path(__file__).parents[3] / "benchmarks" / "scripted_workbench.py"


class Line:
    """The program at the far end of a pty that isn't its controlling terminal unless asked for."""

    def __init__(self, file: Path, home: Path, *, controlling: bool = False) -> None:
        self._screen = pyte.Screen(120, 40)
        self._stream = pyte.ByteStream(self._screen)
        self.main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(file)],
            stdin=side,
            stdout=side,
            stderr=side,
            env={**os.environ, "TERM": "xterm-256color", "QIAO_HOME": str(home)},
            start_new_session=True,
            preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if controlling else None,
        )
        os.close(side)

    def see(self, text: str) -> None:
        """Reads until this text is on the screen."""
        end = time.monotonic() + PATIENCE_S
        while text not in "\n".join(self._screen.display):
            assert time.monotonic() < end, "\n".join(self._screen.display)
            if select.select([self.main], [], [], 0.1)[0]:
                self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", os.read(self.main, 65536)))

    def send(self, keys: str) -> None:
        os.write(self.main, keys.encode())

    def go_away(self) -> None:
        if self.main >= 0:
            os.close(self.main)
            self.main = -1

    def close(self) -> None:
        self.go_away()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)


Start = Callable[..., Line]


@pytest.fixture
def start() -> Iterator[Start]:
    lines: list[Line] = []

    def begin(file: Path, home: Path, *, controlling: bool = False) -> Line:
        lines.append(Line(file, home, controlling=controlling))
        return lines[-1]

    yield begin
    for line in lines:
        line.close()


def texts(file: Path) -> list[str]:
    return [message["text"] for message in tomllib.loads(file.read_text(encoding="utf-8"))["message"]]


def test_a_terminal_that_goes_away_without_a_signal_ends_it(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "talk.toml"
    line = start(file, tmp_path / "home")
    line.see("Nothing is written yet")
    line.send("ahalf a thought")
    line.see("half a thought")
    line.go_away()
    line.process.wait(PATIENCE_S)
    assert texts(file) == ["half a thought"]


@pytest.mark.parametrize("number", [signal.SIGHUP, None])
def test_a_home_that_takes_nothing_does_not_keep_it(
    start: Start, tmp_path: Path, number: signal.Signals | None
) -> None:
    nowhere = tmp_path / "file"
    nowhere.write_text("a file, where a folder is wanted")
    file = tmp_path / "gone" / "talk.toml"
    file.parent.mkdir()
    line = start(file, nowhere, controlling=number is not None)
    line.see("Nothing is written yet")
    line.send("alost words")
    line.see("lost words")
    # On a slow machine the message that is begun may be in its file already.
    shutil.rmtree(file.parent)
    if number is not None:
        os.kill(line.process.pid, number)
        with contextlib.suppress(OSError):
            # What it says at the end is taken, as by a terminal.
            while os.read(line.main, 65536):
                pass
    else:
        line.go_away()
    line.process.wait(PATIENCE_S)
