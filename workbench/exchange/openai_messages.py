"""OpenAI's chat messages: `{"messages": [{"role", "content"}]}`, and its batch files, one request a line.

Also what other programs make of them: a bare list of messages, the system prompt beside the messages, content in
parts, `developer` for `system`, `reasoning_content` beside an answer.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import cast

import msgspec

from ..address import Address
from ..conversation import Conversation, Message, Take, TakeError
from ..errors import QiaoError
from ..sampling import NAMES
from .exchanged import Exported, Imported, LeftOut, sent_messages
from .messages import answer, message, others, parameters, with_system, wrong
from .records import Record, Table, string, tables

_WITHOUT_PLACE = ("n", "thinking", "thinking_budget", "logprobs")
"""Parameters of ours that requests have no field for, or one that means something else."""
PARAMETERS = {name: name for name in NAMES if name not in (*_WITHOUT_PLACE, "extra")} | {
    "max_completion_tokens": "max_tokens"
}
"""Fields of a request that are sampling parameters of ours, and which."""
KNOWN = {
    *("messages", "model", "title", "custom_id", "id", "system", "system_prompt", "tools", "functions"),
    *("response_format", "stream", *PARAMETERS),
}


def read(records: Sequence[Record], name: str) -> Imported:
    """A conversation a record.

    Raises:
        Unreadable: a record has no list of messages, or a message no role.
    """
    return Imported.each(records, lambda record, left_out: _conversation(record, name, left_out))


def read_batch(records: Sequence[Record], name: str) -> Imported:
    """A conversation a request; of a file of results, one an answer, a failed one with what went wrong.

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
    table = cast(Table, body) if isinstance(body, dict) else {}
    left_out["prompts"] += 1
    if isinstance(error := record.table.get("error") or table.get("error"), dict):
        said = string(cast(Table, error), "message", "code") or ""
        failed = Take(text="", finish="error", error=TakeError("server_error", said))
        return Conversation(messages=(Message(role="assistant", takes=(failed,), chosen=1),))
    told = [choice.get("message") for choice in tables(table.get("choices")) or []]
    said = [message(cast(Table, each), record.place, name, left_out) for each in told if isinstance(each, dict)]
    if not said:
        raise wrong(record.place, name, "exchange.no_messages")
    return Conversation(messages=(answer(said),))


def _conversation(record: Record, name: str, left_out: LeftOut) -> Conversation:
    place, table = record
    listed = tables(table.get("messages"))
    if listed is None:
        raise wrong(place, name, "exchange.no_messages")
    messages = [message(each, place, name, left_out) for each in listed]
    left_out["tools"] += bool(table.get("tools") or table.get("functions"))
    left_out["models"] += bool(table.get("model"))
    left_out["response_format"] += bool(table.get("response_format"))
    left_out["fields"] += others(table, KNOWN)
    return Conversation(
        title=string(table, "title", "custom_id", "id"),
        sampling=parameters(table, PARAMETERS, left_out),
        messages=with_system(messages, table, left_out),
    )


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
    for name, value in (sampling.extra or {}).items():
        if name not in ("model", "messages") and _is_json(value):
            body[name] = value
        else:
            left_out["sampling"] += 1
    left_out["sampling"] += sum(getattr(sampling, name) is not None for name in _WITHOUT_PLACE)
    return body


def _is_json(value: object) -> bool:
    """Whether JSON has a form for it: for a date, or what isn't finite, it has none."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def write(conversations: Sequence[Conversation]) -> Exported:
    """One conversation as JSON, an object; several as a list of them."""
    left_out = LeftOut()
    records = [_titleless(conversation, left_out) for conversation in conversations]
    text = json.dumps(records[0] if len(records) == 1 else records, ensure_ascii=False, indent=2)
    return Exported(text + "\n", left_out)


def write_lines(conversations: Sequence[Conversation]) -> Exported:
    """JSONL, a conversation a line."""
    left_out = LeftOut()
    return Exported(lines(_titleless(conversation, left_out) for conversation in conversations), left_out)


def _titleless(conversation: Conversation, left_out: LeftOut) -> Table:
    left_out["titles"] += conversation.title is not None
    return record(conversation, left_out)


def write_batch(conversations: Sequence[Conversation]) -> Exported:
    """A batch file: a request a line, told apart by `custom_id`: the title, numbered unless it is the only such."""
    left_out = LeftOut()
    titles = Counter(conversation.title for conversation in conversations)
    taken: set[str] = set()
    requests: list[Table] = []
    for number, conversation in enumerate(conversations, start=1):
        title = conversation.title
        own = title if title and titles[title] == 1 else f"{title or 'request'}-{number}"
        while own in taken:
            own += "'"
        taken.add(own)
        body = record(conversation, left_out)
        if body["messages"] and body["messages"][-1]["role"] == "assistant":
            # A request asks for the answer: the one that is there is what it is to be compared with.
            body["messages"].pop()
            left_out["last_answers"] += 1
        requests.append({"custom_id": own, "method": "POST", "url": "/v1/chat/completions", "body": body})
    return Exported(lines(requests), left_out)


def lines(records: Iterable[Table]) -> str:
    """JSONL: an object a line."""
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records)
