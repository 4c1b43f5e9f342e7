"""The driver leans on names and ways that are private to Textual: these tests fail loudly if they change."""

import importlib
import inspect

import pytest
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from qiao.tui.wire import escape
from qiao.tui.wire.driver import LineDriver
from qiao.tui.wire.paced import PacedApp
from qiao.tui.wire.writer import Writer


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
