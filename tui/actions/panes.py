"""What the keys do with the panes, and with the screen as a whole."""

import msgspec

from ...workbench.conversation import Conversation
from ...workbench.errors import QiaoError
from ...workbench.sampling import Sampling
from ...workbench.setting import with_setting
from ..panes.models import ModelRows
from ..panes.sampling import SamplingPane, SamplingRows, Setting
from .group import Actions


class Panes(Actions):
    """Into the panes and out of them; what is typed there is set."""

    # Panes

    def do_sampling(self) -> None:
        self.bench.open_pane("#side", SamplingRows)
        rows = self.bench.query_one(SamplingRows)
        if isinstance(rows.selected_key, Setting) and rows.selected_key.variable:
            rows.select(Setting("temperature"))

    def do_variables(self) -> None:
        self.do_sampling()
        pane = self.bench.query_one(SamplingPane)
        names = [row.key for row in pane.rows.shown_rows if isinstance(row.key, Setting) and row.key.variable]
        if not names:
            raise QiaoError("screen.no_variables")
        pane.rows.select(names[0])

    def do_sensors(self) -> None:
        side = self.bench.query_one("#side")
        if self.bench.has_class("-narrow") and side.has_class("open"):
            self.bench.close_overlays()
        else:
            self.bench.open_pane("#side", SamplingRows)

    def do_next_pane(self) -> None:
        order = [self.transcript, self.bench.query_one(ModelRows), self.bench.query_one(SamplingRows)]
        at = next((number for number, pane in enumerate(order) if pane is self.bench.focused), 0)
        following = order[(at + 1) % len(order)]
        if following is self.transcript:
            self.bench.close_overlays()
        else:
            self.bench.open_pane("#models" if isinstance(following, ModelRows) else "#side", type(following))

    def set(self, setting: Setting, text: str | None) -> None:
        """Sets a parameter or a variable as a person typed it; None: unsets it."""
        try:
            if setting.variable:
                self.bench.edit_change("label.variable", lambda c: _with_variable(c, setting.name, text))
            else:
                sampling = _with_parameter(self.session.conversation.sampling, setting.name, text)
                self.bench.edit_change("label.sampling", lambda c: msgspec.structs.replace(c, sampling=sampling))
        except QiaoError as error:
            self.qiao.tell(str(error), error=True)
            # What was typed stays, to be mended.
            self.bench.query_one(SamplingPane).edit(setting, text)

    # Screens

    def do_palette(self) -> None:
        self.app.action_command_palette()

    def do_theme(self) -> None:
        self.qiao.next_theme()

    def do_repaint(self) -> None:
        self.qiao.repaint()


def _with_variable(conversation: Conversation, name: str, value: str | None) -> Conversation:
    variables = {key: text for key, text in conversation.variables.items() if key != name}
    if value is not None:
        variables[name] = value
    return msgspec.structs.replace(conversation, variables=variables)


def _with_parameter(sampling: Sampling, name: str, text: str | None) -> Sampling:
    return msgspec.structs.replace(sampling, **{name: None}) if text is None else with_setting(sampling, name, text)
