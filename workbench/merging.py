"""Two people's work on one conversation, put together where that leaves no doubt.

`base` is what both began with, `ours` is held here, `theirs` is what another program saved meanwhile. What only one
of them changed is taken from that one. Messages and takes that either added are all kept. Whatever both changed
differently is in doubt, and so is a message or take that theirs lacks: a file cut short would look just like that.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from .conversation import Conversation, Message, Role, Take
from .sampling import NAMES, Sampling

_T = TypeVar("_T")


class _Doubt(Exception):
    """Both changed the same thing, each in its own way."""


def merged(base: Conversation, ours: Conversation, theirs: Conversation) -> Conversation | None:
    """The three-way merge; None where it isn't clear what it should be.

    Args:
        base: messages here and in `ours` that are the same one share a uid.
        theirs: `with_uids_of(theirs, base)`.
    """
    try:
        return Conversation(
            title=_picked(base.title, ours.title, theirs.title),
            tags=_merged_tags(base.tags, ours.tags, theirs.tags),
            note=_picked(base.note, ours.note, theirs.note),
            model=_picked(base.model, ours.model, theirs.model),
            sampling=_merged_sampling(base.sampling, ours.sampling, theirs.sampling),
            window=_picked(base.window, ours.window, theirs.window),
            variables=_merged_keys(base.variables, ours.variables, theirs.variables),
            messages=_merged_messages(base.messages, ours.messages, theirs.messages),
            extra=_merged_keys(base.extra, ours.extra, theirs.extra),
        )
    except _Doubt:
        return None


def with_uids_of(conversation: Conversation, known: Conversation) -> Conversation:
    """The conversation, each message that comes from one of `known` under that one's uid.

    Equal messages at the start and at the end are the same ones. What lies between is matched in order, as long as
    the roles agree. A message that didn't change is the very object of `known`.
    """
    old, new = known.messages, list(conversation.messages)
    start = 0
    while start < min(len(old), len(new)) and _same(old[start], new[start]):
        new[start] = old[start]
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and _same(old[-1 - end], new[-1 - end]):
        new[-1 - end] = old[-1 - end]
        end += 1
    changed = zip(old[start : len(old) - end], new[start : len(new) - end], strict=False)
    for i, (before, after) in enumerate(changed, start):
        if before.role != after.role:
            break
        new[i] = msgspec.structs.replace(after, uid=before.uid)
    return conversation.with_messages(new)


def _same(one: Message, other: Message) -> bool:
    return one.role == other.role and one.text == other.text and msgspec.structs.replace(one, uid=other.uid) == other


def _picked(base: _T, ours: _T, theirs: _T) -> _T:
    if theirs in (base, ours):
        return ours
    if ours == base:
        return theirs
    raise _Doubt


_ABSENT: Any = object()


def _merged_keys(base: Mapping[str, _T], ours: Mapping[str, _T], theirs: Mapping[str, _T]) -> dict[str, _T]:
    values = {
        key: _picked(base.get(key, _ABSENT), ours.get(key, _ABSENT), theirs.get(key, _ABSENT))
        for key in dict.fromkeys((*ours, *theirs))
    }
    return {key: value for key, value in values.items() if value is not _ABSENT}


def _merged_tags(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> tuple[str, ...]:
    """A tag is there or not: what one side took away goes, what either added stays."""
    kept = [tag for tag in ours if tag in theirs or tag not in base]
    return tuple(dict.fromkeys((*kept, *(tag for tag in theirs if tag not in base))))


def _merged_sampling(base: Sampling, ours: Sampling, theirs: Sampling) -> Sampling:
    values = {name: _picked(getattr(base, name), getattr(ours, name), getattr(theirs, name)) for name in NAMES}
    return Sampling(**values, unknown=_merged_keys(base.unknown, ours.unknown, theirs.unknown))


def _merged_messages(
    base: Sequence[Message], ours: Sequence[Message], theirs: Sequence[Message]
) -> tuple[Message, ...]:
    before = {message.uid: message for message in base}
    here = {message.uid for message in ours}
    there = {message.uid: message for message in theirs}
    if not before.keys() <= there.keys():
        raise _Doubt
    if any(uid not in here and there[uid] != message for uid, message in before.items()):
        # Deleted here, changed there.
        raise _Doubt

    # What they added keeps its place behind the message that it follows there.
    added: dict[int | None, list[Message]] = {}
    follows = None
    for message in theirs:
        if message.uid in here:
            follows = message.uid
        elif message.uid not in before:
            added.setdefault(follows, []).append(message)

    result = added.get(None, [])
    for message in ours:
        known = before.get(message.uid)
        result.append(message if known is None else _merged_message(known, message, there[message.uid]))
        result.extend(added.get(message.uid, []))
    return tuple(result)


def _merged_message(base: Message, ours: Message, theirs: Message) -> Message:
    if theirs == base:
        return ours
    if ours == base:
        if _given(theirs.takes[: len(base.takes)]) != _given(base.takes):
            raise _Doubt
        return theirs
    role: Role = _picked(base.role, ours.role, theirs.role)
    takes = _merged_takes(base.takes, ours.takes, theirs.takes)
    if takes and role != "assistant":
        raise _Doubt
    return Message(
        role=role,
        text=_picked(base.text, ours.text, theirs.text),
        muted=_picked(base.muted, ours.muted, theirs.muted),
        runs_on=_picked(base.runs_on, ours.runs_on, theirs.runs_on),
        note=_picked(base.note, ours.note, theirs.note),
        chosen=_merged_choice(base, ours, theirs, takes),
        takes=takes,
        extra=_merged_keys(base.extra, ours.extra, theirs.extra),
        uid=ours.uid,
    )


def _merged_takes(base: tuple[Take, ...], ours: tuple[Take, ...], theirs: tuple[Take, ...]) -> tuple[Take, ...]:
    """Ours, then what they added. Takes may be deleted here; takes that they lack are in doubt.

    Notes and stars are no part of what a take is: they are merged by themselves.
    """
    if _given(theirs[: len(base)]) != _given(base):
        raise _Doubt
    known = list(zip(base, theirs, strict=False))
    added = list(theirs[len(base) :])
    result: list[Take] = []
    for take in ours:
        given = take.as_given
        if (at := _index(given, [before for before, _ in known])) is not None:
            result.append(_merged_marks(known[at][0], take, known[at][1]))
            del known[at]
        elif (at := _index(given, added)) is not None:
            result.append(_merged_marks(given, take, added.pop(at)))
        else:
            result.append(take)
    if any(before != after for before, after in known):
        # Deleted here, starred or noted there.
        raise _Doubt
    return (*result, *added)


def _index(given: Take, takes: Sequence[Take]) -> int | None:
    return next((i for i, take in enumerate(takes) if take.as_given == given), None)


def _merged_marks(base: Take, ours: Take, theirs: Take) -> Take:
    return msgspec.structs.replace(
        ours,
        note=_picked(base.note, ours.note, theirs.note),
        starred=_picked(base.starred, ours.starred, theirs.starred),
    )


def _given(takes: Sequence[Take]) -> list[Take]:
    return [take.as_given for take in takes]


def _merged_choice(base: Message, ours: Message, theirs: Message, takes: tuple[Take, ...]) -> int | None:
    """Which of the merged takes is chosen. If both chose, or wrote a text, what the one at the screen sees stays."""
    if (ours.text, _chosen(ours)) != (base.text, _chosen(base)):
        return ours.chosen
    if theirs.take is None:
        return None
    at = _index(theirs.take.as_given, takes)
    return ours.chosen if at is None else at + 1


def _chosen(message: Message) -> Take | None:
    return None if message.take is None else message.take.as_given
