"""What the command palette knows: every action, every model, every theme."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, Protocol, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.command import CommandInput, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.markup import escape

from ...workbench.address import Address
from ...workbench.seam import Model
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..input.shown_input import ShownInput

MODELS_LISTED = 100
"""At most so many models at once: a catalog has tens of thousands, and more words find the one that is meant."""
LOOKED_AT_ONCE = 1000
"""After so many models that don't fit, keys get a turn."""


class Command(NamedTuple):
    """One thing to choose."""

    title: str
    help: str
    run: Callable[[], object]


class Picking(Protocol):
    """Whatever uses a model."""

    def use_model(self, address: Address) -> None: ...


class Known(Protocol):
    """Whatever knows models."""

    models: list[Model]


class KnowsModels(Protocol):
    """The workbench, as far as it is about models."""

    @property
    def known(self) -> Known: ...
    @property
    def picking(self) -> Picking: ...


class Commands(Protocol):
    """Whatever has commands to offer: the app."""

    @property
    def plain(self) -> bool: ...

    @property
    def workbench(self) -> KnowsModels: ...

    def commands(self) -> Iterator[Command]: ...


class _Line(CommandInput, ShownInput):
    """What is typed into the palette. Its looks come from the first of the two."""


class Palette(CommandPalette):
    """Textual's, with our line to type in."""

    CSS_PATH = "palette.tcss"
    BINDINGS = [Binding("escape,ctrl+c", "escape", show=False, priority=True)]

    def compose(self) -> ComposeResult:
        self.set_class(cast(Commands, self.app).plain, "-plain")
        for widget in super().compose():
            yield (
                _Line(placeholder=self._placeholder, select_on_focus=False)
                if isinstance(widget, CommandInput)
                else widget
            )


class QiaoCommands(Provider):
    """Textual asks this for commands. It reads markup in what it is given: names that look like some are escaped."""

    @property
    def _offered(self) -> Commands:
        return cast(Commands, self.app)

    async def discover(self) -> Hits:
        models = [model.address for model in self._offered.workbench.known.models[:MODELS_LISTED]]
        for title, help_text, run in [*self._offered.commands(), *map(self._to_use, models)]:
            yield DiscoveryHit(escape(title), run, title, escape(help_text))

    async def search(self, query: str) -> Hits:
        for command in self._offered.commands():
            if found := self._hit(query, command):
                yield found
        listed = 0
        for seen, address in enumerate(fitting(self._offered.workbench.known.models, query), 1):
            if address is not None and (found := self._hit(query, self._to_use(address))):
                listed += 1
                yield found
            if listed == MODELS_LISTED:
                break
            if seen % LOOKED_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _to_use(self, address: Address) -> Command:
        name = visible_line(str(address))
        return Command(
            say("screen.use_model", name=name), name, partial(self._offered.workbench.picking.use_model, address)
        )

    def _hit(self, query: str, command: Command) -> Hit | None:
        title, help_text, run = command
        matcher = self.matcher(query)
        # Letters strewn over a whole sentence match nearly anything: of the help, only the very words count.
        in_help = 0.1 if len(query) > 3 and query.lower() in help_text.lower() else 0.0
        score = matcher.match(title) or in_help
        return Hit(score, matcher.highlight(escape(title)), run, title, escape(help_text)) if score > 0 else None


def fitting(models: Sequence[Model], typed: str) -> Iterator[Address | None]:
    """Those that fit what is typed, lazily: first those that hold its very words, then those that hold its letters.

    None for each that doesn't fit, so that whoever asks can take a rest.
    """
    # A command's title has a word before the model's name, which may be typed as well.
    before = say("screen.use_model", name="").lower()
    words, letters = typed.lower().split(), "".join(typed.lower().split())

    def holds_words(address: Address) -> bool:
        title = f"{before}{address}".lower()
        return all(word in title for word in words)

    for model in models:
        yield model.address if holds_words(model.address) else None
    for model in models:
        holds_letters = with_letters(f"{before}{model.address}".lower(), letters)
        yield model.address if holds_letters and not holds_words(model.address) else None


def with_letters(title: str, letters: str) -> bool:
    """Whether the letters are in it in this order, with anything between them."""
    at = -1
    return all((at := title.find(letter, at + 1)) >= 0 for letter in letters)
