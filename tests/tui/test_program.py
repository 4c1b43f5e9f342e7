"""Leaving: the screen goes first, then what answers is closed, with a word when that takes a while."""

import os
import signal
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend
from qiao.tui import program
from qiao.tui.app import QiaoApp
from qiao.tui.program import run_workbench
from qiao.tui.wire import terminal
from qiao.workbench.config import Config

from ..patience import PATIENCE_S
from .conftest import Terminal


class Slow(ScriptedBackend):
    """Takes its time to close, as a server does."""

    def __init__(self, seconds: float) -> None:
        super().__init__(("echo",))
        self.seconds = seconds
        self.closed = False

    def close(self) -> None:
        time.sleep(self.seconds)
        self.closed = True


@pytest.mark.parametrize(("seconds", "told"), [(0.0, False), (0.3, True)])
def test_what_takes_a_while_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seconds: float, told: bool
) -> None:
    monkeypatch.setattr(program, "SOON", 0.1)
    slow = Slow(seconds)
    program.close(Backends(Config(), extra={"scripted": slow}))
    assert slow.closed
    assert ("some seconds" in capsys.readouterr().err) is told


@pytest.mark.parametrize("broken", [False, True])
def test_the_screen_goes_first(monkeypatch: pytest.MonkeyPatch, home: Path, broken: bool) -> None:
    order: list[tuple[str, bool]] = []

    def run(app: QiaoApp) -> int:
        order.append(("screen", terminal.descriptor() is not None))
        if broken:
            raise RuntimeError
        return 0

    monkeypatch.setattr(QiaoApp, "run", run)
    monkeypatch.setattr(Backends, "close", lambda self: order.append(("close", terminal.descriptor() is not None)))
    with pytest.raises(RuntimeError) if broken else nullcontext():
        assert run_workbench([], run_at_once=False, config=Config()) == 0
    assert order == [("screen", True), ("close", False)]


def written(terminal: Terminal, code: bytes) -> None:
    """Waits until the program has written this."""
    end = time.monotonic() + PATIENCE_S
    while code not in terminal.output:
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
@pytest.mark.parametrize("later", [0, 0.005, 0.02])
def test_a_signal_before_the_first_paint_leaves_the_terminal_as_it_was(
    tmp_path: Path, home: Path, number: signal.Signals, later: float
) -> None:
    terminal = Terminal(str(tmp_path / "talk.toml"), home=home)
    try:
        written(terminal, b"\x1b[?1049h")
        time.sleep(later)
        os.kill(terminal.process.pid, number)
        assert terminal.ended() == 0
        # The shell's own screen is back.
        written(terminal, b"\x1b[?1049l")
    finally:
        terminal.close()


BROKEN = """
from pathlib import Path

from qiao.cli.main import main
from qiao.tui.app import QiaoApp


def mistake(self):
    secret = "a private word"
    raise ZeroDivisionError("on purpose")


QiaoApp._journal = mistake
raise SystemExit(main([]))
"""


def test_the_log_says_where_a_mistake_of_its_own_is(tmp_path: Path, home: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text(BROKEN, encoding="utf-8")
    line = Terminal(program=script, home=home)
    try:
        line.wait("The log says more")
        assert line.ended() == 2
    finally:
        line.close()
    log = (home / "log" / "workbench.log").read_text(encoding="utf-8")
    assert 'raise ZeroDivisionError("on purpose")' in log
    assert "ZeroDivisionError: on purpose" in log
    assert log.count("private") == 0
