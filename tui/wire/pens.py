"""What a cell of the terminal is drawn with, and the shortest way from one such pen to another.

Codes are those of SGR ("select graphic rendition", ECMA-48), with the colours of xterm.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from rich.color import ColorSystem
from rich.style import Style
from textual.strip import Strip

_CODE = re.compile(r"[34]8;(?:5;\d+|2;\d+;\d+;\d+)|\d+")
_ENDS = {"1": "22", "2": "22", "3": "23", "4": "24", "21": "24", "5": "25", "6": "25", "7": "27", "8": "28", "9": "29"}
_ENDS |= {"51": "54", "52": "54", "53": "55"}
"""Attributes, each with the code that ends it; some of those end a second one too."""
_DEFAULTS = ("39", "49")


class Pen(NamedTuple):
    """Codes of attributes and colours, and the link that the cell belongs to (`id=ID;URL`)."""

    attributes: tuple[str, ...] = ()
    foreground: str = "39"
    background: str = "49"
    link: str = ""


PLAIN = Pen()


@lru_cache(maxsize=4096)
def pen_of(style: Style, system: ColorSystem) -> Pen:
    """The pen that Textual draws this style with, in the terminal's colours."""
    pen = PLAIN._replace(link=f"id={style._link_id};{style.link}" if style.link else "")
    for code in _CODE.findall(Strip.render_ansi(style, system)):
        if code in _ENDS:
            pen = pen._replace(attributes=(*pen.attributes, code))
        elif code.startswith(("3", "9")):
            pen = pen._replace(foreground=code)
        else:
            pen = pen._replace(background=code)
    return pen


@lru_cache(maxsize=4096)
def pen_change(old: Pen, new: Pen) -> str:
    """The shortest sequence that turns one pen into the other: afresh, or only what differs."""
    link = f"\x1b]8;{new.link or ';'}\x1b\\" if old.link != new.link else ""
    if old[:3] == new[:3]:
        return link
    colors, old_colors = (new.foreground, new.background), (old.foreground, old.background)
    afresh = ["", *new.attributes, *(code for code in colors if code not in _DEFAULTS)]
    ended = {_ENDS[code] for code in old.attributes if code not in new.attributes}
    begun = [code for code in new.attributes if code not in old.attributes or _ENDS[code] in ended]
    recolored = [code for code, before in zip(colors, old_colors, strict=True) if code != before]
    codes = min(";".join(afresh), ";".join([*sorted(ended), *begun, *recolored]), key=len)
    return f"{link}\x1b[{codes}m"
