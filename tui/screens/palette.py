"""The command palette: any action, model, theme or conversation, found by name as one types."""

from collections.abc import Hashable, Iterator
from typing import Protocol

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.widgets import Input, Static

from ...workbench.library import Library
from ...workbench.words import say
from ..actions.table import Keys
from ..dialogs.filtered import FilteredList
from ..look.inks import Inks
from ..panes.rows import Row, Rows
from ..text.wrap import Line, Run
from .fitting import Fit
from .palette_commands import Bench, Command, Themed, actions, conversations, files, models, themes
from .palette_files import FoundFiles

MODELS_LISTED = 100
"""At most so many models at once: a catalog has tens of thousands, and more words find the one that is meant."""
FILES_LISTED = 50
"""At most so many files at once."""
FILES_OFFERED = 6
"""Of those touched last, before anything is typed."""
ALL = 10_000
"""More than there are of anything else."""
LOOKS_A_SECOND = 15
ASIDE_CELLS = 34
"""For what stands at the right."""


class Offers(Themed, Protocol):
    """The app, as far as the palette knows it."""

    keys: Keys

    @property
    def workbench(self) -> Bench: ...


class Palette(FilteredList[Command]):
    """enter gives what is selected, which is to be carried out. What is listed always fits the line as it stands.

    Models and files that are found meanwhile show by themselves; what is selected stays so.

    Args:
        inks: of the theme.
        library: what it knows already.
        app: whose commands they are.
    """

    CSS_PATH = ["../dialogs/filtered.tcss", "palette.tcss"]

    def __init__(self, inks: Inks, library: Library, app: Offers) -> None:
        super().__init__(inks, say("screen.palette_title"))
        self._bench = app.workbench
        self._here = (conversations(self._bench), actions(self._bench, app.keys), themes(app))
        self._known = self._bench.known.models
        self._models, self._files = models(self._bench), files(self._bench, ())
        opened = {session.document.path for session in self._bench.sessions}
        self._found = FoundFiles(library, opened)
        self._listed: dict[Hashable, tuple[Command, Row]] = {}
        self._best: Fit | None = None
        """How well the first row fits; None: there is none."""
        self._first: Hashable | None = None
        """The first row when the line was typed; it stays selected, unless a person selects another."""
        self._is_looking = True
        """There may be files, or models, that aren't taken in yet."""

    def below(self) -> ComposeResult:
        yield Static("", id="palette-detail", markup=False)

    def on_mount(self) -> None:
        # The base class's own comes after this one, and lists for the first time.
        self.query_one(Input).placeholder = say("screen.palette_placeholder")
        self.set_interval(1 / LOOKS_A_SECOND, self._look)
        self._found.start()

    def on_unmount(self) -> None:
        self._found.stop()

    def refresh_rows(self) -> None:
        self._list()
        self._first = next(iter(self._listed), None)
        self._show()

    def _list(self) -> None:
        self._best = None
        fitting = self._fitting() if self.typed.strip() else self._offered()
        self._listed = {command.key: (command, row) for command, row in fitting}

    def _offered(self) -> Iterator[tuple[Command, Row]]:
        """What there is to choose before anything is typed."""
        self._best = Fit.BEGINS
        counts = (ALL, ALL, ALL, FILES_OFFERED, MODELS_LISTED)
        for group, most in zip((*self._here, self._files, self._models), counts, strict=True):
            for number in range(min(group.names.count, most)):
                command = group.command(number)
                yield command, _row(command, (Run(command.name),))

    def _fitting(self) -> Iterator[tuple[Command, Row]]:
        """What fits the line, the best first; of what fits as well, files come last."""
        counts = (ALL, ALL, ALL, MODELS_LISTED, FILES_LISTED)
        found = [
            (fit, group, number)
            for group, most in zip((*self._here, self._models, self._files), counts, strict=True)
            for fit, number in group.names.fitting(self.typed, most)
        ]
        self._best = min((fit for fit, _, _ in found), default=None)
        for fit, group, number in sorted(found, key=lambda each: each[0]):
            command = group.command(number)
            name = group.names.marked(command.name, self.typed, fit)
            if fit is Fit.HELP and command.help != command.aside:
                name = (*name, Run("  "), *group.names.marked(command.help, self.typed, fit, "faint"))
            yield command, _row(command, name)

    def _show(self) -> None:
        nothing = say("picker.looking" if self._is_looking else "library.nothing")
        rows = [row for _, row in self._listed.values()]
        self.query_one(Rows).show(rows or [Row((Run(nothing, "faint"),))])
        self.show_detail()

    def show_detail(self) -> None:
        command, _ = self._listed.get(self.selected, (None, None))
        self.query_one("#palette-detail", Static).update("" if command is None else command.help, layout=False)

    # What comes while it is open

    @property
    def _is_sure(self) -> bool:
        """Whether the first row has the very words in its name: what is still to be found can't be meant rather."""
        return self._best is not None and self._best < Fit.HELP

    def _look(self) -> None:
        if not self.is_whole:
            return
        # In this order: once all are found, all are taken in.
        is_looking = not self._found.done or self._bench.known.looking
        known, found = self._bench.known.models, len(self._found.files)
        if known is not self._known and known != self._known:
            self._models = models(self._bench)
            self._take_in()
        self._known = known
        if found > self._files.names.count:
            self._files = files(self._bench, self._found.files[:found])
            self._take_in()
        if self._is_looking and not is_looking:
            self._is_looking = False
            self._show()
        if self.is_waiting and self._is_sure:
            # What was selected when enter was pressed was only the best of what was known.
            self.query_one(Rows).select(next(iter(self._listed)))
        self.more_came(enough=self._is_sure or not is_looking)

    def _take_in(self) -> None:
        """Lists what was found as well; what is selected stays, also where it is no longer among the first."""
        selected = self.selected
        kept = self._listed.get(selected)
        self._list()
        if kept is not None:
            self._listed.setdefault(selected, kept)
        self._show()

    def choose(self, key: Hashable | None) -> None:
        if self._is_looking and not self._is_sure and key == self._first and self.wait_for_more():
            return
        if key in self._listed:
            command, _ = self._listed[key]
            self.dismiss(command)


def _row(command: Command, name: Line) -> Row:
    aside = command.aside
    if cell_len(aside) > ASIDE_CELLS:
        # The end of a path tells more than its beginning.
        while cell_len(aside) >= ASIDE_CELLS:
            aside = aside[1:]
        aside = f"…{aside}"
    return Row((Run(command.kind, "muted"), *name), (Run(aside, "muted"),) if aside else (), command.key)
