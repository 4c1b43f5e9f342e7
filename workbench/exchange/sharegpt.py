"""ShareGPT: `{"conversations": [{"from": "human", "value": "…"}]}`, as many fine-tuning sets are kept."""

import json
from collections.abc import Sequence

from ..conversation import Conversation
from .exchanged import Exported, Imported, LeftOut, sent_messages
from .messages import message, others, with_system, wrong
from .records import Record, Table, string, tables

NAMES = {"user": "human", "assistant": "gpt", "system": "system", "tool": "observation"}
KNOWN = {"conversations", "title", "id", "system", "system_prompt", "tools"}


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
    messages = [message(turn, place, name, left_out) for turn in turns]
    left_out["tools"] += bool(table.get("tools"))
    left_out["fields"] += others(table, KNOWN)
    return Conversation(title=string(table, "title", "id"), messages=with_system(messages, table, left_out))


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
