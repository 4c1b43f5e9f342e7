"""Which message a run answers, and where its takes go, even if the document was changed meanwhile."""

from collections.abc import Callable, Sequence

import msgspec

from .asking import prompt_hashes
from .conversation import Conversation, Message, Take
from .errors import Unreadable

HashBefore = Callable[[int], str]
"""The prompt hash of so many messages of a conversation, for whoever knows it without hashing them all again."""


class Place(msgspec.Struct, frozen=True):
    """Where the takes of one run belong."""

    upto: int
    """How many messages stand before the answer."""
    prompt_hash: str
    """Of those messages, as the document has them."""
    seen: Message | None = None
    """The assistant message that gets the takes; None: a new one is made for them."""
    going_on: Message | None = None
    """The assistant message whose text the answer goes on from. None: it starts afresh."""
    runs_on: bool = False
    """It was written as plain text, on from what stands before it."""


def next_answer(conversation: Conversation) -> Place:
    """The next assistant message, at the end.

    Raises:
        Unreadable: the last message that is sent is an assistant's: it wants another take or its continuation.
    """
    if _last_answer(conversation) is not None:
        raise Unreadable("placing.ends_with_answer")
    return _place(conversation, len(conversation.messages))


def retake(conversation: Conversation) -> Place:
    """Another take of the assistant message that the conversation ends with.

    Raises:
        Unreadable: it ends with something else.
    """
    index = _last_answer(conversation)
    if index is None:
        raise Unreadable("placing.no_answer_to_retake")
    return _place(conversation, index, conversation.messages[index])


def continuation(conversation: Conversation) -> Place:
    """A take that goes on from the text of the assistant message that the conversation ends with.

    Raises:
        Unreadable: it ends with something else.
    """
    index = _last_answer(conversation)
    if index is None:
        raise Unreadable("placing.no_answer_to_continue")
    message = conversation.messages[index]
    return _place(conversation, index, message, message)


def answer_from(conversation: Conversation, index: int, hash_before: HashBefore | None = None) -> Place:
    """What running from the message at `index` answers.

    On an assistant message: another take of it. On any other: the answer that follows it, or a take of that
    answer if there is one already. Later messages stay.
    """
    message = conversation.messages[index]
    if message.role == "assistant":
        return _place(conversation, index, message, hash_before=hash_before)
    following = conversation.messages[index + 1] if index + 1 < len(conversation.messages) else None
    is_answer = following is not None and following.role == "assistant" and not following.muted
    return _place(conversation, index + 1, following if is_answer else None, hash_before=hash_before)


def written_from(conversation: Conversation, index: int | None, hash_before: HashBefore | None = None) -> Place:
    """What running from the message at `index` writes where the whole is one text.

    On a take: another one of it. On a text by hand: what follows it, or a take of that if there is one already. Without
    a message: what goes on from the end, in a message of its own.

    Raises:
        Unreadable: there is no text.
    """
    if not any(message.said and not message.muted for message in conversation.messages):
        raise Unreadable("page.nothing_written")
    if index is None:
        return _place(conversation, len(conversation.messages), hash_before=hash_before)
    message = conversation.messages[index]
    if message.take is not None:
        return _place(conversation, index, message, hash_before=hash_before)
    following = conversation.messages[index + 1] if index + 1 < len(conversation.messages) else None
    is_take = following is not None and following.take is not None and not following.muted
    return _place(conversation, index + 1, following if is_take else None, hash_before=hash_before)


def taking(message: Message, take: Take, *, runs_on: bool) -> Message:
    """The message with the take added and chosen. The first that says anything settles whether the message runs on."""
    says = any(text for text in (message.text, *(each.text for each in message.takes)))
    return message.with_take(take) if says else msgspec.structs.replace(message.with_take(take), runs_on=runs_on)


def _last_answer(conversation: Conversation) -> int | None:
    """The index of the last message that is sent, if it is an assistant's."""
    sent = [i for i, message in enumerate(conversation.messages) if not message.muted]
    return sent[-1] if sent and conversation.messages[sent[-1]].role == "assistant" else None


def _place(
    conversation: Conversation,
    upto: int,
    seen: Message | None = None,
    going_on: Message | None = None,
    hash_before: HashBefore | None = None,
) -> Place:
    if hash_before is not None:
        return Place(upto, hash_before(upto), seen, going_on)
    before = conversation.messages[:upto]
    return Place(upto, prompt_hashes(before, conversation.variables)[-1], seen, going_on)


def with_takes(conversation: Conversation, place: Place, takes: Sequence[Take]) -> Conversation | None:
    """The conversation with the takes where they belong, the first of them chosen.

    The conversation may have been changed since `place` was made of it. What was answered is looked for by its
    hash; an answer that someone else made or changed there meanwhile keeps its own choice of takes.

    Returns:
        None: the messages that were answered no longer stand there.
    """
    hashes = prompt_hashes(conversation.messages, conversation.variables)
    spots = [i for i, prompt_hash in enumerate(hashes) if prompt_hash == place.prompt_hash]
    if not spots:
        return None
    # Muted messages leave the hash as it is, so that several spots can match: the one remembered, else the last.
    at = place.upto if place.upto in spots else spots[-1]
    there = conversation.messages[at] if at < len(conversation.messages) else None
    if there is None or there.role != "assistant" or (there.muted and place.seen is None):
        message = Message(role="assistant", takes=tuple(takes), chosen=1 if takes else None, runs_on=place.runs_on)
        return conversation.inserted(at, message)
    added = (*there.takes, *takes)
    as_seen = place.seen is not None and _same(there, place.seen)
    chosen = len(there.takes) + 1 if as_seen and takes else there.chosen
    return conversation.replaced(at, msgspec.structs.replace(there, takes=added, chosen=chosen))


def _same(one: Message, other: Message) -> bool:
    takes = [[take.as_given for take in message.takes] for message in (one, other)]
    return (one.text, one.chosen) == (other.text, other.chosen) and takes[0] == takes[1]
