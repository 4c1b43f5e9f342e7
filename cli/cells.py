"""How many terminal cells a text takes: Chinese characters take two. For tables and wrapped help."""

import unicodedata
from collections.abc import Iterator, Sequence


def width(text: str) -> int:
    """Cells of a text without controls; an ambiguous character counts as one, combining marks as none."""
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.east_asian_width(char) in "WF":
        return 2
    return 0 if unicodedata.category(char) in ("Mn", "Me", "Cf") else 1


def padded(text: str, cells: int, *, right: bool = False) -> str:
    """The text filled up with blanks to so many cells; set to the right if told."""
    blanks = " " * (cells - width(text))
    return blanks + text if right else text + blanks


def wrapped(text: str, cells: int) -> list[str]:
    """Lines of at most so many cells, broken at blanks, and between two characters if one of them is wide."""
    lines = [""]
    used = 0
    for part in _unbreakable(text):
        size = width(part)
        if used + width(part.rstrip()) > cells and used:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
            used = 0
            part = part.lstrip()
            size = width(part)
        lines[-1] += part
        used += size
    lines[-1] = lines[-1].rstrip()
    return lines


_NOT_FIRST = "，。；：、？！）》”…"
"""Marks that may not begin a line."""
_NOT_LAST = "（《“"
"""Marks that may not end one."""


def _unbreakable(text: str) -> Iterator[str]:
    """The stretches between which a line may be broken; a blank stays with what stands before it."""
    start = 0
    for i in range(1, len(text)):
        before, after = text[i - 1], text[i]
        breaks = before == " " or (
            (_char_width(before) == 2 or _char_width(after) == 2)
            and before not in _NOT_LAST
            and after not in _NOT_FIRST
        )
        if breaks and after != " ":
            yield text[start:i]
            start = i
    if text:
        yield text[start:]


def table(rows: Sequence[Sequence[str]], *, right: Sequence[bool]) -> str:
    """Rows in aligned columns, two blanks between them, none at the ends of lines.

    Args:
        rows: all of the same length, the heading among them.
        right: for each column, whether it is set to the right.
    """
    widths = [max(width(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(padded(cell, cells, right=to_right) for cell, cells, to_right in zip(row, widths, right, strict=True))
        for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)
