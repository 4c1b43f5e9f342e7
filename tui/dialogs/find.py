"""Finding text in the conversation, as one types: in all takes, thinking and notes."""

import asyncio
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
        self._is_over = True
        """All is looked through, or enough."""

    def listed(self, typed: str) -> Sequence[Row]:
        self._found.clear()
        self._coming = looking(self._conversation, typed)
        self._look()
        self.run_worker(self._look_on(), exclusive=True)
        return self._rows(typed)

    async def _look_on(self) -> None:
        """Looks through all that is left, and lets whatever waits, a key above all, go first."""
        while not self._is_over:
            await asyncio.sleep(0)
            if not self.is_whole:
                return
            self._look()
            self.query_one(Rows).show(self._rows(self.typed))
            self.more_came(enough=self._is_over or bool(self._found))

    def _look(self) -> None:
        """Looks through some more of the texts."""
        looked_through = 0
        for found in self._coming:
            if found is not None:
                self._found.append(found)
            elif (looked_through := looked_through + 1) == AT_ONCE:
                self._is_over = False
                return
            if len(self._found) > LISTED:
                break
        self._is_over = True

    def _rows(self, typed: str) -> Sequence[Row]:
        """What was found so far."""
        if not typed or not self._found:
            self.tell(say("find.title"))
            return [Row((Run(say("find.nothing"), "faint"),))] if typed and self._is_over else ()
        shown = self._found[:LISTED]
        count = f"{len(shown)}{'' if self._is_over and len(self._found) == len(shown) else '+'}"
        self.tell(f"{say('find.count', n=count)}   {say('find.replace_hint')}")
        return [self._row(each, number) for number, each in enumerate(shown)]

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
        elif not self._is_over:
            self.wait_for_more()

    def action_replace(self) -> None:
        if self.typed:
            self.dismiss((self.typed, None))
