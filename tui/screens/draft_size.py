"""How many tokens the draft has and what its prompt comes to, counted beside the typing and never in its way."""

import threading
import time
from typing import NamedTuple

from textual import on
from textual.message import Message as Event
from textual.timer import Timer

from ...workbench.address import Address
from ...workbench.conversation import Conversation, Message, Role
from ...workbench.seam import Count, Request, Turn
from ...workbench.token_counts import LONG, estimate
from ...workbench.variables import message_runs
from ...workbench.words import say
from ..actions import Where
from ..edited import Edited, EditedPage
from ..page_items import WHOLE
from ..wrap import Line, Run, line_width
from .conversation_actions import ConversationActions

WAIT = 0.4
"""Seconds from a key to the count: so often it is taken while one types on."""
LONG_WAIT = 1.0
"""For a long draft, seconds without a key: taking its text out of the editor would be felt."""
SILENT_SECONDS = 30
"""So long whoever couldn't count isn't asked again."""


class Draft(NamedTuple):
    """What is counted."""

    conversation: Conversation
    at: int
    """Where it stands, from 0."""
    uid: int
    role: Role
    text: str
    address: Address


class DraftSize(ConversationActions):
    """Shows the count below the editor."""

    class Counted(Event):
        """Posted by the thread that counts."""

        def __init__(self, draft: Draft, count: Count) -> None:
            super().__init__()
            self.draft = draft
            self.count = count

    _soon: Timer | None = None
    _counting = False
    _again = False
    """Something was typed since the count that is being taken began."""
    _is_long = False
    _above: tuple[Conversation | None, int, tuple[Turn, ...]] = (None, 0, ())
    """The turns above the draft, put together once: the conversation stays the same while one types."""
    _silent: tuple[Address | None, float] = (None, 0.0)
    """Who couldn't count, and when."""

    def open_editor(self, edited: Edited | EditedPage, *where: Where, added: str = "") -> None:
        if not self.qiao.plain:
            # The room for it, so that nothing has to give way when it comes.
            self.draft_size = (Run(" " * line_width(size_words(Count(0, 0), self._context_length(self.address)))),)
        super().open_editor(edited, *where, added=added)
        self._is_long = False
        self._count_soon()

    def on_text_area_changed(self) -> None:
        self._count_soon()

    def _count_soon(self) -> None:
        if self.editor is None or self.qiao.plain:
            # A figure that changes by itself would be read out again and again.
            return
        if self._counting:
            self._again = True
        elif self._soon is None:
            self._soon = self.set_timer(LONG_WAIT if self._is_long else WAIT, self._count)
        elif self._is_long:
            self._soon.reset()

    def _count(self) -> None:
        self._soon = None
        editor, edited = self.editor, self.edited
        if editor is None or edited is None or (place := edited.place) is None:
            return
        conversation, text = edited.session.conversation, editor.draft
        self._is_long = len(text) > LONG
        self._counting = True
        role = "user" if edited.uid == WHOLE else conversation.messages[place].role
        draft = Draft(conversation, place, edited.uid, role, text, self.address)
        threading.Thread(target=self._work, args=(draft,), name="draft size", daemon=True).start()

    def _work(self, draft: Draft) -> None:
        """In a thread of its own, one at a time."""
        address, count = draft.address, None
        request = Request(address, self._turns(draft), draft.conversation.sampling)
        if self._silent[0] != address or time.monotonic() - self._silent[1] > SILENT_SECONDS:
            count = self.qiao.backends.count(request, threading.Event())
            if count is None:
                self._silent = address, time.monotonic()
        self.post_message(self.Counted(draft, count or estimate(request)))

    def _turns(self, draft: Draft) -> tuple[Turn, ...]:
        """What would be sent down to the draft; a variable without a value stays as written."""
        conversation = draft.conversation

        def turn(message: Message) -> Turn:
            return Turn(message.role, "".join(run.text for run in message_runs(message, conversation.variables)))

        if self._above[0] is not conversation or self._above[1] != draft.at:
            above = (message for message in conversation.messages[: draft.at] if not message.muted)
            self._above = conversation, draft.at, tuple(map(turn, above))
        return (*self._above[2], turn(Message(role=draft.role, text=draft.text)))

    @on(Counted)
    def _show_count(self, event: Counted) -> None:
        self._counting = False
        draft, edited = event.draft, self.edited
        is_of_this = edited is not None and edited.uid == draft.uid and self.address == draft.address
        if is_of_this:
            length = event.count.context_length or self._context_length(draft.address)
            words = size_words(event.count, length)
            if words != self.draft_size:
                self.draft_size = words
                self.refresh_conversation()
        if self._again or not is_of_this:
            self._again = False
            self._count_soon()

    def _context_length(self, address: Address) -> int | None:
        model = self.model(address)
        return None if model is None else model.context_length


def size_words(count: Count, context_length: int | None) -> Line:
    """The count in so many cells whatever the numbers are; `~` stands before what isn't exact."""
    n = _number(count.last, count.last_is_exact, 7)
    if context_length is None:
        return (Run(say("screen.draft_tokens", n=n, whole=_number(count.whole, count.whole_is_exact, 8)), "faint"),)
    length = f"{context_length:,}"
    whole = _number(count.whole, count.whole_is_exact, len(length) + 1)
    ink = "faint" if count.whole <= context_length else "warn"
    return (Run(say("screen.draft_tokens_of", n=n, whole=whole, length=length), ink),)


def _number(tokens: int, is_exact: bool, width: int) -> str:
    return f"{'' if is_exact else '~'}{tokens:,}".rjust(width)
