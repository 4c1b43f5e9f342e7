"""What the keys do with the versions of a message, and of a conversation."""

import msgspec

from ...workbench.document import Document
from ...workbench.errors import QiaoError
from ...workbench.words import say
from ..session import Session
from .compare import Compare, versions
from .workbench_base import WorkbenchBase


class TakeActions(WorkbenchBase):
    """Each `do_ID` carries out the action of that id."""

    def do_compare(self) -> None:
        """Two versions of the selected message side by side; the one that is chosen there is chosen here."""
        message = self.session.message
        if message is None or len(found := versions(message, 80)) < 2:
            raise QiaoError("compare.nothing")
        session = self.session

        def chosen(number: int | None) -> None:
            here = session.conversation.index(message.uid)
            if number is None or here is None:
                return
            now = session.conversation.messages[here]
            wanted = found[number].chosen
            if now.chosen != wanted and (wanted or 0) <= len(now.takes):
                changed = msgspec.structs.replace(now, chosen=wanted)
                session.change(session.conversation.replaced(here, changed), "label.walk")
                self.refresh_all()

        self.app.push_screen(Compare(message, self.inks), chosen)

    def do_fork(self) -> None:
        """The conversation up to the selected message goes on as another one; this one stays as it is."""
        here = self.session.in_document
        if here is None:
            raise QiaoError("screen.nothing_to_fork")
        conversation = self.session.conversation
        title = say("screen.fork_of", title=self.session.document.title)
        fork = msgspec.structs.replace(conversation, title=title, messages=conversation.messages[: here + 1], extra={})
        document = Document.untitled()
        # A change, so that it is saved like any other.
        document.change(fork, "label.fork")
        self.sessions.append(Session(document))
        self.go_to(len(self.sessions) - 1)
        self.qiao.tell(say("screen.forked", n=here + 1))
