"""Styled text broken into lines by terminal cells, with Chinese at home.

A `Run` is a piece of text with the name of an ink (see `inks.py`); a `Line` is the runs of one screen line.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from rich.cells import cell_len, get_character_cell_size


class Run(NamedTuple):
    """Text and the names of its inks, parted by blanks: `text`, `muted`, `code strong`…"""

    text: str
    ink: str = "text"


Line = tuple[Run, ...]

# Marks that must not begin a line, and those that must not end one: Chinese typesetting, GB/T 15834.
NOT_FIRST = frozenset("、。，．：；？！）》」』】〕〉〗’”…—～·％!%),.:;?]}")
NOT_LAST = frozenset("（《「『【〔〈〖‘“([{")


def line_width(runs: Iterable[Run]) -> int:
    """In cells."""
    return sum(cell_len(run.text) for run in runs)


def break_offsets(text: str, width: int) -> list[int]:
    """Where to break one line of text so that no part is wider than `width` cells, trailing blanks aside.

    Breaks after blanks, and beside wide characters unless a punctuation mark would start or end a line wrongly;
    a word longer than the line is cut. Never inside a wide character, nor before a mark that combines with the
    character before it. A width of 1 counts as 2.
    """
    if text.isascii() and len(text) <= width:
        return []
    return list(breaks_from(text, 0, max(width, 2)))


class _Cells(dict[str, int]):
    def __missing__(self, char: str) -> int:
        self[char] = cells = get_character_cell_size(char)
        return cells


_CELLS = _Cells()
_NOT_BLANK = re.compile("[^ ]")
_NARROW = re.compile("[!-~]*")
_WIDE = re.compile("[\u3001-\u3029\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60]*")
"""Some of the characters that take two cells: most of what Chinese is written in."""


def breaks_from(text: str, start: int, width: int) -> Iterator[int]:
    """The breaks that follow one at `start`, each found when it is asked for; the width is 2 or more.

    Nothing before `start` is looked at, and for each break nothing behind the first character that has no room on the
    line before it, blanks aside.
    """
    while True:
        # Text without blanks, as Chinese is: a whole stretch at once.
        for stretch, count in ((_NARROW, width), (_WIDE, width // 2)):
            found = stretch.match(text, start)
            assert found is not None
            while (cut := start + count) < found.end():
                if text[cut] in NOT_FIRST or text[cut - 1] in NOT_LAST:
                    cut = _forced(text, start, cut)
                yield cut
                start = cut
        if (following := _next_break(text, start, width)) is None:
            return
        yield following
        start = following


def _next_break(text: str, start: int, width: int) -> int | None:
    """Where the line that begins at `start` ends; None: it is the last one."""
    head = text[start : start + width + 1]
    if head.isascii() and head.isprintable() and not head.endswith(" "):
        # Most lines of most texts are such: looked at as a whole, they take a tenth of the time.
        if len(head) <= width:
            return None
        blank = head.rfind(" ")
        return start + blank + 1 if blank >= 0 else _forced(text, start, start + width)
    more = width + 1
    while (fits := bisect_right(list(accumulate(map(_CELLS.__getitem__, head))), width)) == len(head):
        if start + more >= len(text):
            return None
        # Marks that take no cell.
        more *= 2
        head = text[start : start + more]
    if (found := _NOT_BLANK.search(text, start + fits)) is None:
        return None
    index = found.start()
    best = next((cut for cut in range(index, start, -1) if _can_break(text, start, cut)), None)
    return _forced(text, start, index) if best is None else best


def _can_break(text: str, start: int, cut: int) -> bool:
    before, after = text[cut - 1], text[cut]
    if after == " " or not _CELLS[after]:
        return False
    if before == " ":
        return True
    if after in NOT_FIRST or before in NOT_LAST:
        return False
    while not _CELLS[before] and cut - 1 > start:
        # A mark is as wide as what it stands on.
        cut -= 1
        before = text[cut - 1]
    return _CELLS[after] == 2 or _CELLS[before] == 2


def _forced(text: str, start: int, index: int) -> int:
    """Where to cut a stretch without a place to break: at `index`, or before it, if a mark would stand wrongly."""
    for cut in range(index, start, -1):
        before, after = text[cut - 1], text[cut]
        if after not in NOT_FIRST and before not in NOT_LAST and get_character_cell_size(after):
            return cut
    return index


def divide(runs: Sequence[Run], offsets: Sequence[int]) -> list[Line]:
    """The runs cut at these character offsets."""
    if not offsets:
        return [tuple(runs)]
    lines: list[Line] = []
    current: list[Run] = []
    cuts = iter(offsets)
    cut: int | None = next(cuts)
    position = 0
    for text, ink in runs:
        # Not cut off again and again: a line may be a megabyte long.
        at = 0
        while cut is not None and position + len(text) >= cut:
            if head := text[at : cut - position]:
                current.append(Run(head, ink))
            lines.append(tuple(current))
            current, at = [], cut - position
            cut = next(cuts, None)
        if rest := text[at:]:
            current.append(Run(rest, ink))
        position += len(text)
    lines.append(tuple(current))
    return lines


def wrap(runs: Sequence[Run], width: int) -> list[Line]:
    """One logical line (no line feed in it) as screen lines of at most `width` cells."""
    text = runs[0].text if len(runs) == 1 else "".join(run.text for run in runs)
    return [_without_trailing_blanks(line, width) for line in divide(runs, break_offsets(text, width))]


def _without_trailing_blanks(line: Line, width: int) -> Line:
    """A blank that hangs over the edge isn't painted."""
    if line_width(line) <= width:
        return line
    runs = list(line)
    while runs:
        text, ink = runs.pop()
        if kept := text.rstrip(" "):
            return (*runs, Run(kept, ink))
    return ()


def wrap_text(text: str, width: int, ink: str = "text") -> list[Line]:
    """Text with line feeds in it, wrapped."""
    # A streaming answer is wrapped again at each painting: only its last paragraph has changed, and is not kept.
    *finished, last = text.split("\n")
    lines = [line for part in finished for line in wrap_paragraph(part, width, ink)]
    return lines + wrap((Run(last, ink),), width)


@lru_cache(maxsize=4096)
def wrap_paragraph(text: str, width: int, ink: str) -> list[Line]:
    """One logical line in one ink, wrapped; kept, since of a long text one paragraph changes at a time."""
    return wrap((Run(text, ink),), width)


def truncate(text: str, width: int) -> str:
    """The text, cut to `width` cells with an ellipsis if it is longer."""
    if cell_len(text) <= width:
        return text
    kept, used = [], 1
    for char in text:
        used += get_character_cell_size(char)
        if used > width:
            break
        kept.append(char)
    return "".join(kept) + "…" if width > 0 else ""


def truncate_line(line: Iterable[Run], width: int) -> Line:
    """The line, cut to `width` cells with an ellipsis if it is longer."""
    runs = tuple(line)
    if line_width(runs) <= width:
        return runs
    kept: list[Run] = []
    left = width
    for text, ink in runs:
        # A run that just fits would leave no cell for the ellipsis: more follows, or it wouldn't have come to this.
        fits = cell_len(text) < left
        kept.append(Run(text if fits else truncate(text + "…", left), ink))
        if not fits:
            break
        left -= cell_len(text)
    return tuple(kept)
