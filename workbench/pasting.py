"""What a pasted text is: messages, where it is JSON or plainly pairs of a question and its answer; else just text.

Pairs are two columns of a spreadsheet (lines with one tab each), or blocks that begin with marks in turn, as `Q:` and
`A:`. What might be something else is left as text.
"""

import csv
import io
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from .conversation import Message, Role
from .errors import QiaoError

MARKS: tuple[tuple[str, str], ...] = (
    ("Q", "A"),
    ("User", "Assistant"),
    ("Human", "AI"),
    ("Human", "Assistant"),
    ("Input", "Output"),
    ("问", "答"),
    ("用户", "助手"),
)
"""What stands at the start of a line, before a colon of either width, for a question and for its answer."""

_TURN: tuple[Role, Role] = ("user", "assistant")


class Pasted(NamedTuple):
    """Messages that were found in a text."""

    messages: Sequence[Message]
    source: Literal["json", "columns", "marks"]


def pasted(text: str) -> Pasted | None:
    """The messages in a text, whose lines end with line feeds; None: it is just text."""
    if text.lstrip().startswith(("{", "[")) and (messages := _from_json(text)):
        return Pasted(messages, "json")
    if messages := _columns(text):
        return Pasted(messages, "columns")
    if messages := _marked(text):
        return Pasted(messages, "marks")
    return None


def _from_json(text: str) -> list[Message]:
    from .exchange.formats import read_any

    try:
        imported = read_any(text.encode("utf-8", "replace"), "")
    except QiaoError:
        return []
    return [message for conversation in imported.conversations for message in conversation.messages]


def _columns(text: str) -> list[Message]:
    """Two columns as spreadsheets copy them: a cell with line feeds, tabs or quotes in it stands in quotes.

    There are two rows at least, and no cell is empty: a line of a program often has one tab in it, or begins with one.
    """
    if "\t" not in text:
        return []
    try:
        rows = list(csv.reader(io.StringIO(text.rstrip("\n"), newline=""), "excel-tab", strict=True))
    except csv.Error:
        return []
    if len(rows) < 2 or not all(len(row) == 2 and all(map(str.strip, row)) for row in rows):
        return []
    return [Message(role=role, text=cell) for row in rows for role, cell in zip(_TURN, row, strict=True)]


def _marked(text: str) -> list[Message]:
    """Blocks that begin with the marks of one kind in turn, the first at the very start; an answer may be long.

    The last question may be without an answer, or have an empty one, which is then left out: few-shot prompts end so.
    """
    for marks in MARKS:
        found = list(re.finditer(rf"^({'|'.join(marks)})[ \t]*[:：]", text, re.MULTILINE))
        if len(found) < 2 or text[: found[0].start()].strip():
            continue
        if any(match[1] != marks[number % 2] for number, match in enumerate(found)):
            continue
        ends = [match.start() for match in found[1:]] + [len(text)]
        said = [text[match.end() : end].strip() for match, end in zip(found, ends, strict=True)]
        if len(said) > 2 and len(said) % 2 == 0 and not said[-1]:
            del said[-1]
        if all(said):
            return [Message(role=_TURN[number % 2], text=each) for number, each in enumerate(said)]
    return []
