"""JSON and JSONL: the records of a file, each with where it stands."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

from ..errors import Unreadable
from ..visible import visible_line, without_surrogates
from ..words import say

Table = dict[str, Any]


class Record(NamedTuple):
    """One object of a file."""

    place: str
    """Where it stands, for an error message: `line 3`, `record 3`; empty for the only one."""
    table: Table


def read_records(text: str, name: str) -> list[Record]:
    """The objects of a JSON file (one, or a list of them), or of a JSONL file (one a line).

    A list or lines of bare `{"role", "content"}` count as one record with these as its `messages`; a list of them among
    other records, or in a line, as a record each.

    Raises:
        Unreadable: it is neither; or something else than objects stands in it.
    """
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        return _messages_as_one(_lines(text, name, error))
    except (ValueError, RecursionError) as error:
        # A number of thousands of digits, lists in lists in lists.
        raise Unreadable("exchange.not_json", file=visible_line(name), detail=str(error)) from None
    if isinstance(whole, dict):
        return _messages_as_one([Record("", cast(Table, whole))])
    if not isinstance(whole, list):
        raise Unreadable("exchange.no_objects", file=visible_line(name))
    places = enumerate(cast(list[Any], whole), start=1)
    return _messages_as_one([Record(say("exchange.record", n=n), _object(each, name)) for n, each in places])


def _lines(text: str, name: str, error: json.JSONDecodeError) -> list[Record]:
    records: list[Record] = []
    # Only line feeds part lines: a string may hold other separators as they are.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as wrong:
            # The first line can't be read by itself: it was one JSON text over several lines, and is wrong as a whole.
            wrong, at = (wrong, number) if records else (error, error.lineno)
            raise _not_json(name, at, wrong.msg) from None
        except (ValueError, RecursionError) as wrong:
            raise _not_json(name, number, str(wrong)) from None
        records.append(Record(say("exchange.line", n=number), _object(value, name)))
    if not records:
        raise Unreadable("exchange.empty", file=visible_line(name))
    return records


def _not_json(name: str, line: int, detail: str) -> Unreadable:
    place = say("exchange.line", n=line)
    return Unreadable("exchange.not_json", file=visible_line(f"{name}, {place}"), detail=detail)


def _object(value: object, name: str) -> Table:
    if isinstance(value, dict):
        return cast(Table, value)
    if (listed := tables(value)) and all(map(_is_message, listed)):
        return {"messages": listed}
    raise Unreadable("exchange.no_objects", file=visible_line(name))


def _messages_as_one(records: list[Record]) -> list[Record]:
    if records and all(_is_message(table) for _, table in records):
        return [Record("", {"messages": [table for _, table in records]})]
    return records


def _is_message(table: Table) -> bool:
    if "messages" in table or "conversations" in table:
        return False
    return ("role" in table and ("content" in table or "tool_calls" in table)) or ("from" in table and "value" in table)


def strings(values: Iterable[object]) -> list[str]:
    """Those of the values that are strings; a lone surrogate becomes U+FFFD."""
    return [without_surrogates(value) for value in values if isinstance(value, str)]


def string(table: Table, *names: str) -> str | None:
    """The first of these fields that holds a string; a number counts as one, a lone surrogate becomes U+FFFD."""
    for name in names:
        value = table.get(name)
        if isinstance(value, str):
            return without_surrogates(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    return None


def tables(value: object) -> list[Table] | None:
    """The value as a list of objects; None if it is something else."""
    if not isinstance(value, list):
        return None
    listed = cast(list[Any], value)
    return cast(list[Table], listed) if all(isinstance(each, dict) for each in listed) else None
