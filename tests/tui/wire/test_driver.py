"""The driver leans on names and ways that are private to Textual: these tests fail loudly if they change."""

import importlib
import inspect
import os
import threading
import time
from types import SimpleNamespace

import pytest
from textual import events
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from qiao.tui.wire import escape
from qiao.tui.wire.driver import TURN_S, LineDriver
from qiao.tui.wire.paced import PacedApp
from qiao.tui.wire.writer import Writer

from ...patience import PATIENCE_S


def test_the_app_runs_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    assert PacedApp().driver_class is LineDriver


def test_another_driver_that_was_asked_for_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.constants.DRIVER", "textual.drivers.headless_driver:HeadlessDriver")
    assert PacedApp().driver_class.__name__ == "HeadlessDriver"


def test_textuals_driver_writes_with_our_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = importlib.import_module("textual.drivers.linux_driver")
    monkeypatch.setattr(driver, "WriterThread", escape.WriterThread)
    escape.install()
    assert driver.WriterThread is Writer, "Textual has moved the name that its driver writes with"
    assert "WriterThread(self._file)" in inspect.getsource(LinuxDriver.start_application_mode)
    used = {name for name in ("write", "stop") if f"_writer_thread.{name}(" in inspect.getsource(LinuxDriver)}
    assert used == {"write", "stop"}


def test_what_it_overrides_is_still_called_by_textual() -> None:
    assert "self.run_input_thread()" in inspect.getsource(LinuxDriver._run_input_thread)
    assert "self.process_message(event)" in inspect.getsource(LinuxDriver.run_input_thread)
    assert "target=self._run_input_thread" in inspect.getsource(LinuxDriver.start_application_mode)
    assert "self.disable_input()" in inspect.getsource(LinuxDriver.stop_application_mode)
    assert "exit_event.is_set()" in inspect.getsource(LinuxDriver.disable_input)
    assert "_key_thread" in inspect.getsource(LinuxDriver.disable_input)
    display = inspect.getsource(App._display)
    assert "self._begin_update()" in display
    assert "self._end_update()" in display
    assert "_sync_available" in inspect.getsource(App._begin_update)


class Reading(LineDriver):
    """Reads keys from a pipe, as from a terminal that is so far away."""

    def __init__(self, key_wait: float) -> None:  # pyright: ignore[reportMissingSuperCall]
        # Its parent's takes over the terminal that the tests run in.
        self.fileno, self.end = os.pipe()
        self.exit_event = threading.Event()
        self._debug = False
        self._app = SimpleNamespace(pace=SimpleNamespace(key_wait=key_wait), terminal_gone=self.exit_event.set)
        self.read: list[Message] = []

    def process_message(self, message: Message) -> None:
        self.read.append(message)

    @property
    def typed(self) -> list[str]:
        return [event.key for event in self.read if isinstance(event, events.Key)]


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the reader was ready to wait, each time."""
    selector = importlib.import_module("selectors").SelectSelector
    found: list[float] = []

    class Noting(selector):
        def select(self, timeout: float | None = None) -> list[object]:
            assert timeout is not None
            found.append(timeout)
            return super().select(timeout)

    monkeypatch.setattr("qiao.tui.wire.driver.selectors.SelectSelector", Noting)
    monkeypatch.delenv("ESCDELAY", raising=False)
    return found


def read_all(driver: Reading, count: int, *pieces: bytes) -> None:
    """Sends these, each once what is before it was read, and closes the pipe once so many keys have come."""
    reader = threading.Thread(target=driver.run_input_thread)
    reader.start()
    for piece in pieces:
        os.write(driver.end, piece)
        time.sleep(0.05)
    until = time.monotonic() + PATIENCE_S
    while len(driver.typed) < count and time.monotonic() < until:
        time.sleep(0.01)
    os.close(driver.end)
    reader.join(PATIENCE_S)
    os.close(driver.fileno)


@pytest.mark.parametrize(("asked", "longest"), [(None, 0.02), ("100", TURN_S)])
def test_an_esc_is_looked_at_again_as_soon_as_it_may_be_the_key(
    asked: str | None, longest: float, waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    if asked is not None:
        monkeypatch.setenv("ESCDELAY", asked)
    driver = Reading(0.02)
    read_all(driver, 2, b"j", b"\x1b")
    assert waited[0] == TURN_S
    after_esc = [wait for wait in waited if wait < TURN_S]
    assert after_esc
    assert (max(after_esc) <= 0.02) == (longest == 0.02)
    assert driver.typed == ["j", "escape"]


@pytest.mark.usefixtures("waited")
def test_half_a_character_is_waited_for() -> None:
    driver = Reading(0.02)
    whole = "敲".encode()
    read_all(driver, 2, whole[:1], whole[1:], b"j")
    assert [event.character for event in driver.read if isinstance(event, events.Key)] == ["敲", "j"]
