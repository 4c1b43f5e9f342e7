"""What the keys do to put stars on takes, and notes on takes and messages."""

from ...workbench import annotating
from ...workbench.annotating import Target
from ...workbench.errors import QiaoError
from ...workbench.words import say
from ..dialogs.questions import LineInput
from .group import Actions


class Marking(Actions):
    """Stars and notes."""

    def do_star(self) -> None:
        wanted = [target for target in self._targets() if target.take is not None]
        if not wanted:
            raise QiaoError("screen.no_star")
        session = self.session
        starred = annotating.starred(session.conversation, wanted)
        self.bench.edit_change("label.star", lambda _: starred)
        # The heading of a long answer, where the star stands, may be out of sight.
        stars = annotating.has_stars(starred, wanted)
        self.qiao.tell(say("screen.starred" if stars else "screen.unstarred", n=len(wanted)))

    def do_note(self) -> None:
        wanted = self._targets()
        if not wanted:
            return
        if self.session.document.read_only:
            raise QiaoError("screen.is_read_only")
        session = self.session
        before = annotating.note_on(session.conversation, wanted)

        def noted(note: str) -> None:
            session.change(annotating.noted(session.conversation, wanted, note), "label.note")
            self.bench.refresh_all()
            self.transcript.reveal()

        def written(text: str | None) -> None:
            # One of several lines, from a file, can't be typed here: as long as it isn't touched, it stays as it is.
            if text is not None:
                self.bench.guarded(lambda: noted(text if text == before else text.strip()))

        several = len(wanted) > 1
        label = say("screen.note_on_several", n=len(wanted)) if several else say("screen.note")
        self.app.push_screen(LineInput(label, before), written)

    def _targets(self) -> list[Target]:
        session = self.session
        message = session.message
        if message is not None and not session.marked and session.run_of(message.uid) is not None:
            raise QiaoError("screen.busy_message")
        return annotating.targets(session.conversation, session.places)

    def do_next_starred(self) -> None:
        session = self.session
        conversation, here = session.conversation, session.in_document
        at, chosen = (0, None) if here is None else (here, conversation.messages[here].chosen)
        found = annotating.next_starred(conversation, at, chosen)
        if found is None:
            raise QiaoError("screen.nothing_starred")
        place, number = found
        session.selected = conversation.messages[place].uid
        session.walk(number - (conversation.messages[place].chosen or 0))
        self.bench.refresh_conversation()
        self.transcript.reveal()
