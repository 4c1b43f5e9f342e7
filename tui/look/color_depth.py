"""How many colours the terminal has, and themes fitted to few of them."""

from colorsys import rgb_to_hls
from typing import Literal

import msgspec
from rich.color import Color, ColorSystem
from rich.console import Console

from .theme_files import ThemeFile

Depth = Literal["truecolor", "256", "16"]

GREYS = 24
"""xterm's ramp of greys, from 8 to 238 in steps of 10."""


def depth_here() -> Depth:
    """As `COLORTERM` and `TERM` tell."""
    match Console(force_terminal=True).color_system:
        case "standard":
            return "16"
        case "256":
            return "256"
        case _:
            return "truecolor"


def fitted(theme: ThemeFile, depth: Depth) -> ThemeFile:
    """The theme, its grounds told apart where 256 colours would make one of them: then they are neighbouring greys."""
    colors = theme.colors
    if depth == "truecolor" or theme.ansi:
        return theme
    grounds = (colors.page, colors.panel, colors.selection)
    if len({Color.parse(ground).downgrade(ColorSystem.EIGHT_BIT).number for ground in grounds}) == len(grounds):
        return theme
    red, green, blue = (part / 255 for part in Color.parse(colors.page).get_truecolor())
    light = rgb_to_hls(red, green, blue)[1] * (GREYS + 1)
    # Away from the text, so that it stands out as before.
    first, step = (max(int(light), 1), 1) if theme.dark else (min(int(light) + 1, GREYS), -1)
    page, panel, raised, track = (_grey(first + step * n) for n in (0, 1, 2, 4))
    fitting = msgspec.structs.replace(colors, page=page, panel=panel, selection=raised, code=raised, track=track)
    return msgspec.structs.replace(theme, colors=fitting)


def _grey(number: int) -> str:
    level = 8 + 10 * (min(max(number, 1), GREYS) - 1)
    return f"#{level:02x}{level:02x}{level:02x}"
