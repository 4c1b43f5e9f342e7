"""Which part of a prompt each message is: where its text stands in what the chat template wrote, and its tokens.

A template is a program: it may trim a text, leave it out, or put it elsewhere. So the messages are put through it a
second time with marks around their texts, characters that nobody writes, and the marks are looked for in the outcome.
"""

import re
from collections.abc import Sequence
from itertools import accumulate, takewhile
from typing import NamedTuple

from ..workbench.seam import Share, Turn

_FIRST = 0xF0000
_LAST = 0xFFFFD
"""A plane of characters for private use; two are taken a message."""


class Span(NamedTuple):
    """A stretch of the prompt's text, in characters."""

    start: int
    end: int


def marked(turns: Sequence[Turn]) -> list[Turn] | None:
    """The turns with a mark before and after each text, blanks at its ends left outside.

    Returns:
        None: there are too many, or a text has such characters in it already.
    """
    if 2 * len(turns) > _LAST - _FIRST or any(_plane(turn.text) for turn in turns):
        return None
    wrapped: list[Turn] = []
    for i, turn in enumerate(turns):
        core = turn.text.strip()
        before, _, after = turn.text.partition(core) if core else (turn.text, "", "")
        wrapped.append(Turn(turn.role, f"{before}{chr(_FIRST + 2 * i)}{core}{chr(_FIRST + 2 * i + 1)}{after}"))
    return wrapped


def spans(text: str, with_marks: str, turns: Sequence[Turn]) -> list[Span] | None:
    """Where each turn's text stands in the prompt; an empty span where the template leaves it out.

    Args:
        text: the prompt.
        with_marks: the prompt of `marked(turns)`.

    Returns:
        None: the marks had the template write something else, so that nothing can be told.
    """
    places: dict[int, int] = {}
    parts = re.split(f"([{chr(_FIRST)}-{chr(_LAST)}])", with_marks)
    at = 0
    for part in parts:
        if len(part) == 1 and _FIRST <= ord(part) <= _LAST:
            # Where a template writes a text twice, the first place counts.
            places.setdefault(ord(part) - _FIRST, at)
        else:
            at += len(part)
    if "".join(parts[::2]) != text:
        return None
    found: list[Span] = []
    for i, turn in enumerate(turns):
        start, end = places.get(2 * i), places.get(2 * i + 1)
        if start is None and end is not None:
            # Its beginning was cut off, as the thinking of earlier answers is.
            start = end - len(_common_end(text[:end], turn.text.strip()))
        if start is None or end is None or end < start:
            found.append(Span(0, 0))
        else:
            found.append(Span(start, end))
    return found


def shares(found: Sequence[Span], text: str, starts: Sequence[int], shift: int = 0) -> tuple[Share, ...]:
    """The spans with the number of tokens in each: those that begin there, a blank that they begin with aside.

    Args:
        text: the prompt.
        starts: at which character of the prompt each token begins.
        shift: characters that stand before the prompt's text, as it is shown.
    """
    begun = [0] * (len(text) + 2)
    for start, following in zip(starts, [*starts[1:], len(text)], strict=True):
        while start + 1 < following and text[start].isspace():
            start += 1
        begun[start + 1] += 1
    before = list(accumulate(begun))
    return tuple(Share(s.start + shift, s.end + shift, before[s.end] - before[s.start]) for s in found)


def token_starts(text: str, names: Sequence[str]) -> list[int] | None:
    """At which character of the text each token begins, from the tokens' names in the vocabulary.

    Names are what vocabularies of the two usual kinds have: bytes written as letters (GPT-2's alphabet), or text with
    `▁` for a blank and `<0x0A>` for a byte.

    Returns:
        None: put together, they aren't the text; nothing is told then.
    """
    if not names:
        return [] if not text else None
    whole = text.encode("utf-8", "replace")
    for spelled in (_by_letters, _by_pieces):
        pieces = [spelled(name) for name in names]
        data = b"".join(pieces)
        shift = 0
        if data != whole:
            # Some put a blank before a text that isn't there.
            if data != b" " + whole:
                continue
            shift = 1
        return _characters(text, [max(at - shift, 0) for at in accumulate(map(len, pieces[:-1]), initial=0)])
    return None


def _by_letters(name: str) -> bytes:
    codes = [_BYTES.get(letter) for letter in name]
    return name.encode() if None in codes else bytes(code for code in codes if code is not None)


def _by_pieces(name: str) -> bytes:
    byte = re.fullmatch("<0x([0-9A-Fa-f]{2})>", name)
    return bytes.fromhex(byte[1]) if byte else name.replace("\u2581", " ").encode()


def _alphabet() -> dict[str, int]:
    """GPT-2's: printable bytes of Latin-1 are themselves, the others follow from U+0100 on."""
    own = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in own]
    return {chr(byte): byte for byte in own} | {chr(0x100 + i): byte for i, byte in enumerate(rest)}


_BYTES = _alphabet()


def _characters(text: str, offsets: Sequence[int]) -> list[int]:
    """Byte offsets of UTF-8 as character offsets; within a character, that character's."""
    if text.isascii():
        return list(offsets)
    begins = list(accumulate((len(char.encode("utf-8", "replace")) for char in text), initial=0))
    found: list[int] = []
    at = 0
    for offset in offsets:
        while at + 1 < len(begins) and begins[at + 1] <= offset:
            at += 1
        found.append(at)
    return found


def _common_end(one: str, other: str) -> str:
    """What both end with, blanks at its start aside: they are as likely the template's."""
    pairs = zip(reversed(one[len(one) - min(len(one), len(other)) :]), reversed(other), strict=False)
    length = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return other[len(other) - length :].lstrip()


def _plane(text: str) -> bool:
    return not text.isascii() and any(_FIRST <= ord(char) <= _LAST for char in text)
