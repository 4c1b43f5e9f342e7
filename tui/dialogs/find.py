"""Finding text in the conversation, as one types: in all takes, thinking and notes."""

from collections.abc import Hashable, Iterator, Sequence

from textual.binding import Binding

from ...workbench.conversation import Conversation
from ...workbench.finding import Found, looking
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..look.inks import Inks
from ..panes.rows import Row, Rows
from ..text.glyphs import glyphs
from ..text.wrap import Run
from .filtered import FilteredList

AT_ONCE = 8
"""Pieces of text that are looked through before a key that waits is let through: some milliseconds."""
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
        self._found: list[Found] = []
        self._coming: Iterator[Found | None] = iter(())
        """What is still to be looked through; a None after each piece of it."""
        self._goes_on = False
        """The next look is asked for already."""

    def listed(self, typed: str) -> Sequence[Row]:
        self._found.clear()
        self._coming = looking(self._conversation, typed)
        return self._listed_so_far(typed)

    def _go_on(self) -> None:
        self._goes_on = False
        if self.is_attached:
            self.query_one(Rows).show(self._listed_so_far(self.typed))

    def _listed_so_far(self, typed: str) -> Sequence[Row]:
        """Looks through some more of the texts."""
        looked_through, is_over = 0, True
        for found in self._coming:
            if found is not None:
                self._found.append(found)
            else:
                looked_through += 1
            if looked_through == AT_ONCE or len(self._found) > LISTED:
                is_over = len(self._found) > LISTED
                break
        if not is_over and not self._goes_on:
            self._goes_on = self.call_later(self._go_on)
        if not typed or not (self._found or is_over):
            self.tell(say("find.title"))
            return ()
        if not self._found:
            return [Row((Run(say("find.nothing"), "faint"),))]
        count = str(len(self._found)) if is_over and len(self._found) <= LISTED else f"{len(self._found[:LISTED])}+"
        self.tell(f"{say('find.count', n=count)}   {say('find.replace_hint')}")
        return [self._row(each, number) for number, each in enumerate(self._found[:LISTED])]

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
