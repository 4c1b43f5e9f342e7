"""What the keys do to have the model answer, to stop it, and to see what it is asked."""

import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from ...workbench.address import Address
from ...workbench.answering import Answer
from ...workbench.errors import QiaoError
from ...workbench.seam import Request
from ...workbench.versions import prompt_of, remember
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..bench.edited import EditedPage
from ..dialogs.questions import LineInput
from ..sessions.running import Run
from ..sessions.session import Session
from .group import Actions

if TYPE_CHECKING:
    from ..screens.seen import Tried


class Running(Actions):
    """Starts runs, and takes in what comes of them."""

    def do_run(self) -> None:
        self.start(self.session.answering.new_run(self.bench.address))

    def do_run_from_editor(self) -> None:
        on_page = isinstance(self.bench.drafting.edited, EditedPage)
        self.bench.drafting.close()
        if on_page:
            self.do_continue()
        else:
            self.do_run()

    def do_continue(self) -> None:
        self.start(self.session.answering.new_run(self.bench.address, go_on=True))

    def do_several(self) -> None:
        def answered(text: str | None) -> None:
            if text is None:
                return
            if not (text.strip().isdecimal() and len(text.strip()) <= 3 and 1 <= int(text) <= 128):
                self.qiao.tell(say("screen.not_a_count"), error=True)
                # What was typed stays, to be mended.
                ask(text)
            else:
                self.bench.guarded(
                    lambda: self.start(self.session.answering.new_run(self.bench.address, takes=int(text)))
                )

        def ask(text: str) -> None:
            self.app.push_screen(LineInput(say("screen.how_many_takes"), text, replace=True), answered)

        ask("3")

    def start(self, run: Run) -> None:
        """Begins to answer; the passphrase of the file of keys is asked for first, if this run needs it."""
        from ..dialogs.keys import after_unlocking

        provider = run.ask.requests[0].address.provider
        after_unlocking(self.app, self.qiao.backends, provider, partial(self._begin, run))

    def _begin(self, run: Run) -> None:
        """The page follows the answer if it comes at the end."""
        known = self.bench.known
        self._keep_prompt(run)
        self._tell_unheeded(run.ask.requests[0])
        run.start(self.qiao.backends, self.qiao.answer_ended)
        known.keep(known.remembered.used(run.ask.requests[0].address))
        self.bench.ticker.resume()
        self.bench.refresh_conversation()
        session = self.session
        if session.messages and session.messages[-1].uid == run.target:
            self.transcript.follow()
        else:
            self.transcript.reveal()

    def _keep_prompt(self, run: Run) -> None:
        """For the history of that answer."""
        session = self.session
        messages, variables = session.conversation.messages[: session.upto(run)], session.conversation.variables

        def keep() -> None:
            # Of no use for the answer itself: what can't be kept is only missing in the history.
            with suppress(QiaoError, OSError):
                remember(run.ask.prompt_hash, prompt_of(messages, variables))

        threading.Thread(target=keep, name="versions", daemon=True).start()

    def _tell_unheeded(self, request: Request) -> None:
        """What is set and doesn't count with this model is said, once."""
        lines = self.qiao.backends.unheeded(request)
        told = self.bench.known.told
        new = [line for name, line in lines.items() if (request.address, name) not in told]
        told |= {(request.address, name) for name in lines}
        if new:
            self.qiao.tell("\n".join(new))

    def answer_came(self, run: Run, answer: Answer) -> None:
        """An answer has ended; it goes into the document that it was asked for."""
        session = next((s for s in self.bench.sessions if run in s.runs), None)
        if session is None:
            return
        if answer.started is not None:
            address: Address = answer.request.address
            shown = answer.started.sampling
            asked = answer.request.sampling
            unset = {name: None for name in shown.__struct_fields__ if getattr(asked, name, None) is not None}
            self.bench.known.defaults[address] = msgspec.structs.replace(shown, **unset)
        self.bench.put_late(lambda session: session.answering.take_in(run, answer), session)
        if not self.bench.is_whole:
            # It came while all is being taken down: there is nothing left to show it on.
            return
        if session is not self.session and not session.runs and session.answering.replaying is None:
            self.qiao.tell(say("screen.answered_elsewhere", title=visible_line(session.document.title)))
        following = self.transcript.following
        self.bench.refresh_all()
        if following:
            self.transcript.follow()
        self.bench.refresh_hints()
        self.qiao.look_for_models()
        if session.answering.replaying is None or session.runs:
            return
        if answer.finish in ("stop", "length"):
            self.bench.guarded(lambda: self._replay(session))
        else:
            # What comes after would stand on an answer that went wrong.
            session.answering.replaying = None

    def do_stop(self) -> None:
        session = self.session
        if session.answering.stop():
            self.bench.refresh_conversation()
        elif session.marked and self.bench.focused is self.transcript:
            session.marked.clear()
            self.bench.refresh_conversation()
        else:
            at_rest = not session.marked and self.bench.focused is self.transcript
            self.bench.close_overlays()
            self.app.clear_notifications()
            if at_rest:
                self.bench.guide.leave()

    def do_seen(self) -> None:
        """The exact text that the model sees for the selected message's answer."""
        from ..screens.seen import Seen

        session = self.session
        message = session.message
        run = None if message is None else session.run_of(message.uid)
        # Of a page, what its continuation is given: all of it.
        go_on = session.page is not None
        asked = session.answering.ask(self.bench.address, go_on=go_on) if run is None else run.ask
        messages = session.conversation.messages
        seen = Seen(asked.requests[0], self.qiao.backends, self.inks)

        def keep(kept: "Tried") -> None:
            self.check_writable()
            conversation = session.conversation
            sampling = kept.on(conversation.sampling)
            window = "drop_oldest" if kept.window else None
            session.change(msgspec.structs.replace(conversation, sampling=sampling, window=window), "label.sampling")
            self.bench.refresh_all()
            self.qiao.tell(say("seen.kept"))

        def tried(kept: "Tried | None") -> None:
            if kept is not None:
                self.bench.guarded(lambda: keep(kept))
            if seen.shown is not None:
                session.prompt_seen(messages, *seen.shown)
                self.bench.refresh_conversation()

        self.app.push_screen(seen, tried)

    def do_replay(self) -> None:
        """Every answer is given anew, one after the other, each on top of the new ones before it."""
        from ..dialogs.replay_with import ReplayWith

        self.check_writable()
        session = self.session
        count = len(session.answering.to_replay())
        answers = sum(m.role == "assistant" and not m.muted for m in session.conversation.messages)
        staying = answers - count if session.page is None else 0

        def begin(address: Address) -> None:
            session.answering.begin_replay(address)
            self.qiao.tell(say("screen.replaying", n=count, model=visible_line(str(address))))
            self._replay(session)

        def chosen(address: Address | None) -> None:
            if address is not None:
                self.bench.guarded(lambda: begin(address))

        sampling, models = session.conversation.sampling, self.bench.known.models
        self.app.push_screen(ReplayWith(self.inks, (count, staying), self.bench.address, models, sampling), chosen)

    def _replay(self, session: Session) -> None:
        try:
            run = session.answering.replay_next()
        except QiaoError:
            session.answering.replaying = None
            raise
        if run is None:
            self.qiao.tell(say("screen.replayed"))
        elif session is self.session:
            self.start(run)
        else:
            run.start(self.qiao.backends, self.qiao.answer_ended)
