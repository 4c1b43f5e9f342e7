"""Where an editor's lines break, as Textual breaks them, only sooner: of ten million characters in half a second.

A line breaks before a word, which takes the blanks behind it along; a word that is wider than the page is cut.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice

from rich.cells import get_character_cell_size
from textual._wrap import compute_wrap_offsets

LONG = 8_000
"""Characters; in a longer line a tab takes four cells wherever it stands, and emoji may count as too wide."""
TAB = 4
_SPECIAL = re.compile("[\t\u200d\ufe0f]")
"""How wide these are depends on what stands beside them."""
_BLANK = re.compile(r"\s")
_NARROW = re.compile(r"[!-~]*")
_WIDE = re.compile("[\u3001-\u3029\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60]*")
_LAST_WORD = re.compile(r".*\s(?=\S)", re.DOTALL)


class _Cells(dict[str, int]):
    def __missing__(self, char: str) -> int:
        self[char] = cells = get_character_cell_size(char)
        return cells


_CELLS = _Cells({"\t": TAB, "\ufe0f": 1})


def breaks(line: str, width: int) -> list[int]:
    """Where a line breaks, in characters.

    Args:
        line: without controls but tabs.
        width: in cells.
    """
    if len(line) < LONG and _SPECIAL.search(line):
        return compute_wrap_offsets(line, width, TAB)
    return list(breaks_after(line, 0, width))


def breaks_after(line: str, start: int, width: int) -> Iterator[int]:
    """The breaks that follow one at `start`, which is 0 for the line's beginning. Nothing before it is looked at."""
    blank = start
    """Where the next blank is: what ends before it is cut, without a word to look for."""
    while True:
        if blank <= start:
            found = _BLANK.search(line, start)
            blank = len(line) if found is None else found.start()
        if blank - start > 2 * width:
            # Text without blanks, as Chinese is: a whole stretch at once.
            for stretch, each in ((_NARROW, width), (_WIDE, width // 2)):
                found = stretch.match(line, start, blank)
                assert found is not None
                if (count := (found.end() - start - 1) // each) > 0:
                    yield from range(start + each, start + count * each + 1, each)
                    start += count * each
        head = line[start : start + width + 1]
        if head.isascii() and "\t" not in head:
            if len(head) <= width:
                return
            fits = width
        else:
            more = width + 1
            while (fits := bisect_right(list(accumulate(map(_CELLS.__getitem__, head))), width)) == len(head):
                if start + more >= len(line):
                    return
                # Marks that take no cell.
                more *= 2
                head = line[start : start + more]
        found = _LAST_WORD.match(head, 0, fits + 1) if blank < start + fits else None
        start += found.end() if found else max(fits, 1)
        yield start


def rebroken(line: str, width: int, head: Sequence[int], start: int, tail: Sequence[int], end: int) -> list[int]:
    """The breaks of a line after an edit: only around it is anything looked for.

    Args:
        line: as it is now.
        width: in cells.
        head: breaks that were there before; those far enough before `start` still are.
        start: where the line became another, in characters.
        tail: breaks as they were behind the edit, counted as they would stand now.
        end: from here on the line is as it was.
    """
    if len(line) < 2 * LONG and _SPECIAL.search(line):
        return breaks(line, width)
    # A word that became shorter may go up to the line above: two screen lines before the edit nothing changes.
    kept = max(bisect_right(head, start) - 2, 0)
    found = list(head[:kept])
    more = breaks_after(line, found[-1] if found else 0, width)
    count = 8
    while new := list(islice(more, count)):
        found += new
        # Where both have a break, all that follow are the same.
        at = bisect_left(tail, max(new[-1], end + 1))
        if at < len(tail) and tail[at] == new[-1]:
            return found + list(tail[at + 1 :])
        count *= 2
    return found
