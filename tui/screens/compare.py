"""Two versions of one message side by side, with what differs marked: its takes, and the text by hand."""

from typing import NamedTuple

from textual.binding import Binding

from ...workbench.conversation import Message
from ...workbench.visible import visible, visible_line
from ...workbench.words import say
from ..look.inks import Inks
from ..text.glyphs import glyphs
from ..text.wrap import Line, Run, truncate_line
from ..transcript.blocks import provenance, short_model
from .sides import Row, SideBySide, beside, zipped


class Version(NamedTuple):
    """One of the texts that a message has."""

    chosen: int | None
    """As in `Message.chosen`: counts takes from 1; None: the text by hand."""
    name: str
    text: str
    thinking: str
    below: list[Line]
    """Where it came from."""
    starred: bool = False
    prompt_hash: str | None = None
    """Of what it answered."""


def versions(message: Message, width: int) -> list[Version]:
    """All texts of a message: the one by hand, if there is one, then its takes."""
    found: list[Version] = []
    if message.has_written:
        found.append(Version(None, say("compare.by_hand"), message.text, "", []))
    for number, take in enumerate(message.takes, start=1):
        name = short_model(visible_line(take.model or ""))
        below = provenance(take, width)
        found.append(Version(number, name, take.text, take.thinking or "", below, take.starred, take.prompt_hash))
    return found


class Compare(SideBySide[int]):
    """Shows two versions of a message; the result is the one to be chosen, counted from 0 among `versions`.

    Args:
        message: with two versions at least.
        asks: the hash of what stands before it now: what answered something else is stale.
        inks: of the theme.
    """

    BINDINGS = [
        Binding("c", "leave", show=False, priority=True),
        Binding("z", "thinking", show=False, priority=True),
        Binding("enter", "choose", show=False, priority=True),
    ]

    def __init__(self, message: Message, asks: str, inks: Inks) -> None:
        here = (message.chosen or 0) - (0 if message.has_written else 1)
        super().__init__(inks, "compare.keys", len(versions(message, 80)), (here - 1, here) if here else (0, 1))
        self._message = message
        self._asks = asks
        self._with_thinking = False

    def lay_out(self, column: int) -> tuple[Row, list[Row]]:
        shown = versions(self._message, column)
        left, right = (shown[side] for side in self.sides)
        before, after = (visible(each.thinking if self._with_thinking else each.text) for each in (left, right))
        same: list[Row] = [((Run(say("compare.same"), "muted"),), ())] if before == after else []
        rows = [*beside(before, after, column), ((), ()), *same, *zipped(left.below, right.below)]
        return (self._head(left, column), self._head(right, column)), rows

    def _head(self, version: Version, column: int) -> Line:
        place = f"{version.chosen or glyphs.by_hand}/{len(self._message.takes)}"
        number = Run(f"{glyphs.take_left}{place}{glyphs.take_right} ", f"{self._message.role} strong")
        star = [Run(f"{glyphs.star} ", "accent")] if version.starred else []
        asked = version.prompt_hash
        stale = [Run(f"  {say('compare.stale')}", "warn")] if asked is not None and asked != self._asks else []
        return truncate_line((number, *star, Run(version.name, "strong"), *stale), column)

    def action_thinking(self) -> None:
        self._with_thinking = not self._with_thinking
        self.paint()

    def action_choose(self) -> None:
        self.dismiss(self.sides[1])
