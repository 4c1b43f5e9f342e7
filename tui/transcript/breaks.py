"""Where an editor's lines break: where the page breaks them, so that nothing moves when an editor opens.

Unlike the page's text, an editor's has tabs, and joiners that make one emoji of several.
"""

import re

from rich.cells import cell_len, get_character_cell_size

from ..text.wrap import breaks_from

TAB = 4
_JOINER, _AS_EMOJI = "\u200d", "\ufe0f"
_SPECIAL = re.compile(f"[\t{_JOINER}{_AS_EMOJI}]")
"""How wide these are depends on what stands beside them."""
_WIDE = "一"


def breaks(line: str, width: int, *, to_stops: bool = True) -> list[int]:
    """Where a line breaks, in characters.

    Args:
        line: without controls but tabs.
        width: in cells; 1 counts as 2.
        to_stops: whether tabs reach to the next stop, or take four cells wherever they stand.
    """
    plain, places = _plain(line, to_stops=to_stops) if _SPECIAL.search(line) else (line, None)
    cuts = breaks_from(plain, 0, max(width, 2))
    # A tab that is cut in two breaks nothing.
    return list(cuts) if places is None else [at for at in dict.fromkeys(places[cut] for cut in cuts) if at]


def _plain(line: str, *, to_stops: bool) -> tuple[str, list[int]]:
    """The line as the page might have it, each screen character of its true width, and where each came from.

    Args:
        to_stops: as for `breaks`.
    """
    chars: list[str] = []
    places: list[int] = []
    column, based, is_joined = 0, -1, False
    for place, char in enumerate(line):
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


def last_start(text: str) -> int:
    """Where in a text its last character begins, with all that stands on it or is joined to it."""
    at = len(text) - 1
    while at > 0 and (not get_character_cell_size(text[at]) or text[at - 1] == _JOINER):
        at -= 1
    return at
