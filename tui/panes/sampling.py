"""The sampling pane: every parameter, edited in place; below them the variables of the conversation."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.message import Message as Event

from ...workbench.sampling import NAMES, Sampling, clamped
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..look.inks import Inks
from ..text.glyphs import glyphs
from ..text.wrap import Line, Run, truncate
from .inline_input import InlineInput
from .rows import Row, Rows

STEPS = {
    "temperature": 0.1,
    "top_p": 0.05,
    "top_k": 5,
    "min_p": 0.01,
    "max_tokens": 64,
    "repetition_penalty": 0.05,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.1,
    "seed": 1,
    "n": 1,
    "thinking_budget": 256,
}
"""By how much ← and → change a value."""

START = {
    "temperature": 0.7,
    "top_p": 1.0,
    "top_k": 20,
    "min_p": 0.0,
    "max_tokens": 512,
    "repetition_penalty": 1.0,
    "n": 1,
}
"""What ← and → start from while a value is unset and the model's own isn't known."""


class Setting(NamedTuple):
    """The key of a row: a parameter, or a variable."""

    name: str
    variable: bool = False


class SamplingRows(Rows):
    """The list itself."""

    BINDINGS = [
        Binding("h,left", "nudge(-1)", show=False, priority=True),
        Binding("l,right", "nudge(1)", show=False, priority=True),
        Binding("d,delete,backspace", "unset", show=False, priority=True),
        Binding("escape", "leave", show=False, priority=True),
    ]

    class Leave(Event):
        """Back to the conversation."""

    @property
    def pane(self) -> "SamplingPane":
        assert isinstance(self.parent, SamplingPane)
        return self.parent

    def action_choose(self) -> None:
        # At once, not by a message: what is typed right after the key belongs into the input.
        if isinstance(self.selected_key, Setting):
            self.pane.choose(self.selected_key)

    def action_nudge(self, step: int) -> None:
        if isinstance(self.selected_key, Setting):
            self.pane.nudge(self.selected_key, step)

    def action_unset(self) -> None:
        self.action_nudge(0)

    def action_leave(self) -> None:
        self.post_message(self.Leave())


class SamplingPane(Container):
    """Shows a sampling. What is set is bright; the engine's own default, where it is known, is faint."""

    DEFAULT_CSS = """
    SamplingPane { layers: base edit; background: $q-panel; padding: 1 0 0 0; }
    """

    class Set(Event):
        """A value was typed or stepped to; None unsets it."""

        def __init__(self, setting: Setting, text: str | None) -> None:
            super().__init__()
            self.setting = setting
            self.text = text

    def __init__(self, inks: Inks, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._inks = inks
        self._sampling = Sampling()
        self._defaults = Sampling()
        self._variables: Mapping[str, str] = {}
        self._names: Sequence[str] = ()
        self._unheeded: Mapping[str, str] = {}

    def compose(self) -> ComposeResult:
        yield SamplingRows(self._inks, id="sampling-rows")

    @property
    def rows(self) -> SamplingRows:
        return self.query_one(SamplingRows)

    def show(
        self,
        sampling: Sampling,
        defaults: Sampling,
        variables: Mapping[str, str],
        names: Sequence[str],
        unheeded: Mapping[str, str] | None = None,
    ) -> None:
        """Shows this.

        Args:
            sampling: as the conversation sets it.
            defaults: what the model is known to use where it is unset.
            variables: the conversation's values.
            names: the variables that its messages name.
            unheeded: the parameters that are set but don't count with this model, as `Backend.unheeded` tells them.
        """
        self._unheeded = unheeded or {}
        self._sampling, self._defaults, self._variables, self._names = sampling, defaults, variables, names
        rows = [Row((Run(say("screen.sampling"), "muted strong"),), (Run("s", "faint"),))]
        rows += [self._row(name) for name in NAMES if name != "extra"]
        shown = list(dict.fromkeys([*names, *variables]))
        if shown:
            rows += [Row(), Row((Run(say("screen.variables"), "muted strong"),), (Run("V", "faint"),))]
            rows += [Row((Run(visible_line(name)),), self._variable(name), Setting(name, True)) for name in shown]
        self.rows.show(rows)

    def _row(self, name: str) -> Row:
        is_set = getattr(self._sampling, name) is not None and name not in self._unheeded
        return Row((Run(name, "text" if is_set else "muted"),), self._value(name), Setting(name))

    def _value(self, name: str) -> Line:
        value = getattr(self._sampling, name)
        if value is not None and name in self._unheeded:
            return (
                Run(f"{say('screen.unheeded')} ", "faint"),
                Run(f"{glyphs.ignored} ", "warn"),
                Run(shown_value(value), "muted"),
            )
        if value is not None:
            return (Run(shown_value(value)),)
        if name == "seed":
            return (Run(say("screen.drawn"), "faint"),)
        default = getattr(self._defaults, name)
        return (Run("–" if default is None else shown_value(default), "faint"),)

    def _variable(self, name: str) -> Line:
        if name not in self._variables:
            return (Run(say("screen.no_value"), "bad"),)
        return (Run(truncate(visible_line(self._variables[name]), 14), "variable"),)

    def choose(self, setting: Setting) -> None:
        """Opens the value for typing, or takes the next one where there are few."""
        if setting.name == "thinking" and not setting.variable:
            self.nudge(setting, 1)
        else:
            self.edit(setting)

    def edit(self, setting: Setting, typed: str | None = None) -> None:
        """Opens the input in the setting's row.

        Args:
            setting: which.
            typed: what was typed and can't be used, to be mended; None: the present value, to be replaced.
        """
        self.query(InlineInput).remove()
        region = self.rows.row_region(setting)
        if region is None:
            return
        if setting.variable:
            value = self._variables.get(setting.name, "")
        else:
            current = getattr(self._sampling, setting.name)
            value = "" if current is None else shown_value(current)
        value = value if typed is None else typed
        x = min(len(setting.name) + 2, 12) if setting.variable else 13
        at = region.translate(self.rows.region.offset - self.content_region.offset)
        box = InlineInput(setting, value, at.shrink((0, 1, 0, x)), replace=typed is None)
        self.mount(box)
        self.screen.set_focus(box)

    def on_inline_input_done(self, event: InlineInput.Done) -> None:
        event.stop()
        self.screen.set_focus(self.rows)
        self.query(InlineInput).remove()
        if event.value is not None and isinstance(event.key, Setting):
            text = event.value if event.key.variable else event.value.strip()
            self.post_message(self.Set(event.key, text or (None if not event.key.variable else "")))

    def nudge(self, setting: Setting, step: int) -> None:
        """Changes a value by a step; 0 unsets it."""
        if step == 0 or setting.variable:
            if step == 0:
                self.post_message(self.Set(setting, None))
            return
        name = setting.name
        current = getattr(self._sampling, name)
        if name == "thinking":
            order = [None, True, False]
            following = order[(order.index(current) + step) % 3]
            self.post_message(self.Set(setting, None if following is None else str(following).lower()))
        elif name in STEPS:
            known = getattr(self._defaults, name)
            base = current if current is not None else known if known is not None else START.get(name, 0)
            value = clamped(name, round(base + step * STEPS[name], 4), base)
            if value != current:
                self.post_message(self.Set(setting, f"{value:g}" if isinstance(value, float) else str(value)))


def shown_value(value: object) -> str:
    """A parameter's value as it is shown, and as it can be typed."""
    if isinstance(value, bool):
        return say("screen.on") if value else say("screen.off")
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | list):
        inner = ", ".join(f'"{visible_line(str(item))}"' for item in value)
        return f"[{inner}]"
    return visible_line(str(value))
