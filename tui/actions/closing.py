"""What the keys do to close a conversation, and to open again what was closed or left."""

from pathlib import Path

from textual import work

from ...workbench.document import Document
from ...workbench.errors import QiaoError
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..bench.base import WorkbenchBase
from ..dialogs.questions import Choice, Question
from ..keeping import leaving
from ..keeping.open_before import Before, Offer, called
from ..sessions.session import Session
from ..text.wrap import truncate

NAMES_TOLD = 3
NAME_CELLS = 32


class ClosingActions(WorkbenchBase):
    """Each `do_ID` carries out the action of that id."""

    def do_close(self) -> None:
        session = self.session
        if not session.runs:
            self._close_session(session)
            return
        question = Question(say("closing.still_running"), [Choice("X", say("closing.choice_stop"), "close")])

        def answered(answer: str | None) -> None:
            if answer:
                self._close_session(session)

        self.app.push_screen(question, answered)

    @work(group="close", exit_on_error=False)
    async def _close_session(self, session: Session) -> None:
        """Closes it once all of it is in its file."""
        document = session.document
        is_settled = False
        while not is_settled:
            await leaving.stop([session], self.sessions)
            if await leaving.save([session], self.qiao.keeper):
                self._ask_to_lose(session)
                return
            if self.edited is not None and self.edited.session is session:
                self.close_editor()
            # What was done to it while it was being saved is saved too.
            is_settled = not document.unsaved and not session.runs
        if session in self.sessions and not document.is_new:
            name = called(document)
            self.offers.append(Offer((document.path,), (name,)))
            key = "closing.closed_draft" if document.is_untitled else "closing.closed"
            self.qiao.tell(say(key, title=visible_line(name), press=(self.qiao.keys.shown("reopen") or [":"])[0]))
        self._take_off(session)

    def _ask_to_lose(self, session: Session) -> None:
        if session.document in self.deciding:
            # That page asks first.
            return
        problem = self.qiao.keeper.problem(session.document) or say("screen.unsaved")
        question = Question(
            say("screen.leave_unsaved", problem=problem), [Choice("X", say("closing.choice_lose"), "close")]
        )

        def answered(answer: str | None) -> None:
            if answer:
                self._take_off(session)

        self.app.push_screen(question, answered)

    def _take_off(self, session: Session) -> None:
        """Takes it off the screen, unless it is off already; the one beside it is shown."""
        if session not in self.sessions:
            return
        at = self.sessions.index(session)
        del self.sessions[at]
        self.qiao.conversation_closed(session)
        if not self.sessions:
            self.sessions.append(Session(Document.untitled()))
        if at < self.current or self.current == len(self.sessions):
            self.current -= 1
        self.go_to(self.current)

    # Opening again

    def before_known(self, before: Before) -> None:
        """What was open at the last end is known."""
        if before.offer is not None:
            self.offers.insert(0, before.offer)
        self.drafts = before.drafts
        if self.is_whole and not self.session.messages:
            self.refresh_conversation()

    def do_reopen(self) -> None:
        """What was closed last; before that, what was open when Qiao was left."""
        opened = {session.document.path for session in self.sessions}
        while self.offers:
            wanted = [path for path in self.offers.pop().paths if path not in opened and path.exists()]
            if self._open_again(wanted):
                return
        raise QiaoError("closing.nothing")

    def _open_again(self, paths: list[Path]) -> bool:
        """Opens these; an empty page that nobody has begun on gives way to them."""
        blank = self.session if not self.session.messages and self.session.document.is_new else None
        documents: list[Document] = []
        for path in paths:
            self.guarded(lambda path=path: documents.append(Document.open(path)))
        if not documents:
            return False
        if blank is not None and blank.document.is_untitled:
            del self.sessions[self.current]
        first = len(self.sessions)
        self.sessions += [Session(document) for document in documents]
        self.go_to(first)
        return True

    def _empty_words(self) -> list[str]:
        words = super()._empty_words()
        if self.offers and (key := self.qiao.keys.shown("reopen")):
            names = [truncate(visible_line(name), NAME_CELLS) for name in self.offers[-1].names]
            told = say("picker.comma").join(names[:NAMES_TOLD])
            if more := names[NAMES_TOLD:]:
                told = say("closing.and_more", names=told, n=len(more))
            words.insert(1, say("closing.offer", press=key[0], names=told))
        if self.drafts and (key := self.qiao.keys.shown("open")):
            words.insert(2 if self.offers else 1, say("closing.drafts", press=key[0], n=self.drafts))
        return words
