"""An app that carries out each key before it looks at the next one: what is typed in one burst means what it says."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from textual import events
from textual.dom import DOMNode
from textual.driver import Driver
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from ..workbench.words import say
from .dialogs.questions import Question
from .few_notices import FewNotices
from .input.full_width import is_wide_text, plain_key
from .panes.rows import Rows

if TYPE_CHECKING:
    from .bench.screen import WorkbenchScreen

T = TypeVar("T")

SETTLE_SECONDS = 5.0
"""At most so long a key waits for what the key before it does, which takes far less."""
LEAVING = ("escape", "ctrl+c")
"""Keys with which one leaves what is open."""


class KeysInOrder(FewNotices, inherit_bindings=False):
    """Full-width keys of an input method count as what they stand for, and keys typed before the first paint count too.

    Args:
        driver_class: for tests.
    """

    workbench: "WorkbenchScreen"

    def __init__(self, *, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class)
        self._hinted = 0.0
        self._typed_ahead: list[events.Key | events.Paste] | None = []
        """Keys that were held, as before the first paint; None: they are carried out as they come."""
        self._are_held = True
        self._give_up: Callable[[], bool] = lambda: False
        self._leaving = False
        """What is open is being saved for the last time, unless it turns out that it can't be."""

    def tell(self, text: str, *, error: bool = False) -> None:
        """A notice. Text, never markup."""
        self.notify(text, severity="error" if error else "information", markup=False)

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        if self._typed_ahead is not None:
            if isinstance(event, events.Key) and event.key in LEAVING and self._give_up():
                self._typed_ahead.clear()
            else:
                self._typed_ahead.append(event)
        else:
            await self._take(event)

    @property
    def _is_over(self) -> bool:
        """Whether the app ends: what a key would still begin comes too late to be saved, or to be shown."""
        return self._leaving or self._exit

    async def _take(self, event: events.Key | events.Paste) -> None:
        if self._is_over:
            return
        if isinstance(event, events.Key) and not self._is_typed(event):
            plain = plain_key(event)
            if plain is not None:
                event = plain
            elif is_wide_text(event) and self.screen is self.workbench:
                self._hint_at_input_method()
                return
        screen, target = self.screen, self.focused or self.screen
        if screen is self.workbench and self.workbench.took(event):
            return
        await super().on_event(event)
        await self._settled(screen, target)

    def hold_keys(self, give_up: Callable[[], bool]) -> None:
        """Keys wait from now on, until `take_typed_ahead`.

        Args:
            give_up: asked at esc, which doesn't wait: whether that was meant for what the keys wait for. Then what is
                typed by now is dropped.
        """
        self._give_up = give_up
        self._are_held = True
        self._typed_ahead = self._typed_ahead or []

    def take_typed_ahead(self) -> None:
        """Keys that were held mean what they would have meant later: before there was a screen, say, that on it."""
        self._are_held, self._give_up = False, lambda: False
        self.call_later(self._take_next)

    def forget_held_keys(self) -> None:
        """What they were meant for doesn't come: those from now on are carried out as they come."""
        self._are_held, self._give_up, self._typed_ahead = False, lambda: False, None

    async def _take_next(self) -> None:
        """Carries out the first of the keys that were held. What it ends, a dialog, tells so before the next one."""
        if self._are_held or self._typed_ahead is None:
            return
        if self._typed_ahead:
            await self._take(self._typed_ahead.pop(0))
            self.call_later(self._take_next)
        else:
            self._typed_ahead = None

    def choose_from(self, dialog: Screen[T | None], then: Callable[[T], object]) -> None:
        """Opens a dialog, and does with what is chosen there as a key does: those behind it come after all of it."""

        async def chosen(choice: T | None) -> None:
            if choice is not None:
                screen, target = self.screen, self.focused or self.screen
                then(choice)
                await self._settled(screen, target)
            self.take_typed_ahead()

        self.push_screen(dialog, chosen)

    async def _settled(self, screen: Screen[object], target: Widget) -> None:
        """Waits until a key has done its work, so that a burst of keys means what it says.

        Textual hands a key on to the focused widget and goes to the next one; `esc` would leave an editor before the
        letters typed ahead of it have arrived there. Rows and lines then tell those around them: by such a message a
        pane is left, or a line handed over. Where a conversation is read or written, the key itself does all.
        """
        if target.is_attached:
            around = target.ancestors_with_self if isinstance(target, Rows | Input) else [target]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_SECONDS):
                    for widget in around:
                        if widget is not self:
                            await _up_to_date(widget)
        if self.screen is screen:
            return
        until = time.monotonic() + SETTLE_SECONDS
        while self.screen.focused is None and not isinstance(self.screen, Question) and time.monotonic() < until:
            await asyncio.sleep(0.002)

    def _is_typed(self, key: events.Key) -> bool:
        """Whether it is text for a line or an editor."""
        return self.focused is not None and self.focused.check_consume_key(key.key, key.character)

    def _hint_at_input_method(self) -> None:
        if time.monotonic() - self._hinted > 5:
            self._hinted = time.monotonic()
            self.tell(say("screen.input_method"))


async def _up_to_date(node: DOMNode) -> None:
    """Waits until it has dealt with all messages that lie before it now, or is gone: it may go by one of them."""
    done = asyncio.Event()
    if node.is_running and node.call_later(done.set):
        waiting = asyncio.create_task(done.wait())
        await asyncio.wait({waiting, node.task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
