"""What `qiao run` and `qiao show` are asked: a conversation, and what is different for this once."""

import re
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import tomli

from ..workbench.address import Address
from ..workbench.asking import Ask, ask
from ..workbench.conversation import Conversation, Message
from ..workbench.conversation_file import loads
from ..workbench.errors import Unreadable
from ..workbench.placing import Place, continuation, next_answer, retake
from ..workbench.saving import read
from ..workbench.setting import with_settings
from ..workbench.visible import without_surrogates
from ..workbench.words import say
from .streams import Narration, is_terminal

STDIN = "-"


class Question(NamedTuple):
    """One run, ready to be asked."""

    conversation: Conversation
    """As it was read, without what is different for this once."""
    read_only: bool
    path: Path | None
    """None: it came from stdin."""
    place: Place
    """Where in `conversation` the takes belong."""
    ask: Ask


def read_question(
    options: Namespace, default: Callable[[], Address], narration: Narration, *, show: bool = False
) -> Question:
    """Reads the conversation and puts the options to it.

    Args:
        options: as `arguments.command` parses them for `run` and `show`.
        default: gives the model when neither the options nor the conversation name one.
        show: nothing will be answered, so that a conversation may end with an assistant message.

    Raises:
        Unreadable: the conversation can't be read or asked so.
    """
    path = None if options.file == STDIN else Path(options.file)
    conversation, read_only = _from_stdin(narration) if path is None else _from_file(path)
    place = _place(conversation, options, show=show)
    once = _for_once(conversation, options)
    shift = len(once.messages) - len(conversation.messages)
    named = options.model or conversation.model
    address = Address.parse(without_surrogates(named)) if named else default()
    asked = ask(once, place.upto + shift, address, once.sampling, going_on=place.going_on)
    return Question(conversation, read_only, path, place, asked)


def _from_file(path: Path) -> tuple[Conversation, bool]:
    data, _ = read(path, streams=True)
    loaded = loads(data, str(path))
    return loaded.conversation, loaded.read_only


def _from_stdin(narration: Narration) -> tuple[Conversation, bool]:
    """A conversation if it is TOML with an integer `qiao`, else a user message, without the last line feed."""
    if is_terminal(sys.stdin):
        narration.note(say("cli.write_message"))
    data = read_stdin()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("cli.stdin_not_utf8", offset=error.start) from None
    try:
        number = tomli.loads(text).get("qiao")
    except (ValueError, RecursionError):
        # Not TOML; or TOML with numbers or lists that no conversation has.
        number = None
    if type(number) is int:
        loaded = loads(data, say("cli.stdin"))
        return loaded.conversation, loaded.read_only
    end = next((end for end in ("\r\n", "\n") if text.endswith(end)), "")
    message = Message(role="user", text=text.removesuffix(end))
    return Conversation(messages=(message,) if message.text.strip() else ()), False


def read_stdin() -> bytes:
    """All of stdin.

    Raises:
        Unreadable: it can't be read.
    """
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise Unreadable("document.unreadable", file=say("cli.stdin"), detail=error.strerror or str(error)) from None


def _place(conversation: Conversation, options: Namespace, *, show: bool) -> Place:
    if options.retake:
        return retake(conversation)
    if options.go_on:
        return continuation(conversation)
    if show:
        return Place(len(conversation.messages), "")
    return next_answer(conversation)


def _for_once(conversation: Conversation, options: Namespace) -> Conversation:
    """The conversation with the options' variables, sampling and system message."""
    variables = dict(conversation.variables)
    for setting in options.var:
        name, equals, value = without_surrogates(setting).partition("=")
        if not equals or not re.fullmatch(r"[^\W\d]\w*", name):
            raise Unreadable("cli.bad_variable", text=setting)
        variables[name] = value
    sampling = with_settings(conversation.sampling, map(without_surrogates, options.set))
    messages = conversation.messages
    if options.system is not None:
        rest = messages[1:] if messages and messages[0].role == "system" else messages
        messages = (Message(role="system", text=without_surrogates(options.system)), *rest)
    return msgspec.structs.replace(conversation, variables=variables, sampling=sampling, messages=messages)
