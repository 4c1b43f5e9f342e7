"""A small form for a provider of the person's own: where it answers, what it is to be called, where its key is."""

from collections.abc import Collection
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from ...workbench import provider_setting
from ...workbench.address import LOCAL
from ...workbench.config import Provider
from ...workbench.errors import QiaoError
from ...workbench.words import say
from ..input.at_once import bind_at_once
from ..input.shown_input import ShownInput
from .dimmed import OverDimmed

FIELDS = ("url", "name", "variable")


class NewProvider(NamedTuple):
    """One that has just been written to the settings."""

    name: str
    base_url: str


class AddProvider(OverDimmed[NewProvider | None]):
    """enter goes on, and after the last line adds it; what is wrong is said below, and nothing typed is lost.

    Args:
        taken: names that are taken.
    """

    CSS_PATH = "questions.tcss"
    BINDINGS = [
        Binding("escape,ctrl+c", "leave", show=False, priority=True),
        Binding("down,tab", "step(1)", show=False, priority=True),
        Binding("up,shift+tab", "step(-1)", show=False, priority=True),
    ]

    def __init__(self, taken: Collection[str]) -> None:
        super().__init__()
        self._taken = taken

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(say("picker.add_title")), markup=False)
            for field in FIELDS:
                yield Static(Content(say(f"picker.add_{field}")), classes="field", markup=False)
                line = ShownInput(id=f"add-{field}", placeholder=say(f"picker.add_{field}_example"), compact=True)
                bind_at_once(line)
                line.cursor_blink = False
                yield line
            yield Static("", id="add-problem", markup=False)
            yield Static(Content(say("picker.add_hint")), classes="hint", markup=False)

    @property
    def _inputs(self) -> list[Input]:
        return [self.query_one(f"#add-{field}", Input) for field in FIELDS]

    def action_step(self, step: int) -> None:
        inputs = self._inputs
        at = next((i for i, line in enumerate(inputs) if line.has_focus), 0)
        self.set_focus(inputs[min(max(at + step, 0), len(inputs) - 1)])

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        inputs = self._inputs
        if event.input is not inputs[-1]:
            self.action_step(1)
            return
        url, name, variable = (line.value for line in inputs)
        wrong = inputs[0]
        try:
            base_url = provider_setting.base_url(url)
            wrong = inputs[1]
            name = provider_setting.provider_name(name, base_url, {*self._taken, LOCAL})
            wrong = inputs[2]
            provider = Provider(base_url=base_url, key_env=provider_setting.key_variable(variable))
            provider_setting.add_provider(name, provider)
        except QiaoError as error:
            self.query_one("#add-problem", Static).update(Content(str(error)))
            self.set_focus(wrong)
            return
        self.dismiss(NewProvider(name, base_url))

    def action_leave(self) -> None:
        self.dismiss(None)
