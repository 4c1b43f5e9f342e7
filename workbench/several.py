"""Edits of several messages at once, told by where they stand. Each returns a new conversation."""

from collections.abc import Callable, Collection, Sequence

import msgspec

from .conversation import ROLES, Conversation, Message


def removed(conversation: Conversation, places: Collection[int]) -> Conversation:
    """Without these messages."""
    places = set(places)
    return conversation.with_messages([m for i, m in enumerate(conversation.messages) if i not in places])


def muted(conversation: Conversation, places: Collection[int]) -> Conversation:
    """All of them muted; or none, if all were."""
    on = not all(conversation.messages[i].muted for i in places)
    return _each(conversation, places, lambda message: msgspec.structs.replace(message, muted=on))


def with_next_role(conversation: Conversation, places: Collection[int]) -> Conversation:
    """All of them in the role that comes after the first one's. Takes stand on assistant messages only."""
    if not places:
        return conversation
    now = conversation.messages[min(places)].role
    role = ROLES[(ROLES.index(now) + 1) % len(ROLES)] if now in ROLES else "user"
    return _each(conversation, places, lambda message: message.with_role(role))


def moved(conversation: Conversation, places: Collection[int], step: int) -> Conversation:
    """Each a place up (-1) or down (1), their order kept; as it was if the first of them can't go further."""
    messages = list(conversation.messages)
    order = sorted(places, reverse=step > 0)
    if not order or not 0 <= order[0] + step < len(messages):
        return conversation
    for i in order:
        messages[i], messages[i + step] = messages[i + step], messages[i]
    return conversation.with_messages(messages)


def copies(messages: Sequence[Message]) -> list[Message]:
    """The same messages as others: with takes and all, told apart from the first ones."""
    return [msgspec.structs.replace(message, uid=Message(role=message.role).uid) for message in messages]


def _each(conversation: Conversation, places: Collection[int], change: Callable[[Message], Message]) -> Conversation:
    places = set(places)
    return conversation.with_messages([change(m) if i in places else m for i, m in enumerate(conversation.messages)])
