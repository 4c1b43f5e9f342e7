"""What the command palette knows: every action, every model, every theme."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider


class Command(NamedTuple):
    """One thing to choose."""

    title: str
    help: str
    run: Callable[[], object]


class Commands(Protocol):
    """Whatever has commands to offer: the app."""

    def commands(self) -> Iterator[Command]: ...


class QiaoCommands(Provider):
    """Textual asks this for commands."""

    def _commands(self) -> Iterator[Command]:
        return cast(Commands, self.app).commands()

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
