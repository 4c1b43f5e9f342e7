"""What the keys do to see less of long messages, or more."""

from ...workbench.conversation import Message
from ...workbench.errors import QiaoError
from ...workbench.words import say
from ..transcript.blocks import LONG
from .group import Actions


class Folding(Actions):
    """Long texts and thinking, one message or all."""

    def do_fold(self) -> None:
        self.check_messages_are_seen()
        session = self.session
        message = session.message
        if message is None:
            return
        uid, folds = message.uid, session.folds
        if (run := session.run_of(uid)) is not None and not run.answer.text:
            session.folds = folds.watched(uid)
        elif run is not None:
            session.folds = folds.with_thinking(uid, folded=not folds.hides_thinking(uid))
        else:
            thinks = bool(message.take and message.take.thinking)
            is_long = self.transcript.is_long(session.index)
            if not thinks and not is_long:
                raise QiaoError("screen.nothing_to_fold", n=LONG)
            session.folds = folds.stepped(uid, thinks=thinks, is_long=is_long)
        self.bench.refresh_conversation()
        self.transcript.reveal()

    def do_fold_all(self) -> None:
        self.check_messages_are_seen()
        session = self.session
        fold = not session.folds.below
        # None of them is looked at: those that are there have lower uids than one that is made now.
        session.folds = session.folds.with_all(below=Message(role="user").uid if fold else 0)
        self.bench.refresh_conversation()
        self.transcript.reveal()
        self.qiao.tell(say("screen.folded_all" if fold else "screen.opened_all"))
