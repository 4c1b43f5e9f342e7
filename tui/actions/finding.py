"""What the keys do to find text, and to replace it."""

from ...workbench.conversation import Conversation
from ...workbench.errors import QiaoError
from ...workbench.finding import Found, replaced
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..dialogs.questions import LineInput
from .group import Actions


class Finding(Actions):
    """Goes to what was found, in whatever take it stands."""

    found_last = ""
    """What was looked for last."""

    def do_find(self) -> None:
        from ..dialogs.find import Find

        self.qiao.choose_from(Find(self.session.conversation, self.inks, self.found_last), self._found)

    def _found(self, result: tuple[str, Found | None]) -> None:
        self.found_last, found = result
        if found is None:
            self._ask_for_replacement(self.found_last)
        else:
            self.bench.guarded(lambda: self._go_to_place(found))

    def _go_to_place(self, found: Found) -> None:
        session = self.session
        messages = session.conversation.messages
        if found.at >= len(messages):
            return
        message = messages[found.at]
        session.selected = message.uid
        if found.where != "note" and found.take != message.chosen:
            session.walk(_steps(message.chosen, found.take))
        if found.where == "thinking":
            session.folds = session.folds.with_thinking(message.uid, folded=False)
        elif found.where != "note":
            session.folds = session.folds.with_text(message.uid, folded=False)
        self.bench.refresh_conversation()
        self.transcript.reveal()
        if found.where != "note":
            self.transcript.reveal_text(session.shown_at, found.line, found.start, found.offset)

    def _ask_for_replacement(self, wanted: str) -> None:
        if not replaced(self.session.conversation, wanted, "")[1]:
            self.qiao.tell(say("find.none_by_hand"), error=True)
            return

        def answered(instead: str | None) -> None:
            if instead is None:
                return
            conversation, count = replaced(self.session.conversation, wanted, instead)
            self.bench.guarded(lambda: self._replace(conversation, count))

        question = LineInput(say("find.replace_by", text=visible_line(wanted)), wanted, replace=True)
        self.app.push_screen(question, answered)

    def _replace(self, conversation: Conversation, count: int) -> None:
        if self.session.document.read_only:
            raise QiaoError("screen.is_read_only")
        self.bench.edit_change("label.replace", lambda _: conversation)
        self.qiao.tell(say("find.replaced", n=count))


def _steps(chosen: int | None, wanted: int | None) -> int:
    """How far to walk from one take to another; the text by hand comes before the first."""
    return (wanted or 0) - (chosen or 0)
