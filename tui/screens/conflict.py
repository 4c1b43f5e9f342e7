"""A conversation was changed here and by another program, in the same places: both are shown, the person decides."""

from textual.binding import Binding
from textual.screen import ModalScreen

from ...workbench.conversation import Conversation, Message
from ...workbench.differing import differences
from ...workbench.document import Document
from ...workbench.errors import QiaoError
from ...workbench.visible import visible, visible_line
from ...workbench.words import say
from ..dialogs.questions import Choice, Question
from ..look.inks import Inks
from ..text.wrap import Line, Run, wrap_text
from .sides import Row, SideBySide, beside, zipped


def asking_about(document: Document, inks: Inks) -> ModalScreen[str | None]:
    """What asks: «mine» keeps what is here, «theirs» shows what is in the file, «both» does both, None leaves it."""
    asks = say("conflict.asks", file=visible_line(document.path.name))
    try:
        theirs = document.theirs()
    except QiaoError:
        if not document.unsaved:
            asks = say("document.changed_on_disk", file=visible_line(document.path.name))
        choices = [
            Choice("m", say("conflict.choice_mine"), "mine"),
            Choice("t", say("conflict.choice_theirs"), "theirs"),
            Choice("b", say("conflict.choice_both"), "both"),
        ]
        return Question(f"{asks} {say('conflict.unreadable')}", choices)
    return Conflict(asks, document.conversation, theirs, inks)


class Conflict(SideBySide[str]):
    """What differs, message by message: here at the left, the file at the right.

    Args:
        asks: what happened.
        mine: what is here.
        theirs: what is in the file; `Document.theirs`.
        inks: of the theme.
    """

    BINDINGS = [
        Binding("m", "decide('mine')", show=False, priority=True),
        Binding("t", "decide('theirs')", show=False, priority=True),
        Binding("b", "decide('both')", show=False, priority=True),
    ]

    def __init__(self, asks: str, mine: Conversation, theirs: Conversation, inks: Inks) -> None:
        super().__init__(inks, "conflict.keys", 2, (0, 1))
        self._asks = asks
        self._differing = list(differences(mine, theirs))

    def lay_out(self, column: int) -> tuple[Row, list[Row]]:
        head = (Run(say("conflict.mine"), "strong"),), (Run(say("conflict.theirs"), "strong"),)
        rows: list[Row] = [(line, ()) for line in wrap_text(self._asks, 2 * column, "warn")]
        rows += [(line, ()) for line in wrap_text(say("conflict.means"), 2 * column, "muted")]
        for mine, theirs, number in self._differing:
            rows += [((), ()), (_heading(mine, number), _heading(theirs, number))]
            if mine is not None and theirs is not None:
                rows += beside(visible(mine.said), visible(theirs.said), column)
            else:
                rows += zipped(_whole(mine, column), _whole(theirs, column))
        if not self._differing:
            rows += [((), ()), *((line, ()) for line in wrap_text(say("conflict.otherwise"), 2 * column, "muted"))]
        return head, rows

    def action_walk(self, side: int, step: int) -> None:
        """There are only these two."""

    def action_swap(self) -> None:
        """Mine stays at the left."""

    def action_decide(self, answer: str) -> None:
        self.dismiss(answer)


def _heading(message: Message | None, number: int) -> Line:
    if message is None:
        return ()
    role = say(f"screen.role_{message.role}")
    return (Run(say("conflict.message", n=number, role=role), "muted"),)


def _whole(message: Message | None, width: int) -> list[Line]:
    if message is None:
        return [(Run(say("conflict.lacking"), "faint"),)]
    return wrap_text(visible(message.said), width)
