"""`seed_tasks.jsonl` of Self-Instruct: an instruction with instances, each an input and an output. Only read."""

from collections.abc import Sequence

from ..conversation import Conversation, Message
from .alpaca import answers, question
from .exchanged import Imported, LeftOut
from .messages import others, wrong
from .records import Record, string, tables

KNOWN = {"id", "name", "instruction", "instances", "is_classification"}


def read(records: Sequence[Record], name: str) -> Imported:
    """A conversation an instance; an instruction without any is one by itself.

    Raises:
        Unreadable: a record has no instruction, or no list of instances.
    """
    conversations: list[Conversation] = []
    losses: list[LeftOut] = []
    for place, table in records:
        instances = tables(table.get("instances"))
        if instances is None or string(table, "instruction") is None:
            raise wrong(place, name, "exchange.no_instances")
        title = string(table, "name", "id")
        for number, instance in enumerate(instances or [{}], start=1):
            left_out = LeftOut(fields=others(table, KNOWN) if number == 1 else 0)
            left_out["fields"] += others(instance, {"input", "output"})
            asked = Message(role="user", text=question({**table, "input": instance.get("input")}, left_out))
            own = f"{title} {number}" if title and len(instances) > 1 else title
            answered = answers(instance.get("output"), left_out)
            conversations.append(Conversation(title=own, messages=(asked, *answered)))
            losses.append(left_out)
    return Imported(tuple(conversations), tuple(losses))
