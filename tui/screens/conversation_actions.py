"""What the keys do while the conversation has the focus, and in the editor."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
from textual import events, on

from ...workbench.address import Address
from ...workbench.answering import Answer
from ...workbench.conversation import Message, Role
from ...workbench.errors import QiaoError
from ...workbench.seam import Request
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..actions import BY_ID, WRITING, Where
from ..edited import Edited, EditedPage
from ..running import Run
from ..transcript.view import Transcript
from .dialogs import LineInput
from .workbench_base import WorkbenchBase

if TYPE_CHECKING:
    from .seen import Tried

_BESIDE_EDITOR = frozenset({"palette", "help", "repaint"})
"""Actions that leave an open editor alone."""


class ConversationActions(WorkbenchBase):
    """Each `do_ID` carries out the action of that id."""

    # Moving

    def do_next(self) -> None:
        self._step(1)

    def do_previous(self) -> None:
        self._step(-1)

    def _step(self, step: int) -> None:
        """To the next message; in one that is taller than the screen, further through it first."""
        session, transcript = self.session, self.transcript
        half = max(transcript.size.height // 2, 1)
        here = session.shown_at
        if session.index < 0:
            return
        cut = transcript.is_cut_below(here) if step > 0 else transcript.is_cut_above(here)
        if cut and transcript.scroll_lines(step * half):
            self.refresh_hints()
            return
        session.step(step)
        self.refresh_conversation()
        transcript.reveal(to_end=step < 0)
        if step > 0 and session.index == len(session.messages) - 1 and session.runs:
            transcript.follow()
        self.refresh_hints()

    def do_first(self) -> None:
        self.session.step(-len(self.session.messages))
        self.refresh_conversation()
        self.transcript.reveal()

    def do_last(self) -> None:
        self.session.step(len(self.session.messages))
        self.refresh_conversation()
        self.transcript.reveal(to_end=True)
        if self.session.runs:
            self.transcript.follow()

    def do_page_down(self) -> None:
        self.transcript.scroll_lines(max(self.transcript.size.height - 2, 1))
        self.refresh_hints()

    def do_page_up(self) -> None:
        self.transcript.scroll_lines(-max(self.transcript.size.height - 2, 1))
        self.refresh_hints()

    @on(Transcript.Clicked)
    def _select_clicked(self, event: Transcript.Clicked) -> None:
        if self.editor is None:
            self.session.selected = event.uid
            self.refresh_conversation()

    @on(Transcript.Moved)
    def _editor_moves_along(self) -> None:
        self._place_editor()

    # Editing

    def do_edit(self) -> None:
        session = self.session
        message = session.message
        if message is None:
            self.do_add_below()
            return
        self._check_writable()
        if session.run_of(message.uid) is not None:
            raise QiaoError("screen.busy_message")
        session.editing = message.uid
        session.folds = session.folds.with_text(message.uid, folded=False)
        self.open_editor(Edited(session, message.uid, message.said))

    def open_editor(self, edited: Edited | EditedPage, *where: Where, added: str = "") -> None:
        """Opens an editor on this, its caret at the end.

        Args:
            where: whose keys hold before those of every editor.
            added: what is in the draft behind the text already.
        """
        from ..transcript.editor import MessageEditor

        self.edited = edited
        text, bindings = edited.beginning + added, self.qiao.keys.bindings("editor", *where)
        self.editor = MessageEditor(text, self.inks, bindings, self.transcript.text_width)
        self.editor.styles.width = self.transcript.editor_width
        self.editor.styles.height = 1
        # Out of sight until it is known where its block stands.
        self.editor.styles.offset = (5, 200)
        self.editor.move_cursor(self.editor.document.end)
        mounting = self.query_one("#middle").mount(self.editor)
        self.set_focus(self.editor)
        self._show_editor()

        async def mounted() -> None:
            # Nothing is painted meanwhile: the room for it, and it in its place, come in one frame.
            await mounting

        self.call_next(mounted)

    def _show_editor(self) -> None:
        self.refresh_conversation()
        self.transcript.reveal(to_end=True)
        self._place_editor()

    def on_message_editor_grown(self) -> None:
        if self.editor is not None:
            self._show_editor()

    def do_leave_editor(self) -> None:
        self.close_editor()

    def do_run_from_editor(self) -> None:
        self.close_editor()
        self.do_run()

    def do_role_in_editor(self) -> None:
        if isinstance(self.edited, Edited):
            self.session.role()
            self.refresh_conversation()

    def do_split(self) -> None:
        editor, edited = self._take_editor()
        if editor is not None and isinstance(edited, Edited):
            draft, caret = editor.draft, editor.caret
            self.put_late(lambda session: session.split(edited.uid, draft, caret), edited.session, show=True)
            self.refresh_all()

    def do_split_message(self) -> None:
        """The message in the editor, the caret at its first seam: where to part it is the person's to say."""
        if self.session.message is None:
            return
        self.do_edit()
        if self.editor is not None:
            if (row := self.editor.first_seam) is not None:
                self.editor.move_cursor((row, 0))
            self.qiao.tell(say("screen.split_where"))

    def do_external_editor(self) -> None:
        message = self.session.message
        if message is None or self.session.in_document is None:
            return
        self._check_writable()
        if self.session.run_of(message.uid) is not None:
            raise QiaoError("screen.busy_message")
        from ..external_editor import edit_text

        edited = edit_text(self.app, message.said)
        if edited is not None:
            self.session.write(message.uid, edited)
        self.refresh_all()

    def do_add_below(self) -> None:
        self._add(1)

    def do_add_above(self) -> None:
        self._add(0)

    def _add(self, offset: int, text: str = "", role: Role | None = None) -> None:
        self.close_editor()
        self._check_writable()
        self.session.add(offset, text, role)
        self.do_edit()
        # What is pasted may name variables.
        self.refresh_sampling()

    def _check_writable(self) -> None:
        if self.session.document.read_only:
            raise QiaoError("screen.is_read_only")

    def do_delete(self) -> None:
        message = self.session.message
        run = None if message is None or self.session.marked else self.session.run_of(message.uid)
        if run is not None:
            raise QiaoError("screen.busy_message")
        self._edited(self.session.delete)

    def do_role(self) -> None:
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
        self.refresh_all()
        self.transcript.reveal()

    def do_undo(self) -> None:
        self._told_of(self.session.undo(), "screen.undone", "screen.nothing_to_undo")

    def do_redo(self) -> None:
        self._told_of(self.session.redo(), "screen.redone", "screen.nothing_to_redo")

    def _told_of(self, label: str | None, done: str, nothing: str) -> None:
        self.qiao.tell(say(nothing) if label is None else say(done, what=say(label)))
        self.refresh_all()
        self.transcript.reveal()

    def do_mark(self) -> None:
        self.session.mark()
        self.refresh_conversation()
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
        self._check_writable()
        self.session.put_in(messages)
        self.refresh_all()
        self.transcript.reveal()

    def on_paste(self, event: events.Paste) -> None:
        """Text pasted while moving becomes a message to be looked over; it never runs as keys."""
        event.stop()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        if not text or self.session.document.read_only:
            return
        from ...workbench.pasting import pasted

        if (found := pasted(text)) is not None:
            self._put_in(found.messages)
            self.qiao.tell(say(f"screen.pasted_{found.source}", n=len(found.messages)))
        else:
            self._add(1, text, "user")

    # Running and takes

    def do_run(self) -> None:
        self.start_run(self.session.new_run(self.address))

    def do_continue(self) -> None:
        self.start_run(self.session.new_run(self.address, go_on=True))

    def do_several(self) -> None:
        def answered(text: str | None) -> None:
            if text is None:
                return
            if not (text.strip().isdecimal() and len(text.strip()) <= 3 and 1 <= int(text) <= 128):
                self.qiao.tell(say("screen.not_a_count"), error=True)
                # What was typed stays, to be mended.
                ask(text)
            else:
                self.guarded(lambda: self.start_run(self.session.new_run(self.address, takes=int(text))))

        def ask(text: str) -> None:
            self.app.push_screen(LineInput(say("screen.how_many_takes"), text, replace=True), answered)

        ask("3")

    def start_run(self, run: Run) -> None:
        """Begins to answer; the page follows the answer if it comes at the end."""
        self._tell_unheeded(run.ask.requests[0])
        run.start(self.qiao.backends, self.qiao.answer_ended)
        self.remember(run.ask.requests[0].address)
        self._ticker.resume()
        self.refresh_conversation()
        session = self.session
        if session.messages and session.messages[-1].uid == run.target:
            self.transcript.follow()
        else:
            self.transcript.reveal()

    def _tell_unheeded(self, request: Request) -> None:
        """What is set and doesn't count with this model is said, once."""
        lines = self.qiao.backends.unheeded(request)
        new = [line for name, line in lines.items() if (request.address, name) not in self.told]
        self.told |= {(request.address, name) for name in lines}
        if new:
            self.qiao.tell("\n".join(new))

    def answer_came(self, run: Run, answer: Answer) -> None:
        """An answer has ended; it goes into the document that it was asked for."""
        session = next((s for s in self.sessions if run in s.runs), None)
        if session is None:
            return
        if answer.started is not None:
            address: Address = answer.request.address
            shown = answer.started.sampling
            asked = answer.request.sampling
            unset = {name: None for name in shown.__struct_fields__ if getattr(asked, name, None) is not None}
            self.defaults[address] = msgspec.structs.replace(shown, **unset)
        self.put_late(lambda session: session.take_in(run, answer), session)
        if session is not self.session and not session.runs and session.replaying is None:
            self.qiao.tell(say("screen.answered_elsewhere", title=visible_line(session.document.title)))
        following = self.transcript.following
        self.refresh_all()
        if following:
            self.transcript.follow()
        self.refresh_hints()
        self.qiao.look_for_models()

    def do_stop(self) -> None:
        session = self.session
        if session.stop():
            self.refresh_conversation()
        elif session.marked and self.focused is self.transcript:
            session.marked.clear()
            self.refresh_conversation()
        else:
            self.close_overlays()
            self.app.clear_notifications()

    def do_previous_take(self) -> None:
        self._walk(-1)

    def do_next_take(self) -> None:
        self._walk(1)

    def _walk(self, step: int) -> None:
        message = self.session.message
        if message is not None and self.session.run_of(message.uid) is not None:
            raise QiaoError("screen.busy_message")
        self.session.walk(step)
        self.refresh_conversation()
        self.transcript.reveal()

    def do_seen(self) -> None:
        """The exact text that the model sees for the selected message's answer."""
        from .seen import Seen

        session = self.session
        message = session.message
        run = None if message is None else session.run_of(message.uid)
        # Of a page, what its continuation is given: all of it.
        asked = run.ask if run is not None else session.ask(self.address, go_on=session.page is not None)
        messages = session.conversation.messages
        seen = Seen(asked.requests[0], self.qiao.backends, self.inks)

        def keep(kept: "Tried") -> None:
            self._check_writable()
            conversation = session.conversation
            sampling = kept.on(conversation.sampling)
            window = "drop_oldest" if kept.window else None
            session.change(msgspec.structs.replace(conversation, sampling=sampling, window=window), "label.sampling")
            self.refresh_all()
            self.qiao.tell(say("seen.kept"))

        def tried(kept: "Tried | None") -> None:
            if kept is not None:
                self.guarded(lambda: keep(kept))
            if seen.shown is not None:
                session.prompt_seen(messages, *seen.shown)
                self.refresh_conversation()

        self.app.push_screen(seen, tried)

    # All actions

    def action_do(self, action_id: str) -> None:
        """Carries out an action of the table; what goes wrong is said, and nothing is lost."""
        if BY_ID[action_id].where not in WRITING and action_id not in _BESIDE_EDITOR:
            # Through the palette, or by the mouse: a draft is kept before anything else happens.
            self.close_editor()
        handler = getattr(self, f"do_{action_id}")
        self.guarded(handler)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not (action == "do" and str(parameters[0]) not in BY_ID)
