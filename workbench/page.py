"""The conversation as one text, as a base model gets it, and what an edit of that text does to its messages.

A take is never edited: where the text is as it was, its message stays with all its takes; what was typed, and what is
left of a message that was typed into, is text by hand.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from .conversation import Conversation, Message
from .plain_text import GAP, gaps, runs_on
from .seam import Turn
from .splicing import most, splice


class Stretch(NamedTuple):
    """Where a message's text stands in the whole, in characters."""

    place: int
    """Of the message in the conversation, from 0."""
    start: int
    end: int


class Page(NamedTuple):
    """The whole text. Muted and empty messages are no part of it; variables stand as they are written."""

    text: str
    stretches: tuple[Stretch, ...]


def page_of(messages: Sequence[Message]) -> Page:
    """The text that these messages are."""
    places = [i for i, message in enumerate(messages) if message.said and not message.muted]
    texts: list[str] = []
    stretches: list[Stretch] = []
    at = 0
    for i, gap in zip(places, gaps([_turn(messages[i]) for i in places]), strict=True):
        said = messages[i].said
        start = at + len(gap)
        at = start + len(said)
        texts += [gap, said]
        stretches.append(Stretch(i, start, at))
    return Page("".join(texts), tuple(stretches))


def _turn(message: Message) -> Turn:
    return Turn(message.role, message.said, message.runs_on)


def rewritten(conversation: Conversation, text: str) -> Conversation:
    """The conversation whose whole text is this one.

    Messages before the change, and those after it, stay as they are. What was typed at the end of a text by hand goes
    on in it, else it is a message of its own. Of a message that was typed into, what stands there now is its text by
    hand, beside its takes; one whose text is gone goes too.
    """
    messages = conversation.messages
    page = page_of(messages)
    if text == page.text:
        return conversation
    keep, end = _unchanged(messages, page, text)
    pieces, shift = page.stretches, len(text) - len(page.text)
    first = bisect_right(pieces, keep, key=lambda piece: piece.end)
    last = max(first, bisect_left(pieces, len(page.text) - end, key=lambda piece: piece.start))
    if first == last and first and _is_by_hand(messages[pieces[first - 1].place]):
        first -= 1
    elif first == last and last < len(pieces) and _is_by_hand(messages[pieces[last].place]):
        last += 1

    edits: dict[int, Message | None] = {piece.place: None for piece in pieces[first:last]}
    head = pieces[first - 1].end if first else 0
    tail = pieces[last].start + shift if last < len(pieces) else len(text)
    if last < len(pieces):
        below = messages[pieces[last].place]
        if not runs_on(_turn(below)):
            if text[head:tail].endswith(GAP) and tail > len(GAP):
                tail -= len(GAP)
            elif tail:
                edits[pieces[last].place] = msgspec.structs.replace(below, runs_on=True)

    # Of several that the change goes through, the last keeps what is left of its text.
    cut = min(max(len(text) - end, head), tail) if last - first > 1 else tail
    if first == last and head < tail:
        at = pieces[first - 1].place + 1 if first else 0
        added = _saying(Message(role="user"), text[head:tail], begun=first > 0)
        return conversation.with_messages(_edited(messages, edits)).inserted(at, added)
    if head < cut:
        index = pieces[first].place
        edits[index] = _saying(messages[index], text[head:cut], begun=first > 0)
    if cut < tail:
        index = pieces[last - 1].place
        edits[index] = _saying(messages[index], text[cut:tail], begun=first > 0 or head < cut)
    return conversation.with_messages(_edited(messages, edits))


def with_page_beside(conversation: Conversation, text: str) -> Conversation:
    """The conversation with a text for the whole of it kept beside what it is, as a message that isn't sent."""
    if any(message.said == text for message in conversation.messages):
        return conversation
    return conversation.inserted(len(conversation.messages), Message(role="user", text=text, muted=True))


def _unchanged(messages: Sequence[Message], page: Page, text: str) -> tuple[int, int]:
    """So many characters at the start and at the end are as they were.

    Where what was put in or taken out could have been so in several places (a word before one that begins alike), it is
    where it costs the fewest takes, and leaves most messages whole.
    """
    before = page.text
    keep, end, _ = splice(before, text)
    longer, shorter = (text, before) if len(text) > len(before) else (before, text)
    if keep + end < len(shorter):
        return keep, end
    size = len(longer) - len(shorter)
    slack = most(keep, lambda n: longer[keep - n : keep] == longer[keep + size - n : keep + size])
    ends = size if longer is before else 0
    around = [_inside(page, keep), _inside(page, keep + ends)]
    places = [keep, *(piece.start - off for piece, off in zip(around, (0, ends), strict=True) if piece is not None)]
    possible = [place for place in places if keep - slack <= place <= keep]

    def cost(place: int) -> tuple[int, int]:
        changed = [piece for piece in page.stretches if piece.start < place + ends and place < piece.end]
        takes = sum(not _is_by_hand(messages[piece.place]) for piece in changed)
        return takes, sum(_inside(page, at) is not None for at in (place, place + ends))

    place = min(possible, key=cost)
    return place, len(shorter) - place


def _inside(page: Page, at: int) -> Stretch | None:
    """The stretch that this place parts, if it parts one."""
    number = bisect_right(page.stretches, at, key=lambda piece: piece.start) - 1
    piece = page.stretches[number] if number >= 0 else None
    return piece if piece is not None and piece.start < at < piece.end else None


def _is_by_hand(message: Message) -> bool:
    return not message.takes


def _saying(message: Message, text: str, *, begun: bool) -> Message:
    """The message saying this, a blank line before it included. `begun`: something stands before it."""
    if begun and not message.runs_on and text.startswith(GAP):
        bare = text.removeprefix(GAP)
        if bare and not runs_on(Turn(message.role, bare)):
            return message if bare == message.said else message.with_text(bare)
    said = message if text == message.said else message.with_text(text)
    return msgspec.structs.replace(said, runs_on=True) if begun and not runs_on(_turn(said)) else said


def _edited(messages: Sequence[Message], edits: dict[int, Message | None]) -> list[Message]:
    """The messages with some replaced, or (None) left out."""
    changed = (edits.get(i, message) for i, message in enumerate(messages))
    return [message for message in changed if message is not None]
