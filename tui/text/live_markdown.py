"""Markdown while it streams in: laid out as it will stand at the end, at the cost of its last block.

The text is parted where a block at the page's edge surely begins. What lies before is laid out once and kept; only the
last part, which still grows, is laid out at each painting.
"""

import re
import time
from typing import NamedTuple

from .markdown import render
from .wrap import Line, wrap_text

LONGEST_GROWING = 20_000
"""Characters of a block that still grows, as a long table or listing; beyond, it is shown as it is until it ends."""

SLOW_SECONDS = 0.03
"""The same for one that takes the processor longer to lay out, as a thousand brackets that nobody closes do."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_STANDS_ALONE = re.compile(r"[^\s>|<*+_\-\d]|[*_]{1,2}[^\s*_]|-{1,2}[^\s-]|\d+[^\d.)]")
"""How a line behind a blank one begins that belongs to nothing above: it is no item of a list, and isn't indented."""
_MAY_UNDERLINE = re.compile(r" {0,3}(-+|=+)")
"""A list may begin so; as long as there is no more of it, it would make a heading of the line above."""
_MAY_END_CODE = re.compile(r" {0,3}[`~]+")


class _Parted(NamedTuple):
    settled: list[str]
    growing: str
    in_code: bool
    """Whether the last line is one of a listing."""


class LiveMarkdown:
    """One text that grows: what lies before its last block is laid out once."""

    def __init__(self) -> None:
        self._width = 0
        self._settled = ""
        self._lines: list[Line] = []
        """Those of `_settled`."""
        self._is_slow = False
        """Whether laying out the block that grows has taken so long that it is shown as it is until it ends."""

    def lines(self, text: str, width: int) -> list[Line]:
        """Lays out what has come.

        Args:
            text: all of it, already made visible (`workbench.visible`).
            width: in cells.
        """
        if width != self._width or not text.startswith(self._settled):
            self._width, self._settled, self._lines, self._is_slow = width, "", [], False
        settled, growing, in_code = _parted(text[len(self._settled) :])
        for part in settled:
            self._lines = _joined(self._lines, render(part, width) if part.strip() else [])
            self._settled += part
            self._is_slow = False
        begun, line_feed, last = growing.rpartition("\n")
        if (_MAY_END_CODE if in_code else _MAY_UNDERLINE).fullmatch(last) and begun.rpartition("\n")[2].strip():
            growing = begun + line_feed
        return _joined(self._lines, self._growing(growing) if growing.strip() else [])

    def _growing(self, text: str) -> list[Line]:
        if self._is_slow or len(text) > LONGEST_GROWING:
            return wrap_text(text, self._width)
        begun = time.thread_time()
        lines = render(text, self._width)
        self._is_slow = time.thread_time() - begun > SLOW_SECONDS
        return lines


def _joined(above: list[Line], below: list[Line]) -> list[Line]:
    return [*above, (), *below] if above and below else above + below


def _parted(text: str) -> _Parted:
    """The text in parts that don't depend on each other."""
    settled: list[str] = []
    begun = at = 0
    fence = ""
    after_blank = False
    for line in text.split("\n"):
        if not fence and after_blank and at > begun and _STANDS_ALONE.match(line):
            settled.append(text[begun:at])
            begun = at
        found = _FENCE.fullmatch(line)
        if fence:
            if found and found[1].startswith(fence) and not found[2].strip():
                fence = ""
        elif found and not (found[1][0] == "`" and "`" in found[2]):
            fence = found[1]
        after_blank = not line.strip()
        at += len(line) + 1
    return _Parted(settled, text[begun:], bool(fence))
