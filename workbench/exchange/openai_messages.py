"""OpenAI's chat messages: `{"messages": [{"role", "content"}]}`, and its batch files, one request a line.

Also what other programs make of them: a bare list of messages, the system prompt beside the messages, content in
parts, `developer` for `system`, `reasoning_content` beside an answer.
"""

import json
from collections.abc import Sequence
from typing import Any, cast

import msgspec

from ..address import Address
from ..conversation import Conversation, Message, Role, Take
from ..errors import QiaoError, Unreadable
from ..sampling import NAMES, Sampling
from ..visible import visible_line
from .exchanged import Exported, Imported, LeftOut, sent_messages
from .records import Record, Table, string, tables

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}
PARAMETERS = {name: name for name in NAMES if name not in ("n", "thinking", "thinking_budget", "extra", "logprobs")} | {
    "max_completion_tokens": "max_tokens"
}
"""Fields of a request that are sampling parameters of ours, and which."""


def read(records: Sequence[Record], name: str) -> Imported:
    """A conversation a record.

    Raises:
        Unreadable: a record has no list of messages, or a message no role.
    """
    return Imported.each(records, lambda record, left_out: _conversation(record, name, left_out))


def read_batch(records: Sequence[Record], name: str) -> Imported:
    """A conversation a request; of a file of results, one an answer.

    Raises:
        Unreadable: a record is neither.
    """

    def request_or_result(record: Record, left_out: LeftOut) -> Conversation:
        body = record.table.get("body")
        if isinstance(body, dict):
            made = _conversation(Record(record.place, cast(Table, body)), name, left_out)
        else:
            made = _result(record, name, left_out)
        return msgspec.structs.replace(made, title=string(record.table, "custom_id"))

    return Imported.each(records, request_or_result)


def _result(record: Record, name: str, left_out: LeftOut) -> Conversation:
    response = record.table.get("response")
    body = cast(Table, response).get("body") if isinstance(response, dict) else None
    choices = tables(cast(Table, body).get("choices")) if isinstance(body, dict) else None
    if not choices or not isinstance(message := choices[0].get("message"), dict):
        raise wrong(record.place, name, "exchange.no_messages")
    left_out["prompts"] += 1
    return Conversation(messages=(_message(cast(Table, message), record.place, name, left_out),))


def _conversation(record: Record, name: str, left_out: LeftOut) -> Conversation:
    place, table = record
    listed = tables(table.get("messages"))
    if listed is None:
        raise wrong(place, name, "exchange.no_messages")
    messages = [_message(each, place, name, left_out) for each in listed]
    # Some keep the system prompt beside the messages.
    if (system := string(table, "system", "system_prompt")) and not any(m.role == "system" for m in messages):
        messages.insert(0, Message(role="system", text=system))
    title = string(table, "title", "custom_id", "id")
    left_out["tools"] += bool(table.get("tools"))
    left_out["models"] += bool(table.get("model"))
    return Conversation(title=title, sampling=_sampling(table), messages=tuple(messages))


def _message(table: Table, place: str, name: str, left_out: LeftOut) -> Message:
    role = role_of(table, place, name)
    left_out["tools"] += bool(table.get("tool_calls") or table.get("function_call"))
    text = content(table.get("content"), left_out)
    thinking = string(table, "reasoning_content", "reasoning")
    if role == "assistant" and thinking:
        return Message(role=role, takes=(Take(text=text, thinking=thinking),), chosen=1)
    return Message(role=role, text=text)


def role_of(table: Table, place: str, name: str) -> Role:
    """Who says a message.

    Raises:
        Unreadable: nobody that is known.
    """
    said_by = table.get("role")
    role = ROLES.get(said_by.lower()) if isinstance(said_by, str) else None
    if role is None:
        shown = said_by[:40] if isinstance(said_by, str) else type(said_by).__name__
        raise wrong(place, name, "exchange.unknown_role", role=visible_line(shown))
    return role


def content(value: object, left_out: LeftOut) -> str:
    """The text of a message's content: a string, a list of parts, or nothing; what isn't text is counted."""
    if isinstance(value, list):
        parts = cast(list[Any], value)
        texts = [string(cast(Table, part), "text") if isinstance(part, dict) else part for part in parts]
        texts = [text for text in texts if isinstance(text, str)]
        left_out["parts"] += len(parts) - len(texts)
        return content("\n".join(texts), left_out)
    text = string({"": value}, "")
    left_out["parts"] += text is None and value is not None
    return text or ""


def _sampling(table: Table) -> Sampling:
    found: Table = {ours: table[theirs] for theirs, ours in PARAMETERS.items() if table.get(theirs) is not None}
    if isinstance(found.get("stop"), str):
        found["stop"] = [found["stop"]]
    sampling = Sampling()
    for name, value in found.items():
        try:
            one = msgspec.convert({name: value}, Sampling)
        except msgspec.ValidationError:
            continue
        sampling = msgspec.structs.replace(sampling, **{name: getattr(one, name)})
    return sampling


def record(conversation: Conversation, left_out: LeftOut) -> Table:
    """A conversation as the body of a request: model, messages, sampling parameters."""
    messages = [{"role": role, "content": text} for role, text in sent_messages(conversation, left_out)]
    body: Table = {}
    if conversation.model:
        try:
            body["model"] = Address.parse(conversation.model).name
        except QiaoError:
            left_out["models"] += 1
    body["messages"] = messages
    sampling = conversation.sampling
    for name in PARAMETERS.values():
        if name not in body and (value := getattr(sampling, name)) is not None:
            body[name] = value
    body |= sampling.extra or {}
    left_out["sampling"] += sum(getattr(sampling, name) is not None for name in ("thinking", "thinking_budget"))
    return body


def write(conversations: Sequence[Conversation]) -> Exported:
    """One conversation as JSON, an object; several as a list of them."""
    left_out = LeftOut()
    records = [record(conversation, left_out) for conversation in conversations]
    text = json.dumps(records[0] if len(records) == 1 else records, ensure_ascii=False, indent=2)
    return Exported(text + "\n", left_out)


def write_lines(conversations: Sequence[Conversation]) -> Exported:
    """JSONL, a conversation a line."""
    left_out = LeftOut()
    return Exported(lines(record(conversation, left_out) for conversation in conversations), left_out)


def write_batch(conversations: Sequence[Conversation]) -> Exported:
    """A batch file: a request a line, told apart by `custom_id`: the title, numbered unless it is the only such."""
    left_out = LeftOut()
    titles = [conversation.title for conversation in conversations]
    requests: list[Table] = []
    for number, conversation in enumerate(conversations, start=1):
        title = conversation.title
        own = title if title and titles.count(title) == 1 else f"{title or 'request'}-{number}"
        body = record(conversation, left_out)
        if body["messages"] and body["messages"][-1]["role"] == "assistant":
            # A request asks for the answer: the one that is there is what it is to be compared with.
            body["messages"].pop()
            left_out["last_answers"] += 1
        requests.append({"custom_id": own, "method": "POST", "url": "/v1/chat/completions", "body": body})
    return Exported(lines(requests), left_out)


def lines(records: Any) -> str:
    """JSONL: an object a line."""
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records)


def wrong(place: str, name: str, key: str, **params: str) -> Unreadable:
    """An error that says where: the file, and the line or record in it."""
    return Unreadable(key, file=visible_line(f"{name}, {place}" if place else name), **params)
