"""Finding text in the conversation, as one types: in all takes, thinking and notes."""

from collections.abc import Hashable, Sequence
from itertools import islice

from textual.binding import Binding

from ...workbench.conversation import Conversation
from ...workbench.finding import Found, find
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..look.inks import Inks
from ..panes.rows import Row
from ..text.glyphs import glyphs
from ..text.wrap import Run
from .filtered import FilteredList

LISTED = 200
"""Places; whoever has more types another letter."""
BEFORE = 24
"""Characters of a long line that are shown before what was found."""


class Find(FilteredList[tuple[str, Found | None]]):
    """The result is what was typed and the place to go to; without a place, the text is to be replaced."""

    BINDINGS = [Binding("ctrl+r", "replace", show=False, priority=True)]

    def __init__(self, conversation: Conversation, inks: Inks, typed: str = "") -> None:
        super().__init__(inks, say("find.title"), typed)
        self._conversation = conversation

    def listed(self, typed: str) -> Sequence[Row]:
        found = list(islice(find(self._conversation, typed), LISTED + 1))
        if not typed:
            self.tell(say("find.title"))
            return ()
        if not found:
            return [Row((Run(say("find.nothing"), "faint"),))]
        count = f"{LISTED}+" if len(found) > LISTED else str(len(found))
        self.tell(f"{say('find.count', n=count)}   {say('find.replace_hint')}")
        return [self._row(each, number) for number, each in enumerate(found[:LISTED])]

    def _row(self, found: Found, number: int) -> Row:
        message = self._conversation.messages[found.at]
        start = max(found.start - BEFORE, 0)
        line = found.line
        left = (
            Run(f"{found.at + 1:>3} ", "faint"),
            Run(f"{say(f'screen.role_{message.role}')} ", message.role),
            Run(("…" if start else "") + visible_line(line[start : found.start])),
            Run(visible_line(line[found.start : found.end]), "accent strong"),
            Run(visible_line(line[found.end : found.end + 200])),
        )
        where = [say(f"find.in_{found.where}")] if found.where in ("thinking", "note") else []
        if found.take is not None and found.take != message.chosen:
            where.insert(0, f"{glyphs.take_left}{found.take}/{len(message.takes)}{glyphs.take_right}")
        elif found.where == "text" and message.chosen is not None:
            where.insert(0, glyphs.by_hand)
        return Row(left, (Run(" ".join(where), "muted"),) if where else (), (number, found))

    def choose(self, key: Hashable | None) -> None:
        if isinstance(key, tuple):
            _, found = key
            self.dismiss((self.typed, found))

    def action_replace(self) -> None:
        if self.typed:
            self.dismiss((self.typed, None))
