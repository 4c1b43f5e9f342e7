"""From names of inks to terminal styles, for what paints its own lines."""

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from ..text.wrap import Line, Run, line_width
from .theme_files import Colors

_ATTRIBUTES = {
    "strong": Style(bold=True),
    "heading": Style(bold=True),
    "em": Style(italic=True),
    "struck": Style(strike=True),
    "link": Style(underline=True),
    "special": Style(bold=True),
    "picked": Style(reverse=True),
}
_COLORED = {"code": "user", "special": "accent", "unset": "bad", "variable": "user", "block": "text"}
_GROUNDED = {"variable": "code", "code": "code", "block": "code", "chosen": "selection"}


def jump_mark(letter: str, width: int) -> Line:
    """A letter that is to be pressed to go where it stands, in the second of `width` cells, or the only one."""
    mark = Run(letter, "accent strong picked")
    return (Run(" "), mark, Run(" " * (width - 2))) if width > 1 else (mark,)


class Inks:
    """The styles of one theme.

    An ink is a colour of the theme (`text`, `muted`, `system`…), or one of `strong`, `em`, `struck`, `heading`, `link`,
    `code`, `block` (of code), `variable`, `unset`, `special`, `picked`, `chosen` (on the ground of what is selected);
    several are parted by blanks.
    """

    def __init__(self, colors: Colors) -> None:
        self._colors = colors
        self.is_flat = colors.selection == colors.panel
        """Whether what is selected has no ground of its own."""
        self.style = lru_cache(maxsize=1024)(self._style)

    def _color(self, name: str) -> Color:
        return Color.parse(getattr(self._colors, name))

    def _style(self, ink: str, ground: str) -> Style:
        """The style of an ink on a ground (`page`, `panel`, `selection`)."""
        style = Style(color=self._color("text").rich_color, bgcolor=self._color(ground).rich_color)
        for name in ink.split():
            attributes = _ATTRIBUTES.get(name, Style())
            colored = _COLORED.get(name, name if hasattr(self._colors, name) else None)
            color = self._color(colored).rich_color if colored else None
            grounded = _GROUNDED.get(name)
            bgcolor = self._color(grounded).rich_color if grounded and ground == "page" else None
            style += Style(color=color, bgcolor=bgcolor) + attributes
        return style

    def strip(self, line: Line, ground: str, width: int) -> Strip:
        """A painted line, filled up to `width` cells."""
        segments = [Segment(run.text, self.style(run.ink, ground)) for run in line]
        used = line_width(line)
        if used < width:
            segments.append(Segment(" " * (width - used), self.style("text", ground)))
            return Strip(segments, width)
        strip = Strip(segments, used)
        return strip.crop(0, width) if used > width else strip
