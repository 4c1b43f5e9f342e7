"""What the keys do where the conversation is one text, as a base model gets it. Elsewhere, what they always do."""

from ...workbench.conversation import Role
from ...workbench.errors import QiaoError
from ...workbench.words import say
from ..bench.edited import EditedPage, open_page
from ..panes.hints import Hint
from ..sessions.page_items import WHOLE
from .conversation import ConversationActions

_OWN_WORDS = frozenset({"edit", "run", "continue", "run_from_editor"})
"""Actions that are called otherwise on a page."""


class PageActions(ConversationActions):
    """Each `do_ID` carries out the action of that id."""

    def do_edit(self) -> None:
        if self.is_page:
            self._write()
        else:
            super().do_edit()

    def _write(self, added: str = "") -> None:
        session = self.session
        self._check_writable()
        if session.runs:
            raise QiaoError("page.busy")
        session.editing = WHOLE
        self.open_editor(open_page(session), "page", added=added)

    def do_external_editor(self) -> None:
        if not self.is_page:
            super().do_external_editor()
            return
        self._check_writable()
        if self.session.runs:
            raise QiaoError("page.busy")
        page = open_page(self.session)
        from ..input.external_editor import edit_text

        text = edit_text(self.app, page.beginning)
        if text is not None and (notice := page.keep(text)) is not None:
            self.qiao.tell(say(notice))
        self.refresh_all()

    def _add(self, offset: int, text: str = "", role: Role | None = None) -> None:
        if not self.is_page:
            super()._add(offset, text, role)
            return
        # There is one place to write: what is added, or pasted, comes at its end.
        self.close_editor()
        self._write(text)

    def do_role(self) -> None:
        self._check_messages_are_seen()
        super().do_role()

    def do_mark(self) -> None:
        self._check_messages_are_seen()
        super().do_mark()

    def _check_messages_are_seen(self) -> None:
        if self.is_page:
            raise QiaoError("page.for_messages")

    def do_cut_rest(self) -> None:
        """What stands behind the caret goes; ctrl+z brings it back while the editor is open."""
        if self.editor is not None:
            self.editor.delete(self.editor.cursor_location, self.editor.document.end)

    def do_run_from_editor(self) -> None:
        if not isinstance(self.edited, EditedPage):
            super().do_run_from_editor()
            return
        self.close_editor()
        self.do_continue()

    # What the screen says

    def _empty_words(self) -> list[str]:
        if not self.is_page:
            return super()._empty_words()
        return [say("page.welcome"), say("page.welcome_keys"), say("page.welcome_base")]

    def _likely_actions(self) -> list[str]:
        session = self.session
        if not self.is_page:
            return super()._likely_actions()
        message = session.message
        if message is None:
            return ["edit", "open", "models", "sampling"]
        stop = ["stop"] if session.runs else []
        takes = ["previous_take", "next_take"] if len(message.takes) > 1 else []
        return [*stop, "edit", "continue", "run", *takes, "seen", "undo", "models", "sampling"]

    def _action_hints(self, *action_ids: str) -> list[Hint]:
        if not self.is_page:
            return super()._action_hints(*action_ids)
        if isinstance(self.edited, EditedPage):
            action_ids = tuple(id for id in action_ids if id != "role_in_editor")
            action_ids = tuple("cut_rest" if id == "split" else id for id in action_ids)
        keys = self.qiao.keys
        return [
            Hint(shown[0], say(f"page.{id}" if id in _OWN_WORDS else f"actions.{id}"))
            for id in action_ids
            if (shown := keys.shown(id))
        ]
