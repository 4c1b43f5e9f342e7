"""A long message in parts, so that only those in sight are laid out: it may have ten million characters."""

from typing import NamedTuple

from rich.cells import get_character_cell_size

from ...workbench.conversation import Message

LONG = 50_000
"""Characters; a shorter message is laid out as a whole."""
LONG_ANSWER = 100_000
"""An answer is Markdown, which can't be cut anywhere; a longer one is shown as plain text."""
PART = 10_000
"""Characters a part has at least; it ends at the next line feed, or, in a long line, at a blank."""


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
    while len(text) - begin > 2 * PART:
        feed = text.find("\n", begin + PART, begin + 2 * PART)
        end = feed if feed >= 0 else _in_line(text, begin + PART, begin + 2 * PART)
        parts.append(Part(begin, end, False))
        begin = end + 1 if feed >= 0 else end
    return [*parts, Part(begin, len(text), True)]


def _in_line(text: str, least: int, most: int) -> int:
    """Where to cut a line: behind a blank, not within `{{name}}`, nor before a mark that combines."""
    at = text.rfind(" ", least, most) + 1 or most
    brace = text.rfind("{{", least, at)
    if brace >= 0 and "}}" not in text[brace:at]:
        return brace
    while at > least and not get_character_cell_size(text[at]):
        at -= 1
    return at
