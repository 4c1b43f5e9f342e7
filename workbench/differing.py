"""In which messages two versions of one conversation differ."""

from collections.abc import Iterator
from typing import NamedTuple

from .conversation import Conversation, Message


class Difference(NamedTuple):
    """One message in both versions."""

    ours: Message | None
    """None: it isn't in this version."""
    theirs: Message | None
    number: int
    """Where it stands in ours, else in theirs; counts from 1."""


def differences(ours: Conversation, theirs: Conversation) -> Iterator[Difference]:
    """The messages that say something else, have another role, or are in one version only; ours first.

    Args:
        theirs: a message that is one of ours has its uid.
    """
    there = {message.uid: message for message in theirs.messages}
    here = {message.uid for message in ours.messages}
    for number, message in enumerate(ours.messages, start=1):
        other = there.get(message.uid)
        if other is None or (message is not other and (message.role, message.said) != (other.role, other.said)):
            yield Difference(message, other, number)
    for number, message in enumerate(theirs.messages, start=1):
        if message.uid not in here:
            yield Difference(None, message, number)
