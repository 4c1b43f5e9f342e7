"""Sampling parameters written as text: `temperature=0.7`."""

import tomllib
from collections.abc import Iterable
from math import isfinite
from typing import Any

import msgspec
from msgspec import inspect

from .errors import Unreadable
from .sampling import NAMES, Sampling
from .words import say


def value_of(text: str) -> Any:
    """The text read as a TOML value; as a string if it is none."""
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return table["value"] if table.keys() == {"value"} else text


def with_setting(sampling: Sampling, name: str, text: str) -> Sampling:
    """The sampling with one parameter read from text, as a person writes it.

    Raises:
        Unreadable: there is no such parameter (the message lists them), or its value is of the wrong type or
            out of range.
    """
    if name not in NAMES:
        raise Unreadable("setting.unknown", name=name, known=", ".join(NAMES))
    value = value_of(text)
    if name == "stop" and isinstance(value, str):
        value = [value]
    try:
        read = getattr(msgspec.convert({name: value}, Sampling), name)
    except msgspec.ValidationError:
        raise _wrong(name, text) from None
    if isinstance(read, float) and not isfinite(read):
        raise _wrong(name, text)
    return msgspec.structs.replace(sampling, **{name: read})


def with_settings(sampling: Sampling, settings: Iterable[str]) -> Sampling:
    """The sampling with each `KEY=VALUE` set, the later ones winning.

    Raises:
        Unreadable: as `with_setting` does, or a setting without `=`.
    """
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise Unreadable("setting.no_equals", text=setting)
        sampling = with_setting(sampling, name.strip(), text)
    return sampling


def _wrong(name: str, text: str) -> Unreadable:
    return Unreadable("setting.wrong", name=name, found=text, expected=expected(name))


def expected(name: str) -> str:
    """What a parameter's value must be, in words; read from its type, so that the two can't differ."""
    kinds = inspect.type_info(Sampling)
    assert isinstance(kinds, inspect.StructType)
    kind = next(field.type for field in kinds.fields if field.name == name)
    if isinstance(kind, inspect.UnionType):
        kind = next(part for part in kind.types if not isinstance(part, inspect.NoneType))
    match kind:
        case inspect.BoolType():
            return say("setting.boolean")
        case inspect.IntType():
            return _in_range(say("setting.integer"), kind)
        case inspect.FloatType():
            return _in_range(say("setting.number"), kind)
        case inspect.DictType():
            return say("setting.table")
        case _:
            return say("setting.texts")


def _in_range(noun: str, kind: inspect.IntType | inspect.FloatType) -> str:
    above, low, high = kind.gt, kind.ge, kind.le
    match above, low, high:
        case None, _, None:
            return say("setting.at_least", noun=noun, low=low)
        case None, _, _:
            return say("setting.between", noun=noun, low=low, high=high)
        case _, _, None:
            return say("setting.above", noun=noun, low=above)
        case _:
            return say("setting.above_up_to", noun=noun, low=above, high=high)
