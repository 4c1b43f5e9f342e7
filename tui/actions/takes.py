"""What the keys do with the versions of a message, and of a conversation. Its screens load when they are opened."""

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from ...workbench.asking import prompt_hashes
from ...workbench.document import Document
from ...workbench.errors import QiaoError
from ...workbench.versions import Prompt, Version, brought_back, history
from ...workbench.words import say
from ..sessions.answering import take_key
from ..sessions.session import Session
from .group import Actions

if TYPE_CHECKING:
    from ..screens.chances import Wanted


class Takes(Actions):
    """To another take or version, or on from one."""

    def do_previous_take(self) -> None:
        self._walk(-1)

    def do_next_take(self) -> None:
        self._walk(1)

    def _walk(self, step: int) -> None:
        message = self.session.message
        if message is not None and self.session.run_of(message.uid) is not None:
            raise QiaoError("screen.busy_message")
        self.session.walk(step)
        self.bench.refresh_conversation()
        self.transcript.reveal()

    def do_compare(self) -> None:
        """Two versions of the selected message side by side; the one that is chosen there is chosen here."""
        from ..screens.compare import Compare, versions

        message = self.session.message
        if message is None or len(found := versions(message, 80)) < 2:
            raise QiaoError("compare.nothing")
        session = self.session
        before = session.conversation.messages[: session.conversation.index(message.uid)]
        asks = prompt_hashes(before, session.conversation.variables)[-1]

        def chosen(number: int | None) -> None:
            here = session.conversation.index(message.uid)
            if number is None or here is None:
                return
            now = session.conversation.messages[here]
            wanted = found[number].chosen
            if now.chosen != wanted and (wanted or 0) <= len(now.takes):
                changed = session.conversation.replaced(here, msgspec.structs.replace(now, chosen=wanted))
                self.bench.guarded(lambda: session.change(changed, "label.walk"))
                self.bench.refresh_all()

        self.app.push_screen(Compare(message, asks, self.inks), chosen)

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
        self.bench.sessions.append(Session(document))
        self.bench.go_to(len(self.bench.sessions) - 1)
        self.qiao.tell(say("screen.forked", n=here + 1))

    def do_chances(self) -> None:
        """The tokens of the chosen take with their probabilities; an answer can go on from another one."""
        from ..screens.chances import Chances

        session = self.session
        message = session.message
        take = None if message is None else message.take
        tokens = None if take is None else session.answering.chances.get(take_key(take))
        if take is None or not tokens:
            raise QiaoError("chances.none")

        def wanted(result: "Wanted | None") -> None:
            if result is not None:
                run = partial(session.answering.new_run, self.bench.address, takes=1, prefix=result.prefix)
                self.bench.guarded(lambda: self.bench.running.start(run()))

        self.app.push_screen(Chances(tokens, take.text[: take.prefix or 0], self.inks), wanted)

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

        def bring_back(prompt: Prompt) -> None:
            index = session.conversation.index(uid)
            if index is not None:
                session.change(brought_back(session.conversation, index, prompt), "label.bring_back")
                session.selected = uid
                self.bench.refresh_all()
                self.qiao.tell(say("versions.back"))

        def chosen(version: Version | None) -> None:
            if version is not None and (prompt := version.prompt) is not None:
                self.bench.guarded(lambda: bring_back(prompt))

        from ..screens.prompt_history import PromptHistory

        self.app.push_screen(PromptHistory(found, self.inks), chosen)
