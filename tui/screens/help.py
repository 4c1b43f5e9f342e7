"""The help page, made from the table of actions: found by key or word, and carried out from there."""

from collections.abc import Hashable, Iterator
from itertools import groupby
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message as Event
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ...workbench.visible import visible_line
from ...workbench.words import say
from ..actions.table import ACTIONS, BY_ID, WRITING, Action, Keys
from ..dialogs.filtered import STEPPED
from ..input.at_once import bind_at_once
from ..input.shown_input import ShownInput
from ..look.inks import Inks
from ..panes.rows import Row, Rows
from ..text.wrap import Run


class Entry(NamedTuple):
    """A line of the page."""

    group: str
    """The heading that it stands under, in words."""
    keys: tuple[str, ...]
    """As people write them."""
    words: str
    names: str
    """What else it is found by: its short name, and its name in the settings file."""
    does: str
    """The action that enter carries out: its own, or one that leads to where its key holds."""
    key: Hashable

    def fits(self, typed: str) -> bool:
        """Whether it is about this. A single letter asks what that key does; else each word must be in it."""
        if len(typed) == 1 and typed.isascii():
            return typed in self.keys
        told = f"{' '.join(self.keys)} {self.words} {self.names} {self.group}".lower()
        return all(word in told for word in typed.lower().split())


class HelpRows(Rows):
    """The lines; the letters that leave the page or begin to find something hold here, not where one types."""

    BINDINGS = [
        Binding("q,question_mark", "screen.leave()", show=False, priority=True),
        Binding("slash", "screen.find()", show=False, priority=True),
    ]

    class Moved(Event):
        """Another line is selected."""

    def selection_changed(self) -> None:
        self.post_message(self.Moved())


class Help(ModalScreen[str | None]):
    """Every key and what it does. `/` narrows it, enter gives the action of a line, anything like «leave» nothing."""

    CSS_PATH = "help.tcss"
    BINDINGS = STEPPED

    def __init__(self, keys: Keys, inks: Inks) -> None:
        super().__init__()
        self._keys = keys
        self._inks = inks
        self._entries = list(self._all())

    def compose(self) -> ComposeResult:
        with Vertical(id="help"):
            yield Static(say("help.title"), id="help-title", markup=False)
            line = ShownInput(compact=True, placeholder=say("help.placeholder"))
            bind_at_once(line)
            line.cursor_blink = False
            yield line
            yield HelpRows(self._inks, marks_always=True)
            yield Static(id="help-foot", markup=False)

    def on_mount(self) -> None:
        self._line.display = False
        self._list()
        self.set_focus(self.query_one(HelpRows))

    @property
    def _line(self) -> Input:
        return self.query_one(Input)

    def _all(self) -> Iterator[Entry]:
        for group, actions in groupby(ACTIONS, key=lambda action: action.group):
            if group != "models":
                yield from (self._entry(say(f"actions.group_{group}"), action) for action in actions)
        for group in ("models", "sampling"):
            heading = say(f"actions.group_{group}_pane")
            for line in say(f"actions.{group}_pane_keys").split("\n"):
                key, _, words = line.partition("|")
                yield Entry(heading, tuple(key.split()), words, "", group, (group, key))
            for action in ACTIONS:
                if action.group == group == action.where:
                    yield self._entry(heading, action)

    def _entry(self, heading: str, action: Action) -> Entry:
        keys = tuple(visible_line(key) for key in self._keys.shown(action.id))
        does = "edit" if action.where in WRITING else action.id
        return Entry(heading, keys, action.help, f"{action.label} {action.id}", does, action.id)

    def _list(self) -> None:
        typed = self._line.value.strip()
        rows: list[Row] = []
        fitting = [entry for entry in self._entries if not typed or entry.fits(typed)]
        for heading, entries in groupby(fitting, key=lambda entry: entry.group):
            rows += [Row()] if rows else []
            rows.append(Row((Run(heading, "muted strong"),)))
            rows += [
                Row((Run(f"{' '.join(entry.keys):<12}", "strong"), Run(entry.words)), (), entry.key)
                for entry in entries
            ]
        if not typed:
            rows += [Row(), Row((Run(say("help.palette"), "faint"),), (), "palette")]
        self.query_one(HelpRows).show(rows or [Row((Run(say("help.none"), "muted"),))])

    @on(HelpRows.Moved)
    def _name_it(self) -> None:
        """The foot names what is selected as `[keys]` in the settings file does."""
        key = self.query_one(HelpRows).selected_key
        words = say("help.keys_finding") if self._line.display else say("help.keys")
        if key in BY_ID:
            words += "   " + say("help.name", name=str(key))
        self.query_one("#help-foot", Static).update(words)

    def action_find(self) -> None:
        self._line.display = True
        self.set_focus(self._line)
        self._name_it()

    @on(Input.Changed)
    def _narrow(self) -> None:
        self._list()
        self.action_step(-99999)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._choose(self.query_one(HelpRows).selected_key)

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        self._choose(event.key)

    def _choose(self, key: Hashable | None) -> None:
        does = next((entry.does for entry in self._entries if entry.key == key), None)
        if does is not None:
            self.dismiss(None if does == "help" else does)

    def action_step(self, step: int) -> None:
        self.query_one(HelpRows).action_step(step)

    def action_leave(self) -> None:
        """Out of what is typed first, then off the page."""
        if not self._line.display:
            self.dismiss(None)
            return
        self._line.value = ""
        self._line.display = False
        self.set_focus(self.query_one(HelpRows))
        self._name_it()
