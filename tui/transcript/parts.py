"""A long message in parts, so that only those in sight are laid out: it may have ten million characters."""

from collections.abc import Iterator
from typing import NamedTuple

from rich.cells import get_character_cell_size

from ...workbench.conversation import Message
from ..text.wrap import NOT_FIRST, NOT_LAST

LONG_ANSWER = 100_000
"""An answer is Markdown, which can't be cut anywhere; a longer one is shown as plain text."""
PART = 10_000
"""Characters a part has at least; it ends at the next line feed, or, in a long line, at a blank."""
LONG = 2 * PART
"""Characters; a shorter message is laid out as a whole, and so is a shorter line in an editor."""
_JOINER = "\u200d"


class Part(NamedTuple):
    """A piece of a message's text."""

    begin: int
    end: int
    is_last: bool


def is_in_parts(message: Message) -> bool:
    """Whether it is laid out in parts."""
    return len(message.said) >= (LONG if message.take is None else LONG_ANSWER)


def parts_of(message: Message) -> list[Part] | None:
    """The parts of what a message says; None: it is laid out as a whole."""
    if not is_in_parts(message):
        return None
    text = message.said
    parts: list[Part] = []
    begin = 0
    while len(text) - begin > LONG:
        feed = text.find("\n", begin + PART, begin + LONG)
        end = feed if feed >= 0 else _in_line(text, begin + PART, begin + LONG)
        parts.append(Part(begin, end, False))
        begin = end + 1 if feed >= 0 else end
    return [*parts, Part(begin, len(text), True)]


def seams(line: str, start: int, end: int) -> Iterator[int]:
    """Where in a line to cut what is from `start` to `end`, so that no piece is LONG; where the page cuts it, too."""
    while end - start > LONG:
        start = _in_line(line, start + PART, start + LONG)
        yield start


def _in_line(text: str, least: int, most: int) -> int:
    """Where to cut a line: behind a blank, else where a line may be broken; not within `{{name}}`."""
    at = text.rfind(" ", least, most) + 1 or most
    brace = text.rfind("{{", least, at)
    if brace >= 0 and "}}" not in text[brace:at]:
        return brace
    return next((cut for cut in range(at, least, -1) if _can_cut(text[cut - 1], text[cut])), at)


def _can_cut(before: str, after: str) -> bool:
    return bool(
        get_character_cell_size(after) and before != _JOINER and after not in NOT_FIRST and before not in NOT_LAST
    )
