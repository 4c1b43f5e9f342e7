"""What the keys do where the conversation is one text, as a base model gets it."""

from ...workbench.errors import QiaoError
from ...workbench.words import say
from ..bench.edited import open_page
from ..sessions.page_items import WHOLE
from .group import Actions


class PageActions(Actions):
    """Writing on the page, from its end; what else the keys do is the same as with messages."""

    def write(self, added: str = "") -> None:
        """Opens the editor on all of it, with this at its end."""
        session = self.session
        self.check_writable()
        if session.runs:
            raise QiaoError("page.busy")
        session.editing = WHOLE
        self.bench.drafting.open(open_page(session), "page", added=added)

    def write_elsewhere(self) -> None:
        """In the person's own editor."""
        self.check_writable()
        if self.session.runs:
            raise QiaoError("page.busy")
        page = open_page(self.session)
        from ..input.external_editor import edit_text

        text = edit_text(self.app, page.beginning)
        if text is not None and (notice := page.keep(text)) is not None:
            self.qiao.tell(say(notice))
        self.bench.refresh_all()

    def do_cut_rest(self) -> None:
        """What stands behind the caret goes; ctrl+z brings it back while the editor is open."""
        editor = self.bench.drafting.editor
        if editor is not None:
            editor.delete(editor.cursor_location, editor.document.end)
