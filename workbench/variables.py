"""`{{name}}` in a message written by hand stands for a value of the conversation; in a model's take it is just text.

Values are put in after roles are known, so that a value can never forge a turn. A value isn't searched again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from .conversation import Message
from .errors import Unreadable

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
    return list(dict.fromkeys(match[1] for match in PATTERN.finditer(text)))


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
    return [] if message.take is not None else names(message.said)


def all_names(messages: Iterable[Message]) -> list[str]:
    """The variables that these messages name, each once, in order. Quick: asked after each edit, of thousands."""
    naming = [message for message in messages if message.chosen is None and "{{" in message.text]
    return list(dict.fromkeys(name for message in naming for name in message_names(message)))


def message_filled(message: Message, values: Mapping[str, str]) -> str:
    """What a message says as it is sent.

    Raises:
        Unreadable: a variable has no value; the error names it.
    """
    return message.said if message.take is not None else filled(message.said, values)
