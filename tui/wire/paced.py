"""The app's painting: frames compared before they are sent, and sent as the line takes them."""

import asyncio
import os

from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.driver import Driver
from textual.geometry import Offset
from textual.screen import Screen

from .frames import Frames
from .guard import without_codes
from .pace import Pace


class PacedApp(App[int], inherit_bindings=False):
    """An app whose frames go through `Frames` and `Pace`; all of it, unless `QIAO_PLAIN_FRAMES` is set."""

    def __init__(self, *, driver_class: type[Driver] | None = None) -> None:
        self.pace = Pace(self._pending)
        plain = os.environ.get("QIAO_PLAIN_FRAMES")
        self.frames: Frames | None = None if plain else Frames(self._cursor_place, self.pace)
        self._looking_again: asyncio.TimerHandle | None = None
        super().__init__(driver_class=driver_class)

    def get_driver_class(self) -> type[Driver]:
        found = super().get_driver_class()
        if found.__module__ != "textual.drivers.linux_driver":
            return found
        from .driver import LineDriver

        return LineDriver

    def _pending(self) -> int:
        return getattr(self._driver, "pending", 0)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent) and not isinstance(event, events.MouseMove) and not event.is_forwarded:
            self.pace.key()
        await super().on_event(event)

    def terminal_gone(self) -> None:
        """The terminal isn't there any more. Called in any thread, and perhaps more than once."""
        self.call_later(self.exit, 1)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if isinstance(renderable, LayoutUpdate | ChopsUpdate):
            renderable = without_codes(renderable)
        super()._display(screen, self.frames.compared(renderable) if self.frames else renderable)
        self._look_again()

    def _begin_update(self) -> None:
        # The marks around a frame come with its bytes: a frame that waits has none.
        self.pace.synchronised = self._sync_available
        if self.frames is None:
            super()._begin_update()

    def _end_update(self) -> None:
        if self.frames is None:
            super()._end_update()

    def _cursor_place(self) -> Offset:
        return self.screen.outer_size.clamp_offset(self.cursor_position)

    def send_due(self) -> None:
        """Sends what waits, as far as there is room now."""
        if self._looking_again is not None:
            self._looking_again.cancel()
            self._looking_again = None
        if self.frames is None or self._driver is None or not self._running or self._closed:
            return
        if self.frames.behind and not self._batch_count:
            self._driver.write(self.frames.due())
        self._look_again()

    def _look_again(self) -> None:
        if self.frames is not None and self.frames.behind and self._looking_again is None:
            self._looking_again = asyncio.get_running_loop().call_later(self.pace.wait(), self.send_due)

    def action_repaint(self) -> None:
        """The key for it holds in dialogs and while editing too."""
        self.repaint()

    def repaint(self) -> None:
        """Paints every cell, whatever the terminal may have lost or been written over with."""
        if self.frames:
            self.frames.forget()
        self.refresh(layout=True)
