"""Which conversations of a file that holds many are to be opened."""

from collections.abc import Hashable, Sequence

from ...workbench.conversation import Conversation
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..look.inks import Inks
from ..panes.rows import Row
from ..text.wrap import Run
from .filtered import FilteredList

MOST_AT_ONCE = 20
LISTED = 500
_SEARCHED = 2_000
"""Characters of what is said first: enough to know a conversation by, and quick for a hundred thousand of them."""


class ChooseImported(FilteredList[Sequence[Conversation]]):
    """enter gives the selected one; the first row gives all of them, if they aren't too many."""

    def __init__(self, inks: Inks, name: str, conversations: Sequence[Conversation]) -> None:
        super().__init__(inks, say("library.holds", file=visible_line(name), n=len(conversations)))
        self._conversations = conversations
        self._openings = [_opening(each) for each in conversations]

    def listed(self, typed: str) -> Sequence[Row]:
        words = typed.lower().split()
        fitting = [
            number for number, opening in enumerate(self._openings) if all(word in opening.lower() for word in words)
        ]
        rows = [self._row(number) for number in fitting[:LISTED]]
        if not words and len(fitting) <= MOST_AT_ONCE:
            rows.insert(0, Row((Run(say("library.open_all", n=len(fitting)), "strong"),), (), -1))
        if len(fitting) > LISTED:
            rows.append(Row((Run(say("library.further", n=len(fitting) - LISTED), "faint"),)))
        return rows or [Row((Run(say("library.nothing"), "faint"),))]

    def _row(self, number: int) -> Row:
        count = say("library.messages", n=len(self._conversations[number].messages))
        first = " ".join(self._openings[number][:200].split())
        left = (Run(f"{number + 1:>4}  ", "muted"), Run(visible_line(first)))
        return Row(left, (Run(count, "muted"),), number)

    def choose(self, key: Hashable | None) -> None:
        if isinstance(key, int):
            self.dismiss(self._conversations if key < 0 else [self._conversations[key]])


def _opening(conversation: Conversation) -> str:
    """What the user says first, else what anybody does."""
    said = [message for message in conversation.messages if message.said]
    first = next((message for message in said if message.role == "user"), said[0] if said else None)
    return first.said[:_SEARCHED] if first else conversation.title or ""
