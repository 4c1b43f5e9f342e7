"""What a person puts on messages and takes without changing what they say: stars, and notes.

A note belongs to the chosen take where there is one, else to the message; a star always to a take.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import msgspec

from .conversation import Conversation, Message, Take


class Target(NamedTuple):
    """What a note or a star is for; found again even if the conversation was changed meanwhile."""

    uid: int
    """The message's."""
    take: Take | None
    """As `Take.as_given`; None: the message itself."""


def targets(conversation: Conversation, places: Collection[int]) -> list[Target]:
    """What stands at these places: of each message the chosen take, else the message itself."""
    messages = (conversation.messages[place] for place in places)
    return [Target(message.uid, message.take and message.take.as_given) for message in messages]


def starred(conversation: Conversation, wanted: Sequence[Target]) -> Conversation:
    """All these takes starred; or none, if all were. Messages themselves have no star."""
    takes = [target for target in wanted if target.take is not None]
    return _each(conversation, takes, starred=not has_stars(conversation, takes))


def has_stars(conversation: Conversation, wanted: Sequence[Target]) -> bool:
    """Whether all these takes are starred."""
    return all(found.starred for found in _found(conversation, wanted) if isinstance(found, Take))


def noted(conversation: Conversation, wanted: Sequence[Target], note: str) -> Conversation:
    """This note on all of them; an empty one takes theirs away."""
    return _each(conversation, wanted, note=note or None)


def note_on(conversation: Conversation, wanted: Sequence[Target]) -> str:
    """The first note that there is on any of them."""
    return next((found.note for found in _found(conversation, wanted) if found.note), "")


def next_starred(conversation: Conversation, at: int, chosen: int | None) -> tuple[int, int] | None:
    """The next starred take, from the top again after the last one.

    Args:
        at: the place of a message.
        chosen: that take of it, as `Message.chosen`, is passed over; it comes last.

    Returns:
        The message's place, and the take counted from 1; None: nothing is starred.
    """
    messages = conversation.messages
    here = _stars(messages[at]) if at < len(messages) else []
    for number in here:
        if number > (chosen or 0):
            return at, number
    for place in (*range(at + 1, len(messages)), *range(at)):
        if messages[place].takes and (numbers := _stars(messages[place])):
            return place, numbers[0]
    return (at, here[0]) if here else None


def _stars(message: Message) -> list[int]:
    return [number for number, take in enumerate(message.takes, start=1) if take.starred]


def _found(conversation: Conversation, wanted: Sequence[Target]) -> Iterator[Message | Take]:
    given = dict(wanted)
    for message in conversation.messages:
        if message.uid in given and (place := _place(message, given[message.uid])) is not None:
            yield message.takes[place] if place >= 0 else message


def _each(conversation: Conversation, wanted: Sequence[Target], **fields: object) -> Conversation:
    given = dict(wanted)
    return conversation.with_messages(
        [_with(m, given[m.uid], fields) if m.uid in given else m for m in conversation.messages]
    )


def _with(message: Message, given: Take | None, fields: dict[str, object]) -> Message:
    place = _place(message, given)
    if place is None:
        return message
    if place < 0:
        return msgspec.structs.replace(message, **fields)
    takes = list(message.takes)
    takes[place] = msgspec.structs.replace(takes[place], **fields)
    return msgspec.structs.replace(message, takes=tuple(takes))


def _place(message: Message, given: Take | None) -> int | None:
    """Where the take stands, from 0; of several that are the same, the chosen one. -1: the message itself is meant."""
    if given is None:
        return -1
    places = [place for place, take in enumerate(message.takes) if take.as_given == given]
    chosen = (message.chosen or 0) - 1
    return chosen if chosen in places else next(iter(places), None)
