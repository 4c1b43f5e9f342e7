"""Writes TOML 1.0 that a person likes to read, and that reads back as exactly the values written.

Values are written by tomli-w. The headers are ours, since tomli-w makes one inline list of short tables where a file
for people has `[[message]]`; so is the choice of the form of each string, since its multi-line strings drop the CR of
a CRLF.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import tomli_w

from .visible import BIDI, NEWLINE_LIKE, without_surrogates

# Beyond what TOML asks for: C1 controls, bidi controls and line separators, so that a file shown with `cat` shows what
# it says.
_UNSEEN = {code: f"\\u{code:04X}" for code in (*range(0x80, 0xA0), *map(ord, NEWLINE_LIKE + BIDI), 0xFEFF)}


def dumps(table: Mapping[str, Any], *, continues: bool = False) -> bytes:
    """The table as UTF-8, its keys in the order given, except that plain values come before tables.

    A list of tables is written as `[[key]]`, a string of several lines between triple quotes. A lone surrogate, which
    no file can hold, becomes U+FFFD. A key whose value is None is left out.

    Args:
        table: of strings, whole numbers, floats (nan and inf too), booleans, dates, times, lists and mappings.
        continues: something stands before it in the file; it may hold tables only then.

    Raises:
        TypeError: a value that TOML has no form for, such as None in a list.
    """
    parts: list[str] = [""] if continues else []
    _write_table(parts, table, "")
    # These stand inside quoted strings only.
    text = "".join(parts).translate(_UNSEEN)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return without_surrogates(text).encode()


def _write_table(parts: list[str], table: Mapping[str, Any], path: str) -> None:
    """The content of a table whose header, `[path]`, is already written."""
    tables: list[tuple[str, Any]] = []
    for key, value in table.items():
        if value is None:
            continue
        if is_table(value):
            tables.append((key, value))
        elif isinstance(value, int | datetime) and not isinstance(value, bool):
            parts.append(f"{_key(key)} = {_number_or_time(value)}\n")
        else:
            multiline = isinstance(value, str) and "\n" in value and "\r\n" not in value
            parts.append(tomli_w.dumps({key: _plain(value)}, multiline_strings=multiline))
    for key, value in tables:
        below = f"{path}.{_key(key)}" if path else _key(key)
        if isinstance(value, Mapping):
            parts.append(f"\n[{below}]\n" if parts else f"[{below}]\n")
            _write_table(parts, cast(Mapping[str, Any], value), below)
        else:
            for item in value:
                parts.append(f"\n[[{below}]]\n" if parts else f"[[{below}]]\n")
                _write_table(parts, item, below)


def _key(key: str) -> str:
    """Bare, or quoted as tomli-w quotes it."""
    return tomli_w.dumps({key: 0})[: -len(" = 0\n")]


def _number_or_time(value: int | datetime) -> str:
    """What tomli-w gets nearly right: it puts a blank for the `T` of a time, and fails at very long numbers."""
    if isinstance(value, int):
        return str(value) if value.bit_length() < 4096 else hex(value)
    text = value.isoformat()
    return text.removesuffix("+00:00") + "Z" if value.tzinfo == UTC else text


def is_table(value: object) -> bool:
    """Whether a value is written under a header of its own."""
    return isinstance(value, Mapping) or _is_list_of_tables(value)


def _is_list_of_tables(value: object) -> bool:
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(isinstance(item, Mapping) for item in cast(Sequence[object], value))


def _plain(value: Any) -> Any:
    """The value without tuples' and mappings' own types, and without keys that have no value."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in cast(Mapping[str, Any], value).items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast(Sequence[Any], value)]
    return value
