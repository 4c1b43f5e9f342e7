"""What keeps a TOML table from being read as a struct, told by its place as a person counts it."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from math import isfinite
from typing import Any, NamedTuple, TypeVar, cast

import msgspec
from msgspec import inspect

from .toml_shape import Shape, read, shape, written
from .visible import visible_line
from .words import say

Path = tuple[str | int, ...]
"""Where a value stands: keys, and places in lists counted from 0."""

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

LONGEST_FOUND = 40
"""So many characters of a wrong value are quoted."""


class Problem(NamedTuple):
    """Something in a table that its struct can't take."""

    path: Path
    found: str
    """In words."""
    expected: str
    """In words; empty for a key that nothing knows."""

    @property
    def place(self) -> str:
        return place(self.path)

    def __str__(self) -> str:
        if not self.expected:
            return say("document.unknown_key", place=self.place)
        return say("document.wrong_value", place=self.place, found=self.found, expected=self.expected)


def problems(table: Mapping[str, Any], struct: type[msgspec.Struct]) -> Iterator[Problem]:
    """Everything in the table that keeps it from being read as the struct, in the struct's order.

    Unknown keys are told of where the struct has no catch-all to keep them.
    """
    return _problems_in_table(table, shape(struct), ())


def _problems_in_table(table: Any, into: Shape, path: Path) -> Iterator[Problem]:
    if not isinstance(table, dict):
        yield Problem(path, found(table), say("document.table"))
        return
    values = cast(dict[str, Any], table)
    for key, kind in into.kinds.items():
        if key not in values:
            if key in into.required:
                yield Problem((*path, key), say("document.nothing"), _expected(kind))
            continue
        value, here = values[key], (*path, key)
        below = into.nested.get(key)
        if below is None:
            yield from _problems_in_value(value, kind, here)
        elif not below[1]:
            yield from _problems_in_table(value, below[0], here)
        elif isinstance(kind, inspect.DictType) and isinstance(value, dict):
            for name, item in cast(dict[str, Any], value).items():
                yield from _problems_in_table(item, below[0], (*here, name))
        elif isinstance(kind, inspect.VarTupleType) and isinstance(value, list):
            for i, item in enumerate(cast(list[Any], value)):
                yield from _problems_in_table(item, below[0], (*here, i))
        else:
            yield Problem(here, found(value), _expected(kind))
    if into.catch_all is None:
        yield from (Problem((*path, key), found(value), "") for key, value in values.items() if key not in into.kinds)


def _problems_in_value(value: Any, kind: inspect.Type, path: Path) -> Iterator[Problem]:
    match kind:
        case inspect.VarTupleType() if isinstance(value, list):
            for i, item in enumerate(cast(list[Any], value)):
                yield from _problems_in_value(item, kind.item_type, (*path, i))
            return
        case inspect.DictType() if isinstance(value, dict):
            for key, item in cast(dict[str, Any], value).items():
                yield from _problems_in_value(item, kind.value_type, (*path, key))
            return
        case inspect.StrType():
            fits = isinstance(value, str)
        case inspect.BoolType():
            fits = isinstance(value, bool)
        case inspect.IntType():
            fits = _is_integer(value) and _in_range(value, kind)
        case inspect.FloatType():
            fits = _is_finite(value) and _in_range(value, kind)
        case inspect.DateTimeType():
            fits = isinstance(value, datetime)
        case inspect.LiteralType():
            fits = value in kind.values
        case inspect.AnyType():
            fits = True
        case _:
            fits = False
    if not fits:
        yield Problem(path, found(value), _expected(kind))


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    if _is_integer(value):
        return abs(value) <= sys.float_info.max
    return isinstance(value, float) and isfinite(value)


def _in_range(value: float, kind: inspect.IntType | inspect.FloatType) -> bool:
    return (
        (kind.ge is None or value >= kind.ge)
        and (kind.gt is None or value > kind.gt)
        and (kind.le is None or value <= kind.le)
        and (kind.lt is None or value < kind.lt)
    )


_GONE: Any = object()


def without(value: Any, wrong: Sequence[Path]) -> Any:
    """The table or list without the values at these places.

    A place with nothing there stands for a key that its table must have: that table goes as a whole.
    """
    if not isinstance(value, dict | list):
        return value
    table = cast(dict[Any, Any], value if isinstance(value, dict) else dict(enumerate(cast(list[Any], value))))
    if any(len(path) == 1 and path[0] not in table for path in wrong):
        return _GONE
    kept: dict[Any, Any] = {}
    for key, item in table.items():
        below = [path[1:] for path in wrong if path[0] == key]
        if () not in below:
            kept[key] = without(item, below) if below else item
    kept = {key: item for key, item in kept.items() if item is not _GONE}
    return kept if isinstance(value, dict) else list(kept.values())


def mended(struct: _Struct) -> _Struct:
    """The struct without the values that, written to a file, would keep it from being read again."""
    table = written(struct)
    wrong = [problem.path for problem in problems(table, type(struct))]
    return read(without(table, wrong), type(struct)) if wrong else struct


def place(path: Path) -> str:
    """A place as a person counts it, from 1: `message 2, take 1, usage.prompt_tokens`."""
    parts: list[str] = []
    keys: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"{'.'.join(keys)} {step + 1}")
            keys = []
        else:
            keys.append(visible_line(step))
    if keys:
        parts.append(".".join(keys))
    return say("document.comma").join(parts)


def found(value: object) -> str:
    """A value as it is quoted in an error: short, and on one line."""
    match value:
        case str():
            short = value if len(value) <= LONGEST_FOUND else value[:LONGEST_FOUND] + "…"
            return f'"{visible_line(short)}"'
        case bool():
            return "true" if value else "false"
        case dict():
            return say("document.table")
        case list():
            return say("document.list")
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            # Python writes no whole number of more than some thousand digits.
            text = hex(value) if isinstance(value, int) and value.bit_length() > 4096 else str(value)
            return text if len(text) <= LONGEST_FOUND else text[:LONGEST_FOUND] + "…"


def _expected(kind: inspect.Type) -> str:
    match kind:
        case inspect.StrType():
            return say("document.text")
        case inspect.BoolType():
            return say("document.boolean")
        case inspect.IntType():
            return _ranged(say("document.integer"), kind)
        case inspect.FloatType():
            return _ranged(say("document.number"), kind)
        case inspect.DateTimeType():
            return say("document.datetime")
        case inspect.LiteralType():
            return say("document.one_of", values=", ".join(map(str, kind.values)))
        case inspect.VarTupleType(item_type=inspect.StructType()):
            return say("document.list_of_tables")
        case inspect.VarTupleType():
            return say("document.list_of", item=_expected(kind.item_type))
        case _:
            return say("document.table")


def _ranged(noun: str, kind: inspect.IntType | inspect.FloatType) -> str:
    most = kind.le if kind.lt is None else kind.lt - 1
    match kind.ge, kind.gt, most:
        case None, None, None:
            return noun
        case None, above, None:
            return say("document.above", noun=noun, least=above)
        case None, above, _:
            return say("document.above_to", noun=noun, least=above, most=most)
        case least, _, None:
            return say("document.at_least", noun=noun, least=least)
        case least, _, _:
            return say("document.between", noun=noun, least=least, most=most)
