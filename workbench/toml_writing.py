"""Writes TOML 1.0 that a person likes to read, and that reads back as exactly the values written.

Values are written by tomli-w. The headers are ours, since tomli-w makes one inline list of short tables where a file
for people has `[[message]]`; so are strings, since its multi-line ones drop the CR of a CRLF, and it looks at each
character by itself.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import tomli_w

from .visible import BIDI, NEWLINE_LIKE, without_surrogates

# Beyond what TOML asks for: C1 controls, bidi controls and line separators, so that a file shown with `cat` shows what
# it says.
_UNSEEN = {code: f"\\u{code:04X}" for code in (*range(0x80, 0xA0), *map(ord, NEWLINE_LIKE + BIDI), 0xFEFF)}
_ESCAPES = {
    **{chr(code): f"\\u{code:04x}" for code in (*range(0x20), 0x7F)},
    **{chr(code): escape for code, escape in _UNSEEN.items()},
    "\b": "\\b",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
}
_ESCAPED = "".join(re.escape(char) for char in _ESCAPES if char not in "\t\n")
_IN_LINES, _IN_LINE = re.compile(f"[{_ESCAPED}]"), re.compile(f"[\n{_ESCAPED}]")
PIECE = 1 << 16
"""Characters that are escaped at a time: a save of ten megabytes lets a key through in between."""


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
    text = "".join(parts)
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
            parts.append(f"{_key(key)} = {_number(value) if isinstance(value, int) else _time(value)}\n")
        elif isinstance(value, str):
            parts += (f"{_key(key)} = ", *_string(value), "\n")
        else:
            # What is unseen stands inside quoted strings only.
            parts.append(tomli_w.dumps({key: _plain(value)}).translate(_UNSEEN))
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
    return tomli_w.dumps({key: 0})[: -len(" = 0\n")].translate(_UNSEEN)


def _string(value: str) -> Iterator[str]:
    """A string as tomli-w writes it, in pieces."""
    in_lines = "\n" in value and "\r\n" not in value
    escaped = _IN_LINES if in_lines else _IN_LINE
    yield '"""\n' if in_lines else '"'
    for begin in range(0, len(value), PIECE):
        yield escaped.sub(lambda found: _ESCAPES[found[0]], value[begin : begin + PIECE])
    yield '"""' if in_lines else '"'


class _Long(int):
    """A whole number that Python refuses to write out in digits. None below 0 that TOML can tell is so long."""

    def __str__(self) -> str:
        return hex(self)


def _number(value: int) -> int:
    return _Long(value) if value > 0 and value.bit_length() > 4096 else value


def _time(value: datetime) -> str:
    """With the `T` for which tomli-w puts a blank."""
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
    """The value as tomli-w writes it, without keys that have no value."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in cast(Mapping[str, Any], value).items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast(Sequence[Any], value)]
    if isinstance(value, int) and not isinstance(value, bool):
        return _number(value)
    return value
