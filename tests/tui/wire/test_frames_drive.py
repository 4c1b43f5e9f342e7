"""The real program, driven at random, shows the same whether its frames are compared or not."""

import asyncio
import inspect
import random
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from rich.console import Console
from rich.control import Control
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend
from qiao.tui.app import QiaoApp
from qiao.tui.sessions.session import Session
from qiao.tui.wire.frames import Frames
from qiao.workbench.config import Config
from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps
from qiao.workbench.document import Document

from ..conftest import Terminal
from .emulator import Pair

SIZES = [(120, 40), (80, 24), (100, 30), (61, 15), (130, 42)]
ANSWER = "# 月下\n\n推敲二字，*push* or **knock**? 👍🎉 `code` …\n\n| 甲 | b |\n| - | - |\n| 一 | 2 |\n\n" * 4
KEYS = ["j", "k", "g", "G", "J", "K", "t", "M", "z", "h", "l", "u", "U", "m", "s", "S", "tab", "question_mark", "colon"]
KEYS += ["v", "V", "T", "n", "O", "left_square_bracket", "pagedown", "pageup", "d", "y", "P", "slash", "r", "r", "N"]


class Driver(HeadlessDriver):
    """No terminal, but it counts as one: what is written is handed to the emulator."""

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        app = self._app
        assert isinstance(app, RecordedApp)
        app.pair.compared.feed(data)


class RecordedFrames(Frames):
    """Writes each update to the plain terminal too."""

    pair: Pair
    spoilt = False
    """The terminal has lost what it showed, and Qiao hasn't been told."""
    settled = False
    """Both terminals have been painted all over since they were resized or spoilt."""

    def forget(self) -> None:
        super().forget()
        self.spoilt = self.settled = False

    def bytes_for(self, update: LayoutUpdate | ChopsUpdate, console: Console) -> str:
        # Their caches hold Textual's own bytes afterwards, as they would without Frames.
        self.pair.plain.feed(update.render_segments(console) + Control.move_to(*self._cursor()).segment.text)
        size = (self.pair.plain.columns, self.pair.plain.lines)
        if isinstance(update, LayoutUpdate) and update.region.size == size and not self.spoilt:
            self.settled = True
        return super().bytes_for(update, console)


class RecordedApp(QiaoApp):
    """Qiao, with every frame looked at on both terminals."""

    CSS_PATH = Path(inspect.getfile(QiaoApp)).with_name("app.tcss")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # pyright: ignore[reportArgumentType]
        self.pair = Pair(*SIZES[0])
        self.recorded = RecordedFrames(self._cursor_place)
        self.recorded.pair = self.pair
        self.frames = self.recorded
        self.compared_frames = 0
        self.differing: list[str] = []

    def post_display_hook(self) -> None:
        if not self.recorded.settled:
            return
        plain, compared = self.pair.plain, self.pair.compared
        for y in plain.dirty | compared.dirty:
            if plain.row(y) != compared.row(y):
                first = next(
                    x for x, pair in enumerate(zip(plain.row(y), compared.row(y), strict=True)) if len({*pair}) > 1
                )
                cells = f"{plain.row(y)[first]}\n{compared.row(y)[first]}"
                self.differing.append(f"row {y}:\n{plain.display[y]}\n{compared.display[y]}\nfrom {first}:\n{cells}")
        if plain.place != compared.place:
            self.differing.append(f"cursor: {plain.place} {compared.place}")
        plain.dirty.clear()
        compared.dirty.clear()
        self.compared_frames += 1


async def drive(pilot: Pilot[object], steps: int, seed: int) -> None:
    """Presses keys at random, resizes, types, streams; asserts after each step that both terminals show the same."""
    app = pilot.app
    assert isinstance(app, RecordedApp)
    chance = random.Random(seed)
    for step in range(steps):
        match chance.choices(["key", "type", "resize", "repaint", "escape", "wait"], [12, 4, 2, 1, 4, 2])[0]:
            case "key":
                await pilot.press(chance.choice(KEYS))
            case "type":
                await pilot.press("escape", chance.choice("aie"))
                app.post_message(events.Paste(chance.choice(["Hello, 世界 👍\nline two", "敲", "x" * 90, "é ✎ ─"])))
                await pilot.press("backspace", "left", "Z", "enter", "escape")
            case "resize":
                width, height = chance.choice(SIZES)
                app.pair.resize(width, height)
                app.recorded.spoilt, app.recorded.settled = True, False
                await pilot.resize_terminal(width, height)
            case "repaint":
                app.pair.compared.fill("#")
                app.recorded.spoilt, app.recorded.settled = True, False
                await pilot.press("escape", "escape", "ctrl+l")
            case "escape":
                await pilot.press("escape")
            case _:
                await pilot.pause(0.05)
        await pilot.pause()
        assert not app.differing, f"after step {step}:\n" + "\n".join(app.differing)
        if app.return_value is not None:
            return


@pytest.mark.parametrize("seed", [1, 2])
def test_a_long_random_drive_shows_the_same_on_both_terminals(
    seed: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scripted = ScriptedBackend(default=ANSWER)
    for _ in range(100):
        scripted.enqueue(ANSWER, delay_ms=4, thinking="想一想 🤔 " * 8)
    config = Config(model="scripted:echo")
    messages = tuple(Message(role="user", text=f"第{i}个 question 👍 {{{{name}}}}") for i in range(12))
    talk = Conversation(messages=messages, variables={"name": "李雷 🌙"})
    app = RecordedApp(
        [Session(Document.untitled(talk))],
        Backends(config, extra={"scripted": scripted}),
        config,
        driver_class=Driver,
    )
    app._sync_available = True

    async def drive_and_leave(pilot: Pilot[object]) -> None:
        await drive(pilot, 80, seed)
        app.end()

    asyncio.run(app.run_async(headless=False, size=SIZES[0], auto_pilot=drive_and_leave))
    assert app.return_code == 0, app._exit_renderables
    assert app.compared_frames > 100
    assert scripted.requests
    assert "could not be compared" not in caplog.text


def test_everything_is_painted_after_other_programs_had_the_terminal(
    open_terminal: Callable[..., Terminal], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a real terminal: an editor that leaves its screen full, and a process stopped and continued."""
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9; do echo REMAINS; done\necho 'edited 世界' > \"$1\"\n")
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(editor))
    talk = tmp_path / "talk.toml"
    talk.write_bytes(dumps(Conversation(messages=(Message(role="user", text="before"),))))
    terminal = open_terminal(str(talk))
    terminal.wait("before")
    terminal.send("o")
    terminal.wait(lambda shown: "edited" in shown and "MODELS" in shown and "REMAINS" not in shown)
    written = len(terminal.output)
    terminal.process.send_signal(signal.SIGTSTP)
    terminal.wait(lambda _shown: psutil.Process(terminal.process.pid).status() == psutil.STATUS_STOPPED)
    terminal.process.send_signal(signal.SIGCONT)
    terminal.wait(lambda _shown: b"MODELS" in terminal.output[written:] and b"edited" in terminal.output[written:])


def test_the_switch_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(model="scripted:echo")

    def made() -> QiaoApp:
        return QiaoApp([Session(Document.untitled())], Backends(config), config)

    assert made().frames is not None
    monkeypatch.setenv("QIAO_PLAIN_FRAMES", "1")
    assert made().frames is None
