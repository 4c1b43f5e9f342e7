"""What the command palette knows: every action, every model, every theme."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from ..workbench.visible import visible_line
from ..workbench.words import say
from .actions import ACTIONS


class Command(NamedTuple):
    """One thing to choose."""

    title: str
    help: str
    run: Callable[[], object]


class QiaoCommands(Provider):
    """Textual asks this for commands."""

    def _commands(self) -> Iterator[Command]:
        from .app import QiaoApp
        from .screens.workbench import WorkbenchScreen

        app = cast(QiaoApp, self.app)
        screen = app.workbench
        assert isinstance(screen, WorkbenchScreen)
        for action in ACTIONS:
            if action.where != "editor" and action.id != "palette":
                keys = " ".join(app.keys.shown(action.id))
                yield Command(f"{action.label}  ({keys})", action.help, lambda id=action.id: screen.action_do(id))
        for model in screen.models:
            name = visible_line(str(model.address))
            yield Command(say("screen.use_model", name=name), name, lambda a=model.address: screen.use_model(a))
        for theme in app.themes:
            title = say("screen.use_theme", name=visible_line(theme.shown_title))
            yield Command(title, theme.name, lambda name=theme.name: app.use_theme(name))

    async def discover(self) -> Hits:
        for title, help_text, run in self._commands():
            yield DiscoveryHit(title, run, help=help_text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, help_text, run in self._commands():
            # Letters strewn over a whole sentence match nearly anything: of the help, only the very words count.
            in_help = 0.1 if len(query) > 3 and query.lower() in help_text.lower() else 0.0
            score = matcher.match(title) or in_help
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, help=help_text)
