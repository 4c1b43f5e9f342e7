"""What is being written: the editor that is open, what it is open on, and what becomes of its draft."""

from typing import TYPE_CHECKING

from textual.messages import Layout

from ..actions.table import Where
from ..keeping.journaling import Writing
from ..sessions.session import Session
from ..text.wrap import Line
from .edited import Edited, EditedPage
from .part import BenchPart

if TYPE_CHECKING:
    from ..transcript.editor import MessageEditor
    from .screen import WorkbenchScreen


class Drafting(BenchPart):
    """Opens an editor on a message or on the page, keeps it over its block, and puts the draft where it goes."""

    def __init__(self, bench: "WorkbenchScreen") -> None:
        super().__init__(bench)
        self.editor: MessageEditor | None = None
        self.edited: Edited | EditedPage | None = None
        """What the editor is open on."""
        self.size: Line = ()
        """How many tokens the draft is, in words."""

    def open(self, edited: Edited | EditedPage, *where: Where, added: str = "") -> None:
        """Opens an editor on this, its caret at the end.

        Args:
            where: whose keys hold before those of every editor.
            added: what is in the draft behind the text already.
        """
        from ..transcript.editor import MessageEditor

        self.edited = edited
        keys = self.qiao.keys.bindings("editor", *where)
        text, width = edited.beginning + added, self.transcript.text_width
        self.editor = MessageEditor(text, self.inks, keys, edited.given, width)
        self.editor.styles.width = self.transcript.editor_width
        self.editor.styles.height = 1
        # Out of sight until it is known where its block stands.
        self.editor.styles.offset = (5, 200)
        self.editor.move_cursor(self.editor.document.end)
        mounting = self.bench.query_one("#middle").mount(self.editor)
        # Before all else that is to be painted: a frame would show its room, and not it.
        self.bench.post_message(Layout(self.editor))
        self.bench.set_focus(self.editor)
        self.bench.draft_size.begin()
        self.show()

        async def mounted() -> None:
            # Nothing is painted meanwhile: the room for it, and it in its place, come in one frame.
            await mounting

        self.bench.call_next(mounted)

    def show(self) -> None:
        """All of it that has room, its end in sight."""
        self.bench.refresh_conversation()
        self.transcript.reveal(to_end=True)
        self.place()

    def place(self) -> None:
        """Puts the editor over its block."""
        editor = self.editor
        if editor is None:
            return
        region = self.transcript.body_region(self.session.shown_at)
        if region is None:
            return
        region = region.translate(self.transcript.region.offset - self.bench.query_one("#middle").region.offset)
        if (editor.styles.offset, editor.styles.width, editor.styles.height) != (
            region.offset,
            region.width,
            region.height,
        ):
            editor.styles.offset = region.offset
            editor.styles.width = region.width
            editor.styles.height = region.height
        self.qiao.place_cursor(editor)

    def draft_of(self, session: Session) -> Writing | None:
        """What is being written in this conversation."""
        editor, edited = self.editor, self.edited
        if editor is None or edited is None or edited.session is not session:
            return None
        return edited.writing(editor.long_document.last_edit, editor.draft_as_it_is())

    def close(self) -> None:
        """The draft becomes one undo step."""
        editor, edited = self.take()
        if editor is None or edited is None:
            return
        self.bench.put_late(
            lambda session: edited._replace(session=session).keep(editor.draft), edited.session, show=True
        )
        self.bench.set_focus(self.transcript)
        self.bench.refresh_all()
        self.transcript.reveal()

    def take(self) -> "tuple[MessageEditor | None, Edited | EditedPage | None]":
        """The editor off the screen, and what it was open on; the draft is the caller's to keep."""
        editor, edited = self.editor, self.edited
        self.editor = self.edited = None
        if edited is not None:
            edited.session.editing = None
        if editor is not None:
            if editor.has_focus:
                self.bench.set_focus(self.transcript)
            editor.remove()
        return editor, edited
