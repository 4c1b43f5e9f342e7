"""What the keys do to close a conversation, to open again what was closed or left, and to leave."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...workbench.address import Address
from ...workbench.document import Document
from ...workbench.errors import QiaoError
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..dialogs.questions import Choice, Question
from ..keeping import leaving
from ..keeping.open_before import Before, Offer, called
from ..sessions.session import Session
from .group import Actions

if TYPE_CHECKING:
    from ..bench.screen import WorkbenchScreen


class Closing(Actions):
    """Nothing is closed or left before all of it is in its file, or the person says so."""

    def __init__(self, bench: "WorkbenchScreen") -> None:
        super().__init__(bench)
        self.offers: list[Offer] = []
        """Conversations to open again, what was closed last at the end."""
        self.drafts = 0
        """Conversations without a name, from earlier runs."""

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

    def _close_session(self, session: Session) -> None:
        """Closes it once all of it is in its file."""
        self.bench.run_worker(self._save_and_close(session), group="close", exit_on_error=False)

    async def _save_and_close(self, session: Session) -> None:
        document = session.document
        is_settled = False
        while not is_settled:
            await leaving.stop([session], self.bench.sessions)
            if await leaving.save([session], self.qiao.keeper):
                self.bench.files.ask_to_lose([document], "X", "close", lambda: self._take_off(session))
                return
            edited = self.bench.drafting.edited
            if edited is not None and edited.session is session:
                self.bench.drafting.close()
            # What was done to it while it was being saved is saved too.
            is_settled = not document.unsaved and not session.runs
        if session in self.bench.sessions and not document.is_new:
            name = called(document)
            self.offers.append(Offer((document.path,), (name,)))
            key = "closing.closed_draft" if document.is_untitled else "closing.closed"
            self.qiao.tell(say(key, title=visible_line(name), press=(self.qiao.keys.shown("reopen") or [":"])[0]))
        self._take_off(session)

    def _take_off(self, session: Session) -> None:
        """Takes it off the screen, unless it is off already; the one beside it is shown."""
        if session not in self.bench.sessions:
            return
        at = self.bench.sessions.index(session)
        del self.bench.sessions[at]
        self.qiao.conversation_closed(session)
        if not self.bench.sessions:
            self.bench.sessions.append(Session(Document.untitled()))
        if at < self.bench.current or self.bench.current == len(self.bench.sessions):
            self.bench.current -= 1
        self.bench.go_to(self.bench.current)

    # Opening again

    def before_known(self, before: Before) -> None:
        """What was open at the last end is known."""
        if before.offer is not None:
            self.offers.insert(0, before.offer)
        self.drafts = before.drafts
        if self.bench.is_whole and not self.session.messages:
            self.bench.refresh_conversation()

    def do_reopen(self) -> None:
        """What was closed last; before that, what was open when Qiao was left."""
        opened = {session.document.path for session in self.bench.sessions}
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
            self.bench.guarded(lambda path=path: documents.append(Document.open(path)))
        if not documents:
            return False
        if blank is not None and blank.document.is_untitled:
            del self.bench.sessions[self.bench.current]
        first = len(self.bench.sessions)
        self.bench.sessions += [Session(document) for document in documents]
        self.bench.go_to(first)
        return True

    # Leaving

    def do_quit(self) -> None:
        if not any(session.runs for session in self.bench.sessions):
            self.leave()
            return
        choices = [Choice("q", say("screen.choice_quit"), "quit")]
        question = Question(say("screen.still_running"), choices)
        self.app.push_screen(question, lambda answer: self.leave() if answer else None)

    def leave(self) -> None:
        """Leaves; if a server of this run is still there, the person says what becomes of it."""
        mine = [server.address for server in self.qiao.backends.servers() if server.mine and server.ready]
        if not mine:
            self.qiao.leave()
            return
        names = say("picker.comma").join(visible_line(str(address)) for address in mine)
        choices = [
            Choice("e", say("picker.choice_end_quit"), "end"),
            Choice("l", say("picker.choice_leave_quit"), "leave"),
        ]

        def answered(answer: str | None) -> None:
            if answer == "leave":
                for address in mine:
                    self.qiao.backends.leave_server(address)
                self.qiao.leave()
            elif answer == "end":
                self.qiao.tell(say("picker.ending"))
                end = partial(self._end_and_leave, mine)
                self.bench.run_worker(end, thread=True, group="leave", exit_on_error=False)

        self.app.push_screen(Question(say("picker.leave_server", names=names), choices), answered)

    def _end_and_leave(self, addresses: Sequence[Address]) -> None:
        for address in addresses:
            self.qiao.backends.end_server(address)
        self.app.call_from_thread(self.qiao.leave)
