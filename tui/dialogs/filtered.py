"""A list that narrows as one types: a line to type in, and below it what fits."""

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ..input.at_once import bind_at_once
from ..input.shown_input import ShownInput
from ..look.inks import Inks
from ..panes.rows import Row, Rows

T = TypeVar("T")

STEPPED: list[BindingType] = [
    Binding("escape,ctrl+c", "leave", show=False, priority=True),
    Binding("down", "step(1)", show=False, priority=True),
    Binding("up", "step(-1)", show=False, priority=True),
    Binding("pagedown", "step(10)", show=False, priority=True),
    Binding("pageup", "step(-10)", show=False, priority=True),
]
"""Keys of a list that is walked while a line is typed in."""


class FilteredList(ModalScreen[T | None], Generic[T]):
    """enter gives what is selected, esc nothing; the keys of the list work while one types.

    A subclass says what is listed for a text (`listed`), and what comes of a row that is chosen (`choose`).

    Args:
        inks: of the theme.
        title: what the list is of.
        typed: what stands in the line at first.
    """

    CSS_PATH = "filtered.tcss"
    BINDINGS = STEPPED

    def __init__(self, inks: Inks, title: str, typed: str = "") -> None:
        super().__init__()
        self.inks = inks
        self._title = title
        self._typed = typed

    def compose(self) -> ComposeResult:
        with Vertical(id="filtered"):
            yield Static(self._title, id="filtered-title", markup=False)
            line = ShownInput(self._typed, compact=True)
            bind_at_once(line)
            line.cursor_blink = False
            yield line
            yield Rows(self.inks, marks_always=True)
            yield from self.below()

    def below(self) -> ComposeResult:
        """What stands under the list."""
        yield from ()

    def on_mount(self) -> None:
        self.query_one(Rows).can_focus = False
        self.set_focus(self.query_one(Input))
        self.refresh_rows()

    @property
    def typed(self) -> str:
        return self.query_one(Input).value

    @property
    def selected(self) -> Hashable | None:
        return self.query_one(Rows).selected_key

    def listed(self, typed: str) -> Sequence[Row]:
        """The rows for what is typed."""
        raise NotImplementedError

    def choose(self, key: Hashable | None) -> None:
        """enter was pressed: on this row, or with nothing listed."""
        raise NotImplementedError

    def refresh_rows(self) -> None:
        """Lists anew."""
        self.query_one(Rows).show(self.listed(self.typed))

    def tell(self, title: str) -> None:
        """Other words above the line, such as how many there are."""
        self.query_one("#filtered-title", Static).update(title, layout=False)

    @on(Input.Changed)
    def _filter(self) -> None:
        self.refresh_rows()
        self.action_step(-99999)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.choose(self.selected)

    @on(Rows.Chosen)
    def _clicked(self, event: Rows.Chosen) -> None:
        self.choose(event.key)

    def action_step(self, step: int) -> None:
        self.query_one(Rows).action_step(step)

    def action_leave(self) -> None:
        self.dismiss(None)
