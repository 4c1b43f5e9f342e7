"""Messages as other programs write them, whatever they call who says what: OpenAI's names and ShareGPT's.

Content may be in parts, a call of a tool may stand beside it, and the model's reasoning too.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from ..conversation import Message, Role, Take
from ..errors import Unreadable
from ..sampling import Sampling
from ..toml_problems import problems
from ..visible import visible_line
from .exchanged import LeftOut
from .records import Table, string, strings

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "model": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "ai": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "function_response": "tool",
    "tool_response": "tool",
}
CALLS = ("function_call", "tool_call")
"""Roles whose text is a call of a tool."""
KNOWN = {
    *("role", "from", "content", "value", "text", "refusal"),
    *("reasoning_content", "reasoning", "thinking", "tool_calls", "function_call", "tool_call_id"),
}
"""Fields of a message that are read, or told of by themselves."""


def message(table: Table, place: str, name: str, left_out: LeftOut) -> Message:
    """One message.

    Args:
        table: who says it under `role` or `from`, what under `content`, `value` or `text`.
        place: where it stands in the file.
        name: the file's.
        left_out: added to.

    Raises:
        Unreadable: nobody who is known says it.
    """
    said_by = _said_by(table, place, name)
    role = ROLES[said_by]
    left_out["tools"] += bool(table.get("tool_calls") or table.get("function_call") or said_by in CALLS)
    left_out["fields"] += others(table, KNOWN)
    value: object = next((table[key] for key in ("content", "value", "text") if table.get(key) is not None), None)
    thinking = string(table, "reasoning_content", "reasoning", "thinking")
    if isinstance(value, list):
        parts = cast(list[Any], value)
        thoughts = [thought for part in parts if (thought := _thought(part)) is not None]
        thinking = thinking or "\n\n".join(thoughts)
        value = [part for part in parts if _thought(part) is None]
    text = content(value, left_out)
    text = text or string(table, "refusal") or ""
    if role == "assistant" and thinking:
        return Message(role=role, takes=(Take(text=text, thinking=thinking),), chosen=1)
    left_out["thinking"] += bool(thinking)
    return Message(role=role, text=text)


def _said_by(table: Table, place: str, name: str) -> str:
    said_by = table.get("role", table.get("from"))
    if isinstance(said_by, str) and said_by.lower() in ROLES:
        return said_by.lower()
    if said_by is None:
        raise wrong(place, name, "exchange.no_role")
    shown = said_by[:40] if isinstance(said_by, str) else type(said_by).__name__
    raise wrong(place, name, "exchange.unknown_role", role=visible_line(shown))


def _thought(part: Any) -> str | None:
    """What a part of the content holds of the model's thinking, if it is such a part."""
    return string(cast(Table, part), "thinking") if isinstance(part, dict) else None


def content(value: object, left_out: LeftOut) -> str:
    """The text of a message's content: a string, a list of parts, or nothing; what isn't text is counted."""
    if isinstance(value, list):
        parts = cast(list[Any], value)
        found = [string(cast(Table, part), "text", "refusal") if isinstance(part, dict) else part for part in parts]
        texts = strings(found)
        left_out["parts"] += len(parts) - len(texts)
        return content("\n".join(texts), left_out)
    text = string({"": value}, "")
    left_out["parts"] += text is None and value is not None
    return text or ""


def with_system(messages: Sequence[Message], table: Table, left_out: LeftOut) -> tuple[Message, ...]:
    """The messages below the system prompt that some keep beside them, unless it is among them too."""
    text = content(table.get("system", table.get("system_prompt")), left_out)
    if not text or any(each.role == "system" and each.text == text for each in messages):
        return tuple(messages)
    return (Message(role="system", text=text), *messages)


def answer(said: Sequence[Message]) -> Message:
    """An assistant message; of several answers, one take each, the first chosen."""
    if len(said) == 1:
        return said[0]
    takes = (each.take or Take(text=each.text) for each in said)
    return Message(role="assistant", takes=tuple(takes), chosen=1)


def parameters(given: Table, names: Mapping[str, str], left_out: LeftOut) -> Sampling:
    """The sampling parameters among these fields; what no such parameter can be is counted.

    Args:
        given: fields of the other program.
        names: its names of parameters to ours.
        left_out: added to.
    """
    sampling = Sampling()
    for theirs, ours in names.items():
        value = given.get(theirs)
        if value is None:
            continue
        if ours == "stop":
            value = strings(cast(list[Any], value) if isinstance(value, list) else [value])
        if next(problems({ours: value}, Sampling), None) is not None:
            left_out["sampling"] += 1
        else:
            one = msgspec.convert({ours: value}, Sampling)
            sampling = msgspec.structs.replace(sampling, **{ours: getattr(one, ours)})
    return sampling


def others(table: Table, known: set[str]) -> int:
    """How many fields say something and aren't known."""
    return sum(value not in (None, "", [], {}) for key, value in table.items() if key not in known)


def wrong(place: str, name: str, key: str, **params: str) -> Unreadable:
    """An error that says where: the file, and the line or record in it."""
    return Unreadable(key, file=visible_line(f"{name}, {place}" if place else name), **params)
