"""A conversation as a file: TOML, read and written without losing a value."""

from typing import Any, NamedTuple, cast

import msgspec

from .conversation import ROLES, Conversation, Message
from .errors import Unreadable
from .toml_problems import Path, Problem, found, place, problems, without
from .toml_shape import read, written
from .toml_source import has_comments, parsed
from .toml_writing import dumps as dump_toml
from .toml_writing import is_table
from .visible import visible_line
from .words import say

FORMAT = 1
"""The `qiao` number of the files written here."""


class Loaded(NamedTuple):
    """A conversation as it was read."""

    conversation: Conversation
    read_only: bool
    """It was written by a newer program: saving it might lose what only that one understands."""
    had_comments: bool
    """Comments are not kept when it is saved."""


def loads(data: bytes, name: str) -> Loaded:
    """Reads a conversation.

    Args:
        data: the file's content.
        name: the file's name, for error messages.

    Raises:
        Unreadable: says in one line which file, which place in it, what was found there and what was expected.
    """
    table = parsed(data, name)
    newer = _checked_format(table, name) > FORMAT
    content = {key: value for key, value in table.items() if key not in ("qiao", "kind")}
    conversation = _lenient(content, name) if newer else _strict(content, name)
    return Loaded(conversation, newer, has_comments(data))


def dumps(conversation: Conversation) -> bytes:
    """The conversation as a file's content. Message uids are not saved."""
    return Writer().dumps(conversation)


class Writer:
    """Writes a conversation again and again: of ten thousand messages, only those that changed take time."""

    def __init__(self) -> None:
        self._written: dict[int, _Written] = {}
        """By the id of each message of the conversation that was written last, which is kept alive here."""

    def dumps(self, conversation: Conversation) -> bytes:
        """The conversation as a file's content."""
        table = written(conversation.with_messages(()))
        unknown = {key: table.pop(key) for key in conversation.extra if is_table(table.get(key))}
        before, self._written = self._written, {}
        parts = [dump_toml({"qiao": FORMAT, **table})]
        for message in conversation.messages:
            known = before.get(id(message))
            if known is None:
                known = _Written(message, dump_toml({"message": [written(message)]}, continues=True))
            self._written[id(message)] = known
            parts.append(known.data)
        parts.append(dump_toml(unknown, continues=True))
        return b"".join(parts)


class _Written(NamedTuple):
    """A message, and what it is in a file."""

    message: Message
    data: bytes


def _checked_format(table: dict[str, Any], name: str) -> int:
    """The file's `qiao` number, once it is known to be a conversation."""
    number = table.get("qiao")
    if number is None:
        raise Unreadable("document.no_format", file=visible_line(name))
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise _wrong(name, "qiao", found(number), say("document.at_least", noun=say("document.integer"), least=1))
    kind = table.get("kind", "conversation")
    if kind != "conversation":
        raise _wrong(name, "kind", found(kind), '"conversation"')
    return number


def _strict(table: dict[str, Any], name: str) -> Conversation:
    try:
        conversation = read(table, Conversation)
    except msgspec.ValidationError as error:
        problem = next(problems(table, Conversation), None)
        if problem is None:
            raise Unreadable("document.not_toml", file=visible_line(name), detail=visible_line(str(error))) from None
        raise _wrong(name, *problem) from None
    for i, message in enumerate(conversation.messages):
        if message.takes or message.chosen is not None:
            problem = _problem_of_takes(message, i)
            if problem:
                raise _wrong(name, *problem)
    return conversation


def _wrong(name: str, where: str | Path, what: str, expected: str) -> Unreadable:
    return Unreadable(
        "document.wrong_in_file",
        file=visible_line(name),
        place=where if isinstance(where, str) else place(where),
        found=what,
        expected=expected,
    )


def _problem_of_takes(message: Message, index: int) -> Problem | None:
    here = ("message", index)
    if message.takes and message.role != "assistant":
        return Problem((*here, "take"), say("document.list_of_tables"), say("document.takes_only_on_assistant"))
    chosen = message.chosen
    if chosen is None or 1 <= chosen <= len(message.takes):
        return None
    expected = (
        say("document.between", noun=say("document.integer"), least=1, most=len(message.takes))
        if message.takes
        else say("document.nothing_to_choose")
    )
    return Problem((*here, "chosen"), found(chosen), expected)


def _lenient(table: dict[str, Any], name: str) -> Conversation:
    """A newer program's conversation, as much of it as is understood."""
    table = {**table, "message": [_with_known_role(message) for message in _list(table.get("message"))]}
    while wrong := [problem.path for problem in problems(table, Conversation)]:
        table = without(table, wrong)
    conversation = read(table, Conversation)
    return conversation.with_messages([_with_sound_takes(message) for message in conversation.messages])


def _list(value: object) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []


def _with_known_role(message: Any) -> Any:
    """A role that isn't known shows as `tool`, the one that stands for what a program said."""
    if not isinstance(message, dict):
        return message
    table = cast(dict[str, Any], message)
    return table if table.get("role") in (*ROLES, "tool") else {**table, "role": "tool"}


def _with_sound_takes(message: Message) -> Message:
    if message.role != "assistant" and message.takes:
        text = message.text or message.takes[-1].text
        return msgspec.structs.replace(message, text=text, takes=(), chosen=None)
    if message.chosen is not None and not 1 <= message.chosen <= len(message.takes):
        return msgspec.structs.replace(message, chosen=None)
    return message
