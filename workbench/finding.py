"""Text found in a conversation: in what is said, in every take, in thinking and in notes."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from .conversation import Conversation, Message

PIECE = 1 << 16
"""Characters that are looked through at a time."""
Where = Literal["text", "take", "thinking", "note"]


class Found(NamedTuple):
    """One place."""

    at: int
    """Which message, from 0."""
    where: Where
    take: int | None
    """As `Message.chosen`: counts takes from 1; None: the text by hand, or a note on the message."""
    line: str
    """The line that it stands in."""
    start: int
    end: int
    """Where in the line."""
    offset: int
    """Where the match begins in the whole text, in characters."""


def pattern(wanted: str) -> re.Pattern[str]:
    """What is looked for: any case, unless there is a capital letter in it."""
    return re.compile(re.escape(wanted), 0 if wanted != wanted.lower() else re.IGNORECASE)


def find(conversation: Conversation, wanted: str) -> Iterator[Found]:
    """All places, the first in each line, in the order of the messages."""
    return (found for found in looking(conversation, wanted) if found is not None)


def looking(conversation: Conversation, wanted: str) -> Iterator[Found | None]:
    """The same, and a None after each `PIECE` of text: whoever asks can go on later, and let a key through."""
    if not wanted:
        return
    looked_for = pattern(wanted)
    seen = 0
    for index, message in enumerate(conversation.messages):
        for where, take, text in _texts(message):
            yield from _in_text(looked_for, index, where, take, text)
            seen += len(text)
            if seen >= PIECE:
                seen = 0
                yield None


def _texts(message: Message) -> Iterator[tuple[Where, int | None, str]]:
    yield "text", None, message.text
    for number, take in enumerate(message.takes, start=1):
        yield "take", number, take.text
        yield "thinking", number, take.thinking or ""
        yield "note", number, take.note or ""
    yield "note", None, message.note or ""


def _in_text(
    looked_for: re.Pattern[str], index: int, where: Where, take: int | None, text: str
) -> Iterator[Found | None]:
    after = 0
    while after < len(text):
        # So much further that what begins in the piece is found whole.
        match = looked_for.search(text, after, after + PIECE + len(looked_for.pattern))
        if match is None:
            after += PIECE
            if after < len(text):
                yield None
            continue
        begin = text.rfind("\n", 0, match.start()) + 1
        end = text.find("\n", match.end())
        line = text[begin : end if end >= 0 else len(text)]
        yield Found(index, where, take, line, match.start() - begin, match.end() - begin, match.start())
        after = end if end >= 0 else len(text)


def replaced(conversation: Conversation, wanted: str, instead: str) -> tuple[Conversation, int]:
    """The conversation with every place in texts by hand replaced, and how many those were. Takes are never edited."""
    looked_for = pattern(wanted)
    count = 0
    messages: list[Message] = []
    for message in conversation.messages:
        text, times = looked_for.subn(lambda _: instead, message.text)
        count += times
        messages.append(msgspec.structs.replace(message, text=text) if times else message)
    return (conversation.with_messages(messages), count) if count else (conversation, 0)
