"""Sampling parameters written as text: `temperature=0.7`."""

from collections.abc import Iterable
from typing import Any

import msgspec
import tomli

from .errors import Unreadable
from .sampling import NAMES, Sampling
from .toml_problems import problems


def value_of(text: str) -> Any:
    """The text read as a TOML value; as a string if it is none."""
    try:
        table = tomli.loads(f"value = {text}")
    except (ValueError, RecursionError):
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
    for problem in problems({name: value}, Sampling):
        raise Unreadable("setting.wrong", problem=problem)
    read = getattr(msgspec.convert({name: value}, Sampling), name)
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
