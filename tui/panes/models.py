"""The model picker: what can answer here, by provider, with state, kind and size."""

from collections.abc import Sequence
from itertools import groupby

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.geometry import Region
from textual.message import Message as Event

from ...workbench.address import Address
from ...workbench.seam import Model, State
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..bars import bytes_short
from ..glyphs import glyphs
from ..inks import Inks
from ..transcript.blocks import short_model
from ..wrap import Run
from .inline_input import InlineInput
from .rows import Row, Rows

STATE_INKS: dict[State, str] = {"loaded": "good", "served": "good", "loading": "warn", "failed": "bad"}


class ModelRows(Rows):
    """The list itself."""

    BINDINGS = [
        Binding("slash", "filter", show=False, priority=True),
        Binding("x", "unload", show=False, priority=True),
        Binding("escape", "leave", show=False, priority=True),
    ]

    class Leave(Event):
        """Back to the conversation."""

    class Unload(Event):
        """The memory of this model is wanted back."""

        def __init__(self, address: Address) -> None:
            super().__init__()
            self.address = address

    def action_filter(self) -> None:
        pane = self.parent
        assert isinstance(pane, ModelsPane)
        pane.type_filter()

    def action_unload(self) -> None:
        if isinstance(self.selected_key, Address):
            self.post_message(self.Unload(self.selected_key))

    def action_leave(self) -> None:
        self.post_message(self.Leave())


class ModelsPane(Container):
    """Shows models, filtered by what is typed after `/`."""

    DEFAULT_CSS = """
    ModelsPane { layers: base edit; background: $q-panel; padding: 1 0 0 0; }
    """

    def __init__(self, inks: Inks, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._inks = inks
        self._models: Sequence[Model] = ()
        self._current: Address | None = None
        self._filter = ""
        self._looking = True

    def compose(self) -> ComposeResult:
        yield ModelRows(self._inks, id="model-rows")

    @property
    def rows(self) -> ModelRows:
        return self.query_one(ModelRows)

    def show(self, models: Sequence[Model], current: Address, looking: bool) -> None:
        """Shows these models.

        Args:
            models: in order.
            current: the one that answers next.
            looking: whether they are still being looked for.
        """
        self._models, self._current, self._looking = models, current, looking
        self._paint()

    def _paint(self) -> None:
        wanted = self._filter.lower()
        models = [m for m in self._models if wanted in f"{m.address} {m.kind or ''}".lower()]
        rows = [Row((Run(say("screen.models"), "muted strong"),), (Run("m", "faint"),))]
        filter_words = visible_line(self._filter) if self._filter else say("screen.filter")
        rows.append(Row((Run(f"/ {filter_words}", "text" if self._filter else "faint"),)))
        for provider, group in groupby(models, key=lambda model: model.address.provider):
            name = say("screen.this_machine") if provider == "local" else visible_line(provider)
            rows += [Row(), Row((Run(name, "muted"),))]
            rows += [self._row(model) for model in group]
        if not models:
            words = "screen.looking" if self._looking else "screen.no_models"
            rows += [Row(), Row((Run(say(words), "faint"),))]
        self.rows.show(rows)

    def _row(self, model: Model) -> Row:
        current = model.address == self._current
        state = Run(getattr(glyphs, model.state), STATE_INKS.get(model.state, "muted"))
        title = Run(
            visible_line(short_model(str(model.address))),
            "strong" if current else "text" if model.state != "failed" else "muted",
        )
        left = [state, Run(" "), title]
        right: list[Run] = []
        if model.kind in ("base", "reasoning"):
            right.append(Run(f"{say(f'screen.kind_{model.kind}')} ", "muted"))
        if model.problem and model.state != "loading":
            right = [Run(say("screen.model_problem"), "bad")]
        elif model.size_bytes is not None:
            right.append(Run(bytes_short(model.size_bytes).rjust(5), "muted"))
        if current:
            right.append(Run(f" {glyphs.mark}", "good"))
        return Row(tuple(left), tuple(right), model.address)

    def type_filter(self) -> None:
        """Opens the input for the filter. At once: what is typed right after the key belongs into it."""
        at = self.rows.region.offset - self.content_region.offset
        box = InlineInput("filter", self._filter, Region(at.x, at.y + 1, self.size.width - 2, 1))
        self.mount(box)
        self.screen.set_focus(box)

    def on_input_changed(self, event: InlineInput.Changed) -> None:
        event.stop()
        self._filter = event.value
        self._paint()

    def on_inline_input_done(self, event: InlineInput.Done) -> None:
        event.stop()
        if event.value is None:
            self._filter = ""
        self.screen.set_focus(self.rows)
        self.query(InlineInput).remove()
        self._paint()
