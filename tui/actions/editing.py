"""What the keys do to messages, in the editor and without it."""

from collections.abc import Callable, Sequence

from ...workbench.conversation import Message, Role
from ...workbench.errors import QiaoError
from ...workbench.words import say
from ..bench.edited import Edited
from .group import Actions


class Editing(Actions):
    """Each of them is one undo step. On a page, where there is one text, writing is the business of `PageActions`."""

    def do_edit(self) -> None:
        if self.bench.is_page:
            self.bench.page.write()
            return
        session = self.session
        message = session.message
        if message is None:
            self.do_add_below()
            return
        self.check_writable()
        if session.run_of(message.uid) is not None:
            raise QiaoError("screen.busy_message")
        session.editing = message.uid
        session.folds = session.folds.with_text(message.uid, folded=False)
        self.bench.drafting.open(Edited(session, message.uid, message.said))

    def do_leave_editor(self) -> None:
        self.bench.drafting.close()

    def do_role_in_editor(self) -> None:
        if isinstance(self.bench.drafting.edited, Edited):
            self.session.role()
            self.bench.refresh_conversation()

    def do_split(self) -> None:
        editor, edited = self.bench.drafting.take()
        if editor is not None and isinstance(edited, Edited):
            draft, caret = editor.draft, editor.caret
            self.bench.put_late(lambda session: session.split(edited.uid, draft, caret), edited.session, show=True)
            self.bench.refresh_all()

    def do_split_message(self) -> None:
        """The message in the editor, the caret at its first seam: where to part it is the person's to say."""
        if self.session.message is None:
            return
        self.do_edit()
        editor = self.bench.drafting.editor
        if editor is not None:
            if (row := editor.first_seam) is not None:
                editor.move_cursor((row, 0))
            self.qiao.tell(say("screen.split_where"))

    def do_external_editor(self) -> None:
        if self.bench.is_page:
            self.bench.page.write_elsewhere()
            return
        message = self.session.message
        if message is None or self.session.in_document is None:
            return
        self.check_writable()
        if self.session.run_of(message.uid) is not None:
            raise QiaoError("screen.busy_message")
        from ..input.external_editor import edit_text

        edited = edit_text(self.app, message.said)
        if edited is not None:
            self.session.write(message.uid, edited)
        self.bench.refresh_all()

    def do_add_below(self) -> None:
        self._add(1)

    def do_add_above(self) -> None:
        self._add(0)

    def _add(self, offset: int, text: str = "", role: Role | None = None) -> None:
        self.bench.drafting.close()
        if self.bench.is_page:
            # There is one place to write: what is added, or pasted, comes at its end.
            self.bench.page.write(text)
            return
        self.check_writable()
        self.session.add(offset, text, role)
        self.do_edit()
        # What is pasted may name variables.
        self.bench.refresh_sampling()

    def do_delete(self) -> None:
        message = self.session.message
        run = None if message is None or self.session.marked else self.session.run_of(message.uid)
        if run is not None:
            raise QiaoError("screen.busy_message")
        self._edited(self.session.delete)

    def do_role(self) -> None:
        self.check_messages_are_seen()
        self._edited(self.session.role)

    def do_move_down(self) -> None:
        self._edited(lambda: self.session.move(1))

    def do_move_up(self) -> None:
        self._edited(lambda: self.session.move(-1))

    def do_mute(self) -> None:
        self._edited(self.session.mute)

    def do_join(self) -> None:
        self._edited(self.session.join)

    def _edited(self, edit: Callable[[], object]) -> None:
        edit()
        self.bench.refresh_all()
        self.transcript.reveal()

    def do_undo(self) -> None:
        self._told_of(self.session.undo(), "screen.undone", "screen.nothing_to_undo")

    def do_redo(self) -> None:
        self._told_of(self.session.redo(), "screen.redone", "screen.nothing_to_redo")

    def _told_of(self, label: str | None, done: str, nothing: str) -> None:
        self.qiao.tell(say(nothing) if label is None else say(done, what=say(label)))
        self.bench.refresh_all()
        self.transcript.reveal()

    def do_mark(self) -> None:
        self.check_messages_are_seen()
        self.session.mark()
        self.bench.refresh_conversation()
        self.transcript.reveal()

    def do_copy(self) -> None:
        session = self.session
        messages = [session.conversation.messages[i] for i in session.places]
        if not messages:
            return
        text = "\n\n".join(message.said for message in messages)
        self.app.copy_to_clipboard(text)
        self.qiao.copied = messages
        words = say("screen.copied", n=len(text))
        self.qiao.tell(words if len(messages) == 1 else say("screen.copied_messages", n=len(messages)))

    def do_paste(self) -> None:
        if not self.qiao.copied:
            raise QiaoError("screen.nothing_to_paste")
        self._put_in(self.qiao.copied)

    def _put_in(self, messages: Sequence[Message]) -> None:
        self.check_writable()
        self.session.put_in(messages)
        self.bench.refresh_all()
        self.transcript.reveal()

    def take_pasted(self, text: str) -> None:
        """Text pasted while moving becomes a message to be looked over; it never runs as keys."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if not text or self.session.document.read_only:
            return
        from ...workbench.pasting import pasted

        if (found := pasted(text)) is not None:
            self._put_in(found.messages)
            self.qiao.tell(say(f"screen.pasted_{found.source}", n=len(found.messages)))
        else:
            self._add(1, text, "user")
