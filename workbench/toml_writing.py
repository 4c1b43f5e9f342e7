"""Writes TOML 1.0 that a person likes to read, and that reads back as exactly the values written.

Not tomli-w: that writes a list of short tables as one inline list, drops the CR of a CRLF from multi-line strings,
and writes times with a blank for the `T`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, cast

from .visible import BIDI, NEWLINE_LIKE, without_surrogates

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

# Beyond what TOML asks for: C1 controls, bidi controls and line separators, so that a file can be shown with `cat`
# and shows what it says.
_ESCAPES: dict[int, str] = {
    **{code: f"\\u{code:04X}" for code in (*range(0x20), *range(0x7F, 0xA0), *map(ord, NEWLINE_LIKE + BIDI), 0xFEFF)},
    ord("\b"): "\\b",
    ord("\t"): "\\t",
    ord("\n"): "\\n",
    ord("\f"): "\\f",
    ord("\r"): "\\r",
    ord('"'): '\\"',
    ord("\\"): "\\\\",
}
_MULTILINE_ESCAPES = {code: escape for code, escape in _ESCAPES.items() if chr(code) not in '\t\n"'}
_TO_ESCAPE = re.compile("[" + "".join(map(re.escape, map(chr, _ESCAPES))) + "]")
_TO_ESCAPE_MULTILINE = re.compile("[" + "".join(map(re.escape, map(chr, _MULTILINE_ESCAPES))) + "]")


def dumps(table: Mapping[str, Any]) -> bytes:
    """The table as UTF-8, its keys in the order given, except that plain values come before tables.

    A list of tables is written as `[[key]]`, a string of several lines between triple quotes. A lone surrogate, which
    no file can hold, becomes U+FFFD. A key whose value is None is left out.

    Args:
        table: of strings, whole numbers, floats (nan and inf too), booleans, dates, times, lists and mappings.

    Raises:
        TypeError: a value that TOML has no form for, such as None in a list.
    """
    lines: list[str] = []
    _write_table(lines, table, "")
    text = "\n".join(lines) + "\n" if lines else ""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return without_surrogates(text).encode()


def _write_table(lines: list[str], table: Mapping[str, Any], path: str) -> None:
    """The content of a table whose header, `[path]`, is already written."""
    tables: list[tuple[str, Any]] = []
    for key, value in table.items():
        if value is None:
            continue
        if isinstance(value, str):
            written = _multiline(value) if "\n" in value else _string(value)
            lines.append(f"{_key(key)} = {written}")
        elif isinstance(value, Mapping) or _is_list_of_tables(value):
            tables.append((key, cast(Any, value)))
        else:
            lines.append(f"{_key(key)} = {_inline(value)}")
    for key, value in tables:
        below = f"{path}.{_key(key)}" if path else _key(key)
        if isinstance(value, Mapping):
            _write_header(lines, f"[{below}]")
            _write_table(lines, cast(Mapping[str, Any], value), below)
        else:
            for item in value:
                _write_header(lines, f"[[{below}]]")
                _write_table(lines, item, below)


def _write_header(lines: list[str], header: str) -> None:
    if lines:
        lines.append("")
    lines.append(header)


def _is_list_of_tables(value: object) -> bool:
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(isinstance(item, Mapping) for item in cast(Sequence[object], value))


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"' if _TO_ESCAPE.search(text) else f'"{text}"'


def _multiline(text: str) -> str:
    if _TO_ESCAPE_MULTILINE.search(text):
        text = text.translate(_MULTILINE_ESCAPES)
    if text.endswith('"'):
        text = text[:-1].replace('"""', '""\\"') + '\\"'
    elif '"""' in text:
        text = text.replace('"""', '""\\"')
    # The line feed after the opening quotes is not part of the string.
    return f'"""\n{text}"""'


def _inline(value: object) -> str:
    """A value on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case int():
            # Python writes no whole number of more than some thousand digits.
            return str(value) if value.bit_length() < 4096 else hex(value)
        case float():
            return repr(value)
        case datetime():
            text = value.isoformat()
            return text.removesuffix("+00:00") + "Z" if value.tzinfo == UTC else text
        case date() | time():
            return value.isoformat()
        case Mapping():
            pairs = cast(Mapping[str, object], value).items()
            return _listed("{", (f"{_key(key)} = {_inline(item)}" for key, item in pairs if item is not None), "}")
        case list() | tuple():
            return "[" + ", ".join(map(_inline, cast(Sequence[object], value))) + "]"
        case _:
            raise TypeError(f"TOML has no form for {type(value).__name__}")


def _listed(start: str, items: Iterable[str], end: str) -> str:
    inner = ", ".join(items)
    return f"{start} {inner} {end}" if inner else start + end
