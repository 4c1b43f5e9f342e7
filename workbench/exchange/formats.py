"""All formats: which one a file is in, how it is read, how it is written."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .. import conversation_file
from ..conversation import Conversation
from ..errors import Unreadable
from ..variables import PATTERN
from ..visible import visible_line
from . import alpaca, markdown, openai_messages, prompt_yml, seed_tasks, sharegpt
from .exchanged import Exported, Imported, LeftOut
from .records import Record, read_records

Read = Callable[[str, str], Imported]
Write = Callable[[Sequence[Conversation]], Exported]


class Format(NamedTuple):
    """One way to keep conversations in a file."""

    name: str
    endings: tuple[str, ...]
    """Of files that are written in it."""
    read: Read | None
    write: Write | None
    holds_one: bool = False
    """Whether a file holds one conversation only."""


def _records(read: Callable[[Sequence[Record], str], Imported]) -> Read:
    return lambda text, name: read(read_records(text, name), name)


def _native(text: str, name: str) -> Imported:
    loaded = conversation_file.loads(text.encode(), name)
    left_out = LeftOut()
    left_out["newer"] += loaded.read_only
    return Imported((loaded.conversation,), (left_out,))


def _write_native(conversations: Sequence[Conversation]) -> Exported:
    return Exported(conversation_file.dumps(conversations[0]).decode(), LeftOut(conversations=len(conversations) - 1))


FORMATS = (
    Format("qiao", (".toml",), _native, _write_native, holds_one=True),
    Format("batch", (".batch.jsonl",), _records(openai_messages.read_batch), openai_messages.write_batch),
    Format("messages", (".json",), _records(openai_messages.read), openai_messages.write),
    Format("messages-jsonl", (".jsonl",), _records(openai_messages.read), openai_messages.write_lines),
    Format("sharegpt", (), _records(sharegpt.read), sharegpt.write),
    Format("alpaca", (), _records(alpaca.read), alpaca.write),
    Format("seed-tasks", (), _records(seed_tasks.read), None),
    Format("prompt-yml", (".prompt.yml", ".prompt.yaml", ".yml", ".yaml"), prompt_yml.read, prompt_yml.write, True),
    Format("markdown", (".md", ".markdown"), None, markdown.write),
)
BY_NAME = {each.name: each for each in FORMATS}

_SIGNS = (
    ("messages", "messages"),
    ("conversations", "sharegpt"),
    ("instances", "seed-tasks"),
    ("body", "batch"),
    ("instruction", "alpaca"),
    ("response", "batch"),
)
"""A field that a record of the format has; the first that is found tells."""


def read_any(data: bytes, name: str, named: str | None = None) -> Imported:
    """Reads a file of any format.

    Args:
        data: its content.
        name: its name; its ending tells the format as far as its content doesn't.
        named: the format, if a person said it.

    Raises:
        Unreadable: it is in none of the formats, or there is something wrong in it; says where.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("exchange.not_utf8", file=visible_line(name), offset=error.start) from None
    chosen = BY_NAME[named] if named else _told(text, name)
    if chosen.read is None:
        raise Unreadable("exchange.only_written", format=chosen.name, file=visible_line(name))
    imported = chosen.read(text, name)
    if not imported.conversations:
        raise Unreadable("exchange.empty", file=visible_line(name))
    if chosen.name not in ("qiao", "prompt-yml"):
        for each, left_out in zip(imported.conversations, imported.losses, strict=True):
            left_out["read_as_variables"] += sum(bool(PATTERN.search(message.text)) for message in each.messages)
    return imported


def _told(text: str, name: str) -> Format:
    by_ending = for_ending(name)
    if by_ending is not None and by_ending.name in ("qiao", "prompt-yml", "markdown"):
        return by_ending
    if by_ending is None and not text.lstrip().startswith(("{", "[")):
        raise Unreadable("exchange.unknown_format", file=visible_line(name), formats=names(reading=True))
    records = read_records(text, name)
    if not records:
        raise Unreadable("exchange.empty_list", file=visible_line(name))
    table = records[0].table
    if not table:
        raise Unreadable("exchange.empty_object", file=visible_line(name))
    found = next((format for field, format in _SIGNS if field in table), None)
    if found is None:
        raise Unreadable("exchange.unknown_records", file=visible_line(name), fields=visible_line(", ".join(table)))
    return BY_NAME[found]


def for_ending(name: str) -> Format | None:
    """The format that files of such a name are in; None: the ending says nothing."""
    lower = name.lower()
    return next((each for each in FORMATS if lower.endswith(each.endings)), None) if lower else None


def names(*, reading: bool) -> str:
    """The formats that can be read, or written, for a sentence."""
    return ", ".join(each.name for each in FORMATS if (each.read if reading else each.write) is not None)
