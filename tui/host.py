"""What the screens find in the app that they run in: what lives as long as the program does."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..backends.registry import Backends
from ..backends.sensors.sampler import Sampler
from ..workbench.answering import Answer
from ..workbench.conversation import Message
from .actions.table import Keys
from .jobs import Jobs
from .keeping.keeper import Keeper
from .look.inks import Inks
from .sessions.running import Run
from .sessions.session import Session

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.widgets import TextArea

T = TypeVar("T")


class Host(Protocol):
    """The app, as far as screens know it."""

    inks: Inks
    keys: Keys
    backends: Backends
    sampler: Sampler
    keeper: Keeper
    jobs: Jobs
    plain: bool
    """One column, no drawn signs, and what happens said in one line."""
    copied: Sequence[Message]
    """The messages that `y` copied last."""

    def tell(self, text: str, *, error: bool = False) -> None:
        """A notice at the corner of the screen. Text, never markup."""
        ...

    def choose_from(self, dialog: "Screen[T | None]", then: Callable[[T], object]) -> None:
        """Opens a dialog, and does with what is chosen there as a key does: those behind it come after all of it."""
        ...

    def place_cursor(self, editor: "TextArea") -> None:
        """Puts the terminal's own cursor where the caret is."""
        ...

    def answer_ended(self, run: Run, answer: Answer) -> None:
        """For a run's thread."""
        ...

    def conversation_closed(self, session: Session) -> None:
        """The conversation is no longer open."""
        ...

    def look_for_models(self) -> None:
        """Brings the picker up to date, from a thread."""
        ...

    def settings_changed(self) -> None:
        """The settings file was written to: what it says holds at once."""
        ...

    def repaint(self) -> None:
        """Paints every cell, whatever the terminal may have lost."""
        ...

    def next_theme(self) -> None: ...

    def leave(self) -> None:
        """Stops what streams, saves everything, gives the memory back, and ends."""
        ...

    def end(self) -> None:
        """Ends, whatever isn't saved."""
        ...
