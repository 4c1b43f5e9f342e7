"""ShareGPT: `{"conversations": [{"from": "human", "value": "…"}]}`, as many fine-tuning sets are kept."""

import json
from collections.abc import Sequence

from ..conversation import Conversation, Message, Role
from ..visible import visible_line
from .exchanged import Exported, Imported, LeftOut, sent_messages
from .openai_messages import content, wrong
from .records import Record, Table, string, tables

ROLES: dict[str, Role] = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "model": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "system": "system",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "function_response": "tool",
}
NAMES = {"user": "human", "assistant": "gpt", "system": "system", "tool": "observation"}


def read(records: Sequence[Record], name: str) -> Imported:
    """A conversation a record.

    Raises:
        Unreadable: a record has no turns, or a turn nobody who says it.
    """
    return Imported.each(records, lambda record, left_out: _conversation(record, name, left_out))


def _conversation(record: Record, name: str, left_out: LeftOut) -> Conversation:
    place, table = record
    turns = tables(table.get("conversations"))
    if turns is None:
        raise wrong(place, name, "exchange.no_turns")
    messages: list[Message] = []
    for turn in turns:
        said_by = string(turn, "from", "role") or ""
        role = ROLES.get(said_by.lower())
        if role is None and said_by.lower() == "function_call":
            role = "assistant"
            left_out["tools"] += 1
        if role is None:
            raise wrong(place, name, "exchange.unknown_role", role=visible_line(said_by))
        messages.append(Message(role=role, text=content(turn.get("value", turn.get("content")), left_out)))
    if (system := string(table, "system", "system_prompt")) and system not in [
        m.text for m in messages if m.role == "system"
    ]:
        messages.insert(0, Message(role="system", text=system))
    left_out["tools"] += bool(table.get("tools"))
    return Conversation(title=string(table, "title", "id"), messages=tuple(messages))


def write(conversations: Sequence[Conversation]) -> Exported:
    """A JSON list, an object a conversation."""
    left_out = LeftOut()
    records: list[Table] = []
    for number, conversation in enumerate(conversations, start=1):
        turns = [{"from": NAMES[role], "value": text} for role, text in sent_messages(conversation, left_out)]
        left_out["sampling"] += conversation.sampling != type(conversation.sampling)()
        left_out["models"] += conversation.model is not None
        records.append({"id": conversation.title or str(number), "conversations": turns})
    return Exported(json.dumps(records, ensure_ascii=False, indent=2) + "\n", left_out)
