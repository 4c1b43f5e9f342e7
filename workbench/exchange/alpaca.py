"""Alpaca: `{"instruction", "input", "output"}`, with `system` and `history` as later sets have them."""

import json
from collections.abc import Sequence
from typing import Any, cast

from ..conversation import Conversation, Message
from .exchanged import Exported, Imported, LeftOut, sent_messages
from .openai_messages import wrong
from .records import Record, Table, string


def read(records: Sequence[Record], name: str) -> Imported:
    """A conversation a record: instruction and input, parted by a blank line, are the user's message.

    Raises:
        Unreadable: a record has no instruction, or a history that isn't pairs.
    """
    return Imported.of(_conversation(record, name) for record in records)


def _conversation(record: Record, name: str) -> Conversation:
    place, table = record
    if string(table, "instruction") is None:
        raise wrong(place, name, "exchange.no_instruction")
    messages: list[Message] = []
    if system := string(table, "system"):
        messages.append(Message(role="system", text=system))
    for pair in cast(list[Any], table.get("history") or []):
        if not isinstance(pair, list) or not [str(text) for text in cast(list[Any], pair)][1:]:
            raise wrong(place, name, "exchange.bad_history")
        asked, answered = cast(list[Any], pair)[:2]
        messages += [Message(role="user", text=str(asked)), Message(role="assistant", text=str(answered))]
    messages.append(Message(role="user", text=question(table)))
    if answer := string(table, "output", "response"):
        messages.append(Message(role="assistant", text=answer))
    return Conversation(title=string(table, "id"), messages=tuple(messages))


def question(table: Table) -> str:
    """Instruction and input as one text, parted by a blank line."""
    return "\n\n".join(text for text in (string(table, "instruction"), string(table, "input")) if text)


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
    *history, last = pairs or [[""]]
    made: Table = {"instruction": last[0], "input": "", "output": last[1] if len(last) > 1 else ""}
    if system:
        made["system"] = "\n\n".join(system)
    if history:
        made["history"] = history
    return made
