"""`{{name}}` in a message written by hand stands for a value of the conversation; in a model's take it is just text.

Values are put in after roles are known, so that a value can never forge a turn. A value isn't searched again.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from .conversation import Message
from .errors import Unreadable
from .splicing import same_ends

PATTERN = re.compile(r"\{\{\s*([^\W\d]\w*)\s*\}\}")


class Run(NamedTuple):
    """A stretch of filled-in text. `variable`: the name it came from, None for text as written."""

    text: str
    variable: str | None
    known: bool = True


def runs(text: str, values: Mapping[str, str]) -> Iterator[Run]:
    """The text in stretches, values in place; an unset variable stays as written, with `known` False."""
    end = 0
    for match in PATTERN.finditer(text):
        if match.start() > end:
            yield Run(text[end : match.start()], None)
        name = match[1]
        yield Run(values.get(name, match[0]), name, name in values)
        end = match.end()
    if end < len(text):
        yield Run(text[end:], None)


def names(text: str) -> list[str]:
    """The variables that a text names, each once, in order."""
    return list(dict.fromkeys(match[1] for match in PATTERN.finditer(text))) if "{{" in text else []


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with every variable's value in place.

    Raises:
        Unreadable: a variable has no value; the message names it.
    """
    if "{{" not in text:
        # As most: a long conversation is filled in at each `r`.
        return text
    for run in runs(text, values):
        if not run.known:
            raise Unreadable("asking.unset_variable", name=run.variable)
    return "".join(run.text for run in runs(text, values))


def message_runs(message: Message, values: Mapping[str, str]) -> Iterator[Run]:
    """What a message says in stretches; a model's take is one, as it came: it may show a template."""
    if message.take is None:
        yield from runs(message.said, values)
    elif message.said:
        yield Run(message.said, None)


def message_names(message: Message) -> list[str]:
    """The variables that a message names, each once, in order."""
    return names(message.text) if message.chosen is None else []


class Names:
    """The variables that a conversation's messages name, as it changes: of thousands, only new ones are read."""

    def __init__(self) -> None:
        self._messages: Sequence[Message] = ()
        self._by_message: list[list[str]] = []
        self._all: list[str] = []

    def of(self, messages: Sequence[Message]) -> list[str]:
        """Those that these messages name, each once, in order."""
        if messages is not self._messages:
            start, end = same_ends(self._messages, messages)
            new = messages[start : len(messages) - end]
            self._by_message[start : len(self._messages) - end] = map(message_names, new)
            self._messages, self._all = messages, list(dict.fromkeys(chain.from_iterable(self._by_message)))
        return self._all


def message_filled(message: Message, values: Mapping[str, str]) -> str:
    """What a message says as it is sent.

    Raises:
        Unreadable: a variable has no value; the error names it.
    """
    return message.said if message.take is not None else filled(message.said, values)
