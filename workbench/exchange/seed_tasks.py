"""`seed_tasks.jsonl` of Self-Instruct: an instruction with instances, each an input and an output. Only read."""

from collections.abc import Sequence

from ..conversation import Conversation, Message
from .alpaca import question
from .exchanged import Imported
from .openai_messages import wrong
from .records import Record, string, tables


def read(records: Sequence[Record], name: str) -> Imported:
    """A conversation an instance.

    Raises:
        Unreadable: a record has no instruction or no instances.
    """
    conversations: list[Conversation] = []
    for place, table in records:
        instances = tables(table.get("instances"))
        if instances is None or string(table, "instruction") is None:
            raise wrong(place, name, "exchange.no_instances")
        title = string(table, "name", "id")
        for number, instance in enumerate(instances, start=1):
            asked = Message(role="user", text=question({"instruction": table["instruction"], **instance}))
            answered = Message(role="assistant", text=string(instance, "output") or "")
            own = title if len(instances) == 1 else f"{title} {number}"
            conversations.append(Conversation(title=own, messages=(asked, answered)))
    return Imported.of(conversations)
