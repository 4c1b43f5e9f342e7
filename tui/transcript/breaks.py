"""Where an editor's lines break: where the page breaks them, so that nothing moves when an editor opens.

Unlike the page's text, an editor's has tabs, and joiners that make one emoji of several.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice

from rich.cells import cell_len, get_character_cell_size

from ..text.wrap import breaks_from

LONG = 8_000
"""Characters; in a longer line a tab takes four cells wherever it stands."""
TAB = 4
PIECE = 4_096
"""Characters of a long line that are looked at together."""
_JOINER, _AS_EMOJI = "\u200d", "\ufe0f"
_SPECIAL = re.compile(f"[\t{_JOINER}{_AS_EMOJI}]")
"""How wide these are depends on what stands beside them."""
_WIDE = "一"


def breaks(line: str, width: int) -> list[int]:
    """Where a line breaks, in characters.

    Args:
        line: without controls but tabs.
        width: in cells; 1 counts as 2.
    """
    return list(breaks_after(line, 0, width))


def breaks_after(line: str, start: int, width: int) -> Iterator[int]:
    """The breaks that follow one at `start`, which is 0 for the line's beginning.

    Nothing before it is looked at; in a line that isn't LONG and has tabs it has to be 0.
    """
    width = max(width, 2)
    size = PIECE if len(line) >= LONG else LONG
    while True:
        end = start + size
        while end < len(line) and (line[end] in (_JOINER, _AS_EMOJI) or line[end - 1] == _JOINER):
            end += 1
        piece = line[start:end]
        plain, places = _plain(piece, to_stops=len(line) < LONG) if _SPECIAL.search(piece) else (piece, None)
        last = start
        for cut in breaks_from(plain, 0, width):
            if (at := start + (places[cut] if places else cut)) > last:
                yield at
                last = at
        if end >= len(line):
            return
        # The piece's last line may go on.
        size = PIECE if last > start else 2 * size
        start = last


def _plain(piece: str, *, to_stops: bool) -> tuple[str, list[int]]:
    """The piece as the page might have it, each screen character of its true width, and where each came from.

    Args:
        piece: begins where no tab is before it, or with `to_stops` off.
        to_stops: whether tabs reach to the next stop, or take four cells.
    """
    chars: list[str] = []
    places: list[int] = []
    column, based, is_joined = 0, -1, False
    for place, char in enumerate(piece):
        if char == "\t":
            cells = TAB - column % TAB if to_stops else TAB
            chars += " " * cells
            places += [place] * cells
            column += cells
            based, is_joined = -1, False
        elif char == _JOINER:
            # Another one is what is joined.
            is_joined = not is_joined
        elif is_joined:
            is_joined = False
        elif char == _AS_EMOJI:
            if based >= 0 and cell_len(chars[based] + char) > get_character_cell_size(chars[based]):
                chars[based] = _WIDE
                column += 1
            based = -1
        else:
            if cells := get_character_cell_size(char):
                based = len(chars)
                column += cells
            chars.append(char)
            places.append(place)
    return "".join(chars), places


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
    if len(line) - (end - start) < LONG and _SPECIAL.search(line):
        # It is or was one in which a tab's width depends on all that is before it.
        return breaks(line, width)
    # A break depends on the first character that has no room, which is two screen lines further at most; and how wide
    # that is, on the character behind it.
    kept = max(bisect_right(head, start) - 3, 0)
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


def last_start(text: str) -> int:
    """Where in a text its last character begins, with all that stands on it or is joined to it."""
    at = len(text) - 1
    while at > 0 and (not get_character_cell_size(text[at]) or text[at - 1] == _JOINER):
        at -= 1
    return at
