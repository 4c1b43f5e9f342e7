"""A look at a conversation's file without parsing it: what a library of thousands of files has time for.

Parsing 20 kB of TOML takes milliseconds, these looks microseconds. They rest on how conversations are written, by Qiao
and by hand: keys at the start of a line, messages under `[[message]]`. Where a message quotes such a file, its lines
count too; and a text in an inline table (`message = [{…}]`) is seen as the file's lines.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import tomli

from .peeking import BEGINNING

_MESSAGE = b"\n[[message]]"
_FORMAT = re.compile(rb"^qiao[ \t]*=[ \t]*\d", re.MULTILINE)
_KIND = re.compile(rb"^kind[ \t]*=", re.MULTILINE)
# A search that begins with known bytes takes a twentieth of the time of one at the start of any line.
_MODEL = re.compile(rb'\nmodel[ \t]*=[ \t]*"([^"\\\n]*)"')
_STARRED = re.compile(rb"\nstarred[ \t]*=[ \t]*true")
_USER = re.compile(r"^role = ['\"]user['\"]\n(?=text = )", re.MULTILINE)

_VALUE = re.compile(
    r"""^(?!(?:role|model|finish|prompt_hash|kind)[ \t]*=)(?:[\w-]+|"[^"\n]*")[ \t]*=[ \t]*(?:"""
    r'"""\n?(?P<lines>(?:[^"\\]++|\\.|"(?!""))*+)"""'
    r'|"(?P<line>(?:[^"\\\n]++|\\.)*+)"'
    r"|'''\n?(?P<raw_lines>.*?)'''"
    r"|'(?P<raw_line>[^'\n]*)')",
    re.MULTILINE | re.DOTALL,
)
"""A string under a key, other than those that only Qiao itself reads."""
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|\s*\n\s*|(.))")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


class Glance(NamedTuple):
    """What a glance at a conversation's file shows."""

    title: str | None
    opening: str
    """The beginning of what the user says first; empty if nothing does."""
    models: tuple[str, ...]
    """The addresses that answered, or shall: the conversation's own first."""
    messages: int
    tags: tuple[str, ...]
    starred: bool
    """Whether a take of it is."""


def glance(data: bytes) -> Glance | None:
    """What the file holds; None: it is no conversation. One with mistakes in it counts as one."""
    first = data.find(_MESSAGE)
    # Parsing takes a second for some MB: what stands so far above the first message does without a title.
    head = data[: min(BEGINNING, len(data) if first < 0 else first + 1)]
    if not _FORMAT.search(head):
        return None
    try:
        table = tomli.loads(head.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        if _KIND.search(head):
            return None
        table: dict[str, Any] = {}
    if table.get("kind", "conversation") != "conversation":
        return None
    title, model, listed = table.get("title"), table.get("model"), table.get("tags")
    tags = cast(list[Any], listed) if isinstance(listed, list) else []
    own = [model] if isinstance(model, str) else []
    answered = (match[1].decode(errors="replace") for match in _MODEL.finditer(data, max(first, 0)))
    models: dict[str, None] = dict.fromkeys([*own, *answered])
    return Glance(
        title if isinstance(title, str) else None,
        _opening(data[first + 1 : first + 20_000].decode(errors="replace")) if first >= 0 else "",
        tuple(models),
        data.count(_MESSAGE),
        tuple(tag for tag in tags if isinstance(tag, str)),
        _STARRED.search(data, max(first, 0)) is not None,
    )


def _opening(text: str) -> str:
    for match in _USER.finditer(text):
        if value := _VALUE.match(text, match.end()):
            for line in _unescaped(value).splitlines():
                if line.strip():
                    return line.strip()[:100]
    return ""


def texts(data: bytes) -> Iterator[str]:
    """All that is written in the file: texts, thinking, notes, titles, variables; no roles, addresses, numbers."""
    text = data.decode(errors="replace")
    if _MESSAGE not in data:
        yield text
    for match in _VALUE.finditer(text):
        yield _unescaped(match)


def _unescaped(value: re.Match[str]) -> str:
    kind = value.lastgroup or "line"
    text = value[kind]
    return text if kind.startswith("raw") or "\\" not in text else _ESCAPE.sub(_meant, text)


def _meant(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2]
    if code:
        number = int(code, 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    return _ESCAPED.get(escape[3], escape[3]) if escape[3] else ""


class Needle:
    """A word that is looked for in files: most of them don't have it, and that is found out without reading them."""

    def __init__(self, word: str) -> None:
        self.word = word.lower()
        escaped = self.word.replace("\\", "\\\\").replace('"', '\\"')
        self._forms = {self.word, escaped}
        self._bytes = {form.encode(errors="replace") for form in self._forms}
        # bytes.lower knows ASCII only; most scripts beyond it have no cases.
        self._has_cases = any(not char.isascii() and char.lower() != char.upper() for char in word)

    def may_be_in(self, data: bytes, lowered: bytes) -> bool:
        """Whether the file may hold the word; `texts` tells for certain. `lowered` is `data.lower()`.

        A character that is written as a code in the file (controls, bidi marks) isn't seen.
        """
        if self._has_cases:
            text = data.decode(errors="replace").lower()
            return any(form in text for form in self._forms)
        return any(form in lowered for form in self._bytes)
