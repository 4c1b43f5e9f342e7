"""The help page, made from the table of actions."""

from itertools import groupby

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from ...workbench.visible import visible_line
from ...workbench.words import say
from ..actions import ACTIONS, Action, Keys
from ..inks import Inks
from ..panes.rows import Row, Rows
from ..wrap import Run


class Help(ModalScreen[None]):
    """Every key and what it does; j and k scroll, anything like «leave» closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS = [Binding("escape,q,question_mark,ctrl+c", "leave", show=False, priority=True)]

    def __init__(self, keys: Keys, inks: Inks) -> None:
        super().__init__()
        self._keys = keys
        self._inks = inks

    def compose(self) -> ComposeResult:
        yield Rows(self._inks, id="help")

    def on_mount(self) -> None:
        rows = [Row((Run(say("screen.help_title"), "strong"),), (Run(say("screen.help_leave"), "faint"),))]
        for group, actions in groupby(ACTIONS, key=lambda action: action.group):
            if group != "models":
                rows += [Row(), Row((Run(say(f"actions.group_{group}"), "muted strong"),))]
                rows += [self._row(action) for action in actions]
        for group in ("models", "sampling"):
            rows += [Row(), Row((Run(say(f"actions.group_{group}_pane"), "muted strong"),))]
            for line in say(f"actions.{group}_pane_keys").split("\n"):
                key, _, words = line.partition("|")
                rows.append(Row((Run(f"{key:<12}", "strong"), Run(words)), (), (group, key)))
            rows += [self._row(action) for action in ACTIONS if action.group == group == action.where]
        rows += [Row(), Row((Run(say("screen.help_palette"), "faint"),), (), "palette")]
        listing = self.query_one(Rows)
        listing.show(rows)
        self.set_focus(listing)

    def _row(self, action: Action) -> Row:
        keys = visible_line(" ".join(self._keys.shown(action.id)))
        return Row((Run(f"{keys:<12}", "strong"), Run(action.help)), (), action.id)

    def action_leave(self) -> None:
        self.dismiss(None)
