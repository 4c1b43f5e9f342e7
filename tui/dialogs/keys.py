"""The key of one provider: where it comes from, a new one, where to keep it, whether it works."""

import threading
from collections.abc import Callable
from typing import NamedTuple

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message as Event
from textual.widgets import Input, Static

from ...backends.keys.store import Place, Status, Where
from ...backends.providers import Provider
from ...backends.registry import Backends
from ...workbench.errors import QiaoError
from ...workbench.visible import visible, visible_line
from ...workbench.words import say
from ..input.secret_input import SecretInput
from ..text.glyphs import glyphs
from .dimmed import OverDimmed


class Looked(NamedTuple):
    """What a look at all places showed."""

    status: Status
    places: list[Place]


class KeyDialog(OverDimmed[bool]):
    """Gives whether a key was set, deleted or unlocked. All that may take time is done in threads.

    Args:
        unlocking: only the passphrase of the encrypted file is wanted.
    """

    CSS_PATH = "keys.tcss"
    BINDINGS = [
        Binding("escape,ctrl+c", "leave", show=False, priority=True),
        Binding("down", "step(1)", show=False, priority=True),
        Binding("up", "step(-1)", show=False, priority=True),
        Binding("ctrl+t", "test", show=False, priority=True),
        Binding("ctrl+x", "delete", show=False, priority=True),
    ]

    class Done(Event):
        """A thread has done its work: what is to follow here, and whether the dialog was busy with it."""

        def __init__(self, then: Callable[[], object], *, busy: bool) -> None:
            super().__init__()
            self.then = then
            self.busy = busy

    def __init__(self, provider: Provider, backends: Backends, *, unlocking: bool = False) -> None:
        super().__init__(classes="unlocking" if unlocking else None)
        self._provider = provider
        self._backends = backends
        self._unlocking = unlocking
        self._stop = threading.Event()
        self._looked: Looked | None = None
        self._where: Where | None = None
        self._busy = False
        self._waiting = False
        """enter was pressed before it was known where a key can be kept."""
        self._sure = False
        """ctrl+x was pressed once."""
        self._changed = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(say("keys.title", provider=self._provider.shown), id="key-title", markup=False)
            yield Static("", id="key-now", markup=False)
            if self._provider.key_page and not self._unlocking:
                page = visible_line(self._provider.key_page)
                yield Static(say("keys.page", url=page), id="key-page", markup=False)
            with Horizontal(id="key-row"):
                yield Static(say("keys.label_key"), classes="label", markup=False)
                yield SecretInput(id="key")
            yield Static("", id="key-places", markup=False)
            for name in ("passphrase", "again"):
                with Horizontal(id=f"{name}-row"):
                    yield Static(say(f"keys.label_{name}"), classes="label", markup=False)
                    yield SecretInput(id=name)
            yield Static("", id="key-said", markup=False)
            yield Static(say("keys.hint_unlock" if self._unlocking else "keys.hint"), classes="hint", markup=False)

    def on_mount(self) -> None:
        self._show()
        self.set_focus(self._input("passphrase" if self._unlocking else "key"))
        if not self._unlocking:
            self._look()

    # Looking

    def _look(self) -> None:
        keys, provider = self._backends.keys, self._provider

        def look() -> Callable[[], object]:
            (status,) = keys.statuses({provider.name: provider.key_env})
            looked = Looked(status, keys.places())
            return lambda: self._have_looked(looked)

        # Not busy meanwhile: everything but keeping can begin before a slow keyring has answered.
        self._start(look, busy=False)

    def _have_looked(self, looked: Looked) -> None:
        self._looked = looked
        open_places: list[Where] = [place.where for place in looked.places if place.problem is None]
        if self._where not in open_places:
            locked = looked.status.source == "file" and self._place("file").wants_passphrase == "known"
            self._where = "file" if locked else next(iter(open_places), None)
        self._show()
        if self._waiting:
            self._waiting = False
            self._keep()

    def _place(self, where: Where) -> Place:
        assert self._looked is not None
        return next(place for place in self._looked.places if place.where == where)

    # Showing

    def _show(self) -> None:
        if self._looked is not None:
            self.query_one("#key-now", Static).update(Content(now(self._looked.status, self._provider)))
            self.query_one("#key-places", Static).update(Content.assemble(*self._place_lines(self._looked.places)))
        elif not self._unlocking:
            self.query_one("#key-now", Static).update(Content(say("keys.looking")))
        else:
            self.query_one("#key-now", Static).update(Content(say("keys.unlock_why")))
        wants = self._wants()
        self.query_one("#passphrase-row").display = wants is not None
        self.query_one("#again-row").display = wants == "new"

    def _place_lines(self, places: list[Place]) -> list[str | tuple[str, str]]:
        lines: list[str | tuple[str, str]] = []
        for place in places:
            chosen = place.where == self._where
            detail = f" ({place.detail})" if place.where == "keyring" and place.detail else ""
            mark = f"{glyphs.loaded if chosen else glyphs.on_disk} "
            meaning = place.problem or say(f"keys.means_{place.where}")
            ink = "$q-faint" if place.problem else "bold" if chosen else "$q-text"
            lines += [(f"{mark}{say(f'keys.keep_{place.where}')}{detail}", ink), "\n"]
            lines += [(f"  {meaning}", "$q-faint"), "\n"]
        return lines[:-1]

    def _wants(self) -> str | None:
        """Which passphrase is wanted: a new one, the known one, none."""
        if self._unlocking:
            return "known"
        return self._place("file").wants_passphrase if self._looked and self._where == "file" else None

    def _say(self, text: str, *, error: bool = False) -> None:
        said = self.query_one("#key-said", Static)
        said.set_class(error, "error")
        said.update(Content(visible(text)))

    def _input(self, name: str) -> SecretInput:
        return self.query_one(f"#{name}", SecretInput)

    # Doing

    def action_step(self, step: int) -> None:
        """To the next place that can be used."""
        if self._looked is None or self._busy:
            return
        wheres: list[Where] = [place.where for place in self._looked.places if place.problem is None]
        if self._where in wheres:
            self._where = wheres[(wheres.index(self._where) + step) % len(wheres)]
        self._say("")
        self._show()
        focused = self.focused
        if focused is not None and not all(widget.display for widget in focused.ancestors_with_self):
            self.set_focus(self._input("key"))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._sure = False

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._busy:
            return
        if self._looked is None and not self._unlocking:
            self._waiting = True
            self._say(say("keys.looking"))
        else:
            self._keep()

    def _keep(self) -> None:
        """Keeps the key, after the passphrase if one is wanted; without a key, unlocks what is there, or leaves."""
        key, passphrase, again = (self._input(name).value for name in ("key", "passphrase", "again"))
        wants = self._wants()
        if not key.strip() and not passphrase:
            if self._changed:
                self.dismiss(True)
            else:
                self._say(say("keys.type_passphrase" if self._unlocking else "keys.type_key"))
            return
        if wants and not passphrase:
            self._say(say("keys.new_passphrase" if wants == "new" else "keys.type_passphrase"))
            self.set_focus(self._input("passphrase"))
        elif wants == "new" and passphrase != again:
            self._say(say("keys.passphrase_again") if not again else say("keys.passphrases_differ"), error=bool(again))
            self.set_focus(self._input("again"))
        elif not key.strip():
            self._unlock(passphrase)
        elif self._where is not None:
            self._set(key, self._where, passphrase if wants else None)

    def _unlock(self, passphrase: str) -> None:
        keys = self._backends.keys

        def unlock() -> Callable[[], object]:
            keys.unlock(passphrase)
            return lambda: self.dismiss(True)

        self._in_thread(unlock, say("keys.unlocking"))

    def _set(self, key: str, where: Where, passphrase: str | None) -> None:
        keys, backends, name = self._backends.keys, self._backends, self._provider.name

        def keep() -> Callable[[], object]:
            if passphrase is not None:
                keys.unlock(passphrase)
            place = keys.set(name, key, where)
            backends.forget_key(name)
            return lambda: self._have_set(place)

        self._in_thread(keep, say("keys.keeping"))

    def _have_set(self, place: Place) -> None:
        self._changed = True
        for name in ("key", "passphrase", "again"):
            self._input(name).value = ""
        self.set_focus(self._input("key"))
        self._say(say("keys.kept", place=say(f"keys.keep_{place.where}")))
        self._look()

    def action_test(self) -> None:
        """Tries the key that is known, on the provider's list of models."""
        if self._busy or self._unlocking:
            return
        if self._input("key").value.strip():
            self._say(say("keys.keep_first"))
            return
        backends, provider, stop = self._backends, self._provider, self._stop

        def test() -> Callable[[], object]:
            backends.forget_key(provider.name)
            key = backends.keys.find(provider.name, provider.key_env)
            if key is None and provider.needs_key:
                raise QiaoError("keys.none_to_test")
            backends.refresh(provider.name, stop)
            count = sum(model.address.provider == provider.name for model in backends.models())
            proved = key is not None and not provider.lists_without_key
            return lambda: self._have_tested(count, proved)

        self._in_thread(test, say("keys.testing", provider=provider.shown))

    def _have_tested(self, count: int, proved: bool) -> None:
        self._changed = True
        self._say(say("keys.works" if proved else "keys.open_list", models=count))

    def action_delete(self) -> None:
        """Deletes the key wherever it is kept, at the second press."""
        if self._busy or self._unlocking:
            return
        if not self._sure:
            self._sure = True
            self._say(say("keys.sure"))
            return
        self._sure = False
        backends, name = self._backends, self._provider.name

        def delete() -> Callable[[], object]:
            gone = backends.keys.delete(name)
            backends.forget_key(name)
            return lambda: self._have_deleted(gone)

        self._in_thread(delete, say("keys.deleting"))

    def _have_deleted(self, gone: list[Where]) -> None:
        self._changed = self._changed or bool(gone)
        places = say("keys.and").join(say(f"keys.source_{where}") for where in gone)
        self._say(say("keys.deleted", places=places) if gone else say("keys.nothing_kept"))
        self._look()

    def action_leave(self) -> None:
        self._stop.set()
        self.dismiss(self._changed)

    # Threads

    def _in_thread(self, work: Callable[[], Callable[[], object]], said: str) -> None:
        """Does the work in a thread, then what it returns here; nothing else is begun before it is done."""
        self._busy = True
        self._say(said)
        self._start(work, busy=True)

    def _start(self, work: Callable[[], Callable[[], object]], *, busy: bool) -> None:
        def run() -> None:
            try:
                done = self.Done(work(), busy=busy)
            except QiaoError as error:
                words = str(error)
                done = self.Done(lambda: self._say(words, error=True), busy=busy)
            # The dialog may have been left meanwhile.
            if not self._stop.is_set():
                self.post_message(done)

        threading.Thread(target=run, name="keys", daemon=True).start()

    @on(Done)
    def _done(self, event: Done) -> None:
        if self._stop.is_set():
            # It was left after this was sent: what would be taken off the screen is what lies below it.
            return
        if event.busy:
            self._busy = False
        event.then()


def after_unlocking(app: App[object], backends: Backends, name: str, then: Callable[[], None]) -> None:
    """Goes on, after asking for the passphrase if this provider's key lies in the file and nobody has given it yet.

    Left without it, what goes on finds no key, and says so.
    """
    provider = backends.providers.get(name)
    if provider is None or not backends.keys.is_locked(name, provider.key_env):
        then()
    else:
        app.push_screen(KeyDialog(provider, backends, unlocking=True), lambda _: then())


def now(status: Status, provider: Provider) -> str:
    """One or two lines: where the key comes from at present, and what is wrong."""
    if status.source is None:
        line = say("keys.now_none" if provider.needs_key else "keys.now_none_needed")
    else:
        source = say(f"keys.source_{status.source}")
        detail = f" ({status.detail})" if status.source in ("environment", "keyring") and status.detail else ""
        line = say("keys.now", source=source + detail)
        if status.fingerprint:
            line += say("keys.now_fingerprint", fingerprint=status.fingerprint)
        elif status.source == "file":
            line += say("keys.now_locked")
        if status.source == "environment":
            line += "\n" + say("keys.environment_first", variable=status.detail)
    return f"{line}\n{visible(status.problem)}" if status.problem and status.source is None else line
