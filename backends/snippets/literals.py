"""Values as Python source."""

from collections.abc import Mapping, Sequence
from typing import Any


def messages_literal(messages: Sequence[Mapping[str, Any]]) -> str:
    """An assignment to `messages`, a message a line."""
    rows = "".join(f"    {dict(message)!r},\n" for message in messages)
    return f"messages = [\n{rows}]"


def keyword(name: str, value: object) -> str:
    """`name=value`."""
    return f"{name}={value!r}"


def call(function: str, arguments: Sequence[str]) -> str:
    """A call, an argument a line."""
    return f"{function}(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"
