"""Alpaca: `{"instruction", "input", "output"}`, with `system` and `history` as later sets have them.

Dolly's `context` and `response` mean the same as `input` and `output`.
"""

import json
from collections.abc import Sequence
from typing import Any, cast

from ..conversation import Conversation, Message
from .exchanged import Exported, Imported, LeftOut, sent_messages
from .messages import answer, content, others, with_system, wrong
from .records import Record, Table, string

KNOWN = {"id", "instruction", "input", "context", "output", "response", "system", "system_prompt", "history"}


def read(records: Sequence[Record], name: str) -> Imported:
    """A conversation a record: instruction and input, parted by a blank line, are the user's message.

    Raises:
        Unreadable: a record has no instruction, or a history that isn't pairs.
    """
    return Imported.each(records, lambda record, left_out: _conversation(record, name, left_out))


def _conversation(record: Record, name: str, left_out: LeftOut) -> Conversation:
    place, table = record
    if string(table, "instruction") is None:
        raise wrong(place, name, "exchange.no_instruction")
    history: object = table.get("history") or []
    if not isinstance(history, list):
        raise wrong(place, name, "exchange.bad_history")
    messages: list[Message] = []
    for pair in cast(list[Any], history):
        if not isinstance(pair, list) or len(cast(list[Any], pair)) != 2:
            raise wrong(place, name, "exchange.bad_history")
        asked, answered = cast(list[Any], pair)
        messages.append(Message(role="user", text=content(asked, left_out)))
        messages.append(Message(role="assistant", text=content(answered, left_out)))
    messages.append(Message(role="user", text=question(table, left_out)))
    messages += answers(table.get("output", table.get("response")), left_out)
    left_out["fields"] += others(table, KNOWN)
    return Conversation(title=string(table, "id"), messages=with_system(messages, table, left_out))


def question(table: Table, left_out: LeftOut) -> str:
    """Instruction and input as one text, parted by a blank line."""
    parts = (table.get("instruction"), table.get("input", table.get("context")))
    return "\n\n".join(text for part in parts if (text := content(part, left_out)))


def answers(output: object, left_out: LeftOut) -> list[Message]:
    """The assistant's message; of several outputs, as pairs of a good and a bad one are kept, a take each."""
    given = cast(list[Any], output) if isinstance(output, list) else [output]
    texts = [text for text in (content(each, left_out) for each in given) if text]
    return [answer([Message(role="assistant", text=text) for text in texts])] if texts else []


def write(conversations: Sequence[Conversation]) -> Exported:
    """A JSON list; a conversation's last question and answer with those before it as its history."""
    left_out = LeftOut()
    return Exported(
        json.dumps([_record(each, left_out) for each in conversations], ensure_ascii=False, indent=2) + "\n", left_out
    )


def _record(conversation: Conversation, left_out: LeftOut) -> Table:
    system: list[str] = []
    pairs: list[list[str]] = []
    for role, text in sent_messages(conversation, left_out):
        if role == "system":
            system.append(text)
        elif role == "user":
            # Two questions in a row are one to this format.
            if pairs and len(pairs[-1]) == 1:
                pairs[-1][0] += f"\n\n{text}"
            else:
                pairs.append([text])
        elif role == "assistant" and pairs:
            if len(pairs[-1]) == 1:
                pairs[-1].append(text)
            else:
                pairs[-1][1] += f"\n\n{text}"
        else:
            left_out["turns"] += 1
    left_out["sampling"] += conversation.sampling != type(conversation.sampling)()
    left_out["models"] += conversation.model is not None
    left_out["titles"] += conversation.title is not None
    *history, last = pairs or [[""]]
    made: Table = {"instruction": last[0], "input": "", "output": last[1] if len(last) > 1 else ""}
    if system:
        made["system"] = "\n\n".join(system)
    if history:
        made["history"] = history
    return made
