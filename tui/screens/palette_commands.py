"""What the palette offers: open conversations, actions, themes, models and files, each a kind of its own."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from ...workbench.address import Address
from ...workbench.seam import Model
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..actions.table import ACTIONS, WRITING, Keys
from ..input.typed_path import shown_path
from ..keeping.open_before import called
from ..look.theme_files import ThemeFile
from ..sessions.session import Session
from .fitting import Names
from .palette_files import FoundFile


class Command(NamedTuple):
    """One thing to choose."""

    key: Hashable
    kind: str
    """Stands before the name; or nothing."""
    name: str
    aside: str
    """What stands at the right: keys, or where it lies."""
    help: str
    run: Callable[[], object]


class Group(NamedTuple):
    """Commands of one kind, each made when it is listed."""

    names: Names
    command: Callable[[int], Command]
    """By the number of its name."""


class Known(Protocol):
    """Whatever knows models."""

    models: list[Model]
    looking: bool


class Picking(Protocol):
    """Whatever uses a model."""

    def use_model(self, address: Address) -> None: ...


class Opening(Protocol):
    """Whatever opens conversations."""

    def open_path(self, path: Path) -> None: ...
    def begin_from(self, template: Path) -> None: ...


class Bench(Protocol):
    """The workbench, as far as it offers something."""

    sessions: list[Session]
    current: int

    @property
    def known(self) -> Known: ...
    @property
    def picking(self) -> Picking: ...
    @property
    def files(self) -> Opening: ...

    def go_to(self, number: int) -> None: ...
    def action_do(self, action_id: str) -> None: ...


class Themed(Protocol):
    """Whatever has themes: the app."""

    themes: list[ThemeFile]

    def use_theme(self, name: str) -> None: ...


def _group(commands: Sequence[Command]) -> Group:
    kind = commands[0].kind if commands else ""
    told = [f"{command.help} {command.aside}" for command in commands]
    return Group(Names(kind, [command.name for command in commands], told), commands.__getitem__)


def actions(bench: Bench, keys: Keys) -> Group:
    """All that can be done, except while one writes."""
    return _group(
        [
            Command(
                action.id,
                "",
                action.label,
                visible_line(" ".join(keys.shown(action.id))),
                action.help,
                partial(bench.action_do, action.id),
            )
            for action in ACTIONS
            if action.where not in WRITING and action.id != "palette"
        ]
    )


def themes(app: Themed) -> Group:
    kind = say("screen.use_theme", name="")
    shown = [(theme.name, visible_line(theme.shown_title)) for theme in app.themes]
    return _group(
        [Command(("theme", name), kind, title, "", name, partial(app.use_theme, name)) for name, title in shown]
    )


def conversations(bench: Bench) -> Group:
    """Those that are open, besides the one that is shown."""

    def to(session: Session) -> Command:
        path = "" if session.document.is_untitled else visible_line(shown_path(session.document.path))
        name, switch = visible_line(called(session.document)), partial(_switch, bench, session)
        return Command(session, say("screen.use_open", name=""), name, "", path or say("library.draft"), switch)

    return _group([to(session) for number, session in enumerate(bench.sessions) if number != bench.current])


def _switch(bench: Bench, session: Session) -> None:
    if session in bench.sessions:
        bench.go_to(bench.sessions.index(session))


def models(bench: Bench) -> Group:
    kind, known = say("screen.use_model", name=""), bench.known.models
    names = [visible_line(str(model.address)) for model in known]

    def command(number: int) -> Command:
        address = known[number].address
        return Command(address, kind, names[number], "", names[number], partial(bench.picking.use_model, address))

    return Group(Names(kind, names), command)


def files(bench: Bench, found: Sequence[FoundFile]) -> Group:
    kind = say("screen.use_file", name="")

    def command(number: int) -> Command:
        file = found[number]
        opening = bench.files.begin_from if file.kind == "template" else bench.files.open_path
        return Command(file.path, kind, file.name, file.where, file.told, partial(opening, file.path))

    return Group(Names(kind, [file.name for file in found], [file.where for file in found]), command)
