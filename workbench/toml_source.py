"""From a file's bytes to a TOML table, with errors that tell the line."""

import re
from collections.abc import Iterable
from typing import Any, cast

import tomli

from .errors import Unreadable
from .visible import visible_line

BOM = b"\xef\xbb\xbf"

DEEPEST = 64
"""Tables and lists may be nested so many levels deep: what is deeper can't be written again for sure."""

_SYNTAX_ERROR = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)

_STRING_OR_COMMENT = re.compile(
    r"""\"{3}(?:[^"\\]++|\\.|"(?!""))*+"{3,5}|'{3}(?:[^']++|'(?!''))*+'{3,5}|"(?:[^"\\]++|\\.)*+"|'[^']*+'|\#""",
    re.DOTALL,
)


def decoded(data: bytes, name: str) -> str:
    """The text of a UTF-8 file, a byte order mark skipped.

    Args:
        name: the file's name, for the error message.

    Raises:
        Unreadable: it isn't UTF-8; the message tells the first byte that is wrong, counted from 0.
    """
    try:
        return data.removeprefix(BOM).decode()
    except UnicodeDecodeError as error:
        offset = error.start + (len(BOM) if data.startswith(BOM) else 0)
        raise Unreadable("document.not_utf8", file=visible_line(name), offset=offset) from None


def parsed(data: bytes, name: str) -> dict[str, Any]:
    """The table that a file holds.

    Raises:
        Unreadable: it isn't UTF-8, no TOML, or nested too deeply; the message tells line and column, counted from 1.
    """
    source = decoded(data, name)
    try:
        table = tomli.loads(source)
        if _is_deep(table):
            raise RecursionError
        return table
    except RecursionError:
        raise Unreadable("document.too_deep", file=visible_line(name)) from None
    except ValueError as error:
        match = _SYNTAX_ERROR.fullmatch(str(error))
        if match is None:
            raise Unreadable("document.not_toml", file=visible_line(name), detail=visible_line(str(error))) from None
        lines = source.split("\n")
        line, column = (match[2], match[3]) if match[2] else (len(lines), len(lines[-1]) + 1)
        detail = visible_line(match[1])
        raise Unreadable(
            "document.bad_syntax", file=visible_line(name), line=line, column=column, detail=detail
        ) from None


def _is_deep(table: dict[str, Any]) -> bool:
    level: list[Iterable[Any]] = [table.values()]
    for _ in range(DEEPEST):
        level = [inner for items in level for item in items if (inner := _items(item)) is not None]
        if not level:
            return False
    return True


def _items(value: Any) -> Iterable[Any] | None:
    """What is in a table or a list."""
    if isinstance(value, dict):
        return cast(dict[str, Any], value).values()
    return cast(list[Any], value) if isinstance(value, list) else None


def has_comments(data: bytes) -> bool:
    """Whether a file of valid TOML has a `#` outside its strings."""
    return b"#" in data and any(match[0] == "#" for match in _STRING_OR_COMMENT.finditer(data.decode()))
