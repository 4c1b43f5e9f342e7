"""What an editor is open on, and where its draft goes."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ...workbench.conversation import Conversation
from ...workbench.merging import merged
from ...workbench.page import page_of, rewritten, with_page_beside
from ..keeping.journaling import Writing
from ..sessions.page_items import WHOLE
from ..sessions.session import Session


class Edited(NamedTuple):
    """A message."""

    session: Session
    uid: int
    beginning: str
    """Its text when the editor was opened."""

    @property
    def place(self) -> int | None:
        """How many messages stand above it; None: it is gone."""
        return self.session.conversation.index(self.uid)

    @property
    def given(self) -> list[tuple[int, int]]:
        """A model's text and one's own aren't told apart within a message."""
        return []

    def writing(self, edit: int, text: Callable[[], str]) -> Writing | None:
        """What is to be written down of the draft as it grows; None: the message is gone."""
        if (place := self.place) is None:
            return None
        return Writing(place, self.session.conversation.messages[place].role, self.beginning, edit, text)

    def keep(self, text: str) -> str | None:
        """Makes the draft one step of undo. Returns what is to be said (a word key): it had to go elsewhere.

        Raises:
            ReadOnly: the file has become so.
        """
        return None if self.session.write(self.uid, text, self.beginning) else "screen.draft_kept_below"


class EditedPage(NamedTuple):
    """The whole text."""

    session: Session
    opened: Conversation
    """When the editor was opened."""
    beginning: str
    """Its text then."""
    uid: int = WHOLE

    @property
    def place(self) -> int:
        return 0

    @property
    def given(self) -> list[tuple[int, int]]:
        """From where to where a model wrote the text, in characters."""
        messages = self.opened.messages
        stretches = page_of(messages).stretches
        return [(start, end) for place, start, end in stretches if messages[place].take is not None]

    def writing(self, edit: int, text: Callable[[], str]) -> Writing:
        """What is to be written down of the draft as it grows."""
        return Writing(self.place, "user", self.beginning, edit, text, whole=True)

    def keep(self, text: str) -> str | None:
        """As `Edited.keep`. What has changed is selected."""
        session, opened, now = self.session, self.opened, self.session.conversation
        if text == self.beginning:
            return None
        ours = rewritten(opened, text)
        mixed = msgspec.structs.replace(now, messages=ours.messages)
        if now.messages is not opened.messages:
            # Another program's change came in meanwhile.
            mixed = merged(opened, ours, now)
        session.change(with_page_beside(now, text) if mixed is None else mixed, "label.edit")
        before = {id(message) for message in now.messages}
        changed = [m for m in session.conversation.messages if id(m) not in before and not m.muted]
        left = [m for m in session.conversation.messages if not m.muted]
        if changed or left:
            session.selected = (changed[0] if changed else left[-1]).uid
        return "page.kept_below" if mixed is None else None


def open_page(session: Session) -> EditedPage:
    """The whole text of this conversation, as it is now."""
    conversation = session.conversation
    return EditedPage(session, conversation, page_of(conversation.messages).text)
