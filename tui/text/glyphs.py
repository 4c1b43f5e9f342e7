"""The glyphs of the screen, each named once, with an ASCII stand-in for terminals without them."""

import locale
import os
from typing import NamedTuple


class Glyphs(NamedTuple):
    """Every glyph that the screen uses; each is one cell wide."""

    bar: str = "▌"
    row: str = "▌"
    selected: str = "█"
    loaded: str = "●"
    loading: str = "◐"
    on_disk: str = "○"
    absent: str = "◌"
    served: str = "▲"
    remote: str = "·"
    failed: str = "✗"
    by_hand: str = "✎"
    folded: str = "▸"
    unfolded: str = "▾"
    take_left: str = "‹"
    take_right: str = "›"
    full: str = "━"
    more: str = "↓"
    add: str = "+"
    ignored: str = "!"
    mark: str = "✓"
    star: str = "★"
    rule: str = "─"
    bullet: str = "•"


ASCII = Glyphs(
    bar="|",
    row="|",
    selected="#",
    loaded="*",
    loading="%",
    on_disk="o",
    absent=".",
    served="^",
    remote="-",
    failed="x",
    by_hand="~",
    folded=">",
    unfolded="v",
    take_left="<",
    take_right=">",
    full="=",
    more="v",
    add="+",
    ignored="!",
    mark="+",
    star="*",
    rule="-",
    bullet="*",
)

PLAIN = ASCII._replace(bar=" ", folded="+", unfolded="-", row=">", selected=">", full=" ", rule=" ")
"""For ears: what is drawn is left out, since a figure or a word beside it says the same."""


def for_terminal() -> Glyphs:
    """The glyphs that this terminal most likely shows: ASCII in a locale that isn't UTF-8, or with QIAO_ASCII set.

    `QIAO_ASCII=plain` is how `qiao --plain` asks, before anything of the screen is imported.
    """
    encoding = locale.getpreferredencoding(False).lower().replace("-", "")
    if os.environ.get("QIAO_ASCII") == "plain":
        return PLAIN
    return ASCII if os.environ.get("QIAO_ASCII") or encoding != "utf8" else Glyphs()


glyphs = for_terminal()

SIDEWAYS = "left right" if glyphs == PLAIN else "← →"
"""Two keys."""
