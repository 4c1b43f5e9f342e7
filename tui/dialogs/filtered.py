"""A list that narrows as one types: a line to type in, and below it what fits."""

import time
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, Protocol, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
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
PATIENCE_S = 5.0
"""So long enter waits for something to be found; the keys behind it wait as well."""
SEEN_S = 0.4
"""After so long a person has seen that enter waits, and an esc is meant for that."""


class _HoldsKeys(Protocol):
    """The app, as far as it can have keys wait."""

    def hold_keys(self, give_up: Callable[[], bool]) -> None: ...
    def take_typed_ahead(self) -> None: ...
    def forget_held_keys(self) -> None: ...


class FilteredList(ModalScreen[T | None], Generic[T]):
    """enter gives what is selected, esc nothing; the keys of the list work while one types.

    A subclass says what is listed for a text (`listed`), and what comes of a row that is chosen (`choose`).

    One that goes on looking while its rows are shown is opened by the app's `choose_from`, has an enter that comes too
    early wait (`wait_for_more`), and tells when more has come (`more_came`).

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
        self._waits_until: float | None = None
        """enter was pressed before what it is meant for was found; by `time.monotonic`."""
        self._has_waited = False
        """Long enough, for what is typed now."""
        self._is_left = False

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
    def is_whole(self) -> bool:
        """Whether its parts stand: Textual no longer displays what it takes down, before it takes the first part."""
        return self.display

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

    def show_detail(self) -> None:
        """Another row may be selected; for a list that tells more of it."""

    @property
    def is_waiting(self) -> bool:
        """Whether enter was pressed before what it is meant for was found."""
        return self._waits_until is not None

    def wait_for_more(self) -> bool:
        """For `choose`, where nothing that could be meant is found yet. Keys behind it are meant for what it opens.

        Returns:
            False: it has waited long enough for what is typed; what there is has to do.
        """
        if not self._has_waited:
            self._waits_until = time.monotonic() + PATIENCE_S
            cast(_HoldsKeys, self.app).hold_keys(self._give_up)
        return not self._has_waited

    def _give_up(self) -> bool:
        """esc was pressed while enter waits: in one burst with it, it is meant for what enter opens."""
        if self._waits_until is None or time.monotonic() < self._waits_until - PATIENCE_S + SEEN_S:
            return False
        self._waits_until = None
        self.action_leave()
        return True

    def more_came(self, *, enough: bool) -> None:
        """An enter that waits is carried out now, if this is enough for it or it has waited too long."""
        if self._waits_until is None or not (enough or time.monotonic() > self._waits_until):
            return
        if self.app.screen is not self:
            # A question has just come over it, which would be taken off the screen in its place.
            return
        self._waits_until, self._has_waited = None, True
        self.choose(self.selected)
        if not self._is_left:
            cast(_HoldsKeys, self.app).take_typed_ahead()

    def on_screen_suspend(self) -> None:
        # What has come over it, a question that nobody asked for, is answered by keys; enter can be pressed again.
        if self.is_waiting:
            self._waits_until = None
            cast(_HoldsKeys, self.app).forget_held_keys()

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        self._is_left = True
        return super().dismiss(result)

    def refresh_rows(self) -> None:
        """Lists anew."""
        self.query_one(Rows).show(self.listed(self.typed))

    def tell(self, title: str) -> None:
        """Other words above the line, such as how many there are."""
        self.query_one("#filtered-title", Static).update(title, layout=False)

    @on(Input.Changed)
    def _filter(self) -> None:
        self._has_waited = False
        self.refresh_rows()
        self.to_top()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.choose(self.selected)

    @on(Rows.Chosen)
    def _clicked(self, event: Rows.Chosen) -> None:
        self.choose(event.key)

    def to_top(self) -> None:
        """Selects the first row: what fits the line best."""
        self.query_one(Rows).action_step(-99999)
        self.show_detail()

    def action_step(self, step: int) -> None:
        self.query_one(Rows).action_step(step)
        self.show_detail()

    def action_leave(self) -> None:
        self.dismiss(None)
