"""Between a TOML table and a msgspec struct, unknown keys kept.

A struct keeps the keys that it doesn't know in its catch-all field, `extra` or (where `extra` is a key of the file's
own) `unknown`; msgspec alone would drop them. A catch-all and `uid` are never read from a key of that name.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from functools import cache
from math import isfinite
from typing import Any, NamedTuple, TypeVar, cast

import msgspec
from msgspec import inspect

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class Shape(NamedTuple):
    """What a struct looks like as a table."""

    kinds: dict[str, inspect.Type]
    """Key to the type of its value, None left out of it."""
    required: frozenset[str]
    nested: dict[str, tuple["Shape", bool]]
    """Key to the shape of a table under it; True: of each table in a list."""
    catch_all: str | None
    """The field that keeps unknown keys."""
    attributes: dict[str, str]
    """Key to the attribute that holds its value."""
    defaults: dict[str, Any]
    """Key to the value that is left out when written."""


@cache
def shape(struct: type[msgspec.Struct]) -> Shape:
    """How the struct stands in a file, read from its fields."""
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    catch_all = "unknown" if "unknown" in fields else "extra" if "extra" in fields else None
    saved = [field for name, field in fields.items() if name not in (catch_all, "uid")]
    info = cast(inspect.StructType, inspect.type_info(struct))
    types = {field.encode_name: _without_none(field.type) for field in info.fields}
    kinds = {field.encode_name: types[field.encode_name] for field in saved}
    nested: dict[str, tuple[Shape, bool]] = {}
    for key, kind in kinds.items():
        match kind:
            case inspect.StructType():
                nested[key] = shape(kind.cls), False
            case (
                inspect.VarTupleType(item_type=inspect.StructType() as item)
                | inspect.DictType(value_type=inspect.StructType() as item)
            ):
                nested[key] = shape(item.cls), True
            case _:
                pass
    return Shape(
        kinds,
        frozenset(field.encode_name for field in saved if field.required),
        nested,
        catch_all,
        {field.encode_name: field.name for field in saved},
        {field.encode_name: _default(field) for field in saved},
    )


def _without_none(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.UnionType):
        return next(part for part in kind.types if not isinstance(part, inspect.NoneType))
    return kind


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def read(table: Mapping[str, Any], struct: type[_Struct]) -> _Struct:
    """The table as a struct, unknown keys in its catch-all.

    Raises:
        msgspec.ValidationError: `qiao.workbench.toml_problems` tells what is wrong.
    """
    return msgspec.convert(_sorted_out(table, shape(struct)), struct, builtin_types=(datetime, date, time))


def _sorted_out(table: Mapping[str, Any], into: Shape) -> dict[str, Any]:
    kinds, nested, catch_all = into.kinds, into.nested, into.catch_all
    known: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    for key, value in table.items():
        if key not in kinds:
            unknown[key] = value
        elif key in nested:
            known[key] = _sorted_out_below(value, *nested[key])
        elif type(value) is float and not isfinite(value):
            # No field takes it; msgspec would, so it is shown something that it refuses.
            known[key] = object()
        else:
            known[key] = value
    if unknown and catch_all:
        known[catch_all] = unknown
    return known


def _sorted_out_below(value: Any, into: Shape, several: bool) -> Any:
    match value:
        case dict() if not several:
            return _sorted_out(cast(dict[str, Any], value), into)
        case dict():
            return {key: _sorted_out_below(item, into, False) for key, item in cast(dict[str, Any], value).items()}
        case list() if several:
            return [_sorted_out_below(item, into, False) for item in cast(list[Any], value)]
        case _:
            return value


def written(struct: msgspec.Struct) -> dict[str, Any]:
    """The struct as a table: fields in their order, those at their defaults left out, unknown keys after them."""
    into = shape(type(struct))
    table: dict[str, Any] = {}
    for key, attribute in into.attributes.items():
        value = getattr(struct, attribute)
        if value is None or (key not in into.required and value == into.defaults[key]):
            continue
        if key in into.nested:
            value = [written(item) for item in value] if into.nested[key][1] else written(value)
        elif isinstance(value, tuple):
            value = list(cast(tuple[Any, ...], value))
        table[key] = value
    if into.catch_all:
        unknown: dict[str, Any] = getattr(struct, into.catch_all)
        table.update((key, value) for key, value in unknown.items() if key not in table)
    return table
