"""The model picker: what can answer here, by provider; at its foot, more about the row that is selected."""

from collections.abc import Hashable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.geometry import Region
from textual.message import Message as Event
from textual.strip import Strip
from textual.widget import Widget

from ...workbench.address import Address
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..look.inks import Inks
from ..text.wrap import Line, Run
from .inline_input import InlineInput
from .model_detail import detail_lines
from .model_tree import Part, Recent, Shown, tree_rows
from .rows import Row, Rows


class ModelRows(Rows):
    """The list itself."""

    BINDINGS = [
        Binding("h,left", "fold(True)", show=False, priority=True),
        Binding("l,right", "fold(False)", show=False, priority=True),
        Binding("escape", "leave", show=False, priority=True),
    ]

    class Leave(Event):
        """Back to the conversation; or, if something is under way for this row, an end of that."""

        def __init__(self, key: Hashable | None) -> None:
            super().__init__()
            self.key = key

    class Fold(Event):
        """A part is to be folded, or opened."""

        def __init__(self, provider: str, folded: bool) -> None:
            super().__init__()
            self.provider = provider
            self.folded = folded

    def selection_changed(self) -> None:
        if isinstance(self.parent, ModelsPane):
            self.parent.paint_detail()

    def action_fold(self, folded: bool) -> None:
        match self.selected_key:
            case Part(provider):
                self.post_message(self.Fold(provider, folded))
            case Address() as address if folded:
                self.select(Part(address.provider))
            case _:
                pass

    def action_leave(self) -> None:
        self.post_message(self.Leave(self.selected_key))


class ModelDetail(Widget):
    """The lines at the foot; as many places as it has, so that the list keeps its size."""

    DEFAULT_CSS = """
    ModelDetail { background: $q-panel; height: 6; dock: bottom; padding: 0; }
    """

    def __init__(self, inks: Inks) -> None:
        super().__init__(id="model-detail")
        self.inks = inks
        self._lines: list[Line] = []

    def restyle(self, inks: Inks) -> None:
        self.inks = inks
        self.refresh()

    def show(self, lines: list[Line]) -> None:
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        # The first one parts it from the list.
        line = self._lines[y - 1] if 0 < y <= len(self._lines) else ()
        return self.inks.strip((Run(" "), *line), "panel", self.size.width)


class ModelsPane(Container):
    """Shows models, filtered by what is typed after `/`."""

    DEFAULT_CSS = """
    ModelsPane { layers: base edit; background: $q-panel; padding: 1 0 0 0; }
    """

    def __init__(self, inks: Inks, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._inks = inks
        self._shown = Shown(looking=True)
        self._free: int | None = None
        self._filter = ""

    def compose(self) -> ComposeResult:
        yield ModelRows(self._inks, id="model-rows")
        yield ModelDetail(self._inks)

    @property
    def rows(self) -> ModelRows:
        return self.query_one(ModelRows)

    @property
    def address(self) -> Address | None:
        """The model that is selected, if the list has the focus; else the one that answers next."""
        key = self.selected_key
        return key.address if isinstance(key, Recent) else key if isinstance(key, Address) else None

    @property
    def provider(self) -> str | None:
        """The provider of the row that is selected."""
        key = self.selected_key
        return key.provider if isinstance(key, Part) else self.address.provider if self.address else None

    @property
    def selected_key(self) -> Hashable | None:
        """Of the row that is selected, if the list has the focus; else the model that answers next."""
        return self.rows.selected_key if self.rows.has_focus else self._shown.current

    def show(self, shown: Shown, free_bytes: int | None) -> None:
        """Shows these models.

        Args:
            shown: what there is.
            free_bytes: memory that a model could have here.
        """
        if shown != self._shown or not self.rows.shown_rows:
            self._shown = shown
            self._paint()
        if free_bytes != self._free:
            self._free = free_bytes
            self.paint_detail()

    def reveal_current(self) -> None:
        """Selects the model that answers next, where it is in sight."""
        current = self._shown.current
        if current is not None:
            keys = {row.key for row in self.rows.shown_rows}
            self.rows.select(next((k for k in (Recent(current), current) if k in keys), Part(current.provider)))

    def _paint(self) -> None:
        filter_words = visible_line(self._filter) if self._filter else say("screen.filter")
        self.rows.show(
            [
                Row((Run(say("screen.models"), "muted strong"),), (Run("m", "faint"),)),
                Row((Run(f"/ {filter_words}", "text" if self._filter else "faint"),)),
                *tree_rows(self._shown, self._filter),
            ]
        )
        self.paint_detail()

    def paint_detail(self) -> None:
        """Tells more of the selected row."""
        detail = self.query_one(ModelDetail)
        width = detail.size.width - 3
        if width > 0:
            height = detail.size.height - 1
            detail.show(detail_lines(self.selected_key, self._shown, width, height, self._free))

    def on_resize(self) -> None:
        self.call_after_refresh(self.paint_detail)

    def type_filter(self) -> None:
        """Opens the input for the filter. At once: what is typed right after the key belongs into it."""
        self.rows.action_step(-99999)
        at = self.rows.region.offset - self.content_region.offset
        box = InlineInput("filter", self._filter, Region(at.x, at.y + 1, self.size.width - 2, 1))
        self.mount(box)
        self.screen.set_focus(box)

    def on_input_changed(self, event: InlineInput.Changed) -> None:
        event.stop()
        self._filter = event.value
        self._paint()
        self._select_first_model()

    def _select_first_model(self) -> None:
        """enter, after typing, uses the first model that is left."""
        first = next((row.key for row in self.rows.shown_rows if isinstance(row.key, Address | Recent)), None)
        if first is not None and self._filter:
            self.rows.select(first)

    def on_inline_input_done(self, event: InlineInput.Done) -> None:
        event.stop()
        if event.value is None:
            self._filter = ""
        self.screen.set_focus(self.rows)
        self.query(InlineInput).remove()
        self._paint()
