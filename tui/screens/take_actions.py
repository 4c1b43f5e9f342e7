"""What the keys do with the versions of a message, and of a conversation. Its screens load when they are opened."""

import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from ...workbench.address import Address
from ...workbench.answering import Answer
from ...workbench.document import Document
from ...workbench.errors import QiaoError
from ...workbench.versions import Version, brought_back, history, prompt_of, remember
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..running import Run
from ..session import Session, take_key
from .conversation_actions import ConversationActions

if TYPE_CHECKING:
    from .chances import Wanted


class TakeActions(ConversationActions):
    """Each `do_ID` carries out the action of that id."""

    def do_compare(self) -> None:
        """Two versions of the selected message side by side; the one that is chosen there is chosen here."""
        from .compare import Compare, versions

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

    def do_replay(self) -> None:
        """Every answer is given anew, one after the other, each on top of the new ones before it."""
        from .replay_with import ReplayWith

        self._check_writable()
        session = self.session
        count = len(session.to_replay())

        def begin(address: Address) -> None:
            session.begin_replay(address)
            self.qiao.tell(say("screen.replaying", n=count, model=visible_line(str(address))))
            self._replay(session)

        def chosen(address: Address | None) -> None:
            if address is not None:
                self.guarded(lambda: begin(address))

        sampling = session.conversation.sampling
        self.app.push_screen(ReplayWith(self.inks, count, self.address, self.models, sampling), chosen)

    def answer_came(self, run: Run, answer: Answer) -> None:
        session = next((s for s in self.sessions if run in s.runs), None)
        super().answer_came(run, answer)
        if session is None or session.replaying is None or session.runs:
            return
        if answer.finish in ("stop", "length"):
            self.guarded(lambda: self._replay(session))
        else:
            # What comes after would stand on an answer that went wrong.
            session.replaying = None

    def _replay(self, session: Session) -> None:
        try:
            run = session.replay_next()
        except QiaoError:
            session.replaying = None
            raise
        if run is None:
            self.qiao.tell(say("screen.replayed"))
        elif session is self.session:
            self.start_run(run)
        else:
            run.start(self.qiao.backends, self.qiao.answer_ended)

    def do_chances(self) -> None:
        """The tokens of the chosen take with their probabilities; an answer can go on from another one."""
        from .chances import Chances

        session = self.session
        message = session.message
        take = None if message is None else message.take
        tokens = None if take is None else session.chances.get(take_key(take))
        if take is None or not tokens:
            raise QiaoError("chances.none")

        def wanted(result: "Wanted | None") -> None:
            if result is not None:
                run = partial(session.new_run, self.address, takes=1, prefix=result.prefix)
                self.guarded(lambda: self.start_run(run()))

        self.app.push_screen(Chances(tokens, take.text[: take.prefix or 0], self.inks), wanted)

    def start_run(self, run: Run) -> None:
        """Begins to answer, and keeps the prompt for the history of that answer."""
        session = self.session
        messages, variables = session.conversation.messages[: session.upto(run)], session.conversation.variables

        def keep() -> None:
            # Of no use for the answer itself: what can't be kept is only missing in the history.
            with suppress(QiaoError, OSError):
                remember(run.ask.prompt_hash, prompt_of(messages, variables))

        threading.Thread(target=keep, name="versions", daemon=True).start()
        super().start_run(run)

    def do_history(self) -> None:
        """The prompts that the selected answer was given; of another message, those of the answer that follows."""
        session = self.session
        here = session.in_document
        messages = session.conversation.messages
        if here is not None and messages[here].role != "assistant":
            here += 1
        if here is None or here >= len(messages) or len(found := history(session.conversation, here)) < 2:
            raise QiaoError("versions.nothing")
        uid = messages[here].uid

        def chosen(version: Version | None) -> None:
            index = session.conversation.index(uid)
            if version is not None and version.prompt is not None and index is not None:
                session.change(brought_back(session.conversation, index, version.prompt), "label.bring_back")
                session.selected = uid
                self.refresh_all()
                self.qiao.tell(say("versions.back"))

        from .prompt_history import PromptHistory

        self.app.push_screen(PromptHistory(found, self.inks), chosen)
