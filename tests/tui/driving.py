"""The workbench as a test drives it: by keys, looking at what is shown and at what is in the file."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from functools import wraps
from pathlib import Path

from textual import events
from textual.pilot import Pilot

from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend
from qiao.tui.app import QiaoApp
from qiao.tui.sessions.session import Session
from qiao.workbench.config import Config
from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps, loads
from qiao.workbench.document import Document

from ..patience import PATIENCE_S

WIDE, NARROW = (120, 40), (80, 24)

HELLO = (("system", "Be brief."), ("user", "Capital of France?"))


def in_loop(test: Callable[..., Coroutine[object, object, None]]) -> Callable[..., None]:
    """Runs an asynchronous test to its end."""

    @wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class Bench:
    """The program while a test drives it."""

    def __init__(self, app: QiaoApp, pilot: Pilot[int], scripted: ScriptedBackend, path: Path | None) -> None:
        self.app = app
        self.pilot = pilot
        self.scripted = scripted
        self.path = path

    @property
    def session(self) -> Session:
        return self.app.workbench.session

    def lines(self) -> list[str]:
        """The screen as a person sees it."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    def text(self) -> str:
        return "\n".join(self.lines())

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if char == " " else char for char in text))

    async def paste(self, text: str) -> None:
        """As a terminal does: to whatever has the focus."""
        self.app.post_message(events.Paste(text.replace("\n", "\r")))
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end, f"waited for {what or condition}; the screen shows:\n{self.text()}"
            await self.pilot.pause(0.01)

    async def see(self, *texts: str) -> None:
        """Waits until all of these are on the screen."""
        for text in texts:
            await self.until(lambda text=text: text in self.text(), f"{text!r}")

    async def miss(self, text: str) -> None:
        """Waits until this isn't on the screen any more."""
        await self.until(lambda: text not in self.text(), f"{text!r} to go")

    def on_disk(self, path: Path | None = None) -> Conversation:
        file = path or self.path
        assert file is not None
        return loads(file.read_bytes(), str(file)).conversation

    def said(self, path: Path | None = None) -> list[tuple[str, str]]:
        return [(message.role, message.said) for message in self.on_disk(path).messages]

    async def saved(self, *messages: tuple[str, str], path: Path | None = None) -> None:
        """Waits until these messages are in the file."""
        file = path or self.path
        assert file is not None
        await self.until(lambda: file.exists() and self.said(path) == list(messages), f"{messages} in the file")

    async def idle(self) -> None:
        """Waits until no answer is coming."""
        await self.until(lambda: not any(s.runs for s in self.app.workbench.sessions), "all answers to be there")


def talk(*messages: tuple[str, str], **fields: object) -> Conversation:
    made = tuple(Message(role=role, text=text) for role, text in messages)  # pyright: ignore[reportArgumentType]
    return Conversation(messages=made, **fields)  # pyright: ignore[reportArgumentType]


@asynccontextmanager
async def driven(
    app: QiaoApp, scripted: ScriptedBackend, path: Path | None = None, size: tuple[int, int] = WIDE
) -> AsyncIterator[Bench]:
    """The app runs, and knows its models; all that it started is ended."""
    # On a busy machine a test may not get to look within the seconds that a person has.
    app.NOTICE_SECONDS = 2 * PATIENCE_S
    with closing(app.backends):
        async with app.run_test(size=size, notifications=True) as pilot:
            bench = Bench(app, pilot, scripted, path)
            await bench.until(lambda: not app.workbench.known.looking, "the models")
            yield bench


@asynccontextmanager
async def workbench(
    conversation: Conversation | None,
    *paths: Path,
    size: tuple[int, int] = WIDE,
    scripted: ScriptedBackend | None = None,
    config: Config | None = None,
    touring: bool = False,
) -> AsyncIterator[Bench]:
    """The workbench on these files; the first one is made of the conversation. Without files, on an untitled one."""
    if conversation is not None and paths:
        paths[0].write_bytes(dumps(conversation))
    config = config or Config(model="scripted:echo")
    scripted = scripted or ScriptedBackend(("echo", "other"))
    documents = [Document.open(path) for path in paths] or [Document.untitled(conversation)]
    backends = Backends(config, extra={"scripted": scripted})
    app = QiaoApp([Session(document) for document in documents], backends, config, touring=touring)
    async with driven(app, scripted, paths[0] if paths else None, size) as bench:
        yield bench
