"""All providers with where their keys come from: a list that opens the dialog of each."""

import threading

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message as Event
from textual.widgets import Static

from ...backends.keys.store import Status
from ...backends.registry import Backends
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..look.inks import Inks
from ..panes.rows import Row, Rows
from ..text.wrap import Run
from .dimmed import OverDimmed
from .keys import KeyDialog


class KeyList(OverDimmed[bool]):
    """Gives whether any key was changed.

    Args:
        provider: the one that is selected first, by its name in addresses.
    """

    CSS_PATH = "keys.tcss"
    BINDINGS = [Binding("escape,ctrl+c,q", "leave", show=False, priority=True)]

    class Found(Event):
        """What is known of all keys, from a thread."""

        def __init__(self, statuses: list[Status]) -> None:
            super().__init__()
            self.statuses = statuses

    def __init__(self, backends: Backends, inks: Inks, provider: str) -> None:
        super().__init__()
        self._backends = backends
        self._inks = inks
        self._provider = provider
        self._statuses: dict[str, Status] = {}
        self._changed = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="key-list"):
            yield Static(say("keys.list_title"), markup=False)
            yield Rows(self._inks)
            yield Static("", id="key-said", markup=False)
            yield Static(say("keys.list_hint"), classes="hint", markup=False)

    def on_mount(self) -> None:
        self._show()
        rows = self.query_one(Rows)
        rows.select(self._provider)
        self.set_focus(rows)
        self._look()

    def _look(self) -> None:
        keys, providers = self._backends.keys, self._backends.providers

        def look() -> None:
            self.post_message(
                self.Found(keys.statuses({name: provider.key_env for name, provider in providers.items()}))
            )

        threading.Thread(target=look, name="keys", daemon=True).start()

    @on(Found)
    def _found(self, event: Found) -> None:
        self._statuses = {status.provider: status for status in event.statuses}
        problem = next((status.problem for status in event.statuses if status.problem), None)
        self.query_one("#key-said", Static).update(visible_line(problem or ""))
        self._show()

    def _show(self) -> None:
        self.query_one(Rows).show([self._row(name) for name in self._backends.providers])

    def _row(self, name: str) -> Row:
        provider, status = self._backends.providers[name], self._statuses.get(name)
        if status is None:
            words, ink = say("keys.list_looking"), "faint"
        elif status.source is None:
            words, ink = say("keys.none_known" if provider.needs_key else "keys.none_needed"), "faint"
        else:
            locked = status.source == "file" and status.fingerprint is None
            words, ink = say(f"keys.source_{status.source}"), "text"
            words += f"{say('keys.and')}{say('keys.locked')}" if locked else ""
        title = provider.shown if provider.shown != name else ""
        room = max(len(each) for each in self._backends.providers)
        return Row((Run(visible_line(name).ljust(room)), Run(f"  {title}", "muted")), (Run(words, ink),), name)

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        def left(changed: bool | None) -> None:
            if changed:
                self._changed = True
                self._look()

        self.app.push_screen(KeyDialog(self._backends.providers[str(event.key)], self._backends), left)

    def action_leave(self) -> None:
        self.dismiss(self._changed)
